//! What the conformance suite does not ask: gaps, conversations that are opened, sessions that end, rooms elsewhere.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::json;
use wechaty_puppet::{
    AcceptError, Batch, CancellationToken, Clock, Cursor, Event, EventPayload, EventSink, IdempotencyKey,
    MessagePayload, Outgoing, Puppet, PuppetContext, PuppetError, Result as Called, SayablePayload, async_trait,
};
use wechaty_puppet_testkit::MemorySession;

use crate::{
    harness::{puppet, said_by},
    oracle::{Person, Server, part},
    proxy::Proxy,
};

pub(crate) type Outcome = Result<(), String>;
pub(crate) type Walk = fn(Server) -> Pin<Box<dyn Future<Output = Outcome>>>;

macro_rules! walks {
    ($($name:ident)*) => {
        /// Every walk by name.
        pub(crate) const ALL: &[(&str, Walk)] = &[
            $((stringify!($name), |server| Box::pin($name(server))),)*
        ];
    };
}
pub(crate) use walks;

walks! {
    what_was_said_before_the_first_start_is_not_heard
    a_gap_of_hundreds_of_messages_is_heard_in_order_and_once
    a_restart_makes_no_second_device
    a_session_that_was_ended_elsewhere_is_told_and_a_password_makes_another
    whoever_is_written_to_first_gets_one_conversation
    a_conversation_that_somebody_opens_is_heard_from_its_first_word
    a_room_that_is_replaced_is_followed
    a_notice_is_marked_and_a_third_person_makes_a_room_of_a_conversation
    what_a_room_says_before_the_bot_comes_in_is_not_heard
    a_connection_that_says_nothing_is_given_up_and_nothing_is_lost
    the_homeserver_refuses_what_is_too_large_and_the_puppet_says_so
    malformed_events_take_no_others_with_them
}

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) events: Mutex<Vec<Event>>,
    cursor: Mutex<Option<Cursor>>,
}

#[async_trait]
impl EventSink for Heard {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        self.events.lock().extend(batch.events);
        if batch.cursor.is_some() {
            *self.cursor.lock() = batch.cursor;
        }
        Ok(())
    }
}

