//! Rooms and their administration.

use wechaty_grpc::{file, pb};
use wechaty_puppet::{
    Capability, ContactId, FileBox, PlatformName, PuppetError, Result, RoomAdmin, RoomId, async_trait,
};

use super::call;
use crate::{
    PLATFORM, ServicePuppet,
    link::{asked, wire},
};

#[async_trait]
impl RoomAdmin for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> Result<RoomId> {
        let asked = asked(Capability::RoomCreate, "creating a room", "member", "");
        self.link(asked)?.ready()?;
        let contact_ids = members.iter().map(ToString::to_string).collect();
        let request = pb::RoomCreateRequest { contact_ids, topic: topic.unwrap_or_default().to_owned() };
        let answer = self.ask(asked, call!(room_create(request))).await?;
        let nothing = || PuppetError::Protocol { context: asked.context, detail: "the new room has no id".to_owned() };
        RoomId::non_empty(answer.id).ok_or_else(nothing)
    }

    /// One call each: published gateways know no lists.
    async fn add(&self, room: &RoomId, members: &[ContactId], invite_only: bool) -> Result<()> {
        let asked = asked(Capability::RoomAdd, "adding members", "room or contact", room.as_str());
        for member in members {
            let request = pb::RoomAddRequest {
                id: room.to_string(),
                contact_id: member.to_string(),
                invite_only,
                ..Default::default()
            };
            self.change(asked, call!(room_add(request))).await?;
        }
        Ok(())
    }

    async fn remove(&self, room: &RoomId, members: &[ContactId]) -> Result<()> {
        let asked = asked(Capability::RoomRemove, "removing members", "room or contact", room.as_str());
        for member in members {
            let request =
                pb::RoomDelRequest { id: room.to_string(), contact_id: member.to_string(), ..Default::default() };
            self.change(asked, call!(room_del(request))).await?;
        }
        Ok(())
    }

    async fn quit(&self, room: &RoomId) -> Result<()> {
        let asked = asked(Capability::RoomQuit, "leaving a room", "room", room.as_str());
        self.change(asked, call!(room_quit(pb::RoomQuitRequest { id: room.to_string() }))).await
    }

    async fn set_topic(&self, room: &RoomId, topic: &str) -> Result<()> {
        let asked = asked(Capability::RoomTopic, "changing a topic", "room", room.as_str());
        self.change(asked, call!(room_topic(pb::RoomTopicRequest::set(room.as_str(), topic)))).await
    }

    async fn announce(&self, room: &RoomId) -> Result<String> {
        let asked = asked(Capability::RoomAnnounce, "loading an announcement", "room", room.as_str());
        let answer = self.ask(asked, call!(room_announce(pb::RoomAnnounceRequest::get(room.as_str())))).await?;
        Ok(answer.value().to_owned())
    }

    async fn set_announce(&self, room: &RoomId, text: &str) -> Result<()> {
        let asked = asked(Capability::RoomAnnounce, "changing an announcement", "room", room.as_str());
        self.change(asked, call!(room_announce(pb::RoomAnnounceRequest::set(room.as_str(), text)))).await
    }

    async fn qr_code(&self, room: &RoomId) -> Result<String> {
        let asked = asked(Capability::RoomQrCode, "loading a room's QR code", "room", room.as_str());
        Ok(self.ask(asked, call!(room_qr_code(pb::RoomQrCodeRequest { id: room.to_string() }))).await?.qrcode)
    }

    async fn avatar(&self, room: &RoomId) -> Result<FileBox> {
        let asked = asked(Capability::RoomAvatar, "loading a room's avatar", "room", room.as_str());
        let answer = self.ask(asked, call!(room_avatar(pb::RoomAvatarRequest { id: room.to_string() }))).await?;
        Ok(self.near(file::read(&answer.file_box).map_err(wire(asked))?))
    }
}
