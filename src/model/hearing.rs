//! What a connection's status says of webhooks and subscriptions.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::reason::Reason;
use super::report::time;
use crate::api::connection::{TikTokConnection, WebhooksStatus};

/// What is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Where TikTok sends events to, without the part that is a secret. `None`: the operator has no public address.
    pub url: Option<String>,
    /// The connection's mode writes nothing to TikTok, subscriptions included.
    pub hands_off: bool,
    /// What is wrong with the Secrets that the spec names for webhooks.
    pub secrets: Option<(Reason, String)>,
    /// PREVIOUS counts until then.
    pub previous_until: Option<Timestamp>,
    /// When this process last saw something that was signed with PREVIOUS, to the hour.
    pub previous_used: Option<Timestamp>,
    /// Something came that could be believed.
    pub believed: bool,
    /// Something came without a signature.
    pub unsigned: bool,
    /// How many subscriptions there are, and how many there would have to be. `None`: not known yet.
    pub subscriptions: Option<(usize, usize)>,
    /// Why some are missing.
    pub failed: Option<String>,
}

/// Condition `Webhooks`: whether it is true, why, and a text.
pub type Said = Option<(bool, Reason, String)>;

/// The part of the status, and the condition. What this process does not know yet is told as it was.
pub fn tell(object: &TikTokConnection, heard: &Heard) -> (Option<WebhooksStatus>, Said) {
    let before = object.status.as_ref().and_then(|s| s.webhooks.as_ref());
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let status = heard.url.as_ref().map(|url| {
        let earlier = before
            .and_then(|b| b.previous_key_used.as_ref())
            .map(|t| t.0);
        WebhooksStatus {
            url: Some(url.clone()),
            previous_key_accepted_until: heard.previous_until.map(time),
            // Once it is not accepted any more there is nothing to be changed.
            previous_key_used: heard
                .previous_until
                .and(heard.previous_used.max(earlier))
                .map(time),
            subscriptions: match heard.subscriptions {
                Some((have, _)) => Some(count(have)),
                None => before.and_then(|b| b.subscriptions),
            },
            subscriptions_wanted: match heard.subscriptions {
                Some((_, wanted)) => Some(count(wanted)),
                None => before.and_then(|b| b.subscriptions_wanted),
            },
        }
    });
    (status, condition(object, heard))
}

fn condition(object: &TikTokConnection, heard: &Heard) -> Said {
    let shown = object
        .status
        .iter()
        .flat_map(|s| &s.conditions)
        .find(|c| c.type_ == "Webhooks" && c.observed_generation == object.metadata.generation);
    let was = |reason: Reason| shown.is_some_and(|c| c.reason == reason.to_string());
    let no = |reason, text: &str| Some((false, reason, text.to_string()));
    if heard.url.is_none() {
        return no(
            Reason::PollingOnly,
            "the operator has no public address, so TikTok's events cannot reach it: changes are found when the lists are read; whoever runs the operator can set one with --public-url",
        );
    }
    if let Some((reason, message)) = &heard.secrets {
        return Some((false, *reason, message.clone()));
    }
    let believed = heard.believed || was(Reason::Receiving);
    // Said once: who gets a signed message has nothing to do about one that somebody else may have sent.
    if (heard.unsigned || was(Reason::WebhookUnsigned)) && !believed {
        return no(
            Reason::WebhookUnsigned,
            "a message for this connection came without a signature and was refused; if it was TikTok's, put an unguessable text into a Secret, name it in spec.webhooks.pathTokenSecretRef, and register the address with that text at its end",
        );
    }
    if let Some(why) = &heard.failed {
        return Some((
            false,
            Reason::SubscriptionsFailed,
            format!(
                "TikTok does not take all subscriptions, changes are also found when the lists are read: {why}"
            ),
        ));
    }
    if heard.hands_off {
        return no(
            Reason::PollingOnly,
            "the connection's mode writes nothing to TikTok, so subscriptions are neither made nor ended: changes are found when the lists are read, and by the events of subscriptions that were made before",
        );
    }
    if believed {
        return Some((
            true,
            Reason::Receiving,
            "TikTok's events arrive, and their signatures are good".into(),
        ));
    }
    match heard.subscriptions {
        Some((have, _)) if have > 0 => Some((
            true,
            Reason::Subscribed,
            "TikTok has been asked to send events; none has come yet".into(),
        )),
        _ => shown.and_then(as_it_was),
    }
}

