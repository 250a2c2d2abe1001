mod told;

use super::*;
use crate::model::facts::Access;
use crate::model::token::{Attempt, Memory, Previous, Refused, Token};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_435_200 + second).unwrap()
}

fn object(spec: Value) -> TikTokConnection {
    let mut whole = json!({"appSecretRef": {"name": "app"}, "advertiserId": "7"});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "tiktokads.dev/v1alpha1",
        "kind": "TikTokConnection",
        "metadata": {"name": "main", "namespace": "shop", "uid": "u", "generation": 1, "finalizers": [FINALIZER]},
        "spec": whole,
    }))
    .unwrap()
}

fn deleting(mut object: TikTokConnection, second: i64) -> TikTokConnection {
    object.metadata.deletion_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(second)),
    );
    object
}

fn token() -> Token {
    Token {
        id: "t0".into(),
        issued_at: Some(at(0)),
        expires_at: Some(at(DAY)),
        refresh: true,
        ..Token::default()
    }
}

fn held(token: Token) -> Held {
    Held {
        app_id: "1".into(),
        app_fingerprint: "f".into(),
        origin: Origin::Authorised,
        token: Some(token),
        ..Held::default()
    }
}

fn granted(ids: &[&str], status: &str) -> CheckResult {
    CheckResult::Granted(Granted {
        asked: ids.contains(&"7").then(|| "7".into()),
        advertisers: Arc::new(
            ids.iter()
                .map(|id| (id.to_string(), format!("Shop {id}")))
                .collect(),
        ),
        account: ids.contains(&"7").then(|| AdvertiserStatus {
            id: "7".into(),
            currency: "USD".into(),
            account_status: status.into(),
            ..AdvertiserStatus::default()
        }),
        role: Some("ADMIN".into()),
        events_source: None,
    })
}

/// A connection that is authorised, checked and well.
fn facts(object: &TikTokConnection, second: i64) -> ConnectionFacts<'_> {
    ConnectionFacts {
        now: at(second),
        object,
        public_url: Some("https://ads.example.com"),
        app: SecretFacts::Present {
            fingerprint: "f".into(),
        },
        app_id: Some("1".into()),
        token: None,
        held: HeldFacts::Present(held(token())),
        connect: ConnectFacts::Present {
            until: at(366 * DAY),
        },
        memory: Memory {
            answered: Some("t0".into()),
            ..Memory::default()
        },
        stale: false,
        check: Some(Checked {
            at: at(second),
            token: "t0".into(),
            result: granted(&["7"], "STATUS_ENABLE"),
        }),
        refused: None,
        doubted: None,
        children: Vec::new(),
        doubt_spacing: CHECK_SPACING,
        twin: None,
        renewal: Renewal::Mine,
        namespace_terminating: false,
        not_before: None,
        orphans: Vec::new(),
        grants: Grants::Nobody,
        unwritable: Vec::new(),
        farewell: Farewell::default(),
        webhooks: WebhookReport::default(),
    }
}

fn with_token(f: &mut ConnectionFacts, change: impl FnOnce(&mut Held)) {
    let HeldFacts::Present(held) = &mut f.held else {
        panic!("no token");
    };
    change(held);
}

fn account(plan: &ConnectionPlan) -> &crate::model::facts::Account {
    match &plan.view {
        ConnectionView::Usable(account) => account,
        other => panic!("{other:?}"),
    }
}

fn ready(plan: &ConnectionPlan) -> (String, String) {
    let ready = plan.status.conditions.iter().find(|c| c.type_ == "Ready");
    let ready = ready.unwrap();
    (ready.status.clone(), ready.reason.clone())
}

#[test]
fn a_connection_that_is_well_says_where_it_is_authorised_and_when_its_token_is_renewed() {
    let object = object(json!({}));
    let plan = plan(&facts(&object, 60));
    assert_eq!(plan.action, ConnectionAction::Rest);
    assert_eq!(plan.wake, Some(at(60 + 3600)), "checked hourly");
    let status = &plan.status;
    assert_eq!(status.phase.as_deref(), Some("Active"));
    assert_eq!(status.banner, None);
    assert_eq!(
        status.connect_url.as_deref(),
        Some("https://ads.example.com/connect/shop/main")
    );
    assert_eq!(
        status.callback_url.as_deref(),
        Some("https://ads.example.com/oauth/callback")
    );
    let token = status.token.as_ref().unwrap();
    assert_eq!(token.profile, "Refreshable");
    assert_eq!(token.rotates_at.as_ref().unwrap().0, at(18 * 3600));
    assert_eq!(account(&plan).access, Access::Full);
}

