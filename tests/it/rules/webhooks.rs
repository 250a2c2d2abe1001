//! R23 and R24 over real sockets: the sandbox sends, the binary receives, the API server shows.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tiktok_ads_harness::control_plane::free_ports;
use tiktok_ads_harness::install::Ports;
use tiktok_ads_harness::{Chart, ControlPlane, Install, Sandbox, wait_until};

use super::nodes::{Level, TREES, Tree};
use super::tree_kit::{Branch, each};
use super::{BINARY, Case, LOUD, PATIENCE, TIMES, World, client, condition, is, reason, wide_caps};
use crate::signing::hmac;

const AD: Level = Level::Ad;

/// An operator with a public address, its sandbox, and the control plane of both.
pub(super) fn world() -> &'static World {
    static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
    match WORLD.get_or_init(|| start().map_err(|error| error.to_string())) {
        Ok(world) => world,
        Err(why) => panic!("what webhooks are tested in did not come up: {why}"),
    }
}

fn start() -> tiktok_ads_harness::Result<World> {
    let cluster: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()?));
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "3"])?;
    let [health, public, _] = free_ports()?;
    let chart = Chart::cluster_wide()
        .set(&format!("publicUrl=http://127.0.0.1:{public}"))
        // No list is read within a test: what shows, an event has told.
        .set("platform.sweepInterval=10m")
        .platform_url(sandbox.url());
    let install: &'static Install<'static> = Box::leak(Box::new(cluster.install(chart)?));
    wait_until("the kinds to be served", PATIENCE, || {
        let answer = cluster.run(&["get", "campaigns,adgroups,ads,tiktokconnections", "-A"])?;
        Ok(if answer.success {
            Ok(())
        } else {
            Err(answer.stderr)
        })
    })?;
    let times = [TIMES, &["--previous-key-window=20s"]].concat();
    let ports = Ports { health, public };
    let operator = install.run_at(Path::new(BINARY), ports, &times, LOUD)?;
    operator.wait_ready(PATIENCE)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let client = runtime.block_on(client(cluster));
    Ok(World {
        cluster,
        operator,
        sandbox,
        runtime,
        client,
    })
}

impl Case {
    fn hearing(name: &str, more: Value) -> Self {
        let case = Self::bare_in(world(), name, json!({}));
        let mut spec = json!({"caps": wide_caps()});
        super::merge(&mut spec, more);
        case.connect(spec);
        case.wait_connection("Verified");
        case
    }

    fn connection(&self) -> Value {
        self.read("tiktokconnections", "main").unwrap()
    }

    fn heard(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = wait_until(what, PATIENCE, || {
            let object = self.connection();
            Ok(if wanted(&object) {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            })
        });
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// Posts a message as anybody could; the status that was answered.
    fn post(&self, at: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let url = format!(
            "{}/webhooks/tiktok/{at}",
            self.world.operator.public_url().unwrap()
        );
        self.world.runtime.block_on(async {
            let client = reqwest::Client::new();
            let mut request = client
                .post(url)
                .header("content-type", "application/json")
                .body(body.to_vec());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.send().await.unwrap().status().as_u16()
        })
    }

    fn main(&self) -> String {
        format!("{}/main", self.namespace)
    }

    /// As TikTok has them.
    fn subscriptions(&self) -> Vec<Value> {
        let path = format!("/sandbox/subscriptions?app_id={}", self.app);
        let all = self.sandbox("GET", &path, &Value::Null);
        all["subscriptions"].as_array().cloned().unwrap_or_default()
    }

    fn subscribed(&self, count: i64) {
        self.heard("to be subscribed", |object| {
            object["status"]["webhooks"]["subscriptions"] == json!(count)
                && condition(object, "Webhooks")["status"] == "True"
        });
    }
}

#[test]
fn r23_r24_a_rejection_arrives_signed_in_each_way_and_shows_before_any_list() {
    let ways: Vec<(Tree, &str)> = TREES
        .into_iter()
        .flat_map(|tree| ["escaped", "raw", "tiktok"].map(|scheme| (tree, scheme)))
        .collect();
    each(&ways, |&(tree, scheme)| {
        let case = Case::hearing("r23-signed", json!({}));
        case.knobs(json!({"webhook_signature": scheme}));
        let branch = Branch::live(&case, tree);
        case.subscribed(3);
        branch
            .ad
            .outside("reject", json!({"reasons": ["Été: no claims ✨"]}));
        let object = branch.ad.wait("its reasons", |object| {
            object["status"]["review"]["reasons"][0]["reason"] == "Été: no claims ✨"
        });
        assert_eq!(condition(&object, "Approved")["status"], "False");
        case.until("the warning with its reasons", || {
            let mut told = case.events("a").into_iter();
            told.any(|(why, note)| why == "Denied" && note.contains("Été: no claims ✨"))
        });
        let connection = case.heard("to have heard", |object| {
            condition(object, "Webhooks")["reason"] == "Receiving"
        });
        assert_eq!(condition(&connection, "Webhooks")["status"], "True");
        case.happens(AD, &branch.ad.id(), "approve");
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
        });
    });
}

