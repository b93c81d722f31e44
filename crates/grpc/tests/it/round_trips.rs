//! What is written comes back as it was, as far as the contract has a field for it.

use proptest::{collection::vec, option, prelude::*};
use prost::Message;
use wechaty_grpc::{Dialect, SendCall, SendRequest, event, pb};
use wechaty_types::{
    ContactCard, ContactGender, ContactPayload, ContactType, ConversationId, DirtyEvent, DirtyType, DongEvent,
    ErrorEvent, EventPayload, ForwardPayload, FriendshipEvent, FriendshipPayload, FriendshipSceneType, FriendshipType,
    HeartbeatEvent, LocationPayload, LoginEvent, LogoutEvent, Mention, MessageEvent, MessagePayload, MessageType,
    MiniProgramPayload, PostEvent, ReadyEvent, ReceiveDetails, RoomInvitationPayload, RoomInviteEvent, RoomJoinEvent,
    RoomLeaveEvent, RoomMemberPayload, RoomPayload, RoomTopicEvent, SayablePayload, ScanEvent, ScanStatus, TextPayload,
    Timestamp, UrlLinkPayload,
};

/// Over the wire and back.
fn sent<M: Message + Default>(message: M) -> M {
    M::decode(&*message.encode_to_vec()).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "\\PC{1,12}", Just("学校\u{1f}\0\n".to_owned())]
}

fn some() -> impl Strategy<Value = Option<String>> {
    option::of(text())
}

fn id<T: From<String> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    text().prop_map(T::from)
}

/// From when milliseconds and seconds can be told apart, and the time that nobody told.
fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![Just(0), 100_000_000_000..=253_402_300_799_999_i64].prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn contact()(
        (id, gender, kind, name, avatar) in (id::<wechaty_types::ContactId>(), 0..4, -1..6, text(), text()),
        (phone, address, alias, city, friend) in (vec(text(), 0..3), some(), some(), some(), any::<bool>()),
        (province, signature, star, handle) in (some(), some(), any::<bool>(), some()),
        (corporation, title, description, coworker) in (some(), some(), some(), any::<bool>()),
    ) -> ContactPayload {
        ContactPayload {
            gender: ContactGender::from_number(gender), kind: ContactType::from_number(kind), avatar, phone, address,
            alias, city, friend: Some(friend), province, signature, star: Some(star), handle, corporation, title,
            description, coworker: Some(coworker), ..ContactPayload::new(id, name)
        }
    }
}

prop_compose! {
    fn message()(
        (id, talker_id, timestamp, kind) in (id(), id(), time(), -1..40),
        (filename, text, room_id, listener_id) in (some(), some(), option::of(id()), option::of(id())),
        mentions in vec(prop_oneof![id().prop_map(Mention::Contact), Just(Mention::All)], 0..3),
    ) -> MessagePayload {
        let kind = MessageType::from_number(kind);
        // A text without words is an empty one.
        let text = if kind == MessageType::Text { Some(text.unwrap_or_default()) } else { text };
        let mentions = (!mentions.is_empty()).then_some(mentions);
        MessagePayload {
            id, talker_id, timestamp, kind, filename, text, room_id, mentions, listener_id, quote_id: None, automated: false,
        }
    }
}

prop_compose! {
    fn friendship()(
        (id, contact_id, kind, hello) in (id(), id(), -1..8, some()),
        receive in option::of((text(), 1..40, some())),
    ) -> FriendshipPayload {
        let receive = receive.map(|(ticket, scene, stranger)| {
            ReceiveDetails { ticket, scene: Some(FriendshipSceneType::from_number(scene)), stranger }
        });
        let (kind, timestamp) = (FriendshipType::from_number(kind), Timestamp::default());
        FriendshipPayload { id, contact_id, timestamp, kind, hello, receive }
    }
}

prop_compose! {
    fn room()(
        (id, topic, member_id_list, admin_id_list) in (id(), text(), vec(id(), 0..4), vec(id(), 0..3)),
        (avatar, handle, owner_id) in (some(), some(), option::of(id())),
    ) -> RoomPayload {
        RoomPayload { id, topic, member_id_list, admin_id_list, avatar, handle, owner_id, external: None }
    }
}

prop_compose! {
    fn invitation()(
        (id, inviter_id, topic, avatar) in (id(), id(), text(), text()),
        (invitation, member_count, member_id_list) in (text(), 0..=i32::MAX as u32, vec(id(), 0..4)),
        (timestamp, receiver_id) in (time(), id()),
    ) -> RoomInvitationPayload {
        RoomInvitationPayload {
            id, inviter_id, topic, avatar, invitation, member_count, member_id_list, timestamp, receiver_id,
        }
    }
}

fn link() -> impl Strategy<Value = UrlLinkPayload> {
    (text(), text(), some(), some()).prop_map(|(url, title, description, thumbnail_url)| UrlLinkPayload {
        url,
        title,
        description,
        thumbnail_url,
    })
}

