//! What is said once is one message, and what was refused was not said.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use wechaty_puppet::{
    AcceptError, ConversationId, DongEvent, EventPayload, Menu, PuppetError, SayablePayload, VirtualClock,
};
use wechaty_puppet_testkit::MemorySession;

use crate::{
    browser::Browser,
    stage::{Mood, Stage, within},
};

#[tokio::test]
async fn the_same_nonce_is_one_message() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let first = ann.says_with("bot", "ding", "n").await.ok();
    let again = ann.says_with("bot", "ding", "n").await.ok();
    assert_eq!(first, again);
    let (one, two) = tokio::join!(ann.says_with("bot", "dong", "m"), ann.says_with("bot", "dong", "m"));
    assert_eq!(one.ok()["id"], two.ok()["id"]);
    assert_eq!(stage.heard(), ["ding", "dong"]);
    assert_eq!(ann.texts("bot").await, ["ding", "dong"]);
    // Somebody else's nonce is another one.
    let bob = stage.joins("Bob").await;
    assert_ne!(bob.says_with("bot", "ding", "n").await.ok()["id"], first["id"]);
}

#[tokio::test]
async fn what_the_bot_did_not_accept_was_not_said() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.mood(Mood::Refuse);
    let refused = ann.says_with("bot", "ding", "n").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "W440"));
    assert!(refused.header("retry-after").is_some());
    assert!(ann.texts("bot").await.is_empty());
    let mut events = ann.listens(None).await.unwrap();
    stage.mood(Mood::Open);
    let taken = ann.says_with("bot", "ding", "n").await.ok();
    assert_eq!(events.next().await.unwrap().data["id"], taken["id"]);
    assert_eq!(stage.heard(), ["ding"]);
}

#[tokio::test]
async fn a_refused_message_keeps_its_id_in_case_it_was_stored() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.mood(Mood::Hold);
    let saying = tokio::spawn({
        let ann = ann.clone();
        async move { ann.says_with("bot", "ding", "n").await.status }
    });
    stage.turned_away(1).await;
    stage.mood(Mood::Refuse);
    assert_eq!(saying.await.unwrap(), 503);
    stage.mood(Mood::Open);
    ann.says_with("bot", "ding", "n").await.ok();
    let ids: Vec<_> = stage.messages().iter().map(|message| message.id.clone()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn the_answer_stands_behind_its_question_however_fast_it_is() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut events = ann.listens(None).await.unwrap();
    stage.mood(Mood::Hold);
    let saying = tokio::spawn({
        let ann = ann.clone();
        async move { ann.says("bot", "ding").await }
    });
    stage.turned_away(1).await;
    let ding = stage.messages()[0].clone();
    let found = stage.puppet.loader().unwrap().message(&ding.id).await.unwrap();
    assert_eq!(found.text.as_deref(), Some("ding"));
    assert!(ann.texts("bot").await.is_empty());
    stage.bot_answers(&ding, "dong").await;
    stage.mood(Mood::Open);
    let said = saying.await.unwrap().ok();
    assert_eq!(ann.texts("bot").await, ["ding", "dong"]);
    assert_eq!(events.next().await.unwrap().data["id"], said["id"]);
    assert_eq!(events.next().await.unwrap().data["text"], "dong");
}

