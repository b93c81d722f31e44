//! A contact on the wire. `weixin` is the handle.

use wechaty_types::{ContactGender, ContactPayload, ContactType};

use super::{filled, required};
use crate::{Dialect, WireError, pb};

impl pb::ContactPayloadResponse {
    /// A contact for this client. The language has no field.
    pub fn of(payload: &ContactPayload, dialect: Dialect) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            id: payload.id.to_string(),
            gender: dialect.contact_gender(payload.gender),
            r#type: dialect.contact_type(payload.kind),
            name: payload.name.clone(),
            avatar: payload.avatar.clone(),
            address: text(&payload.address),
            alias: text(&payload.alias),
            city: text(&payload.city),
            friend: payload.friend.unwrap_or_default(),
            province: text(&payload.province),
            signature: text(&payload.signature),
            star: payload.star.unwrap_or_default(),
            weixin: text(&payload.handle),
            corporation: text(&payload.corporation),
            title: text(&payload.title),
            description: text(&payload.description),
            coworker: payload.coworker.unwrap_or_default(),
            phones: payload.phone.clone(),
        }
    }
}

impl TryFrom<pb::ContactPayloadResponse> for ContactPayload {
    type Error = WireError;

    fn try_from(wire: pb::ContactPayloadResponse) -> Result<Self, WireError> {
        Ok(Self {
            id: required(wire.id, "ContactPayloadResponse", "id")?,
            gender: ContactGender::from_number(wire.gender),
            kind: ContactType::from_number(wire.r#type),
            name: wire.name,
            avatar: wire.avatar,
            phone: wire.phones,
            address: filled(wire.address),
            alias: filled(wire.alias),
            city: filled(wire.city),
            friend: Some(wire.friend),
            province: filled(wire.province),
            signature: filled(wire.signature),
            star: Some(wire.star),
            handle: filled(wire.weixin),
            corporation: filled(wire.corporation),
            title: filled(wire.title),
            description: filled(wire.description),
            coworker: Some(wire.coworker),
            language: None,
        })
    }
}
