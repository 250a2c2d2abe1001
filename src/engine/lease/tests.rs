use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance};

use super::*;
use crate::engine::doors::{MetaPatch, Name, Note, SecretCopy, SecretWrite, Stored};

const SECOND: Duration = Duration::from_secs(1);

/// The API server's part: one Lease under compare-and-swap.
#[derive(Default)]
struct Server {
    lease: Mutex<Option<Lease>>,
    version: Mutex<u64>,
}

impl Server {
    fn write(&self, lease: &Lease) -> Result<Lease, ClusterError> {
        let mut here = self.lease.lock().unwrap();
        if here
            .as_ref()
            .and_then(|l| l.metadata.resource_version.clone())
            != lease.metadata.resource_version
        {
            return Err(ClusterError::Changed);
        }
        let mut version = self.version.lock().unwrap();
        *version += 1;
        let mut lease = lease.clone();
        lease.metadata.resource_version = Some(version.to_string());
        *here = Some(lease.clone());
        Ok(lease)
    }

    fn holder(&self) -> Option<String> {
        self.lease
            .lock()
            .unwrap()
            .clone()
            .and_then(|l| l.spec)
            .and_then(|s| s.holder_identity)
    }
}

/// One candidate's way to the server, with its faults.
#[derive(Clone, Default)]
struct Line {
    server: Arc<Server>,
    /// Requests never arrive and are never answered.
    cut: Arc<AtomicBool>,
    /// Requests arrive; answers do not.
    deaf: Arc<AtomicBool>,
}

impl Line {
    async fn carry<R>(&self, request: impl FnOnce() -> R) -> R {
        if self.cut.load(SeqCst) {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = request();
        if self.deaf.load(SeqCst) {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer
    }
}

impl Cluster for Line {
    async fn get<K: Stored>(
        &self,
        _: &K::DynamicType,
        _: &Name,
    ) -> Result<Option<K>, ClusterError> {
        unreachable!()
    }
    async fn patch_meta<K: Stored>(
        &self,
        _: &K::DynamicType,
        _: &Name,
        _: &MetaPatch,
    ) -> Result<K, ClusterError> {
        unreachable!()
    }
    async fn apply_status<K: Stored>(
        &self,
        _: &K::DynamicType,
        _: &Name,
        _: &str,
        _: serde_json::Value,
    ) -> Result<K, ClusterError> {
        unreachable!()
    }
    async fn secret(&self, _: &Name) -> Result<Option<SecretCopy>, ClusterError> {
        unreachable!()
    }
    fn want_secrets(&self, _: &Name, _: BTreeSet<Name>) {
        unreachable!()
    }
    async fn write_secret(&self, _: &SecretWrite) -> Result<(), ClusterError> {
        unreachable!()
    }
    async fn drop_secret(&self, _: &Name, _: &str) -> Result<(), ClusterError> {
        unreachable!()
    }
    async fn keep_rights(&self, _: &str, _: bool) -> Result<(), ClusterError> {
        unreachable!()
    }
    async fn note(&self, _: &Note) -> Result<(), ClusterError> {
        unreachable!()
    }
    async fn note_at_home(&self, _: &Note) -> Result<(), ClusterError> {
        unreachable!()
    }
    async fn lease(&self) -> Result<Option<Lease>, ClusterError> {
        self.carry(|| Ok(self.server.lease.lock().unwrap().clone()))
            .await
    }
    async fn write_lease(&self, lease: &Lease) -> Result<Lease, ClusterError> {
        self.carry(|| self.server.write(lease)).await
    }
}

/// tokio's paused clock, and time that the machine slept on top.
#[derive(Clone)]
struct TestClock {
    start: Instant,
    slept: Arc<Mutex<Duration>>,
}

impl TestClock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            slept: Arc::default(),
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.awake()
    }
    fn awake(&self) -> Duration {
        self.start.elapsed() + *self.slept.lock().unwrap()
    }
    fn entropy(&self) -> [u8; 32] {
        [7; 32]
    }
}

struct Replica {
    line: Line,
    clock: TestClock,
    fence: Arc<Fence>,
    leads: watch::Receiver<bool>,
    /// The process stands still while the world goes on.
    frozen: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Ended>,
}

impl Replica {
    fn start(server: &Arc<Server>, identity: &str) -> Self {
        Self::start_at(server, identity, None)
    }

    /// One that takes requests at an address.
    fn start_at(server: &Arc<Server>, identity: &str, address: Option<&str>) -> Self {
        let settings = LeaseSettings {
            address: address.map(str::to_string),
            ..LeaseSettings::default()
        };
        let line = Line {
            server: server.clone(),
            ..Line::default()
        };
        let (clock, fence) = (TestClock::new(), Arc::new(Fence::default()));
        let (changes, leads) = watch::channel(false);
        let (stop, stopped) = oneshot::channel::<()>();
        let frozen = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn({
            let (line, clock, fence, identity) = (
                line.clone(),
                clock.clone(),
                fence.clone(),
                identity.to_string(),
            );
            freezable(frozen.clone(), async move {
                let stop = async {
                    if stopped.await.is_err() {
                        std::future::pending().await
                    }
                };
                lead(&line, &clock, &identity, &settings, &fence, &changes, stop).await
            })
        });
        Self {
            line,
            clock,
            fence,
            leads,
            frozen,
            stop: Some(stop),
            task,
        }
    }

