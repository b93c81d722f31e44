//! CRYPT: how the platform hides and signs what it posts to a webhook.

use aes::{
    Aes256,
    cipher::{BlockEncrypt, KeyInit},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::digest::{Context, SHA256, digest};

/// AES-256-CBC under SHA-256 of the key, padded by PKCS#7, behind its initialisation vector; as base64.
pub fn encrypt(key: &str, iv: [u8; 16], plain: &[u8]) -> String {
    let hashed = digest(&SHA256, key.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hashed.as_ref());
    let cipher = Aes256::new(&bytes.into());
    let mut padded = plain.to_vec();
    let padding = 16 - plain.len() % 16;
    padded.resize(plain.len() + padding, padding as u8);
    let (mut out, mut last) = (iv.to_vec(), iv);
    for block in padded.chunks_exact(16) {
        let mut mixed = last;
        mixed.iter_mut().zip(block).for_each(|(byte, plain)| *byte ^= plain);
        let mut block = mixed.into();
        cipher.encrypt_block(&mut block);
        last = block.into();
        out.extend_from_slice(&last);
    }
    BASE64_STANDARD.encode(out)
}

/// `X-Lark-Signature`: SHA-256 over timestamp, nonce, key and the body as it is posted; no HMAC.
pub fn sign(timestamp: &str, nonce: &str, key: &str, body: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    [timestamp.as_bytes(), nonce.as_bytes(), key.as_bytes(), body].into_iter().for_each(|part| context.update(part));
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_vector_comes_out() {
        let whole = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=";
        let mut iv = [0; 16];
        iv.copy_from_slice(&BASE64_STANDARD.decode(whole).unwrap()[..16]);
        assert_eq!(encrypt("test key", iv, b"hello world"), whole);
    }

    #[test]
    fn a_signature_covers_every_part_in_order() {
        assert_eq!(sign("1", "2", "k", b"b"), sign("12", "", "kb", b""));
        assert_ne!(sign("1", "2", "k", b"b"), sign("1", "2", "b", b"k"));
        assert_eq!(sign("", "", "", b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
