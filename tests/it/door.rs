//! The cluster's door and the watches on a real API server, under the rights the chart renders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::config::{KubeConfigOptions, Kubeconfig};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Install, shared};
use tiktok_ads_operator::api::FINALIZER;
use tiktok_ads_operator::engine::doors::{
    Change, Cluster, ClusterError, Delta, MetaPatch, Name, Note, SecretWrite,
};
use tiktok_ads_operator::engine::kube_door::{
    BINDING_FINALIZER, DoorSettings, KubeCluster, prepare,
};
use tiktok_ads_operator::engine::watch::{Waiting, watch};
use tiktok_ads_operator::model::object::Object;
use tiktok_ads_operator::platform::Kind;
use tokio::sync::mpsc;

use crate::admission::campaign;

type Door = KubeCluster;
type Deltas = mpsc::Receiver<Delta>;

async fn client(install: &Install<'_>) -> kube::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = Kubeconfig::read_from(install.identity().kubeconfig()).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    prepare(&mut config);
    kube::Client::try_from(config).unwrap()
}

fn settings(install: &Install<'_>, namespaces: &[&str]) -> DoorSettings {
    let deployment = install.deployment()["metadata"]["name"].as_str().unwrap();
    DoorSettings {
        lease: Name::new(install.namespace(), deployment),
        instance: "pod-0".into(),
        deployment: Some(Name::new(install.namespace(), deployment)),
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
        binding: Some(deployment.into()),
        deadline: Duration::from_secs(10),
        lease_deadline: Duration::from_secs(5),
    }
}

async fn open(install: &Install<'_>, namespaces: &[&str]) -> (Arc<Door>, Deltas) {
    let (sender, deltas) = mpsc::channel(100);
    let door = KubeCluster::new(client(install).await, settings(install, namespaces), sender);
    (Arc::new(door), deltas)
}

/// kubectl as administrator; must succeed.
fn admin(args: &[&str]) -> String {
    shared().run(args).unwrap().ok().unwrap()
}

async fn next(deltas: &mut Deltas) -> Delta {
    tokio::time::timeout(Duration::from_secs(10), deltas.recv())
        .await
        .expect("a delta within 10 s")
        .unwrap()
}

