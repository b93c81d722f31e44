//! The archive: what is over is found again by its id, by person, by its words, and goes when its time is over.

use std::time::Duration;

use wechaty_puppet::{Clock, Sent};
use wechaty_store::{Archive, Book, Enqueued, Find, Hops, Messages, Outcome, Record, Settlement, Store, StoredEvent};
use wechaty_store_sqlite::{Keep, SqliteOptions, SqliteStore, SqliteView};
use wechaty_types::{ConversationId, MessageId, Timestamp};

use crate::support::{Place, account, message, say};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + ms)
}

async fn accept(store: &SqliteStore, id: u32, text: &str) -> StoredEvent {
    let accepted = store.accept(&account(), vec![message(id, text)], None).await.expect("writes");
    accepted[0].clone().expect("it is new")
}

/// A message that is answered and over.
async fn conversation(store: &SqliteStore, id: u32, text: &str) -> StoredEvent {
    let event = accept(store, id, text).await;
    let row = say(Some(event.seq), id as u8);
    let Ok(Enqueued::New(seq)) = store.enqueue(&row).await else { panic!("it is new") };
    let end = Settlement::Sent(Sent::new(MessageId::new(format!("out-{id}"))));
    store.settle(&[(seq, end.clone())], at(5)).await.expect("writes");
    let row = wechaty_store::OutboxRow { seq, ..row };
    store.keep(Record::of_send(&row, Some((&end, at(5)))));
    let outcome = Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 };
    store.finish(&account(), &[(event.seq, outcome.clone())]).await.expect("writes");
    let record = Record::of_event(&account(), &event);
    store.keep(Record { ended: Some(at(6)), end: outcome.end(), by: vec!["bot/echo".into()], ..record });
    event
}

/// What is found, once what was kept is written.
async fn find(store: &SqliteStore, what: Find) -> Vec<Record> {
    store.flush().await.expect("writes");
    store.find(what, 100).await.expect("reads")
}

#[tokio::test]
async fn a_message_is_found_by_any_of_its_names_with_what_it_led_to() {
    let place = Place::new();
    let store = place.open();
    let event = conversation(&store, 7, "ding").await;
    conversation(&store, 8, "other").await;
    let key = format!("{:032x}", u128::from_be_bytes(event.identity));
    for name in ["m7".to_owned(), format!("e{}", event.seq), "out-7".to_owned(), key[..12].to_owned()] {
        let found = find(&store, Find::Id(name.clone())).await;
        let way: Vec<_> = found.iter().map(|r| (r.book, r.id.as_deref(), &*r.end, r.text.as_deref())).collect();
        let expected =
            [(Book::In, Some("m7"), "handled", Some("ding")), (Book::Out, Some("out-7"), "sent", Some("dong"))];
        assert_eq!(way, expected, "{name}");
        assert_eq!(*found[0].by, ["bot/echo".into()]);
    }
    // A beginning that fits several gives them all.
    assert_eq!(find(&store, Find::Id("m".into())).await.len(), 2);
    assert!(find(&store, Find::Id("nothing".into())).await.is_empty());
}

#[tokio::test]
async fn what_is_not_over_is_found_too_and_beside_a_running_bot() {
    let place = Place::new();
    let store = place.open();
    let event = accept(&store, 1, "hi").await;
    store.enqueue(&say(Some(event.seq), 1)).await.expect("writes");
    let view = SqliteView::open(&place.path).expect("it can be read");
    let found = view.find(&Find::Last(Some("alice".into())), 10).expect("reads");
    let ends: Vec<_> = found.iter().map(|record| (record.book, &*record.end)).collect();
    assert!(ends.contains(&(Book::In, "pending")) && ends.contains(&(Book::Out, "pending")), "{ends:?}");
    assert_eq!(view.find(&Find::Id("m1".into()), 10).expect("reads")[0].seq, event.seq);
    let said = |words: &str| view.find(&Find::Words(words.into()), 10).expect("reads").len();
    assert_eq!((said("HI"), said("don"), said("hi dong"), said(" ")), (1, 1, 0, 0));
}

