//! GROWING: a message that is seen while its text is still being written, in the best form its platform has.
//!
//! It is opened by a say as durable as any other. A task of its own shows what has come since, as often as the pace of the
//! account allows: who writes never waits for the platform. The last text comes last, whatever was left out before.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hashbrown::HashSet;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use wechaty_puppet::{CancellationToken, Capability, IdempotencyKey, PuppetError, Retry};
use wechaty_types::{ConversationId, Mention, MessageId, SayablePayload, TextPayload};

use super::{Receipt, ReceiptState, Say, SendFailure, say::Opening, send, split};
use crate::{
    Account, Error, Result,
    handler::Run,
    inbox::digest,
    store::{OutboxRow, StoreError},
};

/// How often a text is shown anew where the platform shows growing messages.
const GROW_EVERY: Duration = Duration::from_millis(250);
/// How often where each time is an edit that people may be told of.
const EDIT_EVERY: Duration = Duration::from_secs(1);
/// The longest text, in bytes.
const LONGEST: usize = 256 << 10;

/// A message that grows: made by [`Say::growing`](crate::Say::growing).
///
/// What a platform has decides how it looks: a message that shows that it is being written
/// ([`Capability::GrowingText`]), one that is edited ([`MessageEdit`](Capability::MessageEdit)), or an ordinary message at the
/// end. Edits keep the pace of the account and leave out what came too fast.
///
/// ```
/// # use wechaty::prelude::*;
/// # async fn ask_a_model(_: &str) -> wechaty::Result<Vec<String>> { Ok(vec!["do".into(), "ng".into()]) }
/// async fn answer(msg: Message) -> wechaty::Result<()> {
///     let mut answer = msg.say("…").growing("answer").await?;
///     for piece in ask_a_model(msg.text().unwrap_or_default()).await? {
///         answer.push(&piece).await?;
///     }
///     answer.finish().await?;
///     Ok(())
/// }
/// ```
///
/// Dropped before [`finish`](Self::finish), what people see so far is complete with what there is: nothing looks as if it was
/// still being written, and what waits for the end is not said. A bot that stops leaves it as it is, as the handler runs again and goes on with it.
#[must_use = "it is complete once it is finished"]
pub struct Growing {
    opening: Opening,
    /// What goes in front: the names of who is mentioned.
    names: String,
    mentions: Vec<Mention>,
    form: Form,
    text: String,
    /// Counts changes of the text.
    version: u64,
    /// Who shows it, once it is opened.
    writer: Option<Writer>,
    life: CancellationToken,
}

/// How a platform shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Growing,
    Edits,
    /// Nothing is said before the end.
    AtTheEnd,
}

/// The task that shows the text.
struct Writer {
    receipt: Receipt,
    draft: watch::Sender<Draft>,
    done: oneshot::Receiver<Result<(), PuppetError>>,
}

/// What is to be shown.
#[derive(Debug, Default)]
struct Draft {
    text: String,
    version: u64,
    finished: bool,
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Growing").field("form", &self.form).field("length", &self.text.len()).finish_non_exhaustive()
    }
}

impl Growing {
    /// `what`: of the say, with the names of those who are mentioned in front.
    pub(super) async fn open(opening: Opening, mut what: TextPayload, names: String) -> Result<Self> {
        let account = &opening.account;
        let capabilities = account.capabilities();
        let has = |capability| capabilities.has(capability);
        let form = match () {
            () if has(Capability::GrowingText) && account.puppet().growing().is_some() => Form::Growing,
            () if has(Capability::MessageEdit) && has(Capability::SentId) => Form::Edits,
            () => Form::AtTheEnd,
        };
        what.mentions
            .retain(|mention| has(if *mention == Mention::All { Capability::MentionAll } else { Capability::Mention }));
        let life = account.core().life();
        let mut growing =
            Self { opening, names, mentions: what.mentions, form, text: String::new(), version: 0, writer: None, life };
        // Shown until the first word is there.
        growing.begin(&what.text).await?;
        Ok(growing)
    }

