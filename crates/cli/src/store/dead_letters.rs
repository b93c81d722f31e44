//! `wechaty dead-letters`: sends that failed for good, or of which nobody knows: listed, tried again, dropped.

use serde::Serialize;
use wechaty::store::{DeadLetter, SendSeq, Store};
use wechaty_catalogue::{Args, Lang, text};

use super::{change, place, view};
use crate::{
    args::{ChosenArgs, DeadLettersArgs, DeadLettersCommand},
    control::Ask,
    failure::Failure,
    output,
};

/// How many are listed.
const MOST: usize = 10_000;

pub(crate) fn run(args: DeadLettersArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        DeadLettersCommand::List { which, json } => {
            let letters = view(&place(&which, lang)?)?.dead_letters(0, MOST).map_err(|error| super::failure(&error))?;
            list(&letters, json, lang)
        }
        DeadLettersCommand::Retry(chosen) => decide(chosen, true, lang),
        DeadLettersCommand::Drop(chosen) => decide(chosen, false, lang),
    }
}

#[derive(Serialize)]
struct Row<'a> {
    number: SendSeq,
    account: &'a str,
    conversation: &'a str,
    kind: &'static str,
    text: Option<&'a str>,
    reason: String,
    attempts: u32,
    said: i64,
    ended: i64,
}

impl<'a> Row<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let row = &letter.row;
        Self {
            number: row.seq,
            account: row.account.as_str(),
            conversation: row.to.as_str(),
            kind: row.what.kind(),
            text: row.what.as_text(),
            reason: letter.end.end().into_owned(),
            attempts: row.attempts,
            said: row.said_at.as_millis(),
            ended: letter.at.as_millis(),
        }
    }
}

fn list(letters: &[DeadLetter], json: bool, lang: Lang) -> Result<(), Failure> {
    let rows: Vec<_> = letters.iter().map(Row::of).collect();
    if json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        return output::print(&(text(lang, "dead-letters-none", &Args::new()) + "\n"));
    }
    let line = |row: &Row<'_>| {
        let words = row.text.map_or_else(|| row.kind.to_owned(), |text| text.chars().take(60).collect());
        let args = Args::new()
            .set("number", row.number.to_string())
            .set("reason", row.reason.clone())
            .set("attempts", row.attempts.to_string())
            .set("account", row.account.to_owned())
            .set("conversation", row.conversation.to_owned())
            .set("words", words.replace(|c: char| c.is_control(), " "));
        text(lang, "dead-letters-row", &args) + "\n"
    };
    output::print(&rows.iter().map(line).collect::<String>())
}

fn decide(chosen: ChosenArgs, again: bool, lang: Lang) -> Result<(), Failure> {
    let place = place(&chosen.which, lang)?;
    let there = view(&place)?.dead_letters(0, MOST).map_err(|error| super::failure(&error))?;
    let there: Vec<SendSeq> = there.iter().map(|letter| letter.row.seq).collect();
    let numbers = if chosen.all { there.clone() } else { chosen.numbers };
    if let Some(unknown) = numbers.iter().find(|number| !there.contains(number)) {
        return Err(Failure::usage("W187").set("number", unknown.to_string()));
    }
    let count = numbers.len() as u64;
    for seq in numbers {
        let ask = if again { Ask::Revive { seq } } else { Ask::Discard { seq } };
        let _: bool = change(&place, ask, async |store| {
            let done = match again {
                true => store.revive(seq).await.map(|row| row.is_some()),
                false => store.discard(seq).await,
            };
            done.map_err(|error| Failure::failed("W110").source(&error))
        })?;
    }
    let key = if again { "dead-letters-revived" } else { "dead-letters-dropped" };
    output::print(&(text(lang, key, &Args::new().number("count", count)) + "\n"))
}
