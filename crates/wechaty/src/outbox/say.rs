//! `say`: from a sayable to a durable row and its receipt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;
use wechaty_puppet::{Capability, IdempotencyKey, Sent, Timestamp, task::work};
use wechaty_types::{ConversationId, Mention, MessageId, SayablePayload, TextPayload};

use super::{
    Growing, Receipt,
    convert::{Converted, check_text, convert, ids, refuse},
    earlier, growing,
    key::idempotency_key,
    later,
    post::{End, Posted},
    send,
};
use crate::{
    Error, Result, Sayable,
    bot::{Account, Core, Permit},
    handler::Run,
    inbox::choices,
    store::{Enqueued, OutboxRow, Said, SendSeq, Settlement, Spooled, StoreError, crash},
    user::Contact,
};

/// A say about to happen: a future of its [`Receipt`], ready once the send is durable.
///
/// Dropping it before it is ready means it was enqueued or not, never half.
#[must_use = "nothing is said until this is awaited"]
pub struct Say(State);

#[expect(clippy::large_enum_variant, reason = "a say is made, awaited and gone: a box would only cost")]
enum State {
    Built(Request),
    /// A delay: nothing is said.
    Delaying(BoxFuture<'static, ()>),
    /// Not durable yet: dropped with the say.
    Preparing(BoxFuture<'static, Result<Commit>>),
    /// About to go into the store.
    Committing(Arc<Core>, BoxFuture<'static, Result<Posted>>),
    /// On its way into the store, in a task: goes on even if nobody asks any more.
    Committed(oneshot::Receiver<Result<Receipt>>),
    Done,
}

pub(super) struct Request {
    account: Account,
    to: ConversationId,
    what: SayablePayload,
    /// The files of `what` that are in the store, in their order.
    files: Vec<Option<Spooled>>,
    cause: Option<MessageId>,
    quote: Option<MessageId>,
    mentions: Vec<Mentioned>,
    name: Option<String>,
    key: Option<IdempotencyKey>,
    not_before: Option<Timestamp>,
    until: Until,
    /// It is begun, and not sent: its text grows.
    growing: bool,
}

/// What the messages of a growing text have in common.
pub(super) struct Opening {
    pub(super) account: Account,
    pub(super) to: ConversationId,
    pub(super) markdown: bool,
    /// As [`Say::under`] gave it.
    pub(super) key: Option<IdempotencyKey>,
    name: Option<String>,
    cause: Option<MessageId>,
    quote: Option<MessageId>,
    until: Until,
}

impl Opening {
    /// Says a part of it; `None`: the first.
    pub(super) fn say(&self, what: SayablePayload, part: Option<&'static str>, growing: bool) -> Say {
        let name = self.name.as_ref().map(|name| match part {
            None => name.clone(),
            Some(part) => format!("{name}\u{1f}{part}"),
        });
        Say(State::Built(Request {
            account: self.account.clone(),
            to: self.to.clone(),
            what,
            files: Vec::new(),
            cause: self.cause.clone(),
            quote: self.quote.clone().filter(|_| part != Some("rest")),
            mentions: Vec::new(),
            name,
            key: self.key.map(|key| part.map_or(key, |part| growing::another(key, part))),
            not_before: None,
            until: self.until,
            growing,
        }))
    }
}

/// How long a say is good for.
#[derive(Clone, Copy)]
enum Until {
    /// As long as the policy says of its kind.
    Policy,
    /// From when it is due.
    Life(Duration),
    /// A point in time.
    Time(Timestamp),
}

/// Who is mentioned; the name is looked up when the say is awaited.
enum Mentioned {
    Contact(Contact),
    All,
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
            return Self(State::Delaying(Box::pin(async move { delay.wait(&account.core().clock).await })));
        }
        Self(State::Built(Request {
            account,
            to,
            what: what.0,
            files: Vec::new(),
            cause,
            quote: None,
            mentions: Vec::new(),
            name: None,
            key: None,
            not_before: None,
            until: Until::Policy,
            growing: false,
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

    /// Gives it this key, for what is said outside of handlers on behalf of somebody who may ask for it twice. What was said
    /// under it by this account, and is still to be sent or was sent within the last day, is not said again, whatever ends
    /// the process: its receipt is given instead; see [`Account::earlier_send`](crate::Account::earlier_send). In a handler,
    /// [`key`](Self::key) is what you want.
    pub fn under(self, key: IdempotencyKey) -> Self {
        self.edit(|request| request.key = Some(key))
    }

    /// Sends it at this time, not before. It is durable at once and waits in the store, also through a restart; what is
    /// said meanwhile does not wait for it. If nobody can send it then, it is sent as soon as somebody can; see
    /// [`expires_in`](Self::expires_in).
    ///
    /// Awaiting it fails with [`Error::Full`] when as many are planned as [`Limits::planned`](crate::Limits::planned) allows.
    pub fn at(self, time: Timestamp) -> Self {
        self.edit(|request| request.not_before = Some(time))
    }

    /// Sends it after this time has gone by; see [`at`](Self::at).
    pub fn after(self, wait: Duration) -> Self {
        self.edit(|request| request.not_before = Some(request.account.core().clock.wall().plus(wait)))
    }

    /// If it cannot be sent in this time, from when it is due, it is not sent at all: it ends as `expired`, and its
    /// receipt fails with [`SendFailure::Expired`](crate::SendFailure::Expired).
    pub fn expires_in(self, life: Duration) -> Self {
        self.edit(|request| request.until = Until::Life(life))
    }

    /// If it cannot be sent before this time it is not sent at all; see [`expires_in`](Self::expires_in).
    pub fn expires_at(self, time: Timestamp) -> Self {
        self.edit(|request| request.until = Until::Time(time))
    }

    /// Quotes a message, where the platform can; elsewhere it is left out.
    pub fn quote(self, message: impl Into<MessageId>) -> Self {
        self.edit(|request| request.quote = Some(message.into()))
    }

    /// Mentions people: `@name` is put in front of a text, separated by U+2005, and they are notified. In a room it is
    /// the name they have there. Only a text can mention.
    #[doc(alias = "mentionList")]
    pub fn mention<'a>(self, contacts: impl IntoIterator<Item = &'a Contact>) -> Self {
        let contacts = contacts.into_iter().cloned().map(Mentioned::Contact);
        self.edit(|request| request.mentions.extend(contacts))
    }

    /// Mentions everybody in the room: `@all`.
    #[doc(alias = "mentionList")]
    pub fn mention_all(self) -> Self {
        self.edit(|request| request.mentions.push(Mentioned::All))
    }

    /// Makes a message of it whose text grows while people look on: the answer of a model, as it comes. What the say holds is
    /// shown until the first words are there; empty, nothing is. `key` names it inside its handler, as [`key`](Self::key)
    /// does: a handler that runs again after a crash goes on with the same message. It is said now, whatever
    /// [`at`](Self::at) says.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is a text or Markdown; else as awaiting the say.
    pub async fn growing(self, key: impl Into<String>) -> Result<Growing> {
        let State::Built(mut request) = self.0 else {
            return Err(Error::Invalid { what: "growing message", reason: "only what is said can grow".to_owned() });
        };
        let kind = request.what.kind();
        let (SayablePayload::Text(text) | SayablePayload::Markdown(text)) = &mut request.what else {
            let reason = format!("only a text or Markdown can grow, and this is of kind {kind}");
            return Err(Error::Invalid { what: "growing message", reason });
        };
        let shown = std::mem::take(&mut text.text);
        let named = request.named().await?;
        let mentions = named.mentions().to_vec();
        let names = if mentions.is_empty() { String::new() } else { named.fallback_text() };
        let what = TextPayload { text: shown, mentions };
        request.with_life();
        let Request { account, to, cause, quote, key: under, until, .. } = request;
        let markdown = kind == "Markdown" && account.capabilities().has(Capability::SendMarkdown);
        let name = Some(key.into());
        Growing::open(Opening { account, to, markdown, key: under, name, cause, quote, until }, what, names).await
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
        loop {
            let next = match std::mem::replace(&mut self.0, State::Done) {
                State::Built(mut request) => {
                    if let Some(error) = request.is_one_too_many() {
                        return Poll::Ready(Err(error));
                    }
                    match request.with_life().passes_at_once() {
                        Some(pass) => request.commit(pass).start(),
                        None => State::Preparing(Box::pin(request.prepare())),
                    }
                }
                State::Delaying(mut delay) => match delay.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.0 = State::Delaying(delay);
                        return Poll::Pending;
                    }
                    Poll::Ready(()) => {
                        let key = IdempotencyKey::from_bytes(*uuid::Uuid::new_v4().as_bytes());
                        return Poll::Ready(Ok(Receipt::of(key, Settlement::Sent(Sent::without_id()))));
                    }
                },
                State::Preparing(mut preparing) => match preparing.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.0 = State::Preparing(preparing);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(commit)) => commit.start(),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                },
                State::Committing(core, mut commit) => {
                    if let Poll::Ready(done) = commit.as_mut().poll(cx) {
                        return Poll::Ready(done.map(|posted| posted.start(&core, cx)));
                    }
                    // The store takes its time. Who waits may never ask again, and a start waits for this.
                    let (tell, told) = oneshot::channel();
                    finish(&core, commit, tell);
                    State::Committed(told)
                }
                State::Committed(mut told) => match Pin::new(&mut told).poll(cx) {
                    Poll::Pending => {
                        self.0 = State::Committed(told);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(done)) => return Poll::Ready(done),
                    // The task panicked, or its runtime is gone.
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(Error::Stopping)),
                },
                State::Done => return Poll::Pending,
            };
            self.0 = next;
        }
    }
}

