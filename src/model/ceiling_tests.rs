use super::*;
use proptest::prelude::*;

fn caps(per_object: Option<i64>, total: Option<i64>) -> Caps {
    Caps {
        per_object,
        total,
        wrong_currency: None,
    }
}

fn view(campaigns: &[(&str, bool, Option<i64>)]) -> CeilingView {
    CeilingView {
        complete: true,
        ad_groups_of: Tree::ALL.into(),
        campaigns: campaigns
            .iter()
            .map(|(id, on, own)| {
                (
                    (*id).to_string(),
                    CampaignSpend {
                        tree: Tree::Manual,
                        on: *on,
                        own: own.map(Bound::daily),
                    },
                )
            })
            .collect(),
        ad_groups: BTreeMap::new(),
    }
}

fn campaign(id: &str, own: Option<i64>) -> Candidate {
    Candidate::Campaign {
        id: id.into(),
        tree: Tree::Manual,
        own: own.map(Bound::daily),
    }
}

fn group(id: &str, campaign: &str, amount: Option<i64>) -> Candidate {
    Candidate::AdGroup {
        id: id.into(),
        campaign: campaign.into(),
        amount: amount.map(Bound::daily),
    }
}

fn reason(result: Result<(), Hold>) -> Option<Reason> {
    result.err().map(|hold| hold.reason)
}

#[test]
fn r20_without_a_ceiling_nothing_is_enabled_at_any_level() {
    for candidate in [
        campaign("1", Some(100)),
        group("2", "1", Some(100)),
        Candidate::Ad,
    ] {
        let hold = view(&[("1", true, None)]).check(&caps(None, None), &candidate, "EUR");
        assert_eq!(reason(hold), Some(Reason::NoBudgetCeiling));
    }
}

#[test]
fn r20_dynamic_daily_counts_a_quarter_more_rounded_up() {
    let dynamic = Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET");
    let most = |budget| per_day(dynamic, Some(Cents(budget))).map(|bound| bound.most);
    assert_eq!(most(10_000), Some(12_500));
    assert_eq!(most(1), Some(2));
    assert_eq!(per_day(Some("BUDGET_MODE_INFINITE"), Some(Cents(0))), None);
    assert_eq!(per_day(None, Some(Cents(5))), None);
}

/// A cap that is raised to a lifetime budget lets everything else have that much a day: no message may lead there first.
#[test]
fn r20_a_message_says_what_counts_of_which_budget() {
    let said = |mode: &str, budget| {
        let bound = per_day(Some(mode), Some(Cents(budget)));
        let hold = caps(Some(20_000), None).standing_hold(bound, "USD");
        hold.map(|hold| hold.message).unwrap_or_default()
    };
    assert_eq!(
        said("BUDGET_MODE_DAY", 30_000),
        "it could spend 300 USD a day, more than the connection's maxDailyBudgetPerObject (200 USD); lower spec.budget or \
         raise the cap"
    );
    let dynamic = said("BUDGET_MODE_DYNAMIC_DAILY_BUDGET", 18_000);
    assert!(
        dynamic.starts_with(
            "a DynamicDaily budget of 180 USD lets TikTok spend up to 225 USD on one day"
        ),
        "{dynamic}"
    );
    let life = said("BUDGET_MODE_TOTAL", 1_000_000);
    assert!(
        life.starts_with(
            "a lifetime budget of 10000 USD counts whole against the connection's maxDailyBudgetPerObject (200 USD)"
        ),
        "{life}"
    );
    assert!(!life.contains("raise the cap"), "{life}");
    assert!(life.contains("mode Daily"), "{life}");
    assert_eq!(said("BUDGET_MODE_TOTAL", 20_000), "");
}

#[test]
fn r20_a_total_says_how_lifetime_budgets_count() {
    let mut account = view(&[("1", true, Some(10_000))]);
    let total = |account: &CeilingView| {
        let hold = account.check(
            &caps(None, Some(15_000)),
            &campaign("2", Some(6_000)),
            "USD",
        );
        hold.unwrap_err().message
    };
    let told = "what is on in this account counts 100 USD against the connection's maxDailyBudgetTotal (150 USD) already; \
                with 60 USD more it would be passed; pause or lower something, or raise the cap";
    assert_eq!(total(&account), told);
    let life = per_day(Some("BUDGET_MODE_TOTAL"), Some(Cents(10_000)));
    if let Some(one) = account.campaigns.get_mut("1") {
        one.own = life;
    }
    assert!(total(&account).contains("A lifetime budget counts whole"));
}

