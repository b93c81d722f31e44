//! People with each other: names, rooms, whose message is whose.

use serde_json::json;
use wechaty_puppet::{EventPayload, FriendshipType, MessageType, Payload};

use crate::{
    browser::Browser,
    stage::{Mood, Stage},
};

#[tokio::test]
async fn script_in_a_name_comes_back_as_text() {
    let (stage, _running) = Stage::up().await;
    let name = "<script>alert(1)</script>";
    let (eve, ann) = (stage.joins(name).await, stage.joins("Ann").await);
    let room = eve.makes_room("<img src=x onerror=alert(1)>").await;
    ann.post("rooms/enter", &json!({ "id": room })).await.ok();
    eve.says(&room, "</script><b>hi").await.ok();
    let answer = ann.get(&format!("/chat/api/history?conversation={room}")).await;
    assert_eq!(
        (answer.header("x-content-type-options"), answer.header("content-type")),
        (Some("nosniff"), Some("application/json"))
    );
    let last = ann.history(&room).await.last().unwrap().clone();
    assert_eq!((&last["from"]["name"], &last["text"]), (&json!(name), &json!("</script><b>hi")));
    let contact = stage.puppet.loader().unwrap().contact(&eve.id.as_str().into()).await.unwrap();
    assert_eq!(contact.name, name);
}

#[tokio::test]
async fn people_meet_in_a_room_and_the_bot_hears_of_it() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    let mut events = bob.listens(None).await.unwrap();
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    assert_eq!(events.next().await.unwrap().event, "conversation");
    let said = json!({ "conversation": room, "text": "@Bob hi", "mentions": [bob.id, "nobody"], "nonce": "n" });
    let said = ann.post("say", &said).await.ok();
    assert_eq!(said["mentions"], json!([{ "id": bob.id, "name": "Bob" }]));
    let told = loop {
        let told = events.until("message").await;
        if told.data["kind"] == "text" {
            break told.data;
        }
    };
    assert_eq!((&told["own"], &told["from"]["id"], &told["nonce"]), (&json!(false), &json!(ann.id), &json!(null)));
    ann.post("rooms/topic", &json!({ "id": room, "topic": "Coffee" })).await.ok();
    bob.post("rooms/leave", &json!({ "id": room })).await.ok();
    let kinds: Vec<String> = stage.happened().iter().map(|event| event.kind().to_string()).collect();
    assert_eq!(kinds, ["room-join", "room-join", "room-topic", "room-leave"]);
    assert_eq!(bob.says(&room, "still here?").await.code(), "W428");
    assert_eq!(bob.get(&format!("/chat/api/history?conversation={room}")).await.code(), "W428");
    let texts = ann.texts(&room).await;
    assert_eq!(texts, ["Ann made this room", "Bob came in", "@Bob hi", "Ann renamed the room: Coffee", "Bob left"]);
}

#[tokio::test]
async fn a_room_of_the_bot_is_for_whom_it_adds() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let rooms = stage.puppet.rooms().unwrap();
    let id = rooms.create(&[ann.id.as_str().into()], Some("Staff")).await.unwrap();
    assert_eq!(bob.state().await["rooms"], json!([]));
    assert_eq!(bob.post("rooms/enter", &json!({ "id": id })).await.code(), "W428");
    rooms.add(&id, &[bob.id.as_str().into()], false).await.unwrap();
    bob.says(id.as_str(), "thanks").await.ok();
    rooms.remove(&id, &[ann.id.as_str().into()]).await.unwrap();
    assert_eq!(ann.says(id.as_str(), "oh").await.code(), "W428");
    let mut events = bob.listens(None).await.unwrap();
    rooms.dismiss(&id).await.unwrap();
    assert_eq!(events.next().await.unwrap().event, "left");
}

#[tokio::test]
async fn whom_the_bot_removed_does_not_come_back_by_themselves() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    let rooms = stage.puppet.rooms().unwrap();
    rooms.remove(&room.as_str().into(), &[bob.id.as_str().into()]).await.unwrap();
    let refused = bob.post("rooms/enter", &json!({ "id": room })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "W423"));
    rooms.add(&room.as_str().into(), &[bob.id.as_str().into()], false).await.unwrap();
    bob.says(&room, "back").await.ok();
}

