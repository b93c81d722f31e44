//! ACCOUNT: one logged-in identity on one puppet, named by its configured slot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use wechaty_puppet::{AcceptError, BoxError, Capabilities, PlatformName, Puppet, SessionStore, async_trait};
use wechaty_types::{AccountId, ContactId, DirtyEvent, DirtyType, ScanEvent, ScanStatus};

use super::core::Core;
use crate::{
    archive::Noted,
    cache::Caches,
    inbox::choices::Choices,
    outbox::{Begun, Breaker, OutboxPolicy, Pacer, Quotas},
    store::{EventSeq, Outcome, Store, StoreError, StoredEvent},
};

/// Where an account stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// Not started, or stopped.
    #[default]
    Stopped,
    /// The puppet runs and has not said anything yet.
    Starting,
    /// The puppet talks; nobody is logged in.
    Connected,
    /// Logged in as.
    LoggedIn(ContactId),
    /// The connection is lost and will be tried again; why.
    Retrying(String),
    /// It cannot go on; why.
    Failed(String),
}

/// One logged-in identity on one puppet. Cheap to clone.
#[derive(Clone)]
pub struct Account(Arc<AccountInner>);

pub(super) struct AccountInner {
    index: u32,
    id: AccountId,
    puppet: Arc<dyn Puppet>,
    core: Arc<Core>,
    capabilities: ArcSwap<Capabilities>,
    policy: OutboxPolicy,
    pacer: Pacer,
    quotas: Quotas,
    breaker: Breaker,
    begun: Begun,
    choices: Choices,
    adopt: bool,
    me: ArcSwapOption<ContactId>,
    ready: watch::Sender<bool>,
    state: watch::Sender<AccountState>,
    /// Whether the state is `Retrying`, for those who ask before every send.
    cut_off: AtomicBool,
    /// It was stopped by itself, or not started with the others: what is to be sent waits.
    paused: AtomicBool,
    /// Whose turn it is to start or stop it by itself.
    turn: tokio::sync::Mutex<()>,
    /// Sends that are with the puppet.
    sending: TaskTracker,
    /// Events an earlier life left unfinished: they go into their lanes when somebody is logged in.
    backlog: Mutex<Vec<StoredEvent>>,
    /// How far the login that is under way has come.
    scan: Mutex<Option<ScanEvent>>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.0.id).field("platform", &self.platform()).finish()
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How long sends wait for a lost connection before one is tried all the same.
const PROBE: Duration = Duration::from_secs(60);

/// Whether its code is to be scanned.
fn waits(scan: &ScanEvent) -> bool {
    matches!(scan.status, ScanStatus::Waiting | ScanStatus::Timeout)
}

/// Namespace of the identities that logged in before.
const IDENTITY: &str = "identity";

impl Account {
    pub(super) fn new(
        index: u32,
        id: AccountId,
        puppet: Arc<dyn Puppet>,
        core: Arc<Core>,
        policy: OutboxPolicy,
        adopt: bool,
    ) -> Self {
        let capabilities = puppet.capabilities();
        let pacer = Pacer::new(&policy, &capabilities.limits);
        let quotas = Quotas::default();
        quotas.declare(capabilities.limits.quotas);
        Self(Arc::new(AccountInner {
            index,
            id,
            puppet,
            core,
            capabilities: ArcSwap::from_pointee(capabilities),
            breaker: Breaker::new(policy.breaker),
            policy,
            pacer,
            quotas,
            begun: Begun::default(),
            choices: Choices::default(),
            adopt,
            me: ArcSwapOption::empty(),
            ready: watch::Sender::new(false),
            state: watch::Sender::default(),
            cut_off: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
            sending: TaskTracker::new(),
            backlog: Mutex::default(),
            scan: Mutex::default(),
        }))
    }

