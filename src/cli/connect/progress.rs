//! How far a connection has come since its link was printed: a function of what was seen.

use serde::Serialize;
use serde_json::Value;

/// What is seen of a connection at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub phase: String,
    /// Fingerprint of the token in use.
    pub token: Option<String>,
    /// The message of the Ready condition.
    pub message: String,
    pub banner: Option<String>,
    pub advertiser_id: String,
    pub advertiser_name: String,
    /// How many ad accounts the token reaches.
    pub advertisers: u64,
    /// The ticket is not the one that was printed.
    pub used: bool,
}

impl Seen {
    /// Of a TikTokConnection as the API server has it.
    pub fn of(object: &Value, used: bool) -> Self {
        let status = &object["status"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let conditions = status["conditions"].as_array().map_or(&[][..], |c| c);
        let ready = conditions.iter().find(|one| one["type"] == "Ready");
        Self {
            phase: text(&status["phase"]),
            token: status["token"]["fingerprint"].as_str().map(str::to_owned),
            message: ready.map(|one| text(&one["message"])).unwrap_or_default(),
            banner: status["banner"].as_str().map(str::to_owned),
            advertiser_id: text(&status["advertiser"]["id"]),
            advertiser_name: text(&status["advertiser"]["name"]),
            advertisers: status["advertiserCount"].as_u64().unwrap_or(0),
            used,
        }
    }
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all_fields = "camelCase")]
pub enum Step {
    /// The link's button was pressed.
    Opened,
    /// A token that was not there before is in use.
    Authorised,
    /// One of several ad accounts has to be picked.
    AwaitingAdvertiser { advertisers: u64 },
    /// Done.
    Active {
        advertiser_id: String,
        advertiser_name: String,
    },
    /// Nobody authorised a connection that was fine before, and is.
    Unchanged {
        advertiser_id: String,
        advertiser_name: String,
    },
    /// It stays as it is until somebody does something.
    Incomplete { phase: String, message: String },
    /// The connection cannot be followed.
    Error { message: String },
}

impl Step {
    /// Nothing more will come. True: as wanted.
    pub fn is_end(&self) -> Option<bool> {
        match self {
            Self::Active { .. } | Self::Unchanged { .. } => Some(true),
            Self::Incomplete { .. } | Self::Error { .. } => Some(false),
            _ => None,
        }
    }

    /// One line for people.
    pub fn words(&self) -> String {
        match self {
            Self::Opened => "The link was used. Waiting for the approval on TikTok's page.".into(),
            Self::Authorised => "TikTok's approval is in. Checking what it reaches.".into(),
            Self::AwaitingAdvertiser { advertisers } => format!(
                "The approval reaches {advertisers} ad account{}. Pick one on the page, or name it in the manifest: \
                 spec.advertiserId.",
                if *advertisers == 1 { "" } else { "s" }
            ),
            Self::Active {
                advertiser_id,
                advertiser_name,
            } => format!("Connected: ad account {advertiser_name} ({advertiser_id})."),
            Self::Unchanged { .. } => {
                "No new approval came in; the connection works as before.".into()
            }
            Self::Error { message } => message.clone(),
            Self::Incomplete { phase, message } => {
                let message = if message.is_empty() {
                    "look at kubectl describe tiktokconnection"
                } else {
                    message
                };
                // The status of a connection that nobody authorised says the same at its beginning.
                let message = message
                    .strip_prefix("not connected yet: ")
                    .unwrap_or(message);
                format!("Not connected yet ({phase}): {message}")
            }
        }
    }
}

/// How many looks a connection with a new token may stay short of Active before that is taken for its state: a check of
/// the token needs a few calls.
const LOOKS: u32 = 8;

/// Follows one connection.
pub struct Progress {
    first: Seen,
    last: Seen,
    /// Looks since something changed.
    still: u32,
    opened: bool,
    authorised: bool,
}

impl Progress {
    pub fn new(first: Seen) -> Self {
        Self {
            last: first.clone(),
            first,
            still: 0,
            opened: false,
            authorised: false,
        }
    }

    /// What has happened since the last look.
    pub fn look(&mut self, now: Seen) -> Vec<Step> {
        let mut steps = Vec::new();
        self.still = if now == self.last { self.still + 1 } else { 0 };
        let new_token = now.token.is_some() && now.token != self.first.token;
        if now.used && !self.opened {
            self.opened = true;
            steps.push(Step::Opened);
        }
        if new_token && !self.authorised {
            self.authorised = true;
            steps.push(Step::Authorised);
        }
        // A connection that was fine before is done only when it has a new token.
        let was_active = self.first.is_connected();
        if now.is_connected() && (new_token || !was_active) {
            steps.push(Step::Active {
                advertiser_id: now.advertiser_id.clone(),
                advertiser_name: now.advertiser_name.clone(),
            });
        } else if now.phase == "AwaitingAdvertiser" && self.last.phase != now.phase {
            steps.push(Step::AwaitingAdvertiser {
                advertisers: now.advertisers,
            });
        } else if new_token && now.phase != "AwaitingAdvertiser" && self.still >= LOOKS {
            steps.push(now.incomplete());
        }
        self.last = now;
        steps
    }

    /// What is missing, when nobody waits any longer.
    pub fn given_up(&self) -> Step {
        if self.first.is_connected() && self.last.is_connected() {
            return Step::Unchanged {
                advertiser_id: self.last.advertiser_id.clone(),
                advertiser_name: self.last.advertiser_name.clone(),
            };
        }
        self.last.incomplete()
    }
}

