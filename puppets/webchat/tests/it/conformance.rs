//! The conformance suite: three people and a stranger, each with a tab that says again what was not taken.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use wechaty_puppet::{
    Button, Capabilities, Card, CardField, Clock, ContactCard, ContactId, ConversationId, Declaration, FileBox,
    FilePayload, LocationPayload, Mention, Menu, MenuItem, MessageId, Puppet, SayablePayload, TextPayload, Timestamp,
    UrlLinkPayload, VirtualClock, WebhookRequest, async_trait,
};
use wechaty_puppet_testkit::{
    conformance::{Ability, Cannot, Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World},
    puppet_conformance,
};
use wechaty_puppet_webchat::{DECLARATION, Options};

use crate::{
    browser::{Answer, Browser, nonce},
    stage::Stage,
};

const CANNOT: &[Cannot] = &[
    Cannot::new(
        "a web chat has no friend requests, no invitations and no announcements",
        &[Ability::Friendship, Ability::RoomInvite, Ability::RoomAnnounce],
    ),
    Cannot::new(
        "the platform is this process: nothing stands between the puppet and its memory that could fail or refuse",
        &[Ability::Disconnect, Ability::RateLimit, Ability::LoseReply, Ability::Unreachable, Ability::Reject],
    ),
    Cannot::new("a tab says again what was not taken: there is no position to go on from", &[Ability::Cursor]),
];

/// The bot typing, as a page knows it: when it was told, unless the bot has said something since.
type TypingSeen = Arc<Mutex<HashMap<String, Timestamp>>>;

struct Person {
    tab: Browser,
    outbox: mpsc::UnboundedSender<WebhookRequest>,
    typing: TypingSeen,
}

struct WebHarness {
    stage: Stage,
    people: Vec<Person>,
    room: String,
    twice: AtomicBool,
    /// What a page goes on showing while nobody answers.
    shown: Mutex<HashMap<String, Vec<Value>>>,
}

impl WebHarness {
    /// People come while a first run is there; it has ended when the case begins.
    async fn new() -> Self {
        let (stage, running) = Stage::up_with(Options::default()).await;
        let mut people = Vec::new();
        for name in ["Mei", "Otto", "Rosa", "Finn"] {
            people.push(Person::new(stage.joins(name).await, &stage.clock).await);
        }
        let room = people[0].tab.makes_room("Tea").await;
        people[1].tab.post("rooms/enter", &json!({ "id": room })).await.ok();
        running.stop().await.expect("a run that people join in");
        Self { stage, people, room, twice: AtomicBool::new(false), shown: Mutex::default() }
    }

    fn person(&self, id: &ContactId) -> Result<&Person, Unavailable> {
        let found = self.people.iter().find(|person| person.tab.id == id.as_str());
        found.ok_or_else(|| Unavailable::new(format!("nobody is {id}")))
    }

    fn place(room: Option<&str>) -> String {
        room.unwrap_or("bot").to_owned()
    }

    /// Who looks at a conversation, and what it is called there.
    fn viewer(&self, conversation: &ConversationId) -> Option<(&Person, String)> {
        match conversation {
            ConversationId::Contact(id) => Some((self.person(id).ok()?, "bot".to_owned())),
            ConversationId::Room(id) => Some((&self.people[0], id.to_string())),
        }
    }

    /// The number of a message that was said one to one.
    async fn number(&self, who: &ContactId, message: &MessageId) -> Result<u64, Unavailable> {
        let all = self.history(self.person(who)?, "bot").await;
        let found = all.iter().find(|one| one["id"] == message.as_str()).and_then(|one| one["seq"].as_u64());
        found.ok_or_else(|| Unavailable::new(format!("nobody sees {message}")))
    }

    async fn history(&self, person: &Person, place: &str) -> Vec<Value> {
        let answer = person.tab.get(&format!("/chat/api/history?conversation={place}&limit=100")).await;
        let key = format!("{} {place}", person.tab.id);
        if answer.status == 200 {
            let messages = answer.json()["messages"].as_array().cloned().unwrap_or_default();
            self.shown.lock().insert(key.clone(), messages);
        }
        self.shown.lock().get(&key).cloned().unwrap_or_default()
    }
}