#[test]
fn r20_an_incomplete_list_refuses_the_total_and_not_the_single_object() {
    let nothing = CeilingView::default();
    let one = campaign("1", Some(100));
    assert_eq!(
        reason(nothing.check(&caps(None, Some(1_000_000)), &one, "EUR")),
        Some(Reason::CeilingUnknown)
    );
    assert_eq!(
        reason(nothing.check(&caps(Some(100), None), &one, "EUR")),
        None
    );
}

#[test]
fn r20_a_campaign_without_a_budget_is_bounded_by_its_ad_groups_that_are_on() {
    let mut account = view(&[("1", false, None), ("2", true, Some(300))]);
    account.ad_groups.insert(
        "1".into(),
        [("11".to_string(), Some(Bound::daily(400)))].into(),
    );
    let infinite = campaign("1", None);
    let total = |most| reason(account.check(&caps(None, Some(most)), &infinite, "EUR"));
    assert_eq!(total(700), None);
    assert_eq!(total(699), Some(Reason::CeilingReached));
    assert_eq!(
        reason(account.check(&caps(Some(399), None), &infinite, "EUR")),
        Some(Reason::CeilingReached),
        "an ad group in it is above the ceiling for one object"
    );
    let unknown = CeilingView {
        ad_groups_of: [Tree::SmartPlus].into(),
        ..account.clone()
    };
    assert_eq!(
        reason(unknown.check(&caps(Some(1_000), None), &infinite, "EUR")),
        Some(Reason::CeilingUnknown)
    );
    account
        .ad_groups
        .insert("1".into(), [("12".to_string(), None)].into());
    assert_eq!(
        reason(account.check(&caps(Some(1_000), None), &infinite, "EUR")),
        Some(Reason::CeilingUnknown),
        "an ad group without a budget is bounded by nothing"
    );
}

#[test]
fn r20_an_ad_group_counts_only_where_its_campaign_does_not_bound_it() {
    let account = view(&[
        ("1", true, Some(500)),
        ("2", true, None),
        ("3", false, None),
    ]);
    let limits = caps(Some(1_000), Some(600));
    let check = |candidate| reason(account.check(&limits, &candidate, "EUR"));
    assert_eq!(
        check(group("11", "1", Some(900))),
        None,
        "the campaign bounds it"
    );
    assert_eq!(check(group("11", "1", None)), None, "budget optimisation");
    assert_eq!(check(group("21", "2", Some(100))), None);
    assert_eq!(
        check(group("21", "2", Some(101))),
        Some(Reason::CeilingReached)
    );
    assert_eq!(check(group("21", "2", None)), Some(Reason::CeilingUnknown));
    assert_eq!(
        check(group("31", "3", Some(900))),
        None,
        "its campaign is off: asked when that is switched on"
    );
    assert_eq!(
        check(group("31", "3", Some(1_001))),
        Some(Reason::CeilingReached)
    );
    assert_eq!(
        check(group("41", "4", Some(1))),
        Some(Reason::CeilingUnknown)
    );
    assert_eq!(check(Candidate::Ad), None);
}

#[test]
fn r20_what_is_about_to_be_on_counts_at_the_higher_amount() {
    let mut account = view(&[("1", false, Some(100)), ("2", true, None)]);
    account.count_about(&campaign("1", Some(300)));
    account.count_about(&group("21", "2", Some(50)));
    account.count_about(&group("21", "2", Some(40)));
    assert_eq!(account.total(), Ok(350));
    account.count_about(&group("21", "2", None));
    assert!(account.total().is_err());
}

proptest! {
    #[test]
    fn r20_what_passes_never_sums_above_the_total(
        others in proptest::collection::vec((0i64..100_000, any::<bool>(), proptest::collection::vec(0i64..50_000, 0..4)), 0..20),
        mine in 1i64..100_000, total in 1i64..500_000
    ) {
        let mut account = view(&[]);
        let mut sum = mine;
        for (i, (own, bounded, groups)) in others.iter().enumerate() {
            let id = format!("o{i}");
            let own = bounded.then_some(*own);
            account.campaigns.insert(id.clone(), CampaignSpend { tree: Tree::Manual, on: true, own: own.map(Bound::daily) });
            let inside: BTreeMap<String, Option<Bound>> =
                groups.iter().enumerate().map(|(n, g)| (format!("{id}.{n}"), Some(Bound::daily(*g)))).collect();
            sum += own.unwrap_or_else(|| groups.iter().sum());
            account.ad_groups.insert(id, inside);
        }
        let passed = account.check(&caps(None, Some(total)), &campaign("me", Some(mine)), "EUR").is_ok();
        prop_assert_eq!(passed, sum <= total);
    }
}
