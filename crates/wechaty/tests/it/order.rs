//! Order within a conversation, independence between conversations, duplicates, back pressure.

use std::sync::Arc;

use wechaty::{
    Limits,
    prelude::*,
    testing::*,
    types::{DirtyType, Event},
    user::Dirty,
};

use crate::support::{Log, bot, echo, idle, millis, secs};

fn numbers(n: usize) -> Vec<String> {
    (0..n).map(|i| i.to_string()).collect()
}

/// Takes 5 ms a message.
async fn slow_note(msg: Message, log: State<Log>, bot: Bot) {
    bot.clock().sleep(millis(5)).await;
    log.note(msg.text().unwrap_or_default());
}

#[tokio::test]
async fn a_thousand_messages_of_one_conversation_are_handled_in_order() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let bot = spawn(bot(&platform).state(log.clone()).on_message(slow_note)).await;
    for text in numbers(1000) {
        alice.leaves_message(text);
    }
    platform.settled().await;
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    assert_eq!(log.all(), numbers(1000));
    assert_eq!(platform.clock().now(), secs(5), "one after another, without gaps");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.inbound.received, platform.book().received() as u64);
}

#[tokio::test]
async fn what_is_told_to_be_stale_is_handled_before_what_happens_there_next() {
    let platform = FakePlatform::new();
    let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
    let room = platform.room("tea", &[&alice]);
    let bot = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
        log.note(msg.text().unwrap_or_default());
    });
    let bot = bot.on_dirty(|dirty: Dirty, log: State<Log>, bot: Bot| async move {
        bot.clock().sleep(millis(5)).await;
        log.note(dirty.kind.to_string());
    });
    let bot = spawn(bot).await;
    platform.dirties(DirtyType::Room, room.id().as_str()).await;
    platform.dirties(DirtyType::RoomMember, format!("{}\u{1f}{}", room.id(), alice.id())).await;
    alice.says_in(&room, "in the room").await;
    platform.dirties(DirtyType::Contact, alice.id().as_str()).await;
    alice.says("to the bot").await;
    bob.says("beside them").await;
    platform.clock().advance(secs(1)).await;
    bot.drained().await;
    let all = log.all();
    let at = |line: &str| all.iter().position(|other| other == line).unwrap_or_else(|| panic!("{line}: {all:?}"));
    let [room, member, contact] =
        [DirtyType::Room, DirtyType::RoomMember, DirtyType::Contact].map(|kind| at(&kind.to_string()));
    assert!(room < member && member < at("in the room") && contact < at("to the bot"), "{all:?}");
    assert_eq!(at("beside them"), 0, "{all:?}");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_slow_handler_delays_its_own_conversation_only() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        if msg.text() == Some("slow") {
            bot.clock().sleep(secs(30)).await;
        }
        msg.say(format!("{} done", msg.text().unwrap_or_default())).await?;
        Ok::<_, wechaty::Error>(())
    }))
    .await;
    bob.says("slow").await;
    bob.says("behind").await;
    for text in numbers(50) {
        alice.says(&text).await;
        assert_eq!(alice.hears().await, format!("{text} done"));
    }
    bob.hears_nothing();
    assert_eq!(platform.clock().now(), secs(0), "nobody had to wait");
    platform.clock().advance(secs(30)).await;
    assert_eq!(bob.hears().await, "slow done");
    assert_eq!(bob.hears().await, "behind done");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn many_conversations_run_side_by_side_and_each_keeps_its_order() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..100).map(|i| platform.user(&format!("p{i}"))).collect();
    let log = Log::default();
    let bot =
        spawn(bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>, bot: Bot| async move {
            let text = msg.text().unwrap_or_default();
            let uneven = text.bytes().map(u64::from).sum::<u64>() * 7 % 11;
            bot.clock().sleep(millis(uneven)).await;
            log.note(format!("{} {text}", msg.talker().name()));
        }))
        .await;
    for text in numbers(20) {
        for person in &people {
            person.leaves_message(&text);
        }
    }
    platform.settled().await;
    platform.clock().advance(millis(20 * 11)).await;
    bot.drained().await;
    let all = log.all();
    assert_eq!(all.len(), 2000);
    for person in &people {
        let prefix = format!("{} ", person.name());
        let own: Vec<_> = all.iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
        assert_eq!(own, numbers(20), "messages of {}", person.name());
    }
    bot.finish_with(&platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn order_holds_on_many_threads() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..50).map(|i| platform.user(&format!("p{i}"))).collect();
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        tokio::task::yield_now().await;
        msg.say(msg.text().unwrap_or_default()).await.map(|_| ())
    }))
    .await;
    for text in numbers(50) {
        for person in &people {
            person.leaves_message(&text);
        }
    }
    platform.until_delivered(2500).await;
    for person in &people {
        let heard: Vec<_> = person.inbox().iter().map(ToString::to_string).collect();
        assert_eq!(heard, numbers(50), "answers to {}", person.name());
    }
    assert!(platform.book().sends.iter().all(|send| !send.overlapped));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn rooms_and_private_talk_of_one_person_are_lanes_of_their_own() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        if msg.room().is_some() {
            bot.clock().sleep(secs(30)).await;
        }
        msg.say("ok").await?;
        Ok::<_, wechaty::Error>(())
    }))
    .await;
    alice.says_in(&room, "slow here").await;
    alice.says("quick here").await;
    assert_eq!(alice.hears().await, "ok");
    assert!(alice.inbox_in(&room).is_empty());
    platform.clock().advance(secs(30)).await;
    assert_eq!(alice.hears_in(&room).await, "ok");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_message_delivered_five_times_is_handled_once_and_counted_q12() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(echo)).await;
    let id = alice.says("once").await;
    let payload = platform.message(&id).expect("it was said");
    for _ in 0..4 {
        let again = wechaty::types::MessagePayload::direct(id.clone(), alice.id(), platform.bot_id(), payload.text());
        platform.offers(Event::message(Arc::new(again))).await;
    }
    assert_eq!(alice.hears().await, "once");
    let ledger = bot.finish_with(&platform).await;
    alice.hears_nothing();
    assert_eq!((ledger.inbound.duplicates, ledger.outbound.said), (4, 1));
}