impl Person {
    /// With an outbox that tries until it is taken, and a stream that is opened again whenever it ends.
    async fn new(tab: Browser, clock: &VirtualClock) -> Self {
        let mut last = tab.state().await["last"].as_u64();
        let (outbox, mut waiting) = mpsc::unbounded_channel::<WebhookRequest>();
        let typing = TypingSeen::default();
        let sender = tab.clone();
        let time = Clock::from(clock.clone());
        tokio::spawn(async move {
            while let Some(request) = waiting.recv().await {
                loop {
                    let answer = sender.ask(request.clone()).await;
                    match answer.status {
                        200 => break,
                        429 => time.sleep(Duration::from_secs(1)).await,
                        503 => Clock::system().sleep(Duration::from_millis(2)).await,
                        other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
                    }
                }
            }
        });
        let (reader, seen, clock) = (tab.clone(), typing.clone(), clock.clone());
        tokio::spawn(async move {
            loop {
                // As pages do, it waits a little before it connects again.
                Clock::system().sleep(Duration::from_millis(2)).await;
                let Ok(mut events) = reader.listens(last).await else { continue };
                while let Some(told) = events.next().await {
                    assert!(last.is_none_or(|last| told.id > last), "an event came twice, or late");
                    last = Some(told.id);
                    let place = told.data["conversation"].as_str().unwrap_or_default().to_owned();
                    if told.data["from"]["id"] != "bot" {
                        continue;
                    }
                    match told.event.as_str() {
                        "typing" => drop(seen.lock().insert(place, clock.wall())),
                        "message" => drop(seen.lock().remove(&place)),
                        _ => {}
                    }
                }
            }
        });
        Self { tab, outbox, typing }
    }

