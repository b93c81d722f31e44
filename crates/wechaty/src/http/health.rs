//! HEALTH: whether the process lives, and whether its accounts can be talked to.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};

use crate::{AccountState, Bot};

pub(super) fn routes(bot: &Bot) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(bot.clone())
}

/// 200 when each account is logged in, else 503; which account stands where.
async fn ready(State(bot): State<Bot>) -> (StatusCode, Json<Value>) {
    let states: serde_json::Map<String, Value> =
        bot.accounts().iter().map(|account| (account.id().to_string(), json!(word(&account.state())))).collect();
    let ready = bot.accounts().iter().all(|account| matches!(account.state(), AccountState::LoggedIn(_)));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "accounts": states })))
}

/// Without the reason: it may hold what is not everybody's business.
fn word(state: &AccountState) -> &'static str {
    match state {
        AccountState::Stopped => "stopped",
        AccountState::Starting => "starting",
        AccountState::Connected => "connected",
        AccountState::LoggedIn(_) => "logged-in",
        AccountState::Retrying(_) => "retrying",
        AccountState::Failed(_) => "failed",
    }
}
