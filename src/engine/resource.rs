//! Our objects as kube's client and watches want them: any of our kinds as one type.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};

use crate::api::ad::Ad;
use crate::api::ad_group::AdGroup;
use crate::api::campaign::Campaign;
use crate::api::status::ObjectStatus;
use crate::api::{GROUP, VERSION};
use crate::model::object::{Object, Spec};
use crate::platform::Kind;

/// The plural names on the API server, and what else kube wants to know of a kind.
impl Resource for Object {
    type DynamicType = Kind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &Kind) -> Cow<'_, str> {
        kind.name().into()
    }

    fn group(_: &Kind) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version(_: &Kind) -> Cow<'_, str> {
        VERSION.into()
    }

    fn plural(kind: &Kind) -> Cow<'_, str> {
        match kind {
            Kind::Campaign => Campaign::plural(&()),
            Kind::AdGroup => AdGroup::plural(&()),
            Kind::Ad => Ad::plural(&()),
        }
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spec = self.spec.to_value().map_err(serde::ser::Error::custom)?;
        let mut object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": self.kind().name(),
            "metadata": self.metadata,
            "spec": spec,
        });
        if let Some(status) = &self.status {
            object["status"] = serde_json::to_value(status).map_err(serde::ser::Error::custom)?;
        }
        object.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    /// By the object's own word for its kind, which the API server always sends.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            kind: String,
            #[serde(default)]
            metadata: ObjectMeta,
            spec: Value,
            #[serde(default)]
            status: Option<ObjectStatus>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == wire.kind)
            .ok_or_else(|| de::Error::custom(format!("{} is no kind of ours", wire.kind)))?;
        Ok(Self {
            metadata: wire.metadata,
            spec: Spec::from_value(kind, wire.spec).map_err(de::Error::custom)?,
            status: wire.status,
        })
    }
}
