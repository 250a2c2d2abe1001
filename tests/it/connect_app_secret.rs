//! The operator's pages and a real API server: an app secret that TikTok does not take, and nothing to sign with beside the
//! link.

use std::path::Path;

use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Sandbox, shared};

use super::connect_pages::{BINARY, Browser, LIMIT, PUBLIC, app, link, wait_for_phase};

#[test]
fn a_wrong_app_secret_gets_a_page_that_names_its_secret() {
    let cluster = shared();
    let namespace = cluster.namespace("appsecret").unwrap();
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "8"]).unwrap();
    let (account, _) = app(&sandbox);
    let field = |name: &str| account[name].as_str().unwrap();
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url(sandbox.url())
        .set(&format!("publicUrl={PUBLIC}"));
    let install = cluster.install(chart).unwrap();
    let operator = install.run(Path::new(BINARY)).unwrap();
    operator.wait_ready(LIMIT).unwrap();
    let secret = |secret: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "portal-app"},
            "stringData": {"app_id": field("app_id"), "secret": secret}})
    };
    let manifest = json!({"apiVersion": "v1", "kind": "List", "items": [
        secret("not-the-apps-secret"),
        {"apiVersion": "tiktokads.dev/v1alpha1", "kind": "TikTokConnection", "metadata": {"name": "main"},
            "spec": {"appSecretRef": {"name": "portal-app"}, "advertiserId": field("advertiser_id"), "mode": "Observe"}}]});
    cluster.apply(&namespace, &manifest.to_string()).unwrap();

    let mut browser = Browser::new(&[&operator]);
    let mut approve = || {
        let page = browser.get(&link(&namespace));
        let ticket = page.field("ticket");
        let portal = browser.post(&page.url, &[("ticket", &ticket)]);
        let query: Vec<(String, String)> = url::Url::parse(&portal.url)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let mut form: Vec<(&str, &str)> = query.iter().map(|(k, v)| (&**k, &**v)).collect();
        form.extend([
            ("advertiser_ids", field("advertiser_id")),
            ("decision", "approve"),
        ]);
        browser.post(&portal.url, &form)
    };
    let page = approve();
    assert_eq!(page.status, 502, "{}", page.body);
    for part in [
        "TikTok does not accept the app",
        "portal-app",
        "spec.appSecretRef",
        "tiktok-ads-operator connect",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    // What the page says is what helps.
    cluster
        .apply(&namespace, &secret(field("secret")).to_string())
        .unwrap();
    let page = approve();
    assert_eq!(page.status, 200, "{}", page.body);
    wait_for_phase(&namespace, "Active", &operator);

    let read = |name: &str| -> Value {
        let found = shared().json(&["get", "secret", name, "-n", &namespace]);
        found.unwrap()["data"].clone()
    };
    let mut beside: Vec<String> = read("main-tiktok-connect")
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    beside.sort();
    assert_eq!(beside, ["expires_at", "ticket", "url"]);
    assert!(read("main-tiktok-token")["connect_key"].is_string());
}
