//! LOADING: who and what there is, as the homeserver tells.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use wechaty_puppet::{
    ContactId, ContactPayload, Directory, Loader, MessageId, MessagePayload, PlatformName, PuppetError, Result, RoomId,
    RoomInvitationId, RoomInvitationPayload, RoomMemberPayload, RoomPayload, async_trait,
};

use crate::{
    MatrixPuppet, PLATFORM,
    calls::levels::Levels,
    convert::{self, Place, text},
    directs::members,
    link::{Link, contact},
};

/// Rooms that are asked at a time.
const AT_ONCE: usize = 4;
/// Contacts that are listed.
const CONTACTS: usize = 100_000;

impl Link {
    /// A room in which the account is, or was.
    pub(crate) async fn room_payload(&self, room: &str) -> Result<RoomPayload> {
        let levels = Levels::load(self, room).await?;
        let (name, avatar, alias, there) = tokio::try_join!(
            self.state(room, "m.room.name", ""),
            self.state(room, "m.room.avatar", ""),
            self.state(room, "m.room.canonical_alias", ""),
            self.all_members(room),
        )?;
        let told = |state: &Option<Value>, key: &str| {
            let told = state.as_ref().and_then(|state| text(state, &[key]));
            told.filter(|told| !told.is_empty()).map(str::to_owned)
        };
        let handle = told(&alias, "alias");
        let topic = told(&name, "name").or_else(|| handle.clone()).unwrap_or_default();
        // Nobody can be added without their consent: who is invited counts as a member.
        let members: Vec<ContactId> = members(&there).map(|(user, _)| user.into()).collect();
        let mut payload = RoomPayload::new(room, topic, members);
        payload.admin_id_list = levels.admins().into_iter().filter(|id| payload.member_id_list.contains(id)).collect();
        payload.owner_id = levels.owner();
        payload.avatar = told(&avatar, "url");
        payload.handle = handle;
        Ok(payload)
    }

    /// The ids of the members of a room.
    async fn member_ids(&self, room: &str) -> Result<Vec<ContactId>> {
        Ok(members(&self.all_members(room).await?).map(|(user, _)| user.into()).collect())
    }

    /// A message and where it is.
    pub(crate) async fn message(&self, id: &MessageId) -> Result<MessagePayload> {
        let (room, event) = self.event(id).await?;
        let peer = self.peer(&room).await?;
        let place = Place { room: &room, peer: peer.as_deref(), me: &self.me };
        convert::message(&event, &place).ok_or_else(|| PuppetError::not_found("message", id))
    }
}

#[async_trait]
impl Loader for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        let user = crate::id::user(id)?;
        let link = self.link()?;
        let mut contact = link.profile(user).await?;
        contact.friend = Some(link.directs.all().iter().any(|(person, _)| person == user));
        Ok(Arc::new(contact))
    }

    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        let room = crate::id::room(id)?;
        Ok(Arc::new(self.link()?.room_payload(room).await?))
    }

    async fn room_member(&self, room: &RoomId, contact_id: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let (room, user) = (crate::id::room(room)?, crate::id::user(contact_id)?);
        let link = self.link()?;
        let state = link.state(room, "m.room.member", user).await?;
        let state = state.filter(|state| matches!(text(state, &["membership"]), Some("join" | "invite")));
        let state = state.ok_or_else(|| PuppetError::not_found("room member", user))?;
        let here = contact(user, &state);
        Ok(Arc::new(RoomMemberPayload {
            id: contact_id.clone(),
            name: here.name.clone(),
            avatar: here.avatar,
            // A name of its own here is one that differs from that of the profile.
            room_alias: match link.profile(user).await {
                Ok(profile) => Some(here.name).filter(|name| *name != profile.name),
                Err(PuppetError::NotFound { .. }) => None,
                Err(error) => return Err(error),
            },
            inviter_id: None,
        }))
    }

    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        crate::id::event(id)?;
        Ok(Arc::new(self.link()?.message(id).await?))
    }

    async fn room_invitation(&self, id: &RoomInvitationId) -> Result<Arc<RoomInvitationPayload>> {
        let link = self.link()?;
        let known = link.invites.lock().iter().find(|invite| invite.id == *id).cloned();
        known.ok_or_else(|| PuppetError::not_found("room invitation", id))
    }
}

#[async_trait]
impl Directory for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Everybody with whom there is a conversation, and everybody in the same rooms.
    async fn contacts(&self) -> Result<Vec<ContactId>> {
        let link = self.link()?;
        let mut contacts: BTreeSet<ContactId> =
            link.directs.all().into_iter().map(|(user, _)| ContactId::from(user)).collect();
        let (rooms, of) = (link.joined().await?, &*link);
        let lists = stream::iter(rooms).map(|room| async move { of.member_ids(&room).await }).buffer_unordered(AT_ONCE);
        let mut lists = std::pin::pin!(lists);
        while let Some(list) = lists.try_next().await? {
            contacts.extend(list);
            if contacts.len() >= CONTACTS {
                break;
            }
        }
        contacts.remove(&*link.me);
        Ok(contacts.into_iter().collect())
    }

    async fn rooms(&self) -> Result<Vec<RoomId>> {
        let link = self.link()?;
        let mut rooms = Vec::new();
        for room in link.joined().await? {
            if link.peer(&room).await?.is_none() {
                rooms.push(room.into());
            }
        }
        Ok(rooms)
    }

    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let room = crate::id::room(room)?;
        self.link()?.member_ids(room).await
    }
}
