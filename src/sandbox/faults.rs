//! Faults: what can go wrong between a client and TikTok, made to happen on purpose.

use serde::{Deserialize, Serialize};

use super::Sandbox;

/// When a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Only this advertiser's requests.
    pub advertiser_id: Option<String>,
    /// Only this method.
    pub method: Option<String>,
    /// Only this path; `*` at either end stands for anything: `*/campaign/create/`.
    pub path: Option<String>,
    /// Only requests whose query or body contains this text.
    pub contains: Option<String>,
    /// Lets so many matching requests pass first: 0 strikes the first one.
    pub skip: u32,
    /// Strikes so many times, then is gone. Not said: once; 0: until removed.
    pub count: Option<u32>,
}

/// What goes wrong. The effect of the request happens unless the kind says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The effect happens, then the connection is cut.
    AnswerLost,
    /// The connection is cut before anything happens.
    CutBefore,
    /// Nothing happens; an envelope with this code and text is answered.
    Error {
        /// TikTok's code.
        code: i64,
        /// The envelope's text.
        #[serde(default)]
        message: String,
    },
    /// Answers this HTTP status with a body that is not an envelope.
    HttpStatus {
        /// For instance 502.
        status: u16,
        /// Whether the effect happens all the same.
        #[serde(default)]
        after_effect: bool,
        /// Sent as `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The effect happens; the body of the answer breaks off in the middle.
    MalformedBody,
    /// The effect happens at once; the answer comes so many milliseconds later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection is cut at once, and the effect happens so many milliseconds later.
    EffectDelay {
        /// Milliseconds.
        ms: i64,
    },
    /// A list answers code 0 with the last rows of the page missing; `page_info` does not show it.
    PartialPage {
        /// How many rows; not said: half of the page, rounded up.
        #[serde(default)]
        rows: Option<usize>,
    },
    /// A list answers as if one row did not exist.
    SkippedRow {
        /// Which, by the id that the list shows, of any level (`adgroup_id`, `ad_id` and `smart_plus_ad_id` are other
        /// names of it); not said: the newest that the list would show.
        #[serde(
            default,
            alias = "adgroup_id",
            alias = "ad_id",
            alias = "smart_plus_ad_id"
        )]
        campaign_id: Option<String>,
    },
    /// A list answers as it would have answered so many milliseconds ago.
    LateListing {
        /// Milliseconds.
        ms: i64,
    },
}

impl FaultKind {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::AnswerLost => "answer_lost",
            Self::CutBefore => "cut_before",
            Self::Error { .. } => "error",
            Self::HttpStatus { .. } => "http_status",
            Self::MalformedBody => "malformed_body",
            Self::Delay { .. } => "delay",
            Self::EffectDelay { .. } => "effect_delay",
            Self::PartialPage { .. } => "partial_page",
            Self::SkippedRow { .. } => "skipped_row",
            Self::LateListing { .. } => "late_listing",
        }
    }
}

/// A fault: when, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// When it strikes.
    #[serde(rename = "match", default)]
    pub when: Match,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// A fault that is in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveFault {
    /// Names it for removal.
    pub id: u64,
    /// How many matching requests it has let pass.
    pub passed: u32,
    /// How many it has struck.
    pub struck: u32,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Faults {
    next: u64,
    active: Vec<ActiveFault>,
}

/// What a fault matches against.
pub(super) struct Target<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub advertiser_id: &'a str,
    pub query: &'a str,
    pub body: &'a [u8],
}

impl Match {
    fn hits(&self, target: &Target<'_>) -> bool {
        let same =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        same(&self.advertiser_id, target.advertiser_id)
            && self
                .method
                .as_deref()
                .is_none_or(|method| method.eq_ignore_ascii_case(target.method))
            && self
                .path
                .as_deref()
                .is_none_or(|pattern| path_matches(pattern, target.path))
            && self.contains.as_deref().is_none_or(|text| {
                target.query.contains(text) || String::from_utf8_lossy(target.body).contains(text)
            })
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (None, None) => pattern == path,
        (Some(tail), None) => path.ends_with(tail),
        (None, Some(head)) => path.starts_with(head),
        (Some(_), Some(_)) => path.contains(pattern.trim_matches('*')),
    }
}

