//! TERMINAL ↔ PUPPET: lines of stdin are messages from you, what the bot says is printed.
//!
//! In a pipe, stdout holds only what the bot says to ordinary input, one message a line (a line break inside a message
//! is shown as `⏎`, and `⏎` is read as one); everything else goes to stderr. `/help` lists the commands. The end of the
//! input ends the puppet.
//!
//! Bounded: lines to 1 MiB and a few of them read ahead; 1,000 people and as many rooms; the last 1,024 messages, within
//! 16 MiB, can be looked up.

mod command;
mod input;
mod lookup;
mod people;
mod puppet;
mod screen;

use std::sync::Arc;

use wechaty_catalogue::Lang;
use wechaty_puppet::{
    Capabilities, Capability, Declaration, Limits, Live, PlatformName, Setting, SettingKind, SettingsError, Words,
};

pub use input::MAX_LINE;
pub use people::YOU;
pub use puppet::TerminalPuppet;

/// The platform's name.
pub const PLATFORM: PlatformName = PlatformName::new("terminal");

const CAPABILITIES: Capabilities = Capabilities {
    limits: Limits { file: Some(100 << 20), ..Limits::DEFAULT },
    ..Capabilities::new(&[
        Capability::SendText,
        Capability::SendMarkdown,
        Capability::SendAttachment,
        Capability::SendAudio,
        Capability::SendEmoticon,
        Capability::SendImage,
        Capability::SendVideo,
        Capability::SendContact,
        Capability::Mention,
        Capability::SentId,
        Capability::LoadContact,
        Capability::LoadRoom,
        Capability::LoadRoomMember,
        Capability::LoadMessage,
        Capability::ContactList,
        Capability::RoomList,
        Capability::RoomMemberList,
        Capability::MessageFile,
        Capability::Ding,
    ])
};

/// How the terminal presents itself.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "you and the bot, on stdin and stdout",
    docs: "https://github.com/wechaty/wechaty-rust/tree/main/puppets/terminal",
    live: Live::Own,
    settings: &[Setting {
        key: "lang",
        kind: SettingKind::Choice(&["en", "zh"]),
        required: false,
        default: None,
        env: &[],
        help: "The language of what the terminal itself says; without it, that of the environment",
    }],
    capabilities: || CAPABILITIES,
    lacks: &[],
    build: |settings| {
        let lang = match settings.get("lang") {
            Some(lang) => {
                let reason = || Words::any_of_choices(&["en", "zh"], lang);
                Lang::of_tag(lang).ok_or_else(|| SettingsError::Invalid { key: "lang", reason: reason() })?
            }
            None => Lang::of_env(|name| std::env::var(name).ok()),
        };
        Ok(Arc::new(TerminalPuppet::stdio(lang)))
    },
    check: None,
};
