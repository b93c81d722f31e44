//! What we note about contacts, ourselves, tags, and the login.

use wechaty_grpc::{Dialect, file, pb};
use wechaty_puppet::{
    Capability, ContactId, ContactProfile, FileBox, LoginControl, PlatformName, Result, SelfProfile, TagId, Tags,
    async_trait,
};

use super::call;
use crate::{
    PLATFORM, ServicePuppet,
    link::{asked, wire},
};

#[async_trait]
impl ContactProfile for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn set_alias(&self, id: &ContactId, alias: Option<&str>) -> Result<()> {
        let asked = asked(Capability::ContactAlias, "setting an alias", "contact", id.as_str());
        let request = pb::ContactAliasRequest::set(id.as_str(), alias.unwrap_or_default());
        self.change(asked, call!(contact_alias(request))).await
    }

    async fn set_phone(&self, id: &ContactId, phone: &[String]) -> Result<()> {
        let asked = asked(Capability::ContactPhone, "setting phone numbers", "contact", id.as_str());
        let request = pb::ContactPhoneRequest { contact_id: id.to_string(), phones: phone.to_vec() };
        self.change(asked, call!(contact_phone(request))).await
    }

    async fn set_description(&self, id: &ContactId, description: Option<&str>) -> Result<()> {
        let asked = asked(Capability::ContactDescription, "setting a description", "contact", id.as_str());
        let request = pb::ContactDescriptionRequest::of(id.as_str(), description);
        self.change(asked, call!(contact_description(request))).await
    }

    async fn set_corporation(&self, id: &ContactId, corporation: Option<&str>) -> Result<()> {
        let asked = asked(Capability::ContactCorporation, "setting a corporation remark", "contact", id.as_str());
        let request = pb::ContactCorporationRemarkRequest::of(id.as_str(), corporation);
        self.change(asked, call!(contact_corporation_remark(request))).await
    }

    async fn avatar(&self, id: &ContactId) -> Result<FileBox> {
        let asked = asked(Capability::ContactAvatar, "loading an avatar", "contact", id.as_str());
        let answer = self.ask(asked, call!(contact_avatar(pb::ContactAvatarRequest::get(id.as_str())))).await?;
        Ok(self.near(file::read(answer.value()).map_err(wire(asked))?))
    }
}

#[async_trait]
impl SelfProfile for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn set_name(&self, name: &str) -> Result<()> {
        let asked = asked(Capability::SelfName, "setting our name", "name", "");
        self.change(asked, call!(contact_self_name(pb::ContactSelfNameRequest { name: name.to_owned() }))).await
    }

    async fn set_signature(&self, signature: &str) -> Result<()> {
        let asked = asked(Capability::SelfSignature, "setting our signature", "signature", "");
        let request = pb::ContactSelfSignatureRequest { signature: signature.to_owned() };
        self.change(asked, call!(contact_self_signature(request))).await
    }

    async fn qr_code(&self) -> Result<String> {
        let asked = asked(Capability::SelfQrCode, "loading our QR code", "QR code", "");
        Ok(self.ask(asked, call!(contact_self_qr_code(pb::ContactSelfQrCodeRequest {}))).await?.qrcode)
    }

    async fn set_avatar(&self, file: FileBox) -> Result<()> {
        let asked = asked(Capability::SelfAvatar, "setting our avatar", "avatar", "");
        let me = self.link(asked)?.me()?;
        let file = self.portable(asked, &file).await?;
        let json = file::write(&file, Dialect::TypeScript).map_err(wire(asked))?;
        let request = pb::ContactAvatarRequest::set(me.as_str(), json);
        self.change(asked, call!(contact_avatar(request))).await
    }
}

#[async_trait]
impl Tags for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn add(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let asked = asked(Capability::Tag, "tagging a contact", "contact", contact.as_str());
        let request = pb::TagContactAddRequest { id: tag.to_string(), contact_id: contact.to_string() };
        self.change(asked, call!(tag_contact_add(request))).await
    }

    async fn remove(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let asked = asked(Capability::Tag, "untagging a contact", "contact", contact.as_str());
        let request = pb::TagContactRemoveRequest { id: tag.to_string(), contact_id: contact.to_string() };
        self.change(asked, call!(tag_contact_remove(request))).await
    }

    async fn delete(&self, tag: &TagId) -> Result<()> {
        let asked = asked(Capability::Tag, "deleting a tag", "tag", tag.as_str());
        self.change(asked, call!(tag_contact_delete(pb::TagContactDeleteRequest { id: tag.to_string() }))).await
    }

    async fn list(&self, contact: Option<&ContactId>) -> Result<Vec<TagId>> {
        let asked = asked(Capability::Tag, "listing tags", "contact", contact.map_or("", ContactId::as_str));
        let answer = self.ask(asked, call!(tag_contact_list(pb::TagContactListRequest::of(contact)))).await?;
        Ok(answer.ids.into_iter().filter_map(TagId::non_empty).collect())
    }
}

#[async_trait]
impl LoginControl for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// The contract has no room for the reason.
    async fn logout(&self, _: Option<&str>) -> Result<()> {
        let asked = asked(Capability::Logout, "logging out", "account", "");
        self.change(asked, call!(logout(pb::LogoutRequest {}))).await
    }
}