#[test]
fn status_is_a_function_of_its_inputs_an_hour_apart() {
    let mut object = object(json!({}));
    let mut f = facts(&object, 19 * 3600);
    with_token(&mut f, |held| {
        held.token.as_mut().unwrap().refused = Some(Refused {
            at: at(18 * 3600),
            lasting: true,
        });
    });
    let first = plan(&f).status;
    object.status = Some(first.clone());
    let mut f = facts(&object, 20 * 3600);
    with_token(&mut f, |held| {
        held.token.as_mut().unwrap().refused = Some(Refused {
            at: at(18 * 3600),
            lasting: true,
        });
    });
    assert_eq!(plan(&f).status, first);
}

#[test]
fn r21_a_refused_renewal_says_in_one_sentence_what_since_when_until_when_and_where() {
    let object = object(json!({}));
    let mut f = facts(&object, 19 * 3600);
    with_token(&mut f, |held| {
        let token = held.token.as_mut().unwrap();
        token.refused = Some(Refused {
            at: at(18 * 3600),
            lasting: true,
        });
        token.last = Some(Attempt {
            at: at(18 * 3600),
            succeeded: false,
            message: "TikTok says: no (code 40103)".into(),
        });
    });
    let plan = plan(&f);
    assert_eq!(ready(&plan), ("False".into(), "TokenNotRenewed".into()));
    assert_eq!(plan.status.phase.as_deref(), Some("ReadOnly"));
    let banner = plan.status.banner.as_deref().unwrap();
    for part in [
        "since 2026-11-24T06:00:00Z",
        "2026-11-24T12:00:00Z",
        "(code 40103)",
        "https://ads.example.com/connect/shop/main",
        "only pauses are sent",
        "tiktok-ads-operator connect main -n shop",
    ] {
        assert!(banner.contains(part), "{part} is not in {banner}");
    }
    let seen = account(&plan);
    assert_eq!(
        (seen.access, seen.pause_all.clone()),
        (Access::ReadOnly, None)
    );
    let condition = plan
        .status
        .conditions
        .iter()
        .find(|c| c.type_ == "ReadOnly");
    assert_eq!(condition.unwrap().reason, "TokenNotRenewed");
}

#[test]
fn r21_pause_all_holds_everything_while_the_token_lives_and_only_then() {
    let object = object(json!({"onAuthDegraded": "PauseAll"}));
    let well = plan(&facts(&object, 60));
    assert_eq!(account(&well).pause_all, None);
    let mut f = facts(&object, 23 * 3600);
    f.check.as_mut().unwrap().at = at(23 * 3600);
    with_token(&mut f, |held| held.token.as_mut().unwrap().refresh = false);
    let last_hour = plan(&f);
    assert!(account(&last_hour).pause_all.is_some());
    assert!(last_hour.status.banner.unwrap().contains("switched off"));
    // Whoever may only read was never to be paused.
    let mut f = facts(&object, 60);
    if let CheckResult::Granted(granted) = &mut f.check.as_mut().unwrap().result {
        granted.role = Some("ANALYST".into());
    }
    let reads = plan(&f);
    assert_eq!(account(&reads).pause_all, None);
    assert_eq!(account(&reads).access, Access::ReadOnly);
    assert_eq!(ready(&reads), ("True".into(), "AnalystRole".into()));
    assert_eq!(reads.status.phase.as_deref(), Some("ReadOnly"));
}

