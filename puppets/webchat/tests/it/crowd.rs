//! Many at once, and who is too many or too fast.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use wechaty_puppet::EventPayload;
use wechaty_puppet_webchat::Options;

use crate::{
    browser::Browser,
    stage::{Mood, Stage, within},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_visitors_hear_the_bot() {
    let (stage, _running) = Stage::up().await;
    let rooms = stage.puppet.rooms().unwrap();
    let mut tabs = Vec::new();
    for _ in 0..1_000 {
        tabs.push(stage.joins("").await);
    }
    let ids: Vec<_> = tabs.iter().map(|tab| tab.id.as_str().into()).collect();
    let room = rooms.create(&ids, Some("Everybody")).await.unwrap();
    let mut streams = join_all(tabs.iter().map(|tab| async { tab.listens(None).await.unwrap() })).await;
    let reading = tokio::spawn(async move { join_all(streams.iter_mut().map(|events| events.until("message"))).await });
    let id = stage.bot_says_in(room.as_str(), "hello").await;
    let told = within("a thousand to hear it", reading).await.unwrap();
    assert!(told.iter().all(|told| told.data["id"] == id.as_str() && told.data["text"] == "hello"));
    // And the bot hears a thousand.
    let said = join_all(tabs.iter().map(|tab| tab.says("bot", "ding"))).await;
    assert!(said.iter().all(|answer| answer.status == 200));
    assert_eq!(stage.heard().len(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_react_some_are_named_and_all_are_counted() {
    let (stage, _running) = Stage::up().await;
    let mut tabs = Vec::new();
    for n in 0..1_000 {
        tabs.push(stage.joins(&format!("Visitor {n}")).await);
    }
    let ids: Vec<_> = tabs.iter().map(|tab| tab.id.as_str().into()).collect();
    let room = stage.puppet.rooms().unwrap().create(&ids, Some("Everybody")).await.unwrap();
    let id = stage.bot_says_in(room.as_str(), "hello").await;
    let before = tabs[0].state().await["last"].as_u64();
    let reacts = async |tab: &Browser| {
        tab.post("react", &json!({ "id": id, "reaction": "👍", "added": true })).await.ok();
    };
    for tab in &tabs[..299] {
        reacts(tab).await;
    }
    let names: Vec<String> = (0..20).map(|n| format!("Visitor {n}")).collect();
    let told = |count: usize, mine: bool| json!([{ "reaction": "👍", "names": names, "count": count, "mine": mine }]);
    let last = tabs[999].listens(before).await.unwrap().until("reaction").await;
    assert_eq!(last.data["reactions"], told(299, false));
    reacts(&tabs[999]).await;
    for (tab, mine) in [(&tabs[0], true), (&tabs[298], true), (&tabs[500], false), (&tabs[999], true)] {
        let mut events = tab.listens(before).await.unwrap();
        assert_eq!(events.until("reaction").await.data["reactions"], told(300, mine));
        assert!(events.bytes < 2_000, "{} bytes", events.bytes);
        assert_eq!(tab.history(room.as_str()).await.last().unwrap()["reactions"], told(300, mine));
    }
}

#[tokio::test]
async fn who_is_being_forgotten_is_forgotten_once_and_not_let_in_meanwhile() {
    let (stage, _running) = Stage::up_with(Options { visitors: 1, ..Options::default() }).await;
    let ann = stage.joins("Ann").await;
    let room = ann.makes_room("Tea").await;
    let joins = |name: &'static str| {
        let tab = Browser::new(stage.puppet.clone());
        tokio::spawn(async move { tab.post("join", &json!({ "name": name })).await })
    };
    stage.clock.advance(Duration::from_secs(301)).await;
    stage.mood(Mood::Hold);
    let eve = joins("Eve");
    stage.turned_away(1).await;
    // She comes back, and is not let in to be thrown out; nor does another one get the same place.
    assert_eq!(ann.get("/chat/api/state").await.code(), "W421");
    assert_eq!(ann.says(&room, "wait").await.code(), "W421");
    let zoe = within("an answer", joins("Zoe")).await.unwrap();
    assert_eq!((zoe.status, zoe.code().as_str()), (429, "W434"));
    stage.mood(Mood::Open);
    within("Eve", eve).await.unwrap().ok();
    let left = stage.happened().into_iter().filter(|event| matches!(event, EventPayload::RoomLeave(_)));
    assert_eq!(left.count(), 1);
    assert_eq!(ann.get("/chat/api/state").await.code(), "W421");
}

#[tokio::test]
async fn who_is_not_forgotten_after_all_is_still_there() {
    let (stage, _running) = Stage::up_with(Options { visitors: 1, ..Options::default() }).await;
    let ann = stage.joins("Ann").await;
    let room = ann.makes_room("Tea").await;
    stage.clock.advance(Duration::from_secs(301)).await;
    let eve = Browser::new(stage.puppet.clone());
    stage.mood(Mood::Refuse);
    for _ in 0..2 {
        assert_eq!(eve.post("join", &json!({ "name": "Eve" })).await.code(), "W440");
    }
    stage.mood(Mood::Open);
    ann.says(&room, "I am here").await.ok();
    assert_eq!(eve.post("join", &json!({ "name": "Eve" })).await.code(), "W434");
}

#[tokio::test]
async fn who_is_too_fast_is_asked_to_wait_and_nothing_is_lost() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    for n in 0..20 {
        ann.says_with("bot", "ding", &n.to_string()).await.ok();
    }
    let refused = ann.says_with("bot", "once more", "n").await;
    assert_eq!((refused.status, refused.code().as_str(), refused.header("retry-after")), (429, "W429", Some("1")));
    // What is known already costs nothing, and others are not meant.
    ann.says_with("bot", "ding", "7").await.ok();
    bob.says("bot", "ding").await.ok();
    stage.clock.advance(Duration::from_secs(1)).await;
    ann.says_with("bot", "once more", "n").await.ok();
    assert_eq!(stage.heard().len(), 22);
}

#[tokio::test]
async fn a_full_chat_makes_room_only_of_who_is_away() {
    let (stage, _running) = Stage::up_with(Options { visitors: 2, rooms: 1, ..Options::default() }).await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let events = ann.listens(None).await.unwrap();
    let refused = Browser::new(stage.puppet.clone()).post("join", &json!({ "name": "Eve" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "W434"));
    stage.clock.advance(Duration::from_secs(301)).await;
    let eve = stage.joins("Eve").await;
    assert_eq!((ann.get("/chat/api/state").await.status, bob.get("/chat/api/state").await.status), (200, 401));
    drop(events);
    let room = ann.makes_room("One").await;
    assert_eq!(eve.post("rooms", &json!({ "topic": "Two" })).await.code(), "W435");
    ann.post("rooms/leave", &json!({ "id": room })).await.ok();
    eve.makes_room("Two").await;
    assert_eq!(ann.state().await["rooms"][0]["topic"], "Two");
}

#[tokio::test]
async fn one_address_joins_and_guesses_only_so_often() {
    let token = Some("s3crets3cret".to_owned());
    let (stage, _running) = Stage::up_with(Options { token: token.clone(), ..Options::default() }).await;
    let tab = |token: Option<String>| {
        let mut tab = Browser::new(stage.puppet.clone());
        tab.token = token;
        tab
    };
    let joins = async |token: &Option<String>, from: &str| {
        let tab = tab(token.clone());
        let mut request = tab.request("POST", "/chat/api/join", "{}");
        request.peer = Some(from.parse().unwrap());
        tab.ask(request).await
    };
    for _ in 0..60 {
        joins(&token, "192.0.2.1").await.ok();
    }
    let refused = joins(&token, "192.0.2.1").await;
    assert_eq!((refused.status, refused.code().as_str(), refused.header("retry-after")), (429, "W429", Some("1")));
    joins(&token, "192.0.2.2").await.ok();
    stage.clock.advance(Duration::from_secs(1)).await;
    let mut known = tab(token.clone());
    known.secret = joins(&token, "192.0.2.1").await.ok()["secret"].as_str().unwrap().to_owned();
    let wrong = Some("s3crets3cre".to_owned());
    for _ in 0..20 {
        assert_eq!(joins(&wrong, "192.0.2.1").await.status, 401);
    }
    // Right or wrong, nobody is told any more; who is in goes on, and so do others.
    for guess in [&wrong, &token] {
        let refused = joins(guess, "192.0.2.1").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("5")));
    }
    let mut request = known.request("GET", "/chat/api/state", "");
    request.peer = Some("192.0.2.1".parse().unwrap());
    known.ask(request).await.ok();
    joins(&token, "192.0.2.2").await.ok();
}

#[tokio::test]
async fn a_visitor_sends_only_so_many_bytes_at_a_time() {
    let (stage, _running) = Stage::up_with(Options { file_limit: 100, ..Options::default() }).await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let admits = |who: &Browser, length: Option<usize>| {
        let mut head = who.request("POST", "/chat/api/file", "");
        head.headers.extend(length.map(|length| ("content-length".to_owned(), length.to_string())));
        stage.puppet.webhook().unwrap().admits(&head).map_err(|answer| answer.status)
    };
    assert_eq!((admits(&ann, Some(50)), admits(&ann, Some(50)), admits(&ann, None)), (Ok(100), Ok(100), Ok(100)));
    assert_eq!((admits(&ann, Some(10)), admits(&bob, Some(100))), (Err(429), Ok(100)));
    // Too large is too large, whatever came before: the host says so.
    assert_eq!(admits(&ann, Some(1_000)), Ok(100));
    stage.clock.advance(Duration::from_secs(30)).await;
    assert_eq!((admits(&ann, Some(100)), admits(&ann, Some(1))), (Ok(100), Err(429)));
}
