//! Tests of one transaction: what several operations on the same send leave in the file, and when it fails between them.

use std::path::Path;

use wechaty_puppet::Sent;

use super::*;
use crate::schema;

fn file() -> Connection {
    let mut c = Connection::open_in_memory().expect("opens");
    schema::migrate(&mut c, Path::new("memory")).expect("made");
    c
}

fn load(c: &Connection) -> Hot {
    Hot::load(c, Windows { dedupe: 10, keys: 2 }, Arc::default()).expect("read")
}

fn group(hot: &mut Hot, c: &mut Db<'_>, work: impl FnOnce(&mut Hot, &mut Db<'_>) -> Result<()>) {
    c.execute_batch("BEGIN").expect("begun");
    work(hot, c).expect("done");
    hot.roll_up(c).expect("written");
    c.execute_batch("COMMIT").expect("committed");
    assert!(hot.settled.is_empty());
    assert_eq!(known(hot), known(&load(c)), "what is known is not what is in the file");
}

type Known = (Vec<(EventSeq, Vec<Said>)>, Vec<(SendSeq, Option<EventSeq>)>, u64, Option<i64>);

fn known(hot: &Hot) -> Known {
    let mut events: Vec<_> = hot.events.iter().map(|(seq, event)| (*seq, event.said.clone())).collect();
    let mut sends: Vec<_> = hot.sends.iter().map(|(seq, send)| (*seq, send.event)).collect();
    events.sort_by_key(|(seq, _)| *seq);
    sends.sort_by_key(|(seq, _)| *seq);
    (events, sends, hot.dead.count, hot.dead.first.filter(|_| hot.dead.count > 0))
}

/// A file with an event that has said one thing, with the number 1 each.
fn said(c: &mut Db<'_>) -> Hot {
    let mut hot = load(c);
    group(&mut hot, c, |hot, c| {
        let (dedupe, conversation) = (Some([7; 16]), None);
        hot.accept(c, &"shop".into(), &[EventIn { dedupe, conversation, received: 1, body: b"{}".to_vec() }], None)?;
        let (key, body) = (IdempotencyKey::from_bytes([1; 16]), b"{\"until\":9}".to_vec());
        let send = SendIn {
            account: "shop".into(),
            key,
            event: Some(1),
            body,
            attempts: 1,
            claimed_at: Some(2),
            files: Vec::new(),
            keyed: None,
        };
        assert_eq!(hot.enqueue(c, &send)?, Enqueued::New(1));
        Ok(())
    });
    hot
}

fn sent() -> Settlement {
    Settlement::Sent(Sent::new("out-1".into()))
}

fn dead() -> Settlement {
    Settlement::Dead("refused".into())
}

fn finish(hot: &mut Hot, c: &mut Db<'_>) -> Result<()> {
    hot.finish(c, 1, &Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 })
}

/// Rows of the outbox: how they are settled, and their content.
fn rows(c: &Connection) -> Vec<(Option<Settlement>, String)> {
    let mut rows = c.prepare("SELECT settled, body FROM send").expect("read");
    let rows = rows.query_map([], |row| {
        let settled: Option<Vec<u8>> = row.get(0)?;
        let body: Vec<u8> = row.get(1)?;
        Ok((settled.map(|body| row::settlement(&body).expect("a settlement")), String::from_utf8_lossy(&body).into()))
    });
    rows.expect("read").collect::<Result<_>>().expect("read")
}

fn total(c: &Connection, term: &str) -> i64 {
    c.query_row("SELECT coalesce(sum(count), 0) FROM total WHERE term = ?", [term], |row| row.get(0)).expect("read")
}

#[test]
fn what_is_settled_and_finished_at_once_leaves_no_row() {
    for is_settled_first in [true, false] {
        let c = file();
        let mut c = Db::new(&c);
        let mut hot = said(&mut c);
        group(&mut hot, &mut c, |hot, c| {
            if is_settled_first {
                hot.settle(c, 1, &sent(), 5)?;
                finish(hot, c)
            } else {
                finish(hot, c)?;
                hot.settle(c, 1, &sent(), 5)
            }
        });
        assert_eq!(rows(&c), []);
        assert_eq!((total(&c, "out.sent"), total(&c, "in.handled")), (1, 1));
    }
}

