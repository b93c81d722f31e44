//! The stage: the server, people on it, and a puppet that talks to it; the platform's side of the conformance suite.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Bytes,
    extract::State as Held,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};
use serde_json::{Value, json};
use wechaty_lark_fake::{
    Chat, EventFault, EventTrouble, Fake, Fault as Wrong, Message, Person, Route, Say, Sender,
    Settings as FakeSettings, State, Trouble, Webhook as Hook, encrypt, sign,
};
use wechaty_puppet::{
    Capabilities, Card, Clock, ContactCard, ContactId, ConversationId, Declaration, FileBox, FilePayload, Mention,
    Menu, Puppet, RoomId, SayablePayload, Settings, TextPayload, UrlLinkPayload, WebhookBody, WebhookRequest,
};
use wechaty_puppet_lark::{DECLARATION, LarkPuppet, Options};
use wechaty_puppet_testkit::conformance::{
    Ability, Cannot, Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World,
};

pub(crate) const KEY: &str = "an encrypt key";
pub(crate) const TOKEN: &str = "a verification token";

/// The puppet to which requests go.
type Current = Arc<Mutex<Option<Arc<dyn Puppet>>>>;

/// The server, and who is on it.
pub(crate) struct Stage {
    pub(crate) fake: Arc<Fake>,
    pub(crate) people: Vec<ContactId>,
    pub(crate) room: RoomId,
    stranger: ContactId,
    webhook: bool,
    clock: Clock,
    /// To which requests go.
    current: Current,
}

impl Stage {
    pub(crate) async fn new(webhook: bool) -> Self {
        Self::with(webhook, Clock::system()).await
    }

    pub(crate) async fn with(webhook: bool, clock: Clock) -> Self {
        let current = Current::default();
        let app_name = "bot".to_owned();
        let mut settings = FakeSettings { limits: false, patient: true, app_name, ..FakeSettings::default() };
        // What went into a connection that had just ended is the first to come again.
        settings.retries_ms = vec![0, 20, 50, 100, 200, 400, 800, 1_600, 3_200];
        (settings.connection.nonce, settings.connection.reconnect) = (0, 1);
        if webhook {
            let url = format!("{}/webhooks/lark", post_office(current.clone()).await);
            settings.webhook = Hook { url, token: TOKEN.into(), encrypt_key: KEY.into() };
            settings.route = Route::Webhook;
        }
        let fake = Fake::builder().settings(settings).clock(clock.clone()).start().await.expect("a port");
        let person = |name: &str, number: u32| Person {
            name: name.into(),
            mobile: format!("+861380000000{number}"),
            email: format!("{}@example.com", name.to_lowercase()),
            avatar: format!("https://example.com/{number}.png"),
            departments: vec!["0".into()],
            ..Person::default()
        };
        let (people, stranger, room) = fake.with(|state| {
            let add = |state: &mut State, name, number| state.add_person(person(name, number)).open_id;
            let people: Vec<String> =
                ["Alice", "Bob", "Carol"].iter().zip(1..).map(|(name, number)| add(state, *name, number)).collect();
            let stranger = add(state, "Dave", 4);
            let chat = Chat { name: "Tea".into(), members: people[..2].to_vec(), bot_in: true, ..Chat::default() };
            let chat = Chat { avatar: "https://example.com/room.png".into(), ..chat };
            (people, stranger, state.add_chat(chat))
        });
        let people = people.into_iter().map(ContactId::from).collect();
        Self { fake: Arc::new(fake), people, room: room.into(), stranger: stranger.into(), webhook, clock, current }
    }

    pub(crate) fn settings(&self) -> Settings {
        let settings = self.fake.with(|state| state.settings.clone());
        let base = Settings::new()
            .set("app_id", settings.app_id)
            .set("app_secret", settings.app_secret)
            .set("api_base", self.fake.url())
            .set("accounts_base", self.fake.url());
        if !self.webhook {
            return base;
        }
        base.set("mode", "webhook").set("encrypt_key", KEY).set("verification_token", TOKEN)
    }

    pub(crate) fn make(&self) -> LarkPuppet {
        self.serve(LarkPuppet::new(Options::read(&self.settings()).expect("good settings")))
    }

    /// Requests go to this one from now on.
    pub(crate) fn serve(&self, puppet: LarkPuppet) -> LarkPuppet {
        *self.current.lock().expect("no panic") = Some(Arc::new(puppet.clone()));
        puppet
    }

