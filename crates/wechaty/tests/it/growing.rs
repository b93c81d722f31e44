//! Messages whose text grows while people look on, in the best form that their platform has.

use wechaty::{Error, OutboxPolicy, prelude::*, testing::*};
use wechaty_puppet::{Capability, Limits};
use wechaty_puppet_testkit::{BookCall, SendFault};

use crate::support::{Disk, bot, idle, millis, never_more_than, secs, texts, until};

/// Says a story in pieces, one every 100 ms.
async fn tells(msg: Message, bot: Bot) -> wechaty::Result<()> {
    let mut story = msg.say("").growing("story").await?;
    for piece in 0..20 {
        story.push(&format!("{piece} ")).await?;
        bot.clock().sleep(millis(100)).await;
    }
    story.set(format!("{}end", story.text().to_owned())).await?;
    story.finish().await?;
    Ok(())
}

/// What [`tells`] says in the end.
fn told() -> String {
    (0..20).map(|piece| format!("{piece} ")).collect::<String>() + "end"
}

fn calls(platform: &FakePlatform, what: Capability) -> Vec<BookCall> {
    platform.book().calls_of(what).into_iter().cloned().collect()
}

/// Lets time pass until everything is over; a store on disk answers from another thread.
async fn goes_on(platform: &FakePlatform, bot: &Bot) {
    until("everything is over", || {
        platform.clock().advance_to_next();
        bot.is_idle()
    })
    .await;
}

#[tokio::test]
async fn a_growing_message_is_shown_as_it_comes_and_its_last_text_is_the_last() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(tells)).await;
    alice.says("tell me").await;
    idle(&platform).await;
    let id = alice.inbox()[0].id().clone();
    assert_eq!(
        (texts(&alice), platform.is_growing(&id)),
        (vec!["0 ".to_owned()], true),
        "the first words are there at once"
    );
    platform.clock().advance(secs(1)).await;
    let so_far = alice.sees(&id).expect("it is there").to_string();
    assert!(told().starts_with(&so_far) && so_far.len() > 10, "{so_far:?}");
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    assert!(alice.sees(&id).expect("it is there") == told() && !platform.is_growing(&id));
    let calls = calls(&platform, Capability::GrowingText);
    let (last, grown) = calls.split_last().expect("it grew");
    assert!(last.detail.starts_with("finish ") && last.detail.ends_with("end"), "{last:?}");
    assert!(grown.iter().all(|call| call.detail.starts_with("grow ")), "{grown:?}");
    assert!((6..=9).contains(&grown.len()), "four times a second in two seconds: {grown:?}");
    assert_eq!((bot.finish_with(&platform).await.outbound.sent, alice.inbox().len()), (1, 1));
}

#[tokio::test]
async fn what_comes_faster_than_the_pace_is_left_out_and_who_writes_does_not_wait() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let policy = OutboxPolicy { per_conversation: Some(0.5), ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy).on_message(|msg: Message, bot: Bot| async move {
        let mut counted = msg.say("…").growing("count").await?;
        let began = bot.clock().now();
        for n in 0..=9_999 {
            counted.set(n.to_string()).await?;
        }
        assert_eq!(bot.clock().now(), began);
        bot.clock().sleep(secs(5)).await;
        counted.set("done").await?;
        counted.finish().await.map(drop)
    }));
    let bot = bot.await;
    alice.says("count").await;
    platform.clock().advance(secs(30)).await;
    bot.drained().await;
    let calls = calls(&platform, Capability::GrowingText);
    let mut at: Vec<_> = calls.iter().map(|call| call.at).collect();
    at.push(platform.book().sends[0].at);
    never_more_than(1, secs(2), at);
    assert!(
        calls.len() == 2 && calls[0].detail.ends_with(": 9999") && calls[1].detail.ends_with(": done"),
        "{calls:?}"
    );
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_platform_that_can_only_edit_is_edited_and_one_that_cannot_says_it_once_at_the_end() {
    let editing = || FakePlatform::builder().deny(Capability::GrowingText);
    for (platform, edits) in [
        (editing().build(), 1..=3),
        (editing().deny(Capability::MessageEdit).build(), 0..=0),
        (editing().deny(Capability::SentId).build(), 0..=0),
    ] {
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform).on_message(tells)).await;
        alice.says("tell me").await;
        platform.clock().advance(secs(1)).await;
        assert_eq!(alice.inbox().len(), usize::from(*edits.end() > 0));
        platform.clock().advance(secs(5)).await;
        bot.drained().await;
        let id = alice.inbox()[0].id().clone();
        assert_eq!((alice.inbox().len(), alice.sees(&id).expect("it is there").to_string()), (1, told()));
        let done = calls(&platform, Capability::MessageEdit);
        assert!(edits.contains(&done.len()), "{done:?}");
        bot.finish_with(&platform).await;
    }
}

