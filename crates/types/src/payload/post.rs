//! Posts (moments, channel entries), taps on them and pages of either.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ContactId, MessageId, PostId, PostType, SayablePayload, TapType, Timestamp, wire};
use wire::{nobody_is_none, nobody_is_some_none, number_keys};

/// A post, ours before it is published or one the platform serves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostPayload {
    /// The post it answers.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<PostId>,
    /// The first post of the thread.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub root_id: Option<PostId>,
    /// Moment, channel …
    #[serde(rename = "type", default)]
    pub kind: PostType,
    /// What it says: inline before it is published, by reference once served.
    #[serde(flatten)]
    pub content: PostContent,
}

/// The two forms of a post.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PostContent {
    /// Served by the platform.
    #[serde(rename_all = "camelCase")]
    Server {
        /// Unique within the account.
        id: PostId,
        /// Who posted it.
        contact_id: ContactId,
        /// When.
        timestamp: Timestamp,
        /// Messages it consists of.
        sayable_list: Vec<MessageId>,
        /// Answers and taps.
        #[serde(default)]
        counter: PostCounter,
    },
    /// Ours, to be published.
    #[serde(rename_all = "camelCase")]
    Client {
        /// Parts it consists of.
        sayable_list: Vec<SayablePayload>,
    },
}

impl PostPayload {
    /// The id, once the platform has given one.
    pub fn id(&self) -> Option<&PostId> {
        match &self.content {
            PostContent::Server { id, .. } => Some(id),
            PostContent::Client { .. } => None,
        }
    }
}

/// How many answered and tapped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostCounter {
    /// Direct answers.
    pub children: u64,
    /// Answers of any depth.
    pub descendant: u64,
    /// Taps by the number of their [`TapType`].
    #[serde(deserialize_with = "number_keys")]
    pub taps: BTreeMap<i32, u64>,
}

/// Who tapped a post, by the number of the [`TapType`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TapPayload(#[serde(deserialize_with = "number_keys")] pub BTreeMap<i32, TapList>);

/// Taps of one type: parallel lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TapList {
    /// Who.
    pub contact_id: Vec<ContactId>,
    /// When, in the same order.
    pub timestamp: Vec<Timestamp>,
}

/// Which posts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PostFilter {
    /// Posted by.
    #[serde(deserialize_with = "nobody_is_none")]
    pub contact_id: Option<ContactId>,
    /// This one.
    #[serde(deserialize_with = "nobody_is_none")]
    pub id: Option<PostId>,
    /// Platform-defined order.
    pub order_by: Option<String>,
    /// Answers to; `Some(None)`: originals only.
    #[serde(deserialize_with = "nobody_is_some_none", skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Option<PostId>>,
    /// In the thread of; `Some(None)`: originals only.
    #[serde(deserialize_with = "nobody_is_some_none", skip_serializing_if = "Option::is_none")]
    pub root_id: Option<Option<PostId>>,
    /// Of this type.
    #[serde(rename = "type")]
    pub kind: Option<PostType>,
}

/// Which taps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TapFilter {
    /// By.
    #[serde(deserialize_with = "nobody_is_none")]
    pub contact_id: Option<ContactId>,
    /// Of this type.
    #[serde(rename = "type")]
    pub kind: Option<TapType>,
}

/// Which page of a long list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PageRequest {
    /// At most so many; the puppet may give fewer.
    pub page_size: Option<u32>,
    /// From the page before; opaque.
    pub page_token: Option<String>,
}

/// One page of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// For the next page; `None`: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// The items.
    pub response: Vec<T>,
}