#[test]
fn r21_after_the_end_nothing_is_asked_but_for_a_new_token() {
    let object = object(json!({}));
    let mut f = facts(&object, 2 * DAY);
    f.check = None;
    with_token(&mut f, |held| held.token.as_mut().unwrap().refresh = false);
    let over = plan(&f);
    assert_eq!(over.action, ConnectionAction::Rest);
    assert_eq!(ready(&over).1, "TokenExpired");
    // A restart after the end: what status still tells of the account keeps the objects where they are.
    let mut known = object.clone();
    known.status = Some(plan(&facts(&object, 60)).status);
    let mut f = facts(&known, 2 * DAY);
    f.check = None;
    with_token(&mut f, |held| held.token.as_mut().unwrap().refresh = false);
    assert_eq!(account(&plan(&f)).access, Access::Over);
    // A refresh token lives on: that, and nothing else, is tried.
    let mut f = facts(&known, 2 * DAY);
    f.check = None;
    assert_eq!(plan(&f).action, ConnectionAction::Rotate { unclear: false });
}

#[test]
fn r21_a_refused_token_is_said_at_once_and_pauses_are_known_not_to_arrive() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    f.refused = Some(Refusal {
        token: "t0".into(),
        message: "revoked (code 40105).".into(),
        app: false,
    });
    f.not_before = Some(at(90));
    let plan_now = plan(&f);
    assert_eq!(ready(&plan_now).1, "TokenRefused");
    assert_eq!(account(&plan_now).access, Access::Refused);
    let banner = plan_now.status.banner.unwrap();
    assert!(banner.contains("pauses no longer reach TikTok"), "{banner}");
    // A late answer about another token says nothing.
    f.refused.as_mut().unwrap().token = "t-1".into();
    assert_eq!(account(&plan(&f)).access, Access::Full);
}

#[test]
fn a_renewed_token_is_used_before_it_has_answered_and_nothing_flaps() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    with_token(&mut f, |held| {
        let token = held.token.as_mut().unwrap();
        token.id = "t1".into();
        token.previous = Some(Previous {
            id: "t0".into(),
            expires_at: Some(at(DAY)),
        });
    });
    let renewed = plan(&f);
    assert_eq!(renewed.action, ConnectionAction::Check);
    assert_eq!(account(&renewed).access, Access::Full);
    assert_eq!(ready(&renewed), ("True".into(), "Verified".into()));
    f.memory.answered = Some("t1".into());
    assert_eq!(plan(&f).action, ConnectionAction::DropPrevious);
}

#[test]
fn a_users_secret_that_is_restored_changes_nothing_and_a_changed_one_is_imported() {
    let object = object(json!({"tokenSecretRef": {"name": "token"}}));
    let mut f = facts(&object, 60);
    with_token(&mut f, |held| held.imported = Some("user's".into()));
    let seen = |fingerprint: &str| {
        Some(SecretFacts::Present {
            fingerprint: fingerprint.into(),
        })
    };
    f.token = seen("user's");
    assert_eq!(plan(&f).action, ConnectionAction::Rest);
    f.token = Some(SecretFacts::Missing);
    assert_eq!(plan(&f).action, ConnectionAction::Rest);
    f.token = seen("another");
    assert_eq!(plan(&f).action, ConnectionAction::WriteToken);
    // While it changes it is what was read last that counts.
    f.token = seen("user's");
    f.stale = true;
    let reading = plan(&f);
    assert_eq!(reading.action, ConnectionAction::ReadSecrets);
    assert_eq!(account(&reading).access, Access::Full);
}

#[test]
fn a_secret_that_lacks_something_does_not_keep_a_token_from_being_renewed() {
    let object = object(json!({"tokenSecretRef": {"name": "token"}}));
    let mut f = facts(&object, 19 * 3600);
    f.app = SecretFacts::Incomplete(vec!["secret".into()]);
    f.token = Some(SecretFacts::Incomplete(vec!["access_token".into()]));
    assert_eq!(plan(&f).action, ConnectionAction::Rotate { unclear: false });
    f.now = at(60);
    f.check.as_mut().unwrap().at = at(60);
    let plan = plan(&f);
    assert_eq!(ready(&plan), ("False".into(), "SecretIncomplete".into()));
    assert_eq!(account(&plan).access, Access::Full);
}

