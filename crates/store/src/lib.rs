//! STORE: all state goes through one trait of few, batched, idempotent operations; none is atomic across conversations.

mod archive;
mod blob;
#[doc(hidden)]
pub mod crash;
mod dead;
mod keys;
mod ledger;
mod memory;
mod messages;
mod remembered;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wechaty_file_box::ByteStream;
use wechaty_puppet::{BoxError, Cursor, IdempotencyKey, Sent};
use wechaty_types::{AccountId, ConversationId, Event, MessageId, SayablePayload, Timestamp};

pub use archive::{Archive, Book, Find, Hops, Record};
pub use blob::{BlobHasher, BlobId, Spooled, named};
pub use dead::Dead;
pub use keys::{KEY_LIFE, Keys, MOST_KEYS};
pub use ledger::{Books, InLedger, Ledger, OutLedger};
pub use memory::MemoryStore;
pub use messages::{Ended, MessagePage, Messages, NoPlace, Place};

/// Result of store operations.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Disk, network, corruption …
    #[error("the store failed while {context}")]
    Failed {
        /// What was being done.
        context: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// There is no room; it may go well later.
    #[error("the store failed while {context}: there is no room")]
    Full {
        /// What was being done.
        context: &'static str,
        /// What the system says.
        #[source]
        source: BoxError,
    },
    /// There will never be room: it is larger than the store may become.
    #[error(
        "the store failed while {context}: that has {:.1} MiB at least, and there is room for {:.1} MiB even in an empty store; \
         make it smaller, or let the store become larger (`most_mib` of [store])", mib(*size), mib(*most)
    )]
    TooLarge {
        /// What was being done.
        context: &'static str,
        /// Its size in bytes, as far as it was read.
        size: u64,
        /// The most an empty store takes, in bytes.
        most: u64,
    },
    /// Handlers of events have run, and that could not be written: they may run again at the next start.
    #[error("it could not be written that {} over: their handlers have run, and may run again at the next start", over(*count, events))]
    Unended {
        /// How many events.
        count: u64,
        /// The first of them.
        events: Vec<EventSeq>,
    },
    /// The bytes of a file that should be kept broke off.
    #[error("a file cannot be read")]
    Unreadable {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The value was changed by somebody else meanwhile.
    #[error("{namespace}/{key} was changed meanwhile: it is at version {found}, not {expected}")]
    Conflict {
        /// Where.
        namespace: String,
        /// Which.
        key: String,
        /// The version the caller had seen; 0: absent.
        expected: u64,
        /// The version there is.
        found: u64,
    },
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// `2 events (e1, e5) are`.
fn over(count: u64, events: &[EventSeq]) -> String {
    let (what, are) = if count == 1 { ("event", "is") } else { ("events", "are") };
    let mut names: Vec<_> = events.iter().map(|event| format!("e{event}")).collect();
    if count > names.len() as u64 {
        names.push("…".to_owned());
    }
    format!("{count} {what} ({}) {are}", names.join(", "))
}

/// Why a store takes nothing, or not everything. Nothing that it accepted is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Trouble {
    /// There is no room: it takes nothing new.
    Full,
    /// It may only be read.
    ReadOnly,
    /// A part of it cannot be read; the rest goes on.
    Damaged,
    /// The system refuses to read or write.
    Failing,
}

/// Number of an accepted event: ascending in the order of acceptance, never reused within a store.
pub type EventSeq = u64;

/// Number of an enqueued send: ascending, never reused within a store.
pub type SendSeq = u64;

/// A stable word for why, as the ledger counts it.
pub type Reason = Cow<'static, str>;

/// A 16 byte digest of (kind, platform id, revision).
pub type DedupeKey = [u8; 16];

/// An event about to be accepted.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What is compared against earlier events of the account; `None`: events of the kind repeat by nature.
    pub dedupe: Option<DedupeKey>,
    /// The lane it belongs to; `None`: the account's own.
    pub conversation: Option<ConversationId>,
    /// The event.
    pub event: Event,
    /// When it came, on the bot's clock.
    pub received: Timestamp,
}

