//! LEVELS: who may do what in a room: creators, and the power of everybody else.

use serde_json::{Value, json};
use wechaty_puppet::{ContactId, PuppetError, Result, RoomPermission};

use crate::{
    convert::text,
    link::{Link, not_a_member},
};

/// From here on somebody is an administrator.
const ADMIN: i64 = 50;

/// The power levels of a room, and who made it.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    creators: Vec<String>,
    /// Since version 12 of rooms, creators may do everything and have no level.
    creators_are_above: bool,
    content: Value,
}

/// A level as a number; older rooms have some as text.
fn level(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|level| level as i64)).or_else(|| value.as_str()?.trim().parse().ok())
}

impl Levels {
    pub(crate) async fn load(link: &Link, room: &str) -> Result<Self> {
        let create = link.in_room(reqwest::Method::GET, room, &["state", "m.room.create", ""], "reading a room");
        let create = create.query("format", "event").send().await;
        let create = create.map_err(|error| match error {
            PuppetError::NotFound { .. } => PuppetError::not_found("room", room),
            error => not_a_member(error, room),
        })?;
        let content = link.state(room, "m.room.power_levels", "").await?;
        Ok(Self::read(&create, content))
    }

    /// From the event that made the room (or its content alone, where a homeserver tells no more) and the levels.
    fn read(create: &Value, content: Option<Value>) -> Self {
        let made = if create["content"].is_object() { &create["content"] } else { create };
        let sender = text(create, &["sender"]).or_else(|| text(made, &["creator"]));
        let version = text(made, &["room_version"]).and_then(|version| version.parse::<u32>().ok()).unwrap_or(1);
        let mut creators: Vec<String> = sender.map(str::to_owned).into_iter().collect();
        if version >= 12 {
            let others = made["additional_creators"].as_array().into_iter().flatten().filter_map(Value::as_str);
            creators.extend(others.map(str::to_owned));
        }
        let content = content.filter(Value::is_object).unwrap_or_else(|| {
            // Without levels whoever made the room has all the power.
            let users: serde_json::Map<_, _> = creators.iter().map(|creator| (creator.clone(), json!(100))).collect();
            json!({ "users": if version >= 12 { Default::default() } else { users } })
        });
        Self { creators, creators_are_above: version >= 12, content }
    }

    /// Whoever made the room. That cannot be handed over.
    pub(crate) fn owner(&self) -> Option<ContactId> {
        self.creators.first().map(|creator| creator.as_str().into())
    }

    /// Creators, where they are above all, and whoever has the power.
    pub(crate) fn admins(&self) -> Vec<ContactId> {
        let mut admins: Vec<ContactId> = Vec::new();
        if self.creators_are_above {
            admins.extend(self.creators.iter().map(|creator| creator.as_str().into()));
        }
        for (user, power) in self.content["users"].as_object().into_iter().flatten() {
            let id = ContactId::from(user.as_str());
            if level(power).is_some_and(|power| power >= ADMIN) && !admins.contains(&id) {
                admins.push(id);
            }
        }
        admins
    }

    fn of(&self, path: &[&str], default: i64) -> i64 {
        path.iter().try_fold(&self.content, |value, key| value.get(key)).and_then(level).unwrap_or(default)
    }

    fn default_of_users(&self) -> i64 {
        self.of(&["users_default"], 0)
    }

    /// Makes somebody an administrator, or takes it back.
    pub(crate) fn set_admin(&mut self, user: &str, admin: bool) {
        let default = self.default_of_users();
        let is_creator = self.creators_are_above && self.creators.iter().any(|creator| creator == user);
        let Some(content) = self.content.as_object_mut().filter(|_| !is_creator) else { return };
        let users = content.entry("users").or_insert_with(|| json!({}));
        let has = users.get(user).and_then(level).unwrap_or(default);
        let Some(users) = users.as_object_mut() else { return };
        if admin && has < ADMIN {
            users.insert(user.to_owned(), ADMIN.into());
        } else if !admin && has >= ADMIN {
            users.remove(user);
        }
    }