#[test]
fn what_is_settled_alone_is_known_to_an_event_that_runs_again() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = said(&mut c);
    group(&mut hot, &mut c, |hot, c| hot.settle(c, 1, &sent(), 5));
    assert_eq!(rows(&c), [(Some(sent()), String::new())]);
    // In a later group.
    group(&mut hot, &mut c, finish);
    assert_eq!(rows(&c), []);
}

#[test]
fn what_is_settled_and_revived_at_once_is_as_it_was() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = said(&mut c);
    group(&mut hot, &mut c, |hot, c| {
        hot.settle(c, 1, &dead(), 5)?;
        assert!(hot.revive(c, 1)?);
        Ok(())
    });
    assert_eq!(rows(&c), [(None, "{}".into())]);
    assert_eq!((total(&c, "out.dead"), hot.said(1)[0].settled.clone()), (0, None));
    // Settled twice in one group, it is the last that counts.
    group(&mut hot, &mut c, |hot, c| {
        hot.settle(c, 1, &dead(), 6)?;
        assert!(hot.revive(c, 1)?);
        hot.settle(c, 1, &sent(), 7)
    });
    assert_eq!(rows(&c), [(Some(sent()), String::new())]);
    assert_eq!((total(&c, "out.dead"), total(&c, "out.sent")), (0, 1));
}

#[test]
fn what_is_revived_behind_the_end_of_its_event_goes_on_without_it() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = said(&mut c);
    group(&mut hot, &mut c, |hot, c| {
        hot.settle(c, 1, &dead(), 5)?;
        finish(hot, c)?;
        assert!(hot.revive(c, 1)?);
        Ok(())
    });
    assert_eq!((rows(&c), known(&hot).1), (vec![(None, "{}".into())], vec![(1, None)]));
}

#[test]
fn what_is_settled_and_discarded_at_once_ends_as_the_event_was_told() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = said(&mut c);
    group(&mut hot, &mut c, |hot, c| {
        hot.settle(c, 1, &dead(), 5)?;
        assert!(hot.discard(c, 1)?);
        Ok(())
    });
    assert_eq!(rows(&c), [(Some(dead()), String::new())]);
    assert_eq!((total(&c, "out.dead"), total(&c, "out.dropped"), hot.dead.count), (0, 1, 0));
}

#[test]
fn a_group_that_fails_in_the_middle_leaves_nothing_behind() {
    type Step = fn(&mut Hot, &mut Db<'_>) -> Result<()>;
    let steps: [Step; 4] = [
        |hot, c| hot.settle(c, 1, &dead(), 5),
        |hot, c| hot.revive(c, 1).map(drop),
        |hot, c| hot.settle(c, 1, &sent(), 6),
        finish,
    ];
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = said(&mut c);
    let before = (known(&hot), rows(&c));
    // Also when it is only the last step, the one that writes what was put off.
    for (done, is_rolled_up) in (0..=steps.len()).flat_map(|done| [(done, false), (done, true)]) {
        c.execute_batch("BEGIN").expect("begun");
        steps[..done].iter().try_for_each(|step| step(&mut hot, &mut c)).expect("done");
        if is_rolled_up {
            hot.roll_up(&mut c).expect("written");
        }
        c.execute_batch("ROLLBACK").expect("rolled back");
        hot = load(&c);
        assert_eq!((known(&hot), rows(&c)), before, "{done}");
        assert_eq!((total(&c, "out.said"), total(&c, "out.dead") + total(&c, "out.sent")), (1, 0));
    }
    group(&mut hot, &mut c, |hot, c| steps.iter().try_for_each(|step| step(hot, c)));
    assert_eq!((rows(&c), total(&c, "out.dead"), total(&c, "out.sent")), (Vec::new(), 0, 1));
}

fn under(number: u8, at: i64) -> SendIn {
    SendIn {
        account: "shop".into(),
        key: IdempotencyKey::from_bytes([number; 16]),
        event: None,
        body: b"{}".to_vec(),
        attempts: 0,
        claimed_at: None,
        files: Vec::new(),
        keyed: Some(at),
    }
}

/// What is known under a key, in memory and in the file.
fn under_key(hot: &Hot, c: &Connection, number: u8, now: i64) -> Option<(SendSeq, Option<Settlement>)> {
    let find = |hot: &Hot| hot.keyed(&"shop".into(), IdempotencyKey::from_bytes([number; 16]), now);
    let found = find(hot);
    assert_eq!(found, find(&load(c)), "what is known is not what is in the file");
    found.map(|said| (said.seq, said.settled))
}

fn keyed_rows(c: &Connection) -> i64 {
    c.query_row("SELECT count(*) FROM keyed", [], |row| row.get(0)).expect("read")
}

#[test]
fn a_key_from_outside_is_told_how_its_send_ended_and_says_nothing_twice() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = load(&c);
    let existing = |settled| Enqueued::Existing { seq: 1, settled };
    group(&mut hot, &mut c, |hot, c| {
        assert_eq!(hot.enqueue(c, &under(1, 0))?, Enqueued::New(1));
        assert_eq!(hot.enqueue(c, &under(1, 0))?, existing(None));
        // The same bytes from inside are no key from outside.
        let inside = SendIn { keyed: None, ..under(1, 0) };
        assert_eq!(hot.enqueue(c, &inside)?, Enqueued::New(2));
        hot.settle(c, 2, &dead(), 5)
    });
    assert_eq!(under_key(&hot, &c, 1, 0), Some((1, None)));
    group(&mut hot, &mut c, |hot, c| hot.settle(c, 1, &sent(), 5));
    assert_eq!((rows(&c), keyed_rows(&c)), (Vec::new(), 1));
    assert_eq!(under_key(&hot, &c, 1, 6), Some((1, Some(sent()))));
    group(&mut hot, &mut c, |hot, c| {
        assert_eq!(hot.enqueue(c, &under(1, 6))?, existing(Some(sent())));
        Ok(())
    });
    assert_eq!((total(&c, "out.said"), rows(&c)), (2, Vec::new()));
}

