//! Lines from a reader, bounded in length; what is no UTF-8 or too long is told and skipped.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use tokio::sync::mpsc;

/// Longest line in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Most lines of one batch.
const BATCH: usize = 256;

/// How many batches are read ahead of the bot. Each holds less than two of the longest lines.
const AHEAD: usize = 2;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It has so many bytes.
    TooLong(usize),
    /// This byte, from 1, is no part of a character.
    NotUtf8(usize),
}

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Line(String),
    /// Line number and what was wrong with it.
    Refused(u64, Why),
    /// Nothing can be read any more.
    Broken(String),
}

/// Lines that were read together.
#[derive(Default)]
struct Pending {
    inputs: Vec<Input>,
    bytes: usize,
}

impl Pending {
    fn push(&mut self, input: Input) {
        self.bytes += match &input {
            Input::Line(line) => line.len(),
            Input::Refused(..) => 0,
            Input::Broken(why) => why.len(),
        };
        self.inputs.push(input);
    }
    fn is_full(&self) -> bool {
        self.inputs.len() >= BATCH || self.bytes >= MAX_LINE
    }
    /// False: nobody listens any more.
    fn send(&mut self, to: &mpsc::Sender<Vec<Input>>) -> bool {
        let inputs = std::mem::take(self).inputs;
        inputs.is_empty() || to.blocking_send(inputs).is_ok()
    }
}

/// Reads on a thread of its own: a blocked stdin must not hold up the end of the process.
pub(crate) fn read(reader: Box<dyn Read + Send>) -> mpsc::Receiver<Vec<Input>> {
    let (batches, receiver) = mpsc::channel(AHEAD);
    let work = move || {
        let mut reader = BufReader::with_capacity(64 << 10, reader);
        let mut pending = Pending::default();
        for number in 1.. {
            // What was read must not wait for a line that is still being typed.
            let blocks = !reader.buffer().contains(&b'\n');
            if (blocks || pending.is_full()) && !pending.send(&batches) {
                return;
            }
            match next_line(&mut reader, number) {
                Ok(Some(input)) => pending.push(input),
                Ok(None) => return,
                Err(error) => {
                    pending.push(Input::Broken(error.to_string()));
                    pending.send(&batches);
                    return;
                }
            }
        }
    };
    // Without a thread there is no input: the receiver ends at once, as at the end of a file.
    let _ = std::thread::Builder::new().name("stdin".to_owned()).spawn(work);
    receiver
}

/// The next line; `None` at the end. Of a line that is too long nothing is kept.
fn next_line(reader: &mut impl BufRead, number: u64) -> io::Result<Option<Input>> {
    let (mut line, mut length, mut ended) = (Vec::new(), 0usize, false);
    while !ended {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        let (taken, part) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, &chunk[..at]),
            None => (chunk.len(), chunk),
        };
        ended = taken > part.len();
        length = length.saturating_add(part.len());
        if length <= MAX_LINE {
            line.extend_from_slice(part);
        } else {
            line = Vec::new();
        }
        reader.consume(taken);
    }
    if length == 0 && !ended {
        return Ok(None);
    }
    if length > MAX_LINE {
        return Ok(Some(Input::Refused(number, Why::TooLong(length))));
    }
    if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
        line.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(Some(match String::from_utf8(line) {
        Ok(line) => Input::Line(line),
        Err(error) => {
            let at = error.utf8_error().valid_up_to() + 1;
            Input::Refused(number, Why::NotUtf8(at))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: Vec<u8>) -> Vec<Input> {
        let mut batches = read(Box::new(std::io::Cursor::new(bytes)));
        std::iter::from_fn(|| batches.blocking_recv()).flatten().collect()
    }

    #[test]
    fn bad_lines_are_told_and_the_others_kept() {
        let mut bytes = b"\xef\xbb\xbfone\n\xff\xfe\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', MAX_LINE + 1));
        bytes.extend(b"\n\nlast");
        let found = all(bytes);
        assert_eq!(found.len(), 5);
        assert_eq!(found[0], Input::Line("one".into()));
        assert_eq!(found[1], Input::Refused(2, Why::NotUtf8(1)));
        assert_eq!(found[2], Input::Refused(3, Why::TooLong(MAX_LINE + 1)));
        assert_eq!(found[3..], [Input::Line(String::new()), Input::Line("last".into())]);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_read() {
        assert!(matches!(&all(vec![b'x'; MAX_LINE])[..], [Input::Line(line)] if line.len() == MAX_LINE));
    }

    #[test]
    fn long_lines_ahead_of_a_slow_bot_do_not_fill_the_memory() {
        let line = [vec![b'x'; MAX_LINE - 1], vec![b'\n']].concat();
        let mut batches = read(Box::new(std::io::Cursor::new(line.repeat(40))));
        let mut lines = 0;
        while let Some(batch) = batches.blocking_recv() {
            assert!(batch.len() <= 2, "{} lines of a MiB at once", batch.len());
            lines += batch.len();
        }
        assert_eq!(lines, 40);
    }

    #[test]
    fn short_lines_come_in_batches() {
        let mut batches = read(Box::new(std::io::Cursor::new(b"ding\n".repeat(1000))));
        let sizes: Vec<usize> = std::iter::from_fn(|| batches.blocking_recv()).map(|batch| batch.len()).collect();
        assert_eq!(sizes, [256, 256, 256, 232]);
    }
}
