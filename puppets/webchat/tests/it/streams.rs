//! Streams: nothing is missed or told twice, and who does not read costs nothing.

use std::time::Duration;

use wechaty_puppet_webchat::Options;

use crate::stage::{Stage, within};

#[tokio::test]
async fn a_stream_resumes_without_gaps_or_doubles() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut last = ann.state().await["last"].as_u64();
    let (mut heard, mut said) = (Vec::new(), 0);
    for lines in [1, 7, 0, 30, 2] {
        for _ in 0..lines {
            said += 1;
            stage.bot_says(&ann, &said.to_string()).await;
        }
        let mut events = ann.listens(last).await.unwrap();
        // Reads some of it, and loses the line.
        while heard.len() < said / 2 + lines / 3 {
            let told = events.next().await.unwrap();
            last = Some(told.id);
            assert_eq!(told.data["seq"], told.id);
            heard.push(told.data["text"].as_str().unwrap().to_owned());
        }
    }
    let mut events = ann.listens(last).await.unwrap();
    while heard.len() < said {
        heard.push(events.next().await.unwrap().data["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(heard, (1..=said).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_reader_does_not_hold_memory_and_is_told_what_it_missed() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut events = ann.listens(None).await.unwrap();
    let text = "x".repeat(4_000);
    for _ in 0..2_000 {
        stage.bot_says(&ann, &text).await;
    }
    let reset = events.next().await.unwrap();
    assert_eq!(reset.event, "reset");
    assert!(events.bytes < 1_000, "{} bytes were kept of 8 MB", events.bytes);
    assert_eq!(ann.state().await["last"], reset.id);
    stage.bot_says(&ann, "and now").await;
    assert_eq!(events.next().await.unwrap().data["text"], "and now");
    // The history is there, as much as is kept.
    assert_eq!(ann.history("bot").await.len(), 100);
}

#[tokio::test]
async fn a_page_that_knows_another_server_is_told_to_begin_anew() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    stage.bot_says(&ann, "hello").await;
    for after in [0, 1_000_000] {
        let told = ann.listens(Some(after)).await.unwrap().next().await.unwrap();
        assert_eq!(told.event, if after == 0 { "message" } else { "reset" });
    }
    assert_eq!(ann.listens(Some(u64::MAX)).await.unwrap().next().await.unwrap().event, "reset");
}

#[tokio::test]
async fn a_stream_says_every_fifteen_seconds_that_it_lives() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut events = ann.listens(None).await.unwrap();
    assert_eq!(events.part().await.unwrap(), ":\n\n");
    let beat = tokio::spawn(async move { events.part().await });
    stage.clock.advance(Duration::from_millis(14_900)).await;
    assert!(!beat.is_finished());
    stage.clock.advance(Duration::from_millis(200)).await;
    assert_eq!(within("a heartbeat", beat).await.unwrap().unwrap(), ":\n\n");
}

#[tokio::test]
async fn streams_end_with_the_run_and_go_on_in_the_next() {
    let (stage, running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut events = ann.listens(None).await.unwrap();
    stage.bot_says(&ann, "one").await;
    let last = events.next().await.unwrap().id;
    running.stop().await.unwrap();
    assert!(within("the end of the stream", events.next()).await.is_none());
    assert_eq!(ann.listens(Some(last)).await.err().unwrap().code(), "W440");
    let _running = stage.run().await;
    stage.bot_says(&ann, "two").await;
    let mut events = ann.listens(Some(last)).await.unwrap();
    assert_eq!(events.next().await.unwrap().data["text"], "two");
    assert_eq!(ann.texts("bot").await, ["one", "two"]);
}

#[tokio::test]
async fn tabs_left_behind_end_when_there_are_too_many() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let mut first = ann.listens(None).await.unwrap();
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(ann.listens(None).await.unwrap());
    }
    assert!(within("the end of the oldest stream", first.next()).await.is_none());
    stage.bot_says(&ann, "hello").await;
    for events in &mut others {
        assert_eq!(events.next().await.unwrap().data["text"], "hello");
    }
}

#[tokio::test]
async fn who_types_is_shown_to_the_others_and_not_later() {
    let (stage, _running) = Stage::up().await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &serde_json::json!({ "id": room })).await.ok();
    let last = bob.state().await["last"].as_u64();
    ann.post("typing", &serde_json::json!({ "conversation": room })).await.ok();
    let told = bob.listens(last).await.unwrap().until("typing").await;
    assert_eq!((&told.data["from"]["name"], &told.data["conversation"]), (&"Ann".into(), &room.as_str().into()));
    // Too soon again, and then too late to be shown.
    ann.post("typing", &serde_json::json!({ "conversation": room })).await.ok();
    stage.clock.advance(Duration::from_secs(7)).await;
    stage.bot_says(&bob, "hello").await;
    assert_eq!(bob.listens(last).await.unwrap().next().await.unwrap().event, "message");
}

#[tokio::test]
async fn who_is_away_for_a_day_is_forgotten_and_leaves_the_room() {
    let (stage, _running) = Stage::up_with(Options { visitors: 3, ..Options::default() }).await;
    let (ann, bob) = (stage.joins("Ann").await, stage.joins("Bob").await);
    let room = ann.makes_room("Tea").await;
    bob.post("rooms/enter", &serde_json::json!({ "id": room })).await.ok();
    let mut events = ann.listens(None).await.unwrap();
    let reading = tokio::spawn(async move {
        loop {
            let told = events.until("conversation").await;
            if told.data["members"].as_array().unwrap().len() == 2 {
                return;
            }
        }
    });
    for _ in 0..25 {
        stage.clock.advance(Duration::from_secs(3_600)).await;
    }
    within("Bob to be gone", reading).await.unwrap();
    assert_eq!(bob.get("/chat/api/state").await.code(), "W421");
    assert_eq!(ann.state().await["visitor"]["name"], "Ann");
    assert!(stage.happened().iter().any(|event| matches!(event, wechaty_puppet::EventPayload::RoomLeave(_))));
    assert_eq!(ann.history(&room).await.last().unwrap()["text"], "Bob left");
}