    fn chat_of(&self, state: &mut State, conversation: &ConversationId) -> String {
        match conversation {
            ConversationId::Room(room) => room.to_string(),
            ConversationId::Contact(who) if state.people.contains_key(who.as_str()) => state.p2p(who.as_str()),
            ConversationId::Contact(_) => String::new(),
        }
    }

    fn act_now(&self, deed: Deed) -> Result<(), String> {
        self.fake.with(|state| match deed {
            Deed::JoinRoom { room } => {
                let by = self.people[0].as_str();
                state.add_members(room.as_str(), Some(by), &[self.stranger.to_string()]);
                Ok(())
            }
            Deed::LeaveRoom { room, who } => {
                state.remove_members(room.as_str(), Some(who.as_str()), &[who.to_string()]);
                Ok(())
            }
            Deed::ChangeTopic { room, by, topic } => {
                state.update_chat(room.as_str(), Some(by.as_str()), &json!({ "name": topic }));
                Ok(())
            }
            Deed::Press { by, message, button } => {
                state.click(by.as_str(), message.as_str(), &json!({ "id": button }), &Value::Null).map(drop)
            }
            Deed::Edit { by, message, text } => state.edit_by(by.as_str(), message.as_str(), &text),
            Deed::Recall { by, message } => state.recall_by(by.as_str(), message.as_str()),
            Deed::React { by, message, add: true, .. } => {
                state.react_by(by.as_str(), message.as_str(), "THUMBSUP").map(drop)
            }
            Deed::React { by, message, .. } => state.unreact_by(by.as_str(), message.as_str(), "THUMBSUP"),
            Deed::Read { by, message } => state.read_by(by.as_str(), &[message.to_string()]),
            other => Err(format!("nobody does {other:?} on Lark")),
        })
    }
}

/// Posts what comes to the puppet that is there, as the HTTP host does.
async fn post_office(current: Current) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().fallback(answer).with_state(current);
    tokio::spawn(async move { axum::serve::serve(listener, app).await });
    format!("http://{address}")
}

async fn answer(
    Held(current): Held<Current>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let puppet = current.lock().expect("no panic").clone();
    let Some(webhook) = puppet.as_ref().and_then(|puppet| puppet.webhook()) else {
        return (StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
    };
    let value = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let response = webhook
        .handle(WebhookRequest {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers: headers.iter().map(|(name, text)| (name.to_string(), value(text))).collect(),
            body,
            peer: None,
        })
        .await;
    let bytes = match response.body {
        WebhookBody::Bytes(bytes) => bytes,
        WebhookBody::Stream(_) => Bytes::new(),
    };
    (StatusCode::from_u16(response.status).expect("a status"), bytes)
}

/// A request as the platform posts it.
pub(crate) fn signed(body: &Value, key: &str, seconds: i64) -> WebhookRequest {
    let body = json!({ "encrypt": encrypt(key, [7; 16], body.to_string().as_bytes()) }).to_string();
    let signature = sign(&seconds.to_string(), "nonce", key, body.as_bytes());
    let header = |name: &str, value: String| (name.to_owned(), value);
    WebhookRequest {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![
            header("content-type", "application/json; charset=utf-8".into()),
            header("x-lark-request-timestamp", seconds.to_string()),
            header("x-lark-request-nonce", "nonce".into()),
            header("x-lark-signature", signature),
        ],
        body: body.into(),
        peer: None,
    }
}

/// A text one to one, as an event.
pub(crate) fn event(from: &str, chat: &str, id: &str, text: &str, token: &str) -> Value {
    json!({
        "schema": "2.0",
        "header": { "event_id": format!("ev-{id}"), "token": token, "create_time": "1700000000000",
            "event_type": "im.message.receive_v1", "tenant_key": "t", "app_id": "cli_0123456789abcdef" },
        "event": {
            "sender": { "sender_id": { "open_id": from }, "sender_type": "user", "tenant_key": "t" },
            "message": { "message_id": id, "create_time": "1700000000000", "chat_id": chat, "chat_type": "p2p",
                "message_type": "text", "content": json!({ "text": text }).to_string() } } })
}

/// The text of a message that the app sent, and whom it notifies.
fn untag(text: &str) -> (String, Vec<Mention>) {
    let (mut out, mut mentions, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, behind)) = rest.split_once("<at user_id=\"") {
        out.push_str(before);
        let (id, after) = behind.split_once("\"></at>").expect("a whole tag");
        out.push_str("@somebody");
        mentions.push(if id == "all" { Mention::All } else { Mention::Contact(id.into()) });
        rest = after;
    }
    out.push_str(rest);
    (out, mentions)
}

