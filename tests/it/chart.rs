//! The chart: what it renders, and what the rights it renders allow on a real API server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tiktok_ads_harness::kubectl::Kubectl;
use tiktok_ads_harness::programs::repository;
use tiktok_ads_harness::{Chart, ControlPlane, shared};

/// All objects that the chart renders.
fn rendered(chart: &Chart) -> Vec<Value> {
    let text = shared().render(chart).unwrap();
    serde_saphyr::from_multiple::<Value>(&text).unwrap()
}

fn kinds(objects: &[Value]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for object in objects {
        *counts.entry(object["kind"].as_str().unwrap()).or_default() += 1;
    }
    counts
}

/// `kubectl auth can-i`, which asks the API server.
fn can_i(who: &Kubectl, question: &[&str]) -> bool {
    let mut args = vec!["auth", "can-i"];
    args.extend(question);
    let answer = who.run(&args).unwrap();
    match answer.stdout.trim() {
        "yes" => true,
        "no" => false,
        _ => panic!("{}: {}{}", answer.command, answer.stdout, answer.stderr),
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect()
}

/// Where two documents first differ. `1.0` and `1` are the same number, as they are for the API server.
fn difference(a: &Value, b: &Value, at: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let (a, b) = (a.get(key), b.get(key));
                let at = format!("{at}.{key}");
                match (a, b) {
                    (Some(a), Some(b)) => difference(a, b, &at),
                    _ => Some(format!("{at}: {a:?} and {b:?}")),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| difference(a, b, &format!("{at}[{index}]")))
        }
        (a, b) if a == b => None,
        // Two integers are compared as such above: as floating point, large ones would look equal that are not.
        (Value::Number(a), Value::Number(b))
            if (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64() =>
        {
            None
        }
        (a, b) => Some(format!("{at}: {a} and {b}")),
    }
}

/// Every list of our resources in the chart's templates has all kinds, connections perhaps excepted, or only these.
#[test]
fn every_list_of_resources_has_every_kind() {
    use tiktok_ads_operator::platform::Kind;
    let crds = tiktok_ads_operator::api::crd::all().unwrap();
    let plural = |kind: &str| {
        let of = crds.iter().find(|crd| crd.spec.names.kind == kind);
        of.unwrap_or_else(|| panic!("no definition of {kind}"))
            .spec
            .names
            .plural
            .clone()
    };
    let objects: BTreeSet<String> = Kind::ALL.map(|kind| plural(kind.name())).into();
    let connections = BTreeSet::from([plural("TikTokConnection")]);
    let all: BTreeSet<String> = objects.union(&connections).cloned().collect();
    assert_eq!(
        all.len(),
        crds.len(),
        "a kind that the operator does not know"
    );

    let waited: BTreeSet<String> = tiktok_ads_harness::KINDS
        .split(',')
        .map(String::from)
        .collect();
    assert_eq!(waited, all, "harness/src/lib.rs");
    let mut lists = 0;
    let folder = repository().join("charts/tiktok-ads-operator/templates");
    for (file, text) in files(&folder) {
        let text = String::from_utf8(text).unwrap();
        for (group, line) in text.lines().zip(text.lines().skip(1)) {
            let list = line.trim().strip_prefix("resources: [");
            let Some(list) = list.and_then(|l| l.strip_suffix(']')) else {
                continue;
            };
            if !group.contains("tiktokads.dev") {
                continue;
            }
            let named: BTreeSet<String> = list
                .split(", ")
                .map(|name| name.split('/').next().unwrap().to_owned())
                .collect();
            assert!(
                [&all, &objects, &connections].contains(&&named),
                "{file}: {line}"
            );
            lists += 1;
        }
    }
    assert!(lists >= 4, "{lists} lists were read");
}

#[test]
fn the_chart_has_the_crds_of_the_repository() {
    let ours = files(&repository().join("crds"));
    let charts = files(&repository().join("charts/tiktok-ads-operator/files/crds"));
    assert!(
        ours.contains_key("tiktokads.dev_campaigns.yaml"),
        "{:?}",
        ours.keys()
    );
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&charts), "run make crds");
    for (name, text) in &ours {
        assert!(text == &charts[name], "{name} differs: run make crds");
    }
}

