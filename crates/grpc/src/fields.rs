//! FIELDS of two generations: both are filled, either is read, and presence decides between setting and asking.

use wechaty_puppet::FriendRequest;
use wechaty_types::{ContactId, DirtyEvent, DirtyType, FriendshipPayload, MessageId, RoomInvitationPayload};

use crate::{Result, WireError, json, pb};

/// The new field unless it is empty, else the old one.
fn either<'a>(new: &'a str, old: Option<&'a str>) -> &'a str {
    if new.is_empty() { old.unwrap_or_default() } else { new }
}

macro_rules! set_or_get {
    ($($name:ident { $old:ident, $new:ident })*) => {$(
        impl pb::$name {
            /// Asks for the value.
            pub fn get(id: impl Into<String>) -> Self {
                Self { id: id.into(), ..Self::default() }
            }
            /// Sets the value; the empty text clears it.
            pub fn set(id: impl Into<String>, value: impl Into<String>) -> Self {
                let value = value.into();
                Self { id: id.into(), $old: Some(value.clone()), $new: Some(value) }
            }
            /// What to set, empty to clear it; `None`: the value is asked for.
            pub fn to_set(&self) -> Option<&str> {
                self.$new.as_deref().or(self.$old.as_deref())
            }
        }
    )*};
}

set_or_get! {
    ContactAliasRequest { alias_string_value_deprecated, alias }
    ContactAvatarRequest { filebox_string_value_deprecated, file_box }
    RoomTopicRequest { topic_string_value_deprecated, topic }
    RoomAnnounceRequest { text_string_value_deprecated, text }
}

macro_rules! notes {
    ($($name:ident { $old:ident, $new:ident })*) => {$(
        impl pb::$name {
            /// Sets the note; `None` clears it.
            pub fn of(contact: impl Into<String>, note: Option<&str>) -> Self {
                let note = note.map(str::to_owned);
                Self { contact_id: contact.into(), $new: note.clone().unwrap_or_default(), $old: note }
            }
            /// The note to set; `None`: it is to be cleared.
            pub fn note(&self) -> Option<&str> {
                Some(either(&self.$new, self.$old.as_deref())).filter(|note| !note.is_empty())
            }
        }
    )*};
}

notes! {
    ContactDescriptionRequest { description_string_value_deprecated, description }
    ContactCorporationRemarkRequest { corporation_remark_string_value_deprecated, corporation_remark }
}

macro_rules! answers {
    ($($name:ident { $old:ident, $new:ident })*) => {$(
        impl pb::$name {
            /// The answer. The old field is there also when it is empty: clients throw without it.
            pub fn of(value: impl Into<String>) -> Self {
                let value = value.into();
                Self { $old: Some(value.clone()), $new: value }
            }
            /// What was answered; may be empty.
            pub fn value(&self) -> &str {
                either(&self.$new, self.$old.as_deref())
            }
        }
    )*};
}

answers! {
    ContactAliasResponse { alias_string_value_deprecated, alias }
    ContactAvatarResponse { filebox_string_value_deprecated, file_box }
    RoomTopicResponse { topic_string_value_deprecated, topic }
    RoomAnnounceResponse { text_string_value_deprecated, text }
}

macro_rules! ids {
    ($($name:ident { $old:ident, $new:ident, $method:ident, $id:ident })*) => {$(
        impl pb::$name {
            /// With the id, or with neither field where there is none.
            pub fn of(id: Option<&$id>) -> Self {
                let id = id.map($id::to_string);
                Self { $new: id.clone().unwrap_or_default(), $old: id }
            }
            /// The id, if there is one.
            pub fn $method(&self) -> Option<$id> {
                $id::non_empty(either(&self.$new, self.$old.as_deref()))
            }
        }
    )*};
}

ids! {
    MessageSendTextResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageSendFileResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageSendFileStreamResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageSendContactResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageSendUrlResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageSendMiniProgramResponse { id_string_value_deprecated, id, message_id, MessageId }
    MessageForwardResponse { id_string_value_deprecated, id, message_id, MessageId }
    FriendshipSearchPhoneResponse { contact_id_string_value_deprecated, contact_id, found, ContactId }
    FriendshipSearchHandleResponse { contact_id_string_value_deprecated, contact_id, found, ContactId }
    TagContactListRequest { contact_id_string_value_deprecated, contact_id, contact, ContactId }
}