    /// What one of them said, as the contract puts it.
    async fn received(&self, message: &Value) -> Received {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mentions: Vec<Mention> = message["mentions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|who| Mention::Contact(text(&who["id"]).into()))
            .collect();
        let words = || TextPayload { text: text(&message["text"]), mentions: mentions.clone() };
        let kind = text(&message["kind"]);
        let payload = match kind.as_str() {
            "text" => SayablePayload::Text(words()),
            "markdown" => SayablePayload::Markdown(words()),
            "image" | "audio" | "video" | "file" => {
                let answer = self.tab.get(message["file"]["url"].as_str().expect("an address")).await;
                assert_eq!(answer.status, 200);
                let file = FilePayload { file: FileBox::from_bytes(answer.body, text(&message["file"]["name"])) };
                match kind.as_str() {
                    "image" => SayablePayload::Image(file),
                    "audio" => SayablePayload::Audio(file),
                    "video" => SayablePayload::Video(file),
                    _ => SayablePayload::Attachment(file),
                }
            }
            "url" => SayablePayload::Url(UrlLinkPayload {
                url: text(&message["url"]["url"]),
                title: text(&message["url"]["title"]),
                description: Some(text(&message["url"]["description"])),
                thumbnail_url: None,
            }),
            "location" => SayablePayload::Location(LocationPayload {
                accuracy: 0.0,
                address: text(&message["location"]["address"]),
                latitude: message["location"]["latitude"].as_f64().expect("a number"),
                longitude: message["location"]["longitude"].as_f64().expect("a number"),
                name: text(&message["location"]["name"]),
            }),
            "contact" => SayablePayload::Contact(ContactCard { contact_id: text(&message["contact"]["id"]).into() }),
            "card" => {
                let card = &message["card"];
                let rows = |key: &str| card[key].as_array().cloned().unwrap_or_default();
                let field = |f: &Value| CardField { label: text(&f["name"]), value: text(&f["value"]) };
                let button = |b: &Value| Button {
                    id: text(&b["value"]),
                    text: text(&b["label"]),
                    url: b["url"].as_str().map(str::to_owned),
                };
                SayablePayload::Card(Box::new(Card {
                    title: text(&card["title"]),
                    text: text(&card["text"]),
                    image: None,
                    fields: rows("fields").iter().map(field).collect(),
                    buttons: rows("buttons").iter().map(button).collect(),
                }))
            }
            "menu" => {
                let item = |b: &Value| MenuItem { id: text(&b["value"]), text: text(&b["label"]) };
                let items = message["menu"]["items"].as_array().into_iter().flatten().map(item).collect();
                SayablePayload::Menu(Menu { text: text(&message["menu"]["title"]), items })
            }
            other => panic!("the page knows no {other}"),
        };
        let quote = message["quote"]["id"].as_str().map(Into::into);
        Received { id: text(&message["id"]).into(), payload, quote, mentions, key: None }
    }
}

fn done(answer: Answer) -> Result<(), Unavailable> {
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 { Ok(()) } else { Err(Unavailable::new(told)) }
}

#[async_trait]
impl Harness for WebHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        self.stage.puppet.clone()
    }

    fn capabilities(&self) -> Capabilities {
        (DECLARATION.capabilities)()
    }

    async fn world(&self) -> World {
        let id = |person: &Person| ContactId::new(person.tab.id.as_str());
        let people: Vec<ContactId> = self.people.iter().take(3).map(id).collect();
        World {
            room: Some(KnownRoom { id: self.room.as_str().into(), members: people[..2].to_vec() }),
            stranger: Some(id(&self.people[3])),
            ..World::new(people)
        }
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let person = self.person(&said.from)?;
        let place = Self::place(said.room.as_ref().map(|room| room.as_str()));
        let quote = said.quote.as_ref().map(|id| id.as_str());
        let request = match &said.what {
            SayablePayload::Text(text) => {
                let ids: Vec<&str> =
                    text.mentions.iter().filter_map(|mention| Some(mention.contact()?.as_str())).collect();
                let body = json!({ "conversation": place, "text": text.text, "quote": quote, "mentions": ids, "nonce": nonce() });
                person.tab.request("POST", "/chat/api/say", body.to_string())
            }
            other => {
                let file =
                    other.file_box().ok_or_else(|| Unavailable::new(format!("a page sends no {}", other.kind())))?;
                let bytes = file.to_bytes().await.map_err(|error| Unavailable::new(error.to_string()))?;
                let query = format!("conversation={place}&name={}&nonce={}", file.name(), nonce());
                let mut request = person.tab.request("POST", &format!("/chat/api/file?{query}"), bytes);
                request.headers.push(("content-type".to_owned(), file.media_type().to_owned()));
                request
            }
        };
        let times = if self.twice.swap(false, Ordering::Relaxed) { 2 } else { 1 };
        for _ in 0..times {
            person.outbox.send(request.clone()).map_err(|_| Unavailable::new("the tab is closed"))?;
        }
        Ok(())
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        let Some((person, place)) = self.viewer(conversation) else { return Vec::new() };
        let mut received = Vec::new();
        for message in self.history(person, &place).await {
            if message["from"]["bot"] == true && message["kind"] != "note" && message["recalled"] != true {
                received.push(person.received(&message).await);
            }
        }
        received
    }

    fn clock(&self) -> Clock {
        self.stage.clock.clone().into()
    }

    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        let (who, call, body) = match deed {
            Deed::JoinRoom { room } => (&self.people[3], "rooms/enter", json!({ "id": room })),
            Deed::LeaveRoom { room, who } => (self.person(&who)?, "rooms/leave", json!({ "id": room })),
            Deed::ChangeTopic { room, by, topic } => {
                (self.person(&by)?, "rooms/topic", json!({ "id": room, "topic": topic }))
            }
            Deed::Press { by, message, button } => {
                (self.person(&by)?, "action", json!({ "id": message, "value": button }))
            }
            Deed::Recall { by, message } => (self.person(&by)?, "recall", json!({ "id": message })),
            Deed::Edit { by, message, text } => (self.person(&by)?, "edit", json!({ "id": message, "text": text })),
            Deed::React { by, message, reaction, add } => {
                (self.person(&by)?, "react", json!({ "id": message, "reaction": reaction, "added": add }))
            }
            Deed::Receive { by, message } => {
                let (tab, seq) = (self.person(&by)?, self.number(&by, &message).await?);
                (tab, "status", json!({ "conversation": "bot", "delivered": seq, "read": 0 }))
            }
            Deed::Read { by, message } => {
                let (tab, seq) = (self.person(&by)?, self.number(&by, &message).await?);
                (tab, "status", json!({ "conversation": "bot", "delivered": seq, "read": seq }))
            }
            other => return Err(Unavailable::new(format!("a page has no {other:?}"))),
        };
        // A bot that has just logged in may not be ready for visitors; whoever pressed presses again.
        loop {
            let answer = who.tab.post(call, &body).await;
            if answer.status != 503 {
                return done(answer);
            }
            Clock::system().sleep(Duration::from_millis(2)).await;
        }
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        match look {
            Look::Typing(conversation) => {
                let (person, place) = self.viewer(&conversation).ok_or_else(|| Unavailable::new("nobody is there"))?;
                let now = self.stage.clock.wall();
                let told = person.typing.lock().get(&place).copied();
                Ok(told.is_some_and(|told| now.since(told) < Duration::from_secs(6)))
            }
            Look::Reaction(message, reaction) => {
                let (person, place) = (&self.people[0], "bot");
                let all = self.history(person, place).await;
                let reactions =
                    all.iter().filter(|m| m["id"] == message.as_str()).flat_map(|m| m["reactions"].as_array());
                let mut same = reactions.flatten().filter(|r| r["reaction"] == reaction.as_str());
                Ok(same.any(|r| r["names"].as_array().is_some_and(|names| names.contains(&json!("Wechaty")))))
            }
            other => Err(Unavailable::new(format!("a page shows no {other:?}"))),
        }
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        if fault != Fault::DuplicateEvent {
            return Err(Unavailable::new(format!("a web chat has no {fault:?}")));
        }
        self.twice.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn webhook(&self, from: &ContactId, text: &str) -> Result<WebhookRequest, Unavailable> {
        let body = json!({ "conversation": "bot", "text": text, "nonce": nonce() });
        Ok(self.person(from)?.tab.request("POST", "/chat/api/say", body.to_string()))
    }

    async fn forged_webhook(&self) -> Result<WebhookRequest, Unavailable> {
        let mut tab = self.people[0].tab.clone();
        tab.secret = format!("{}.{}", tab.id, "0".repeat(32));
        let body = json!({ "conversation": "bot", "text": "forged", "nonce": nonce() });
        Ok(tab.request("POST", "/chat/api/say", body.to_string()))
    }

    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}

puppet_conformance!(webchat, WebHarness::new().await);
