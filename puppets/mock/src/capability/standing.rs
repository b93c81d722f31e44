//! What stands beside a message: its pin, its readers, and that it is still being written.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ConversationId, Growing, MessageId, Outgoing, Pins, PlatformName, PuppetError, Readers,
    Result, SayablePayload, Sent, TextPayload,
};

use super::message::rewrite;
use crate::{
    MockPuppet, PLATFORM,
    content::Content,
    send::{resolve, send},
    state::{Message, State},
};

/// A message that stands in this conversation.
fn within<'a>(state: &'a State, conversation: &ConversationId, id: &MessageId) -> Result<&'a Message> {
    let to = resolve(state, conversation)?;
    let message = state.message(id)?;
    if message.recalled || message.payload.conversation(Some(state.me())) != to {
        return Err(PuppetError::not_found("message in this conversation", id));
    }
    Ok(message)
}

#[async_trait]
impl Pins for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn pin(&self, conversation: &ConversationId, id: &MessageId, pinned: bool) -> Result<()> {
        self.change(Capability::Pin, |live| {
            within(&live.state, conversation, id)?;
            let pins = &mut live.state.pins;
            match pinned {
                true if !pins.contains(id) => pins.push(id.clone()),
                true => {}
                false => pins.retain(|known| known != id),
            }
            Ok(())
        })
    }

    async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<MessageId>> {
        self.read(Capability::Pin, |state| {
            resolve(state, conversation)?;
            let here = |id: &&MessageId| within(state, conversation, id).is_ok();
            Ok(state.pins.iter().rev().filter(here).cloned().collect())
        })
    }
}

#[async_trait]
impl Readers for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn readers(&self, conversation: &ConversationId, id: &MessageId) -> Result<Vec<ContactId>> {
        self.read(Capability::MessageReaders, |state| {
            within(state, conversation, id)?;
            Ok(state.readers.get(id).cloned().unwrap_or_default())
        })
    }
}

#[async_trait]
impl Growing for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn begin(&self, out: Outgoing) -> Result<Sent> {
        self.need(Capability::GrowingText)?;
        if !matches!(*out.what, SayablePayload::Text(_) | SayablePayload::Markdown(_)) {
            let reason = format!("{} cannot grow", out.what.kind());
            return Err(PuppetError::Invalid { what: "growing message", reason });
        }
        send(self, out, true)
    }

    async fn grow(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.regrow(conversation, id, text, false)
    }

    async fn finish(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.regrow(conversation, id, text, true)
    }
}

impl MockPuppet {
    fn regrow(&self, conversation: &ConversationId, id: &MessageId, text: &str, last: bool) -> Result<()> {
        self.change(Capability::GrowingText, |live| {
            let message = within(&live.state, conversation, id)?;
            let before = match &message.content {
                Some(Content::Say(what)) => Some(what.clone()),
                _ => None,
            };
            if !live.state.growing.contains(id) {
                return match before {
                    Some(before) if last && before.as_text() == Some(text) => Ok(()),
                    _ => Err(PuppetError::not_found("message that is still being written", id)),
                };
            }
            let mentions = before.as_ref().map(|before| before.mentions().to_vec()).unwrap_or_default();
            let grown = TextPayload { text: text.to_owned(), mentions };
            let what = match before.as_deref() {
                Some(SayablePayload::Markdown(_)) => SayablePayload::Markdown(grown),
                _ => SayablePayload::Text(grown),
            };
            rewrite(live, id, Arc::new(what))?;
            if last {
                live.state.growing.remove(id);
            }
            Ok(())
        })
    }
}
