//! DingDong: answers a word with another. The first thing to try on a new account.

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::prelude::*;

use crate::{
    Match,
    declaration::{PluginDeclaration, read},
    words::{OneOrMany, mentions_us, one_or_many, words},
};

/// Answers `ding` with `dong`.
///
/// Only texts count, without the mentions in them. Own messages do not (a bot that said what it answers to would talk
/// to itself for ever); with `self_too` they do, unless the answer itself would be answered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DingDong {
    /// What is answered. Default: exactly `ding`.
    pub ding: Match,
    /// What is said, one after the other. Default: `dong`; nothing: nothing.
    #[serde(deserialize_with = "one_or_many")]
    #[schemars(with = "OneOrMany")]
    pub dong: Vec<String>,
    /// Who is answered one to one. Default: everybody.
    pub contact: Match,
    /// In which rooms. Default: all.
    pub room: Match,
    /// Whether rooms have to mention the bot. Default: no.
    pub mention: bool,
    /// Whether own messages are answered too. Default: no.
    pub self_too: bool,
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "ding-dong",
    summary: "answers `ding` with `dong`: the first thing to try on a new account",
    example: r#"settings = { ding = "ding", dong = "dong", mention = true }"#,
    schema: || schemars::schema_for!(DingDong),
    build: |settings| Ok(Box::new(read::<DingDong>("ding-dong", settings)?)),
};

impl Default for DingDong {
    fn default() -> Self {
        Self {
            ding: "ding".into(),
            dong: vec!["dong".to_owned()],
            contact: Match::Always,
            room: Match::Always,
            mention: false,
            self_too: false,
        }
    }
}

impl DingDong {
    async fn wants(&self, msg: &Message) -> bool {
        // The cheap questions first: to find mentions in a text, members may have to be loaded.
        if msg.kind() != MessageType::Text || (msg.is_self() && !self.self_too) {
            return false;
        }
        if !self.ding.text(&words(msg).await) {
            return false;
        }
        if msg.is_self() && (!self.self_too || self.dong.iter().any(|dong| self.ding.text(dong))) {
            return false;
        }
        match msg.room() {
            Some(room) => self.room.room(&room).await && (!self.mention || mentions_us(msg).await),
            None => match msg.conversation_id().contact() {
                Some(peer) => self.contact.contact(&msg.account().contact_handle(peer)).await,
                None => false,
            },
        }
    }
}

impl Plugin for DingDong {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("ding-dong")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let plugin = std::sync::Arc::new(self.clone());
        cx.on_message(move |msg: Message| {
            let plugin = plugin.clone();
            async move {
                if !plugin.wants(&msg).await {
                    return wechaty::Result::<Flow>::Ok(Flow::Continue);
                }
                for dong in &plugin.dong {
                    msg.say(dong).await?;
                }
                Ok(Flow::Handled)
            }
        })
        .named("ding-dong/answer");
        Ok(())
    }
}
