//! Each kind of what is said has a pace of its own, and keeps nobody else waiting.

use wechaty::{OutboxPolicy, prelude::*, testing::*};
use wechaty_puppet::{Capability, Per, Quota};
use wechaty_puppet_testkit::{BookSend, Outcome};

use crate::{
    store::Faulty,
    support::{bot, idle, millis, never_more_than, secs, texts},
};

fn picture() -> FileBox {
    FileBox::from_bytes(&b"png"[..], "a.png")
}

fn is_picture(send: &&BookSend) -> bool {
    send.what.kind() == "Image"
}

#[tokio::test]
async fn pictures_keep_their_pace_and_texts_do_not_wait_for_those_of_others() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..4).map(|i| platform.user(&format!("p{i}"))).collect();
    let policy = OutboxPolicy::per_second(4).per_second_of("Image", 0.5);
    let bot = spawn(bot(&platform).outbox(policy)).await;
    let to = |i: usize| bot.main_account().contact_handle(&people[i].id());
    for _ in 0..3 {
        to(0).say(picture()).await.expect("durable");
        to(1).say(picture()).await.expect("durable");
    }
    for i in 0..8 {
        to(2).say(i).await.expect("durable");
    }
    platform.clock().advance(secs(3)).await;
    assert_eq!(texts(&people[2]).len(), 8, "eight texts at four a second, while pictures wait");
    // The account is as busy as can be when the next pictures are due.
    for i in 0..40 {
        to(3).say(i).await.expect("durable");
    }
    platform.clock().advance(secs(60)).await;
    bot.drained().await;
    let sends = platform.book().sends;
    assert_eq!(sends.len(), 54);
    never_more_than(1, secs(2), sends.iter().filter(is_picture).map(|send| send.at).collect());
    never_more_than(1, millis(250), sends.iter().map(|send| send.at).collect());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_text_behind_a_slow_picture_of_its_own_conversation_keeps_its_place() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::default().per_second_of("Image", 0.1))).await;
    let to = bot.main_account().contact_handle(&alice.id());
    for _ in 0..2 {
        to.say(picture()).await.expect("durable");
    }
    to.say("as you can see").await.expect("durable");
    idle(&platform).await;
    assert_eq!(alice.inbox().len(), 1);
    platform.clock().advance(secs(10)).await;
    let at: Vec<_> = platform.book().sends.iter().map(|send| send.at).collect();
    assert_eq!(at, [secs(0), secs(10), secs(10)]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_platform_declares_the_pace_of_a_kind_and_a_policy_has_the_last_word() {
    let platform = || FakePlatform::builder().paces(&[("Image", 0.1)]).build();
    for (platform, policy, gap) in [
        (platform(), OutboxPolicy::default(), secs(10)),
        (platform(), OutboxPolicy::default().per_second_of("Image", 1), secs(1)),
    ] {
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform).outbox(policy)).await;
        bot.ready().await;
        for _ in 0..3 {
            bot.main_account().contact_handle(&alice.id()).say(picture()).await.expect("durable");
        }
        platform.clock().advance(secs(60)).await;
        bot.drained().await;
        let at: Vec<_> = platform.book().sends.iter().map(|send| send.at).collect();
        assert_eq!([at[1] - at[0], at[2] - at[1]], [gap, gap]);
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn an_edit_spends_the_budget_of_its_kind_and_typing_none() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let policy = OutboxPolicy::default().per_second_of("Text", 1);
    let bot = spawn(bot(&platform).outbox(policy).on_message(|msg: Message| async move {
        let id = msg.say("draft").sent().await?.id.expect("an id");
        msg.typing().await?;
        msg.account().message(&id).await?.edit("final").await
    }))
    .await;
    alice.says("go").await;
    platform.clock().advance(secs(10)).await;
    bot.drained().await;
    let book = platform.book();
    let at = |what| book.calls_of(what)[0].at;
    assert_eq!(at(Capability::MessageEdit) - book.sends[0].at, secs(1));
    assert_eq!(at(Capability::Typing), book.sends[0].at);
    bot.finish_with(&platform).await;
}

/// Says something to so many people.
async fn say_to(platform: &FakePlatform, bot: &Bot, people: usize) {
    for i in 0..people {
        let person = platform.user(&format!("person {i}"));
        bot.main_account().contact_handle(&person.id()).say("hello").await.expect("durable");
    }
}

