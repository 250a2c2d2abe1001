//! The loop that joins everything: deltas in, turns and calls out, nothing waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

use super::account::{AccountId, lists_for};
use super::calls::backoff;
use super::doors::{Clock, Cluster, ClusterError, Delta, Name};
use super::due::Why;
use super::events::Said;
use super::lease::Fence;
use super::metrics::Metrics;
use super::outbox::Batch;
use super::queue::Lane;
use super::settings::Settings;
use super::state::{Key, Place, State};
use super::sweep::Page;
use super::turn::Outcome;
use crate::model::facts::{Access, NameQuestion};
use crate::platform::Door;

/// Changes of our kinds, of Secrets and of namespaces.
pub type Deltas = mpsc::Receiver<Delta>;

/// The engine: the doors, the clock, and the one state.
pub struct Engine<C, P, K> {
    pub(super) cluster: C,
    pub(super) platform: P,
    pub(super) clock: K,
    pub(super) metrics: Metrics,
    pub(super) status_slots: Semaphore,
    /// Something was pushed from outside the loop.
    nudged: Notify,
    fence: Arc<Fence>,
    call_deadline: Duration,
    /// The loop has ended: nothing new is begun.
    stopping: AtomicBool,
    state: Mutex<State>,
}

/// A piece of work that may wait for the world.
#[derive(Debug)]
enum Job {
    Turn {
        key: Key,
        place: Place,
    },
    Batch {
        account: AccountId,
        batch: Batch,
    },
    Page {
        account: AccountId,
        page: Page,
    },
    LookName {
        account: AccountId,
        question: NameQuestion,
    },
    /// Calls about what TikTok sends to a connection.
    Subscribe {
        connection: Name,
    },
    Keep {
        namespace: String,
        keep: bool,
    },
    /// An event.
    Say {
        said: Said,
    },
}

/// A stop waits for what is under way as long as a call may take, and this long for what it answers to be stored. The chart's
/// `terminationGracePeriodSeconds` is longer than both together.
pub const STORE_WITHIN: Duration = Duration::from_secs(10);

/// How soon a leader whose lease runs short looks whether it was renewed.
const LEASE_AGAIN: Duration = Duration::from_millis(500);

