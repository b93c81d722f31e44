//! Questions: the lane is free meanwhile, the right answer finds its asker, a restart does not ask twice.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use wechaty::{Error, prelude::*, testing::*, types::SayablePayload};
use wechaty_puppet::Capability;

use crate::{
    store::Faulty,
    support::{Log, bot, idle, secs},
};

async fn register(msg: Message) -> wechaty::Result<()> {
    if msg.text() != Some("register") {
        return Ok(());
    }
    let name = msg.ask("your name?").timeout(secs(60)).await?;
    match name.as_ref().and_then(|answer| answer.text()) {
        Some(name) => msg.say(format!("welcome, {name}")).await?,
        None => msg.say("another time, then").await?,
    };
    Ok(())
}

#[tokio::test]
async fn an_answer_goes_to_who_asked_and_to_no_other_handler() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let note = |what: &'static str| {
        move |msg: Message, log: State<Log>| async move { log.note(format!("{what} {}", msg.text().unwrap_or(""))) }
    };
    let builder =
        bot(&platform).state(log.clone()).on_message(register).on_message(note("handler")).observe(note("observer"));
    let bot = spawn(builder).await;
    alice.says("register").await;
    assert_eq!(alice.hears().await, "your name?");
    alice.says("Alice").await;
    assert_eq!(alice.hears().await, "welcome, Alice");
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["observer register", "handler register", "observer Alice"]);
}

#[tokio::test]
async fn several_questions_in_a_row_are_answered_in_order() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let mut answers = Vec::new();
        for question in ["one?", "two?", "three?"] {
            let answer = msg.ask(question).await?;
            answers.extend(answer.and_then(|answer| answer.text().map(str::to_owned)));
        }
        msg.say(answers.join(" ")).await.map(|_| ())
    }))
    .await;
    alice.says("go").await;
    for answer in ["a", "b", "c"] {
        assert!(alice.hears().await.text().ends_with('?'));
        alice.says(answer).await;
    }
    assert_eq!(alice.hears().await, "a b c");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn answers_said_in_haste_are_taken_in_order() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let first = msg.ask("one?").await?;
        let second = msg.ask("two?").await?;
        let text = |answer: Option<Message>| answer.and_then(|a| a.text().map(str::to_owned)).unwrap_or_default();
        msg.say(format!("{} {}", text(first), text(second))).await.map(|_| ())
    }))
    .await;
    platform.faults().hold_events();
    for text in ["go", "a", "b"] {
        alice.leaves_message(text);
    }
    platform.faults().release_events();
    for expected in ["one?", "two?", "a b"] {
        assert_eq!(alice.hears().await, expected);
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_the_filter_refuses_goes_its_usual_way() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform).on_message(|msg: Message| async move {
        if msg.text() != Some("order") {
            return msg.say("say order").await.map(|_| ());
        }
        let number = |answer: &Message| answer.text().is_some_and(|text| text.parse::<u32>().is_ok());
        let answer = msg.ask("how many?").filter(number).await?;
        let n = answer.as_ref().and_then(|answer| answer.text()).unwrap_or_default();
        msg.say(format!("{n} it is")).await.map(|_| ())
    });
    let bot = spawn(builder).await;
    alice.says("order").await;
    assert_eq!(alice.hears().await, "how many?");
    alice.says("a few").await;
    assert_eq!(alice.hears().await, "say order");
    alice.says("7").await;
    assert_eq!(alice.hears().await, "7 it is");
    alice.says("8").await;
    assert_eq!(alice.hears().await, "say order");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn the_time_to_answer_runs_out_on_the_bots_clock() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(register)).await;
    alice.says("register").await;
    assert_eq!(alice.hears().await, "your name?");
    platform.clock().advance(secs(59)).await;
    alice.hears_nothing();
    platform.clock().advance(secs(1)).await;
    assert_eq!(alice.hears().await, "another time, then");
    alice.says("Alice").await;
    bot.finish_with(&platform).await;
    alice.hears_nothing();
    assert_eq!(platform.clock().sleepers(), 0);
}

