//! `wechaty ledger`: both books of a bot that runs beside it; and how books are told, here and at the end of a run.

use wechaty::{Ledger, store::Books};
use wechaty_catalogue::{Args, Lang, text};

use crate::{
    args::LedgerArgs,
    control::{self, Ask, Place},
    failure::Failure,
    output, store, told,
};

pub(crate) fn run(args: LedgerArgs, lang: Lang) -> Result<(), Failure> {
    let place = Place::find(args.bot.as_deref(), args.store.as_deref(), lang)?;
    let books: Books = match control::ask(&place, Ask::Ledger) {
        // It does not run, or cannot write any more; but what it did is written down.
        Err(failure) if ["W170", "W192", "W193"].contains(&failure.code()) && place.file().is_file() => {
            store::view(&place)?.books().map_err(|error| store::failure(&error))?
        }
        asked => asked?,
    };
    match args.json {
        true => output::json(&books)?,
        false => output::print(&(all_in_words(&books, lang) + "\n"))?,
    }
    balanced(&books)
}

/// A residue is a bug, and said to be one. The books themselves have been told already.
pub(crate) fn balanced(books: &Books) -> Result<(), Failure> {
    if books.is_balanced() { Ok(()) } else { Err(Failure::failed("W112")) }
}

/// The books of all; where there are several accounts, below them those of each.
pub(crate) fn all_in_words(books: &Books, lang: Lang) -> String {
    let mut words = in_words(&books.total, lang);
    for (account, ledger) in books.accounts.iter().filter(|_| books.accounts.len() > 1) {
        let title = text(lang, "ledger-account", &Args::new().set("name", account.to_string()));
        words += &*format!("\n\n{title}\n{}", in_words(ledger, lang));
    }
    words
}

/// Both equations; below them reasons and handlers that failed.
fn in_words(ledger: &Ledger, lang: Lang) -> String {
    let (i, o) = (&ledger.inbound, &ledger.outbound);
    let words = |terms: &[(&'static str, u64)], residue: i64| {
        let words = terms.iter().fold(Args::new(), |words, (name, count)| words.set(name, count.to_string()));
        words.set("residue", residue.to_string())
    };
    let inbound = [
        ("received", i.received),
        ("handled", i.handled),
        ("merged", i.merged),
        ("rejected", i.rejected),
        ("expired", i.expired),
        ("pending", i.pending),
        ("duplicates", i.duplicates),
    ];
    let outbound = [
        ("said", o.said),
        ("sent", o.sent),
        ("merged", o.merged),
        ("rejected", o.rejected),
        ("expired", o.expired),
        ("dead", o.dead),
        ("dropped", o.dropped),
        ("maybe_sent", o.maybe_sent),
        ("pending", o.pending),
    ];
    let mut lines = vec![
        text(lang, "ledger-in", &words(&inbound, i.residue)),
        text(lang, "ledger-out", &words(&outbound, o.residue)),
    ];
    let mut line = |key: &str, name: &str, count: u64| {
        lines.push(text(lang, key, &Args::new().set("name", name).set("count", count.to_string())));
    };
    for (reason, count) in i.reasons.iter().chain(&o.reasons) {
        line("ledger-reason", &told::end(lang, reason), *count);
    }
    for (handler, count) in &i.errors {
        line("ledger-errors", handler, *count);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_what_the_ledger_says_itself() {
        let mut ledger = Ledger::default();
        (ledger.inbound.received, ledger.inbound.handled, ledger.inbound.duplicates) = (30_000, 29_999, 7);
        (ledger.outbound.said, ledger.outbound.dead, ledger.outbound.maybe_sent) = (4, 3, 1);
        ledger.outbound.reasons.insert("Rejected: too long".to_owned(), 3);
        ledger.inbound.errors.insert("shop/answer".to_owned(), 2);
        let ledger = ledger.balanced();
        assert_eq!(in_words(&ledger, Lang::En), ledger.to_string());
        let books = Books { total: ledger, ..Books::default() };
        assert!(all_in_words(&books, Lang::Zh).contains("收到 30000 = 已处理 29999"));
        let told = balanced(&books).expect_err("a residue").render(Lang::Zh, false);
        assert!(told.contains("[W112]") && !told.contains("30000"), "the book stands above already: {told}");
    }

    #[test]
    fn a_residue_of_one_account_is_one_though_another_makes_up_for_it() {
        let of = |received, said| {
            let mut ledger = Ledger::default();
            (ledger.inbound.received, ledger.inbound.pending) = (received, 5);
            (ledger.outbound.said, ledger.outbound.sent) = (said, 2);
            ledger.balanced()
        };
        let mut books = Books { accounts: [("a".into(), of(4, 2)), ("b".into(), of(6, 2))].into(), ..Books::default() };
        assert!(balanced(&books).is_err());
        let told = all_in_words(&books, Lang::En);
        assert!(told.contains("account `b`:") && told.contains("residue -1"), "{told}");
        books.accounts.remove("b");
        assert!(!all_in_words(&books, Lang::En).contains("account"), "one account has no books beside the total");
    }
}
