//! `wechaty run`: the bot of a BOT.toml, or the demo bot on a puppet.

mod api;
mod demo;
mod listen;
pub(crate) mod logins;
mod pending;
pub(crate) mod plan;
mod play;
pub(crate) mod record;

use std::{path::PathBuf, sync::Arc};

use wechaty::{
    BotBuilder, BuildError, Ledger, VirtualClock,
    store::{Books, MemoryStore, StoreError},
};
use wechaty_catalogue::{Args, Lang, text};

use crate::{
    args::{ClockKind, RunArgs},
    control::{self, Control, Place},
    failure::Failure,
    ledger, limits, output, store,
};
use pending::Unended;
use plan::Plan;
use record::Recorder;

/// In simulated time, so many messages that are over can be read, as by REST.
const REMEMBERED: usize = 10_000;
/// The puppet whose stdout belongs to the bot.
const TERMINAL: &str = "terminal";
/// The puppet whose world and clock can be given.
const MOCK: &str = "mock";

pub(crate) fn run(args: RunArgs, lang: Lang) -> Result<(), Failure> {
    limits::raise_files();
    let Plan { mut builder, on_terminal, reads, place, pages, door, api, .. } = Plan::of(&args, lang)?;
    let virtual_clock = (args.clock == ClockKind::Virtual).then(VirtualClock::new);
    let tell_api = api.as_ref().and_then(|api| api.told(lang));
    builder = logins::tell(builder, lang).on_listen(move |listening| {
        listen::tell_moved(listening, lang);
        if pages {
            listen::tell(listening, &door, lang);
        } else if tell_api.is_none() {
            let args = Args::new().set("name", "wechaty").set("url", listening.url());
            output::tell(&text(lang, "http-listens", &args));
        }
        if let Some(tell) = &tell_api {
            tell(&listening.url());
        }
    });
    Recorder::may_write(args.record.as_deref(), &reads)?;
    // Before the record is begun anew: it may be that of the bot that runs already.
    let file = place.as_ref().map(Place::file);
    let control = control::claimed(place.as_ref(), lang)?;
    let (builder, recorder) = Recorder::begin(args.record.as_deref(), builder)?;
    if on_terminal {
        readable_stdin()?;
        output::tell(&text(lang, "banner-terminal", &Args::new().set("version", env!("CARGO_PKG_VERSION"))));
    }
    let runtime = match virtual_clock {
        // One thread: what is left to do is plain to see.
        Some(_) => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        None => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    let runtime = runtime.map_err(|error| Failure::failed("W109").source(&error))?;
    let End { books, pending, pending_sends, kept, failed, unended } =
        runtime.block_on(drive(builder, virtual_clock, control.as_ref(), file, lang))?;
    // A puppet may still hold a thread in a blocking read.
    runtime.shutdown_background();
    if let Some(recorder) = recorder {
        recorder.finish()?;
    }
    match (args.json, on_terminal) {
        (true, false) => output::json(&books)?,
        (true, true) => output::tell(&serde_json::to_string_pretty(&books)?),
        (false, _) => output::tell(&ledger::all_in_words(&books, lang)),
    }
    if let Some(pending) = pending {
        output::tell(&format!("wechaty: {pending}"));
    }
    if let Some(unended) = unended {
        return Err(unended);
    }
    // What stdout did not take was not said here, kept or not.
    let unsaid = match (on_terminal, kept) {
        (true, _) => pending_sends + failed,
        (false, true) => 0,
        (false, false) => pending_sends,
    };
    if unsaid > 0 {
        return Err(Failure::failed("W113").number("count", unsaid));
    }
    ledger::balanced(&books)
}

/// Refuses what can never be read, such as a folder, before the bot says hello. Reads nothing.
fn readable_stdin() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::{fs::File, io::Read, os::fd::AsFd};
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
        stdin.and_then(|mut file| file.read(&mut [])).map_err(|error| Failure::usage("W111").source(&error))?;
    }
    Ok(())
}

/// How a run ended.
struct End {
    books: Books,
    /// What is not finished, in words.
    pending: Option<String>,
    /// Sends of its accounts that are not settled.
    pending_sends: u64,
    /// Whether it is in a store that outlives the run.
    kept: bool,
    /// Sends of this run that failed or are in doubt.
    failed: u64,
    /// What became of some events is not in the store.
    unended: Option<Failure>,
}

