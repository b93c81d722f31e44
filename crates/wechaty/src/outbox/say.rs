//! `say`: from a sayable to a durable row and its receipt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use wechaty_puppet::{Capabilities, Capability, IdempotencyKey, PuppetError, Sent};
use wechaty_types::{ConversationId, Mention, MessageId, SayablePayload};

use super::{Receipt, key::idempotency_key, send, spool::spool};
use crate::{
    Error, Result, Sayable,
    bot::Account,
    handler::Run,
    store::{Enqueued, OutboxRow, Settlement},
    user::{Contact, Room},
};

/// A say about to happen: a future of its [`Receipt`], ready once the send is durable.
///
/// Dropping it before it is ready means it was enqueued or not, never half.
#[must_use = "nothing is said until this is awaited"]
pub struct Say(State);

#[expect(clippy::large_enum_variant, reason = "a say is made, awaited and gone: a box would only cost")]
enum State {
    Built(Request),
    Running(BoxFuture<'static, Result<Receipt>>),
    Done,
}

pub(super) struct Request {
    account: Account,
    to: ConversationId,
    what: SayablePayload,
    cause: Option<MessageId>,
    quote: Option<MessageId>,
    mentions: Vec<(Mention, String)>,
    /// Mentioned by the names they have in this room; looked up when the say is awaited.
    members: Option<(Room, Vec<Contact>)>,
    name: Option<String>,
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Built(request) => f.debug_struct("Say").field("to", &request.to).finish_non_exhaustive(),
            _ => f.write_str("Say"),
        }
    }
}

impl Say {
    pub(crate) fn new(account: Account, to: ConversationId, what: Sayable, cause: Option<MessageId>) -> Self {
        if let Some(delay) = what.1 {
            return Self(State::Running(Box::pin(async move {
                delay.wait(&account.core().clock).await;
                let key = IdempotencyKey::from_bytes(*uuid::Uuid::new_v4().as_bytes());
                Ok(Receipt::of(key, Settlement::Sent(Sent::without_id())))
            })));
        }
        Self(State::Built(Request {
            account,
            to,
            what: what.0,
            cause,
            quote: None,
            mentions: Vec::new(),
            members: None,
            name: None,
        }))
    }

    fn edit(mut self, edit: impl FnOnce(&mut Request)) -> Self {
        if let State::Built(request) = &mut self.0 {
            edit(request);
        }
        self
    }

    /// Names the say inside its handler, so that a second run with other content (an LLM's answer) is the same say:
    /// the first stored content wins.
    pub fn key(self, name: impl Into<String>) -> Self {
        self.edit(|request| request.name = Some(name.into()))
    }

    /// Quotes a message, where the platform can; elsewhere it is left out.
    pub fn quote(self, message: impl Into<MessageId>) -> Self {
        self.edit(|request| request.quote = Some(message.into()))
    }

    /// Mentions people: `@name` is put in front of a text, separated by U+2005, and they are notified.
    pub fn mention<'a>(self, contacts: impl IntoIterator<Item = &'a Contact>) -> Self {
        let mentions: Vec<_> =
            contacts.into_iter().map(|c| (Mention::Contact(c.id().clone()), c.mention_name())).collect();
        self.edit(|request| request.mentions.extend(mentions))
    }

    pub(crate) fn mention_members(self, room: Room, contacts: Vec<Contact>) -> Self {
        self.edit(|request| request.members = Some((room, contacts)))
    }

    /// Mentions everybody in the room: `@all`.
    pub fn mention_all(self) -> Self {
        self.edit(|request| request.mentions.push((Mention::All, "all".to_owned())))
    }

    /// Waits until the platform took it: `receipt.sent()` in one step.
    ///
    /// # Errors
    /// As awaiting the say and [`Receipt::sent`].
    pub async fn sent(self) -> Result<wechaty_puppet::Sent> {
        self.await?.sent().await
    }
}

impl Future for Say {
    type Output = Result<Receipt>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Built(_) = self.0
            && let State::Built(request) = std::mem::replace(&mut self.0, State::Done)
        {
            self.0 = State::Running(Box::pin(say(request)));
        }
        let State::Running(future) = &mut self.0 else { return Poll::Pending };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = State::Done;
        }
        polled
    }
}