#[test]
fn r23_unknown_connections_and_bad_signatures_get_the_same_answer() {
    let case = Case::hearing("r23-same", json!({}));
    let body = br#"{"object":3,"entry":[],"time":0}"#;
    let good = hmac(&case.secret, &[body]);
    let wrong = hmac("wrong", &[body]);
    for at in [
        case.main(),
        format!("{}/other", case.namespace),
        "nobody/main".into(),
    ] {
        assert_eq!(
            case.post(&at, &[("X-Open-Signature", &wrong)], body),
            401,
            "{at}"
        );
        assert_eq!(case.post(&at, &[], body), 401, "{at}");
        assert_eq!(
            case.post(&format!("{at}/0123456789abcdef"), &[], body),
            401,
            "{at}"
        );
        if at != case.main() {
            assert_eq!(
                case.post(&at, &[("X-Open-Signature", &good)], body),
                401,
                "{at}"
            );
        }
    }
    // Old, and replayed: taken and dropped.
    for _ in 0..3 {
        assert_eq!(
            case.post(&case.main(), &[("X-Open-Signature", &good)], body),
            200
        );
    }
}

#[test]
fn r23_unsigned_is_said_with_the_next_step_and_taken_at_the_address_with_the_token() {
    let case = Case::hearing("r23-unsigned", json!({}));
    case.knobs(json!({"webhook_signature": "unsigned"}));
    let branch = Branch::live(&case, Tree::Manual);
    case.subscribed(3);
    branch
        .ad
        .outside("reject", json!({"reasons": ["No claims."]}));
    case.heard("to say so", |object| {
        let said = condition(object, "Webhooks");
        said["reason"] == "WebhookUnsigned"
            && said["message"]
                .as_str()
                .unwrap()
                .contains("pathTokenSecretRef")
    });
    let token = "c0ffee00c0ffee00c0ffee00";
    case.secret("path", json!({"path_token": token}));
    case.edit_connection(json!({"webhooks": {"pathTokenSecretRef": {"name": "path"}}}));
    // TikTok tries again for hours; what is sent to the old address stays refused.
    case.until("the new address", || {
        let rows = case.subscriptions();
        let new = |row: &Value| row.to_string().contains(&format!("/main/{token}\""));
        rows.len() == 3 && rows.iter().all(new)
    });
    case.happens(AD, &branch.ad.id(), "approve");
    branch.ad.outside("reject", json!({"reasons": ["Loud."]}));
    case.heard("to hear", |object| {
        condition(object, "Webhooks")["reason"] == "Receiving"
    });
    branch.ad.wait("its reasons", |object| {
        object["status"]["review"]["reasons"][0]["reason"] == "Loud."
    });
    let url = case.connection()["status"]["webhooks"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        url.ends_with(&format!("/webhooks/tiktok/{}", case.main())),
        "{url}"
    );
    assert!(!case.connection().to_string().contains(token));
    assert!(!case.log().contains(token), "the address is told nowhere");
}

