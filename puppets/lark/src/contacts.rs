//! Payloads and lists: people, rooms, members, messages; and people by their number or address.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    ContactGender, ContactId, ContactPayload, ContactProfile, Directory, FileBox, Friendships, Loader, MessageId,
    MessagePayload, PlatformName, PuppetError, Result, RoomId, RoomMemberPayload, RoomPayload, async_trait,
};

use crate::{
    LarkPuppet, PLATFORM,
    api::{seg, with_query},
    codes::about,
    json::{at, list, number, person, some, text},
    login::contact,
    media::picture,
    puppet::Inner,
};

/// Most pages of what the app may see.
const PAGES: usize = 1_000;

fn owned(value: &Value, path: &str) -> Option<String> {
    some(value, path).map(str::to_owned)
}

fn of_user(id: &ContactId, user: &Value) -> ContactPayload {
    let mut payload = ContactPayload::new(id.clone(), text(user, "name"));
    payload.gender = match number(user, "gender") {
        Some(1) => ContactGender::Male,
        Some(2) => ContactGender::Female,
        _ => ContactGender::Unknown,
    };
    payload.avatar = text(user, "avatar.avatar_origin").to_owned();
    payload.phone = some(user, "mobile").into_iter().map(str::to_owned).collect();
    payload.handle = owned(user, "email").or_else(|| owned(user, "enterprise_email"));
    payload.city = owned(user, "city");
    payload.title = owned(user, "job_title");
    payload.signature = owned(user, "description");
    // Who is in the company's list is one of it.
    payload.coworker = Some(true);
    payload
}

impl Inner {
    async fn person(&self, id: &ContactId) -> Result<ContactPayload> {
        let me = self.me()?;
        if *id == me.id || id.as_str() == me.app_id {
            return Ok(contact(&me));
        }
        if id.as_str().starts_with("cli_") {
            let mut other = ContactPayload::new(id.clone(), self.names.get(id.as_str()).unwrap_or_default());
            other.kind = wechaty_puppet::ContactType::Application;
            return Ok(other);
        }
        let kind = match id.as_str() {
            id if id.starts_with("ou_") => "open_id",
            id if id.starts_with("on_") => "union_id",
            _ => "user_id",
        };
        let path = with_query(&format!("contact/v3/users/{}", seg(id.as_str())), &[("user_id_type", kind)]);
        match self.api.call(about("loading a contact", "contact", id.as_str()), Method::GET, &path, None).await {
            Ok(found) => {
                let user = at(&found, "user");
                if let Some(name) = some(user, "name") {
                    self.names.put(id.as_str(), name);
                }
                let mut payload = of_user(id, user);
                // Without the scope for it, there is no name.
                if payload.name.is_empty() {
                    payload.name = self.names.get(id.as_str()).unwrap_or_default();
                }
                Ok(payload)
            }
            // Whoever talks to us is somebody, also where the app may not look them up.
            Err(PuppetError::Rejected { code, message }) if is_hidden(&code) => {
                tracing::warn!(code, why = message, "a contact cannot be looked up: only the name is known");
                Ok(ContactPayload::new(id.clone(), self.names.get(id.as_str()).unwrap_or_default()))
            }
            Err(other) => Err(other),
        }
    }

    /// The ids of what the app may see: departments, without those that are in them, and people.
    async fn scope(&self) -> Result<(Vec<String>, Vec<ContactId>)> {
        const DOING: &str = "listing contacts";
        let (mut departments, mut people, mut next) = (Vec::new(), Vec::new(), String::new());
        for _ in 0..PAGES {
            let mut query =
                vec![("user_id_type", "open_id"), ("department_id_type", "open_department_id"), ("page_size", "100")];
            if !next.is_empty() {
                query.push(("page_token", &next));
            }
            let path = with_query("contact/v3/scopes", &query);
            let page = self.api.unhurried(about(DOING, "contact", ""), Method::GET, &path, None).await?;
            people.extend(list(&page, "user_ids").iter().filter_map(Value::as_str).map(ContactId::from));
            departments.extend(list(&page, "department_ids").iter().filter_map(Value::as_str).map(str::to_owned));
            let more = text(&page, "page_token").to_owned();
            if at(&page, "has_more").as_bool() != Some(true) || more.is_empty() || more == next {
                return Ok((departments, people));
            }
            next = more;
        }
        Err(PuppetError::Protocol { context: DOING, detail: format!("more than {PAGES} pages") })
    }

    /// The departments below one, at whatever depth.
    async fn departments_below(&self, department: &str) -> Result<Vec<String>> {
        let query = [
            ("department_id_type", "open_department_id"),
            ("user_id_type", "open_id"),
            ("fetch_child", "true"),
            ("page_size", "50"),
        ];
        let path = with_query(&format!("contact/v3/departments/{}/children", seg(department)), &query);
        let items = self.api.pages(about("listing departments", "department", department), &path, "items").await?;
        Ok(items.iter().filter_map(|item| some(item, "open_department_id").map(str::to_owned)).collect())
    }