impl Request {
    /// The policy's life of its kind, if it has none of its own.
    fn with_life(&mut self) -> &mut Self {
        if let Until::Policy = self.until
            && let Some(life) = self.account.policy().lives.get(self.what.kind())
        {
            self.until = Until::Life(*life);
        }
        self
    }

    /// Whether too much is planned already. What may have been planned before is looked for first.
    fn is_one_too_many(&self) -> Option<Error> {
        let due = self.not_before?;
        if self.key.is_some() || Run::current().is_some_and(|run| run.is_resumed()) {
            return None;
        }
        let core = self.account.core();
        let limit = core.limits.planned;
        let is_full = core.planned.get() >= limit && due > core.clock.wall();
        is_full.then_some(Error::Full { what: "planned sends", limit })
    }

    /// Makes plain text, the usual case, what the platform takes: nothing has to be waited for.
    fn passes_at_once(&mut self) -> Option<Permit> {
        let capabilities = self.account.capabilities();
        let is_plain = matches!(self.what, SayablePayload::Text(_)) && capabilities.has(Capability::SendText);
        if !is_plain || !self.mentions.is_empty() || self.growing {
            return None;
        }
        // One that is refused has to be written down.
        check_text(&capabilities, &mut self.what).ok()?;
        let core = self.account.core();
        core.gate.try_pass(&core.sends)
    }

