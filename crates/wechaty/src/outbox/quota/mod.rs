//! QUOTA: how many sends the platform takes in a span of time, known before one is tried, and not forgotten by a restart.

mod counts;
mod sweep;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{MutexGuard, Notify};
use wechaty_puppet::{Per, Quota};
use wechaty_types::{ConversationId, EventPayload, Payload, Timestamp};

use super::Receipt;
use crate::{
    Account, Result,
    store::{OutboxRow, StoredEvent},
};
use counts::Counts;

/// How many conversations' counts are remembered before those nobody uses are let go; they are in the store.
const SWEEP_AT: usize = 1_024;
/// How long a send waits for a store that fails.
const BACKOFF: Duration = Duration::from_secs(1);

/// When the platform takes sends again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// At this time.
    At(Timestamp),
    /// Nobody knows: when the other side writes.
    WhenTheyWrite,
}

/// What the platform's quotas leave of a conversation now. Sends that still wait are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaLeft {
    /// How many sends; `None`: the platform declares no quota.
    pub left: Option<u32>,
    /// Until when they may be used, where that ends unless the other side writes again.
    pub until: Option<Timestamp>,
    /// When there will be some again; `None`: there are some.
    pub opens: Option<Opens>,
}

/// The quotas of an account, and what was used of them.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    declared: RwLock<&'static [Quota]>,
    /// Whether there are some, for those who ask before every send.
    any: AtomicBool,
    /// By conversation; `None`: the account's own.
    books: Mutex<HashMap<Option<ConversationId>, Arc<Book>>>,
    /// When the store was last looked through for counts that are over.
    swept: Mutex<Option<Duration>>,
}

#[derive(Debug)]
struct Book {
    key: String,
    /// `None`: not read yet. Held while the store writes: what is counted next must build on it.
    counts: tokio::sync::Mutex<Option<Counts>>,
    /// The other side has written.
    moved: Notify,
}

impl Quotas {
    pub(crate) fn declare(&self, quotas: &'static [Quota]) {
        *self.declared.write() = quotas;
        self.any.store(!quotas.is_empty(), Ordering::Release);
    }

    /// Whether nothing ever has to be counted.
    pub(crate) fn is_free(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    fn of(&self, account: bool) -> Vec<Quota> {
        self.declared.read().iter().filter(|quota| (quota.per == Per::Account) == account).copied().collect()
    }

    fn book(&self, conversation: Option<&ConversationId>) -> Arc<Book> {
        let mut books = self.books.lock();
        if books.len() >= SWEEP_AT {
            books.retain(|_, book| Arc::strong_count(book) > 1);
        }
        let make = || {
            let key = key(conversation);
            Arc::new(Book { key, counts: tokio::sync::Mutex::default(), moved: Notify::new() })
        };
        books.entry(conversation.cloned()).or_insert_with(make).clone()
    }
}

/// Under which the counts of a conversation are in the store, or those of the account.
fn key(conversation: Option<&ConversationId>) -> String {
    match conversation {
        None => "account".to_owned(),
        Some(ConversationId::Contact(id)) => format!("contact/{id}"),
        Some(ConversationId::Room(id)) => format!("room/{id}"),
    }
}

/// Whose counts these are; `None`: nobody's.
fn of_key(key: &str) -> Option<Option<ConversationId>> {
    match key.split_once('/') {
        None if key == "account" => Some(None),
        Some(("contact", id)) => Some(Some(ConversationId::Contact(id.into()))),
        Some(("room", id)) => Some(Some(ConversationId::Room(id.into()))),
        _ => None,
    }
}

fn namespace(account: &Account) -> String {
    format!("quota/{}", account.id())
}

/// The counts of a book, read from the store if they are not yet.
struct Opened<'b> {
    book: &'b Book,
    counts: MutexGuard<'b, Option<Counts>>,
}

impl<'b> Opened<'b> {
    async fn new(account: &Account, book: &'b Book) -> Result<Self> {
        let mut counts = book.counts.lock().await;
        if counts.is_none() {
            let kept = account.core().store.get(&namespace(account), &book.key).await?;
            *counts = Some(match kept {
                Some(kept) => serde_json::from_slice(&kept.value).map_err(crate::Error::other)?,
                None => Counts::default(),
            });
        }
        Ok(Self { book, counts })
    }

