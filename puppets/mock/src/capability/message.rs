//! What can be done to messages later: recall, edit, react; typing and read marks.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ConversationId, DirtyType, MessageEdits, MessageId, MessageRecall, PlatformName, PuppetError,
    Reactions, ReadMarks, Result, SayablePayload, Typing,
};

use crate::{
    MockPuppet, PLATFORM,
    change::dirty,
    content::{Content, kept_in},
    puppet::Live,
    send::resolve,
};

#[async_trait]
impl MessageRecall for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// True once for each message we sent in this run; false for those of others. It stays loadable.
    async fn recall(&self, id: &MessageId) -> Result<bool> {
        self.change(Capability::MessageRecall, |live| {
            let message = live.state.message_mut(id)?;
            let recalls = message.sent && !message.recalled;
            message.recalled |= recalls;
            if recalls {
                live.state.pins.retain(|pinned| pinned != id);
            }
            if let Some(record) = live.book.record_mut(id).filter(|_| recalls) {
                record.recalled = true;
            }
            Ok(recalls)
        })
    }
}

#[async_trait]
impl MessageEdits for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// The new content replaces the old, whatever the kinds.
    async fn edit(&self, conversation: &ConversationId, id: &MessageId, mut what: Arc<SayablePayload>) -> Result<()> {
        self.need(Capability::of(&what))?;
        kept_in(Arc::make_mut(&mut what)).await?;
        self.change(Capability::MessageEdit, |live| {
            let to = resolve(&live.state, conversation)?;
            let me = live.state.me().clone();
            let message = live.state.message(id)?;
            if !message.sent || message.recalled || message.payload.conversation(Some(&me)) != to {
                let reason = "only a message of ours that is still in the conversation can be edited".to_owned();
                return Err(PuppetError::Invalid { what: "message", reason });
            }
            rewrite(live, id, what)
        })
    }
}

/// The message says something else from now on.
pub(super) fn rewrite(live: &mut Live, id: &MessageId, what: Arc<SayablePayload>) -> Result<()> {
    let message = live.state.message_mut(id)?;
    let payload = Arc::make_mut(&mut message.payload);
    payload.kind = what.message_type();
    payload.text = what.as_text().map(str::to_owned);
    payload.mentions = what.as_text().map(|_| what.mentions().to_vec());
    payload.filename = what.file_box().map(|file| file.name().to_owned());
    message.content = Some(Content::Say(what.clone()));
    if let Some(record) = live.book.record_mut(id) {
        record.stands = Some(what);
    }
    live.waiting.push_back(dirty(DirtyType::Message, id));
    Ok(())
}

#[async_trait]
impl Reactions for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn react(&self, conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> Result<()> {
        self.change(Capability::Reaction, |live| {
            resolve(&live.state, conversation)?;
            live.state.message(id)?;
            let ours = live.state.reactions.entry(id.clone()).or_default();
            if add {
                ours.insert(reaction.to_owned());
            } else {
                ours.remove(reaction);
            }
            Ok(())
        })
    }
}

#[async_trait]
impl Typing for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn typing(&self, conversation: &ConversationId, on: bool) -> Result<()> {
        self.change(Capability::Typing, |live| {
            let to = resolve(&live.state, conversation)?;
            if on {
                live.state.typing.insert(to);
            } else {
                live.state.typing.remove(&to);
            }
            Ok(())
        })
    }
}

#[async_trait]
impl ReadMarks for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Read until somebody else says something.
    async fn is_read(&self, conversation: &ConversationId) -> Result<bool> {
        self.read(Capability::ReadMark, |state| Ok(!state.unread.contains(&resolve(state, conversation)?)))
    }

    async fn set_read(&self, conversation: &ConversationId, read: bool) -> Result<()> {
        self.change(Capability::ReadMark, |live| {
            let to = resolve(&live.state, conversation)?;
            if read {
                live.state.unread.remove(&to);
            } else {
                live.state.unread.insert(to);
            }
            Ok(())
        })
    }
}
