//! REST: the door of one bot: what its requests share.

use std::{fmt, sync::Arc};

use axum::Router;
use quick_cache::sync::Cache;
use wechaty::{Bot, BotBuilder, Receipt};
use wechaty_types::AccountId;

use crate::{
    RestOptions, auth::Tokens, dispatch, events::Told, idempotency::Keys, limit::Limit, tickets::Tickets,
    uploads::Uploads,
};

/// Of so many sends the receipts are at hand; of others the store is asked.
const RECEIPTS: usize = 10_000;

/// Of a bot that keeps all in memory, so many of its messages that are over can be read.
const RECORDS: usize = 10_000;

/// The door of a bot. Clones are the same door.
#[derive(Clone)]
pub struct Rest(Arc<Inner>);

struct Inner {
    bot: Bot,
    lasting: Arc<Lasting>,
    told: Told,
    options: RestOptions,
}

/// What outlives a stop and start of the bot: a request of the life before may still be under way.
struct Lasting {
    tokens: Tokens,
    tickets: Tickets,
    limit: Limit,
    keys: Keys,
    receipts: Cache<[u8; 16], (Arc<AccountId>, Receipt)>,
    uploads: Uploads,
}

impl Lasting {
    fn new(options: &RestOptions) -> Arc<Self> {
        let tokens = Tokens::new(options.tokens.clone());
        Arc::new(Self {
            limit: Limit::new(options.rate, tokens.len()),
            tokens,
            tickets: Tickets::default(),
            keys: Keys::default(),
            receipts: Cache::new(RECEIPTS),
            uploads: Uploads::new(options),
        })
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("tokens", &self.tokens().len()).finish_non_exhaustive()
    }
}

impl Rest {
    /// For a bot that is there already. What happens from now on is told; webhooks need [`door`](Self::door) or
    /// [`tell`](Self::tell), which add them to a bot in the making.
    pub fn new(bot: &Bot, options: RestOptions) -> Self {
        let told = Told::new(&options);
        told.listen(bot);
        Self::with(bot, options, told)
    }

    pub(crate) fn with(bot: &Bot, options: RestOptions, told: Told) -> Self {
        let lasting = Lasting::new(&options);
        Self::of_life(bot, options, told, lasting)
    }

    /// For one life of a bot.
    fn of_life(bot: &Bot, options: RestOptions, told: Told, lasting: Arc<Lasting>) -> Self {
        Self(Arc::new(Inner { bot: bot.clone(), lasting, told, options }))
    }

    /// Adds the door to a bot in the making: `/api` and `/openapi.json`, the log of its events, and its webhooks.
    pub fn door(builder: BotBuilder, options: RestOptions) -> BotBuilder {
        let (told, lasting) = (Told::new(&options), Lasting::new(&options));
        told.join(builder)
            .remember(RECORDS)
            .door("/api", move |bot| Self::of_life(bot, options.clone(), told.clone(), lasting.clone()).routes())
            .door("/openapi.json", |_| dispatch::document())
    }

    /// Adds what logs events and tells webhooks to a bot in the making, without a door.
    pub fn tell(builder: BotBuilder, options: &RestOptions) -> BotBuilder {
        Told::new(options).join(builder)
    }

    /// What is below `/api`.
    pub fn routes(&self) -> Router {
        dispatch::routes(self)
    }

    pub(crate) fn bot(&self) -> &Bot {
        &self.0.bot
    }
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.lasting.tokens
    }
    pub(crate) fn tickets(&self) -> &Tickets {
        &self.0.lasting.tickets
    }
    pub(crate) fn limit(&self) -> &Limit {
        &self.0.lasting.limit
    }
    pub(crate) fn keys(&self) -> &Keys {
        &self.0.lasting.keys
    }
    pub(crate) fn receipts(&self) -> &Cache<[u8; 16], (Arc<AccountId>, Receipt)> {
        &self.0.lasting.receipts
    }
    /// Uploaded files.
    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.lasting.uploads
    }

    /// Keeps the receipt of a send, so that its state is at hand.
    pub(crate) fn keep(&self, account: Arc<AccountId>, receipt: &Receipt) {
        self.receipts().insert(*receipt.key().as_bytes(), (account, receipt.clone()));
    }

    pub(crate) fn told(&self) -> &Told {
        &self.0.told
    }
    pub(crate) fn options(&self) -> &RestOptions {
        &self.0.options
    }
}
