//! CONTACTS: ourselves and others, their friendships and tags.

use wechaty::{
    types::{ContactId, EventPayload, FriendshipId, TagId},
    user::Friendship,
};
use wechaty_grpc::{Dialect, file, pb};
use wechaty_puppet::{Capability, PuppetError};

use crate::{fault::Answer, tenant::Tenant};

impl Tenant {
    pub(super) async fn contact_self_qr_code(
        &self,
        _: pb::ContactSelfQrCodeRequest,
        _: Dialect,
    ) -> Answer<pb::ContactSelfQrCodeResponse> {
        Ok(pb::ContactSelfQrCodeResponse { qrcode: self.account.current_user()?.qr_code().await? })
    }

    pub(super) async fn contact_self_name(
        &self,
        request: pb::ContactSelfNameRequest,
        _: Dialect,
    ) -> Answer<pb::ContactSelfNameResponse> {
        let me = self.account.current_user()?;
        self.changing_contact(me.id().as_str(), me.set_name(&request.name)).await?;
        Ok(pb::ContactSelfNameResponse {})
    }

    pub(super) async fn contact_self_signature(
        &self,
        request: pb::ContactSelfSignatureRequest,
        _: Dialect,
    ) -> Answer<pb::ContactSelfSignatureResponse> {
        let me = self.account.current_user()?;
        self.changing_contact(me.id().as_str(), me.set_signature(&request.signature)).await?;
        Ok(pb::ContactSelfSignatureResponse {})
    }

    pub(super) async fn contact_payload(
        &self,
        request: pb::ContactPayloadRequest,
        dialect: Dialect,
    ) -> Answer<pb::ContactPayloadResponse> {
        let contact = self.account.contact(request.id.as_str()).await?;
        let payload = contact.payload().ok_or_else(|| no_contact(&request.id))?;
        Ok(pb::ContactPayloadResponse::of(&payload, dialect))
    }

    pub(super) async fn contact_alias(
        &self,
        request: pb::ContactAliasRequest,
        _: Dialect,
    ) -> Answer<pb::ContactAliasResponse> {
        if let Some(alias) = request.to_set() {
            let contact = self.account.contact_handle(&ContactId::new(request.id.as_str()));
            let alias_or_none = Some(alias).filter(|alias| !alias.is_empty());
            self.changing_contact(&request.id, contact.set_alias(alias_or_none)).await?;
            return Ok(pb::ContactAliasResponse::of(alias));
        }
        let contact = self.account.contact(request.id.as_str()).await?;
        Ok(pb::ContactAliasResponse::of(contact.alias().unwrap_or_default()))
    }

    pub(super) async fn contact_avatar(
        &self,
        request: pb::ContactAvatarRequest,
        dialect: Dialect,
    ) -> Answer<pb::ContactAvatarResponse> {
        let id = ContactId::new(request.id.as_str());
        if let Some(json) = request.to_set() {
            let me = self.account.current_user()?;
            if *me.id() != id {
                let error = PuppetError::unsupported(self.account.platform(), Capability::SelfAvatar);
                return Err(error.into());
            }
            let picture = self.received(file::read(json)?).await?;
            self.changing_contact(&request.id, me.set_avatar(picture)).await?;
            return Ok(pb::ContactAvatarResponse::default());
        }
        let picture = self.account.contact_handle(&id).avatar().await?;
        Ok(pb::ContactAvatarResponse::of(self.file_for(&picture, dialect).await?))
    }

    /// Setting is all the wire can do; what is noted now comes back.
    pub(super) async fn contact_phone(
        &self,
        request: pb::ContactPhoneRequest,
        _: Dialect,
    ) -> Answer<pb::ContactPhoneResponse> {
        let contact = self.account.contact_handle(&ContactId::new(request.contact_id.as_str()));
        self.changing_contact(&request.contact_id, contact.set_phone(&request.phones)).await?;
        Ok(pb::ContactPhoneResponse { phones: request.phones })
    }

    pub(super) async fn contact_corporation_remark(
        &self,
        request: pb::ContactCorporationRemarkRequest,
        _: Dialect,
    ) -> Answer<pb::ContactCorporationRemarkResponse> {
        let contact = self.account.contact_handle(&ContactId::new(request.contact_id.as_str()));
        self.changing_contact(&request.contact_id, contact.set_corporation(request.note())).await?;
        Ok(pb::ContactCorporationRemarkResponse {})
    }

    pub(super) async fn contact_description(
        &self,
        request: pb::ContactDescriptionRequest,
        _: Dialect,
    ) -> Answer<pb::ContactDescriptionResponse> {
        let contact = self.account.contact_handle(&ContactId::new(request.contact_id.as_str()));
        self.changing_contact(&request.contact_id, contact.set_description(request.note())).await?;
        Ok(pb::ContactDescriptionResponse {})
    }

