//! What kstatus computes and what Flux's health checks demand, in a few lines of our own.

use serde_json::Value;

/// kstatus' word for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    InProgress,
    Failed,
    Current,
    Terminating,
}

/// kstatus' `Compute` for a custom resource: generic rules, then `Reconciling`, `Stalled` and `Ready`.
pub fn compute(object: &Value) -> Computed {
    let meta = &object["metadata"];
    if meta.get("deletionTimestamp").is_some() {
        return Computed::Terminating;
    }
    let observed = object["status"]["observedGeneration"].as_i64();
    if observed.is_some() && observed != meta["generation"].as_i64() {
        return Computed::InProgress;
    }
    let is = |kind: &str| condition(object, kind).map(|c| c["status"].as_str().unwrap_or(""));
    if is("Reconciling") == Some("True") {
        return Computed::InProgress;
    }
    if is("Stalled") == Some("True") {
        return Computed::Failed;
    }
    match is("Ready") {
        Some("True") | None => Computed::Current,
        Some(_) => Computed::InProgress,
    }
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|c| c["type"] == kind)
}

/// What a checker would complain about, if anything.
pub fn complaint(object: &Value) -> Option<String> {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    let status = &object["status"];
    let Some(observed) = status["observedGeneration"].as_i64() else {
        return Some("status.observedGeneration is missing".into());
    };
    if observed > generation {
        return Some(format!(
            "observedGeneration {observed} is ahead of generation {generation}"
        ));
    }
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let mut types = std::collections::BTreeSet::new();
    for c in &conditions {
        let text = |key: &str| c[key].as_str().unwrap_or_default();
        let kind = text("type");
        if !types.insert(kind.to_string()) {
            return Some(format!("condition {kind} is there twice"));
        }
        for key in ["type", "status", "reason", "lastTransitionTime"] {
            if text(key).is_empty() {
                return Some(format!("condition {kind} has no {key}"));
            }
        }
        if !matches!(text("status"), "True" | "False" | "Unknown") {
            return Some(format!("condition {kind} has status {}", text("status")));
        }
        if c["observedGeneration"].as_i64() != Some(observed) {
            return Some(format!(
                "condition {kind} speaks of generation {}, the status of {observed}",
                c["observedGeneration"]
            ));
        }
        if matches!(kind, "Reconciling" | "Stalled") && text("status") != "True" {
            return Some(format!("{kind} is there although it is not true"));
        }
    }
    let is = |kind: &str| condition(object, kind).map(|c| c["status"].as_str().unwrap_or(""));
    if is("Reconciling").is_some() && is("Stalled").is_some() {
        return Some("Stalled and Reconciling together".into());
    }
    match (observed, is("Ready")) {
        (-1, None) => None,
        (_, None) => Some("there is no Ready condition".into()),
        (_, Some("True")) if is("Reconciling").is_some() || is("Stalled").is_some() => {
            Some("Ready together with Reconciling or Stalled".into())
        }
        (_, Some("True")) => None,
        (_, Some(_)) if is("Reconciling").is_none() && is("Stalled").is_none() => {
            Some("not Ready, and neither Reconciling nor Stalled says why".into())
        }
        _ => None,
    }
}

#[test]
fn the_checker_complains() {
    use serde_json::json;
    let condition = |kind: &str, status: &str, generation: i64| {
        json!({"type": kind, "status": status, "reason": "R", "message": "m",
            "lastTransitionTime": "2026-11-23T12:00:00Z", "observedGeneration": generation})
    };
    let object = |generation: i64, observed: i64, conditions: Vec<Value>| {
        json!({"metadata": {"generation": generation},
            "status": {"observedGeneration": observed, "conditions": conditions}})
    };
    let fine = object(2, 2, vec![condition("Ready", "True", 2)]);
    assert_eq!(complaint(&fine), None);
    assert_eq!(compute(&fine), Computed::Current);
    assert_eq!(
        compute(&object(3, 2, vec![condition("Ready", "True", 2)])),
        Computed::InProgress
    );
    assert_eq!(compute(&object(1, -1, vec![])), Computed::InProgress);
    for wrong in [
        object(2, 3, vec![condition("Ready", "True", 3)]),
        object(2, 2, vec![condition("Ready", "True", 1)]),
        object(2, 2, vec![]),
        object(2, 2, vec![condition("Ready", "False", 2)]),
        object(
            2,
            2,
            vec![
                condition("Ready", "False", 2),
                condition("Stalled", "True", 2),
                condition("Reconciling", "True", 2),
            ],
        ),
        object(
            2,
            2,
            vec![
                condition("Ready", "True", 2),
                condition("Stalled", "True", 2),
            ],
        ),
        object(
            2,
            2,
            vec![
                condition("Ready", "False", 2),
                condition("Stalled", "False", 2),
            ],
        ),
        json!({"metadata": {"generation": 1}, "status": {}}),
    ] {
        assert!(complaint(&wrong).is_some(), "{wrong}");
    }
    let mut undated = fine;
    undated["status"]["conditions"][0]["lastTransitionTime"] = Value::Null;
    assert!(complaint(&undated).is_some());
}
