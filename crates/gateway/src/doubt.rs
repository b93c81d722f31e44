//! DOUBT: files whose sends ended without a certain answer. Published clients take that for a failure, and TypeScript and
//! Go tell such a file at once again, as a stream: what is told then is the same send, not another.

use std::{collections::VecDeque, io, time::Duration};

use futures_util::{TryStreamExt, try_join};
use parking_lot::Mutex;
use uuid::Uuid;
use wechaty::Clock;
use wechaty_file_box::{ByteStream, FileBoxType, LoadOptions, base_name};
use wechaty_grpc::SendRequest;
use wechaty_puppet::{Bytes, FileBox, IdempotencyKey};

/// A second telling begins at once when the first has failed.
const FOR: Duration = Duration::from_secs(60);
/// So many at a time; the oldest goes first.
const MOST: usize = 16;

/// Sends in doubt of one client, in the order their calls ended.
pub(crate) struct Doubts {
    clock: Clock,
    firsts: Mutex<VecDeque<(Duration, First)>>,
}

/// A file that was told by `MessageSendFile`.
#[derive(Clone)]
pub(crate) struct First {
    conversation: String,
    /// As its client told it.
    file: FileBox,
    /// Under which it was said.
    pub(crate) key: IdempotencyKey,
}

/// The call of a first telling. One that is cut off is in doubt, as its client may tell it again while it is being sent.
pub(crate) struct Telling<'a> {
    doubts: &'a Doubts,
    first: Option<First>,
}

impl Doubts {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), firsts: Mutex::default() }
    }

    /// A file is told, and a key for it. `None`: it has no file.
    pub(crate) fn telling(&self, request: &SendRequest) -> Option<(IdempotencyKey, Telling<'_>)> {
        let file = (*request.what.files().first()?).clone();
        let key = IdempotencyKey::from_bytes(*Uuid::new_v4().as_bytes());
        let first = First { conversation: request.conversation.clone(), file, key };
        Some((key, Telling { doubts: self, first: Some(first) }))
    }

    /// Which of them a file of this name may be.
    pub(crate) fn named(&self, conversation: &str, name: &str) -> Vec<First> {
        self.purge();
        // As it is in a box.
        let name = base_name(name, name);
        let firsts = self.firsts.lock();
        let firsts = firsts.iter().map(|(_, first)| first);
        firsts.filter(|first| first.conversation == conversation && first.file.name() == name).cloned().collect()
    }

    /// It is told again. False: it was already, by another call.
    pub(crate) fn end(&self, key: IdempotencyKey) -> bool {
        let mut firsts = self.firsts.lock();
        let at = firsts.iter().position(|(_, first)| first.key == key);
        at.is_some_and(|at| firsts.remove(at).is_some())
    }

    fn add(&self, first: First) {
        let mut firsts = self.firsts.lock();
        if firsts.len() >= MOST {
            firsts.pop_front();
        }
        firsts.push_back((self.clock.now() + FOR, first));
    }

    /// Lets go what nobody has told again.
    pub(crate) fn purge(&self) {
        let now = self.clock.now();
        self.firsts.lock().retain(|(until, _)| now < *until);
    }
}

impl Telling<'_> {
    /// Its client has a certain answer.
    pub(crate) fn answered(mut self) {
        self.first = None;
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.first.take().into_iter().for_each(|first| self.doubts.add(first));
    }
}

impl First {
    /// Whether this file is the same, as far as its bytes are here: those behind a link are with somebody else.
    pub(crate) async fn is(&self, file: &FileBox, options: &LoadOptions) -> bool {
        if matches!(self.file.kind(), FileBoxType::Url | FileBoxType::QRCode) {
            return true;
        }
        let opened = try_join!(self.file.to_stream_with(options), file.to_stream_with(options));
        let Ok((one, other)) = opened else { return false };
        equal(one, other).await.unwrap_or(false)
    }
}

async fn equal(mut one: ByteStream, mut other: ByteStream) -> io::Result<bool> {
    let (mut a, mut b) = (Bytes::new(), Bytes::new());
    loop {
        for (left, stream) in [(&mut a, &mut one), (&mut b, &mut other)] {
            while left.is_empty()
                && let Some(more) = stream.try_next().await?
            {
                *left = more;
            }
        }
        let both = a.len().min(b.len());
        if both == 0 {
            return Ok(a.is_empty() && b.is_empty());
        }
        if a.split_to(both) != b.split_to(both) {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use wechaty_puppet::{SayablePayload, VirtualClock};

    use super::*;

    fn request(conversation: &str, name: &str, bytes: &'static [u8]) -> SendRequest {
        let file = SayablePayload::file(FileBox::from_bytes(Bytes::from_static(bytes), name));
        SendRequest::new(conversation.to_owned(), file, "test").expect("a request")
    }

    #[tokio::test]
    async fn what_was_cut_off_is_in_doubt_for_a_while_and_what_was_answered_is_not() {
        let time = VirtualClock::new();
        let doubts = Doubts::new(&time.clone().into());
        let tell = |name| doubts.telling(&request("c", name, b"x")).expect("a file");
        let named = |name| doubts.named("c", name).iter().map(|first| first.key).collect::<Vec<_>>();
        tell("answered").1.answered();
        assert!(named("answered").is_empty());
        let (key, telling) = tell("cut");
        assert!(named("cut").is_empty(), "it is under way");
        drop(telling);
        assert!(named("other").is_empty() && doubts.named("other", "cut").is_empty());
        assert_eq!((named("cut"), named("folder/cut")), (vec![key], vec![key]));
        assert!(doubts.end(key));
        assert!(!doubts.end(key) && named("cut").is_empty(), "each is one send");
        drop(tell("late"));
        time.advance(FOR).await;
        assert!(named("late").is_empty(), "nobody tells it again so late");
        for _ in 0..MOST + 3 {
            drop(tell("many"));
        }
        assert_eq!(named("many").len(), MOST);
    }

    #[tokio::test]
    async fn a_file_is_the_same_by_its_bytes_however_they_come() {
        let pieces = |pieces: &[&'static [u8]]| -> ByteStream {
            Box::pin(stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>()))
        };
        let whole = || pieces(&[b"abcdef"]);
        for (other, same) in [
            (pieces(&[b"ab", b"", b"cde", b"f"]), true),
            (pieces(&[b"abcdef", b""]), true),
            (pieces(&[b"abcde"]), false),
            (pieces(&[b"abcdef", b"g"]), false),
            (pieces(&[b"abc", b"dfe"]), false),
            (pieces(&[]), false),
        ] {
            assert_eq!(equal(whole(), other).await.unwrap(), same);
        }
        assert!(equal(pieces(&[b""]), pieces(&[])).await.unwrap());
    }
}
