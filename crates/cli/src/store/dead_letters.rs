//! `wechaty dead-letters`: sends that failed for good, or of which nobody knows: listed, tried again, dropped.

use jiff::tz::TimeZone;
use serde::Serialize;
use wechaty::store::{DeadLetter, OpenError, SendSeq, Settlement, SqliteView, Store};
use wechaty_catalogue::{Args, Lang, text};

use super::{change_all, place, times, view};
use crate::{
    args::{ChosenArgs, DeadLettersArgs, DeadLettersCommand},
    control::Ask,
    failure::Failure,
    output, told,
};

/// So many are read at once.
const PAGE: usize = 1_000;

pub(crate) fn run(args: DeadLettersArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        DeadLettersCommand::List { which, json } => {
            let place = place(&which, lang)?;
            let view = view(&place)?;
            let letters = pages(|after| view.dead_letters(after, PAGE), |letter| letter.row.seq)?;
            list(&letters, json, &times::zone(&place), lang)
        }
        DeadLettersCommand::Retry(chosen) => decide(chosen, true, lang),
        DeadLettersCommand::Drop(chosen) => decide(chosen, false, lang),
    }
}

/// All there are, page by page.
fn pages<T>(
    page: impl Fn(SendSeq) -> Result<Vec<T>, OpenError>,
    number: impl Fn(&T) -> SendSeq,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    loop {
        let page = page(all.last().map_or(0, &number)).map_err(|error| super::failure(&error))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What was said about a send, if it is a dead letter.
pub(super) fn detail(view: &SqliteView, seq: SendSeq) -> Result<Option<String>, Failure> {
    let letters = view.dead_letters(seq.saturating_sub(1), 1).map_err(|error| super::failure(&error))?;
    let letter = letters.iter().find(|letter| letter.row.seq == seq);
    Ok(letter.and_then(said).map(str::to_owned))
}

fn said(letter: &DeadLetter) -> Option<&str> {
    match &letter.end {
        Settlement::Dead(dead) => dead.detail.as_deref(),
        _ => None,
    }
}

#[derive(Serialize)]
struct Row<'a> {
    number: SendSeq,
    /// `wechaty trace` takes it.
    receipt: String,
    /// The number of the event in whose run it was said.
    event: Option<u64>,
    account: &'a str,
    conversation: &'a str,
    kind: &'static str,
    text: Option<&'a str>,
    reason: String,
    /// What the platform said, with its code.
    detail: Option<&'a str>,
    attempts: u32,
    said: i64,
    ended: i64,
}

impl<'a> Row<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let row = &letter.row;
        Self {
            number: row.seq,
            receipt: row.key.to_string(),
            event: row.event,
            account: row.account.as_str(),
            conversation: row.to.as_str(),
            kind: row.what.kind(),
            text: row.what.as_text(),
            reason: letter.end.end().into_owned(),
            detail: said(letter),
            attempts: row.attempts,
            said: row.said_at.as_millis(),
            ended: letter.at.as_millis(),
        }
    }
}

fn list(letters: &[DeadLetter], json: bool, zone: &TimeZone, lang: Lang) -> Result<(), Failure> {
    let rows: Vec<_> = letters.iter().map(Row::of).collect();
    if json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        return output::print(&(text(lang, "dead-letters-none", &Args::new()) + "\n"));
    }
    let line = |(letter, row): (&DeadLetter, &Row<'_>)| {
        let words = row.text.map_or_else(|| row.kind.to_owned(), |text| text.chars().take(60).collect());
        let args = Args::new()
            .set("number", row.number.to_string())
            .set("time", times::time(letter.at, zone))
            .set("reason", told::end(lang, &row.reason))
            .set("attempts", row.attempts.to_string())
            .set("account", row.account.to_owned())
            .set("conversation", row.conversation.to_owned())
            .set("words", words.replace(|c: char| c.is_control(), " "));
        let receipt = Args::new().set("receipt", row.receipt.clone());
        let receipt = match row.event {
            Some(event) => text(lang, "dead-letters-answer", &receipt.set("event", format!("e{event}"))),
            None => text(lang, "dead-letters-receipt", &receipt),
        };
        let why = |detail: &str| {
            format!("    {}\n", text(lang, "dead-letters-why", &Args::new().set("why", output::visible(detail))))
        };
        let why = row.detail.map(why).unwrap_or_default();
        format!("{}\n{why}    {receipt}\n", text(lang, "dead-letters-row", &args))
    };
    output::print(&letters.iter().zip(&rows).map(line).collect::<String>())
}

fn decide(chosen: ChosenArgs, again: bool, lang: Lang) -> Result<(), Failure> {
    let place = place(&chosen.which, lang)?;
    let view = view(&place)?;
    let there = pages(|after| view.dead_letter_numbers(after, PAGE), |number| *number)?;
    let list = |numbers: Vec<SendSeq>| {
        numbers.iter().map(SendSeq::to_string).collect::<Vec<_>>().join(&text(lang, "comma", &Args::new()))
    };
    let unknown = |gone, key, others: Vec<SendSeq>| {
        let failure = Failure::usage("W187").set("number", list(gone));
        if others.is_empty() { failure } else { failure.tell(key, Args::new().set("numbers", list(others))) }
    };
    // The last who closes the file takes its log away, and who only reads cannot.
    drop(view);
    let mut numbers = if chosen.all { there.clone() } else { chosen.numbers };
    numbers.sort_unstable();
    numbers.dedup();
    let (known, missing): (Vec<_>, Vec<_>) = numbers.iter().partition(|number| there.binary_search(number).is_ok());
    if !missing.is_empty() {
        return Err(unknown(missing, "dead-letters-untouched", known));
    }
    let ask = |seq: &SendSeq| if again { Ask::Revive { seq: *seq } } else { Ask::Discard { seq: *seq } };
    let done = change_all(&place, numbers.iter().map(ask).collect(), async |store, ask| {
        let done = match *ask {
            Ask::Revive { seq } => store.revive(seq).await.map(|row| row.is_some()),
            Ask::Discard { seq } => store.discard(seq).await,
            _ => Ok(false),
        };
        done.map_err(|error| Failure::failed("W110").source(&error))
    })?;
    let of =
        |what: bool| numbers.iter().zip(&done).filter(|(_, done)| **done == what).map(|(number, _)| *number).collect();
    let (done, gone): (Vec<_>, Vec<_>) = (of(true), of(false));
    // Somebody was faster. Of all there are, that is none that was meant.
    if !gone.is_empty() && !chosen.all {
        let key = if again { "dead-letters-revived-these" } else { "dead-letters-dropped-these" };
        return Err(unknown(gone, key, done));
    }
    let key = if again { "dead-letters-revived" } else { "dead-letters-dropped" };
    output::print(&(text(lang, key, &Args::new().number("count", done.len() as u64)) + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_read_though_a_page_holds_few_of_them() {
        let there: Vec<SendSeq> = (1..=12_345).map(|number| number * 3).collect();
        let page = |after| Ok(there.iter().copied().filter(|number| *number > after).take(PAGE).collect());
        assert!(pages(page, |number| *number).is_ok_and(|all| all == there));
    }
}
