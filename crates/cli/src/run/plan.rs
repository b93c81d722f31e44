//! What is to be run: the bot of a BOT.toml, or the demo bot on one puppet.

use std::path::{Path, PathBuf};

use wechaty::{
    Bot, BotBuilder, BuildError,
    puppet::{self, AnyPuppet},
};
use wechaty_catalogue::{Args, Lang};
use wechaty_config::{Catalogue, Config, Doors, Env, Flags};
use wechaty_plugins::{EventLogger, QrCodeTerminal};
use wechaty_puppet::{Settings, SettingsError};

use super::{
    MOCK, TERMINAL,
    api::{self, Api},
    demo,
    listen::Door,
};
use crate::{
    args::{ClockKind, ListenAddr, RunArgs},
    config::config_failure,
    control::Place,
    failure::Failure,
    output, puppets,
};

/// A bot about to run.
pub(crate) struct Plan {
    pub(crate) builder: BotBuilder,
    /// Whether stdout belongs to the bot.
    pub(super) on_terminal: bool,
    /// Files that must not be written over.
    pub(crate) reads: Vec<PathBuf>,
    /// Where others find the running bot, if it has a name.
    pub(crate) place: Option<Place>,
    /// Whether it has a page to chat on.
    pub(super) pages: bool,
    /// What it takes to get to its pages.
    pub(super) door: Door,
    /// Who else may come, and how.
    pub(crate) doors: Doors,
    /// Its REST door, if it has one.
    pub(super) api: Option<Api>,
}

/// The setting of puppets whose pages are not for everybody.
const TOKEN: &str = "token";

impl Plan {
    /// What the arguments ask for, if they make sense together.
    pub(super) fn of(args: &RunArgs, lang: Lang) -> Result<Self, Failure> {
        Self::with(args, lang, |puppet| demo::bot(puppet, lang))
    }

    /// The same without the demo: a bot that answers nobody by itself.
    pub(crate) fn bare(args: &RunArgs, lang: Lang) -> Result<Self, Failure> {
        Self::with(args, lang, Bot::builder)
    }

    fn with(args: &RunArgs, lang: Lang, bot: impl FnOnce(AnyPuppet) -> BotBuilder) -> Result<Self, Failure> {
        let here = Path::new(Config::FILE);
        match &args.bot {
            Some(file) => configured(file, args, lang),
            None if args.puppet.is_none() && here.is_file() => configured(here, args, lang),
            None => on_puppet(args, lang, bot),
        }
    }
}

fn configured(file: &Path, args: &RunArgs, lang: Lang) -> Result<Plan, Failure> {
    let mut flags = Flags::default();
    flags.puppet = args.puppet.clone().filter(|name| !name.trim().is_empty());
    flags.listen = args.listen.map(ListenAddr::address);
    flags.store = args.store.clone();
    flags.settings = spoken(lang);
    if let Some(world) = &args.world {
        flags.settings = flags.settings.set("world", absolute(world)?);
    }
    let config = Catalogue::default()
        .load(file, &Env::system(), &flags)
        .map_err(|problems| config_failure(problems.iter(), lang))?;
    let platforms: Vec<&str> = config.accounts().iter().map(|account| account.puppet.platform.as_str()).collect();
    only_mock(args, &platforms)?;
    let mut builder = config.builder().map_err(|error| Failure::failed("W109").source(&error))?;
    if !config.plugins().iter().any(|plugin| plugin.plugin.name == "qr-code-terminal") {
        // Without it nobody could log in.
        builder = builder.plugin(QrCodeTerminal::default().lang(lang));
    }
    if args.no_doors {
        tell_unused(&config, lang);
    }
    let rest = config.doors().rest.as_ref().filter(|_| !args.no_doors);
    let webhooks = if args.no_doors { &[] } else { config.webhooks() };
    let token = config.env().get(api::TOKEN).filter(|_| !args.no_doors);
    let (builder, api) = Api::open(builder, args.api, rest, token, webhooks)?;
    let on_terminal = platforms.contains(&TERMINAL);
    let mut http = config.http().clone();
    // Who names a port here wants that one.
    http.next_free_port &= !args.listen.is_some_and(ListenAddr::names_a_port);
    let worlds = config.accounts().iter().filter_map(|account| account.settings.get("world")).map(PathBuf::from);
    let reads = worlds.chain([file.to_owned()]).collect();
    let pages = platforms.contains(&puppet::DEFAULT);
    let guarded = config
        .accounts()
        .iter()
        .any(|account| puppet::DEFAULT == account.puppet.platform.as_str() && account.settings.get(TOKEN).is_some());
    let door = if guarded { Door::Set } else { Door::Open };
    let place = config.name().map(|name| Place::beside(file, name));
    store_of_somebody(args, place.as_ref())?;
    let doors = config.doors().clone();
    Ok(Plan { builder: builder.http_if_needed(http), on_terminal, reads, place, pages, door, doors, api })
}

/// What of a file counts for `wechaty run` alone.
fn tell_unused(config: &Config, lang: Lang) {
    let sections =
        [("[doors.rest]", config.doors().rest.is_some()), ("[[doors.webhook]]", !config.webhooks().is_empty())];
    let unused: Vec<&str> = sections.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
    if !unused.is_empty() {
        output::tell(&wechaty_catalogue::text(lang, "gateway-unused", &Args::new().set("sections", unused.join(", "))));
    }
}

