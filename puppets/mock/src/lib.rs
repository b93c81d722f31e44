//! PUPPET `mock`: a simulated world loaded from a world file. No network, no credentials, the injected clock.
//!
//! ```text
//! world file → World → MockPuppet → events → bot → send → book of sends
//! ```
//!
//! # What is decided here where the world file leaves it open
//!
//! **Reading.** Absent keys are empty; a contact without `type` is an individual. Unknown keys are errors, everywhere.
//! A world without `features` has all of them (not `stub`, not the extensions `rich` and `idsOnly`); one with
//! `features` has those it sets to true, and `posts` unless set to false. `acceptUrlFile` is read and ignored.
//!
//! **The run.** Each run begins with the world as in the file; the book of sends, the remembered keys and the numbers
//! in new ids go on. Calls that read are answered at any time, those that change or send only during a run and not
//! after a logout (`NotLoggedIn`). Nobody needs to be logged in yet: a world need not script a login.
//!
//! **Events.** Dirty events precede the event whose change they tell; a changed room makes both Room and RoomMember
//! dirty. The bot's own changes give dirty events and nothing else, but for an accepted invitation: a `room-join` tells
//! where it led. An event that cannot be stored is offered again every second. An
//! entry of the timeline that the bot has made impossible (a join into a room that it dismissed) is skipped; an `error`
//! event tells which.
//!
//! **Sending.** Ids: `sent-<ms>-<n>`. The echo has the id and the payload of the sent message, whether or not the bot
//! is told the id; forwards are not echoed. Without `storeSent` the loader knows nothing of a sent message, unless its
//! id was told or its echo carried only an id: with `sendReturnsId` the loader then answers who, when, where and which
//! type, but not what. A forward tells its id whenever `forward` is on. `recall` is true once for each message sent
//! in this run. A key is remembered for ten minutes, at most 65,536 keys.
//!
//! **Rooms.** `add` with `invite_only` changes nothing. A room we left is not listed and takes no sends, but loads; a
//! dismissed one is gone. An accepted invitation founds a new room `room-<n>@mock` without owner; accepting twice
//! changes nothing.
//!
//! # Extensions of the world file
//!
//! - `posts`: list of `id`, `contactId`, `timestamp`, `type` (name, default `Moment`), `parentId`, `rootId`,
//!   `sayableList` (message ids), `taps` (`{"Like": [contact ids]}`); the feature `posts`; the timeline event `post`.
//! - Features `rich` (Markdown, cards, menus, edits, reactions, typing, pins, readers, growing messages, room
//!   administration) and `idsOnly` (events without payloads).
//! - Timeline events `room-announce`, `action`, `message-edit`, `message-recall`, `reaction` in the form of
//!   [`EventPayload`](wechaty_puppet::EventPayload).

mod book;
mod capability;
mod change;
mod content;
mod inject;
mod puppet;
mod send;
mod state;
mod timeline;
mod watch;
mod world;

use std::sync::Arc;

use wechaty_puppet::{
    Capabilities, Capability, Declaration, Live, PlatformName, Puppet, Setting, SettingKind, Settings, SettingsError,
    Words,
};

pub use book::SentRecord;
pub use puppet::{MockPuppet, MockPuppetBuilder};
pub use world::{Features, World, WorldError, WorldFault, phrases::PHRASES};

pub(crate) const PLATFORM: PlatformName = PlatformName::new("mock");

/// How the mock puppet presents itself to command line, configuration and docs.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "A simulated world of people, rooms and messages with a timeline, loaded from a world file",
    docs: "https://github.com/wechaty/wechaty-rust/tree/main/puppets/mock",
    live: Live::Own,
    settings: SETTINGS,
    capabilities: at_most,
    lacks: &[],
    build,
    check: None,
};

const SETTINGS: &[Setting] = &[
    Setting {
        key: "world",
        kind: SettingKind::Path,
        required: false,
        default: None,
        env: &["WECHATY_PUPPET_MOCK_WORLD"],
        help: "The world file; without it, the small world that comes with the puppet",
    },
    Setting {
        key: "ids_only",
        kind: SettingKind::Bool,
        required: false,
        default: None,
        env: &["WECHATY_PUPPET_MOCK_IDS_ONLY"],
        help: "Events carry ids only, as over gRPC; without it, as the world says (`idsOnly`)",
    },
];

fn at_most() -> Capabilities {
    let mut capabilities = Features { rich: true, ..Features::ALL }.capabilities();
    if capabilities.has(Capability::IdempotencyKey) {
        capabilities.key_window = Some(MockPuppet::KEY_WINDOW);
    }
    capabilities
}

fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    let world = match settings.get("world") {
        Some(path) => {
            World::load(path).map_err(|error| SettingsError::Invalid { key: "world", reason: error.words() })?
        }
        None => World::default_world(),
    };
    // Its platform ends with the process, and forgets every key: what was in doubt then must not be said again.
    let mut puppet = MockPuppet::builder(world).key_window(None);
    match settings.get("ids_only") {
        None => {}
        Some("true") => puppet = puppet.ids_only(true),
        Some("false") => puppet = puppet.ids_only(false),
        Some(other) => {
            return Err(SettingsError::Invalid { key: "ids_only", reason: Words::yes_or_no(other) });
        }
    }
    Ok(Arc::new(puppet.build()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_it_is_the_world_that_comes_along() {
        let puppet = (DECLARATION.build)(&Settings::new()).map_err(|error| error.to_string()).unwrap();
        assert_eq!(puppet.platform().as_str(), "mock");
        assert!(puppet.capabilities().has(Capability::RoomCreate));
        assert!(!puppet.capabilities().has(Capability::SendCard));
        assert!((DECLARATION.capabilities)().has(Capability::SendCard));
    }

    #[test]
    fn a_wrong_setting_is_told_with_its_key() {
        let told = |key: &str, value: &str| {
            (DECLARATION.build)(&Settings::new().set(key, value)).err().map(|error| error.to_string()).unwrap()
        };
        assert_eq!(told("world", "/nowhere.json"), "setting `world`: there is no world file at /nowhere.json");
        assert_eq!(told("ids_only", "yes"), "setting `ids_only`: expected true or false, found \"yes\"");
    }
}
