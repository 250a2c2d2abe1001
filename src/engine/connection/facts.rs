//! What is known of a connection: its Secrets as facts, what this process remembers, and the view its children get.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::super::account::{Account, AccountId};
use super::super::doors::{Name, SecretCopy};
use super::super::queue::Lane;
use super::super::state::{Key, State, has_finalizer};
use super::super::stores::Store;
use super::imports::Imports;
use super::neighbours::{Claim, as_seen_from};
use super::secrets::{
    ACCESS_TOKEN, ADVERTISER_ID, APP_ID, APP_SECRET, EXPIRES_AT, REFRESH_TOKEN, fingerprint,
    held_facts, is_ours, plain, secret_facts, token_key,
};
use super::ticket::connect_facts;
use super::unwritten::Unwritten;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{
    CHECK_SPACING, CheckResult, Checked, Child, ConnectionFacts, ConnectionPlan, Farewell, Grants,
    HeldFacts, Left, Origin, Refusal, Renewal, WebhookReport, plan,
};
use crate::model::facts::{Access, ConnectionView};
use crate::model::token;

/// A refusal this soon after a good check is a doubt first: some endpoint may refuse what the others take.
const CONTRADICTED: Duration = Duration::from_secs(300);

/// A Secret as it was last read. The outer `None`: not yet.
pub(in crate::engine) type Read = Option<Option<SecretCopy>>;

/// What this process knows of one connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectionMemo {
    pub(super) uid: String,
    /// Something changed: everything is read again. Until then what was read counts.
    pub(super) stale: bool,
    pub(super) app: Read,
    pub(super) token: Read,
    pub(super) held: Read,
    pub(super) connect: Read,
    /// When the Secrets were last read for what somebody sent to the pages, by the clock that counts sleep.
    pub(super) looked: Option<std::time::Duration>,
    /// The Secrets that `spec.webhooks` names.
    pub(in crate::engine) webhook_keys: Read,
    pub(in crate::engine) path_token: Read,
    pub(super) check: Option<Checked>,
    pub(super) failures: u32,
    pub(super) not_before: Option<Timestamp>,
    /// A call with the token was refused.
    pub(super) refused: Option<Refusal>,
    /// The last check may not hold any more.
    pub(super) doubted: Option<Timestamp>,
    pub(super) life: token::Memory,
    pub(super) farewell: Farewell,
    /// What was on when the farewell began.
    pub(super) left: Option<Left>,
    /// How often its last event was tried.
    pub(super) telling: u32,
    /// What could not be written, and is nowhere else.
    pub(in crate::engine) unwritten: Unwritten,
    /// The last imports.
    pub(super) imports: Imports,
    /// What became of a token that was authorised: its fingerprint, and why it was not taken.
    pub(super) tried: Option<(String, Result<(), String>)>,
    /// A token that was authorised (its fingerprint), of which TikTok did not say yet what it reaches.
    pub(super) waits: Option<String>,
    /// What is to be said of webhooks.
    pub(in crate::engine) webhooks: WebhookReport,
    /// Since when TikTok does not show an advertiser that was reached before.
    pub(super) unlisted_since: Option<Timestamp>,
    /// A call was refused because of the token or the app shortly after a check had gone well.
    pub(super) accused: bool,
    /// How often in a row a check has contradicted that.
    pub(super) contradicted: u32,
    /// Since when not every other connection's Secret has been read.
    pub(super) others_unread_since: Option<Timestamp>,
    /// The advertiser, and what the connection had of it when others were last told.
    pub(super) claim: Option<(String, Claim)>,
}

impl ConnectionMemo {
    /// A Secret changed: what was read of them is old.
    pub fn unread(&mut self) {
        self.stale = true;
    }

    /// The last check may not hold any more: it is made again at once.
    pub(in crate::engine) fn doubt(&mut self, now: Timestamp) {
        self.doubted = self.doubted.or(Some(now));
    }

    /// The app's Secret, as last read.
    pub(in crate::engine) fn app(&self) -> Option<&SecretCopy> {
        self.app.as_ref()?.as_ref()
    }

    /// Our token Secret, as last read.
    pub(in crate::engine) fn held(&self) -> Option<&SecretCopy> {
        self.held.as_ref()?.as_ref()
    }
}

