//! The timeline: order, times, payloads, dirty events, cancel and again.

use serde_json::{Value, json};
use wechaty_puppet::{EventPayload, Payload, Puppet};
use wechaty_puppet_mock::{MockPuppet, World};

use crate::support::{Session, Stage, changed, dirty, to_json};

/// Of the default world's file, with the dirty events where rooms change.
fn expected() -> Vec<(u64, Value)> {
    let world: Value = serde_json::from_str(World::DEFAULT).unwrap();
    let mut expected = Vec::new();
    for entry in world["timeline"].as_array().unwrap() {
        let at = entry["at"].as_u64().unwrap();
        if ["room-join", "room-leave", "room-topic"].contains(&entry["event"].as_str().unwrap()) {
            expected.push((at, dirty(3, "tasting@room")));
            expected.push((at, dirty(4, "tasting@room")));
        }
        expected.push((at, json!({ "event": entry["event"], "payload": entry["payload"] })));
    }
    expected
}

#[tokio::test]
async fn the_default_timeline_comes_in_order_and_on_time() {
    let puppet = MockPuppet::new(World::default_world());
    let stage = Stage::start(puppet.clone()).await;
    assert!(stage.take().is_empty() && !puppet.is_timeline_finished());
    let finished = tokio::spawn(puppet.timeline_finished());
    stage.finish().await;
    finished.await.unwrap();
    let events = stage.take();
    let came: Vec<_> = events.iter().map(|(at, event)| (*at, to_json(&event.what))).collect();
    assert_eq!(came, expected());
    for (_, event) in &events {
        let attached = match &event.what {
            EventPayload::Login(_) => matches!(event.payload, Some(Payload::Contact(_))),
            EventPayload::Message(_) => matches!(event.payload, Some(Payload::Message(_))),
            EventPayload::Friendship(_) => matches!(event.payload, Some(Payload::Friendship(_))),
            EventPayload::RoomInvite(_) => matches!(event.payload, Some(Payload::RoomInvitation(_))),
            EventPayload::Post(_) => matches!(event.payload, Some(Payload::Post(_))),
            _ => event.payload.is_none(),
        };
        assert!(attached, "{event:?}");
    }
    assert_eq!(puppet.world().timeline_length().as_millis(), 2600);
    stage.advance(60_000).await;
    assert!(stage.take().is_empty(), "after its timeline the world is quiet");
    stage.stop().await.unwrap();
}

#[tokio::test]
async fn the_world_changes_before_the_event_goes_out() {
    let puppet = MockPuppet::new(World::default_world());
    let stage = Stage::start(puppet.clone()).await;
    let tasting = || async { puppet.loader().unwrap().room(&"tasting@room".into()).await.unwrap() };
    stage.advance(2200).await;
    assert!(tasting().await.member_id_list.contains(&"c-rosa".into()));
    let rosa = puppet.loader().unwrap().room_member(&"tasting@room".into(), &"c-rosa".into()).await.unwrap();
    assert_eq!(rosa.inviter_id, Some("c-mei".into()));
    stage.advance(100).await;
    assert!(!tasting().await.member_id_list.contains(&"c-otto".into()));
    assert!(!tasting().await.admin_id_list.contains(&"c-otto".into()), "who left is no administrator");
    stage.advance(100).await;
    assert_eq!(tasting().await.topic, "Tasting II");
}

#[tokio::test]
async fn stopped_it_stops_and_started_again_it_begins_again() {
    let puppet = MockPuppet::new(World::default_world());
    let stage = Stage::start(puppet.clone()).await;
    stage.advance(2450).await;
    let (clock, sink) = (stage.clock.clone(), stage.sink.clone());
    stage.stop().await.unwrap();
    let before = sink.events.lock().len();
    clock.advance(std::time::Duration::from_secs(10)).await;
    assert_eq!(sink.events.lock().len(), before);
    assert_eq!(clock.sleepers(), 0);

    let stage = Stage::start(puppet.clone()).await;
    let room = puppet.loader().unwrap().room(&"tasting@room".into()).await.unwrap();
    assert_eq!((room.topic.as_str(), room.member_id_list.len()), ("Tasting", 3), "as in the file");
    stage.finish().await;
    assert_eq!(stage.take().len(), expected().len());
}

#[tokio::test]
async fn who_comes_back_to_a_world_after_a_crash_is_told_nothing_anew() {
    let session = Session::default();
    let mut told = Vec::new();
    for _life in 0..2 {
        let puppet = MockPuppet::new(World::default_world());
        for _run in 0..2 {
            let stage = Stage::start_with(puppet.clone(), 0, session.clone()).await;
            stage.finish().await;
            let events = stage.take();
            told.push(events.iter().map(|(_, event)| event.revision).max());
            stage.stop().await.unwrap();
        }
    }
    assert_eq!(told, [Some(0), Some(1), Some(0), Some(0)], "only a world that nobody knew begins anew");
}