#[tokio::test]
async fn nobody_touches_the_messages_of_others() {
    let (stage, _running) = Stage::up().await;
    let (ann, eve) = (stage.joins("Ann").await, stage.joins("Eve").await);
    let room = ann.makes_room("Tea").await;
    eve.post("rooms/enter", &json!({ "id": room })).await.ok();
    let private = ann.says("bot", "my secret").await.ok()["id"].clone();
    let public = ann.says(&room, "hello").await.ok()["id"].clone();
    let bots = stage.bot_says(&ann, "for Ann").await;
    for (id, code) in [(&private, "W430"), (&public, "W422"), (&json!(bots), "W430")] {
        assert_eq!(eve.post("edit", &json!({ "id": id, "text": "x" })).await.code(), code);
        assert_eq!(eve.post("recall", &json!({ "id": id })).await.code(), code);
    }
    assert_eq!(ann.post("recall", &json!({ "id": bots })).await.code(), "W422");
    assert_eq!(eve.post("react", &json!({ "id": private, "reaction": "👍", "added": true })).await.code(), "W430");
    // A quote must not show what was said elsewhere, not even to who said it.
    for tab in [&ann, &eve] {
        let body = json!({ "conversation": room, "text": "look", "quote": private, "nonce": "q" });
        assert_eq!(tab.post("say", &body).await.code(), "W430");
    }
    assert!(!eve.state().await.to_string().contains("secret"));
}

#[tokio::test]
async fn edits_reactions_and_recalls_are_seen_and_told() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    let mut events = bob.listens(None).await.unwrap();
    let id = ann.says(&room, "helo").await.ok()["id"].clone();
    for _ in 0..2 {
        let edited = ann.post("edit", &json!({ "id": id, "text": "hello" })).await.ok();
        assert_eq!((&edited["edited"], &edited["text"]), (&json!(true), &json!("hello")));
        bob.post("react", &json!({ "id": id, "reaction": "👍", "added": true })).await.ok();
    }
    assert_eq!(events.until("edit").await.data["text"], "hello");
    assert_eq!(
        events.until("reaction").await.data["reactions"],
        json!([{ "reaction": "👍", "names": ["Bob"], "count": 1, "mine": true }])
    );
    for _ in 0..2 {
        ann.post("recall", &json!({ "id": id })).await.ok();
    }
    assert_eq!(events.until("recall").await.data, json!({ "conversation": room, "id": id }));
    let last = bob.history(&room).await.last().unwrap().clone();
    assert_eq!((&last["recalled"], &last["text"], &last["reactions"]), (&json!(true), &json!(null), &json!(null)));
    let kinds: Vec<String> = stage.happened().iter().skip(2).map(|event| event.kind().to_string()).collect();
    assert_eq!(kinds, ["message-edit", "reaction", "message-recall"]);
    let id = id.as_str().unwrap().into();
    assert_eq!(stage.puppet.loader().unwrap().message(&id).await.unwrap().kind, MessageType::Recalled);
}

#[tokio::test]
async fn words_that_were_taken_back_are_in_no_quote() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    let id = ann.says(&room, "my seecret").await.ok()["id"].clone();
    let answer = json!({ "conversation": room, "text": "oh", "quote": id, "nonce": "q" });
    assert_eq!(bob.post("say", &answer).await.ok()["quote"]["text"], "my seecret");
    let mut events = bob.listens(None).await.unwrap();
    ann.post("edit", &json!({ "id": id, "text": "my secret" })).await.ok();
    let quote = json!({ "id": id, "name": "Ann", "text": "my secret" });
    assert_eq!(events.until("quote").await.data, json!({ "conversation": room, "quote": quote }));
    assert_eq!(bob.history(&room).await.last().unwrap()["quote"], quote);
    ann.post("recall", &json!({ "id": id })).await.ok();
    let quote = json!({ "id": id, "name": "Ann", "text": "", "recalled": true });
    assert_eq!(events.until("quote").await.data, json!({ "conversation": room, "quote": quote }));
    let history = json!(bob.history(&room).await);
    assert_eq!(history.as_array().unwrap().last().unwrap()["quote"], quote);
    assert!(!history.to_string().contains("secret"));
}

#[tokio::test]
async fn a_reaction_is_known_as_ones_own_whatever_the_names() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    let id = ann.says(&room, "hello").await.ok()["id"].clone();
    let mut events = ann.listens(None).await.unwrap();
    bob.post("react", &json!({ "id": id, "reaction": "👍", "added": true })).await.ok();
    let theirs = json!([{ "reaction": "👍", "names": ["Bob"], "count": 1, "mine": false }]);
    assert_eq!(events.until("reaction").await.data["reactions"], theirs);
    bob.post("name", &json!({ "name": "Robert" })).await.ok();
    let mine = json!([{ "reaction": "👍", "names": ["Robert"], "count": 1, "mine": true }]);
    assert_eq!(bob.history(&room).await.last().unwrap()["reactions"], mine);
    // An edit tells the whole message, to each as they see it.
    let mut events = bob.listens(None).await.unwrap();
    ann.post("edit", &json!({ "id": id, "text": "hi" })).await.ok();
    assert_eq!(events.until("edit").await.data["reactions"], mine);
}