#[tokio::test]
async fn somebody_is_found_by_name_wherever_they_said_something() {
    let place = Place::new();
    let store = place.open();
    let kept = async |n: u32, to: &ConversationId, name: Option<&str>| {
        let event = accept(&store, n, "hi").await;
        let record = Record {
            conversation: Some(to.clone()),
            person: Some("alice".into()),
            name: name.map(str::to_owned),
            ended: Some(at(1)),
            end: "handled".into(),
            ..Record::of_event(&account(), &event)
        };
        store.keep(record);
        store.finish(&account(), &[(event.seq, Outcome::Merged)]).await.expect("writes");
    };
    let (direct, room) = (ConversationId::Contact("alice".into()), ConversationId::Room("r".into()));
    // Before the name was known, with it, in a room, and of somebody else.
    kept(1, &direct, None).await;
    kept(2, &direct, Some("爱丽丝")).await;
    kept(3, &room, Some("tea")).await;
    kept(4, &room, None).await;
    let other = accept(&store, 5, "hi").await;
    let person = Some("bob".into());
    let record = Record { person, conversation: None, end: "handled".into(), ..Record::of_event(&account(), &other) };
    store.keep(record);
    store.finish(&account(), &[(other.seq, Outcome::Merged)]).await.expect("writes");
    accept(&store, 6, "not over").await;
    let found = async |name: &str| {
        let found = find(&store, Find::Last(Some(name.into()))).await;
        found.iter().filter_map(|record| record.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("爱丽丝").await, ["m6", "m4", "m3", "m2", "m1"]);
    assert_eq!(found("tea").await, ["m4", "m3"]);
    assert_eq!(found("bob").await, ["m5"]);
    assert_eq!(found("nobody").await.len(), 0);
}

#[tokio::test]
async fn two_chinese_characters_inside_a_sentence_are_found() {
    let place = Place::new();
    let store = place.open();
    for (id, text) in [
        (1, "明天下午的课程表已经发到群里了"),
        (2, "请问还有下午茶吗？"),
        (3, "The timetable for ＡＢＣ is out"),
        (4, "课，程"),
    ] {
        conversation(&store, id, text).await;
    }
    let found = async |words: &str| {
        let found = find(&store, Find::Words(words.into())).await;
        let mut found: Vec<_> = found.iter().filter_map(|record| record.id.clone()).collect();
        found.sort();
        found
    };
    assert_eq!(found("课程").await, ["m1"], "not across the comma of m4");
    assert_eq!(found("下午").await, ["m1", "m2"]);
    assert_eq!(found("课程表").await, ["m1"]);
    assert_eq!(found("表").await, ["m1"]);
    assert_eq!(found("timetab abc").await, ["m3"]);
    assert_eq!(found("下午 群里").await, ["m1"]);
    assert!(found("程课").await.is_empty());
    assert!(found("\" OR *").await.is_empty());
}

#[tokio::test]
async fn records_go_when_there_are_too_many_and_words_stay_out_if_not_wanted() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.keep = Keep::default();
    options.keep.records = 10;
    options.keep.words = false;
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    for id in 0..50 {
        conversation(&store, id, "secret words").await;
        store.flush().await.expect("writes");
    }
    let left = find(&store, Find::Last(None)).await;
    assert!((10..30).contains(&left.len()), "{} are left", left.len());
    assert!(left.iter().all(|record| record.text.is_none()));
    assert!(find(&store, Find::Words("secret".into())).await.is_empty());
    options.keep.time = Duration::from_millis(1);
    drop(store);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let late = accept(&store, 99, "late").await;
    store.keep(Record { ended: Some(at(10_000)), end: "handled".into(), ..Record::of_event(&account(), &late) });
    store.finish(&account(), &[(late.seq, Outcome::Merged)]).await.expect("writes");
    let left = find(&store, Find::Last(None)).await;
    assert_eq!(left.len(), 1, "what is too old is still there");
}