/// What the app sent, in the words of the contract.
fn payload(state: &State, message: &Message) -> (SayablePayload, Vec<Mention>) {
    let now = message.edits.last().map_or(&message.raw, |edit| &edit.raw);
    let content: Value = serde_json::from_str(now).expect("content in JSON");
    let text = |path: &str| content[path].as_str().unwrap_or_default();
    let file = |key: &str| {
        let media = &state.media[key];
        FilePayload { file: FileBox::from_bytes(media.bytes.clone(), &media.name) }
    };
    let said = |text: String, mentions| TextPayload { text, mentions };
    let what = match message.msg_type.as_str() {
        "text" => {
            let (text, mentions) = untag(text("text"));
            return (SayablePayload::Text(said(text, mentions.clone())), mentions);
        }
        "post" => return post(&content),
        "image" => SayablePayload::Image(file(text("image_key"))),
        "file" => {
            let file = file(text("file_key"));
            // What is no Opus, or no picture that Lark knows, goes as a file, which clients show.
            match file.file.media_type().split('/').next() {
                Some("audio") => SayablePayload::Audio(file),
                Some("image") => SayablePayload::Image(file),
                _ => SayablePayload::Attachment(file),
            }
        }
        "audio" => SayablePayload::Audio(file(text("file_key"))),
        "media" => SayablePayload::Video(file(text("file_key"))),
        "share_user" => SayablePayload::Contact(ContactCard { contact_id: text("user_id").into() }),
        "interactive" => card(state, &content),
        other => panic!("nobody sends {other}"),
    };
    (what, Vec::new())
}

fn post(content: &Value) -> (SayablePayload, Vec<Mention>) {
    let (mut lines, mut mentions) = (Vec::new(), Vec::new());
    for line in content["zh_cn"]["content"].as_array().expect("lines") {
        let mut words = String::new();
        for element in line.as_array().expect("elements") {
            let text = element["text"].as_str().unwrap_or_default();
            match element["tag"].as_str() {
                Some("text") => words.push_str(text),
                Some("md") => {
                    let (text, mentions) = untag(text);
                    return (SayablePayload::Markdown(TextPayload { text, mentions: mentions.clone() }), mentions);
                }
                Some("a") => {
                    let url = element["href"].as_str().unwrap_or_default().to_owned();
                    let link = UrlLinkPayload { url, title: text.to_owned(), ..UrlLinkPayload::default() };
                    return (SayablePayload::Url(link), Vec::new());
                }
                Some("at") => {
                    let id = element["user_id"].as_str().unwrap_or_default();
                    words.push_str("@somebody");
                    mentions.push(if id == "all" { Mention::All } else { Mention::Contact(id.into()) });
                }
                other => panic!("nobody puts {other:?} into a post"),
            }
        }
        lines.push(words);
    }
    let text = lines.join("\n");
    // Only a text with tags, which would be read in a text, goes as a post.
    if text.contains('<') {
        return (SayablePayload::Text(TextPayload { text, mentions: mentions.clone() }), mentions);
    }
    let sayable_list = vec![SayablePayload::text(text)];
    let post = wechaty_puppet::PostPayload {
        parent_id: None,
        root_id: None,
        kind: wechaty_puppet::PostType::Moment,
        content: wechaty_puppet::PostContent::Client { sayable_list },
    };
    (SayablePayload::Post(Box::new(post)), mentions)
}

