//! Tests of the writing thread: who is to blame for a failure, and what becomes of the others.

use std::path::Path;

use super::{records::SOME_RECORDS, *};
use crate::{hot::EventIn, schema};

const WINDOWS: Windows = Windows { dedupe: 10, keys: 10 };

fn memory() -> Connection {
    let mut c = Connection::open_in_memory().expect("opens");
    schema::migrate(&mut c, Path::new("memory")).expect("made");
    c
}

fn thread(c: &Connection) -> Thread<'_> {
    asked(c).0
}

/// A thread, and the way to it.
fn asked(c: &Connection) -> (Thread<'_>, Sender<Task>) {
    let (tasks, queue) = channel();
    let hot = Hot::load(c, WINDOWS, Arc::default()).expect("read");
    let health = Arc::new(Health::of("nowhere".into()));
    rewrite::look(c, &health);
    let todo = Tasks::new(queue, Arc::default());
    (Thread::new(Db::new(c), todo, hot, WINDOWS, Keep::default(), health, Behind::default()), tasks)
}

type Reply = oneshot::Receiver<std::result::Result<(), StoreError>>;

fn job(context: &'static str, work: impl FnMut() -> Result<()> + Send + 'static) -> (Box<dyn Job>, Reply) {
    let (reply, told) = oneshot::channel();
    let mut work = work;
    let work = move |_: &mut Hot, _: &mut Db<'_>| work();
    (Box::new(Operation::then(context, work, |done| drop(reply.send(done)))), told)
}

#[test]
fn a_full_disk_refuses_a_group_after_few_tries_and_does_what_makes_room() {
    let memory = memory();
    let mut thread = thread(&memory);
    let tries = Arc::<std::sync::atomic::AtomicU32>::default();
    let jobs = (0..GROUP).map(|number| {
        let tries = tries.clone();
        if number % 10 == 7 {
            return job("finishing an event", || Ok(()));
        }
        job("accepting events", move || {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
            Err(rusqlite::Error::SqliteFailure(full, None))
        })
    });
    let (mut group, told): (Vec<_>, Vec<_>) = jobs.unzip();
    thread.work_off(&mut group);
    // After each try all that is known is read again.
    assert_eq!(tries.load(std::sync::atomic::Ordering::Relaxed), ALONE + 1);
    for (number, mut told) in told.into_iter().enumerate() {
        assert_eq!(told.try_recv().expect("it is told").is_ok(), number % 10 == 7, "{number}");
    }
}

#[test]
fn what_is_asked_for_while_a_group_is_written_is_of_it_too() {
    let memory = memory();
    let (mut thread, tasks) = asked(&memory);
    let (second, mut told) = job("accepting events", || Ok(()));
    let mut second = Some(second);
    let (first, _) = job("accepting events", move || {
        second.take().into_iter().for_each(|job| tasks.send(Task::Do(job)).expect("it is there"));
        Ok(())
    });
    thread.work_off(&mut vec![first]);
    assert!(told.try_recv().expect("it is told with the first").is_ok());
}

/// Of a message that came then.
fn record(at: i64) -> Record {
    let event = wechaty_types::Event::message(wechaty_types::MessagePayload::direct("m", "alice", "bot", "tea"));
    let received = Timestamp::from_millis(at);
    let stored = wechaty_store::StoredEvent {
        seq: 1,
        identity: [0; 16],
        conversation: None,
        event,
        received,
        runs: 0,
        hops: Hops::default(),
    };
    Record::of_event(&wechaty_types::AccountId::new("shop"), &stored)
}

