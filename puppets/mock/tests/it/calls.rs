//! What the bot can call, every feature on: it works, is kept, and makes dirty what it changed.

use futures_util::stream;
use serde_json::json;
use wechaty_puppet::{
    Bytes, ContactId, FileBox, FilePayload, FriendRequest, ImageType, PostContent, PostPayload, PostType, Puppet,
    PuppetError, RoomId, SayablePayload,
};

use crate::support::{Stage, contact, dirty, not_found, read};

#[tokio::test]
async fn notes_about_contacts_are_kept() {
    let stage = Stage::with(json!({})).await;
    let (profile, loader) = (stage.puppet.contact_profile().unwrap(), stage.puppet.loader().unwrap());
    let otto = ContactId::new("c-otto");
    profile.set_alias(&otto, Some("the strainer")).await.unwrap();
    profile.set_phone(&otto, &["1".into(), "2".into()]).await.unwrap();
    profile.set_description(&otto, Some("tall")).await.unwrap();
    profile.set_corporation(&otto, Some("Sieves")).await.unwrap();
    assert_eq!(stage.happened().await, vec![dirty(2, "c-otto"); 4]);
    let now = loader.contact(&otto).await.unwrap();
    assert_eq!(now.alias.as_deref(), Some("the strainer"));
    assert_eq!(
        (now.phone.len(), now.description.as_deref(), now.corporation.as_deref()),
        (2, Some("tall"), Some("Sieves"))
    );
    for clear in [None, Some("")] {
        profile.set_alias(&otto, Some("x")).await.unwrap();
        profile.set_alias(&otto, clear).await.unwrap();
        assert_eq!(loader.contact(&otto).await.unwrap().alias, None);
    }
    not_found(profile.set_alias(&"c-nobody".into(), None).await);
}

#[tokio::test]
async fn our_own_profile_is_kept() {
    let stage = Stage::with(json!({})).await;
    let (own, profile) = (stage.puppet.self_profile().unwrap(), stage.puppet.contact_profile().unwrap());
    own.set_name("Pot").await.unwrap();
    own.set_signature("steaming").await.unwrap();
    let me = stage.puppet.loader().unwrap().contact(&"bot".into()).await.unwrap();
    assert_eq!((me.name.as_str(), me.signature.as_deref()), ("Pot", Some("steaming")));
    assert!(!own.qr_code().await.unwrap().is_empty());
    let avatar = profile.avatar(&"c-mei".into()).await.unwrap();
    assert_eq!(read(avatar).await, ("c-mei.txt".into(), b"avatar of c-mei".to_vec()));
    own.set_avatar(FileBox::from_bytes(Bytes::from_static(b"pot"), "pot.png")).await.unwrap();
    assert_eq!(read(profile.avatar(&"bot".into()).await.unwrap()).await, ("pot.png".into(), b"pot".to_vec()));
    let room = stage.puppet.rooms().unwrap().avatar(&"tasting@room".into()).await.unwrap();
    assert_eq!(read(room).await, ("tasting@room.txt".into(), b"avatar of tasting@room".to_vec()));
}

#[tokio::test]
async fn what_was_given_as_a_stream_is_read_again_and_again() {
    let stage = Stage::with(json!({ "rich": true })).await;
    let (own, profile) = (stage.puppet.self_profile().unwrap(), stage.puppet.contact_profile().unwrap());
    let once = || FileBox::from_stream(stream::iter([Ok(Bytes::from_static(b"pot"))]), "pot.png");
    own.set_avatar(once()).await.unwrap();
    let post = PostPayload {
        parent_id: None,
        root_id: None,
        kind: PostType::Moment,
        content: PostContent::Client { sayable_list: vec![SayablePayload::Image(FilePayload { file: once() })] },
    };
    let post = stage.puppet.posts().unwrap().publish(post).await.unwrap().unwrap();
    let post = stage.puppet.loader().unwrap().post(&post).await.unwrap();
    let PostContent::Server { sayable_list: parts, .. } = &post.content else { panic!("{post:?}") };
    let sent = stage.send(contact("c-mei"), SayablePayload::text("a pot")).await.unwrap().id.unwrap();
    let image = SayablePayload::Image(FilePayload { file: once() });
    stage.puppet.edits().unwrap().edit(&contact("c-mei"), &sent, image.into()).await.unwrap();
    for _ in 0..2 {
        let avatar = profile.avatar(&"bot".into()).await.unwrap();
        assert_eq!((avatar.size(), read(avatar).await), (Some(3), ("pot.png".into(), b"pot".to_vec())));
        for id in [&parts[0], &sent] {
            let image = stage.puppet.media().unwrap().file(id).await.unwrap();
            assert_eq!(read(image).await, ("pot.png".into(), b"pot".to_vec()));
        }
    }
}

