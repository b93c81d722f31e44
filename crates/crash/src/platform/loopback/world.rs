//! WORLD: what the loopback platform knows, and who is connected.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::faults::Fault;
use crate::{
    platform::{Book, Said, Settings, Taken},
    rng::Rng,
};

/// A send as it came.
pub(super) struct Send {
    pub(super) key: Option<String>,
    pub(super) to: String,
    pub(super) text: String,
}

struct State {
    book: Book,
    faults: Rng,
    latency: Rng,
    batches: Rng,
    keys: HashMap<String, String>,
    /// Number of the newest connection that listens.
    connection: usize,
    /// How many it was told and has not acknowledged.
    told: usize,
    /// Indices of messages that it has yet to be told.
    queue: Vec<usize>,
    listening: bool,
    /// After so many batches the platform hangs up once.
    hang_up: Option<u64>,
}

/// Everything behind one lock.
pub(super) struct World {
    pub(super) settings: Settings,
    state: Mutex<State>,
    changed: Condvar,
    began: Instant,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let mut batches = Rng::new(settings.seed, "batches");
        let hang_up = (settings.copies.is_empty() && batches.percent(40)).then(|| 1 + batches.below(6));
        let state = State {
            book: Book::default(),
            faults: Rng::new(settings.seed, "faults"),
            latency: Rng::new(settings.seed, "latency"),
            batches,
            keys: HashMap::new(),
            connection: 0,
            told: 0,
            queue: Vec::new(),
            listening: false,
            hang_up,
        };
        Self { settings, state: Mutex::new(state), changed: Condvar::new(), began: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the book.
    pub(super) fn book(&self) -> Book {
        let state = self.lock();
        Book { connections: state.connection, open: state.queue.len() + state.told, ..state.book.clone() }
    }

    pub(super) fn until_somebody_listens(&self) {
        let mut state = self.lock();
        while state.connection == 0 {
            state = self.wait(state);
        }
    }

    pub(super) fn say(&self, talker: &str, room: Option<&str>, text: String) {
        self.lock().say(talker, room, text, &self.settings.copies);
        self.changed.notify_all();
    }

    pub(super) fn said_everything(&self) {
        self.lock().book.over = true;
    }

    /// A new connection listens: it is told again what was not acknowledged, and now and then what was.
    pub(super) fn connected(&self) -> usize {
        let mut state = self.lock();
        let copies = self.settings.copies.get(state.connection).copied();
        state.connection += 1;
        state.listening = true;
        state.told = 0;
        let all = 0..state.book.said.len();
        state.queue = match copies {
            Some(copies) => all.flat_map(|i| std::iter::repeat_n(i, copies as usize)).collect(),
            None => {
                let State { batches, book, .. } = &mut *state;
                all.filter(|&i| !book.said[i].acknowledged || batches.percent(20)).collect()
            }
        };
        self.changed.notify_all();
        state.connection
    }

    pub(super) fn gone(&self, number: usize) {
        let mut state = self.lock();
        if state.connection == number {
            state.listening = false;
        }
        self.changed.notify_all();
    }

    /// What the connection is told next; `None`: it is over.
    pub(super) fn next_batch(&self, number: usize) -> Option<Vec<Said>> {
        let mut state = self.lock();
        loop {
            if state.connection != number || !state.listening {
                return None;
            }
            if !state.queue.is_empty() {
                break;
            }
            state = self.wait(state);
        }
        if let Some(left) = &mut state.hang_up {
            *left -= 1;
            if *left == 0 {
                state.hang_up = None;
                return None;
            }
        }
        let size = (1 + state.batches.below(4) as usize).min(state.queue.len());
        let indices: Vec<usize> = state.queue.drain(..size).collect();
        state.told += size;
        let mut batch = Vec::with_capacity(size);
        for i in indices {
            state.book.said[i].told += 1;
            batch.push(state.book.said[i].clone());
        }
        Some(batch)
    }

    pub(super) fn acknowledge(&self, id: &str) {
        let mut state = self.lock();
        state.told = state.told.saturating_sub(1);
        if let Some(said) = state.book.said.iter_mut().find(|said| said.id == id) {
            said.acknowledged = true;
        }
    }

    /// A send is asked for: whether it will fail.
    pub(super) fn call_begins(&self) -> Option<Fault> {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut state = self.lock();
        state.book.calls.push(at);
        let fault = Fault::draw(&mut state.faults, self.settings.faults);
        if let Some(fault) = fault {
            *state.book.failed.entry(fault.name().to_owned()).or_default() += 1;
        }
        fault
    }

    /// How long an answer takes, in milliseconds.
    pub(super) fn latency(&self) -> u64 {
        self.lock().latency.below(4)
    }

    /// Shows a send to the people; gives its id.
    pub(super) fn take(&self, send: Send) -> String {
        let mut state = self.lock();
        let key = send.key.filter(|_| self.settings.keys);
        if let Some(id) = key.as_ref().and_then(|key| state.keys.get(key)).cloned() {
            state.book.repeated += 1;
            return id;
        }
        let id = format!("s{}", state.book.taken.len() + 1);
        if let Some(key) = key {
            state.keys.insert(key, id.clone());
        }
        let question = send.text.strip_prefix("question ").map(str::to_owned);
        state.book.taken.push(Taken { to: send.to, text: send.text });
        if let Some(number) = question {
            state.reply(&number, &self.settings.copies);
        }
        self.changed.notify_all();
        id
    }

    /// People whose question never came say their reply all the same.
    pub(super) fn nudge(&self) {
        let mut state = self.lock();
        let asked: Vec<String> =
            state.book.said.iter().filter_map(|said| said.text.strip_prefix("ask ")).map(str::to_owned).collect();
        for number in asked {
            state.reply(&number, &self.settings.copies);
        }
        self.changed.notify_all();
    }
}

impl State {
    fn say(&mut self, talker: &str, room: Option<&str>, text: String, copies: &[u32]) {
        let index = self.book.said.len();
        self.book.said.push(Said {
            id: format!("m{}", index + 1),
            talker: talker.to_owned(),
            room: room.map(str::to_owned),
            text,
            acknowledged: false,
            told: 0,
        });
        // What comes while nobody listens is told to who connects next.
        if self.listening {
            let copies = copies.get(self.connection - 1).copied().unwrap_or(1);
            self.queue.extend(std::iter::repeat_n(index, copies as usize));
        }
    }

    /// Who asked `ask N` hears the question and replies, once.
    fn reply(&mut self, number: &str, copies: &[u32]) {
        let (ask, reply) = (format!("ask {number}"), format!("reply {number}"));
        if self.book.said.iter().any(|said| said.text == reply) {
            return;
        }
        if let Some(talker) = self.book.said.iter().find(|said| said.text == ask).map(|said| said.talker.clone()) {
            self.say(&talker, None, reply, copies);
        }
    }
}