    /// Everything so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds to the text. Only the first words wait for something: until the message is in the store.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text of more than 256 KiB; of the first words, as awaiting a [`Say`].
    pub async fn push(&mut self, piece: &str) -> Result<()> {
        self.fits(self.text.len() + piece.len())?;
        self.text.push_str(piece);
        self.changed().await
    }

    /// Replaces the text; as [`push`](Self::push).
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn set(&mut self, text: impl Into<String>) -> Result<()> {
        let text = text.into();
        self.fits(text.len())?;
        self.text = text;
        self.changed().await
    }

    fn fits(&self, length: usize) -> Result<()> {
        if length <= LONGEST {
            return Ok(());
        }
        let reason = format!("{length} bytes, at most {LONGEST}: finish it and begin another");
        Err(Error::Invalid { what: "growing text", reason })
    }

    async fn changed(&mut self) -> Result<()> {
        self.version += 1;
        match &self.writer {
            Some(writer) => {
                let text = self.shown(&self.text);
                writer.draft.send_modify(|draft| (draft.text, draft.version) = (text, self.version));
                Ok(())
            }
            None => {
                let text = self.text.clone();
                self.begin(&text).await
            }
        }
    }

    /// Shows that it is complete. The receipt is that of the message; or, where it could not be brought to its last text, of
    /// another that has it all. What is longer than a message of the platform goes on in others.
    ///
    /// # Errors
    /// As awaiting a [`Say`]; [`Error::Stopping`] when the bot stops before, whose next run goes on with it.
    pub async fn finish(mut self) -> Result<Receipt> {
        let Some(Writer { receipt, draft, done }) = self.writer.take() else {
            // Empty, there is nothing to say; a say of nothing tells what is wrong with it.
            return self.say(self.names.clone() + self.text.as_str(), None, false).await;
        };
        let text = self.shown(&self.text);
        let rest = self.rest(&text).to_owned();
        draft.send_modify(|draft| {
            // Nothing was written: what was shown before stays.
            if self.version > 0 {
                (draft.text, draft.version) = (text, self.version);
            }
            draft.finished = true;
        });
        match done.await {
            Ok(Ok(())) => {}
            _ if self.life.is_cancelled() || self.version == 0 || receipt.is_stopped() => return Err(Error::Stopping),
            failed => {
                let why = failed.map_or_else(|_| "its task ended".to_owned(), |failed| format!("{failed:?}"));
                tracing::warn!(account = %self.opening.account.id(), why, "a growing message is said anew");
                return self.say(self.names.clone() + self.text.as_str(), Some("whole"), false).await;
            }
        }
        if !rest.is_empty() {
            self.say(rest, Some("rest"), false).await?;
        }
        Ok(receipt)
    }

    /// Says the first words, if there are any and the platform shows them before the end.
    async fn begin(&mut self, text: &str) -> Result<()> {
        if self.form == Form::AtTheEnd || text.trim().is_empty() {
            return Ok(());
        }
        let shown = self.shown(text);
        let say = self.say(shown.clone(), None, self.form == Form::Growing);
        let receipt = say.await?;
        let account = self.opening.account.clone();
        if !matches!(receipt.state(), ReceiptState::Queued | ReceiptState::Held(_)) {
            // It may have been over before, and nobody else forgets it then.
            forget(&account, receipt.key()).await;
        }
        // Begun in an earlier life, it shows we do not know what.
        let known = self.opening.key.is_none() && !Run::current().is_some_and(|run| run.is_resumed());
        let (draft, told) = watch::channel(Draft { text: shown, version: self.version, finished: false });
        let (tell, done) = oneshot::channel();
        let show = Show {
            account: account.clone(),
            to: self.opening.to.clone(),
            mentions: self.mentions.clone(),
            markdown: self.opening.markdown,
            form: self.form,
            life: self.life.clone(),
            shown: known.then_some(self.version),
        };
        let sent = receipt.clone();
        account.core().spawn(async move {
            let _ = tell.send(show.run(sent, told).await);
        });
        self.writer = Some(Writer { receipt, draft, done });
        Ok(())
    }

    /// What one message can show of a text.
    fn shown(&self, text: &str) -> String {
        let all = self.names.clone() + text;
        let head = split::head(&all, &self.opening.account.capabilities().limits).len();
        let mut all = all;
        all.truncate(head);
        all
    }

