//! Cards and menus said once, on platforms that have them and on others: each in the best form, with the same action.

use wechaty::{prelude::*, testing::*};
use wechaty_puppet::{Capability, Limits};

use crate::support::{Disk, Log, bot, millis, secs, texts, until};

fn card() -> Card {
    Card::new("Tea?")
        .text("It is four.")
        .button("green", "Green tea")
        .link("See", "https://e.invalid")
        .button("no", "No")
}

fn menu() -> Menu {
    Menu::new("Which?").item("a", "Apple").item("b", "Pear")
}

/// One bot for all messengers.
async fn asks(msg: Message) -> wechaty::Result<()> {
    match msg.text() {
        Some("card") => msg.say(card()).await.map(drop),
        Some("menu") => msg.say(menu()).await.map(drop),
        text => msg.say(format!("you said {}", text.unwrap_or_default())).await.map(drop),
    }
}

async fn pressed(action: Action, log: State<Log>) -> wechaty::Result<()> {
    log.note(format!("{} in {:?}", action.value, action.message_id));
    action.say(format!("{} chose {}", action.actor.name(), action.value)).await.map(drop)
}

fn told(platform: &FakePlatform, log: &Log) -> wechaty::BotBuilder {
    bot(platform).state(log.clone()).on_message(asks).on_action(pressed)
}

const PLAIN: [Capability; 2] = [Capability::SendCard, Capability::SendMenu];

fn without(denied: &[Capability]) -> FakePlatformBuilder {
    denied.iter().fold(FakePlatform::builder(), |builder, capability| builder.deny(*capability))
}

#[tokio::test]
async fn each_platform_shows_a_card_and_a_menu_in_the_best_form_it_has() {
    let shown = |builder: FakePlatformBuilder, ask: &'static str| async move {
        let platform = builder.build();
        let alice = platform.user("alice");
        let running = spawn(told(&platform, &Log::default())).await;
        alice.says(ask).await;
        running.drained().await;
        let heard = alice.inbox()[0].clone();
        running.finish_with(&platform).await;
        (heard.payload().kind(), heard.text().to_owned())
    };
    let cards_only = || without(&[Capability::SendMenu]);
    let menus_only = || without(&[Capability::SendCard]);
    let as_text = "Tea?\nIt is four.\n1. Green tea\n2. See https://e.invalid\n3. No";
    let as_markdown = "**Tea?**\n\nIt is four.\n\n1. Green tea\n2. [See](https://e.invalid)\n3. No";
    assert_eq!(shown(FakePlatform::builder(), "card").await.0, "Card");
    assert_eq!(shown(FakePlatform::builder(), "menu").await.0, "Menu");
    assert_eq!(shown(cards_only(), "menu").await, ("Card", "Which?\n1. Apple\n2. Pear".to_owned()));
    // A menu has no links.
    assert_eq!(shown(menus_only(), "card").await, ("Markdown", as_markdown.to_owned()));
    assert_eq!(shown(without(&PLAIN), "card").await, ("Markdown", as_markdown.to_owned()));
    assert_eq!(shown(without(&PLAIN).deny(Capability::SendMarkdown), "card").await, ("Text", as_text.to_owned()));
    assert_eq!(shown(without(&PLAIN), "menu").await, ("Text", "Which?\n1. Apple\n2. Pear".to_owned()));
    let few = Limits { buttons: Some(1), ..Limits::DEFAULT };
    assert_eq!(shown(FakePlatform::builder().limits(few), "menu").await.0, "Text");
}

