//! Ends: of a namespace, of a release, of an API server. Nothing may run on unseen, and nobody has to help.

use std::time::{Duration, Instant};

use serde_json::Value;
use tiktok_ads_harness::programs::repository;
use tiktok_ads_harness::{Chart, ControlPlane, Install, Sandbox, shared, wait_until};

use crate::fleet::{self, Account, States, binary};

const LIMIT: Duration = Duration::from_secs(180);

/// What is deleted before its namespace is.
#[derive(Clone, Copy, Debug)]
enum First {
    /// The namespace, and so everything in one stroke.
    Namespace,
    Connection,
    Secrets,
    Campaigns,
}

/// Many where all goes in one stroke; fewer where only the order differs.
const ORDERS: [(First, &str, usize); 4] = [
    (First::Namespace, "stroke", 300),
    (First::Connection, "connection", 30),
    (First::Secrets, "secrets", 30),
    (First::Campaigns, "campaigns", 30),
];

/// One namespace for each order.
fn namespaces(cluster: &ControlPlane) -> Vec<(First, usize, String)> {
    let one = |(first, name, count): (First, &str, usize)| {
        (first, count, cluster.namespace(name).unwrap())
    };
    ORDERS.into_iter().map(one).collect()
}

/// Deletes namespaces full of active campaigns, each with its connection and its Secrets, and waits until they are gone.
fn everything_is_paused_and_goes(
    cluster: &ControlPlane,
    sandbox: &Sandbox,
    install: &Install<'_>,
    namespaces: &[(First, usize, String)],
) {
    let operator = install.run(binary()).unwrap();
    operator.wait_ready(Duration::from_secs(60)).unwrap();
    let begun = Instant::now();
    let mut accounts = Vec::new();
    for (_, count, namespace) in namespaces {
        let account = Account::new(sandbox);
        let all = account.connection("main", "") + &fleet::campaigns("main", "c", *count, "");
        cluster.apply(namespace, &all).unwrap();
        accounts.push(account);
    }
    for ((_, count, namespace), account) in namespaces.iter().zip(&accounts) {
        fleet::wait_ready(cluster, &operator, namespace, *count, "On", LIMIT);
        let on = States {
            on: *count,
            ..States::default()
        };
        assert_eq!(account.states(sandbox), on, "{namespace}");
    }
    let live = begun.elapsed();

    let begun = Instant::now();
    let delete = |args: &[&str]| {
        let mut all = vec!["delete"];
        all.extend(args);
        all.push("--wait=false");
        cluster.run(&all).unwrap().ok().unwrap();
    };
    for (first, _, namespace) in namespaces {
        match first {
            First::Namespace => {}
            First::Connection => delete(&["tiktokconnection", "main", "-n", namespace]),
            First::Secrets => delete(&["secret", "main-app", "main-token", "-n", namespace]),
            First::Campaigns => delete(&["campaigns", "--all", "-n", namespace]),
        }
        delete(&["namespace", namespace]);
    }
    for ((first, count, namespace), account) in namespaces.iter().zip(&accounts) {
        let gone = wait_until("the namespace to be gone", LIMIT, || {
            operator.alive()?;
            fleet::pace();
            let answer = cluster.run(&["get", "namespace", namespace, "-o", "json"])?;
            Ok(if answer.stderr.contains("NotFound") {
                Ok(())
            } else {
                let states = account.states(sandbox);
                Err(format!("{states:?}; {}", answer.stdout))
            })
        });
        gone.unwrap_or_else(|error| panic!("{first:?}: {error}\n{}", fleet::tail(&operator)));
        let off = States {
            off: *count,
            ..States::default()
        };
        assert_eq!(account.states(sandbox), off, "{first:?}");
    }
    eprintln!(
        "endings: live after {live:.1?}, gone after {:.1?}",
        begun.elapsed()
    );
    assert_eq!(
        fleet::metric(&operator, "tiktokads_released_active_total"),
        0.0
    );
}

