//! The admission policy on a real API server: who may change the operator's record and finalizer.

use std::time::Duration;

use tiktok_ads_harness::kubectl::Kubectl;
use tiktok_ads_harness::{Output, shared, wait_until};

const RECORD: &str = "tiktokads.dev/record";
const FINALIZER: &str = "tiktokads.dev/finalizer";

/// The manifest of a user, without anything of the operator's.
pub fn campaign(name: &str) -> String {
    format!(
        "apiVersion: tiktokads.dev/v1alpha1\nkind: Campaign\nmetadata:\n  name: {name}\nspec:\n  connectionRef: {{name: main}}\n  automation: Manual\n  objective: Traffic\n"
    )
}

fn connection(name: &str) -> String {
    format!(
        "apiVersion: tiktokads.dev/v1alpha1\nkind: TikTokConnection\nmetadata:\n  name: {name}\nspec:\n  appSecretRef: {{name: app}}\n  advertiserId: \"7000000000000000001\"\n"
    )
}

/// Who takes part: the operator, a user with the edit role, one with the way out as well.
struct Actors {
    namespace: String,
    operator: Kubectl,
    user: Kubectl,
    backup: Kubectl,
}

impl Actors {
    /// In a namespace of its own, with the policy in force.
    fn new(prefix: &str) -> Self {
        let cluster = shared();
        let namespace = cluster.namespace(prefix).unwrap();
        let account = |name: &str, roles: &[&str]| {
            cluster
                .run(&["create", "serviceaccount", name, "-n", &namespace])
                .unwrap()
                .ok()
                .unwrap();
            for role in roles {
                let binding = format!("{name}-{}", roles.iter().position(|r| r == role).unwrap());
                let (role, account) = (
                    format!("--clusterrole={role}"),
                    format!("--serviceaccount={namespace}:{name}"),
                );
                let args = [
                    "create",
                    "rolebinding",
                    &binding,
                    &role,
                    &account,
                    "-n",
                    &namespace,
                ];
                cluster.run(&args).unwrap().ok().unwrap();
            }
            cluster.as_service_account(&namespace, name).unwrap()
        };
        // The roles themselves and not edit, into which they are aggregated a moment later.
        let user = account(
            "user",
            &[
                "tiktok-ads-operator-view",
                "tiktok-ads-operator-edit",
                "tiktok-ads-operator-connection-admin",
            ],
        );
        let backup = account("backup", &["tiktok-ads-operator-record-admin"]);
        let operator = cluster
            .as_service_account("tiktok-ads-system", "tiktok-ads-operator")
            .unwrap();
        let actors = Self {
            namespace,
            operator,
            user,
            backup,
        };
        actors.wait_for_policy();
        actors
    }

    /// A policy is in force some seconds after it was installed.
    fn wait_for_policy(&self) {
        self.user
            .apply(&self.namespace, &campaign("probe"))
            .unwrap();
        wait_until("the admission policy", Duration::from_secs(60), || {
            let answer = self.annotate(&self.user, "campaign/probe", "x")?;
            if answer.success {
                // Undone, or the next attempt would change nothing.
                self.annotate(&self.user, "campaign/probe", "y")?;
            }
            Ok(if answer.success {
                Err(answer.stdout)
            } else {
                Ok(())
            })
        })
        .unwrap();
    }

    fn kubectl(&self, who: &Kubectl, args: &[&str]) -> Output {
        let mut all = args.to_vec();
        all.extend(["-n", &self.namespace]);
        who.run(&all).unwrap()
    }

    fn annotate(
        &self,
        who: &Kubectl,
        object: &str,
        value: &str,
    ) -> tiktok_ads_harness::Result<Output> {
        let assignment = format!("{RECORD}={value}");
        who.run(&[
            "annotate",
            object,
            &assignment,
            "--overwrite",
            "-n",
            &self.namespace,
        ])
    }

    fn patch(&self, who: &Kubectl, object: &str, body: &str) -> Output {
        self.kubectl(who, &["patch", object, "--type=merge", "-p", body])
    }