#[tokio::test]
async fn a_call_waits_for_the_bot_and_not_for_the_browser() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.mood(Mood::Hold);
    let saying = tokio::spawn({
        let ann = ann.clone();
        async move { ann.says_with("bot", "ding", "n").await }
    });
    stage.turned_away(1).await;
    assert!(!saying.is_finished());
    // The tab is closed, and opened again.
    saying.abort();
    let _ = saying.await;
    stage.mood(Mood::Open);
    within("the message", async {
        while ann.texts("bot").await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ann.says_with("bot", "ding", "n").await.ok();
    assert_eq!(ann.texts("bot").await, ["ding"]);
    assert_eq!(stage.heard(), ["ding"]);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    let id = ann.says(&room, "hello").await.ok()["id"].clone();
    let before = ann.history(&room).await;
    stage.mood(Mood::Refuse);
    for (tab, call, body) in [
        (&ann, "edit", json!({ "id": id, "text": "changed" })),
        (&ann, "recall", json!({ "id": id })),
        (&ann, "react", json!({ "id": id, "reaction": "👍", "added": true })),
        (&ann, "rooms/topic", json!({ "id": room, "topic": "Coffee" })),
        (&ann, "rooms/leave", json!({ "id": room })),
        (&ann, "rooms", json!({ "topic": "Cake" })),
        (&bob, "rooms/enter", json!({ "id": room })),
        (&ann, "name", json!({ "name": "Anna" })),
        (&ann, "language", json!({ "lang": "zh-CN" })),
    ] {
        assert_eq!(tab.post(call, &body).await.status, 503, "{call}");
    }
    stage.mood(Mood::Open);
    assert_eq!(ann.history(&room).await, before);
    let state = ann.state().await;
    assert_eq!(state["rooms"], json!([{ "id": room, "topic": "Tea", "members": 2 }]));
    assert_eq!(state["conversations"][1]["title"], "Tea");
    assert_eq!(state["visitor"]["name"], "Ann");
    // Told again, they are done, and the bot hears of it; the name that was not taken is free.
    let dirty = || stage.happened().iter().filter(|event| matches!(event, EventPayload::Dirty(_))).count();
    ann.post("language", &json!({ "lang": "zh-CN" })).await.ok();
    assert_eq!(dirty(), 1);
    let contact = stage.puppet.loader().unwrap().contact(&ann.id.as_str().into()).await.unwrap();
    assert_eq!((contact.name.as_str(), contact.language.as_deref()), ("Ann", Some("zh-CN")));
    assert_eq!(stage.joins("Anna").await.name, "Anna");
    ann.post("name", &json!({ "name": "Anne" })).await.ok();
    assert_eq!((dirty(), stage.joins("Ann").await.name.as_str()), (3, "Ann"));
}

#[tokio::test]
async fn a_name_is_kept_for_who_may_get_it_back() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.mood(Mood::Hold);
    let renaming = tokio::spawn({
        let ann = ann.clone();
        async move { ann.post("name", &json!({ "name": "Anna" })).await.status }
    });
    stage.turned_away(1).await;
    let joining = tokio::spawn({
        let tab = Browser::new(stage.puppet.clone());
        async move { tab.post("join", &json!({ "name": "Ann" })).await.status }
    });
    stage.turned_away(2).await;
    stage.mood(Mood::Refuse);
    assert_eq!((renaming.await.unwrap(), joining.await.unwrap()), (503, 503));
    assert_eq!(ann.state().await["visitor"]["name"], "Ann");
}

#[tokio::test]
async fn a_bot_that_stops_ends_the_run_and_the_next_takes_what_is_said_again() {
    let (stage, running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.mood(Mood::Stopping);
    assert_eq!(ann.says_with("bot", "ding", "n").await.status, 503);
    let error = running.end().await.unwrap_err();
    assert!(matches!(error, PuppetError::Accept(AcceptError::Stopping)), "{error}");
    assert_eq!(ann.says_with("bot", "ding", "n").await.status, 503);
    assert_eq!(ann.get("/").await.status, 200);
    stage.mood(Mood::Open);
    let _running = stage.run().await;
    ann.says_with("bot", "ding", "n").await.ok();
    assert_eq!(stage.heard(), ["ding"]);
}

#[tokio::test]
async fn each_chooses_once_and_all_their_tabs_agree() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &json!({ "id": room })).await.ok();
    let menu = || Menu::new("Tea?").item("y", "Yes").item("n", "No");
    let to = wechaty_puppet::ConversationId::Room(room.as_str().into());
    let sent = stage.send(stage.out(to.clone(), SayablePayload::Menu(menu()))).await.id.unwrap();
    let (mut tab, mut other) = (ann.listens(None).await.unwrap(), ann.listens(None).await.unwrap());
    let chooses = async |who: &Browser, value: &str| who.post("action", &json!({ "id": sent, "value": value })).await;
    for _ in 0..2 {
        chooses(&ann, "y").await.ok();
    }
    let refused = chooses(&ann, "n").await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "W439"));
    assert_eq!(chooses(&ann, "no such").await.status, 400);
    for tab in [&mut tab, &mut other] {
        assert_eq!(tab.until("chosen").await.data, json!({ "conversation": room, "id": sent, "value": "y" }));
    }
    chooses(&bob, "n").await.ok();
    let chosen = async |who: &Browser| {
        let all = who.history(&room).await;
        all.iter().find(|message| message["id"] == sent.as_str()).unwrap()["chosen"].clone()
    };
    assert_eq!((chosen(&ann).await, chosen(&bob).await), (json!("y"), json!("n")));
    // Asked anew, everybody may choose again.
    let edits = stage.puppet.edits().unwrap();
    edits.edit(&to, &sent, Arc::new(SayablePayload::Menu(menu().item("m", "Maybe")))).await.unwrap();
    assert_eq!(chosen(&ann).await, json!(null));
    chooses(&ann, "m").await.ok();
    let actions = stage.happened().into_iter().filter_map(|event| match event {
        EventPayload::Action(action) => Some(action.value),
        _ => None,
    });
    assert_eq!(actions.collect::<Vec<_>>(), ["y", "n", "m"]);
}

