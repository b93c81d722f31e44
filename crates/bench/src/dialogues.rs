//! 100,000 sleeping dialogues: the file they take, and the memory of a bot that starts over them, in a process of its own.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use wechaty::{Bot, Clock, prelude::*};
use wechaty_store_sqlite::SqliteStore;

use super::{
    idle::resident_mib,
    puppet::{BenchPuppet, Feed, Tally},
};

const DIALOGUES: usize = 100_000;

/// What a dialogue waits for, with what was said so far.
#[derive(Serialize, Deserialize)]
enum Order {
    Size { dish: String },
}

impl Stored for Order {
    const NAME: &'static str = "order";
}

/// What was found.
pub(super) struct Sleeping {
    /// The file with all of them, in MiB.
    pub(super) file_mib: f64,
    /// Resident memory of a bot started over it, and over an empty one, in MiB.
    pub(super) rss_mib: (f64, f64),
    /// Messages a second, each of another person, that go on with that person's dialogue and end it.
    pub(super) messages_per_s: u64,
}

pub(super) async fn measure(folder: &Path) -> anyhow::Result<Sleeping> {
    let (path, empty) = (folder.join("dialogues.db"), folder.join("none.db"));
    said(&path, 0).await?;
    let file_mib = std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
    drop(SqliteStore::open(&empty)?);
    let rss_mib = (started(&path)?, started(&empty)?);
    let began = Clock::system().now();
    let ended = said(&path, DIALOGUES as u64).await?;
    ensure!(ended == DIALOGUES as u64, "{ended} of {DIALOGUES} dialogues went on");
    let took = Clock::system().now() - began;
    Ok(Sleeping { file_mib, rss_mib, messages_per_s: (DIALOGUES as f64 / took.as_secs_f64()) as u64 })
}

/// Everybody says something, the messages numbered from here. Gives how many dialogues ended.
async fn said(path: &Path, from: u64) -> anyhow::Result<u64> {
    let (tally, ended) = (Tally::new(false), Arc::new(AtomicU64::new(0)));
    let bot = bot(path, Feed::Once(DIALOGUES, from), &tally, &ended)?;
    bot.start().await?;
    tally.answered(DIALOGUES as u64).await;
    bot.drained().await;
    bot.stop().await?;
    Ok(ended.load(Ordering::Relaxed))
}

fn bot(path: &Path, feed: Feed, tally: &Arc<Tally>, ended: &Arc<AtomicU64>) -> anyhow::Result<Bot> {
    let (puppet, ended) = (BenchPuppet::new(feed, tally.clone(), Clock::system()), ended.clone());
    let goes_on = move |msg: Message, Order::Size { dish }: Order| {
        let ended = ended.clone();
        async move {
            ended.fetch_add(1, Ordering::Relaxed);
            msg.say(format!("one {dish}, coming")).await?;
            wechaty::Result::<Option<Order>>::Ok(None)
        }
    };
    let begins = |msg: Message, order: Dialogue<Order>| async move {
        order.start(&Order::Size { dish: "a bowl of noodles".to_owned() }).await?;
        msg.say("small or large?").await?;
        wechaty::Result::<()>::Ok(())
    };
    let builder = Bot::builder(puppet).store(Arc::new(SqliteStore::open(path)?));
    Ok(builder.dialogue::<Order, _, _>(goes_on).on_message(begins).build()?)
}

/// MiB, as a child tells that starts a bot over this file.
fn started(path: &Path) -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("finding the program")?;
    let child = Command::new(program).args(["bench", "sleeping"]).arg(path).output();
    let child = child.context("starting the bot over sleeping dialogues")?;
    ensure!(child.status.success(), "that bot failed: {}", String::from_utf8_lossy(&child.stderr));
    String::from_utf8_lossy(&child.stdout).trim().parse().context("reading that bot's memory")
}

/// MiB of this process, with a bot that has logged in over this file and rests.
pub(super) async fn rss_mib(path: &Path) -> anyhow::Result<f64> {
    let bot = bot(path, Feed::Once(0, 0), &Tally::new(false), &Arc::default())?;
    bot.start().await?;
    bot.drained().await;
    let mib = resident_mib()?;
    bot.stop().await?;
    Ok(mib)
}
