//! VISITORS: who is here. A tab is a visitor; it is known by a secret, and forgotten a day after its last stream.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use wechaty_catalogue::{Args, Lang, text};
use wechaty_puppet::{CancellationToken, ContactId, ContactPayload, MessageId, Timestamp};

use crate::{
    guard::Secret,
    limits::{self, Bucket},
    refusal::Refusal,
    stream::Log,
};

/// How long somebody without a stream is remembered.
pub(crate) const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);
/// Where there is no room, who has been away this long makes some.
pub(crate) const AWAY: Duration = Duration::from_secs(300);
/// Nonces remembered of a visitor.
const NONCES: usize = 128;

/// What one conversation does one after the other.
pub(crate) type Turn = Arc<tokio::sync::Mutex<()>>;

/// Somebody who opened the page.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) id: ContactId,
    pub(crate) name: String,
    /// The language of the page.
    pub(crate) lang: Lang,
    /// The same as they told it, for the bot.
    pub(crate) language: Option<String>,
    pub(crate) log: Log,
    pub(crate) streams: VecDeque<(u64, CancellationToken)>,
    /// When a stream or a call was there last.
    pub(crate) seen: Timestamp,
    pub(crate) pace: Bucket,
    /// Bytes of files.
    pub(crate) uploads: Bucket,
    /// When it was last told that they type.
    pub(crate) typed: Option<Timestamp>,
    pub(crate) turn: Turn,
    secret: Secret,
    nonces: VecDeque<(String, MessageId)>,
    /// They are being forgotten, and known no more.
    pub(crate) leaving: bool,
}

impl Visitor {
    /// The id of the message with this nonce, as it was given when the nonce came first.
    pub(crate) fn nonce(&self, nonce: &str) -> Option<&MessageId> {
        self.nonces.iter().find(|(known, _)| known == nonce).map(|(_, id)| id)
    }

    pub(crate) fn remember(&mut self, nonce: String, id: MessageId) {
        self.nonces.push_back((nonce, id));
        if self.nonces.len() > NONCES {
            self.nonces.pop_front();
        }
    }

    pub(crate) fn payload(&self) -> ContactPayload {
        let language = self.language.clone();
        ContactPayload { friend: Some(true), language, ..ContactPayload::new(self.id.clone(), self.name.clone()) }
    }

    /// What the page keeps, and shows with every call.
    pub(crate) fn secret(&self) -> String {
        shown(&self.id, &self.secret)
    }

    fn is_away(&self, now: Timestamp, time: Duration) -> bool {
        !self.leaving && self.streams.is_empty() && now.since(self.seen) >= time
    }

    fn shows(&self, secret: &str) -> bool {
        !self.leaving && self.secret.is(secret)
    }
}

