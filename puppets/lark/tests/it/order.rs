//! Nothing lost and nothing out of order in a chat, whatever goes wrong on the way in.

use std::{sync::Arc, time::Duration};

use wechaty_lark_fake::{Chat, Delivery, Fault, Say, State, Trouble};
use wechaty_puppet::{Clock, Loader, MessagePayload, MessageType, VirtualClock};

use crate::{
    sink::{Running, soon},
    stage::Stage,
};

const LOAD: &str = "/open-apis/im/v1/messages/";

async fn ready(stage: &Stage) -> Running {
    // What is told again comes late enough to come behind what is newer.
    stage.fake.with(|state| state.settings.retries_ms = vec![2_000; 4]);
    Running::ready(stage.make(), Clock::system()).await
}

/// Alice says something, in the room or to the bot.
fn says(stage: &Stage, chat: &str, words: &str) -> String {
    let say = Say { from: stage.people[0].to_string(), chat: chat.into(), text: words.into(), ..Say::default() };
    stage.fake.with(|state| state.say(say)).expect("she is there")
}

/// Alice says these together, in the room.
fn merges(stage: &Stage, children: Vec<String>) -> String {
    merges_in(stage, stage.room.as_str(), children)
}

fn merges_in(stage: &Stage, chat: &str, children: Vec<String>) -> String {
    let (from, chat) = (stage.people[0].to_string(), chat.to_owned());
    let say = Say { from, chat, msg_type: "merge_forward".into(), children, ..Say::default() };
    stage.fake.with(|state: &mut State| state.say(say)).expect("she is in the room")
}

fn fails(stage: &Stage, times: u32, trouble: Trouble) {
    let fault = Fault { path: LOAD.into(), method: "GET".into(), times, trouble, after: 0 };
    stage.fake.with(|state| state.faults.push(fault));
}

