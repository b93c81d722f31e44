//! Two plugins: one counts messages in the bot's memory and answers `count`, the other repeats what it hears, unless
//! the first says `Flow::Handled`.
//!
//! ```text
//! $ WECHATY_PUPPET=terminal cargo run -p wechaty --example plugin
//! hello
//! count
//! ```
//!
//! With `WECHATY_NAME=tally` it goes on counting where it stopped, from `tally.wechaty.db`.

use wechaty::{prelude::*, store::MemoryCard};

struct Tally;

impl Plugin for Tally {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("tally")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let (writes, reads) = (cx.memory(), cx.memory());
        cx.observe(move |msg: Message| count(msg, writes.clone())); // every message, before all handlers
        cx.on_message(move |msg: Message| tell(msg, reads.clone()));
        Ok(())
    }
}

/// The messages of one conversation come one after the other: nobody counts the same place at the same time.
async fn count(msg: Message, memory: MemoryCard) -> wechaty::Result<()> {
    let place = msg.conversation_id();
    let before: u64 = memory.get(place.as_str())?.unwrap_or(0);
    memory.set(place.as_str(), before + 1).await
}

async fn tell(msg: Message, memory: MemoryCard) -> wechaty::Result<Flow> {
    if msg.text() != Some("count") {
        return Ok(Flow::Continue);
    }
    let count: u64 = memory.get(msg.conversation_id().as_str())?.unwrap_or(0);
    msg.say(format!("{count} messages here, this one included")).await?;
    Ok(Flow::Handled)
}

struct Echo;

impl Plugin for Echo {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("echo")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        cx.on_message(|msg: Message| async move { msg.say(msg.text().unwrap_or("?")).await.map(drop) });
        Ok(())
    }
}

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?).plugin(Tally).plugin(Echo).run().await
}