/// Runs the bot to its end.
async fn drive(
    builder: BotBuilder,
    clock: Option<VirtualClock>,
    control: Option<&Control>,
    file: Option<PathBuf>,
    lang: Lang,
) -> Result<End, Failure> {
    let not_started = |error: wechaty::Error| match &error {
        wechaty::Error::Host(error) => listen::failure(error, lang),
        wechaty::Error::Build(BuildError::Store(error)) => store::failure(error),
        error => Failure::failed("W109").source(error),
    };
    let ended = |error: wechaty::Error| match &error {
        wechaty::Error::Host(error) => listen::failure(error, lang),
        error => Failure::failed("W110").source(error),
    };
    let builder = match &clock {
        // Simulated time begins anew in each run, and so does what is stored.
        Some(clock) => builder.clock(clock.clone()).store(Arc::new(MemoryStore::remembering(REMEMBERED))),
        None => builder,
    };
    // Only a named bot has a store that outlives it.
    let kept = control.is_some() && clock.is_none();
    let bot = builder.build().map_err(not_started)?;
    let _watch = file.clone().filter(|_| kept).map(|file| {
        tokio_util::task::AbortOnDropHandle::new(wechaty_puppet::task::spawn(store::watch(bot.clone(), file, lang)))
    });
    let failed = |ledger: &Ledger| ledger.outbound.dead + ledger.outbound.maybe_sent;
    // What it met in its store says more than how it failed.
    let stopped_by = |error: &wechaty::Error| match (bot.store().trouble(), &file) {
        (Some(trouble), Some(file)) if kept && matches!(error, wechaty::Error::Store(_)) => {
            Some(store::stopped_by(trouble, file).source(error))
        }
        _ => None,
    };
    let not_started = |error: wechaty::Error| stopped_by(&error).unwrap_or_else(|| not_started(error));
    let ended = |error| stopped_by(&error).or_else(|| logins::failed(&bot)).unwrap_or_else(|| ended(error));
    let earlier = failed(&bot.ledger().await.map_err(not_started)?);
    let strange = strangers(&bot, lang).await.map_err(not_started)?;
    let _answers = control.map(|control| control.serve(&bot)).transpose()?;
    let ran = match clock {
        Some(clock) => {
            bot.start().await.map_err(not_started)?;
            play::play(&bot, &clock).await;
            bot.stop().await
        }
        None => bot.run().await,
    };
    let unended = match ran {
        Ok(()) => None,
        Err(wechaty::Error::Store(StoreError::Unended { count, events })) => Some(Unended { count, events }),
        Err(error) => return Err(ended(error)),
    };
    let told = unended.as_ref().map(|one| store::unended(one.count, &one.events, file.as_deref()));
    let (books, told) = match (bot.store().books().await, told) {
        (Ok(books), told) => (books, told),
        // The same file: what is lost by it says more.
        (Err(_), Some(told)) => return Err(told),
        (Err(error), None) => return Err(ended(error.into())),
    };
    let ledger = &books.total;
    let pending_sends = ledger.outbound.pending.saturating_sub(strange);
    let file = file.as_deref().filter(|_| kept);
    let pending = pending::explain(&bot, file, unended.as_ref(), lang).await.map_err(ended)?;
    // Dead letters of earlier runs may have been dropped or sent meanwhile.
    let failed = failed(ledger).saturating_sub(earlier);
    Ok(End { books, pending, pending_sends, kept, failed, unended: told })
}

/// Tells what the store holds of accounts that the bot does not have any more; gives how many sends that are.
async fn strangers(bot: &wechaty::Bot, lang: Lang) -> wechaty::Result<u64> {
    let mut sends = 0;
    for account in bot.store().accounts().await? {
        if bot.accounts().iter().chain(bot.outlets()).any(|one| *one.id() == account) {
            continue;
        }
        let ledger = bot.store().ledger(Some(&account)).await?;
        let count = ledger.inbound.pending + ledger.outbound.pending;
        sends += ledger.outbound.pending;
        if count > 0 {
            let told = Args::new().set("account", account.to_string()).set("count", count.to_string());
            output::tell(&text(lang, "store-strangers", &told));
        }
    }
    Ok(sends)
}
