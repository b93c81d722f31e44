//! GUARD: who may call at all. The token is everybody's, the secret is one visitor's; both are compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;
use wechaty_puppet::{Bytes, ContactId, Timestamp, WebhookRequest};

use crate::refusal::Refusal;

/// A text that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
    /// 122 random bits.
    pub(crate) fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }
    /// In time that tells nothing but the length.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
    /// To hand it to whom it belongs.
    pub(crate) fn tell(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// 64 random bits, to be read.
pub(crate) fn random() -> String {
    // A UUID has six bits that are always the same, not at the same places of both halves once one is turned.
    let (a, b) = uuid::Uuid::new_v4().as_u64_pair();
    format!("{:016x}", a ^ b.rotate_left(32))
}

/// So long is the proof in an id.
const PROOF: usize = 8;

/// What the secrets of visitors are made with. Kept with the bot, it lets them come back as who they were after a restart.
#[derive(Clone)]
pub(crate) struct Maker([u8; 32]);

impl Maker {
    /// 244 random bits.
    pub(crate) fn random() -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self(key)
    }
    /// As it was kept.
    pub(crate) fn kept(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
    /// To keep it.
    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
    /// An id for somebody, which nobody else gets whatever becomes of the clock: when it was made, 64 random bits, and the
    /// proof that it was made here.
    pub(crate) fn visitor(&self, now: Timestamp) -> ContactId {
        let id = format!("v{}-{}", now.as_millis(), random());
        let proof = self.proof(&id);
        ContactId::new(id + &proof)
    }
    /// Whether an id is one of those.
    pub(crate) fn has_made(&self, id: &ContactId) -> bool {
        let id = id.as_str();
        let parts = id.len().checked_sub(PROOF).and_then(|at| id.split_at_checked(at));
        parts.is_some_and(|(id, proof)| self.proof(id).as_bytes().ct_eq(proof.as_bytes()).into())
    }
    fn proof(&self, id: &str) -> String {
        // No id begins so: it is nobody's secret.
        let proof = blake3::keyed_hash(&self.0, format!("id {id}").as_bytes()).to_hex();
        proof[..PROOF].to_owned()
    }
    /// The secret of this visitor.
    pub(crate) fn secret(&self, id: &ContactId) -> Secret {
        Secret(blake3::keyed_hash(&self.0, id.as_str().as_bytes()).to_hex().to_string())
    }
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The only header of that name; a second one could mean something else to a proxy before us.
pub(crate) fn only<'a>(request: &'a WebhookRequest, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut all = request.headers.iter().filter(|(key, _)| key == name);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(Refusal::Request),
        (found, None) => Ok(found.map(|(_, value)| value.as_str())),
    }
}

/// Refuses who does not know the token, where there is one.
pub(crate) fn token(request: &WebhookRequest, token: Option<&Secret>) -> Result<(), Refusal> {
    let given = only(request, "authorization")?;
    let Some(token) = token else { return Ok(()) };
    let given = given.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match given {
        Some((_, given)) if token.is(given.trim()) => Ok(()),
        _ => Err(Refusal::Token),
    }
}

/// What a visitor shows: the id, and the secret behind it.
pub(crate) fn visitor(request: &WebhookRequest) -> Result<(ContactId, &str), Refusal> {
    let given = only(request, "x-visitor")?.ok_or(Refusal::Visitor)?;
    let (id, secret) = given.split_once('.').ok_or(Refusal::Visitor)?;
    Ok((ContactId::new(id), secret))
}

#[cfg(test)]
mod tests {
    use wechaty_puppet::Bytes;

    use super::*;

    fn with(headers: &[(&str, &str)]) -> WebhookRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        WebhookRequest {
            method: "POST".into(),
            path: "/chat/api/say".into(),
            query: String::new(),
            headers,
            body: Bytes::new(),
            peer: None,
        }
    }

    #[test]
    fn only_the_very_token_is_let_in() {
        let secret = Secret::new("s3crets3cret");
        for good in ["Bearer s3crets3cret", "bearer s3crets3cret"] {
            assert_eq!(token(&with(&[("authorization", good)]), Some(&secret)), Ok(()));
        }
        for bad in
            ["", "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3crets3cretx", "Basic s3crets3cret", "s3crets3cret"]
        {
            assert_eq!(token(&with(&[("authorization", bad)]), Some(&secret)), Err(Refusal::Token), "{bad}");
        }
        assert_eq!(token(&with(&[]), Some(&secret)), Err(Refusal::Token));
        let twice = with(&[("authorization", "Bearer s3crets3cret"), ("authorization", "Bearer x")]);
        assert_eq!(token(&twice, Some(&secret)), Err(Refusal::Request));
    }
}
