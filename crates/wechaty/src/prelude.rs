//! What a bot needs: `use wechaty::prelude::*`.

pub use crate::{
    Account, Bot, ConversationState, Dialogue, Flow, IntoSayable, PersonState, Receipt, Sayable, State, Stored,
    plugin::{Plugin, PluginContext, PluginMeta},
    puppet,
    user::{
        Action, BotStart, BotStop, Contact, ContactQuery, ContactSelf, Delay, Dirty, Dong, ErrorReport, Friendship,
        Heartbeat, Image, Location, Login, Logout, MemberQuery, Message, MessageEdit, MessageQuery, MessageRecall,
        MessageStatus, MiniProgram, Post, Reaction, Ready, Reply, Reset, Room, RoomAnnounce, RoomInvitation, RoomJoin,
        RoomLeave, RoomQuery, RoomTopic, Scan, Tag, TextMatch, Tick, UrlLink, VerifyCode, You,
    },
};
pub use wechaty_types::{Card, FileBox, Menu, MessageType, ScanStatus};
