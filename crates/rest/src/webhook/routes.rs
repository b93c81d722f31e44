//! ROUTES: how the webhooks do, a ping to one, and an end of its pause.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use wechaty::{Bot, types::ConversationId};

use super::{Webhook, tell};
use crate::{
    Scope, answer,
    call::Call,
    events::rfc_3339,
    problem::Problem,
    route::{Done, Gives, Route},
};

/// How much longer than the webhook may take an answer to a ping is waited for, and how long at most: the host waits no longer.
const BEYOND: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(40);

/// The routes of webhooks.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/webhooks", "webhookList", "The webhooks, and how they do", list)
        .of("webhooks", Scope::Admin)
        .gives(Gives::Json("Webhooks")),
    Route::post(
        "/webhooks/{webhook}/test",
        "webhookTest",
        "Sends an event of type `ping` to a webhook, and tells what became of it",
        test,
    )
    .of("webhooks", Scope::Admin)
    .gives(Gives::Json("WebhookTest"))
    .refuses(&[404, 409]),
    Route::post("/webhooks/{webhook}/resume", "webhookResume", "Ends the pause of a webhook", resume)
        .of("webhooks", Scope::Admin)
        .gives(Gives::Json("Webhook"))
        .refuses(&[404]),
];

fn list(call: Call) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        call.whole_bot()?;
        let (bot, webhooks, mut all) = (call.bot().clone(), call.rest.told().webhooks.clone(), Vec::new());
        for hook in webhooks.all() {
            all.push(shown(&bot, hook).await?);
        }
        answer::json(&json!({ "items": all }))
    })
}

/// A webhook, without its secrets; of its URL only where it is, as the rest may be one.
async fn shown(bot: &Bot, hook: &Webhook) -> Result<Value, Problem> {
    let store = bot.store();
    let now = hook.state.now(&**store, hook.id()).await;
    let ledger = store.ledger(Some(&hook.outlet)).await.map_err(|error| Problem::internal(&error.to_string()))?;
    let out = ledger.outbound;
    let time = |time| rfc_3339(time);
    Ok(json!({
        "id": hook.id(),
        "url": hook.address.url.origin().ascii_serialization(),
        "account": hook.outlet,
        "paused": now.paused.map(|paused| json!({
            "since": time(wechaty_types::Timestamp::from_millis(paused.since)),
            "why": paused.why,
        })),
        "lastSuccess": now.success.map(time),
        "lastFailure": now.failure.map(|(at, why)| json!({ "time": time(at), "why": why })),
        "pending": out.pending,
        "sent": out.sent,
        "dead": out.dead,
        "rejected": out.rejected,
    }))
}

/// The one that is named; webhooks are of the whole bot, and only for who may run all of it.
fn hook(call: &Call) -> Result<std::sync::Arc<Webhook>, Problem> {
    call.whole_bot()?;
    let id = call.at("webhook");
    call.rest.told().webhooks.find(id).cloned().ok_or_else(|| Problem::unknown("webhook", id))
}

fn test(call: Call) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let (hook, bot) = (hook(&call)?, call.bot().clone());
        if hook.state.now(&**bot.store(), hook.id()).await.paused.is_some() {
            return Err(Problem::new(StatusCode::CONFLICT, "W543", "webhook-is-paused").set("id", hook.id()));
        }
        let failed = |error: wechaty::Error| Problem::internal(&error.to_string());
        let outlet = bot.outlet(hook.outlet.clone()).ok_or_else(|| Problem::unknown("webhook", hook.id()))?;
        // A lane of its own: what waits for the webhook is not waited for.
        let to = ConversationId::Contact(format!("{}:{}", tell::PING, uuid::Uuid::new_v4()).into());
        let (clock, began) = (bot.clock(), bot.clock().wall());
        let told = async { Ok(tell::say(outlet, to, &tell::ping(&bot)).await?.sent().await) };
        let patience = hook.options.timeout.saturating_add(BEYOND).min(LONGEST);
        let (delivered, why) = match clock.timeout(patience, told).await {
            Ok(told) => match told.map_err(failed)? {
                Ok(_) => (true, None),
                Err(error) => (false, Some(error.to_string())),
            },
            Err(_) => (false, Some(format!("no answer within {} s; it goes on being tried", patience.as_secs()))),
        };
        let why = why.map(|why| hook.state.failure(began).unwrap_or(why));
        answer::json(&json!({ "delivered": delivered, "why": why }))
    })
}

fn resume(call: Call) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let (hook, bot) = (hook(&call)?, call.bot().clone());
        let resumed = hook.state.resume(&**bot.store(), hook.id()).await;
        resumed.map_err(|error| Problem::internal(&error.to_string()))?;
        tracing::info!(webhook = hook.id(), "the webhook is told events again");
        answer::json(&shown(&bot, &hook).await?)
    })
}