#[tokio::test]
async fn one_visitor_makes_ten_rooms() {
    let (stage, _running) = Stage::up().await;
    let (eve, bob) = (stage.joins("Eve").await, stage.joins("Bob").await);
    let mut rooms = Vec::new();
    for n in 0..10 {
        rooms.push(eve.makes_room(&format!("Room {n}")).await);
    }
    let refused = eve.post("rooms", &json!({ "topic": "Room 10" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "W436"));
    bob.makes_room("Mine").await;
    eve.post("rooms/leave", &json!({ "id": rooms[0] })).await.ok();
    eve.makes_room("Room 10").await;
}

#[tokio::test]
async fn a_new_name_is_seen_by_all_who_share_a_room() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    bob.says(&room, "hello").await.ok();
    let mut events = ann.listens(None).await.unwrap();
    let renamed = bob.post("name", &json!({ "name": " Ann " })).await.ok();
    assert_eq!(renamed["visitor"], json!({ "id": bob.id, "name": "Ann 2" }));
    assert_eq!(events.until("visitor").await.data, json!({ "id": bob.id, "name": "Ann 2" }));
    // Ann is still Ann, and nobody who is Bob next has said what this one said.
    assert_eq!(ann.state().await["visitor"]["name"], "Ann");
    assert_eq!(ann.history(&room).await.last().unwrap()["from"]["name"], "Ann 2");
    assert!(
        stage.happened().iter().any(|event| matches!(event, EventPayload::Dirty(dirty) if dirty.payload_id == bob.id))
    );
}

#[tokio::test]
async fn who_joins_is_a_new_friend_with_a_language() {
    let (stage, _running) = Stage::up().await;
    let mut tab = Browser::new(stage.puppet.clone());
    stage.mood(Mood::Refuse);
    assert_eq!(tab.post("join", &json!({ "name": "Li", "lang": "zh-CN" })).await.status, 503);
    stage.mood(Mood::Open);
    let joined = tab.post("join", &json!({ "name": "Li", "lang": "zh-CN" })).await.ok();
    assert_eq!(joined["visitor"]["name"], "Li", "who was refused has no name");
    tab.secret = joined["secret"].as_str().unwrap().to_owned();
    // A reload is no new friend.
    tab.state().await;
    let friends = || {
        let of = |event: &wechaty_puppet::Event| match &event.payload {
            Some(Payload::Friendship(friendship)) => Some((friendship.contact_id.to_string(), friendship.kind)),
            _ => None,
        };
        stage.sink.events.lock().iter().filter_map(of).collect::<Vec<_>>()
    };
    let id = joined["visitor"]["id"].as_str().unwrap().to_owned();
    assert_eq!(friends(), [(id.clone(), FriendshipType::Confirm)]);
    let language = async || stage.puppet.loader().unwrap().contact(&id.as_str().into()).await.unwrap().language.clone();
    assert_eq!(language().await.as_deref(), Some("zh-CN"));
    tab.post("language", &json!({ "lang": "en" })).await.ok();
    assert_eq!(language().await.as_deref(), Some("en"));
    assert!(matches!(stage.happened()[..], [EventPayload::Dirty(_)]));
    assert_eq!(tab.post("language", &json!({ "lang": "fr" })).await.code(), "W425");
}

#[tokio::test]
async fn errors_are_told_in_the_language_of_the_page() {
    let (stage, _running) = Stage::up().await;
    let mut tab = Browser::new(stage.puppet.clone());
    let mut join = tab.request("POST", "/chat/api/join", r#"{"lang":"zh"}"#);
    join.headers.push(("accept-language".into(), "en".into()));
    tab.secret = tab.ask(join).await.ok()["secret"].as_str().unwrap().to_owned();
    let wrong = async |tab: &Browser| {
        let mut request = tab.request("POST", "/chat/api/say", "{}");
        request.headers.push(("accept-language".into(), "en".into()));
        let error = tab.ask(request).await.json();
        error["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(wrong(&tab).await, "无法理解这个请求。");
    tab.post("language", &json!({ "lang": "en" })).await.ok();
    assert_eq!(wrong(&tab).await, "This request makes no sense.");
    // Of a browser's list the one that is wanted most.
    tab.secret.clear();
    let mut request = tab.request("GET", "/chat/nothing", "");
    request.headers.push(("accept-language".into(), "fr, zh;q=0.1, en;q=0.9".into()));
    assert_eq!(tab.ask(request).await.json()["error"]["message"], "There is nothing here.");
}
