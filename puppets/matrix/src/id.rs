//! IDS: which texts can be users, rooms and events of Matrix. What cannot does not exist.

use wechaty_puppet::{ContactId, ConversationId, MessageId, PuppetError, Result, RoomId};

fn fits(text: &str, sigil: char) -> bool {
    text.len() > 1 && text.len() <= 255 && text.starts_with(sigil) && !text.contains(|c: char| c.is_control())
}

/// `@user:server`.
pub(crate) fn user(id: &ContactId) -> Result<&str> {
    let id = id.as_str();
    if fits(id, '@') && id.contains(':') { Ok(id) } else { Err(PuppetError::not_found("contact", id)) }
}

/// `!opaque`, since version 12 of rooms without a server.
pub(crate) fn room(id: &RoomId) -> Result<&str> {
    let id = id.as_str();
    if fits(id, '!') { Ok(id) } else { Err(PuppetError::not_found("room", id)) }
}

/// `$hash`.
pub(crate) fn event(id: &MessageId) -> Result<&str> {
    let id = id.as_str();
    if fits(id, '$') { Ok(id) } else { Err(PuppetError::not_found("message", id)) }
}

/// Either of the first two.
pub(crate) fn conversation(id: &ConversationId) -> Result<()> {
    match id {
        ConversationId::Contact(id) => user(id).map(drop),
        ConversationId::Room(id) => room(id).map(drop),
    }
}

/// A link that every client opens.
pub(crate) fn permalink(id: &str) -> String {
    let encoded: String = id
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' | b':' | b'!' | b'$' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("https://matrix.to/#/{encoded}")
}

/// Server and name of `mxc://server/name`.
pub(crate) fn mxc(uri: &str) -> Option<(&str, &str)> {
    let (server, name) = uri.strip_prefix("mxc://")?.split_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    let good =
        |part: &str| !part.is_empty() && part.len() <= 255 && part.chars().all(plain) && part != "." && part != "..";
    (good(server) && good(name)).then_some((server, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_form_does_not_exist() {
        assert!(user(&"@a:b".into()).is_ok() && room(&"!abc".into()).is_ok() && event(&"$x".into()).is_ok());
        for id in ["", "@", "@a", "a:b", "@a\n:b", "no-such-id"] {
            assert!(matches!(user(&id.into()), Err(PuppetError::NotFound { .. })), "{id:?}");
        }
        assert!(room(&"#alias:b".into()).is_err() && event(&"$".into()).is_err());
    }

    #[test]
    fn media_lead_nowhere_else() {
        assert_eq!(mxc("mxc://example.org:8448/AbC-1"), Some(("example.org:8448", "AbC-1")));
        for uri in ["https://e/x", "mxc://e", "mxc://e/", "mxc://../x", "mxc://e/..", "mxc://e/a/b", "mxc://e/a?b"] {
            assert_eq!(mxc(uri), None, "{uri}");
        }
    }

    #[test]
    fn links_are_whole() {
        assert_eq!(permalink("@al ice:e.org"), "https://matrix.to/#/@al%20ice:e.org");
        assert_eq!(permalink("#room:e.org"), "https://matrix.to/#/%23room:e.org");
    }
}
