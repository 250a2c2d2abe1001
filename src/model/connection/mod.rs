//! One next step for one connection: import or renew the token, check the account, or disconnect.
//!
//! [`live`] decides what to do while it lives, [`ending`] while it is being deleted; [`standing`] says what may be done with
//! the token, [`view`] what the objects of the account are told, [`status`] what people are told, [`told`] what they were
//! told before.

mod ending;
mod left;
mod live;
mod scopes;
mod standing;
mod status;
mod told;
mod unwritable;
mod view;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::facts::ConnectionView;
use super::reason::Reason;
use super::report::Ready;
use super::token;
use crate::api::connection::{
    AdvertiserPick, AdvertiserStatus, EventsSourceStatus, TikTokConnection, TikTokConnectionStatus,
    WebhooksStatus,
};
use crate::api::{FINALIZER, RELEASE};

pub use ending::{after_revoke, farewell_call};
pub use left::{AccountLeft, Left, last_event};
pub use status::{callback_url, connect_url, webhook_url};
pub use told::{TOKEN_ENDING, trouble_told};

/// R22: children that are deleted together with the connection get at least this long to show up.
pub const DISCONNECT_GRACE: Duration = Duration::from_secs(15);
/// R22: after this long the open children are named.
pub const DISCONNECT_SLOW: Duration = Duration::from_secs(60);
/// R22: what is asked of TikTok once a connection's children are settled is over within this, all of it together: a platform
/// that is down, or that never answers, holds nobody.
pub const FAREWELL_WITHIN: Duration = Duration::from_secs(40);
/// R22: no single call of that is waited for any longer.
pub const FAREWELL_CALL: Duration = Duration::from_secs(15);
/// R21: a long-lived token is checked this often.
pub const CHECK_EVERY: Duration = Duration::from_secs(3600);
/// An account that TikTok has restricted is asked about this often: its release need not be announced.
pub const CHECK_RESTRICTED: Duration = Duration::from_secs(300);
/// Doubts about the account are not cleared up more often than this.
pub const CHECK_SPACING: Duration = Duration::from_secs(5);
/// At most this many names or ids in a list of status.
pub const SHOWN: usize = 20;

/// The inputs of one plan for one connection.
#[derive(Clone, Debug)]
pub struct ConnectionFacts<'a> {
    pub now: Timestamp,
    pub object: &'a TikTokConnection,
    /// Where browsers and TikTok reach the operator, without a slash at the end. `None`: nowhere.
    pub public_url: Option<&'a str>,
    /// The app's Secret.
    pub app: SecretFacts,
    /// The app id in it.
    pub app_id: Option<String>,
    /// The user's token Secret, when the spec names one.
    pub token: Option<SecretFacts>,
    /// Our own token Secret.
    pub held: HeldFacts,
    /// Our own Secret with the ticket.
    pub connect: ConnectFacts,
    /// What this process remembers of the token.
    pub memory: token::Memory,
    /// The Secrets have changed since they were read: they are read again first, and what is known counts until then.
    pub stale: bool,
    /// What the last check with the platform said.
    pub check: Option<Checked>,
    /// TikTok has refused a call because of the token in use, or the app, since the last check that went well.
    pub refused: Option<Refusal>,
    /// Since when there are doubts whether the last check still holds (an event, a call without the right).
    pub doubted: Option<Timestamp>,
    /// How long after the last check they are cleared up.
    pub doubt_spacing: Duration,
    /// Objects that refer to this connection.
    pub children: Vec<Child>,
    /// Another connection that has the same advertiser before this one, as a part of a sentence.
    pub twin: Option<String>,
    /// Who renews the token.
    pub renewal: Renewal,
    pub namespace_terminating: bool,
    /// No check before this time.
    pub not_before: Option<Timestamp>,
    /// Rows of the platform whose holder is gone (R32).
    pub orphans: Vec<String>,
    /// Who else holds a token of the same app.
    pub grants: Grants,
    /// How far the disconnect is.
    pub farewell: Farewell,
    /// Secrets of ours that the API server does not let us write.
    pub unwritable: Vec<Unwritable>,
    /// What is to be said of webhooks.
    pub webhooks: WebhookReport,
}