#[tokio::test]
async fn two_handlers_that_ask_about_the_same_message_do_not_block_each_other() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let asks = |what: &'static str| {
        move |msg: Message| async move {
            if msg.text() != Some("go") {
                return Ok(());
            }
            let answer = msg.ask(format!("{what}?")).await?;
            let answer = answer.as_ref().and_then(|answer| answer.text()).unwrap_or_default();
            msg.say(format!("{what} {answer}")).await.map(|_| ())
        }
    };
    let bot = spawn(bot(&platform).on_message(asks("colour")).on_message(asks("size"))).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "colour?");
    assert_eq!(alice.hears().await, "size?");
    alice.says("red").await;
    assert_eq!(alice.hears().await, "colour red");
    alice.says("small").await;
    assert_eq!(alice.hears().await, "size small");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn two_handlers_that_ask_about_different_messages_do_not_block_each_other() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let asks = |what: &'static str, wanted: char| {
        move |msg: Message| async move {
            if msg.text() != Some(what) {
                return Ok(());
            }
            let fits = move |answer: &Message| answer.text().is_some_and(|text| text.starts_with(wanted));
            let answer = msg.ask(format!("{what}?")).filter(fits).await?;
            let answer = answer.as_ref().and_then(|answer| answer.text()).unwrap_or_default();
            msg.say(format!("{what} {answer}")).await.map(|_| ())
        }
    };
    let bot = spawn(bot(&platform).on_message(asks("colour", 'c')).on_message(asks("size", 's'))).await;
    alice.says("colour").await;
    assert_eq!(alice.hears().await, "colour?");
    alice.says("size").await;
    assert_eq!(alice.hears().await, "size?");
    alice.says("small").await;
    assert_eq!(alice.hears().await, "size small");
    alice.says("cyan").await;
    assert_eq!(alice.hears().await, "colour cyan");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_handler_that_may_stop_those_behind_it_is_waited_for() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(|msg: Message| async move {
            let answer = msg.ask("go on?").await?;
            let no = answer.is_some_and(|answer| answer.text() == Some("no"));
            Ok::<_, Error>(if no { Flow::Stop } else { Flow::Continue })
        })
        .on_message(|msg: Message, log: State<Log>| async move { log.note(msg.text().unwrap_or_default()) });
    let bot = spawn(builder).await;
    for (text, answer) in [("first", "no"), ("second", "yes")] {
        alice.says(text).await;
        assert_eq!(alice.hears().await, "go on?");
        alice.says(answer).await;
        bot.drained().await;
    }
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["second"]);
}

#[tokio::test]
async fn handlers_behind_an_answered_question_are_drained_too() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform)
        .on_message(|msg: Message| async move {
            if msg.text() == Some("go") {
                msg.ask("go on?").await?;
            }
            Ok::<_, Error>(Flow::Continue)
        })
        .on_message(|msg: Message, bot: Bot| async move {
            bot.clock().sleep(secs(3)).await;
            msg.say(format!("{} done", msg.text().unwrap_or_default())).await.map(|_| ())
        });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "go on?");
    alice.says("yes").await;
    idle(&platform).await;
    assert!(!bot.is_idle(), "the second handler has begun");
    let clock = platform.clock();
    tokio::join!(bot.drained(), clock.advance(secs(3)));
    assert_eq!(alice.hears_now().map(|heard| heard.to_string()).as_deref(), Some("go done"));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_handler_that_goes_on_after_a_timeout_is_drained_too() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        if msg.ask("well?").timeout(secs(10)).await?.is_none() {
            bot.clock().sleep(secs(3)).await;
            msg.say("too late").await?;
        }
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "well?");
    let clock = platform.clock();
    clock.advance(secs(10)).await;
    assert!(!bot.is_idle(), "the handler has gone on");
    tokio::join!(bot.drained(), clock.advance(secs(3)));
    assert_eq!(alice.hears_now().map(|heard| heard.to_string()).as_deref(), Some("too late"));
    bot.finish_with(&platform).await;
}

