//! OPTIONS: what the door is told when it is made.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{LogOptions, StreamLimits, Token, Webhook};

/// How fast a token may ask: a bucket that is filled again at a steady rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second, in the long run. Default: 500.
    pub per_second: u32,
    /// Requests at once. Default: 1,000.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: 500, burst: 1_000 }
    }
}

/// Settings of the door.
#[derive(Clone, Debug)]
pub struct RestOptions {
    /// Who may ask. Without any, nobody may.
    pub tokens: Vec<Token>,
    /// How fast each token may ask.
    pub rate: Rate,
    /// Largest uploaded file in bytes. Default: 2 GiB.
    pub largest_file: u64,
    /// How many uploads are kept at a time, with those on their way. Default: 1,000.
    pub uploads: usize,
    /// How many bytes they may have in all. Default: 4 GiB.
    pub upload_bytes: u64,
    /// How long an uploaded file is kept. Default: 30 min.
    pub file_life: Duration,
    /// Where uploaded files are kept; made when the first one comes.
    pub files: PathBuf,
    /// How much the event log holds.
    pub log: LogOptions,
    /// How many may listen to the events.
    pub streams: StreamLimits,
    /// Who is told of events.
    pub webhooks: Vec<Arc<Webhook>>,
}

impl RestOptions {
    /// The usual bounds, with files in this folder.
    pub fn new(tokens: Vec<Token>, files: impl Into<PathBuf>) -> Self {
        Self {
            tokens,
            rate: Rate::default(),
            largest_file: 2 << 30,
            uploads: 1_000,
            upload_bytes: 4 << 30,
            file_life: Duration::from_secs(30 * 60),
            files: files.into(),
            log: LogOptions::default(),
            streams: StreamLimits::default(),
            webhooks: Vec::new(),
        }
    }
}