#[tokio::test]
async fn a_press_that_was_refused_is_the_same_press_when_it_is_told_again() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let to = wechaty_puppet::ConversationId::Contact(ann.id.as_str().into());
    let sent = stage.send(stage.out(to, SayablePayload::Menu(Menu::new("Tea?").item("y", "Yes")))).await;
    let press = json!({ "id": sent.id, "value": "y", "nonce": "n" });
    stage.mood(Mood::Hold);
    let pressing = tokio::spawn({
        let (ann, press) = (ann.clone(), press.clone());
        async move { ann.post("action", &press).await.status }
    });
    stage.turned_away(1).await;
    stage.mood(Mood::Refuse);
    assert_eq!(pressing.await.unwrap(), 503);
    stage.mood(Mood::Open);
    ann.post("action", &press).await.ok();
    let ids = stage.happened().into_iter().filter_map(|event| match event {
        EventPayload::Action(action) => Some(action.id),
        _ => None,
    });
    let ids: Vec<String> = ids.collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn a_page_that_comes_back_after_a_crash_gets_what_was_under_way_once() {
    let (session, clock) = (Arc::new(MemorySession::default()), VirtualClock::new());
    let first = Stage::process(&session, &clock);
    let running = first.run().await;
    let (ann, bob) = (first.joins("Ann").await, first.joins("Bob").await);
    ann.says("bot", "ding").await;
    drop((running, first));
    clock.advance(Duration::from_secs(5)).await;
    // The bot goes on before any page is back, and says one twice, as its book was not settled.
    let second = Stage::process(&session, &clock);
    let running = second.run().await;
    let to = ConversationId::Contact(ann.id.as_str().into());
    let out = second.out(to.clone(), SayablePayload::text("dong"));
    let (one, two) = (second.send(out.clone()).await, second.send(out.clone()).await);
    assert_eq!(one.id, two.id);
    // Long after that the key counts for nothing, and the message is the same all the same.
    clock.advance(Duration::from_secs(1_200)).await;
    assert_eq!(second.send(out.clone()).await.id, one.id);
    let joins = async |before: &str| {
        let tab = Browser::new(second.puppet.clone());
        let body = json!({ "name": "Ann", "lang": "en", "before": before });
        tab.post("join", &body).await.ok()
    };
    // Who only knows the id is somebody else.
    let (id, _) = ann.secret.split_once('.').expect("an id");
    for forged in [format!("{id}.x"), format!("{id}."), id.to_owned(), bob.secret.replace(&*bob.id, id)] {
        assert_ne!(joins(&forged).await["visitor"]["id"], ann.id.as_str(), "{forged}");
    }
    let back = joins(&ann.secret).await;
    assert_eq!((&back["visitor"]["id"], &back["secret"]), (&json!(ann.id), &json!(ann.secret)));
    let page = Browser { puppet: second.puppet.clone(), ..ann.clone() };
    assert_eq!(page.texts("bot").await, ["dong"]);
    second.send(out).await;
    assert_eq!(page.texts("bot").await, ["dong"]);
    // Another tab of hers, a copy of the first, is she.
    let copy = joins(&ann.secret).await;
    assert_eq!((&copy["visitor"]["id"], &copy["secret"]), (&json!(ann.id), &json!(ann.secret)));
    // Whoever has not come back in a day does not.
    let to = ConversationId::Contact(bob.id.as_str().into());
    second.send(second.out(to.clone(), SayablePayload::text("late"))).await;
    for _ in 0..25 {
        clock.advance(Duration::from_secs(3_600)).await;
    }
    let late = second.puppet.send(second.out(to, SayablePayload::text("too late"))).await;
    assert!(matches!(late, Err(PuppetError::NotFound { .. })), "{late:?}");
    running.stop().await.expect("a stop");
}

async fn joins(stage: &Stage, ticket: &str) -> tokio::task::JoinHandle<crate::browser::Answer> {
    let tab = Browser::new(stage.puppet.clone());
    let body = json!({ "name": "Ann", "before": ticket });
    tokio::spawn(async move { tab.post("join", &body).await })
}

fn friends(stage: &Stage) -> Vec<String> {
    let of = |event: &wechaty_puppet::Event| match &event.what {
        EventPayload::Friendship(friendship) => Some(friendship.friendship_id.to_string()),
        _ => None,
    };
    stage.sink.events.lock().iter().filter_map(of).collect()
}

