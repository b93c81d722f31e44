//! Mentions in a received message: the platform's ids first, then the longest member name that fits the text.

use futures_util::{StreamExt, stream};
use wechaty_puppet::Capability;
use wechaty_types::{ContactId, Mention, MessageType};

use super::{Contact, Message, Room, account::CONCURRENCY};
use crate::Result;

/// What stands behind a mentioned name: WeChat's four-per-em space, a space, or the end.
const SEPARATOR: char = '\u{2005}';

/// A member and the names it may be mentioned by, longest first.
struct Named {
    contact: Contact,
    names: Vec<String>,
}

async fn named_members(room: &Room, contacts: Vec<Contact>) -> Vec<Named> {
    stream::iter(contacts.into_iter().map(|contact| named(room, contact))).buffered(CONCURRENCY).collect().await
}

/// The names in the room, and those of the contact: loaded where the room knows none, else as far as it is known.
async fn named(room: &Room, contact: Contact) -> Named {
    let capabilities = room.account().capabilities();
    let member = match capabilities.has(Capability::LoadRoomMember) {
        true => room.member_payload(contact.id()).await.ok(),
        false => None,
    };
    let nameless = member.as_ref().is_none_or(|member| member.name.is_empty());
    if nameless && capabilities.has(Capability::LoadContact) {
        let _ = contact.ready().await;
    }
    let in_room = member.map(|member| [member.room_alias.clone(), Some(member.name.clone())]).into_iter().flatten();
    let mut names: Vec<String> =
        in_room.chain([Some(contact.name()), contact.alias()]).flatten().filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        // So is somebody without a name mentioned, by us too.
        names.push(contact.id().to_string());
    }
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.dedup();
    Named { contact, names }
}

/// The member mentioned at the start of `text` (which is behind an `@`), and how many bytes its name takes.
fn longest<'a>(members: &'a [Named], text: &str) -> Option<(&'a Contact, usize)> {
    let mut best: Option<(&Contact, usize)> = None;
    for member in members {
        for name in &member.names {
            let Some(rest) = text.strip_prefix(name.as_str()) else { continue };
            let ends = rest.chars().next().is_none_or(|c| c == SEPARATOR || !c.is_alphanumeric());
            if ends && best.is_none_or(|(_, length)| name.len() > length) {
                best = Some((&member.contact, name.len()));
            }
        }
    }
    best
}

pub(super) async fn mentions(message: &Message) -> Result<Vec<Contact>> {
    let Some(room) = message.room() else { return Ok(Vec::new()) };
    if let Some(mentions) = &message.payload().mentions {
        let ids: Vec<_> = mentions.iter().filter_map(Mention::contact).cloned().collect();
        return Ok(message.account().load_contacts(&ids).await);
    }
    let Some(text) = message.text().filter(|text| message.kind() == MessageType::Text && text.contains('@')) else {
        return Ok(Vec::new());
    };
    let everybody = room.member_ids().await?.iter().map(|id| room.account().contact_handle(id)).collect();
    let members = named_members(&room, everybody).await;
    let mut found: Vec<ContactId> = Vec::new();
    for (at, _) in text.match_indices('@') {
        if let Some((contact, _)) = longest(&members, &text[at + 1..])
            && !found.contains(contact.id())
        {
            found.push(contact.id().clone());
        }
    }
    Ok(message.account().load_contacts(&found).await)
}

pub(super) async fn mention_text(message: &Message) -> Result<String> {
    let text = message.text().unwrap_or_default();
    let Some(room) = message.room() else { return Ok(text.trim().to_owned()) };
    let mentioned = mentions(message).await?;
    if mentioned.is_empty() && !message.mentions_all() {
        return Ok(text.trim().to_owned());
    }
    let members = named_members(&room, mentioned).await;
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('@') {
        kept.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let all = || ["all", "所有人"].into_iter().find(|all| message.mentions_all() && behind.starts_with(all));
        match longest(&members, behind).map(|(_, length)| length).or_else(|| all().map(str::len)) {
            Some(length) => {
                rest = &behind[length..];
                rest = rest.strip_prefix([SEPARATOR, ' ']).unwrap_or(rest);
            }
            None => {
                kept.push('@');
                rest = behind;
            }
        }
    }
    kept.push_str(rest);
    Ok(kept.trim().to_owned())
}
