//! The book on disk, and behind a restart.

use std::time::Duration;

use wechaty_lark_fake::{Delivery, Fake, Person, Say, Sender, Settings};

/// A fake with a book in a file, where events wait for a connection.
async fn fake(file: &std::path::Path) -> Fake {
    let settings = Settings { patient: true, ..Settings::default() };
    Fake::builder().settings(settings).book(file).start().await.unwrap()
}

#[tokio::test]
async fn a_book_goes_on_in_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("book.json");
    let first = fake(&file).await;
    let said = first.with(|state| {
        let alice = state.add_person(Person { name: "Alice".to_owned(), ..Person::default() });
        state.add_media("image", "a.png", None, vec![0, 255, 7], false);
        state.say(Say { from: alice.open_id, text: "hello".to_owned(), ..Say::default() }).unwrap()
    });
    first.save().unwrap();
    drop(first);
    let second = fake(&file).await;
    second.with(|state| {
        let message = &state.messages[&said];
        assert!(matches!(&message.sender, Sender::Person(id) if state.people[id].name == "Alice"));
        assert_eq!(state.events.values().map(|event| event.state).collect::<Vec<_>>(), [Delivery::Waiting]);
        assert_eq!(state.media.values().next().unwrap().bytes, [0, 255, 7]);
        // What is new comes behind what was there.
        let from = state.people.keys().next().unwrap().clone();
        let next = state.say(Say { from, text: "again".to_owned(), ..Say::default() }).unwrap();
        assert!(next > said);
    });
}

#[tokio::test]
async fn a_restart_keeps_port_and_book() {
    let folder = tempfile::tempdir().unwrap();
    let fake = fake(&folder.path().join("book.json")).await;
    let url = fake.url();
    fake.with(|state| state.add_person(Person::default()));
    fake.restart(Duration::ZERO).await.unwrap();
    assert_eq!(fake.url(), url);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", fake.port())).await.is_ok());
    assert_eq!(fake.with(|state| state.people.len()), 1);
}