/// How a page tells who it is.
pub(crate) fn shown(id: &ContactId, secret: &Secret) -> String {
    format!("{id}.{}", secret.tell())
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct Visitors {
    all: HashMap<ContactId, Visitor>,
    /// By what a reader sees of a name: two of one could not be told apart.
    names: HashMap<String, ContactId>,
    guests: u64,
    most: usize,
}

impl Visitors {
    /// The bot's name is nobody else's.
    pub(crate) fn new(most: usize, bot: &str) -> Self {
        let names = HashMap::from([(limits::key(bot), crate::BOT.into())]);
        Self { all: HashMap::new(), names, guests: 0, most }
    }

    pub(crate) fn get(&self, id: &ContactId) -> Option<&Visitor> {
        self.all.get(id)
    }
    pub(crate) fn get_mut(&mut self, id: &ContactId) -> Option<&mut Visitor> {
        self.all.get_mut(id)
    }
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ContactId> {
        self.all.keys()
    }
    /// All, and when each was here last.
    pub(crate) fn all(&self, now: Timestamp) -> impl Iterator<Item = (&ContactId, Timestamp)> {
        self.all.iter().map(move |(id, visitor)| (id, if visitor.streams.is_empty() { visitor.seen } else { now }))
    }
    pub(crate) fn is_full(&self) -> bool {
        self.all.len() >= self.most
    }

    /// Who shows this secret.
    pub(crate) fn known(&mut self, id: &ContactId, secret: &str, now: Timestamp) -> Result<&mut Visitor, Refusal> {
        let visitor = self.all.get_mut(id).filter(|visitor| visitor.shows(secret)).ok_or(Refusal::Visitor)?;
        visitor.seen = now;
        Ok(visitor)
    }

    /// The language of who shows this secret.
    pub(crate) fn lang(&self, id: &ContactId, secret: &str) -> Option<Lang> {
        self.all.get(id).filter(|visitor| visitor.shows(secret)).map(|visitor| visitor.lang)
    }

    /// Somebody new; a name that is taken gets a number.
    pub(crate) fn join(
        &mut self,
        id: ContactId,
        name: Option<String>,
        lang: Lang,
        now: Timestamp,
        seq: u64,
        secret: Secret,
    ) -> &mut Visitor {
        let name = name.unwrap_or_else(|| {
            self.guests += 1;
            text(lang, "guest", &Args::new().set("number", self.guests.to_string()))
        });
        let name = self.free(name, &id);
        self.names.insert(limits::key(&name), id.clone());
        let visitor = Visitor {
            id: id.clone(),
            name,
            lang,
            language: None,
            log: Log::new(seq),
            streams: VecDeque::new(),
            seen: now,
            pace: limits::PACE.full(now),
            uploads: limits::UPLOADS.full(now),
            typed: None,
            turn: Turn::default(),
            secret,
            nonces: VecDeque::new(),
            leaving: false,
        };
        self.all.entry(id).insert_entry(visitor).into_mut()
    }

    /// The name somebody gets who asks for this one.
    pub(crate) fn free(&self, name: String, id: &ContactId) -> String {
        let taken = |name: &str| self.names.get(&limits::key(name)).is_some_and(|owner| owner != id);
        let mut free = name.clone();
        let mut number = 2u64;
        while taken(&free) {
            free = format!("{name} {number}");
            number += 1;
        }
        free
    }

    /// Gives a name that was free a moment ago; the old one, which nobody else gets until it is dropped.
    pub(crate) fn rename(&mut self, id: &ContactId, name: String) -> Option<String> {
        let visitor = self.all.get_mut(id)?;
        self.names.insert(limits::key(&name), id.clone());
        Some(std::mem::replace(&mut visitor.name, name))
    }

    /// A name that somebody had may be another's, unless they still have it.
    pub(crate) fn drop_name(&mut self, id: &ContactId, name: &str) {
        let key = limits::key(name);
        let has = self.all.get(id).is_some_and(|visitor| limits::key(&visitor.name) == key);
        if !has && self.names.get(&key) == Some(id) {
            self.names.remove(&key);
        }
    }

    pub(crate) fn remove(&mut self, id: &ContactId) {
        if let Some(visitor) = self.all.remove(id) {
            self.drop_name(id, &visitor.name);
        }
    }

    /// Who has been away longest, and at least this long: they leave from now on, and nobody knows their secret any more.
    pub(crate) fn take_away(&mut self, now: Timestamp, time: Duration) -> Option<ContactId> {
        let away = self.all.values_mut().filter(|visitor| visitor.is_away(now, time));
        let longest = away.min_by_key(|visitor| visitor.seen)?;
        longest.leaving = true;
        Some(longest.id.clone())
    }

    /// Somebody who was to leave does not.
    pub(crate) fn keep(&mut self, id: &ContactId) {
        if let Some(visitor) = self.all.get_mut(id) {
            visitor.leaving = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_one_name_can_be_told_apart() {
        let (mut all, at) = (Visitors::new(9, "Bot"), Timestamp::from_millis(0));
        let mut join = |id: &str, name: Option<&str>| {
            all.join(id.into(), name.map(str::to_owned), Lang::En, at, 0, Secret::new("x")).name.clone()
        };
        assert_eq!(join("a", Some("Ann")), "Ann");
        assert_eq!(join("b", Some("ann")), "ann 2");
        assert_eq!(join("c", Some("BOT")), "BOT 2");
        assert_eq!(join("d", None), "Guest 1");
        assert_eq!(all.rename(&"a".into(), "Anna".into()).as_deref(), Some("Ann"));
        assert_eq!(all.free("ANN".into(), &"c".into()), "ANN 3", "it may be undone");
        all.drop_name(&"a".into(), "Ann");
        all.drop_name(&"a".into(), "ANNA");
        assert_eq!(
            (all.free("ANN".into(), &"c".into()), all.free("Anna".into(), &"c".into())),
            ("ANN".into(), "Anna 2".into())
        );
        all.remove(&"a".into());
        assert_eq!(all.free("anna".into(), &"c".into()), "anna");
    }

    #[test]
    fn a_name_that_only_looks_another_is_taken() {
        let (mut all, at) = (Visitors::new(9, "Wechaty"), Timestamp::from_millis(0));
        all.join("a".into(), Some("Alice B".into()), Lang::En, at, 0, Secret::new("x"));
        for name in [
            "Wechaty\u{200B}",
            "We\u{AD}chaty",
            "Ｗechaty",
            "ＷＥＣＨＡＴＹ",
            "𝐖echaty",
            "Alice B\u{200E}",
            "alice\u{3000}B",
            "Alice  b",
            "\u{E0041}Alice B",
            "Ali\u{34F}ce\u{A0}B",
        ] {
            assert_eq!(all.free(name.into(), &"x".into()), format!("{name} 2"), "{}", name.escape_unicode());
        }
        // One's own may be written another way.
        assert_eq!(all.free("ALICE B".into(), &"a".into()), "ALICE B");
        assert_eq!(all.free("Alicé B".into(), &"x".into()), "Alicé B");
    }

    #[test]
    fn a_secret_is_one_visitors() {
        let (mut all, at) = (Visitors::new(9, "Bot"), Timestamp::from_millis(0));
        let a = all.join("a".into(), None, Lang::En, at, 0, Secret::new("x")).secret();
        let b = all.join("b".into(), None, Lang::En, at, 0, Secret::new("y")).secret();
        let (a, b) = (a.split_once('.').unwrap().1, b.split_once('.').unwrap().1);
        assert!(all.known(&"a".into(), a, at).is_ok());
        assert_eq!(all.known(&"a".into(), b, at).err(), Some(Refusal::Visitor));
        assert_eq!(all.known(&"c".into(), a, at).err(), Some(Refusal::Visitor));
    }

    #[test]
    fn who_leaves_is_chosen_once_and_not_known() {
        let (mut all, at) = (Visitors::new(9, "Bot"), Timestamp::from_millis(0));
        let secret = all.join("a".into(), None, Lang::En, at, 0, Secret::new("x")).secret();
        let (secret, later) = (secret.split_once('.').unwrap().1, at.plus(FORGOTTEN));
        all.join("b".into(), None, Lang::En, at.plus(AWAY), 0, Secret::new("x"));
        assert_eq!(all.take_away(later, FORGOTTEN), Some("a".into()));
        assert_eq!(all.take_away(later, FORGOTTEN), None);
        assert_eq!(
            (all.known(&"a".into(), secret, later).err(), all.lang(&"a".into(), secret)),
            (Some(Refusal::Visitor), None)
        );
        all.keep(&"a".into());
        assert!(all.known(&"a".into(), secret, at).is_ok());
        assert_eq!((all.take_away(later, AWAY), all.take_away(later, AWAY)), (Some("a".into()), Some("b".into())));
    }
}