/// What is known of a user's Secret. Fingerprints, never contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFacts {
    /// Not read yet.
    Unread,
    Missing,
    /// It is there, but these keys are not.
    Incomplete(Vec<String>),
    /// `fingerprint`: hex of the first 8 bytes of SHA-256 over what we use of it.
    Present {
        fingerprint: String,
    },
}

/// What is known of our own token Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
// One value per plan, on the stack.
#[allow(clippy::large_enum_variant)]
pub enum HeldFacts {
    Unread,
    Missing,
    /// A Secret of that name that we did not make.
    NotOurs,
    Present(Held),
}

/// What our own token Secret has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The app that the token was obtained with.
    pub app_id: String,
    pub app_fingerprint: String,
    /// Fingerprint of the user's token Secret as it was imported. `None`: nothing was.
    pub imported: Option<String>,
    pub origin: Origin,
    /// The token in use. `None`: there is none yet.
    pub token: Option<token::Token>,
    /// What it may do; `None`: TikTok did not say.
    pub scopes: Option<Vec<u32>>,
    /// The advertiser that was picked on the page, or taken as the only one.
    pub advertiser: Option<String>,
    /// A token that was just authorised and is not in use yet (its fingerprint).
    pub candidate: Option<String>,
}

/// A Secret of ours that the API server does not let us write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// Its name.
    pub secret: String,
    /// The API server's words.
    pub why: String,
    /// Not tried again before.
    pub again: Timestamp,
    /// A new token is in use that is in this process's memory only.
    pub in_memory: bool,
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the Secret that the spec names. It is never revoked.
    #[default]
    Imported,
    /// Authorised on the connection's page.
    Authorised,
}

/// What is known of our own Secret with the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFacts {
    Unread,
    Missing,
    NotOurs,
    /// It lacks something, or has the link of another public URL.
    Outdated,
    /// `until`: the ticket is replaced then.
    Present {
        until: Timestamp,
    },
}

/// A finished check with the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub at: Timestamp,
    /// The access token it was made with (its fingerprint).
    pub token: String,
    pub result: CheckResult,
}

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    Granted(Granted),
    /// The token is not accepted.
    Refused(String),
    /// The token is accepted, and may not ask this: a permission is missing.
    NotAllowed(String),
    /// TikTok does not accept the app's id and secret, or the app. It says nothing of the token.
    AppRefused(String),
    /// No answer that says anything.
    Failed(String),
}

/// What the token reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Id and name. There may be thousands.
    pub advertisers: Arc<Vec<(String, String)>>,
    /// The advertiser that was asked about. `None`: none was picked, or it is not granted.
    pub asked: Option<String>,
    /// The picked advertiser, when one is picked and granted.
    pub account: Option<AdvertiserStatus>,
    /// The user's role in the picked advertiser (R26), in TikTok's word or `Unknown`.
    pub role: Option<String>,
    /// The pixel that the spec names.
    pub events_source: Option<EventsSourceStatus>,
}

/// A call was refused because of the token or the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The access token it carried (its fingerprint).
    pub token: String,
    pub message: String,
    /// It is the app that TikTok refuses.
    pub app: bool,
}

impl Refusal {
    /// What a check with a token said, if that was a refusal.
    pub fn of(token: &str, result: &CheckResult) -> Option<Self> {
        let (app, message) = match result {
            CheckResult::Refused(message) => (false, message),
            CheckResult::AppRefused(message) => (true, message),
            _ => return None,
        };
        Some(Self {
            token: token.into(),
            message: message.clone(),
            app,
        })
    }
}

/// Who renews a refresh token that more than one connection may have: it works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// This one.
    Mine,
    /// Another connection, as a part of a sentence.
    Others(String),
    /// Not every connection has been read; it is waited for until then.
    Unknown { until: Timestamp },
}

/// Who else holds a token of the same app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grants {
    Nobody,
    /// As `namespace/name`.
    Other(String),
    /// The same, of one that is being deleted as well, and still needs its token.
    Going(String),
    /// Not every connection has been read.
    Unknown,
}

/// How far a disconnect is. Memory only: after a restart it is done again, which does no harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Farewell {
    /// When TikTok was first asked for something.
    pub begun: Option<Timestamp>,
    /// There is nothing (more) to unsubscribe.
    pub unsubscribed: bool,
    /// The next attempt to revoke.
    pub revoke_again: Option<Timestamp>,
    /// What became of it.
    pub revoked: Option<Revoked>,
    /// The last event was made.
    pub said: bool,
}

