//! CONTACTS: pictures, our own name and picture, tags.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    ContactId, ContactProfile, ConversationId, FileBox, PlatformName, PuppetError, Result, SelfProfile, TagId, Tags,
    async_trait,
};

use crate::{MatrixPuppet, PLATFORM, error::About, link::Link};

/// Tags of people; others are for the client.
const OURS: &str = "u.";
/// The specification allows no longer name of a tag.
const LONGEST: usize = 255;

#[async_trait]
impl ContactProfile for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn avatar(&self, id: &ContactId) -> Result<FileBox> {
        let user = crate::id::user(id)?;
        let link = self.link()?;
        let contact = link.profile(user).await?;
        if contact.avatar.is_empty() {
            return Err(PuppetError::not_found("avatar", id));
        }
        link.picture(&contact.avatar, "avatar")
    }
}

impl Link {
    async fn set_profile(&self, key: &str, value: &str) -> Result<()> {
        let about = About { context: "changing the own profile", what: "profile", id: key };
        let call = self.v3(Method::PUT, &["profile", &self.me, key], about).json(json!({ key: value }));
        call.send().await.map(drop)
    }

    /// The room of the conversation with a contact that carries the tags.
    async fn tagged_room(&self, contact: &ContactId) -> Result<String> {
        let room = self.find_room(&ConversationId::Contact(contact.clone())).await?;
        room.ok_or_else(|| PuppetError::not_found("conversation with the contact", contact))
    }

    async fn tags_of(&self, room: &str) -> Result<Vec<TagId>> {
        let about = About { context: "reading tags", what: "room", id: room };
        let answer = self.v3(Method::GET, &["user", &self.me, "rooms", room, "tags"], about).send().await?;
        let tags = answer["tags"].as_object().cloned().unwrap_or_default();
        Ok(tags.keys().filter_map(|tag| tag.strip_prefix(OURS)).map(TagId::from).collect())
    }

    async fn tag(&self, method: Method, room: &str, tag: &TagId) -> Result<()> {
        let tag = format!("{OURS}{tag}");
        if tag.len() > LONGEST {
            return Err(PuppetError::Invalid {
                what: "tag",
                reason: format!("it has {} bytes; most are {LONGEST}", tag.len()),
            });
        }
        let about = About { context: "changing tags", what: "room", id: room };
        let body = if method == Method::PUT { json!({}) } else { Value::Null };
        let mut call = self.v3(method, &["user", &self.me, "rooms", room, "tags", &tag], about);
        if body.is_object() {
            call = call.json(body);
        }
        call.send().await.map(drop)
    }
}

#[async_trait]
impl SelfProfile for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn set_name(&self, name: &str) -> Result<()> {
        self.link()?.set_profile("displayname", name).await
    }

    async fn qr_code(&self) -> Result<String> {
        Ok(crate::id::permalink(&self.link()?.me))
    }

    async fn set_avatar(&self, file: FileBox) -> Result<()> {
        let link = self.link()?;
        let uri = link.upload_picture(&file).await?;
        link.set_profile("avatar_url", &uri).await
    }
}

#[async_trait]
impl Tags for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn add(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let link = self.link()?;
        link.tag(Method::PUT, &link.tagged_room(contact).await?, tag).await
    }

    async fn remove(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let link = self.link()?;
        link.tag(Method::DELETE, &link.tagged_room(contact).await?, tag).await
    }

    async fn delete(&self, tag: &TagId) -> Result<()> {
        let link = self.link()?;
        for (_, room) in link.directs.all() {
            if link.tags_of(&room).await?.contains(tag) {
                link.tag(Method::DELETE, &room, tag).await?;
            }
        }
        Ok(())
    }

    async fn list(&self, contact: Option<&ContactId>) -> Result<Vec<TagId>> {
        let link = self.link()?;
        let Some(contact) = contact else {
            let mut all = BTreeSet::new();
            for (_, room) in link.directs.all() {
                all.extend(link.tags_of(&room).await?);
            }
            return Ok(all.into_iter().collect());
        };
        crate::id::user(contact)?;
        match link.find_room(&ConversationId::Contact(contact.clone())).await? {
            Some(room) => link.tags_of(&room).await,
            None => Ok(Vec::new()),
        }
    }
}