    /// What everybody may do.
    pub(crate) fn permission(&self) -> RoomPermission {
        let everybody = self.default_of_users();
        let states = self.of(&["state_default"], 50);
        RoomPermission {
            invite_confirm: None,
            admin_only_manage: Some(states > everybody),
            admin_only_at_all: Some(self.of(&["notifications", "room"], 50) > everybody),
            mute_all: Some(self.of(&["events_default"], 0) > everybody),
            forbid_topic_edit: Some(self.of(&["events", "m.room.name"], states) > everybody),
        }
    }

    /// Changes what everybody may do.
    pub(crate) fn set_permission(&mut self, permission: &RoomPermission) {
        let everybody = self.default_of_users();
        let needed = |forbidden: bool| if forbidden { everybody.max(ADMIN) } else { everybody };
        let Some(content) = self.content.as_object_mut() else { return };
        let mut set = |group: Option<&str>, key: &str, forbidden: Option<bool>| {
            let Some(forbidden) = forbidden else { return };
            let into = match group {
                None => Some(&mut *content),
                Some(group) => content.entry(group).or_insert_with(|| json!({})).as_object_mut(),
            };
            if let Some(into) = into {
                into.insert(key.to_owned(), needed(forbidden).into());
            }
        };
        set(None, "events_default", permission.mute_all);
        set(None, "state_default", permission.admin_only_manage);
        set(Some("events"), "m.room.name", permission.forbid_topic_edit);
        set(Some("notifications"), "room", permission.admin_only_at_all);
    }

    /// Reads the levels, changes them, and writes them back if something changed.
    pub(crate) async fn change(link: &Link, room: &str, change: impl FnOnce(&mut Self)) -> Result<()> {
        let _alone = link.levels.lock().await;
        let before = Self::load(link, room).await?;
        let mut after = before.clone();
        change(&mut after);
        if after.content == before.content {
            return Ok(());
        }
        link.set_state(room, "m.room.power_levels", "", after.content).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(version: &str, content: Option<Value>) -> Levels {
        let create = json!({ "sender": "@maker:e", "content": { "room_version": version, "additional_creators": ["@second:e", 7] } });
        Levels::read(&create, content)
    }

    fn ids(list: Vec<ContactId>) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn creators_are_above_all_since_version_12() {
        let content = json!({ "users": { "@a:e": 50, "@b:e": "100", "@c:e": 49, "@d:e": null } });
        let new = levels("12", Some(content.clone()));
        assert_eq!(ids(new.admins()), ["@maker:e", "@second:e", "@a:e", "@b:e"]);
        assert_eq!(new.owner(), Some("@maker:e".into()));
        assert_eq!(ids(levels("10", Some(content)).admins()), ["@a:e", "@b:e"]);
        assert_eq!(ids(levels("10", None).admins()), ["@maker:e"]);
        assert_eq!(ids(Levels::read(&json!({ "creator": "@old:e" }), None).admins()), ["@old:e"]);
    }

    #[test]
    fn administrators_are_made_and_unmade_and_nobody_else_changes() {
        let mut levels = levels("12", Some(json!({ "users": { "@a:e": 100 }, "ban": 70 })));
        levels.set_admin("@b:e", true);
        assert_eq!(levels.content, json!({ "users": { "@a:e": 100, "@b:e": 50 }, "ban": 70 }));
        levels.set_admin("@a:e", true);
        levels.set_admin("@b:e", false);
        levels.set_admin("@c:e", false);
        levels.set_admin("@maker:e", true);
        assert_eq!(levels.content, json!({ "users": { "@a:e": 100 }, "ban": 70 }));
    }

    #[test]
    fn permissions_are_set_and_read_back() {
        let mut levels = levels("12", Some(json!({ "events": 7 })));
        let before = levels.permission();
        levels.set_permission(&RoomPermission { mute_all: Some(true), ..Default::default() });
        let after = levels.permission();
        assert_eq!(after, RoomPermission { mute_all: Some(true), ..before });
    }
}
