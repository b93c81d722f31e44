//! The command's side: one question, one answer, in bounded time.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde::de::DeserializeOwned;
use wechaty::Clock;

use super::{Answer, Ask, LONGEST_ANSWER, Outcome, PATIENCE, Place, Question, Refusal, VERSION, server};
use crate::failure::Failure;

/// Asks the bot of this place.
///
/// # Errors
/// No such bot runs (exit code 2); or it does not answer, or not this.
pub(crate) fn ask<T: DeserializeOwned>(place: &Place, ask: Ask) -> Result<T, Failure> {
    let socket = place.socket();
    let stream = server::reached(&socket, |path| UnixStream::connect(path));
    let stream = stream.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            let folder = place.folder().display().to_string();
            Failure::usage("W170").set("name", &*place.name).set("path", folder)
        }
        _ => server::unusable(&socket, &error),
    })?;
    let silent = |error: io::Error| {
        let failure = Failure::failed("W173").set("name", &*place.name);
        match error.kind() {
            // The message says it already.
            ErrorKind::TimedOut | ErrorKind::WouldBlock => failure,
            _ => failure.source(&error),
        }
    };
    let line = exchange(stream, ask).map_err(silent)?;
    let answer: Answer = serde_json::from_slice(&line).map_err(|error| silent(error.into()))?;
    match answer.result {
        Outcome::Ok(value) => serde_json::from_value(value).map_err(|error| silent(error.into())),
        Outcome::Error(Refusal::Version | Refusal::Unknown | Refusal::Other) => {
            Err(Failure::failed("W174").set("name", &*place.name))
        }
        Outcome::Error(refusal @ (Refusal::Full | Refusal::ReadOnly | Refusal::Damaged | Refusal::Failing)) => {
            let code = match refusal {
                Refusal::Full => "W192",
                Refusal::ReadOnly => "W193",
                Refusal::Damaged => "W194",
                _ => "W195",
            };
            Err(Failure::failed(code).set("path", place.file().display().to_string()))
        }
        Outcome::Error(Refusal::Malformed | Refusal::Failed) => Err(Failure::failed("W173").set("name", &*place.name)),
    }
}

fn exchange(mut stream: UnixStream, ask: Ask) -> io::Result<Vec<u8>> {
    let clock = Clock::system();
    let end = clock.now() + PATIENCE;
    let mut line = serde_json::to_vec(&Question { v: VERSION, ask })?;
    line.push(b'\n');
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    let mut stream = BufReader::new(stream);
    loop {
        // Somebody who answers letter by letter does not get more time.
        let left = end.saturating_sub(clock.now()).max(Duration::from_millis(1));
        if clock.now() >= end {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.get_ref().set_read_timeout(Some(left))?;
        let part = stream.fill_buf()?;
        let (taken, over) = match part.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (part.len(), part.is_empty()),
        };
        answer.extend_from_slice(&part[..taken]);
        stream.consume(taken);
        if over {
            return Ok(answer);
        }
        if answer.len() as u64 > LONGEST_ANSWER {
            return Err(ErrorKind::InvalidData.into());
        }
    }
}
