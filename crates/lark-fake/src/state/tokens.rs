//! TOKENS: what the app shows with each call, tickets of store apps, and the registration of an app by QR code.

use serde::{Deserialize, Serialize};

use super::State;

/// While more than this remains of a token the same one is given again, in ms.
const RENEWED: i64 = 30 * 60 * 1000;
/// How long a registration may take, in s.
pub(crate) const REGISTRATION_SECONDS: i64 = 600;

/// The tokens that are good.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tokens {
    tenant: Option<Token>,
    app: Option<Token>,
    /// The ticket of a store app, and when it was made.
    pub(crate) ticket: Option<String>,
    /// Of handshakes that are still to come.
    #[serde(skip)]
    pub(crate) connections: Vec<String>,
    /// How many were made.
    pub(crate) made: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    value: String,
    until: i64,
}

/// An app that somebody is about to register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// What the client polls with.
    pub device_code: String,
    /// Part of the link.
    pub user_code: String,
    /// When it was begun, in ms.
    pub begun: i64,
    /// `None` while nobody has decided.
    pub approved: Option<bool>,
    /// Who did.
    pub by: String,
    /// The client was told to ask less often: the next poll is answered so.
    pub slow_down: bool,
}

impl State {
    /// The tenant's token and how many seconds it lives.
    pub(crate) fn tenant_token(&mut self) -> (String, i64) {
        let (now, life) = (self.now, self.settings.token_seconds as i64 * 1000);
        give(&mut self.tokens.tenant, &mut self.tokens.made, "t-", now, life)
    }

    /// The app's own.
    pub(crate) fn app_token(&mut self) -> (String, i64) {
        let (now, life) = (self.now, self.settings.token_seconds as i64 * 1000);
        give(&mut self.tokens.app, &mut self.tokens.made, "a-", now, life)
    }

    pub(crate) fn is_tenant_token(&self, value: &str) -> bool {
        self.tokens.tenant.as_ref().is_some_and(|token| token.value == value && token.until > self.now)
    }

    pub(crate) fn is_app_token(&self, value: &str) -> bool {
        self.tokens.app.as_ref().is_some_and(|token| token.value == value && token.until > self.now)
    }

    /// No token that was given is good any more.
    pub fn expire_tokens(&mut self) {
        (self.tokens.tenant, self.tokens.app) = (None, None);
    }

    /// A new ticket for a store app, told as an event.
    pub fn send_ticket(&mut self) -> String {
        let ticket = uuid::Uuid::new_v4().simple().to_string();
        self.tokens.ticket = Some(ticket.clone());
        self.emit_ticket(&ticket);
        ticket
    }

    /// How many tokens were made so far.
    pub fn tokens_made(&self) -> u64 {
        self.tokens.made
    }
}

fn give(kept: &mut Option<Token>, made: &mut u64, prefix: &str, now: i64, life: i64) -> (String, i64) {
    if kept.as_ref().is_none_or(|token| token.until - now <= RENEWED.min(life / 2)) {
        let value = format!("{prefix}{}", uuid::Uuid::new_v4().simple());
        *kept = Some(Token { value, until: now + life });
        *made += 1;
    }
    match kept {
        Some(token) => (token.value.clone(), (token.until - now) / 1000),
        None => Default::default(),
    }
}

impl State {
    /// What the next handshake of a long connection must bring.
    pub(crate) fn connection_ticket(&mut self) -> String {
        let ticket = uuid::Uuid::new_v4().to_string();
        self.tokens.connections.push(ticket.clone());
        if self.tokens.connections.len() > 100 {
            self.tokens.connections.remove(0);
        }
        ticket
    }

    /// Takes it; `false`: it is not one, or was taken before.
    pub(crate) fn take_connection_ticket(&mut self, ticket: &str) -> bool {
        let at = self.tokens.connections.iter().position(|one| one == ticket);
        at.map(|at| self.tokens.connections.remove(at)).is_some()
    }
}
