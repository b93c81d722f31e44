//! Rooms: chats of several, as we administer them.

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{ContactId, FileBox, PlatformName, PuppetError, Result, RoomAdmin, RoomId, async_trait};

use crate::{
    LarkPuppet, PLATFORM, TOPIC_LIMIT,
    api::seg,
    codes::about,
    json::{list, some, text},
    media::{Upload, picture},
    puppet::Inner,
};

/// Most people that one call takes.
const AT_ONCE: usize = 50;

pub(crate) fn path(room: &RoomId, more: &str) -> String {
    format!("im/v1/chats/{}{more}", seg(room.as_str()))
}

fn ids(members: &[ContactId]) -> Vec<&str> {
    members.iter().map(ContactId::as_str).collect()
}

fn check_topic(topic: &str) -> Result<()> {
    if topic.chars().count() <= TOPIC_LIMIT {
        return Ok(());
    }
    Err(PuppetError::Invalid { what: "topic", reason: format!("it is longer than {TOPIC_LIMIT} characters") })
}

/// What the platform did not do for some of the people.
fn all_done(answer: &Value) -> Result<()> {
    for key in ["invalid_id_list", "not_existed_id_list"] {
        if let Some(id) = list(answer, key).iter().find_map(Value::as_str) {
            return Err(PuppetError::not_found("contact", id));
        }
    }
    if !list(answer, "pending_approval_id_list").is_empty() {
        tracing::info!("new members wait for the approval of the owner");
    }
    Ok(())
}

impl Inner {
    pub(crate) async fn chat_info(&self, room: &RoomId) -> Result<Value> {
        let ask = about("loading a room", "room", room.as_str());
        self.api.call(ask, Method::GET, &path(room, "?user_id_type=open_id"), None).await
    }

    pub(crate) async fn change(
        &self,
        doing: &'static str,
        method: Method,
        room: &RoomId,
        more: &str,
        body: &Value,
    ) -> Result<Value> {
        self.api.call(about(doing, "room", room.as_str()), method, &path(room, more), Some(body)).await
    }

    async fn move_people(
        &self,
        doing: &'static str,
        method: Method,
        room: &RoomId,
        more: &str,
        key: &str,
        people: &[ContactId],
    ) -> Result<()> {
        for some in people.chunks(AT_ONCE) {
            let answer = self.change(doing, method.clone(), room, more, &json!({ key: ids(some) })).await?;
            all_done(&answer)?;
        }
        Ok(())
    }
}

#[async_trait]
impl RoomAdmin for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> Result<RoomId> {
        check_topic(topic.unwrap_or_default())?;
        let (first, rest) = members.split_at(members.len().min(AT_ONCE));
        let body = json!({ "name": topic.unwrap_or_default(), "user_id_list": ids(first), "chat_mode": "group", "chat_type": "private" });
        let ask = about("creating a room", "contact", first.first().map_or("", ContactId::as_str));
        let path = "im/v1/chats?user_id_type=open_id&set_bot_manager=true";
        let made = self.0.api.call(ask, Method::POST, path, Some(&body)).await?;
        let Some(id) = some(&made, "chat_id") else {
            let detail = "it holds no chat_id".into();
            return Err(PuppetError::Protocol { context: "creating a room", detail });
        };
        self.0.learn(id, None);
        let room = RoomId::from(id);
        if !rest.is_empty() {
            self.add(&room, rest, false).await?;
        }
        Ok(room)
    }

    async fn add(&self, room: &RoomId, members: &[ContactId], _invite_only: bool) -> Result<()> {
        let more = "/members?member_id_type=open_id&succeed_type=1";
        self.0.move_people("adding members", Method::POST, room, more, "id_list", members).await
    }

    async fn remove(&self, room: &RoomId, members: &[ContactId]) -> Result<()> {
        let more = "/members?member_id_type=open_id";
        self.0.move_people("removing members", Method::DELETE, room, more, "id_list", members).await
    }

    async fn quit(&self, room: &RoomId) -> Result<()> {
        let body = json!({ "id_list": [self.0.me()?.app_id] });
        self.0.change("leaving a room", Method::DELETE, room, "/members?member_id_type=app_id", &body).await.map(drop)
    }

    async fn set_topic(&self, room: &RoomId, topic: &str) -> Result<()> {
        check_topic(topic)?;
        self.0.change("renaming a room", Method::PUT, room, "", &json!({ "name": topic })).await.map(drop)
    }

    async fn announce(&self, room: &RoomId) -> Result<String> {
        self.0.announced(room).await
    }

    async fn set_announce(&self, room: &RoomId, words: &str) -> Result<()> {
        self.0.announce(room, words).await
    }

    async fn qr_code(&self, room: &RoomId) -> Result<String> {
        let body = json!({ "validity_period": "week" });
        let made = self.0.change("making a link to a room", Method::POST, room, "/link", &body).await?;
        some(&made, "share_link").map(str::to_owned).ok_or_else(|| PuppetError::Protocol {
            context: "making a link to a room",
            detail: "it holds no share_link".into(),
        })
    }

    async fn avatar(&self, room: &RoomId) -> Result<FileBox> {
        picture(text(&self.0.chat_info(room).await?, "avatar"), "avatar of a room", room.as_str())
    }

    async fn set_avatar(&self, room: &RoomId, file: FileBox) -> Result<()> {
        let key = self.0.upload(&file, Upload::Avatar).await?;
        self.0
            .change("changing the picture of a room", Method::PUT, room, "", &json!({ "avatar": key }))
            .await
            .map(drop)
    }

    async fn transfer(&self, room: &RoomId, owner: &ContactId) -> Result<()> {
        let body = json!({ "owner_id": owner.as_str() });
        self.0.change("handing over a room", Method::PUT, room, "?user_id_type=open_id", &body).await.map(drop)
    }

    async fn dismiss(&self, room: &RoomId) -> Result<()> {
        let ask = about("dismissing a room", "room", room.as_str());
        self.0.api.call(ask, Method::DELETE, &path(room, ""), None).await.map(drop)
    }

    async fn set_admins(&self, room: &RoomId, members: &[ContactId], admin: bool) -> Result<()> {
        let more = if admin { "/managers/add_managers" } else { "/managers/delete_managers" };
        let more = format!("{more}?member_id_type=open_id");
        self.0.move_people("changing administrators", Method::POST, room, &more, "manager_ids", members).await
    }
}
