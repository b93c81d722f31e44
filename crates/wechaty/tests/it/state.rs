//! What is kept of conversations and people, and dialogues that sleep in the store: across restarts, and never lost.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechaty::{Error, Stored, prelude::*, testing::*, types::ConversationId};

use crate::{
    store::Faulty,
    support::{Disk, Log, bot, texts},
};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Visits {
    count: u32,
}

impl Stored for Visits {
    const NAME: &'static str = "visits";
}

/// The second form of the same thing.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Visited {
    times: u32,
}

impl Stored for Visited {
    const NAME: &'static str = "visits";
    const VERSION: u32 = 2;
    fn migrate(version: u32, value: Value) -> Option<Self> {
        let times = value.get("count")?.as_u64()?;
        (version == 1).then_some(Self { times: times as u32 })
    }
}

async fn counts(msg: Message, here: ConversationState<Visits>, who: PersonState<Visits>) -> wechaty::Result<()> {
    let count = |visits: &mut Visits| {
        visits.count += 1;
        visits.count
    };
    let (here, who) = (here.update(count).await?, who.update(count).await?);
    msg.say(format!("{here} here, {who} by you")).await.map(drop)
}

#[tokio::test]
async fn state_is_kept_by_conversation_and_by_person_across_a_restart() {
    let platform = FakePlatform::new();
    let (alice, bob, disk) = (platform.user("alice"), platform.user("bob"), Disk::new());
    let room = platform.room("tea", &[&alice, &bob]);
    let bot = spawn(disk.bot(&platform).await.on_message(counts)).await;
    alice.says_in(&room, "hi").await;
    assert_eq!(alice.hears_in(&room).await, "1 here, 1 by you");
    bob.says_in(&room, "hi").await;
    assert_eq!(alice.hears_in(&room).await, "2 here, 1 by you");
    bot.drained().await;
    bot.crash().await;
    let bot = spawn(disk.bot(&platform).await.on_message(counts)).await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "1 here, 2 by you");
    alice.says_in(&room, "hi").await;
    assert_eq!(alice.hears_in(&room).await, "3 here, 3 by you");
    bot.finish_with(&platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_is_lost_when_many_change_the_same_value() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let state = bot.main_account().person_state::<Visits>(&alice.id());
    let changes = (0..20).map(|_| {
        let state = state.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                state.update(|visits| visits.count += 1).await.expect("changes");
            }
        })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.expect("ends");
    }
    assert_eq!(state.get().await.expect("reads"), Some(Visits { count: 200 }));
    state.remove().await.expect("removes");
    assert_eq!(state.get().await.expect("reads"), None);
    bot.finish().await;
}

#[tokio::test]
async fn an_older_form_is_migrated_and_a_newer_or_broken_one_is_told_and_kept() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let account = bot.main_account();
    let (old, new) = (account.person_state::<Visits>(&alice.id()), account.person_state::<Visited>(&alice.id()));
    old.set(&Visits { count: 7 }).await.expect("sets");
    assert_eq!(new.get().await.expect("migrates"), Some(Visited { times: 7 }));
    new.update(|visited| visited.times += 1).await.expect("changes");
    let error = old.update(|visits| visits.count = 0).await.expect_err("an old program does not know the new form");
    let Error::Stored { key, why } = &error else { panic!("{error}") };
    assert!(key.contains("person/visits") && key.contains(alice.id().as_str()), "{error}");
    assert_eq!(why, "it is of version 2, and this program knows 1");
    assert_eq!(new.get().await.expect("it is still there"), Some(Visited { times: 8 }));
    let key = key.strip_prefix("person/visits/").expect("the namespace");
    bot.store().put("person/visits", key, None, Some("{\"v\":2,\"value\":[]".into())).await.expect("breaks it");
    new.update(|visited| visited.times = 0).await.expect_err("it is broken");
    assert!(bot.store().get("person/visits", key).await.expect("reads").is_some_and(|kept| kept.version == 3));
    bot.finish().await;
}

#[tokio::test]
async fn state_of_an_event_without_a_person_is_an_error_not_somebody_elses() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let builder =
        bot(&platform).state(log.clone()).on_ready(|_: Ready, who: PersonState<Visits>, log: State<Log>| async move {
            log.note(who.get().await.expect_err("nobody").to_string());
        });
    spawn(builder).await.finish().await;
    assert_eq!(log.all(), ["invalid state: nobody is known to have caused this event"]);
}