#[test]
fn who_reads_waits_for_the_records_before_it_and_keeps_nobody_waiting_for_more_than_some() {
    let memory = memory();
    let mut thread = thread(&memory);
    accept(&mut thread, 1);
    let (shop, record) = (wechaty_types::AccountId::new("shop"), record(1));
    let keep = |thread: &Thread<'_>, count| {
        (0..count).for_each(|_| assert!(thread.waiting.admits()));
        (0..count).for_each(|_| thread.waiting.push(record.clone()));
    };
    let ask = |thread: &mut Thread<'_>| {
        let (reply, told) = oneshot::channel();
        thread.readers.push((thread.waiting.len(), reply));
        told
    };
    let archived = || memory.query_row("SELECT count(*) FROM archive", [], |row| row.get::<_, usize>(0)).expect("read");
    let mut at_once = ask(&mut thread);
    keep(&thread, SOME_RECORDS + 1);
    let mut first = ask(&mut thread);
    keep(&thread, SOME_RECORDS);
    let mut second = ask(&mut thread);
    thread.write_awaited();
    assert!(at_once.try_recv().is_ok() && first.try_recv().is_err());
    assert_eq!(archived(), SOME_RECORDS);
    thread.write_awaited();
    assert!(first.try_recv().is_ok() && second.try_recv().is_err());
    // Those of somebody who is forgotten do not come any more.
    assert_eq!(thread.waiting.forget(&shop, &"alice".into()), 1);
    thread.write_awaited();
    assert!(second.try_recv().is_ok() && thread.readers.is_empty());
    // Nothing can be written: what there is may be read.
    keep(&thread, SOME_RECORDS + 1);
    let mut third = ask(&mut thread);
    memory.execute_batch("ALTER TABLE archive RENAME TO away; ALTER TABLE event RENAME TO lost").expect("renamed");
    thread.write_awaited();
    assert!(third.try_recv().is_ok());
}

#[test]
fn one_that_fails_costs_the_others_nothing() {
    let memory = memory();
    let mut thread = thread(&memory);
    let jobs = (0..100).map(|number| {
        job("accepting events", move || match number {
            50 => Err(rusqlite::Error::InvalidQuery),
            _ => Ok(()),
        })
    });
    let (mut group, told): (Vec<_>, Vec<_>) = jobs.unzip();
    thread.work_off(&mut group);
    let failed = told.into_iter().map(|mut told| told.try_recv().expect("it is told").is_err());
    assert_eq!(failed.enumerate().filter(|(_, failed)| *failed).map(|(n, _)| n).collect::<Vec<_>>(), [50]);
}

fn finish(seq: EventSeq) -> Box<dyn Job> {
    Box::new(Finish::new(vec![(seq, Outcome::Merged)]))
}

fn accept(thread: &mut Thread<'_>, count: usize) {
    let event = || EventIn { dedupe: None, conversation: None, received: 0, body: b"{}".to_vec() };
    let events: Vec<_> = std::iter::repeat_with(event).take(count).collect();
    let work =
        move |hot: &mut Hot, c: &mut Db<'_>| hot.accept(c, &wechaty_types::AccountId::new("shop"), &events, None);
    thread.work_off(&mut vec![Box::new(Operation::behind("accepting events", work))]);
}

fn events(c: &Connection) -> i64 {
    c.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).expect("read")
}

#[test]
fn what_nobody_waits_for_is_done_once_the_file_takes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bot.db");
    let mut c = Connection::open(&path).expect("opens");
    schema::migrate(&mut c, &path).expect("made");
    c.busy_timeout(Duration::ZERO).expect("set");
    let mut thread = thread(&c);
    accept(&mut thread, 3);
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    thread.work_off(&mut vec![finish(1)]);
    let (waits, mut told) = job("accepting events", || Ok(()));
    thread.work_off(&mut vec![finish(2), waits]);
    assert!(told.try_recv().expect("it is told").is_err());
    // Once more, as in a quiet moment.
    thread.work_off(&mut Vec::new());
    assert_eq!((events(&c), thread.behind.is_empty()), (3, false));
    other.execute_batch("COMMIT").expect("free");
    // Done before what comes later, which sees it.
    let work = |hot: &mut Hot, _: &mut Db<'_>| Ok((hot.has_any(1..=2), hot.has_any(3..=3)));
    let (reply, mut told) = oneshot::channel();
    let look = Operation::then("writing", work, |done| drop(reply.send(done)));
    thread.work_off(&mut vec![Box::new(look)]);
    assert_eq!(told.try_recv().expect("it is told").expect("done"), (false, true));
    assert_eq!((events(&c), thread.behind.is_empty()), (1, true));
}

