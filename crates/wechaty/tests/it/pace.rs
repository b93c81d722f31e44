//! Each kind of what is said has a pace of its own, and keeps nobody else waiting.

use wechaty::{OutboxPolicy, prelude::*, testing::*};
use wechaty_puppet::Capability;
use wechaty_puppet_testkit::BookSend;

use crate::support::{bot, idle, millis, never_more_than, secs, texts};

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
