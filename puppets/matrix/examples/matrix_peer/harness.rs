//! The platform's side of the conformance suite: a bot and people with new accounts for each case.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use wechaty_puppet::{
    Capabilities, Capability, ContactCard, ConversationId, Declaration, FileBox, FilePayload, LocationPayload, Mention,
    Puppet, RoomId, SayablePayload, Settings, TextPayload, UrlLinkPayload, async_trait,
};
use wechaty_puppet_matrix::DECLARATION;
use wechaty_puppet_testkit::conformance::{
    Ability, Cannot, Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World,
};

use crate::{
    oracle::{Person, Server},
    proxy::{Proxy, Wrong},
};

pub(crate) struct MatrixHarness {
    pub(crate) bot: Person,
    pub(crate) people: Vec<Person>,
    /// Of each person, with the bot.
    pub(crate) directs: Vec<String>,
    pub(crate) stranger: Person,
    pub(crate) room: String,
    pub(crate) proxy: Proxy,
}

const CANNOT: &[Cannot] = &[
    Cannot::new("a homeserver tells each position once; what comes twice comes by the cursor", &[Ability::Duplicate]),
    Cannot::new("there are no friend requests", &[Ability::Friendship]),
];

/// A puppet of this account, through the proxy; with a folder for its keys, if rooms are to be encrypted.
pub(crate) fn puppet(bot: &Person, proxy: &Proxy, keys: Option<&str>) -> Arc<dyn Puppet> {
    let keyed = keys.map(|folder| Settings::new().set("e2ee", "true").set("store", folder)).unwrap_or_default();
    built(keyed.set("user", bot.name.clone()).set("password", bot.password.clone()), proxy)
}

/// A puppet of these settings, through the proxy.
pub(crate) fn built(settings: Settings, proxy: &Proxy) -> Arc<dyn Puppet> {
    let settings = settings.set("homeserver", proxy.url()).complete(DECLARATION.settings, |_| None);
    (DECLARATION.build)(&settings).expect("a puppet")
}

impl MatrixHarness {
    pub(crate) async fn new(server: Server) -> Self {
        let proxy = Proxy::open(server.clone()).await;
        let (bot, alice, bob, carol) =
            tokio::join!(server.person("bot"), server.person("alice"), server.person("bob"), server.person("carol"));
        let people = vec![alice, bob];
        let picture = bot.uploads("picture.png", "image/png", b"picture".to_vec()).await;
        let lobby = bot.create_room(json!({
            "preset": "public_chat",
            "name": "lobby",
            "invite": people.iter().map(|person| &person.id).collect::<Vec<_>>(),
            "power_level_content_override": { "state_default": 0, "events": {}, "invite": 0 },
            "initial_state": [{ "type": "m.room.avatar", "state_key": "", "content": { "url": picture } }],
        }));
        let (room, first, second) =
            tokio::join!(lobby, people[0].opens_direct(&bot.id), people[1].opens_direct(&bot.id));
        for person in &people {
            person.joins(&room).await;
            let path = format!("/profile/{}/avatar_url", crate::oracle::part(&person.id));
            person.call(reqwest::Method::PUT, &path, Some(json!({ "avatar_url": picture }))).await;
        }
        Self { bot, people, directs: vec![first, second], stranger: carol, room, proxy }
    }

    fn index(&self, id: &str) -> Result<usize, Unavailable> {
        let found = self.people.iter().position(|person| person.id == id);
        found.ok_or_else(|| Unavailable::new(format!("{id} is nobody of this world")))
    }

    pub(crate) fn person(&self, id: &str) -> Result<&Person, Unavailable> {
        Ok(&self.people[self.index(id)?])
    }

    /// The room of a conversation, and somebody who sees it.
    fn place(&self, conversation: &ConversationId) -> Result<(&Person, &str), Unavailable> {
        match conversation {
            ConversationId::Contact(id) => {
                let index = self.index(id.as_str())?;
                Ok((&self.people[index], &self.directs[index]))
            }
            ConversationId::Room(id) if id.as_str() == self.room => Ok((&self.people[1], &self.room)),
            ConversationId::Room(id) => Err(Unavailable::new(format!("{id} is no room of this world"))),
        }
    }

    /// The room in which a message is.
    async fn room_of(&self, event: &str) -> Result<&str, Unavailable> {
        for room in self.directs.iter().chain([&self.room]) {
            for person in &self.people {
                let path = format!("/rooms/{}/event/{}", crate::oracle::part(room), crate::oracle::part(event));
                if person.try_call(reqwest::Method::GET, &path, None).await.0 == 200 {
                    return Ok(room);
                }
            }
        }
        Err(Unavailable::new(format!("{event} is in no room of this world")))
    }
}