/// The message, once it is told: half a second goes by, and the server has so long of its own time to answer.
async fn told_in_time(running: &Running, clock: &VirtualClock, real: Duration, id: &str) -> Arc<MessagePayload> {
    soon("the message", async {
        while running.times(id) == 0 {
            clock.advance(Duration::from_millis(500)).await;
            Clock::system().sleep(real).await;
        }
        running.message(id).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_come_when_the_connection_was_lost_stays_before_what_comes_later() {
    let stage = Stage::new(false).await;
    let running = ready(&stage).await;
    let door = running.heard.door.write().await;
    let mut said: Vec<String> = (0..20).map(|number| says(&stage, "", &format!("before {number}"))).collect();
    let is_sent = |state: &mut State| state.events.values().all(|event| event.state == Delivery::Sent);
    soon("its way", async {
        while !stage.fake.with(is_sent) {
            Clock::system().sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // Until it has come: it is told again in three seconds.
    Clock::system().sleep(Duration::from_secs(1)).await;
    stage.fake.drop_connections();
    said.extend((0..5).map(|number| says(&stage, "", &format!("after {number}"))));
    drop(door);
    for id in &said {
        running.message(id).await;
    }
    assert_eq!(running.order(), said);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_is_asked_about_is_not_overtaken_in_its_chat_and_holds_up_no_other() {
    for trouble in [Trouble::Status { status: 503 }, Trouble::Slow { ms: 5_000 }] {
        let stage = Stage::new(false).await;
        let room = stage.room.to_string();
        let first = says(&stage, &room, "first");
        let running = ready(&stage).await;
        running.message(&first).await;
        fails(&stage, 1_000, trouble.clone());
        let merged = merges(&stage, vec![first.clone()]);
        let (behind, elsewhere) = (says(&stage, &room, "behind"), says(&stage, "", "elsewhere"));
        running.message(&elsewhere).await;
        assert_eq!(running.times(&merged) + running.times(&behind), 0, "{trouble:?}");
        stage.fake.with(|state| state.faults.clear());
        running.message(&behind).await;
        assert_eq!(running.order(), [first, elsewhere, merged.clone(), behind], "{trouble:?}");
        assert!(running.message(&merged).await.text.as_deref().is_some_and(|text| text.ends_with(": first")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_is_behind_what_the_platform_is_asked_about_other_chats_are_served() {
    let stage = Stage::new(false).await;
    let room = stage.room.to_string();
    let first = says(&stage, &room, "first");
    let running = ready(&stage).await;
    running.message(&first).await;
    fails(&stage, 1_000, Trouble::Status { status: 503 });
    let mut said = vec![merges(&stage, vec![first.clone()])];
    said.extend((0..70).map(|number| says(&stage, &room, &format!("behind {number}"))));
    let elsewhere = says(&stage, "", "elsewhere");
    running.message(&elsewhere).await;
    assert_eq!(running.order(), [first.clone(), elsewhere.clone()]);
    stage.fake.with(|state| state.faults.clear());
    for id in &said {
        running.message(id).await;
    }
    assert_eq!(running.order()[2..], said);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_chats_wait_for_the_platform_the_others_are_served() {
    for trouble in [Trouble::Status { status: 503 }, Trouble::Hang] {
        let stage = Stage::new(false).await;
        let first = says(&stage, stage.room.as_str(), "first");
        let running = ready(&stage).await;
        running.message(&first).await;
        fails(&stage, u32::MAX, trouble.clone());
        let mut merged = Vec::new();
        for _ in 0..100 {
            let members = vec![stage.people[0].to_string()];
            let chat = Chat { members, bot_in: true, ..Chat::default() };
            let chat = stage.fake.with(|state| state.add_chat(chat));
            merged.push(merges_in(&stage, &chat, vec![first.clone()]));
        }
        let elsewhere = says(&stage, "", "elsewhere");
        running.message(&elsewhere).await;
        assert_eq!(running.order(), [first, elsewhere], "{trouble:?}");
        if trouble != Trouble::Hang {
            stage.fake.with(|state| state.faults.clear());
            for id in &merged {
                assert!(running.message(id).await.text.is_some(), "{id}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_holds_up_a_chat_for_a_limited_time() {
    for (times, words) in [(1, true), (1_000, false)] {
        let virtual_clock = VirtualClock::new();
        let clock: Clock = virtual_clock.clone().into();
        let stage = Stage::with(false, clock.clone()).await;
        let running = Running::ready(stage.make(), clock).await;
        let first = says(&stage, stage.room.as_str(), "first");
        running.message(&first).await;
        fails(&stage, times, Trouble::Hang);
        let merged = merges(&stage, vec![first]);
        let start = virtual_clock.now();
        let told = told_in_time(&running, &virtual_clock, Duration::from_millis(200), &merged).await;
        assert_eq!((told.kind, told.text.is_some()), (MessageType::ChatHistory, words), "{times}");
        let took = virtual_clock.now() - start;
        assert!(took <= Duration::from_secs(40), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_message_that_cannot_be_loaded_is_told_without_its_words_and_loaded_later() {
    let virtual_clock = VirtualClock::new();
    let clock: Clock = virtual_clock.clone().into();
    let stage = Stage::with(false, clock.clone()).await;
    let running = Running::ready(stage.make(), clock).await;
    let first = says(&stage, stage.room.as_str(), "first");
    running.message(&first).await;
    fails(&stage, 1_000, Trouble::Status { status: 503 });
    let merged = merges(&stage, vec![first]);
    let told = told_in_time(&running, &virtual_clock, Duration::from_millis(2), &merged).await;
    assert_eq!((told.kind, told.text.as_deref()), (MessageType::ChatHistory, None));
    stage.fake.with(|state| state.faults.clear());
    let loaded = Loader::message(&running.puppet, &merged.as_str().into()).await.expect("it is there");
    assert!(loaded.text.as_deref().is_some_and(|text| text.ends_with(": first")), "{:?}", loaded.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_message_that_is_too_large_to_be_read_is_told_with_its_first_words() {
    let stage = Stage::new(false).await;
    let running = ready(&stage).await;
    // Ten megabytes, the first words in front.
    let mut children = vec![says(&stage, stage.room.as_str(), "these come first")];
    let long = "长".repeat(45_000);
    children.extend((0..75).map(|_| says(&stage, stage.room.as_str(), &long)));
    let merged = merges(&stage, children);
    let message = running.message(&merged).await;
    let text = message.text.clone().expect("its first words");
    assert_eq!(message.kind, MessageType::ChatHistory);
    assert!(text.contains(": these come first\n") && text.ends_with("长…"), "{} bytes", text.len());
}