#[test]
fn what_always_fails_is_given_up_and_costs_the_others_nothing() {
    let memory = memory();
    let mut thread = thread(&memory);
    accept(&mut thread, 40);
    let bad = || -> Box<dyn Job> {
        let work = |_: &mut Hot, _: &mut Db<'_>| -> Result<()> { Err(rusqlite::Error::InvalidQuery) };
        Box::new(Operation::behind("finishing an event", work))
    };
    // More bad ones than are tried alone: the good ones behind them wait until those are out of the way.
    let mut group: Vec<_> = (0..6).map(|_| bad()).chain((1..=20).map(finish)).collect();
    for rounds in 0.. {
        thread.work_off(&mut group);
        if thread.behind.is_empty() {
            break;
        }
        assert!(rounds < 20, "it is tried for ever");
    }
    assert_eq!(events(&memory), 20);
    thread.work_off(&mut vec![finish(21)]);
    assert_eq!(events(&memory), 19);
}

#[test]
fn the_thread_is_woken_for_the_first_event_that_was_taken_in() {
    let (tasks, queue) = channel();
    let writer = Writer { tasks: Some(tasks), waiting: Arc::default(), unended: Unended::default(), thread: None };
    writer.taken_in(1..=1, Hops::default());
    writer.taken_in(2..=2, Hops::default());
    assert!(matches!(queue.try_recv(), Ok(Task::Look)));
    assert!(queue.try_recv().is_err(), "it is woken for each");
    assert_eq!(writer.waiting.taken_in_before(None).len(), 2);
    writer.taken_in(3..=3, Hops::default());
    assert!(matches!(queue.try_recv(), Ok(Task::Look)));
}

#[test]
fn a_file_is_full_until_it_has_some_reserve() {
    let (memory, folder) = (memory(), tempfile::tempdir().expect("a folder"));
    let pages: i64 = memory.pragma_query_value(None, "page_count", |row| row.get(0)).expect("read");
    let mut thread = thread(&memory);
    thread.health = Arc::new(Health::of(folder.path().join("bot.db")));
    let most = |pages: i64| memory.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).expect("set");
    let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
    thread.health.tell(&full, "writing");
    for (more, is_over) in [(2, false), (15, false), (40, true)] {
        most(pages + more);
        thread.look_again();
        accept(&mut thread, 1);
        assert_eq!(thread.health.trouble().is_none(), is_over, "{more} pages");
    }
}

/// Who is told adds its number to the list.
fn tells(list: &Arc<parking_lot::Mutex<Vec<u32>>>, number: u32) -> Box<dyn Job> {
    let list = list.clone();
    Box::new(Operation::then(
        "writing",
        |_: &mut Hot, _: &mut Db<'_>| Ok(()),
        move |done| {
            // Nothing was run.
            assert!(done.is_err() && tokio::runtime::Handle::try_current().is_ok(), "told where nothing can be done");
            assert_ne!(number, 1, "planted");
            list.lock().push(number);
        },
    ))
}

#[test]
fn whoever_is_told_and_panics_keeps_it_from_nobody_and_an_ended_runtime_is_not_told() {
    let list = Arc::<parking_lot::Mutex<Vec<u32>>>::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let job = |number| {
        let _inside = runtime.enter();
        tells(&list, number)
    };
    told((0..3).map(job).collect(), None);
    let late = job(3);
    runtime.block_on(tokio::task::yield_now());
    assert_eq!(*list.lock(), [0, 2]);
    drop(runtime);
    told(vec![late], None);
    assert_eq!(*list.lock(), [0, 2]);
}

