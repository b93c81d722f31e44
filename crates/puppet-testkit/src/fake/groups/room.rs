//! Rooms as the bot administers them. Its own changes come back as events, as on most platforms.

use async_trait::async_trait;
use parking_lot::MutexGuard;
use wechaty_puppet::{
    Capability, ContactId, FileBox, PuppetError, Result, RoomAdmin, RoomId, RoomInvitationId, RoomInvitations,
    RoomPermission,
};

use super::{blank_picture, of_the_fake};
use crate::fake::{
    FakePuppet,
    room::RoomState,
    world::{Waiting, World},
};

impl FakePuppet {
    /// [`FakePuppet::call`] about a room this account is in.
    fn about(&self, what: Capability, room: &RoomId, detail: impl FnOnce() -> String) -> Result<MutexGuard<'_, World>> {
        let world = self.call(what, || format!("{room}: {}", detail()))?;
        self.my_room(&world, room)?;
        Ok(world)
    }
}

fn known(world: &World, contacts: &[ContactId]) -> Result<()> {
    match contacts.iter().find(|id| !world.people.contains_key(*id)) {
        Some(stranger) => Err(PuppetError::not_found("contact", stranger)),
        None => Ok(()),
    }
}

fn members(room: &RoomState, contacts: &[ContactId]) -> Result<()> {
    match contacts.iter().find(|id| !room.has(id)) {
        Some(stranger) => Err(PuppetError::not_found("room member", stranger)),
        None => Ok(()),
    }
}

fn state<'a>(world: &'a mut World, room: &RoomId) -> Result<&'a mut RoomState> {
    world.rooms.get_mut(room).ok_or_else(|| PuppetError::not_found("room", room))
}

#[async_trait]
impl RoomAdmin for FakePuppet {
    of_the_fake!();

    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> Result<RoomId> {
        let mut world = self.call(Capability::RoomCreate, || format!("{topic:?} {members:?}"))?;
        known(&world, members)?;
        let bot = world.bot(self.account).clone();
        Ok(world.new_room(topic.unwrap_or_default(), &bot, members))
    }

    async fn add(&self, room: &RoomId, members: &[ContactId], invite_only: bool) -> Result<()> {
        let mut world = self.about(Capability::RoomAdd, room, || format!("{members:?} invite_only={invite_only}"))?;
        known(&world, members)?;
        if !invite_only {
            let bot = world.bot(self.account).clone();
            world.join(room, members, Some(bot), &mut Waiting::nobody());
        }
        Ok(())
    }

    async fn remove(&self, room: &RoomId, who: &[ContactId]) -> Result<()> {
        let mut world = self.about(Capability::RoomRemove, room, || format!("{who:?}"))?;
        members(self.my_room(&world, room)?, who)?;
        let bot = world.bot(self.account).clone();
        world.leave(room, who, Some(bot), &mut Waiting::nobody());
        Ok(())
    }

    async fn quit(&self, room: &RoomId) -> Result<()> {
        let mut world = self.about(Capability::RoomQuit, room, String::new)?;
        let bot = world.bot(self.account).clone();
        world.leave(room, &[bot], None, &mut Waiting::nobody());
        Ok(())
    }

    async fn set_topic(&self, room: &RoomId, topic: &str) -> Result<()> {
        let mut world = self.about(Capability::RoomTopic, room, || topic.to_owned())?;
        let limits = &world.rules.capabilities.limits;
        let length = limits.text_unit.len(topic);
        if limits.topic.is_some_and(|most| length > most) {
            return Err(PuppetError::Invalid { what: "topic", reason: format!("{length} is too long") });
        }
        let bot = world.bot(self.account).clone();
        world.set_topic(room, topic, &bot, &mut Waiting::nobody());
        Ok(())
    }

    async fn announce(&self, room: &RoomId) -> Result<String> {
        let mut world = self.about(Capability::RoomAnnounce, room, String::new)?;
        Ok(state(&mut world, room)?.announcement.clone())
    }

    async fn set_announce(&self, room: &RoomId, text: &str) -> Result<()> {
        let mut world = self.about(Capability::RoomAnnounce, room, || text.to_owned())?;
        let bot = world.bot(self.account).clone();
        world.set_announcement(room, text, &bot, &mut Waiting::nobody());
        Ok(())
    }

    async fn qr_code(&self, room: &RoomId) -> Result<String> {
        let _world = self.about(Capability::RoomQrCode, room, String::new)?;
        Ok(format!("https://fake.invalid/qr/{room}"))
    }

    async fn avatar(&self, room: &RoomId) -> Result<FileBox> {
        let mut world = self.about(Capability::RoomAvatar, room, String::new)?;
        Ok(state(&mut world, room)?.avatar.clone().unwrap_or_else(blank_picture))
    }

    async fn transfer(&self, room: &RoomId, owner: &ContactId) -> Result<()> {
        let mut world = self.about(Capability::RoomTransfer, room, || owner.to_string())?;
        let room = state(&mut world, room)?;
        members(room, std::slice::from_ref(owner))?;
        room.owner = owner.clone();
        Ok(())
    }

    async fn dismiss(&self, room: &RoomId) -> Result<()> {
        let mut world = self.about(Capability::RoomDismiss, room, String::new)?;
        world.rooms.remove(room);
        Ok(())
    }

    async fn set_admins(&self, room: &RoomId, who: &[ContactId], admin: bool) -> Result<()> {
        let mut world = self.about(Capability::RoomAdmins, room, || format!("{who:?} {admin}"))?;
        let room = state(&mut world, room)?;
        members(room, who)?;
        room.admins.retain(|known| !who.contains(known));
        if admin {
            room.admins.extend_from_slice(who);
        }
        Ok(())
    }

    async fn permission(&self, room: &RoomId) -> Result<RoomPermission> {
        let mut world = self.about(Capability::RoomPermission, room, String::new)?;
        Ok(state(&mut world, room)?.permission.clone())
    }

    async fn set_permission(&self, room: &RoomId, permission: RoomPermission) -> Result<()> {
        let mut world = self.about(Capability::RoomPermission, room, || format!("{permission:?}"))?;
        let now = &mut state(&mut world, room)?.permission;
        now.invite_confirm = permission.invite_confirm.or(now.invite_confirm);
        now.admin_only_manage = permission.admin_only_manage.or(now.admin_only_manage);
        now.admin_only_at_all = permission.admin_only_at_all.or(now.admin_only_at_all);
        now.mute_all = permission.mute_all.or(now.mute_all);
        now.forbid_topic_edit = permission.forbid_topic_edit.or(now.forbid_topic_edit);
        Ok(())
    }
}

#[async_trait]
impl RoomInvitations for FakePuppet {
    of_the_fake!();

    async fn accept(&self, id: &RoomInvitationId) -> Result<()> {
        let mut world = self.call(Capability::RoomInvitationAccept, || id.to_string())?;
        let invitation = world.invitations.get(id).filter(|state| state.account == self.account);
        let invitation = invitation.ok_or_else(|| PuppetError::not_found("room invitation", id))?;
        let (room, inviter) = (invitation.room.clone(), invitation.payload.inviter_id.clone());
        let bot = world.bot(self.account).clone();
        world.join(&room, &[bot], Some(inviter), &mut Waiting::nobody());
        Ok(())
    }
}
