//! BACKFILL: what a limited timeline left out, fetched backwards and told forwards.

use std::{collections::HashSet, time::Duration};

use reqwest::Method;
use serde_json::Value;
use wechaty_puppet::{PuppetError, Result};

use crate::{
    convert::{id, text},
    error::not_the_server,
    link::Link,
};

/// Events of one page.
const PAGE: usize = 100;
/// Pages in a row without anything new.
const EMPTY: usize = 20;
/// Pauses in a row that the homeserver may ask for.
const PAUSES: u32 = 20;
/// How long one is that it does not name.
const PAUSE: Duration = Duration::from_secs(5);

/// What was left out, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Gap {
    pub(crate) events: Vec<Value>,
    /// There was more than is fetched, or than the homeserver gives.
    pub(crate) cut: bool,
}

/// What an event says of our own being in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// We came in; `first`: we had never been there, nor invited, as far as the homeserver tells.
    Came { first: bool },
    /// We are invited; `first`: for the first time.
    Invited { first: bool },
    /// We left, or were removed.
    Left,
    /// Still outside: an invitation that was refused, a ban of somebody who was gone.
    Outside,
    /// Still inside, under another name.
    Inside,
}

fn own(event: &Value, me: &str) -> Option<Own> {
    if text(event, &["type"]) != Some("m.room.member") || text(event, &["state_key"]) != Some(me) {
        return None;
    }
    let was = text(event, &["unsigned", "prev_content", "membership"]);
    Some(match (was, text(event, &["content", "membership"])?) {
        (Some("join"), "join") => Own::Inside,
        (was, "join") => Own::Came { first: was.is_none() },
        (was, "invite") => Own::Invited { first: was.is_none() },
        (Some("join"), _) => Own::Left,
        _ => Own::Outside,
    })
}

/// Whether nothing before one of these is meant for us. One to one there is an invitation before we come.
pub(crate) fn is_whole(events: &[Value], me: &str, is_direct: bool) -> bool {
    events.iter().any(|event| match own(event, me) {
        Some(Own::Came { first }) => first && !is_direct,
        Some(Own::Invited { first }) => first,
        _ => false,
    })
}

/// Whether the invitation to a room that we came into is missing.
fn lacks_invitation<'a>(mut events: impl Iterator<Item = &'a Value>, me: &str) -> bool {
    matches!(events.find_map(|event| own(event, me)), Some(Own::Came { .. }))
}

/// The events of the time in which we were in the room, oldest first; one to one, from our invitation on.
pub(crate) fn meant<'a>(events: &[&'a Value], me: &str, is_direct: bool) -> Vec<&'a Value> {
    let first = events.iter().find_map(|event| own(event, me));
    let mut inside = matches!(first, None | Some(Own::Left | Own::Inside));
    let mut meant = Vec::new();
    for event in events {
        let own = own(event, me);
        inside |= match own {
            Some(Own::Came { .. }) => true,
            Some(Own::Invited { .. }) => is_direct,
            _ => false,
        };
        if inside {
            meant.push(*event);
        }
        inside &= !matches!(own, Some(Own::Left | Own::Outside));
    }
    meant
}

