//! A job at its time: every two seconds here, so that there is something to see; `0 9 * * MON-FRI` in life.
//!
//! ```text
//! $ WECHATY_PUPPET=terminal cargo run -p wechaty --example reminder
//! ```
//!
//! With `WECHATY_NAME=reminder` it remembers until when it is done: after an absence the latest tick runs, and no other.

use wechaty::prelude::*;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?)
        .timezone("Asia/Shanghai") // whose nine o'clock it is
        .cron("tea", "*/2 * * * * *", tea)
        .run()
        .await
}

async fn tea(tick: Tick) -> wechaty::Result<()> {
    if let Some(you) = tick.account.find_contact("you").await? {
        you.say("time for tea").await?;
    }
    Ok(())
}