#[tokio::test]
async fn duplicates_within_a_batch_in_a_later_one_and_after_a_lost_ack_are_dropped_q12() {
    let platform = FakePlatform::builder().cursors(false).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(echo)).await;
    platform.faults().duplicate_events_in_batch(1);
    alice.says("twice in a batch").await;
    platform.faults().duplicate_events(1);
    alice.says("again in a later one").await;
    platform.settled().await;
    platform.faults().lose_acks(1);
    alice.leaves_message("again after a reconnect");
    idle(&platform).await;
    platform.clock().advance(secs(2)).await;
    platform.settled().await;
    bot.drained().await;
    let heard: Vec<_> = alice.inbox().iter().map(ToString::to_string).collect();
    assert_eq!(heard, ["twice in a batch", "again in a later one", "again after a reconnect"]);
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.inbound.duplicates, 3);
}

#[tokio::test]
async fn a_message_seen_before_a_restart_is_a_duplicate_after_it_q12() {
    let platform = FakePlatform::builder().cursors(false).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(echo)).await;
    let id = alice.says("once").await;
    assert_eq!(alice.hears().await, "once");
    bot.restart().await.expect("restarts");
    let again = wechaty::types::MessagePayload::direct(id, alice.id(), platform.bot_id(), "once");
    platform.offers(Event::message(Arc::new(again))).await;
    let ledger = bot.finish_with(&platform).await;
    alice.hears_nothing();
    assert_eq!(ledger.inbound.duplicates, 1);
}

#[tokio::test]
async fn a_full_lane_pushes_back_and_drops_nothing() {
    let platform = FakePlatform::builder().batch(1).build();
    let (alice, log) = (platform.user("alice"), Log::default());
    let limits = Limits { lane: 4, ..Limits::default() };
    let bot = spawn(bot(&platform).limits(limits).state(log.clone()).on_message(slow_note)).await;
    platform.account().connected().await;
    let before = platform.totals().deliveries;
    for text in numbers(50) {
        alice.leaves_message(text);
    }
    idle(&platform).await;
    let handed_over = platform.totals().deliveries - before;
    assert!((4..=6).contains(&handed_over), "{handed_over} events were taken though the lane holds 4");
    platform.clock().advance(millis(50 * 5)).await;
    platform.settled().await;
    bot.drained().await;
    assert_eq!(log.all(), numbers(50));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_full_inbox_pushes_back_and_drops_nothing() {
    let platform = FakePlatform::builder().batch(1).build();
    let people: Vec<_> = (0..40).map(|i| platform.user(&format!("p{i}"))).collect();
    let log = Log::default();
    let limits = Limits { inbox: 8, ..Limits::default() };
    let bot = spawn(bot(&platform).limits(limits).state(log.clone()).on_message(slow_note)).await;
    platform.account().connected().await;
    let before = platform.totals().deliveries;
    for person in &people {
        person.leaves_message(person.name());
    }
    idle(&platform).await;
    let handed_over = platform.totals().deliveries - before;
    assert!((8..=9).contains(&handed_over), "{handed_over} events were taken though the inbox holds 8");
    platform.clock().advance(millis(50 * 5)).await;
    platform.settled().await;
    platform.clock().advance(millis(5)).await;
    bot.drained().await;
    assert_eq!(log.all().len(), 40);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_bot_stops_though_a_lane_is_full() {
    let platform = FakePlatform::builder().batch(1).build();
    let (alice, log) = (platform.user("alice"), Log::default());
    let limits = Limits { lane: 2, ..Limits::default() };
    let bot = spawn(bot(&platform).limits(limits).state(log.clone()).on_message(slow_note)).await;
    for text in numbers(10) {
        alice.leaves_message(text);
    }
    idle(&platform).await;
    let clock = platform.clock();
    let (_, stopped) = tokio::join!(clock.advance(millis(25)), bot.stop());
    stopped.expect("stops");
    bot.start().await.expect("starts");
    idle(&platform).await;
    platform.clock().advance(millis(100)).await;
    platform.settled().await;
    bot.drained().await;
    assert_eq!(log.all(), numbers(10));
    bot.finish_with(&platform).await;
}
