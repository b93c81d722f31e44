//! DOORS: where a door may be. Each has a path of its own, so that no door gets in the way of another, of the host or of
//! a puppet.

use axum::Router;

use super::{HostError, webhooks};
use crate::{Account, Bot};

/// What the host serves itself.
const OWN: [&str; 3] = ["/healthz", "/readyz", webhooks::PREFIX];

/// Whether each door has its place.
pub(super) fn fit(bot: &Bot, doors: &[(String, Router)]) -> Result<(), HostError> {
    let pages = bot.accounts().iter().filter_map(|account: &Account| account.puppet().webhook());
    // A page `/` is that page alone.
    let mut taken: Vec<&str> = pages.flat_map(|hook| hook.pages()).copied().filter(|page| *page != "/").collect();
    taken.extend(OWN);
    for (path, _) in doors {
        if !is_path(path) {
            return Err(HostError::DoorPath { path: path.clone() });
        }
        if let Some(other) = taken.iter().find(|other| overlap(path, other)) {
            return Err(HostError::DoorTaken { path: path.clone(), other: (*other).to_owned() });
        }
        taken.push(path);
    }
    Ok(())
}

/// `/api`, `/api/v1`.
fn is_path(path: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let part = |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(good);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part))
}

/// Whether one is the other, or below it.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches('/'), other.trim_end_matches('/'));
    let below =
        |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below(one, other) || below(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain() {
        for good in ["/api", "/api/v1", "/a-b._~"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", "/", "api", "/api/", "//", "/a//b", "/{name}", "/*rest", "/a b", "/..", "/a/../healthz", "/%68"]
        {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn what_lies_below_is_in_the_way() {
        assert!(overlap("/chat", "/chat/") && overlap("/chat/api", "/chat/") && overlap("/webhooks", "/webhooks/"));
        assert!(!overlap("/chatter", "/chat/") && !overlap("/health", "/healthz"));
    }
}
