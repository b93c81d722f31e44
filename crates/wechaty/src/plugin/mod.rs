//! PLUGIN: a value that adds handlers to a bot, and can be taken out again.

mod registrar;

use std::{borrow::Cow, fmt, future::Future, sync::Arc};

use wechaty_puppet::{CancellationToken, Clock};

pub(crate) use registrar::{Pending, on_methods};

use crate::{Bot, Result, store::MemoryCard};

/// How a plugin presents itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginMeta {
    /// Unique within a bot; part of handler names, and so of idempotency keys: do not change it between releases.
    pub name: Cow<'static, str>,
    /// Its own version.
    pub version: Cow<'static, str>,
}

impl PluginMeta {
    /// A plugin of this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) }
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

    /// Adds handlers, observers and jobs to `cx`; all of them go when the plugin is uninstalled.
    ///
    /// # Errors
    /// The plugin's own; nothing of it stays installed then.
    fn install(&self, cx: &mut PluginContext) -> Result<()>;
}

type Uninstall = Box<dyn FnOnce() + Send>;

/// What a plugin is installed with.
pub struct PluginContext {
    bot: Bot,
    name: Arc<str>,
    pending: Vec<Pending>,
    stop: CancellationToken,
    uninstall: Vec<Uninstall>,
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
    /// Runs a job until it ends or the plugin is uninstalled.
    pub fn spawn(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = job => {}
                () = stop.cancelled() => {}
            }
        });
    }
    /// Called once when the plugin is uninstalled.
    pub fn on_uninstall(&mut self, call: impl FnOnce() + Send + 'static) {
        self.uninstall.push(Box::new(call));
    }

    fn push(&mut self, pending: Pending) -> &mut Self {
        self.pending.push(pending);
        self
    }
    fn last(&mut self) -> Option<&mut Pending> {
        self.pending.last_mut()
    }
}

/// An installed plugin.
pub(crate) struct Installed {
    pub(crate) meta: PluginMeta,
    handlers: Vec<u64>,
    stop: CancellationToken,
    uninstall: Vec<Uninstall>,
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.meta.fmt(f)
    }
}

impl Installed {
    pub(crate) fn install(bot: &Bot, plugin: &dyn Plugin) -> Result<Self> {
        let meta = plugin.meta();
        let mut cx = PluginContext {
            bot: bot.clone(),
            name: Arc::from(&*meta.name),
            pending: Vec::new(),
            stop: CancellationToken::new(),
            uninstall: Vec::new(),
        };
        let stop = cx.stop.clone();
        let result = plugin.install(&mut cx).and_then(|()| {
            let missing: Vec<_> = cx.pending.iter().flat_map(|p| p.missing(bot.states())).collect();
            if missing.is_empty() { Ok(()) } else { Err(crate::BuildError::MissingState(missing).into()) }
        });
        if let Err(error) = result {
            stop.cancel();
            return Err(error);
        }
        let registry = &bot.core().handlers;
        let handlers = cx.pending.into_iter().map(|pending| pending.register(registry, Some(&cx.name))).collect();
        Ok(Self { meta, handlers, stop, uninstall: cx.uninstall })
    }

    pub(crate) fn uninstall(self, bot: &Bot) {
        bot.core().handlers.remove(&self.handlers);
        self.stop.cancel();
        self.uninstall.into_iter().for_each(|call| call());
    }
}
