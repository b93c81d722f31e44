//! DIALOGUE: a conversation in steps. Between two messages nothing of it is in memory: a sleeping dialogue is a row.

use std::{fmt, future::Future, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use wechaty_types::{ContactId, ConversationId};

use super::{Place, Slot, Stored};
use crate::{
    Account, Error, Result,
    handler::{AnyEvent, ErasedHandler, EventContext, Extract, Flow, Run, States},
    inbox::digest,
    store::{EventSeq, StoreError},
    user::Message,
};

/// The dialogue of a person in a conversation, its steps of type `S`. A handler takes that of its event.
///
/// Once it is started, that person's next message there goes to the dialogue's handler and to no other; see
/// [`BotBuilder::dialogue`](crate::BotBuilder::dialogue).
pub struct Dialogue<S> {
    /// `None`: the event has no conversation or nobody who caused it.
    slot: Option<Slot>,
    /// Whether an earlier life left the event unfinished.
    resumed: bool,
    step: PhantomData<fn() -> S>,
}

impl<S> Clone for Dialogue<S> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone(), resumed: self.resumed, step: PhantomData }
    }
}

impl<S> fmt::Debug for Dialogue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialogue").field(&self.slot.as_ref().map(|slot| &slot.key)).finish()
    }
}

impl<S: Stored> Dialogue<S> {
    fn new(account: &Account, conversation: &ConversationId, person: &ContactId) -> Self {
        let slot = Slot::new::<S>(account, "dialogue", &(conversation, person));
        Self { slot: Some(slot), resumed: false, step: PhantomData }
    }

    fn slot(&self) -> Result<&Slot> {
        self.slot.as_ref().ok_or_else(|| Error::Invalid {
            what: "dialogue",
            reason: "this event belongs to no conversation with anybody".into(),
        })
    }

    /// Begins at this step, whatever step it was at. A handler that runs again after a crash does not begin it again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(&self, step: &S) -> Result<()> {
        let (slot, event) = (self.slot()?, writer());
        let value = slot.encode(step, event)?;
        let Some(event) = event else { return Ok(slot.write(None, Some(value)).await?) };
        let store = &slot.core.store;
        let note = format!("start/{}/{:032x}", S::NAME, u128::from_be_bytes(digest(value.as_bytes())));
        // Later messages may have moved it on since.
        if self.resumed && store.recall(event, &note).await?.is_some() {
            return Ok(());
        }
        slot.write(None, Some(value)).await?;
        Ok(slot.core.note(event, &note, Bytes::new()).await?)
    }

    /// The step it waits at; `None`: there is no such dialogue.
    ///
    /// # Errors
    /// [`Error::Stored`] if what is stored cannot be read: it stays there.
    pub async fn step(&self) -> Result<Option<S>> {
        Ok(self.slot()?.read().await?.map(|read| read.value))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self) -> Result<()> {
        Ok(self.slot()?.write(None, None).await?)
    }
}

impl<S: Stored> Extract for Dialogue<S> {
    fn extract(cx: &EventContext) -> Self {
        match Place::of(&cx.object) {
            Place { conversation: Some(conversation), person: Some(person) } => {
                Self { resumed: cx.resumed, ..Self::new(&cx.account, &conversation, &person) }
            }
            _ => Self { slot: None, resumed: false, step: PhantomData },
        }
    }
}

impl Account {
    /// The dialogue with a person in a conversation of this account.
    pub fn dialogue<S: Stored>(&self, conversation: &ConversationId, person: &ContactId) -> Dialogue<S> {
        Dialogue::new(self, conversation, person)
    }
}

/// The event whose handler writes: a step is given to later ones only.
fn writer() -> Option<EventSeq> {
    Run::current().and_then(|run| run.event)
}

/// What a step has decided, noted before it is written: which version of the dialogue it saw, and what comes next.
type Decision = (u64, Option<String>);

/// What the handler of a dialogue may return: `Option<S>`, the next step or (`None`) the end, or a `Result` of it.
pub trait IntoNext<S> {
    /// The next step.
    ///
    /// # Errors
    /// The handler's own; the dialogue stays where it is then.
    fn into_next(self) -> Result<Option<S>>;
}

impl<S> IntoNext<S> for Option<S> {
    fn into_next(self) -> Result<Option<S>> {
        Ok(self)
    }
}

