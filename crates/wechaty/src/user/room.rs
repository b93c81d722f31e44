//! ROOM: a conversation of several.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use wechaty_puppet::{Capability, RoomPermission};
use wechaty_types::{ContactId, ConversationId, DirtyType, FileBox, MessageId, RoomId, RoomMemberPayload, RoomPayload};

use super::{Contact, Message, account::capability, contact::kept, contact_self::qr_text};
use crate::{Account, IntoSayable, QuotaLeft, Result, Say};

/// How many members name a room without a topic.
const NAMELESS_MEMBERS: usize = 3;

/// A conversation of several. Cheap to clone; clones share what is loaded.
///
/// Members are loaded when asked for, never before a message is delivered.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

struct Inner {
    account: Account,
    id: RoomId,
    payload: ArcSwapOption<RoomPayload>,
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Room").field(self.id()).field(&self.payload().map(|p| p.topic.clone())).finish()
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload() {
            Some(payload) if !payload.topic.is_empty() => write!(f, "Room<{}>", payload.topic),
            _ => write!(f, "Room<{}>", self.id()),
        }
    }
}

impl PartialEq for Room {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.account() == other.account()
    }
}

impl Eq for Room {}

impl Room {
    pub(crate) fn new(account: Account, id: RoomId, payload: Option<Arc<RoomPayload>>) -> Self {
        Self(Arc::new(Inner { account, id, payload: ArcSwapOption::new(payload) }))
    }

    /// Its id, unique within the account.
    pub fn id(&self) -> &RoomId {
        &self.0.id
    }
    /// The account it belongs to.
    pub fn account(&self) -> &Account {
        &self.0.account
    }
    /// Everything known, if it is loaded.
    pub fn payload(&self) -> Option<Arc<RoomPayload>> {
        self.0.payload.load_full()
    }
    /// Whether the payload is loaded.
    #[doc(alias = "isReady")]
    pub fn is_ready(&self) -> bool {
        self.0.payload.load().is_some()
    }

    /// Loads the payload, from the cache where it is fresh. Members are not loaded.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is no such room.
    pub async fn ready(&self) -> Result<()> {
        if self.is_ready() { Ok(()) } else { self.load().await }
    }
    async fn load(&self) -> Result<()> {
        let account = self.account();
        let load = async { account.loader(Capability::LoadRoom)?.room(self.id()).await };
        let payload = account.cache().room.get_or_load(account.index(), self.id(), load).await?;
        self.0.payload.store(Some(payload));
        Ok(())
    }

    /// Loads the payload from the platform, and forgets what is known about members.
    ///
    /// # Errors
    /// As [`ready`](Self::ready); the payload that was known stays known then.
    pub async fn sync(&self) -> Result<()> {
        self.account().forget_payload(DirtyType::Room, self.id().as_str()).await;
        self.load().await
    }
    /// After a change the platform acknowledged: loads the payload anew where it can be loaded. A failure is logged, as
    /// the change is done; false: the payload is the earlier one, or none.
    pub(super) async fn sync_after(&self, change: &'static str) -> bool {
        if !self.account().capabilities().has(Capability::LoadRoom) {
            return false;
        }
        let synced = self.sync().await;
        if let Err(error) = &synced {
            tracing::warn!(room = %self.id(), change, %error, "done, but the room could not be loaded again");
        }
        synced.is_ok()
    }