#[test]
fn a_key_whose_send_failed_may_be_told_anew_and_the_last_counts() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = load(&c);
    group(&mut hot, &mut c, |hot, c| {
        hot.enqueue(c, &under(1, 0))?;
        hot.settle(c, 1, &dead(), 5)
    });
    assert_eq!(under_key(&hot, &c, 1, 6), Some((1, Some(dead()))));
    // Taken back, it waits under its key again.
    group(&mut hot, &mut c, |hot, c| {
        assert!(hot.revive(c, 1)?);
        assert_eq!(hot.enqueue(c, &under(1, 6))?, Enqueued::Existing { seq: 1, settled: None });
        hot.settle(c, 1, &dead(), 5)
    });
    group(&mut hot, &mut c, |hot, c| {
        assert_eq!(hot.enqueue(c, &under(1, 8))?, Enqueued::New(2));
        // Taken back now, it is one without a key: the second has it.
        assert!(hot.revive(c, 1)?);
        hot.settle(c, 1, &sent(), 9)
    });
    assert_eq!((under_key(&hot, &c, 1, 9), keyed_rows(&c)), (Some((2, None)), 1));
}

#[test]
fn keys_from_outside_go_by_number_and_age_and_not_while_they_wait() {
    let c = file();
    let mut c = Db::new(&c);
    let mut hot = load(&c);
    let day = i64::try_from(wechaty_store::KEY_LIFE.as_millis()).expect("a day");
    group(&mut hot, &mut c, |hot, c| {
        (1..=4).try_for_each(|number| hot.enqueue(c, &under(number, 0)).map(drop))?;
        [3, 2, 4].into_iter().try_for_each(|seq| hot.settle(c, seq, &sent(), 10 - seq as i64))
    });
    // Of two it is known how they ended, of those that ended last.
    let known =
        |hot: &Hot, c: &Connection, now| (1..=4).filter(|n| under_key(hot, c, *n, now).is_some()).collect::<Vec<_>>();
    assert_eq!((known(&hot, &c, 8), keyed_rows(&c)), (vec![1, 2, 3], 3));
    assert_eq!(known(&hot, &c, 7 + day), [1, 2]);
    group(&mut hot, &mut c, |hot, c| {
        assert_eq!(hot.enqueue(c, &under(3, 7 + day))?, Enqueued::New(5));
        hot.settle(c, 5, &sent(), 8 + day)
    });
    assert_eq!((known(&hot, &c, 8 + day), keyed_rows(&c)), (vec![1, 3], 2));
    // Also without another send.
    assert!(!hot.keyed.is_to_expire(8 + day) && hot.keyed.is_to_expire(8 + 2 * day));
    group(&mut hot, &mut c, |hot, c| {
        assert!(hot.keyed.expire(c, 8 + 2 * day)? && !hot.keyed.expire(c, 8 + 2 * day)?);
        Ok(())
    });
    assert_eq!((known(&hot, &c, 8), keyed_rows(&c)), (vec![1], 1));
}
