//! Deliveries: what is due, what came of it, and when it is tried again.

use serde::{Deserialize, Serialize};

use super::{
    super::{Sandbox, knobs, mix},
    signature,
};

/// Pauses before the second attempt, the third, …; the last one counts for all that follow. TikTok says "at once, then
/// with falling frequency".
const PAUSES_S: &[i64] = &[
    0, 10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800,
];
/// After this long nothing is tried again.
const GIVE_UP_MS: i64 = 86_400_000;
/// An attempt nobody reports on counts as failed then: the sender was stopped.
const UNREPORTED_MS: i64 = 60_000;
/// How many settled deliveries are kept to look at.
const KEPT: usize = 10_000;
/// Most copies of one event.
const MOST_COPIES: i64 = 10;

/// One request to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To be said when the result is reported.
    pub id: u64,
    /// Counts from 1; to be said as well.
    pub attempt: u32,
    /// A `POST` goes there.
    pub url: String,
    /// With these headers, the signature among them,
    pub headers: Vec<(String, String)>,
    /// and this body.
    pub body: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// An HTTP status. 2xx: the event has arrived. Redirects are not followed.
    Answered(u16),
    /// No answer: refused, cut, too late.
    Failed(String),
}

/// One attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it was sent: the sandbox's time, milliseconds since 1970.
    pub at: i64,
    /// The HTTP status of the answer; none without one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: String,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent, now or later.
    Waiting,
    /// Arrived.
    Delivered,
    /// A day is over.
    GivenUp,
}

/// A body on its way to a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentEvent {
    /// Counts from 1.
    pub id: u64,
    /// Whose key signs it.
    pub app_id: String,
    /// Whose knobs count; empty for those of everyone.
    pub advertiser_id: String,
    /// The subscriptions it is for.
    pub subscription_ids: Vec<String>,
    /// Where it goes.
    pub url: String,
    /// What is sent: JSON, unless somebody sent something else by hand.
    pub body: String,
    /// How far it is.
    pub state: DeliveryState,
    /// When it is sent next, the sandbox's time.
    pub due: i64,
    /// When it was made.
    pub queued_at: i64,
    /// When the attempt that is under way began.
    pub under_way_since: Option<i64>,
    /// Attempts that are over.
    pub attempts: Vec<Attempt>,
    /// Other than what the knobs say; only by hand.
    pub(super) by_hand: Option<ByHand>,
}

/// What somebody said about one delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByHand {
    /// A value of the knob `webhook_signature`.
    pub scheme: Option<String>,
    /// Signs instead of the app's key.
    pub key: Option<String>,
    /// The time in the signature, seconds since 1970.
    pub seconds: Option<i64>,
    /// Headers that are sent too, or instead.
    pub headers: Vec<(String, String)>,
}

impl SentEvent {
    fn attempt(&self) -> u32 {
        u32::try_from(self.attempts.len() + 1).unwrap_or(u32::MAX)
    }
}

impl Sandbox {
    /// Queues a body for a receiver, as often as the knobs say. Answers with the ids of the deliveries.
    pub(super) fn queue_delivery(&mut self, at: i64, new: SentEvent) -> Vec<u64> {
        let copies = self
            .knobs
            .whole(&knobs::WEBHOOK_COPIES, &new.advertiser_id)
            .min(MOST_COPIES);
        let delay = self.knobs.ms(&knobs::WEBHOOK_DELAY, &new.advertiser_id);
        let shuffled = self
            .knobs
            .is(&knobs::WEBHOOK_ORDER, &new.advertiser_id, "shuffled");
        (0..copies)
            .map(|_| {
                self.webhooks.last_id += 1;
                let id = self.webhooks.last_id;
                let wait = match u64::try_from(delay) {
                    Ok(delay) if shuffled => {
                        // At most the delay itself, which fits.
                        i64::try_from(mix(id ^ self.random) % (delay + 1)).unwrap_or(0)
                    }
                    _ => delay,
                };
                let due = at.saturating_add(wait);
                self.webhooks.waiting.push(SentEvent {
                    id,
                    due,
                    ..new.clone()
                });
                id
            })
            .collect()
    }

    /// Takes what is to be sent at `now`, at most so many, in the order in which TikTok would send it. Each has to be
    /// reported with [`Sandbox::delivery_result`]; what is not counts as failed a minute later.
    pub fn due_deliveries(&mut self, now: i64, most: usize) -> Vec<Delivery> {
        let at = self.at(now);
        self.apply_due(at);
        let mut due: Vec<(u64, u64)> = self
            .webhooks
            .waiting
            .iter()
            .filter(|one| one.under_way_since.is_none() && one.due <= at && !self.is_held(one))
            .map(|one| {
                let rank = match self.knobs.text(&knobs::WEBHOOK_ORDER, &one.advertiser_id) {
                    "reversed" => u64::MAX - one.id,
                    "shuffled" => mix(one.id ^ self.random),
                    _ => one.id,
                };
                (rank, one.id)
            })
            .collect();
        due.sort_unstable();
        due.truncate(most);
        let ids: Vec<u64> = due.into_iter().map(|(_, id)| id).collect();
        ids.into_iter()
            .filter_map(|id| {
                let mut waiting = self.webhooks.waiting.iter_mut();
                let one = waiting.find(|one| one.id == id)?;
                one.under_way_since = Some(at);
                let one = one.clone();
                Some(self.request_of(at, &one))
            })
            .collect()
    }

    fn is_held(&self, one: &SentEvent) -> bool {
        self.knobs
            .is(&knobs::WEBHOOK_HOLD, &one.advertiser_id, "true")
    }