impl Faults {
    fn add(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        self.active.push(ActiveFault {
            id: self.next,
            passed: 0,
            struck: 0,
            fault,
        });
        self.next
    }

    /// What strikes this request, in the order the faults were set.
    pub(super) fn strike(&mut self, target: &Target<'_>) -> Vec<FaultKind> {
        let mut kinds = Vec::new();
        self.active.retain_mut(|active| {
            if !active.fault.when.hits(target) {
                return true;
            }
            if active.passed < active.fault.when.skip {
                active.passed += 1;
                return true;
            }
            kinds.push(active.fault.kind.clone());
            active.struck += 1;
            let count = active.fault.when.count.unwrap_or(1);
            count == 0 || active.struck < count
        });
        kinds
    }
}

impl Sandbox {
    /// Sets a fault; the number names it for [`Sandbox::remove_fault`].
    pub fn inject(&mut self, fault: Fault) -> u64 {
        self.faults.add(fault)
    }

    /// The faults in place, with what they have done so far. One that has struck as often as it should is gone.
    pub fn faults(&self) -> &[ActiveFault] {
        &self.faults.active
    }

    /// Takes a fault away; false if it is not (or no longer) there.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        let before = self.faults.active.len();
        self.faults.active.retain(|active| active.id != id);
        self.faults.active.len() != before
    }

    /// Takes all faults away, or all that are for one advertiser only.
    pub fn clear_faults(&mut self, advertiser_id: Option<&str>) {
        self.faults.active.retain(|active| {
            advertiser_id.is_some() && active.fault.when.advertiser_id.as_deref() != advertiser_id
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn target(path: &str) -> Target<'_> {
        Target {
            method: "POST",
            path,
            advertiser_id: "1",
            query: "",
            body: b"{\"campaign_name\":\"a\"}",
        }
    }

    #[test]
    fn skip_and_count() {
        let mut faults = Faults::default();
        faults.add(Fault {
            when: Match {
                path: Some("*/create/".into()),
                skip: 1,
                count: Some(2),
                ..Match::default()
            },
            kind: FaultKind::AnswerLost,
        });
        let struck: Vec<_> = (0..5)
            .map(|_| faults.strike(&target("/x/create/")).len())
            .collect();
        assert_eq!(struck, [0, 1, 1, 0, 0]);
        assert!(faults.active.is_empty());
    }

    #[test]
    fn matching() {
        for (when, hits) in [
            (Match::default(), true),
            (
                Match {
                    advertiser_id: Some("2".into()),
                    ..Match::default()
                },
                false,
            ),
            (
                Match {
                    method: Some("get".into()),
                    ..Match::default()
                },
                false,
            ),
            (
                Match {
                    method: Some("post".into()),
                    ..Match::default()
                },
                true,
            ),
            (
                Match {
                    path: Some("/x/*".into()),
                    ..Match::default()
                },
                true,
            ),
            (
                Match {
                    path: Some("/x/".into()),
                    ..Match::default()
                },
                false,
            ),
            (
                Match {
                    contains: Some("campaign_name".into()),
                    ..Match::default()
                },
                true,
            ),
            (
                Match {
                    contains: Some("other".into()),
                    ..Match::default()
                },
                false,
            ),
        ] {
            assert_eq!(when.hits(&target("/x/create/")), hits, "{when:?}");
        }
    }

    #[test]
    fn the_json_form_is_flat() {
        let fault: Fault = serde_json::from_value(
            serde_json::json!({"kind": "error", "code": 50000, "match": {"path": "/p/"}}),
        )
        .unwrap();
        assert_eq!(
            fault.kind,
            FaultKind::Error {
                code: 50_000,
                message: String::new()
            }
        );
        assert_eq!(fault.when.path.as_deref(), Some("/p/"));
        assert!(serde_json::from_value::<Fault>(serde_json::json!({"kind": "eror"})).is_err());
    }
}