    async fn people_of(&self, department: &str, found: &mut Vec<ContactId>) -> Result<()> {
        let query = [
            ("department_id", department),
            ("department_id_type", "open_department_id"),
            ("user_id_type", "open_id"),
            ("page_size", "50"),
        ];
        let path = with_query("contact/v3/users/find_by_department", &query);
        let items = self.api.pages(about("listing contacts", "department", department), &path, "items").await?;
        found.extend(items.iter().filter_map(|item| person(item, "open_id")));
        Ok(())
    }
}

/// The app may not see people, or not this one.
fn is_hidden(code: &str) -> bool {
    matches!(code, "41050" | "99991672" | "99991676" | "99991679")
}

#[async_trait]
impl Loader for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        Ok(Arc::new(self.0.person(id).await?))
    }

    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        let me = self.0.me()?;
        let chat = self.0.chat_info(id).await?;
        let mut members = self.0.members(id.as_str()).await?;
        // The platform lists people only.
        if !members.contains(&me.id) {
            members.push(me.id.clone());
        }
        let ours = |id: &Value| id.as_str().map(|id| if id == me.app_id { me.id.clone() } else { id.into() });
        let mut payload = RoomPayload::new(id.clone(), text(&chat, "name"), members);
        payload.admin_id_list = ["user_manager_id_list", "bot_manager_id_list"]
            .iter()
            .flat_map(|key| list(&chat, key))
            .filter_map(ours)
            .collect();
        payload.avatar = owned(&chat, "avatar");
        // It names no owner where we are it.
        payload.owner_id = Some(
            person(&chat, "owner_id")
                .map_or_else(|| me.id.clone(), |id| if id.as_str() == me.app_id { me.id.clone() } else { id }),
        );
        payload.external = at(&chat, "external").as_bool();
        Ok(Arc::new(payload))
    }

    async fn room_member(&self, room: &RoomId, id: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let me = self.0.me()?;
        let members = self.0.members(room.as_str()).await?;
        if !members.contains(id) && *id != me.id {
            return Err(PuppetError::not_found("member", id));
        }
        let (name, avatar) = if *id == me.id {
            (me.name, me.avatar)
        } else {
            (self.0.names.get(id.as_str()).unwrap_or_default(), String::new())
        };
        Ok(Arc::new(RoomMemberPayload { id: id.clone(), name, avatar, room_alias: None, inviter_id: None }))
    }

    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let raw = self.0.raw(id.as_str()).await?;
        let history = self.0.history(&raw).await?;
        Ok(Arc::new(self.0.payload(raw, history).await?))
    }
}

#[async_trait]
impl Directory for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Everybody whom the app may see.
    async fn contacts(&self) -> Result<Vec<ContactId>> {
        let (scope, mut found) = self.0.scope().await?;
        let mut departments = BTreeSet::new();
        for department in scope {
            // What is below one is below those above it, too.
            if !departments.contains(&department) {
                departments.extend(self.0.departments_below(&department).await?);
                departments.insert(department);
            }
        }
        for department in &departments {
            self.0.people_of(department, &mut found).await?;
        }
        let mut seen = HashSet::new();
        found.retain(|id| seen.insert(id.clone()));
        Ok(found)
    }

    async fn rooms(&self) -> Result<Vec<RoomId>> {
        let path = "im/v1/chats?user_id_type=open_id&page_size=100";
        let items = self.0.api.pages(about("listing rooms", "room", ""), path, "items").await?;
        let rooms = items.iter().filter(|item| text(item, "chat_mode") != "p2p");
        Ok(rooms.filter_map(|item| some(item, "chat_id").map(RoomId::from)).collect())
    }

    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let mut members = self.0.members(room.as_str()).await?;
        let me = self.0.me()?.id;
        if !members.contains(&me) {
            members.push(me);
        }
        Ok(members)
    }
}

#[async_trait]
impl ContactProfile for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn avatar(&self, id: &ContactId) -> Result<FileBox> {
        picture(&self.0.person(id).await?.avatar, "avatar of a contact", id.as_str())
    }
}

impl LarkPuppet {
    async fn search(&self, key: &str, value: &str) -> Result<Option<ContactId>> {
        let path = "contact/v3/users/batch_get_id?user_id_type=open_id";
        let ask = about("searching people", "contact", "");
        let found = self.0.api.call(ask, Method::POST, path, Some(&json!({ key: [value] }))).await?;
        Ok(list(&found, "user_list").iter().find_map(|user| some(user, "user_id")).map(ContactId::from))
    }
}

#[async_trait]
impl Friendships for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn search_phone(&self, phone: &str) -> Result<Option<ContactId>> {
        self.search("mobiles", phone).await
    }

    /// A handle is an address.
    async fn search_handle(&self, handle: &str) -> Result<Option<ContactId>> {
        self.search("emails", handle).await
    }
}