#[tokio::test]
async fn a_join_whose_answer_is_lost_is_the_same_contact_also_after_a_restart() {
    let (session, clock) = (Arc::new(MemorySession::default()), VirtualClock::new());
    let stage = Stage::process(&session, &clock);
    let running = stage.run().await;
    let ticket = Browser::new(stage.puppet.clone()).post("ticket", &json!({})).await.ok();
    let ticket = ticket["secret"].as_str().expect("a ticket").to_owned();
    let (id, _) = ticket.split_once('.').expect("an id");
    // The page tries again while the first is under way; that one fails, and the second is taken by itself.
    stage.mood(Mood::Hold);
    let first = joins(&stage, &ticket).await;
    stage.turned_away(1).await;
    let second = joins(&stage, &ticket).await;
    tokio::task::yield_now().await;
    stage.mood(Mood::Refuse);
    assert_eq!(first.await.unwrap().status, 503);
    assert_eq!(second.await.unwrap().status, 503);
    stage.sink.events.lock().clear();
    stage.mood(Mood::Hold);
    let (first, again) = (joins(&stage, &ticket).await, joins(&stage, &ticket).await);
    stage.turned_away(3).await;
    stage.mood(Mood::Open);
    for answer in [first, again, joins(&stage, &ticket).await] {
        let answer = answer.await.unwrap().ok();
        assert_eq!((&answer["visitor"], &answer["secret"]), (&json!({ "id": id, "name": "Ann" }), &json!(ticket)));
    }
    assert_eq!(friends(&stage), [format!("f{id}")], "the bot hears of it once");
    drop((running, stage));
    clock.advance(Duration::from_secs(5)).await;
    let stage = Stage::process(&session, &clock);
    let _running = stage.run().await;
    for tab in [joins(&stage, &ticket).await, joins(&stage, &ticket).await] {
        assert_eq!(tab.await.unwrap().ok()["visitor"]["id"], id);
    }
    // The friendship of before, which the bot knows.
    assert_eq!(friends(&stage), [format!("f{id}")]);
}

#[tokio::test]
async fn no_id_is_given_twice_though_the_clock_is_set_back() {
    let ids = async || {
        let stage = Stage::process(&Arc::default(), &VirtualClock::new());
        let _running = stage.run().await;
        let ann = stage.joins("Ann").await;
        let said = ann.says("bot", "ding").await.ok();
        [ann.id.clone(), said["id"].as_str().expect("an id").to_owned(), ann.makes_room("Tea").await]
    };
    let (one, two) = (ids().await, ids().await);
    assert!(one.iter().zip(&two).all(|(one, two)| one != two), "{one:?} {two:?}");
}

#[tokio::test]
async fn only_who_may_still_come_back_is_there_after_a_restart() {
    let (session, clock) = (Arc::new(MemorySession::default()), VirtualClock::new());
    let hours = async |hours| {
        for _ in 0..hours {
            clock.advance(Duration::from_secs(3_600)).await;
        }
    };
    let stage = Stage::process(&session, &clock);
    let running = stage.run().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    // She has her page open all the time.
    let open = ann.listens(None).await.expect("a stream");
    hours(30).await;
    let eve = stage.joins("Eve").await;
    drop((open, running, stage));
    let made_up = format!("v{}-7", wechaty_puppet::Clock::from(clock.clone()).wall().as_millis());
    clock.advance(Duration::from_secs(5)).await;
    for process in 0..2 {
        let stage = Stage::process(&session, &clock);
        let _running = stage.run().await;
        for (id, is_there) in [(&ann.id, true), (&bob.id, false), (&eve.id, true), (&made_up, false)] {
            let to = ConversationId::Contact(id.as_str().into());
            let sent = stage.puppet.send(stage.out(to, SayablePayload::text("hello"))).await;
            let is_missed = matches!(sent, Err(PuppetError::NotFound { .. }));
            assert_eq!((sent.is_ok(), is_missed), (is_there, !is_there), "{process} {id}");
        }
        // Nobody is back yet, and this process goes as well.
        hours(1).await;
    }
}

#[tokio::test]
async fn a_ding_that_a_stopping_bot_did_not_take_has_its_dong_in_the_next_run() {
    let (stage, running) = Stage::up().await;
    stage.mood(Mood::Stopping);
    stage.puppet.ding(Some("here?".to_owned())).await.unwrap();
    running.end().await.unwrap_err();
    stage.mood(Mood::Open);
    let running = stage.run().await;
    within("the dong", async {
        while stage.happened() != [EventPayload::Dong(DongEvent { data: Some("here?".to_owned()) })] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.stop().await.unwrap();
}
