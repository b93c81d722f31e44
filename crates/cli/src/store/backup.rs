//! `wechaty backup` and `restore`: the whole store as one file of one moment, and back.

use std::fs;

use wechaty::store::{SqliteStore, SqliteView};
use wechaty_catalogue::{Args, Lang, text};

use super::{failure, place};
use crate::{
    args::{BackupArgs, RestoreArgs},
    failure::Failure,
    output,
};

/// Beside the bot or without it.
pub(crate) fn backup(args: BackupArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    if args.file.exists() {
        return Err(Failure::usage("W188").set("path", args.file.display().to_string()));
    }
    super::there(&place)?;
    let made = SqliteView::open_older(place.file()).and_then(|view| view.backup(&args.file));
    made.map_err(|error| failure(&error))?;
    let size = fs::metadata(&args.file).map_or(0, |file| file.len());
    let told = Args::new().set("path", args.file.display().to_string()).set("size", format!("{:.1}", mib(size)));
    output::print(&(text(lang, "backup-made", &told) + "\n"))
}

/// Only while the bot does not run.
pub(crate) fn restore(args: RestoreArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    let file = place.file();
    if !args.file.is_file() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Failure::usage("W142").set("path", args.file.display().to_string()).source(&missing));
    }
    // What is no store, or damaged, replaces nothing.
    let look = |view: SqliteView| Ok((view.check()?, view.accounts()?));
    let (found, accounts) = SqliteView::open_older(&args.file).and_then(look).map_err(|error| failure(&error))?;
    if file.exists() && !args.force {
        return Err(Failure::usage("W189").set("path", file.display().to_string()));
    }
    SqliteStore::replace(&file, &args.file).map_err(|error| failure(&error))?;
    let told = Args::new().set("path", file.display().to_string()).set("events", found.inbound.received.to_string());
    // Whose it is shows whether it is the right one.
    let accounts = accounts.iter().map(|account| format!("`{account}`")).collect::<Vec<_>>();
    let told = told.set("accounts", accounts.join(&text(lang, "comma", &Args::new())));
    output::print(&(text(lang, "backup-restored", &told) + "\n"))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