fn mini_program() -> impl Strategy<Value = MiniProgramPayload> {
    (some(), some(), some(), some(), some()).prop_map(|(appid, title, page_path, username, thumb_key)| {
        MiniProgramPayload { appid, title, page_path, username, thumb_key, ..Default::default() }
    })
}

fn place() -> impl Strategy<Value = LocationPayload> {
    (0.0..1e6_f32, text(), -90.0..90.0, -180.0..180.0, text()).prop_map(
        |(accuracy, address, latitude, longitude, name)| LocationPayload {
            accuracy: f64::from(accuracy),
            address,
            latitude,
            longitude,
            name,
        },
    )
}

/// What the contract has a call for.
fn sayable() -> impl Strategy<Value = SayablePayload> {
    let mention = prop_oneof![id().prop_map(Mention::Contact), Just(Mention::All)];
    prop_oneof![
        (any::<String>(), vec(mention, 0..3))
            .prop_map(|(text, mentions)| SayablePayload::Text(TextPayload { text, mentions })),
        id().prop_map(|contact_id| SayablePayload::Contact(ContactCard { contact_id })),
        id().prop_map(|message_id| SayablePayload::Forward(ForwardPayload { message_id })),
        link().prop_map(SayablePayload::Url),
        mini_program().prop_map(SayablePayload::MiniProgram),
        place().prop_map(SayablePayload::Location),
    ]
}

fn happening() -> impl Strategy<Value = EventPayload> {
    let ids = || vec(id(), 0..3);
    let somebody = || option::of(id());
    prop_oneof![
        some().prop_map(|data| HeartbeatEvent { data: Some(data.unwrap_or_default()) }.into()),
        some().prop_map(|data| DongEvent { data: Some(data.unwrap_or_default()) }.into()),
        some().prop_map(|data| ReadyEvent { data: Some(data.unwrap_or_default()) }.into()),
        id().prop_map(|message_id| MessageEvent { message_id }.into()),
        id().prop_map(|post_id| PostEvent { post_id }.into()),
        id().prop_map(|friendship_id| FriendshipEvent { friendship_id }.into()),
        id().prop_map(|room_invitation_id| RoomInviteEvent { room_invitation_id }.into()),
        id().prop_map(|contact_id| LoginEvent { contact_id }.into()),
        (id(), text()).prop_map(|(contact_id, data)| LogoutEvent { contact_id, data: Some(data) }.into()),
        (0..7, some(), some()).prop_map(|(status, qrcode, data)| {
            ScanEvent { status: ScanStatus::from_number(status), qrcode, data }.into()
        }),
        (ids(), somebody(), id(), time()).prop_map(|(invitee_id_list, inviter_id, room_id, timestamp)| {
            RoomJoinEvent { invitee_id_list, inviter_id, room_id, timestamp }.into()
        }),
        (ids(), somebody(), id(), time()).prop_map(|(removee_id_list, remover_id, room_id, timestamp)| {
            RoomLeaveEvent { removee_id_list, remover_id, room_id, timestamp }.into()
        }),
        (somebody(), text(), text(), id(), time()).prop_map(
            |(changer_id, new_topic, old_topic, room_id, timestamp)| {
                RoomTopicEvent { changer_id, new_topic, old_topic, room_id, timestamp }.into()
            }
        ),
        (1..12, text()).prop_map(|(kind, payload_id)| {
            DirtyEvent { payload_type: DirtyType::from_number(kind), payload_id }.into()
        }),
        (text(), text()).prop_map(|(gerror, data)| ErrorEvent { gerror: Some(gerror), data: Some(data) }.into()),
    ]
}

