//! The bot's side of a case: what was accepted, what was refused, which cursor was committed.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::{AcceptError, Batch, Cursor, Event, EventKind, EventSink};

/// An accepted event.
#[derive(Clone)]
pub(super) struct Entry {
    /// Which run brought it.
    pub(super) session: u32,
    pub(super) event: Event,
    /// The cursor committed with its batch, or before.
    pub(super) cursor: Option<Cursor>,
}

/// How the sink answers out of turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// Takes everything.
    #[default]
    Open,
    /// The next batch with a message is refused as if the store failed; then open.
    RefuseMessage,
    /// Batches with a message wait.
    Hold,
    /// Everything is refused: the bot is stopping.
    Stopping,
    /// A login is refused: it is somebody else's.
    Stranger,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    cursor: Option<Cursor>,
    mood: Mood,
    /// Batches refused or held, in all.
    turned_away: u32,
    /// The run whose events count; of older ones they are refused.
    session: u32,
}

/// What the bot has, over all runs of a case.
#[derive(Default)]
pub(super) struct Recorder {
    state: Mutex<State>,
    pub(super) changed: Notify,
}

impl Recorder {
    pub(super) fn set_mood(&self, mood: Mood) {
        self.state.lock().mood = mood;
        self.changed.notify_waiters();
    }
    /// A new run begins; the sinks of older ones are dead.
    pub(super) fn begin(&self) -> u32 {
        let mut state = self.state.lock();
        state.session += 1;
        let session = state.session;
        drop(state);
        self.changed.notify_waiters();
        session
    }
    pub(super) fn len(&self) -> usize {
        self.state.lock().entries.len()
    }
    pub(super) fn entry(&self, index: usize) -> Option<Entry> {
        self.state.lock().entries.get(index).cloned()
    }
    pub(super) fn from(&self, mark: usize) -> Vec<Entry> {
        self.state.lock().entries.get(mark..).unwrap_or_default().to_vec()
    }
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.state.lock().cursor.clone()
    }
    pub(super) fn turned_away(&self) -> u32 {
        self.state.lock().turned_away
    }

    /// Decides about a batch; `None`: it has to wait.
    fn decide(&self, session: u32, batch: &mut Batch, held: &mut bool) -> Option<Result<(), AcceptError>> {
        let mut state = self.state.lock();
        let has = |kind| batch.events.iter().any(|event| event.what.kind() == kind);
        if state.session != session || state.mood == Mood::Stopping {
            return Some(Err(AcceptError::Stopping));
        }
        match state.mood {
            Mood::RefuseMessage if has(EventKind::Message) => {
                state.mood = Mood::Open;
                state.turned_away += 1;
                return Some(Err(AcceptError::Store("the case's store was told to fail".into())));
            }
            Mood::Hold if has(EventKind::Message) => {
                state.turned_away += u32::from(!*held);
                *held = true;
                return None;
            }
            Mood::Stranger if has(EventKind::Login) => {
                return Some(Err(AcceptError::Identity {
                    account: "conformance".into(),
                    expected: "somebody-else".into(),
                    found: "the-account".into(),
                }));
            }
            _ => {}
        }
        if batch.cursor.is_some() {
            state.cursor = batch.cursor.take();
        }
        let cursor = state.cursor.clone();
        let events = std::mem::take(&mut batch.events);
        state.entries.extend(events.into_iter().map(|event| Entry { session, event, cursor: cursor.clone() }));
        Some(Ok(()))
    }
}

/// The sink of one run.
pub(super) struct Sink {
    pub(super) recorder: Arc<Recorder>,
    pub(super) session: u32,
}

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, mut batch: Batch) -> Result<(), AcceptError> {
        // A store takes its time: who does not wait for it is found out.
        tokio::task::yield_now().await;
        let mut held = false;
        loop {
            let mut changed = pin!(self.recorder.changed.notified());
            changed.as_mut().enable();
            let decided = self.recorder.decide(self.session, &mut batch, &mut held);
            if decided.is_some() {
                self.recorder.changed.notify_waiters();
            }
            match decided {
                Some(answer) => return answer,
                None => changed.await,
            }
        }
    }
}