    async fn prepare(mut self) -> Result<Commit> {
        let prepared = match self.named().await {
            Ok(what) => convert(&self.account, what).await,
            Err(error) => Err(error),
        };
        match prepared {
            Ok(Converted { what, files, choices }) => {
                let core = self.account.core();
                let pass = core.gate.pass(&core.sends).await;
                (self.what, self.files) = (what, files);
                let (growing, account) = (self.growing, self.account.clone());
                let commit = self.commit(pass);
                if growing {
                    growing::note(&account, commit.row.key).await?;
                }
                if let Some(menu) = choices {
                    choices::note(&account, &commit.row, menu).await?;
                }
                Ok(commit)
            }
            // It is the store that fails, and not what is said.
            Err(error @ Error::Store(_)) if !matches!(error, Error::Store(StoreError::TooLarge { .. })) => Err(error),
            Err(error) => Err(refuse(&self.account, error).await),
        }
    }

    /// What is said, with `@name`s in front.
    async fn named(&mut self) -> Result<SayablePayload> {
        let mut what = std::mem::replace(&mut self.what, SayablePayload::text(""));
        if self.mentions.is_empty() {
            return Ok(what);
        }
        let kind = what.kind();
        let (SayablePayload::Text(text) | SayablePayload::Markdown(text)) = &mut what else {
            let reason = format!("only a text can mention people, and this is of kind {kind}: say the names in a text");
            return Err(Error::Invalid { what: "mention", reason });
        };
        let room = match &self.to {
            ConversationId::Room(room) => Some(self.account.room_handle(room)),
            ConversationId::Contact(_) => None,
        };
        let mut names = String::new();
        for mentioned in std::mem::take(&mut self.mentions) {
            let (mention, name) = match (&mentioned, &room) {
                (Mentioned::All, _) => (Mention::All, "all".to_owned()),
                (Mentioned::Contact(contact), Some(room)) => {
                    (Mention::Contact(contact.id().clone()), room.mention_name(contact).await)
                }
                (Mentioned::Contact(contact), None) => (Mention::Contact(contact.id().clone()), contact.mention_name()),
            };
            if !names.is_empty() {
                names.push('\u{2005}');
            }
            names.push('@');
            names.push_str(&name);
            text.mentions.push(mention);
        }
        text.text = format!("{names} {}", text.text);
        Ok(what)
    }