/// An accepted event that is not finished.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its number.
    pub seq: EventSeq,
    /// Names it across runs: the dedupe key, or its number where it has none.
    pub identity: DedupeKey,
    /// Its lane.
    pub conversation: Option<ConversationId>,
    /// The event.
    pub event: Event,
    /// When it came, on the bot's clock.
    pub received: Timestamp,
    /// How often it [began](Store::begin) and was neither finished nor calmed.
    pub runs: u32,
    /// When it was taken in, as far as that is known again.
    pub hops: Hops,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every handler has returned; the errors inside, by handler name. `by` false: no handler matched.
    Handled {
        /// Whether any handler took it.
        by: bool,
        /// Names of handlers that failed.
        errors: Vec<Arc<str>>,
        /// Sends of an earlier run that this one did not repeat.
        diverged: u64,
    },
    /// It became part of another event.
    Merged,
    /// It was refused.
    Rejected(Reason),
    /// It was too old.
    Expired(Reason),
}

impl Outcome {
    /// The ledger's term, with its reason: `handled`, `rejected(poison)`.
    pub fn end(&self) -> Cow<'static, str> {
        match self {
            Self::Handled { diverged: 1.., .. } => "handled(diverged)".into(),
            Self::Handled { by: true, .. } => "handled".into(),
            Self::Handled { by: false, .. } => "handled(none)".into(),
            Self::Merged => "merged".into(),
            Self::Rejected(reason) => format!("rejected({reason})").into(),
            Self::Expired(reason) => format!("expired({reason})").into(),
        }
    }
}

/// A send about to be enqueued, or one that is not settled.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its number; 0 before it is enqueued.
    pub seq: SendSeq,
    /// The same for every attempt.
    pub key: IdempotencyKey,
    /// The account that sends.
    pub account: AccountId,
    /// Where to.
    pub to: ConversationId,
    /// What. Files of its own are [`Spooled`]: their bytes are in the store, and this only knows where.
    pub what: Arc<SayablePayload>,
    /// The spooled files of `what`, in the order of [`SayablePayload::files`]; `None`: its box says where it is. None at all
    /// if all do.
    pub files: Vec<Option<BlobId>>,
    /// The message to quote.
    pub quote: Option<MessageId>,
    /// The inbound message it answers.
    pub cause: Option<MessageId>,
    /// The event in whose run it was said; its key is compared with the event's earlier sends.
    pub event: Option<EventSeq>,
    /// When it was said, on the bot's clock.
    pub said_at: Timestamp,
    /// Not before this time; `None`: at once.
    pub not_before: Option<Timestamp>,
    /// Not after this time: it is expired then. `None`: however late.
    pub expires: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it may have reached the platform; `None`: it surely has not.
    pub claimed_at: Option<Timestamp>,
    /// How many bytes of its text the platform has taken: a long text goes out in parts.
    pub done: u64,
    /// Whether the key comes from outside: who told it may tell it again, also when it is over. See [`Store::keyed`].
    pub keyed: bool,
}

/// What [`Store::enqueue`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// A new row with this number.
    New(SendSeq),
    /// The event has said this before (an earlier run of the handler), or its key from outside [stands](Said::stands):
    /// nothing new was written.
    Existing {
        /// The earlier row.
        seq: SendSeq,
        /// What became of it, if it is settled.
        settled: Option<Settlement>,
    },
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The platform took it.
    Sent(Sent),
    /// It became part of another send.
    Merged,
    /// It was refused before it was tried.
    Rejected(Reason),
    /// It was too late.
    Expired(Reason),
    /// It failed for good.
    Dead(Dead),
    /// Somebody dropped it.
    Dropped,
    /// Nobody knows whether the platform took it.
    MaybeSent,
}

impl Settlement {
    /// The ledger's term, with its reason: `sent`, `dead(refused)`.
    pub fn end(&self) -> Cow<'static, str> {
        match self {
            Self::Sent(_) => "sent".into(),
            Self::Merged => "merged".into(),
            Self::Rejected(reason) => format!("rejected({reason})").into(),
            Self::Expired(reason) => format!("expired({reason})").into(),
            Self::Dead(dead) => format!("dead({})", dead.reason).into(),
            Self::Dropped => "dropped".into(),
            Self::MaybeSent => "maybe_sent".into(),
        }
    }
}