#[tokio::test]
async fn records_grow_old_though_no_other_is_written() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.keep.dead_letter_time = Duration::from_secs(1);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    conversation(&store, 1, "old").await;
    let Ok(Enqueued::New(seq)) = store.enqueue(&say(None, 9)).await else { panic!("it is new") };
    store.settle(&[(seq, Settlement::Dead("refused".into()))], at(0)).await.expect("writes");
    assert_eq!(find(&store, Find::Last(None)).await.len(), 2);
    drop(store);
    options.keep.time = Duration::from_secs(60 * 60);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let later = wechaty_store::Incoming { received: at(2 * 60 * 60 * 1_000), ..message(2, "later") };
    store.accept(&account(), vec![later], None).await.expect("writes");
    let gone = async || {
        let records = store.find(Find::Words("old".into()), 10).await.expect("reads");
        records.is_empty() && store.dead_letters(0, 10).await.expect("reads").is_empty()
    };
    let mut tries = 0;
    while !gone().await {
        tries += 1;
        assert!(tries < 2_000, "what is too old is still there");
    }
    assert!(store.ledger(None).await.expect("reads").is_balanced());
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_moment_takes_nothing_away_later() {
    const HOUR: i64 = 60 * 60 * 1_000;
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.keep.dead_letter_time = Duration::from_secs(60 * 60);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let die = async |number, time| {
        let Ok(Enqueued::New(seq)) = store.enqueue(&say(None, number)).await else { panic!("it is new") };
        store.settle(&[(seq, Settlement::Dead("refused".into()))], at(time)).await.expect("writes");
        store.flush().await.expect("writes");
        seq
    };
    let left = async || {
        let letters = store.dead_letters(0, 10).await.expect("reads");
        letters.iter().map(|letter| letter.row.seq).collect::<Vec<_>>()
    };
    let comes_to = async |expected: &[u64]| {
        let mut tries = 0;
        while left().await != expected {
            tries += 1;
            assert!(tries < 5_000, "there are {:?}", left().await);
        }
    };
    die(1, 0).await;
    let ahead = wechaty_store::Incoming { received: at(100 * 24 * HOUR), ..message(1, "ahead") };
    store.accept(&account(), vec![ahead], None).await.expect("writes");
    comes_to(&[]).await;
    // The clock is right again: what is old by it goes, and nothing else.
    let (old, new) = (die(2, 5 * HOUR).await, die(3, 5 * HOUR + 1).await);
    comes_to(&[old, new]).await;
    let newest = die(4, 6 * HOUR + 1).await;
    comes_to(&[new, newest]).await;
}