fn on_puppet(args: &RunArgs, lang: Lang, bot: impl FnOnce(AnyPuppet) -> BotBuilder) -> Result<Plan, Failure> {
    // As for a bot with a file: `.env` counts here, too.
    let (env, problems) = Env::system().with_folder(Path::new("."));
    if !problems.is_empty() {
        return Err(config_failure(&problems, lang));
    }
    let name = args.puppet.clone().or_else(|| env.get("WECHATY_PUPPET")).filter(|name| !name.trim().is_empty());
    // Who names a world wants to see it played.
    let default = if args.world.is_some() { MOCK } else { puppet::DEFAULT };
    let name = name.as_deref().unwrap_or(default);
    let declaration = puppet::declaration(name).map_err(|_| puppets::missing(name))?;
    let platform = declaration.platform.as_str();
    only_mock(args, &[platform])?;
    let mut settings = if platform == TERMINAL { spoken(lang) } else { Settings::new() };
    for setting in declaration.settings {
        if let Some(value) = setting.env.iter().find_map(|name| env.get(name)) {
            settings = settings.set(setting.key, value);
        }
    }
    if let Some(world) = &args.world {
        settings = settings.set("world", text(world)?);
    }
    let mut http = wechaty::http::HttpSettings::default();
    if let Some(port) = env.port().map_err(|problem| config_failure([&*problem], lang))? {
        http.listen.set_port(port);
    }
    if let Some(listen) = args.listen {
        // Who names a port wants that one.
        (http.listen, http.next_free_port) = (listen.address(), !listen.names_a_port());
    }
    let mut door = Door::Open;
    if declaration.settings.iter().any(|setting| setting.key == TOKEN) {
        if settings.get(TOKEN).is_some() {
            door = Door::Set;
        } else if !http.listen.ip().is_loopback()
            && let Some(Door::Made(token)) = Door::made()
        {
            settings = settings.set(TOKEN, &*token);
            door = Door::Made(token);
        }
    }
    let puppet = puppet::by_name(name, settings).map_err(|error| match &error {
        wechaty::Error::Build(BuildError::Settings(fault)) => settings_failure(platform, fault),
        other => Failure::failed("W109").source(other),
    })?;
    let mut builder = bot(puppet).plugin(QrCodeTerminal::default().lang(lang)).plugin(EventLogger::default());
    if let Some(folder) = &args.store {
        builder = builder.folder(folder);
    }
    let reads = args.world.iter().cloned().collect();
    let named = env.get("WECHATY_NAME");
    if let Some(name) = &named {
        // It may be in `.env`.
        builder = builder.name(name);
    }
    let (builder, api) = Api::open(builder, args.api, None, env.get(api::TOKEN).filter(|_| !args.no_doors), &[])?;
    let place = named.map(|name| Place::within(Path::new("."), &name));
    store_of_somebody(args, place.as_ref())?;
    Ok(Plan {
        builder: builder.http_if_needed(http),
        on_terminal: platform == TERMINAL,
        reads,
        place,
        pages: platform == puppet::DEFAULT,
        door,
        doors: Doors::default(),
        api,
    })
}

/// Only a bot with a name has a store.
fn store_of_somebody(args: &RunArgs, place: Option<&Place>) -> Result<(), Failure> {
    if args.store.is_some() && place.is_none() { Err(Failure::usage("W179")) } else { Ok(()) }
}

/// The language of the command, where it is not that of the environment, for the puppet that speaks itself.
fn spoken(lang: Lang) -> Settings {
    let same = Lang::of_env(|name| std::env::var(name).ok()) == lang;
    if same { Settings::new() } else { Settings::new().set("lang", lang.as_str()) }
}

/// A world and a clock can be given where nobody lives but the simulated.
fn only_mock(args: &RunArgs, platforms: &[&str]) -> Result<(), Failure> {
    let flags = [("--world", args.world.is_some()), ("--clock virtual", args.clock == ClockKind::Virtual)];
    let given = flags.into_iter().find(|(_, given)| *given);
    match (given, platforms.iter().find(|platform| **platform != MOCK)) {
        (Some((flag, _)), Some(platform)) => Err(Failure::usage("W106").set("flag", flag).set("puppet", *platform)),
        _ => Ok(()),
    }
}

fn settings_failure(puppet: &str, fault: &SettingsError) -> Failure {
    let failure = Failure::usage("W103").set("puppet", puppet);
    match fault {
        SettingsError::Missing { key } => failure.tell("setting-missing", Args::new().set("key", *key)),
        SettingsError::Invalid { key, reason } => {
            failure.tell("setting-invalid", Args::new().set("key", *key)).words(reason.clone())
        }
        other => failure.source(other),
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().ok_or_else(|| Failure::usage("W108").set("path", path.display().to_string()))?;
    Ok(text.to_owned())
}

/// Paths of the command line start where we are, those of the file beside it.
fn absolute(path: &Path) -> Result<String, Failure> {
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    text(&path)
}
