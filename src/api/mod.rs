//! The kinds as users write them: types, schema rules, print columns. No logic beyond accessors.
//!
//! `crds/` is generated from here by `tiktok-ads-operator crds`; a test keeps both equal.

pub mod ad;
pub mod ad_group;
pub mod campaign;
pub mod common;
pub mod conditions;
pub mod connection;
pub mod crd;
mod rules;
pub mod status;

/// The API group of every kind.
pub const GROUP: &str = "tiktokads.dev";
/// The only version so far.
pub const VERSION: &str = "v1alpha1";

/// Keeps an object until its deletion policy has been carried out.
pub const FINALIZER: &str = "tiktokads.dev/finalizer";
/// Annotation: the record, what cannot be derived from anywhere else. Only the operator writes it.
pub const RECORD: &str = "tiktokads.dev/record";
/// Annotation: a new value resumes an object that was paused outside.
pub const RESUME: &str = "tiktokads.dev/resume";
/// R28: an ad's rejection is appealed against with this text, once for each value.
pub const APPEAL: &str = "tiktokads.dev/appeal";
/// Annotation: a new value asks for a look at the platform now.
pub const RECONCILE_REQUESTED_AT: &str = "tiktokads.dev/reconcile-requested-at";
/// Annotation: `"true"` on an object being deleted lets it go without any platform write.
pub const RELEASE: &str = "tiktokads.dev/release";
/// Annotation: names the install from which this one takes the object over.
pub const TAKE_OVER: &str = "tiktokads.dev/take-over";