    /// What is left of the whole text behind what one message shows of it.
    fn rest(&self, shown: &str) -> &str {
        let all = self.names.len() + self.text.len();
        if shown.len() >= all {
            return "";
        }
        self.text.get(shown.len().saturating_sub(self.names.len())..).unwrap_or_default().trim_start()
    }

    /// `part`: which of its messages, unless it is the first.
    fn say(&self, text: String, part: Option<&'static str>, growing: bool) -> Say {
        let mentions = if part == Some("rest") { Vec::new() } else { self.mentions.clone() };
        let text = TextPayload { text, mentions };
        let what = if self.opening.markdown { SayablePayload::Markdown(text) } else { SayablePayload::Text(text) };
        self.opening.say(what, part, growing)
    }
}

/// The key of another message of a growing one.
pub(super) fn another(key: IdempotencyKey, part: &str) -> IdempotencyKey {
    let mut bytes = key.as_bytes().to_vec();
    bytes.extend_from_slice(part.as_bytes());
    IdempotencyKey::from_bytes(digest(&bytes))
}

/// Shows the text of a message as it grows.
struct Show {
    account: Account,
    to: ConversationId,
    mentions: Vec<Mention>,
    markdown: bool,
    form: Form,
    life: CancellationToken,
    /// The version that people see; `None`: nobody knows.
    shown: Option<u64>,
}

impl Show {
    async fn run(mut self, sent: Receipt, mut told: watch::Receiver<Draft>) -> Result<(), PuppetError> {
        let core = self.account.core().clone();
        let id = match sent.sent().await {
            Ok(sent) => sent.id.ok_or(PuppetError::Protocol {
                context: "beginning a message",
                detail: "the platform told no id of it".to_owned(),
            })?,
            Err(error) => return Err(unsent(error)),
        };
        let every = if self.form == Form::Growing { GROW_EVERY } else { EDIT_EVERY };
        let mut next = core.clock.now() + every;
        let (mut tries, mut silences, mut hopeless) = (0, 0, None);
        loop {
            let seen = self.shown;
            // Gone without a word, what there is is the last.
            let is_new = |draft: &Draft| draft.finished || (hopeless.is_none() && Some(draft.version) != seen);
            let gone = told.wait_for(is_new).await.is_err();
            if gone && (core.gate.is_closed() || self.life.is_cancelled()) {
                return Ok(());
            }
            if !gone && !told.borrow().finished {
                let over = async { drop(told.wait_for(|draft| draft.finished).await) };
                let pause = core.clock.sleep(next.saturating_sub(core.clock.now()));
                tokio::select! {
                    () = over => {}
                    () = pause => {}
                }
            }
            if let Some(error) = hopeless {
                return Err(error);
            }
            let kind = if self.markdown { "Markdown" } else { "Text" };
            self.account.pacer().wait(&core.clock, &self.to, Some(kind)).await;
            // What has come meanwhile is shown, too.
            let gone = gone || told.has_changed().is_err();
            let (text, version, last) = {
                let draft = told.borrow_and_update();
                (draft.text.clone(), draft.version, draft.finished || gone)
            };
            if last && self.form == Form::Edits && self.shown == Some(version) {
                return Ok(());
            }
            match self.show(&id, text, last).await {
                Ok(()) if last => return Ok(()),
                Ok(()) => (self.shown, tries, silences) = (Some(version), 0, 0),
                Err(error) => {
                    let silence = send::keep_silence(&self.account, &error);
                    let is_asked = silence.is_some_and(|silence| silence >= send::SILENCE);
                    silences += u32::from(is_asked);
                    tries += u32::from(!is_asked || silences > send::MOST_SILENCES);
                    let is_over = tries >= self.account.policy().attempts;
                    match error.retry() {
                        Retry::Never if self.can_edit(&error) => {
                            self.form = Form::Edits;
                            continue;
                        }
                        // Its pace keeps it.
                        Retry::After(_) if !is_over => {}
                        retry if retry != Retry::Never && !is_over => {
                            core.clock.sleep(send::backoff(&self.account, tries)).await;
                        }
                        _ if last => return Err(error),
                        // Said anew once it is complete.
                        _ => hopeless = Some(error),
                    }
                }
            }
            next = core.clock.now() + every;
        }
    }

