//! CONFIG: the checked configuration, and the bot it makes.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use wechaty::{
    BotBuilder, CacheSizes, Error, OutboxPolicy, Owner,
    http::HttpSettings,
    plugin::{Instance, Scope},
    types::AccountId,
};
use wechaty_plugins::{Match, PluginDeclaration};
use wechaty_puppet::{Declaration, Settings};
use wechaty_rest::Webhook;

use crate::{Catalogue, Doors, Env, InboxSection, Pacing, Problems, StoreSection};

/// What the command line says; it comes before environment and file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Flags {
    /// The bot's name.
    pub name: Option<String>,
    /// The puppet: the first account of the file runs on it, under its own id, and the others do not run.
    pub puppet: Option<String>,
    /// Settings of the first account's puppet, like `world`.
    pub settings: Settings,
    /// Where the host listens.
    pub listen: Option<SocketAddr>,
    /// The folder of the bot's files.
    pub store: Option<PathBuf>,
}

/// An account, ready to be made. Debug shows no values of settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// Its id.
    pub id: AccountId,
    /// Its puppet.
    pub puppet: Declaration,
    /// The puppet's settings, complete.
    pub settings: Settings,
    /// Pacing of its own.
    pub pacing: Option<Pacing>,
    /// Whether another identity than before may log in.
    pub adopt_identity: bool,
}

/// A plugin, ready to be made. Debug shows no values of settings.
#[derive(Clone)]
#[non_exhaustive]
pub struct PluginConfig {
    /// Which.
    pub plugin: PluginDeclaration,
    /// The name of this instance.
    pub id: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Accounts it is for; `None`: all.
    pub accounts: Option<Vec<AccountId>>,
    /// Only these rooms; none of them (`false`): everything but rooms; `None`: rooms and what is said one to one.
    pub rooms: Option<Match>,
    /// People it is for; `None`: all.
    pub people: Option<Match>,
    pub(crate) settings: Value,
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginConfig")
            .field("use", &self.plugin.name)
            .field("id", &self.id)
            .field("enabled", &self.enabled)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl PluginConfig {
    fn scope(&self) -> Scope {
        let mut scope = Scope::new();
        if let Some(accounts) = &self.accounts {
            scope = scope.accounts(accounts.iter().cloned());
        }
        if let Some(rooms) = self.rooms.clone() {
            if rooms.is_never() {
                return self.people(scope.no_rooms());
            }
            scope = scope.rooms(move |room| {
                let rooms = rooms.clone();
                async move { rooms.room(&room).await }
            });
        }
        self.people(scope)
    }

    fn people(&self, scope: Scope) -> Scope {
        match self.people.clone() {
            None => scope,
            Some(people) => scope.people(move |contact| {
                let people = people.clone();
                async move { people.contact(&contact).await }
            }),
        }
    }
}

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) accounts: Vec<AccountConfig>,
    pub(crate) plugins: Vec<PluginConfig>,
    pub(crate) pacing: Pacing,
    pub(crate) inbox: InboxSection,
    pub(crate) store: StoreSection,
    pub(crate) http: HttpSettings,
    pub(crate) webhooks: Vec<Arc<Webhook>>,
    pub(crate) doors: Doors,
    pub(crate) env: Env,
}

impl Config {
    /// The file that is looked for.
    pub const FILE: &'static str = "BOT.toml";

    /// The configuration in a file; `.env` beside it is read. Puppets are made for a look at their settings, but connect
    /// to nothing.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: impl AsRef<Path>, env: &Env) -> Result<Self, Problems> {
        Catalogue::default().load(path, env, &Flags::default())
    }

    /// What is wrong with a file; nothing if it is well.
    pub fn check(path: impl AsRef<Path>, env: &Env) -> Problems {
        Self::load(path, env).err().unwrap_or_default()
    }

    /// The file it came from.
    pub fn file(&self) -> &Path {
        &self.file
    }
    /// The bot's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    /// Where the bot keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// IANA name of the time zone of everything planned. Default: `UTC`.
    pub fn timezone(&self) -> &str {
        self.timezone.as_deref().unwrap_or("UTC")
    }
    /// Who may tell the bot what to do.
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }
    /// The accounts that run.
    pub fn accounts(&self) -> &[AccountConfig] {
        &self.accounts
    }
    /// The plugins in the order of the file, those that are not enabled too.
    pub fn plugins(&self) -> &[PluginConfig] {
        &self.plugins
    }
    /// `[pacing]`.
    pub fn pacing(&self) -> &Pacing {
        &self.pacing
    }
    /// `[inbox]`.
    pub fn inbox(&self) -> &InboxSection {
        &self.inbox
    }
    /// `[doors]`.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }
    /// Where and how the host listens.
    pub fn http(&self) -> &HttpSettings {
        &self.http
    }
    /// Who is told of events. A program adds them to the bot, with a door ([`Rest::door`](wechaty_rest::Rest::door)) or without
    /// ([`Rest::tell`](wechaty_rest::Rest::tell)).
    pub fn webhooks(&self) -> &[Arc<Webhook>] {
        &self.webhooks
    }
    /// The environment with `.env`.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The bot: accounts, pacing and plugins. What a program adds to it comes behind.
    ///
    /// # Errors
    /// When a puppet or plugin cannot be made any more, as a file it needs has gone.
    pub fn builder(&self) -> wechaty::Result<BotBuilder> {
        let policy = self.pacing.over(OutboxPolicy::default());
        let mut bot = BotBuilder::new()
            .folder(&self.folder)
            .caches(CacheSizes::from_env(|name| self.env.get(name)))
            .outbox(policy.clone())
            .limits(self.inbox.limits())
            .store_options(self.store.options());
        if let Some(zone) = &self.timezone {
            bot = bot.timezone(zone);
        }
        if let Some(name) = &self.name {
            bot = bot.name(name);
        }
        for account in &self.accounts {
            let puppet = (account.puppet.build)(&account.settings).map_err(wechaty::BuildError::from)?;
            bot = bot.account_arc(account.id.clone(), puppet);
            if let Some(pacing) = &account.pacing {
                bot = bot.account_outbox(pacing.over(policy.clone()));
            }
            if account.adopt_identity {
                bot = bot.adopt_identity();
            }
        }
        // Of accounts that run; a flag may have taken the others out.
        let runs = |owner: &&Owner| self.accounts.iter().any(|account| account.id == owner.account);
        bot = bot.owners(self.owners.iter().filter(runs).cloned());
        for one in self.plugins.iter().filter(|plugin| plugin.enabled) {
            let plugin = (one.plugin.build)(one.settings.clone()).map_err(Error::other)?;
            bot = bot.plugin(Instance::new(plugin).id(one.id.clone()).scope(one.scope()));
        }
        Ok(bot)
    }
}