#[derive(Debug, Serialize, Deserialize)]
enum SignUp {
    Name,
    City { name: String },
}

impl Stored for SignUp {
    const NAME: &'static str = "sign-up";
}

async fn begin(msg: Message, dialogue: Dialogue<SignUp>) -> wechaty::Result<()> {
    if msg.text() == Some("sign up") {
        msg.say("your name?").await?;
        return dialogue.start(&SignUp::Name).await;
    }
    msg.say(format!("heard {}", msg.text().unwrap_or_default())).await.map(drop)
}

async fn sign_up(msg: Message, step: SignUp) -> wechaty::Result<Option<SignUp>> {
    let text = msg.text().unwrap_or_default().to_owned();
    Ok(match step {
        SignUp::Name => {
            msg.say("your city?").await?;
            Some(SignUp::City { name: text })
        }
        SignUp::City { .. } if text.is_empty() || text == "nowhere" => return Err("that is no city".into()),
        SignUp::City { name } => {
            msg.say(format!("welcome, {name} of {text}")).await?;
            None
        }
    })
}

fn signs_up(builder: wechaty::BotBuilder) -> wechaty::BotBuilder {
    builder.on_message(begin).dialogue(sign_up).named("sign-up")
}

#[tokio::test]
async fn a_dialogue_goes_on_after_a_restart_and_only_with_its_person_where_it_began() {
    let platform = FakePlatform::new();
    let (alice, bob, disk) = (platform.user("alice"), platform.user("bob"), Disk::new());
    let room = platform.room("tea", &[&alice, &bob]);
    let bot = spawn(signs_up(disk.bot(&platform).await)).await;
    alice.says_in(&room, "sign up").await;
    assert_eq!(alice.hears_in(&room).await, "your name?");
    bob.says_in(&room, "Bob").await;
    assert_eq!(alice.hears_in(&room).await, "heard Bob");
    alice.says("hello").await;
    assert_eq!(alice.hears().await, "heard hello");
    alice.says_in(&room, "Alice").await;
    assert_eq!(alice.hears_in(&room).await, "your city?");
    bot.drained().await;
    bot.crash().await;
    let bot = spawn(signs_up(disk.bot(&platform).await)).await;
    alice.says_in(&room, "Oxford").await;
    assert_eq!(alice.hears_in(&room).await, "welcome, Alice of Oxford");
    alice.says_in(&room, "thanks").await;
    assert_eq!(alice.hears_in(&room).await, "heard thanks");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_step_that_fails_is_told_and_waits_for_another_answer() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = signs_up(bot(&platform))
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) });
    let bot = spawn(builder).await;
    for (text, answer) in [("sign up", "your name?"), ("Alice", "your city?"), ("nowhere", "heard nowhere")] {
        alice.says(text).await;
        assert_eq!(alice.hears().await, answer);
    }
    alice.says("Oxford").await;
    assert_eq!(alice.hears().await, "welcome, Alice of Oxford");
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["in sign-up: that is no city"]);
}

/// As if the process ended between the last word of a handler and the end of its event, at each message of a dialogue.
#[tokio::test]
async fn a_crash_behind_a_step_neither_repeats_nor_skips_it() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    store.forget_ends(true);
    for (text, answer) in [("sign up", "your name?"), ("Alice", "your city?"), ("Oxford", "welcome, Alice of Oxford")] {
        let bot = spawn(signs_up(bot(&platform).store(store.arc()))).await;
        bot.ready().await;
        bot.drained().await;
        alice.hears_nothing();
        alice.says(text).await;
        assert_eq!(alice.hears().await, answer);
        bot.drained().await;
        bot.crash().await;
    }
    store.forget_ends(false);
    // None of the three events is finished: all of them run again.
    let bot = spawn(signs_up(bot(&platform).store(store.arc()))).await;
    bot.ready().await;
    bot.drained().await;
    let account = bot.main_account();
    let dialogue = account.dialogue::<SignUp>(&ConversationId::Contact(alice.id()), &alice.id());
    assert!(dialogue.step().await.expect("reads").is_none(), "it is over");
    alice.says("thanks").await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["your name?", "your city?", "welcome, Alice of Oxford", "heard thanks"]);
    assert_eq!(ledger.inbound.rejected, 0, "{ledger}");
}
