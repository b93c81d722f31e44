//! SEND: what the bot says and does, into the history and to everybody's stream.

use std::{sync::Arc, time::Duration};

use wechaty_file_box::{FileBoxError, LoadOptions};
use wechaty_puppet::{
    Bytes, Capability, ConversationId, FileBox, ForwardPayload, Mention, MessageEdits, MessageId, MessageRecall,
    Outgoing, PlatformName, PuppetError, Reactions, Result, SayablePayload, Sent, Typing, async_trait, unreachable,
};

use crate::{
    BOT, PLATFORM, WebChatPuppet,
    book::Kept,
    convert, limits,
    puppet::Inner,
    refusal::Refusal,
    state::State,
    wire::{self, Kind},
};

/// How long a file may take to come; less than a call may.
const LOADING: Duration = Duration::from_secs(25);

/// A file that is here.
struct Loaded {
    bytes: Bytes,
    name: String,
    media: String,
}

impl Inner {
    async fn load(&self, what: &SayablePayload) -> Result<Option<Loaded>> {
        let file = match what {
            SayablePayload::Card(card) => card.image.as_ref(),
            other => other.file_box(),
        };
        let Some(file) = file else { return Ok(None) };
        let max_bytes = self.options.file_limit as u64;
        let options = LoadOptions { max_bytes, timeout: LOADING, ..LoadOptions::default() };
        let bytes = file.to_bytes_with(&options).await.map_err(unloaded)?;
        Ok(Some(Loaded { bytes, name: file.name().to_owned(), media: file.media_type().to_owned() }))
    }

    pub(crate) async fn send(&self, out: Outgoing) -> Result<Sent> {
        if out.mentions().contains(&Mention::All) {
            return Err(PuppetError::unsupported(PLATFORM, Capability::MentionAll));
        }
        convert::check(&out.what)?;
        let now = self.time()?;
        {
            let state = self.state.lock();
            if let Some(sent) = state.keys.repeat(&out.key, now) {
                return Ok(sent);
            }
            there(&state, &out.to)?;
        }
        let loaded = self.load(&out.what).await?;
        let mut state = self.state.lock();
        // While the file came, another attempt may have been quicker, or somebody may have gone.
        if let Some(sent) = state.keys.repeat(&out.key, now) {
            return Ok(sent);
        }
        there(&state, &out.to)?;
        // What the bot answers it has accepted: the question comes before the answer.
        if let Some(cause) = &out.cause {
            state.settle(&cause.message_id);
        }
        if let Some(quote) = &out.quote {
            state.settle(quote);
        }
        if let ConversationId::Room(room) = &out.to {
            state.settle_room(room, now);
        }
        // The outbox's key: said again by the next process, it is the same message.
        let id = MessageId::new(format!("b{}", out.key));
        if let Some(kept) = state.book.get(&id) {
            let mut sent = Sent::new(id);
            sent.timestamp = Some(kept.time);
            return Ok(sent);
        }
        let mut kept = Kept::new(id, out.to.clone(), BOT.into(), state.bot_name.clone(), now);
        kept.quote = out.quote.as_ref().map(|id| quote(&state, &out.to, id)).transpose()?;
        fill(&mut state, &mut kept, &out.what, loaded)?;
        let mut sent = Sent::new(kept.id.clone());
        sent.timestamp = Some(now);
        state.publish(kept);
        state.keys.enter(out.key, now, sent.clone());
        Ok(sent)
    }
}

fn there(state: &State, to: &ConversationId) -> Result<()> {
    if state.is_there(to) {
        return Ok(());
    }
    let what = if to.room().is_some() { "room" } else { "contact" };
    Err(PuppetError::not_found(what, to))
}

/// Only what cannot be loaded now, but perhaps later, is worth another try.
fn unloaded(error: FileBoxError) -> PuppetError {
    match error {
        FileBoxError::Http { .. } | FileBoxError::TimedOut { .. } | FileBoxError::Io { .. } => {
            unreachable("loading the file")(error)
        }
        FileBoxError::Status { status: 500.., .. } => unreachable("loading the file")(error),
        other => PuppetError::Invalid { what: "file", reason: other.to_string() },
    }
}

/// The content of a message of ours. Leaves all as it was on `Err`.
fn fill(state: &mut State, kept: &mut Kept, what: &SayablePayload, loaded: Option<Loaded>) -> Result<()> {
    if let SayablePayload::Forward(forward) = what {
        return forwarded(state, kept, forward);
    }
    // A contact that is gone must not leave a file behind.
    if let SayablePayload::Contact(card) = what
        && state.name(&card.contact_id).is_none()
    {
        return Err(PuppetError::not_found("contact", &card.contact_id));
    }
    let mentions = what.mentions().iter().filter_map(Mention::contact).map(|id| {
        let name = state.name(id).ok_or_else(|| PuppetError::not_found("contact", id))?;
        Ok(wire::Who { id: id.to_string(), name })
    });
    let mentions = mentions.collect::<Result<Vec<_>>>()?;
    let token = loaded.map(|file| state.files.keep(file.bytes, &file.name, &file.media, None));
    let file = token.as_ref().and_then(|token| state.files.wire(token));
    kept.body = convert::body(what, file, |id| state.name(id))?;
    (kept.mentions, kept.file) = (mentions, token);
    Ok(())
}

