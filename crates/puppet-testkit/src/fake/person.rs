//! A person in the chat: says and hears.

use std::sync::Arc;

use wechaty_puppet::{ContactId, ConversationId, FileBox, Mention, MessageId, RoomId, SayablePayload, TextPayload};

use super::{FakeAccount, FakePlatform, FakeRoom, Heard, delivery::Words, heard::Place, world::Waiting};

/// A person who talks with one account of the platform. Clones are the same person and read the same inbox.
///
/// What a person does waits until a connected bot has accepted the event; with no bot connected (or events held) it
/// returns at once, and the platform delivers later. `leaves_…` never waits.
#[derive(Clone)]
pub struct Person {
    pub(super) platform: FakePlatform,
    pub(super) account: usize,
    id: ContactId,
    name: Arc<str>,
}

impl Person {
    pub(super) fn new(platform: FakePlatform, account: usize, id: ContactId) -> Self {
        let name = platform.shared.world.lock().name_of(&id).into();
        Self { platform, account, id, name }
    }

    /// The contact id.
    pub fn id(&self) -> ContactId {
        self.id.clone()
    }

    /// The name the person was introduced with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same person in conversation with another account.
    #[must_use]
    pub fn with(&self, account: &FakeAccount) -> Self {
        Self { account: account.index, ..self.clone() }
    }

    /// Says a text one to one.
    pub async fn says(&self, text: impl Into<String>) -> MessageId {
        self.sends(SayablePayload::text(text)).await
    }

    /// Says a text in a room.
    pub async fn says_in(&self, room: &FakeRoom, text: impl Into<String>) -> MessageId {
        self.sends_in(room, SayablePayload::text(text)).await
    }

    /// Says a text in a room and mentions people. The text is said as it is: write `@bot` into it where it matters.
    pub async fn mentions_in(&self, room: &FakeRoom, whom: &[ContactId], text: impl Into<String>) -> MessageId {
        let mentions = whom.iter().cloned().map(Mention::Contact).collect();
        self.sends_in(room, SayablePayload::Text(TextPayload { text: text.into(), mentions })).await
    }

    /// Says a text in a room and mentions everybody.
    pub async fn mentions_all_in(&self, room: &FakeRoom, text: impl Into<String>) -> MessageId {
        let mentions = vec![Mention::All];
        self.sends_in(room, SayablePayload::Text(TextPayload { text: text.into(), mentions })).await
    }

    /// Sends anything one to one.
    pub async fn sends(&self, what: SayablePayload) -> MessageId {
        self.speaks(self.direct(), what, None).await
    }

    /// Sends anything in a room.
    pub async fn sends_in(&self, room: &FakeRoom, what: SayablePayload) -> MessageId {
        self.speaks(self.place_in(room), what, None).await
    }

    /// Answers a message where it was said, quoting it.
    pub async fn replies_to(&self, message: &MessageId, text: impl Into<String>) -> MessageId {
        let place = match self.platform.message(message).as_ref().and_then(Heard::room) {
            Some(room) => Place::Room(room.clone()),
            None => self.direct(),
        };
        self.speaks(place, SayablePayload::text(text), Some(message.clone())).await
    }

    /// [`says`](Self::says) without waiting for the bot.
    pub fn leaves_message(&self, text: impl Into<String>) -> MessageId {
        self.utter(self.direct(), SayablePayload::text(text), None, &mut Waiting::nobody())
    }

    /// [`says_in`](Self::says_in) without waiting for the bot.
    pub fn leaves_message_in(&self, room: &FakeRoom, text: impl Into<String>) -> MessageId {
        self.utter(self.place_in(room), SayablePayload::text(text), None, &mut Waiting::nobody())
    }

    fn direct(&self) -> Place {
        Place::Direct(self.platform.shared.world.lock().bot(self.account).clone())
    }

    fn place_in(&self, room: &FakeRoom) -> Place {
        assert!(room.members().contains(&self.id), "{} is not in room {:?}", self.name, room.topic());
        Place::Room(room.id())
    }

    async fn speaks(&self, place: Place, what: SayablePayload, quote: Option<MessageId>) -> MessageId {
        let mut waiting = Waiting::somebody();
        let id = self.utter(place, what, quote, &mut waiting);
        self.platform.shared.accepted(waiting, || format!("message {id} of {}", self.name)).await;
        id
    }

    fn utter(&self, place: Place, what: SayablePayload, quote: Option<MessageId>, waiting: &mut Waiting) -> MessageId {
        let words = Words { talker: self.id.clone(), place, what: Arc::new(what), quote, key: None };
        self.platform.shared.world.lock().say(words, None, waiting).id.clone()
    }

