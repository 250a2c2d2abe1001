//! 300 campaigns in one go: what that costs on TikTok, and that nothing is done once nothing is left to do.

use std::time::{Duration, Instant};

use serde_json::Value;
use tiktok_ads_harness::{Chart, Sandbox, shared, wait_until};

use crate::fleet::{self, Account, States};

const COUNT: usize = 300;

/// What a request to TikTok was for. Told apart on the wire as far as it can be: a list without a filter reads the whole
/// account, whether a name check or the sweep clock began it.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Calls {
    /// Reads of the account itself.
    account: usize,
    /// Pages of lists without a filter.
    pages: usize,
    /// Lists by name or by ids: look-ups and read-backs.
    looks: usize,
    creates: usize,
    enables: usize,
    other: usize,
}

impl Calls {
    fn of(requests: &[Value]) -> Self {
        let mut calls = Self::default();
        for request in requests {
            let path = request["path"].as_str().unwrap();
            let call = path.trim_start_matches("/open_api/v1.3/");
            let filter = request["query"]["filtering"].as_str().unwrap_or("");
            let narrow = filter.contains("campaign_ids") || filter.contains("campaign_name");
            match call {
                "campaign/get/" | "smart_plus/campaign/get/" if narrow => calls.looks += 1,
                "campaign/get/" | "smart_plus/campaign/get/" => calls.pages += 1,
                "campaign/create/" => calls.creates += 1,
                "campaign/status/update/" => calls.enables += 1,
                "advertiser/info/" | "oauth2/advertiser/get/" => calls.account += 1,
                _ => calls.other += 1,
            }
        }
        calls
    }

    fn all(self) -> usize {
        self.pages + self.looks + self.creates + self.enables + self.other
    }
}

fn versions(objects: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |one: &Value| {
        (
            text(&one["metadata"]["name"]),
            text(&one["metadata"]["resourceVersion"]),
        )
    };
    objects.iter().map(pair).collect()
}

/// The whole of it is one test, because the quiet that its second half shows is that of the first half's 300.
#[test]
fn three_hundred_campaigns_cost_hardly_more_than_the_least_and_then_nothing() {
    let cluster = shared();
    let namespace = cluster.namespace("scale").unwrap();
    let sandbox = Sandbox::start(
        cluster,
        fleet::binary(),
        &["--seed", "300", "--knob", "rate=off"],
    )
    .unwrap();
    let account = Account::new(&sandbox);
    let install = cluster
        .install(
            Chart::new(&namespace)
                .watch(&namespace)
                .platform_url(sandbox.url())
                .set("platform.tier=Ultimate")
                .set("platform.sweepInterval=10m"),
        )
        .unwrap();
    // Regular sweeps are kept out of the first half by their clock, so every list in it was begun by a name check
    // (but for the very first, of an account nobody knows yet).
    let operator = install.run(fleet::binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();

    let begun = Instant::now();
    let manifests = account.connection("main", "") + &fleet::campaigns("main", "c", COUNT, "");
    cluster.apply(&namespace, &manifests).unwrap();
    let applied = begun.elapsed();
    fleet::wait_ready(
        cluster,
        &operator,
        &namespace,
        COUNT,
        "On",
        Duration::from_secs(180),
    );
    let took = begun.elapsed();

    let states = account.states(&sandbox);
    assert_eq!(
        states,
        States {
            on: COUNT,
            off: 0,
            deleted: 0
        }
    );
    let requests = account.requests(&sandbox, 0);
    let calls = Calls::of(&requests);
    // The least that the API allows: both trees have to be looked at once for the names (a page each, as one holds 1000
    // rows); a create each; created objects are read back before they are enabled, 100 in a call; 20 are enabled in one.
    let least = 2 + COUNT + COUNT.div_ceil(100) + COUNT.div_ceil(20);
    eprintln!(
        "scale: applied in {applied:.1?}, live after {took:.1?}; {calls:?}: {} calls, at least {least}, {:.3} of it",
        calls.all(),
        calls.all() as f64 / least as f64
    );
    assert_eq!(calls.creates, COUNT, "{calls:?}");
    assert_eq!(calls.other, 0, "{calls:?}");
    assert!(
        calls.all() * 10 <= least * 12,
        "{calls:?}, at least {least}"
    );
    // The log has not lost anything: the counts, which are kept apart from it, say the same.
    let counted = account.count(&sandbox, "/open_api/v1.3/campaign/create/");
    assert_eq!(counted, COUNT as u64);
    let ended = operator.terminate(Duration::from_secs(20)).unwrap();
    assert!(ended.success(), "{ended}");

    // Ten sweeps with nothing changed. A new process, so that its first sight of 300 objects is part of the quiet.
    let before = versions(&fleet::objects(cluster, &namespace).unwrap());
    let connection = || {
        let found = cluster
            .json(&["get", "tiktokconnection", "main", "-n", &namespace])
            .unwrap();
        found["metadata"]["resourceVersion"].clone()
    };
    let connection_before = connection();
    let events = || {
        let list = cluster.json(&["get", "events", "-n", &namespace]).unwrap();
        versions(list["items"].as_array().unwrap())
    };
    let events_before = events();
    let mark = cluster.audit().mark().unwrap();
    let from = account.last_request(&sandbox);
    let install = install.upgrade(&["platform.sweepInterval=2s"]).unwrap();
    let operator = install
        .run_with(fleet::binary(), &["--resync-interval=5s"], &[])
        .unwrap();
    let pages = |after: u64| Calls::of(&account.requests(&sandbox, after)).pages;
    // At its start it reads what it is to know: that costs calls, but no write either.
    wait_until(
        "the new process to sweep twice",
        Duration::from_secs(90),
        || {
            operator.alive()?;
            Ok(if pages(from) >= 2 {
                Ok(())
            } else {
                Err(String::new())
            })
        },
    )
    .unwrap();
    let first = account.last_request(&sandbox);
    wait_until("ten more sweeps", Duration::from_secs(90), || {
        operator.alive()?;
        let read = pages(first);
        Ok(if read >= 10 {
            Ok(())
        } else {
            Err(format!("{read} pages"))
        })
    })
    .unwrap();
    let quiet = Calls::of(&account.requests(&sandbox, first));
    let start = Calls::of(&account.requests(&sandbox, from));
    let user = format!(
        "system:serviceaccount:{}:{}",
        install.namespace(),
        install.deployment()["spec"]["template"]["spec"]["serviceAccountName"]
            .as_str()
            .unwrap()
    );
    let seen = cluster.audit().since(mark).unwrap().user(&user);
    assert!(seen.count() > 0, "the lease at least is renewed");
    let writes = seen.writes().only(|request| request.resource != "leases");
    assert_eq!(writes.count(), 0, "{writes}{}", fleet::tail(&operator));
    assert_eq!(
        versions(&fleet::objects(cluster, &namespace).unwrap()),
        before
    );
    assert_eq!(before.len(), COUNT);
    assert_eq!(connection(), connection_before);
    assert_eq!(events(), events_before);
    // One page a sweep: only the manual tree has objects, and 300 rows fit into a page of 1000.
    assert_eq!(quiet.all(), quiet.pages, "{quiet:?}");
    eprintln!(
        "scale: ten sweeps with nothing changed: {quiet:?}; with the new process's first look: {start:?}"
    );
    assert_eq!(
        fleet::metric(&operator, "tiktokads_missed_wakeups_total"),
        0.0
    );
}
