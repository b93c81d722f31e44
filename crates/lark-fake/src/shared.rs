//! SHARED: the state behind its lock, who is connected, and who waits for what.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::atomic::{AtomicU16, AtomicUsize, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use wechaty_puppet::Clock;

use crate::state::{Outcome, State};

/// Frames that wait to be written to one connection.
pub(crate) const QUEUE: usize = 4096;

/// All that the parts of the fake have in common.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) clock: Clock,
    connections: Mutex<Vec<Connection>>,
    turn: AtomicUsize,
    /// Acknowledgements that are waited for, by event id, with the connection that they are to come from.
    pub(crate) pending: Mutex<HashMap<String, (u64, oneshot::Sender<Outcome>)>>,
    /// Something is to be sent.
    pub(crate) wake: Notify,
    /// Counts changes.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) port: AtomicU16,
    /// Ends what runs for the listener that is open now.
    pub(crate) epoch: Mutex<CancellationToken>,
}

/// A long connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) opened: i64,
    pub(crate) frames: mpsc::Sender<Vec<u8>>,
    /// Drops it.
    pub(crate) kill: CancellationToken,
    /// It stays open, and nothing more is read or written.
    pub(crate) deaf: CancellationToken,
    pub(crate) pings: std::sync::Arc<AtomicUsize>,
}

impl Shared {
    pub(crate) fn new(state: State, clock: Clock, file: Option<PathBuf>) -> Self {
        Self {
            state: Mutex::new(state),
            clock,
            connections: Mutex::default(),
            turn: AtomicUsize::new(0),
            pending: Mutex::default(),
            wake: Notify::new(),
            changes: watch::Sender::new(0),
            file,
            port: AtomicU16::new(0),
            epoch: Mutex::new(CancellationToken::new()),
        }
    }

    /// Looks at the state, and may change it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let done = {
            let mut state = self.state.lock();
            state.now = self.clock.wall().as_millis();
            work(&mut state)
        };
        self.wake.notify_one();
        self.changes.send_modify(|count| *count += 1);
        done
    }

    /// The same, without waking who sends what is due.
    pub(crate) fn with_quietly<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        state.now = self.clock.wall().as_millis();
        work(&mut state)
    }

    /// Looks at the state only.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&State) -> T) -> T {
        work(&self.state.lock())
    }

    pub(crate) fn add(&self, connection: Connection) {
        self.connections.lock().push(connection);
        self.wake.notify_one();
    }

    pub(crate) fn remove(&self, id: u64) {
        self.connections.lock().retain(|connection| connection.id != id);
        self.nothing_comes_of(id);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Whether a connection has not ended.
    pub(crate) fn is_there(&self, id: u64) -> bool {
        self.connections.lock().iter().any(|connection| connection.id == id)
    }

    /// What a connection that has ended did not acknowledge is not waited for any longer.
    pub(crate) fn nothing_comes_of(&self, id: u64) {
        let ended = self.pending.lock().extract_if(|_, (connection, _)| *connection == id).collect::<Vec<_>>();
        for (_, (_, waiting)) in ended {
            drop(waiting.send(Err("the connection ended".to_owned())));
        }
    }

    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.connections.lock().clone()
    }

    /// The connection whose turn it is.
    pub(crate) fn next_connection(&self) -> Option<Connection> {
        let all = self.connections.lock();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!all.is_empty()).then(|| all[turn % all.len()].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_connection_has_not_acknowledged_fails_with_its_end() {
        let shared = Shared::new(State::default(), Clock::system(), None);
        let waits = [1, 2].map(|connection| {
            let (sender, waits) = oneshot::channel();
            shared.pending.lock().insert(format!("event of {connection}"), (connection, sender));
            waits
        });
        shared.remove(1);
        let [ended, mut other] = waits;
        assert_eq!(ended.await.unwrap(), Err("the connection ended".to_owned()));
        assert!(other.try_recv().is_err() && shared.pending.lock().len() == 1);
    }
}