#[test]
fn crds_are_rendered_whole_and_kept_on_uninstall() {
    let crds: Vec<Value> = rendered(&Chart::cluster_wide())
        .into_iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition")
        .collect();
    let sources = files(&repository().join("charts/tiktok-ads-operator/files/crds"));
    assert_eq!(crds.len(), sources.len());
    for crd in &crds {
        assert_eq!(
            crd["metadata"]["annotations"]["helm.sh/resource-policy"],
            "keep"
        );
        // Numbers pass through floating point in helm: nothing may be lost there.
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap();
        let source = &sources[&format!("tiktokads.dev_{plural}.yaml")];
        let source: Value = serde_saphyr::from_slice(source).unwrap();
        assert_eq!(difference(&crd["spec"], &source["spec"], plural), None);
    }
}

#[test]
fn crds_can_be_left_out() {
    let with = rendered(&Chart::cluster_wide());
    let without = rendered(&Chart::cluster_wide().set("crds.install=false"));
    assert!(kinds(&with).contains_key("CustomResourceDefinition"));
    assert!(!kinds(&without).contains_key("CustomResourceDefinition"));
}

#[test]
fn helm_lints_it_and_unknown_values_are_refused() {
    let cluster = shared();
    let folder = repository().join("charts/tiktok-ads-operator");
    cluster
        .helm(&["lint", "--strict", folder.to_str().unwrap()])
        .unwrap()
        .ok()
        .unwrap();
    for wrong in [
        "watchNamespace=a",
        "platform.ulr=http://x",
        "platform.tier=Gold",
        "watchNamespaces[0]=A_b",
        "publicUrl=http://ads.example.com",
        "publicUrl=https://ads.example.com/path",
        "publicUrl=ads.example.com",
        "public.ingres.enabled=true",
    ] {
        let refusal = cluster
            .render(&Chart::cluster_wide().set(wrong))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("values don't meet the specifications"),
            "{wrong}: {refusal}"
        );
    }
}

#[test]
fn the_deployment_passes_every_setting_and_is_restricted() {
    let chart = Chart::new("home")
        .release("r")
        .watch("a")
        .watch("b")
        .platform_url("http://127.0.0.1:1");
    let objects = rendered(&chart);
    let deployment = objects
        .iter()
        .find(|object| object["kind"] == "Deployment")
        .unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(
        container["args"],
        serde_json::json!([
            "run",
            "--platform-url=http://127.0.0.1:1",
            "--tier=Basic",
            "--sweep-interval=60s",
            "--install=home/r",
            "--lease-namespace=home",
            "--watch-namespace=a",
            "--watch-namespace=b",
            "--health-addr=0.0.0.0:8080",
            "--log-format=json",
        ])
    );
    let cluster = shared();
    let namespace = cluster.namespace("restricted").unwrap();
    cluster
        .run(&[
            "label",
            "namespace",
            &namespace,
            "pod-security.kubernetes.io/enforce=restricted",
        ])
        .unwrap()
        .ok()
        .unwrap();
    let mut manifest = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod});
    // The API server's own check of the restricted profile, with a pod that it would refuse to compare.
    cluster.apply(&namespace, &manifest.to_string()).unwrap();
    manifest["metadata"]["name"] = "q".into();
    manifest["spec"]["containers"][0]["securityContext"]["capabilities"] = Value::Null;
    let refusal = cluster
        .apply(&namespace, &manifest.to_string())
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("violates PodSecurity"), "{refusal}");
}

/// The one object of a kind.
#[test]
fn a_stop_has_time_for_the_call_that_is_under_way() {
    use tiktok_ads_operator::engine::lease::LeaseSettings;
    use tiktok_ads_operator::engine::run::STORE_WITHIN;
    use tiktok_ads_operator::engine::settings::Settings;
    let objects = rendered(&Chart::new("ops"));
    let pod = &one(&objects, "Deployment")["spec"]["template"]["spec"];
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    let work = Settings::default().call_deadline + STORE_WITHIN;
    let lease = LeaseSettings::default().try_for;
    assert!(grace >= (work + lease).as_secs() + 5, "{grace}");
}

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found: Vec<&Value> = objects.iter().filter(|o| o["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}: {}", found.len());
    found[0]
}

