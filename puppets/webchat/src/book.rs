//! HISTORY: the last messages of each conversation, bounded in number and in bytes.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use wechaty_catalogue::Lang;
use wechaty_puppet::{ContactId, ConversationId, Mention, MessageId, MessagePayload, MessageType, Timestamp};

use crate::{
    BOT, convert,
    files::Token,
    limits,
    notes::Note,
    wire::{self, Body},
};

/// Bytes of all messages together; the oldest go first.
const BYTES: usize = 64 << 20;
/// What a message costs beside its words …
const OVERHEAD: usize = 512;
/// … and what each who is named with it does, beside their name.
const NAMED: usize = 64;

/// How far the bot knows that a message of its own has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// Nobody has told.
    #[default]
    Nowhere,
    /// A page has it.
    Here,
    /// Somebody saw it.
    Read,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its place in everything that was told; 0 while it is not accepted yet.
    pub(crate) seq: u64,
    pub(crate) id: MessageId,
    pub(crate) to: ConversationId,
    pub(crate) talker: ContactId,
    /// The talker's name then.
    pub(crate) name: String,
    pub(crate) time: Timestamp,
    pub(crate) body: Body,
    pub(crate) file: Option<Token>,
    pub(crate) note: Option<Note>,
    pub(crate) quote: Option<wire::Quote>,
    pub(crate) mentions: Vec<wire::Who>,
    pub(crate) nonce: Option<String>,
    pub(crate) edited: bool,
    pub(crate) recalled: bool,
    pub(crate) reactions: Vec<(String, Vec<wire::Who>)>,
    pub(crate) chosen: HashMap<ContactId, String>,
    pub(crate) seen: Seen,
}

impl Kept {
    pub(crate) fn new(id: MessageId, to: ConversationId, talker: ContactId, name: String, time: Timestamp) -> Self {
        Self {
            seq: 0,
            id,
            to,
            talker,
            name,
            time,
            body: Body::default(),
            file: None,
            note: None,
            quote: None,
            mentions: Vec::new(),
            nonce: None,
            edited: false,
            recalled: false,
            reactions: Vec::new(),
            chosen: HashMap::new(),
            seen: Seen::Nowhere,
        }
    }

    fn weight(&self) -> usize {
        let body = serde_json::to_string(&self.body).map_or(0, |json| json.len());
        OVERHEAD + body + self.beside()
    }

    /// The part of its weight that others add, and that their names change.
    fn beside(&self) -> usize {
        let people =
            |people: &[wire::Who]| people.iter().map(|who| NAMED + who.id.len() + who.name.len()).sum::<usize>();
        let reacted = |(reaction, who): &(String, Vec<wire::Who>)| NAMED + reaction.len() + people(who);
        let reactions: usize = self.reactions.iter().map(reacted).sum();
        let chose = |(who, value): (&ContactId, &String)| NAMED + who.as_str().len() + value.len();
        let chosen: usize = self.chosen.iter().map(chose).sum();
        let quote = self.quote.as_ref().map_or(0, |quote| NAMED + quote.id.len() + quote.name.len() + quote.text.len());
        let own = self.name.len() + self.nonce.as_ref().map_or(0, String::len);
        own + quote + people(&self.mentions) + reactions + chosen
    }

    /// As one visitor sees it.
    pub(crate) fn view(&self, viewer: &ContactId, lang: Lang) -> wire::Message {
        let own = self.talker == *viewer && self.note.is_none();
        let mut body = self.body.clone();
        if let Some(note) = &self.note {
            body.text = Some(note.text(lang));
        }
        wire::Message {
            id: self.id.to_string(),
            seq: self.seq,
            conversation: place(&self.to),
            from: wire::Person {
                id: self.talker.to_string(),
                name: self.name.clone(),
                bot: self.talker.as_str() == BOT,
            },
            own,
            time: self.time.as_millis(),
            body,
            quote: self.quote.clone(),
            mentions: self.mentions.clone(),
            edited: self.edited,
            recalled: self.recalled,
            reactions: self.told_reactions(viewer),
            chosen: self.chosen.get(viewer).cloned(),
            nonce: self.nonce.clone().filter(|_| own),
        }
    }