impl Seen {
    /// It works, and needs nobody.
    pub fn is_connected(&self) -> bool {
        self.phase == "Active"
    }

    /// The ad account, for people.
    pub fn account(&self) -> String {
        match self.advertiser_name.as_str() {
            "" => self.advertiser_id.clone(),
            name => format!("{name} ({})", self.advertiser_id),
        }
    }

    fn incomplete(&self) -> Step {
        Step::Incomplete {
            phase: if self.phase.is_empty() {
                "Pending".to_owned()
            } else {
                self.phase.clone()
            },
            message: self.banner.clone().unwrap_or_else(|| self.message.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(phase: &str, token: Option<&str>) -> Seen {
        Seen {
            phase: phase.into(),
            token: token.map(str::to_owned),
            message: "because".into(),
            advertiser_id: "7".into(),
            ..Seen::default()
        }
    }

    fn names(steps: &[Step]) -> Vec<String> {
        let name = |step: &Step| {
            let json = serde_json::to_value(step).unwrap();
            json["step"].as_str().unwrap().to_owned()
        };
        steps.iter().map(name).collect()
    }

    #[test]
    fn a_first_connect_is_told_step_by_step() {
        let mut progress = Progress::new(seen("Pending", None));
        assert!(progress.look(seen("Pending", None)).is_empty());
        let used = |phase: &str, token| Seen {
            used: true,
            advertisers: 2,
            ..seen(phase, token)
        };
        assert_eq!(names(&progress.look(used("Pending", None))), ["Opened"]);
        let steps = progress.look(used("AwaitingAdvertiser", Some("a")));
        assert_eq!(names(&steps), ["Authorised", "AwaitingAdvertiser"]);
        assert!(
            steps[1].words().contains("2 ad accounts"),
            "{}",
            steps[1].words()
        );
        // Who is picking is waited for.
        for _ in 0..100 {
            assert!(
                progress
                    .look(used("AwaitingAdvertiser", Some("a")))
                    .is_empty()
            );
        }
        let steps = progress.look(used("Active", Some("a")));
        assert_eq!(names(&steps), ["Active"]);
        assert_eq!(steps[0].is_end(), Some(true));
    }

    #[test]
    fn a_connection_that_is_active_waits_for_a_new_token() {
        let mut progress = Progress::new(seen("Active", Some("a")));
        assert!(progress.look(seen("Active", Some("a"))).is_empty());
        let steps = progress.look(seen("Active", Some("b")));
        assert_eq!(names(&steps), ["Authorised", "Active"]);
        let mut progress = Progress::new(seen("ReadOnly", Some("a")));
        assert_eq!(names(&progress.look(seen("Active", Some("a")))), ["Active"]);
    }

    #[test]
    fn a_connection_that_was_fine_and_is_needs_no_approval() {
        let mut progress = Progress::new(seen("Active", Some("a")));
        assert!(progress.look(seen("Active", Some("a"))).is_empty());
        let end = progress.given_up();
        assert_eq!(end.is_end(), Some(true));
        assert_eq!(
            end.words(),
            "No new approval came in; the connection works as before."
        );
        // What became worse meanwhile is not fine.
        progress.look(seen("ReadOnly", Some("a")));
        assert_eq!(progress.given_up().is_end(), Some(false));
    }

    #[test]
    fn what_the_status_says_of_a_beginning_is_not_said_twice() {
        let told = Seen {
            message: "not connected yet: open the link".into(),
            ..seen("Pending", None)
        };
        assert_eq!(
            Progress::new(told).given_up().words(),
            "Not connected yet (Pending): open the link"
        );
    }

    #[test]
    fn what_is_missing_is_said_once_it_does_not_change_any_more() {
        let mut progress = Progress::new(seen("ReadOnly", Some("a")));
        assert_eq!(
            names(&progress.look(seen("ReadOnly", Some("b")))),
            ["Authorised"]
        );
        let mut steps = Vec::new();
        for _ in 0..LOOKS {
            assert!(steps.is_empty());
            steps = progress.look(seen("ReadOnly", Some("b")));
        }
        assert_eq!(names(&steps), ["Incomplete"]);
        assert_eq!(steps[0].words(), "Not connected yet (ReadOnly): because");
        assert_eq!(steps[0].is_end(), Some(false));
        // Without a new token there is only the wait.
        let mut progress = Progress::new(seen("ReadOnly", Some("a")));
        for _ in 0..100 {
            assert!(progress.look(seen("ReadOnly", Some("a"))).is_empty());
        }
        assert_eq!(progress.given_up(), steps[0]);
    }

    #[test]
    fn a_status_is_read_as_far_as_it_is_there() {
        let object = serde_json::json!({"status": {
            "phase": "Active", "token": {"fingerprint": "ab"}, "advertiserCount": 3, "banner": "b",
            "advertiser": {"id": "7", "name": "Shop"},
            "conditions": [{"type": "Other", "message": "x"}, {"type": "Ready", "message": "m"}]}});
        let found = Seen::of(&object, true);
        assert_eq!(
            (&*found.phase, found.token.as_deref()),
            ("Active", Some("ab"))
        );
        assert_eq!(
            (&*found.message, found.advertisers, found.used),
            ("m", 3, true)
        );
        assert_eq!(Seen::of(&serde_json::json!({}), false), Seen::default());
    }
}
