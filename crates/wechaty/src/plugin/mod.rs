//! PLUGIN: a value that adds handlers to a bot, and can be taken out again.

mod registrar;
mod scope;

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;
use wechaty_puppet::{CancellationToken, Clock, task};

pub(crate) use registrar::{Owner, Pending, full_name, on_methods};
pub use scope::{Instance, Scope};

use crate::{Bot, Error, Result, bot::BotInner, cron, handler::report_error, store::MemoryCard};

/// How a plugin presents itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginMeta {
    /// Unique within a bot; part of handler names, and so of idempotency keys: do not change it between releases.
    pub name: Cow<'static, str>,
    /// Its own version, if it tells one.
    pub version: Option<Cow<'static, str>>,
}

impl PluginMeta {
    /// A plugin of this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), version: None }
    }
    /// Tells the plugin's version: `env!("CARGO_PKG_VERSION")` in a crate of its own.
    #[must_use]
    pub fn version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = Some(version.into());
        self
    }
}

/// A value that adds handlers.
///
/// ```
/// use wechaty::{plugin::{Plugin, PluginContext, PluginMeta}, prelude::*};
///
/// struct Polite;
/// impl Plugin for Polite {
///     fn meta(&self) -> PluginMeta {
///         PluginMeta::new("polite")
///     }
///     fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
///         cx.on_message(thanks).named("polite/thanks");
///         Ok(())
///     }
/// }
/// async fn thanks(msg: Message) -> wechaty::Result<Flow> {
///     if msg.text() != Some("thanks") {
///         return Ok(Flow::Continue);
///     }
///     msg.say("you are welcome").await?;
///     Ok(Flow::Handled)
/// }
/// ```
pub trait Plugin: Send + Sync + 'static {
    /// Name and version.
    fn meta(&self) -> PluginMeta;

    /// Adds handlers, observers and jobs to `cx`; all of them go when the plugin is uninstalled. It may ask the bot for
    /// its plugins and install others.
    ///
    /// # Errors
    /// The plugin's own; nothing of it stays installed then, and what it gave to
    /// [`on_uninstall`](PluginContext::on_uninstall) is called.
    fn install(&self, cx: &mut PluginContext) -> Result<()>;
}

type Uninstall = Box<dyn FnOnce() + Send>;

/// What a plugin is installed with.
pub struct PluginContext {
    bot: Bot,
    name: Arc<str>,
    pending: Vec<Pending>,
    jobs: Vec<BoxFuture<'static, ()>>,
    uninstall: Vec<Uninstall>,
    scope: Option<Arc<Scope>>,
}

impl fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginContext").field("plugin", &self.name).finish_non_exhaustive()
    }
}

on_methods!(PluginContext, &mut Self, [&mut self], self);

impl PluginContext {
    /// The bot.
    pub fn bot(&self) -> &Bot {
        &self.bot
    }
    /// The bot's clock; jobs take the time from nowhere else.
    pub fn clock(&self) -> &Clock {
        self.bot.clock()
    }
    /// The plugin's own part of the bot's memory.
    pub fn memory(&self) -> MemoryCard {
        self.bot.memory().multiplex("plugin").multiplex(&self.name)
    }
    /// Runs a job from the end of the installation until it ends or the plugin is uninstalled. A panic in it becomes an
    /// `error` event that names the plugin.
    ///
    /// Outside of a Tokio runtime a plugin with jobs is not installed: build the bot inside of one.
    pub fn spawn(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.push(Box::pin(job));
    }
    /// Called once when the plugin is uninstalled, or its installation fails.
    pub fn on_uninstall(&mut self, call: impl FnOnce() + Send + 'static) {
        self.uninstall.push(Box::new(call));
    }

    /// Lets only events inside this scope reach the handlers and observers that are added, before this or later. The
    /// scope set last counts; [`Instance`] sets one.
    pub fn limit(&mut self, scope: Scope) {
        self.scope = (!scope.is_everything()).then(|| Arc::new(scope));
    }