impl pb::MessageSendLocationResponse {
    /// With the id, where there is one.
    pub fn of(id: Option<&MessageId>) -> Self {
        Self { id: id.map(MessageId::to_string).unwrap_or_default() }
    }
    /// The id, if there is one.
    pub fn message_id(&self) -> Option<MessageId> {
        MessageId::non_empty(&*self.id)
    }
}

macro_rules! json_set_or_get {
    ($($name:ident($payload:ident) = $what:literal;)*) => {$(
        impl pb::$name {
            /// Asks for the payload.
            pub fn get(id: impl Into<String>) -> Self {
                Self { id: id.into(), ..Self::default() }
            }
            /// Puts the payload into the cache of the other side.
            ///
            /// # Errors
            /// [`WireError::Json`] for a payload without a JSON form.
            pub fn set(id: impl Into<String>, payload: &$payload) -> Result<Self> {
                let json = serde_json::to_string(payload).map_err(|source| WireError::Json { what: $what, source })?;
                Ok(Self { id: id.into(), payload_string_value_deprecated: Some(json.clone()), payload: json })
            }
            /// The payload to set; `None`: it is asked for. Python asks with the text `null`.
            ///
            /// # Errors
            /// [`WireError::Json`].
            pub fn to_set(&self) -> Result<Option<$payload>> {
                match either(&self.payload, self.payload_string_value_deprecated.as_deref()).trim() {
                    "" | "null" => Ok(None),
                    text => json::value($what, json::object($what, text)?).map(Some),
                }
            }
        }
    )*};
}

json_set_or_get! {
    FriendshipPayloadRequest(FriendshipPayload) = "a friendship payload";
    RoomInvitationPayloadRequest(RoomInvitationPayload) = "a room invitation payload";
}

impl pb::FriendshipAddRequest {
    /// A request to a contact. The old fields hold the empty text for nobody, as TypeScript writes them.
    pub fn of(contact: &ContactId, request: &FriendRequest) -> Self {
        let room = request.room.as_ref().map(ToString::to_string).unwrap_or_default();
        let referrer = request.contact.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            contact_id: contact.to_string(),
            hello: request.hello.clone().unwrap_or_default(),
            source_room_id_string_value_deprecated: Some(room.clone()),
            source_contact_id_string_value_deprecated: Some(referrer.clone()),
            referrer: Some(pb::Referrer { contact_id: referrer, room_id: room }),
        }
    }

    /// What goes with the request.
    pub fn request(&self) -> FriendRequest {
        let new = self.referrer.as_ref();
        let room = new.map(|referrer| referrer.room_id.as_str()).unwrap_or_default();
        let contact = new.map(|referrer| referrer.contact_id.as_str()).unwrap_or_default();
        FriendRequest {
            hello: Some(self.hello.clone()).filter(|hello| !hello.is_empty()),
            room: wechaty_types::RoomId::non_empty(either(
                room,
                self.source_room_id_string_value_deprecated.as_deref(),
            )),
            contact: ContactId::non_empty(either(contact, self.source_contact_id_string_value_deprecated.as_deref())),
        }
    }
}

macro_rules! people {
    ($($name:ident)*) => {$(
        impl pb::$name {
            /// Whom it is about: the list of the newest contract and the single one before it, each once.
            pub fn contacts(&self) -> Vec<ContactId> {
                let mut seen = std::collections::HashSet::new();
                let all = std::iter::once(&self.contact_id).chain(&self.contact_ids);
                all.filter(|id| seen.insert(*id)).filter_map(|id| ContactId::non_empty(id.as_str())).collect()
            }
        }
    )*};
}

people! { RoomAddRequest RoomDelRequest }

