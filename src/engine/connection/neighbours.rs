//! Connections that get in each other's way: two for one advertiser, two with one refresh token.

use std::time::Duration;

use jiff::Timestamp;

use super::super::doors::Name;
use super::super::state::State;
use super::super::stores::older_connection;
use super::secrets::{
    Data, REFRESH_TOKEN, fingerprint, held_facts, imported_before, is_ours, value,
};
use crate::api::connection::TikTokConnection;
use crate::model::connection::{CheckResult, HeldFacts, Renewal};
use crate::model::facts::ConnectionView;

/// A renewal waits no longer than this for all other connections' Secrets to be read.
const OTHERS_READ_WITHIN: Duration = Duration::from_secs(60);

/// What a connection has of an advertiser that it names. Naming it is nothing: else whoever writes a manifest could take
/// the advertiser from those who work with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Claim {
    /// A name in its spec, and no token that reaches it.
    Named,
    /// A token that has not been tried yet, or its Secrets are not read.
    Untried,
    /// It has reached the advertiser.
    Reached,
    /// Objects work with it now.
    InUse,
}

impl State {
    fn claim(&self, name: &Name, object: &TikTokConnection, advertiser: &str) -> Claim {
        if let Some(ConnectionView::Usable(account)) = self.views.get(name)
            && account.advertiser == advertiser
        {
            return Claim::InUse;
        }
        let memo = self.connections.get(name);
        let shown = || {
            let status = object.status.as_ref();
            status.and_then(|s| s.advertiser.as_ref().map(|a| a.id.as_str()))
        };
        // What TikTok has said of the token, if it was asked.
        let said = memo.and_then(|m| m.check.as_ref()).map(|c| &c.result);
        let reached = match said {
            Some(CheckResult::Granted(granted)) => granted.account.as_ref().map(|a| a.id.as_str()),
            _ => shown(),
        };
        if reached == Some(advertiser) {
            return Claim::Reached;
        }
        match held_facts(memo.and_then(|m| m.held.as_ref()), object) {
            HeldFacts::Unread => Claim::Untried,
            HeldFacts::Present(held)
                if held.candidate.is_some()
                    || (held.token.is_some()
                        && matches!(said, None | Some(CheckResult::Failed(_)))) =>
            {
                Claim::Untried
            }
            _ => Claim::Named,
        }
    }

    /// Another connection that has this one's advertiser: the one that works with it keeps it, else the one that has
    /// reached it, else the older one that may.
    pub(in crate::engine) fn twin_before(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Option<String> {
        let advertiser = self.advertiser_of(name, object)?;
        let mine = self.claim(name, object, &advertiser);
        let before = self.stores.connections.iter().find(|(other, twin)| {
            if *other == name || self.advertiser_of(other, twin).as_ref() != Some(&advertiser) {
                return false;
            }
            let theirs = self.claim(other, twin, &advertiser);
            let older = theirs == mine && older_connection(twin, object);
            theirs > Claim::Named && (theirs > mine || older)
        });
        before.map(|(other, _)| as_seen_from(name, other))
    }

    /// Another connection that has, or may have, an advertiser, whichever is older.
    pub(super) fn who_has(&self, name: &Name, advertiser: &str) -> Option<Name> {
        let mut all = self.stores.connections.iter();
        let found = all.find(|(other, twin)| {
            *other != name
                && self.advertiser_of(other, twin).as_deref() == Some(advertiser)
                && self.claim(other, twin, advertiser) > Claim::Named
        });
        found.map(|(other, _)| other.clone())
    }

    /// How many objects of a connection are on TikTok in another ad account than this.
    pub(super) fn made_elsewhere(&self, name: &Name, advertiser: &str) -> usize {
        let objects = self.objects_of(name).into_iter();
        let elsewhere = objects.filter(|object| {
            let record = self.stores.own_record(object);
            record.is_some_and(|r| r.id.is_some() && r.advertiser != advertiser)
        });
        elsewhere.count()
    }

    /// Tells those who wait for an advertiser when what this connection has of it is another.
    pub(super) fn tell_twins(&mut self, name: &Name, object: &TikTokConnection, now: Timestamp) {
        let claim = self.advertiser_of(name, object).map(|advertiser| {
            let claim = self.claim(name, object, &advertiser);
            (advertiser, claim)
        });
        let Some(memo) = self.connections.get_mut(name) else {
            return;
        };
        if memo.claim == claim {
            return;
        }
        let before = std::mem::replace(&mut memo.claim, claim.clone());
        let advertisers = [before, claim].map(|c| c.map(|(advertiser, _)| advertiser));
        self.push_twins(name, &advertisers, now);
    }

    /// R21: who renews this connection's refresh token, if others hold the same. It works once: a second call with it
    /// would be refused, and may cost everybody the grant.
    pub(super) fn renewal(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        data: &Data,
        now: Timestamp,
    ) -> Renewal {
        let Some(mine) = value(data, REFRESH_TOKEN).map(|token| fingerprint(&[token])) else {
            return Renewal::Mine;
        };
        let mut unknown = false;
        for (other, theirs) in self.stores.connections.iter() {
            if other == name {
                continue;
            }
            let read = self.connections.get(other).and_then(|m| m.held.as_ref());
            let Some(copy) = read else {
                unknown = true;
                continue;
            };
            let Some(copy) = copy.as_ref().filter(|copy| is_ours(copy, theirs)) else {
                continue;
            };
            let current = value(&copy.data, REFRESH_TOKEN).map(|token| fingerprint(&[token]));
            let taken = if current.as_ref() == Some(&mine) {
                older_connection(theirs, object)
            } else {
                // It had it, and has another by now.
                imported_before(&copy.data, &mine)
            };
            if taken {
                return Renewal::Others(as_seen_from(name, other));
            }
        }
        let Some(memo) = self.connections.get_mut(name) else {
            return Renewal::Mine;
        };
        if !unknown {
            memo.others_unread_since = None;
            return Renewal::Mine;
        }
        // A new process reads all within moments. What cannot be read for long must not cost the token.
        let until = *memo.others_unread_since.get_or_insert(now) + OTHERS_READ_WITHIN;
        if now < until {
            Renewal::Unknown { until }
        } else {
            Renewal::Mine
        }
    }
}

/// Other namespaces' names are nobody's business.
pub(super) fn as_seen_from(name: &Name, other: &Name) -> String {
    if name.namespace == other.namespace {
        format!("the connection {}", other.name)
    } else {
        "a connection in another namespace".into()
    }
}
