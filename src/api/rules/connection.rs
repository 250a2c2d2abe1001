//! Rules of TikTokConnection.

use super::{Part, Topic, amount, currency, id, object_name, part, whole_units};

/// Rules of TikTokConnection.
pub(in crate::api) fn connection() -> Vec<Topic> {
    vec![
        object_name("spec.appSecretRef.name"),
        object_name("spec.tokenSecretRef.name"),
        secret_key("spec.tokenSecretRef.key"),
        id("spec.advertiserId"),
        id("spec.eventsSource.pixelId"),
        object_name("spec.webhooks.keysSecretRef.name"),
        object_name("spec.webhooks.pathTokenSecretRef.name"),
        secret_key("spec.webhooks.pathTokenSecretRef.key"),
        amount("spec.caps.maxDailyBudgetPerObject.amount"),
        currency("spec.caps.maxDailyBudgetPerObject.currency"),
        Topic::new("spec.caps.maxDailyBudgetPerObject", vec![whole_units()]),
        amount("spec.caps.maxDailyBudgetTotal.amount"),
        currency("spec.caps.maxDailyBudgetTotal.currency"),
        Topic::new("spec.caps.maxDailyBudgetTotal", vec![whole_units()]),
        Topic::new("spec.caps", caps()),
        Topic::new(
            "spec",
            vec![part(
                "!has(oldSelf.advertiserId) || \
                 (has(self.advertiserId) && self.advertiserId == oldSelf.advertiserId)",
                "advertiserId cannot be changed or removed once it is set, because campaigns belong to their ad \
                 account: put it back, or make another TikTokConnection for the other account",
            )],
        ),
    ]
}

/// A key of a Secret.
fn secret_key(path: &'static str) -> Topic {
    Topic::new(
        path,
        vec![part(
            "self.matches('^[-._a-zA-Z0-9]+$')",
            "a key of a Secret has only letters, digits, -, _ and .: write it as it is in the Secret",
        )],
    )
}

fn caps() -> Vec<Part> {
    let both = "!has(self.maxDailyBudgetPerObject) || !has(self.maxDailyBudgetTotal)";
    let (one, total) = (
        "string(self.maxDailyBudgetPerObject.amount)",
        "string(self.maxDailyBudgetTotal.amount)",
    );
    vec![
        part(
            format!(
                "{both} || self.maxDailyBudgetPerObject.currency == self.maxDailyBudgetTotal.currency"
            ),
            "both ceilings are in the currency of the ad account: write the same currency in both",
        ),
        part(
            format!(
                "{both} || !isQuantity({one}) || !isQuantity({total}) || \
                 !quantity({one}).isGreaterThan(quantity({total}))"
            ),
            "maxDailyBudgetPerObject is more than maxDailyBudgetTotal, so it would never be reached: lower it, or \
             raise maxDailyBudgetTotal",
        ),
    ]
}
