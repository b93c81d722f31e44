//! Broken worlds: every fault at once, each with its place, what was expected and the nearest known id.

use serde_json::{Value, json};
use wechaty_puppet_mock::{World, WorldError};

use crate::support::changed;

fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
    match World::from_json(&changed(change)) {
        Err(error @ WorldError::Invalid { .. }) => error.faults().iter().map(ToString::to_string).collect(),
        other => panic!("expected faults, found {other:?}"),
    }
}

#[test]
fn version() {
    assert_eq!(faults(|w| w["version"] = 2.into()), ["$.version: expected 1, the only version there is, found 2"]);
    assert_eq!(faults(|w| w["version"] = Value::Null), ["$.version: expected 1, found nothing"]);
}

#[test]
fn unknown_keys_with_the_nearest() {
    let found = faults(|w| {
        w["contcats"] = json!([]);
        w["features"]["echoself"] = true.into();
        w["messages"][6]["url"]["titel"] = "x".into();
        w["timeline"][3]["payload"]["contactID"] = "bot".into();
    });
    assert_eq!(
        found,
        [
            r#"$.contcats: expected a known key, found "contcats"; did you mean "contacts"?"#,
            r#"$.features.echoself: expected a known key, found "echoself"; did you mean "echoSelf"?"#,
            r#"$.messages[6].url.titel: expected a known key, found "titel"; did you mean "title"?"#,
            r#"$.timeline[3].payload.contactID: expected a known key, found "contactID"; did you mean "contactId"?"#,
        ]
    );
}

#[test]
fn dangling_ids_of_rooms() {
    let found = faults(|w| {
        w["rooms"][0]["ownerId"] = "c-mie".into();
        w["rooms"][0]["adminIdList"] = json!(["c-otto", "c-oto"]);
        w["rooms"][1]["memberIdList"][2] = "c-rose".into();
        w["rooms"][1]["roomAliases"] = json!({ "c-ott": "x" });
    });
    assert_eq!(
        found,
        [
            r#"$.rooms[0].ownerId: expected the id of a contact, found "c-mie"; did you mean "c-mei"?"#,
            r#"$.rooms[0].adminIdList[1]: expected the id of a contact, found "c-oto"; did you mean "c-otto"?"#,
            r#"$.rooms[1].memberIdList[2]: expected the id of a contact, found "c-rose"; did you mean "c-rosa"?"#,
            r#"$.rooms[1].roomAliases["c-ott"]: expected the id of a contact, found "c-ott"; did you mean "c-otto"?"#,
        ]
    );
}

#[test]
fn dangling_ids_of_tags_friendships_invitations_search_and_self() {
    let found = faults(|w| {
        w["self"] = "bto".into();
        w["search"]["phone"]["13900000001"] = "c-me".into();
        w["search"]["handle"]["mei_tea"] = "c-meii".into();
        w["tags"]["staff"] = json!(["c-otta"]);
        w["friendships"][0]["contactId"] = "c-fin".into();
        w["roomInvitations"][0]["inviterId"] = "Otto!?".into();
        w["roomInvitations"][0]["receiverId"] = 7.into();
        w["roomInvitations"][0]["memberIdList"] = json!(["c-mei", "nobody-like-that"]);
    });
    assert_eq!(
        found,
        [
            r#"$.self: expected the id of a contact, found "bto"; did you mean "bot"?"#,
            r#"$.search.phone["13900000001"]: expected the id of a contact, found "c-me"; did you mean "c-mei"?"#,
            r#"$.search.handle.mei_tea: expected the id of a contact, found "c-meii"; did you mean "c-mei"?"#,
            r#"$.tags.staff[0]: expected the id of a contact, found "c-otta"; did you mean "c-otto"?"#,
            r#"$.friendships[0].contactId: expected the id of a contact, found "c-fin"; did you mean "c-finn"?"#,
            r#"$.roomInvitations[0].memberIdList[1]: expected the id of a contact, found "nobody-like-that""#,
            r#"$.roomInvitations[0].inviterId: expected the id of a contact, found "Otto!?""#,
            r#"$.roomInvitations[0].receiverId: expected a text, found 7"#,
        ]
    );
}

#[test]
fn dangling_ids_of_messages() {
    let found = faults(|w| {
        w["messages"][0]["talkerId"] = "c-mej".into();
        w["messages"][0]["listenerId"] = "bott".into();
        w["messages"][1]["roomId"] = "tasting@rom".into();
        w["messages"][1]["mentionIdList"] = json!(["@all", "bo"]);
        w["messages"][5]["contactId"] = "c-harbor".into();
        w["messages"][6].as_object_mut().unwrap().remove("listenerId");
    });
    assert_eq!(
        found,
        [
            r#"$.messages[0].talkerId: expected the id of a contact, found "c-mej"; did you mean "c-mei"?"#,
            r#"$.messages[0].listenerId: expected the id of a contact, found "bott"; did you mean "bot"?"#,
            r#"$.messages[1].roomId: expected the id of a room, found "tasting@rom"; did you mean "tasting@room"?"#,
            r#"$.messages[1].mentionIdList[1]: expected the id of a contact, found "bo"; did you mean "bot"?"#,
            r#"$.messages[5].contactId: expected the id of a contact, found "c-harbor"; did you mean "c-harbour"?"#,
            r#"$.messages[6]: expected a listenerId or a roomId, found neither"#,
        ]
    );
}

