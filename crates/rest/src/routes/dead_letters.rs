//! DEAD LETTERS: sends that failed for good, or of which nobody knows; of an account, or of a webhook.

use serde_json::json;
use wechaty::store::{DeadLetter, Settlement};

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    page::{self, Page},
    problem::Problem,
    receipts::SendState,
    route::{Done, Gives, Route},
};

const TAG: &str = "dead letters";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/dead-letters", "deadLetterList", "Sends that failed for good, or of which nobody knows", list)
        .of(TAG, Scope::Admin)
        .of_sender()
        .query(&[page::LIMIT, page::CURSOR])
        .gives(Gives::Page("DeadLetter")),
    Route::put("/dead-letters/{number}/retry", "deadLetterRetry", "Sends one again", retry)
        .of(TAG, Scope::Admin)
        .of_sender()
        .gives(Gives::Json("SendState")),
    Route::delete("/dead-letters/{number}", "deadLetterDrop", "Drops one", discard).of(TAG, Scope::Admin).of_sender(),
];

does! {
    list = all;
    retry = again;
    discard = throw_away;
}

/// So many are read to fill a page, whosever they are.
const READ: usize = 1_000;

async fn all(call: Call) -> Done {
    let page = Page::of(&call)?;
    let mut after = match &page.after {
        Some(after) => after.parse().map_err(|_| Problem::unknown("cursor", after))?,
        None => 0,
    };
    let account = call.account()?.id();
    let (mut found, mut more) = (Vec::new(), true);
    while more && found.len() < page.limit {
        let letters = call.bot().dead_letters().list(after, READ).await?;
        more = letters.len() == READ;
        for letter in letters {
            if found.len() == page.limit {
                more = true;
                break;
            }
            after = letter.row.seq;
            if letter.row.account == *account {
                found.push(view(&letter));
            }
        }
    }
    page::answer(&call, &found, more.then(|| after.to_string()))
}

fn view(letter: &DeadLetter) -> serde_json::Value {
    let (state, dead) = match &letter.end {
        Settlement::Dead(dead) => ("dead", Some(dead)),
        _ => ("maybe_sent", None),
    };
    json!({
        "number": letter.row.seq,
        "send": letter.row.key.to_string(),
        "account": letter.row.account,
        "to": letter.row.to,
        "kind": letter.row.what.kind(),
        "text": letter.row.what.as_text(),
        "state": state,
        "reason": dead.map(|dead| &dead.reason),
        "detail": dead.and_then(|dead| dead.detail.as_ref()),
        "attempts": letter.row.attempts,
        "at": letter.at.as_millis(),
    })
}

/// Its number, if it is a dead letter of the account.
async fn number(call: &Call) -> Result<u64, Problem> {
    let given = call.at("number");
    let unknown = || Problem::unknown("dead letter", given);
    let number: u64 = given.parse().ok().filter(|number| *number > 0).ok_or_else(unknown)?;
    let found = call.bot().dead_letters().list(number - 1, 1).await?;
    let account = call.account()?.id();
    let is_it = |letter: &DeadLetter| letter.row.seq == number && letter.row.account == *account;
    if found.iter().any(is_it) { Ok(number) } else { Err(unknown()) }
}

async fn again(call: Call) -> Done {
    let number = number(&call).await?;
    let receipt = call.bot().dead_letters().retry(number).await?;
    let receipt = receipt.ok_or_else(|| Problem::unknown("dead letter", call.at("number")))?;
    let account = call.account()?.id();
    call.rest.keep(std::sync::Arc::new(account.clone()), &receipt);
    answer::json(&SendState::of(account, &receipt))
}

async fn throw_away(call: Call) -> Done {
    let number = number(&call).await?;
    match call.bot().dead_letters().drop(number).await? {
        true => answer::nothing(),
        false => Err(Problem::unknown("dead letter", call.at("number"))),
    }
}
