//! `wechaty run`: the demo bot on a puppet.

mod demo;
mod pending;
mod play;
mod record;

use std::path::Path;

use wechaty::{Bot, BotBuilder, BuildError, Ledger, VirtualClock, puppet, puppet::AnyPuppet};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_plugins::{EventLogger, QrCodeTerminal};
use wechaty_puppet::{Puppet, Settings, SettingsError};

use crate::{
    args::{ClockKind, RunArgs},
    failure::Failure,
    output, puppets,
};

/// The puppet whose stdout belongs to the bot.
const TERMINAL: &str = "terminal";
/// The puppet whose world and clock can be given.
const MOCK: &str = "mock";

pub(crate) fn run(args: RunArgs, lang: Lang) -> Result<(), Failure> {
    let puppet = puppet(&args)?;
    let platform = puppet.platform().as_str();
    let virtual_clock = (args.clock == ClockKind::Virtual).then(VirtualClock::new);
    let mut builder = demo::bot(puppet, lang).plugin(QrCodeTerminal::default()).plugin(EventLogger::default());
    let recorder = args.record.as_deref().map(record::Recorder::create).transpose()?;
    if let Some(recorder) = &recorder {
        builder = builder.observe_sends(recorder.observer());
    }
    if platform == TERMINAL {
        readable_stdin()?;
        eprintln!("{}", text(lang, "banner-terminal", &Args::new().set("version", env!("CARGO_PKG_VERSION"))));
    }
    let runtime = match virtual_clock {
        // One thread: what is left to do is plain to see.
        Some(_) => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        None => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    let runtime = runtime.map_err(|error| Failure::failed("W109").source(&error))?;
    let (ledger, pending) = runtime.block_on(drive(builder, virtual_clock, lang))?;
    // A puppet may still hold a thread in a blocking read.
    runtime.shutdown_background();
    if let Some(recorder) = recorder {
        recorder.finish()?;
    }
    match (args.json, platform == TERMINAL) {
        (true, false) => output::json(&ledger)?,
        (true, true) => eprintln!("{}", serde_json::to_string_pretty(&ledger)?),
        (false, _) => eprintln!("{ledger}"),
    }
    if let Some(pending) = pending {
        eprintln!("wechaty: {pending}");
    }
    let out = &ledger.outbound;
    let unsaid = out.pending + if platform == TERMINAL { out.dead + out.maybe_sent } else { 0 };
    if unsaid > 0 {
        return Err(Failure::failed("W113").number("count", unsaid));
    }
    if !ledger.is_balanced() {
        return Err(Failure::failed("W112").plain(ledger.to_string()));
    }
    Ok(())
}

/// The puppet the arguments ask for, if they make sense together.
fn puppet(args: &RunArgs) -> Result<AnyPuppet, Failure> {
    let name = args.puppet.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(puppet::DEFAULT);
    let declaration = puppet::declaration(name).map_err(|_| puppets::missing(name))?;
    let platform = declaration.platform.as_str();
    let only_mock = [("--world", args.world.is_some()), ("--clock virtual", args.clock == ClockKind::Virtual)];
    if let Some((flag, _)) = only_mock.into_iter().find(|(_, given)| *given && platform != MOCK) {
        return Err(Failure::usage("W106").set("flag", flag).set("puppet", platform));
    }
    let mut settings = Settings::new();
    if let Some(world) = &args.world {
        settings = settings.set("world", path(world)?);
    }
    puppet::by_name(name, settings).map_err(|error| match &error {
        wechaty::Error::Build(BuildError::Settings(fault)) => settings_failure(platform, fault),
        other => Failure::failed("W109").source(other),
    })
}

fn settings_failure(puppet: &str, fault: &SettingsError) -> Failure {
    let failure = Failure::usage("W103").set("puppet", puppet);
    match fault {
        SettingsError::Missing { key } => failure.tell("setting-missing", Args::new().set("key", *key)),
        SettingsError::Invalid { key, reason } => {
            failure.tell("setting-invalid", Args::new().set("key", *key)).plain(reason)
        }
        other => failure.source(other),
    }
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

/// Runs the bot to its end. Gives the ledger and what is pending, in words.
async fn drive(
    builder: BotBuilder,
    clock: Option<VirtualClock>,
    lang: Lang,
) -> Result<(Ledger, Option<String>), Failure> {
    let not_started = |error: wechaty::Error| Failure::failed("W109").source(&error);
    let ended = |error: wechaty::Error| Failure::failed("W110").source(&error);
    let bot: Bot;
    match clock {
        Some(clock) => {
            bot = builder.clock(clock.clone()).build().map_err(not_started)?;
            bot.start().await.map_err(not_started)?;
            play::play(&bot, &clock).await;
            bot.stop().await.map_err(ended)?;
        }
        None => {
            bot = builder.build().map_err(not_started)?;
            bot.run().await.map_err(ended)?;
        }
    }
    let ledger = bot.ledger().await.map_err(ended)?;
    Ok((ledger, pending::explain(&bot, lang).await.map_err(ended)?))
}

fn path(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| Failure::usage("W108").set("path", path.display().to_string()))
}