#[tokio::test]
async fn what_waits_through_an_outage_keeps_the_pace_in_it_and_behind_it() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::per_second(1))).await;
    bot.ready().await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    say_to(&platform, &bot, 60).await;
    platform.clock().advance(secs(600)).await;
    platform.faults().none();
    // It asks at least once a minute.
    platform.clock().advance(secs(60 + 60)).await;
    let sends = platform.book().sends;
    assert_eq!(platform.book().delivered().len(), 60);
    never_more_than(1, secs(1), sends.iter().map(|send| send.at).collect());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_platform_that_comes_back_with_a_wish_for_silence_has_it() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).store(Faulty::new().arc())).await;
    bot.ready().await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    say_to(&platform, &bot, 60).await;
    platform.clock().advance(secs(60)).await;
    platform.faults().none().rate_limit(1, secs(30));
    platform.clock().advance(secs(60 + 30)).await;
    let sends = platform.book().sends;
    let asked = sends.iter().position(|send| send.outcome == Outcome::Failed("rate-limited")).expect("asked");
    let (asked, later) = (sends[asked].at, &sends[asked + 1..]);
    assert_eq!(later.iter().filter(|send| send.at < asked + secs(30)).count(), 0, "in the silence");
    bot.finish_with(&platform).await;
}

const TEN_A_MINUTE: Quota = Quota { sends: 10, per: Per::Account, within: secs(60) };