    pub(crate) fn told_reactions(&self, viewer: &ContactId) -> Vec<wire::Reaction> {
        let told = |(reaction, who): &(String, Vec<wire::Who>)| wire::Reaction {
            reaction: reaction.clone(),
            names: who.iter().take(limits::NAMES).map(|who| who.name.clone()).collect(),
            count: who.len(),
            mine: who.iter().any(|who| who.id == viewer.as_str()),
        };
        self.reactions.iter().map(told).collect()
    }

    /// These visitors, those together who see it alike: all do, but for their own message, choice and reactions, and for
    /// the language of notes.
    pub(crate) fn alike(&self, viewers: Vec<ContactId>, lang: impl Fn(&ContactId) -> Lang) -> Vec<Vec<ContactId>> {
        // A bit for each reaction: looked up once, however many have reacted and look on.
        let mut mine: HashMap<&str, u32> = HashMap::new();
        for (at, (_, people)) in self.reactions.iter().enumerate() {
            people.iter().for_each(|who| *mine.entry(&who.id).or_default() |= 1 << at);
        }
        let mut groups: HashMap<_, Vec<ContactId>> = HashMap::new();
        for viewer in viewers {
            let zh = self.note.is_some() && lang(&viewer) == Lang::Zh;
            let mine = mine.get(viewer.as_str()).copied().unwrap_or_default();
            let sees = (self.talker == viewer, self.chosen.get(&viewer), mine, zh);
            groups.entry(sees).or_default().push(viewer);
        }
        groups.into_values().collect()
    }

    /// Whether this reaction of this person stands already.
    pub(crate) fn has_reaction(&self, who: &ContactId, reaction: &str) -> bool {
        let mut same = self.reactions.iter().filter(|(other, _)| other == reaction);
        same.any(|(_, people)| people.iter().any(|other| other.id == who.as_str()))
    }

    /// Adds or takes back a reaction; false: it stands so already, or there are too many.
    pub(crate) fn react(&mut self, who: wire::Who, reaction: &str, added: bool) -> bool {
        let at = self.reactions.iter().position(|(other, _)| other == reaction);
        match (at, added) {
            (Some(at), true) => {
                let people = &mut self.reactions[at].1;
                let new = people.iter().all(|other| other.id != who.id);
                if new {
                    people.push(who);
                }
                new
            }
            (None, true) => {
                let room = self.reactions.len() < limits::REACTIONS;
                if room {
                    self.reactions.push((reaction.to_owned(), vec![who]));
                }
                room
            }
            (Some(at), false) => {
                let before = self.reactions[at].1.len();
                self.reactions[at].1.retain(|other| other.id != who.id);
                let changed = self.reactions[at].1.len() < before;
                self.reactions.retain(|(_, people)| !people.is_empty());
                changed
            }
            (None, false) => false,
        }
    }

    /// As the bot sees it.
    pub(crate) fn payload(&self) -> MessagePayload {
        let mut payload = MessagePayload::direct(self.id.clone(), self.talker.clone(), BOT, "");
        payload.timestamp = self.time;
        payload.kind = convert::message_type(self.body.kind);
        payload.filename = self.body.file.as_ref().map(|file| file.name.clone());
        payload.text = convert::words(&self.body);
        payload.mentions = Some(self.mentions.iter().map(|who| Mention::Contact(who.id.as_str().into())).collect());
        payload.quote_id = self.quote.as_ref().map(|quote| quote.id.as_str().into());
        match &self.to {
            ConversationId::Room(room) => {
                payload.listener_id = None;
                payload.room_id = Some(room.clone());
            }
            ConversationId::Contact(visitor) if self.talker.as_str() == BOT => {
                payload.listener_id = Some(visitor.clone())
            }
            ConversationId::Contact(_) => {}
        }
        if self.recalled {
            payload.kind = MessageType::Recalled;
            payload.text = Some(self.id.to_string());
        }
        payload
    }

    /// The beginning of it, as it stands above an answer.
    pub(crate) fn quoted(&self) -> wire::Quote {
        let text = self.body.file.as_ref().map(|file| file.name.clone()).or_else(|| convert::words(&self.body));
        let text = text.unwrap_or_default().chars().take(200).collect();
        wire::Quote { id: self.id.to_string(), name: self.name.clone(), text, recalled: self.recalled }
    }
}

