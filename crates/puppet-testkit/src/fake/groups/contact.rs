//! What an account notes about contacts, its own profile, tags.

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ContactProfile, DirtyEvent, DirtyType, FileBox, PuppetError, Result, SelfProfile, TagId,
    Tags,
};

use super::{blank_picture, of_the_fake};
use crate::fake::{FakePuppet, account::Note};

impl FakePuppet {
    /// Changes a note; the contact's payload is stale then.
    fn note(&self, what: Capability, id: &ContactId, detail: String, change: impl FnOnce(&mut Note)) -> Result<()> {
        let mut world = self.call(what, || format!("{id}: {detail}"))?;
        if !world.people.contains_key(id) {
            return Err(PuppetError::not_found("contact", id));
        }
        change(world.accounts[self.account].notes.entry(id.clone()).or_default());
        let event = DirtyEvent { payload_type: DirtyType::Contact, payload_id: id.to_string() };
        world.offer_unwatched(self.account, event);
        Ok(())
    }
}

#[async_trait]
impl ContactProfile for FakePuppet {
    of_the_fake!();

    async fn set_alias(&self, id: &ContactId, alias: Option<&str>) -> Result<()> {
        let alias = alias.map(str::to_owned);
        self.note(Capability::ContactAlias, id, format!("{alias:?}"), |note| note.alias = alias)
    }
    async fn set_phone(&self, id: &ContactId, phone: &[String]) -> Result<()> {
        self.note(Capability::ContactPhone, id, format!("{phone:?}"), |note| note.phone = phone.to_vec())
    }
    async fn set_description(&self, id: &ContactId, description: Option<&str>) -> Result<()> {
        let description = description.map(str::to_owned);
        self.note(Capability::ContactDescription, id, format!("{description:?}"), |note| note.description = description)
    }
    async fn set_corporation(&self, id: &ContactId, corporation: Option<&str>) -> Result<()> {
        let corporation = corporation.map(str::to_owned);
        self.note(Capability::ContactCorporation, id, format!("{corporation:?}"), |note| note.corporation = corporation)
    }
    async fn avatar(&self, id: &ContactId) -> Result<FileBox> {
        let world = self.call(Capability::ContactAvatar, || id.to_string())?;
        let person = world.people.get(id).ok_or_else(|| PuppetError::not_found("contact", id))?;
        Ok(person.avatar.clone().unwrap_or_else(blank_picture))
    }
}

#[async_trait]
impl SelfProfile for FakePuppet {
    of_the_fake!();

    async fn set_name(&self, name: &str) -> Result<()> {
        let mut world = self.call(Capability::SelfName, || name.to_owned())?;
        let bot = world.bot(self.account).clone();
        if let Some(me) = world.people.get_mut(&bot) {
            me.payload.name = name.to_owned();
        }
        Ok(())
    }
    async fn set_signature(&self, signature: &str) -> Result<()> {
        let mut world = self.call(Capability::SelfSignature, || signature.to_owned())?;
        let bot = world.bot(self.account).clone();
        if let Some(me) = world.people.get_mut(&bot) {
            me.payload.signature = Some(signature.to_owned());
        }
        Ok(())
    }
    async fn qr_code(&self) -> Result<String> {
        let world = self.call(Capability::SelfQrCode, String::new)?;
        Ok(format!("https://fake.invalid/qr/{}", world.bot(self.account)))
    }
    async fn set_avatar(&self, file: FileBox) -> Result<()> {
        let mut world = self.call(Capability::SelfAvatar, || file.name().to_owned())?;
        let bot = world.bot(self.account).clone();
        if let Some(me) = world.people.get_mut(&bot) {
            me.avatar = Some(file);
        }
        Ok(())
    }
}

#[async_trait]
impl Tags for FakePuppet {
    of_the_fake!();

    async fn add(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let mut world = self.call(Capability::Tag, || format!("add {tag} to {contact}"))?;
        if !world.people.contains_key(contact) {
            return Err(PuppetError::not_found("contact", contact));
        }
        world.accounts[self.account].tags.entry(tag.clone()).or_default().insert(contact.clone());
        Ok(())
    }
    async fn remove(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let mut world = self.call(Capability::Tag, || format!("remove {tag} from {contact}"))?;
        let tagged = world.accounts[self.account].tags.get_mut(tag);
        tagged.ok_or_else(|| PuppetError::not_found("tag", tag))?.remove(contact);
        Ok(())
    }
    async fn delete(&self, tag: &TagId) -> Result<()> {
        let mut world = self.call(Capability::Tag, || format!("delete {tag}"))?;
        let removed = world.accounts[self.account].tags.remove(tag);
        removed.map(|_| ()).ok_or_else(|| PuppetError::not_found("tag", tag))
    }
    async fn list(&self, contact: Option<&ContactId>) -> Result<Vec<TagId>> {
        let world = self.call(Capability::Tag, || "list".to_owned())?;
        let tags = world.accounts[self.account].tags.iter();
        Ok(tags
            .filter(|(_, tagged)| contact.is_none_or(|contact| tagged.contains(contact)))
            .map(|(tag, _)| tag.clone())
            .collect())
    }
}