    fn get(&mut self) -> &mut Counts {
        self.counts.get_or_insert_default()
    }

    async fn keep(&mut self, account: &Account) -> Result<()> {
        let json = serde_json::to_vec(self.get()).map_err(crate::Error::other)?;
        account.core().store.put(&namespace(account), &self.book.key, None, Some(json.into())).await?;
        Ok(())
    }

    /// Takes them out of the store, if nothing of them matters any more.
    async fn sweep(&mut self, account: &Account, quotas: &[Quota], now: Timestamp) -> Result<bool> {
        let is_over = self.get().is_over(quotas, now);
        if is_over {
            account.core().store.put(&namespace(account), &self.book.key, None, None).await?;
            *self.get() = Counts::default();
        }
        Ok(is_over)
    }
}

/// Both books of a send; the account's only where a quota is the account's. Always in this order.
struct Books {
    quotas: [Vec<Quota>; 2],
    books: [Arc<Book>; 2],
}

impl Books {
    fn of(account: &Account, to: &ConversationId) -> Self {
        let quotas = account.quotas();
        Self { quotas: [quotas.of(false), quotas.of(true)], books: [quotas.book(Some(to)), quotas.book(None)] }
    }

    fn used(&self) -> impl Iterator<Item = (&Book, &[Quota])> {
        self.books.iter().zip(&self.quotas).filter(|(_, quotas)| !quotas.is_empty()).map(|(b, q)| (&**b, &**q))
    }

    async fn left(&self, account: &Account, now: Timestamp) -> Result<QuotaLeft> {
        let mut left = QuotaLeft::default();
        for (book, quotas) in self.used() {
            left = counts::least(left, Opened::new(account, book).await?.get().left(quotas, now));
        }
        Ok(left)
    }

    /// Takes one send of all quotas, durably; or tells when that can be.
    async fn take(&self, account: &Account, now: Timestamp) -> Result<Option<Opens>> {
        let mut opened = Vec::with_capacity(2);
        let mut left = QuotaLeft::default();
        for (book, quotas) in self.used() {
            let mut book = Opened::new(account, book).await?;
            left = counts::least(left, book.get().left(quotas, now));
            opened.push((book, quotas));
        }
        if let Some(opens) = left.opens {
            return Ok(Some(opens));
        }
        for (book, quotas) in &mut opened {
            book.get().take(quotas, now);
        }
        let mut kept = Ok(());
        for (book, _) in &mut opened {
            if kept.is_ok() {
                kept = book.keep(account).await;
            }
        }
        if kept.is_err() {
            // As it was; what one book has written is one too many, which does no harm.
            opened.iter_mut().for_each(|(book, quotas)| book.get().give_back(quotas, now));
        }
        kept.map(|()| None)
    }
}

/// What was counted for a try.
pub(super) struct Taken {
    books: Books,
    at: Timestamp,
}

impl Taken {
    /// The platform has taken it, or may have: its span begins now.
    pub(super) async fn used(self, account: &Account) {
        let now = account.core().clock.wall();
        for (book, quotas) in self.books.used() {
            if let Ok(mut book) = Opened::new(account, book).await {
                // Written with the next one: after a crash it is a call's time too early.
                book.get().later(quotas, self.at, now);
            }
        }
    }

    /// The try surely came to nothing.
    pub(super) async fn give_back(self, account: &Account) {
        for (book, quotas) in self.books.used() {
            let given = async {
                let mut book = Opened::new(account, book).await?;
                book.get().give_back(quotas, self.at);
                book.keep(account).await
            };
            if let Err(error) = given.await {
                tracing::error!(account = %account.id(), %error, "what a send did not use of a quota is lost");
            }
        }
    }
}

/// What came of waiting for the quotas.
pub(super) enum Pass {
    /// There is room.
    Open,
    /// The other side has not written for too long.
    Closed,
    /// The send's own time is over.
    Late,
    /// The bot stops: the send waits in the store.
    Stopping,
}