type Running<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// An engine that knows nothing yet.
    pub fn new(
        cluster: C,
        platform: P,
        clock: K,
        settings: Settings,
        metrics: Metrics,
        fence: Arc<Fence>,
    ) -> Self {
        let status_slots = Semaphore::new(settings.status_in_flight);
        Self {
            cluster,
            platform,
            clock,
            metrics,
            status_slots,
            nudged: Notify::new(),
            fence,
            call_deadline: settings.call_deadline,
            stopping: AtomicBool::new(false),
            state: Mutex::new(State::new(settings)),
        }
    }

    /// The state. Never held while waiting. A panic in a turn leaves it usable: plans are made anew from it.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease's transition count, while it covers a whole call.
    pub(super) fn fence(&self) -> Option<u64> {
        self.fence.check(self.clock.awake(), self.call_deadline)
    }

    /// Has the loop ended, so that nothing new is to be begun?
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets the loop look at once: somebody outside it has pushed a key.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Runs until `stop`, acting only while `leading`.
    pub async fn run(
        &self,
        mut deltas: Deltas,
        mut leading: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut running: Running<'_> = FuturesUnordered::new();
        let mut open = true;
        let mut begun = false;
        loop {
            let lead = *leading.borrow_and_update();
            let now = self.clock.now();
            // While the lease does not cover a whole call nothing is begun: it would be refused at once, and again.
            let covered = lead && self.fence().is_some();
            if covered && self.lock().stores.synced() {
                if !begun {
                    begun = true;
                    let mut state = self.lock();
                    state.free_rights();
                    state.begin_hearing();
                    state.begin_to_say();
                }
                self.wake_due(now);
                while let Some(job) = self.next_job(now) {
                    running.push(Box::pin(self.perform(job)));
                }
            }
            let sleep = if covered {
                self.until_next(now)
            } else if lead {
                LEASE_AGAIN
            } else {
                Duration::from_secs(3600)
            };
            tokio::select! {
                biased;
                _ = stop.changed() => break,
                _ = leading.changed() => {
                    if *leading.borrow() {
                        self.everything_again();
                    } else {
                        break;
                    }
                }
                delta = deltas.recv(), if open => match delta {
                    Some(delta) => {
                        let now = self.clock.now();
                        self.lock().take(delta, now);
                        // A burst is taken over whole before anything is planned from half of it.
                        while let Ok(more) = deltas.try_recv() {
                            self.lock().take(more, now);
                        }
                    }
                    None => open = false,
                },
                _ = running.next(), if !running.is_empty() => {}
                () = self.nudged.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
        // What is under way is brought to its end: a call may take its whole deadline, and what it answers has to be stored.
        // No new turn begins, and no connection goes on to its next step. Where the lease was lost, the fence lets no write
        // leave; what is stored then is stored only over what the call was begun with.
        self.stopping.store(true, Ordering::Relaxed);
        let rest = async {
            loop {
                while let Some(said) = self.next_said() {
                    running.push(Box::pin(self.say(said)));
                }
                if running.next().await.is_none() {
                    break;
                }
            }
            self.store_last().await;
        };
        let _ = tokio::time::timeout(self.call_deadline + STORE_WITHIN, rest).await;
    }

    /// A new leader plans everything once.
    fn everything_again(&self) {
        let now = self.clock.now();
        let mut state = self.lock();
        let objects: Vec<Key> = state.stores.names().into_iter().map(Key::Object).collect();
        let connections: Vec<Key> = state
            .stores
            .connections
            .iter()
            .map(|(n, _)| Key::Connection(n.clone()))
            .collect();
        for key in connections.into_iter().chain(objects) {
            state.push(&key, Lane::Background, now);
        }
    }

    fn wake_due(&self, now: Timestamp) {
        let mut state = self.lock();
        let places: Vec<Place> = std::iter::once(None)
            .chain(state.accounts.keys().cloned().map(Some))
            .collect();
        for place in places {
            while let Some((key, why)) = state.lines(&place).due.pop(now) {
                if why == Why::Settle {
                    state.settled(&key, &place);
                }
                state.push(&key, Lane::Change, now);
            }
        }
        let resync_every = state.settings.resync_every;
        match state.next_resync {
            Some(next) if next <= now => {
                let missed = state.resync(now);
                if missed > 0 {
                    tracing::warn!(missed, "work was found that nothing had announced");
                    self.metrics.missed_wakeups(missed);
                }
                state.next_resync = Some(now + resync_every);
            }
            Some(_) => {}
            None => state.next_resync = Some(now + resync_every),
        }
    }

    /// The next piece of work that may begin now. Pauses first; creates before what can be shared later; sweeps last.
    fn next_job(&self, now: Timestamp) -> Option<Job> {
        let mut state = self.lock();
        if let Some((namespace, keep)) = state.next_keep() {
            return Some(Job::Keep { namespace, keep });
        }
        while let Some((key, _)) = state.home.queue.pop(now) {
            if let Some(job) = state.start_turn(key, None, now) {
                return Some(job);
            }
        }
        let ids: Vec<AccountId> = state.accounts.keys().cloned().collect();
        ids.into_iter()
            .find_map(|id| state.account_job(id, now))
            .or_else(|| state.next_said().map(|said| Job::Say { said }))
            .or_else(|| {
                let connection = state.next_subscriptions(now)?;
                Some(Job::Subscribe { connection })
            })
    }

    /// Does it. A bug that panics there ends this one piece of work: what follows from any end of it follows all the same.
    async fn perform(&self, job: Job) {
        match job {
            Job::Turn { key, place } => {
                let turn = async {
                    match &key {
                        Key::Object(name) => self.object_turn(name, &place).await,
                        Key::Connection(name) => self.connection_turn(name).await,
                    }
                };
                let ended = self.guarded("turn", &key, turn).await;
                let mut state = self.lock();
                if let Key::Connection(name) = &key {
                    // Whatever became of it: it does not keep the others from being heard.
                    state.has_hearing(name);
                }
                match ended {
                    Some(_) => drop(state.panicked.remove(&key)),
                    None => state.has_panicked(&key, self.clock.now()),
                }
                drop(state);
                self.end_turn(&key, ended.unwrap_or(Outcome::Failed));
            }
            Job::Batch { account, batch } => {
                let members = batch.members();
                let pause = batch.is_pause();
                let creates = matches!(batch, Batch::Create { .. });
                let about = members.first().map_or_else(String::new, |name| {
                    format!("{name} and {} more", members.len() - 1)
                });
                let work = self.batch(&account, batch);
                if self.guarded("batch", &about, work).await.is_none() {
                    let now = self.clock.now();
                    self.lock().batch_panicked(&account, &members, now);
                }
                if creates && let Some(a) = self.lock().accounts.get_mut(&account) {
                    a.creating = a.creating.saturating_sub(members.len());
                }
                if creates {
                    // Their creates were turns of theirs.
                    for name in &members {
                        self.end_turn(&Key::Object(name.clone()), Outcome::Parked);
                    }
                }
                let mut state = self.lock();
                if let Some(a) = state.accounts.get_mut(&account) {
                    a.in_batch.retain(|n| !members.contains(n));
                    let count = if pause {
                        &mut a.pause_batches
                    } else {
                        &mut a.batches
                    };
                    *count = count.saturating_sub(1);
                }
            }
            Job::Page { account, page } => {
                let work = self.sweep_page(&account, page);
                if self
                    .guarded("page", &account.advertiser, work)
                    .await
                    .is_none()
                {
                    let now = self.clock.now();
                    self.lock().sweep_failed(&account, now);
                }
            }
            Job::Subscribe { connection } => {
                let work = self.subscribe(&connection);
                if self.guarded("subscribe", &connection, work).await.is_none() {
                    let now = self.clock.now();
                    self.lock().subscribing_panicked(&connection, now);
                }
            }
            Job::Say { said } => self.say(said).await,
            Job::LookName { account, question } => {
                let lists = lists_for(&question);
                let work = self.look_name(&account, question);
                if self
                    .guarded("name", &account.advertiser, work)
                    .await
                    .is_none()
                {
                    // A whole list answers it, too.
                    if let Some(a) = self.lock().accounts.get_mut(&account) {
                        a.sweep.ask_lists(lists);
                    }
                }
                if let Some(a) = self.lock().accounts.get_mut(&account) {
                    a.batches = a.batches.saturating_sub(1);
                }
            }
            Job::Keep { namespace, keep } => {
                let work = self.keep_rights(&namespace, keep);
                let done = match self.guarded("rights", &namespace, work).await {
                    Some(done) => done,
                    None => Err(ClusterError::Unclear("a bug in the operator".into())),
                };
                let mut state = self.lock();
                match done {
                    Ok(()) if keep => {
                        state.kept.insert(namespace, true);
                    }
                    Ok(()) if state.stores.holds(&namespace) => {
                        // Meanwhile something of ours came: asked for again.
                        state.kept.insert(namespace, false);
                    }
                    Ok(()) => {
                        state.kept.remove(&namespace);
                    }
                    Err(error) => {
                        // The rights are already gone, or the namespace is: nothing more can be done there.
                        tracing::warn!(%namespace, %error, "could not keep the rights in the namespace");
                        state.kept.insert(namespace, keep);
                    }
                }
            }
        }
    }

    /// Rights that are not let go hold a namespace back for ever.
    async fn keep_rights(&self, namespace: &str, keep: bool) -> Result<(), ClusterError> {
        let mut failures = 0;
        loop {
            let done = self.cluster.keep_rights(namespace, keep).await;
            if !matches!(done, Err(ClusterError::Unclear(_) | ClusterError::Changed)) {
                return done;
            }
            failures += 1;
            let limits = self.lock().settings.backoff;
            tokio::time::sleep(backoff(limits, failures)).await;
        }
    }

    fn end_turn(&self, key: &Key, outcome: Outcome) {
        let now = self.clock.now();
        self.metrics.turn(outcome);
        let mut state = self.lock();
        if let Some(place) = state.turns.remove(key) {
            state.lines(&place).queue.done(key, now);
            let right = state.place(key);
            if right != place {
                state.lines(&right).queue.push(key, Lane::Change, now);
            }
        }
    }

    /// The metrics' text, its gauges read now.
    pub fn metrics_text(&self) -> String {
        let now = self.clock.now();
        self.metrics.depths(&self.lock(), now);
        self.metrics.text()
    }

    /// Until something is due of itself.
    fn until_next(&self, now: Timestamp) -> Duration {
        let state = self.lock();
        let names_every = state.settings.names_every;
        let mut next = state
            .next_resync
            .into_iter()
            .chain(state.home.due.next())
            .min();
        let mut sooner = |t: Option<Timestamp>| {
            if let Some(t) = t {
                next = Some(next.map_or(t, |n: Timestamp| n.min(t)));
            }
        };
        for account in state.accounts.values() {
            sooner(account.lines.due.next());
            if account.access == Access::Over {
                continue;
            }
            sooner(account.outbox.next_time(now));
            sooner(
                account
                    .pause_not_before
                    .filter(|_| !account.outbox.is_empty()),
            );
            if !account.reads() {
                continue;
            }
            sooner(
                account
                    .blocked_until
                    .filter(|_| !account.waiting.is_empty() || !account.outbox.is_empty()),
            );
            sooner(account.sweep.next_time(names_every));
        }
        let Some(next) = next else {
            return Duration::from_secs(60);
        };
        let wait = next.duration_since(now);
        // What is due now and did not begin waits for a slot: the end of a call wakes the loop, this is the net below.
        Duration::try_from(wait)
            .unwrap_or(Duration::ZERO)
            .clamp(Duration::from_millis(20), Duration::from_secs(60))
    }
}

impl State {
    /// A contradicted write has settled: now the row has to be looked up.
    fn settled(&mut self, key: &Key, place: &Place) {
        let Key::Object(name) = key else { return };
        let Some(id) = self.stores.own_record(name).and_then(|r| r.id) else {
            return;
        };
        if let Some(account) = place.as_ref().and_then(|p| self.accounts.get_mut(p)) {
            account.table.settled(&(name.kind, id));
        }
    }

    /// Begins the turn of a key that was popped in `here`. `None`: its connection became usable, or ceased to be, while it
    /// waited, so it has moved to where it belongs now; or it is in a turn there, and gets another one afterwards. Two
    /// turns of one object at the same time would undo each other.
    fn start_turn(&mut self, key: Key, here: Place, now: Timestamp) -> Option<Job> {
        let running = self.turns.contains_key(&key);
        if running || self.place(&key) != here {
            self.lines(&here).queue.done(&key, now);
            self.push(&key, Lane::Change, now);
            return None;
        }
        if let Some(again) = self.waits_after_panic(&key, now) {
            self.lines(&here).queue.done(&key, now);
            self.wake(&key, Why::Backoff, again);
            return None;
        }
        self.turns.insert(key.clone(), here.clone());
        Some(Job::Turn { key, place: here })
    }

    /// Our rights in a namespace have to outlive our objects there.
    fn next_keep(&mut self) -> Option<(String, bool)> {
        let wish = self.kept.iter().find_map(|(namespace, known)| {
            match (known, self.stores.holds(namespace)) {
                (false, true) => Some((namespace.clone(), true)),
                (true, false) => Some((namespace.clone(), false)),
                _ => None,
            }
        })?;
        // Taken: asked once; the answer enters what is known.
        self.kept.insert(wish.0.clone(), wish.1);
        Some(wish)
    }

    fn account_job(&mut self, id: AccountId, now: Timestamp) -> Option<Job> {
        let most = self.settings.turns_in_flight;
        let calls = self.settings.calls_in_flight;
        let account = self.accounts.get_mut(&id)?;
        let reads = account.reads();
        if account.access != Access::Over
            && account.pause_not_before.is_none_or(|t| t <= now)
            && account.pauses == 0
            && account.pause_batches == 0
            && let Some(batch) = account.outbox.pop_pause(now)
        {
            account.pause_batches += 1;
            return Some(account.begin_batch(id, batch));
        }
        let open = reads
            && account.blocked_until.is_none_or(|t| t <= now)
            && account.calls + account.batches < calls;
        // What events named is looked up together, before creates, once all of it has had its turn.
        if open
            && account.outbox.has_urgent(now)
            && !account.lines.queue.has_event()
            && let Some(batch) = account.outbox.pop_urgent(now)
        {
            return self.begin_shared(id, batch, now);
        }
        let account = self.accounts.get_mut(&id)?;
        if open
            && !account.outbox.has_aged(now)
            && let Some(name) = account.waiting.pop_front()
        {
            let key = Key::Object(name);
            account.lines.queue.push(&key, Lane::Change, now);
        }
        let urgent = account.lines.queue.has_safety();
        if (urgent || account.in_turn() < most)
            && let Some((key, _)) = account.lines.queue.pop(now)
        {
            return match self.start_turn(key, Some(id.clone()), now) {
                None => self.account_job(id, now),
                job => job,
            };
        }
        // What can be shared goes out when nobody is in a turn who may join it.
        let account = self.accounts.get_mut(&id)?;
        let quiet =
            account.lines.queue.is_empty() && account.in_turn() == 0 && account.waiting.is_empty();
        if open && (quiet || account.outbox.has_aged(now)) {
            if let Some(batch) = account.outbox.pop(now) {
                return self.begin_shared(id, batch, now);
            }
            if let Some(question) = account.name_looks.pop_front() {
                account.batches += 1;
                return Some(Job::LookName {
                    account: id,
                    question,
                });
            }
        }
        if open && let Some(page) = self.next_page(&id, now) {
            self.page_in_call(&id, true);
            return Some(Job::Page { account: id, page });
        }
        None
    }
}

impl State {
    /// Begins a batch that is no pause. A create is a turn of each of its objects: nobody else may be in one meanwhile.
    fn begin_shared(&mut self, id: AccountId, batch: Batch, now: Timestamp) -> Option<Job> {
        let batch = match batch {
            Batch::Create {
                kind,
                tree,
                parent,
                members,
            } => {
                let (busy, free): (Vec<_>, Vec<_>) = members
                    .into_iter()
                    .partition(|(name, _)| self.turns.contains_key(&Key::Object(name.clone())));
                for (name, _) in busy {
                    self.push(&Key::Object(name), Lane::Change, now);
                }
                if free.is_empty() {
                    return self.account_job(id, now);
                }
                for (name, _) in &free {
                    let key = Key::Object(name.clone());
                    self.turns.insert(key.clone(), Some(id.clone()));
                    self.lines(&Some(id.clone())).queue.take_turn(&key);
                }
                Batch::Create {
                    kind,
                    tree,
                    parent,
                    members: free,
                }
            }
            other => other,
        };
        let account = self.accounts.get_mut(&id)?;
        account.batches += 1;
        if matches!(batch, Batch::Create { .. }) {
            account.creating += batch.members().len();
        }
        Some(account.begin_batch(id, batch))
    }
}

impl super::account::Account {
    fn begin_batch(&mut self, id: AccountId, batch: Batch) -> Job {
        self.in_batch.extend(batch.members());
        Job::Batch { account: id, batch }
    }
}