async fn say(request: Request) -> Result<Receipt> {
    let Request { account, to, what, cause, quote, mut mentions, members, name } = request;
    let core = account.core().clone();
    let run = Run::current();
    if let Some((room, contacts)) = members {
        Box::pin(name_members(&room, contacts, &mut mentions)).await;
    }
    let what = match prepare(&account, with_mentions(what, mentions)).await {
        Ok(what) => what,
        Err(error) => {
            core.store.refuse(account.id(), refusal(&error)).await?;
            return Err(error);
        }
    };
    let key = idempotency_key(account.id(), run.as_deref(), &to, &what, name.as_deref());
    let row = OutboxRow {
        seq: 0,
        key,
        account: account.id().clone(),
        to,
        what: Arc::new(what),
        quote,
        cause: cause.or_else(|| run.as_ref().and_then(|run| run.cause.clone())),
        event: run.as_ref().and_then(|run| run.event),
        attempts: 0,
        claimed_at: None,
    };
    core.outbox_room().await;
    match core.store.enqueue(row.clone()).await? {
        // Within one run only a named say can come twice; a run of an earlier life is taken up with its receipts.
        Enqueued::New(seq) => Ok(send::post(&account, OutboxRow { seq, ..row }, name.is_some()).await),
        Enqueued::Existing { seq: _, settled: Some(settlement) } => Ok(Receipt::of(key, settlement)),
        Enqueued::Existing { seq, settled: None } => Ok(core.receipts.get(seq, key)),
    }
}

async fn name_members(room: &Room, contacts: Vec<Contact>, mentions: &mut Vec<(Mention, String)>) {
    for contact in contacts {
        mentions.push((Mention::Contact(contact.id().clone()), room.mention_name(&contact).await));
    }
}

/// Puts `@name`s in front of a text; other kinds get none, as no platform takes them there.
fn with_mentions(mut what: SayablePayload, mentions: Vec<(Mention, String)>) -> SayablePayload {
    if mentions.is_empty() {
        return what;
    }
    if let SayablePayload::Text(text) | SayablePayload::Markdown(text) = &mut what {
        let names: Vec<String> = mentions.iter().map(|(_, name)| format!("@{name}")).collect();
        text.text = format!("{} {}", names.join("\u{2005}"), text.text);
        text.mentions.extend(mentions.into_iter().map(|(mention, _)| mention));
    }
    what
}

/// Makes it what the platform takes. Plain text, the usual case, waits for nothing; the rest is boxed, as it is large.
async fn prepare(account: &Account, what: SayablePayload) -> Result<SayablePayload> {
    let capabilities = account.capabilities();
    if matches!(what, SayablePayload::Text(_)) && capabilities.has(Capability::SendText) {
        return check_text(&capabilities, what);
    }
    Box::pin(convert(account, what)).await
}

/// Turns what the platform cannot show into the best it can, and spools files.
async fn convert(account: &Account, mut what: SayablePayload) -> Result<SayablePayload> {
    let capabilities = account.capabilities();
    if let SayablePayload::Forward(forward) = &what
        && !capabilities.has(Capability::SendForward)
    {
        what = account.message(&forward.message_id).await?.to_sayable().await?.into_payload();
    }
    let needed = Capability::of(&what);
    if !capabilities.has(needed) {
        let as_text = matches!(
            what,
            SayablePayload::Markdown(_)
                | SayablePayload::Card(_)
                | SayablePayload::Menu(_)
                | SayablePayload::Url(_)
                | SayablePayload::Location(_)
        );
        let as_file = matches!(
            what,
            SayablePayload::Image(_)
                | SayablePayload::Audio(_)
                | SayablePayload::Video(_)
                | SayablePayload::Emoticon(_)
        );
        what = match what {
            SayablePayload::Image(f)
            | SayablePayload::Audio(f)
            | SayablePayload::Video(f)
            | SayablePayload::Emoticon(f)
                if as_file && capabilities.has(Capability::SendAttachment) =>
            {
                SayablePayload::Attachment(f)
            }
            what if as_text && capabilities.has(Capability::SendText) => {
                let mentions = what.mentions().to_vec();
                SayablePayload::Text(wechaty_types::TextPayload { text: what.fallback_text(), mentions })
            }
            _ => return Err(PuppetError::unsupported(account.puppet().platform(), needed).into()),
        };
    }
    what = check_text(&capabilities, what)?;
    if let Some(file) = what.file_box() {
        let spooled = spool(file, capabilities.limits.file).await?;
        what.set_file_box(spooled);
    }
    Ok(what)
}

/// Refuses a text that is too long, and mentions only who can be mentioned.
fn check_text(capabilities: &Capabilities, mut what: SayablePayload) -> Result<SayablePayload> {
    if let SayablePayload::Text(text) | SayablePayload::Markdown(text) = &mut what {
        // The names stay in the words; who cannot be notified is not notified.
        text.mentions.retain(|mention| match mention {
            Mention::Contact(_) => capabilities.has(Capability::Mention),
            Mention::All => capabilities.has(Capability::MentionAll),
        });
    }
    if let Some(text) = what.as_text()
        && let Some(limit) = capabilities.limits.text
    {
        let length = capabilities.limits.text_unit.len(text);
        if length > limit {
            let reason = format!("{length} of at most {limit} {:?}", capabilities.limits.text_unit);
            return Err(PuppetError::Invalid { what: "text", reason }.into());
        }
    }
    Ok(what)
}

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::Puppet(error) => error.reason(),
        Error::File(_) => "file",
        _ => "invalid",
    }
}