/// The name of a conversation on the wire: one to one there is only one.
pub(crate) fn place(to: &ConversationId) -> String {
    match to {
        ConversationId::Contact(_) => BOT.to_owned(),
        ConversationId::Room(room) => room.to_string(),
    }
}

/// All messages.
#[derive(Debug)]
pub(crate) struct Book {
    messages: BTreeMap<u64, Kept>,
    ids: HashMap<MessageId, u64>,
    lanes: HashMap<ConversationId, VecDeque<u64>>,
    /// Being accepted: the bot may look at them, nobody else has them yet.
    pending: HashMap<MessageId, Kept>,
    bytes: usize,
    most: usize,
}

impl Book {
    /// `most`: messages a conversation.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            messages: BTreeMap::new(),
            ids: HashMap::new(),
            lanes: HashMap::new(),
            pending: HashMap::new(),
            bytes: 0,
            most,
        }
    }

    /// The conversations there are.
    pub(crate) fn places(&self) -> Vec<ConversationId> {
        self.lanes.keys().cloned().collect()
    }

    pub(crate) fn wait(&mut self, kept: Kept) {
        self.pending.insert(kept.id.clone(), kept);
    }
    pub(crate) fn take_waiting(&mut self, id: &MessageId) -> Option<Kept> {
        self.pending.remove(id)
    }
    /// A message that is in the history.
    pub(crate) fn get(&self, id: &MessageId) -> Option<&Kept> {
        self.messages.get(self.ids.get(id)?)
    }
    /// A message that the bot may know.
    pub(crate) fn known(&self, id: &MessageId) -> Option<&Kept> {
        self.get(id).or_else(|| self.pending.get(id))
    }

    /// Adds one with its number, the highest so far; what fell out for it.
    pub(crate) fn insert(&mut self, kept: Kept) -> Vec<Kept> {
        let mut gone = Vec::new();
        self.bytes += kept.weight();
        self.ids.insert(kept.id.clone(), kept.seq);
        let lane = self.lanes.entry(kept.to.clone()).or_default();
        lane.push_back(kept.seq);
        let (seq, oldest) = (kept.seq, if lane.len() > self.most { lane.front().copied() } else { None });
        self.messages.insert(seq, kept);
        gone.extend(oldest.and_then(|seq| self.remove(seq)));
        gone.extend(self.bound(seq));
        gone
    }

    /// Lets the oldest go, but for this one, where there are too many bytes.
    fn bound(&mut self, stays: u64) -> Vec<Kept> {
        let mut gone = Vec::new();
        while self.bytes > BYTES
            && let Some(oldest) = self.messages.keys().copied().find(|seq| *seq != stays)
        {
            gone.extend(self.remove(oldest));
        }
        gone
    }

    fn remove(&mut self, seq: u64) -> Option<Kept> {
        let kept = self.messages.remove(&seq)?;
        self.ids.remove(&kept.id);
        self.bytes = self.bytes.saturating_sub(kept.weight());
        if let Some(lane) = self.lanes.get_mut(&kept.to) {
            lane.retain(|other| *other != seq);
            if lane.is_empty() {
                self.lanes.remove(&kept.to);
            }
        }
        Some(kept)
    }

    /// Changes a message and counts its bytes anew; what came of it, and what fell out for it.
    pub(crate) fn change<T>(&mut self, id: &MessageId, change: impl FnOnce(&mut Kept) -> T) -> Option<(T, Vec<Kept>)> {
        let seq = *self.ids.get(id)?;
        let kept = self.messages.get_mut(&seq)?;
        let before = kept.weight();
        let done = change(kept);
        self.bytes = self.bytes.saturating_sub(before) + kept.weight();
        Some((done, self.bound(seq)))
    }

    /// The bot's messages up to this number that are not known to be as far, the oldest first, at most so many.
    pub(crate) fn untold(&self, to: &ConversationId, seen: Seen, until: u64, most: usize) -> Vec<MessageId> {
        let lane = self.lanes.get(to).into_iter().flatten().rev();
        let until = lane.filter_map(|seq| self.messages.get(seq)).filter(|kept| kept.seq <= until);
        let bots = until.filter(|kept| kept.talker.as_str() == BOT && kept.note.is_none() && !kept.recalled);
        // Those before one that is as far are so, too.
        let mut untold: Vec<_> = bots.take_while(|kept| kept.seen < seen).map(|kept| kept.id.clone()).collect();
        untold.reverse();
        untold.truncate(most);
        untold
    }

    /// The bot knows that a message is as far.
    pub(crate) fn mark(&mut self, id: &MessageId, seen: Seen) {
        if let Some(kept) = self.ids.get(id).and_then(|seq| self.messages.get_mut(seq)) {
            kept.seen = kept.seen.max(seen);
        }
    }

    /// Brings those that quote a message in line with it; whether there are any.
    pub(crate) fn requote(&mut self, to: &ConversationId, quote: &wire::Quote) -> bool {
        let lane = self.lanes.get(to).into_iter().flatten();
        let mut found = false;
        for seq in lane {
            let quoted = self.messages.get_mut(seq).and_then(|kept| kept.quote.as_mut());
            if let Some(quoted) = quoted.filter(|quoted| quoted.id == quote.id) {
                let length = |quote: &wire::Quote| quote.name.len() + quote.text.len();
                self.bytes = (self.bytes + length(quote)).saturating_sub(length(quoted));
                (*quoted, found) = (quote.clone(), true);
            }
        }
        // Nobody has these yet, but they will be told.
        for quoted in self.pending.values_mut().filter_map(|kept| kept.quote.as_mut()) {
            if quoted.id == quote.id {
                *quoted = quote.clone();
            }
        }
        found
    }

    /// Somebody has a new name: nobody else who takes the old one shall have said what they said.
    pub(crate) fn rename(&mut self, who: &ContactId, name: &str) {
        let theirs = self.messages.values().filter(|kept| kept.talker == *who);
        let theirs: HashSet<String> = theirs.map(|kept| kept.id.to_string()).collect();
        let rename = |kept: &mut Kept| {
            if kept.talker == *who {
                name.clone_into(&mut kept.name);
            }
            if let Some(quote) = kept.quote.as_mut().filter(|quote| theirs.contains(&quote.id)) {
                name.clone_into(&mut quote.name);
            }
            let people = kept.reactions.iter_mut().flat_map(|(_, people)| people);
            for person in people.filter(|person| person.id == who.as_str()) {
                name.clone_into(&mut person.name);
            }
        };
        for kept in self.messages.values_mut() {
            let before = kept.beside();
            rename(kept);
            self.bytes = (self.bytes + kept.beside()).saturating_sub(before);
        }
        // These are counted when they are there.
        self.pending.values_mut().for_each(rename);
    }

    /// Everything of a conversation.
    pub(crate) fn forget(&mut self, to: &ConversationId) -> Vec<Kept> {
        let lane = self.lanes.get(to).cloned().unwrap_or_default();
        lane.into_iter().filter_map(|seq| self.remove(seq)).collect()
    }

    /// The last `limit` messages before `before`, oldest first, and whether there are more.
    pub(crate) fn page(&self, to: &ConversationId, before: u64, limit: usize) -> (Vec<&Kept>, bool) {
        let Some(lane) = self.lanes.get(to) else { return (Vec::new(), false) };
        let end = lane.partition_point(|seq| *seq < before);
        let start = end.saturating_sub(limit);
        (lane.range(start..end).filter_map(|seq| self.messages.get(seq)).collect(), start > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(seq: u64, to: &str, text: &str) -> Kept {
        let to = ConversationId::Contact(to.into());
        let mut kept = Kept::new(format!("m{seq}").into(), to, "a".into(), "A".into(), Timestamp::default());
        kept.seq = seq;
        kept.body.text = Some(text.to_owned());
        kept
    }

    #[test]
    fn a_conversation_keeps_its_last_messages() {
        let mut book = Book::new(3);
        (1..=5).for_each(|seq| drop(book.insert(kept(seq, "a", "hi"))));
        book.insert(kept(6, "b", "hi"));
        let page = |before, limit| {
            let (page, more) = book.page(&ConversationId::Contact("a".into()), before, limit);
            (page.iter().map(|kept| kept.seq).collect::<Vec<_>>(), more)
        };
        assert_eq!(page(u64::MAX, 50), (vec![3, 4, 5], false));
        assert_eq!(page(5, 1), (vec![4], true));
        assert_eq!(page(3, 50), (vec![], false));
        assert!(book.get(&"m2".into()).is_none() && book.get(&"m3".into()).is_some());
        assert_eq!(book.forget(&ConversationId::Contact("a".into())).len(), 3);
        assert_eq!((book.messages.len(), book.ids.len(), book.lanes.len()), (1, 1, 1));
        book.forget(&ConversationId::Contact("b".into()));
        assert_eq!(book.bytes, 0);
    }

    fn who(n: usize) -> wire::Who {
        wire::Who { id: format!("v{n}"), name: format!("Visitor {n} {}", "x".repeat(300)) }
    }

    #[test]
    fn what_others_add_to_a_message_counts_and_the_oldest_goes_for_it() {
        let (mut book, people) = (Book::new(10_000), (0..1_000).map(who).collect::<Vec<_>>());
        (1..=300).for_each(|seq| drop(book.insert(kept(seq, "a", "hi"))));
        let react = |book: &mut Book, id: &MessageId, reaction: &str| {
            let reaction = (reaction.to_owned(), people.clone());
            book.change(id, |kept| kept.reactions.push(reaction)).unwrap().1
        };
        // Each takes a good 380 KB: they do not all have room.
        let mut gone = Vec::new();
        for seq in (1..=300).rev() {
            let id = MessageId::new(format!("m{seq}"));
            if book.get(&id).is_none() {
                break;
            }
            gone.extend(react(&mut book, &id, "👍").into_iter().map(|kept| kept.seq));
            assert!(book.bytes <= BYTES);
        }
        let real: usize = book.messages.values().map(Kept::weight).sum();
        assert!(book.bytes == real && (50..=250).contains(&gone.len()) && gone.is_sorted(), "{real}, {gone:?}");
        // The one that is changed stays, be it the oldest.
        let oldest = book.messages.values().next().unwrap().id.clone();
        assert!(!react(&mut book, &oldest, "🎉").is_empty() && book.get(&oldest).is_some());
    }

    #[test]
    fn every_change_of_a_message_is_counted() {
        let mut book = Book::new(100);
        let weighs = |book: &Book| book.messages.values().map(Kept::weight).sum::<usize>();
        let mut first = kept(1, "a", "hi");
        (first.talker, first.nonce) = ("v1".into(), Some("n".repeat(32)));
        let mut second = kept(2, "a", "yes");
        second.quote = Some(first.quoted());
        book.insert(first);
        book.insert(second);
        let plain = book.bytes;
        let choose = |kept: &mut Kept| {
            kept.chosen.insert("v2".into(), "y".repeat(500));
            kept.react(who(1), "👍", true)
        };
        assert!(book.change(&"m1".into(), choose).unwrap().0);
        assert!(book.bytes > plain + 500 + 300 && book.bytes == weighs(&book));
        let before = book.bytes;
        book.rename(&"v1".into(), "Somebody with quite a long name");
        assert!(book.bytes < before && book.bytes == weighs(&book));
        let quote = wire::Quote { text: "z".repeat(200), ..book.get(&"m1".into()).unwrap().quoted() };
        assert!(book.requote(&ConversationId::Contact("a".into()), &quote) && book.bytes == weighs(&book));
        book.forget(&ConversationId::Contact("a".into()));
        assert_eq!(book.bytes, 0);
    }

    #[test]
    fn who_sees_a_message_alike_is_told_it_once() {
        let mut message = kept(1, "a", "hi");
        message.talker = "v0".into();
        assert!((1..=8).all(|n| message.react(who(n), "👍", true)));
        assert!((5..=9).all(|n| message.react(who(n), "🎉", true)));
        message.chosen.insert("v9".into(), "y".into());
        message.chosen.insert("v10".into(), "y".into());
        let alike = |message: &Kept| {
            let viewers = (0..20).map(|n| ContactId::new(format!("v{n}"))).collect();
            let mut groups = message.alike(viewers, |id| if id.as_str() == "v19" { Lang::Zh } else { Lang::En });
            groups.iter_mut().for_each(|group| group.sort());
            groups.sort_by_key(|group| (group.len(), group[0].clone()));
            groups
                .iter()
                .map(|group| group.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let others = "v11 v12 v13 v14 v15 v16 v17 v18 v19";
        assert_eq!(alike(&message), ["v0", "v10", "v9", "v1 v2 v3 v4", "v5 v6 v7 v8", others]);
        message.note = Some(Note::Came { name: "A".into() });
        assert_eq!(alike(&message).len(), 7, "a note has two languages");
    }
}