    /// The topic; of a room without one, the names of its first three members besides us.
    ///
    /// # Errors
    /// What the puppet says to the loading.
    pub async fn topic(&self) -> Result<String> {
        self.ready().await?;
        let Some(payload) = self.payload() else { return Ok(String::new()) };
        if !payload.topic.is_empty() {
            return Ok(payload.topic.clone());
        }
        let me = self.account().me();
        let others = payload.member_id_list.iter().filter(|id| Some(*id) != me.as_deref()).take(NAMELESS_MEMBERS);
        let others: Vec<ContactId> = others.cloned().collect();
        let others = self.account().load_contacts(&others).await;
        let names: Vec<String> = others.iter().map(Contact::name).filter(|name| !name.is_empty()).collect();
        Ok(names.join(","))
    }
    /// Renames the room. `topic`: plain text; limit in [`Limits::topic`](wechaty_puppet::Limits). Returns once the
    /// platform acknowledged and it was read back, not when members see it. As with every change of a room, a reload
    /// that fails is logged: the change is done, and the getters tell the earlier value until the next
    /// [`sync`](Self::sync).
    ///
    /// # Errors
    /// What the puppet says to the change; `Unsupported` where it cannot; `Invalid` if the platform took it but kept
    /// another.
    #[doc(alias = "topic")]
    pub async fn set_topic(&self, topic: &str) -> Result<()> {
        capability!(self.account(), rooms, RoomTopic)?.set_topic(self.id(), topic).await?;
        if !self.sync_after("topic").await {
            return Ok(());
        }
        kept("topic", Some(topic.to_owned()), self.payload().map(|payload| payload.topic.clone()))
    }
    /// The announcement; empty if there is none.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn announce(&self) -> Result<String> {
        Ok(capability!(self.account(), rooms, RoomAnnounce)?.announce(self.id()).await?)
    }
    /// Sets the announcement. Reads it back as [`set_topic`](Self::set_topic) does.
    ///
    /// # Errors
    /// As [`set_topic`](Self::set_topic).
    #[doc(alias = "announce")]
    pub async fn set_announce(&self, text: &str) -> Result<()> {
        let rooms = capability!(self.account(), rooms, RoomAnnounce)?;
        rooms.set_announce(self.id(), text).await?;
        match rooms.announce(self.id()).await {
            Ok(found) => kept("announcement", text.to_owned(), found),
            Err(error) => {
                tracing::warn!(room = %self.id(), %error, "announced, but it could not be read back");
                Ok(())
            }
        }
    }
    /// Text of the room's QR code.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "qrCode")]
    pub async fn qr_code(&self) -> Result<String> {
        qr_text(capability!(self.account(), rooms, RoomQrCode)?.qr_code(self.id()).await?)
    }
    /// The picture.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn avatar(&self) -> Result<FileBox> {
        Ok(capability!(self.account(), rooms, RoomAvatar)?.avatar(self.id()).await?)
    }
    /// Sets its picture.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn set_avatar(&self, file: FileBox) -> Result<()> {
        Ok(capability!(self.account(), rooms, RoomAvatar)?.set_avatar(self.id(), file).await?)
    }
    /// Public handle.
    pub fn handle(&self) -> Option<String> {
        self.payload()?.handle.clone()
    }
    /// Who owns it, if it is loaded and the platform tells.
    pub fn owner(&self) -> Option<Contact> {
        Some(self.account().contact_handle(self.payload()?.owner_id.as_ref()?))
    }
    /// Its administrators, as far as is known.
    #[doc(alias = "adminList")]
    pub fn admins(&self) -> Vec<Contact> {
        let Some(payload) = self.payload() else { return Vec::new() };
        payload.admin_id_list.iter().map(|id| self.account().contact_handle(id)).collect()
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn add(&self, contact: &Contact) -> Result<()> {
        self.add_all(std::slice::from_ref(contact), false).await
    }
    /// Adds several; `invite_only`: by invitation even where adding would work.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "addV2")]
    pub async fn add_all(&self, contacts: &[Contact], invite_only: bool) -> Result<()> {
        let rooms = capability!(self.account(), rooms, RoomAdd)?;
        rooms.add(self.id(), &ids(contacts), invite_only).await?;
        self.sync_after("add").await;
        Ok(())
    }
    /// Removes somebody.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "del")]
    pub async fn remove(&self, contact: &Contact) -> Result<()> {
        self.remove_all(std::slice::from_ref(contact)).await
    }
    /// Removes several.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "removeV2")]
    pub async fn remove_all(&self, contacts: &[Contact]) -> Result<()> {
        capability!(self.account(), rooms, RoomRemove)?.remove(self.id(), &ids(contacts)).await?;
        self.sync_after("remove").await;
        Ok(())
    }
    /// Leaves the room.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn quit(&self) -> Result<()> {
        capability!(self.account(), rooms, RoomQuit)?.quit(self.id()).await?;
        self.account().cache().forget(self.account().index(), DirtyType::Room, self.id().as_str());
        Ok(())
    }
    /// Hands the room over.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn transfer(&self, owner: &Contact) -> Result<()> {
        capability!(self.account(), rooms, RoomTransfer)?.transfer(self.id(), owner.id()).await?;
        self.sync_after("transfer").await;
        Ok(())
    }
    /// Closes the room for good.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn dismiss(&self) -> Result<()> {
        Ok(capability!(self.account(), rooms, RoomDismiss)?.dismiss(self.id()).await?)
    }
    /// Makes members administrators, or takes it back.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "addAdmins")]
    #[doc(alias = "delAdmins")]
    pub async fn set_admins(&self, contacts: &[Contact], admin: bool) -> Result<()> {
        capability!(self.account(), rooms, RoomAdmins)?.set_admins(self.id(), &ids(contacts), admin).await?;
        self.sync_after("admins").await;
        Ok(())
    }
    /// What members may do.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn permission(&self) -> Result<RoomPermission> {
        Ok(capability!(self.account(), rooms, RoomPermission)?.permission(self.id()).await?)
    }
    /// Changes what members may do.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "permission")]
    pub async fn set_permission(&self, permission: RoomPermission) -> Result<()> {
        Ok(capability!(self.account(), rooms, RoomPermission)?.set_permission(self.id(), permission).await?)
    }

    /// Ids of the members: from the payload, else from the directory.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "memberAll")]
    pub async fn member_ids(&self) -> Result<Vec<ContactId>> {
        if self.account().capabilities().has(Capability::RoomMemberList) {
            return Ok(self.account().directory(Capability::RoomMemberList)?.room_members(self.id()).await?);
        }
        self.ready().await?;
        Ok(self.payload().map(|payload| payload.member_id_list.clone()).unwrap_or_default())
    }
    /// Whether somebody is a member.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "has")]
    pub async fn contains(&self, contact: &Contact) -> Result<bool> {
        Ok(self.member_ids().await?.contains(contact.id()))
    }
    /// What is known of a member of this room, as the cache or the platform has it.
    ///
    /// # Errors
    /// [`PuppetError::Unsupported`](wechaty_puppet::PuppetError::Unsupported) without `LoadRoomMember`; `NotFound` for who is no member.
    pub async fn member_payload(&self, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let account = self.account();
        let key = (self.id().clone(), contact.clone());
        let load = async { account.loader(Capability::LoadRoomMember)?.room_member(&key.0, &key.1).await };
        Ok(account.cache().room_member.get_or_load(account.index(), &key, load).await?)
    }
    /// A member's name in this room.
    ///
    /// # Errors
    /// What the puppet says.
    pub async fn alias(&self, contact: &Contact) -> Result<Option<String>> {
        let payload = self.member_payload(contact.id()).await?;
        Ok(payload.room_alias.clone().filter(|alias| !alias.is_empty()))
    }
    /// How somebody is called where it is mentioned here: room alias, else name.
    pub(crate) async fn mention_name(&self, contact: &Contact) -> String {
        let alias = if self.account().capabilities().has(Capability::LoadRoomMember) {
            self.alias(contact).await.ok().flatten()
        } else {
            None
        };
        match alias {
            Some(alias) => alias,
            None => {
                let _ = contact.ready().await;
                contact.mention_name()
            }
        }
    }

    /// Whether we have read everything.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "readMark")]
    pub async fn is_read(&self) -> Result<bool> {
        Ok(capability!(self.account(), read_marks, ReadMark)?.is_read(&self.conversation_id()).await?)
    }
    /// The messages pinned in the conversation, newest pin first; those that can be loaded.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn pinned(&self) -> Result<Vec<Message>> {
        self.account().pinned(&self.conversation_id()).await
    }
    /// Marks the conversation read or unread.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "readMark")]
    pub async fn set_read(&self, read: bool) -> Result<()> {
        Ok(capability!(self.account(), read_marks, ReadMark)?.set_read(&self.conversation_id(), read).await?)
    }

    /// The conversation.
    pub fn conversation_id(&self) -> ConversationId {
        ConversationId::Room(self.id().clone())
    }
    /// What the platform's quotas leave of this conversation now, and when it takes sends again. A send over quota is not tried:
    /// it waits (its receipt is [`Held`](crate::ReceiptState::Held)), and so does what is said behind it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quota(&self) -> Result<QuotaLeft> {
        self.account().quota_left(&self.conversation_id()).await
    }
    /// Says something here.
    pub fn say(&self, what: impl IntoSayable) -> Say {
        self.say_because(what, None)
    }
    /// Says something here and mentions people by the names they have in this room.
    #[doc(alias = "say")]
    pub fn say_to(&self, what: impl IntoSayable, contacts: &[Contact]) -> Say {
        self.say(what).mention(contacts)
    }
    pub(crate) fn say_because(&self, what: impl IntoSayable, cause: Option<MessageId>) -> Say {
        Say::new(self.account().clone(), self.conversation_id(), what.into_sayable(), cause)
    }
}

fn ids(contacts: &[Contact]) -> Vec<ContactId> {
    contacts.iter().map(|contact| contact.id().clone()).collect()
}
