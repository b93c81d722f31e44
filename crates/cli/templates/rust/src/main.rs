//! A bot: it answers `ding` with `dong`.

use wechaty::prelude::*;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?) // the messenger that WECHATY_PUPPET names
        .on_scan(|scan: Scan| async move { println!("scan to log in: {}", scan.url()) })
        .on_login(|login: Login| async move { println!("{} logged in", login.contact) })
        .on_message(ding)
        .run()
        .await
}

async fn ding(msg: Message) -> wechaty::Result<()> {
    if msg.text() == Some("ding") {
        msg.say("dong").await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wechaty::testing::{FakePlatform, spawn};

    use super::*;

    /// On a fake messenger: no account, no network, no sleeping.
    #[tokio::test]
    async fn ding_gets_dong() {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let bot = spawn(Bot::builder(platform.puppet()).on_message(ding)).await;
        alice.says("hello").await;
        alice.says("ding").await;
        assert_eq!(alice.hears().await, "dong");
        bot.finish_with(&platform).await; // every message is accounted for
        alice.hears_nothing();
    }
}