#[test]
fn r22_a_namespace_goes_with_its_active_campaigns_paused_under_cluster_wide_rights() {
    // It sees everything, so it has an API server of its own.
    let cluster = ControlPlane::start().unwrap();
    let sandbox =
        Sandbox::start(&cluster, binary(), &["--seed", "22", "--knob", "rate=off"]).unwrap();
    let chart = Chart::cluster_wide()
        .platform_url(sandbox.url())
        .set("platform.tier=Ultimate");
    let install = cluster.install(chart).unwrap();
    served(&cluster);
    let namespaces = namespaces(&cluster);
    everything_is_paused_and_goes(&cluster, &sandbox, &install, &namespaces);
}

#[test]
fn r22_a_namespace_goes_with_its_active_campaigns_paused_under_namespaced_rights() {
    let cluster = shared();
    let home = cluster.namespace("endings").unwrap();
    let sandbox =
        Sandbox::start(cluster, binary(), &["--seed", "23", "--knob", "rate=off"]).unwrap();
    let namespaces = namespaces(cluster);
    let mut chart = Chart::new(&home)
        .platform_url(sandbox.url())
        .set("platform.tier=Ultimate");
    for (_, _, namespace) in &namespaces {
        chart = chart.watch(namespace);
    }
    let install = cluster.install(chart).unwrap();
    everything_is_paused_and_goes(cluster, &sandbox, &install, &namespaces);
}

/// The process died between the end of the last object and the end of its hold on the rights.
#[test]
fn rights_that_a_crash_left_held_are_let_go_by_the_next_process() {
    let cluster = shared();
    let namespace = cluster.namespace("held").unwrap();
    let install = cluster
        .install(Chart::new(&namespace).watch(&namespace))
        .unwrap();
    let binding = install.deployment()["metadata"]["name"].as_str().unwrap();
    let args = ["rolebinding", binding, "-n", &namespace];
    let body = r#"{"metadata":{"finalizers":["tiktokads.dev/binding"]}}"#;
    let mut patch = vec!["patch"];
    patch.extend(args);
    patch.extend(["--type=merge", "-p", body]);
    cluster.run(&patch).unwrap().ok().unwrap();
    let mut get = vec!["get"];
    get.extend(args);
    let finalizers = || -> tiktok_ads_harness::Result<Value> {
        Ok(cluster.json(&get)?["metadata"]["finalizers"].clone())
    };
    assert!(finalizers().unwrap().is_array());
    let operator = install.run(binary()).unwrap();
    wait_until("the binding to be let go", Duration::from_secs(60), || {
        operator.alive()?;
        let left = finalizers()?;
        Ok(if left.is_null() {
            Ok(())
        } else {
            Err(left.to_string())
        })
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(&operator)));
}

/// A server answers for a new kind a moment after it has it.
fn served(cluster: &ControlPlane) {
    wait_until("the kinds to be served", Duration::from_secs(60), || {
        let answer = cluster.run(&["get", "campaigns,adgroups,ads,tiktokconnections", "-A"])?;
        Ok(if answer.success {
            Ok(())
        } else {
            Err(answer.stderr)
        })
    })
    .unwrap();
}