proptest! {
    #[test]
    fn payloads_come_back_to_our_own_client(
        contact in contact(), message in message(), friendship in friendship(),
        room in room(), invitation in invitation(), alias in some(),
    ) {
        let wire = sent(pb::ContactPayloadResponse::of(&contact, Dialect::Rust));
        prop_assert_eq!(ContactPayload::try_from(wire).unwrap(), contact);
        let wire = sent(pb::MessagePayloadResponse::of(&message, Dialect::Rust));
        prop_assert_eq!(wire.timestamp_deprecated, message.timestamp.as_millis() as u64);
        let old = pb::MessagePayloadResponse { receive_time: None, ..wire.clone() };
        prop_assert_eq!(MessagePayload::try_from(old).unwrap(), message.clone());
        prop_assert_eq!(MessagePayload::try_from(wire).unwrap(), message);
        let wire = sent(pb::FriendshipPayloadResponse::of(&friendship, Dialect::Rust));
        prop_assert_eq!(FriendshipPayload::try_from(wire).unwrap(), friendship.clone());
        let wire = sent(pb::FriendshipPayloadRequest::set("f", &friendship).unwrap());
        prop_assert_eq!(wire.to_set().unwrap(), Some(friendship));
        let wire = sent(pb::RoomPayloadResponse::from(&room));
        prop_assert_eq!(RoomPayload::try_from(wire).unwrap(), room.clone());
        let wire = sent(pb::RoomInvitationPayloadResponse::from(&invitation));
        let old = pb::RoomInvitationPayloadResponse { receive_time: None, ..wire.clone() };
        prop_assert_eq!(RoomInvitationPayload::try_from(old).unwrap(), invitation.clone());
        prop_assert_eq!(RoomInvitationPayload::try_from(wire).unwrap(), invitation.clone());
        let wire = sent(pb::RoomInvitationPayloadRequest::set("i", &invitation).unwrap());
        prop_assert_eq!(wire.to_set().unwrap(), Some(invitation));
        let member = RoomMemberPayload {
            id: contact_id(&room), name: room.topic, avatar: String::new(), room_alias: alias, inviter_id: None,
        };
        let wire = sent(pb::RoomMemberPayloadResponse::from(&member));
        prop_assert_eq!(RoomMemberPayload::try_from(wire).unwrap(), member);
    }

    #[test]
    fn cards_come_back_from_either_generation(link in link(), payload in mini_program(), place in place()) {
        let wire = sent(pb::MessageUrlResponse::from(&link));
        let old = pb::MessageUrlResponse { url_link: None, ..wire.clone() };
        prop_assert_eq!(UrlLinkPayload::try_from(old).unwrap(), link.clone());
        prop_assert_eq!(UrlLinkPayload::try_from(wire).unwrap(), link);
        for dialect in [Dialect::Java, Dialect::Python] {
            let wire = sent(pb::MessageMiniProgramResponse::of(&payload, dialect));
            let old = pb::MessageMiniProgramResponse { mini_program: None, ..wire.clone() };
            prop_assert_eq!(MiniProgramPayload::try_from(old).unwrap(), payload.clone());
            prop_assert_eq!(MiniProgramPayload::try_from(wire).unwrap(), payload.clone());
        }
        let wire = sent(pb::MessageLocationResponse::from(&place));
        prop_assert_eq!(LocationPayload::try_from(wire).unwrap(), place);
    }

    #[test]
    fn sends_arrive_as_what_was_said(to in text(), what in sayable()) {
        let call = SendCall::of(&ConversationId::Room(to.clone().into()), &what).unwrap();
        let arrived = match call {
            SendCall::Text(request) => SendRequest::try_from(sent(request)),
            SendCall::File(request) => SendRequest::try_from(sent(request)),
            SendCall::Contact(request) => SendRequest::try_from(sent(request)),
            SendCall::Url(request) => SendRequest::try_from(sent(request)),
            SendCall::MiniProgram(request) => SendRequest::try_from(sent(request)),
            SendCall::Location(request) => SendRequest::try_from(sent(request)),
            SendCall::Forward(request) => SendRequest::try_from(sent(request)),
        }.unwrap();
        prop_assert_eq!(arrived.conversation, to);
        let json = |what: &SayablePayload| serde_json::to_value(what).unwrap();
        prop_assert_eq!(json(&arrived.what), json(&what));
    }

    #[test]
    fn events_come_back_to_our_own_client(what in happening()) {
        let wire = sent(event::write(&what, Dialect::Rust).unwrap());
        prop_assert_eq!(event::read(&wire).unwrap(), what);
    }

    #[test]
    fn every_client_gets_one_object_of_every_event(what in happening()) {
        for dialect in [Dialect::TypeScript, Dialect::Go, Dialect::Python, Dialect::Java, Dialect::Unknown] {
            let Some(wire) = event::write(&what, dialect) else { continue };
            prop_assert_eq!(event::read(&wire).unwrap().kind(), what.kind());
            let json: serde_json::Value = serde_json::from_str(&wire.payload).unwrap();
            prop_assert!(json.as_object().unwrap().values().all(|value| !value.is_null()), "{}", wire.payload);
        }
    }
}

fn contact_id(room: &RoomPayload) -> wechaty_types::ContactId {
    room.id.as_str().into()
}

#[test]
fn a_file_arrives_by_its_kind_and_what_has_no_call_is_told() {
    use wechaty_types::{Card, FileBox, FilePayload};
    let to = ConversationId::Contact("c".into());
    let file = FileBox::from_base64("aGk=", "a.png").unwrap();
    let SendCall::File(request) = SendCall::of(&to, &SayablePayload::Image(FilePayload { file })).unwrap() else {
        panic!("a file")
    };
    let arrived = SendRequest::try_from(sent(request)).unwrap();
    assert_eq!((arrived.what.kind(), arrived.what.file_box().unwrap().name()), ("Image", "a.png"));
    let error = SendCall::of(&to, &SayablePayload::Card(Box::<Card>::default())).unwrap_err();
    assert!(error.to_string().contains("Card"), "{error}");
    let file = FileBox::from_bytes("hi", "a.png");
    SendCall::of(&to, &SayablePayload::Image(FilePayload { file })).unwrap_err();
    let markdown = SayablePayload::Markdown(TextPayload { text: "**hi**".into(), mentions: vec![] });
    assert!(matches!(SendCall::of(&to, &markdown).unwrap(), SendCall::Text(request) if request.text == "**hi**"));
}
