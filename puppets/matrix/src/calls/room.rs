//! ROOMS: administration and invitations.

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    ContactId, FileBox, PlatformName, PuppetError, Result, RoomAdmin, RoomId, RoomInvitationId, RoomInvitations,
    RoomPermission, async_trait,
};

use crate::{
    LONGEST_NAME, MatrixPuppet, PLATFORM, calls::levels::Levels, convert::text, directs::members as members_of,
    error::About, link::Link,
};

fn name(topic: &str) -> Result<&str> {
    if topic.len() <= LONGEST_NAME {
        return Ok(topic);
    }
    let reason = format!("it has {} bytes; the name of a room has {LONGEST_NAME} at most", topic.len());
    Err(PuppetError::Invalid { what: "topic", reason })
}

fn users(members: &[ContactId]) -> Result<Vec<&str>> {
    members.iter().map(crate::id::user).collect()
}

impl Link {
    /// Who is in a room and who is invited.
    async fn there(&self, room: &str) -> Result<Vec<String>> {
        Ok(members_of(&self.all_members(room).await?).map(|(user, _)| user.to_owned()).collect())
    }
}

#[async_trait]
impl RoomAdmin for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> Result<RoomId> {
        let link = self.link()?;
        let members = users(members)?;
        let invite: Vec<&str> = members.into_iter().filter(|user| **user != *link.me).collect();
        let mut request = json!({ "preset": "private_chat", "visibility": "private", "invite": invite });
        if let Some(topic) = topic.filter(|topic| !topic.is_empty()) {
            request["name"] = name(topic)?.into();
        }
        let about = About { context: "creating a room", what: "contact", id: "" };
        let made = link.v3(Method::POST, &["createRoom"], about).json(link.sdk.room_template(request)).send().await?;
        let room = text(&made, &["room_id"]).map(RoomId::from);
        room.ok_or_else(|| PuppetError::Protocol { context: "creating a room", detail: "it names no room".into() })
    }

    /// Everybody is invited: Matrix adds nobody without their consent.
    async fn add(&self, room: &RoomId, members: &[ContactId], _invite_only: bool) -> Result<()> {
        let (room, members) = (crate::id::room(room)?, users(members)?);
        let link = self.link()?;
        let there = link.there(room).await?;
        for user in members.into_iter().filter(|user| !there.iter().any(|known| known == user)) {
            let call =
                link.in_room(Method::POST, room, &["invite"], "inviting into a room").json(json!({ "user_id": user }));
            link.changed(room, call.send().await).await?;
        }
        Ok(())
    }

    async fn remove(&self, room: &RoomId, members: &[ContactId]) -> Result<()> {
        let (room, members) = (crate::id::room(room)?, users(members)?);
        let link = self.link()?;
        let there = link.there(room).await?;
        for user in members.into_iter().filter(|user| there.iter().any(|known| known == user)) {
            let call =
                link.in_room(Method::POST, room, &["kick"], "removing from a room").json(json!({ "user_id": user }));
            link.changed(room, call.send().await).await?;
        }
        Ok(())
    }

    async fn quit(&self, room: &RoomId) -> Result<()> {
        let room = crate::id::room(room)?;
        let link = self.link()?;
        link.state(room, "m.room.create", "").await?;
        let outcome = link.in_room(Method::POST, room, &["leave"], "leaving a room").json(json!({})).send().await;
        link.changed(room, outcome).await
    }

    async fn set_topic(&self, room: &RoomId, topic: &str) -> Result<()> {
        let room = crate::id::room(room)?;
        self.link()?.set_state(room, "m.room.name", "", json!({ "name": name(topic)? })).await
    }

    async fn announce(&self, room: &RoomId) -> Result<String> {
        let room = crate::id::room(room)?;
        let state = self.link()?.state(room, "m.room.topic", "").await?.unwrap_or(Value::Null);
        Ok(text(&state, &["topic"]).unwrap_or_default().to_owned())
    }

    async fn set_announce(&self, room: &RoomId, text: &str) -> Result<()> {
        let room = crate::id::room(room)?;
        self.link()?.set_state(room, "m.room.topic", "", json!({ "topic": text })).await
    }

    /// A link by which every client finds the room: by its alias, where it has one.
    async fn qr_code(&self, room: &RoomId) -> Result<String> {
        let room = crate::id::room(room)?;
        let link = self.link()?;
        let alias = link.state(room, "m.room.canonical_alias", "").await?;
        if let Some(alias) = alias.as_ref().and_then(|alias| text(alias, &["alias"])).filter(|alias| !alias.is_empty())
        {
            return Ok(crate::id::permalink(alias));
        }
        // An id alone says not where it is; our own homeserver knows.
        let via = link.me.split_once(':').map(|(_, server)| format!("?via={server}")).unwrap_or_default();
        link.state(room, "m.room.create", "").await?;
        Ok(format!("{}{via}", crate::id::permalink(room)))
    }

    async fn avatar(&self, room: &RoomId) -> Result<FileBox> {
        let id = crate::id::room(room)?;
        let link = self.link()?;
        let state = link.state(id, "m.room.avatar", "").await?.unwrap_or(Value::Null);
        match text(&state, &["url"]).filter(|uri| !uri.is_empty()) {
            Some(uri) => link.picture(uri, "avatar"),
            None => Err(PuppetError::not_found("avatar", room)),
        }
    }

    async fn set_avatar(&self, room: &RoomId, file: FileBox) -> Result<()> {
        let room = crate::id::room(room)?;
        let link = self.link()?;
        let uri = link.upload_picture(&file).await?;
        link.set_state(room, "m.room.avatar", "", json!({ "url": uri })).await
    }

    async fn set_admins(&self, room: &RoomId, members: &[ContactId], admin: bool) -> Result<()> {
        let (room, members) = (crate::id::room(room)?, users(members)?);
        let link = self.link()?;
        Levels::change(&link, room, |levels| members.iter().for_each(|user| levels.set_admin(user, admin))).await
    }

    async fn permission(&self, room: &RoomId) -> Result<RoomPermission> {
        let room = crate::id::room(room)?;
        Ok(Levels::load(&*self.link()?, room).await?.permission())
    }

    async fn set_permission(&self, room: &RoomId, permission: RoomPermission) -> Result<()> {
        let room = crate::id::room(room)?;
        if permission.invite_confirm.is_some() {
            return Err(PuppetError::Invalid {
                what: "permission",
                reason: "invitations are always confirmed by whom they invite".into(),
            });
        }
        let link = self.link()?;
        Levels::change(&link, room, |levels| levels.set_permission(&permission)).await
    }
}

#[async_trait]
impl RoomInvitations for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn accept(&self, id: &RoomInvitationId) -> Result<()> {
        let missing = || PuppetError::not_found("room invitation", id);
        let (room, _) = id.as_str().rsplit_once('~').ok_or_else(missing)?;
        crate::id::room(&room.into()).map_err(|_| missing())?;
        let link = self.link()?;
        let known = link.invites.lock().iter().find(|invite| invite.id == *id).cloned();
        // The inviter's homeserver knows the room.
        let via =
            known.as_ref().and_then(|invite| invite.inviter_id.as_str().split_once(':')).map(|(_, server)| server);
        link.join(room, via.as_slice()).await.map(drop)
    }
}