/// A bot whose process may end and begin again.
pub(crate) struct Bot {
    pub(crate) account: Person,
    pub(crate) proxy: Proxy,
    pub(crate) puppet: Arc<dyn Puppet>,
    pub(crate) heard: Arc<Heard>,
    session: Arc<MemorySession>,
    cancel: CancellationToken,
    running: Option<tokio::task::JoinHandle<Called<()>>>,
    keys: Mutex<u128>,
    /// Where keys of encrypted rooms are kept.
    pub(crate) folder: Option<String>,
    /// How long something may take that it is waited for.
    pub(crate) patience: Duration,
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl Bot {
    pub(crate) async fn new(server: &Server) -> Self {
        let (account, proxy) = tokio::join!(server.person("bot"), Proxy::open(server.clone()));
        let puppet = puppet(&account, &proxy, None);
        Self {
            folder: None,
            patience: PATIENCE,
            account,
            proxy,
            puppet,
            heard: Arc::default(),
            session: Arc::default(),
            cancel: CancellationToken::new(),
            running: None,
            keys: Mutex::new(u128::from(Clock::system().wall().as_millis().unsigned_abs()) << 32),
        }
    }

    /// Another process with the same store.
    pub(crate) async fn starts(&mut self) -> Outcome {
        self.puppet = puppet(&self.account, &self.proxy, self.folder.as_deref());
        self.runs().await
    }

    /// Runs the puppet that it has.
    pub(crate) async fn runs(&mut self) -> Outcome {
        self.cancel = CancellationToken::new();
        let cursor = self.heard.cursor.lock().clone();
        let mark = self.heard.events.lock().len();
        let cx = PuppetContext::new(
            "walk".into(),
            self.heard.clone(),
            self.session.clone(),
            Clock::system(),
            self.cancel.clone(),
            cursor,
        );
        let puppet = self.puppet.clone();
        self.running = Some(tokio::spawn(async move { puppet.run(cx).await }));
        self.event("ready", mark, |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await
    }

    pub(crate) async fn stops(&mut self) -> Outcome {
        self.cancel.cancel();
        self.ends().await.map(drop)
    }

    async fn ends(&mut self) -> Result<Called<()>, String> {
        let running = self.running.take().ok_or("it does not run")?;
        let ended = Clock::system().timeout(PATIENCE, running).await.map_err(|_| "the run does not end")?;
        ended.map_err(|error| error.to_string())
    }

    pub(crate) async fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
        let clock = Clock::system();
        let start = clock.now();
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            if clock.now().saturating_sub(start) > self.patience {
                return Err(format!("waited in vain for {what}; heard {:?}", self.texts()));
            }
            clock.sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn event<T>(
        &self,
        what: &str,
        mark: usize,
        look: impl Fn(&Event) -> Option<T>,
    ) -> Result<T, String> {
        self.until(what, || self.heard.events.lock().iter().skip(mark).find_map(&look)).await
    }

    pub(crate) fn messages(&self) -> Vec<Arc<MessagePayload>> {
        self.heard.events.lock().iter().filter_map(|event| event.message_payload().cloned()).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages().iter().filter_map(|message| message.text.clone()).collect()
    }

    pub(crate) async fn hears(&self, text: &str) -> Result<Arc<MessagePayload>, String> {
        self.until(text, || self.messages().into_iter().find(|message| message.text.as_deref() == Some(text))).await
    }

    pub(crate) fn key(&self) -> IdempotencyKey {
        let mut keys = self.keys.lock();
        *keys += 1;
        IdempotencyKey::from_bytes(keys.to_be_bytes())
    }

    async fn sends(&self, to: &str, text: &str) -> Called<()> {
        let key = self.key();
        let to = if to.starts_with('@') {
            wechaty_puppet::ConversationId::Contact(to.into())
        } else {
            wechaty_puppet::ConversationId::Room(to.into())
        };
        self.puppet.send(Outgoing::new(key, to, Arc::new(SayablePayload::text(text)))).await.map(drop)
    }
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

pub(crate) fn holds(what: &str, holds: bool) -> Outcome {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

pub(crate) async fn devices(person: &Person) -> usize {
    person.call(Method::GET, "/devices", None).await["devices"].as_array().map_or(0, Vec::len)
}

async fn what_was_said_before_the_first_start_is_not_heard(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat", "name": "old" })).await;
    bot.account.joins(&room).await;
    alice.says(&room, "long ago").await;
    bot.starts().await?;
    alice.says(&room, "now").await;
    bot.hears("now").await?;
    same("texts", bot.texts(), vec!["now".to_owned()])
}

async fn a_gap_of_hundreds_of_messages_is_heard_in_order_and_once(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat", "name": "gap" })).await;
    bot.account.joins(&room).await;
    bot.starts().await?;
    alice.says(&room, "before").await;
    bot.hears("before").await?;
    bot.stops().await?;
    let mut expected = vec!["before".to_owned()];
    for number in 0..350 {
        let text = format!("missed {number}");
        alice.says(&room, &text).await;
        expected.push(text);
    }
    bot.starts().await?;
    alice.says(&room, "after").await;
    expected.push("after".to_owned());
    bot.hears("after").await?;
    same("texts", bot.texts(), expected)
}

async fn a_restart_makes_no_second_device(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let before = devices(&bot.account).await;
    for _ in 0..3 {
        bot.starts().await?;
        bot.stops().await?;
    }
    same("devices", devices(&bot.account).await, before + 1)
}

async fn a_session_that_was_ended_elsewhere_is_told_and_a_password_makes_another(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let direct = alice.opens_direct(&bot.account.id).await;
    bot.starts().await?;
    alice.says(&direct, "first").await;
    bot.hears("first").await?;
    // "Sign out all other devices."
    bot.account.call(Method::POST, "/logout/all", Some(json!({}))).await;
    let ended = bot.ends().await?;
    holds(&format!("the run is to be tried again: {ended:?}"), matches!(ended, Err(PuppetError::NotLoggedIn)))?;
    bot.event("logout", 0, |event| matches!(event.what, EventPayload::Logout(_)).then_some(())).await?;
    alice.says(&direct, "meanwhile").await;
    bot.starts().await?;
    bot.hears("meanwhile").await?;
    same("texts", bot.texts(), vec!["first".to_owned(), "meanwhile".to_owned()])
}

async fn whoever_is_written_to_first_gets_one_conversation(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    bot.starts().await?;
    let (one, two) = tokio::join!(bot.sends(&alice.id, "one"), bot.sends(&alice.id, "two"));
    one.and(two).map_err(|error| error.to_string())?;
    bot.stops().await?;
    bot.starts().await?;
    bot.sends(&alice.id, "three").await.map_err(|error| error.to_string())?;
    let direct =
        bot.account.call(Method::GET, &format!("/user/{}/account_data/m.direct", part(&bot.account.id)), None).await;
    let rooms = direct[&alice.id].as_array().cloned().unwrap_or_default();
    same("rooms with alice", rooms.len(), 1)?;
    let room = rooms[0].as_str().unwrap_or_default().to_owned();
    alice.joins(&room).await;
    let mut texts: Vec<_> = said_by(&alice, &room, &bot.account.id)
        .await
        .iter()
        .filter_map(|said| said.payload.as_text().map(str::to_owned))
        .collect();
    texts.sort();
    same("alice reads", texts, ["one", "three", "two"].map(str::to_owned).to_vec())?;
    alice.says(&room, "hello").await;
    let heard = bot.hears("hello").await?;
    same("it is one to one", heard.room_id.is_none(), true)?;
    // A conversation that the bot has left is none any more.
    bot.account.leaves(&room).await;
    Clock::system().sleep(Duration::from_millis(500)).await;
    bot.sends(&alice.id, "again").await.map_err(|error| error.to_string())?;
    let path = format!("/user/{}/account_data/m.direct", part(&bot.account.id));
    let direct = bot.account.call(Method::GET, &path, None).await;
    same("rooms with alice in the end", direct[&alice.id].as_array().map(Vec::len), Some(2))?;
    let unknown = bot.sends("@nobody-at-all:localhost", "x").await;
    holds(&format!("{unknown:?}"), matches!(unknown, Err(PuppetError::NotFound { .. })))?;
    let unknown = bot.sends("!nowhereatall", "x").await;
    holds(&format!("{unknown:?}"), matches!(unknown, Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. })))
}

async fn a_conversation_that_somebody_opens_is_heard_from_its_first_word(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    bot.starts().await?;
    let direct = alice.opens_direct(&bot.account.id).await;
    alice.says(&direct, "first word").await;
    alice.says(&direct, "second word").await;
    let heard = bot.hears("first word").await?;
    same("listener", heard.listener_id.as_ref().map(ToString::to_string), Some(bot.account.id.clone()))?;
    bot.hears("second word").await?;
    same("texts", bot.texts(), vec!["first word".to_owned(), "second word".to_owned()])
}

async fn a_room_that_is_replaced_is_followed(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let old = alice.create_room(json!({ "preset": "public_chat", "name": "old" })).await;
    bot.account.joins(&old).await;
    bot.starts().await?;
    let new = alice.create_room(json!({ "preset": "public_chat", "name": "new" })).await;
    alice.sets(&old, "m.room.tombstone", json!({ "body": "moved", "replacement_room": new })).await;
    bot.hears("moved").await?;
    let room = new.clone();
    bot.event("our join", 0, |event| match &event.what {
        EventPayload::RoomJoin(join) => (join.room_id.as_str() == room).then_some(()),
        _ => None,
    })
    .await?;
    alice.says(&new, "here").await;
    bot.hears("here").await.map(drop)
}

async fn a_notice_is_marked_and_a_third_person_makes_a_room_of_a_conversation(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let (alice, bob) = tokio::join!(server.person("alice"), server.person("bob"));
    let direct = alice.opens_direct(&bot.account.id).await;
    bot.starts().await?;
    alice.puts(&direct, "m.room.message", json!({ "msgtype": "m.notice", "body": "a notice" })).await;
    alice.says(&direct, "between us").await;
    same("a notice", bot.hears("a notice").await?.automated, true)?;
    let between = bot.hears("between us").await?;
    same("between us", (between.automated, between.room_id.is_none()), (false, true))?;
    alice.call(Method::POST, &format!("/rooms/{}/invite", part(&direct)), Some(json!({ "user_id": bob.id }))).await;
    bob.joins(&direct).await;
    bob.says(&direct, "three of us").await;
    let heard = bot.hears("three of us").await?;
    same("a room", heard.room_id.as_ref().map(ToString::to_string), Some(direct))
}

async fn what_a_room_says_before_the_bot_comes_in_is_not_heard(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    bot.starts().await?;
    let room = alice.create_room(json!({ "preset": "private_chat", "name": "ours", "invite": [bot.account.id] })).await;
    for number in 0..5 {
        alice.says(&room, &format!("among us {number}")).await;
    }
    let invited = bot
        .event("invitation", 0, |event| match &event.what {
            EventPayload::RoomInvite(invite) => Some(invite.room_invitation_id.clone()),
            _ => None,
        })
        .await?;
    let invitations = bot.puppet.room_invitations().ok_or("no invitations")?;
    invitations.accept(&invited).await.map_err(|error| error.to_string())?;
    let (me, room_id) = (bot.account.id.clone(), room.clone());
    let inviter = bot
        .event("our join", 0, |event| match &event.what {
            EventPayload::RoomJoin(join) if join.room_id.as_str() == room_id => {
                join.invitee_id_list.iter().any(|who| who.as_str() == me).then(|| join.inviter_id.clone())
            }
            _ => None,
        })
        .await?;
    same("inviter", inviter.map(|id| id.to_string()), Some(alice.id.clone()))?;
    alice.says(&room, "welcome").await;
    bot.hears("welcome").await?;
    same("texts", bot.texts(), vec!["welcome".to_owned()])
}

async fn a_connection_that_says_nothing_is_given_up_and_nothing_is_lost(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let direct = alice.opens_direct(&bot.account.id).await;
    bot.starts().await?;
    alice.says(&direct, "before").await;
    bot.hears("before").await?;
    bot.proxy.mute(true);
    alice.says(&direct, "into silence").await;
    Clock::system().sleep(Duration::from_millis(500)).await;
    // The process ends while it waits, and another one goes on.
    bot.stops().await?;
    bot.proxy.mute(false);
    bot.starts().await?;
    bot.hears("into silence").await?;
    same("texts", bot.texts(), vec!["before".to_owned(), "into silence".to_owned()])
}

async fn the_homeserver_refuses_what_is_too_large_and_the_puppet_says_so(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    alice.opens_direct(&bot.account.id).await;
    bot.starts().await?;
    let file = wechaty_puppet::FileBox::from_bytes(vec![0; 101 << 20], "large.bin");
    let what = SayablePayload::Attachment(wechaty_puppet::FilePayload { file });
    let out = Outgoing::new(
        IdempotencyKey::from_bytes([7; 16]),
        wechaty_puppet::ContactId::from(alice.id.as_str()).into(),
        Arc::new(what),
    );
    let refused = bot.puppet.send(out).await;
    holds(&format!("{refused:?}"), matches!(refused, Err(PuppetError::Invalid { .. })))
}

async fn malformed_events_take_no_others_with_them(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let direct = alice.opens_direct(&bot.account.id).await;
    bot.starts().await?;
    for content in [
        json!({ "msgtype": "m.image", "body": "no url" }),
        json!({ "msgtype": "m.file", "body": "x", "url": 7, "info": [] }),
        json!({ "msgtype": "m.location", "body": "x", "geo_uri": "geo:north,pole" }),
        json!({ "msgtype": "org.example.unknown", "body": "shown by its body" }),
        json!({ "msgtype": "m.text", "body": "x", "m.relates_to": "nothing" }),
        json!({ "msgtype": "m.text", "body": "x", "m.relates_to": { "rel_type": "m.replace", "event_id": 7 } }),
    ] {
        alice.puts(&direct, "m.room.message", content).await;
    }
    alice.puts(&direct, "m.reaction", json!({ "m.relates_to": [] })).await;
    alice.puts(&direct, "org.example.event", json!({ "deep": [[[[[[[[1]]]]]]]] })).await;
    alice.says(&direct, "still here").await;
    bot.hears("still here").await?;
    bot.hears("shown by its body").await.map(drop)
}