impl Link {
    /// The events of a room before `newest` and behind the position `since`, oldest first; one to one, from our invitation
    /// on, if we came in since.
    pub(crate) async fn earlier(
        &self,
        room: &str,
        newest: &str,
        since: &str,
        is_direct: bool,
        known: &[Value],
    ) -> Result<Gap> {
        let mut seen: HashSet<String> = known.iter().filter_map(id).map(str::to_owned).collect();
        let (mut gap, mut from, mut empty, mut to) = (Gap::default(), newest.to_owned(), 0, Some(since));
        loop {
            let page = match self.page(room, &from, to).await {
                Ok(page) => page,
                // Of a room that we left, no more is shown.
                Err(PuppetError::Rejected { .. } | PuppetError::NotFound { .. }) => {
                    gap.cut = true;
                    break;
                }
                Err(error) => {
                    self.bear(room, error)?;
                    gap.cut = true;
                    break;
                }
            };
            let (mut reached, before) = (false, gap.events.len());
            for event in page["chunk"].as_array().cloned().unwrap_or_default() {
                if id(&event).is_none_or(|id| !seen.insert(id.to_owned())) {
                    continue;
                }
                reached = match own(&event, &self.me) {
                    Some(Own::Came { first }) => first && !is_direct,
                    Some(Own::Invited { first }) => first || to.is_none(),
                    _ => false,
                };
                gap.events.push(self.sdk.readable(room, event).await);
                if gap.events.len() >= self.options.backfill {
                    gap.cut = !reached;
                    reached = true;
                }
                if reached {
                    break;
                }
            }
            if reached {
                break;
            }
            // A page may be empty, or tell what is known, and yet not be the last.
            empty = if gap.events.len() > before { 0 } else { empty + 1 };
            if empty > EMPTY {
                gap.cut = true;
                break;
            }
            match text(&page, &["end"]).filter(|end| *end != from) {
                Some(end) => from = end.to_owned(),
                // It ended at the position, behind which our invitation is.
                None if to.is_some()
                    && is_direct
                    && lacks_invitation(gap.events.iter().rev().chain(known), &self.me) =>
                {
                    to = None;
                    newest.clone_into(&mut from);
                }
                None => break,
            }
        }
        gap.events.reverse();
        Ok(gap)
    }

    /// A page of a room, as soon as the homeserver gives it: who comes too often comes again later, and not from the beginning.
    async fn page(&self, room: &str, from: &str, to: Option<&str>) -> Result<Value> {
        let mut pauses = 0;
        loop {
            let mut call = self.in_room(Method::GET, room, &["messages"], "fetching what was missed");
            call = call.query("dir", "b").query("from", from).query("limit", &PAGE.to_string());
            if let Some(to) = to {
                call = call.query("to", to);
            }
            match call.send().await.map_err(not_the_server) {
                Err(PuppetError::RateLimited { retry_after }) if pauses < PAUSES => {
                    pauses += 1;
                    self.cx.clock().sleep(retry_after.unwrap_or(PAUSE)).await;
                }
                page => return page,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ME: &str = "@bot:example.org";

    fn member(was: Option<&str>, is: &str) -> Value {
        let mut event = json!({ "type": "m.room.member", "state_key": ME, "content": { "membership": is } });
        if let Some(was) = was {
            event["unsigned"]["prev_content"]["membership"] = was.into();
        }
        event
    }

    fn said(words: &str) -> Value {
        json!({ "type": "m.room.message", "content": { "body": words } })
    }

    fn heard(events: &[Value], is_direct: bool) -> Vec<&str> {
        let all: Vec<_> = events.iter().collect();
        meant(&all, ME, is_direct).iter().filter_map(|event| text(event, &["content", "body"])).collect()
    }

    #[test]
    fn what_is_said_while_the_bot_is_out_is_not_meant_for_it() {
        let events = [
            said("before"),
            member(Some("join"), "leave"),
            said("while it was out"),
            member(Some("leave"), "invite"),
            said("while it was asked"),
            member(Some("invite"), "join"),
            said("after"),
        ];
        assert_eq!(heard(&events, false), ["before", "after"]);
        assert_eq!(heard(&events, true), ["before", "while it was asked", "after"]);
        assert!(!is_whole(&events, ME, false), "there is something before these");
    }

    #[test]
    fn what_was_said_before_the_bot_came_for_the_first_time_is_not_meant_for_it() {
        let invited = [said("a"), member(None, "invite"), said("b"), member(Some("invite"), "join"), said("c")];
        assert_eq!((heard(&invited, false), heard(&invited, true)), (vec!["c"], vec!["b", "c"]));
        assert!(is_whole(&invited, ME, false) && is_whole(&invited, ME, true));
        let refused = [said("a"), member(Some("invite"), "leave"), said("b"), member(Some("leave"), "join"), said("c")];
        assert_eq!(heard(&refused, false), ["c"]);
        let renamed = [said("a"), member(Some("join"), "join"), said("b")];
        assert_eq!(heard(&renamed, false), ["a", "b"]);
        assert_eq!(heard(&[said("a"), said("b")], false), ["a", "b"]);
    }
}
