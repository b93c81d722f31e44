//! Base64 text: checked once, decoded in pieces, encoded in pieces.

use std::sync::Arc;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::stream::{CHUNK, FileStream};
use crate::FileBoxError;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Letters decoded at once: whole groups of four that give at most [`CHUNK`] bytes.
const LETTERS: usize = CHUNK / 3 * 4;

/// Valid base64 in the standard alphabet, padded, without white space.
#[derive(Clone)]
pub(crate) struct Base64Text(Arc<str>);

impl Base64Text {
    /// Takes standard or URL-safe text, padded or not, with white space or not.
    pub(crate) fn parse(mut text: String) -> Result<Self, FileBoxError> {
        if !text.bytes().all(|b| is_letter(b) || b == b'=') {
            text = text.chars().filter(|c| !c.is_ascii_whitespace()).map(standard).collect();
        }
        let letters = text.trim_end_matches('=').len();
        let why = if text.len() - letters > 2 {
            "too much padding"
        } else if !text.bytes().take(letters).all(is_letter) {
            "a character is not of the alphabet"
        } else if letters % 4 == 1 {
            "the text ends within a group"
        } else {
            text.truncate(letters);
            text.extend(std::iter::repeat_n('=', (4 - letters % 4) % 4));
            return Ok(Self(text.into()));
        };
        Err(FileBoxError::InvalidBase64 { why })
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(ENGINE.encode(bytes).into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn decoded_len(&self) -> u64 {
        self.0.trim_end_matches('=').len() as u64 * 3 / 4
    }

    /// The decoded contents, piece by piece.
    pub(crate) fn stream(&self) -> FileStream {
        let text = self.0.clone();
        let pieces = (0..text.len()).step_by(LETTERS).map(move |at| {
            let group = &text.as_bytes()[at..text.len().min(at + LETTERS)];
            let piece = ENGINE.decode(group).map_err(|_| FileBoxError::InvalidBase64 { why: "it cannot be decoded" });
            piece.map(Bytes::from)
        });
        stream::iter(pieces).boxed()
    }
}

/// Encodes what arrives in pieces of any length.
#[derive(Default)]
pub(crate) struct Encoder {
    text: String,
    rest: Vec<u8>,
}

impl Encoder {
    pub(crate) fn push(&mut self, mut piece: &[u8]) {
        if !self.rest.is_empty() {
            let (head, tail) = piece.split_at(piece.len().min(3 - self.rest.len()));
            self.rest.extend_from_slice(head);
            piece = tail;
            if self.rest.len() < 3 {
                return;
            }
            ENGINE.encode_string(&self.rest, &mut self.text);
            self.rest.clear();
        }
        let whole = piece.len() / 3 * 3;
        ENGINE.encode_string(&piece[..whole], &mut self.text);
        self.rest.extend_from_slice(&piece[whole..]);
    }

    pub(crate) fn finish(mut self) -> Base64Text {
        ENGINE.encode_string(&self.rest, &mut self.text);
        Base64Text(self.text.into())
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn standard(c: char) -> char {
    match c {
        '-' => '+',
        '_' => '/',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Base64Text::parse(text.to_owned()).ok().map(|text| text.as_str().to_owned())
    }

    #[test]
    fn any_dialect_becomes_standard() {
        for text in ["+/8=", "-_8=", "+/8", " +/\n8= "] {
            assert_eq!(parsed(text).as_deref(), Some("+/8="), "{text:?}");
        }
        assert_eq!(parsed("").as_deref(), Some(""));
        for text in ["A", "AAAAA", "A===", "A=A=", "图AA=", "AA!A"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_of_the_contents() {
        for (text, size) in [("", 0), ("aGk=", 2), ("aGk", 2), ("aGlp", 3), ("aA==", 1)] {
            assert_eq!(Base64Text::parse(text.to_owned()).unwrap().decoded_len(), size, "{text}");
        }
    }

    #[tokio::test]
    async fn pieces_fit_together_whatever_their_length() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 1000).map(|n| (n * 31 % 251) as u8).collect();
        for step in [1, 2, 3, 1000, CHUNK] {
            let mut encoder = Encoder::default();
            bytes.chunks(step).for_each(|piece| encoder.push(piece));
            let text = encoder.finish();
            assert_eq!(text.as_str(), Base64Text::of(&bytes).as_str());
            let pieces: Vec<Bytes> = text.stream().try_collect().await.unwrap();
            assert!(pieces.len() == 3 && pieces.iter().all(|piece| piece.len() <= CHUNK));
            assert_eq!(pieces.concat(), bytes);
        }
    }
}