#[test]
fn r26_one_advertiser_is_taken_only_if_the_spec_allows_it() {
    let mut spec = object(json!({}));
    spec.spec.advertiser_id = None;
    let waits = plan(&facts(&spec, 60));
    assert_eq!(ready(&waits).1, "AwaitingAdvertiser");
    assert_eq!(waits.action, ConnectionAction::Rest);
    spec.spec.advertiser_pick = Some(AdvertiserPick::OnlyOne);
    assert_eq!(
        plan(&facts(&spec, 60)).action,
        ConnectionAction::Pick("7".into())
    );
    let mut f = facts(&spec, 60);
    f.check.as_mut().unwrap().result = granted(&["7", "8"], "STATUS_ENABLE");
    let several = plan(&f);
    assert_eq!(several.action, ConnectionAction::Rest);
    assert_eq!(several.status.advertiser_count, Some(2));
    // Picked on the page.
    with_token(&mut f, |held| held.advertiser = Some("7".into()));
    assert_eq!(ready(&plan(&f)).1, "Verified");
}

#[test]
fn r26_what_was_not_approved_is_said_and_kept_to() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    with_token(&mut f, |held| held.scopes = Some(vec![1, 200, 210, 220, 3]));
    let reads = plan(&f);
    assert_eq!(account(&reads).access, Access::ReadOnly);
    assert_eq!(ready(&reads), ("True".into(), "ScopeMissing".into()));
    let scopes = reads.status.scopes.unwrap();
    assert_eq!(scopes.missing.len(), 3);
    assert_eq!(scopes.excess, ["3"]);
    with_token(&mut f, |held| held.scopes = Some(vec![1, 4]));
    assert_eq!(account(&plan(&f)).access, Access::Over, "reports alone");
}

#[test]
fn a_suspended_account_lets_nothing_but_pauses_through_and_is_looked_at_more_often() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    f.check.as_mut().unwrap().result = granted(&["7"], "STATUS_LIMIT");
    let limited = plan(&f);
    assert_eq!(ready(&limited).1, "AccountRestricted");
    assert_eq!(account(&limited).suspended.as_deref(), Some("STATUS_LIMIT"));
    assert_eq!(limited.wake, Some(at(60 + 300)));
    f.check.as_mut().unwrap().result = granted(&["7"], "STATUS_PENDING_VERIFIED");
    assert_eq!(account(&plan(&f)).suspended, None);
    // An event says that it may be another: asked at once.
    f.doubted = Some(at(70));
    f.now = at(70);
    assert_eq!(plan(&f).action, ConnectionAction::Check);
}

#[test]
fn an_app_of_another_id_keeps_the_old_one_until_there_is_a_token_of_it() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    f.app = SecretFacts::Present {
        fingerprint: "g".into(),
    };
    assert_eq!(
        plan(&f).action,
        ConnectionAction::WriteToken,
        "a new secret"
    );
    f.app_id = Some("2".into());
    let other = plan(&f);
    assert_eq!(other.action, ConnectionAction::Rest);
    assert_eq!(account(&other).access, Access::ReadOnly);
    assert_eq!(account(&other).app, "1");
}

#[test]
fn without_a_token_the_next_step_is_said() {
    let spec = object(json!({}));
    let mut f = facts(&spec, 60);
    f.held = HeldFacts::Missing;
    f.check = None;
    f.connect = ConnectFacts::Missing;
    assert_eq!(plan(&f).action, ConnectionAction::WriteConnect);
    f.connect = ConnectFacts::Present {
        until: at(366 * DAY),
    };
    let waits = plan(&f);
    assert_eq!(ready(&waits).1, "NotAuthorised");
    assert_eq!(waits.status.banner, None);
    f.connect = ConnectFacts::NotOurs;
    assert_eq!(ready(&plan(&f)).1, "ConnectSecretTaken");
    f.public_url = None;
    assert_eq!(ready(&plan(&f)).1, "SecretMissing");
    // A token that was authorised is tried before it is used.
    f.public_url = Some("https://ads.example.com");
    f.connect = ConnectFacts::Present {
        until: at(366 * DAY),
    };
    f.held = HeldFacts::Present(Held {
        app_fingerprint: "f".into(),
        candidate: Some("t9".into()),
        ..Held::default()
    });
    assert_eq!(plan(&f).action, ConnectionAction::TryCandidate);
}

