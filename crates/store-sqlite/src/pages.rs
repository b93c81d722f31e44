//! Pages: an account's messages out of the archive, by the numbers of its rows.

use rusqlite::{Connection, ToSql, params};
use wechaty_store::{Book, Ended, MessagePage, Messages, Record};

use crate::{archive, words};

/// A page at one moment.
pub(crate) fn messages(c: &Connection, which: &Messages, limit: usize) -> rusqlite::Result<MessagePage> {
    let moment = c.unchecked_transaction()?;
    let last: Option<i64> = moment.prepare_cached("SELECT max(id) FROM archive")?.query_row([], |row| row.get(0))?;
    let last = last.and_then(|last| u64::try_from(last).ok()).unwrap_or_default();
    let open = |ended: Option<Ended>| {
        let mut open = archive::unfinished(&moment, None)?;
        open.retain(|record| which.fits(record));
        // One that has just ended is written down before it is taken out of the journal; and what came back was told as said.
        let told = "SELECT 1 FROM archive WHERE book = 0 AND seq = ?1 UNION ALL SELECT 1 FROM archive
                    WHERE platform_id = ?2 AND book = 1 AND account = (SELECT id FROM account WHERE name = ?3)";
        let mut told = moment.prepare_cached(told)?;
        let mut left = Vec::with_capacity(open.len());
        for record in open {
            let is_in = record.book == Book::In;
            if !is_in || !told.exists(params![record.seq, record.id, which.account.as_str()])? {
                left.push(record);
            }
        }
        let mut open = left;
        if let Some(ended) = ended {
            open.extend(rows_behind(&moment, which, ended)?);
        }
        Ok(open)
    };
    which.page(limit, last, open, |upto, most| {
        rows(&moment, which, &Side { only: "archive.id <= ?", args: &[&upto], order: "archive.id DESC" }, most)
    })
}

/// What has ended since the first page. No cursor, whoever made it, has more of the archive read into memory than a page.
fn rows_behind(c: &Connection, which: &Messages, ended: Ended) -> rusqlite::Result<Vec<Record>> {
    let Ended { behind, before: (began, seq, is_out), most } = ended;
    let side = Side {
        only: "archive.id > ? AND (began, seq, book) < (?, ?, ?)",
        args: &[&behind, &began, &seq, &is_out],
        order: "began DESC, seq DESC, book DESC",
    };
    Ok(rows(c, which, &side, most)?.into_iter().map(|(_, record)| record).collect())
}

/// Where in the archive a page is.
struct Side<'a> {
    only: &'static str,
    args: &'a [&'a dyn ToSql],
    order: &'static str,
}

/// Rows of a side that fit, in its order.
fn rows(c: &Connection, which: &Messages, side: &Side<'_>, most: usize) -> rusqlite::Result<Vec<(u64, Record)>> {
    let Side { only, order, .. } = side;
    let (account, most) = (which.account.as_str(), i64::try_from(most).unwrap_or(i64::MAX));
    // What is said comes back as an event of its own on many a platform: it is told once, as what was said.
    let mut tail = format!(
        "account.name = ? AND {only} AND (book = 1 OR kind = 'message' AND NOT EXISTS (
             SELECT 1 FROM archive said WHERE said.platform_id = archive.platform_id AND said.book = 1
             AND said.account = archive.account))"
    );
    let mut args: Vec<&dyn ToSql> = vec![&account];
    args.extend_from_slice(side.args);
    let conversation = which.conversation.as_ref().map(archive::json).transpose()?;
    if let Some(conversation) = &conversation {
        tail += " AND conversation = ?";
        args.push(conversation);
    }
    let question = which.words.as_deref().map(words::question);
    match &question {
        Some(None) => return Ok(Vec::new()),
        Some(Some(question)) => {
            tail += " AND archive.id IN (SELECT rowid FROM archive_words WHERE archive_words MATCH ?)";
            args.push(question);
        }
        None => {}
    }
    args.push(&most);
    let sql = format!(
        "SELECT {}, archive.id FROM archive JOIN account ON account.id = archive.account WHERE {tail}
         ORDER BY {order} LIMIT ?",
        archive::COLUMNS
    );
    let mut query = c.prepare_cached(&sql)?;
    let found = query.query_map(&args[..], |row| Ok((row.get::<_, i64>(19)?.unsigned_abs(), archive::record(row)?)))?;
    found.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::schema;

    const ROWS: u64 = 1_000;

    /// All that is over, in an order that is not that of when it began.
    fn filled() -> Connection {
        let mut c = Connection::open_in_memory().expect("opens");
        schema::migrate(&mut c, Path::new("memory")).expect("made");
        let fill = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
                    INSERT INTO archive SELECT id, id % 2, id, 1, 'message', NULL, zeroblob(16), NULL, NULL, NULL, '',
                    id * 7 % 100, NULL, id, 'handled', 0, NULL, NULL, NULL, NULL FROM n";
        c.execute("INSERT INTO account (id, name) VALUES (1, 'shop')", []).expect("filled");
        c.execute(fill, [ROWS]).expect("filled");
        c
    }

    fn which(cursor: &str) -> Messages {
        let after = Some(cursor.parse().expect("a cursor"));
        Messages { account: "shop".into(), conversation: None, words: None, after }
    }

    #[test]
    fn a_cursor_that_asks_for_all_of_the_archive_is_given_a_page_of_it() {
        let c = filled();
        let mut which = which("0.9223372036854775807.0.0");
        let all = Ended { behind: 0, before: (i64::MAX, 0, false), most: 11 };
        let read = rows_behind(&c, &which, all).expect("read");
        assert_eq!((read.len(), read[0].began.as_millis(), read[0].seq), (11, 99, 957));
        let mut told = Vec::new();
        while which.after.is_some() {
            let page = messages(&c, &which, 64).expect("read");
            assert!(page.records.len() <= 64);
            told.extend(page.records.iter().map(|record| (record.began, record.seq, record.book as u8)));
            which.after = page.next;
        }
        assert!(told.is_sorted_by(|one, next| one > next), "one is told twice, or out of order");
        assert_eq!(told.len() as u64, ROWS);
    }
}
