//! PROGRAM: `lark-fake`, the fake as a process of its own.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use serde_json::json;
use wechaty_lark_fake::{Fake, Settings};

/// A fake Lark server on loopback. Prints `{"url": …}` when it serves, and ends with its input or on SIGTERM.
#[derive(Debug, Parser)]
struct Arguments {
    /// A port of loopback; a free one where nothing is said.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where all that it knows is kept.
    #[arg(long)]
    book: Option<PathBuf>,
    /// Settings as JSON; those that are not told are as they are by default, or in the book.
    #[arg(long)]
    settings: Option<String>,
    /// Goes on when its input ends.
    #[arg(long)]
    detached: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut builder = Fake::builder().port(arguments.port);
    if let Some(text) = &arguments.settings {
        let settings: Settings = serde_json::from_str(text).context("`--settings` is not what it should be")?;
        builder = builder.settings(settings);
    }
    if let Some(file) = arguments.book {
        builder = builder.book(file);
    }
    let fake = builder.start().await.context("cannot start")?;
    println!("{}", json!({"url": fake.url()}));
    let ended = async {
        if arguments.detached {
            return std::future::pending().await;
        }
        // Who started it holds the other end.
        let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
    };
    tokio::select! {
        () = ended => {}
        () = terminated() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    fake.save().context("the book cannot be written")?;
    // A read of the input that still waits must not hold the process.
    std::process::exit(0);
}

/// SIGTERM, where there are signals.
async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
        return;
    }
    std::future::pending().await
}