impl<S, E: Into<Error>> IntoNext<S> for Result<Option<S>, E> {
    fn into_next(self) -> Result<Option<S>> {
        self.map_err(Into::into)
    }
}

/// An `async fn` that takes a message, the step its dialogue is at and up to three extractors, and returns the next step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the handler of a dialogue",
    note = "it is an `async fn(Message, S, up to three extractors)` where `S` is `Stored`, and returns `Option<S>` (the \
            next step, or `None`: the end) or a `Result` of it"
)]
pub trait DialogueHandler<S, Args>: Send + Sync + 'static {
    #[doc(hidden)]
    fn call(&self, message: Message, step: S, cx: &EventContext) -> BoxFuture<'static, Result<Option<S>>>;
    #[doc(hidden)]
    fn missing(states: &States) -> Vec<&'static str>;
}

macro_rules! dialogue_handlers {
    ($(($($arg:ident),*);)*) => {$(
        impl<F, Fut, S, $($arg,)*> DialogueHandler<S, (S, $($arg,)*)> for F
        where
            F: Fn(Message, S, $($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoNext<S>,
            $($arg: Extract,)*
        {
            fn call(&self, message: Message, step: S, cx: &EventContext) -> BoxFuture<'static, Result<Option<S>>> {
                let _ = cx;
                let future = self(message, step, $($arg::extract(cx)),*);
                Box::pin(async move { future.await.into_next() })
            }

            fn missing(states: &States) -> Vec<&'static str> {
                let _ = states;
                let missing: Vec<Option<&'static str>> = vec![$($arg::missing(states)),*];
                missing.into_iter().flatten().collect()
            }
        }
    )*};
}

dialogue_handlers! {
    ();
    (A1);
    (A1, A2);
    (A1, A2, A3);
}

/// The handler of a dialogue among those of messages.
pub(crate) struct Steps<S, H, Args> {
    handler: Arc<H>,
    types: PhantomData<fn() -> (S, Args)>,
}

impl<S, H, Args> Steps<S, H, Args> {
    pub(crate) fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler), types: PhantomData }
    }
}

impl<S: Stored, H: DialogueHandler<S, Args>, Args: 'static> ErasedHandler for Steps<S, H, Args> {
    fn may_stop(&self) -> bool {
        true
    }
    fn call(&self, cx: &EventContext) -> Option<BoxFuture<'static, Result<Flow>>> {
        let AnyEvent::Message(message) = &cx.object else { return None };
        Some(Box::pin(step(self.handler.clone(), message.clone(), cx.clone())))
    }
}

/// Gives a message to the step its dialogue is at.
async fn step<S: Stored, H: DialogueHandler<S, Args>, Args>(
    handler: Arc<H>,
    message: Message,
    cx: EventContext,
) -> Result<Flow> {
    let dialogue = Dialogue::<S>::new(&cx.account, &message.conversation_id(), message.talker_id());
    let slot = dialogue.slot()?;
    let store = &slot.core.store;
    let event = writer();
    let note = format!("dialogue/{}", S::NAME);
    if let Some(event) = event.filter(|_| cx.resumed)
        && let Some(noted) = store.recall(event, &note).await?
    {
        // An earlier life had come so far; perhaps it was not written.
        return moves(slot, serde_json::from_slice(&noted).map_err(Error::other)?).await;
    }
    let Some(read) = slot.read::<S>().await? else { return Ok(Flow::Continue) };
    if event.is_some_and(|event| read.by.is_some_and(|by| event <= by)) {
        // This message, or a later one, led to the step in an earlier life: it is no answer to it.
        return Ok(Flow::Continue);
    }
    let next = handler.call(message, read.value, &cx).await?;
    let next = next.map(|next| slot.encode(&next, event)).transpose()?;
    let decision: Decision = (read.version, next);
    if let Some(event) = event {
        let json = serde_json::to_vec(&decision).map_err(Error::other)?;
        slot.core.note(event, &note, json.into()).await?;
    }
    moves(slot, decision).await
}

/// Moves a dialogue on, unless somebody has moved it meanwhile.
async fn moves(slot: &Slot, (seen, next): Decision) -> Result<Flow> {
    match slot.write(Some(seen), next).await {
        Ok(()) | Err(StoreError::Conflict { .. }) => Ok(Flow::Stop),
        Err(error) => Err(error.into()),
    }
}
