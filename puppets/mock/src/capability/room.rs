//! RoomAdmin and RoomInvitations: each change is kept and makes the room and its members dirty.

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, FileBox, PlatformName, PuppetError, Result, RoomAdmin, RoomId, RoomInvitationId,
    RoomInvitations, RoomJoinEvent, RoomPayload, RoomPermission,
};

use super::contact::avatar_of;
use crate::{
    MockPuppet, PLATFORM,
    change::dirty_room,
    puppet::Live,
    state::{Room, State},
};

impl MockPuppet {
    fn edit_room(
        &self,
        capability: Capability,
        id: &RoomId,
        people: &[ContactId],
        edit: impl FnOnce(&mut Room, &ContactId) -> Result<()>,
    ) -> Result<()> {
        self.change(capability, |live| {
            live.state.contacts_exist(people)?;
            let me = live.state.me().clone();
            edit(live.state.our_room_mut(id)?, &me)?;
            live.waiting.extend(dirty_room(id));
            Ok(())
        })
    }

    fn room_is_ours(&self, capability: Capability, id: &RoomId) -> Result<()> {
        self.read(capability, |state| state.our_room(id).map(|_| ()))
    }
}

fn found(live: &mut Live, mut payload: RoomPayload) -> RoomId {
    let id = loop {
        let id = RoomId::new(format!("room-{}@mock", live.number()));
        if live.state.room(&id).is_err() {
            break id;
        }
    };
    payload.id = id.clone();
    live.state.found_room(payload, format!("https://example.invalid/qr/{id}"));
    live.waiting.extend(dirty_room(&id));
    id
}

/// Us first, nobody twice.
fn with_us(state: &State, members: &[ContactId]) -> Vec<ContactId> {
    let mut all = vec![state.me().clone()];
    for member in members {
        if !all.contains(member) {
            all.push(member.clone());
        }
    }
    all
}

fn not_members(room: &Room, members: &[ContactId]) -> Result<()> {
    match members.iter().find(|member| !room.has(member)) {
        Some(stranger) => Err(PuppetError::not_found("room member", stranger)),
        None => Ok(()),
    }
}

#[async_trait]
impl RoomAdmin for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> Result<RoomId> {
        self.change(Capability::RoomCreate, |live| {
            live.state.contacts_exist(members)?;
            let mut payload = RoomPayload::new("", topic.unwrap_or_default(), with_us(&live.state, members));
            payload.owner_id = Some(live.state.me().clone());
            Ok(found(live, payload))
        })
    }

    /// With `invite_only` people are invited and nobody is in the room yet: nothing changes.
    async fn add(&self, room: &RoomId, members: &[ContactId], invite_only: bool) -> Result<()> {
        if invite_only {
            self.read(Capability::RoomAdd, |state| state.contacts_exist(members))?;
            return self.room_is_ours(Capability::RoomAdd, room);
        }
        self.edit_room(Capability::RoomAdd, room, members, |room, me| {
            room.join(members, Some(me), me);
            Ok(())
        })
    }

    async fn remove(&self, room: &RoomId, members: &[ContactId]) -> Result<()> {
        self.edit_room(Capability::RoomRemove, room, members, |room, me| {
            not_members(room, members)?;
            room.leave(members, me);
            Ok(())
        })
    }

    async fn quit(&self, room: &RoomId) -> Result<()> {
        self.edit_room(Capability::RoomQuit, room, &[], |room, me| {
            room.leave(std::slice::from_ref(me), me);
            room.listed = false;
            Ok(())
        })
    }

    async fn set_topic(&self, room: &RoomId, topic: &str) -> Result<()> {
        self.edit_room(Capability::RoomTopic, room, &[], |room, _| {
            room.payload_mut().topic = topic.to_owned();
            Ok(())
        })
    }

    async fn announce(&self, room: &RoomId) -> Result<String> {
        self.read(Capability::RoomAnnounce, |state| Ok(state.room(room)?.world.announce.clone()))
    }

    async fn set_announce(&self, room: &RoomId, text: &str) -> Result<()> {
        self.edit_room(Capability::RoomAnnounce, room, &[], |room, _| {
            room.world.announce = text.to_owned();
            Ok(())
        })
    }

    async fn qr_code(&self, room: &RoomId) -> Result<String> {
        self.read(Capability::RoomQrCode, |state| Ok(state.room(room)?.world.qrcode.clone()))
    }

    async fn avatar(&self, room: &RoomId) -> Result<FileBox> {
        self.read(Capability::RoomAvatar, |state| state.room(room).map(|_| avatar_of(room)))
    }

    async fn transfer(&self, room: &RoomId, owner: &ContactId) -> Result<()> {
        let people = std::slice::from_ref(owner);
        self.edit_room(Capability::RoomTransfer, room, people, |room, _| {
            not_members(room, people)?;
            room.payload_mut().owner_id = Some(owner.clone());
            Ok(())
        })
    }

    /// It is no more, for anybody.
    async fn dismiss(&self, room: &RoomId) -> Result<()> {
        self.change(Capability::RoomDismiss, |live| {
            live.state.our_room(room)?;
            live.state.close_room(room);
            live.waiting.extend(dirty_room(room));
            Ok(())
        })
    }

    async fn set_admins(&self, room: &RoomId, members: &[ContactId], admin: bool) -> Result<()> {
        self.edit_room(Capability::RoomAdmins, room, members, |room, _| {
            not_members(room, members)?;
            let admins = &mut room.payload_mut().admin_id_list;
            admins.retain(|present| !members.contains(present));
            if admin {
                admins.extend_from_slice(members);
            }
            Ok(())
        })
    }

    async fn permission(&self, room: &RoomId) -> Result<RoomPermission> {
        self.read(Capability::RoomPermission, |state| Ok(state.room(room)?.permission.clone()))
    }

    async fn set_permission(&self, room: &RoomId, permission: RoomPermission) -> Result<()> {
        self.edit_room(Capability::RoomPermission, room, &[], |room, _| {
            let now = &mut room.permission;
            now.invite_confirm = permission.invite_confirm.or(now.invite_confirm);
            now.admin_only_manage = permission.admin_only_manage.or(now.admin_only_manage);
            now.admin_only_at_all = permission.admin_only_at_all.or(now.admin_only_at_all);
            now.mute_all = permission.mute_all.or(now.mute_all);
            now.forbid_topic_edit = permission.forbid_topic_edit.or(now.forbid_topic_edit);
            Ok(())
        })
    }
}

#[async_trait]
impl RoomInvitations for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// We are in a new room with the invitation's topic and members, and a room-join event says so; accepting twice changes nothing.
    async fn accept(&self, id: &RoomInvitationId) -> Result<()> {
        self.change(Capability::RoomInvitationAccept, |live| {
            let invitation = live.state.invitation(id)?.clone();
            if !live.state.accepted.insert(id.clone()) {
                return Ok(());
            }
            let members = with_us(&live.state, &invitation.member_id_list);
            let mut payload = RoomPayload::new("", invitation.topic.clone(), members);
            payload.avatar = Some(invitation.avatar.clone()).filter(|avatar| !avatar.is_empty());
            let room = found(live, payload);
            let me = live.state.me().clone();
            live.state.room_mut(&room)?.inviters.insert(me.clone(), invitation.inviter_id.clone());
            let join = RoomJoinEvent {
                invitee_id_list: vec![me],
                inviter_id: Some(invitation.inviter_id.clone()),
                room_id: room,
                timestamp: live.now(),
            };
            live.waiting.push_back(join.into());
            Ok(())
        })
    }
}
