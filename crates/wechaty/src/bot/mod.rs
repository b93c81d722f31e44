//! BOT: one or many accounts that share handlers, store and life cycle.

mod account;
mod builder;
mod core;
mod gauge;
mod lifecycle;
mod once;
mod single;
mod told;

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use wechaty_puppet::Clock;
use wechaty_types::{AccountId, ContactId};

pub use account::{Account, AccountState};
pub use builder::{BotBuilder, BuildError};
pub(crate) use core::Core;
pub use core::Limits;
pub(crate) use gauge::{Gauge, Permit};

use crate::{
    Error, IntoSayable, Ledger, Result, Say,
    handler::States,
    plugin::{Installed, Plugin, PluginMeta},
    store::{MemoryCard, Store},
    user::ContactSelf,
};
use lifecycle::Lifecycle;
pub use lifecycle::until_signal;

/// A bot. Cheap to clone; all clones are the same bot. It runs until it is stopped: dropping the handles is no stop.
#[doc(alias = "Wechaty")]
#[derive(Clone, Debug)]
pub struct Bot(pub(crate) Arc<BotInner>);

#[derive(Debug)]
pub(crate) struct BotInner {
    id: uuid::Uuid,
    name: String,
    timezone: String,
    /// `None`: the builder was given none.
    pub(crate) zone: Option<jiff::tz::TimeZone>,
    owners: Vec<Owner>,
    pub(crate) core: Arc<Core>,
    accounts: Vec<Account>,
    outlets: Vec<Account>,
    memory: MemoryCard,
    plugins: Mutex<Vec<Installed>>,
    lifecycle: Lifecycle,
    #[cfg(feature = "host")]
    pub(crate) host: crate::http::HostPlan,
}

/// Somebody who may tell the bot what to do: a contact of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// On which account.
    pub account: AccountId,
    /// Who.
    pub contact: ContactId,
}

/// A bot that is not held: for what the bot itself holds, such as a puppet or a handler.
#[derive(Clone, Debug)]
pub struct WeakBot(Weak<BotInner>);

impl WeakBot {
    /// The bot, unless nobody holds it any more.
    pub fn upgrade(&self) -> Option<Bot> {
        self.0.upgrade().map(Bot)
    }
}

impl Bot {
    /// The same bot, not held.
    pub fn downgrade(&self) -> WeakBot {
        WeakBot(Arc::downgrade(&self.0))
    }

    /// A bot with one account, in the slot `"default"`.
    pub fn builder(puppet: impl wechaty_puppet::Puppet) -> BotBuilder {
        BotBuilder::new().account("default", puppet)
    }