#[test]
fn a_send_that_cannot_be_recorded_is_told_with_each_flush_also_when_it_was_given_up() {
    let memory = memory();
    let mut thread = thread(&memory);
    let settle = |_: &mut Hot, _: &mut Db<'_>| -> Result<()> { Err(rusqlite::Error::InvalidQuery) };
    thread.flushed().expect("nothing is behind");
    accept(&mut thread, 1);
    thread.work_off(&mut vec![Box::new(Operation::behind("settling a send", settle)), finish(1)]);
    let told = |thread: &mut Thread<'_>| thread.flushed().expect_err("it is not recorded");
    let source = |error: StoreError| std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(
        !thread.behind.is_empty()
            && source(told(&mut thread)).starts_with("sends that went out and are not recorded: 1;")
    );
    while !thread.behind.is_empty() {
        thread.work_off(&mut Vec::new());
    }
    assert!(source(told(&mut thread)).starts_with("sends that went out and are not recorded: 1;"), "it was given up");
}

#[test]
fn notes_that_cannot_be_read_for_now_are_read_later_and_none_stays_behind_its_event() {
    let memory = memory();
    let mut thread = thread(&memory);
    accept(&mut thread, 2);
    let note = |hot: &mut Hot, c: &mut Db<'_>| hot.note(c, 1, "once/pay", Some(b"7"));
    thread.work_off(&mut vec![Box::new(Operation::behind("keeping a note", note))]);
    let notes = || memory.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0)).expect("read");
    assert_eq!(notes(), 1);
    memory.execute_batch("ALTER TABLE note RENAME TO away").expect("renamed");
    thread.roll_back();
    assert!(!thread.is_whole(), "it does without the notes it cannot read");
    memory.execute_batch("ALTER TABLE away RENAME TO note").expect("renamed");
    assert!(thread.is_whole());
    thread.work_off(&mut vec![finish(1)]);
    assert_eq!((events(&memory), notes()), (1, 0));
    // What is damaged stays so, and is nobody's.
    memory.execute_batch("INSERT INTO note VALUES (-1, 'key', x'00')").expect("written");
    thread.roll_back();
    assert!(thread.is_whole());
}

#[test]
fn a_store_that_is_dropped_by_what_it_tells_is_nobody_elses_before_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bot.db");
    let store = Arc::new(crate::SqliteStore::open(&path).expect("opens"));
    let gate = || {
        let ((tell, runs), (opens, wait)) = (channel(), channel::<()>());
        let pass = move || {
            tell.send(()).expect("somebody waits");
            wait.recv().expect_err("it is opened by being dropped");
        };
        (pass, runs, opens)
    };
    let ((first, first_runs, first_gate), (last, last_runs, last_gate)) = (gate(), gate());
    let held = store.clone();
    let hold = move |_: &mut Hot, _: &mut Db<'_>| {
        let _held = &held;
        first();
        Ok(())
    };
    store.writer.run_behind("writing", hold);
    first_runs.recv().expect("it runs");
    let events_in = [EventIn { dedupe: None, conversation: None, received: 0, body: b"{}".to_vec() }];
    store.writer.run_behind("accepting events", move |hot: &mut Hot, c: &mut Db<'_>| {
        last();
        hot.accept(c, &wechaty_types::AccountId::new("shop"), &events_in, None)
    });
    drop(store);
    // The thread drops the store with the first operation, and cannot wait for itself.
    drop(first_gate);
    last_runs.recv().expect("it runs");
    let open = || crate::SqliteStore::open(&path);
    assert!(matches!(open(), Err(crate::OpenError::InUse { .. })), "somebody else has it meanwhile");
    drop(last_gate);
    while matches!(open(), Err(crate::OpenError::InUse { .. })) {
        std::thread::yield_now();
    }
    assert_eq!(events(&Connection::open(&path).expect("opens")), 1);
}

#[tokio::test]
async fn a_group_is_told_in_the_order_it_was_asked_for() {
    let list = Arc::<parking_lot::Mutex<Vec<u32>>>::default();
    told((2..202).map(|number| tells(&list, number)).collect(), None);
    tokio::task::yield_now().await;
    assert_eq!(*list.lock(), (2..202).collect::<Vec<_>>());
}

/// A file whose events cannot be deleted while there is a trigger.
const REFUSE: &str =
    "CREATE TRIGGER refuse BEFORE DELETE ON event WHEN old.seq < 3 BEGIN SELECT raise(FAIL, 'no'); END";

