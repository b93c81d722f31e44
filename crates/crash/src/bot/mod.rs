//! BOT: the process that is killed. A bot with an SQLite file, a puppet that speaks to the platform, handlers, and somebody
//! outside who tells it the same in each life.
//!
//! Lines on standard input ask for things, lines of JSON on standard output answer: `books` for both books and the dead
//! letters, `stop` (or the end of the input) for a stop in good order, which ends in the books once more.

mod handlers;
mod outside;
mod puppet;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use wechaty::{
    Bot, Ledger, OutboxPolicy,
    store::{Settlement, SqliteStore, Store},
};

pub(crate) use outside::LISTENER;

use crate::{
    platform::Address,
    sabotage::{Sabotage, SabotagedStore},
    through::Through,
};

/// What a bot is told when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Of the platform.
    pub(crate) address: Address,
    /// A folder of its own: the store, and how often each handler has begun.
    pub(crate) folder: PathBuf,
    /// Whether the platform takes keys.
    pub(crate) keys: bool,
    /// How many milliseconds the second say of a pair waits, so that a crash falls between the two.
    pub(crate) apart: u64,
    /// How many sends are told from outside, under keys.
    pub(crate) told: u64,
    /// Sends a second; none: no pacing.
    pub(crate) per_second: Option<f64>,
    /// How long a call may take, in milliseconds.
    pub(crate) patience: u64,
    /// A planted fault.
    pub(crate) sabotage: Option<Sabotage>,
}

/// A send that ended otherwise than sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) text: String,
    /// `maybe_sent`, or the reason of its death.
    pub(crate) why: String,
}

/// What the bot's side has written down.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) letters: Vec<Letter>,
    /// Whether a stop waited to the end for everything under way.
    pub(crate) drained: bool,
}

/// Runs until it is told to stop, or killed.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let store = SqliteStore::open(settings.folder.join("bot.wechaty.db"))?;
    let store: Arc<dyn Store> = match settings.sabotage {
        Some(fault) => Arc::new(SabotagedStore::new(Arc::new(store), fault)),
        None => Arc::new(store),
    };
    runtime.block_on(live(settings, store.clone()))?;
    // The last to hold the store: its thread ends with a checkpoint.
    drop(runtime);
    drop(store);
    Ok(())
}

async fn live(settings: &Settings, store: Arc<dyn Store>) -> Result<()> {
    let policy = OutboxPolicy {
        per_second: settings.per_second,
        attempts: 12,
        backoff: Duration::from_millis(4),
        max_backoff: Duration::from_millis(40),
        ..OutboxPolicy::default()
    };
    let bot = match settings.address.through {
        Through::Loopback => Bot::builder(puppet::LoopbackPuppet::new(settings)),
        _ => Bot::builder(puppet::RealPuppet::new(settings)?),
    };
    let bot = bot.store(store.clone()).outbox(policy);
    let bot = handlers::add(bot, settings).start().await?;
    let mut outside = Some(tokio::spawn(outside::tell(bot.clone(), settings.clone())));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // What was not told yet is not in the books.
        if let Some(outside) = outside.take() {
            outside.await??;
        }
        match line.as_str() {
            "books" => println!("{}", serde_json::to_string(&books(settings, &*store, true).await?)?),
            _ => break,
        }
    }
    bot.stop().await?;
    println!("{}", serde_json::to_string(&books(settings, &*store, bot.was_drained()).await?)?);
    Ok(())
}

async fn books(settings: &Settings, store: &dyn Store, drained: bool) -> Result<Books> {
    let ledger = store.ledger(None).await.context("the ledger")?;
    let letters = store.dead_letters(0, 10_000).await?.into_iter().map(|letter| Letter {
        to: settings.address.name(letter.row.to.as_str()).to_owned(),
        text: letter
            .row
            .what
            .file_box()
            .map_or_else(|| letter.row.what.as_text().unwrap_or_default(), |file| file.name())
            .to_owned(),
        why: match letter.end {
            Settlement::Dead(dead) => dead.reason.into_owned(),
            _ => "maybe_sent".to_owned(),
        },
    });
    Ok(Books { ledger, letters: letters.collect(), drained })
}
