//! What is too old is not handled, and a handler that takes too long is dropped: all else goes on.

use wechaty::{Limits, prelude::*, testing::*};

use crate::support::{Disk, Log, bot, echo, idle, secs, texts, until};

fn ten_minutes() -> Limits {
    Limits { max_age: Some(secs(600)), ..Limits::default() }
}

#[tokio::test]
async fn what_was_said_long_before_the_bot_came_back_expires() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    alice.leaves_message("early");
    platform.clock().advance(secs(590)).await;
    alice.leaves_message("late");
    platform.clock().advance(secs(20)).await;
    let bot = spawn(bot(&platform).limits(ten_minutes()).on_message(echo)).await;
    bot.ready().await;
    alice.says("now").await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["late", "now"]);
    assert_eq!((ledger.inbound.expired, ledger.inbound.reasons["expired(max-age)"]), (1, 1), "{ledger}");
}

#[tokio::test]
async fn what_waited_in_the_store_through_an_outage_expires() {
    let platform = FakePlatform::new();
    let (alice, disk, log) = (platform.user("alice"), Disk::new(), Log::default());
    let first = disk.bot(&platform).await.limits(ten_minutes()).state(log.clone());
    let first = first.on_message(|msg: Message, log: State<Log>| async move {
        log.note(msg.text().unwrap_or_default());
        std::future::pending::<()>().await;
    });
    let first = spawn(first).await;
    alice.says("begun, but nothing said").await;
    alice.says("not begun").await;
    until("the first has begun", || log.all().len() == 1).await;
    first.crash().await;
    platform.clock().advance(secs(601)).await;
    let second = spawn(disk.bot(&platform).await.limits(ten_minutes()).on_message(echo)).await;
    second.ready().await;
    alice.says("now").await;
    let ledger = second.finish_with(&platform).await;
    assert_eq!((texts(&alice), ledger.inbound.reasons["expired(max-age)"]), (vec!["now".to_owned()], 2), "{ledger}");
}

#[tokio::test]
async fn a_question_and_its_answer_do_not_expire() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    let asks = |msg: Message| async move {
        let answer = msg.ask("well?").await?;
        let text = answer.as_ref().and_then(|answer| answer.text()).unwrap_or_default();
        msg.say(format!("so {text}")).await.map(drop)
    };
    let first = spawn(disk.bot(&platform).await.limits(ten_minutes()).on_message(asks)).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "well?");
    first.crash().await;
    platform.clock().advance(secs(900)).await;
    alice.leaves_message("yes");
    platform.clock().advance(secs(900)).await;
    let second = spawn(disk.bot(&platform).await.limits(ten_minutes()).on_message(asks)).await;
    assert_eq!(alice.hears().await, "so yes");
    let ledger = second.finish_with(&platform).await;
    // The login of the first life was over long before.
    assert_eq!(ledger.inbound.expired, 0, "{ledger}");
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_dropped_and_named_and_the_others_go_on() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(|_: Message| std::future::pending::<()>())
        .named("hangs")
        .timeout(secs(5))
        .on_message(echo);
    let bot = spawn(builder).await;
    alice.says("hello").await;
    platform.clock().advance(secs(4)).await;
    alice.hears_nothing();
    platform.clock().advance(secs(1)).await;
    assert_eq!(alice.hears().await, "hello");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["in hangs: the handler took longer than 5s and was dropped"]);
    assert_eq!((ledger.inbound.errors["hangs"], platform.clock().sleepers()), (1, 0), "{ledger}");
}

#[tokio::test]
async fn what_a_handler_waits_for_an_answer_is_not_its_time() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .limits(Limits { handler: Some(secs(5)), ..Limits::default() })
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(|msg: Message, bot: Bot, log: State<Log>| async move {
            bot.clock().sleep(secs(3)).await;
            msg.ask("well?").await?;
            log.note("answered");
            bot.clock().sleep(secs(3)).await;
            msg.say("never said").await.map(drop)
        })
        .named("slow");
    let bot = spawn(builder).await;
    alice.says("go").await;
    let clock = platform.clock();
    clock.advance(secs(3)).await;
    assert_eq!(alice.hears().await, "well?");
    clock.advance(secs(3600)).await;
    alice.says("yes").await;
    idle(&platform).await;
    assert_eq!(log.take(), ["answered"]);
    clock.advance(secs(2)).await;
    bot.drained().await;
    assert_eq!(log.all(), ["in slow: the handler took longer than 5s and was dropped"]);
    alice.hears_nothing();
    bot.finish_with(&platform).await;
}