#[tokio::test]
async fn rooms_are_made_changed_and_left() {
    let stage = Stage::with(json!({})).await;
    let (rooms, directory) = (stage.puppet.rooms().unwrap(), stage.puppet.directory().unwrap());
    let id = rooms.create(&["c-mei".into(), "c-finn".into()], Some("Fair")).await.unwrap();
    assert!(id.as_str().contains('@'));
    assert_eq!(stage.happened().await, [dirty(3, id.as_str()), dirty(4, id.as_str())]);
    assert_eq!(directory.room_members(&id).await.unwrap(), ["bot".into(), "c-mei".into(), "c-finn".into()]);
    rooms.set_topic(&id, "Autumn fair").await.unwrap();
    rooms.add(&id, &["c-rosa".into()], false).await.unwrap();
    rooms.add(&id, &["c-otto".into()], true).await.unwrap();
    rooms.remove(&id, &["c-finn".into()]).await.unwrap();
    rooms.set_announce(&id, "hall 3").await.unwrap();
    let now = stage.puppet.loader().unwrap().room(&id).await.unwrap();
    assert_eq!(now.topic, "Autumn fair");
    assert_eq!(now.member_id_list, ["bot".into(), "c-mei".into(), "c-rosa".into()]);
    assert_eq!(rooms.announce(&id).await.unwrap(), "hall 3");
    assert!(!rooms.qr_code(&id).await.unwrap().is_empty());
    assert_eq!(rooms.qr_code(&"tasting@room".into()).await.unwrap(), "https://example.invalid/qr/tasting");
    not_found(rooms.remove(&id, &["c-finn".into()]).await);
    not_found(rooms.create(&["c-nobody".into()], None).await);

    rooms.quit(&id).await.unwrap();
    assert_eq!(directory.rooms().await.unwrap(), [RoomId::new("tasting@room"), RoomId::new("orders@room")]);
    assert!(matches!(rooms.set_topic(&id, "x").await, Err(PuppetError::Rejected { .. })));
}

#[tokio::test]
async fn members_have_their_alias() {
    let stage = Stage::start(wechaty_puppet_mock::MockPuppet::new(crate::support::world(json!({})))).await;
    let member = |id: &'static str| {
        let puppet = stage.puppet.clone();
        async move { puppet.loader().unwrap().room_member(&"tasting@room".into(), &id.into()).await }
    };
    assert_eq!(member("c-otto").await.unwrap().room_alias.as_deref(), Some("Strainer"));
    assert_eq!(member("c-mei").await.unwrap().room_alias, None);
    not_found(member("c-finn").await);
}

#[tokio::test]
async fn friends_are_made_and_found() {
    let stage = Stage::with(json!({})).await;
    let (friends, loader) = (stage.puppet.friendships().unwrap(), stage.puppet.loader().unwrap());
    friends.accept(&"f-finn".into()).await.unwrap();
    friends.add(&"c-harbour".into(), FriendRequest::default()).await.unwrap();
    assert_eq!(stage.happened().await, [dirty(2, "c-finn"), dirty(2, "c-harbour")]);
    for id in ["c-finn", "c-harbour"] {
        assert_eq!(loader.contact(&id.into()).await.unwrap().friend, Some(true));
    }
    assert!(matches!(friends.accept(&"f-rosa".into()).await, Err(PuppetError::Rejected { .. })));
    let request = loader.friendship(&"f-finn".into()).await.unwrap();
    assert_eq!(request.receive.as_ref().unwrap().ticket, "ticket-finn");
    assert_eq!(loader.friendship(&"f-rosa".into()).await.unwrap().receive, None);
    assert_eq!(friends.search_phone("13900000001").await.unwrap(), Some("c-mei".into()));
    assert_eq!(friends.search_phone("13900000002").await.unwrap(), None, "only what the search table says");
    assert_eq!(friends.search_handle("mei_tea").await.unwrap(), Some("c-mei".into()));
}

