//! TAP: the plugin that logs what happens, and gives it to the webhooks; an observer of each kind of event.

use std::sync::Arc;

use wechaty::{
    Account, Bot,
    plugin::{Plugin, PluginContext, PluginMeta},
    user::{
        Action, BotStop, Dirty, Dong, ErrorReport, Friendship, Login, Logout, Message, MessageEdit, MessageRecall,
        MessageStatus, Post, Reaction, Ready, Reply, Reset, RoomAnnounce, RoomInvitation, RoomJoin, RoomLeave,
        RoomTopic, Scan, VerifyCode,
    },
};

use super::{EventLog, render::Told};
use crate::webhook::Webhooks;

pub(crate) struct Tap {
    pub(crate) log: Arc<EventLog>,
    pub(crate) webhooks: Webhooks,
}

/// Adds the observer of one kind of event.
macro_rules! observe {
    ($this:expr, $cx:ident: $($type:ty = $name:literal,)*) => {$({
        let (log, webhooks) = ($this.log.clone(), $this.webhooks.clone());
        $cx.observe(move |what: $type, bot: Bot, account: Account| {
            let (log, webhooks) = (log.clone(), webhooks.clone());
            // Boxed: what is done is the same for all kinds.
            let told: Box<dyn Told + Send + Sync> = Box::new(what);
            tap(log, webhooks, told, bot, account)
        })
        .named(concat!("events/", $name))
        .relays();
    })*};
}

/// Logs an event, tells the webhooks of it, and waits until it is in the store.
async fn tap(
    log: Arc<EventLog>,
    webhooks: Webhooks,
    what: Box<dyn Told + Send + Sync>,
    bot: Bot,
    account: Account,
) -> wechaty::Result<()> {
    let happened = what.told(account.id());
    let entry = log.append(&bot, &happened).await;
    // In the lane: what is said to a webhook has the order of the conversation.
    webhooks.tell(&bot, &happened, &entry).await?;
    log.stored(&bot, entry.id).await;
    Ok(())
}

impl Plugin for Tap {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("events")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        observe! { self, cx:
            Scan = "scan",
            VerifyCode = "verify-code",
            Login = "login",
            Logout = "logout",
            Ready = "ready",
            Message = "message",
            Post = "post",
            Friendship = "friendship",
            RoomInvitation = "room-invite",
            RoomJoin = "room-join",
            RoomLeave = "room-leave",
            RoomTopic = "room-topic",
            RoomAnnounce = "room-announce",
            Action = "action",
            MessageEdit = "message-edit",
            MessageRecall = "message-recall",
            Reaction = "reaction",
            MessageStatus = "message-status",
            Dirty = "dirty",
            Dong = "dong",
            Reset = "reset",
            ErrorReport = "error",
        }
        self.webhooks.connect(cx.bot());
        let webhooks = self.webhooks.clone();
        cx.on_reply(move |reply: Reply, bot: Bot| {
            let webhooks = webhooks.clone();
            async move { webhooks.answered(&bot, reply).await }
        })
        .named("events/reply");
        let log = self.log.clone();
        cx.on_stop(move |_: BotStop| {
            let log = log.clone();
            async move {
                log.stop();
                log.flush().await;
            }
        })
        .named("events/stop");
        Ok(())
    }
}
