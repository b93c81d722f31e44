//! Tags: groups of contacts, which an administrator lets the app keep. A tag is the name of one.

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{ContactId, PlatformName, Result, TagId, Tags, async_trait};

use crate::{
    LarkPuppet, PLATFORM,
    api::{seg, with_query},
    codes::about,
    json::{some, text},
};

const GROUP: &str = "contact/v3/group";

impl LarkPuppet {
    async fn groups(&self) -> Result<Vec<Value>> {
        let path = with_query(&format!("{GROUP}/simplelist"), &[("page_size", "100")]);
        self.0.api.pages(about("listing tags", "tag", ""), &path, "grouplist").await
    }

    /// The group of a tag.
    async fn group(&self, tag: &TagId) -> Result<Option<String>> {
        let groups = self.groups().await?;
        let found = groups.iter().find(|group| text(group, "name") == tag.as_str());
        Ok(found.and_then(|group| some(group, "id")).map(str::to_owned))
    }

    async fn change(&self, how: &str, group: &str, contact: &ContactId) -> Result<()> {
        let body = json!({ "member_type": "user", "member_id_type": "open_id", "member_id": contact.as_str() });
        let ask = about("tagging a contact", "contact", contact.as_str());
        let path = format!("{GROUP}/{}/member/{how}", seg(group));
        self.0.api.call(ask, Method::POST, &path, Some(&body)).await.map(drop)
    }
}

#[async_trait]
impl Tags for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn add(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        let group = match self.group(tag).await? {
            Some(known) => known,
            None => {
                let ask = about("making a tag", "tag", tag.as_str());
                let made = self.0.api.call(ask, Method::POST, GROUP, Some(&json!({ "name": tag.as_str() }))).await?;
                text(&made, "group_id").to_owned()
            }
        };
        self.change("add", &group, contact).await
    }

    async fn remove(&self, tag: &TagId, contact: &ContactId) -> Result<()> {
        // What is not there is on nobody.
        let Some(group) = self.group(tag).await? else { return Ok(()) };
        self.change("remove", &group, contact).await
    }

    async fn delete(&self, tag: &TagId) -> Result<()> {
        let Some(group) = self.group(tag).await? else { return Ok(()) };
        let path = format!("{GROUP}/{}", seg(&group));
        self.0.api.call(about("deleting a tag", "tag", tag.as_str()), Method::DELETE, &path, None).await.map(drop)
    }

    async fn list(&self, contact: Option<&ContactId>) -> Result<Vec<TagId>> {
        let mut groups = self.groups().await?;
        if let Some(contact) = contact {
            let query = [("member_id", contact.as_str()), ("member_id_type", "open_id"), ("page_size", "500")];
            let path = with_query(&format!("{GROUP}/member_belong"), &query);
            let ask = about("listing tags", "contact", contact.as_str());
            let of = self.0.api.pages(ask, &path, "group_list").await?;
            groups.retain(|group| of.iter().any(|id| id.as_str().is_some_and(|id| id == text(group, "id"))));
        }
        Ok(groups.iter().filter_map(|group| some(group, "name").map(TagId::from)).collect())
    }
}