    /// The row, under its key.
    fn commit(self, permit: Permit) -> Commit {
        let Self { account, to, mut what, files, cause, quote, name, key, not_before, until, .. } = self;
        let now = account.core().clock.wall();
        let run = Run::current();
        let (named, keyed) = (name.is_some() || key.is_some(), key.is_some());
        let key = key.unwrap_or_else(|| idempotency_key(account.id(), run.as_deref(), &to, &what, name.as_deref()));
        if let Some(run) = &run {
            run.says(key);
        }
        for (number, file) in files.iter().enumerate() {
            if let Some(file) = file {
                file.fill(&mut what, number);
            }
        }
        let row = OutboxRow {
            seq: 0,
            key,
            account: account.id().clone(),
            to,
            what: Arc::new(what),
            files: ids(&files),
            quote,
            cause: cause.or_else(|| run.as_ref().and_then(|run| run.cause.clone())),
            event: run.as_ref().and_then(|run| run.event),
            said_at: now,
            not_before: not_before.filter(|time| *time > now),
            expires: match until {
                Until::Policy => None,
                Until::Life(life) => Some(not_before.unwrap_or(now).max(now).plus(life)),
                Until::Time(time) => Some(time),
            },
            attempts: 0,
            claimed_at: None,
            done: 0,
            keyed,
        };
        Commit { account, row, named, claimed: false, permit }
    }
}

/// A say that is ready for the store.
struct Commit {
    account: Account,
    row: OutboxRow,
    /// Whether another say of the same run may have the same key.
    named: bool,
    /// Whether the first try is claimed with the row.
    claimed: bool,
    permit: Permit,
}

impl Commit {
    fn start(mut self) -> State {
        let core = self.account.core().clone();
        crash::point("handler-before-say");
        self.claimed = send::claim(&self.account, &mut self.row);
        let Some(queue) = core.store.queue() else {
            return State::Committing(core, Box::pin(self.enqueue(None)));
        };
        let (tell, told) = oneshot::channel();
        let Self { account, row, named, claimed, permit } = self;
        // A stop waits for it, as for a task.
        let under_way = core.tasks.token();
        let then = move |row, enqueued| {
            Self { account, row, named, claimed, permit }.enqueued(enqueued, tell);
            drop(under_way);
        };
        queue.enqueue_then(row, Box::new(then));
        State::Committed(told)
    }

