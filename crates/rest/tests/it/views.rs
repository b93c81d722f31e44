//! Every answer is what the document says: each GET there is, on a world with something of everything, and little of much.

use std::{collections::BTreeSet, sync::Arc};

use axum::body::Body;
use serde_json::{Value, json};
use wechaty::store::{MemoryStore, Store};
use wechaty_puppet_mock::World;
use wechaty_rest::{RestOptions, Webhook, WebhookOptions, WebhookSecret, misfit, openapi};

use crate::{
    receiver::SECRET,
    support::{ALL, Door, open, request},
};

/// They do not end by themselves.
const STREAMS: [&str; 2] = ["eventStream", "eventSocket"];

/// The world that comes along, at once, with more that has nothing but an id.
fn world() -> String {
    let mut world: Value = serde_json::from_str(World::DEFAULT).expect("JSON");
    let more = json!({
        "contacts": { "id": "c-bare" },
        "rooms": { "id": "bare@room", "memberIdList": ["bot", "c-bare"] },
        "friendships": { "id": "f-bare", "type": 2, "contactId": "c-bare" },
        "roomInvitations": { "id": "i-bare", "inviterId": "c-bare", "receiverId": "bot" },
        "messages": { "id": "m-bare", "type": "Unknown", "talkerId": "c-bare", "listenerId": "bot" },
        "posts": { "id": "p-bare", "contactId": "c-bare" }
    });
    for (list, item) in more.as_object().expect("lists") {
        world[list].as_array_mut().expect("a list").push(item.clone());
    }
    let timeline = world["timeline"].as_array_mut().expect("a list");
    timeline.push(json!({ "event": "message", "payload": { "messageId": "m-bare" } }));
    timeline.push(json!({ "event": "friendship", "payload": { "friendshipId": "f-bare" } }));
    timeline.iter_mut().for_each(|entry| entry["at"] = 0.into());
    world.to_string()
}

/// Whoever a path may mean.
struct Known {
    world: Value,
    sends: Vec<String>,
    messages: Vec<String>,
    upload: String,
}

impl Known {
    fn ids(&self, list: &str) -> Vec<String> {
        let items = self.world[list].as_array().into_iter().flatten();
        items.filter_map(|item| Some(item["id"].as_str()?.to_owned())).collect()
    }

    /// What may stand in a place of a path.
    fn values(&self, path: &str, name: &str) -> Vec<String> {
        let mut values = match (path.split('/').nth(1).unwrap_or_default(), name) {
            (_, "contact_id" | "member_id") | ("contacts", _) => self.ids("contacts"),
            ("rooms", _) => self.ids("rooms"),
            ("friendship", "id") => self.ids("friendships"),
            ("room-invitations", _) => self.ids("roomInvitations"),
            ("posts", _) => self.ids("posts"),
            ("message", _) => [self.ids("messages"), self.messages.clone()].concat(),
            ("conversation", _) => [self.ids("contacts"), self.ids("rooms")].concat(),
            ("sends", _) => self.sends.clone(),
            ("download", _) => vec![self.upload.clone()],
            ("friendship", "weixin") => vec!["mei_tea".to_owned()],
            ("friendship", "phone") => vec!["13900000001".to_owned()],
            other => panic!("nobody knows what {other:?} is"),
        };
        values.push("nobody".to_owned());
        values
    }

    /// All addresses of a path.
    fn addresses(&self, path: &str) -> Vec<String> {
        let mut all = vec![String::new()];
        for part in path.split('/').skip(1) {
            let values = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => self.values(path, name),
                None => vec![part.to_owned()],
            };
            all = all.iter().flat_map(|front| values.iter().map(move |value| format!("{front}/{value}"))).collect();
        }
        let query = if path == "/events/poll" { "?wait=0&after=0000000000000000" } else { "" };
        all.into_iter().map(|address| address + query).collect()
    }
}

