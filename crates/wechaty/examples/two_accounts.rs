//! One bot with two accounts: both have the same handlers, and what is said to one is passed on by the other.
//!
//! ```text
//! $ cargo run -p wechaty --example two_accounts
//! ```
//!
//! The messengers are fakes, so that it runs anywhere; in life they are two `puppet::by_name(name, settings)?`.

use wechaty::{
    BotBuilder,
    prelude::*,
    testing::{FakePlatform, spawn},
};

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    let (office, home) = (FakePlatform::new(), FakePlatform::new());
    let (alice, bob) = (office.user("alice"), home.user("bob"));
    let bot = spawn(
        BotBuilder::new()
            .account("office", office.puppet())
            .account("home", home.puppet())
            .on_login(|login: Login| async move { println!("{} is logged in", login.account.id()) })
            .on_message(relay),
    )
    .await;

    alice.says("dinner at eight?").await;
    println!("bob hears: {}", bob.hears().await);
    bob.says("make it nine").await;
    println!("alice hears: {}", alice.hears().await);

    println!("{}", bot.finish().await);
    Ok(())
}

/// `account` is the one that heard the message; the others pass it on.
async fn relay(msg: Message, bot: Bot, account: Account) -> wechaty::Result<()> {
    let words = format!("{} ({}): {}", msg.talker().name(), account.id(), msg.text().unwrap_or("…"));
    for other in bot.accounts().iter().filter(|other| **other != account) {
        for friend in other.find_contacts(ContactQuery::default()).await? {
            if friend.is_friend() == Some(true) && !friend.is_self() {
                friend.say(words.as_str()).await?;
            }
        }
    }
    Ok(())
}