    /// The store has told: the lane begins where we are, unless there is something to wait for.
    fn enqueued(self, enqueued: Result<Enqueued, StoreError>, tell: oneshot::Sender<Result<Receipt>>) {
        let core = self.account.core().clone();
        let rest = match enqueued {
            Ok(Enqueued::New(seq)) if core.gate.is_open() => {
                let account = self.account.clone();
                let (posted, left) = self.post(seq);
                let Some(permit) = left else {
                    // Who asked may have gone.
                    let _ = tell.send(Ok(posted.receipt));
                    if let End::Started(lane) = posted.end {
                        lane.start(&core, &mut Context::from_waker(Waker::noop()));
                    }
                    return;
                };
                async move {
                    send::unclaim(&account, seq).await;
                    drop(permit);
                    Ok(posted)
                }
                .boxed()
            }
            enqueued => self.enqueue(Some(enqueued)).boxed(),
        };
        finish(&core, rest, tell);
    }

    /// Puts the row into its lane. A permit: its lane did not take it, and the claim of it is to be given back with that in
    /// hand, as a start waits for it.
    fn post(self, seq: SendSeq) -> (Posted, Option<Permit>) {
        let Self { account, row, named, claimed, permit } = self;
        let hold = claimed.then(|| account.core().sends.force(1));
        let queued = send::queued(&account, OutboxRow { seq, ..row }, named, claimed, permit);
        let posted = later::post(&account, queued, || !account.core().gate.is_open());
        let left = hold.filter(|_| matches!(posted.end, End::Left));
        (posted, left)
    }

    /// `told`: what the store has told already.
    async fn enqueue(mut self, mut told: Option<Result<Enqueued, StoreError>>) -> Result<Posted> {
        let account = self.account.clone();
        let core = account.core();
        let enqueued = loop {
            let enqueued = match told.take() {
                Some(told) => told,
                None => core.store.enqueue(&self.row).await,
            };
            match enqueued {
                Err(error @ StoreError::Full { .. }) => Box::pin(core.wait_for_room(error)).await?,
                Err(error @ StoreError::TooLarge { .. }) => return Err(refuse(&account, error.into()).await),
                enqueued => break enqueued?,
            }
            // Others may be before it now.
            (self.claimed, self.row.attempts, self.row.claimed_at) = (false, 0, None);
        };
        let (claimed, key) = (self.claimed, self.row.key);
        match enqueued {
            Enqueued::New(seq) if core.gate.is_open() => {
                let (posted, left) = self.post(seq);
                if let Some(permit) = left {
                    send::unclaim(&account, seq).await;
                    drop(permit);
                }
                Ok(posted)
            }
            // The next start finds it in the store, and its receipt here.
            Enqueued::New(seq) => {
                if claimed {
                    send::unclaim(&account, seq).await;
                }
                Ok(core.receipts.get(seq, key).into())
            }
            Enqueued::Existing { seq, settled } => {
                let (said, event) = (Said { seq, key, settled }, self.row.event);
                Ok(earlier::receipt(&account, said, event).await?.into())
            }
        }
    }
}

/// Brings a say to its end in a task, and runs its lane there.
fn finish(core: &Arc<Core>, commit: BoxFuture<'static, Result<Posted>>, tell: oneshot::Sender<Result<Receipt>>) {
    let (runner, task) = (Arc::new(OnceLock::new()), core.clone());
    let own = runner.clone();
    let spawned = core.tasks.spawn(work(async move {
        // Who asked may have gone.
        match commit.await {
            Ok(Posted { receipt, end }) => {
                let _ = tell.send(Ok(receipt));
                if let End::Started(lane) = end {
                    // The lane has a task already: this one.
                    lane.run(&task, own.get()).await;
                }
            }
            Err(error) => drop(tell.send(Err(error))),
        }
    }));
    let _ = runner.set(spawned.abort_handle());
}
