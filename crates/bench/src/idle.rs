//! Resident memory of 1,000 accounts with 100,000 idle conversations, in a process of its own.

use std::{process::Command, sync::atomic::Ordering};

use anyhow::{Context, ensure};
use wechaty::{Bot, BotBuilder, Clock, prelude::*};

use super::puppet::{BenchPuppet, Feed, Tally};

const ACCOUNTS: usize = 1_000;
const CONVERSATIONS_EACH: usize = 100;

/// MiB, as the child tells.
pub(super) fn measure() -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("finding the program")?;
    let child = Command::new(program).args(["bench", "idle"]).output().context("starting the idle bot")?;
    ensure!(child.status.success(), "the idle bot failed: {}", String::from_utf8_lossy(&child.stderr));
    String::from_utf8_lossy(&child.stdout).trim().parse().context("reading the idle bot's memory")
}

/// MiB of this process, when every conversation has had a message and an answer and everything rests.
pub(super) async fn rss_mib() -> anyhow::Result<f64> {
    let (clock, tally) = (Clock::system(), Tally::new(false));
    let builder = (0..ACCOUNTS).fold(BotBuilder::new(), |builder, i| {
        let puppet = BenchPuppet::new(Feed::Once(CONVERSATIONS_EACH), tally.clone(), clock.clone());
        builder.account(format!("account-{i}"), puppet)
    });
    let bot: Bot = builder
        .on_message(|msg: Message| async move {
            msg.say("seen").await?;
            wechaty::Result::<()>::Ok(())
        })
        .start()
        .await?;
    let all = (ACCOUNTS * CONVERSATIONS_EACH) as u64;
    while tally.answered.load(Ordering::Relaxed) < all {
        clock.sleep(std::time::Duration::from_millis(5)).await;
    }
    bot.drained().await;
    let mib = resident_mib()?;
    bot.stop().await?;
    Ok(mib)
}

/// `VmRSS` of this process.
pub(super) fn resident_mib() -> anyhow::Result<f64> {
    resident_mib_of(std::process::id())
}

/// `VmRSS` of another process.
pub(super) fn resident_mib_of(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.context("the memory is read from /proc: Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc has no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("reading VmRSS")?;
    Ok(kib / 1024.0)
}