    fn holds(&self) -> Option<u64> {
        self.fence.check(self.clock.awake(), Duration::ZERO)
    }

    fn sees(&self) -> Leads {
        self.fence.leads(self.clock.awake())
    }
}

/// Does not go on while `frozen`.
async fn freezable<R>(frozen: Arc<AtomicBool>, work: impl Future<Output = R>) -> R {
    let mut work = std::pin::pin!(work);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    std::future::poll_fn(move |context| {
        while frozen.load(SeqCst) {
            if tick.poll_tick(context).is_pending() {
                return std::task::Poll::Pending;
            }
        }
        work.as_mut().poll(context)
    })
    .await
}

/// Lets time pass in small steps, so that every task runs in between.
async fn pass(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        advance(Duration::from_millis(10)).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_takes_the_lease_and_keeps_it() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    assert_eq!(a.holds(), Some(1));
    assert!(*a.leads.borrow());
    for _ in 0..120 {
        pass(SECOND).await;
        assert_eq!((a.holds(), b.holds()), (Some(1), None));
        assert!(
            a.fence
                .check(a.clock.awake(), Duration::from_secs(20))
                .is_some(),
            "a write of 20 s always fits"
        );
    }
    assert!(
        a.fence
            .check(a.clock.awake(), Duration::from_secs(30))
            .is_none(),
        "no longer than it holds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_candidate_takes_over_after_the_duration_and_raises_the_count() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    pass(10 * SECOND).await;
    a.task.abort();
    pass(24 * SECOND).await;
    assert_eq!(
        b.holds(),
        None,
        "the last renewal was at most 5 s before the crash"
    );
    pass(17 * SECOND).await;
    assert_eq!(b.holds(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_gives_up_before_another_begins() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    pass(10 * SECOND).await;
    a.line.cut.store(true, SeqCst);
    let mut gap = false;
    for _ in 0..6000 {
        pass(Duration::from_millis(10)).await;
        assert!(a.holds().is_none() || b.holds().is_none());
        gap |= a.holds().is_none() && b.holds().is_none();
    }
    assert!(gap);
    assert_eq!(b.holds(), Some(2));
    assert!(!*a.leads.borrow());
    assert_eq!(a.task.await.unwrap(), Ended::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_machine_slept_has_lost() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(6 * SECOND).await;
    assert_eq!(a.holds(), Some(1));
    // tokio's clock, like CLOCK_MONOTONIC, does not count it; the fence does, at once.
    *a.clock.slept.lock().unwrap() += 40 * SECOND;
    assert_eq!(a.holds(), None);
    pass(6 * SECOND).await;
    assert_eq!(a.task.await.unwrap(), Ended::Lost);
    assert_eq!(
        server.holder().as_deref(),
        Some("a"),
        "nothing was written after waking up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_cost_the_lease() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(SECOND).await;
    a.line.deaf.store(true, SeqCst);
    pass(8 * SECOND).await;
    a.line.deaf.store(false, SeqCst);
    pass(20 * SECOND).await;
    assert_eq!(a.holds(), Some(1));
    assert!(!a.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_clean_stop_gives_the_lease_back() {
    let server = Arc::new(Server::default());
    let mut a = Replica::start(&server, "a");
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    pass(3 * SECOND).await;
    a.stop.take().unwrap().send(()).unwrap();
    pass(SECOND).await;
    assert_eq!(a.task.await.unwrap(), Ended::Stopped);
    assert_eq!(a.fence.check(Duration::ZERO, Duration::ZERO), None);
    assert_eq!(server.holder(), None);
    pass(6 * SECOND).await;
    assert_eq!(b.holds(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_lease_deleted_by_hand_is_not_taken_from_its_holder() {
    let server = Arc::new(Server::default());
    let a = Replica::start(&server, "a");
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    pass(7 * SECOND).await;
    *server.lease.lock().unwrap() = None;
    for _ in 0..600 {
        pass(Duration::from_millis(100)).await;
        assert!(b.holds().is_none());
    }
    assert_eq!(a.holds(), Some(1));
    // The holder is dead, too: b waits for the duration, and the count goes on rising.
    a.task.abort();
    *server.lease.lock().unwrap() = None;
    pass(45 * SECOND).await;
    assert_eq!(b.holds(), Some(2));
}

const A: &str = "http://10.0.0.1:8090";
const B: &str = "http://[fd00::2]:8090";

#[tokio::test(start_paused = true)]
async fn a_standby_knows_where_the_leader_listens() {
    let server = Arc::new(Server::default());
    let mut a = Replica::start_at(&server, "a", Some(A));
    assert_eq!(a.sees(), Leads::Nobody);
    pass(SECOND).await;
    let b = Replica::start_at(&server, "b", Some(B));
    let c = Replica::start(&server, "c");
    pass(6 * SECOND).await;
    assert_eq!(a.sees(), Leads::Here);
    assert_eq!(b.sees(), Leads::There(A.into()));
    assert_eq!(c.sees(), Leads::There(A.into()));
    // Given back: nobody is asked who does not act any more, and the next one says where it is.
    a.stop.take().unwrap().send(()).unwrap();
    pass(SECOND).await;
    assert_eq!(a.sees(), Leads::Nobody);
    let annotations = server.lease.lock().unwrap().clone().unwrap().metadata;
    assert!(!annotations.annotations.unwrap().contains_key(ADDRESS));
    c.task.abort();
    pass(12 * SECOND).await;
    assert_eq!(b.sees(), Leads::Here);
    let d = Replica::start(&server, "d");
    pass(SECOND).await;
    assert_eq!(d.sees(), Leads::There(B.into()));
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_requests_takes_the_former_address_away() {
    let server = Arc::new(Server::default());
    let a = Replica::start_at(&server, "a", Some(A));
    pass(SECOND).await;
    let b = Replica::start(&server, "b");
    pass(6 * SECOND).await;
    a.task.abort();
    // Until the lease has run out the address stays known; asking there fails, and nothing is lost by it.
    assert_eq!(b.sees(), Leads::There(A.into()));
    pass(40 * SECOND).await;
    assert_eq!(b.sees(), Leads::Here);
    let c = Replica::start_at(&server, "c", Some(A));
    pass(SECOND).await;
    assert_eq!(c.sees(), Leads::Nobody);
}

#[tokio::test(start_paused = true)]
async fn nobody_passes_requests_to_itself_or_to_what_is_no_address() {
    let server = Arc::new(Server::default());
    let a = Replica::start_at(&server, "a", Some(A));
    pass(SECOND).await;
    // The same pod, started again while the lease of the process before still counts.
    a.task.abort();
    let again = Replica::start_at(&server, "a2", Some(A));
    pass(6 * SECOND).await;
    assert_eq!(again.sees(), Leads::Nobody);
    for odd in [
        "http://metadata.internal:80",
        "http://localhost:80",
        "http://10.0.0.1:8090/",
        "http://10.0.0.1:8090/path",
        "http://u@10.0.0.1:8090",
        "https://10.0.0.1:8090",
        "http://10.0.0.1",
        "http://10.0.0.1:0",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "",
    ] {
        assert!(!is_address(odd), "{odd}");
    }
    assert!(is_address(A) && is_address(B));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_has_lost_is_not_taken_for_one() {
    let server = Arc::new(Server::default());
    let a = Replica::start_at(&server, "a", Some(A));
    pass(6 * SECOND).await;
    *a.clock.slept.lock().unwrap() += 40 * SECOND;
    assert_eq!(a.sees(), Leads::Nobody);
}

/// Faults at random, replicas that die and come again: never two at a time, and the count never falls.
#[tokio::test(start_paused = true)]
async fn never_two_at_a_time() {
    let mut takeovers = 0;
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let server = Arc::new(Server::default());
        let mut replicas: Vec<Replica> = (0..3)
            .map(|n| Replica::start(&server, &format!("r{n}")))
            .collect();
        let mut highest = 0;
        for step in 0..400 {
            for (n, replica) in replicas.iter_mut().enumerate() {
                match random.u8(0..40) {
                    0 => replica.line.cut.store(true, SeqCst),
                    1 => replica.line.deaf.store(true, SeqCst),
                    2 => replica.frozen.store(true, SeqCst),
                    3..10 => {
                        replica.frozen.store(false, SeqCst);
                        replica.line.cut.store(false, SeqCst);
                        replica.line.deaf.store(false, SeqCst);
                    }
                    _ => {}
                }
                if replica.task.is_finished() || random.u8(0..200) == 0 {
                    replica.task.abort();
                    *replica = Replica::start(&server, &format!("r{n}-{step}"));
                }
            }
            for _ in 0..20 {
                pass(Duration::from_millis(100)).await;
                let holders: Vec<u64> = replicas.iter().filter_map(Replica::holds).collect();
                assert!(holders.len() <= 1, "seed {seed}, step {step}: {holders:?}");
                if let Some(count) = holders.first() {
                    assert!(
                        *count >= highest,
                        "seed {seed}, step {step}: {count} after {highest}"
                    );
                    takeovers += u64::from(*count > highest);
                    highest = *count;
                }
            }
        }
        for replica in replicas {
            replica.task.abort();
        }
    }
    assert!(
        takeovers > 40,
        "{takeovers}: the test has to see changes of leader"
    );
}