/// A payload as people say it.
async fn content(person: &Person, what: &SayablePayload) -> Result<(&'static str, Value), Unavailable> {
    let mut kind = "m.room.message";
    let mut content = match what {
        SayablePayload::Text(text) => json!({ "msgtype": "m.text", "body": text.text }),
        SayablePayload::Location(place) => json!({
            "msgtype": "m.location",
            "body": place.name,
            "geo_uri": format!("geo:{},{};u={}", place.latitude, place.longitude, place.accuracy),
            "org.matrix.msc3488.location": { "description": place.name },
        }),
        what => {
            let file =
                what.file_box().ok_or_else(|| Unavailable::new(format!("people here say no {}", what.kind())))?;
            let bytes = file.to_bytes().await.expect("bytes").to_vec();
            let size = bytes.len();
            let uri = person.uploads(file.name(), file.media_type(), bytes).await;
            let msgtype = match what {
                SayablePayload::Image(_) => "m.image",
                SayablePayload::Audio(_) => "m.audio",
                SayablePayload::Video(_) => "m.video",
                _ => "m.file",
            };
            if matches!(what, SayablePayload::Emoticon(_)) {
                kind = "m.sticker";
            }
            json!({ "msgtype": msgtype, "body": file.name(), "url": uri,
                "info": { "size": size, "mimetype": file.media_type() } })
        }
    };
    let people: Vec<&str> = what.mentions().iter().filter_map(|m| m.contact().map(|id| id.as_str())).collect();
    content["m.mentions"] = json!({ "user_ids": people, "room": what.mentions().contains(&Mention::All) });
    Ok((kind, content))
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What people see, in the contract's words.
async fn seen(person: &Person, event: &Value, content: &Value) -> SayablePayload {
    let body = content["body"].as_str().unwrap_or_default().to_owned();
    let msgtype = content["msgtype"].as_str().unwrap_or_default();
    if let Some(uri) = content["url"].as_str() {
        let name = content["filename"].as_str().unwrap_or(&body);
        let file = FilePayload { file: FileBox::from_bytes(person.downloads(uri).await, name) };
        return match (event["type"].as_str(), msgtype) {
            (Some("m.sticker"), _) => SayablePayload::Emoticon(file),
            (_, "m.image") => SayablePayload::Image(file),
            (_, "m.audio") => SayablePayload::Audio(file),
            (_, "m.video") => SayablePayload::Video(file),
            _ => SayablePayload::Attachment(file),
        };
    }
    if msgtype == "m.location" {
        let uri = content["geo_uri"].as_str().unwrap_or_default();
        let numbers = uri.trim_start_matches("geo:").split(';').next().unwrap_or_default();
        let (latitude, longitude) = numbers.split_once(',').expect("coordinates");
        return SayablePayload::Location(LocationPayload {
            latitude: latitude.parse().expect("a number"),
            longitude: longitude.parse().expect("a number"),
            name: content["org.matrix.msc3488.location"]["description"].as_str().unwrap_or_default().to_owned(),
            ..Default::default()
        });
    }
    let html = content["formatted_body"].as_str().unwrap_or_default();
    if let Some(id) = body.strip_prefix("https://matrix.to/#/").filter(|id| id.starts_with('@')) {
        return SayablePayload::Contact(ContactCard { contact_id: id.into() });
    }
    if let Some((url, rest)) = html.strip_prefix("<a href=\"").and_then(|rest| rest.split_once("\">"))
        && body.contains(&format!("\n{}", unescaped(url)))
    {
        let title = rest.split_once("</a>").map(|(title, _)| unescaped(title)).unwrap_or_default();
        return SayablePayload::Url(UrlLinkPayload { url: unescaped(url), title, ..Default::default() });
    }
    let text = TextPayload { text: body, mentions: mentions(content) };
    let is_markdown = !html.is_empty() && text.mentions.is_empty();
    if is_markdown { SayablePayload::Markdown(text) } else { SayablePayload::Text(text) }
}

fn mentions(content: &Value) -> Vec<Mention> {
    let told = &content["m.mentions"];
    let all = told["room"].as_bool().unwrap_or_default().then_some(Mention::All);
    let people = told["user_ids"].as_array().cloned().unwrap_or_default();
    all.into_iter().chain(people.iter().filter_map(Value::as_str).map(|id| Mention::Contact(id.into()))).collect()
}

/// What the bot said in a room, as it is now.
pub(crate) async fn said_by(person: &Person, room: &str, bot: &str) -> Vec<Received> {
    let events = person.events(room).await;
    let mut received = Vec::new();
    for event in events.iter().filter(|event| event["sender"] == bot) {
        let content = &event["content"];
        let is_message = matches!(event["type"].as_str(), Some("m.room.message" | "m.sticker"));
        let is_edit = content["m.relates_to"]["rel_type"] == "m.replace";
        if !is_message || is_edit || content.as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        let replaces = |edit: &&Value| {
            edit["content"]["m.relates_to"]["rel_type"] == "m.replace"
                && edit["content"]["m.relates_to"]["event_id"] == event["event_id"]
                && edit["sender"] == event["sender"]
        };
        let edited = events.iter().rev().find(replaces).map(|edit| &edit["content"]["m.new_content"]);
        let now = edited.unwrap_or(content);
        received.push(Received {
            id: event["event_id"].as_str().expect("an id").into(),
            payload: seen(person, event, now).await,
            quote: content["m.relates_to"]["m.in_reply_to"]["event_id"].as_str().map(Into::into),
            mentions: mentions(now),
            key: None,
        });
    }
    received
}

#[async_trait]
impl Harness for MatrixHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        puppet(&self.bot, &self.proxy, None)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = (DECLARATION.capabilities)();
        // Without keys there are none to compare.
        capabilities.set = capabilities.set.without(Capability::VerifyCode);
        capabilities
    }

    async fn world(&self) -> World {
        let ids = || self.people.iter().map(|person| person.id.as_str().into()).collect();
        World {
            room: Some(KnownRoom { id: RoomId::from(self.room.as_str()), members: ids() }),
            stranger: Some(self.stranger.id.as_str().into()),
            unknown: "@nobody-of-this-name:localhost".to_owned(),
            ..World::new(ids())
        }
    }

    fn silence(&self) -> Duration {
        Duration::from_millis(300)
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let to = said.room.map_or_else(|| said.from.clone().into(), ConversationId::Room);
        let (_, room) = self.place(&to)?;
        let person = self.person(said.from.as_str())?;
        let (kind, mut content) = content(person, &said.what).await?;
        if let Some(quoted) = said.quote {
            content["m.relates_to"] = json!({ "m.in_reply_to": { "event_id": quoted.as_str() } });
        }
        person.puts(room, kind, content).await;
        Ok(())
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        match self.place(conversation) {
            Ok((person, room)) => said_by(person, room, &self.bot.id).await,
            Err(_) => Vec::new(),
        }
    }

    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        match deed {
            Deed::InviteToRoom { by, topic } => {
                let request = json!({ "preset": "private_chat", "name": topic, "invite": [self.bot.id] });
                self.person(by.as_str())?.create_room(request).await;
            }
            Deed::JoinRoom { room } => self.stranger.joins(room.as_str()).await,
            Deed::LeaveRoom { room, who } => self.person(who.as_str())?.leaves(room.as_str()).await,
            Deed::ChangeTopic { room, by, topic } => {
                self.person(by.as_str())?.sets(room.as_str(), "m.room.name", json!({ "name": topic })).await;
            }
            Deed::Announce { room, by, text } => {
                self.person(by.as_str())?.sets(room.as_str(), "m.room.topic", json!({ "topic": text })).await;
            }
            Deed::Recall { by, message } => {
                let room = self.room_of(message.as_str()).await?;
                self.person(by.as_str())?.redacts(room, message.as_str()).await;
            }
            Deed::Edit { by, message, text } => {
                let room = self.room_of(message.as_str()).await?;
                let content = json!({
                    "msgtype": "m.text",
                    "body": format!("* {text}"),
                    "m.new_content": { "msgtype": "m.text", "body": text },
                    "m.relates_to": { "rel_type": "m.replace", "event_id": message.as_str() },
                });
                self.person(by.as_str())?.puts(room, "m.room.message", content).await;
            }
            Deed::React { by, message, reaction, add } => {
                let room = self.room_of(message.as_str()).await?;
                self.person(by.as_str())?.reacts(room, message.as_str(), &reaction, add).await;
            }
            Deed::Read { by, message } => {
                let room = self.room_of(message.as_str()).await?;
                self.person(by.as_str())?.reads(room, message.as_str()).await;
            }
            deed => return Err(Unavailable::new(format!("Matrix has no {deed:?}"))),
        }
        Ok(())
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        match look {
            Look::Typing(conversation) => {
                let (person, room) = self.place(&conversation)?;
                Ok(person.sees_typing(room).await.contains(&self.bot.id))
            }
            Look::Reaction(message, reaction) => {
                let room = self.room_of(message.as_str()).await?;
                for person in &self.people {
                    if let Some(all) = person.sees_reactions(room, message.as_str()).await {
                        return Ok(all.contains(&(self.bot.id.clone(), reaction)));
                    }
                }
                Ok(false)
            }
            Look::Pinned(conversation, message) => {
                let (person, room) = self.place(&conversation)?;
                let path = format!("/rooms/{}/state/m.room.pinned_events", crate::oracle::part(room));
                let (_, state) = person.try_call(reqwest::Method::GET, &path, None).await;
                Ok(state["pinned"].as_array().is_some_and(|all| all.iter().any(|id| id == message.as_str())))
            }
            look => Err(Unavailable::new(format!("Matrix shows no {look:?}"))),
        }
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        match fault {
            Fault::Disconnect => self.proxy.cut(),
            Fault::RateLimit(pause) => {
                let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": pause.as_millis() as u64 });
                self.proxy.goes_wrong(Wrong::Answer(429, body.to_string()));
            }
            Fault::LoseReply => self.proxy.goes_wrong(Wrong::LoseReply),
            Fault::Unreachable => self.proxy.unreachable_for(Duration::from_secs(2)).await,
            Fault::Reject => {
                let body = json!({ "errcode": "M_FORBIDDEN", "error": "You are not allowed to say that" });
                self.proxy.goes_wrong(Wrong::Answer(403, body.to_string()));
            }
            fault => return Err(Unavailable::new(format!("a homeserver has no {fault:?}"))),
        }
        Ok(())
    }

    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}
