//! TikTok's Business API (Marketing API v1.3) as values.
//!
//! A [`Call`] says what we want, [`Call::request`] turns it into a [`WireRequest`], a [`Door`] carries it, and
//! [`read`] turns the [`WireReply`] into an [`Answer`] or a [`PlatformError`] with its class. Only [`HttpDoor`]
//! does HTTP. [`Budgets`] says whether a call may be sent now. This room knows nothing of Kubernetes.

mod budget;
mod call;
mod codes;
mod create;
mod error;
mod http;
mod json;
mod money;
mod read;
mod reply;
mod text;
mod window;
mod wire;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_replies;

pub use budget::{BudgetSettings, Budgets, Tier, TierError, Urgency};
pub use call::{Call, CampaignChanges, CampaignFilter, NewCampaign, OperationStatus, Tree};
pub use error::{AuthProblem, ErrorClass, PlatformError, Rejection, Throttle, transport_error};
pub use http::{BaseUrlError, HttpDoor};
pub use money::{Cents, CentsError};
pub use read::read;
pub use reply::{
    AdvertiserRow, Answer, CampaignRow, GrantedAdvertiser, OperationState, RefusedId, Reply,
};
pub use text::clean;
pub use wire::{Door, Method, TransportError, WireReply, WireRequest};