/// A new process has not listed its subscriptions yet.
fn as_it_was(shown: &Condition) -> Said {
    (shown.status == "True" && shown.reason == Reason::Subscribed.to_string())
        .then(|| (true, Reason::Subscribed, shown.message.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connection::{TikTokConnectionSpec, TikTokConnectionStatus};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn object(said: &Said, status: Option<WebhooksStatus>) -> TikTokConnection {
        let spec: TikTokConnectionSpec =
            serde_json::from_value(serde_json::json!({"appSecretRef": {"name": "app"}})).unwrap();
        let mut object = TikTokConnection::new("main", spec);
        object.metadata.generation = Some(3);
        let conditions = said.iter().map(|(good, reason, message)| Condition {
            type_: "Webhooks".into(),
            status: if *good { "True" } else { "False" }.into(),
            reason: reason.to_string(),
            message: message.clone(),
            observed_generation: Some(3),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        });
        object.status = Some(TikTokConnectionStatus {
            webhooks: status,
            conditions: conditions.collect(),
            ..TikTokConnectionStatus::default()
        });
        object
    }

    fn reason(said: &Said) -> Option<Reason> {
        said.as_ref().map(|(_, reason, _)| *reason)
    }

    fn public() -> Heard {
        Heard {
            url: Some("https://ads.example/webhooks/tiktok/n/main".into()),
            ..Heard::default()
        }
    }

    #[test]
    fn r24_without_an_address_it_says_polling_only_and_what_to_do() {
        let (status, said) = tell(&object(&None, None), &Heard::default());
        assert_eq!(status, None);
        let (good, why, text) = said.unwrap();
        assert!(!good && why == Reason::PollingOnly && text.contains("--public-url"));
    }

    #[test]
    fn r23_unsigned_is_said_once_and_goes_with_the_first_signed_message() {
        let unsigned = Heard {
            unsigned: true,
            ..public()
        };
        let (_, said) = tell(&object(&None, None), &unsigned);
        assert_eq!(reason(&said), Some(Reason::WebhookUnsigned));
        // A restart forgets what came; the status does not.
        let (_, again) = tell(&object(&said, None), &public());
        assert_eq!(again, said);
        let signed = Heard {
            believed: true,
            ..unsigned
        };
        let (_, good) = tell(&object(&said, None), &signed);
        assert_eq!(reason(&good), Some(Reason::Receiving));
        // From then on strangers cannot turn it about.
        let (_, still) = tell(
            &object(&good, None),
            &Heard {
                unsigned: true,
                ..public()
            },
        );
        assert_eq!(still, good);
    }

    #[test]
    fn a_restart_changes_nothing_in_the_status() {
        let known = Heard {
            subscriptions: Some((3, 4)),
            previous_until: Timestamp::from_second(9000).ok(),
            previous_used: Timestamp::from_second(3600).ok(),
            ..public()
        };
        let (status, said) = tell(&object(&None, None), &known);
        assert_eq!(reason(&said), Some(Reason::Subscribed));
        let fresh = Heard {
            previous_until: known.previous_until,
            ..public()
        };
        let again = tell(&object(&said, status.clone()), &fresh);
        assert_eq!(again, (status, said));
    }

    #[test]
    fn r23_the_use_of_the_previous_key_is_told_only_while_it_counts() {
        let used = Heard {
            previous_until: Timestamp::from_second(9000).ok(),
            previous_used: Timestamp::from_second(3600).ok(),
            ..public()
        };
        let (status, said) = tell(&object(&None, None), &used);
        let shown = status.clone().unwrap();
        assert!(shown.previous_key_used.is_some() && shown.previous_key_accepted_until.is_some());
        let (over, _) = tell(&object(&said, status), &public());
        assert_eq!(over.unwrap().previous_key_used, None);
    }
}