/// A send that its event has enqueued, in this run or an earlier one; or one under a key from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its number.
    pub seq: SendSeq,
    /// Its key.
    pub key: IdempotencyKey,
    /// What became of it, if it is settled.
    pub settled: Option<Settlement>,
}

impl Said {
    /// Whether it keeps another from being said under its key from outside: it is still to be sent, was sent, or may have
    /// been, whatever is done with what is in doubt. What has surely failed may be said anew.
    pub fn stands(&self) -> bool {
        matches!(self.settled, None | Some(Settlement::Sent(_) | Settlement::MaybeSent | Settlement::Dropped))
    }
}

impl From<Said> for Enqueued {
    fn from(said: Said) -> Self {
        Self::Existing { seq: said.seq, settled: said.settled }
    }
}

/// A send that failed for good, or of which nobody knows: kept with its content until somebody decides.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The send.
    pub row: OutboxRow,
    /// [`Settlement::Dead`] or [`Settlement::MaybeSent`].
    pub end: Settlement,
    /// When it ended, on the bot's clock.
    pub at: Timestamp,
}

/// A value with its version: 1 for the first, rising by one with each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The version.
    pub version: u64,
    /// The value.
    pub value: Bytes,
}

/// Is given the row and what became of it.
pub type EnqueuedThen = Box<dyn FnOnce(OutboxRow, Result<Enqueued>) + Send>;

/// A store that enqueues by itself and tells of it then.
pub trait Queue: Send + Sync {
    /// As [`Store::enqueue`], and gives the outcome to `then`: inside of the runtime it is called in, often together with
    /// others, so it must not take long. A store that ends drops it.
    fn enqueue_then(&self, row: OutboxRow, then: EnqueuedThen);
}