#[tokio::test]
async fn who_answers_with_a_number_or_the_words_has_pressed_the_button() {
    let platform = without(&PLAIN).build();
    let log = Log::default();
    let bot = spawn(told(&platform, &log)).await;
    for (name, answer, value) in [("ann", "1", "green"), ("ben", "３。", "no"), ("cho", "green tea", "green")] {
        let person = platform.user(name);
        person.says("card").await;
        let id = person.hears().await.id().clone();
        person.says(answer).await;
        assert_eq!(person.hears().await, format!("{name} chose {value}"));
        assert_eq!(log.take(), [format!("{value} in {:?}", Some(id))]);
        // Each chooses once; and what is no choice is a message.
        for other in [answer, "2", "7", "what?"] {
            person.says(other).await;
            assert_eq!(person.hears().await, format!("you said {other}"));
        }
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_is_asked_later_takes_no_answer_from_what_is_asked_now() {
    let platform = without(&PLAIN).build();
    let ann = platform.user("ann");
    let in_an_hour = |msg: Message| async move {
        match msg.text() {
            Some("later") => msg.say(card()).after(secs(3_600)).await.map(drop),
            _ => asks(msg).await,
        }
    };
    let bot = spawn(self::bot(&platform).state(Log::default()).on_message(in_an_hour).on_action(pressed)).await;
    ann.says("menu").await;
    ann.hears().await;
    ann.says("later").await;
    ann.says("2").await;
    assert_eq!(ann.hears().await, "ann chose b");
    platform.clock().advance(secs(3_600)).await;
    ann.hears().await;
    ann.says("1").await;
    assert_eq!(ann.hears().await, "ann chose green");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn in_a_room_each_chooses_once_and_the_last_question_counts() {
    let platform = without(&PLAIN).build();
    let (ann, ben) = (platform.user("ann"), platform.user("ben"));
    let room = platform.room("lobby", &[&ann, &ben]);
    let bot = spawn(told(&platform, &Log::default())).await;
    for text in ["card", "menu", "2"] {
        ann.says_in(&room, text).await;
    }
    for text in ["1", "2"] {
        ben.says_in(&room, text).await;
    }
    bot.drained().await;
    let said: Vec<_> = ann.inbox_in(&room).iter().skip(2).map(ToString::to_string).collect();
    assert_eq!(said, ["ann chose b", "ben chose a", "you said 2"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_counts_for_half_an_hour_and_not_where_nobody_hears_of_actions() {
    let platform = without(&PLAIN).build();
    let (ann, ben) = (platform.user("ann"), platform.user("ben"));
    let running = spawn(told(&platform, &Log::default())).await;
    ann.says("menu").await;
    ben.says("menu").await;
    running.drained().await;
    platform.clock().advance(secs(30 * 60)).await;
    ann.says("1").await;
    running.drained().await;
    platform.clock().advance(millis(1)).await;
    ben.says("1").await;
    running.drained().await;
    assert_eq!((texts(&ann).pop().as_deref(), texts(&ben).pop().as_deref()), (Some("ann chose a"), Some("you said 1")));
    running.finish_with(&platform).await;

    let platform = without(&PLAIN).build();
    let ann = platform.user("ann");
    let running = spawn(bot(&platform).on_message(asks)).await;
    for text in ["menu", "1"] {
        ann.says(text).await;
    }
    running.drained().await;
    assert_eq!(texts(&ann).pop().as_deref(), Some("you said 1"));
    running.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_that_somebody_waits_for_goes_there_and_is_no_action_later() {
    let platform = without(&PLAIN).build();
    let ann = platform.user("ann");
    let log = Log::default();
    let handler = |msg: Message| async move {
        if msg.text() != Some("ask") {
            return msg.say("just talk").await.map(drop);
        }
        let answer = msg.ask(menu()).timeout(secs(60)).await?;
        let text = answer.and_then(|answer| answer.text().map(str::to_owned)).unwrap_or_default();
        msg.say(format!("answered {text}")).await.map(drop)
    };
    let running = spawn(bot(&platform).state(log.clone()).on_message(handler).on_action(pressed)).await;
    ann.says("ask").await;
    ann.hears().await;
    ann.says("2").await;
    assert_eq!(ann.hears().await, "answered 2");
    ann.says("1").await;
    assert_eq!(ann.hears().await, "just talk");
    assert!(log.all().is_empty());
    running.finish_with(&platform).await;
}

#[tokio::test]
async fn what_was_never_sent_asks_nothing_until_it_is() {
    let platform = without(&PLAIN).build();
    let ann = platform.user("ann");
    let running = spawn(told(&platform, &Log::default())).await;
    platform.faults().fail_sends(1, SendFault::Rejected);
    for text in ["card", "1"] {
        ann.says(text).await;
    }
    assert_eq!(ann.hears().await, "you said 1");
    // What was asked before it is still there to be chosen.
    ann.says("menu").await;
    ann.hears().await;
    platform.faults().fail_sends(1, SendFault::Rejected);
    for text in ["card", "2"] {
        ann.says(text).await;
    }
    assert_eq!(ann.hears().await, "ann chose b");
    let dead = running.dead_letters();
    let letter = dead.list(0, 2).await.unwrap().pop().unwrap();
    platform.clock().advance(secs(3_600)).await;
    assert!(dead.retry(letter.row.seq).await.unwrap().is_some());
    ann.hears().await;
    ann.says("1").await;
    assert_eq!(ann.hears().await, "ann chose green");
    running.finish_with(&platform).await;
}

#[tokio::test]
async fn what_was_asked_before_a_restart_is_answered_after_it() {
    let platform = without(&PLAIN).build();
    let (ann, disk) = (platform.user("ann"), Disk::new());
    for (life, words) in [("menu", "Which?\n1. Apple\n2. Pear"), ("pear", "ann chose b"), ("1", "you said 1")] {
        let builder = disk.bot(&platform).await.state(Log::default());
        let running = spawn(builder.on_message(asks).on_action(pressed)).await;
        running.ready().await;
        ann.says(life).await;
        until(words, || texts(&ann).pop().as_deref() == Some(words)).await;
        running.finish().await;
    }
}
