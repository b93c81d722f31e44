//! A bot that does to messages what it is told: say `edit`, `recall`, `like` or `type`. What a platform cannot is told so.
//!
//! ```text
//! $ WECHATY_PUPPET=matrix WECHATY_PUPPET_MATRIX_HOMESERVER=… cargo run -p wechaty --features matrix --example obeys
//! ```

use wechaty::prelude::*;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?).on_message(obey).run().await
}

async fn obey(msg: Message) -> wechaty::Result<()> {
    if msg.is_self() {
        return Ok(());
    }
    let done = match msg.text() {
        Some("edit") => edit(&msg).await,
        Some("recall") => recall(&msg).await,
        Some("like") => msg.react("👍").await,
        Some("type") => msg.typing().await,
        _ => return Ok(()),
    };
    if let Err(error) = done {
        msg.reply(format!("I cannot: {error}")).await?;
    }
    Ok(())
}

async fn edit(msg: &Message) -> wechaty::Result<()> {
    match said(msg, "first thoughts").await? {
        Some(message) => message.edit("second thoughts").await,
        None => Ok(()),
    }
}

async fn recall(msg: &Message) -> wechaty::Result<()> {
    match said(msg, "never mind").await? {
        Some(message) => message.recall().await.map(drop),
        None => Ok(()),
    }
}

/// What was said, as a message that can be changed; `None`: the platform does not tell what it sent.
async fn said(msg: &Message, words: &str) -> wechaty::Result<Option<Message>> {
    match msg.say(words).sent().await?.id {
        Some(id) => msg.account().message(&id).await.map(Some),
        None => Ok(None),
    }
}