/// Where a bot keeps what must not be lost: events, sends, cursors, state.
///
/// Every operation is idempotent for the same numbers and keys, and durable once it returns `Ok`
/// ([`finish`](Self::finish) and [`settle`](Self::settle) may be late). Implementations:
/// [`MemoryStore`] here, SQLite in a crate of its own. One suite runs on all.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Commits new events of an account and the cursor behind them. Gives one entry an event, in order: its stored
    /// form, or `None` for a duplicate, which is counted and dropped.
    async fn accept(
        &self,
        account: &AccountId,
        events: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Option<StoredEvent>>>;

    /// Records that a run of an event begins that an earlier life left unfinished; gives how often it has begun since
    /// it was [calm](Self::calm).
    async fn begin(&self, seq: EventSeq) -> Result<u32>;

    /// Records that an event is no danger to the process: its handler waits, or the bot stopped as it should.
    async fn calm(&self, seq: EventSeq) -> Result<()>;

    /// Records what became of events and forgets them, their notes, and the keys of what they said. It may return before it is
    /// durable, though not before [`settle`](Self::settle)s that were told earlier are: lost, the event runs again and says
    /// the same under the same keys.
    async fn finish(&self, account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()>;

    /// Accepted and unfinished events of an account, in order. One whose end could not be written yet is none.
    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>>;

    /// What an unfinished event has said so far, in order.
    async fn said(&self, event: EventSeq) -> Result<Vec<Said>>;

    /// Keeps (or, with `None`, removes) something the handlers of an unfinished event must find again when it runs
    /// again: an answer, the result of an effect. An event that is finished takes none.
    async fn note(&self, event: EventSeq, key: &str, value: Option<Bytes>) -> Result<()>;

    /// A note of an unfinished event.
    async fn recall(&self, event: EventSeq, key: &str) -> Result<Option<Bytes>>;

    /// Keeps the bytes of a file for a row that will name it; equal ones are kept once. What no row names is forgotten when
    /// its [`Spooled`] is gone, at the latest by the next start.
    async fn spool(&self, bytes: ByteStream) -> Result<Spooled>;

    /// The file of this content, if it is here.
    async fn spooled(&self, id: &BlobId) -> Result<Option<Spooled>>;

    /// Commits a send, unless its event has said the same key before, or one of the account [stands](Said::stands) under the
    /// same [key from outside](OutboxRow::keyed) when it is said. The [files](OutboxRow::files) it names stay until the
    /// row is settled for good, those of a dead letter until somebody decides about it.
    async fn enqueue(&self, row: &OutboxRow) -> Result<Enqueued>;

    /// The way to enqueue without a task that waits for it, if there is one.
    fn queue(&self) -> Option<&dyn Queue> {
        None
    }

    /// Records that a send is about to be tried, first at `at`: after a crash it is in doubt.
    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()>;

    /// Records that a try surely came to nothing: the send is not in doubt any more.
    async fn unclaim(&self, seq: SendSeq) -> Result<()>;

    /// Records that the platform has taken a part of a send, up to `done` bytes of its text: the rest has not been tried.
    async fn advance(&self, seq: SendSeq, done: u64) -> Result<()>;

    /// Records what became of sends at `at`, and forgets their content; that of dead ones and of those in doubt is kept
    /// among the [dead letters](Self::dead_letters). It may return before it is durable: what is asked for later knows of it,
    /// and lost with the process, the send is in doubt as if the process had ended a moment earlier.
    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()>;

    /// Enqueued and unsettled sends of an account, in order.
    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>>;

    /// The last send of an account under a [key from outside](OutboxRow::keyed): one that is not settled, or how it ended
    /// within [`KEY_LIFE`] before `now`, of the last [`MOST_KEYS`] that did. Known as long as the settlement is, which is
    /// written together with it.
    async fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: Timestamp) -> Result<Option<Said>>;

    /// Dead letters with a number above `after`, in order, at most so many.
    async fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>>;

    /// Puts a dead letter back into the outbox, as if it had not been tried (what it has [done](OutboxRow::done) stays), and
    /// to be sent however late: somebody wants it. The ledger counts it as pending again.
    /// `None`: there is no such dead letter.
    async fn revive(&self, seq: SendSeq) -> Result<Option<OutboxRow>>;

    /// Drops a dead letter: the ledger counts it as dropped. `false`: there is no such dead letter.
    async fn discard(&self, seq: SendSeq) -> Result<bool>;

    /// Counts a send that was refused before it became a row.
    async fn refuse(&self, account: &AccountId, reason: Reason) -> Result<()>;

    /// The cursor committed last.
    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>>;

    /// A value of a namespace, read while the thread waits: for what a bot needs before it is started. `None`: this store
    /// cannot, or outlives no process.
    fn get_at_once(&self, _namespace: &str, _key: &str) -> Option<Result<Option<Versioned>>> {
        None
    }

    /// A value of a namespace.
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>>;

    /// Replaces (or, with `None`, removes) a value if its version still is `expected`; 0: it must be absent, `None`:
    /// whatever it is. Gives the new version, 0 after a removal.
    async fn put(&self, namespace: &str, key: &str, expected: Option<u64>, value: Option<Bytes>) -> Result<u64>;

    /// Keys of a namespace, sorted.
    async fn keys(&self, namespace: &str) -> Result<Vec<String>>;

    /// What it remembers of what is over; `None`: nothing.
    fn archive(&self) -> Option<&dyn Archive> {
        None
    }

    /// What is wrong with it at the moment; it goes on by itself when that is over.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// How many rows could not be read and were set aside, with all that was in them, since it was opened.
    fn set_aside(&self) -> u64 {
        0
    }

    /// Returns when everything asked for before is durable. [`StoreError::Unended`]: all but ends of events is.
    async fn flush(&self) -> Result<()>;

    /// Both books, counted from rows; of one account, or of all.
    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger>;

    /// As [`ledger`](Self::ledger), of all and of each account.
    async fn books(&self) -> Result<Books> {
        let mut books = Books { total: self.ledger(None).await?, accounts: BTreeMap::new() };
        for account in self.accounts().await? {
            let ledger = self.ledger(Some(&account)).await?;
            books.accounts.insert(account, ledger);
        }
        Ok(books)
    }

    /// The accounts it has rows or totals of, sorted.
    async fn accounts(&self) -> Result<Vec<AccountId>>;
}