/// What became of the grant at TikTok.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    Done,
    /// It lives on, or may, for this reason.
    Stays(String),
    /// None was made here that could be ended, for this reason.
    NoneHere(String),
}

/// What the status says of webhooks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebhookReport {
    pub status: Option<WebhooksStatus>,
    /// Condition `Webhooks`: whether it is true, why, and a text.
    pub condition: Option<(bool, Reason, String)>,
}

/// An object that refers to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub name: String,
    /// `None`: it lives.
    pub deleting_since: Option<Timestamp>,
    /// Our finalizer is still on it.
    pub held: bool,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionAction {
    Rest,
    /// Read the named Secrets.
    ReadSecrets,
    /// Put our finalizer on the connection, before anything is kept for it.
    Hold,
    /// Import: write our token Secret from the app's and the user's Secrets.
    WriteToken,
    /// Write our Secret with the ticket.
    WriteConnect,
    /// See whether a token that was just authorised reaches the advertiser, and take it or not.
    TryCandidate,
    /// Renew the token.
    Rotate {
        unclear: bool,
    },
    /// Forget the token before.
    DropPrevious,
    /// Go back to the token before.
    Return,
    /// Keep the only advertiser as the one that was picked.
    Pick(String),
    /// Ask the platform what the token may do.
    Check,
    /// End the subscriptions that were made for it.
    Unsubscribe,
    /// End the token at TikTok.
    Revoke,
    /// It will not be revoked: note why.
    KeepGrant(Revoked),
    /// Say what is left, in the last event.
    Tell,
    /// Delete our Secrets.
    DropToken,
    /// Let the connection go.
    Release,
}

/// The decision.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionPlan {
    pub action: ConnectionAction,
    /// What children may use from now on.
    pub view: ConnectionView,
    pub status: TikTokConnectionStatus,
    pub wake: Option<Timestamp>,
}

/// What a decision is made of, before it is told.
struct Step {
    action: ConnectionAction,
    phase: &'static str,
    ready: Ready,
    wake: Option<Timestamp>,
}

/// Plans one step.
pub fn plan(f: &ConnectionFacts) -> ConnectionPlan {
    let mut step = if f.deleting() {
        ending::plan(f)
    } else {
        live::plan(f)
    };
    match f.ticket_until() {
        Some(until) if until > f.now => step.wake = Some(step.wake.map_or(until, |w| w.min(until))),
        // Nothing else changes by it, so nothing else is said meanwhile.
        Some(_) if step.action == ConnectionAction::Rest => {
            step.action = ConnectionAction::WriteConnect;
        }
        _ => {}
    }
    if f.stale {
        step.action = ConnectionAction::ReadSecrets;
    }
    ConnectionPlan {
        view: view::of(f, &step),
        status: status::of(f, &step),
        action: step.action,
        wake: step.wake,
    }
}