#[tokio::test]
async fn an_accepted_invitation_is_a_room() {
    let stage = Stage::with(json!({})).await;
    let (invitations, directory) = (stage.puppet.room_invitations().unwrap(), stage.puppet.directory().unwrap());
    invitations.accept(&"i-auction".into()).await.unwrap();
    invitations.accept(&"i-auction".into()).await.unwrap();
    let rooms = directory.rooms().await.unwrap();
    assert_eq!(rooms.len(), 3, "once");
    let events = stage.happened().await;
    assert_eq!((events.len(), &events[2]["event"]), (3, &json!("room-join")));
    assert_eq!(events[2]["payload"]["roomId"], rooms[2].as_str());
    let room = stage.puppet.loader().unwrap().room(&rooms[2]).await.unwrap();
    assert_eq!((room.topic.as_str(), room.member_id_list.len()), ("Auction", 3));
    assert!(room.member_id_list.contains(&"bot".into()));
}

#[tokio::test]
async fn tags_are_kept() {
    let stage = Stage::with(json!({})).await;
    let tags = stage.puppet.tags().unwrap();
    tags.add(&"green".into(), &"c-mei".into()).await.unwrap();
    assert_eq!(tags.list(Some(&"c-mei".into())).await.unwrap(), ["customer".into(), "green".into()]);
    tags.remove(&"customer".into(), &"c-mei".into()).await.unwrap();
    tags.delete(&"staff".into()).await.unwrap();
    assert_eq!(tags.list(None).await.unwrap(), ["customer".into(), "green".into()]);
    assert_eq!(tags.list(Some(&"c-mei".into())).await.unwrap(), ["green".into()]);
}

#[tokio::test]
async fn scripted_messages_have_their_content() {
    let stage = Stage::with(json!({})).await;
    let media = stage.puppet.media().unwrap();
    let list = read(media.file(&"m-list".into()).await.unwrap()).await;
    assert_eq!(list, ("list.txt".into(), "2 × 茉莉\n1 × 龙井\n".as_bytes().to_vec()));
    let film = read(media.file(&"m-film".into()).await.unwrap()).await.1;
    assert!(film.len() == 70_000 && film.iter().enumerate().all(|(i, byte)| *byte as usize == i % 251));
    let leaf = read(media.file(&"m-leaf".into()).await.unwrap()).await.1;
    assert!(leaf.starts_with(b"GIF89a"));
    for kind in ImageType::ALL {
        assert_eq!(read(media.image(&"m-leaf".into(), *kind).await.unwrap()).await.1, leaf);
    }
    assert_eq!(media.contact(&"m-card".into()).await.unwrap(), "c-harbour".into());
    assert_eq!(media.url(&"m-link".into()).await.unwrap().url, "https://example.invalid/spring");
    assert_eq!(media.mini_program(&"m-shop".into()).await.unwrap().appid.as_deref(), Some("gh_tea"));
    assert_eq!(media.location(&"m-place".into()).await.unwrap().accuracy, 20.0);
    not_found(media.file(&"m-ding".into()).await);
}

#[tokio::test]
async fn a_ding_is_answered_and_a_logout_told() {
    let stage = Stage::with(json!({})).await;
    stage.puppet.ding(Some("7".into())).await.unwrap();
    stage.puppet.ding(None).await.unwrap();
    stage.puppet.login().unwrap().logout(Some("enough")).await.unwrap();
    stage.puppet.login().unwrap().logout(None).await.unwrap();
    assert_eq!(
        stage.happened().await,
        [
            json!({ "event": "dong", "payload": { "data": "7" } }),
            json!({ "event": "dong", "payload": {} }),
            json!({ "event": "logout", "payload": { "contactId": "bot", "data": "enough" } }),
        ]
    );
    assert!(matches!(stage.puppet.ding(None).await, Err(PuppetError::NotLoggedIn)));
}

#[tokio::test]
async fn a_conversation_is_unread_until_it_is_marked() {
    let stage = Stage::with(json!({})).await;
    let marks = stage.puppet.read_marks().unwrap();
    let mei = crate::support::contact("c-mei");
    assert!(!marks.is_read(&mei).await.unwrap(), "she said ding");
    marks.set_read(&mei, true).await.unwrap();
    assert!(marks.is_read(&mei).await.unwrap());
    stage.puppet.says("c-mei", "again").unwrap();
    assert!(!marks.is_read(&mei).await.unwrap());
}
