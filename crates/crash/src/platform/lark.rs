//! LARK: the fake Lark server, what the harness' people do there, and its book as the harness reads it.
//!
//! The platform gives no promise about the order in which it tells again what was not acknowledged. Here it is told at
//! once, in the order of saying, so that an order that is lost was lost by the bot.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, anyhow};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::runtime::Runtime;
use wechaty_lark_fake::{
    Chat, Connection, Delivery, EventFault, EventTrouble, Fake, Fault, Message, Person, Say, Sender,
    Settings as Server, State, Trouble,
};

use super::{Address, Book, Said, Settings, Stage, Taken};
use crate::{bot::LISTENER, rng::Rng};

const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "clock", LISTENER];
/// What is said, as the platform calls its event.
const RECEIVED: &str = "im.message.receive_v1";
/// Below which all calls are, but for that of the long connection.
const CALLS: &str = "/open-apis/";
/// How deliveries go wrong.
const TROUBLES: [EventTrouble; 5] = [
    EventTrouble::Repeat,
    EventTrouble::RepeatRenamed,
    EventTrouble::AckLost,
    EventTrouble::Truncated,
    EventTrouble::Dropped,
];
/// As good as for ever.
const LONG: Duration = Duration::from_secs(3_600);

/// See the module.
pub(super) struct Lark {
    runtime: Runtime,
    fake: Arc<Fake>,
    over: AtomicBool,
    troubles: Mutex<Rng>,
}

fn person(name: &str) -> String {
    format!("ou_{name}")
}

fn chat(name: &str) -> String {
    format!("oc_{name}")
}

impl Lark {
    /// Serves until it is dropped.
    pub(super) fn start(settings: &Settings) -> Result<(Self, Address)> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = Server {
            retries_ms: vec![0; 1_000],
            patient: true,
            connection: Connection { reconnect: 1, nonce: 0, ..Connection::default() },
            limits: false,
            ..Server::default()
        };
        let (app_id, app_secret) = (server.app_id.clone(), server.app_secret.clone());
        let fake = Arc::new(runtime.block_on(Fake::builder().settings(server).start())?);
        fake.with(|state| {
            for name in PEOPLE {
                state.add_person(Person { open_id: person(name), name: name.to_owned(), ..Person::default() });
            }
            let members = ["carol", "dave"].map(person).to_vec();
            let owner = members.first().cloned();
            state.add_chat(Chat {
                chat_id: chat("tea"),
                name: "tea".to_owned(),
                owner,
                members,
                bot_in: true,
                ..Chat::default()
            })
        });
        let names = PEOPLE.map(|name| (person(name), name.to_owned())).into_iter();
        let names = names.chain([(chat("tea"), "tea".to_owned())]).collect();
        let puppet = [("app_id", app_id), ("app_secret", app_secret), ("domain", fake.url())];
        let puppet = puppet.map(|(key, value)| (key.to_owned(), value)).into();
        runtime.spawn(answer_questions(fake.clone()));
        let troubles = Mutex::new(Rng::new(settings.seed, "lark"));
        Ok((
            Self { runtime, fake, over: AtomicBool::new(false), troubles },
            Address { puppet, names, ..Address::default() },
        ))
    }

    /// Looks without changing anything.
    fn look<T>(&self, look: impl Fn(&State) -> T) -> Option<T> {
        self.runtime.block_on(self.fake.until(Duration::ZERO, |state| Some(look(state))))
    }
}

impl Stage for Lark {
    fn until_somebody_listens(&self) {
        self.runtime.block_on(self.fake.until(LONG, |state| (state.connected > 0).then_some(())));
    }

    fn say(&self, talker: &str, room: Option<&str>, text: &str) -> Result<()> {
        let mut rng = self.troubles.lock();
        let trouble = rng.percent(20).then(|| *rng.pick(&TROUBLES));
        let hangs_up = rng.percent(5);
        self.fake.with(|state| {
            let fault = |trouble| EventFault { event_type: RECEIVED.to_owned(), times: 1, trouble };
            state.event_faults.extend(trouble.map(fault));
            say(state, &person(talker), room, text)
        })?;
        if hangs_up {
            self.fake.drop_connections();
        }
        Ok(())
    }

