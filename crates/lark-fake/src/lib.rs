//! A fake Lark (Feishu) server with its own book: what the puppet is tested against, and what the platform's own SDKs
//! accept. It shares no code with the puppet, but for the clock that both are given.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use wechaty_lark_fake::{Fake, Person, Say};
//!
//! let fake = Fake::builder().start().await?;
//! let alice = fake.with(|state| state.add_person(Person { name: "Alice".to_owned(), ..Person::default() }));
//! // … a bot connects to fake.url() …
//! fake.with(|state| state.say(Say { from: alice.open_id, text: "ding".to_owned(), ..Say::default() })).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! The same over HTTP, for tests in other languages and for the program `lark-fake`: the README of this crate lists the
//! calls of `/admin/…`.

mod admin;
mod api;
mod events;
mod fake;
mod http;
mod refusal;
mod serve;
mod settings;
mod shared;
mod state;

pub use self::{
    events::{
        crypt::{encrypt, sign},
        frame::{CONTROL, DATA, Frame},
    },
    fake::{Builder, Fake},
    refusal::Refusal,
    settings::{Connection, GroupMessages, Route, Settings, Webhook},
    state::{
        Announcement, Attempt, Card, Chat, Delivery, Department, Edit, Event, EventFault, EventTrouble, Fault, Group,
        Media, Mention, Message, Person, Reaction, Registration, Say, Sender, State, Trouble,
    },
};
