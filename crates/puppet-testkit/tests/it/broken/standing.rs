//! Broken pins, readers and growing messages.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ConversationId, Growing, IdempotencyKey, MessageId, Outgoing, Pins, PlatformName, Puppet,
    PuppetError, Readers, Result, SayablePayload, Sent,
};

use super::{Broken, Sabotage};

impl Broken {
    fn inner_pins(&self) -> Result<&dyn Pins> {
        self.inner.pins().ok_or_else(|| PuppetError::unsupported(Puppet::platform(self), Capability::Pin))
    }

    fn inner_growing(&self) -> Result<&dyn Growing> {
        self.inner.growing().ok_or_else(|| PuppetError::unsupported(Puppet::platform(self), Capability::GrowingText))
    }

    fn note(&self, change: impl FnOnce(&mut Vec<MessageId>)) -> Vec<MessageId> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut noted);
        noted.clone()
    }
}

#[async_trait]
impl Pins for Broken {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&*self.inner)
    }

    async fn pin(&self, conversation: &ConversationId, id: &MessageId, pinned: bool) -> Result<()> {
        match self.sabotage {
            Sabotage::PinPretended => Ok(()),
            Sabotage::PinKeptInside => {
                self.note(|noted| {
                    noted.retain(|known| known != id);
                    noted.extend(pinned.then(|| id.clone()));
                });
                Ok(())
            }
            _ => self.inner_pins()?.pin(conversation, id, pinned).await,
        }
    }

    async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<MessageId>> {
        let mut pinned = match self.sabotage {
            Sabotage::PinKeptInside => self.note(|_| {}),
            _ => self.inner_pins()?.pinned(conversation).await?,
        };
        if self.sabotage == Sabotage::OldestPinFirst {
            pinned.reverse();
        }
        Ok(pinned)
    }
}

#[async_trait]
impl Readers for Broken {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&*self.inner)
    }

    async fn readers(&self, conversation: &ConversationId, _: &MessageId) -> Result<Vec<ContactId>> {
        Ok(match conversation {
            ConversationId::Contact(id) if self.sabotage == Sabotage::ReadersInvented => vec![id.clone()],
            _ => Vec::new(),
        })
    }
}

#[async_trait]
impl Growing for Broken {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&*self.inner)
    }

    async fn begin(&self, out: Outgoing) -> Result<Sent> {
        let sent = self.inner_growing()?.begin(out).await?;
        self.note(|noted| noted.extend(sent.id.clone()));
        Ok(sent)
    }

    async fn grow(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        match self.sabotage {
            Sabotage::GrowIgnored => Ok(()),
            Sabotage::GrowSendsAnother => {
                let key = IdempotencyKey::from_bytes([text.len() as u8; 16]);
                let what = Arc::new(SayablePayload::text(text));
                self.inner.send(Outgoing::new(key, conversation.clone(), what)).await.map(drop)
            }
            Sabotage::GrowForgetsRestarts if !self.note(|_| {}).contains(id) => {
                Err(PuppetError::not_found("message that is still being written", id))
            }
            _ => self.inner_growing()?.grow(conversation, id, text).await,
        }
    }

    async fn finish(&self, conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        match self.sabotage {
            Sabotage::FinishForgotten => self.inner_growing()?.grow(conversation, id, text).await,
            _ => self.inner_growing()?.finish(conversation, id, text).await,
        }
    }
}
