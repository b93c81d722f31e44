//! Buttons, reactions, edits, friendships, invitations, rooms, posts.

use wechaty_puppet::{
    Card, FriendRequest, PageRequest, PostContent, PostFilter, PostPayload, PostType, TapFilter, TapType,
    WebhookRequest,
};

use super::*;

#[tokio::test]
async fn a_card_has_buttons_to_press() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    let mut out = outgoing(1, alice.id(), "");
    out.what = Arc::new(SayablePayload::Card(Box::new(Card::new("Order").button("pay", "Pay"))));
    robot.0.puppet.send(out).await.expect("taken");
    let card = alice.hears().await;
    assert_eq!(card, "Order\n1. Pay");
    alice.presses(card.id(), "pay").await;
    let EventPayload::Action(action) = robot.last() else { panic!("an action") };
    assert_eq!((action.value.as_str(), action.conversation), ("pay", alice.conversation()));
    alice.reacts(card.id(), "👍").await;
    assert_eq!(platform.reactions(card.id()), [(alice.id(), "👍".to_owned())]);
    let recall = robot.0.puppet.recall().expect("declared");
    assert!(recall.recall(card.id()).await.expect("taken") && !recall.recall(card.id()).await.expect("taken"));
    assert!(alice.sees(card.id()).is_none());
}

#[tokio::test]
async fn messages_are_edited_and_recalled() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    let id = alice.says("dung").await;
    alice.edits(&id, "ding").await;
    let EventPayload::MessageEdit(edit) = robot.last() else { panic!("an edit") };
    assert_eq!((edit.message_id, edit.new_text.as_deref()), (id.clone(), Some("ding")));
    alice.recalls(&id).await;
    assert!(matches!(robot.last(), EventPayload::MessageRecall(recall) if recall.message_id == id));
    let sent = robot.says(alice.id(), "tea").await.expect("taken").id.expect("declared");
    let what = Arc::new(SayablePayload::text("coffee"));
    let edits = robot.0.puppet.edits().expect("declared");
    edits.edit(&alice.conversation(), &sent, what.clone()).await.expect("taken");
    assert_eq!(alice.sees(&sent).expect("still there"), "coffee");
    assert!(edits.edit(&alice.conversation(), &id, what).await.is_err(), "not the bot's");
    robot.0.puppet.typing().expect("declared").typing(&alice.conversation(), true).await.expect("taken");
    assert!(alice.sees_typing());
}

#[tokio::test]
async fn friendship_goes_both_ways() {
    let (platform, robot, _running) = connected().await;
    let (alice, bob) = (platform.stranger("alice"), platform.stranger("bob"));
    let asked = alice.asks_friendship("it is me").await;
    let friendships = robot.0.puppet.friendships().expect("declared");
    friendships.accept(&asked).await.expect("taken");
    bob.changes_profile(|payload| payload.phone = vec!["007".into()]);
    let found = friendships.search_phone("007").await.expect("taken").expect("bob");
    friendships.add(&found, FriendRequest { hello: Some("hi".into()), ..Default::default() }).await.expect("taken");
    assert_eq!(bob.friend_request().as_deref(), Some("hi"));
    assert!(bob.accepts_friendship().await && !bob.accepts_friendship().await);
    platform.settled().await;
    assert_eq!(robot.kinds()[2..], [EventKind::Friendship; 3]);
    let contacts = robot.0.puppet.directory().expect("declared").contacts().await.expect("taken");
    assert_eq!(contacts, [alice.id(), bob.id()]);
}

#[tokio::test]
async fn rooms_are_administered_and_seen_to_change() {
    let (platform, robot, _running) = connected().await;
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let rooms = robot.0.puppet.rooms().expect("declared");
    let id = rooms.create(&[alice.id()], Some("tea")).await.expect("taken");
    let room = platform.find_room("tea").expect("made");
    rooms.add(&id, &[bob.id()], false).await.expect("taken");
    rooms.set_topic(&id, "coffee").await.expect("taken");
    rooms.remove(&id, &[bob.id()]).await.expect("taken");
    room.set_topic_by(&alice, "water").await;
    room.announce_by(&alice, "no tea").await;
    room.set_alias(&alice, "Al");
    alice.removes(&platform.bot_id(), &room).await;
    platform.settled().await;
    let kinds = robot.kinds();
    let expected = ["room-join", "room-topic", "room-leave", "room-topic", "room-announce", "dirty", "room-leave"];
    assert_eq!(kinds[2..].iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(room.members(), [alice.id()]);
    assert_eq!(rooms.announce(&id).await.expect_err("not a member any more").reason(), "not-found");
}

#[tokio::test]
async fn an_invitation_leads_into_the_room() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    let id = alice.invites_to("secret").await;
    let room = platform.find_room("secret").expect("made");
    assert_eq!(room.members(), [alice.id()]);
    robot.0.puppet.room_invitations().expect("declared").accept(&id).await.expect("taken");
    alice.says_in(&room, "ding").await;
    assert_eq!(alice.hears_in(&room).await, "dong");
    assert_eq!(robot.kinds()[2..], [EventKind::RoomInvite, EventKind::RoomJoin, EventKind::Message]);
}

#[tokio::test]
async fn posts_are_found_page_by_page_and_tapped() {
    let platform = FakePlatform::new();
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    let posts = puppet.posts().expect("declared");
    let first = alice.publishes(vec![SayablePayload::text("sunset")]).await;
    let content = PostContent::Client { sayable_list: vec![SayablePayload::text("nice")] };
    let answer = PostPayload { parent_id: Some(first.clone()), root_id: None, kind: PostType::Moment, content };
    let answer = posts.publish(answer).await.expect("taken").expect("declared");
    let request = |page_token| PageRequest { page_size: Some(1), page_token };
    let page = posts.search(PostFilter::default(), request(None)).await.expect("taken");
    assert_eq!(page.response, vec![first.clone()]);
    let page = posts.search(PostFilter::default(), request(page.next_page_token)).await.expect("taken");
    assert_eq!((page.response, page.next_page_token), (vec![answer], None));
    let taps = puppet.taps().expect("declared");
    taps.set_tapped(&first, TapType::Like, true).await.expect("taken");
    alice.taps(&first, true);
    assert!(taps.is_tapped(&first, TapType::Unspecified).await.expect("taken"));
    let (found, _) = taps.search(&first, TapFilter::default(), PageRequest::default()).await.expect("taken");
    assert_eq!(found.0[&TapType::Like.number()].contact_id, [alice.id(), platform.bot_id()]);
}

#[tokio::test]
async fn a_webhook_is_answered_once_the_message_is_accepted() {
    let platform = FakePlatform::builder().allow(wechaty_puppet::Capability::Webhook).build();
    let (platform, robot, _running) = start(platform).await;
    let webhook = robot.0.puppet.webhook().expect("declared");
    let request = WebhookRequest {
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: vec![("x-fake-account".into(), platform.bot_id().to_string())],
        body: Bytes::from_static(br#"{"from": "alice", "text": "ding"}"#),
        peer: None,
    };
    assert!(webhook.claims(&request));
    assert_eq!(webhook.handle(request).await.status, 200);
    assert_eq!(platform.user("alice").hears().await, "dong");
}