    fn push(&mut self, pending: Pending) -> &mut Self {
        self.pending.push(pending);
        self
    }
    fn last(&mut self) -> Option<&mut Pending> {
        self.pending.last_mut()
    }
}

/// An installed plugin, or the name of one that is being installed.
pub(crate) struct Installed {
    pub(crate) meta: PluginMeta,
    parts: Option<Parts>,
}

/// What a plugin has brought.
struct Parts {
    handlers: Vec<u64>,
    /// Names of its jobs.
    cron: Vec<Arc<str>>,
    stop: CancellationToken,
    uninstall: Vec<Uninstall>,
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.meta.fmt(f)
    }
}

impl Installed {
    /// Holds the name while the plugin is being installed.
    pub(crate) fn reserved(meta: PluginMeta) -> Self {
        Self { meta, parts: None }
    }
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.is_some()
    }

    pub(crate) fn install(bot: &Bot, meta: PluginMeta, plugin: &dyn Plugin) -> Result<Self> {
        let name = Arc::from(&*meta.name);
        let mut cx = PluginContext {
            bot: bot.clone(),
            name,
            pending: Vec::new(),
            jobs: Vec::new(),
            uninstall: Vec::new(),
            scope: None,
        };
        let installed = catch_unwind(AssertUnwindSafe(|| plugin.install(&mut cx)));
        let installed = installed.unwrap_or_else(|panic| Err(panicked(&*panic))).and_then(|()| {
            let missing: Vec<_> = cx.pending.iter().flat_map(|p| p.missing(bot.states())).collect();
            if missing.is_empty() { Ok(()) } else { Err(crate::BuildError::MissingState(missing).into()) }
        });
        let runtime = installed.and_then(|()| match Handle::try_current() {
            Ok(runtime) => Ok(Some(runtime)),
            // Without jobs there is nothing to run.
            Err(_) if cx.jobs.is_empty() => Ok(None),
            Err(error) => Err(Error::Invalid { what: "plugin", reason: format!("{} has jobs: {error}", meta.name) }),
        });
        let owner = Owner { plugin: cx.name.clone(), scope: cx.scope };
        let planned = runtime.and_then(|runtime| Ok((runtime, cron::plan(bot, &cx.pending, Some(&owner))?)));
        let (runtime, planned) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                cx.uninstall.into_iter().for_each(|call| call());
                return Err(error);
            }
        };
        let registry = &bot.core().handlers;
        let handlers = cx.pending.into_iter().map(|pending| pending.register(registry, Some(&owner))).collect();
        let cron = planned.iter().map(|job| job.name.clone()).collect();
        bot.core().jobs.add(&bot.0.core, planned);
        let stop = CancellationToken::new();
        for job in cx.jobs {
            let job = run(job, stop.clone(), Arc::downgrade(&bot.0), cx.name.clone());
            runtime.as_ref().map(|runtime| runtime.spawn(task::work(job)));
        }
        Ok(Self { meta, parts: Some(Parts { handlers, cron, stop, uninstall: cx.uninstall }) })
    }

    pub(crate) fn uninstall(self, bot: &Bot) {
        let Some(Parts { handlers, cron, stop, uninstall }) = self.parts else { return };
        bot.core().jobs.remove(&cron);
        bot.core().handlers.remove(&handlers);
        stop.cancel();
        uninstall.into_iter().for_each(|call| call());
    }
}

/// Runs a job of a plugin; it must not keep a bot alive that nobody holds.
async fn run(job: BoxFuture<'static, ()>, stop: CancellationToken, bot: Weak<BotInner>, plugin: Arc<str>) {
    let result = tokio::select! {
        result = AssertUnwindSafe(job).catch_unwind() => result,
        () = stop.cancelled() => Ok(()),
    };
    if let Err(panic) = result
        && let Some(bot) = bot.upgrade().map(Bot)
    {
        let account = bot.main_account().clone();
        report_error(bot, &account, panicked(&*panic), Some(plugin));
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the plugin panicked: {}", text.unwrap_or("a value that is no text")).into()
}