async fn said(door: &Door) -> Known {
    let file = json!({ "base64": "iVBORw0KGgo=", "name": "dot.png" });
    let tomorrow = door.bot.clock().wall().as_millis() + 86_400_000;
    let (mei, orders) = (json!({ "contact": "c-mei" }), json!({ "room": "orders@room" }));
    assert_eq!(door.ask("DELETE", "/rooms/orders@room", None).await.status, 204, "what is said there is a dead letter");
    let mut sends = Vec::new();
    for body in [
        json!({ "to": mei, "text": "tea?" }),
        json!({ "to": mei, "file": file }),
        json!({ "to": mei, "contact": "c-otto" }),
        json!({ "to": mei, "location": { "latitude": 1.5, "longitude": 2, "accuracy": 3, "name": "n", "address": "a" } }),
        json!({ "to": mei, "url": { "title": "t", "url": "https://example.com" } }),
        json!({ "to": mei, "text": "later", "at": tomorrow }),
        json!({ "to": { "contact": "c-bare" }, "text": "hi" }),
        json!({ "to": orders, "text": "lost" }),
        json!({ "to": orders, "image": file }),
    ] {
        let wait = if body.get("at").is_some() { "" } else { "?wait=sent&timeout=5" };
        let said = door.ask("POST", &format!("/sends{wait}"), Some(body)).await;
        assert_eq!(said.status, 201, "{said:?}");
        sends.push(said.json()["id"].as_str().expect("an id").to_owned());
    }
    let published = json!({ "parts": [{ "text": "a post" }] });
    assert_eq!(door.ask("POST", "/posts", Some(published)).await.status, 201);
    let mut upload = request(ALL, "POST", "/upload", &[], None);
    *upload.body_mut() = Body::from("bytes");
    let upload = door.send(upload).await.json()["id"].as_str().expect("an id").to_owned();
    while door.get("/messages?limit=200").await.json()["items"].as_array().map_or(0, Vec::len) < 18 {
        tokio::task::yield_now().await;
    }
    let messages = door.get("/messages?limit=200").await.json();
    let messages = messages["items"].as_array().into_iter().flatten();
    let messages = messages.filter_map(|one| Some(one["id"].as_str()?.to_owned())).collect();
    Known { world: serde_json::from_str(&world()).expect("JSON"), sends, messages, upload }
}

async fn every_answer_fits(store: Arc<dyn Store>) {
    let mut options = RestOptions::new(Vec::new(), "");
    let secret = WebhookSecret::new(SECRET).expect("a secret");
    let hook = |id: &str| Webhook::new(WebhookOptions::new(id, "https://example.com/", vec![secret.clone()]));
    options.webhooks = vec![hook("never-called").expect("a webhook"), hook("nor-this").expect("a webhook")];
    let door = Door::in_world(&world(), Some(store), &options).await;
    let known = said(&door).await;
    let (mut misfits, mut without) = (Vec::new(), gets(&openapi()));
    look(&door, &known, &mut misfits, &mut without).await;
    assert!(misfits.is_empty(), "{misfits:#?}");
    assert!(without.is_empty(), "no good answer of {without:?}");
    let letters = door.get("/dead-letters").await.json()["items"].as_array().cloned().unwrap_or_default();
    assert!(
        letters.iter().any(|letter| letter["text"].is_null()) && letters.iter().any(|letter| letter["text"] == "lost")
    );
    // No store has such numbers.
    assert_eq!(door.get("/sends/e0000000000018446744073709551615").await.status, 404);
    assert_eq!(door.ask("PUT", "/dead-letters/18446744073709551615/retry", None).await.status, 404);
    let behind = door.get("/dead-letters?cursor=MTE4NDQ2NzQ0MDczNzA5NTUxNjE1").await;
    assert_eq!((behind.status.as_u16(), behind.json()["items"].as_array().map(Vec::len)), (200, Some(0)));
    assert_eq!(door.ask("PUT", "/logout", None).await.status, 204);
    look(&door, &known, &mut misfits, &mut without).await;
    assert!(misfits.is_empty(), "nobody is logged in: {misfits:#?}");
    door.end().await;
}

/// Ids of all operations that are looked at.
fn gets(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths").values();
    let ids = paths.filter_map(|verbs| verbs["get"]["operationId"].as_str());
    ids.filter(|id| !STREAMS.contains(id)).map(str::to_owned).collect()
}

/// Asks for everything; notes what does not fit, and takes out of those without a good answer what has one.
async fn look(door: &Door, known: &Known, misfits: &mut Vec<String>, without: &mut BTreeSet<String>) {
    let document = openapi();
    for (path, verbs) in document["paths"].as_object().expect("paths") {
        let operation = &verbs["get"];
        let id = operation["operationId"].as_str().unwrap_or_default();
        if operation.is_null() || STREAMS.contains(&id) {
            continue;
        }
        for address in known.addresses(path) {
            let answer = door.get(&address).await;
            let kind = answer.header("content-type").to_owned();
            let media = &operation["responses"][answer.status.as_str()];
            let media = match media["$ref"].as_str() {
                Some(target) => document.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null),
                None => media,
            };
            let any = &media["content"]["*/*"];
            let schema = if any.is_null() { &media["content"][&kind]["schema"] } else { &any["schema"] };
            if schema.is_null() {
                misfits.push(format!("{address}: {} {kind} is not in the document", answer.status));
            } else if any.is_null()
                && let Some(why) = misfit(schema, &answer.json())
            {
                misfits.push(format!("{address}: {why}: {}", answer.json()));
            }
            if answer.status.is_success() {
                without.remove(id);
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_what_the_document_says_of_a_bot_in_memory() {
    every_answer_fits(Arc::new(MemoryStore::remembering(1_000))).await;
}

#[tokio::test]
async fn every_answer_is_what_the_document_says_of_a_named_bot() {
    let folder = tempfile::tempdir().expect("a folder");
    every_answer_fits(open(folder.path().join("bot.wechaty.db")).await).await;
}