#[test]
fn without_a_public_url_nothing_is_public() {
    let objects = rendered(&Chart::new("home").release("r"));
    let kinds = kinds(&objects);
    assert!(!kinds.contains_key("Service") && !kinds.contains_key("Ingress"));
    let text = one(&objects, "Deployment").to_string();
    assert!(
        !text.contains("public") && !text.contains("POD_IP"),
        "{text}"
    );
    // An Ingress alone would lead nowhere.
    let chart = Chart::new("home").set("public.ingress.enabled=true");
    assert!(!self::kinds(&rendered(&chart)).contains_key("Ingress"));
}

#[test]
fn a_public_url_brings_a_service_and_on_request_an_ingress() {
    let chart = || {
        Chart::new("home")
            .release("r")
            .set("publicUrl=https://ads.example.com:8443")
            .set("public.port=9000")
            .set("public.service.port=81")
    };
    let objects = rendered(&chart());
    let container = &one(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let args = container["args"].as_array().unwrap();
    for arg in [
        "--public-url=https://ads.example.com:8443",
        "--public-addr=0.0.0.0:9000",
    ] {
        assert!(args.contains(&arg.into()), "{args:?}");
    }
    let env = container["env"].as_array().unwrap();
    let ip = env.iter().find(|one| one["name"] == "POD_IP").unwrap();
    assert_eq!(ip["valueFrom"]["fieldRef"]["fieldPath"], "status.podIP");
    let ports = container["ports"].as_array().unwrap();
    let public = ports.iter().find(|one| one["name"] == "public").unwrap();
    assert_eq!(public["containerPort"], 9000);
    let service = one(&objects, "Service");
    let port = &service["spec"]["ports"][0];
    assert_eq!(
        (&port["port"], &port["targetPort"]),
        (&81.into(), &"public".into())
    );
    let selector = &one(&objects, "Deployment")["spec"]["selector"]["matchLabels"];
    assert_eq!(&service["spec"]["selector"], selector);
    assert!(!kinds(&objects).contains_key("Ingress"));

    let chart = chart()
        .set("public.ingress.enabled=true")
        .set("public.ingress.className=nginx")
        .set("public.ingress.tlsSecretName=ads-tls");
    let objects = rendered(&chart);
    let ingress = &one(&objects, "Ingress")["spec"];
    assert_eq!(ingress["ingressClassName"], "nginx");
    assert_eq!(ingress["tls"][0]["hosts"][0], "ads.example.com");
    let rule = &ingress["rules"][0];
    assert_eq!(rule["host"], "ads.example.com");
    let paths: Vec<&str> = rule["http"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/connect/", "/oauth/callback", "/webhooks/tiktok/"]);
    // Health and metrics stay inside.
    assert_eq!(service["spec"]["ports"].as_array().unwrap().len(), 1);
    // The API server takes all of it.
    let cluster = shared();
    let namespace = cluster.namespace("public").unwrap();
    for kind in ["Service", "Ingress"] {
        let mut object = one(&objects, kind).clone();
        object["metadata"]["namespace"] = namespace.clone().into();
        cluster.apply(&namespace, &object.to_string()).unwrap();
    }
}

#[test]
fn who_may_connect_reads_the_connection_and_one_secret() {
    let cluster = shared();
    let namespace = cluster.namespace("connector").unwrap();
    // The lines that helm prints, for one connection.
    for args in [
        vec![
            "create",
            "role",
            "main-connect",
            "--verb=get",
            "--resource=secrets",
            "--resource-name=main-tiktok-connect",
        ],
        vec![
            "create",
            "rolebinding",
            "main-connect",
            "--role=main-connect",
            "--user=ann",
        ],
        vec![
            "create",
            "rolebinding",
            "main-connector",
            "--clusterrole=tiktok-ads-operator-connector",
            "--user=ann",
        ],
    ] {
        let mut args = args;
        args.extend(["-n", &namespace]);
        cluster.run(&args).unwrap().ok().unwrap();
    }
    let may = |verb: &str, what: &str| can_i(cluster, &[verb, what, "-n", &namespace, "--as=ann"]);
    assert!(may("get", "tiktokconnections.tiktokads.dev"));
    assert!(may("get", "secrets/main-tiktok-connect"));
    assert!(!may("get", "secrets/main-tiktok-token") && !may("list", "secrets"));
    assert!(!may("patch", "tiktokconnections.tiktokads.dev"));
    assert!(!may("get", "campaigns.tiktokads.dev"));
}

#[test]
fn view_and_edit_aggregate_without_connection_and_status() {
    let cluster = shared();
    let namespace = cluster.namespace("aggregation").unwrap();
    for role in ["view", "edit", "admin"] {
        cluster
            .run(&[
                "create",
                "rolebinding",
                role,
                &format!("--clusterrole={role}"),
                &format!("--user={role}er"),
                "-n",
                &namespace,
            ])
            .unwrap()
            .ok()
            .unwrap();
    }
    let may = |user: &str, verb: &str, what: &str| {
        let user = format!("--as={user}");
        can_i(cluster, &[verb, what, "-n", &namespace, &user])
    };
    // The controller that adds rules to view and edit needs a moment after the install.
    tiktok_ads_harness::wait_until("aggregation", std::time::Duration::from_secs(30), || {
        let there = may("viewer", "get", "campaigns.tiktokads.dev")
            && may("editer", "create", "campaigns.tiktokads.dev");
        Ok(if there { Ok(()) } else { Err(String::new()) })
    })
    .unwrap();
    for user in ["viewer", "editer", "adminer"] {
        for kind in ["campaigns.tiktokads.dev", "tiktokconnections.tiktokads.dev"] {
            for verb in ["get", "list", "watch"] {
                assert!(may(user, verb, kind), "{user} {verb} {kind}");
            }
            for verb in ["create", "update", "patch", "delete"] {
                let campaign = kind.starts_with("campaigns");
                assert_eq!(
                    may(user, verb, kind),
                    campaign && user != "viewer",
                    "{user} {verb} {kind}"
                );
            }
            assert!(!may(user, "bypassrecord", kind), "{user} {kind}");
        }
        for kind in ["campaigns", "tiktokconnections"] {
            for verb in ["update", "patch"] {
                let user = format!("--as={user}");
                let kind = format!("{kind}.tiktokads.dev");
                assert!(
                    !can_i(
                        cluster,
                        &[verb, &kind, "--subresource=status", "-n", &namespace, &user]
                    ),
                    "{user} {verb} {kind}/status"
                );
            }
        }
    }
}

/// Everything the operator may do and, as far as one can list it, may not.
#[test]
fn cluster_wide_rights_are_what_the_operator_needs() {
    let cluster = shared();
    let account = "--as=system:serviceaccount:tiktok-ads-system:tiktok-ads-operator";
    let may = |question: &[&str]| {
        let mut question = question.to_vec();
        question.push(account);
        can_i(cluster, &question)
    };
    for verb in ["get", "list", "watch", "patch"] {
        assert!(may(&[verb, "campaigns.tiktokads.dev", "-A"]), "{verb}");
        assert!(
            may(&[verb, "tiktokconnections.tiktokads.dev", "-A"]),
            "{verb}"
        );
    }
    assert!(may(&[
        "patch",
        "campaigns.tiktokads.dev",
        "--subresource=status",
        "-A"
    ]));
    for verb in ["create", "delete", "deletecollection"] {
        assert!(!may(&[verb, "campaigns.tiktokads.dev", "-A"]), "{verb}");
    }
    assert!(may(&["get", "secrets", "-A"]) && may(&["watch", "secrets", "-A"]));
    assert!(!may(&["list", "secrets", "-A"]));
    // Its token Secret has a name that no role can know beforehand.
    for verb in ["create", "update", "delete"] {
        assert!(may(&[verb, "secrets", "-A"]), "{verb}");
    }
    assert!(!may(&["deletecollection", "secrets", "-A"]));
    assert!(may(&["create", "events", "-A"]) && may(&["create", "events.events.k8s.io", "-A"]));
    assert!(may(&["list", "namespaces"]) && !may(&["delete", "namespaces"]));
    assert!(may(&[
        "update",
        "leases.coordination.k8s.io",
        "-n",
        "tiktok-ads-system"
    ]));
    assert!(!may(&[
        "get",
        "leases.coordination.k8s.io",
        "-n",
        "default"
    ]));
    assert!(!may(&["get", "pods", "-A"]) && !may(&["get", "configmaps", "-A"]));
    assert!(!may(&[
        "patch",
        "rolebindings.rbac.authorization.k8s.io",
        "-A"
    ]));
    assert!(
        !may(&["impersonate", "users"])
            && !may(&["escalate", "clusterroles.rbac.authorization.k8s.io"])
    );
}

#[test]
fn namespaced_rights_end_at_the_listed_namespaces() {
    let cluster = shared();
    let (home, watched, other) = (
        cluster.namespace("home").unwrap(),
        cluster.namespace("watched").unwrap(),
        cluster.namespace("other").unwrap(),
    );
    let chart = Chart::new(&home).watch(&watched);
    assert!(!kinds(&rendered(&chart)).contains_key("ClusterRoleBinding"));
    let install = cluster.install(chart).unwrap();
    let operator = install.identity();
    let binding = install.deployment()["metadata"]["name"].as_str().unwrap();

    for (namespace, allowed) in [(&watched, true), (&other, false), (&home, false)] {
        let may = |verb: &str, what: &str| can_i(operator, &[verb, what, "-n", namespace]);
        for (verb, what) in [
            ("list", "campaigns.tiktokads.dev"),
            ("watch", "tiktokconnections.tiktokads.dev"),
            ("patch", "campaigns.tiktokads.dev"),
            ("bypassrecord", "campaigns.tiktokads.dev"),
            ("get", "secrets"),
        ] {
            assert_eq!(may(verb, what), allowed, "{verb} {what} in {namespace}");
        }
        assert!(!may("list", "secrets"));
        // Its own binding by name, to keep it in a namespace that is being deleted; no other one.
        assert_eq!(
            may(
                "patch",
                &format!("rolebindings.rbac.authorization.k8s.io/{binding}")
            ),
            allowed
        );
        assert!(!may(
            "patch",
            "rolebindings.rbac.authorization.k8s.io/another"
        ));
        let read = operator.run(&["get", "namespace", namespace]).unwrap();
        assert_eq!(
            read.success, allowed,
            "reading namespace {namespace}: {}",
            read.stderr
        );
    }
    assert!(!can_i(operator, &["list", "namespaces"]));
    assert!(can_i(
        operator,
        &["create", "leases.coordination.k8s.io", "-n", &home]
    ));
    assert!(can_i(operator, &["create", "events", "-n", &home]));

    let put = r#"{"metadata":{"finalizers":["tiktokads.dev/binding"]}}"#;
    let off = r#"{"metadata":{"finalizers":null}}"#;
    let patch = |body: &str| {
        operator.run(&[
            "patch",
            "rolebinding",
            binding,
            "-n",
            &watched,
            "--type=merge",
            "-p",
            body,
        ])
    };
    patch(put).unwrap().ok().unwrap();
    // A namespace that is being deleted keeps the binding, and with it these rights, until the operator lets go.
    cluster
        .run(&["delete", "namespace", &watched, "--wait=false"])
        .unwrap()
        .ok()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert!(can_i(
        operator,
        &["patch", "campaigns.tiktokads.dev", "-n", &watched]
    ));
    let state = operator.json(&["get", "namespace", &watched]).unwrap();
    assert_eq!(state["status"]["phase"], "Terminating");
    patch(off).unwrap().ok().unwrap();
    tiktok_ads_harness::wait_until(
        "the namespace to be gone",
        std::time::Duration::from_secs(60),
        || {
            let answer = cluster.run(&["get", "namespace", &watched])?;
            Ok(if answer.stderr.contains("NotFound") {
                Ok(())
            } else {
                Err(answer.stdout)
            })
        },
    )
    .unwrap();
}

#[test]
fn uninstall_returns_and_leaves_the_campaigns() {
    let cluster = shared();
    let namespace = cluster.namespace("uninstall").unwrap();
    let install = cluster
        .install(Chart::new(&namespace).watch(&namespace))
        .unwrap();
    cluster
        .apply(&namespace, &crate::admission::campaign("stays"))
        .unwrap();
    // Its operator is dead while it has the binding's finalizer on.
    let binding = install.deployment()["metadata"]["name"].as_str().unwrap();
    let body = r#"{"metadata":{"finalizers":["tiktokads.dev/binding"]}}"#;
    cluster
        .run(&[
            "patch",
            "rolebinding",
            binding,
            "-n",
            &namespace,
            "--type=merge",
            "-p",
            body,
        ])
        .unwrap()
        .ok()
        .unwrap();
    install.uninstall().unwrap();
    let left = cluster
        .json(&["get", "campaign", "stays", "-n", &namespace])
        .unwrap();
    assert!(left["metadata"]["deletionTimestamp"].is_null());
    let deployments = cluster
        .json(&["get", "deployments", "-n", &namespace])
        .unwrap();
    assert_eq!(deployments["items"].as_array().unwrap().len(), 0);
}

/// The release that users get, on a control plane of its own: uninstalled, installed again, and left for good.
#[test]
fn crds_and_campaigns_outlive_the_release() {
    let cluster = ControlPlane::start().unwrap();
    let install = cluster.install(Chart::cluster_wide()).unwrap();
    let namespace = cluster.namespace("kept").unwrap();
    let served = || {
        tiktok_ads_harness::wait_until("campaigns", std::time::Duration::from_secs(30), || {
            let answer = cluster.run(&["get", "campaigns", "-A"])?;
            Ok(if answer.success {
                Ok(())
            } else {
                Err(answer.stderr)
            })
        })
        .unwrap();
    };
    served();
    let manifest = crate::admission::campaign("c")
        .replace("spec:", "  finalizers: [tiktokads.dev/finalizer]\nspec:");
    cluster.apply(&namespace, &manifest).unwrap();
    let uid = || {
        let found = cluster
            .json(&["get", "campaign", "c", "-n", &namespace])
            .unwrap();
        found["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let before = uid();
    install.uninstall().unwrap();
    assert_eq!(uid(), before);
    let policies = cluster
        .json(&["get", "validatingadmissionpolicies"])
        .unwrap();
    assert_eq!(
        policies["items"],
        serde_json::json!([]),
        "a policy without its operator would be in the way"
    );

    // A new install takes the CRDs over, and an upgrade changes what it is told to.
    let install = cluster.install(Chart::cluster_wide()).unwrap();
    assert_eq!(uid(), before);
    let install = install.upgrade(&["replicas=2"]).unwrap();
    assert_eq!(install.deployment()["spec"]["replicas"], 2);

    // The line that helm prints, word for word.
    let notes = cluster
        .helm(&["get", "notes", install.release(), "-n", install.namespace()])
        .unwrap()
        .ok()
        .unwrap();
    let free = notes
        .lines()
        .find(|line| line.contains("while read"))
        .unwrap();
    install.uninstall().unwrap();
    cluster
        .run(&["delete", "campaign", "c", "-n", &namespace, "--wait=false"])
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(uid(), before, "the finalizer holds it");
    cluster.shell(free).unwrap().ok().unwrap();
    let gone = cluster
        .run(&["get", "campaign", "c", "-n", &namespace])
        .unwrap();
    assert!(
        gone.stderr.contains("NotFound"),
        "{}{}",
        gone.stdout,
        gone.stderr
    );
}
