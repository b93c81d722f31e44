//! Sends: to whom, what, and what became of them.

use serde_json::{Value, json};

use crate::support::Door;

#[tokio::test]
async fn a_receiver_is_known_by_id_and_by_name_and_several_are_listed() {
    let door = Door::open().await;
    let to = async |to: Value| door.ask("POST", "/sends?wait=sent", Some(json!({ "to": to, "text": "hi" }))).await;
    for good in [
        json!({ "contact": "c-alice" }),
        json!({ "contact": { "alias": "ally" } }),
        json!({ "contact": { "name": "Alice Liddell", "alias": "ally" } }),
        json!({ "room": "1001@chatroom" }),
        json!({ "room": { "topic": "Tea Party" } }),
    ] {
        let sent = to(good.clone()).await;
        assert_eq!((sent.status.as_u16(), sent.json()["state"].as_str()), (201, Some("sent")), "{good}: {sent:?}");
    }
    for (nobody, code) in [(json!({ "contact": { "name": "Nobody" } }), "W510"), (json!({ "room": "c-alice" }), "W510")]
    {
        assert_eq!(to(nobody.clone()).await.code(), code, "{nobody}");
    }
    let made = json!({ "contactIds": ["c-alice", "c-bob"], "topic": "Tea Party" });
    assert_eq!(door.ask("POST", "/rooms", Some(made)).await.status, 201);
    let several = to(json!({ "room": { "topic": "Tea Party" } })).await;
    assert_eq!((several.status.as_u16(), several.code().as_str()), (409, "W511"));
    let listed = several.json()["candidates"].as_array().cloned().unwrap_or_default();
    assert!(listed.len() == 2 && listed.iter().any(|one| one["id"] == "1001@chatroom"), "{listed:?}");
    door.end().await;
}

#[tokio::test]
async fn every_kind_can_be_said_and_its_state_asked_for() {
    let door = Door::open().await;
    let file = json!({ "base64": "aGk=", "name": "hi.txt" });
    let picture = json!({ "base64": "iVBORw0KGgo=", "name": "dot.png" });
    let mut first = Value::Null;
    for what in [
        json!({ "text": "hello", "mentions": ["c-bob"] }),
        json!({ "markdown": "**hello**" }),
        json!({ "file": file }),
        json!({ "attachment": picture }),
        json!({ "image": picture }),
        json!({ "audio": { "base64": "aGk=", "name": "a.mp3" } }),
        json!({ "video": { "base64": "aGk=", "name": "a.mp4" } }),
        json!({ "emoticon": picture }),
        json!({ "contact": { "alias": "ally" } }),
        json!({ "url": { "url": "https://example.com", "title": "A page" } }),
        json!({ "location": { "latitude": 51.5, "longitude": -0.1, "name": "London" } }),
        json!({ "miniProgram": { "appid": "wx1", "title": "Shop" } }),
        json!({ "card": { "title": "Order", "fields": [{ "label": "No", "value": "7" }] } }),
        json!({ "menu": { "text": "Tea?", "items": [{ "id": "y", "text": "Yes" }] } }),
    ] {
        let mut body = json!({ "to": { "room": "1001@chatroom" } });
        body.as_object_mut().expect("an object").extend(what.as_object().cloned().expect("an object"));
        let sent = door.ask("POST", "/sends?wait=sent", Some(body)).await;
        assert_eq!((sent.status.as_u16(), sent.json()["state"].as_str()), (201, Some("sent")), "{what}: {sent:?}");
        if first.is_null() {
            first = sent.json()["messageId"].clone();
        }
        let place = sent.header("location").trim_start_matches("/api/v1").to_owned();
        assert_eq!(door.get(&place).await.json(), sent.json(), "{what}");
    }
    let forward = json!({ "to": { "contact": "c-bob" }, "forward": first });
    let forwarded = door.ask("POST", "/sends?wait=sent", Some(forward)).await;
    assert_eq!(forwarded.json()["state"], "sent", "{forwarded:?}");
    let found = door.get("/messages?text=HELLO").await.json();
    assert_eq!(
        found["items"].as_array().map(|items| items.iter().any(|one| one["id"] == first)),
        Some(true),
        "{found}"
    );
    let text = json!({ "text": "by the mapping" });
    let mapped = door.ask("POST", "/conversations/1001@chatroom/text?wait=sent", Some(text)).await;
    assert_eq!((mapped.status.as_u16(), mapped.json()["state"].as_str()), (201, Some("sent")), "{mapped:?}");
    for unknown in ["00000000000000000000000000000000", "nonsense", "+0000000000000000000000000000000"] {
        assert_eq!(door.get(&format!("/sends/{unknown}")).await.status, 404);
    }
    door.end().await;
}

#[tokio::test]
async fn each_of_a_batch_is_taken_or_refused_by_itself() {
    let door = Door::open().await;
    let to = |id: &str| json!({ "to": { "contact": id }, "text": "hi" });
    let batch = json!({ "sends": [to("c-alice"), to("nobody"), to("c-bob")] });
    let answer = door.ask("POST", "/sends:batch?wait=sent", Some(batch)).await;
    let results = answer.json()["results"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<_> = results.iter().map(|one| one["status"].as_u64().unwrap_or_default()).collect();
    assert_eq!(statuses, [201, 404, 201]);
    assert_eq!(
        (results[0]["send"]["state"].as_str(), results[1]["problem"]["code"].as_str()),
        (Some("sent"), Some("W510"))
    );
    let wrong = json!([to("c-alice"), { "to": { "rom": "x" }, "text": "hi" }, 7, null, { "to": 1.0 }, to("c-bob")]);
    let answer = door.ask("POST", "/sends:batch?wait=sent", Some(json!({ "sends": wrong }))).await;
    let results = answer.json()["results"].as_array().cloned().unwrap_or_default();
    let told: Vec<_> = results.iter().map(|one| (one["status"].as_u64(), one["problem"]["at"].as_str())).collect();
    let refused = |at| (Some(422), Some(at));
    let places = ["/sends/1/to", "/sends/2", "/sends/3", "/sends/4/to"].map(refused);
    assert_eq!((told[0], told[5]), ((Some(201), None), (Some(201), None)), "{answer:?}");
    assert_eq!(told[1..5], places, "{answer:?}");
    assert_eq!(door.ask("POST", "/sends:batch", Some(json!({ "sends": to("c-alice") }))).await.code(), "W514");
    let many = json!({ "sends": vec![to("c-alice"); 101] });
    assert_eq!(door.ask("POST", "/sends:batch", Some(many)).await.code(), "W514");
    door.end().await;
}
