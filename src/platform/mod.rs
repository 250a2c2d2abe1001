//! TikTok's Business API (Marketing API v1.3) as values.
//!
//! A [`Call`] says what we want, [`Call::request`] turns it into a [`WireRequest`], a [`Door`] carries it, and
//! [`read`] turns the [`WireReply`] into an [`Answer`] or a [`PlatformError`] with its class. Only [`HttpDoor`]
//! does HTTP. [`Budgets`] says whether a call may be sent now. This room knows nothing of Kubernetes.

mod access;
mod ad;
mod ad_group;
mod bodies;
mod budget;
mod call;
mod campaign;
mod changes;
mod codes;
mod error;
mod field;
mod filter;
mod form;
mod http;
mod json;
mod kind;
mod money;
mod oauth;
mod read;
mod reply;
mod request;
mod review;
mod row;
mod shapes;
mod subscription;
mod table;
mod text;
mod tier;
pub mod webhook;
mod window;
mod wire;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_replies;

pub use access::{PixelRow, RoleRow, UserRole};
pub use budget::{BudgetSettings, Budgets, Urgency};
pub use call::{Call, OperationStatus};
pub use changes::{Changes, NewObject, Rest};
pub use error::{AuthProblem, ErrorClass, PlatformError, Rejection, Throttle, transport_error};
pub use field::{Field, Fields, Form, Update};
pub use filter::Filter;
pub use http::{BaseUrlError, HttpDoor};
pub use kind::{Kind, Tree};
pub use money::{Cents, CentsError};
pub use oauth::{DialectError, OauthDialect, REFRESH_PATH, TokenReply};
pub use read::{read, read_as};
pub use reply::{AdvertiserRow, Answer, GrantedAdvertiser, PageInfo, RefusedId, Reply};
pub use review::{RejectInfo, Review};
pub use row::{OperationState, Row};
pub use shapes::creative_key;
pub use subscription::{CallbackUrl, SubscriptionEntity, SubscriptionRow};
pub use table::{agrees, canonical, create_batch, fields_of, has_field, takes_key, updatable};
pub use text::clean;
pub use tier::{Tier, TierError};
pub use wire::{Door, Method, TransportError, WireReply, WireRequest};
