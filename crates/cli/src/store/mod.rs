//! What a bot has stored: looked at beside it, changed through it while it runs, or in its file while it does not.

mod backup;
mod dead_letters;
mod forget;
mod names;
mod times;
mod trace;
mod trouble;
mod waits;

use std::io::ErrorKind;

use wechaty::store::{OpenError, SqliteOptions, SqliteStore, SqliteView, Trouble};
use wechaty_catalogue::Lang;

pub(crate) use self::{
    backup::{backup, restore},
    dead_letters::run as dead_letters,
    forget::run as forget,
    trace::run as trace,
    trouble::{stopped_by, unended, watch},
};
use crate::{
    args::BotArgs,
    control::{self, Ask, Place},
    failure::Failure,
};

/// The bot that is meant.
pub(crate) fn place(which: &BotArgs, lang: Lang) -> Result<Place, Failure> {
    Place::find(which.bot.as_deref(), which.store.as_deref(), lang)
}

/// What opening a store said, with its own code.
pub(crate) fn failure(error: &OpenError) -> Failure {
    let full = |error: &std::io::Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let (code, path) = match error {
        OpenError::Io { path, source } if full(source) => ("W192", path),
        OpenError::Io { path, source } if source.kind() == ErrorKind::ReadOnlyFilesystem => ("W193", path),
        OpenError::Sqlite { path, .. } if error.trouble() == Some(Trouble::Full) => ("W192", path),
        OpenError::Sqlite { path, .. } if error.trouble() == Some(Trouble::ReadOnly) => ("W193", path),
        OpenError::LogUnread { path } => ("W197", path),
        OpenError::InUse { path } => ("W180", path),
        OpenError::Key { path, given: true } => ("W205", path),
        OpenError::Key { path, given: false } => ("W206", path),
        OpenError::Newer { path, .. } => ("W181", path),
        OpenError::Older { path, found: 0, .. } => ("W199", path),
        OpenError::Older { path, .. } => ("W182", path),
        OpenError::Foreign { path } => ("W183", path),
        OpenError::Corrupt { path, .. } => ("W184", path),
        OpenError::Io { path, .. } | OpenError::Sqlite { path, .. } => ("W185", path),
        _ => return Failure::failed("W100").source(error),
    };
    let failure = Failure::failed(code).set("path", path.display().to_string());
    match error {
        OpenError::Io { source, .. } => failure.source(source),
        OpenError::Sqlite { source, .. } | OpenError::Corrupt { source, .. } => failure.source(source),
        _ => failure,
    }
}

/// Whether the bot has a file.
fn there(place: &Place) -> Result<(), Failure> {
    let file = place.file();
    if !file.is_file() {
        let folder = file.parent().unwrap_or(&file).display().to_string();
        return Err(Failure::usage("W177").set("name", &*place.name).set("path", folder));
    }
    Ok(())
}

/// The bot's file, to look at.
pub(crate) fn view(place: &Place) -> Result<SqliteView, Failure> {
    there(place)?;
    SqliteView::open(place.file()).map_err(|error| failure(&error))
}

/// Changes something: the running bot does it, or we do while no bot runs.
pub(crate) fn change<T: serde::de::DeserializeOwned>(
    place: &Place,
    ask: Ask,
    alone: impl AsyncFn(&SqliteStore, &Ask) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let told = change_all(place, vec![ask], alone)?.pop();
    told.ok_or_else(|| Failure::failed("W100"))
}

/// Changes several things, one after the other.
pub(crate) fn change_all<T: serde::de::DeserializeOwned>(
    place: &Place,
    asks: Vec<Ask>,
    alone: impl AsyncFn(&SqliteStore, &Ask) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut opened = None;
    let mut told = Vec::with_capacity(asks.len());
    for ask in asks {
        if opened.is_none() {
            match control::ask(place, ask.clone()) {
                // Nobody of this name runs.
                Err(failure) if failure.code() == "W170" => {}
                answered => {
                    told.push(answered?);
                    continue;
                }
            }
            drop(view(place)?);
            let mut options = SqliteOptions::default();
            // What is changed here is no session, and nobody has to tell us the key.
            options.check_key = false;
            let store = SqliteStore::open_with(place.file(), &options).map_err(|error| failure(&error))?;
            opened = Some((tokio::runtime::Builder::new_current_thread().enable_all().build()?, store));
        }
        if let Some((runtime, store)) = &opened {
            told.push(runtime.block_on(alone(store, &ask))?);
        }
    }
    Ok(told)
}
