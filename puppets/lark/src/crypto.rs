//! CRYPTO: what a webhook request is unlocked with, and how it is known to be the platform's.

use aes::{
    Aes256,
    cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{Context, SHA256, digest};
use subtle::ConstantTimeEq;

/// Opens what was locked with AES-256-CBC under the digest of the key; the first block is the vector.
pub fn open(key: &str, text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let (iv, locked) = bytes.split_at_checked(16)?;
    if locked.is_empty() {
        return None;
    }
    let key = digest(&SHA256, key.as_bytes());
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key.as_ref(), iv).ok()?;
    let mut locked = locked.to_vec();
    let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut locked).ok()?.len();
    locked.truncate(length);
    Some(locked)
}

/// Whether this is the platform's signature of a body.
pub fn is_signed(key: &str, timestamp: &str, nonce: &str, body: &[u8], signature: &str) -> bool {
    let mut hash = Context::new(&SHA256);
    for part in [timestamp.as_bytes(), nonce.as_bytes(), key.as_bytes(), body] {
        hash.update(part);
    }
    same(&hex(hash.finish().as_ref()), signature)
}

/// Whether two texts are the same; takes as long wherever they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_documentation_is_opened() {
        let opened = open("test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=");
        assert_eq!(opened.as_deref(), Some(&b"hello world"[..]));
    }

    #[test]
    fn what_was_locked_otherwise_stays_closed() {
        let text = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=";
        assert!(open("another key", text).is_none_or(|opened| opened != b"hello world"));
        for broken in ["", "!", "AAAA", "P37w+VZImNgPEO1RBhJ6Rg==", &text[..40]] {
            assert_eq!(open("test key", broken), None, "{broken}");
        }
    }

    #[test]
    fn a_signature_is_of_these_bytes_at_this_time() {
        // printf '1640000000nonce' 'key' '{"a":1}' | sha256sum
        let signature = hex(digest(&SHA256, b"1640000000noncekey{\"a\":1}").as_ref());
        assert!(is_signed("key", "1640000000", "nonce", b"{\"a\":1}", &signature));
        assert!(!is_signed("key", "1640000000", "nonce", b"{\"a\": 1}", &signature));
        assert!(!is_signed("key", "1640000001", "nonce", b"{\"a\":1}", &signature));
        assert!(!is_signed("key", "1640000000", "nonce", b"{\"a\":1}", ""));
    }
}