#[tokio::test]
async fn what_waits_for_a_quota_keeps_the_pace_when_it_opens() {
    let platform = FakePlatform::builder().quotas(&[TEN_A_MINUTE]).build();
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::per_second(1))).await;
    bot.ready().await;
    say_to(&platform, &bot, 40).await;
    platform.clock().advance(secs(400)).await;
    let sends = platform.book().sends;
    assert_eq!((sends.len(), platform.book().delivered().len()), (40, 40));
    never_more_than(1, secs(1), sends.iter().map(|send| send.at).collect());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_outage_uses_up_no_quota_and_its_end_exceeds_none() {
    let platform = FakePlatform::builder().quotas(&[TEN_A_MINUTE]).build();
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    say_to(&platform, &bot, 40).await;
    // Long enough that all have had a place, one after the other.
    platform.clock().advance(secs(300)).await;
    platform.faults().none();
    while platform.book().delivered().is_empty() {
        platform.clock().advance(secs(1)).await;
    }
    platform.clock().advance(secs(30)).await;
    let refused = platform.book().sends.iter().filter(|send| send.outcome == Outcome::Failed("refused")).count();
    assert_eq!((platform.book().delivered().len(), refused), (10, 0));
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn who_could_ask_and_waits_for_its_own_pace_lets_others_ask() {
    let platform = FakePlatform::builder().paces(&[("Image", 0.001)]).build();
    let painter = platform.user("painter");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    bot.main_account().contact_handle(&painter.id()).say(picture()).await.expect("durable");
    say_to(&platform, &bot, 40).await;
    // The picture has used its pace, and is as likely as the others to be the one that asks.
    platform.clock().advance(secs(3_600)).await;
    platform.faults().none();
    platform.clock().advance(secs(90)).await;
    assert!(platform.book().delivered().len() >= 40, "{}", platform.book().delivered().len());
    platform.clock().advance(secs(1_000)).await;
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_that_waits_for_its_pace_is_counted_from_the_last_word_before_it_goes_out() {
    const ONE_AN_ANSWER: Quota = Quota { sends: 1, per: Per::Inbound, within: secs(86_400) };
    let platform = FakePlatform::builder().quotas(&[ONE_AN_ANSWER]).build();
    let alice = platform.user("alice");
    let policy = OutboxPolicy { per_conversation: Some(0.1), ..OutboxPolicy::default() };
    let bot =
        spawn(bot(&platform).outbox(policy).on_message(|msg: Message| async move { msg.say("ok").await.map(drop) }))
            .await;
    for words in ["one", "two", "three"] {
        alice.says(words).await;
    }
    // What answers "two" waits for its pace while "three" is said: it is the one answer since then.
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice).len(), 2);
    alice.says("four").await;
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice).len(), 3);
    let refused = platform.book().sends.iter().filter(|send| send.outcome == Outcome::Failed("refused")).count();
    assert_eq!(refused, 0);
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn a_conversation_that_waits_for_its_own_pace_keeps_no_other_of_its_kind_waiting() {
    let platform = FakePlatform::new();
    let (busy, quiet) = (platform.user("busy"), platform.user("quiet"));
    let policy = OutboxPolicy { per_conversation: Some(0.1), ..OutboxPolicy::default() }.per_second_of("Text", 10);
    let bot = spawn(bot(&platform).outbox(policy)).await;
    bot.ready().await;
    for i in 0..10 {
        bot.main_account().contact_handle(&busy.id()).say(i).await.expect("durable");
    }
    platform.clock().advance(secs(1)).await;
    bot.main_account().contact_handle(&quiet.id()).say("hello").await.expect("durable");
    platform.clock().advance(millis(100)).await;
    assert_eq!((texts(&busy).len(), texts(&quiet).len()), (1, 1));
    platform.clock().advance(secs(100)).await;
    let times = |person: &Person| platform.book().sends_to(person.id()).iter().map(|send| send.at).collect();
    never_more_than(1, secs(10), times(&busy));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_silence_that_is_over_costs_no_more_commits() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc())).await;
    bot.ready().await;
    platform.faults().rate_limit(1, secs(7));
    let to = bot.main_account().contact_handle(&alice.id());
    to.say("slower").await.expect("durable");
    platform.clock().advance(secs(8)).await;
    assert_eq!(texts(&alice), ["slower"]);
    // What is claimed when it is said needs no claim of its own.
    store.fail_claims(u32::MAX);
    to.say("at once").await.expect("durable");
    idle(&platform).await;
    assert_eq!(texts(&alice), ["slower", "at once"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_silence_is_kept_however_long_it_is_and_spends_no_attempts() {
    const TWO_HOURS: std::time::Duration = secs(7_200);
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let policy = OutboxPolicy { attempts: 1, ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy)).await;
    bot.ready().await;
    platform.faults().rate_limit(2, TWO_HOURS);
    let to = |person: &Person| bot.main_account().contact_handle(&person.id());
    to(&alice).say("patient").await.expect("durable");
    idle(&platform).await;
    to(&bob).say("me too").await.expect("durable");
    platform.clock().advance(TWO_HOURS - millis(1)).await;
    assert_eq!(platform.totals().sends, 1, "nobody asks before");
    platform.clock().advance(millis(1)).await;
    platform.clock().advance(TWO_HOURS).await;
    assert_eq!((texts(&alice).len(), texts(&bob).len()), (1, 1));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_growing_text_keeps_a_silence_however_long_it_is() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let policy = OutboxPolicy { attempts: 1, ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy).on_message(|msg: Message| async move {
        let mut story = msg.say("").growing("story").await?;
        story.push("Once ").await?;
        story.push("only").await?;
        story.finish().await.map(drop)
    }))
    .await;
    platform.faults().fail_calls(1, SendFault::RateLimited(Some(secs(7_200))));
    alice.says("tell me").await;
    platform.clock().advance(secs(7_300)).await;
    let [heard] = &*alice.inbox() else { panic!("{}", platform.book()) };
    assert!(alice.sees(heard.id()).expect("it is there") == "Once only");
    let calls = platform.book().calls_of(Capability::GrowingText).iter().map(|call| call.at).collect();
    never_more_than(1, secs(7_200), calls);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_life_that_takes_up_what_another_had_not_sent_keeps_its_pace() {
    let slow = 0.1;
    for policy in [
        OutboxPolicy::per_second(slow),
        OutboxPolicy { per_conversation: Some(slow), ..OutboxPolicy::default() },
        OutboxPolicy::default().per_second_of("Text", slow),
    ] {
        let platform = FakePlatform::new();
        let (alice, store) = (platform.user("alice"), Faulty::new());
        let start = || spawn(bot(&platform).store(store.arc()).outbox(policy.clone()));
        let first = start().await;
        first.ready().await;
        for i in 0..4 {
            first.main_account().contact_handle(&alice.id()).say(i).await.expect("durable");
        }
        platform.clock().advance(secs(1)).await;
        first.crash().await;
        let second = start().await;
        second.ready().await;
        platform.clock().advance(secs(60)).await;
        assert_eq!(texts(&alice).len(), 4);
        never_more_than(1, secs(10), platform.book().sends.iter().map(|send| send.at).collect());
        second.finish_with(&platform).await;
    }
}
