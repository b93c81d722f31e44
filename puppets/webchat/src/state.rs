//! STATE: everything there is, behind one lock that is never held over an await; and who is told of what.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use serde::Serialize;
use serde_json::json;
use wechaty_catalogue::Lang;
use wechaty_puppet::{ContactId, ConversationId, IdempotencyKey, MessageId, RoomId, Sent, Timestamp};

use crate::{
    BOT, CAPABILITIES, Options,
    addresses::Addresses,
    book::{Book, Kept, place},
    earlier::{Earlier, Stayed},
    files::Files,
    guard::{self, Maker},
    limits,
    notes::Note,
    rooms::Rooms,
    stream::{Entry, event},
    visitors::{Visitors, shown},
    wire::{self, Kind},
};

/// How long "… is typing" is shown.
const TYPING: Duration = Duration::from_secs(6);
/// Most keys remembered.
const KEYS: usize = 65_536;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) visitors: Visitors,
    pub(crate) rooms: Rooms,
    pub(crate) book: Book,
    pub(crate) files: Files,
    pub(crate) keys: Keys,
    pub(crate) joins: Addresses,
    pub(crate) guesses: Addresses,
    pub(crate) bot_name: String,
    pub(crate) maker: Maker,
    /// As long as visitors of an earlier process may come back to what the bot says meanwhile.
    earlier: Option<Earlier>,
    has_begun: bool,
    seq: u64,
    number: u64,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            visitors: Visitors::new(options.visitors, &options.bot_name),
            rooms: Rooms::new(options.rooms),
            book: Book::new(options.history),
            files: Files::new(options.files_limit, options.file_limit),
            keys: Keys::default(),
            joins: Addresses::new(limits::JOINS),
            guesses: Addresses::new(limits::GUESSES),
            bot_name: options.bot_name.clone(),
            maker: Maker::random(),
            earlier: None,
            has_begun: false,
            seq: 0,
            number: 0,
        }
    }

    /// A run begins; the first one is when the process does.
    pub(crate) fn begin(&mut self, now: Timestamp, stayed: Stayed) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.earlier = Some(Earlier::new(now, stayed));
        }
    }

    /// Whether somebody of an earlier process may come back under this id.
    fn may_return(&self, id: &ContactId) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| earlier.has(id, &self.maker))
    }

    /// Who has been here for long, or had been before this process and is not back yet.
    pub(crate) fn stayed(&self, now: Timestamp) -> Stayed {
        let is_back = |id: &ContactId| self.visitors.get(id).is_some();
        let mut stayed = self.earlier.as_ref().map(|earlier| earlier.stayed(is_back)).unwrap_or_default();
        self.visitors.all(now).for_each(|(id, seen)| stayed.note(id, seen, now));
        stayed
    }

    /// What a page shows from its joining on.
    pub(crate) fn ticket(&self, now: Timestamp) -> String {
        let id = self.maker.visitor(now);
        shown(&id, &self.maker.secret(&id))
    }

    /// Whether somebody comes with a ticket, or comes back: they are not here.
    pub(crate) fn comes(&self, id: &ContactId, secret: &str) -> bool {
        self.visitors.get(id).is_none() && self.maker.secret(id).is(secret)
    }

    /// Who of an earlier process has not come back by now does not: what was said to them goes.
    pub(crate) fn give_up_earlier(&mut self, now: Timestamp) {
        if self.earlier.take_if(|earlier| earlier.is_over(now)).is_none() {
            return;
        }
        for to in self.book.places() {
            if let ConversationId::Contact(id) = &to
                && self.visitors.get(id).is_none()
            {
                for gone in self.book.forget(&to) {
                    self.release(&gone);
                }
            }
        }
    }

    /// The last event that anybody was told of.
    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
    pub(crate) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
    /// An id that no other process with the same store has made either, whatever its clock said.
    pub(crate) fn id(kind: char, now: Timestamp) -> String {
        format!("{kind}{}-{}", now.as_millis(), guard::random())
    }

    /// The name of a visitor, or the bot's.
    pub(crate) fn name(&self, id: &ContactId) -> Option<String> {
        if id.as_str() == BOT { Some(self.bot_name.clone()) } else { Some(self.visitors.get(id)?.name.clone()) }
    }
    pub(crate) fn bot(&self) -> wire::Person {
        wire::Person { id: BOT.to_owned(), name: self.bot_name.clone(), bot: true }
    }
    pub(crate) fn person(&self, id: &ContactId) -> wire::Person {
        wire::Person { id: id.to_string(), name: self.name(id).unwrap_or_default(), bot: id.as_str() == BOT }
    }

    /// The conversation a visitor names, if they are in it.
    pub(crate) fn place(&self, me: &ContactId, name: &str) -> Option<ConversationId> {
        if name == BOT {
            return Some(ConversationId::Contact(me.clone()));
        }
        let room = RoomId::new(name);
        self.rooms.get(&room)?.members.contains(me).then_some(ConversationId::Room(room))
    }
    /// Whether the bot can say something there.
    pub(crate) fn is_there(&self, to: &ConversationId) -> bool {
        match to {
            ConversationId::Contact(id) => self.visitors.get(id).is_some() || self.may_return(id),
            ConversationId::Room(id) => self.rooms.get(id).is_some(),
        }
    }
    /// The visitors in a conversation.
    pub(crate) fn audience(&self, to: &ConversationId) -> Vec<ContactId> {
        match to {
            ConversationId::Contact(id) => vec![id.clone()],
            ConversationId::Room(id) => {
                self.rooms.get(id).map(|room| room.members.iter().cloned().collect()).unwrap_or_default()
            }
        }
    }
    pub(crate) fn conversation(&self, to: &ConversationId) -> Option<wire::Conversation> {
        let mut members: Vec<wire::Person> = self.audience(to).iter().map(|id| self.person(id)).collect();
        members.insert(0, self.bot());
        let (kind, title) = match to {
            ConversationId::Contact(_) => ("direct", self.bot_name.clone()),
            ConversationId::Room(id) => ("room", self.rooms.get(id)?.topic.clone()),
        };
        Some(wire::Conversation { id: place(to), kind, title, members })
    }

    fn push(&mut self, id: &ContactId, entry: Entry) {
        if let Some(visitor) = self.visitors.get_mut(id) {
            visitor.log.push(entry);
        }
    }

    /// Tells these visitors the same. `key`: a newer event of the same key replaces it.
    pub(crate) fn tell(&mut self, whom: &[ContactId], name: &str, key: Option<&str>, data: &impl Serialize) {
        let seq = self.next_seq();
        self.tell_as(seq, whom, name, key, None, data);
    }

    fn tell_as(
        &mut self,
        seq: u64,
        whom: &[ContactId],
        name: &str,
        key: Option<&str>,
        until: Option<Timestamp>,
        data: &impl Serialize,
    ) {
        // Plain structs of texts and numbers always have a JSON.
        let Ok(json) = serde_json::to_string(data) else { return };
        let entry = Entry { seq, key: key.map(Into::into), until, text: event(seq, name, &json) };
        for id in whom {
            self.push(id, entry.clone());
        }
    }

    /// Tells a message, `message` or `edit`, to everybody in its conversation, each as they see it.
    pub(crate) fn tell_message(&mut self, name: &str, id: &MessageId) {
        let Some(kept) = self.book.get(id) else { return };
        // The event of a new message has the message's own number.
        let number = if name == "message" { Some(kept.seq) } else { None };
        let views = self.views(kept, |viewer| kept.view(viewer, self.lang(viewer)));
        let seq = number.unwrap_or_else(|| self.next_seq());
        for (whom, view) in views {
            self.tell_as(seq, &whom, name, None, None, &view);
        }
    }

    fn lang(&self, id: &ContactId) -> Lang {
        self.visitors.get(id).map(|visitor| visitor.lang).unwrap_or_default()
    }

    /// What each in a message's conversation is told of it, made once for those who see it alike.
    fn views<T>(&self, kept: &Kept, view: impl Fn(&ContactId) -> T) -> Vec<(Vec<ContactId>, T)> {
        let alike = kept.alike(self.audience(&kept.to), |viewer| self.lang(viewer));
        let first = |whom: &Vec<ContactId>| whom.first().map(&view);
        alike.into_iter().filter_map(|whom| first(&whom).map(|view| (whom, view))).collect()
    }

    /// Changes a message, and lets go what falls out of the history for it.
    pub(crate) fn change<T>(&mut self, id: &MessageId, change: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        let (done, gone) = self.book.change(id, change)?;
        gone.iter().for_each(|gone| self.release(gone));
        Some(done)
    }

    /// A message enters the history, and everybody is told.
    pub(crate) fn publish(&mut self, mut kept: Kept) {
        kept.seq = self.next_seq();
        let id = kept.id.clone();
        for gone in self.book.insert(kept) {
            self.release(&gone);
        }
        self.tell_message("message", &id);
    }

    /// A message that waits for its acceptance is accepted: it was handled by the bot.
    pub(crate) fn settle(&mut self, id: &MessageId) {
        if let Some(kept) = self.book.take_waiting(id) {
            self.publish(kept);
        }
    }

    pub(crate) fn release(&mut self, kept: &Kept) {
        if let Some(token) = &kept.file {
            self.files.release(token);
        }
    }

    /// Takes a message back: nothing of its content stays, nor in what quotes it. What the bot forwarded is the bot's
    /// own message, which it can take back itself.
    pub(crate) fn recall(&mut self, id: &MessageId) {
        let changed = self.change(id, |kept| {
            kept.recalled = true;
            kept.body = wire::Body { kind: kept.body.kind, ..wire::Body::default() };
            kept.quote = None;
            kept.mentions.clear();
            kept.reactions.clear();
            kept.chosen.clear();
            (kept.file.take(), kept.to.clone())
        });
        let Some((token, to)) = changed else { return };
        let data = json!({ "conversation": place(&to), "id": id });
        if let Some(token) = token {
            self.files.release(&token);
        }
        let audience = self.audience(&to);
        self.tell(&audience, "recall", None, &data);
        self.requote(id);
    }

    /// A message is changed or taken back, and so is what others quote of it.
    pub(crate) fn requote(&mut self, id: &MessageId) {
        let Some(kept) = self.book.get(id) else { return };
        let (mut quote, to) = (kept.quoted(), kept.to.clone());
        if quote.recalled {
            quote.text.clear();
        }
        if self.book.requote(&to, &quote) {
            let audience = self.audience(&to);
            let data = json!({ "conversation": place(&to), "quote": quote });
            self.tell(&audience, "quote", Some(&format!("quote {id}")), &data);
        }
    }

    /// Adds or takes back a reaction; false: it stands so already, or there are too many.
    pub(crate) fn react(&mut self, id: &MessageId, who: &ContactId, reaction: &str, added: bool) -> bool {
        let Some(name) = self.name(who) else { return false };
        let who = wire::Who { id: who.to_string(), name };
        if self.change(id, |kept| kept.react(who, reaction, added)) != Some(true) {
            return false;
        }
        let Some(kept) = self.book.get(id) else { return false };
        let told = |viewer: &ContactId| json!({ "conversation": place(&kept.to), "id": id, "reactions": kept.told_reactions(viewer) });
        let (views, key) = (self.views(kept, told), format!("reaction {id}"));
        let seq = self.next_seq();
        for (whom, view) in views {
            self.tell_as(seq, &whom, "reaction", Some(&key), None, &view);
        }
        true
    }

    /// Somebody has chosen: their tabs agree. What others chose is not for everybody.
    pub(crate) fn choose(&mut self, id: &MessageId, who: ContactId, value: String) {
        let chosen = self.change(id, |kept| {
            kept.chosen.insert(who.clone(), value.clone());
            place(&kept.to)
        });
        let Some(place) = chosen else { return };
        let data = json!({ "conversation": place, "id": id, "value": value });
        self.tell(&[who], "chosen", Some(&format!("chosen {id}")), &data);
    }

    /// Shows these people that somebody types.
    pub(crate) fn typing(&mut self, to: &ConversationId, who: &ContactId, now: Timestamp) {
        let Some(name) = self.name(who) else { return };
        let mut audience = self.audience(to);
        audience.retain(|id| id != who);
        let data = json!({ "conversation": place(to), "from": wire::Who { id: who.to_string(), name } });
        let (seq, key) = (self.next_seq(), format!("typing {} {who}", place(to)));
        self.tell_as(seq, &audience, "typing", Some(&key), Some(now.plus(TYPING)), &data);
    }

    /// A system line.
    pub(crate) fn note(&mut self, room: &RoomId, who: &ContactId, note: Note, now: Timestamp) {
        let id = MessageId::new(Self::id('n', now));
        let name = self.name(who).unwrap_or_default();
        let mut kept = Kept::new(id, room.clone().into(), who.clone(), name, now);
        kept.body.kind = Kind::Note;
        kept.note = Some(note);
        self.publish(kept);
    }

    /// A room is new or changed: its members see it, everybody sees the list.
    pub(crate) fn tell_room(&mut self, room: &RoomId) {
        let to = ConversationId::Room(room.clone());
        if let Some(conversation) = self.conversation(&to) {
            let audience = self.audience(&to);
            self.tell(&audience, "conversation", Some(&format!("conversation {room}")), &conversation);
        }
        self.tell_rooms();
    }

    /// The rooms each may enter.
    pub(crate) fn tell_rooms(&mut self) {
        let special: HashSet<ContactId> = self.rooms.special();
        let (apart, all): (Vec<ContactId>, Vec<ContactId>) =
            self.visitors.ids().cloned().partition(|id| special.contains(id));
        let seq = self.next_seq();
        let open = self.rooms.list(None);
        self.tell_as(seq, &all, "rooms", Some("rooms"), None, &open);
        for id in apart {
            let list = self.rooms.list(Some(&id));
            self.tell_as(seq, &[id], "rooms", Some("rooms"), None, &list);
        }
    }

    /// Gives a visitor another name, wherever they are named; the old one, which is still theirs.
    pub(crate) fn rename(&mut self, id: &ContactId, name: String) -> Option<String> {
        let old = self.visitors.rename(id, name.clone())?;
        self.book.rename(id, &name);
        Some(old)
    }

    /// Forgets a visitor and what was said one to one.
    pub(crate) fn forget(&mut self, id: &ContactId) {
        self.visitors.remove(id);
        for gone in self.book.forget(&ConversationId::Contact(id.clone())) {
            self.release(&gone);
        }
    }
}

/// Keys of sends that were done.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    known: HashMap<IdempotencyKey, (Timestamp, Sent)>,
    order: VecDeque<IdempotencyKey>,
}

impl Keys {
    pub(crate) fn repeat(&self, key: &IdempotencyKey, now: Timestamp) -> Option<Sent> {
        let window = CAPABILITIES.key_window.unwrap_or_default();
        self.known.get(key).filter(|(at, _)| now.since(*at) < window).map(|(_, sent)| sent.clone())
    }
    pub(crate) fn enter(&mut self, key: IdempotencyKey, now: Timestamp, sent: Sent) {
        if self.known.insert(key, (now, sent)).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