/// Waits until the quotas leave room for a send, and takes none of it. `since`: when it came.
pub(super) async fn pass(account: &Account, row: &OutboxRow, since: Timestamp, receipt: &Receipt) -> Pass {
    let core = account.core();
    let books = Books::of(account, &row.to);
    let talk = books.books[0].clone();
    let closing = core.closing();
    let patience = since.max(row.not_before.unwrap_or(since)).plus(account.policy().quota_wait);
    loop {
        let mut moved = std::pin::pin!(talk.moved.notified());
        moved.as_mut().enable();
        let now = core.clock.wall();
        if row.expires.is_some_and(|until| now >= until) {
            return Pass::Late;
        }
        let mut until = match books.left(account, now).await {
            Ok(QuotaLeft { opens: None, .. }) => {
                receipt.hold(None);
                return Pass::Open;
            }
            Ok(QuotaLeft { opens: Some(opens), .. }) => {
                receipt.hold(Some(opens));
                match opens {
                    Opens::At(time) => time,
                    Opens::WhenTheyWrite if now >= patience => return Pass::Closed,
                    Opens::WhenTheyWrite => patience,
                }
            }
            Err(error) => {
                uncounted(account, &error);
                now.plus(BACKOFF)
            }
        };
        if let Some(expires) = row.expires {
            until = until.min(expires);
        }
        tokio::select! {
            () = core.clock.sleep(until.since(now)) => {}
            () = moved => {}
            () = closing.cancelled() => return Pass::Stopping,
        }
    }
}

/// Takes room for a send that goes out now, durably. `None`: another has taken it meanwhile, or the store fails, for which a
/// moment was waited.
pub(super) async fn take(account: &Account, row: &OutboxRow) -> Option<Taken> {
    let (books, clock) = (Books::of(account, &row.to), &account.core().clock);
    let at = clock.wall();
    match books.take(account, at).await {
        Ok(None) => {
            sweep::soon(account);
            Some(Taken { books, at })
        }
        Ok(Some(_)) => None,
        Err(error) => {
            uncounted(account, &error);
            clock.sleep(BACKOFF).await;
            None
        }
    }
}

/// Sent uncounted, it might be one too many.
fn uncounted(account: &Account, error: &crate::Error) {
    tracing::error!(account = %account.id(), %error, "a send could not be counted in the store, and waits");
}

/// Messages have come: they open what is counted from the other side's last word. Before their lanes: a handler that waits
/// for its send waits for the message behind its own.
pub(crate) async fn heard(account: &Account, events: impl Iterator<Item = &StoredEvent>) {
    let quotas = account.quotas();
    if quotas.is_free() || !quotas.declared.read().iter().any(|quota| quota.per == Per::Inbound) {
        return;
    }
    for stored in events {
        let (EventPayload::Message(_), Some(Payload::Message(message)), Some(conversation)) =
            (&stored.event.what, &stored.event.payload, &stored.conversation)
        else {
            continue;
        };
        if account.me().as_deref() == Some(&message.talker_id) {
            continue;
        }
        // By the platform's clock, if it tells.
        let said = Some(message.timestamp).filter(|said| *said != Timestamp::default());
        let said = said.unwrap_or(stored.received).min(stored.received);
        let book = quotas.book(Some(conversation));
        let counted = async {
            let mut opened = Opened::new(account, &book).await?;
            if opened.get().heard(said, stored.seq) {
                opened.keep(account).await?;
            }
            Ok::<_, crate::Error>(())
        };
        if let Err(error) = counted.await {
            tracing::error!(account = %account.id(), %error, "that somebody wrote could not be counted in the store");
        }
        book.moved.notify_waiters();
    }
}

impl Account {
    /// What the platform's quotas leave of a conversation.
    pub(crate) async fn quota_left(&self, conversation: &ConversationId) -> Result<QuotaLeft> {
        if self.quotas().is_free() {
            return Ok(QuotaLeft::default());
        }
        Books::of(self, conversation).left(self, self.core().clock.wall()).await
    }
}