    /// Whether its puppet is to run: it was started, and has neither been stopped nor failed for good.
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.state(), AccountState::Stopped | AccountState::Failed(_))
    }

    /// The configured slot.
    pub fn id(&self) -> &AccountId {
        &self.0.id
    }
    /// Which messenger.
    pub fn platform(&self) -> PlatformName {
        self.0.puppet.platform()
    }
    /// The adapter, for calls the SDK has no method for. What is sent through it directly is in no ledger.
    pub fn puppet(&self) -> &dyn Puppet {
        &*self.0.puppet
    }
    /// What the puppet can do, as it said when it last connected.
    pub fn capabilities(&self) -> Arc<Capabilities> {
        self.0.capabilities.load_full()
    }
    /// Who is logged in.
    pub fn me(&self) -> Option<Arc<ContactId>> {
        self.0.me.load_full()
    }
    /// Whether somebody is logged in.
    pub fn is_logged_in(&self) -> bool {
        self.0.me.load().is_some()
    }
    /// Where it stands.
    pub fn state(&self) -> AccountState {
        self.0.state.borrow().clone()
    }
    /// Follows where it stands.
    pub fn watch_state(&self) -> watch::Receiver<AccountState> {
        self.0.state.subscribe()
    }
    /// Waits until contacts and rooms are known (the `ready` event).
    pub async fn ready(&self) {
        // The sender lives as long as the account.
        let _ = self.0.ready.subscribe().wait_for(|ready| *ready).await;
    }
    /// Whether contacts and rooms are known.
    pub fn is_ready(&self) -> bool {
        *self.0.ready.borrow()
    }

    /// The login QR code that waits to be scanned; none once it was, or when somebody is logged in.
    #[doc(alias = "authQrCode")]
    pub fn auth_qr_code(&self) -> Option<String> {
        self.scan().filter(waits)?.qrcode
    }

    /// How far the login that is under way has come; nothing once somebody is logged in.
    pub fn scan(&self) -> Option<ScanEvent> {
        let scan = self.0.scan.lock().clone();
        scan.filter(|scan| waits(scan) || !self.is_logged_in())
    }

    pub(crate) fn set_scan(&self, scan: Option<ScanEvent>) {
        *self.0.scan.lock() = scan;
    }

    pub(crate) fn index(&self) -> u32 {
        self.0.index
    }
    /// Whether people open pages of this account.
    #[cfg(feature = "host")]
    pub(crate) fn serves_pages(&self) -> bool {
        self.puppet().webhook().is_some_and(|hook| !hook.pages().is_empty())
    }
    /// Whether it is reached by HTTP: people open its pages, or the platform calls it.
    #[cfg(feature = "host")]
    pub(crate) fn is_served(&self) -> bool {
        self.puppet().webhook().is_some()
    }
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0.core
    }
    pub(crate) fn cache(&self) -> &Caches {
        &self.0.core.caches
    }
    /// Forgets a payload here and on the way to the platform, so that the next load is fresh.
    pub async fn forget_payload(&self, kind: DirtyType, id: &str) {
        self.cache().forget(self.index(), kind, id);
        let what = DirtyEvent { payload_type: kind, payload_id: id.to_owned() };
        if let Err(error) = self.puppet().stale(what).await {
            tracing::debug!(account = %self.id(), %kind, id, %error, "the puppet could not say what is stale");
        }
    }
    pub(crate) fn policy(&self) -> &OutboxPolicy {
        &self.0.policy
    }
    pub(crate) fn pacer(&self) -> &Pacer {
        &self.0.pacer
    }
    pub(crate) fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }
    pub(crate) fn begun(&self) -> &Begun {
        &self.0.begun
    }
    pub(crate) fn choices(&self) -> &Choices {
        &self.0.choices
    }
    pub(crate) fn quotas(&self) -> &Quotas {
        &self.0.quotas
    }
    pub(crate) fn backlog(&self) -> &Mutex<Vec<StoredEvent>> {
        &self.0.backlog
    }

    /// Waits while nobody is logged in but somebody may yet be: a send tried before could only fail.
    pub(crate) async fn until_it_may_send(&self) {
        use AccountState::{Connected, Retrying, Starting};
        let paused = || self.0.paused.load(Ordering::Acquire);
        let coming = |state: &AccountState| matches!(state, Starting | Connected | Retrying(_)) || paused();
        let _ = self.watch_state().wait_for(|state| !coming(state)).await;
    }

    /// Whether the connection is lost and nothing has come through it since.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.0.cut_off.load(Ordering::Acquire)
    }

    /// Waits until the connection is there again; no longer than a minute, as a puppet may come back without a word.
    pub(crate) async fn until_connected(&self) {
        let mut state = self.watch_state();
        let back = state.wait_for(|state| !matches!(state, AccountState::Retrying(_)));
        let _ = self.0.core.clock.timeout(PROBE, back).await;
    }

    pub(super) fn puppet_arc(&self) -> Arc<dyn Puppet> {
        self.0.puppet.clone()
    }
    pub(super) fn set_state(&self, state: AccountState) {
        self.0.cut_off.store(matches!(state, AccountState::Retrying(_)), Ordering::Release);
        self.0.state.send_replace(state);
    }
    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.send_replace(ready);
    }

    /// The puppet talks.
    pub(crate) fn note_alive(&self) {
        self.0.cut_off.store(false, Ordering::Release);
        self.0.state.send_if_modified(|state| {
            let talks = matches!(state, AccountState::Starting | AccountState::Retrying(_));
            if talks {
                *state = match self.me() {
                    Some(me) => AccountState::LoggedIn(ContactId::clone(&me)),
                    None => AccountState::Connected,
                };
            }
            talks
        });
    }

    pub(crate) async fn log_in(&self, found: ContactId) -> Result<(), AcceptError> {
        let inner = &*self.0;
        let store = &inner.core.store;
        let lost = |error: StoreError| AcceptError::Store(Box::new(error));
        let known = store.get(IDENTITY, inner.id.as_str()).await.map_err(lost)?;
        if let Some(known) = &known
            && known.value != found.as_str().as_bytes()
            && !inner.adopt
        {
            let expected = ContactId::new(String::from_utf8_lossy(&known.value).into_owned());
            return Err(AcceptError::Identity { account: inner.id.clone(), expected, found });
        }
        if known.as_ref().is_some_and(|known| known.value != found.as_str().as_bytes()) {
            // Somebody else was adopted.
            self.cache().forget_account(self.index());
        }
        if known.is_none_or(|known| known.value != found.as_str().as_bytes()) {
            let value = Bytes::copy_from_slice(found.as_str().as_bytes());
            store.put(IDENTITY, inner.id.as_str(), None, Some(value)).await.map_err(lost)?;
        }
        let capabilities = inner.puppet.capabilities();
        inner.pacer.declare(&capabilities.limits);
        inner.quotas.declare(capabilities.limits.quotas);
        inner.capabilities.store(Arc::new(capabilities));
        inner.me.store(Some(Arc::new(found.clone())));
        self.set_scan(None);
        self.set_state(AccountState::LoggedIn(found));
        Ok(())
    }

    /// What an earlier life left unfinished, for the next login.
    pub(super) fn take_up(&self, backlog: Vec<StoredEvent>) {
        *self.0.backlog.lock() = backlog;
    }

    /// A start: nobody is logged in yet.
    pub(super) fn starting(&self) {
        self.0.me.store(None);
        self.set_scan(None);
        self.0.paused.store(false, Ordering::Release);
        self.set_state(AccountState::Starting);
    }

    /// It does not run while others do.
    pub(super) fn pause(&self) {
        self.0.paused.store(true, Ordering::Release);
        self.0.me.store(None);
        self.set_scan(None);
        self.set_ready(false);
        self.cache().forget_account(self.index());
        if !matches!(self.state(), AccountState::Failed(_)) {
            self.set_state(AccountState::Stopped);
        }
    }

    /// As long as a send is with the puppet.
    pub(crate) fn sending(&self) -> TaskTrackerToken {
        self.0.sending.token()
    }

    /// Waits for the turn to start or stop it by itself.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    /// Completes when no send is with the puppet.
    pub(super) async fn nothing_is_sent(&self) {
        self.0.sending.close();
        self.0.sending.wait().await;
    }

    /// A start of an outlet: there is nobody to log in, and nothing to wait for.
    pub(super) fn open(&self) {
        let me = ContactId::new(self.0.id.as_str());
        self.0.me.store(Some(Arc::new(me.clone())));
        self.set_state(AccountState::LoggedIn(me));
    }

    pub(crate) fn log_out(&self) {
        self.0.me.store(None);
        self.set_ready(false);
        self.cache().forget_account(self.index());
        self.set_state(AccountState::Connected);
    }

    /// Records what became of an event.
    pub(crate) async fn finish(&self, seq: EventSeq, outcome: Outcome, record: Option<Box<Noted>>) {
        crate::archive::finished(self, record, &outcome);
        let (core, done) = (self.core(), [(seq, outcome)]);
        if let Err(error) = core.insist(|| core.store.finish(self.id(), &done)).await {
            // It stays unfinished there and is handled again after a restart.
            tracing::error!(account = %self.id(), %error, "an event could not be finished in the store");
        }
    }

    pub(super) fn session(&self) -> Arc<dyn SessionStore> {
        Arc::new(Session { store: self.core().store.clone(), namespace: format!("session/{}", self.id()) })
    }
}

/// A puppet's own state in the bot's store.
struct Session {
    store: Arc<dyn Store>,
    namespace: String,
}

#[async_trait]
impl SessionStore for Session {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(self.store.get(&self.namespace, key).await?.map(|found| found.value))
    }
    async fn set(&self, key: &str, value: Option<Bytes>) -> Result<(), BoxError> {
        self.store.put(&self.namespace, key, None, value).await?;
        Ok(())
    }
}
