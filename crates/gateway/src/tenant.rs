//! TENANT: one account behind the gateway, with what its client needs beside the bot.

use std::{path::PathBuf, sync::Arc, time::Duration};

use quick_cache::sync::Cache;
use tonic::Status;
use wechaty::{
    Account, Bot, Receipt, ReceiptState,
    types::{ContactId, DirtyEvent, DirtyType},
};
use wechaty_file_box::{FileBoxError, LoadOptions};
use wechaty_puppet::{
    Capability, ConversationId, IdempotencyKey, MessageId, MessagePayload, PuppetError, RoomId, Sent,
};

use crate::{
    doubt::Doubts,
    fault::Answer,
    feed::Feed,
    hand_over::HandOver,
    keys::Told,
    listen::Connection,
    shelf::{Bounds, Shelf},
};

/// Bounds of a tenant.
#[derive(Clone, Debug)]
pub struct TenantOptions {
    /// Events that wait for the client; more are not taken from the bot. Default: 10,000.
    pub waiting: usize,
    /// How long a send is waited for. It goes on when the wait is over. Default: 60 s.
    pub send_wait: Duration,
    /// Largest file in bytes. Default: 2 GiB.
    pub largest_file: u64,
    /// All files of the account that wait here, in bytes. Default: 8 GiB.
    pub all_files: u64,
    /// How long an uploaded file is kept. Default: 30 min.
    pub file_life: Duration,
    /// Where files wait for their download; made where needed.
    pub files: PathBuf,
}

impl TenantOptions {
    /// The usual bounds, with files in this folder.
    pub fn new(files: impl Into<PathBuf>) -> Self {
        Self {
            waiting: 10_000,
            send_wait: Duration::from_secs(60),
            largest_file: 2 << 30,
            all_files: 8 << 30,
            file_life: Duration::from_secs(30 * 60),
            files: files.into(),
        }
    }
}

/// How long a start is waited for; a puppet that is slower goes on starting.
const START: Duration = Duration::from_secs(15);
/// Of so many sent messages it is known what they said, where the platform does not tell.
const SENT: usize = 1_000;
/// Of so many sends it is known without looking them up that they were told before.
const KEYED: usize = 4_096;
/// Where it is remembered which accounts clients have started.
const MEMORY: &str = "gateway";
/// How often a client hears that the account lives.
const BEAT: Duration = Duration::from_secs(30);

/// An account of a bot, served to one client.
pub struct Tenant {
    pub(crate) bot: Bot,
    pub(crate) account: Account,
    pub(crate) feed: Arc<Feed>,
    pub(crate) files: Arc<Shelf>,
    pub(crate) options: TenantOptions,
    sent: Cache<MessageId, Arc<MessagePayload>>,
    /// Sends that may be told again, by their keys.
    keyed: Arc<Cache<IdempotencyKey, Receipt>>,
    pub(crate) doubts: Doubts,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenant").field("account", self.account.id()).finish_non_exhaustive()
    }
}

impl Tenant {
    /// Serves the accounts of a bot that is not started, in their order: the client of each starts and stops it.
    ///
    /// # Errors
    /// When the folder of their files cannot be made, or the bot has a plugin `gateway` already.
    pub fn all(bot: &Bot, options: &TenantOptions) -> wechaty::Result<Vec<Arc<Self>>> {
        let one = |account: &Account| Self::new(bot, account, options.clone());
        let tenants = bot.accounts().iter().map(one).collect::<wechaty::Result<Vec<_>>>()?;
        let feeds = tenants.iter().map(|tenant| (tenant.account.id().clone(), tenant.feed.clone()));
        bot.install(HandOver(Arc::new(feeds.collect())))?;
        Ok(tenants)
    }

    fn new(bot: &Bot, account: &Account, options: TenantOptions) -> wechaty::Result<Arc<Self>> {
        let clock = bot.clock().clone();
        let feed = Feed::new(options.waiting, &clock);
        // A folder each: an id of one account's file is nothing to another's client. The id of an account may be no name of a
        // folder everywhere.
        let place = bot.accounts().iter().position(|other| other == account).unwrap_or_default();
        let bounds = Bounds { life: options.file_life, most: options.all_files };
        let files = Shelf::new(options.files.join(place.to_string()), &clock, bounds)?;
        let (bot, account, files) = (bot.clone(), account.clone(), Arc::new(files));
        Ok(Arc::new(Self {
            bot,
            account,
            feed,
            files,
            options,
            sent: Cache::new(SENT),
            keyed: Arc::new(Cache::new(KEYED)),
            doubts: Doubts::new(&clock),
        }))
    }

