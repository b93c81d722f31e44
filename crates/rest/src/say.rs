//! SAY: from what a client wrote to a send in the outbox and its receipt.

use std::{sync::Arc, time::Duration};

use wechaty::{
    Account, Receipt, Say,
    types::{
        Card, ContactCard, ContactId, ConversationId, FilePayload, ForwardPayload, Mention, PostContent, PostPayload,
        PostType, SayablePayload, TextPayload, Timestamp,
    },
};
use wechaty_file_box::{FileBox, LoadOptions, UuidStore};
use wechaty_puppet::IdempotencyKey;

use crate::{
    answer,
    problem::Problem,
    receipts::SendState,
    rest::Rest,
    to,
    wire::{self, Content, Send},
};

/// How deep posts may lie in posts.
const DEEPEST: u8 = 4;

impl Content {
    /// What is said, for the outbox.
    ///
    /// # Errors
    /// 404 for a person, a file or a message that is not there; 422 for what makes no sense.
    pub(crate) async fn payload(self, rest: &Rest, account: &Account) -> Result<SayablePayload, Problem> {
        payload(self, rest, account, DEEPEST).await
    }
}

async fn payload(content: Content, rest: &Rest, account: &Account, deep: u8) -> Result<SayablePayload, Problem> {
    use SayablePayload as S;
    let text = |text| TextPayload { text, mentions: Vec::new() };
    type Wrap = fn(FilePayload) -> S;
    let wraps: [(Option<wire::File>, Wrap); 5] = [
        (content.attachment, S::Attachment),
        (content.image, S::Image),
        (content.audio, S::Audio),
        (content.video, S::Video),
        (content.emoticon, S::Emoticon),
    ];
    for (given, wrap) in wraps {
        if let Some(given) = given {
            return Ok(wrap(FilePayload { file: file(given, rest).await? }));
        }
    }
    if let Some(words) = content.text {
        return Ok(S::Text(text(words)));
    }
    if let Some(words) = content.markdown {
        return Ok(S::Markdown(text(words)));
    }
    if let Some(given) = content.file {
        return Ok(S::file(file(given, rest).await?));
    }
    if let Some(who) = content.contact {
        let contact = to::contact(account, &who).await?;
        return Ok(S::Contact(ContactCard { contact_id: contact.id().clone() }));
    }
    if let Some(link) = content.url {
        return Ok(S::Url(link));
    }
    if let Some(place) = content.location {
        return Ok(S::Location(place));
    }
    if let Some(program) = content.mini_program {
        return Ok(S::MiniProgram(program));
    }
    if let Some(given) = content.post {
        return Ok(S::Post(Box::new(post(given, rest, account, deep).await?)));
    }
    if let Some(wire::Card { title, text, image, fields, buttons }) = content.card {
        let image = match image {
            Some(image) => Some(file(image, rest).await?),
            None => None,
        };
        return Ok(S::Card(Box::new(Card { title, text, image, fields, buttons })));
    }
    if let Some(menu) = content.menu {
        return Ok(S::Menu(menu));
    }
    if let Some(id) = content.forward {
        // What is not there cannot be said again: better told now than as a dead letter.
        let message = account.message(&id.into()).await?;
        return Ok(S::Forward(ForwardPayload { message_id: message.id().clone() }));
    }
    match content.other {
        Some(other) => Ok(S::Other(other.into())),
        None => Err(Problem::wrong("", "rest-one-needed").set("choices", "text, markdown, file …")),
    }
}

/// A post to be published or said.
pub(crate) async fn post(given: wire::Post, rest: &Rest, account: &Account, deep: u8) -> Result<PostPayload, Problem> {
    let Some(deeper) = deep.checked_sub(1) else { return Err(Problem::wrong("/post", "rest-not-here")) };
    let mut parts = Vec::with_capacity(given.parts.len());
    for part in given.parts {
        parts.push(Box::pin(payload(part, rest, account, deeper)).await?);
    }
    Ok(PostPayload {
        parent_id: given.parent_id.map(Into::into),
        root_id: given.root_id.map(Into::into),
        kind: given.kind.map_or(PostType::Moment, PostType::from_number),
        content: PostContent::Client { sayable_list: parts },
    })
}

/// The deepest posts of a post that is published by itself.
pub(crate) const PUBLISHED: u8 = DEEPEST;

