//! STATE: all that the fake knows, behind one lock: people, chats, messages, media, tokens, and the book of events.
//!
//! It is data and what changes it; nothing here waits or opens a connection. All of it can be saved as JSON.

mod cards;
mod chats;
mod content;
mod events;
mod faults;
mod limits;
mod media;
mod messages;
mod people;
mod say;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::{
    cards::Card,
    chats::{Announcement, Chat},
    events::{Attempt, Delivery, Event},
    faults::{EventFault, EventTrouble, Fault, Trouble},
    media::Media,
    messages::{Edit, Mention, Message, Reaction, Sender},
    people::{Department, Group, Person},
    say::Say,
    tokens::Registration,
};
pub(crate) use self::{
    content::{CARD_LIFE, card_fault},
    events::Outcome,
    limits::Limits,
    messages::Draft,
    tokens::{REGISTRATION_SECONDS, Tokens},
};
use crate::settings::Settings;

/// All that the fake knows.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Now, in ms; set whenever the lock is taken.
    #[serde(skip)]
    pub now: i64,
    /// What is set.
    pub settings: Settings,
    /// The last number that went into an id.
    last: u64,
    /// Everybody, by open id.
    pub people: BTreeMap<String, Person>,
    /// Departments below the root, by id.
    pub departments: BTreeMap<String, Department>,
    /// Contact groups, by id.
    pub groups: BTreeMap<String, Group>,
    /// Chats, by id.
    pub chats: BTreeMap<String, Chat>,
    /// Messages, by id, which is the order in which they were written.
    pub messages: BTreeMap<String, Message>,
    /// Images and files, by key.
    pub media: BTreeMap<String, Media>,
    /// Card entities, by id.
    pub cards: BTreeMap<String, Card>,
    /// The book of events, by number, which is the order in which they happened.
    pub events: BTreeMap<u64, Event>,
    /// Those of them that are neither acknowledged nor given up.
    pub(crate) unsettled: BTreeSet<u64>,
    /// How many long connections there were.
    pub connected: u64,
    /// Frames that were none, or that answer nothing.
    pub bad_frames: u64,
    /// How often something was asked for faster than the platform takes it.
    pub too_fast: u64,
    /// How often each operation was asked for.
    pub requests: BTreeMap<String, u64>,
    /// Faults that are still to come.
    pub faults: Vec<Fault>,
    /// Faults of deliveries that are still to come.
    pub event_faults: Vec<EventFault>,
    /// The registration of an app that is under way.
    pub registration: Option<Registration>,
    pub(crate) tokens: Tokens,
    /// What was made under a `uuid`, and when.
    pub(crate) made: BTreeMap<String, (String, i64)>,
    #[serde(skip)]
    pub(crate) limits: Limits,
}

impl State {
    /// An id that nobody had: they are opaque, and those of one kind are in the order of their making.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let random = uuid::Uuid::new_v4().simple().to_string();
        format!("{prefix}{:08x}{}", self.number(), &random[..24])
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Counts one more of `key`, of which there may be `most` within `window` ms; otherwise tells after how many ms.
    pub(crate) fn rate(&mut self, key: &str, most: usize, window: i64) -> Result<(), i64> {
        if !self.settings.limits {
            return Ok(());
        }
        let taken = self.limits.take(key, most, window, self.now);
        self.too_fast += u64::from(taken.is_err());
        taken
    }

    /// Remembers what was made under a key; when there is much of it, what no window reaches any more is dropped.
    pub(crate) fn remember(&mut self, key: String, id: &str) {
        const KEPT: usize = 10_000;
        const LONGEST: i64 = 10 * 3_600_000;
        if self.made.len() >= KEPT {
            let now = self.now;
            self.made.retain(|_, (_, at)| now - *at < LONGEST);
        }
        self.made.insert(key, (id.to_owned(), self.now));
    }

    /// What was made under this key within this time; what is older is forgotten.
    pub(crate) fn made(&mut self, key: &str, within_ms: i64) -> Option<String> {
        let (id, at) = self.made.get(key)?.clone();
        if self.now - at < within_ms {
            return Some(id);
        }
        self.made.remove(key);
        None
    }

    /// What a server does not keep over its restart: rates, and tickets of handshakes.
    pub(crate) fn forget_what_passes(&mut self) {
        self.limits = Limits::default();
        self.tokens.connections.clear();
        self.resume();
    }
}
