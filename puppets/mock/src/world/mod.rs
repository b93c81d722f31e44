//! WORLD: people, rooms, messages and a timeline, loaded from a world file and checked as a whole.

mod error;
mod features;
mod load;
mod people;
pub(crate) mod phrases;
mod reader;
mod script;
mod timeline;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
    time::Duration,
};

use wechaty_puppet::{
    ContactId, ContactPayload, EventPayload, FriendshipPayload, MessagePayload, PostId, PostPayload,
    RoomInvitationPayload, RoomPayload, TagId, TapType,
};

use crate::content::Content;
pub use error::{WorldError, WorldFault};
pub use features::Features;

/// A checked world. Immutable: what changes while the puppet runs is a copy.
#[derive(Debug)]
pub struct World {
    pub(crate) name: String,
    pub(crate) self_id: ContactId,
    pub(crate) contacts: Vec<Arc<ContactPayload>>,
    pub(crate) rooms: Vec<WorldRoom>,
    pub(crate) tags: BTreeMap<TagId, Vec<ContactId>>,
    pub(crate) friendships: Vec<Arc<FriendshipPayload>>,
    pub(crate) invitations: Vec<Arc<RoomInvitationPayload>>,
    pub(crate) by_phone: HashMap<String, ContactId>,
    pub(crate) by_handle: HashMap<String, ContactId>,
    pub(crate) messages: Vec<WorldMessage>,
    pub(crate) posts: Vec<WorldPost>,
    pub(crate) timeline: Vec<Scheduled>,
    pub(crate) features: Features,
}

/// A room and what its payload does not hold.
#[derive(Clone, Debug)]
pub(crate) struct WorldRoom {
    pub(crate) payload: Arc<RoomPayload>,
    pub(crate) aliases: BTreeMap<ContactId, String>,
    pub(crate) announce: String,
    pub(crate) qrcode: String,
}

/// A scripted message and its content.
#[derive(Clone, Debug)]
pub(crate) struct WorldMessage {
    pub(crate) payload: Arc<MessagePayload>,
    pub(crate) content: Option<Content>,
}

/// A post and who tapped it.
#[derive(Clone, Debug)]
pub(crate) struct WorldPost {
    pub(crate) id: PostId,
    pub(crate) payload: Arc<PostPayload>,
    pub(crate) taps: BTreeMap<TapType, Vec<ContactId>>,
}

/// An event and when it comes, from the start of the run.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    pub(crate) at: Duration,
    pub(crate) what: EventPayload,
}

impl World {
    /// A larger file is not read: 64 MiB.
    pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

    /// Reads and checks a world file.
    ///
    /// # Errors
    /// [`WorldError`]; everything that is wrong with the world at once.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, WorldError> {
        load::from_path(path.as_ref())
    }

    /// Checks a world given as JSON; a byte order mark is fine.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_json(json: &str) -> Result<Self, WorldError> {
        load::from_json(json)
    }

    /// The world that comes with the puppet: a small tea party. It has every feature of the world file.
    ///
    /// # Panics
    /// Never: a test loads it.
    pub fn default_world() -> Self {
        Self::from_json(Self::DEFAULT).expect("the world of this crate is sound")
    }

    /// The file behind [`default_world`](Self::default_world), to start an own world from.
    pub const DEFAULT: &'static str = include_str!("../../worlds/default.json");

    /// Its name; shown only.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who the bot is.
    pub fn self_id(&self) -> &ContactId {
        &self.self_id
    }

    /// What the mock puppet can do in it.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Ids of the contacts, in file order.
    pub fn contact_ids(&self) -> impl Iterator<Item = &ContactId> {
        self.contacts.iter().map(|contact| &contact.id)
    }

    /// The events and when they come, in the order they come in.
    pub fn timeline(&self) -> impl Iterator<Item = (Duration, &EventPayload)> {
        self.timeline.iter().map(|entry| (entry.at, &entry.what))
    }

    /// When the last event of the timeline comes, from the start of a run.
    pub fn timeline_length(&self) -> Duration {
        self.timeline.last().map_or(Duration::ZERO, |entry| entry.at)
    }
}