fn forwarded(state: &mut State, kept: &mut Kept, forward: &ForwardPayload) -> Result<()> {
    let id = &forward.message_id;
    state.settle(id);
    let original = state.book.get(id).filter(|original| !original.recalled && original.body.kind != Kind::Note);
    let original = original.ok_or_else(|| PuppetError::not_found("message", id))?;
    (kept.body, kept.file) = (original.body.clone(), original.file.clone());
    if let Some(token) = &kept.file {
        state.files.retain(token);
    }
    Ok(())
}

/// A quoted message may have fallen out of the history: the answer is said all the same.
fn quote(state: &State, to: &ConversationId, id: &MessageId) -> Result<wire::Quote> {
    match state.book.get(id) {
        Some(kept) if kept.to == *to => Ok(kept.quoted()),
        Some(_) => {
            let reason = "it was said in another conversation, whose words are not for this one".to_owned();
            Err(PuppetError::Invalid { what: "quote", reason })
        }
        None => Ok(wire::Quote { id: id.to_string(), name: String::new(), text: String::new(), recalled: false }),
    }
}

/// One of the bot's own messages.
fn own<'a>(state: &'a State, id: &MessageId) -> Result<&'a Kept> {
    let kept = state.book.get(id).filter(|kept| kept.body.kind != Kind::Note);
    let kept = kept.ok_or_else(|| PuppetError::not_found("message", id))?;
    if kept.talker.as_str() == BOT {
        return Ok(kept);
    }
    let message = "only who wrote a message can change it or take it back".to_owned();
    Err(PuppetError::Rejected { code: Refusal::NotYours.code().to_owned(), message })
}

fn belongs(kept: &Kept, conversation: &ConversationId) -> Result<()> {
    if kept.to == *conversation { Ok(()) } else { Err(PuppetError::not_found("message", &kept.id)) }
}

#[async_trait]
impl MessageRecall for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn recall(&self, id: &MessageId) -> Result<bool> {
        self.0.time()?;
        let mut state = self.0.state.lock();
        if !own(&state, id)?.recalled {
            state.recall(id);
        }
        Ok(true)
    }
}

#[async_trait]
impl MessageEdits for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn edit(&self, conversation: &ConversationId, id: &MessageId, what: Arc<SayablePayload>) -> Result<()> {
        convert::check(&what)?;
        self.0.time()?;
        belongs(own(&self.0.state.lock(), id)?, conversation)?;
        let loaded = self.0.load(&what).await?;
        let mut state = self.0.state.lock();
        let kept = own(&state, id)?;
        if kept.recalled {
            return Err(PuppetError::not_found("message", id));
        }
        let (mut new, old) = (kept.clone(), kept.file.clone());
        fill(&mut state, &mut new, &what, loaded)?;
        state.change(id, |kept| {
            (kept.body, kept.file, kept.mentions, kept.edited) = (new.body, new.file, new.mentions, true);
            // It asks anew.
            kept.chosen.clear();
        });
        if let Some(token) = old {
            state.files.release(&token);
        }
        state.tell_message("edit", id);
        state.requote(id);
        Ok(())
    }
}

#[async_trait]
impl Reactions for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn react(&self, conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> Result<()> {
        self.0.time()?;
        if reaction.is_empty() || reaction.len() > limits::REACTION || reaction.chars().any(char::is_control) {
            let reason = format!("expected 1 to {} bytes without control characters", limits::REACTION);
            return Err(PuppetError::Invalid { what: "reaction", reason });
        }
        let mut state = self.0.state.lock();
        state.settle(id);
        let kept = state.book.get(id).filter(|kept| !kept.recalled && kept.body.kind != Kind::Note);
        let kept = kept.ok_or_else(|| PuppetError::not_found("message", id))?;
        belongs(kept, conversation)?;
        let stands = kept.has_reaction(&BOT.into(), reaction);
        if !state.react(id, &BOT.into(), reaction, add) && add && !stands {
            let reason = format!("a message has at most {} different ones", limits::REACTIONS);
            return Err(PuppetError::Invalid { what: "reaction", reason });
        }
        Ok(())
    }
}

#[async_trait]
impl Typing for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    /// The page lets it fade after six seconds, or with the next message.
    async fn typing(&self, conversation: &ConversationId, on: bool) -> Result<()> {
        let now = self.0.time()?;
        let mut state = self.0.state.lock();
        there(&state, conversation)?;
        if on {
            state.typing(conversation, &BOT.into(), now);
        }
        Ok(())
    }
}

impl Inner {
    pub(crate) fn file_of(&self, id: &MessageId) -> Result<FileBox> {
        let state = self.state.lock();
        let kept = state.book.known(id).ok_or_else(|| PuppetError::not_found("message", id))?;
        // The picture of a card is part of it.
        let token = kept.file.as_ref().filter(|_| kept.body.file.is_some());
        token.and_then(|token| state.files.file_box(token)).ok_or_else(|| PuppetError::not_found("file of message", id))
    }
}
