//! R24: which of TikTok's events a connection subscribes to, and which calls bring that about.
//!
//! TikTok keeps one subscription for each ad and ad group, and sends nothing any more once the token is dead that a
//! subscription was made with, without saying so. Which token that was is kept in the token Secret: the list of
//! subscriptions is not read for tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::report::delivery_word;
use crate::platform::{CallbackUrl, Kind, OperationState, Row, SubscriptionEntity};

/// An ad or ad group of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub entity: SubscriptionEntity,
    /// When it was last changed, or made.
    pub changed: Timestamp,
    /// TikTok is reviewing it.
    pub open: bool,
}

/// The candidate that a row of ours is; `None` for campaigns, which are not reviewed, and for what is deleted.
pub fn candidate(advertiser: &str, row: &Row) -> Option<Candidate> {
    let advertiser = advertiser.to_owned();
    let entity = match row.kind {
        _ if row.operation == OperationState::Deleted => return None,
        Kind::Campaign => return None,
        Kind::AdGroup => SubscriptionEntity::AdGroup {
            advertiser,
            ad_group: row.id.clone(),
        },
        Kind::Ad => SubscriptionEntity::Ad {
            advertiser,
            ad: row.id.clone(),
        },
    };
    Some(Candidate {
        entity,
        changed: row.modified.max(row.created).unwrap_or(Timestamp::MIN),
        open: is_open(&row.secondary_status),
    })
}

/// Is TikTok reviewing it, or a part of it? That the account itself is being reviewed is no review of an ad.
fn is_open(secondary_status: &str) -> bool {
    let word = delivery_word(secondary_status);
    !word.starts_with("ADVERTISER") && (word.ends_with("AUDIT") || word.contains("PARTIAL_AUDIT"))
}

/// What a connection wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Most wanted first, no more than the limit.
    pub entities: Vec<SubscriptionEntity>,
    /// How many there would be without a limit.
    pub all: usize,
    /// When the first of them is wanted no more, if nothing happens to it.
    pub until: Option<Timestamp>,
}

/// The account's suspension always; ads and ad groups while TikTok reviews them, or for `window` after a change, newest
/// first. Who is beyond the limit is left to the lists.
pub fn wanted(
    advertiser: &str,
    candidates: Vec<Candidate>,
    limit: usize,
    window: Duration,
    now: Timestamp,
) -> Wanted {
    let ends = |c: &Candidate| c.changed.checked_add(window).unwrap_or(Timestamp::MAX);
    let mut candidates: Vec<Candidate> = candidates
        .into_iter()
        .filter(|c| c.open || now < ends(c))
        .collect();
    candidates.sort_by(|a, b| (b.changed, &a.entity).cmp(&(a.changed, &b.entity)));
    let all = candidates.len() + 1;
    candidates.truncate(limit.saturating_sub(1));
    let until = candidates.iter().filter(|c| !c.open).map(ends).min();
    let account = SubscriptionEntity::AccountSuspension {
        advertiser: advertiser.to_owned(),
    };
    let entities = std::iter::once(account)
        .chain(candidates.into_iter().map(|c| c.entity))
        .take(limit)
        .collect();
    Wanted {
        entities,
        all,
        until,
    }
}

/// A subscription of TikTok's list that sends to this connection's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    /// `None`: for something that is never subscribed to here.
    pub entity: Option<SubscriptionEntity>,
    /// Where it sends to: the last part, which is a secret, may have been changed since.
    pub address: CallbackUrl,
}

/// A token, without the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub fingerprint: String,
    /// `None`: it has no end.
    pub expires_at: Option<Timestamp>,
}

/// What a plan looks at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub now: Timestamp,
    pub wanted: &'a [SubscriptionEntity],
    /// Where events have to be sent to.
    pub address: &'a CallbackUrl,
    /// `None`: not listed since the start, or since an answer was lost.
    pub have: Option<&'a [Subscription]>,
    /// The token in use.
    pub token: &'a Token,
    /// The token in use came from its predecessor by rotation, which goes on living until its own end. Otherwise somebody
    /// authorised anew, or put another one into a Secret.
    pub rotated: bool,
    /// The token that the oldest of the subscriptions were made with, as the token Secret has it.
    pub made_with: Option<&'a Token>,
    /// What TikTok refused lately.
    pub refused: &'a BTreeSet<SubscriptionEntity>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Subscribe(SubscriptionEntity),
    Unsubscribe { id: String },
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// All is as wanted.
    Rest,
    /// TikTok's list has to be read.
    List,
    /// To be written down as what subscriptions are made with, before anything else is done.
    Note(Token),
    /// These calls, in this order.
    Calls(Vec<Op>),
}

/// Plans.
pub fn plan(f: &Facts) -> Step {
    if let Some(made_with) = f.made_with
        && is_replaced(f, made_with)
        && !has_ended(f, made_with)
    {
        // Later nobody could tell any more: the token in use will be the one before it, rotated.
        return Step::Note(Token {
            fingerprint: made_with.fingerprint.clone(),
            expires_at: Some(f.now),
        });
    }
    let Some(have) = f.have else {
        return Step::List;
    };
    // Nobody knows what with, or with what does not live any more.
    if f.made_with.is_none_or(|made_with| has_ended(f, made_with)) {
        if !have.is_empty() {
            // Nothing comes from them any more: made anew, once it is written down what with.
            let all = have.iter().map(|s| Op::Unsubscribe { id: s.id.clone() });
            return Step::Calls(all.collect());
        }
        return match f.wanted.is_empty() {
            true => Step::Rest,
            false => Step::Note(f.token.clone()),
        };
    }
    let mut ops = Vec::new();
    let wanted: BTreeSet<&SubscriptionEntity> = f.wanted.iter().collect();
    let mut kept: BTreeSet<&SubscriptionEntity> = BTreeSet::new();
    for subscription in have {
        let entity = subscription.entity.as_ref();
        let keeps = entity.filter(|e| subscription.address == *f.address && wanted.contains(e));
        // Two for the same send everything twice.
        if !keeps.is_some_and(|e| kept.insert(e)) {
            ops.push(Op::Unsubscribe {
                id: subscription.id.clone(),
            });
        }
    }
    let missing = f
        .wanted
        .iter()
        .filter(|e| !kept.contains(e) && !f.refused.contains(e));
    ops.extend(missing.cloned().map(Op::Subscribe));
    match ops.is_empty() {
        true => Step::Rest,
        false => Step::Calls(ops),
    }
}

fn has_ended(f: &Facts, made_with: &Token) -> bool {
    made_with.expires_at.is_some_and(|end| end <= f.now)
}

/// Somebody authorised anew, or put another token into a Secret: what became of the one before is not known.
fn is_replaced(f: &Facts, made_with: &Token) -> bool {
    made_with.fingerprint != f.token.fingerprint && !f.rotated
}

/// When a token that subscriptions hold ends: they are planned again then.
pub fn ends(made_with: Option<&Token>, now: Timestamp) -> Option<Timestamp> {
    made_with?.expires_at.filter(|end| *end > now)
}

#[cfg(test)]
mod tests;
