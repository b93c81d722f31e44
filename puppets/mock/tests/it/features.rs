//! Each feature off: not declared, and refused. And the stub, the rich world, injected events.

use serde_json::{Value, json};
use wechaty_puppet::{
    Capability as C, Card, ContactId, ContactPayload, ContactProfile, FileBox, FriendRequest, Friendships, ImageType,
    LoginControl, MessageMedia, Puppet, PuppetError, ReadMarks, RoomAdmin, RoomId, RoomInvitations, RoomPayload,
    SayablePayload, SelfProfile, Tags,
};
use wechaty_puppet_mock::{Features, MockPuppet, World};

use crate::support::{Stage, changed, contact, dirty, room, unsupported, world};

async fn refused(puppet: &MockPuppet, capability: C) {
    let (otto, tasting) = (ContactId::new("c-otto"), RoomId::new("tasting@room"));
    let one = std::slice::from_ref(&otto);
    let file = || FileBox::from_bytes(wechaty_puppet::Bytes::new(), "x.png");
    let p = puppet;
    match capability {
        C::ContactAlias => unsupported(p.set_alias(&otto, None).await),
        C::ContactPhone => unsupported(p.set_phone(&otto, &[]).await),
        C::ContactDescription => unsupported(p.set_description(&otto, None).await),
        C::ContactCorporation => unsupported(p.set_corporation(&otto, None).await),
        C::ContactAvatar => unsupported(ContactProfile::avatar(p, &otto).await),
        C::SelfName => unsupported(p.set_name("x").await),
        C::SelfSignature => unsupported(p.set_signature("x").await),
        C::SelfQrCode => unsupported(SelfProfile::qr_code(p).await),
        C::SelfAvatar => unsupported(SelfProfile::set_avatar(p, file()).await),
        C::RoomAvatar => unsupported(RoomAdmin::avatar(p, &tasting).await),
        C::RoomCreate => unsupported(p.create(one, None).await),
        C::RoomTopic => unsupported(p.set_topic(&tasting, "x").await),
        C::RoomAdd => unsupported(RoomAdmin::add(p, &tasting, one, false).await),
        C::RoomRemove => unsupported(RoomAdmin::remove(p, &tasting, one).await),
        C::RoomAnnounce => unsupported(p.announce(&tasting).await),
        C::RoomQuit => unsupported(p.quit(&tasting).await),
        C::RoomQrCode => unsupported(RoomAdmin::qr_code(p, &tasting).await),
        C::Tag => unsupported(Tags::list(p, None).await),
        C::FriendshipAdd => unsupported(Friendships::add(p, &otto, FriendRequest::default()).await),
        C::FriendshipAccept => unsupported(Friendships::accept(p, &"f-finn".into()).await),
        C::FriendshipSearch => unsupported(p.search_phone("1").await),
        C::LoadFriendship => unsupported(wechaty_puppet::Loader::friendship(p, &"f-finn".into()).await),
        C::LoadRoomInvitation => unsupported(wechaty_puppet::Loader::room_invitation(p, &"i-auction".into()).await),
        C::RoomInvitationAccept => unsupported(RoomInvitations::accept(p, &"i-auction".into()).await),
        C::MessageRecall => unsupported(wechaty_puppet::MessageRecall::recall(p, &"m-ding".into()).await),
        C::MessageImage => unsupported(p.image(&"m-leaf".into(), ImageType::HD).await),
        C::MessageFile => unsupported(p.file(&"m-list".into()).await),
        C::ReadMark => unsupported(p.is_read(&contact("c-otto")).await),
        C::Ding => unsupported(p.ding(None).await),
        C::Logout => unsupported(p.logout(None).await),
        C::LoadContact => unsupported(wechaty_puppet::Loader::contact(p, &otto).await),
        C::ContactList => unsupported(wechaty_puppet::Directory::contacts(p).await),
        other => panic!("no call for {other:?}"),
    }
}

