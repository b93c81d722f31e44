//! Bytes between a stream and a file: piece by piece in, together out.

use bytes::{Bytes, BytesMut};

/// Pieces of at least this size stay as they are; smaller ones are put together to as much.
const WHOLE: usize = 64 << 10;

/// What came and is not written yet, in its order.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    parts: Vec<Bytes>,
    small: BytesMut,
    size: usize,
}

impl Pieces {
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.size += piece.len();
        if piece.len() < WHOLE {
            self.small.extend_from_slice(&piece);
            if self.small.len() >= WHOLE {
                self.join();
            }
        } else {
            self.join();
            self.parts.push(piece);
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// All of them; none is left.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.join();
        self.size = 0;
        std::mem::take(&mut self.parts)
    }

    fn join(&mut self) {
        self.parts.extend((!self.small.is_empty()).then(|| self.small.split().freeze()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_are_put_together_and_large_ones_are_not_copied() {
        let large = Bytes::from(vec![7; WHOLE]);
        let mut pieces = Pieces::default();
        for _ in 0..3 {
            pieces.push(Bytes::from_static(b"ab"));
        }
        pieces.push(large.clone());
        for _ in 0..WHOLE / 2 {
            pieces.push(Bytes::from_static(b"cd"));
        }
        pieces.push(Bytes::from_static(b"e"));
        assert_eq!(pieces.size(), 6 + 2 * WHOLE + 1);
        let parts = pieces.take();
        assert_eq!(parts.iter().map(Bytes::len).collect::<Vec<_>>(), [6, WHOLE, WHOLE, 1]);
        assert_eq!(parts[1].as_ptr(), large.as_ptr());
        assert_eq!((pieces.size(), pieces.take()), (0, Vec::new()));
    }
}
