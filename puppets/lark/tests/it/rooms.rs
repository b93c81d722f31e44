//! Rooms, as the bot administers them.

use std::time::Duration;

use serde_json::json;
use wechaty_lark_fake::{Fault, Say, State, Trouble};
use wechaty_puppet::{Clock, ConversationId, FileBox, Pins, PuppetError, Retry, RoomAdmin, VirtualClock};

use crate::{sink::Running, stage::Stage};

async fn running(stage: &Stage) -> Running {
    Running::ready(stage.make(), Clock::system()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_announcement_takes_the_place_of_the_first() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    for text in ["first\nline", "second", "", "长\n\n🍵 third"] {
        RoomAdmin::set_announce(&running.puppet, &stage.room, text).await.expect("announced");
        assert_eq!(RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read"), text);
    }
    // The last line of a document cannot be deleted; no other is left of what was.
    let blocks = stage.fake.with(|state| state.chats[stage.room.as_str()].announcement.blocks.len());
    assert_eq!(blocks, 3 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_of_the_new_form_that_is_too_fast_is_written_whole() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    stage.fake.with(|state| {
        state.chats.get_mut(stage.room.as_str()).expect("it exists").announcement.docx = true;
    });
    let long = |word: &str| (0..60).map(|line| format!("{word} {line}")).collect::<Vec<_>>().join("\n");
    for words in [long("old"), long("new")] {
        // The second of the two calls that insert, and the one that deletes.
        for (method, after) in [("POST", 1), ("DELETE", 0)] {
            let trouble = Trouble::Throttle { reset: 0, old: true };
            let path = "/open-apis/docx/v1/chats/".into();
            let fault = Fault { path, method: method.into(), after, times: 2, trouble };
            stage.fake.with(|state| state.faults.push(fault));
        }
        RoomAdmin::set_announce(&running.puppet, &stage.room, &words).await.expect("announced");
        assert_eq!(RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read"), words);
        stage.fake.with(|state| state.faults.clear());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_of_the_new_form_that_fails_in_the_middle_is_written_whole() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    stage.fake.with(|state| {
        state.chats.get_mut(stage.room.as_str()).expect("it exists").announcement.docx = true;
    });
    let long = |word: &str| (0..120).map(|line| format!("{word} {line}")).collect::<Vec<_>>().join("\n");
    RoomAdmin::set_announce(&running.puppet, &stage.room, &long("old")).await.expect("announced");
    // Of the three calls that insert the second, and the one that deletes; done or not.
    for (round, trouble) in [Trouble::Status { status: 502 }, Trouble::StatusAfter { status: 502 }, Trouble::ResetAfter]
        .into_iter()
        .enumerate()
    {
        for (method, after) in [("POST", 1), ("DELETE", 0)] {
            let path = "/open-apis/docx/v1/chats/".into();
            let fault = Fault { path, method: method.into(), after, times: 1, trouble: trouble.clone() };
            stage.fake.with(|state| state.faults.push(fault));
        }
        let words = long(&format!("new {round}"));
        RoomAdmin::set_announce(&running.puppet, &stage.room, &words).await.expect("announced");
        assert_eq!(RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read"), words, "{trouble:?}");
        assert!(stage.fake.with(|state| state.faults.is_empty()), "{trouble:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_was_cut_off_goes_on_when_it_is_told_again() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    stage.fake.with(|state| {
        state.chats.get_mut(stage.room.as_str()).expect("it exists").announcement.docx = true;
    });
    RoomAdmin::set_announce(&running.puppet, &stage.room, "old\nwords").await.expect("announced");
    let words = (0..60).map(|line| format!("new {line}")).collect::<Vec<_>>().join("\n");
    let trouble = Trouble::Refuse { code: 1_770_032, status: 403, msg: "forbidden".into() };
    let path = "/open-apis/docx/v1/chats/".into();
    let fault = Fault { path, method: "POST".into(), after: 1, times: 1, trouble };
    stage.fake.with(|state| state.faults.push(fault));
    RoomAdmin::set_announce(&running.puppet, &stage.room, &words).await.expect_err("refused");
    let blocks = |state: &mut State| state.chats[stage.room.as_str()].announcement.blocks.clone();
    let first = stage.fake.with(blocks);
    assert_eq!(first.len(), 50 + 2);
    RoomAdmin::set_announce(&running.puppet, &stage.room, &words).await.expect("announced");
    assert_eq!(RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read"), words);
    // What stood there is not written again.
    assert_eq!(stage.fake.with(blocks)[..50], first[..50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_the_platform_puts_off_for_an_hour_is_told_after_two_minutes() {
    const AN_HOUR: u64 = 3_600;
    let time = VirtualClock::new();
    let stage = Stage::with(false, time.clone().into()).await;
    let running = Running::ready(stage.make(), time.clone().into()).await;
    let trouble = Trouble::Throttle { reset: AN_HOUR, old: true };
    let fault = Fault { path: "/open-apis/docx/v1/chats/".into(), method: "POST".into(), after: 0, times: 2, trouble };
    stage.fake.with(|state| {
        state.chats.get_mut(stage.room.as_str()).expect("it exists").announcement.docx = true;
        state.faults.push(fault);
    });
    let (puppet, room, began) = (running.puppet.clone(), stage.room.clone(), time.now());
    let announcing = tokio::spawn(async move { RoomAdmin::set_announce(&puppet, &room, "new").await });
    while !announcing.is_finished() {
        time.advance(Duration::from_secs(1)).await;
        let waited = time.now() - began;
        assert!(waited < Duration::from_secs(AN_HOUR / 12), "whoever asked still waits after {waited:?}");
        // A call takes real time: there is as much of it as this one takes for each second.
        RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read");
    }
    let told = announcing.await.expect("no panic").expect_err("it is not written");
    assert_eq!(told.retry(), Retry::After(Duration::from_secs(AN_HOUR)), "{told}");
    assert!(stage.fake.with(|state| state.faults.is_empty()), "it is tried once more before it is given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_of_the_new_form_is_read_and_written() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let bob = stage.people[1].as_str();
    // As people write it: of several kinds, and one block below another.
    let run = |words: &str| json!({ "text_run": { "content": words } });
    stage.fake.with(|state| {
        let said = &mut state.chats.get_mut(stage.room.as_str()).expect("it exists").announcement;
        said.docx = true;
        said.blocks = vec![
            json!({ "block_id": "1", "block_type": 3, "heading1": { "elements": [run("Tea")] }, "children": ["3"] }),
            json!({ "block_id": "2", "block_type": 2, "text": { "elements": [run("at "), run("five")] } }),
            json!({ "block_id": "3", "parent_id": "1", "block_type": 12, "bullet": { "elements": [
                run("by "), { "mention_user": { "user_id": bob } }] } }),
            json!({ "block_id": "4", "block_type": 22, "divider": {} }),
        ];
    });
    let announced = async || RoomAdmin::announce(&running.puppet, &stage.room).await.expect("read");
    assert_eq!(announced().await, format!("Tea\nby @{bob}\nat five"));
    let long: Vec<String> = (0..60).map(|line| format!("line {line}")).collect();
    for words in [&*long.join("\n"), "one\n\nthree", ""] {
        RoomAdmin::set_announce(&running.puppet, &stage.room, words).await.expect("announced");
        assert_eq!(announced().await, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_given_to_a_room() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let file = FileBox::from_bytes(bytes.clone(), "a.png");
    RoomAdmin::set_avatar(&running.puppet, &stage.room, file).await.expect("set");
    let set = stage.fake.with(|state| state.media[&state.chats[stage.room.as_str()].avatar].clone());
    assert_eq!((&*set.kind, set.bytes), ("avatar", bytes));
    let text = FileBox::from_bytes(&b"text"[..], "a.txt");
    let refused = RoomAdmin::set_avatar(&running.puppet, &stage.room, text).await.expect_err("no picture");
    assert!(matches!(refused, PuppetError::Rejected { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_of_a_chat_with_somebody_are_known_once_they_have_said_something() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let alice = stage.people[0].clone();
    let chat = ConversationId::Contact(alice.clone());
    // There is no call for an app that tells its chat with somebody.
    let unknown = Pins::pinned(&running.puppet, &chat).await.expect_err("nobody knows");
    assert!(matches!(unknown, PuppetError::NotFound { what: "conversation", .. }), "{unknown}");
    let say = Say { from: alice.to_string(), text: "hi".into(), ..Say::default() };
    let id = stage.fake.with(|state| state.say(say)).expect("she exists");
    running.message(&id).await;
    Pins::pin(&running.puppet, &chat, &id.as_str().into(), true).await.expect("pinned");
    assert_eq!(Pins::pinned(&running.puppet, &chat).await.expect("known"), [id.as_str().into()]);
}
