//! The builder: accounts, handlers, plugins, policies.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use wechaty_puppet::{Clock, Puppet};
use wechaty_types::AccountId;

use super::{Account, Bot, BotInner, Core, Limits, Owner, lifecycle::Lifecycle};
use crate::{
    CacheSizes, Error, OutboxPolicy, Result,
    cache::Caches,
    cron,
    handler::States,
    inbox::{NextEvent, Priority, PriorityRule},
    outbox::{SendObserver, SentMessage},
    plugin::{Pending, Plugin, on_methods},
    store::{MemoryCard, MemoryStore, Store},
};

/// Why a bot could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A handler takes `State<T>`, but no `T` was given.
    #[error("handlers take State<T> of types that were not given: {}; add `.state(…)` to the builder", .0.join(", "))]
    MissingState(Vec<&'static str>),
    /// Nobody to run.
    #[error("a bot needs at least one account: `.account(\"slot\", puppet)`")]
    NoAccount,
    /// Two accounts share a slot.
    #[error("account slot `{0}` is given twice")]
    DuplicateAccount(AccountId),
    /// An owner is a contact of an account that is not there.
    #[error("an owner is a contact of account `{0}`, which there is not")]
    OwnerOfNoAccount(AccountId),
    /// A policy of the outbox makes no sense.
    #[error("outbox policy of account `{account}`: {fault}")]
    Policy {
        /// Whose.
        account: AccountId,
        /// What is wrong, and what it must be.
        fault: String,
    },
    /// There is no such time zone.
    #[error("there is no time zone `{0}`: it is an IANA name like `Asia/Shanghai`, or `UTC`")]
    UnknownTimezone(String),
    /// A job cannot be done.
    #[error("cron job `{job}`: {fault}")]
    Cron {
        /// Which.
        job: String,
        /// What is wrong, and what it must be.
        fault: String,
    },
    /// A limit of memory leaves room for nothing.
    #[error("limit `{0}` is 0: it must leave room for one at least")]
    Limit(&'static str),
    /// There is no such puppet.
    #[error("there is no puppet `{name}`{}", .nearest.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default())]
    UnknownPuppet {
        /// Asked for.
        name: String,
        /// Most alike.
        nearest: Option<&'static str>,
    },
    /// The puppet is there, but not in this build.
    #[error("puppet `{name}` is not in this build; with it: {command}")]
    NotBuiltIn {
        /// Which.
        name: String,
        /// What builds it in.
        command: String,
    },
    /// The store of a named bot cannot be opened.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// A puppet's settings are not right.
    #[error(transparent)]
    Settings(#[from] wechaty_puppet::SettingsError),
}

/// An account in the making.
struct Slot {
    id: AccountId,
    puppet: Arc<dyn Puppet>,
    policy: Option<OutboxPolicy>,
    adopt: bool,
}

/// Puts a bot together. Made by [`Bot::builder`].
#[doc(alias = "WechatyBuilder")]
#[must_use = "a builder does nothing until `build()`, `start()` or `run()`"]
pub struct BotBuilder {
    name: Option<String>,
    timezone: Option<String>,
    owners: Vec<Owner>,
    folder: Option<PathBuf>,
    accounts: Vec<Slot>,
    outlets: Vec<Slot>,
    pending: Vec<Pending>,
    plugins: Vec<Box<dyn Plugin>>,
    states: States,
    store: Option<Arc<dyn Store>>,
    remember: usize,
    #[cfg(feature = "sqlite")]
    store_options: crate::store::SqliteOptions,
    clock: Option<Clock>,
    policy: OutboxPolicy,
    limits: Limits,
    caches: CacheSizes,
    send_observer: Option<SendObserver>,
    priority: Option<PriorityRule>,
    hears_automated: bool,
    #[cfg(feature = "host")]
    host: crate::http::HostPlan,
}

impl std::fmt::Debug for BotBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Default for BotBuilder {
    fn default() -> Self {
        Self::new()
    }
}

on_methods!(BotBuilder, Self, [mut self], self);

impl BotBuilder {
    /// Without accounts yet; [`Bot::builder`] gives one with its first account.
    pub fn new() -> Self {
        Self {
            name: None,
            timezone: None,
            owners: Vec::new(),
            folder: None,
            accounts: Vec::new(),
            outlets: Vec::new(),
            pending: Vec::new(),
            plugins: Vec::new(),
            states: States::default(),
            store: None,
            remember: 0,
            #[cfg(feature = "sqlite")]
            store_options: crate::store::SqliteOptions::default(),
            clock: None,
            policy: OutboxPolicy::default(),
            limits: Limits::default(),
            caches: CacheSizes::from_env(|name| std::env::var(name).ok()),
            send_observer: None,
            priority: None,
            hears_automated: false,
            #[cfg(feature = "host")]
            host: crate::http::HostPlan::default(),
        }
    }

    /// Adds an account in a slot of this name.
    pub fn account(self, id: impl Into<AccountId>, puppet: impl Puppet) -> Self {
        self.account_arc(id, Arc::new(puppet))
    }

    /// Adds an account whose puppet is shared.
    pub fn account_arc(mut self, id: impl Into<AccountId>, puppet: Arc<dyn Puppet>) -> Self {
        self.accounts.push(Slot { id: id.into(), puppet, policy: None, adopt: false });
        self
    }

    /// Adds an outlet: somewhere outside that the bot's plugins say things to, and that is no messenger, as a webhook. What
    /// is said to [it](Bot::outlet) is durable, paced, tried again, counted and kept as a dead letter like any send. Its
    /// puppet is only asked to [`send`](Puppet::send): it never [runs](Puppet::run), has no login and no events, and
    /// handlers see nothing of it; what it is answered goes to [`Account::take_reply`] of the account it is about.
    pub fn outlet(mut self, id: impl Into<AccountId>, puppet: Arc<dyn Puppet>, policy: OutboxPolicy) -> Self {
        self.outlets.push(Slot { id: id.into(), puppet, policy: Some(policy), adopt: false });
        self
    }

    /// Pacing and retries of the account added last.
    pub fn account_outbox(mut self, policy: OutboxPolicy) -> Self {
        if let Some(account) = self.accounts.last_mut() {
            account.policy = Some(policy);
        }
        self
    }

    /// Lets another identity than before log in to the account added last, from now on.
    pub fn adopt_identity(mut self) -> Self {
        if let Some(account) = self.accounts.last_mut() {
            account.adopt = true;
        }
        self
    }

    /// Names the bot: it remembers across its lives. What must not be lost is in `<name>.wechaty.db`, its memory card, too;
    /// an earlier `<name>.memory-card.json` is taken over by the first start. Default: `WECHATY_NAME`, else a nameless bot that keeps everything in memory.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// IANA name of the time zone of everything planned. Default: `UTC`, never the machine's silently; a bot with
    /// [`cron`](Self::cron) jobs must say it.
    pub fn timezone(mut self, zone: impl Into<String>) -> Self {
        self.timezone = Some(zone.into());
        self
    }

    /// Who may tell the bot what to do, beside those given before: a contact of an account.
    pub fn owners(mut self, owners: impl IntoIterator<Item = Owner>) -> Self {
        self.owners.extend(owners);
        self
    }

    /// Where a named bot keeps its files; the working directory without it.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Gives handlers a value: they take it as `State<T>`.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// Pacing and retries of all accounts that have none of their own.
    pub fn outbox(mut self, policy: OutboxPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Whether handlers hear what programs say to nobody in particular ([`Message::is_automated`](crate::Message)), which
    /// observers always do. Without it two bots never talk to each other for ever.
    pub fn hear_automated(mut self, hear: bool) -> Self {
        self.hears_automated = hear;
        self
    }

    /// Bounds of memory.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Decides which event has its turn first where [`Limits::handlers`] makes events wait; without such a bound it is not
    /// asked. It is asked once for each event, must be quick, and may fall back on [`NextEvent::priority`]:
    ///
    /// ```no_run
    /// # use wechaty::{Bot, BotBuilder, Limits, Priority};
    /// # fn urgent(bot: BotBuilder) -> BotBuilder {
    /// bot.limits(Limits { handlers: Some(64), ..Limits::default() })
    ///     .priority(|next| match next.message() {
    ///         Some(message) if message.text() == Some("stop") => Priority::Owner,
    ///         _ => next.priority(),
    ///     })
    /// # }
    /// ```
    pub fn priority(mut self, rule: impl Fn(&NextEvent) -> Priority + Send + Sync + 'static) -> Self {
        self.priority = Some(Arc::new(rule));
        self
    }

    /// Sizes and life of the payload caches.
    pub fn caches(mut self, caches: CacheSizes) -> Self {
        self.caches = caches;
        self
    }

    /// The store. Without it a named bot has one SQLite file (feature `sqlite`), an unnamed one keeps all in memory.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// How many records of what is over a bot that keeps all in memory remembers: none without it, as they cost time and room.
    pub fn remember(mut self, records: usize) -> Self {
        self.remember = self.remember.max(records);
        self
    }

    /// How the file of a named bot is opened: what is kept of messages that are over, and the key of its secrets.
    #[cfg(feature = "sqlite")]
    pub fn store_options(mut self, options: crate::store::SqliteOptions) -> Self {
        self.store_options = options;
        self
    }

    /// The clock; the machine's without it.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = Some(clock.into());
        self
    }

    /// Adds a plugin; dispatch follows the order of adding, the bot's own handlers first.
    #[doc(alias = "use")]
    pub fn plugin(mut self, plugin: impl Plugin) -> Self {
        self.plugins.push(Box::new(plugin));
        self
    }

    /// Adds a plugin made at run time.
    pub fn plugin_boxed(mut self, plugin: Box<dyn Plugin>) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Is told of every message the platform took: for records and histories.
    pub fn observe_sends(mut self, observer: impl Fn(&SentMessage) + Send + Sync + 'static) -> Self {
        self.send_observer = Some(Arc::new(observer));
        self
    }

    /// Listens for the webhooks and pages of puppets, and for doors. Without it the bot listens only if a puppet is reached by
    /// HTTP (the web chat, Lark by webhook) or there is a door.
    #[cfg(feature = "host")]
    pub fn http(mut self, settings: crate::http::HttpSettings) -> Self {
        self.host.settings = Some(settings);
        self
    }

    /// These settings, if the bot listens at all: because a puppet is reached by HTTP, or there is a door.
    #[cfg(feature = "host")]
    pub fn http_if_needed(mut self, settings: crate::http::HttpSettings) -> Self {
        self.host.fallback = settings;
        self
    }

    /// Adds a door: routes of its own below a path like `/api`, made when the bot starts. They check their callers
    /// themselves. A path that is taken or none fails the start.
    #[cfg(feature = "host")]
    pub fn door(
        mut self,
        path: impl Into<String>,
        routes: impl Fn(&Bot) -> axum::Router + Send + Sync + 'static,
    ) -> Self {
        self.host.doors.push((path.into(), Box::new(routes)));
        self
    }

    /// Is told where the bot listens; without it a line on standard error tells it.
    #[cfg(feature = "host")]
    pub fn on_listen(mut self, tell: impl Fn(&crate::http::Listening) + Send + Sync + 'static) -> Self {
        self.host.tell = Some(Box::new(tell));
        self
    }

    /// The bot, not started.
    ///
    /// # Errors
    /// [`BuildError`], or what a plugin says.
    pub fn build(self) -> Result<Bot> {
        if self.accounts.is_empty() {
            return Err(BuildError::NoAccount.into());
        }
        for (i, slot) in self.accounts.iter().chain(&self.outlets).enumerate() {
            if self.accounts.iter().chain(&self.outlets).take(i).any(|other| other.id == slot.id) {
                return Err(BuildError::DuplicateAccount(slot.id.clone()).into());
            }
            if let Some(fault) = slot.policy.as_ref().unwrap_or(&self.policy).fault() {
                return Err(BuildError::Policy { account: slot.id.clone(), fault }.into());
            }
        }
        let known = |owner: &&Owner| self.accounts.iter().any(|slot| slot.id == owner.account);
        if let Some(owner) = self.owners.iter().find(|owner| !known(owner)) {
            return Err(BuildError::OwnerOfNoAccount(owner.account.clone()).into());
        }
        if let Some(limit) = self.limits.fault() {
            return Err(BuildError::Limit(limit).into());
        }
        let mut missing: Vec<_> = self.pending.iter().flat_map(|pending| pending.missing(&self.states)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            return Err(BuildError::MissingState(missing).into());
        }
        let zone = match &self.timezone {
            Some(zone) => Some(
                cron::time_zone(zone).ok_or_else(|| BuildError::UnknownTimezone(zone.clone())).map_err(Error::from)?,
            ),
            None => None,
        };
        let clock = self.clock.unwrap_or_else(Clock::system);
        let name = self.name.or_else(|| std::env::var("WECHATY_NAME").ok().filter(|name| !name.is_empty()));
        let folder = self.folder.unwrap_or_default();
        let store = match (self.store, &name) {
            (Some(store), _) => store,
            #[cfg(feature = "sqlite")]
            (None, Some(name)) => open(&folder, name, &self.store_options)?,
            _ if self.remember > 0 => Arc::new(MemoryStore::remembering(self.remember)),
            _ => Arc::new(MemoryStore::new()),
        };
        let caches = Caches::new(&self.caches, &clock);
        let mut core = Core::new(store, clock, self.limits, self.states, caches, self.send_observer, self.priority);
        core.hears_automated = self.hears_automated;
        let core = Arc::new(core);
        let messengers = self.accounts.len();
        let all = self.accounts.into_iter().chain(self.outlets).zip(0..).map(|(slot, index)| {
            let policy = slot.policy.unwrap_or_else(|| self.policy.clone());
            Account::new(index, slot.id, slot.puppet, core.clone(), policy, slot.adopt)
        });
        let mut accounts: Vec<Account> = all.collect();
        let outlets = accounts.split_off(messengers);
        let memory = MemoryCard::of_bot(&core.store, &folder, name.as_deref())?;
        let bot = Bot(Arc::new_cyclic(|weak| {
            // Set once, here.
            let _ = core.bot.set(weak.clone());
            BotInner {
                id: uuid::Uuid::new_v4(),
                name: name.unwrap_or_else(|| "wechaty".to_owned()),
                timezone: self.timezone.unwrap_or_else(|| "UTC".to_owned()),
                zone,
                owners: self.owners,
                core,
                accounts,
                outlets,
                memory,
                plugins: Mutex::default(),
                lifecycle: Lifecycle::default(),
                #[cfg(feature = "host")]
                host: self.host,
            }
        }));
        let jobs = cron::plan(&bot, &self.pending, None)?;
        for pending in self.pending {
            pending.register(&bot.core().handlers, None);
        }
        bot.core().jobs.add(&bot.0.core, jobs);
        for plugin in self.plugins {
            bot.install_dyn(&*plugin)?;
        }
        Ok(bot)
    }

    /// Builds and starts.
    ///
    /// # Errors
    /// As [`build`](Self::build) and [`Bot::start`].
    pub async fn start(self) -> Result<Bot> {
        let bot = self.build()?;
        bot.start().await?;
        Ok(bot)
    }

    /// Builds, starts, and runs until a signal or until all accounts have ended; see [`Bot::run`].
    ///
    /// # Errors
    /// As [`build`](Self::build) and [`Bot::run`].
    pub async fn run(self) -> Result<()> {
        self.build()?.run().await
    }

    fn push(mut self, pending: Pending) -> Self {
        self.pending.push(pending);
        self
    }
    fn last(&mut self) -> Option<&mut Pending> {
        self.pending.last_mut()
    }
}

/// The file of a named bot.
#[cfg(feature = "sqlite")]
fn open(folder: &std::path::Path, name: &str, options: &crate::store::SqliteOptions) -> Result<Arc<dyn Store>> {
    let path = folder.join(format!("{name}.wechaty.db"));
    let store = crate::store::SqliteStore::open_with(path, options).map_err(BuildError::from)?;
    Ok(Arc::new(store))
}
