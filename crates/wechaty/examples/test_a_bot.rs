//! A bot and its test: people in a chat on a fake messenger, offline, with a clock that is advanced.
//!
//! ```text
//! $ cargo run -p wechaty --example test_a_bot
//! ```
//!
//! In a crate of your own the test is a `#[tokio::test]`, and `wechaty` a dev-dependency with feature `testing`.

use std::time::Duration;

use wechaty::{
    BotBuilder,
    prelude::*,
    testing::{FakePlatform, FakePuppet, spawn},
};

const EGG: Duration = Duration::from_secs(6 * 60);

/// The bot: made from a puppet, so that the test can give it another one than `main` would.
fn egg_timer(puppet: FakePuppet) -> BotBuilder {
    Bot::builder(puppet).on_message(boil)
}

async fn boil(msg: Message, bot: Bot) -> wechaty::Result<()> {
    if msg.text() == Some("egg") {
        let boiled = bot.clock().sleep(EGG); // counts from here; never `tokio::time`
        msg.say("the water boils").await?;
        boiled.await;
        msg.reply("your egg is ready").await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(egg_timer(platform.puppet()).clock(platform.clock())).await;

    let order = alice.says("egg").await;
    assert_eq!(alice.hears().await, "the water boils");
    platform.clock().advance(EGG - Duration::from_secs(1)).await;
    alice.hears_nothing();
    platform.clock().advance(Duration::from_secs(1)).await;
    let ready = alice.hears().await;
    assert_eq!(ready, "your egg is ready");
    assert_eq!(ready.quote(), Some(&order));

    bob.says("just talking").await;
    // Everything was handled, and what the bot counts as sent is what the platform delivered.
    let ledger = bot.finish_with(&platform).await;
    bob.hears_nothing();
    assert_eq!((ledger.inbound.pending, ledger.outbound.sent), (0, 2));
    println!("the egg timer works");
}
