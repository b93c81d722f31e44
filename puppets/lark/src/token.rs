//! TOKENS: the tenant's token, fetched once for all who wait, renewed before it ends, and dropped when it is refused.

use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync;
use wechaty_puppet::{PuppetError, Result, Secret};

use crate::{
    api::Api,
    codes::{about, error},
    json::{number, some},
};

/// How long before its end a token is renewed: the platform gives the same one while half an hour is left.
const EARLY: Duration = Duration::from_secs(600);

/// The token, and what a store app gets it with.
pub(crate) struct Tokens {
    held: sync::Mutex<Option<Held>>,
    /// Of a store app; the platform posts a new one every hour.
    ticket: Mutex<Option<Ticket>>,
}

struct Ticket {
    secret: Secret,
    /// In this life or an earlier one; else it was set.
    is_posted: bool,
}

struct Held {
    token: Secret,
    renew: Duration,
    end: Duration,
}

impl Tokens {
    pub(crate) fn new(ticket: Option<Secret>) -> Self {
        let ticket = ticket.map(|secret| Ticket { secret, is_posted: false });
        Self { held: sync::Mutex::default(), ticket: Mutex::new(ticket) }
    }

    pub(crate) fn has_ticket(&self) -> bool {
        self.ticket.lock().is_some()
    }

    /// The ticket that was posted last.
    pub(crate) fn posted_ticket(&self) -> Option<Secret> {
        self.ticket.lock().as_ref().filter(|ticket| ticket.is_posted).map(|ticket| ticket.secret.clone())
    }

    /// Takes a ticket that was posted.
    pub(crate) fn set_ticket(&self, ticket: &str) {
        *self.ticket.lock() = Some(Ticket { secret: Secret::new(ticket), is_posted: true });
    }

    /// Takes a ticket that was posted in an earlier life, unless one has been in this.
    pub(crate) fn set_old_ticket(&self, ticket: &str) {
        if self.posted_ticket().is_none() {
            self.set_ticket(ticket);
        }
    }

    fn drop_ticket(&self, ticket: &Secret) {
        let mut held = self.ticket.lock();
        if held.as_ref().is_some_and(|held| held.secret == *ticket) {
            *held = None;
        }
    }

    /// A token that is good for a while; who comes meanwhile waits for the same.
    pub(crate) async fn get(&self, api: &Api) -> Result<Secret> {
        let mut held = self.held.lock().await;
        let now = api.clock()?.now();
        if let Some(fresh) = held.as_ref().filter(|held| now < held.renew) {
            return Ok(fresh.token.clone());
        }
        match self.fetch(api, now).await {
            Ok(fresh) => Ok(held.insert(fresh).token.clone()),
            // Renewed early: the old one serves until its end.
            Err(error) => match held.as_mut().filter(|held| now < held.end) {
                Some(old) if !matches!(error, PuppetError::LoginRefused { .. }) => {
                    tracing::warn!(error = %wechaty_puppet::with_causes(&error), "the token could not be renewed yet");
                    old.renew = now + Duration::from_secs(30);
                    Ok(old.token.clone())
                }
                _ => Err(error),
            },
        }
    }

    /// Drops a token that was refused, unless there is another by now.
    pub(crate) async fn refuse(&self, token: &Secret) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.token == *token) {
            *held = None;
        }
    }

    async fn fetch(&self, api: &Api, now: Duration) -> Result<Held> {
        let answer = match &api.options.tenant_key {
            None => {
                let app = api.credentials()?;
                let body = json!({ "app_id": app.app_id, "app_secret": app.secret.tell() });
                post(api, "tenant_access_token/internal", &body).await?
            }
            Some(tenant) => {
                let body = json!({ "app_access_token": self.app_token(api).await?, "tenant_key": tenant });
                post(api, "tenant_access_token", &body).await?
            }
        };
        let Some(token) = some(&answer, "tenant_access_token") else {
            return Err(PuppetError::Protocol { context: DOING, detail: "it holds no token".into() });
        };
        let life =
            Duration::from_secs(number(&answer, "expire").and_then(|life| u64::try_from(life).ok()).unwrap_or(0));
        let early = EARLY.min(life / 10);
        Ok(Held { token: Secret::new(token), renew: now + life - early, end: now + life })
    }

    /// The token of a store app itself, for which it needs a ticket.
    async fn app_token(&self, api: &Api) -> Result<String> {
        let ticket = self.ticket.lock().as_ref().map(|ticket| ticket.secret.clone());
        let app = api.credentials()?;
        let resend = async || {
            let body = json!({ "app_id": app.app_id, "app_secret": app.secret.tell() });
            post(api, "app_ticket/resend", &body).await?;
            Err(PuppetError::NotLoggedIn)
        };
        let Some(ticket) = ticket else { return resend().await };
        let body = json!({ "app_id": app.app_id, "app_secret": app.secret.tell(), "app_ticket": ticket.tell() });
        let answer = match post(api, "app_access_token", &body).await {
            // Another has taken its place, and may have come meanwhile.
            Err(PuppetError::Rejected { code, .. }) if code == OLD_TICKET => {
                self.drop_ticket(&ticket);
                return resend().await;
            }
            answer => answer?,
        };
        some(&answer, "app_access_token")
            .map(str::to_owned)
            .ok_or_else(|| PuppetError::Protocol { context: DOING, detail: "it holds no app token".into() })
    }
}

const DOING: &str = "getting a token";
/// The platform's code for a ticket that is not good, or no longer.
const OLD_TICKET: &str = "10012";

async fn post(api: &Api, path: &str, body: &Value) -> Result<Value> {
    let url = format!("{}/open-apis/auth/v3/{path}", api.hosts().api);
    let (status, answer) = api.ask(DOING, &url, "application/json; charset=utf-8", body.to_string()).await?;
    match number(&answer, "code") {
        Some(0) => Ok(answer),
        // Nothing was changed by it.
        _ if status >= 500 => {
            let source = format!("the platform answered {status}").into();
            Err(PuppetError::Unreachable { context: DOING, source })
        }
        _ => Err(error(about(DOING, "app", ""), status, &answer, None)),
    }
}
