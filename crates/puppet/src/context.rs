//! What a running puppet gets: where its events go, where its session lives, the clock, the wish to stop.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use wechaty_types::{AccountId, ContactId, Event, EventPayload};

use crate::{BoxError, Clock, LoginStep};

/// A platform's position in its event stream; opaque to everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Bytes);

impl Cursor {
    /// From the platform's own text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Bytes::from(text.into()))
    }
    /// As text; `None` if it is none.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Events that are committed together with the cursor behind them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// In the platform's order.
    pub events: Vec<Event>,
    /// Where to go on after a restart; `None`: unchanged.
    pub cursor: Option<Cursor>,
}

impl From<Event> for Batch {
    fn from(event: Event) -> Self {
        Self { events: vec![event], cursor: None }
    }
}

impl From<EventPayload> for Batch {
    fn from(what: EventPayload) -> Self {
        Event::new(what).into()
    }
}

impl From<LoginStep> for Batch {
    fn from(step: LoginStep) -> Self {
        Event::new(step).into()
    }
}

impl From<Vec<Event>> for Batch {
    fn from(events: Vec<Event>) -> Self {
        Self { events, cursor: None }
    }
}

/// Why events were not accepted. They are not durable: do not acknowledge them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The bot is stopping: return from `run`.
    #[error("the bot is stopping")]
    Stopping,
    /// Another identity than the slot's logged in.
    #[error("account {account} belongs to {expected}, but {found} logged in: adopt it or log in as {expected}")]
    Identity {
        /// The configured slot.
        account: AccountId,
        /// Who logged in before.
        expected: ContactId,
        /// Who did now.
        found: ContactId,
    },
    /// The store failed; try the batch again later.
    #[error("the events could not be stored")]
    Store(#[source] BoxError),
}

/// Where events go; implemented by the bot, and by the test kit.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// See [`PuppetContext::accept`].
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError>;
}

/// The puppet's own small persistent state: login session, device keys, token.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The value of a key.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError>;
    /// Replaces the value; `None` removes it. Durable on return.
    async fn set(&self, key: &str, value: Option<Bytes>) -> Result<(), BoxError>;
}

/// What [`Puppet::run`](crate::Puppet::run) works with. Cheap to clone.
#[derive(Clone)]
pub struct PuppetContext {
    account: AccountId,
    sink: Arc<dyn EventSink>,
    session: Arc<dyn SessionStore>,
    clock: Clock,
    cancelled: CancellationToken,
    cursor: Option<Cursor>,
}

impl PuppetContext {
    /// Puts a context together; done by the bot and by the test kit.
    pub fn new(
        account: AccountId,
        sink: Arc<dyn EventSink>,
        session: Arc<dyn SessionStore>,
        clock: Clock,
        cancelled: CancellationToken,
        cursor: Option<Cursor>,
    ) -> Self {
        Self { account, sink, session, clock, cancelled, cursor }
    }

    /// Hands over events. Returns once they are durable: acknowledge or move the cursor then, not before. Waits while
    /// the bot is full. Duplicates are dropped by the bot.
    ///
    /// # Errors
    /// [`AcceptError`]; nothing of the batch counts as accepted then.
    pub async fn accept(&self, batch: impl Into<Batch>) -> Result<(), AcceptError> {
        self.sink.accept(batch.into()).await
    }
    /// The configured slot this puppet runs for.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The puppet's own persistent state.
    pub fn session(&self) -> &dyn SessionStore {
        &*self.session
    }
    /// The clock; nothing else tells a puppet the time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
    /// Completes when the bot wants the puppet to return.
    pub async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }
    /// The token behind [`cancelled`](Self::cancelled), for child tasks.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancelled
    }
    /// The cursor committed last.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }
}

impl fmt::Debug for PuppetContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PuppetContext").field("account", &self.account).field("cursor", &self.cursor).finish()
    }
}