    pub(super) async fn contact_list(&self, _: pb::ContactListRequest, _: Dialect) -> Answer<pb::ContactListResponse> {
        let directory = self.need(self.account.puppet().directory(), Capability::ContactList)?;
        Ok(pb::ContactListResponse { ids: texts(directory.contacts().await?) })
    }

    pub(super) async fn friendship_payload(
        &self,
        request: pb::FriendshipPayloadRequest,
        dialect: Dialect,
    ) -> Answer<pb::FriendshipPayloadResponse> {
        let friendship = match request.to_set()? {
            Some(payload) => {
                let json = serde_json::to_string(&payload).map_err(wechaty::Error::other)?;
                Friendship::from_json(&self.account, &json)?
            }
            None => self.account.friendship(&FriendshipId::new(request.id.as_str())).await?,
        };
        let is_it = |event: &EventPayload| matches!(event, EventPayload::Friendship(it) if it.friendship_id == *friendship.id());
        if dialect != Dialect::Rust {
            self.feed.asked(is_it);
        }
        Ok(pb::FriendshipPayloadResponse::of(friendship.payload(), dialect))
    }

    pub(super) async fn friendship_search_phone(
        &self,
        request: pb::FriendshipSearchPhoneRequest,
        _: Dialect,
    ) -> Answer<pb::FriendshipSearchPhoneResponse> {
        let friendships = self.need(self.account.puppet().friendships(), Capability::FriendshipSearch)?;
        let found = friendships.search_phone(&request.phone).await?;
        Ok(pb::FriendshipSearchPhoneResponse::of(found.as_ref()))
    }

    pub(super) async fn friendship_search_weixin(
        &self,
        request: pb::FriendshipSearchHandleRequest,
        dialect: Dialect,
    ) -> Answer<pb::FriendshipSearchHandleResponse> {
        self.friendship_search_handle(request, dialect).await
    }

    pub(super) async fn friendship_search_handle(
        &self,
        request: pb::FriendshipSearchHandleRequest,
        _: Dialect,
    ) -> Answer<pb::FriendshipSearchHandleResponse> {
        let friendships = self.need(self.account.puppet().friendships(), Capability::FriendshipSearch)?;
        let found = friendships.search_handle(&request.weixin).await?;
        Ok(pb::FriendshipSearchHandleResponse::of(found.as_ref()))
    }

    pub(super) async fn friendship_add(
        &self,
        request: pb::FriendshipAddRequest,
        _: Dialect,
    ) -> Answer<pb::FriendshipAddResponse> {
        let contact = self.account.contact_handle(&ContactId::new(request.contact_id.as_str()));
        self.account.add_friend(&contact, request.request()).await?;
        Ok(pb::FriendshipAddResponse {})
    }

    pub(super) async fn friendship_accept(
        &self,
        request: pb::FriendshipAcceptRequest,
        _: Dialect,
    ) -> Answer<pb::FriendshipAcceptResponse> {
        self.account.friendship(&FriendshipId::new(request.id.as_str())).await?.accept().await?;
        Ok(pb::FriendshipAcceptResponse {})
    }

    pub(super) async fn tag_contact_add(
        &self,
        request: pb::TagContactAddRequest,
        _: Dialect,
    ) -> Answer<pb::TagContactAddResponse> {
        let tags = self.need(self.account.puppet().tags(), Capability::Tag)?;
        tags.add(&TagId::new(request.id), &ContactId::new(request.contact_id)).await?;
        Ok(pb::TagContactAddResponse {})
    }

    pub(super) async fn tag_contact_remove(
        &self,
        request: pb::TagContactRemoveRequest,
        _: Dialect,
    ) -> Answer<pb::TagContactRemoveResponse> {
        let tags = self.need(self.account.puppet().tags(), Capability::Tag)?;
        tags.remove(&TagId::new(request.id), &ContactId::new(request.contact_id)).await?;
        Ok(pb::TagContactRemoveResponse {})
    }

    pub(super) async fn tag_contact_delete(
        &self,
        request: pb::TagContactDeleteRequest,
        _: Dialect,
    ) -> Answer<pb::TagContactDeleteResponse> {
        let tags = self.need(self.account.puppet().tags(), Capability::Tag)?;
        tags.delete(&TagId::new(request.id)).await?;
        Ok(pb::TagContactDeleteResponse {})
    }

    pub(super) async fn tag_contact_list(
        &self,
        request: pb::TagContactListRequest,
        _: Dialect,
    ) -> Answer<pb::TagContactListResponse> {
        let tags = self.need(self.account.puppet().tags(), Capability::Tag)?;
        Ok(pb::TagContactListResponse { ids: texts(tags.list(request.contact().as_ref()).await?) })
    }
}

/// Ids as the wire has them.
pub(super) fn texts<I: std::fmt::Display>(ids: Vec<I>) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn no_contact(id: &str) -> PuppetError {
    PuppetError::NotFound { what: "contact", id: id.to_owned() }
}
