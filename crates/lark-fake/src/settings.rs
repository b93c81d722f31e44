//! SETTINGS: which app there is, how its events go out, and how strictly time and rates are kept.

use serde::{Deserialize, Serialize};

/// Everything that can be set, at the start and over the admin door.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The app's id.
    pub app_id: String,
    /// Its secret.
    pub app_secret: String,
    /// Its name, which is the bot's.
    pub app_name: String,
    /// The bot's open id.
    pub bot_open_id: String,
    /// The one tenant.
    pub tenant_key: String,
    /// A store app: its tokens are made of tickets that come as events.
    pub store_app: bool,
    /// How events go out.
    pub route: Route,
    /// Where webhooks are posted, with what makes them trusted.
    pub webhook: Webhook,
    /// Pauses before an event that was not acknowledged is sent again, in ms. There are no more tries than that.
    pub retries_ms: Vec<u64>,
    /// An event for which there is nobody to send it to waits, and that is no try. The platform is not so patient.
    pub patient: bool,
    /// How long an acknowledgement may take, in ms.
    pub ack_ms: u64,
    /// How long a token lives, in s. The same one is given again until 30 min before its end.
    pub token_seconds: u64,
    /// What clients are told of the long connection.
    pub connection: Connection,
    /// Payloads above this go in fragments, in bytes.
    pub fragment_bytes: usize,
    /// Fragments in any order but the right one.
    pub shuffle: bool,
    /// What of groups the app is told.
    pub group_messages: GroupMessages,
    /// Whether the app is told of texts that people change, as one that has subscribed to `im.message.updated_v1`.
    pub edits: bool,
    /// Whether the platform's rates are kept: 50/s and 1000/min for each API, 5/s for each chat and each message that is
    /// patched, 10/s for each card.
    pub limits: bool,
    /// Between polls of a registration, in s.
    pub poll_seconds: u64,
    /// The tenant's brand, `feishu` or `lark`, as the registration of an app tells it.
    pub brand: String,
}

/// What clients are told of the long connection, in s.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// Between pings.
    pub ping: u64,
    /// Between tries to connect again.
    pub reconnect: u64,
    /// The longest random pause before the first of them.
    pub nonce: u64,
    /// How many; -1 for ever.
    pub count: i64,
    /// How many connections there may be at once.
    pub most: usize,
}

/// Where webhooks are posted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// `http://127.0.0.1:…`
    pub url: String,
    /// The verification token in each of them.
    pub token: String,
    /// With a key they are encrypted and signed.
    pub encrypt_key: String,
}

/// How events go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Over one of the long connections.
    #[default]
    Connection,
    /// Posted to the webhook.
    Webhook,
}

/// What of groups the app is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupMessages {
    /// Everything.
    #[default]
    All,
    /// What mentions the bot.
    Mentions,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_id: "cli_0123456789abcdef".to_owned(),
            app_secret: "fake-secret-0123456789abcdef0123".to_owned(),
            app_name: "Helper".to_owned(),
            bot_open_id: "ou_b0t00000000000000000000000000001".to_owned(),
            tenant_key: "2ed263bf32cf1651".to_owned(),
            store_app: false,
            route: Route::Connection,
            webhook: Webhook::default(),
            retries_ms: vec![15_000, 300_000, 3_600_000, 21_600_000],
            patient: false,
            ack_ms: 3000,
            token_seconds: 7200,
            connection: Connection::default(),
            fragment_bytes: 64 * 1024,
            shuffle: false,
            group_messages: GroupMessages::All,
            edits: true,
            limits: true,
            poll_seconds: 5,
            brand: "feishu".to_owned(),
        }
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self { ping: 120, reconnect: 120, nonce: 30, count: -1, most: 50 }
    }
}
