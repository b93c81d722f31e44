//! HOOK: one webhook: its settings, its state, and how much waits for it.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use wechaty::{Bot, WeakBot};
use wechaty_types::AccountId;

use super::{WebhookError, WebhookOptions, WebhookUrlError, address::Address, state::State};

/// How its outlet is called.
const PREFIX: &str = "webhook:";
/// After so many events it is counted again how many wait.
const COUNT_AT: u64 = 256;
/// One that was full is counted again after this: each event of each lane would ask the store otherwise.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is told that one is full.
const TELL: Duration = Duration::from_secs(60);

/// A webhook of a bot, looked at.
#[derive(Debug)]
pub struct Webhook {
    pub(super) options: WebhookOptions,
    pub(super) address: Address,
    pub(super) client: reqwest::Client,
    pub(super) outlet: AccountId,
    pub(super) state: State,
    /// Not held: its outlet belongs to it.
    bot: RwLock<Option<WeakBot>>,
    count: Mutex<Count>,
}

/// How much waits for a webhook, as far as is known. Times are the bot's monotonic ones.
#[derive(Debug)]
struct Count {
    /// Those that waited when it was counted, and all told since.
    waiting: u64,
    since: u64,
    /// When it was counted last, if it was full then.
    full: Option<Duration>,
    /// When it was told last that it is full, and how many were left out since.
    told: Option<Duration>,
    left_out: u64,
}

impl Webhook {
    /// Whether a webhook may be there.
    ///
    /// # Errors
    /// [`WebhookUrlError`]: why not.
    pub fn check_url(url: &str, allow_private: bool) -> Result<(), WebhookUrlError> {
        Address::new(url, allow_private).map(drop)
    }

    /// Looks at the settings.
    ///
    /// # Errors
    /// [`WebhookError`]: it cannot be called like that.
    pub fn new(options: WebhookOptions) -> Result<Arc<Self>, WebhookError> {
        let id = options.id.clone();
        let is_id = |id: &str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if !is_id(&id) {
            return Err(WebhookError::Id { id });
        }
        if options.secrets.is_empty() {
            return Err(WebhookError::Secret { id });
        }
        let address = Address::new(&options.url, options.allow_private)
            .map_err(|source| WebhookError::Url { id: id.clone(), source })?;
        let client = address.client().map_err(|source| WebhookError::Client { id, source })?;
        let outlet = AccountId::new(format!("{PREFIX}{}", options.id));
        // Counted when the first event comes: an earlier life may have left some.
        let count = Count { waiting: 0, since: COUNT_AT, full: None, told: None, left_out: 0 };
        let (state, bot, count) = (State::default(), RwLock::new(None), Mutex::new(count));
        Ok(Arc::new(Self { options, address, client, outlet, state, bot, count }))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.options.id
    }

    /// The bot it belongs to from now on.
    pub(super) fn connect(&self, bot: &Bot) {
        *self.bot.write() = Some(bot.downgrade());
    }

    /// The bot it belongs to, if that is there.
    pub(super) fn bot(&self) -> Option<Bot> {
        self.bot.read().as_ref()?.upgrade()
    }

    /// Whether as many events wait for it as may.
    pub(super) async fn is_full(&self, bot: &Bot) -> bool {
        let now = bot.clock().now();
        {
            let mut count = self.count.lock();
            if count.full.is_some_and(|at| now.saturating_sub(at) < AGAIN) {
                return true;
            }
            count.since += 1;
            let most = count.waiting.saturating_add(count.since);
            if count.full.is_none() && count.since <= COUNT_AT && most <= self.options.waiting {
                return false;
            }
        }
        // It will tell by itself if it fails.
        let Ok(ledger) = bot.store().ledger(Some(&self.outlet)).await else { return false };
        let waiting = ledger.outbound.pending;
        let is_full = waiting >= self.options.waiting;
        let mut count = self.count.lock();
        (count.waiting, count.since) = (waiting, u64::from(!is_full));
        count.full = is_full.then_some(now);
        is_full
    }

    /// That it is full, once a minute.
    pub(super) fn tell_full(&self, now: Duration) {
        let mut count = self.count.lock();
        count.left_out += 1;
        if count.told.is_some_and(|at| now.saturating_sub(at) < TELL) {
            return;
        }
        let left_out = std::mem::take(&mut count.left_out);
        count.told = Some(now);
        drop(count);
        tracing::warn!(
            webhook = self.id(),
            code = "W546",
            left_out,
            "as many events wait for the webhook as may: those beyond are left out"
        );
    }
}