async fn ask_once(msg: Message) -> wechaty::Result<()> {
    if msg.text() == Some("ask me") {
        let answer = msg.ask(format!("{}?", msg.talker().name())).await?;
        let answer =
            answer.as_ref().map(|answer| format!("{} {}", answer.talker().name(), answer.text().unwrap_or("")));
        msg.say(answer.unwrap_or_default()).await?;
    } else {
        msg.say(format!("not asked: {}", msg.text().unwrap_or_default())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn in_a_room_only_who_was_asked_answers_and_others_go_on() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("tea", &[&alice, &bob]);
    let bot = spawn(bot(&platform).on_message(ask_once)).await;
    alice.says_in(&room, "ask me").await;
    assert_eq!(alice.hears_in(&room).await, "alice?");
    bob.says_in(&room, "hello").await;
    assert_eq!(alice.hears_in(&room).await, "not asked: hello");
    bob.says_in(&room, "ask me").await;
    assert_eq!(alice.hears_in(&room).await, "bob?");
    alice.says_in(&room, "green").await;
    assert_eq!(alice.hears_in(&room).await, "alice green");
    bob.says_in(&room, "black").await;
    assert_eq!(alice.hears_in(&room).await, "bob black");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_private_message_does_not_answer_a_question_asked_in_a_room() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let (tea, coffee) = (platform.room("tea", &[&alice]), platform.room("coffee", &[&alice]));
    let bot = spawn(bot(&platform).on_message(ask_once)).await;
    alice.says_in(&tea, "ask me").await;
    assert_eq!(alice.hears_in(&tea).await, "alice?");
    alice.says("private").await;
    assert_eq!(alice.hears().await, "not asked: private");
    alice.says_in(&coffee, "elsewhere").await;
    assert_eq!(alice.hears_in(&coffee).await, "not asked: elsewhere");
    alice.says_in(&tea, "here").await;
    assert_eq!(alice.hears_in(&tea).await, "alice here");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_restart_while_asking_does_not_say_the_question_twice() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(ask_once)).await;
    alice.says("ask me").await;
    assert_eq!(alice.hears().await, "alice?");
    for _ in 0..3 {
        bot.stop().await.expect("stops");
        assert_eq!(bot.books().await.inbound.pending, 1, "the question is still open");
        bot.start().await.expect("starts");
        platform.account().connected().await;
        idle(&platform).await;
    }
    alice.hears_nothing();
    alice.says("here").await;
    assert_eq!(alice.hears().await, "alice here");
    bot.finish_with(&platform).await;
    assert_eq!(platform.book().sent_texts(), ["alice?", "alice here"]);
}

#[tokio::test]
async fn an_answer_said_while_the_bot_was_down_is_an_answer() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(ask_once)).await;
    alice.says("ask me").await;
    assert_eq!(alice.hears().await, "alice?");
    bot.stop().await.expect("stops");
    alice.leaves_message("here");
    bot.start().await.expect("starts");
    assert_eq!(alice.hears().await, "alice here");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_restart_replays_answers_already_given() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let text = |answer: Option<Message>| answer.and_then(|a| a.text().map(str::to_owned)).unwrap_or_default();
        let first = text(msg.ask("one?").await?);
        let second = text(msg.ask("two?").await?);
        msg.say(format!("{first} {second}")).await.map(|_| ())
    }))
    .await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "one?");
    alice.says("a").await;
    assert_eq!(alice.hears().await, "two?");
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    alice.says("b").await;
    assert_eq!(alice.hears_now().map(|heard| heard.to_string()).as_deref(), Some("a b"));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_dropped_question_waits_for_nobody() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        if msg.text() == Some("go") {
            drop(msg.ask("never said"));
            tokio::select! {
                _ = msg.ask("quick?") => {}
                () = bot.clock().sleep(secs(1)) => {}
            }
            return msg.say("never mind").await.map(|_| ());
        }
        msg.say("heard").await.map(|_| ())
    }))
    .await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "quick?");
    platform.clock().advance(secs(1)).await;
    assert_eq!(alice.hears().await, "never mind");
    alice.says("late").await;
    assert_eq!(alice.hears().await, "heard");
    bot.finish_with(&platform).await;
    assert_eq!(platform.book().sent_texts(), ["quick?", "never mind", "heard"]);
}

