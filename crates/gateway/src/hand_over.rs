//! HAND-OVER: the plugin by which a bot gives the events of each account to its feed; each is handled when the client has it.

use std::{collections::HashMap, sync::Arc};

use wechaty::{
    Account, Bot, EventId, Redelivered,
    plugin::{Plugin, PluginContext, PluginMeta},
    types::{
        AccountId, ContactId, DirtyEvent, DongEvent, ErrorEvent, EventPayload, FriendshipEvent, HeartbeatEvent,
        LoginEvent, LogoutEvent, MessageEvent, PostEvent, ReadyEvent, RoomAnnounceEvent, RoomInviteEvent,
        RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent, ScanEvent,
    },
    user::{
        Contact, Dirty, Dong, ErrorReport, Friendship, Heartbeat, Login, Logout, Message, Post, Ready, RoomAnnounce,
        RoomInvitation, RoomJoin, RoomLeave, RoomTopic, Scan,
    },
};

use crate::feed::Feed;

/// The feed of each account.
pub(crate) struct HandOver(pub(crate) Arc<HashMap<AccountId, Arc<Feed>>>);

/// Adds the handler of one kind of event.
macro_rules! give {
    ($this:expr, $cx:ident: $($on:ident $type:ty = $event:expr;)*) => {$({
        let feeds = $this.0.clone();
        let event: fn($type) -> Option<EventPayload> = $event;
        $cx.$on(move |what: $type, bot: Bot, account: Account, id: Option<EventId>, redelivered: Redelivered| {
            deliver(feeds.get(account.id()).cloned(), event(what), bot, id, redelivered)
        })
        .named(concat!("gateway/", stringify!($on)))
        .relays();
    })*};
}

async fn deliver(
    feed: Option<Arc<Feed>>,
    event: Option<EventPayload>,
    bot: Bot,
    id: Option<EventId>,
    redelivered: Redelivered,
) {
    if let Some((feed, event)) = feed.zip(event) {
        feed.deliver(&bot, event, None, id, redelivered.0).await;
    }
}

impl Plugin for HandOver {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("gateway")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        give! { self, cx:
            on_scan Scan = |e| Some(ScanEvent { status: e.status, qrcode: e.qr_code, data: e.data }.into());
            on_login Login = |e| Some(LoginEvent { contact_id: e.contact.id().clone() }.into());
            on_logout Logout = |e| Some(LogoutEvent { contact_id: e.contact.id().clone(), data: e.reason }.into());
            on_ready Ready = |e| Some(ReadyEvent { data: e.data }.into());
            on_post Post = |e| Some(PostEvent { post_id: e.id()?.clone() }.into());
            on_friendship Friendship = |e| Some(FriendshipEvent { friendship_id: e.id().clone() }.into());
            on_room_invite RoomInvitation = |e| Some(RoomInviteEvent { room_invitation_id: e.id().clone() }.into());
            on_room_join RoomJoin = |e| Some(RoomJoinEvent {
                invitee_id_list: ids(&e.invitees),
                inviter_id: id(e.inviter.as_ref()),
                room_id: e.room.id().clone(),
                timestamp: e.timestamp,
            }.into());
            on_room_leave RoomLeave = |e| Some(RoomLeaveEvent {
                removee_id_list: ids(&e.leavers),
                remover_id: id(e.remover.as_ref()),
                room_id: e.room.id().clone(),
                timestamp: e.timestamp,
            }.into());
            on_room_topic RoomTopic = |e| Some(RoomTopicEvent {
                changer_id: id(e.changer.as_ref()),
                new_topic: e.topic,
                old_topic: e.old_topic,
                room_id: e.room.id().clone(),
                timestamp: e.timestamp,
            }.into());
            on_room_announce RoomAnnounce = |e| Some(RoomAnnounceEvent {
                changer_id: id(e.changer.as_ref()),
                new_announce: e.announce,
                old_announce: e.old_announce,
                room_id: e.room.id().clone(),
                timestamp: e.timestamp,
            }.into());
            on_dirty Dirty = |e| Some(DirtyEvent { payload_type: e.kind, payload_id: e.id }.into());
            on_dong Dong = |e| Some(DongEvent { data: e.data }.into());
            on_heartbeat Heartbeat = |e| Some(HeartbeatEvent { data: e.data }.into());
            on_error ErrorReport = |e| Some(ErrorEvent { gerror: None, data: Some(e.to_string()) }.into());
        }
        let feeds = self.0.clone();
        cx.on_message(
            move |message: Message, bot: Bot, account: Account, id: Option<EventId>, redelivered: Redelivered| {
                let feed = feeds.get(account.id()).cloned();
                async move {
                    let event = MessageEvent { message_id: message.id().clone() }.into();
                    if let Some(feed) = feed {
                        feed.deliver(&bot, event, Some(message.payload().clone()), id, redelivered.0).await;
                    }
                }
            },
        )
        .named("gateway/on_message");
        Ok(())
    }
}

fn ids(contacts: &[Contact]) -> Vec<ContactId> {
    contacts.iter().map(|contact| contact.id().clone()).collect()
}

fn id(contact: Option<&Contact>) -> Option<ContactId> {
    contact.map(|contact| contact.id().clone())
}
