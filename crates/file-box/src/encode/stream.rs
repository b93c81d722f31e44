//! Contents as a stream, and the limit that holds while it runs.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future, stream};

use crate::FileBoxError;

/// Largest piece this crate cuts contents into: 256 KiB.
pub(crate) const CHUNK: usize = 256 << 10;

/// Contents, piece by piece; ends at the first error.
pub type FileStream = Pin<Box<dyn Stream<Item = Result<Bytes, FileBoxError>> + Send>>;

/// Bytes cut into pieces, without copying.
pub(crate) fn chunks(bytes: Bytes) -> FileStream {
    let pieces = (0..bytes.len()).step_by(CHUNK).map(move |at| Ok(bytes.slice(at..bytes.len().min(at + CHUNK))));
    stream::iter(pieces).boxed()
}

/// Fails once more than `limit` bytes came, and ends after the first error.
pub(crate) fn limited(stream: FileStream, limit: u64, name: &str) -> FileStream {
    let name = name.to_owned();
    stream
        .scan((0u64, false), move |(seen, failed), piece| {
            if *failed {
                return future::ready(None);
            }
            let piece = piece.and_then(|piece| {
                *seen = seen.saturating_add(piece.len() as u64);
                if *seen > limit { Err(FileBoxError::TooLarge { name: name.clone(), limit }) } else { Ok(piece) }
            });
            *failed = piece.is_err();
            future::ready(Some(piece))
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn the_limit_itself_fits_and_one_more_does_not() {
        let ten = || chunks(Bytes::from_static(b"0123456789"));
        assert_eq!(limited(ten(), 10, "a").try_collect::<Vec<_>>().await.unwrap().concat().len(), 10);
        let pieces: Vec<_> = limited(ten().chain(ten()).boxed(), 9, "a").collect().await;
        assert!(matches!(pieces[..], [Err(FileBoxError::TooLarge { limit: 9, .. })]));
    }

    #[tokio::test]
    async fn large_bytes_come_in_pieces() {
        let pieces: Vec<Bytes> = chunks(vec![7; CHUNK + 1].into()).try_collect().await.unwrap();
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [CHUNK, 1]);
        assert_eq!(chunks(Bytes::new()).count().await, 0);
    }
}
