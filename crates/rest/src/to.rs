//! TO: whom somebody means, by id or by a name; the answer is one, or a problem that lists the candidates.

use axum::http::StatusCode;
use serde_json::{Value, json};
use wechaty::{
    Account, Error,
    types::{ContactId, ConversationId, RoomId},
    user::{Contact, ContactQuery, Room, RoomQuery, TextMatch},
};
use wechaty_puppet::PuppetError;

use crate::{
    problem::Problem,
    wire::{Names, To, Topics, Which, Who},
};

/// How many candidates are listed.
const LISTED: usize = 20;

/// The conversation that is meant.
///
/// # Errors
/// 404: nobody is called so; 409: several are.
pub(crate) async fn conversation(account: &Account, to: &To) -> Result<ConversationId, Problem> {
    match (&to.contact, &to.room) {
        (Some(who), None) => Ok(contact(account, who).await?.conversation_id()),
        (None, Some(which)) => Ok(room(account, which).await?.conversation_id()),
        _ => Err(Problem::wrong("/to", "rest-one-needed").set("choices", "contact, room")),
    }
}

/// The contact that is meant.
pub(crate) async fn contact(account: &Account, who: &Who) -> Result<Contact, Problem> {
    let names = match who {
        Who::Id(id) => return Ok(account.contact(id.as_str()).await?),
        Who::Names(names) => names,
    };
    let Names { id, name, alias, handle } = names.clone();
    let told = told(&[("id", &id), ("name", &name), ("alias", &alias), ("handle", &handle)]);
    let exactly = |text: Option<String>| text.map(TextMatch::from);
    let query = ContactQuery {
        id: id.map(ContactId::from),
        name: exactly(name),
        alias: exactly(alias),
        handle: exactly(handle),
        any_name: None,
    };
    let candidate = |contact: &Contact| json!({ "id": contact.id(), "name": contact.name(), "alias": contact.alias() });
    one("contact", &told, account.find_contacts(query).await?, candidate)
}

/// The room that is meant.
pub(crate) async fn room(account: &Account, which: &Which) -> Result<Room, Problem> {
    let topics = match which {
        Which::Id(id) => return Ok(account.room(id.as_str()).await?),
        Which::Topic(topics) => topics,
    };
    let Topics { id, topic } = topics.clone();
    let told = told(&[("id", &id), ("topic", &topic)]);
    let query = RoomQuery { id: id.map(RoomId::from), topic: topic.map(TextMatch::from) };
    let candidate = |room: &Room| {
        let payload = room.payload();
        json!({
            "id": room.id(),
            "topic": payload.as_ref().map(|payload| payload.topic.as_str()),
            "members": payload.as_ref().map(|payload| payload.member_id_list.len()),
        })
    };
    one("room", &told, account.find_rooms(query).await?, candidate)
}

/// The conversation of an id: the address does not tell a contact's from a room's.
pub(crate) async fn by_id(account: &Account, id: &str) -> Result<ConversationId, Problem> {
    let looks_like_room = id.contains('@');
    let room = async || known(account.room(id).await.map(|room| room.conversation_id()));
    let contact = async || known(account.contact(id).await.map(|contact| contact.conversation_id()));
    let found = match looks_like_room {
        true => match room().await? {
            None => contact().await?,
            room => room,
        },
        false => match contact().await? {
            None => room().await?,
            contact => contact,
        },
    };
    found.ok_or_else(|| Problem::unknown("conversation", id))
}

fn known<T>(found: wechaty::Result<T>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Puppet(PuppetError::NotFound { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn told(parts: &[(&str, &Option<String>)]) -> String {
    let parts = parts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    parts.collect::<Vec<_>>().join(", ")
}

fn one<T>(what: &'static str, told: &str, mut found: Vec<T>, candidate: impl Fn(&T) -> Value) -> Result<T, Problem> {
    if found.len() > 1 {
        let listed: Vec<Value> = found.iter().take(LISTED).map(candidate).collect();
        return Err(Problem::new(StatusCode::CONFLICT, "W511", "rest-ambiguous")
            .set("what", what)
            .set("told", told)
            .set("count", found.len().to_string())
            .with("count", found.len())
            .with("candidates", listed));
    }
    found.pop().ok_or_else(|| Problem::unknown(what, told))
}
