//! TOKENS of the puppet service: `<server name>_<UUID>`, how they travel, and how they are compared.
//!
//! A token is a secret. No error here holds one.

use subtle::ConstantTimeEq;
use uuid::Uuid;

/// The longest label of a host name.
const LONGEST_NAME: usize = 63;
/// The word before a token in the metadata key `authorization`.
const SCHEME: &str = "Wechaty";

/// A header that carries no token. What came is not told: it may be a token with a slip of the pen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// Another scheme.
    #[error("the authorization is not of the type `Wechaty`: send `Wechaty <token>`")]
    Scheme,
    /// The scheme alone.
    #[error("the authorization has no token: send `Wechaty <token>`")]
    Empty,
}

/// A new token for a server name: letters, digits, `-`, `_` and `.`, lower-cased. `None` for another name.
pub fn generate(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let good = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(allowed);
    let bounded = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.ends_with('_');
    (good && bounded).then(|| format!("{name}_{}", Uuid::new_v4()))
}

/// The server name that clients check the certificate for: what stands before the last `_`, lower-cased.
pub fn server_name(token: &str) -> Option<String> {
    let (name, _) = token.rsplit_once('_')?;
    (!name.is_empty()).then(|| name.to_lowercase())
}

/// The value of the metadata key `authorization`.
pub fn authorization(token: &str) -> String {
    format!("{SCHEME} {token}")
}

/// The token in a value of the metadata key `authorization`.
///
/// # Errors
/// [`AuthorizationError`].
pub fn from_authorization(value: &str) -> Result<&str, AuthorizationError> {
    let value = value.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    match (scheme.eq_ignore_ascii_case(SCHEME), token.trim()) {
        (false, _) => Err(AuthorizationError::Scheme),
        (true, "") => Err(AuthorizationError::Empty),
        (true, token) => Ok(token),
    }
}

/// Whether two tokens are the same, byte for byte, in a time that does not depend on where they differ.
pub fn same(given: &str, wanted: &str) -> bool {
    !wanted.is_empty() && given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_name_is_what_stands_before_the_last_underscore() {
        for (token, name) in [
            ("insecure_1b9d6bcd", Some("insecure")),
            ("Puppet_PadLocal_1b9d6bcd", Some("puppet_padlocal")),
            ("a_", Some("a")),
            ("_1b9d6bcd", None),
            ("1b9d6bcd", None),
            ("", None),
        ] {
            assert_eq!(server_name(token).as_deref(), name, "{token}");
        }
    }

    #[test]
    fn a_generated_token_has_its_name() {
        let token = generate(" Puppet_School ").unwrap();
        assert_eq!(server_name(&token).as_deref(), Some("puppet_school"));
        assert!(Uuid::try_parse(&token["puppet_school_".len()..]).is_ok());
        assert_ne!(token, generate("puppet_school").unwrap());
        for name in ["", "a b", "学校", "_a", "a_", &"a".repeat(64)] {
            assert_eq!(generate(name), None, "{name}");
        }
    }

    #[test]
    fn a_token_is_read_from_its_header_and_from_no_other() {
        assert_eq!(from_authorization(&authorization("a_b")), Ok("a_b"));
        assert_eq!(from_authorization("wechaty  a_b "), Ok("a_b"));
        assert_eq!(from_authorization("Bearer a_b"), Err(AuthorizationError::Scheme));
        assert_eq!(from_authorization("a_b"), Err(AuthorizationError::Scheme));
        assert_eq!(from_authorization(""), Err(AuthorizationError::Scheme));
        assert_eq!(from_authorization("Wechaty "), Err(AuthorizationError::Empty));
    }

    #[test]
    fn the_whole_token_counts() {
        assert!(same("a_b", "a_b"));
        for other in ["A_b", "a_", "a_bb", ""] {
            assert!(!same(other, "a_b"), "{other}");
        }
        assert!(!same("", ""), "no token lets nobody in");
    }
}