#[test]
fn r23_the_previous_key_ends_by_itself_and_what_uses_it_shows() {
    let case = Case::hearing("r23-keys", json!({}));
    let keys = |current: &str, previous: &str| {
        json!({
            "TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT": current,
            "TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS": previous,
        })
    };
    case.secret("keys", keys("first", ""));
    case.edit_connection(json!({"webhooks": {"keysSecretRef": {"name": "keys"}}}));
    let number = std::cell::Cell::new(0);
    let takes = |key: &str| {
        number.set(number.get() + 1);
        let body = format!("{{\"object\":1,\"n\":{}}}", number.get());
        let tag = hmac(key, &[body.as_bytes()]);
        case.post(&case.main(), &[("X-Open-Signature", &tag)], body.as_bytes()) == 200
    };
    case.until("the first key", || takes("first"));
    assert!(!takes(&case.secret), "only the keys that are named");
    case.replace_secret("keys", keys("second", "first"));
    case.until("the second key", || takes("second"));
    assert!(takes("first"));
    let shown = case.heard("the previous key's use", |object| {
        object["status"]["webhooks"]["previousKeyUsed"].is_string()
    });
    assert!(shown["status"]["webhooks"]["previousKeyAcceptedUntil"].is_string());
    assert!(
        case.metrics()
            .contains("tiktokads_webhook_key_total{key=\"previous\"}")
    );
    case.until("the end of the previous key", || !takes("first"));
    assert!(takes("second"));
    let over = case.heard("it to be over", |object| {
        object["status"]["webhooks"]["previousKeyAcceptedUntil"].is_null()
    });
    assert!(over["status"]["webhooks"]["previousKeyUsed"].is_null());
    case.replace_secret("keys", keys("third", "second"));
    case.until("the third key", || takes("third"));
    assert!(takes("second"));
    case.replace_secret("keys", keys("third", ""));
    case.until("the second key to be gone at once", || !takes("second"));
    let log = case.log();
    for key in ["first", "second", "third"] {
        assert!(!log.contains(&format!("\"{key}\"")));
    }
}

#[test]
fn r23_an_account_that_is_suspended_stops_all_but_pauses_and_goes_on_when_it_is_back() {
    let case = Case::hearing("r23-account", json!({}));
    let branch = Branch::live(&case, Tree::Manual);
    case.subscribed(3);
    let set = |status: &str| {
        case.account(json!({"status": status, "rejection_reason": "1:It is so."}));
    };
    let writes = || {
        let all = case.writes().into_iter();
        all.filter(|(path, _)| !path.contains("/subscription/"))
            .count()
    };
    set("STATUS_LIMIT");
    case.heard("to be restricted", |object| {
        reason(object) == "AccountRestricted"
    });
    branch
        .ad
        .wait("to say so", |object| reason(object) == "AccountRestricted");
    let before = writes();
    branch.ad.edit(json!({"text": "Calmer"}));
    branch.ad.wait("to say that it waits", |object| {
        is(object, "AccountRestricted")
    });
    assert_eq!(writes(), before);
    set("STATUS_ENABLE");
    case.heard("to be back", |object| reason(object) == "Verified");
    branch.ad.wait_live();
    assert!(writes() > before);
}

#[test]
fn r24_subscriptions_go_with_the_connection() {
    let case = Case::hearing("r24-gone", json!({}));
    let branch = Branch::live(&case, Tree::Manual);
    case.subscribed(3);
    assert_eq!(case.subscriptions().len(), 3);
    drop(branch);
    case.delete("tiktokconnections", "main");
    case.until("the subscriptions to be gone", || {
        case.subscriptions().is_empty()
    });
}