/// `helm uninstall` while the operator is killed, a new install, and the end
/// without any operator.
#[test]
fn helm_uninstall_returns_a_new_install_goes_on_and_a_documented_command_frees_the_rest() {
    const COUNT: usize = 60;
    let cluster = shared();
    let namespace = cluster.namespace("release").unwrap();
    let sandbox =
        Sandbox::start(cluster, binary(), &["--seed", "24", "--knob", "rate=off"]).unwrap();
    let account = Account::new(&sandbox);
    let chart = || {
        Chart::new(&namespace)
            .watch(&namespace)
            .platform_url(sandbox.url())
            .set("platform.tier=Ultimate")
    };
    let on = States {
        on: COUNT,
        ..States::default()
    };
    let install = cluster.install(chart()).unwrap();
    let operator = install.run(binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();
    let manifests = account.connection("main", "") + &fleet::campaigns("main", "c", COUNT, "");
    cluster.apply(&namespace, &manifests).unwrap();
    let before = fleet::wait_ready(cluster, &operator, &namespace, COUNT, "On", LIMIT);
    let names = |all: &[Value]| -> Vec<(Value, Value, Value)> {
        let one = |o: &Value| {
            (
                o["metadata"]["name"].clone(),
                o["metadata"]["uid"].clone(),
                o["status"]["id"].clone(),
            )
        };
        all.iter().map(one).collect()
    };

    // SIGKILL the moment the Deployment goes, while helm is still deleting the rest.
    let deployment = install.deployment()["metadata"]["name"].as_str().unwrap();
    std::thread::scope(|scope| {
        let uninstall = scope.spawn(|| install.uninstall());
        wait_until("the Deployment to go", Duration::from_secs(60), || {
            let answer = cluster.run(&["get", "deployment", deployment, "-n", &namespace])?;
            Ok(if answer.stderr.contains("NotFound") {
                Ok(())
            } else {
                Err(answer.stdout)
            })
        })
        .unwrap();
        operator.kill().unwrap();
        uninstall.join().unwrap().unwrap();
    });
    let left = fleet::objects(cluster, &namespace).unwrap();
    assert_eq!(names(&left), names(&before), "the objects stay");
    assert_eq!(account.states(&sandbox), on, "and so do the campaigns");

    // A new install of the same name goes on with them: an edit reaches the very same campaign.
    let from = account.last_request(&sandbox);
    let install = cluster.install(chart()).unwrap();
    let operator = install.run(binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();
    let edit = r#"{"spec":{"budget":{"amount":"75"}}}"#;
    let args = [
        "patch",
        "campaign",
        "c-000",
        "-n",
        &namespace,
        "--type=merge",
        "-p",
        edit,
    ];
    cluster.run(&args).unwrap().ok().unwrap();
    let after = fleet::wait_ready(cluster, &operator, &namespace, COUNT, "On", LIMIT);
    assert_eq!(names(&after), names(&before));
    assert_eq!(account.states(&sandbox), on);
    let posts: Vec<Value> = account.requests(&sandbox, from);
    let posts: Vec<&Value> = posts.iter().filter(|r| r["method"] == "POST").collect();
    assert_eq!(posts.len(), 1, "one update, no create: {posts:?}");
    assert_eq!(posts[0]["path"], "/open_api/v1.3/campaign/update/");

    // Gone for good, and the objects are wanted gone, too: the finalizer holds them, the documented command lets them go.
    operator.kill().unwrap();
    install.uninstall().unwrap();
    for kind in ["campaigns", "tiktokconnections"] {
        let args = ["delete", kind, "--all", "-n", &namespace, "--wait=false"];
        cluster.run(&args).unwrap().ok().unwrap();
    }
    assert_eq!(fleet::objects(cluster, &namespace).unwrap().len(), COUNT);
    let admin = record_admin(cluster, &namespace);
    let command = documented("free-objects").replace("NAMESPACE", &namespace);
    let output = admin.shell(&command).unwrap();
    assert!(output.success, "{output:?}");
    let left = cluster
        .run(&[
            "get",
            "campaigns,adgroups,ads,tiktokconnections",
            "-n",
            &namespace,
            "-o",
            "name",
        ])
        .unwrap();
    assert_eq!(left.stdout.trim(), "", "{left:?}\n{output:?}");
    assert_eq!(
        account.states(&sandbox),
        on,
        "nothing on TikTok was touched"
    );
    // Our Secret with the token goes by its own line, which the namespace needs in order to end.
    let command = documented("free-secrets").replace("NAMESPACE", &namespace);
    cluster.shell(&command).unwrap().ok().unwrap();
    let command = documented("free-binding").replace("NAMESPACE", &namespace);
    cluster.shell(&command).unwrap().ok().unwrap();
    let args = ["delete", "namespace", &namespace, "--timeout=60s"];
    cluster.run(&args).unwrap().ok().unwrap();
}

/// Somebody who may do in the namespace what ClusterRole `…-record-admin` allows, and nothing else.
fn record_admin(cluster: &ControlPlane, namespace: &str) -> tiktok_ads_harness::kubectl::Kubectl {
    let account = format!("--serviceaccount={namespace}:freeing");
    let role = "--clusterrole=tiktok-ads-operator-record-admin";
    for args in [
        vec!["create", "serviceaccount", "freeing", "-n", namespace],
        vec![
            "create",
            "rolebinding",
            "freeing",
            role,
            &account,
            "-n",
            namespace,
        ],
    ] {
        cluster.run(&args).unwrap().ok().unwrap();
    }
    cluster.as_service_account(namespace, "freeing").unwrap()
}

/// A command of docs/uninstall.md, word for word: the shell block after the comment with this name.
fn documented(name: &str) -> String {
    let path = repository().join("docs/uninstall.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = text
        .split_once(&format!("<!-- {name} -->\n```sh\n"))
        .unwrap_or_else(|| panic!("{} has no {name}", path.display()));
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// R8, R9: the API server is lost with everything in it, TikTok is not. The same manifests are applied to a new one.
#[test]
fn an_emptied_api_server_refuses_what_exists_or_adopts_it_without_a_write() {
    const COUNT: usize = 300;
    let first = shared();
    let namespace = first.namespace("emptied").unwrap();
    let sandbox = Sandbox::start(first, binary(), &["--seed", "25", "--knob", "rate=off"]).unwrap();
    let account = Account::new(&sandbox);
    let chart = |crds: bool| {
        Chart::new(&namespace)
            .watch(&namespace)
            .platform_url(sandbox.url())
            .set("platform.tier=Ultimate")
            .set(&format!("crds.install={crds}"))
    };
    let manifests =
        |more: &str| account.connection("main", more) + &fleet::campaigns("main", "c", COUNT, "");
    let install = first.install(chart(false)).unwrap();
    let operator = install.run(binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();
    first.apply(&namespace, &manifests("")).unwrap();
    let before = fleet::wait_ready(first, &operator, &namespace, COUNT, "On", LIMIT);
    operator.kill().unwrap();
    let id_of = |all: &[Value], name: &Value| -> Value {
        let found = all.iter().find(|o| o["metadata"]["name"] == *name);
        found.unwrap()["status"]["id"].clone()
    };

    let second = ControlPlane::start().unwrap();
    second
        .run(&["create", "namespace", &namespace])
        .unwrap()
        .ok()
        .unwrap();
    let install = second.install(chart(true)).unwrap();
    served(&second);
    let operator = install.run(binary()).unwrap();
    operator.wait_ready(Duration::from_secs(60)).unwrap();
    let from = account.last_request(&sandbox);
    let truth = account.campaigns(&sandbox);
    let writes = || {
        let all = account.requests(&sandbox, from);
        let posts = all.into_iter().filter(|r| r["method"] == "POST");
        posts.collect::<Vec<_>>()
    };

    // Without a word about adoption: refused, each with the line that would adopt it.
    let begun = Instant::now();
    second.apply(&namespace, &manifests("")).unwrap();
    let refused = |object: &Value| {
        let stalled = fleet::condition(object, "Stalled").filter(|c| c["status"] == "True");
        stalled.is_some_and(|c| c["reason"] == "NameTaken")
    };
    let all = wait_until("every campaign to be refused", LIMIT, || {
        operator.alive()?;
        fleet::pace();
        let all = fleet::objects(&second, &namespace)?;
        let count = all.iter().filter(|o| refused(o)).count();
        let other = all
            .iter()
            .find(|o| !refused(o))
            .cloned()
            .unwrap_or_default();
        Ok(if count == COUNT && all.len() == COUNT {
            Ok(all)
        } else {
            Err(format!("{count} of {}: {}", all.len(), other["status"]))
        })
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(&operator)));
    let took = begun.elapsed();
    for object in &all {
        let message = fleet::condition(object, "Stalled").unwrap()["message"]
            .as_str()
            .unwrap();
        let id = id_of(&before, &object["metadata"]["name"]);
        let line = format!("externalId: {id}");
        assert!(message.contains(&line), "{line} is not in {message}");
    }
    assert_eq!(writes(), Vec::<Value>::new());
    eprintln!("endings: {COUNT} refused after {took:.1?}");

    // With it, said once on the connection: all are taken over as they are.
    let begun = Instant::now();
    second
        .apply(&namespace, &manifests("adoption: SameName"))
        .unwrap();
    let adopted = fleet::wait_ready(&second, &operator, &namespace, COUNT, "On", LIMIT);
    eprintln!("endings: {COUNT} adopted after {:.1?}", begun.elapsed());
    for object in &adopted {
        let id = id_of(&before, &object["metadata"]["name"]);
        assert_eq!(object["status"]["id"], id, "{object}");
    }
    assert_eq!(writes(), Vec::<Value>::new(), "0 creates and 0 writes");
    assert_eq!(account.campaigns(&sandbox), truth);
}
