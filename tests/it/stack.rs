//! The whole stack in one piece: chart, operator under its ServiceAccount, sandbox.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tiktok_ads_harness::{Chart, Install, Sandbox, shared, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");

/// An account in the sandbox, and the manifests of a connection to it and of a campaign that is wanted on.
fn manifests(sandbox: &Sandbox) -> String {
    let account = sandbox.request("POST", "/sandbox/accounts", "{}").unwrap();
    let account: Value = serde_json::from_str(&account.body).unwrap();
    let field = |name: &str| account[name].as_str().unwrap();
    format!(
        r#"
apiVersion: v1
kind: Secret
metadata: {{name: app}}
stringData: {{app_id: "{app}", secret: "{secret}"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: token}}
stringData: {{access_token: "{token}"}}
---
apiVersion: tiktokads.dev/v1alpha1
kind: TikTokConnection
metadata: {{name: main}}
spec:
  appSecretRef: {{name: app}}
  tokenSecretRef: {{name: token}}
  advertiserId: "{advertiser}"
  caps:
    maxDailyBudgetPerObject: {{amount: "100", currency: USD}}
    maxDailyBudgetTotal: {{amount: "100", currency: USD}}
---
apiVersion: tiktokads.dev/v1alpha1
kind: Campaign
metadata: {{name: spring}}
spec:
  connectionRef: {{name: main}}
  automation: Manual
  objective: Traffic
  budget: {{mode: Daily, amount: "60"}}
  state: Active
"#,
        app = field("app_id"),
        secret = field("secret"),
        token = field("access_token"),
        advertiser = field("advertiser_id"),
    )
}

/// Runs the operator of an install until one campaign is live, and shows that it was refused nothing
/// of what it asked for.
fn reaches_the_platform(namespace: &str, sandbox: &Sandbox, install: &Install<'_>, args: &[&str]) {
    let cluster = shared();
    let before = cluster.audit().mark().unwrap();
    let operator = install.run_with(Path::new(BINARY), args, &[]).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();
    cluster.apply(namespace, &manifests(sandbox)).unwrap();
    let live = wait_until("the campaign to be live", Duration::from_secs(60), || {
        operator.alive()?;
        let campaign = cluster.json(&["get", "campaign", "spring", "-n", namespace])?;
        let conditions = campaign["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let ready = conditions
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True");
        let on = campaign["status"]["operationStatus"] == "On";
        Ok(if ready && on {
            Ok(campaign)
        } else {
            Err(campaign["status"].to_string())
        })
    });
    let live =
        live.unwrap_or_else(|error| panic!("{error}\n{}", operator.output().unwrap_or_default()));
    assert!(live["status"]["id"].is_string(), "{live}");
    assert!(
        live["metadata"]["annotations"]["tiktokads.dev/record"].is_string(),
        "{live}"
    );

    let account = format!(
        "system:serviceaccount:{}:{}",
        install.namespace(),
        install.deployment()["spec"]["template"]["spec"]["serviceAccountName"]
            .as_str()
            .unwrap()
    );
    let requests = || cluster.audit().since(before).unwrap().user(&account);
    assert!(
        requests().writes().resource("campaigns").count() > 0,
        "{}",
        requests()
    );
    let refused = requests().only(|request| matches!(request.code, 400 | 403 | 422));
    assert_eq!(refused.count(), 0, "{refused}{:?}", refused.all());
    let unnamed = requests().only(|request| !request.agent.starts_with("tiktok-ads-operator/"));
    assert_eq!(unnamed.count(), 0, "{unnamed}");
    let lists = requests()
        .resource("secrets")
        .only(|request| request.verb == "list");
    assert_eq!(lists.count(), 0, "{lists}");
}

#[test]
fn a_campaign_goes_live_under_cluster_wide_rights() {
    let cluster = shared();
    let namespace = cluster.namespace("wide").unwrap();
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "1"]).unwrap();
    let install = cluster
        .install(Chart::new(&namespace).platform_url(sandbox.url()))
        .unwrap();
    // Other tests have campaigns too, which are not this operator's to touch.
    let only = format!("--watch-namespace={namespace}");
    // Its rights are cluster-wide: there is no RoleBinding to keep.
    reaches_the_platform(&namespace, &sandbox, &install, &[&only, "--binding-name="]);
}

#[test]
fn a_campaign_goes_live_under_namespaced_rights() {
    let cluster = shared();
    let home = cluster.namespace("home").unwrap();
    let namespace = cluster.namespace("narrow").unwrap();
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "2"]).unwrap();
    let chart = Chart::new(&home)
        .watch(&namespace)
        .platform_url(sandbox.url());
    let install = cluster.install(chart).unwrap();
    reaches_the_platform(&namespace, &sandbox, &install, &[]);
}
