//! TICKETS: a ticket for a stream that a browser opens.

use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::{
    Scope, answer,
    call::Call,
    route::{Done, Gives, Route},
    tickets::LIFE,
};

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[Route::post(
    "/tickets",
    "ticketIssue",
    "A ticket that stands for the token once, within a minute: for event streams of browsers, which cannot send a header",
    issue,
)
.of("events", Scope::Read)
.gives(Gives::Created("Ticket"))];

fn issue(call: Call) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let ticket = call.rest.tickets().issue(call.bot(), &call.caller)?;
        answer::with(StatusCode::CREATED, &json!({ "ticket": ticket, "expiresIn": LIFE.as_secs() }))
    })
}
