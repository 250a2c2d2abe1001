use super::*;

const REFUSED: &str = "TikTok says: revoked (code 40105)";

/// A connection as a process left it to which TikTok had refused the token.
fn left_refused() -> TikTokConnection {
    let mut object = object(json!({}));
    let mut f = facts(&object, 3600);
    f.refused = Some(Refusal {
        token: "t0".into(),
        message: REFUSED.into(),
        app: false,
    });
    object.status = Some(plan(&f).status);
    object
}

/// What a new process knows of it: its Secrets.
fn anew(object: &TikTokConnection) -> ConnectionFacts<'_> {
    ConnectionFacts {
        check: None,
        memory: Memory::default(),
        ..facts(object, 7200)
    }
}

#[test]
fn r21_a_new_process_goes_on_telling_that_the_token_is_refused_until_tiktok_answers() {
    let object = left_refused();
    let told = object.status.clone().unwrap();
    assert!(told.banner.as_ref().unwrap().contains(REFUSED));
    assert_eq!(trouble_told(&told), Some("TokenRefused"));
    let mut f = anew(&object);
    let first = plan(&f);
    assert_eq!(first.action, ConnectionAction::Check);
    assert_eq!(first.status, told);
    assert_eq!(account(&first).access, Access::Refused);
    // No answer is none.
    f.check = Some(Checked {
        at: at(7200),
        token: "t0".into(),
        result: CheckResult::Failed("no answer".into()),
    });
    let again = plan(&f);
    assert_eq!(again.status, told);
    assert_eq!(account(&again).access, Access::Refused);
    // An answer is.
    f.check.as_mut().unwrap().result = granted(&["7"], "STATUS_ENABLE");
    let well = plan(&f);
    assert_eq!(ready(&well), ("True".into(), "Verified".into()));
    assert_eq!(well.status.banner, None);
    assert_eq!(account(&well).access, Access::Full);
}

#[test]
fn r21_what_was_told_of_another_token_or_another_spec_says_nothing() {
    let mut object = left_refused();
    let mut f = anew(&object);
    with_token(&mut f, |held| held.token.as_mut().unwrap().id = "t1".into());
    let other = plan(&f);
    assert_eq!(ready(&other), ("False".into(), "LookingUp".into()));
    assert_eq!(other.status.banner, None);
    assert!(matches!(other.view, ConnectionView::NotReady { .. }));
    object.metadata.generation = Some(2);
    let edited = plan(&anew(&object));
    assert_eq!(ready(&edited), ("False".into(), "LookingUp".into()));
    assert!(matches!(edited.view, ConnectionView::NotReady { .. }));
}

#[test]
fn r26_an_analyst_stays_one_until_tiktok_answers() {
    let mut object = object(json!({}));
    let mut f = facts(&object, 60);
    if let CheckResult::Granted(granted) = &mut f.check.as_mut().unwrap().result {
        granted.role = Some("ANALYST".into());
    }
    let told = plan(&f).status;
    assert_eq!(trouble_told(&told), Some("AnalystRole"));
    object.status = Some(told.clone());
    let mut f = anew(&object);
    f.check = Some(Checked {
        at: at(7200),
        token: "t0".into(),
        result: CheckResult::Failed("no answer".into()),
    });
    let again = plan(&f);
    assert_eq!(again.status.banner, told.banner);
    assert_eq!(again.status.role, told.role);
    assert_eq!(again.status.phase.as_deref(), Some("ReadOnly"));
    assert_eq!(account(&again).access, Access::ReadOnly);
}

#[test]
fn a_banner_is_of_the_kind_that_it_is_about() {
    let object = object(json!({}));
    let told = |second: i64, renews: bool, status: &str| {
        let mut f = facts(&object, second);
        with_token(&mut f, |held| held.token.as_mut().unwrap().refresh = renews);
        f.check.as_mut().unwrap().result = granted(&["7"], status);
        let status = plan(&f).status;
        trouble_told(&status).map(str::to_owned)
    };
    let (enabled, limited) = ("STATUS_ENABLE", "STATUS_LIMIT");
    assert_eq!(told(60, true, enabled), None);
    let restricted = Some("AccountRestricted".to_string());
    assert_eq!(told(60, true, limited), restricted);
    assert_eq!(told(60, true, "STATUS_PENDING_CONFIRM"), restricted);
    let ending = Some(TOKEN_ENDING.to_string());
    assert_eq!(told(19 * 3600, false, enabled), ending);
    // Both: the banner is about the token.
    assert_eq!(told(19 * 3600, false, limited), ending);
    let last_hour = Some("TokenNotRenewed".to_string());
    assert_eq!(told(23 * 3600 + 60, false, limited), last_hour);
}