    /// Its account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The bot.
    pub fn bot(&self) -> &Bot {
        &self.bot
    }

    /// Whether a client listens to the events.
    pub fn is_listened_to(&self) -> bool {
        self.feed.is_open()
    }

    /// Starts the account, if it does not run.
    pub(crate) async fn turn_on(&self) -> Answer<()> {
        let (bot, account) = (self.bot.clone(), self.account.clone());
        // First: a puppet that is slow is started again, too, after a restart.
        self.note_started(true).await;
        // In a task: a client that gives up halfway finds it started.
        let started = wechaty_puppet::task::spawn(async move { bot.start_account(&account).await });
        match self.bot.clock().timeout(START, started).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => {
                self.note_started(false).await;
                Err(error.into())
            }
            Ok(Err(error)) => Err(wechaty::Error::other(error).into()),
            Err(_) => Ok(()),
        }
    }

    /// Ends the stream, and stops the account. `on`: where that was asked for.
    pub(crate) async fn turn_off(&self, on: Option<&Connection>) -> Answer<()> {
        self.feed.heard_the_last(on);
        // Its connection stays for the answer.
        self.feed.end(Status::unavailable("the client has stopped the puppet"), false);
        self.note_started(false).await;
        let stopped = self.bot.stop_account(&self.account).await;
        // While others run, what waits is in the hands of handlers still.
        self.feed.forget_abandoned();
        Ok(stopped?)
    }

    /// Starts the account, if a client had started it when the process ended: some only open their stream again.
    pub async fn resume(&self) {
        let started = self.bot.memory().multiplex(MEMORY).get(&self.started_key());
        if started.ok().flatten().unwrap_or(false)
            && let Err(fault) = self.turn_on().await
        {
            tracing::error!(account = %self.account.id(), error = fault.0.message(), "it could not be started again");
        }
    }

    /// Where it is remembered that its client has started it.
    fn started_key(&self) -> String {
        format!("started {}", self.account.id())
    }

    async fn note_started(&self, is_started: bool) {
        if let Err(error) = self.bot.memory().multiplex(MEMORY).set(&self.started_key(), is_started).await {
            tracing::warn!(account = %self.account.id(), %error, "whether it was started will not be known after a restart");
        }
    }

    /// Ends the stream: the gateway stops.
    pub fn end_stream(&self, why: &'static str) {
        self.feed.end(Status::unavailable(why), true);
    }

    /// Tells the client now and then that the account lives, so that it need not ask; for ever.
    pub async fn beat(&self) {
        use wechaty::AccountState::{Connected, LoggedIn};
        loop {
            self.bot.clock().sleep(BEAT).await;
            self.feed.alive();
            self.files.purge().await;
            self.doubts.purge();
            if matches!(self.account.state(), Connected | LoggedIn(_)) {
                self.feed.beat().beat();
                self.feed.tell(wechaty::types::HeartbeatEvent { data: Some("gateway".to_owned()) }.into());
            }
        }
    }

    /// Changes a contact.
    pub(crate) async fn changing_contact<T>(
        &self,
        id: &str,
        change: impl Future<Output = wechaty::Result<T>>,
    ) -> Answer<T> {
        let stale = DirtyEvent { payload_type: DirtyType::Contact, payload_id: id.to_owned() };
        self.feed.changing(self.bot.clock(), vec![stale], async { Ok(change.await?) }).await
    }

    /// Changes a room.
    pub(crate) async fn changing_room<T>(
        &self,
        id: &str,
        change: impl Future<Output = wechaty::Result<T>>,
    ) -> Answer<T> {
        let stale = DirtyEvent { payload_type: DirtyType::Room, payload_id: id.to_owned() };
        self.feed.changing(self.bot.clock(), vec![stale], async { Ok(change.await?) }).await
    }

    /// Changes who is in a room.
    pub(crate) async fn changing_members<T>(
        &self,
        id: &str,
        change: impl Future<Output = wechaty::Result<T>>,
    ) -> Answer<T> {
        let stale = [DirtyType::Room, DirtyType::RoomMember];
        let stale = stale.map(|payload_type| DirtyEvent { payload_type, payload_id: id.to_owned() }).to_vec();
        self.feed.changing(self.bot.clock(), stale, async { Ok(change.await?) }).await
    }

    /// A group of calls of the puppet.
    pub(crate) fn need<'a, T: ?Sized>(&self, group: Option<&'a T>, capability: Capability) -> Answer<&'a T> {
        Ok(group.ok_or_else(|| PuppetError::unsupported(self.account.platform(), capability))?)
    }

    /// How files are read and written for the client.
    pub(crate) fn load(&self) -> LoadOptions {
        LoadOptions {
            max_bytes: self.options.largest_file,
            timeout: self.options.file_life,
            uuid_store: Some(self.files.clone()),
            ..LoadOptions::default()
        }
    }

    /// The conversation that an id names: the wire does not tell a contact's from a room's.
    pub(crate) async fn conversation(&self, id: &str) -> Answer<ConversationId> {
        let (room, contact) = (RoomId::new(id), ContactId::new(id));
        let looks_like_room = id.contains('@');
        // What it looks like first: the other look-up is then seldom made.
        let first = if looks_like_room { self.has_room(&room).await } else { self.has_contact(&contact).await };
        let is_room = match first {
            Some(true) => looks_like_room,
            Some(false) => {
                let other = if looks_like_room { self.has_contact(&contact).await } else { self.has_room(&room).await };
                if other != Some(true) {
                    let error = PuppetError::NotFound { what: "conversation", id: id.to_owned() };
                    return Err(error.into());
                }
                !looks_like_room
            }
            None => looks_like_room,
        };
        Ok(if is_room { room.into() } else { contact.into() })
    }

    /// `None`: nobody knows.
    async fn has_room(&self, id: &RoomId) -> Option<bool> {
        known(self.account.room(id.clone()).await)
    }

    async fn has_contact(&self, id: &ContactId) -> Option<bool> {
        known(self.account.contact(id.clone()).await)
    }

    /// A message, received or sent.
    pub(crate) async fn message(&self, id: &MessageId) -> Answer<Arc<MessagePayload>> {
        // It may wait for longer than anybody else keeps it.
        if let Some(payload) = self.feed.message(id) {
            return Ok(payload);
        }
        match self.account.message(id).await {
            Ok(message) => Ok(message.payload().clone()),
            Err(error) => self.sent.get(id).ok_or_else(|| error.into()),
        }
    }

    /// Says it, once under its key: who tells it again has the receipt of the first.
    pub(crate) async fn say_once(
        &self,
        told: Told,
        to: ConversationId,
        what: wechaty::types::SayablePayload,
    ) -> Answer<Receipt> {
        let (account, keyed, mut again) = (self.account.clone(), self.keyed.clone(), told.again);
        if keyed.get(&told.key).is_some_and(|receipt| matches!(receipt.state(), ReceiptState::Failed(_))) {
            // The store knows whether it may be tried again. A stop of the account fails it, too, and leaves it there.
            (again, _) = (true, keyed.remove(&told.key));
        }
        // In a task: a client that is gone leaves no second one between the look and the say.
        let said = wechaty_puppet::task::spawn(async move {
            let say = async {
                let earlier = if again { account.earlier_send(told.key).await? } else { None };
                match earlier {
                    Some(receipt) => Ok(receipt),
                    None => match &to {
                        ConversationId::Contact(id) => account.contact_handle(id).say(what).under(told.key).await,
                        ConversationId::Room(id) => account.room_handle(id).say(what).under(told.key).await,
                    },
                }
            };
            keyed.get_or_insert_async(&told.key, say).await
        });
        Ok(said.await.map_err(wechaty::Error::other)??)
    }

    /// The receipt of what was said under this key, unless that was long ago.
    pub(crate) fn receipt(&self, key: IdempotencyKey) -> Option<Receipt> {
        self.keyed.get(&key)
    }

    /// What was just sent, for platforms that do not tell it.
    pub(crate) fn remember(&self, sent: &Sent, to: &ConversationId, what: &wechaty::types::SayablePayload) {
        let (Some(id), Some(me)) = (&sent.id, self.account.me()) else { return };
        let mut payload = MessagePayload::direct(id.clone(), ContactId::clone(&me), to.as_str(), "");
        payload.kind = what.message_type();
        payload.timestamp = sent.timestamp.unwrap_or_else(|| self.bot.clock().wall());
        payload.text = what.as_text().map(str::to_owned);
        payload.filename = what.files().first().map(|file| file.name().to_owned());
        if let ConversationId::Room(room) = to {
            (payload.room_id, payload.listener_id) = (Some(room.clone()), None);
        }
        self.sent.insert(id.clone(), Arc::new(payload));
    }
}

fn known<T>(loaded: wechaty::Result<T>) -> Option<bool> {
    match loaded {
        Ok(_) => Some(true),
        Err(wechaty::Error::Puppet(PuppetError::NotFound { .. })) => Some(false),
        Err(_) => None,
    }
}

/// A file that is too large.
pub(crate) fn too_large(name: &str, limit: u64) -> FileBoxError {
    FileBoxError::TooLarge { name: name.to_owned(), limit }
}
