//! 100,000 sleeping dialogues: the file they take, and the memory of a bot that starts over them, in a process of its own.

use std::{path::Path, process::Command, sync::Arc};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use wechaty::{Bot, Clock, Stored};
use wechaty_puppet::{ContactId, ConversationId};
use wechaty_store_sqlite::SqliteStore;

use super::{
    Dialogues,
    idle::resident_mib,
    puppet::{BenchPuppet, Feed, Tally},
};

const DIALOGUES: usize = 100_000;
/// Begun at once.
const AT_ONCE: usize = 1_000;

/// What a dialogue waits for: the size of a dish.
#[derive(Serialize, Deserialize)]
struct Order(String);

impl Stored for Order {
    const NAME: &'static str = "order";
}

pub(super) async fn measure(folder: &Path) -> anyhow::Result<Dialogues> {
    let (path, empty) = (folder.join("dialogues.db"), folder.join("none.db"));
    begin(&path).await?;
    drop(SqliteStore::open(&empty)?);
    let file_mib = std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
    Ok(Dialogues { file_mib, rss_mib: started(&path)?, empty_rss_mib: started(&empty)? })
}

fn resting(path: &Path) -> anyhow::Result<Bot> {
    let puppet = BenchPuppet::new(Feed::Once(0), Tally::new(false), Clock::system());
    Ok(Bot::builder(puppet).store(Arc::new(SqliteStore::open(path)?)).build()?)
}

/// Begins a dialogue with each of so many people.
async fn begin(path: &Path) -> anyhow::Result<()> {
    let bot = resting(path)?;
    bot.start().await?;
    let order = Order("a bowl of noodles".to_owned());
    for from in (0..DIALOGUES).step_by(AT_ONCE) {
        let dialogues = (from..from + AT_ONCE).map(|n| {
            let who = ContactId::new(format!("c{n}"));
            bot.main_account().dialogue::<Order>(&ConversationId::Contact(who.clone()), &who)
        });
        let dialogues: Vec<_> = dialogues.collect();
        try_join_all(dialogues.iter().map(|dialogue| dialogue.start(&order))).await?;
    }
    bot.stop().await?;
    Ok(())
}

/// MiB, as a child tells that starts a bot over this file.
fn started(path: &Path) -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("finding the program")?;
    let child = Command::new(program).arg(path).output();
    let child = child.context("starting the bot over sleeping dialogues")?;
    ensure!(child.status.success(), "that bot failed: {}", String::from_utf8_lossy(&child.stderr));
    String::from_utf8_lossy(&child.stdout).trim().parse().context("reading that bot's memory")
}

/// MiB of this process, with a bot that has logged in over this file and rests.
pub(super) async fn rss_mib(path: &Path) -> anyhow::Result<f64> {
    let bot = resting(path)?;
    bot.start().await?;
    bot.drained().await;
    let mib = resident_mib()?;
    bot.stop().await?;
    Ok(mib)
}
