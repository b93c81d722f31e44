//! The six-line bot: `cargo run --example ding_dong -p wechaty`.
use wechaty::prelude::*;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?) // WECHATY_PUPPET, else the web chat
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
