//! From a file or a text to a checked world.

use std::{collections::BTreeSet, fs::File, io::Read, path::Path};

use serde_json::Value;

use super::{
    World,
    error::WorldError,
    features::Features,
    people, phrases,
    reader::{Check, Fields, Kind, describe, quoted, whole},
    script, timeline,
};

/// The keys of a world.
const KEYS: &[&str] = &[
    "version",
    "name",
    "self",
    "contacts",
    "rooms",
    "tags",
    "friendships",
    "roomInvitations",
    "search",
    "messages",
    "posts",
    "timeline",
    "features",
];

pub(super) fn from_path(path: &Path) -> Result<World, WorldError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => WorldError::Missing { path: path.to_owned() },
        _ => WorldError::Unreadable { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > World::MAX_BYTES {
        return Err(WorldError::TooLarge { bytes: size, limit: World::MAX_BYTES });
    }
    let mut bytes = Vec::new();
    // A pipe or a growing file tells no size: read one byte more than allowed to notice.
    file.take(World::MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| WorldError::NotUtf8 { at: error.valid_up_to() })?;
    from_json(text)
}

pub(super) fn from_json(json: &str) -> Result<World, WorldError> {
    let bytes = json.len() as u64;
    if bytes > World::MAX_BYTES {
        return Err(WorldError::TooLarge { bytes, limit: World::MAX_BYTES });
    }
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let value: Value = serde_json::from_str(json).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        WorldError::Syntax {
            line: error.line(),
            column: error.column(),
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    })?;
    let mut check = Check::default();
    let world = read(&value, &mut check);
    if check.faults.is_empty() { Ok(world) } else { Err(WorldError::Invalid { faults: check.faults }) }
}

fn read(value: &Value, check: &mut Check) -> World {
    define(value, check);
    let mut top = Fields::open("$".to_owned(), value, KEYS, check);
    if let Some(version) = top.require("version", "1")
        && whole(version) != Some(1)
    {
        top.check.fault("$.version", phrases::ONLY_VERSION, describe(version), None);
    }
    let name = top.text("name").unwrap_or_default();
    let self_id = top.required_reference("self", Kind::Contact).into();
    let features = features(&mut top);
    let (by_phone, by_handle) = people::search(&mut top);
    let part = |key: &str| value.get(key);
    World {
        name,
        self_id,
        contacts: people::contacts(part("contacts"), check),
        rooms: people::rooms(part("rooms"), check),
        tags: people::tags(part("tags"), check),
        friendships: people::friendships(part("friendships"), check),
        invitations: people::invitations(part("roomInvitations"), check),
        by_phone,
        by_handle,
        messages: script::messages(part("messages"), check),
        posts: script::posts(part("posts"), check),
        timeline: timeline::read(part("timeline"), check),
        features,
    }
}

/// First of all, so that anything may refer to anything: the ids the world defines.
fn define(value: &Value, check: &mut Check) {
    let lists = [
        ("contacts", Kind::Contact),
        ("rooms", Kind::Room),
        ("friendships", Kind::Friendship),
        ("roomInvitations", Kind::Invitation),
        ("messages", Kind::Message),
        ("posts", Kind::Post),
    ];
    for (key, kind) in lists {
        let mut seen = BTreeSet::new();
        let items = value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (i, item) in items.iter().enumerate() {
            // What is no text or empty is reported where the item is read.
            let Some(id) = item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) else { continue };
            let path = format!("$.{key}[{i}].id");
            match kind {
                Kind::Contact if id.contains('@') => {
                    check.fault(&path, phrases::CONTACT_FORM, quoted(id), None);
                }
                Kind::Room if !id.contains('@') => {
                    check.fault(&path, phrases::ROOM_FORM, quoted(id), None);
                }
                _ => {}
            }
            if !seen.insert(id.to_owned()) {
                check.fault(&path, phrases::OWN_ID.with("list", key), quoted(id), None);
            }
        }
        match kind {
            Kind::Contact => check.contacts = seen,
            Kind::Room => check.rooms = seen,
            Kind::Friendship => check.friendships = seen,
            Kind::Invitation => check.invitations = seen,
            Kind::Message => check.messages = seen,
            Kind::Post => check.posts = seen,
        }
    }
}

fn features(top: &mut Fields<'_, '_>) -> Features {
    let Some(value) = top.get("features") else { return Features::ALL };
    let mut features = Features::UNNAMED;
    let mut fields = Fields::open(top.at("features"), value, Features::NAMES, top.check);
    for name in Features::NAMES {
        if let Some(on) = fields.flag(name) {
            features.set(name, on);
        }
    }
    features
}
