//! The test of the README, word for word behind this line and the handler.

async fn ding(msg: Message) -> wechaty::Result<()> {
    if msg.text() == Some("ding") {
        msg.say("dong").await?;
    }
    Ok(())
}

#[test]
fn the_readmes_test_is_this_one() {
    let own = include_str!("readme.rs").rsplit("// From here on.\n").next().expect("a test").trim();
    for readme in [include_str!("../../../../README.md"), include_str!("../../../../README.zh.md")] {
        let block = readme.split("```rust\n").nth(2).and_then(|rest| rest.split("```").next()).expect("a second block");
        assert_eq!(plain(block), plain(own));
    }
}

/// Without comments, and whatever the formatter does to lines.
fn plain(code: &str) -> String {
    code.lines().map(|line| line.split(" //").next().unwrap_or(line)).collect::<String>().replace([' ', ',', '\n'], "")
}

// From here on.
use wechaty::{
    prelude::*,
    testing::{FakePlatform, spawn},
};

#[tokio::test]
async fn ding_gets_dong() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(Bot::builder(platform.puppet()).on_message(ding)).await;
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "dong");
    bot.finish_with(&platform).await;
}