async fn nothing(deltas: &mut Deltas) {
    let more = tokio::time::timeout(Duration::from_secs(2), deltas.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

fn note(about: &Name, uid: &str) -> Note {
    Note {
        kind: "Campaign",
        about: about.clone(),
        uid: uid.into(),
        warning: true,
        reason: "DoorTest".into(),
        message: "still active".into(),
    }
}

fn events(namespace: &str) -> Vec<Value> {
    let list = shared()
        .json(&["get", "events.events.k8s.io", "-n", namespace])
        .unwrap();
    let mut items = list["items"].as_array().unwrap().clone();
    items.retain(|event| event["reason"] == "DoorTest");
    items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_from_an_old_copy_changes_nothing() {
    let namespace = shared().namespace("door-steps").unwrap();
    let install = shared()
        .install(Chart::new(&namespace).watch(&namespace))
        .unwrap();
    let (door, _deltas) = open(&install, &[&namespace]).await;
    let name = Name::new(&namespace, "c");
    assert_eq!(
        door.get::<Object>(&Kind::Campaign, &name)
            .await
            .map(|c| c.is_some()),
        Ok(false)
    );
    shared().apply(&namespace, &campaign("c")).unwrap();
    let first = door
        .get::<Object>(&Kind::Campaign, &name)
        .await
        .unwrap()
        .unwrap();
    let mut patch = MetaPatch {
        uid: first.uid().unwrap(),
        resource_version: first.resource_version().unwrap(),
        finalizers: Some(vec![FINALIZER.into()]),
        annotations: BTreeMap::from([("example.com/a".into(), "b".into())]),
    };
    let marked: Object = door
        .patch_meta(&Kind::Campaign, &name, &patch)
        .await
        .unwrap();
    assert_eq!(marked.finalizers(), [FINALIZER]);
    let changed = |done: Result<Object, ClusterError>| done.map(drop) == Err(ClusterError::Changed);
    assert!(
        changed(door.patch_meta(&Kind::Campaign, &name, &patch).await),
        "old version"
    );
    patch.resource_version = marked.resource_version().unwrap();
    patch.uid = "00000000-0000-0000-0000-000000000000".into();
    assert!(
        changed(door.patch_meta(&Kind::Campaign, &name, &patch).await),
        "another uid"
    );
    let gone = Name::new(&namespace, "gone");
    assert!(
        changed(door.patch_meta(&Kind::Campaign, &gone, &patch).await),
        "not there"
    );
    patch.uid = marked.uid().unwrap();
    patch.finalizers = Some(vec!["not a finalizer".into()]);
    let refused = door
        .patch_meta::<Object>(&Kind::Campaign, &name, &patch)
        .await;
    assert!(
        matches!(refused, Err(ClusterError::Refused(_))),
        "{refused:?}"
    );

    let status = json!({"observedGeneration": 1});
    let old = first.resource_version().unwrap();
    assert!(changed(
        door.apply_status(&Kind::Campaign, &name, &old, status.clone())
            .await
    ));
    let now = marked.resource_version().unwrap();
    let written: Object = door
        .apply_status(&Kind::Campaign, &name, &now, status.clone())
        .await
        .unwrap();
    assert_ne!(written.resource_version(), marked.resource_version());
    assert!(changed(
        door.apply_status(&Kind::Campaign, &gone, &now, status)
            .await
    ));
    let elsewhere = Name::new("default", "c");
    let forbidden = door
        .get::<Object>(&Kind::Campaign, &elsewhere)
        .await
        .map(drop);
    assert!(
        matches!(forbidden, Err(ClusterError::Forbidden(_))),
        "{forbidden:?}"
    );

    // The audit log knows who it was.
    let ours = shared()
        .audit()
        .since(shared().audit().beginning())
        .unwrap();
    let ours = ours.agent("tiktok-ads-operator/").namespace(&namespace);
    assert!(ours.count() >= 8, "{}", ours.count());

    door.note(&note(&name, &patch.uid)).await.unwrap();
    let events = events(&namespace);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["regarding"]["name"], "c");

    // The lease.
    assert_eq!(door.lease().await, Ok(None));
    let lease = door.write_lease(&Default::default()).await.unwrap();
    assert_eq!(
        door.write_lease(&Default::default()).await,
        Err(ClusterError::Changed)
    );
    let newer = door.write_lease(&with_holder(&lease, "a")).await.unwrap();
    assert_eq!(
        door.write_lease(&with_holder(&lease, "b")).await,
        Err(ClusterError::Changed)
    );
    assert_eq!(door.lease().await, Ok(Some(newer)));
    let mut free: Value = json!({"metadata": {"name": "c", "finalizers": []}});
    free["metadata"]["uid"] = json!(patch.uid);
    admin(&[
        "patch",
        "campaign",
        "c",
        "-n",
        &namespace,
        "--type=merge",
        "-p",
        &free.to_string(),
    ]);
}

fn with_holder(
    lease: &k8s_openapi::api::coordination::v1::Lease,
    holder: &str,
) -> k8s_openapi::api::coordination::v1::Lease {
    let mut lease = lease.clone();
    lease.spec.get_or_insert_default().holder_identity = Some(holder.into());
    lease
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_was_asked_for_is_watched_and_ours_is_dropped() {
    let namespace = shared().namespace("door-secrets").unwrap();
    let install = shared()
        .install(Chart::new(&namespace).watch(&namespace))
        .unwrap();
    let (door, mut deltas) = open(&install, &[&namespace]).await;
    let name = Name::new(&namespace, "token");
    let connection = Name::new(&namespace, "shop");
    door.want_secrets(&connection, BTreeSet::from([name.clone()]));
    assert!(door.secret(&name).await.unwrap().is_none());
    nothing(&mut deltas).await;
    let create = ["create", "secret", "generic", "token", "-n", &namespace];
    admin(&[&create[..], &["--from-literal=token=one"]].concat());
    assert!(matches!(next(&mut deltas).await, Delta::Secret(n) if n == name));
    let copy = door.secret(&name).await.unwrap().unwrap();
    assert_eq!(copy.data["token"].expose_secret(), "one");
    nothing(&mut deltas).await;
    let patch = ["patch", "secret", "token", "-n", &namespace, "-p"];
    admin(&[&patch[..], &[r#"{"stringData": {"token": "two"}}"#]].concat());
    assert!(matches!(next(&mut deltas).await, Delta::Secret(n) if n == name));
    admin(&["delete", "secret", "token", "-n", &namespace]);
    assert!(matches!(next(&mut deltas).await, Delta::Secret(n) if n == name));

    // A real owner: the garbage collector deletes what has none.
    admin(&["create", "configmap", "owner", "-n", &namespace]);
    let owner = shared()
        .json(&["get", "configmap", "owner", "-n", &namespace])
        .unwrap();
    let owner_uid = owner["metadata"]["uid"].as_str().unwrap();
    let mut write = SecretWrite {
        name: Name::new(&namespace, "ours"),
        resource_version: None,
        labels: BTreeMap::from([("example.com/a".into(), "b".into())]),
        finalizers: vec!["tiktokads.dev/token".into()],
        owner: (
            "v1".into(),
            "ConfigMap".into(),
            "owner".into(),
            owner_uid.into(),
        ),
        data: BTreeMap::from([("token".into(), SecretString::from("three"))]),
    };
    door.write_secret(&write).await.unwrap();
    assert_eq!(door.write_secret(&write).await, Err(ClusterError::Changed));
    let copy = door.secret(&write.name).await.unwrap().unwrap();
    assert_eq!(copy.data["token"].expose_secret(), "three");
    write.resource_version = Some(copy.resource_version.clone());
    write
        .data
        .insert("token".into(), SecretString::from("four"));
    door.write_secret(&write).await.unwrap();
    assert_eq!(door.write_secret(&write).await, Err(ClusterError::Changed));
    // Not this one: left alone.
    door.drop_secret(&write.name, "another").await.unwrap();
    assert!(door.secret(&write.name).await.unwrap().is_some());
    door.drop_secret(&write.name, &copy.uid).await.unwrap();
    assert!(door.secret(&write.name).await.unwrap().is_none());
    door.drop_secret(&write.name, &copy.uid).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_connection_is_made_from_is_not_watched() {
    let namespace = shared().namespace("door-renames").unwrap();
    let install = shared()
        .install(Chart::new(&namespace).watch(&namespace))
        .unwrap();
    let (door, mut deltas) = open(&install, &[&namespace]).await;
    let secret = |name: &str| Name::new(&namespace, name);
    let put = |name: &str, value: &str| {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {"token": value}});
        shared().apply(&namespace, &object.to_string()).unwrap();
    };
    let set = |names: &[&str]| names.iter().map(|name| secret(name)).collect();
    let (a, b) = (secret("a"), secret("b"));
    door.want_secrets(&b, set(&["shared"]));
    put("shared", "one");
    door.secret(&secret("shared")).await.unwrap();
    // A spec that names another Secret each time.
    for n in 0..50 {
        let own = format!("app-{n}");
        door.want_secrets(&a, set(&[&own, "shared"]));
        door.secret(&secret(&own)).await.unwrap();
        door.secret(&secret("shared")).await.unwrap();
        assert!(
            door.watched_secrets() <= 2,
            "{n}: {}",
            door.watched_secrets()
        );
    }
    // What nobody is made from is neither heard nor watched, whoever reads it.
    put("app-3", "one");
    door.secret(&secret("app-3")).await.unwrap();
    put("app-3", "two");
    nothing(&mut deltas).await;
    // What another connection is made from goes on being heard.
    door.want_secrets(&a, BTreeSet::new());
    assert_eq!(door.watched_secrets(), 1);
    put("shared", "two");
    assert!(matches!(next(&mut deltas).await, Delta::Secret(n) if n == secret("shared")));
    // A name that comes back: the read shows what happened meanwhile, the watch what happens afterwards.
    door.want_secrets(&a, set(&["app-3"]));
    let copy = door.secret(&secret("app-3")).await.unwrap().unwrap();
    put("app-3", "three");
    assert_eq!(copy.data["token"].expose_secret(), "two");
    assert!(matches!(next(&mut deltas).await, Delta::Secret(n) if n == secret("app-3")));
    door.want_secrets(&a, BTreeSet::new());
    door.want_secrets(&b, BTreeSet::new());
    assert_eq!(door.watched_secrets(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_our_rights_outlive_our_objects_in_a_namespace_that_ends() {
    let own = shared().namespace("door-own").unwrap();
    let namespace = shared().namespace("door-ends").unwrap();
    let install = shared()
        .install(Chart::new(&own).watch(&namespace))
        .unwrap();
    let (door, mut deltas) = open(&install, &[&namespace]).await;
    let waiting = Arc::new(Waiting::on(["namespaces"]));
    let looks = tokio::spawn({
        let (door, waiting) = (door.clone(), waiting.clone());
        async move { door.namespaces(&waiting).await }
    });
    waiting.until(|left| left.is_empty()).await;
    shared().apply(&namespace, &campaign("c")).unwrap();
    let name = Name::new(&namespace, "c");
    let object = door
        .get::<Object>(&Kind::Campaign, &name)
        .await
        .unwrap()
        .unwrap();
    let mut patch = MetaPatch {
        uid: object.uid().unwrap(),
        resource_version: object.resource_version().unwrap(),
        finalizers: Some(vec![FINALIZER.into()]),
        annotations: BTreeMap::new(),
    };
    door.patch_meta::<Object>(&Kind::Campaign, &name, &patch)
        .await
        .unwrap();
    door.keep_rights(&namespace, true).await.unwrap();
    nothing(&mut deltas).await;
    let binding = install.deployment()["metadata"]["name"].as_str().unwrap();
    let get = ["get", "rolebinding", binding, "-n", &namespace];
    assert_eq!(
        shared().json(&get).unwrap()["metadata"]["finalizers"],
        Value::Null
    );

    admin(&["delete", "namespace", &namespace, "--wait=false"]);
    let began = next(&mut deltas).await;
    assert!(
        matches!(&began, Delta::Namespace { name, terminating: true } if *name == namespace),
        "{began:?}"
    );
    let held = shared().json(&get).unwrap()["metadata"]["finalizers"].clone();
    assert_eq!(held, json!([BINDING_FINALIZER]));
    // Measured: without it the rights are gone after 4 to 6 s.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let object = door
        .get::<Object>(&Kind::Campaign, &name)
        .await
        .unwrap()
        .unwrap();
    assert!(object.metadata.deletion_timestamp.is_some());
    // No event can be made there any more.
    door.note(&note(&name, &patch.uid)).await.unwrap();
    let events = events(&own);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["regarding"]["kind"], "Deployment");
    assert_eq!(
        events[0]["regarding"]["uid"],
        install.deployment()["metadata"]["uid"]
    );

    patch.resource_version = object.resource_version().unwrap();
    patch.finalizers = Some(Vec::new());
    door.patch_meta::<Object>(&Kind::Campaign, &name, &patch)
        .await
        .unwrap();
    door.keep_rights(&namespace, false).await.unwrap();
    tiktok_ads_harness::wait_until("the namespace to be gone", Duration::from_secs(60), || {
        let found = shared()
            .run(&["get", "namespace", &namespace, "--ignore-not-found"])?
            .ok()?;
        Ok(if found.trim().is_empty() {
            Ok(())
        } else {
            Err(found)
        })
    })
    .unwrap();
    assert!(!looks.is_finished());
    looks.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_namespaces_are_one_list_and_a_forbidden_one_does_not_hold_it() {
    let a = shared().namespace("door-a").unwrap();
    let b = shared().namespace("door-b").unwrap();
    let install = shared()
        .install(Chart::new(&a).watch(&a).watch(&b))
        .unwrap();
    for (namespace, name) in [(&a, "one"), (&a, "two"), (&b, "one")] {
        shared().apply(namespace, &campaign(name)).unwrap();
    }
    let (sender, mut deltas) = mpsc::channel::<Delta>(100);
    let waiting = Arc::new(Waiting::on([
        "campaigns",
        "adgroups",
        "ads",
        "tiktokconnections",
    ]));
    let task = tokio::spawn({
        let (client, waiting) = (client(&install).await, waiting.clone());
        // We have no rights in `default`.
        let namespaces = vec![a.clone(), b.clone(), "default".into()];
        async move { watch(client, &namespaces, sender, &waiting).await }
    });
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, waiting.until(|left| left.is_empty()))
        .await
        .unwrap();
    let mut seen = Vec::new();
    while let Ok(delta) = deltas.try_recv() {
        seen.push(match delta {
            Delta::Object(Kind::Campaign, Change::Relist) => "relist".to_string(),
            Delta::Object(Kind::Campaign, Change::Listed) => "listed".into(),
            Delta::Object(Kind::Campaign, Change::Applied(c)) => format!("+{}", Name::of(&*c)),
            Delta::Object(Kind::Campaign, Change::Deleted(c)) => format!("-{}", Name::of(&*c)),
            _ => continue,
        });
    }
    assert_eq!(
        (
            seen.first().unwrap().as_str(),
            seen.last().unwrap().as_str()
        ),
        ("relist", "listed")
    );
    let mut objects = seen[1..seen.len() - 1].to_vec();
    objects.sort();
    let mut expected = [
        format!("+{a}/one"),
        format!("+{a}/two"),
        format!("+{b}/one"),
    ];
    expected.sort();
    assert_eq!(objects, expected);
    admin(&["delete", "campaign", "two", "-n", &a]);
    let change = next(&mut deltas).await;
    assert!(
        matches!(&change, Delta::Object(Kind::Campaign, Change::Deleted(c)) if c.name_any() == "two"),
        "{change:?}"
    );
    task.abort();
}