#[tokio::test]
async fn events_may_carry_ids_only() {
    for puppet in [
        MockPuppet::builder(World::default_world()).ids_only(true).build(),
        MockPuppet::new(crate::support::world(json!({ "idsOnly": true }))),
    ] {
        let stage = Stage::start(puppet).await;
        stage.finish().await;
        assert!(stage.take().iter().all(|(_, event)| event.payload.is_none()));
    }
}

#[tokio::test]
async fn the_same_time_is_file_order_and_a_late_line_may_come_first() {
    let json = changed(|world| {
        world["timeline"] = json!([
            { "at": 20, "event": "heartbeat", "payload": { "data": "c" } },
            { "at": 10, "event": "heartbeat", "payload": { "data": "a" } },
            { "at": 10, "event": "heartbeat", "payload": { "data": "b" } },
            { "at": 0, "event": "ready" },
        ]);
    });
    let stage = Stage::start(MockPuppet::new(World::from_json(&json).unwrap())).await;
    stage.finish().await;
    let came: Vec<_> =
        stage.take().iter().map(|(at, event)| (*at, to_json(&event.what)["payload"]["data"].clone())).collect();
    assert_eq!(came, [(0, Value::Null), (10, "a".into()), (10, "b".into()), (20, "c".into())]);
}

#[tokio::test]
async fn extension_events_come_as_they_are_written() {
    let timeline = json!([
        { "at": 1, "event": "room-announce", "payload": { "changerId": "c-mei", "newAnnounce": "five", "oldAnnounce": "four", "roomId": "tasting@room", "timestamp": 1600000000001i64 } },
        { "at": 2, "event": "action", "payload": { "id": "a1", "actorId": "c-mei", "conversation": { "contact": "c-mei" }, "messageId": "m-ding", "value": "yes", "timestamp": 1600000000002i64 } },
        { "at": 3, "event": "message-edit", "payload": { "messageId": "m-ding", "conversation": { "contact": "c-mei" }, "editorId": "c-mei", "newText": "dingdong", "timestamp": 1600000000003i64 } },
        { "at": 4, "event": "reaction", "payload": { "messageId": "m-room", "conversation": { "room": "tasting@room" }, "actorId": "c-otto", "reaction": "👍", "added": true, "timestamp": 1600000000004i64 } },
        { "at": 5, "event": "message-recall", "payload": { "messageId": "m-room", "conversation": { "room": "tasting@room" }, "recallerId": "c-otto", "timestamp": 1600000000005i64 } },
        { "at": 6, "event": "logout", "payload": { "contactId": "bot", "data": "phone says so" } },
    ]);
    let json = changed(|world| world["timeline"] = timeline.clone());
    let puppet = MockPuppet::new(World::from_json(&json).unwrap());
    let stage = Stage::start(puppet.clone()).await;
    stage.finish().await;
    let came: Vec<_> =
        stage.take().iter().map(|(_, event)| to_json(&event.what)).filter(|e| e["event"] != "dirty").collect();
    for (came, wanted) in came.iter().zip(timeline.as_array().unwrap()) {
        assert_eq!((&came["event"], &came["payload"]), (&wanted["event"], &wanted["payload"]));
    }
    assert_eq!(came.len(), 6);
    assert_eq!(puppet.rooms().unwrap().announce(&"tasting@room".into()).await.unwrap(), "five");
    let edited = puppet.loader().unwrap().message(&"m-ding".into()).await.unwrap();
    assert_eq!(edited.text.as_deref(), Some("dingdong"));
    assert!(puppet.ding(None).await.is_err(), "nobody is logged in any more");
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_loses_nothing() {
    let stage = Stage::start_with(MockPuppet::new(World::default_world()), 2, Session::default()).await;
    stage.finish().await;
    let events = stage.take();
    assert_eq!(events.len(), expected().len());
    assert_eq!(events[0].0, 2100, "100 ms, and two tries a second apart");
}

#[tokio::test]
async fn a_join_into_a_room_that_the_bot_dismissed_does_not_end_the_run() {
    let json = changed(|world| {
        world["features"]["rich"] = true.into();
        world["timeline"] = json!([
            { "at": 0, "event": "login", "payload": { "contactId": "bot" } },
            { "at": 10, "event": "room-join", "payload": { "inviteeIdList": ["c-rosa"], "inviterId": "c-mei", "roomId": "tasting@room", "timestamp": 1600000000001i64 } },
            { "at": 20, "event": "heartbeat", "payload": { "data": "still there" } },
        ]);
    });
    let puppet = MockPuppet::new(World::from_json(&json).unwrap());
    let stage = Stage::start(puppet.clone()).await;
    puppet.rooms().unwrap().dismiss(&"tasting@room".into()).await.unwrap();
    stage.finish().await;
    let came: Vec<_> = stage.take().iter().map(|(_, event)| to_json(&event.what)).collect();
    let of = |kind: &str| came.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let told = of("error")[0]["payload"]["data"].as_str().unwrap().to_owned();
    assert!(told.contains("room-join at 10 ms") && told.contains("tasting@room"), "{told}");
    assert_eq!((of("heartbeat").len(), of("room-join").len()), (1, 0), "{came:?}");
    stage.stop().await.unwrap();
}