fn card(state: &State, content: &Value) -> SayablePayload {
    if let Some(id) = content["data"]["card_id"].as_str() {
        let text = state.cards[id].card["body"]["elements"][0]["content"].as_str().unwrap_or_default();
        return SayablePayload::text(text);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut words = String::new();
    let mut buttons = Vec::new();
    for element in content["body"]["elements"].as_array().expect("elements") {
        match element["tag"].as_str() {
            Some("button") => {
                buttons.push((text(&element["behaviors"][0]["value"]["id"]), text(&element["text"]["content"])));
            }
            Some("div") => words = text(&element["text"]["content"]),
            Some("markdown") if words.is_empty() => words = text(&element["content"]),
            _ => {}
        }
    }
    if content["header"].is_null() {
        let menu = Menu::new(words);
        return SayablePayload::Menu(buttons.into_iter().fold(menu, |menu, (id, text)| menu.item(id, text)));
    }
    let card = Card::new(text(&content["header"]["title"]["content"])).text(words);
    SayablePayload::Card(Box::new(buttons.into_iter().fold(card, |card, (id, text)| card.button(id, text))))
}

/// What somebody says, as the platform has it.
async fn say(said: &Said) -> Say {
    let mut say = Say { from: said.from.to_string(), ..Say::default() };
    say.chat = said.room.as_ref().map(RoomId::to_string).unwrap_or_default();
    say.reply_to = said.quote.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut file = None;
    match &said.what {
        SayablePayload::Text(text) => {
            say.text = text.text.clone();
            for mention in &text.mentions {
                let id = mention.contact().map_or("all", ContactId::as_str);
                // The bot's name is no word of the text: it is put where the text has `@bot`.
                say.text = say.text.replacen("@bot", &format!("<at user_id=\"{id}\"></at>"), 1);
            }
        }
        SayablePayload::Image(image) => (say.msg_type, file) = ("image".into(), Some(&image.file)),
        SayablePayload::Attachment(one) => (say.msg_type, file) = ("file".into(), Some(&one.file)),
        SayablePayload::Contact(card) => {
            say.msg_type = "share_user".into();
            say.content = json!({ "user_id": card.contact_id.as_str() });
        }
        SayablePayload::Location(place) => {
            say.msg_type = "location".into();
            let number = |degrees: f64| degrees.to_string();
            say.content =
                json!({ "name": place.name, "longitude": number(place.longitude), "latitude": number(place.latitude) });
        }
        SayablePayload::Url(link) => {
            say.msg_type = "post".into();
            say.content = json!({ "title": "", "content": [[{ "tag": "a", "text": link.title, "href": link.url }]] });
        }
        other => panic!("nobody says {other:?}"),
    }
    if let Some(file) = file {
        say.bytes = file.to_base64().await.expect("bytes");
        say.name = file.name().to_owned();
    }
    say
}

const CANNOT: &[Cannot] = &[
    Cannot::new(
        "Lark has no friend requests: who is in the company's list may be talked to",
        &[Ability::Friendship, Ability::SeeFriendRequest],
    ),
    Cannot::new("a bot is put into a chat without being asked, which comes as a join", &[Ability::RoomInvite]),
    Cannot::new("Lark tells no event of announcements and deliveries", &[Ability::RoomAnnounce, Ability::Receive]),
    Cannot::new(
        "Lark has no posts outside of chats and nobody types",
        &[Ability::Publish, Ability::Tap, Ability::SeeTyping],
    ),
    Cannot::new("events have no position: what was not acknowledged comes again", &[Ability::Cursor]),
];

const NO_WEBHOOK: &[Cannot] = &[
    Cannot::new(
        "Lark has no friend requests: who is in the company's list may be talked to",
        &[Ability::Friendship, Ability::SeeFriendRequest],
    ),
    Cannot::new("a bot is put into a chat without being asked, which comes as a join", &[Ability::RoomInvite]),
    Cannot::new("Lark tells no event of announcements and deliveries", &[Ability::RoomAnnounce, Ability::Receive]),
    Cannot::new(
        "Lark has no posts outside of chats and nobody types",
        &[Ability::Publish, Ability::Tap, Ability::SeeTyping],
    ),
    Cannot::new("events have no position: what was not acknowledged comes again", &[Ability::Cursor]),
    Cannot::new("an app with a long connection gets nothing by HTTP", &[Ability::Webhook, Ability::ForgedWebhook]),
];

#[async_trait]
impl Harness for Stage {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        Arc::new(self.make())
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = (DECLARATION.capabilities)();
        if !self.webhook {
            capabilities.set = capabilities.set.without(wechaty_puppet::Capability::Webhook);
        }
        capabilities
    }

    async fn world(&self) -> World {
        World {
            people: self.people.clone(),
            room: Some(KnownRoom { id: self.room.clone(), members: self.people[..2].to_vec() }),
            stranger: Some(self.stranger.clone()),
            phone: Some(("+8613800000001".into(), self.people[0].clone())),
            handle: Some(("bob@example.com".into(), self.people[1].clone())),
            unknown: "no-such-id".into(),
        }
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let say = say(&said).await;
        self.fake.with(|state| state.say(say)).map(drop).map_err(Unavailable::new)
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        self.fake.with(|state| {
            let chat = self.chat_of(state, conversation);
            let own = |message: &&Message| {
                message.sender == Sender::App && message.chat_id == chat && message.recalled.is_none()
            };
            let mut own: Vec<_> = state.messages.values().filter(own).cloned().collect();
            own.sort_by(|a, b| (a.create_time, &a.message_id).cmp(&(b.create_time, &b.message_id)));
            own.iter()
                .map(|message| {
                    let (payload, mentions) = payload(state, message);
                    let quote = message.parent_id.clone().map(Into::into);
                    Received {
                        id: message.message_id.clone().into(),
                        payload,
                        quote,
                        mentions,
                        key: message.uuid.clone(),
                    }
                })
                .collect()
        })
    }

    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        self.act_now(deed).map_err(Unavailable::new)
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        self.fake.with(|state| {
            let message = |state: &State, id: &str| state.messages.get(id).cloned().unwrap_or_default();
            Ok(match look {
                Look::Reaction(id, _) => message(state, id.as_str())
                    .reactions
                    .iter()
                    .any(|reaction| reaction.by == Sender::App && reaction.emoji_type == "THUMBSUP"),
                Look::Pinned(_, id) => message(state, id.as_str()).pinned.is_some(),
                Look::Growing(id) => {
                    state.cards.values().any(|card| card.message_id.as_deref() == Some(id.as_str()) && card.streams())
                }
                other => return Err(Unavailable::new(format!("nobody sees {other:?} on Lark"))),
            })
        })
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        let trouble = match fault {
            Fault::Disconnect => {
                self.fake.drop_connections();
                return Ok(());
            }
            Fault::DuplicateEvent => {
                let event_type = "im.message.receive_v1".into();
                let fault = EventFault { event_type, times: 1, trouble: EventTrouble::Repeat };
                self.fake.with(|state| state.event_faults.push(fault));
                return Ok(());
            }
            Fault::Unreachable => {
                let (fake, url) = (self.fake.clone(), self.fake.url());
                tokio::spawn(
                    async move { fake.restart(Duration::from_secs(15)).await.expect("its port is free again") },
                );
                // Until nobody listens any more.
                let address = url.trim_start_matches("http://").to_owned();
                while tokio::net::TcpStream::connect(&address).await.is_ok() {
                    tokio::task::yield_now().await;
                }
                // And until that has come round to who has an idle connection.
                Clock::system().sleep(Duration::from_secs(1)).await;
                return Ok(());
            }
            Fault::RateLimit(pause) => Trouble::Throttle { reset: pause.as_secs(), old: false },
            Fault::LoseReply => Trouble::ResetAfter,
            Fault::Reject => Trouble::Refuse { code: 230_028, status: 400, msg: "DLP".into() },
            other => return Err(Unavailable::new(format!("there is no {other:?}"))),
        };
        let fault =
            Wrong { path: "/open-apis/im/v1/messages".into(), method: "POST".into(), times: 1, trouble, after: 0 };
        self.fake.with(|state| state.faults.push(fault));
        Ok(())
    }

    async fn webhook(&self, from: &ContactId, text: &str) -> Result<WebhookRequest, Unavailable> {
        let chat = self.fake.with(|state| state.p2p(from.as_str()));
        let id = format!(
            "om_{:x}",
            text.bytes().fold(7u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)))
        );
        let now = self.clock.wall().as_millis() / 1_000;
        Ok(signed(&event(from.as_str(), &chat, &id, text, TOKEN), KEY, now))
    }

    async fn forged_webhook(&self) -> Result<WebhookRequest, Unavailable> {
        let now = self.clock.wall().as_millis() / 1_000;
        let event = event(self.people[0].as_str(), "oc_1", "om_forged", "forged", TOKEN);
        Ok(signed(&event, "another key", now))
    }

    fn cannot(&self) -> &[Cannot] {
        if self.webhook { CANNOT } else { NO_WEBHOOK }
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}
