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
    Hot::load(c, 10, Arc::default()).expect("read")
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
        let send =
            SendIn { account: "shop".into(), key, event: Some(1), body, attempts: 1, claimed_at: Some(2), file: None };
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
