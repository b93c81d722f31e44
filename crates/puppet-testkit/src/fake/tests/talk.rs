//! People and bot talk.

use wechaty_puppet::{Capability, Mention, SayablePayload};

use super::*;

#[tokio::test]
async fn ding_gets_dong() {
    let (platform, robot, running) = connected().await;
    let alice = platform.user("alice");
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "dong");
    alice.hears_nothing();
    assert_eq!(alice.inbox().len(), 1);
    running.stop().await;
    assert_eq!(robot.kinds(), [EventKind::Login, EventKind::Ready, EventKind::Message]);
    let book = platform.book();
    assert_eq!((book.received(), book.duplicates(), book.sent_texts()), (3, 0, vec!["dong".to_owned()]));
    assert_eq!(book.sends_to(alice.id()).len(), 1);
    assert!(book.accepted_events().iter().all(|event| event.deliveries == 1));
}

#[tokio::test]
async fn what_is_said_before_the_bot_comes_waits_for_it() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    alice.says("ding").await;
    let _running = Robot::new(platform.puppet()).run();
    assert_eq!(alice.hears().await, "dong");
}

#[tokio::test]
async fn in_a_room_every_member_hears_it_once() {
    let (platform, robot, _running) = connected().await;
    let (alice, bob, carol) = (platform.user("alice"), platform.user("bob"), platform.user("carol"));
    let room = platform.room("tea", &[&alice, &bob]);
    assert_eq!(room.members(), [alice.id(), bob.id(), platform.bot_id()]);
    let id = alice.mentions_in(&room, &[platform.bot_id()], "ding").await;
    let heard = alice.hears_in(&room).await;
    assert_eq!(heard, "dong");
    assert_eq!(heard.room(), Some(&room.id()));
    assert_eq!(bob.hears_in(&room).await, *"dong");
    carol.joins(&room).await;
    for person in [&alice, &bob, &carol] {
        person.hears_nothing();
    }
    let said = platform.message(&id).expect("the message is there");
    assert_eq!(said.mentions(), [Mention::Contact(platform.bot_id())]);
    bob.replies_to(&id, "really?").await;
    let accepted = robot.0.accepted.lock().last().cloned().expect("bob's answer");
    let payload = accepted.message_payload().cloned().expect("with its payload");
    assert_eq!((payload.quote_id.as_ref(), payload.room_id.as_ref()), (Some(&id), Some(&room.id())));
}

#[tokio::test]
async fn own_messages_echo_where_declared() {
    let (platform, robot, _running) = start(FakePlatform::builder().allow(Capability::EchoSelf).build()).await;
    let alice = platform.user("alice");
    robot.says(alice.id(), "hello").await.expect("taken");
    platform.settled().await;
    let echo = robot.0.accepted.lock().last().and_then(|event| event.message_payload().cloned()).expect("an echo");
    assert_eq!(echo.talker_id, platform.bot_id());
    assert_eq!(echo.conversation(Some(&platform.bot_id())), alice.conversation());
}

#[tokio::test]
async fn two_accounts_share_the_platform() {
    let (platform, robot, _running) = connected().await;
    let second = platform.account_named("second");
    let other = Robot::new(second.puppet());
    let _other_running = other.run();
    second.connected().await;
    let alice = platform.user("alice");
    let alice2 = alice.with(&second);
    alice2.says("ding").await;
    assert_eq!(alice2.hears().await.talker(), &second.bot_id());
    alice.hears_nothing();
    let room = platform.room("both", &[&alice]);
    room.add_bot(&second, &alice).await;
    robot.says(room.id(), "ding").await.expect("taken");
    assert_eq!(alice.hears_in(&room).await, "ding");
    assert_eq!(alice.hears_in(&room).await.talker(), &second.bot_id());
    // … and one account writes to the other.
    robot.says(second.bot_id(), "psst").await.expect("taken");
    platform.settled().await;
    assert_eq!(other.texts(), ["ding", "ding", "psst"]);
}

#[tokio::test]
async fn only_ids_in_events_leave_the_rest_to_the_loader() {
    let (platform, robot, _running) = connected().await;
    platform.payloads_in_events(false);
    let alice = platform.user("alice");
    let id = alice.sends(SayablePayload::text("hi")).await;
    assert!(robot.texts().is_empty());
    let loader = robot.0.puppet.loader().expect("declared");
    assert_eq!(loader.message(&id).await.expect("known").text.as_deref(), Some("hi"));
    assert_eq!(loader.contact(&alice.id()).await.expect("known").friend, Some(true));
    assert!(matches!(loader.message(&"nonsense".into()).await, Err(PuppetError::NotFound { .. })));
}

#[tokio::test]
#[should_panic(expected = "alice waited to hear from the bot, in vain for 1 s")]
async fn who_waits_in_vain_is_told_what_the_book_holds() {
    let platform = FakePlatform::builder().patience(1).build();
    platform.user("alice").hears().await;
}

#[tokio::test]
#[should_panic(expected = "alice expected to have heard everything")]
async fn silence_can_be_asserted() {
    let (platform, _robot, _running) = connected().await;
    let alice = platform.user("alice");
    alice.says("ding").await;
    alice.hears_nothing();
}
