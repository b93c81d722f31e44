//! PEOPLE: who there is, under which ids, and in which contact groups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;

/// Somebody of the tenant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// `ou_…`, of this app.
    pub open_id: String,
    /// `on_…`, of all apps of one maker.
    pub union_id: String,
    /// Of the tenant.
    pub user_id: String,
    /// Their name.
    pub name: String,
    /// And in Latin letters.
    pub en_name: String,
    /// With country code, or nothing.
    pub mobile: String,
    /// Or nothing.
    pub email: String,
    /// Where their picture is.
    pub avatar: String,
    /// Their departments; `0` is the root.
    pub departments: Vec<String>,
    /// Where they work.
    pub city: String,
    /// 0 unknown, 1 male, 2 female.
    pub gender: u8,
    /// Nobody may see them through this app.
    pub hidden: bool,
}

/// A department of the tenant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Department {
    /// `od-…`
    pub open_department_id: String,
    /// Its name.
    pub name: String,
    /// The one above it; `0` is the root.
    pub parent: String,
}

/// A contact group, which is how a tag is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// Open ids.
    pub members: Vec<String>,
}

impl Person {
    /// Their id of a kind; `None` for a kind that there is not.
    pub fn id(&self, kind: &str) -> Option<&str> {
        match kind {
            "open_id" | "" => Some(&self.open_id),
            "union_id" => Some(&self.union_id),
            "user_id" => Some(&self.user_id),
            "email" => Some(&self.email),
            _ => None,
        }
    }

    /// All three, as events tell them.
    pub(crate) fn ids(&self) -> Value {
        json!({"union_id": self.union_id, "user_id": self.user_id, "open_id": self.open_id})
    }
}

impl State {
    /// Adds somebody; ids that are not told are made.
    pub fn add_person(&mut self, mut person: Person) -> Person {
        for (id, prefix) in [(&mut person.open_id, "ou_"), (&mut person.union_id, "on_"), (&mut person.user_id, "")] {
            if id.is_empty() {
                self.last += 1;
                let random = uuid::Uuid::new_v4().simple().to_string();
                *id = match prefix {
                    "" => random[..8].to_owned(),
                    prefix => format!("{prefix}{:08x}{}", self.last, &random[..24]),
                };
            }
        }
        if person.departments.is_empty() {
            person.departments.push("0".to_owned());
        }
        if person.avatar.is_empty() {
            person.avatar = format!("https://s1-imfile.feishucdn.com/static-resource/v1/{}", person.open_id);
        }
        self.people.insert(person.open_id.clone(), person.clone());
        person
    }

    /// Adds a department below another; its id.
    pub fn add_department(&mut self, mut department: Department) -> String {
        if department.open_department_id.is_empty() {
            department.open_department_id = self.id("od-");
        }
        if department.parent.is_empty() {
            department.parent = "0".to_owned();
        }
        let id = department.open_department_id.clone();
        self.departments.insert(id.clone(), department);
        id
    }

    /// The departments below one, at whatever depth where `all` are asked for.
    pub(crate) fn below(&self, parent: &str, all: bool) -> Vec<&Department> {
        let mut found: Vec<&Department> = self.departments.values().filter(|one| one.parent == parent).collect();
        let mut at = 0;
        while all && at < found.len() {
            let parent = &found[at].open_department_id;
            found.extend(self.departments.values().filter(|one| one.parent == *parent));
            at += 1;
        }
        found
    }

    /// Somebody by an id of a kind.
    pub fn person(&self, kind: &str, id: &str) -> Option<&Person> {
        if id.is_empty() {
            return None;
        }
        match kind {
            "open_id" | "" => self.people.get(id),
            _ => self.people.values().find(|person| person.id(kind) == Some(id)),
        }
    }

    /// The name of a person or of the bot.
    pub(crate) fn name_of(&self, open_id: &str) -> String {
        match self.people.get(open_id) {
            Some(person) => person.name.clone(),
            None if open_id == self.settings.bot_open_id => self.settings.app_name.clone(),
            None => String::new(),
        }
    }
}