impl State {
    /// Gathers the facts and plans one step.
    pub(in crate::engine) fn plan_connection(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> ConnectionPlan {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let memo = self.connections.entry(name.clone()).or_default();
        if memo.uid != uid {
            *memo = ConnectionMemo {
                uid,
                ..ConnectionMemo::default()
            };
        }
        let memo = memo.clone();
        let orphans = self
            .orphans_of(name)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        let key = token_key(object);
        let children = self
            .objects_of(name)
            .into_iter()
            .filter_map(|c| Some((self.stores.get(&c)?, c)))
            .map(|(o, c)| Child {
                name: format!("{} {}", c.kind, c.name),
                deleting_since: o.metadata.deletion_timestamp.as_ref().map(|t| t.0),
                held: has_finalizer(o.metadata.finalizers.as_deref()),
            })
            .collect();
        let held = held_facts(memo.held.as_ref(), object);
        let renewal = match memo.held() {
            Some(copy) => self.renewal(name, object, &copy.data, now),
            None => Renewal::Mine,
        };
        let connect = connect_facts(
            memo.connect.as_ref(),
            memo.held(),
            object,
            self.settings.public.as_ref().map(|p| p.url.as_str()),
        );
        let mut life = memo.life;
        if let HeldFacts::Present(h) = &held
            && let Some(mark) = h.token.as_ref().and_then(|t| t.mark)
            && life.seen.is_none_or(|(of, _)| of != mark)
        {
            life.seen = Some((mark, now));
            if let Some(memo) = self.connections.get_mut(name) {
                memo.life.seen = life.seen;
            }
        }
        let grants = match &held {
            HeldFacts::Present(h) if object.metadata.deletion_timestamp.is_some() => {
                self.grants(name, &h.app_id)
            }
            _ => Grants::Unknown,
        };
        let public_url = self.settings.public.as_ref().map(|p| p.url.clone());
        let read_now = memo.stale;
        let (_, most) = self.settings.backoff;
        let facts =
            ConnectionFacts {
                now,
                object,
                public_url: public_url.as_deref(),
                app: secret_facts(memo.app.as_ref(), &[APP_ID, APP_SECRET], &[]),
                app_id: memo
                    .app
                    .as_ref()
                    .and_then(|a| plain(&a.as_ref()?.data, APP_ID)),
                token: object.spec.token_secret_ref.as_ref().map(|_| {
                    secret_facts(memo.token.as_ref(), &[&key], &[REFRESH_TOKEN, EXPIRES_AT])
                }),
                held,
                connect,
                memory: life,
                stale: read_now,
                check: memo.check,
                refused: memo.refused,
                doubted: memo.doubted,
                doubt_spacing: match memo.accused {
                    true => CHECK_SPACING.saturating_mul(1 << memo.contradicted.min(5)),
                    false => CHECK_SPACING,
                },
                children,
                twin: self.twin_before(name, object),
                renewal,
                namespace_terminating: self.stores.terminating.contains(&name.namespace),
                not_before: memo.not_before,
                orphans,
                grants,
                farewell: memo.farewell,
                unwritable: memo.unwritten.facts(object, most, now),
                webhooks: memo.webhooks,
            };
        plan(&facts)
    }

    /// The advertiser that a connection is for: as its spec says, as it was picked, or as its status still tells.
    pub(in crate::engine) fn advertiser_of(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Option<String> {
        let picked = || match self.connections.get(name).map(|m| m.held.as_ref()) {
            Some(Some(read)) => {
                let copy = read.as_ref().filter(|copy| is_ours(copy, object))?;
                plain(&copy.data, ADVERTISER_ID)
            }
            _ => Some(object.status.as_ref()?.advertiser.as_ref()?.id.clone()),
        };
        object.spec.advertiser_id.clone().or_else(picked)
    }

    /// R22: does another connection hold a token of the same app? One that is being deleted itself needs it until its own
    /// children are settled; then it ends it, and has no use for it but that. An imported one is not ours to end.
    pub(super) fn grants(&self, name: &Name, app_id: &str) -> Grants {
        let (mut unknown, mut going) = (false, None);
        for (other, object) in self.stores.connections.iter() {
            if other == name {
                continue;
            }
            let memo = self.connections.get(other);
            let goes = object.metadata.deletion_timestamp.is_some();
            let ends = goes && memo.is_some_and(|m| m.farewell.begun.is_some());
            match held_facts(memo.and_then(|m| m.held.as_ref()), object) {
                // Nothing is kept for one that we did not take hold of.
                HeldFacts::Unread => {
                    unknown |= has_finalizer(object.metadata.finalizers.as_deref());
                }
                HeldFacts::Present(held)
                    if held.app_id == app_id
                        && (held.token.is_some() || held.candidate.is_some()) =>
                {
                    if !goes || held.origin == Origin::Imported {
                        return Grants::Other(as_seen_from(name, other));
                    }
                    if !ends {
                        going = Some(as_seen_from(name, other));
                    }
                }
                _ => {}
            }
        }
        match going {
            _ if unknown => Grants::Unknown,
            Some(other) => Grants::Going(other),
            None => Grants::Nobody,
        }
    }

    /// Lets children use, or not use, the connection from now on.
    pub(in crate::engine) fn publish_view(
        &mut self,
        name: &Name,
        plan: &ConnectionPlan,
        now: Timestamp,
    ) {
        if let ConnectionView::Usable(usable) = &plan.view {
            let id = AccountId {
                app: usable.app.clone(),
                advertiser: usable.advertiser.clone(),
            };
            let token = self
                .connections
                .get(name)
                .and_then(|m| m.held()?.data.get(ACCESS_TOKEN).cloned());
            let old: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(other, a)| a.connection == *name && **other != id)
                .map(|(other, _)| other.clone())
                .collect();
            for gone in old {
                self.close_account(&gone, now);
            }
            let spending = usable.disconnecting.then(|| self.lists_of_spending(name));
            if let Some(token) = token {
                let account = self
                    .accounts
                    .entry(id)
                    .or_insert_with(|| Account::new(name.clone(), token.clone()));
                account.token_id = fingerprint(&[&token]);
                account.token = token;
                account.connection = name.clone();
                account.access = usable.access;
                // R22: it says what is on in the account when it goes, and that may never have been read.
                if spending.is_some_and(|lists| !account.knows(&lists)) {
                    account.sweep.ask(now);
                }
            }
        } else {
            // Nobody plans with it: nothing is read for nobody.
            for account in self.accounts.values_mut() {
                if account.connection == *name {
                    account.access = Access::Over;
                }
            }
        }
        if self.views.get(name) != Some(&plan.view) {
            let zone = |view: Option<&ConnectionView>| match view {
                Some(ConnectionView::Usable(account)) => Some(account.schedule_in_account_zone),
                _ => None,
            };
            let before = zone(self.views.get(name));
            let after = zone(Some(&plan.view));
            if after.is_some() && before != after {
                // R14: times are written in another zone from now on.
                let all = self.objects_of(name);
                self.ask_again(all);
            }
            self.views.insert(name.clone(), plan.view.clone());
            self.push_children(name, Lane::Change, now);
        }
    }

    /// App id, app secret, token and the token's fingerprint, as we hold them.
    pub(in crate::engine) fn held(
        &self,
        name: &Name,
    ) -> Option<(String, SecretString, SecretString, String)> {
        let copy = self.connections.get(name)?.held()?;
        let token = copy.data.get(ACCESS_TOKEN)?.clone();
        let id = fingerprint(&[&token]);
        Some((
            plain(&copy.data, APP_ID)?,
            copy.data.get(APP_SECRET)?.clone(),
            token,
            id,
        ))
    }

    /// TikTok refused a call because of the token it carried, or of the app (R21).
    pub(in crate::engine) fn learn_auth(
        &mut self,
        name: &Name,
        token: &str,
        message: String,
        dead: bool,
        now: Timestamp,
    ) {
        let current = self.held(name).map(|(_, _, _, id)| id);
        // A late answer to a call with a token that is not in use any more says nothing of the one that is.
        if current.as_deref() != Some(token) {
            return;
        }
        if let Some(memo) = self.connections.get_mut(name) {
            // One call's word against that of the check: the check is made again, and decides.
            let contradicts = memo.check.as_ref().is_some_and(|c| {
                let good = c.token == token && matches!(c.result, CheckResult::Granted(_));
                good && now < c.at + CONTRADICTED
            });
            if contradicts && memo.refused.is_none() {
                memo.doubt(now);
                memo.accused = true;
                self.push(&Key::Connection(name.clone()), Lane::Safety, now);
                return;
            }
            if memo.refused.is_none() {
                memo.refused = Some(Refusal {
                    token: token.into(),
                    message,
                    app: !dead,
                });
            }
            if dead {
                memo.life.dead = true;
                memo.life.turned_away = Some(token.into());
            }
        }
        self.push(&Key::Connection(name.clone()), Lane::Safety, now);
    }

    /// What a write answered, or a live read found, replaces the copy at once.
    pub fn adopt_connection(
        &mut self,
        name: &Name,
        of: &str,
        copy: Option<TikTokConnection>,
        now: Timestamp,
    ) {
        self.take_connection(name, copy, now, |store, copy| store.put(name, of, copy));
    }

    /// What a live read found after a write was refused because `refused` is not what is there any more.
    pub fn adopt_live_connection(
        &mut self,
        name: &Name,
        refused: &TikTokConnection,
        live: Option<TikTokConnection>,
        now: Timestamp,
    ) {
        self.take_connection(name, live, now, |store, live| {
            store.put_live(name, refused, live)
        });
    }

    fn take_connection(
        &mut self,
        name: &Name,
        copy: Option<TikTokConnection>,
        now: Timestamp,
        put: impl FnOnce(
            &mut Store<TikTokConnection>,
            Option<TikTokConnection>,
        ) -> Option<Arc<TikTokConnection>>,
    ) {
        self.keep_rights_for(
            name,
            copy.as_ref().and_then(|o| o.metadata.finalizers.as_deref()),
        );
        let uid = copy.as_ref().and_then(|c| c.metadata.uid.clone());
        let old = put(&mut self.stores.connections, copy);
        // The watch will show nothing new then: the children are told here.
        if old.as_ref().and_then(|o| o.metadata.uid.clone()) != uid {
            self.connection_changed(name, old.as_deref(), now);
        }
    }
}