    fn replace(&self, who: &Kubectl, manifest: &str) -> Output {
        who.run_with(&["replace", "-n", &self.namespace, "-f", "-"], manifest)
            .unwrap()
    }

    /// Made by the user, marked by the operator.
    fn marked(&self, name: &str) -> String {
        self.user.apply(&self.namespace, &campaign(name)).unwrap();
        let object = format!("campaign/{name}");
        self.mark(&object);
        object
    }

    fn mark(&self, object: &str) {
        let mark = format!(
            r#"{{"metadata":{{"annotations":{{"{RECORD}":"mine"}},"finalizers":["{FINALIZER}"]}}}}"#
        );
        self.patch(&self.operator, object, &mark).ok().unwrap();
    }

    /// Record and finalizer as they are stored.
    fn marks(&self, object: &str) -> (String, bool) {
        let found = shared()
            .json(&["get", object, "-n", &self.namespace])
            .unwrap();
        let record = found["metadata"]["annotations"][RECORD]
            .as_str()
            .unwrap_or_default();
        let finalizers = found["metadata"]["finalizers"].to_string();
        (record.to_owned(), finalizers.contains(FINALIZER))
    }
}

/// Takes the finalizers off.
const BARE: &str = r#"{"metadata":{"finalizers":null}}"#;

#[test]
fn users_cannot_change_record_or_finalizer() {
    let actors = Actors::new("record");
    let object = actors.marked("c");
    let connection_object = {
        actors
            .user
            .apply(&actors.namespace, &connection("k"))
            .unwrap();
        actors.mark("tiktokconnection/k");
        "tiktokconnection/k"
    };
    for object in [object.as_str(), connection_object] {
        let refusal = actors
            .annotate(&actors.user, object, "forged")
            .unwrap()
            .refused()
            .unwrap();
        assert!(
            refusal.contains("only the operator changes annotation tiktokads.dev/record"),
            "{refusal}"
        );
        assert!(
            refusal.contains("tiktok-ads-operator-record-admin"),
            "{refusal}"
        );
        let remove = format!("{RECORD}-");
        let refusal = actors
            .kubectl(&actors.user, &["annotate", object, &remove])
            .refused()
            .unwrap();
        assert!(refusal.contains("kubectl apply keeps it"), "{refusal}");
        let refusal = actors.patch(&actors.user, object, BARE).refused().unwrap();
        assert!(
            refusal.contains("only the operator changes finalizer"),
            "{refusal}"
        );
        assert!(refusal.contains("tiktokads.dev/release=true"), "{refusal}");
        assert_eq!(actors.marks(object), ("mine".to_owned(), true));
    }
    // Nor can they put on what is not there.
    actors
        .user
        .apply(&actors.namespace, &campaign("bare"))
        .unwrap();
    actors
        .annotate(&actors.user, "campaign/bare", "forged")
        .unwrap()
        .refused()
        .unwrap();
    let mark = format!(r#"{{"metadata":{{"finalizers":["{FINALIZER}"]}}}}"#);
    actors
        .patch(&actors.user, "campaign/bare", &mark)
        .refused()
        .unwrap();
}

#[test]
fn replace_is_refused_with_what_to_do_and_apply_passes() {
    let actors = Actors::new("replace");
    let object = actors.marked("c");
    // Whoever it is: a GitOps tool is often cluster-admin.
    for who in [&actors.user, &actors.backup, &**shared()] {
        let refusal = actors.replace(who, &campaign("c")).refused().unwrap();
        assert!(
            refusal.contains("Use kubectl apply instead of kubectl replace"),
            "{refusal}"
        );
        assert!(refusal.contains("Replace=true"), "{refusal}");
    }
    assert_eq!(actors.marks(&object), ("mine".to_owned(), true));

    let edited = format!("{}  name: edited\n", campaign("c"));
    actors.user.apply(&actors.namespace, &edited).unwrap();
    let server_side = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "-n",
        &actors.namespace,
        "-f",
        "-",
    ];
    actors
        .user
        .run_with(&server_side, &edited)
        .unwrap()
        .ok()
        .unwrap();
    let other = r#"{"metadata":{"annotations":{"team":"growth"},"labels":{"a":"b"}}}"#;
    actors.patch(&actors.user, &object, other).ok().unwrap();
    assert_eq!(actors.marks(&object), ("mine".to_owned(), true));

    // A manifest that carries both may be replaced: that is what kubectl edit and backup tools send.
    let whole = actors
        .kubectl(&actors.user, &["get", &object, "-o", "json"])
        .ok()
        .unwrap();
    actors.replace(&actors.user, &whole).ok().unwrap();

    // With the record only, as an object in Observe has it.
    actors.patch(&actors.operator, &object, BARE).ok().unwrap();
    let refusal = actors
        .replace(&actors.user, &campaign("c"))
        .refused()
        .unwrap();
    assert!(refusal.contains("kubectl replace does not"), "{refusal}");
}

