//! ContactProfile and SelfProfile: each change is kept and makes the contact dirty.

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ContactPayload, ContactProfile, DirtyType, FileBox, PlatformName, Result, SelfProfile,
};

use crate::{
    MockPuppet, PLATFORM,
    change::dirty,
    content::{kept, text_file},
};

impl MockPuppet {
    fn edit_contact(
        &self,
        capability: Capability,
        id: Option<&ContactId>,
        edit: impl FnOnce(&mut ContactPayload),
    ) -> Result<()> {
        self.change(capability, |live| {
            let id = id.unwrap_or_else(|| live.state.me()).clone();
            edit(live.state.contact_mut(&id)?);
            live.waiting.push_back(dirty(DirtyType::Contact, &id));
            Ok(())
        })
    }
}

/// Empty clears.
fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

#[async_trait]
impl ContactProfile for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn set_alias(&self, id: &ContactId, alias: Option<&str>) -> Result<()> {
        self.edit_contact(Capability::ContactAlias, Some(id), |contact| contact.alias = filled(alias))
    }

    async fn set_phone(&self, id: &ContactId, phone: &[String]) -> Result<()> {
        self.edit_contact(Capability::ContactPhone, Some(id), |contact| contact.phone = phone.to_vec())
    }

    async fn set_description(&self, id: &ContactId, description: Option<&str>) -> Result<()> {
        self.edit_contact(Capability::ContactDescription, Some(id), |contact| {
            contact.description = filled(description);
        })
    }

    async fn set_corporation(&self, id: &ContactId, corporation: Option<&str>) -> Result<()> {
        self.edit_contact(Capability::ContactCorporation, Some(id), |contact| {
            contact.corporation = filled(corporation);
        })
    }

    async fn avatar(&self, id: &ContactId) -> Result<FileBox> {
        self.read(Capability::ContactAvatar, |state| {
            state.contact(id)?;
            let own = state.own_avatar.as_ref().filter(|_| id == state.me()).cloned();
            Ok(own.unwrap_or_else(|| avatar_of(id)))
        })
    }
}

/// The picture of whoever has none of their own.
pub(super) fn avatar_of(id: impl std::fmt::Display) -> FileBox {
    text_file(format!("{id}.txt"), format!("avatar of {id}"))
}

#[async_trait]
impl SelfProfile for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn set_name(&self, name: &str) -> Result<()> {
        self.edit_contact(Capability::SelfName, None, |me| me.name = name.to_owned())
    }

    async fn set_signature(&self, signature: &str) -> Result<()> {
        self.edit_contact(Capability::SelfSignature, None, |me| me.signature = filled(Some(signature)))
    }

    async fn qr_code(&self) -> Result<String> {
        self.read(Capability::SelfQrCode, |state| Ok(format!("https://example.invalid/qr/{}", state.me())))
    }

    async fn set_avatar(&self, file: FileBox) -> Result<()> {
        let file = kept(file).await?;
        self.change(Capability::SelfAvatar, |live| {
            live.state.own_avatar = Some(file);
            let me = live.state.me().clone();
            live.waiting.push_back(dirty(DirtyType::Contact, me));
            Ok(())
        })
    }
}