    /// Whether a platform that cannot go on with a growing message can still edit it.
    fn can_edit(&self, error: &PuppetError) -> bool {
        self.form == Form::Growing
            && matches!(error, PuppetError::NotFound { .. } | PuppetError::Unsupported { .. })
            && self.account.capabilities().has(Capability::MessageEdit)
    }

    /// One call to the platform, bounded in time.
    async fn show(&self, id: &MessageId, text: String, last: bool) -> Result<(), PuppetError> {
        let puppet = self.account.puppet();
        let gone = |capability| PuppetError::unsupported(self.account.platform(), capability);
        let call = async {
            match self.form {
                Form::Growing => {
                    let growing = puppet.growing().ok_or_else(|| gone(Capability::GrowingText))?;
                    if last {
                        growing.finish(&self.to, id, &text).await
                    } else {
                        growing.grow(&self.to, id, &text).await
                    }
                }
                Form::Edits | Form::AtTheEnd => {
                    let edits = puppet.edits().ok_or_else(|| gone(Capability::MessageEdit))?;
                    let text = TextPayload { text, mentions: self.mentions.clone() };
                    let what = match self.markdown {
                        true => SayablePayload::Markdown(text),
                        false => SayablePayload::Text(text),
                    };
                    edits.edit(&self.to, id, Arc::new(what)).await
                }
            }
        };
        let most = self.account.capabilities().limits.call_timeout;
        match self.account.core().clock.timeout(most, call).await {
            Ok(answer) => answer,
            Err(elapsed) => {
                Err(PuppetError::Transport { context: "growing a message took too long", source: elapsed.into() })
            }
        }
    }
}

/// Why the first words did not arrive.
fn unsent(error: Error) -> PuppetError {
    let detail = match &error {
        Error::Send(failure) => match &**failure {
            SendFailure::Stopped => "the bot stopped before it was sent".to_owned(),
            failure => failure.to_string(),
        },
        error => error.to_string(),
    };
    PuppetError::Protocol { context: "beginning a message", detail }
}

/// The rows of an account whose text will grow: they are begun where others are sent.
///
/// In the store under their keys from before the row is written until it is settled, so that a later life begins them, too.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    keys: Mutex<HashSet<IdempotencyKey>>,
    /// How many there are: who sends asks each time.
    count: AtomicUsize,
}

impl Begun {
    pub(super) fn has(&self, key: IdempotencyKey) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.keys.lock().contains(&key)
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashSet<IdempotencyKey>) -> T) -> T {
        let mut keys = self.keys.lock();
        let changed = change(&mut keys);
        self.count.store(keys.len(), Ordering::Release);
        changed
    }
}

fn namespace(account: &Account) -> String {
    format!("growing/{}", account.id())
}

/// Notes that the row under this key will grow; before it is written.
pub(super) async fn note(account: &Account, key: IdempotencyKey) -> Result<(), StoreError> {
    account.begun().change(|keys| keys.insert(key));
    let there = Some(bytes::Bytes::from_static(b"1"));
    account.core().store.put(&namespace(account), &key.to_string(), None, there).await.map(drop)
}

/// The row under this key is over.
pub(super) async fn forget(account: &Account, key: IdempotencyKey) {
    if account.begun().change(|keys| keys.remove(&key))
        && let Err(error) = account.core().store.put(&namespace(account), &key.to_string(), None, None).await
    {
        tracing::warn!(account = %account.id(), %error, "the note of a growing message stays in the store until the next start");
    }
}

/// A start: takes up the notes of these, and forgets all others.
pub(super) async fn take_up(account: &Account, unsent: &[OutboxRow]) -> Result<(), StoreError> {
    for noted in account.core().store.keys(&namespace(account)).await? {
        match unsent.iter().find(|row| row.key.to_string() == noted) {
            Some(row) => drop(account.begun().change(|keys| keys.insert(row.key))),
            None => drop(account.core().store.put(&namespace(account), &noted, None, None).await?),
        }
    }
    Ok(())
}
