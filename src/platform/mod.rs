//! TikTok's Business API (Marketing API v1.3) as values.
//!
//! A [`Call`] says what we want, [`Call::request`] turns it into a [`WireRequest`], a [`Door`] carries it, and
//! [`read`] turns the [`WireReply`] into an [`Answer`] or a [`PlatformError`] with its class. Only [`HttpDoor`]
//! does HTTP. [`Budgets`] says whether a call may be sent now. This room knows nothing of Kubernetes.

mod ad;
mod ad_group;
mod bodies;
mod budget;
mod call;
mod campaign;
mod codes;
mod error;
mod field;
mod form;
mod http;
mod json;
mod kind;
mod money;
mod read;
mod reply;
mod review;
mod row;
mod shapes;
mod table;
mod text;
mod tier;
mod window;
mod wire;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_replies;

pub use budget::{BudgetSettings, Budgets, Urgency};
pub use call::{Call, Changes, Filter, NewObject, OperationStatus, Rest};
pub use error::{AuthProblem, ErrorClass, PlatformError, Rejection, Throttle, transport_error};
pub use field::{Field, Fields, Form, Update};
pub use http::{BaseUrlError, HttpDoor};
pub use kind::{Kind, Tree};
pub use money::{Cents, CentsError};
pub use read::read;
pub use reply::{AdvertiserRow, Answer, GrantedAdvertiser, RefusedId, Reply};
pub use review::{RejectInfo, Review};
pub use row::{OperationState, Row};
pub use shapes::creative_key;
pub use table::{agrees, canonical, create_batch, fields_of, has_field, takes_key, updatable};
pub use text::clean;
pub use tier::{Tier, TierError};
pub use wire::{Door, Method, TransportError, WireReply, WireRequest};