#[test]
fn the_way_out_passes() {
    let actors = Actors::new("wayout");
    let object = actors.marked("c");
    actors
        .annotate(&actors.backup, &object, "restored")
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(actors.marks(&object), ("restored".to_owned(), true));
    actors.patch(&actors.backup, &object, BARE).ok().unwrap();
    let remove = format!("{RECORD}-");
    actors
        .kubectl(&actors.backup, &["annotate", &object, &remove])
        .ok()
        .unwrap();
    assert_eq!(actors.marks(&object), (String::new(), false));

    // A restore makes the object with everything on it; so does a copy.
    let with_marks = campaign("copy").replace(
        "spec:",
        &format!("  annotations: {{{RECORD}: \"of another\"}}\n  finalizers: [{FINALIZER}]\nspec:"),
    );
    actors.user.apply(&actors.namespace, &with_marks).unwrap();
    assert_eq!(
        actors.marks("campaign/copy"),
        ("of another".to_owned(), true)
    );
}

#[test]
fn deleting_works_and_only_the_operator_lets_go() {
    let actors = Actors::new("delete");
    let object = actors.marked("c");
    actors
        .kubectl(&actors.user, &["delete", &object, "--wait=false"])
        .ok()
        .unwrap();
    actors.patch(&actors.user, &object, BARE).refused().unwrap();
    // Both at once is fine for an object that is going anyway, for whoever may.
    let all = format!(r#"{{"metadata":{{"annotations":{{"{RECORD}":null}},"finalizers":null}}}}"#);
    actors.patch(&actors.user, &object, &all).refused().unwrap();
    actors.patch(&actors.operator, &object, &all).ok().unwrap();
    let gone = shared()
        .run(&["get", &object, "-n", &actors.namespace])
        .unwrap();
    assert!(gone.stderr.contains("NotFound"), "{}", gone.stderr);
    // The operator may let go of both at once also when nothing is deleted.
    let object = actors.marked("d");
    actors.patch(&actors.operator, &object, &all).ok().unwrap();
}

#[test]
fn a_namespace_goes_when_the_operator_has_let_go() {
    let actors = Actors::new("goes");
    let object = actors.marked("c");
    let cluster = shared();
    cluster
        .run(&["delete", "namespace", &actors.namespace, "--wait=false"])
        .unwrap()
        .ok()
        .unwrap();
    wait_until(
        "the campaign to be deleted",
        Duration::from_secs(30),
        || {
            let found = cluster.json(&["get", &object, "-n", &actors.namespace])?;
            let deleting = found["metadata"]["deletionTimestamp"].is_string();
            Ok(if deleting {
                Ok(())
            } else {
                Err(found.to_string())
            })
        },
    )
    .unwrap();
    assert_eq!(actors.marks(&object), ("mine".to_owned(), true));
    actors.patch(&actors.operator, &object, BARE).ok().unwrap();
    wait_until("the namespace to be gone", Duration::from_secs(60), || {
        let answer = cluster.run(&["get", "namespace", &actors.namespace])?;
        Ok(if answer.stderr.contains("NotFound") {
            Ok(())
        } else {
            Err(answer.stdout)
        })
    })
    .unwrap();
}
