//! The events of one account: kept until acknowledged, read from a position, delivered again after a reconnect.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::{Notify, oneshot};
use wechaty_puppet::{ConversationId, Event};

/// An event in the queue.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) lane: Option<ConversationId>,
    /// Its number in the book.
    pub(super) number: u64,
    accepted: Option<oneshot::Sender<()>>,
}

/// Why a connection ends from the platform's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// The network failed.
    Lost,
    /// Logged out, with the reason.
    LoggedOut(Option<String>),
}

#[derive(Debug, Default)]
pub(super) struct EventQueue {
    log: VecDeque<Queued>,
    base: u64,
    acked: u64,
    /// Delivered once and to be delivered again, in batches of their own.
    pub(super) again: VecDeque<(u64, Event)>,
    /// How many are with the bot, neither accepted nor refused.
    pub(super) in_hand: u64,
    connection: u64,
    wake: Arc<Notify>,
    live: bool,
    interrupts: VecDeque<Interrupt>,
}

impl EventQueue {
    /// Adds an event. The receiver completes when it was accepted, or fails when the connection is lost before;
    /// `None`: nobody is connected, or `wait` is false.
    pub(super) fn offer(
        &mut self,
        event: Event,
        lane: Option<ConversationId>,
        number: u64,
        wait: bool,
    ) -> Option<oneshot::Receiver<()>> {
        let (accepted, waiting) = if wait && self.live { Some(oneshot::channel()) } else { None }
            .map_or((None, None), |(tx, rx)| (Some(tx), Some(rx)));
        self.log.push_back(Queued { event, lane, number, accepted });
        self.wake();
        waiting
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) fn end(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// A new connection, which replaces an older one: its number and its alarm.
    pub(super) fn connect(&mut self) -> (u64, Arc<Notify>) {
        self.disconnect(self.connection);
        self.wake();
        self.connection += 1;
        self.wake = Arc::default();
        (self.connection, self.wake.clone())
    }

    pub(super) fn is_current(&self, connection: u64) -> bool {
        self.connection == connection
    }

    /// From now on people wait until their events are accepted.
    pub(super) fn set_live(&mut self, connection: u64, live: bool) {
        if self.is_current(connection) {
            self.live = live;
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Nobody waits for acceptance any more.
    pub(super) fn disconnect(&mut self, connection: u64) {
        if !self.is_current(connection) {
            return;
        }
        self.live = false;
        self.in_hand = 0;
        for queued in &mut self.log {
            queued.accepted = None;
        }
    }

    pub(super) fn interrupt(&mut self, interrupt: Interrupt) {
        self.interrupts.push_back(interrupt);
        self.wake();
    }

    pub(super) fn interrupted(&mut self) -> Option<Interrupt> {
        self.interrupts.pop_front()
    }

    pub(super) fn is_interrupted(&self) -> bool {
        !self.interrupts.is_empty()
    }

    /// Where to start: the bot's cursor, else behind what was acknowledged. Everything before a cursor counts as
    /// acknowledged; the numbers of those the platform did not know of come back.
    pub(super) fn start(&mut self, cursor: Option<u64>) -> (u64, Vec<u64>) {
        let Some(cursor) = cursor else { return (self.acked, Vec::new()) };
        let position = cursor.clamp(self.base, self.end());
        let known = self.between(self.acked, position).map(|queued| queued.number).collect();
        self.acked = self.acked.max(position);
        (position, known)
    }

    /// Events from `position` on.
    pub(super) fn from(&self, position: u64) -> impl Iterator<Item = &Queued> {
        self.between(position, self.end())
    }

    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Queued> {
        let from = from.saturating_sub(self.base) as usize;
        let to = to.saturating_sub(self.base) as usize;
        self.log.range(from.min(to)..to)
    }

    /// Everything before `position` is the bot's; keeps the last `retain` of them for older cursors.
    pub(super) fn ack(&mut self, position: u64, retain: usize) {
        let from = self.acked.saturating_sub(self.base) as usize;
        let to = position.saturating_sub(self.base) as usize;
        for queued in self.log.range_mut(from.min(to)..to) {
            if let Some(accepted) = queued.accepted.take() {
                let _ = accepted.send(());
            }
        }
        self.acked = self.acked.max(position);
        while self.acked - self.base > retain as u64 {
            self.log.pop_front();
            self.base += 1;
        }
    }

    /// How many events the bot has not accepted yet.
    pub(super) fn pending(&self) -> u64 {
        (self.end() - self.acked).max(self.in_hand) + self.again.len() as u64
    }
}
