//! What commands print on stdout.

use std::io::{ErrorKind, Write};

use wechaty::Ledger;
use wechaty_catalogue::{Args, Lang, text};

use crate::failure::Failure;

/// Prints a text. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::failed("W116").source(&error)),
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Both books, as people read them.
pub(crate) fn ledger(ledger: &Ledger, lang: Lang) -> String {
    let set = |args: Args, (name, count): (&'static str, u64)| args.set(name, count.to_string());
    let (i, o) = (&ledger.inbound, &ledger.outbound);
    let terms = [("merged", i.merged), ("rejected", i.rejected), ("expired", i.expired), ("pending", i.pending)];
    let own = [("received", i.received), ("handled", i.handled), ("duplicates", i.duplicates)];
    let args = terms.into_iter().chain(own).fold(Args::new(), set).set("residue", i.residue.to_string());
    let mut told = text(lang, "ledger-in", &args);
    let terms = [("merged", o.merged), ("rejected", o.rejected), ("expired", o.expired), ("pending", o.pending)];
    let own = [("said", o.said), ("sent", o.sent), ("dead", o.dead), ("dropped", o.dropped), ("doubt", o.maybe_sent)];
    let args = terms.into_iter().chain(own).fold(Args::new(), set).set("residue", o.residue.to_string());
    told += &format!("\n{}", text(lang, "ledger-out", &args));
    for (reason, count) in i.reasons.iter().chain(&o.reasons) {
        told += &format!("\n     {reason}: {count}");
    }
    for (handler, count) in &i.errors {
        let args = Args::new().set("handler", handler).set("count", count.to_string());
        told += &format!("\n     {}", text(lang, "ledger-errors", &args));
    }
    told
}

/// The columns a text takes on a terminal: Chinese characters take two.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}') { 2 } else { 1 }).sum()
}

/// A text and spaces up to so many columns, and one more.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat((columns + 1).saturating_sub(width(text)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_are_told_in_the_english_words_of_the_ledger_and_in_chinese() {
        let mut books = Ledger::default();
        (books.inbound.received, books.inbound.handled, books.inbound.duplicates) = (3, 2, 1);
        (books.outbound.said, books.outbound.sent, books.outbound.maybe_sent) = (9, 8, 7);
        books.inbound.reasons.insert("rejected(full)".to_owned(), 4);
        books.inbound.errors.insert("greet".to_owned(), 5);
        let books = books.balanced();
        assert_eq!(ledger(&books, Lang::En), books.to_string());
        let told = ledger(&books, Lang::Zh);
        assert!(told.starts_with("收：收到 3") && told.contains("发：要发 9") && told.contains("greet"), "{told}");
    }
}