#[tokio::test]
async fn a_feature_that_is_off_is_refused() {
    let features: &[(&str, &[C])] = &[
        ("recall", &[C::MessageRecall]),
        ("aliasStore", &[C::ContactAlias]),
        ("contactEdit", &[C::ContactPhone, C::ContactDescription, C::ContactCorporation]),
        ("selfEdit", &[C::SelfName, C::SelfSignature, C::SelfQrCode]),
        ("avatar", &[C::ContactAvatar, C::SelfAvatar, C::RoomAvatar]),
        ("roomCreate", &[C::RoomCreate]),
        ("roomMutate", &[C::RoomTopic, C::RoomAdd, C::RoomRemove]),
        ("roomAnnounce", &[C::RoomAnnounce]),
        ("roomQuit", &[C::RoomQuit]),
        ("tags", &[C::Tag]),
        ("friendship", &[C::FriendshipAdd, C::FriendshipAccept, C::LoadFriendship]),
        ("roomInvitation", &[C::RoomInvitationAccept, C::LoadRoomInvitation]),
        ("search", &[C::FriendshipSearch]),
        ("image", &[C::MessageImage]),
    ];
    for (feature, capabilities) in features {
        let stage = Stage::with(json!({ *feature: false })).await;
        let with = MockPuppet::new(World::default_world()).capabilities();
        for capability in *capabilities {
            assert!(
                with.has(*capability) && !stage.puppet.capabilities().has(*capability),
                "{feature}: {capability:?}"
            );
            refused(&stage.puppet, *capability).await;
        }
    }
}

#[tokio::test]
async fn a_group_of_which_nothing_is_declared_has_no_accessor() {
    let off = |features: Value| MockPuppet::new(world(features));
    assert!(off(json!({ "tags": false })).tags().is_none());
    assert!(off(json!({ "recall": false })).recall().is_none());
    assert!(off(json!({ "roomInvitation": false })).room_invitations().is_none());
    assert!(off(json!({ "friendship": false, "search": false })).friendships().is_none());
    assert!(off(json!({ "friendship": false })).friendships().is_some());
    assert!(off(json!({ "scriptedMedia": false, "storeSent": false, "image": false })).media().is_none());
}

#[tokio::test]
async fn scripted_media_and_sent_media_are_two_things() {
    let stage = Stage::with(json!({ "scriptedMedia": false })).await;
    unsupported(stage.puppet.file(&"m-list".into()).await);
    let card = SayablePayload::Contact(wechaty_puppet::ContactCard { contact_id: "c-mei".into() });
    let id = stage.send(contact("c-otto"), card).await.unwrap().id.unwrap();
    assert_eq!(MessageMedia::contact(&stage.puppet, &id).await.unwrap(), "c-mei".into());
}

#[tokio::test]
async fn recall_is_true_once_and_for_ours_only() {
    let stage = Stage::with(json!({})).await;
    let id = stage.send(contact("c-mei"), SayablePayload::text("oops")).await.unwrap().id.unwrap();
    let recall = stage.puppet.recall().unwrap();
    assert!(recall.recall(&id).await.unwrap());
    assert!(!recall.recall(&id).await.unwrap());
    assert!(!recall.recall(&"m-ding".into()).await.unwrap());
    assert!(stage.puppet.sent()[0].recalled);
}

#[tokio::test]
async fn member_aliases_belong_to_room_mutate() {
    let puppet = MockPuppet::new(world(json!({ "roomMutate": false })));
    let otto = puppet.loader().unwrap().room_member(&"tasting@room".into(), &"c-otto".into()).await.unwrap();
    assert_eq!((otto.name.as_str(), otto.room_alias.as_deref()), ("Otto", None));
}

#[tokio::test]
async fn a_stub_sends_and_receives_text() {
    let stage = Stage::with(json!({ "stub": true })).await;
    let all = stage.puppet.capabilities();
    assert_eq!(all.set.iter().collect::<Vec<_>>(), [C::SendText, C::EchoSelf, C::SentId, C::LoadMessage]);
    stage.send(contact("c-mei"), SayablePayload::text("hi")).await.unwrap();
    assert_eq!(stage.happened().await.len(), 1);
    assert!(stage.puppet.rooms().is_none() && stage.puppet.directory().is_none() && stage.puppet.media().is_none());
    for capability in [C::ContactAlias, C::RoomQrCode, C::ReadMark, C::Ding, C::Logout, C::LoadContact, C::ContactList]
    {
        refused(&stage.puppet, capability).await;
    }
    let mentions = vec![wechaty_puppet::Mention::All];
    let all = SayablePayload::Text(wechaty_puppet::TextPayload { text: "@all".into(), mentions });
    unsupported(stage.send(contact("c-mei"), all).await);
    let link = SayablePayload::Url(wechaty_puppet::UrlLinkPayload::default());
    unsupported(stage.send(contact("c-mei"), link).await);
}

