//! Windows, lives and schedules.

use serde_json::json;
use wechaty_lark_fake::{Delivery, Fake, Say};
use wechaty_puppet::{Clock, VirtualClock};

use crate::support::{World, token};

const DAY: u64 = 86_400;

#[tokio::test]
async fn a_token_is_given_again_until_half_an_hour_of_it_remains() {
    let clock = VirtualClock::new();
    let fake = Fake::builder().clock(Clock::from(clock.clone())).start().await.unwrap();
    let first = token(&fake).await;
    assert_eq!(first["expire"], 7200);
    clock.advance(std::time::Duration::from_secs(5399)).await;
    let same = token(&fake).await;
    assert_eq!((&same["tenant_access_token"], &same["expire"]), (&first["tenant_access_token"], &json!(1801)));
    clock.advance(std::time::Duration::from_secs(1)).await;
    let next = token(&fake).await;
    assert_ne!(next["tenant_access_token"], first["tenant_access_token"]);
    assert_eq!(next["expire"], 7200);
}

#[tokio::test]
async fn a_key_counts_for_an_hour() {
    let world = World::new().await;
    let first = world.send("text", json!({"text": "a"}), "key").await;
    world.pass(3599).await;
    assert_eq!(world.send("text", json!({"text": "b"}), "key").await, first);
    world.pass(1).await;
    assert_ne!(world.send("text", json!({"text": "c"}), "key").await, first);
}

#[tokio::test]
async fn a_chat_is_made_once_in_ten_hours() {
    let world = World::new().await;
    let path = "/im/v1/chats?uuid=one";
    let first = world.good("POST", path, json!({"name": "a"})).await;
    world.pass(10 * 3600 - 1).await;
    assert_eq!(world.good("POST", path, json!({"name": "a"})).await["chat_id"], first["chat_id"]);
    world.pass(1).await;
    assert_ne!(world.good("POST", path, json!({"name": "a"})).await["chat_id"], first["chat_id"]);
}

#[tokio::test]
async fn what_nobody_acknowledges_comes_again_after_15_s_5_min_1_h_and_6_h() {
    let world = World::new().await;
    let from = world.alice.open_id.clone();
    let start = world.clock.wall().as_millis();
    world.fake.with(|state| state.say(Say { from, text: "hello".to_owned(), ..Say::default() })).unwrap();
    for seconds in [0, 15, 300, 3600, 21_600] {
        world.pass(seconds).await;
    }
    let event = world.fake.with(|state| state.events.values().last().unwrap().clone());
    let times: Vec<i64> = event.attempts.iter().map(|attempt| (attempt.time - start) / 1000).collect();
    assert_eq!(times, [0, 15, 315, 3915, 25_515]);
    assert_eq!(event.state, Delivery::GivenUp);
}

#[tokio::test]
async fn a_press_is_told_once_and_never_again() {
    let world = World::new().await;
    let button = json!({"tag": "button", "text": {"tag": "plain_text", "content": "Yes"}, "value": {"k": 1}});
    let card = json!({"elements": [{"tag": "action", "actions": [button]}]});
    let card = world.send("interactive", card, "").await;
    let alice = world.alice.open_id.clone();
    let number = world.fake.with(|state| state.click(&alice, &card, &json!("Yes"), &json!(null))).unwrap();
    world.pass(30_000).await;
    let event = world.fake.with(|state| state.events[&number].clone());
    assert_eq!((event.state, event.attempts.len()), (Delivery::GivenUp, 1));
}

#[tokio::test]
async fn what_is_old_cannot_be_changed() {
    let world = World::new().await;
    let text = world.send("text", json!({"text": "a"}), "").await;
    let card = world.send("interactive", json!({"elements": []}), "").await;
    let recall = format!("/im/v1/messages/{text}");
    let readers = format!("/im/v1/messages/{text}/read_users?user_id_type=open_id");
    let patch = format!("/im/v1/messages/{card}");
    world.pass(DAY + 1).await;
    assert_eq!(world.code("DELETE", &recall, json!({})).await, 230_009);
    assert_eq!(world.code("GET", &readers, json!({})).await, 0);
    world.pass(6 * DAY).await;
    assert_eq!(world.code("GET", &readers, json!({})).await, 230_033);
    assert_eq!(world.code("PATCH", &patch, json!({"content": "{\"elements\":[]}"})).await, 0);
    world.pass(7 * DAY).await;
    assert_eq!(world.code("PATCH", &patch, json!({"content": "{\"elements\":[]}"})).await, 230_031);
}

#[tokio::test]
async fn a_card_entity_streams_for_ten_minutes_and_lives_for_a_fortnight() {
    let world = World::new().await;
    let element = json!({"tag": "markdown", "element_id": "md", "content": ""});
    let card = json!({"schema": "2.0", "config": {"streaming_mode": true}, "body": {"elements": [element]}});
    let made = world.good("POST", "/cardkit/v1/cards", json!({"type": "card_json", "data": card.to_string()})).await;
    let path = format!("/cardkit/v1/cards/{}", made["card_id"].as_str().unwrap());
    let content = format!("{path}/elements/md/content");
    assert_eq!(world.code("PUT", &content, json!({"content": "a", "sequence": 1})).await, 0);
    world.pass(601).await;
    assert_eq!(world.code("PUT", &content, json!({"content": "ab", "sequence": 2})).await, 200_850);
    assert_eq!(world.code("PUT", &content, json!({"content": "ab", "sequence": 3})).await, 300_309);
    let on = json!({"settings": "{\"config\":{\"streaming_mode\":true}}", "sequence": 4});
    assert_eq!(world.code("PATCH", &format!("{path}/settings"), on).await, 0);
    assert_eq!(world.code("PUT", &content, json!({"content": "ab", "sequence": 5})).await, 0);
    world.pass(14 * DAY).await;
    assert_eq!(world.code("PUT", &content, json!({"content": "abc", "sequence": 6})).await, 200_750);
}

#[tokio::test]
async fn rates_are_kept_for_each_api_and_tell_when_there_is_room() {
    let world = World::new().await;
    for _ in 0..50 {
        world.good("GET", "/im/v1/chats", json!({})).await;
    }
    let (status, body) = world.call("GET", "/im/v1/chats", json!({})).await;
    assert_eq!((status, &body["code"]), (429, &json!(99_991_400)));
    assert!(body["error"]["log_id"].is_string());
    assert_eq!(world.code("GET", "/contact/v3/scopes", json!({})).await, 0);
    world.pass(1).await;
    assert_eq!(world.code("GET", "/im/v1/chats", json!({})).await, 0);
}
