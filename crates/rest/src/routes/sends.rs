//! SENDS: anything said to anybody, one or many at a time, and what became of it.

use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::{does, location};
use crate::{
    Scope, answer,
    call::Call,
    check,
    problem::Problem,
    receipts::SendState,
    route::{Done, Gives, Kind, Param, Route, Takes},
    say, wire,
};

const TAG: &str = "sends";

/// How long an answer waits, where nothing else is said.
const WAIT: u64 = 20;
/// How long it waits at most: shorter than the host does.
const LONGEST_WAIT: u64 = 30;

/// What every send may be asked.
pub(crate) const WAITS: &[Param] = &[
    Param {
        name: "wait",
        what: "Answer when it is in the outbox (queued, the default), or when the platform took it (sent)",
        kind: Kind::OneOf(&["queued", "sent"]),
    },
    Param {
        name: "timeout",
        what: "Seconds to wait for `sent`; it goes on then. Default: 20",
        kind: Kind::Number(1, LONGEST_WAIT),
    },
];

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::post("/sends", "send", "Says something to a contact or a room, by id or by name", one)
        .of(TAG, Scope::Send)
        .of_account()
        .query(WAITS)
        .takes(Takes::Json("Send"))
        .gives(Gives::Created("SendState"))
        .says(),
    Route::post(
        "/sends:batch",
        "sendBatch",
        "Says up to 100 things; each is taken or refused by itself, also one of the wrong form",
        many,
    )
    .of(TAG, Scope::Send)
    .of_account()
    .query(WAITS)
    .takes(Takes::Json("Batch"))
    .gives(Gives::Json("BatchResult"))
    .says(),
    Route::get("/sends/{id}", "sendState", "What became of a send", state)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("SendState")),
];

does! {
    one = send;
    many = batch;
    state = tell;
}

/// How long a call wants to wait.
pub(crate) fn wait(call: &Call) -> Option<Duration> {
    let seconds = call.number("timeout").unwrap_or(WAIT);
    (call.asked("wait") == Some("sent")).then(|| Duration::from_secs(seconds))
}

async fn send(mut call: Call) -> Done {
    let given: wire::Send = call.read()?;
    let account = call.account()?;
    let said = say::send(&call.rest, account, given, call.told.send_key(0)).await?;
    let state = said.state(&call.rest, account, wait(&call)).await;
    created(&call, &state)
}

/// 201, with where it is.
pub(crate) fn created(call: &Call, state: &SendState) -> Done {
    let mut response = answer::with(StatusCode::CREATED, state)?;
    if let Some(place) = location(call, &format!("/sends/{}", state.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn batch(mut call: Call) -> Done {
    let given: wire::Batch = call.read()?;
    let account = call.account()?;
    let mut said = Vec::with_capacity(given.sends.len());
    // One after the other: what goes to the same conversation keeps its order.
    for (number, one) in given.sends.into_iter().enumerate() {
        said.push(match read(one, number) {
            Ok(one) => say::send(&call.rest, account, one, call.told.send_key(number)).await,
            Err(problem) => Err(problem),
        });
    }
    let clock = call.bot().clock();
    let until = wait(&call).map(|wait| clock.now() + wait);
    let mut results: Vec<Value> = Vec::with_capacity(said.len());
    for one in said {
        results.push(match one {
            Ok(said) => {
                let left = until.map(|until| until.saturating_sub(clock.now()));
                let state = said.state(&call.rest, account, left).await;
                json!({ "status": 201, "send": state })
            }
            Err(problem) => json!({ "status": problem.status.as_u16(), "problem": problem.json(call.lang) }),
        });
    }
    answer::json(&json!({ "results": results }))
}

/// One of a batch, if it is of the form of a send.
fn read(one: Value, number: usize) -> Result<wire::Send, Problem> {
    let at = format!("/sends/{number}");
    check::check_at("Send", &one, &at)?;
    serde_json::from_value(one).map_err(|error| Problem::invalid(&at, &error.to_string()))
}

async fn tell(call: Call) -> Done {
    answer::json(&call.rest.send_state(call.account()?, call.at("id")).await?)
}