impl ConnectionFacts<'_> {
    fn deleting(&self) -> bool {
        self.object.metadata.deletion_timestamp.is_some()
    }

    fn has_finalizer(&self) -> bool {
        let all = self.object.metadata.finalizers.as_ref();
        all.is_some_and(|all| all.iter().any(|f| f == FINALIZER))
    }

    fn released(&self) -> bool {
        let annotations = self.object.metadata.annotations.as_ref();
        annotations
            .and_then(|a| a.get(RELEASE))
            .is_some_and(|v| v == "true")
    }

    fn held(&self) -> Option<&Held> {
        match &self.held {
            HeldFacts::Present(held) => Some(held),
            _ => None,
        }
    }

    fn token(&self) -> Option<&token::Token> {
        self.held()?.token.as_ref()
    }

    fn token_plan(&self) -> Option<token::Plan> {
        let token = self.token()?;
        if matches!(self.renewal, Renewal::Others(_)) {
            // For this connection it is one that cannot be renewed.
            let ends = token::Token {
                refresh: false,
                ..token.clone()
            };
            return Some(ends.plan(&self.memory, self.now));
        }
        let mut plan = token.plan(&self.memory, self.now);
        if let Renewal::Unknown { until } = self.renewal
            && matches!(plan.action, token::Action::Rotate { .. })
        {
            plan.action = token::Action::Rest;
            plan.wake = Some(until.min(self.now + Duration::from_secs(1)));
        }
        Some(plan)
    }

    /// The check, if it was made with the token in use or, while that is new, with the one before.
    fn current_check(&self) -> Option<&Checked> {
        let token = self.token()?;
        let before = token.previous.as_ref().map(|p| &p.id);
        self.check
            .as_ref()
            .filter(|c| c.token == token.id || Some(&c.token) == before)
    }

    fn granted(&self) -> Option<&Granted> {
        match &self.check.as_ref()?.result {
            CheckResult::Granted(granted) => Some(granted),
            _ => None,
        }
    }

    /// The advertiser that is wanted.
    fn advertiser(&self) -> Option<&String> {
        self.object
            .spec
            .advertiser_id
            .as_ref()
            .or_else(|| self.held()?.advertiser.as_ref())
    }

    /// The only advertiser that the token reaches, where the spec lets it be taken.
    fn only_one(&self) -> Option<&str> {
        let wanted = self.object.spec.advertiser_pick == Some(AdvertiserPick::OnlyOne);
        match self.granted()?.advertisers.as_slice() {
            [(id, _)] if wanted => Some(id),
            _ => None,
        }
    }

    /// The account as last seen under any token: from this process's check, else from status (a restart).
    fn known_account(&self) -> Option<AdvertiserStatus> {
        let picked = self.advertiser()?;
        self.granted()
            .and_then(|g| g.account.clone())
            .or_else(|| self.object.status.as_ref()?.advertiser.clone())
            .filter(|a| a.id == *picked)
    }

    /// The user's Secret has another content than the one that was imported.
    fn token_changed(&self) -> bool {
        match (&self.token, self.held()) {
            (Some(SecretFacts::Present { fingerprint }), Some(held)) => {
                held.imported.as_ref() != Some(fingerprint)
            }
            _ => false,
        }
    }

    /// The user's Secret now names another app than the one that the token was obtained with. That one's id and secret are
    /// kept until there is a token of the new app.
    fn app_changed(&self) -> bool {
        match (self.held(), &self.app_id) {
            (Some(held), Some(id)) => {
                !held.app_id.is_empty() && held.app_id != *id && held.token.is_some()
            }
            _ => false,
        }
    }

    /// When the ticket has to be replaced. `None`: there is none, or it is left as it is.
    fn ticket_until(&self) -> Option<Timestamp> {
        let stays = self.deleting() || self.namespace_terminating || self.public_url.is_none();
        match self.connect {
            ConnectFacts::Present { until } if !stays => Some(until),
            _ => None,
        }
    }

    /// Until when one of our Secrets is not to be written, since that was refused a moment ago.
    fn unwritable(&self, secret: &str) -> Option<Timestamp> {
        let found = self.unwritable.iter().find(|u| u.secret == secret);
        found.map(|u| u.again).filter(|again| self.now < *again)
    }

    /// The same for the token Secret.
    fn token_unwritable(&self) -> Option<Timestamp> {
        self.unwritable(&token_secret_name(self.object))
    }

    fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    /// What somebody has to do about an app that TikTok refuses, as the end of a sentence.
    fn mend_the_app(&self) -> String {
        format!(
            "correct app_id and secret in Secret {}, or see in TikTok's developer portal what became of the app",
            self.object.spec.app_secret_ref.name
        )
    }

    /// What somebody has to do for a new token, as the end of a sentence.
    fn authorise_again(&self) -> String {
        match (self.public_url, &self.object.spec.token_secret_ref) {
            (Some(url), _) => format!(
                "authorise again at {} (`tiktok-ads-operator connect {} -n {}` opens it)",
                connect_url(url, self.object),
                self.name(),
                self.object
                    .metadata
                    .namespace
                    .as_deref()
                    .unwrap_or_default()
            ),
            (None, Some(named)) => {
                format!("put a new token into the Secret {}", named.name)
            }
            (None, None) => {
                "put a new token into a Secret and name it in spec.tokenSecretRef".to_string()
            }
        }
    }
}

/// The name of the Secret that the operator keeps a connection's token in.
pub fn token_secret_name(object: &TikTokConnection) -> String {
    format!(
        "{}-tiktok-token",
        object.metadata.name.as_deref().unwrap_or_default()
    )
}

/// The name of the Secret that the operator puts a connection's ticket into.
pub fn connect_secret_name(object: &TikTokConnection) -> String {
    format!(
        "{}-tiktok-connect",
        object.metadata.name.as_deref().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
