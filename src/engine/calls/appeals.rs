//! Appeals against rejections (R28).

use jiff::Timestamp;

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, ObjectName};
use super::super::outbox::Op;
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::{Key, State};
use super::Begin;
use crate::model::facts::Appealed;
use crate::model::plan::{Action, AppealWish};
use crate::platform::{Call, Door, ErrorClass, PlatformError};

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// R28: appeals against the rejection of one ad; its review is read afterwards.
    pub(in crate::engine) async fn appeal(
        &self,
        id: &AccountId,
        wish: AppealWish,
        member: ObjectName,
    ) {
        let same = |action: &Action, _: &str| *action == Action::Appeal(wish.clone());
        let (members, _) = self.still_wanted(id, vec![(member, wish.ad.clone())], same, false);
        let [(name, _)] = members.as_slice() else {
            return;
        };
        let call = Call::Appeal {
            advertiser: id.advertiser.clone(),
            tree: wish.tree,
            ad: wish.ad.clone(),
            ad_group: wish.ad_group.clone(),
            reason: wish.reason.clone(),
        };
        let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
            self.park_again(id, &members, |_| Op::Appeal(wish.clone()));
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let now = self.clock.now();
        let mut state = self.lock();
        state.learn_appeal(name, wish.reason, sent.map(|_| ()), now);
        if let Some(account) = state.accounts.get_mut(id) {
            account.table.doubt_review(&wish.ad);
        }
        state.push(&Key::Object(name.clone()), Lane::Change, now);
    }
}

impl State {
    /// What became of an appeal. Without a clear answer it is sent again: TikTok takes one for each rejection.
    fn learn_appeal(
        &mut self,
        name: &ObjectName,
        reason: String,
        sent: Result<(), PlatformError>,
        now: Timestamp,
    ) {
        let uid = self.stores.get(name).and_then(|o| o.metadata.uid.clone());
        let refused = match sent {
            Ok(()) => {
                tracing::info!(kind = %name.kind, object = %name, "appealed against the rejection");
                None
            }
            Err(error) => match error.class {
                ErrorClass::Rejected(_) | ErrorClass::Gone => {
                    tracing::warn!(kind = %name.kind, object = %name, %error, "TikTok did not take the appeal");
                    Some(error.lasting())
                }
                ErrorClass::Throttled(_) => return,
                _ => return self.retry(name, error.lasting(), now),
            },
        };
        let memo = self.memo(name, &uid.unwrap_or_default());
        memo.memory.appeal = Some(Appealed { reason, refused });
    }
}