#[tokio::test]
async fn cards_are_for_rich_worlds() {
    let card = || SayablePayload::Card(Box::new(Card::new("Order").button("ok", "OK")));
    let stage = Stage::with(json!({})).await;
    unsupported(stage.send(contact("c-mei"), card()).await);
    let stage = Stage::with(json!({ "rich": true })).await;
    let id = stage.send(contact("c-mei"), card()).await.unwrap().id.unwrap();
    let what = std::sync::Arc::new(SayablePayload::text("done"));
    stage.puppet.edits().unwrap().edit(&contact("c-mei"), &id, what).await.unwrap();
    assert_eq!(stage.puppet.loader().unwrap().message(&id).await.unwrap().text.as_deref(), Some("done"));
    stage.puppet.reactions().unwrap().react(&contact("c-mei"), &"m-ding".into(), "👍", true).await.unwrap();
    assert_eq!(stage.puppet.reactions_to(&"m-ding".into()), ["👍"]);
    stage.puppet.typing().unwrap().typing(&contact("c-mei"), true).await.unwrap();
    assert!(stage.puppet.is_typing(&contact("c-mei")));
    stage.puppet.rooms().unwrap().transfer(&"tasting@room".into(), &"c-mei".into()).await.unwrap();
}

#[test]
fn features_that_are_not_mentioned() {
    let without = World::from_json(&changed(|world| world["features"] = Value::Null)).unwrap();
    assert_eq!(*without.features(), Features::ALL);
    let few =
        World::from_json(&changed(|world| world["features"] = json!({ "tags": true, "acceptUrlFile": true }))).unwrap();
    assert!(few.features().tags && few.features().posts && !few.features().recall);
}

#[tokio::test]
async fn a_test_takes_the_other_peoples_part() {
    let stage = Stage::with(json!({})).await;
    stage.puppet.add_contact(ContactPayload::new("c-new", "New")).unwrap();
    stage.puppet.add_room(RoomPayload::new("new@room", "New", vec!["bot".into(), "c-new".into()])).unwrap();
    let id = stage.puppet.says_in("new@room", "c-new", "hello").unwrap();
    assert!(stage.puppet.says("c-nobody", "x").is_err());
    stage
        .puppet
        .inject(wechaty_puppet::RoomTopicEvent {
            changer_id: None,
            new_topic: "Newer".into(),
            old_topic: "New".into(),
            room_id: "new@room".into(),
            timestamp: Default::default(),
        })
        .unwrap();
    let events = stage.happened().await;
    assert_eq!(events[..3], [dirty(2, "c-new"), dirty(3, "new@room"), dirty(4, "new@room")]);
    assert_eq!(events[3], json!({ "event": "message", "payload": { "messageId": id.as_str() } }));
    assert_eq!(events[6]["event"], "room-topic");
    stage.send(room("new@room"), SayablePayload::text("welcome")).await.unwrap();
    assert_eq!(stage.puppet.loader().unwrap().room(&"new@room".into()).await.unwrap().topic, "Newer");
}

#[tokio::test]
async fn a_send_fails_as_it_is_told_to() {
    let stage = Stage::with(json!({})).await;
    let text = || SayablePayload::text("a");
    stage.puppet.next_send_fails(PuppetError::RateLimited { retry_after: None }, false);
    stage.puppet.next_send_fails(PuppetError::Transport { context: "send", source: "reset".into() }, true);
    assert!(stage.send(contact("c-mei"), text()).await.unwrap_err().is_certain());
    assert!(!stage.send(contact("c-mei"), text()).await.unwrap_err().is_certain());
    assert_eq!(stage.puppet.sent().len(), 1, "the answer of the second was lost, not the send");
    stage.send(contact("c-mei"), text()).await.unwrap();
    stage.puppet.run_fails(PuppetError::Transport { context: "listen", source: "reset".into() }).unwrap();
    stage.advance(0).await;
    assert!(stage.stop().await.is_err());
}

#[tokio::test]
async fn people_publish_and_like() {
    let stage = Stage::with(json!({})).await;
    let content = wechaty_puppet::PostContent::Client { sayable_list: vec![SayablePayload::text("spring")] };
    let post = wechaty_puppet::PostPayload { parent_id: None, root_id: None, kind: Default::default(), content };
    let id = stage.puppet.publishes("c-rosa", post).unwrap();
    stage.puppet.likes("c-mei", &id, true).unwrap();
    let post = json!({ "event": "post", "payload": { "postId": id.as_str() } });
    assert_eq!(stage.happened().await, [post, dirty(6, id.as_str())]);
}
