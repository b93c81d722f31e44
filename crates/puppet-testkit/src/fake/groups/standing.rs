//! What stands beside a message: its pin, its readers, and that it is still being written.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ConversationId, Growing, MessageId, Outgoing, Pins, PuppetError, Readers, Result,
    SayablePayload, Sent, TextPayload,
};

use super::{message::message, of_the_fake};
use crate::fake::{
    FakePuppet,
    heard::Said,
    world::{Waiting, World},
};

impl FakePuppet {
    /// A message of this conversation of the account.
    fn within(&self, world: &World, conversation: &ConversationId, id: &MessageId) -> Result<Arc<Said>> {
        let said = message(world, id)?;
        let here = world.audience(&said).into_iter().any(|(who, place)| who == self.account && place == *conversation);
        if !here || world.recalled.contains(id) {
            return Err(PuppetError::not_found("message in this conversation", id));
        }
        Ok(said)
    }

    /// Shows another text of a message that grows.
    fn regrow(&self, conversation: &ConversationId, id: &MessageId, text: &str, last: bool) -> Result<()> {
        let mut world = self.call(Capability::GrowingText, || {
            format!("{} {id} in {conversation}: {text}", if last { "finish" } else { "grow" })
        })?;
        let said = self.within(&world, conversation, id)?;
        if !world.growing.contains(id) {
            if last && said.what.as_text() == Some(text) {
                return Ok(());
            }
            return Err(PuppetError::not_found("message that is still being written", id));
        }
        let grown = TextPayload { text: text.to_owned(), mentions: said.what.mentions().to_vec() };
        let what = Arc::new(match &*said.what {
            SayablePayload::Markdown(_) => SayablePayload::Markdown(grown),
            _ => SayablePayload::Text(grown),
        });
        self.within_limits(&what)?;
        world.edit(&said, what, &mut Waiting::nobody());
        if last {
            world.growing.remove(id);
        }
        Ok(())
    }
}

#[async_trait]
impl Pins for FakePuppet {
    of_the_fake!();

    async fn pin(&self, conversation: &ConversationId, id: &MessageId, pinned: bool) -> Result<()> {
        let mut world = self.call(Capability::Pin, || format!("{id} in {conversation}: {pinned}"))?;
        self.within(&world, conversation, id)?;
        let there = world.pins.contains(id);
        match pinned {
            true if !there => world.pins.push(id.clone()),
            false => world.pins.retain(|known| known != id),
            true => {}
        }
        Ok(())
    }

    async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<MessageId>> {
        let world = self.call(Capability::Pin, || format!("those in {conversation}"))?;
        let here = |id: &&MessageId| self.within(&world, conversation, id).is_ok();
        Ok(world.pins.iter().rev().filter(here).cloned().collect())
    }
}

#[async_trait]
impl Readers for FakePuppet {
    of_the_fake!();

    async fn readers(&self, conversation: &ConversationId, id: &MessageId) -> Result<Vec<ContactId>> {
        let world = self.call(Capability::MessageReaders, || format!("{id} in {conversation}"))?;
        self.within(&world, conversation, id)?;
        self.own(&world, id)?;
        Ok(world.readers.get(id).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl Growing for FakePuppet {
    of_the_fake!();

    async fn begin(&self, out: Outgoing) -> Result<Sent> {
        if !self.capability_set().has(Capability::GrowingText) {
            return Err(PuppetError::unsupported(Self::NAME, Capability::GrowingText));
        }
        if !matches!(&*out.what, SayablePayload::Text(_) | SayablePayload::Markdown(_)) {
            let reason = format!("{} cannot grow", out.what.kind());
            return Err(PuppetError::Invalid { what: "growing message", reason });
        }
        let (id, timestamp) = self.deliver(out, true).await?;
        let mut sent = Sent::new(id);
        sent.timestamp = Some(timestamp);
        Ok(sent)
    }

    async fn grow(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.regrow(conversation, id, text, false)
    }

    async fn finish(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.regrow(conversation, id, text, true)
    }
}