    fn said_everything(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn book(&self) -> Book {
        let over = self.over.load(Ordering::SeqCst);
        Book { over, ..self.look(read).unwrap_or_default() }
    }

    /// The fake does what it is asked all the same.
    fn freeze(&self, nth: Option<u32>, _acts: bool) {
        let hang = |nth: u32| Fault {
            path: CALLS.to_owned(),
            method: String::new(),
            after: nth.saturating_sub(1),
            times: u32::MAX,
            trouble: Trouble::Hang,
        };
        self.fake.with(|state| state.faults = nth.map(hang).into_iter().collect());
    }

    fn nudge(&self) -> Result<()> {
        self.fake.with(|state| {
            let asked: Vec<String> = texts(state).filter_map(|(_, text)| after(&text, "ask ")).collect();
            asked.iter().try_for_each(|number| reply(state, number))
        })
    }
}

/// Whoever is asked replies, once.
async fn answer_questions(fake: Arc<Fake>) {
    let unanswered = |state: &State| {
        let is_answered = |number: &str| texts(state).any(|(_, text)| text == format!("reply {number}"));
        let asked = texts(state).filter(|(message, _)| message.sender == Sender::App);
        asked.filter_map(|(_, text)| after(&text, "question ")).find(|number| !is_answered(number))
    };
    while let Some(number) = fake.until(LONG, unanswered).await {
        if let Err(error) = fake.with(|state| reply(state, &number)) {
            eprintln!("question {number} cannot be answered: {error:#}");
            return;
        }
    }
}

fn say(state: &mut State, from: &str, room: Option<&str>, text: &str) -> Result<()> {
    let chat = room.map(chat).unwrap_or_default();
    let say = Say { from: from.to_owned(), chat, text: text.to_owned(), ..Say::default() };
    state.say(say).map(drop).map_err(|error| anyhow!(error))
}

/// Who asked `ask N` says `reply N`, unless that was said.
fn reply(state: &mut State, number: &str) -> Result<()> {
    let (ask, reply) = (format!("ask {number}"), format!("reply {number}"));
    if texts(state).any(|(_, text)| text == reply) {
        return Ok(());
    }
    let asked = texts(state).find(|(_, text)| *text == ask);
    match asked.map(|(message, _)| message.sender.clone()) {
        Some(Sender::Person(who)) => say(state, &who, None, &reply),
        _ => Ok(()),
    }
}

fn after(text: &str, word: &str) -> Option<String> {
    text.strip_prefix(word).map(str::to_owned)
}

fn texts(state: &State) -> impl Iterator<Item = (&Message, String)> {
    state.messages.values().map(|message| (message, text(state, message)))
}

/// A text, or the name of a file, its size and the sum of its bytes.
fn text(state: &State, message: &Message) -> String {
    let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
    match content["file_key"].as_str().map(|key| state.media.get(key)) {
        Some(Some(file)) => {
            let sum: u64 = file.bytes.iter().map(|byte| u64::from(*byte)).sum();
            format!("{} {} {sum}", file.name, file.bytes.len())
        }
        Some(None) => format!("{} is missing", message.content),
        None => content["text"].as_str().unwrap_or(&message.content).to_owned(),
    }
}

/// The fake's book as the harness reads it. A message is acknowledged when its event is.
fn read(state: &State) -> Book {
    let events: BTreeMap<&str, _> = state
        .events
        .values()
        .filter(|event| event.event_type == RECEIVED)
        .filter_map(|event| Some((event.message_id.as_deref()?, event)))
        .collect();
    let name = |id: &str| id.split_once('_').map_or(id, |(_, name)| name).to_owned();
    let mut book = Book { connections: usize::try_from(state.connected).unwrap_or(usize::MAX), ..Book::default() };
    for (message, text) in texts(state) {
        let with = state.chats.get(&message.chat_id).and_then(|chat| chat.with.as_deref());
        match &message.sender {
            Sender::App => {
                book.repeated += u64::from(message.again);
                book.taken.push(Taken { to: name(with.unwrap_or(&message.chat_id)), text });
            }
            Sender::Person(who) => {
                let event = events.get(&*message.message_id);
                book.said.push(Said {
                    id: message.message_id.clone(),
                    talker: name(who),
                    room: with.is_none().then(|| name(&message.chat_id)),
                    text,
                    acknowledged: event.is_some_and(|event| event.acked_at.is_some()),
                    told: event.map_or(0, |event| u32::try_from(event.attempts.len()).unwrap_or(u32::MAX)),
                });
            }
        }
    }
    let is_open = |state: &Delivery| matches!(state, Delivery::Waiting | Delivery::Sent);
    book.frozen = state.faults.iter().any(|fault| fault.times < u32::MAX);
    book.open = state.events.values().filter(|event| is_open(&event.state)).count();
    book
}