fn child(deleting_since: Option<i64>) -> Child {
    Child {
        name: "Campaign spring".into(),
        deleting_since: deleting_since.map(at),
        held: true,
    }
}

fn stays(plan: &ConnectionPlan) -> &str {
    match &plan.action {
        ConnectionAction::KeepGrant(Revoked::Stays(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r22_a_grant_is_ended_only_when_it_was_made_here_and_nobody_else_has_it() {
    let gone = deleting(object(json!({})), 60);
    let mut f = facts(&gone, 60 + 15);
    assert_eq!(plan(&f).action, ConnectionAction::Unsubscribe);
    f.farewell.begun = Some(at(60 + 15));
    f.farewell.unsubscribed = true;
    assert_eq!(plan(&f).action, ConnectionAction::Revoke);
    f.grants = Grants::Other("shop/b".into());
    assert!(stays(&plan(&f)).contains("shop/b"));
    // A process that has only just begun may still read it, and one that goes as well is gone in a moment.
    for (grants, word) in [
        (Grants::Unknown, "could be read"),
        (Grants::Going("shop/b".into()), "shop/b"),
    ] {
        f.grants = grants;
        f.now = at(60 + 15);
        let waits = plan(&f);
        assert_eq!(
            (waits.action, waits.wake),
            (ConnectionAction::Rest, Some(at(60 + 17)))
        );
        f.now = at(60 + 15 + 26);
        assert!(stays(&plan(&f)).contains(word));
    }
    f.grants = Grants::Nobody;
    with_token(&mut f, |held| held.origin = Origin::Imported);
    let imported =
        ConnectionAction::KeepGrant(Revoked::NoneHere("an imported token is not revoked".into()));
    assert_eq!(plan(&f).action, imported);
    with_token(&mut f, |held| held.candidate = Some("t9".into()));
    assert!(stays(&plan(&f)).contains("just been authorised"));
    f.farewell.revoked = Some(Revoked::Done);
    assert_eq!(plan(&f).action, ConnectionAction::Tell);
    f.farewell.said = true;
    assert_eq!(plan(&f).action, ConnectionAction::DropToken);
    f.held = HeldFacts::Missing;
    assert_eq!(plan(&f).action, ConnectionAction::Release);
}

/// Whatever became of the token's Secret, what became of the grant is said.
#[test]
fn r22_a_grant_whose_token_is_gone_is_told_too() {
    let mut gone = object(json!({}));
    let status = plan(&facts(&gone, 60)).status;
    gone = deleting(gone, 60);
    for held in [HeldFacts::Missing, HeldFacts::NotOurs] {
        let mut f = facts(&gone, 60 + 15);
        f.held = held;
        f.check = None;
        let none = ConnectionAction::KeepGrant(Revoked::NoneHere("it held no token".into()));
        assert_eq!(plan(&f).action, none);
        let mut known = gone.clone();
        known.status = Some(status.clone());
        f.object = &known;
        assert!(stays(&plan(&f)).contains("main-tiktok-token"));
        f.farewell.revoked = Some(Revoked::Done);
        assert_eq!(plan(&f).action, ConnectionAction::Tell);
    }
}

/// How a farewell goes: the tries to revoke, and when it was given up. `unsubscribes`: how long that takes; `call`: how long
/// TikTok takes to fail.
fn farewell(unsubscribes: i64, call: i64) -> (i64, i64) {
    let gone = deleting(object(json!({})), 0);
    let (mut now, mut tries) = (15, 0);
    let mut farewell = Farewell::default();
    loop {
        let mut f = facts(&gone, now);
        f.farewell = farewell.clone();
        let planned = plan(&f);
        match planned.action {
            ConnectionAction::Unsubscribe => {
                farewell.begun = Some(at(now));
                farewell.unsubscribed = true;
                now += unsubscribes;
            }
            ConnectionAction::Revoke => {
                tries += 1;
                let most = farewell_call(farewell.begun.unwrap(), at(now)).unwrap();
                now += call.min(i64::try_from(most.as_secs()).unwrap());
                let down = Err((false, "no answer".into()));
                farewell.revoke_again = after_revoke(at(now), down).err();
            }
            ConnectionAction::Rest => now = planned.wake.unwrap().as_second() - at(0).as_second(),
            _ => {
                assert!(stays(&planned).contains("did not answer"));
                return (tries, now);
            }
        }
    }
}

#[test]
fn r22_a_platform_that_is_down_or_never_answers_holds_nobody_for_a_minute() {
    assert_eq!(farewell(0, 15), (2, 15 + 15 + 2 + 15));
    // The most that unsubscribing takes leaves time for one try.
    let most = i64::try_from((FAREWELL_WITHIN - FAREWELL_CALL).as_secs()).unwrap();
    assert_eq!(farewell(most, 15), (1, 15 + most + 15));
    for unsubscribes in 0..=most {
        for call in 0..=20 {
            let (tries, over) = farewell(unsubscribes, call);
            assert!(
                tries >= 1 && over <= 15 + 40,
                "{unsubscribes} {call}: {tries}, {over}"
            );
        }
    }
}

#[test]
fn r22_a_child_that_is_deleted_late_and_settled_at_once_has_its_grace_too() {
    let gone = deleting(object(json!({})), 0);
    let mut f = facts(&gone, 24);
    f.children = vec![Child {
        held: false,
        ..child(Some(10))
    }];
    let waits = plan(&f);
    assert_eq!(
        (waits.action, waits.wake),
        (ConnectionAction::Rest, Some(at(25)))
    );
    f.now = at(25);
    assert_eq!(plan(&f).action, ConnectionAction::Unsubscribe);
}

#[test]
fn r22_a_twin_reads_what_it_may_hold_and_goes_on_saying_why_it_rests() {
    let object = object(json!({}));
    let mut f = facts(&object, 60);
    f.twin = Some("the connection a".into());
    assert_eq!(plan(&f).action, ConnectionAction::Rest);
    f.held = HeldFacts::Unread;
    let reads = plan(&f);
    assert_eq!(reads.action, ConnectionAction::ReadSecrets);
    assert_eq!(ready(&reads).1, "AdvertiserTaken");
    f.held = HeldFacts::Missing;
    f.stale = true;
    assert_eq!(plan(&f).action, ConnectionAction::ReadSecrets);
}

#[test]
fn r22_children_go_first_and_what_keeps_them_is_said() {
    let gone = deleting(object(json!({})), 0);
    let mut f = facts(&gone, 20);
    f.children = vec![child(Some(10)), child(None)];
    assert_eq!(plan(&f).action, ConnectionAction::Rest, "its policy first");
    f.now = at(61);
    f.check.as_mut().unwrap().at = at(61);
    assert_eq!(ready(&plan(&f)).1, "ChildrenOpen");
    // The token is dead: that is the next step.
    f.refused = Some(Refusal {
        token: "t0".into(),
        message: "revoked".into(),
        app: false,
    });
    f.not_before = Some(at(100));
    let stuck = plan(&f);
    let message = &stuck.status.conditions.iter().find(|c| c.type_ == "Ready");
    let message = &message.unwrap().message;
    assert!(message.contains("authorise again"), "{message}");
    assert!(message.contains(RELEASE), "{message}");
    // While TikTok is asked again, what keeps them goes on to be said.
    f.not_before = None;
    let asks = plan(&f);
    assert_eq!(asks.action, ConnectionAction::Check);
    assert_eq!(ready(&asks).1, "ChildrenOpen");
    // One that is due is renewed: nothing else settles them.
    f.refused = None;
    f.now = at(19 * 3600);
    let renews = plan(&f);
    assert_eq!(renews.action, ConnectionAction::Rotate { unclear: false });
    assert_eq!(ready(&renews).1, "ChildrenOpen");
    // Released: nothing is asked of TikTok any more.
    let mut released = gone.clone();
    released.metadata.annotations = Some([(RELEASE.to_string(), "true".to_string())].into());
    f.object = &released;
    assert!(stays(&plan(&f)).contains(RELEASE));
    f.farewell.revoked = Some(Revoked::Stays(String::new()));
    f.farewell.said = true;
    assert_eq!(plan(&f).action, ConnectionAction::DropToken);
}