/// What a model says of one question: each time something else. It never comes to `died`.
struct Words(&'static [&'static str]);

async fn retells(msg: Message, bot: Bot, words: State<Words>) -> wechaty::Result<()> {
    let mut story = msg.say("").growing("story").await?;
    for word in words.0 {
        if *word == "died" {
            std::future::pending().await
        }
        story.push(word).await?;
        bot.clock().sleep(millis(600)).await;
    }
    story.finish().await.map(drop)
}

#[tokio::test]
async fn a_handler_that_runs_again_after_a_crash_goes_on_with_the_same_message() {
    for grows in [true, false] {
        let mut builder = FakePlatform::builder();
        if !grows {
            builder = builder.deny(Capability::GrowingText);
        }
        let platform = builder.build();
        let (alice, disk) = (platform.user("alice"), Disk::new());
        let words = Words(&["Once ", "upon ", "a ", "time ", "there ", "was ", "a ", "bot ", "that ", "died"]);
        let first = spawn(disk.bot(&platform).await.state(words).on_message(retells)).await;
        alice.says("tell me").await;
        until("the first words are there", || alice.inbox().len() == 1).await;
        let id = alice.inbox()[0].id().clone();
        let mut looks = 0;
        until("there are more", || {
            looks += 1;
            if looks % 64 == 0 {
                platform.clock().advance_to_next();
            }
            alice.sees(&id).is_some_and(|heard| heard.text().starts_with("Once upon "))
        })
        .await;
        first.crash().await;
        assert_eq!(platform.is_growing(&id), grows);
        let words = Words(&["Once ", "only"]);
        let second = spawn(disk.bot(&platform).await.state(words).on_message(retells)).await;
        second.ready().await;
        goes_on(&platform, &second).await;
        assert_eq!(alice.inbox().len(), 1, "{}", platform.book());
        assert!(alice.sees(&id).expect("it is there") == "Once only" && !platform.is_growing(&id));
        second.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn a_message_that_had_not_arrived_before_a_crash_begins_to_grow_after_it() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    platform.faults().hold_sends();
    let first = spawn(disk.bot(&platform).await.on_message(tells)).await;
    alice.says("tell me").await;
    until("it is at the door", || platform.book().sends.len() == 1).await;
    first.crash().await;
    platform.faults().none();
    let second = spawn(disk.bot(&platform).await.on_message(tells)).await;
    until("the first words are there", || alice.inbox().len() == 1).await;
    let id = alice.inbox()[0].id().clone();
    assert!(platform.is_growing(&id), "it was begun, and not just sent");
    goes_on(&platform, &second).await;
    assert!(alice.inbox().len() == 1 && alice.sees(&id).expect("it is there") == told() && !platform.is_growing(&id));
    second.finish_with(&platform).await;
}

#[tokio::test]
async fn what_cannot_be_brought_to_its_last_text_is_said_anew_as_a_whole() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(tells)).await;
    alice.says("tell me").await;
    idle(&platform).await;
    platform.faults().fail_calls(1_000, SendFault::Rejected);
    platform.clock().advance(secs(10)).await;
    bot.drained().await;
    assert_eq!(texts(&alice), ["0 ".to_owned(), told()]);
    assert_eq!(bot.finish_with(&platform).await.outbound.sent, 2);
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_and_the_last_text_comes() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(tells)).await;
    alice.says("tell me").await;
    for fault in [SendFault::ReplyLost, SendFault::RateLimited(Some(secs(1))), SendFault::Unreachable] {
        platform.faults().fail_calls(2, fault);
        platform.clock().advance(millis(700)).await;
    }
    platform.faults().fail_calls(3, SendFault::RateLimited(Some(secs(30))));
    platform.clock().advance(secs(300)).await;
    bot.drained().await;
    let id = alice.inbox()[0].id().clone();
    assert!(alice.inbox().len() == 1 && alice.sees(&id).expect("it is there") == told() && !platform.is_growing(&id));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn dropped_it_is_complete_with_what_there_is() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_error(|_: ErrorReport| async {}).on_message(|msg: Message| async move {
        let mut answer = msg.say("…").growing("answer").await?;
        answer.push("so far ").await?;
        answer.push("so good").await?;
        Err::<(), _>(Error::other("the model is gone"))
    }));
    let bot = bot.await;
    alice.says("go").await;
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    let id = alice.inbox()[0].id().clone();
    assert!(alice.sees(&id).expect("it is there") == "so far so good" && !platform.is_growing(&id));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_is_longer_than_a_message_goes_on_in_others() {
    let limits = Limits { text: Some(20), ..Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let mut story = msg.say("").growing("story").await?;
        for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"] {
            story.push(&format!("{word} ")).await?;
        }
        story.finish().await.map(drop)
    }))
    .await;
    alice.says("count").await;
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    let seen: Vec<_> = alice.inbox().iter().map(|heard| alice.sees(heard.id()).expect("there").to_string()).collect();
    assert_eq!(seen, ["one two three four", "five six seven", "eight nine ten"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn names_of_who_is_mentioned_stay_in_front() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("lobby", &[&alice]);
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let mut answer = msg.say("…").mention([&msg.talker()]).growing("answer").await?;
        answer.push("you").await?;
        answer.push(" there").await?;
        answer.finish().await.map(drop)
    }))
    .await;
    alice.says_in(&room, "who?").await;
    idle(&platform).await;
    assert_eq!(alice.inbox_in(&room)[0], "@alice …");
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    let seen = alice.sees(alice.inbox_in(&room)[0].id()).expect("it is there");
    assert_eq!(seen, "@alice you there");
    assert_eq!(seen.mentions(), [wechaty::types::Mention::Contact(alice.id())]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn only_texts_grow_and_not_without_end() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    let refused = to.say(FileBox::from_bytes(&b"png"[..], "a.png")).growing("x").await.expect_err("a picture");
    assert!(refused.to_string().contains("this is of kind Image"), "{refused}");
    let mut text = to.say("").growing("y").await.expect("it begins");
    let refused = text.set("x".repeat(300 << 10)).await.expect_err("too long");
    assert!(refused.to_string().contains("finish it and begin another"), "{refused}");
    drop(text);
    assert!(alice.inbox().is_empty());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_that_is_always_asked_to_wait_ends_all_the_same() {
    for (grows, sends_too) in [(true, false), (false, false), (true, true), (false, true)] {
        let builder = FakePlatform::builder();
        let platform = if grows { builder } else { builder.deny(Capability::GrowingText) }.build();
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform).on_message(tells)).await;
        alice.says("tell me").await;
        idle(&platform).await;
        platform.faults().fail_calls(u32::MAX, SendFault::RateLimited(Some(secs(1))));
        if sends_too {
            platform.faults().rate_limit(u32::MAX, secs(1));
        }
        // A second for each of a thousand times, and as long again for what is said anew.
        platform.clock().advance(secs(3_600)).await;
        assert!(bot.is_idle(), "it is tried for ever: {:?}", texts(&alice));
        // It is said anew as a whole; or told, if nobody takes that either.
        let whole = if sends_too { Vec::new() } else { vec![told()] };
        assert_eq!(texts(&alice), [vec!["0 ".to_owned()], whole].concat());
        let out = bot.finish_with(&platform).await.outbound;
        assert_eq!((out.sent, out.dead), if sends_too { (1, 1) } else { (2, 0) });
    }
}
