//! SIGN: what proves to a webhook that an event is ours. Spec: Standard Webhooks, `v1` (HMAC-SHA256).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac::{HMAC_SHA256, Key, sign};

/// How secrets begin.
const PREFIX: &str = "whsec_";
/// How many bytes one has.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that is shared with a webhook: `whsec_` and 24 to 64 bytes as base64. It is in no log and no debug form.
#[derive(Clone)]
pub struct WebhookSecret(Key);

/// Why a text is no secret of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret of a webhook is `whsec_` and 24 to 64 random bytes as base64")]
pub struct WebhookSecretError;

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl WebhookSecret {
    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<Self, WebhookSecretError> {
        let text = text.trim();
        let encoded = text.strip_prefix(PREFIX).ok_or(WebhookSecretError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| WebhookSecretError)?;
        if BYTES.contains(&bytes.len()) { Ok(Self(Key::new(HMAC_SHA256, &bytes))) } else { Err(WebhookSecretError) }
    }
}

/// The value of `webhook-signature`: one signature for each secret, so that one can take the place of another.
pub(super) fn signature(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &str) -> String {
    let what = format!("{id}.{timestamp}.{body}");
    let one = |secret: &WebhookSecret| format!("v1,{}", STANDARD.encode(sign(&secret.0, what.as_bytes())));
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_vector_of_the_specification() {
        let secret = WebhookSecret::new(SECRET).unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signed = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature(std::slice::from_ref(&secret), id, 1_614_265_330, body), signed);
        let other = WebhookSecret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let both = signature(&[secret, other], id, 1_614_265_330, body);
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first == signed && second.starts_with("v1,") && second != signed);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_none_is_shown() {
        for bad in
            ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64 at all, is it"]
        {
            assert_eq!(WebhookSecret::new(bad).unwrap_err(), WebhookSecretError, "{bad}");
        }
        assert!(!format!("{:?}", WebhookSecret::new(SECRET).unwrap()).contains("MfKQ"));
    }
}