#[test]
fn an_event_whose_end_was_given_up_is_told_with_each_flush_until_it_has_ended() {
    let memory = memory();
    let mut thread = thread(&memory);
    accept(&mut thread, 4);
    memory.execute_batch(REFUSE).expect("made");
    let unended = thread.behind.unended();
    let look = |hot: &mut Hot, _: &mut Db<'_>| Ok(hot.has_any(1..=1));
    let (reply, mut told) = oneshot::channel();
    let other = Operation::then("writing", look, |done| drop(reply.send(done)));
    thread.work_off(&mut vec![finish(1), finish(2), finish(3), Box::new(other)]);
    // Who is told that all before it is done may be told so beside an end that was refused.
    assert!(told.try_recv().expect("it is told").expect("done"));
    assert_eq!(unended.all(), [1, 2].into());
    let of = |thread: &mut Thread<'_>| match thread.flushed() {
        Err(error @ StoreError::Unended { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(of(&mut thread).contains("2 events (e1, e2) are over"), "{}", of(&mut thread));
    while !thread.behind.is_empty() {
        thread.work_off(&mut Vec::new());
    }
    assert_eq!(unended.all(), [].into(), "what was given up runs again");
    assert!(of(&mut thread).contains("2 events (e1, e2) are over"));
    memory.execute_batch("DROP TRIGGER refuse").expect("gone");
    thread.work_off(&mut vec![finish(4)]);
    assert!(of(&mut thread).contains("2 events"), "it was forgotten");
    // They have run again meanwhile.
    thread.work_off(&mut vec![finish(1)]);
    assert!(of(&mut thread).contains("1 event (e2) is over"), "{}", of(&mut thread));
    thread.work_off(&mut vec![finish(2)]);
    thread.flushed().expect("all have ended");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_anew_is_tried_again_later_and_later() {
    let (memory, clock) = (memory(), wechaty_puppet::VirtualClock::new());
    owe(&memory).expect("marked");
    let mut thread = thread(&memory);
    thread.clock = clock.clone().into();
    assert!(thread.health.is_owing(), "an earlier life owes it");
    // A statement that goes on keeps SQLite from it.
    let mut busy = memory.prepare("SELECT name FROM sqlite_schema").expect("prepared");
    let mut rows = busy.query([]).expect("begun");
    rows.next().expect("read");
    // It was read by another clock.
    thread.owed.now();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        thread.pay();
        pauses.push(thread.owed.wait(clock.now()).as_secs());
        clock.advance(thread.owed.wait(clock.now())).await;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    assert!(thread.health.is_owing() && is_owed(&memory).expect("read"));
    drop(rows);
    thread.pay();
    assert!(!thread.health.is_owing() && !is_owed(&memory).expect("read"));
    assert_eq!(thread.owed.wait(clock.now()), Duration::MAX);
}

#[tokio::test]
async fn what_is_too_old_goes_also_when_the_last_transaction_has_failed() {
    let (memory, clock) = (memory(), wechaty_puppet::VirtualClock::new());
    let mut thread = thread(&memory);
    thread.clock = clock.clone().into();
    let (now, day) = (1_700_000_000_000, Duration::from_secs(24 * 60 * 60));
    thread.keep.time = day;
    assert!(thread.waiting.admits());
    thread.waiting.push(Record { ended: Some(Timestamp::from_millis(now)), ..record(now) });
    thread.write_records();
    let archived = || memory.query_row("SELECT count(*) FROM archive", [], |row| row.get::<_, i64>(0)).expect("read");
    // In a quiet moment.
    assert!(!thread.expire() && archived() == 1);
    let (bad, told) = job("accepting events", || Err(rusqlite::Error::InvalidQuery));
    thread.work_off(&mut vec![bad]);
    assert!(told.await.expect("it is told").is_err());
    assert!(!thread.expire());
    assert_eq!(thread.now(), now, "it does not know any more what time it is");
    clock.advance(day * 2).await;
    while thread.expire() {}
    assert_eq!(archived(), 0, "it stays");
}
