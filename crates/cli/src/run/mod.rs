//! `wechaty run`: the demo bot on a puppet.

mod demo;
mod pending;
mod play;
mod record;

use std::path::Path;

use anyhow::Context;
use wechaty::{Bot, BotBuilder, Ledger, VirtualClock, puppet};
use wechaty_plugins::{EventLogger, QrCodeTerminal};
use wechaty_puppet::{Puppet, Settings};

use crate::{
    Failure,
    args::{ClockKind, RunArgs},
};

/// The puppet whose stdout belongs to the bot.
const TERMINAL: &str = "terminal";

pub(crate) fn run(args: RunArgs) -> Result<(), Failure> {
    let mut settings = Settings::new();
    if let Some(world) = &args.world {
        settings = settings.set("world", path(world)?);
    }
    let name = args.puppet.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(puppet::DEFAULT);
    let puppet = puppet::by_name(name, settings).map_err(Failure::usage)?;
    let platform = puppet.platform().as_str();
    if args.world.is_some() && platform != "mock" {
        return Err(Failure::usage(anyhow::anyhow!("--world is for --puppet mock, not for {platform}")));
    }
    let virtual_clock = (args.clock == ClockKind::Virtual).then(VirtualClock::new);
    let mut builder = demo::bot(puppet).plugin(QrCodeTerminal::default()).plugin(EventLogger::default());
    let recorder = match &args.record {
        Some(file) => {
            let recorder = record::Recorder::create(file).map_err(Failure::usage)?;
            builder = builder.observe_sends(recorder.observer());
            Some(recorder)
        }
        None => None,
    };
    if platform == TERMINAL {
        eprintln!("Wechaty {} — type /help for commands, Ctrl-D to end", env!("CARGO_PKG_VERSION"));
    }
    let runtime = match virtual_clock {
        // One thread: what is left to do is plain to see.
        Some(_) => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        None => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    let (ledger, pending) = runtime.block_on(drive(builder, virtual_clock))?;
    // A puppet may still hold a thread in a blocking read.
    runtime.shutdown_background();
    if let Some(recorder) = recorder {
        recorder.finish()?;
    }
    match (args.json, platform == TERMINAL) {
        (true, false) => println!("{}", serde_json::to_string_pretty(&ledger)?),
        (true, true) => eprintln!("{}", serde_json::to_string_pretty(&ledger)?),
        (false, _) => eprintln!("{ledger}"),
    }
    if let Some(pending) = pending {
        eprintln!("wechaty: {pending}");
    }
    let out = &ledger.outbound;
    let unsaid = out.pending + if platform == TERMINAL { out.dead + out.maybe_sent } else { 0 };
    if unsaid > 0 {
        return Err(anyhow::anyhow!("{unsaid} messages were not sent").into());
    }
    if !ledger.is_balanced() {
        return Err(anyhow::anyhow!("the ledger has a residue: this is a bug, please report it").into());
    }
    Ok(())
}

/// Runs the bot to its end. Gives the ledger and what is pending, in words.
async fn drive(builder: BotBuilder, clock: Option<VirtualClock>) -> anyhow::Result<(Ledger, Option<String>)> {
    let bot: Bot;
    match clock {
        Some(clock) => {
            bot = builder.clock(clock.clone()).build()?;
            bot.start().await?;
            play::play(&bot, &clock).await;
            bot.stop().await?;
        }
        None => {
            bot = builder.build()?;
            bot.run().await?;
        }
    }
    let ledger = bot.ledger().await.context("reading the ledger")?;
    Ok((ledger, pending::explain(&bot).await?))
}

fn path(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| Failure::usage(anyhow::anyhow!("{}: the path is no UTF-8", path.display())))
}
