//! Tags on contacts.

use async_trait::async_trait;
use wechaty_puppet::{Capability, ContactId, PlatformName, PuppetError, Result, TagId, Tags};

use crate::{MockPuppet, PLATFORM};

#[async_trait]
impl Tags for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn add(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        self.change(Capability::Tag, |live| {
            live.state.contact(contact)?;
            let tagged = live.state.tags.entry(tag.clone()).or_default();
            if !tagged.contains(contact) {
                tagged.push(contact.clone());
            }
            Ok(())
        })
    }

    /// Of a contact that does not have the tag: nothing changes.
    async fn remove(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        self.change(Capability::Tag, |live| {
            live.state.contact(contact)?;
            let tagged = live.state.tags.get_mut(tag).ok_or_else(|| PuppetError::not_found("tag", tag))?;
            tagged.retain(|id| id != contact);
            Ok(())
        })
    }

    async fn delete(&self, tag: &TagId) -> Result<()> {
        self.change(Capability::Tag, |live| {
            live.state.tags.remove(tag).map(|_| ()).ok_or_else(|| PuppetError::not_found("tag", tag))
        })
    }

    /// In the order of their names.
    async fn list(&self, contact: Option<&ContactId>) -> Result<Vec<TagId>> {
        self.read(Capability::Tag, |state| {
            if let Some(contact) = contact {
                state.contact(contact)?;
            }
            let tags = state.tags.iter().filter(|(_, tagged)| contact.is_none_or(|contact| tagged.contains(contact)));
            Ok(tags.map(|(tag, _)| tag.clone()).collect())
        })
    }
}