    /// The request as it leaves now: the key and the time of the signature are those of this attempt.
    fn request_of(&self, at: i64, one: &SentEvent) -> Delivery {
        let said = one.by_hand.clone().unwrap_or_default();
        let app = self.accounts.apps.get(&one.app_id);
        let key = said
            .key
            .as_deref()
            .or(app.map(|app| app.signing_key()))
            .unwrap_or_default();
        let scheme = said.scheme.as_deref().unwrap_or_else(|| {
            self.knobs
                .text(&knobs::WEBHOOK_SIGNATURE, &one.advertiser_id)
        });
        let seconds = said.seconds.unwrap_or(at.div_euclid(1_000));
        let mut headers = vec![(
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )];
        if let Some((name, value)) = signature::header(scheme, key, &one.body, seconds) {
            headers.push((name.into(), value));
        }
        for (name, value) in said.headers {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
            headers.push((name, value));
        }
        Delivery {
            id: one.id,
            attempt: one.attempt(),
            url: one.url.clone(),
            headers,
            body: one.body.clone().into_bytes(),
        }
    }

    /// Says what came of an attempt. A late word about an earlier attempt counts only if it arrived after all.
    pub fn delivery_result(&mut self, now: i64, id: u64, attempt: u32, result: Delivered) {
        let at = self.at(now);
        let Some(index) = self.webhooks.waiting.iter().position(|one| one.id == id) else {
            return;
        };
        let (status, error) = match result {
            Delivered::Answered(status) => (Some(status), String::new()),
            Delivered::Failed(error) => (None, error),
        };
        let arrived = status.is_some_and(|status| (200..300).contains(&status));
        let one = &mut self.webhooks.waiting[index];
        let current = one.attempt() == attempt && one.under_way_since.is_some();
        if !current && !arrived {
            return;
        }
        one.attempts.push(Attempt {
            at: one.under_way_since.take().unwrap_or(at),
            status,
            error,
        });
        if arrived {
            one.state = DeliveryState::Delivered;
            self.finish(index);
        } else {
            self.try_again(at, index);
        }
    }

    /// Sets the time of the next attempt, or gives up.
    fn try_again(&mut self, at: i64, index: usize) {
        let one = &mut self.webhooks.waiting[index];
        let failed = one.attempts.len().saturating_sub(1);
        let pause = PAUSES_S
            .get(failed)
            .or(PAUSES_S.last())
            .copied()
            .unwrap_or_default();
        one.due = at.saturating_add(pause * 1_000);
        if one.due > one.queued_at.saturating_add(GIVE_UP_MS) {
            one.state = DeliveryState::GivenUp;
            self.finish(index);
        }
    }

    fn finish(&mut self, index: usize) {
        let one = self.webhooks.waiting.remove(index);
        if self.webhooks.finished.len() == KEPT {
            self.webhooks.finished.pop_front();
        }
        self.webhooks.finished.push_back(one);
    }

    /// Whoever sent has stopped: what was under way is tried again as if it had failed.
    pub fn senders_stopped(&mut self, now: i64) {
        let at = self.at(now);
        self.fail_older_than(at, 0);
    }

    /// Attempts that nobody reported on for long are over.
    pub(super) fn settle_unreported(&mut self, at: i64) {
        self.fail_older_than(at, UNREPORTED_MS);
    }

    fn fail_older_than(&mut self, at: i64, ms: i64) {
        let mut index = 0;
        while let Some(one) = self.webhooks.waiting.get_mut(index) {
            let id = one.id;
            let lost = |since: &mut i64| since.saturating_add(ms) <= at;
            if let Some(since) = one.under_way_since.take_if(lost) {
                one.attempts.push(Attempt {
                    at: since,
                    status: None,
                    error: "nobody said what came of it".into(),
                });
                self.try_again(at, index);
            }
            // One that was given up is gone from here.
            let waiting = &self.webhooks.waiting;
            if waiting.get(index).is_some_and(|one| one.id == id) {
                index += 1;
            }
        }
    }

    /// When [`Sandbox::due_deliveries`] has something to do next, in the caller's time; none: nothing is waiting. What
    /// is held back does not count.
    pub fn next_delivery_at(&self) -> Option<i64> {
        let reviews = self.webhooks.reviews.first().map(|(due, ..)| *due);
        let gathered = self.webhooks.gathered.iter().map(|one| one.due);
        let waiting = self
            .webhooks
            .waiting
            .iter()
            .filter_map(|one| match one.under_way_since {
                Some(since) => Some(since + UNREPORTED_MS),
                None => (!self.is_held(one)).then_some(one.due),
            });
        gathered
            .chain(waiting)
            .chain(reviews)
            .min()
            .map(|due| due.saturating_sub(self.clock_offset_ms))
    }

    /// All deliveries that are kept: those that are settled, oldest first by the time they were, then those that wait.
    pub fn deliveries(&self) -> impl Iterator<Item = &SentEvent> {
        self.webhooks
            .finished
            .iter()
            .chain(self.webhooks.waiting.iter())
    }

    /// Forgets settled deliveries, and drops what waits: one advertiser's, or everyone's.
    pub fn clear_deliveries(&mut self, advertiser_id: Option<&str>) {
        let stays = |one: &SentEvent| advertiser_id.is_some_and(|id| id != one.advertiser_id);
        self.webhooks.finished.retain(stays);
        self.webhooks.waiting.retain(stays);
        self.webhooks
            .gathered
            .retain(|one| advertiser_id.is_some_and(|id| id != one.advertiser_id));
    }
}