    /// Unique for this object.
    pub fn id(&self) -> uuid::Uuid {
        self.0.id
    }
    /// What the builder was given, else `"wechaty"`.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// IANA name of the time zone of everything planned; `UTC` unless the builder was given another.
    pub fn timezone(&self) -> &str {
        &self.0.timezone
    }
    /// Who may tell the bot what to do; see [`Contact::is_owner`](crate::Contact::is_owner).
    pub fn owners(&self) -> &[Owner] {
        &self.0.owners
    }
    /// The SDK's version.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.core.clock
    }
    /// What the bot remembers between its lives, if it has a name.
    pub fn memory(&self) -> &MemoryCard {
        &self.0.memory
    }
    /// All accounts, in the order they were given.
    pub fn accounts(&self) -> &[Account] {
        &self.0.accounts
    }
    /// The account in a slot.
    pub fn account(&self, id: impl Into<AccountId>) -> Option<&Account> {
        let id = id.into();
        self.0.accounts.iter().find(|account| *account.id() == id)
    }
    /// All outlets, in the order they were given; see [`BotBuilder::outlet`].
    pub fn outlets(&self) -> &[Account] {
        &self.0.outlets
    }
    /// An outlet. Say something to it by a [handle](Account::contact_handle): what is said into one conversation keeps its
    /// order, conversations go out beside each other.
    pub fn outlet(&self, id: impl Into<AccountId>) -> Option<&Account> {
        let id = id.into();
        self.0.outlets.iter().find(|outlet| *outlet.id() == id)
    }
    /// Accounts and outlets: all that may have sends.
    pub(crate) fn senders(&self) -> impl Iterator<Item = &Account> {
        self.0.accounts.iter().chain(&self.0.outlets)
    }
    /// The first account: the only one of most bots.
    pub fn main_account(&self) -> &Account {
        &self.0.accounts[0]
    }
    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.core.store
    }
    /// Both books at this moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn ledger(&self) -> Result<Ledger> {
        Ok(self.0.core.store.ledger(None).await?)
    }

    /// Whether the first account is logged in.
    #[doc(alias = "isLoggedIn")]
    pub fn is_logged_in(&self) -> bool {
        self.main_account().is_logged_in()
    }
    /// The login QR code the first account waits to be scanned.
    #[doc(alias = "authQrCode")]
    pub fn auth_qr_code(&self) -> Option<String> {
        self.main_account().auth_qr_code()
    }
    /// Who the first account is.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`].
    #[doc(alias = "currentUser")]
    pub fn current_user(&self) -> Result<ContactSelf> {
        self.main_account().current_user()
    }
    /// Waits until contacts and rooms of all accounts are known.
    pub async fn ready(&self) {
        for account in self.accounts() {
            account.ready().await;
        }
    }
    /// Says something to the first account itself.
    pub fn say(&self, what: impl IntoSayable) -> Result<Say> {
        Ok(self.current_user()?.say(what))
    }
    /// Asks the first account's connection for a dong event.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn ding(&self, data: Option<String>) -> Result<()> {
        Ok(self.main_account().puppet().ding(data).await?)
    }
    /// Logs the first account out.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn logout(&self, reason: Option<&str>) -> Result<()> {
        self.main_account().logout(reason).await
    }

    /// Installs a plugin behind those there are.
    ///
    /// # Errors
    /// The plugin's own, a missing state, or a name that is taken.
    #[doc(alias = "use")]
    pub fn install(&self, plugin: impl Plugin) -> Result<()> {
        self.install_dyn(&plugin)
    }

    pub(crate) fn install_dyn(&self, plugin: &dyn Plugin) -> Result<()> {
        let meta = plugin.meta();
        {
            let mut plugins = self.0.plugins.lock();
            if plugins.iter().any(|installed| installed.meta.name == meta.name) {
                return Err(Error::Invalid {
                    what: "plugin",
                    reason: format!(
                        "`{}` is installed already: uninstall it first, or give one another name",
                        meta.name
                    ),
                });
            }
            plugins.push(Installed::reserved(meta.clone()));
        }
        // Without the lock: the plugin may ask for the bot's plugins and install others.
        let installed = Installed::install(self, meta.clone(), plugin);
        let mut plugins = self.0.plugins.lock();
        // Nobody else takes a reserved name out.
        if let Some(at) = plugins.iter().position(|installed| installed.meta.name == meta.name) {
            match installed {
                Ok(installed) => plugins[at] = installed,
                Err(error) => {
                    plugins.remove(at);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Takes a plugin out: its handlers get no further event, its jobs end. False: there is none of that name, or it is
    /// just being installed.
    pub fn uninstall(&self, name: &str) -> bool {
        let mut plugins = self.0.plugins.lock();
        let found = plugins.iter().position(|installed| installed.meta.name == name && installed.is_whole());
        let Some(at) = found else { return false };
        let installed = plugins.remove(at);
        drop(plugins);
        installed.uninstall(self);
        true
    }

    /// What is installed, in order.
    pub fn plugins(&self) -> Vec<PluginMeta> {
        self.0.plugins.lock().iter().map(|installed| installed.meta.clone()).collect()
    }

    /// Names of all handlers and observers.
    pub fn handler_names(&self) -> Vec<String> {
        self.0.core.handlers.names().iter().map(|name| name.to_string()).collect()
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }
    pub(crate) fn states(&self) -> &States {
        &self.0.core.states
    }
}
