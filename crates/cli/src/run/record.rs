//! `--record`: one JSON line for each message sent.

use std::{
    fs::File,
    io::{LineWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::Serialize;
use wechaty::{BotBuilder, SentMessage};
use wechaty_types::{AccountId, ConversationId, Mention, MessageId, Timestamp};

use crate::failure::Failure;

#[derive(Serialize)]
struct Line<'a> {
    account: &'a AccountId,
    conversation: &'a str,
    room: bool,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    mentions: &'a [Mention],
    quote: Option<&'a MessageId>,
    time: Timestamp,
}

/// Writes the lines; the first failure ends it and is told at the end.
pub(crate) struct Recorder {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Whoever reads along sees each message when it is sent.
    file: LineWriter<File>,
    failure: Option<std::io::Error>,
}

impl Recorder {
    /// Whether the record that is wanted is none of the files that are read. To be asked before anything is written.
    pub(crate) fn may_write(record: Option<&Path>, reads: &[PathBuf]) -> Result<(), Failure> {
        let Some(record) = record.and_then(|record| record.canonicalize().ok()) else { return Ok(()) };
        if reads.iter().any(|read| read.canonicalize().is_ok_and(|read| read == record)) {
            return Err(Failure::usage("W107").set("path", record.display().to_string()));
        }
        Ok(())
    }

    /// The record that is wanted, begun, and the bot whose sends go into it.
    pub(crate) fn begin(record: Option<&Path>, builder: BotBuilder) -> Result<(BotBuilder, Option<Self>), Failure> {
        let Some(recorder) = record.map(Self::create).transpose()? else { return Ok((builder, None)) };
        Ok((builder.observe_sends(recorder.observer()), Some(recorder)))
    }

    fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path)
            .map_err(|error| Failure::usage("W104").set("path", path.display().to_string()).source(&error))?;
        let state = Arc::new(Mutex::new(State { file: LineWriter::new(file), failure: None }));
        Ok(Self { path: path.to_owned(), state })
    }

    fn observer(&self) -> impl Fn(&SentMessage) + Send + Sync + 'static {
        let state = self.state.clone();
        move |message| {
            let (row, what) = (&message.row, &*message.row.what);
            let text = what.file_box().is_none().then(|| what.fallback_text());
            let line = Line {
                account: &row.account,
                conversation: row.to.as_str(),
                room: matches!(row.to, ConversationId::Room(_)),
                kind: what.kind(),
                text: text.as_deref(),
                file: what.file_box().map(|file| file.name()),
                mentions: what.mentions(),
                quote: row.quote.as_ref(),
                time: message.time,
            };
            let mut state = state.lock();
            if state.failure.is_none() {
                let written = serde_json::to_string(&line)
                    .map_err(std::io::Error::other)
                    .and_then(|line| writeln!(state.file, "{line}"));
                state.failure = written.err();
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        let mut state = self.state.lock();
        let written = match state.failure.take() {
            Some(error) => Err(error),
            None => state.file.flush(),
        };
        written.map_err(|error| Failure::failed("W105").set("path", self.path.display().to_string()).source(&error))
    }
}