#[test]
fn dangling_ids_of_the_timeline() {
    let found = faults(|w| {
        w["timeline"] = json!([
            { "at": 1, "event": "login", "payload": { "contactId": "boot" } },
            { "at": 2, "event": "message", "payload": { "messageId": "m-dong" } },
            { "at": 3, "event": "friendship", "payload": { "friendshipId": "f-fin" } },
            { "at": 4, "event": "room-invite", "payload": { "roomInvitationId": "i-action" } },
            { "at": 5, "event": "room-join", "payload": { "inviteeIdList": ["c-ros"], "inviterId": "", "roomId": "tastin@room" } },
            { "at": 6, "event": "dirty", "payload": { "payloadType": 3, "payloadId": "order@room" } },
            { "at": 7, "event": "action", "payload": { "id": "a", "actorId": "c-mei", "conversation": {}, "value": "x" } },
            { "at": 8, "event": "message", "payload": {} },
        ]);
    });
    assert_eq!(
        found,
        [
            r#"$.timeline[0].payload.contactId: expected the id of a contact, found "boot"; did you mean "bot"?"#,
            r#"$.timeline[1].payload.messageId: expected the id of a message, found "m-dong"; did you mean "m-ding"?"#,
            r#"$.timeline[2].payload.friendshipId: expected the id of a friendship, found "f-fin"; did you mean "f-finn"?"#,
            r#"$.timeline[3].payload.roomInvitationId: expected the id of a room invitation, found "i-action"; did you mean "i-auction"?"#,
            r#"$.timeline[4].payload.inviteeIdList[0]: expected the id of a contact, found "c-ros"; did you mean "c-rosa"?"#,
            r#"$.timeline[4].payload.roomId: expected the id of a room, found "tastin@room"; did you mean "tasting@room"?"#,
            r#"$.timeline[5].payload.payloadId: expected the id of a room, found "order@room"; did you mean "orders@room"?"#,
            r#"$.timeline[6].payload.conversation: expected {"contact": id} or {"room": id}, found both or neither"#,
            r#"$.timeline[7].payload.messageId: expected the id of a message, found nothing"#,
        ]
    );
}

#[test]
fn ids_of_the_wrong_form_and_twice() {
    let found = faults(|w| {
        w["contacts"][6]["id"] = "finn@home".into();
        w["contacts"][3]["id"] = "c-otto".into();
        w["contacts"][4]["id"] = "".into();
        w["rooms"][1]["id"] = "orders".into();
        w["timeline"] = json!([]);
        for key in ["messages", "posts", "friendships", "tags", "roomInvitations"] {
            w[key] = Value::Null;
        }
        w["rooms"][1]["memberIdList"] = json!([]);
    });
    assert_eq!(
        found,
        [
            r#"$.contacts[3].id: expected an id that no other of contacts has, found "c-otto""#,
            r#"$.contacts[6].id: expected a contact id, which contains no "@", found "finn@home""#,
            r#"$.rooms[1].id: expected a room id, which contains an "@", found "orders""#,
            r#"$.contacts[4].id: expected an id that is not empty, found """#,
        ]
    );
}