    /// The next thing the bot says to this person one to one.
    ///
    /// # Panics
    /// After 60 s of real time, with the platform's book.
    pub async fn hears(&self) -> Heard {
        let shared = &self.platform.shared;
        let grew =
            shared.world.lock().accounts[self.account].direct.entry(self.id.clone()).or_default().log.grew.clone();
        let who = || format!("{} waited to hear from the bot", self.name);
        shared
            .wait(&grew, who, |world| {
                let inbox = world.accounts[self.account].direct.get_mut(&self.id)?;
                inbox.log.next(&mut inbox.read)
            })
            .await
    }

    /// The next thing a bot says in this room.
    ///
    /// # Panics
    /// After 60 s of real time, with the platform's book.
    pub async fn hears_in(&self, room: &FakeRoom) -> Heard {
        let shared = &self.platform.shared;
        let id = room.id();
        let grew = room.with(|room| room.log.grew.clone());
        let who = || format!("{} waited to hear from the bot in room {:?}", self.name, room.topic());
        shared.wait(&grew, who, |world| world.rooms.get_mut(&id)?.next_for(&self.id)).await
    }

    /// The next one-to-one message, if it is already there.
    pub fn hears_now(&self) -> Option<Heard> {
        let mut world = self.platform.shared.world.lock();
        let inbox = world.accounts[self.account].direct.get_mut(&self.id)?;
        inbox.log.next(&mut inbox.read)
    }

    /// Asserts that nothing is unread, one to one and in every room. It waits for nothing: let the bot finish first.
    ///
    /// # Panics
    /// If something is.
    pub fn hears_nothing(&self) {
        let unread = self.unread();
        assert!(unread.is_empty(), "{} expected to have heard everything, but there is {unread:?}", self.name);
    }

    /// What is unread, one to one and then room by room.
    pub fn unread(&self) -> Vec<Heard> {
        let world = self.platform.shared.world.lock();
        let direct = world.accounts[self.account].direct.get(&self.id);
        let mut unread = direct.map(|inbox| inbox.log.unread(inbox.read)).unwrap_or_default();
        unread.extend(world.rooms.values().flat_map(|room| room.unread_for(&self.id)));
        unread
    }

    /// Everything the bot said one to one, read or not.
    pub fn inbox(&self) -> Vec<Heard> {
        let world = self.platform.shared.world.lock();
        world.accounts[self.account].direct.get(&self.id).map(|inbox| inbox.log.all()).unwrap_or_default()
    }

    /// Everything bots said in the room, read or not.
    pub fn inbox_in(&self, room: &FakeRoom) -> Vec<Heard> {
        room.with(|room| room.log.all())
    }

    /// A message as it is now, edits included; `None` once it was recalled.
    pub fn sees(&self, message: &MessageId) -> Option<Heard> {
        self.platform.message(message)
    }

    /// Whether the bot shows this person that it is typing.
    pub fn sees_typing(&self) -> bool {
        FakeAccount { platform: self.platform.clone(), index: self.account }.is_typing(self.id.clone())
    }

    /// The account's messages to this person are refused from now on.
    pub fn blocks_bot(&self) {
        self.change(|person, account| {
            person.blocked.insert(account);
        });
    }

    /// … and are taken again.
    pub fn unblocks_bot(&self) {
        self.change(|person, account| {
            person.blocked.remove(&account);
        });
    }

    /// Sets the picture.
    pub fn sets_avatar(&self, file: FileBox) {
        self.change(|person, _| person.avatar = Some(file));
    }

    /// Changes the own phone number, handle, signature … as everybody sees them. The bot is not told: see
    /// [`FakePlatform::dirties`].
    pub fn changes_profile(&self, change: impl FnOnce(&mut wechaty_puppet::ContactPayload)) {
        self.change(|person, _| change(&mut person.payload));
    }

    fn change(&self, change: impl FnOnce(&mut super::world::PersonState, usize)) {
        let mut world = self.platform.shared.world.lock();
        let person = world.people.get_mut(&self.id).expect("a person handle belongs to its own platform");
        change(person, self.account);
    }

    /// The conversation with the bot, as the bot names it.
    pub fn conversation(&self) -> ConversationId {
        self.id.clone().into()
    }

    /// Rooms this person is in.
    pub fn rooms(&self) -> Vec<RoomId> {
        let world = self.platform.shared.world.lock();
        world.rooms.values().filter(|room| room.has(&self.id)).map(|room| room.id.clone()).collect()
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.id)
    }
}
