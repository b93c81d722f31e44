//! Statuses: the bot hears what came to a page and what was seen there, each once.

use serde_json::{Value, json};
use wechaty_puppet::{EventPayload, MessageId};
use wechaty_puppet_webchat::Options;

use crate::{
    browser::{Answer, Browser},
    stage::{Mood, Stage},
};

async fn tells(tab: &Browser, conversation: &str, delivered: u64, read: u64) -> Answer {
    tab.post("status", &json!({ "conversation": conversation, "delivered": delivered, "read": read })).await
}

/// The statuses the bot has heard: what, of which message, by whom.
fn heard(stage: &Stage) -> Vec<(&'static str, String, String)> {
    let status = |event| match event {
        EventPayload::MessageStatus(e) => {
            assert!(e.timestamp.as_millis() > 0);
            Some((e.status.as_str(), e.message_ids[0].to_string(), e.by.expect("somebody").to_string()))
        }
        _ => None,
    };
    stage.happened().into_iter().filter_map(status).collect()
}

fn told(status: &'static str, ids: &[&MessageId], by: &Browser) -> Vec<(&'static str, String, String)> {
    ids.iter().map(|id| (status, id.to_string(), by.id.clone())).collect()
}

/// The number of the last message.
async fn last(tab: &Browser, conversation: &str) -> u64 {
    tab.history(conversation).await.last().and_then(|message| message["seq"].as_u64()).expect("a message")
}

#[tokio::test]
async fn what_a_page_has_is_delivered_and_what_was_seen_is_read_each_once() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let one = stage.bot_says(&ann, "one").await;
    ann.says("bot", "mine").await.ok();
    let first = last(&ann, "bot").await;
    let two = stage.bot_says(&ann, "two").await;
    let second = last(&ann, "bot").await;
    assert!(heard(&stage).is_empty(), "a send is not a delivery");
    tells(&ann, "bot", first, 0).await.ok();
    let mut all = told("delivered", &[&one], &ann);
    assert_eq!(heard(&stage), all, "of the bot's messages only");
    // Another tab, the same again, and less than before.
    for (delivered, read) in [(first, 0), (0, 0)] {
        tells(&ann, "bot", delivered, read).await.ok();
    }
    assert_eq!(heard(&stage), all);
    // What was seen has come.
    tells(&ann, "bot", 0, second).await.ok();
    all.extend(told("delivered", &[&two], &ann));
    all.extend(told("read", &[&one, &two], &ann));
    assert_eq!(heard(&stage), all);
    tells(&ann, "bot", u64::MAX, u64::MAX).await.ok();
    assert_eq!(heard(&stage), all);
}

#[tokio::test]
async fn of_a_room_the_first_counts_and_notes_and_what_was_recalled_do_not() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    let gone = stage.bot_says_in(&room, "gone").await;
    assert!(stage.puppet.recall().expect("it can").recall(&gone).await.expect("it does"));
    let id = stage.bot_says_in(&room, "hello").await;
    let end = last(&ann, &room).await;
    assert_eq!(tells(&bob, &room, end, end).await.code(), "W428", "Bob is not in it");
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    tells(&bob, &room, end, 0).await.ok();
    tells(&ann, &room, end, end).await.ok();
    tells(&bob, &room, end, end).await.ok();
    let all = [told("delivered", &[&id], &bob), told("read", &[&id], &ann)].concat();
    assert_eq!(heard(&stage), all);
}

#[tokio::test]
async fn what_the_bot_did_not_take_is_told_again_and_much_comes_in_lots() {
    let (stage, running) = Stage::up_with(Options { history: 1_000, ..Options::default() }).await;
    let ann = stage.joins("Ann").await;
    let mut ids = Vec::new();
    for n in 0..250 {
        ids.push(stage.bot_says(&ann, &n.to_string()).await);
    }
    let end = last(&ann, "bot").await;
    stage.mood(Mood::Refuse);
    assert_eq!(tells(&ann, "bot", end, end).await.code(), "W440");
    assert!(heard(&stage).is_empty());
    stage.mood(Mood::Open);
    tells(&ann, "bot", end, end).await.ok();
    let ids: Vec<&MessageId> = ids.iter().collect();
    assert_eq!(heard(&stage), [told("delivered", &ids, &ann), told("read", &ids, &ann)].concat());
    running.stop().await.expect("an end");
    assert_eq!(tells(&ann, "bot", end, end).await.code(), "W440", "nobody runs");
}

#[tokio::test]
async fn two_tabs_that_tell_at_once_are_heard_once() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let id = stage.bot_says(&ann, "hello").await;
    let end = last(&ann, "bot").await;
    stage.mood(Mood::Hold);
    let tab = || {
        let tab = ann.clone();
        tokio::spawn(async move { tells(&tab, "bot", end, 0).await.ok() })
    };
    let both = [tab(), tab()];
    stage.turned_away(1).await;
    stage.mood(Mood::Open);
    for one in both {
        one.await.expect("no panic");
    }
    assert_eq!(heard(&stage), told("delivered", &[&id], &ann));
}

#[tokio::test]
async fn statuses_are_guarded_as_everything_is() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.bot_says(&ann, "hello").await;
    let mut eve = ann.clone();
    eve.secret = format!("{}.{}", ann.id, "0".repeat(32));
    assert_eq!(tells(&eve, "bot", 9, 9).await.code(), "W421");
    assert_eq!(tells(&ann, "nowhere", 9, 9).await.code(), "W428");
    let bad = [json!({}), json!({ "conversation": "bot", "delivered": -1, "read": 0 }), Value::Null];
    for body in bad {
        assert_eq!(ann.post("status", &body).await.status, 400, "{body}");
    }
    assert_eq!(ann.get("/chat/api/status").await.status, 405);
    assert!(heard(&stage).is_empty());
}