/// A file that a client means.
pub(crate) async fn file(given: wire::File, rest: &Rest) -> Result<FileBox, Problem> {
    let wire::File { id, base64, url, qr_code, name, media_type, .. } = given;
    let called = name.as_deref();
    let found = match (id, base64, url, qr_code) {
        (Some(id), None, None, None) => {
            let name = called.map(str::to_owned).or_else(|| Some(rest.uploads().get(&id)?.name));
            let name = name.unwrap_or_else(|| "file".to_owned());
            let bytes = rest.uploads().folder(rest.bot().clock())?.load(&id).await?;
            FileBox::from_stream(bytes, name)
        }
        (None, Some(base64), None, None) => FileBox::from_base64(base64, called.unwrap_or("file"))?,
        (None, None, Some(url), None) => {
            let found = FileBox::from_url(url)?;
            if let Some(name) = called { found.named(name) } else { found }
        }
        (None, None, None, Some(text)) => {
            let found = FileBox::from_qr_code(text)?;
            if let Some(name) = called { found.named(name) } else { found }
        }
        _ => return Err(Problem::wrong("", "rest-only-one").set("choices", "id, base64, url, qrCode")),
    };
    match media_type {
        Some(media_type) if answer::is_media_type(&media_type) => Ok(found.with_media_type(media_type)),
        Some(_) => Err(Problem::wrong("/mediaType", "rest-media-form")),
        None => Ok(found),
    }
}

/// How files are loaded for callers.
pub(crate) fn load(rest: &Rest) -> LoadOptions {
    LoadOptions { max_bytes: rest.options().largest_file, ..LoadOptions::default() }
}

/// Says it: it is in the outbox when this returns.
pub(crate) async fn send(rest: &Rest, account: &Account, send: Send, key: SendKey) -> Result<Said, Problem> {
    // Before anything is looked up: what was said once is found also where nobody is logged in or the file is gone.
    if let Some(said) = earlier(rest, account, key).await? {
        return Ok(said);
    }
    let Send { to, content, mentions, quote, at, expires_in } = send;
    let to = to::conversation(account, &to).await?;
    let what = content.payload(rest, account).await?;
    let extras = Extras { mentions, quote, at, expires_in };
    say(rest, account, to, what, extras, key.key).await
}

/// What a request that told the same before has said, if it came so far.
pub(crate) async fn earlier(rest: &Rest, account: &Account, key: SendKey) -> Result<Option<Said>, Problem> {
    if !key.may_exist {
        return Ok(None);
    }
    Ok(rest.earlier(account, key.key).await?.map(Said::Earlier))
}

/// What a send has beside its content.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) mentions: Vec<String>,
    pub(crate) quote: Option<String>,
    pub(crate) at: Option<i64>,
    pub(crate) expires_in: Option<u64>,
}

/// The key of a send, and whether one under it may be there already.
#[derive(Clone, Copy)]
pub(crate) struct SendKey {
    pub(crate) key: IdempotencyKey,
    pub(crate) may_exist: bool,
}

/// Something that is in the outbox.
pub(crate) enum Said {
    Now(Receipt),
    /// By a request that told the same before.
    Earlier(SendState),
}

impl Said {
    /// What became of it, after this long at most.
    pub(crate) async fn state(self, rest: &Rest, account: &Account, wait: Option<Duration>) -> SendState {
        match self {
            Self::Earlier(state) => state,
            Self::Now(receipt) => {
                if let Some(wait) = wait {
                    // What became of it is in the receipt.
                    let _ = rest.bot().clock().timeout(wait, receipt.sent()).await;
                }
                SendState::of(account.id(), &receipt)
            }
        }
    }
}

/// Says something to a conversation. The caller has asked for what was said [`earlier`].
pub(crate) async fn say(
    rest: &Rest,
    account: &Account,
    to: ConversationId,
    what: SayablePayload,
    extras: Extras,
    key: IdempotencyKey,
) -> Result<Said, Problem> {
    let mut say: Say = match &to {
        ConversationId::Contact(contact) => account.contact_handle(contact).say(what),
        ConversationId::Room(room) => account.room_handle(room).say(what),
    };
    say = say.under(key);
    for id in &extras.mentions {
        say = match id.as_str() {
            Mention::ALL => say.mention_all(),
            id => say.mention(&[account.contact_handle(&ContactId::from(id))]),
        };
    }
    if let Some(quote) = extras.quote {
        say = say.quote(quote);
    }
    if let Some(at) = extras.at {
        say = say.at(Timestamp::from_millis(at));
    }
    if let Some(seconds) = extras.expires_in {
        say = say.expires_in(Duration::from_secs(seconds));
    }
    let receipt = say.await?;
    rest.keep(Arc::new(account.id().clone()), &receipt);
    Ok(Said::Now(receipt))
}