#[test]
fn unknown_types_and_events() {
    let found = faults(|w| {
        w["messages"][0]["type"] = "text".into();
        w["messages"][3]["type"] = 15.into();
        w["contacts"][1]["gender"] = 3.into();
        w["friendships"][0]["type"] = 9.into();
        w["timeline"][0]["event"] = "scann".into();
        w["timeline"][1]["event"] = Value::Null;
        w["timeline"][2]["payload"]["status"] = "confirmed".into();
    });
    assert_eq!(found.len(), 7, "{found:#?}");
    assert_eq!(found[0], "$.contacts[1].gender: expected 0, 1 (male) or 2 (female), found 3");
    assert_eq!(found[1], "$.friendships[0].type: expected 1 (confirm), 2 (receive) or 3 (verify), found 9");
    assert_eq!(found[2], r#"$.messages[0].type: expected the name of a type, found "text"; did you mean "Text"?"#);
    assert_eq!(found[3], "$.messages[3].type: expected the name of a type, found 15");
    assert_eq!(found[4], r#"$.timeline[0].event: expected the name of an event, found "scann"; did you mean "scan"?"#);
    assert_eq!(found[5], "$.timeline[1].event: expected the name of an event, found nothing");
    assert!(found[6].starts_with("$.timeline[2].payload: expected the payload of scan, found one of which is to say"));
}

#[test]
fn files() {
    let found = faults(|w| {
        w["messages"][2]["file"]["cycle"] = 5.into();
        w["messages"][3]["file"] = json!({ "name": "x" });
        w["messages"][4]["file"] = json!({ "name": "x", "base64": "not base64!" });
        w["messages"][5]["file"] = json!({ "text": "x" });
        w["messages"][6]["file"] = json!({ "name": "x", "cycle": -1 });
        w["messages"][8]["location"] = json!({ "latitude": "north" });
    });
    assert_eq!(found.len(), 6, "{found:#?}");
    assert_eq!(
        found[0],
        "$.messages[2].file: expected exactly one of text, base64 and cycle, found `text` and `cycle`"
    );
    assert_eq!(found[1], "$.messages[3].file: expected exactly one of text, base64 and cycle, found none of them");
    assert!(found[2].starts_with("$.messages[4].file.base64: expected base64 (Invalid"), "{}", found[2]);
    assert_eq!(found[3], "$.messages[5].file.name: expected the name of the file, found nothing");
    assert_eq!(found[4], "$.messages[6].file.cycle: expected a number of bytes, 0 or more, found -1");
    assert!(found[5].starts_with("$.messages[8].location: expected a complete location"), "{}", found[5]);
}

#[test]
fn times() {
    let found = faults(|w| {
        w["messages"][0]["timestamp"] = (-5).into();
        w["roomInvitations"][0]["timestamp"] = 1.5.into();
        w["timeline"][0]["at"] = (-1).into();
        w["timeline"][1]["at"] = "soon".into();
        w["timeline"][18]["payload"]["timestamp"] = (-2).into();
    });
    assert_eq!(
        found,
        [
            "$.roomInvitations[0].timestamp: expected whole milliseconds, 0 or more, found 1.5",
            "$.messages[0].timestamp: expected whole milliseconds, 0 or more, found -5",
            "$.timeline[0].at: expected whole milliseconds after the start, 0 or more, found -1",
            r#"$.timeline[1].at: expected whole milliseconds after the start, 0 or more, found "soon""#,
            "$.timeline[18].payload.timestamp: expected whole milliseconds, 0 or more, found -2",
        ]
    );
}

#[test]
fn things_of_the_wrong_kind() {
    let found = faults(|w| {
        w["contacts"][1] = "Mei".into();
        w["rooms"] = json!({});
        w["tags"] = json!([]);
        w["messages"] = Value::Null;
        w["posts"] = Value::Null;
        w["timeline"] = Value::Null;
        w["friendships"] = Value::Null;
        w["roomInvitations"] = Value::Null;
        w["search"] = Value::Null;
    });
    assert_eq!(
        found,
        [
            r#"$.contacts[1]: expected an object, found "Mei""#,
            "$.rooms: expected a list, found an object",
            "$.tags: expected an object, found a list",
        ]
    );
    assert_eq!(
        World::from_json("[]").unwrap_err().to_string(),
        "the world has 1 error\n  $: expected an object, found a list"
    );
}

#[test]
fn what_is_not_json() {
    let error = World::from_json("{\n  \"version\": 1,\n  \"name\" \"x\"\n}").unwrap_err();
    assert_eq!(error.to_string(), "the world is not JSON: line 3, column 10: expected `:`");
    let error = World::from_json("").unwrap_err();
    assert_eq!(error.to_string(), "the world is not JSON: line 1, column 0: EOF while parsing a value");
    let bom = format!("\u{feff}{}", World::DEFAULT.replace('\n', "\r\n"));
    assert_eq!(World::from_json(&bom).unwrap().name(), "tea house");
}

#[test]
fn what_is_not_a_file() {
    let dir = std::env::temp_dir().join(format!("wechaty-mock-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let told = |name: &str| World::load(dir.join(name)).unwrap_err().to_string();
    assert!(told("none.json").starts_with("there is no world file at "));
    assert!(told("").contains("cannot be read"));
    std::fs::write(dir.join("latin1.json"), b"{\"name\": \"caf\xe9\"}").unwrap();
    assert_eq!(told("latin1.json"), "the world is not UTF-8: byte 13 is not part of a character");
    let huge = std::fs::File::create(dir.join("huge.json")).unwrap();
    huge.set_len(World::MAX_BYTES + 1).unwrap();
    assert!(told("huge.json").starts_with("the world has 67108865 bytes or more, at most 67108864 are read"));
    std::fs::write(dir.join("good.json"), World::DEFAULT).unwrap();
    assert_eq!(World::load(dir.join("good.json")).unwrap().self_id().as_str(), "bot");
    std::fs::remove_dir_all(&dir).unwrap();
}