#[tokio::test]
async fn a_history_is_of_one_account_and_goes_on_where_a_page_ended() {
    let place = Place::new();
    let store = place.open();
    for id in 1..=3 {
        conversation(&store, id, "ding").await;
    }
    let (other, alice) = ("other".into(), ConversationId::Contact("alice".into()));
    let theirs = store.accept(&other, vec![message(9, "to another account")], None).await.expect("writes");
    store.keep(Record { end: "merged".into(), ..Record::of_event(&other, theirs[0].as_ref().expect("new")) });
    let history = find(&store, Find::History(account(), alice.clone(), None)).await;
    let mut paged = Vec::new();
    loop {
        let before = paged.last().map(|last: &Record| (last.book, last.seq));
        let page = store.find(Find::History(account(), alice.clone(), before), 2).await.expect("reads");
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!((history.len(), &paged), (6, &history));
    assert_eq!(find(&store, Find::History(other, alice, None)).await.len(), 1);
}

#[tokio::test]
async fn reading_messages_waits_for_records_and_not_for_the_log_to_be_emptied() {
    let place = Place::new();
    let store = place.open();
    for id in 0..3 {
        conversation(&store, id, "tea").await;
    }
    let mut log = place.path.clone().into_os_string();
    log.push("-wal");
    let log_bytes = || std::fs::metadata(&log).expect("a log").len();
    let which = Messages { account: account(), conversation: None, words: None, after: None };
    let page = store.messages(which, 100).await.expect("reads");
    let ends: Vec<_> = page.records.iter().map(|record| &*record.end).collect();
    assert_eq!(ends, ["handled", "sent"].repeat(3));
    assert!(log_bytes() > 0, "it is emptied for a reader");
    store.flush().await.expect("writes");
    assert_eq!(log_bytes(), 0);
}

#[tokio::test]
async fn when_an_event_was_taken_in_is_known_while_it_waits_and_when_it_is_over() {
    let place = Place::new();
    let store = place.open();
    let (waits, over) = (accept(&store, 1, "waits").await, accept(&store, 2, "over").await);
    let hops = Hops { committed: Some(at(1)), acked: Some(at(2)) };
    store.taken_in(waits.seq..=over.seq, hops);
    store.finish(&account(), &[(over.seq, Outcome::Merged)]).await.expect("writes");
    store.keep(Record { end: "merged".into(), hops, ..Record::of_event(&account(), &over) });
    store.flush().await.expect("writes");
    // Beside the bot, and after a restart.
    let view = SqliteView::open(&place.path).expect("opens");
    for event in [&waits, &over] {
        let found = view.find(&Find::Id(format!("e{}", event.seq)), 10).expect("reads");
        assert_eq!(found.iter().map(|record| record.hops).collect::<Vec<_>>(), [hops], "{}", event.seq);
    }
    drop((store, view));
    assert_eq!(place.open().unfinished(&account()).await.expect("reads")[0].hops, hops);
}

#[tokio::test]
async fn when_an_event_was_taken_in_is_written_while_nothing_else_happens() {
    let place = Place::new();
    let store = place.open();
    let event = accept(&store, 1, "waits").await;
    let clock = Clock::system();
    // The thread has nothing to do, and lies down.
    clock.sleep(Duration::from_millis(100)).await;
    let hops = Hops { committed: Some(at(1)), acked: Some(at(2)) };
    store.taken_in(event.seq..=event.seq, hops);
    let view = SqliteView::open(&place.path).expect("opens");
    let id = Find::Id(format!("e{}", event.seq));
    let began = clock.now();
    while view.find(&id, 1).expect("reads")[0].hops != hops {
        assert!(clock.now() - began < Duration::from_secs(30), "it is not written");
        clock.sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_a_pending_event_said_comes_with_it() {
    let place = Place::new();
    let store = place.open();
    let (event, other) = (accept(&store, 1, "ding").await, accept(&store, 2, "other").await);
    for (event, key) in [(&event, 1), (&event, 2), (&other, 3)] {
        store.enqueue(&say(Some(event.seq), key)).await.expect("writes");
    }
    let found = find(&store, Find::Id(format!("e{}", event.seq))).await;
    assert_eq!(found.iter().filter(|record| record.book == Book::Out).count(), 2);
    assert_eq!((found.len(), &*found[0].end), (3, "pending"));
}

#[tokio::test]
async fn a_look_is_one_moment() {
    let place = Place::new();
    let store = place.open();
    let event = accept(&store, 1, "ding").await;
    let view = SqliteView::open(&place.path).expect("opens");
    let look = view.look().expect("reads");
    let ends = |found: Vec<Record>| found.into_iter().map(|record| record.end.into_owned()).collect::<Vec<_>>();
    assert_eq!(ends(look.find(&Find::Last(None), 10).expect("reads")), ["pending"]);
    store.finish(&account(), &[(event.seq, Outcome::Merged)]).await.expect("writes");
    store.keep(Record { end: "merged".into(), ended: Some(at(5)), ..Record::of_event(&account(), &event) });
    accept(&store, 2, "later").await;
    store.flush().await.expect("writes");
    for find in [Find::Last(None), Find::Id("m".into()), Find::Id("e1".into())] {
        assert_eq!(ends(look.find(&find, 10).expect("reads")), ["pending"], "{find:?}");
    }
    drop(look);
    assert_eq!(ends(view.find(&Find::Last(None), 10).expect("reads")), ["pending", "merged"]);
}

#[tokio::test]
async fn a_person_is_forgotten_with_all_words_of_them_and_to_them() {
    let place = Place::new();
    let store = place.open();
    conversation(&store, 1, "my number is 12345").await;
    let alice = ConversationId::Contact("alice".into());
    assert_eq!(find(&store, Find::History(account(), alice.clone(), None)).await.len(), 2);
    assert_eq!(store.forget(&account(), &"alice".into()).await.expect("writes"), 2);
    assert!(find(&store, Find::History(account(), alice, None)).await.is_empty());
    assert!(find(&store, Find::Words("12345".into())).await.is_empty());
}

#[tokio::test]
async fn what_is_forgotten_is_nowhere_in_the_file() {
    let place = Place::new();
    let store = place.open();
    for id in 0..60 {
        conversation(&store, id, &format!("my number is 81236{id} 我的密码")).await;
    }
    store.flush().await.expect("writes");
    let words = [&b"81236"[..], "我的密码".as_bytes()];
    let in_file = |word: &[u8]| {
        let files = ["", "-wal"].map(|end| std::fs::read(format!("{}{end}", place.path.display())).unwrap_or_default());
        files.iter().any(|file| file.windows(word.len()).any(|bytes| bytes == word))
    };
    assert!(words.iter().all(|word| in_file(word)), "they are there before");
    store.forget(&account(), &"alice".into()).await.expect("writes");
    store.flush().await.expect("writes");
    assert!(!words.iter().any(|word| in_file(word)), "the open store has them");
    // It goes on as before.
    conversation(&store, 100, "something else").await;
    assert_eq!(find(&store, Find::Words("something".into())).await.len(), 1);
}

#[tokio::test]
async fn what_is_forgotten_while_somebody_reads_is_taken_out_later_also_by_the_next_life() {
    let place = Place::new();
    let store = place.open();
    for id in 0..60 {
        conversation(&store, id, &format!("my number is 81236{id}")).await;
    }
    store.flush().await.expect("writes");
    let view = || SqliteView::open(&place.path).and_then(|view| view.is_forgetting()).expect("reads");
    assert!(!store.is_forgetting() && !view());
    // As a backup does.
    let reader = rusqlite::Connection::open(&place.path).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM archive").expect("read");
    store.forget(&account(), &"alice".into()).await.expect("writes");
    assert!(store.is_forgetting() && view());
    drop(store);
    let next = place.open();
    assert!(next.is_forgetting() && view(), "the next life knows nothing of it");
    drop(reader);
    // The thread looks again by the machine's clock.
    let clock = Clock::system();
    let done = async {
        while next.is_forgetting() {
            clock.sleep(Duration::from_millis(20)).await;
        }
    };
    clock.timeout(Duration::from_secs(60), done).await.expect("it is done while the store is open");
    for end in ["", "-wal"] {
        let file = std::fs::read(format!("{}{end}", place.path.display())).unwrap_or_default();
        assert!(!file.windows(5).any(|bytes| bytes == b"81236"), "they are in the file `{end}`");
    }
    assert!(!view());
}

#[tokio::test]
async fn a_person_is_forgotten_in_what_waits_in_dead_letters_and_in_states() {
    let place = Place::new();
    let store = place.open();
    // Some wait, some are written already, when it is asked.
    for id in 0..200 {
        let event = accept(&store, id, "my number is 12345").await;
        store.keep(Record { ended: Some(at(6)), end: "merged".into(), ..Record::of_event(&account(), &event) });
        store.finish(&account(), &[(event.seq, Outcome::Merged)]).await.expect("writes");
    }
    assert_eq!(store.forget(&account(), &"alice".into()).await.expect("writes"), 200);
    assert!(find(&store, Find::Words("12345".into())).await.is_empty());
    let mut dead = Vec::new();
    for (key, to) in [(1, "alice"), (2, "alice2")] {
        let to = ConversationId::Contact(to.into());
        let row = wechaty_store::OutboxRow { to, ..say(None, key) };
        let Ok(Enqueued::New(seq)) = store.enqueue(&row).await else { panic!("it is new") };
        dead.push((seq, Settlement::Dead("refused".into())));
    }
    store.settle(&dead, at(7)).await.expect("writes");
    let states = [("person/likes", r#"["shop","alice"]"#), ("conversation/step", r#"["shop",{"contact":"alice"}]"#)];
    let others = [("person/likes", r#"["shop","alice2"]"#), ("persons", r#"["shop","alice"]"#)];
    for (namespace, key) in states.into_iter().chain(others) {
        store.put(namespace, key, None, Some("tea".into())).await.expect("writes");
    }
    assert_eq!(store.forget(&account(), &"alice".into()).await.expect("writes"), 1);
    let left = store.dead_letters(0, 10).await.expect("reads");
    assert_eq!(left.iter().map(|letter| letter.row.to.as_str()).collect::<Vec<_>>(), ["alice2"]);
    for (namespace, key) in states {
        assert!(store.get(namespace, key).await.expect("reads").is_none(), "{namespace}");
    }
    for (namespace, key) in others {
        assert!(store.get(namespace, key).await.expect("reads").is_some(), "{namespace}");
    }
    let ledger = store.ledger(None).await.expect("reads");
    assert!(ledger.is_balanced(), "{ledger}");
    assert_eq!((ledger.outbound.dead, ledger.outbound.dropped), (1, 1));
}
