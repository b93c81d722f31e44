//! BOOK: what a platform has written down of a run, whichever platform it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message that somebody said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) talker: String,
    pub(crate) room: Option<String>,
    pub(crate) text: String,
    pub(crate) acknowledged: bool,
    /// How often it was told.
    pub(crate) told: u32,
}

impl Said {
    /// Room or person.
    pub(crate) fn conversation(&self) -> &str {
        self.room.as_deref().unwrap_or(&self.talker)
    }
}

/// A send that people have read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) to: String,
    pub(crate) text: String,
}

/// What the platform knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) said: Vec<Said>,
    /// Nobody says anything more of his own accord.
    pub(crate) over: bool,
    pub(crate) taken: Vec<Taken>,
    /// How many connections have listened so far.
    pub(crate) connections: usize,
    /// Copies that the connection of now has yet to be told, or has not acknowledged.
    pub(crate) open: usize,
    /// Second copies dropped by key.
    pub(crate) repeated: u64,
    /// When each call for a send came, in milliseconds.
    pub(crate) calls: Vec<u64>,
    /// Calls that failed, by way.
    pub(crate) failed: BTreeMap<String, u64>,
    /// No call is answered any more, as it was wanted.
    pub(crate) frozen: bool,
    /// Sends that the platform tells the bot as messages of its own.
    pub(crate) echoed: u64,
}