impl pb::DirtyPayloadRequest {
    /// Says that a cached payload is stale.
    pub fn of(event: &DirtyEvent) -> Self {
        Self { r#type: event.payload_type.number(), id: event.payload_id.clone() }
    }
}

impl From<pb::DirtyPayloadRequest> for DirtyEvent {
    fn from(request: pb::DirtyPayloadRequest) -> Self {
        Self { payload_type: DirtyType::from_number(request.r#type), payload_id: request.id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_in_either_generation_is_a_set_and_empty_clears() {
        let new = pb::ContactAliasRequest { alias: Some("a".into()), ..Default::default() };
        assert_eq!(new.to_set(), Some("a"));
        let old = pb::ContactAliasRequest { alias_string_value_deprecated: Some("a".into()), ..Default::default() };
        assert_eq!(old.to_set(), Some("a"));
        let clear = pb::RoomTopicRequest { topic_string_value_deprecated: Some(String::new()), ..Default::default() };
        assert_eq!(clear.to_set(), Some(""));
        assert_eq!(pb::RoomTopicRequest::get("r").to_set(), None);
        assert_eq!(pb::RoomAnnounceRequest::set("r", "").to_set(), Some(""));
    }

    #[test]
    fn both_generations_are_filled_also_when_empty() {
        let empty = pb::ContactAliasResponse::of("");
        assert_eq!(empty.alias_string_value_deprecated.as_deref(), Some(""));
        let found = pb::FriendshipSearchPhoneResponse::of(Some(&"c".into()));
        assert_eq!((found.contact_id_string_value_deprecated.as_deref(), found.contact_id.as_str()), (Some("c"), "c"));
        let nobody = pb::FriendshipSearchPhoneResponse::of(None);
        assert_eq!((&nobody, nobody.found()), (&pb::FriendshipSearchPhoneResponse::default(), None));
        let old = pb::MessageSendTextResponse { id_string_value_deprecated: Some("m".into()), id: String::new() };
        assert_eq!(old.message_id(), Some("m".into()));
    }

    #[test]
    fn the_null_of_python_is_a_question() {
        let asks = pb::FriendshipPayloadRequest {
            id: "f".into(),
            payload_string_value_deprecated: Some("null".into()),
            payload: String::new(),
        };
        assert_eq!(asks.to_set().unwrap(), None);
        let sets = pb::FriendshipPayloadRequest {
            payload_string_value_deprecated: Some(
                r#"{"id":"f","contactId":"c","type":2,"hello":null,"ticket":null,"extra":1}"#.into(),
            ),
            ..asks
        };
        let payload = sets.to_set().unwrap().unwrap();
        assert_eq!((payload.contact_id.as_str(), payload.hello), ("c", None));
        for bad in ["[]", "7", "{", r#"{"id":7}"#] {
            let request = pb::RoomInvitationPayloadRequest { payload: bad.into(), ..Default::default() };
            assert!(matches!(request.to_set(), Err(WireError::Json { .. })), "{bad}");
        }
    }

    #[test]
    fn notes_are_cleared_by_nothing_and_by_the_empty_text() {
        assert_eq!(pb::ContactDescriptionRequest::of("c", None).note(), None);
        assert_eq!(pb::ContactDescriptionRequest::of("c", Some("")).note(), None);
        assert_eq!(pb::ContactCorporationRemarkRequest::of("c", Some("x")).note(), Some("x"));
    }

    #[test]
    fn a_friend_request_tells_where_they_met_in_either_generation() {
        let request = FriendRequest { hello: Some("hi".into()), room: Some("r".into()), contact: None };
        let wire = pb::FriendshipAddRequest::of(&"c".into(), &request);
        assert_eq!(wire.source_contact_id_string_value_deprecated.as_deref(), Some(""));
        assert_eq!(wire.request(), request);
        assert_eq!(pb::FriendshipAddRequest { referrer: None, ..wire }.request(), request);
    }

    #[test]
    fn everybody_of_both_lists_comes_once() {
        let add = pb::RoomAddRequest {
            contact_id: "a".into(),
            contact_ids: vec!["a".into(), "b".into(), String::new(), "b".into()],
            ..Default::default()
        };
        assert_eq!(add.contacts(), ["a".into(), "b".into()]);
        assert_eq!(pb::RoomDelRequest { contact_id: "a".into(), ..Default::default() }.contacts(), ["a".into()]);
    }
}
