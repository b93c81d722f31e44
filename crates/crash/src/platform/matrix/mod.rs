//! MATRIX: the harness' people at a real Synapse, each with an account of their own, made for the run.
//!
//! What they read and say is the book. The bot comes by `way`, where it is seen what it has taken.

mod home;
mod http;
mod way;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Address, Book, Said, Settings, Stage, Taken};
use crate::bot::LISTENER;
use home::{Home, Person};
use way::Way;

const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "clock", LISTENER];
/// What the bot logs in with.
const PASSWORD: &str = "of-the-crash-tests";
/// How long somebody waits for news, and after an error.
const WAIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Default)]
struct State {
    book: Book,
    /// Event ids of what is taken, in its order.
    events: Vec<String>,
    /// From a person to the room with the bot.
    directs: BTreeMap<String, String>,
    /// Numbers of questions that were replied to.
    replied: BTreeSet<String>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(super) struct Matrix(Arc<Inner>);

struct Inner {
    way: Way,
    bot: String,
    tea: String,
    people: BTreeMap<&'static str, Person>,
    state: Mutex<State>,
}

impl Matrix {
    /// Makes accounts and a room, and opens the bot's way.
    pub(super) fn start(settings: &Settings) -> Result<(Self, Address)> {
        let home = Home::from_env(settings.seed)?;
        let bot = home.register("bot", PASSWORD)?.id;
        let mut people = BTreeMap::new();
        for name in PEOPLE {
            people.insert(name, home.register(name, PASSWORD)?);
        }
        let dave = &people["dave"];
        let tea = json!({ "preset": "private_chat", "name": "tea", "invite": [bot, dave.id] });
        let tea = people["carol"].make_room(tea)?;
        dave.join(&tea)?;
        let (way, port) = Way::open(&home.host)?;
        let puppet = [
            ("homeserver", format!("http://127.0.0.1:{port}")),
            ("user", home.local("bot")),
            ("password", PASSWORD.to_owned()),
            ("rooms", tea.clone()),
        ];
        let names = people.iter().map(|(name, person)| (person.id.clone(), (*name).to_owned()));
        let names = names.chain([(tea.clone(), "tea".to_owned())]).collect();
        let puppet = puppet.map(|(key, value)| (key.to_owned(), value)).into();
        let matrix = Self(Arc::new(Inner { way, bot, tea, people, state: Mutex::default() }));
        // Who only talks in the room has the same to read as the other.
        for name in PEOPLE.into_iter().filter(|name| *name != "dave") {
            let matrix = matrix.clone();
            thread::spawn(move || matrix.read(name));
        }
        Ok((matrix, Address { puppet, names, ..Address::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn person(&self, name: &str) -> Result<&Person> {
        self.0.people.get(name).with_context(|| format!("there is no {name}"))
    }

    /// Reads whatever comes to somebody, for ever.
    fn read(&self, name: &'static str) {
        let mut since = None;
        loop {
            let news = self.person(name).and_then(|person| {
                let news = person.sync(since.as_deref(), WAIT)?;
                self.take(name, person, &news)?;
                Ok(news)
            });
            match news {
                Ok(news) => since = news["next_batch"].as_str().map(str::to_owned),
                Err(error) => {
                    eprintln!("{name} cannot read: {error:#}");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    fn take(&self, name: &str, person: &Person, news: &Value) -> Result<()> {
        for (room, _) in news["rooms"]["invite"].as_object().into_iter().flatten() {
            person.join(room)?;
        }
        for (room, news) in news["rooms"]["join"].as_object().into_iter().flatten() {
            let events = news["timeline"]["events"].as_array().into_iter().flatten();
            for event in events.filter(|event| event["sender"] == *self.0.bot) {
                let id = event["event_id"].as_str().unwrap_or_default();
                if self.state().events.iter().any(|known| known == id) {
                    continue;
                }
                let text = text(person, &event["content"])?;
                let question = text.strip_prefix("question ").map(str::to_owned);
                let to = if *room == self.0.tea { "tea" } else { name };
                let mut state = self.state();
                state.events.push(id.to_owned());
                state.book.taken.push(Taken { to: to.to_owned(), text });
                drop(state);
                if let Some(number) = question {
                    self.reply(&number)?;
                }
            }
        }
        Ok(())
    }

    /// Who asked `ask N` says `reply N`, once.
    fn reply(&self, number: &str) -> Result<()> {
        let mut state = self.state();
        let ask = format!("ask {number}");
        let talker = state.book.said.iter().find(|said| said.text == ask).map(|said| said.talker.clone());
        match talker {
            Some(talker) if state.replied.insert(number.to_owned()) => {
                drop(state);
                self.say(&talker, None, &format!("reply {number}"))
            }
            _ => Ok(()),
        }
    }

    /// The room that somebody has with the bot, made with the first word.
    fn direct(&self, talker: &str) -> Result<String> {
        if let Some(room) = self.state().directs.get(talker).cloned() {
            return Ok(room);
        }
        let room = json!({ "preset": "trusted_private_chat", "is_direct": true, "invite": [self.0.bot] });
        let room = self.person(talker)?.make_room(room)?;
        self.state().directs.insert(talker.to_owned(), room.clone());
        Ok(room)
    }
}

/// A text, or the name of a file, its size and the sum of its bytes.
fn text(reader: &Person, content: &Value) -> Result<String> {
    let body = content["body"].as_str().unwrap_or_default();
    let Some(address) = content["url"].as_str() else { return Ok(body.to_owned()) };
    let bytes = reader.download(address)?;
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    Ok(format!("{body} {} {sum}", bytes.len()))
}

impl Stage for Matrix {
    fn until_somebody_listens(&self) {
        self.0.way.until_somebody_listens();
    }

    fn say(&self, talker: &str, room: Option<&str>, text: &str) -> Result<()> {
        let place = match room {
            Some(_) => self.0.tea.clone(),
            None => self.direct(talker)?,
        };
        let id = self.person(talker)?.say(&place, text)?;
        self.state().book.said.push(Said {
            id,
            talker: talker.to_owned(),
            room: room.map(str::to_owned),
            text: text.to_owned(),
            acknowledged: false,
            told: 0,
        });
        Ok(())
    }

    fn said_everything(&self) {
        self.state().book.over = true;
    }

    fn book(&self) -> Book {
        // What the bot has sent first: what it answers was said before.
        let state = self.state();
        let mut book = state.book.clone();
        self.0.way.with(|known| {
            let taken: BTreeSet<_> = state.events.iter().collect();
            for said in &mut book.said {
                said.acknowledged = known.acknowledged.contains(&said.id);
                said.told = u32::from(said.acknowledged);
            }
            let unread = known.sent.iter().filter(|id| !taken.contains(id)).count();
            let unheard = known.sent.iter().filter(|id| !known.acknowledged.contains(*id)).count();
            book.open = book.said.iter().filter(|said| !said.acknowledged).count() + unread + unheard + known.sending;
            (book.connections, book.repeated) = (known.connections, known.repeated);
            book.frozen = known.is_frozen();
        });
        // What the bot says in a room is told to it as well.
        book.echoed = book.taken.len() as u64;
        book
    }

    fn freeze(&self, nth: Option<u32>, acts: bool) {
        self.0.way.freeze(nth, acts);
    }

    fn nudge(&self) -> Result<()> {
        let said = self.state().book.said.clone();
        let mut asked = said.iter().filter_map(|said| said.text.strip_prefix("ask "));
        asked.try_for_each(|number| self.reply(number))
    }
}
