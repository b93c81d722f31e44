//! HEALTH: whether the process lives, and whether its accounts can be talked to.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};

use crate::{AccountState, Bot, store::Trouble};

pub(super) fn routes(bot: &Bot) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(bot.clone())
}

/// 200 when each account is logged in and the store takes what is new, else 503; which account stands where, and what is
/// wrong with the store, if something is; `forgetting`: words of who was forgotten may still be in its file.
async fn ready(State(bot): State<Bot>) -> (StatusCode, Json<Value>) {
    let states: serde_json::Map<String, Value> =
        bot.accounts().iter().map(|account| (account.id().to_string(), json!(word(&account.state())))).collect();
    let trouble = bot.store().trouble();
    let ready = trouble.is_none_or(|trouble| trouble == Trouble::Damaged);
    let ready = ready && bot.accounts().iter().all(|account| matches!(account.state(), AccountState::LoggedIn(_)));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut told = json!({ "ready": ready, "accounts": states });
    if let Some(trouble) = trouble {
        told["store"] = json!(trouble);
    }
    if bot.store().archive().is_some_and(|archive| archive.is_forgetting()) {
        told["forgetting"] = json!(true);
    }
    (status, Json(told))
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