#[tokio::test]
async fn a_question_that_cannot_be_said_fails_and_waits_for_nobody() {
    let platform = FakePlatform::builder().deny(Capability::SendOther).build();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
        if msg.text() == Some("go") {
            let error = msg.ask(SayablePayload::Other(Default::default())).await.expect_err("no such kind here");
            log.note(error.to_string());
            return Ok(());
        }
        msg.say("heard").await.map(|_| ())
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "heard");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["fake does not support sending vendor payloads"]);
    assert_eq!(ledger.outbound.reasons["rejected(unsupported)"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_people_are_asked_at_once() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..200).map(|i| platform.user(&format!("p{i}"))).collect();
    let answered = Arc::new(AtomicU32::new(0));
    let count = answered.clone();
    let bot = spawn(bot(&platform).on_message(move |msg: Message| {
        let count = count.clone();
        async move {
            let answer = msg.ask("well?").await?;
            count.fetch_add(u32::from(answer.is_some_and(|a| a.talker_id() == msg.talker_id())), Ordering::Relaxed);
            Ok::<_, Error>(())
        }
    }))
    .await;
    for _ in 0..2 {
        for person in &people {
            person.leaves_message("hello");
        }
    }
    platform.settled().await;
    bot.finish_with(&platform).await;
    assert_eq!(answered.load(Ordering::Relaxed), 200);
}

#[tokio::test]
async fn the_next_message_waits_until_the_question_is_in_the_store() {
    let platform = FakePlatform::new();
    let (alice, log, store) = (platform.user("alice"), Log::default(), Faulty::new());
    let slow = store.clone();
    let asks = move |msg: Message, log: State<Log>| {
        let slow = slow.clone();
        async move {
            log.note(msg.text().unwrap_or_default());
            if msg.text() == Some("register") {
                idle_turns().await;
                slow.slow(true);
                log.note("asks");
            }
            register(msg).await
        }
    };
    let bot = spawn(bot(&platform).store(store.arc()).state(log.clone()).on_message(asks)).await;
    alice.leaves_message("register");
    alice.leaves_message("next");
    while log.all().len() < 2 {
        idle(&platform).await;
    }
    idle(&platform).await;
    assert_eq!(log.take(), ["register", "asks"], "else an answer to the next one may come before the question");
    store.slow(false);
    assert_eq!(alice.hears().await, "your name?");
    idle(&platform).await;
    // It is the answer, and no handler's.
    assert_eq!(alice.hears().await, "welcome, next");
    bot.finish_with(&platform).await;
    assert!(log.all().is_empty());
}

/// Lets what else has come be accepted.
async fn idle_turns() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_recorded_answer_is_heard_once_though_a_crash_cut_off_its_end() {
    let platform = FakePlatform::new();
    let (alice, log, store) = (platform.user("alice"), Log::default(), Faulty::new());
    let note = |msg: Message, log: State<Log>| async move { log.note(msg.text().unwrap_or_default()) };
    let builder = bot(&platform).store(store.arc()).state(log.clone()).on_message(register).on_message(note);
    let bot = spawn(builder).await;
    // What a crash would lose: the ends of the question and of its answer.
    store.lose_finishes(2);
    alice.says("register").await;
    assert_eq!(alice.hears().await, "your name?");
    alice.says("Alice").await;
    assert_eq!(alice.hears().await, "welcome, Alice");
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["register", "register"], "the question ran twice, its answer went to no handler");
    assert_eq!(platform.book().sent_texts(), ["your name?", "welcome, Alice"]);
}
