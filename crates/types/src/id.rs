//! Ids as opaque newtypes: only the puppet that made one may parse it; "nobody" is `Option`, never `""`.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        #[cfg(feature = "schema")]
        crate::schema::of!($name, "string");

        impl $name {
            /// Wraps the text the platform (or the configuration) gave.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }
            /// Like [`new`](Self::new), but the empty text, which wire formats use for "nobody", is `None`.
            pub fn non_empty(id: impl AsRef<str> + Into<Arc<str>>) -> Option<Self> {
                (!id.as_ref().is_empty()).then(|| Self(id.into()))
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }
        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

id! {
    /// One logged-in identity of a bot, named by its configured slot, never by the platform's id.
    AccountId;
    /// A contact, unique within one logged-in account.
    ContactId;
    /// A room, unique within one logged-in account.
    RoomId;
    /// A message, unique within one logged-in account.
    MessageId;
    /// A friend request or its confirmation, unique within one logged-in account.
    FriendshipId;
    /// An invitation into a room, unique within one logged-in account.
    RoomInvitationId;
    /// A tag, unique within one logged-in account; on most platforms its name.
    TagId;
    /// A post (moment, channel entry), unique within one logged-in account.
    PostId;
}

/// The messenger an adapter speaks to: `"lark"`, `"whatsapp"`, `"mock"` …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PlatformName(&'static str);

impl PlatformName {
    /// Names a platform; lower case, the puppet's folder name.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }
    /// The name itself.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where a message is said: a contact (one to one) or a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ConversationId {
    /// One to one with this contact.
    Contact(ContactId),
    /// In this room.
    Room(RoomId),
}

impl ConversationId {
    /// The contact's or the room's id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Contact(id) => id.as_str(),
            Self::Room(id) => id.as_str(),
        }
    }
    /// The contact, if this is one to one.
    pub fn contact(&self) -> Option<&ContactId> {
        match self {
            Self::Contact(id) => Some(id),
            Self::Room(_) => None,
        }
    }
    /// The room, if this is one.
    pub fn room(&self) -> Option<&RoomId> {
        match self {
            Self::Room(id) => Some(id),
            Self::Contact(_) => None,
        }
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ContactId> for ConversationId {
    fn from(id: ContactId) -> Self {
        Self::Contact(id)
    }
}

impl From<RoomId> for ConversationId {
    fn from(id: RoomId) -> Self {
        Self::Room(id)
    }
}

/// A conversation of one account: the key of every lane, state and budget.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationKey {
    /// The account that takes part.
    pub account: AccountId,
    /// `None`: the account's own lane, for events without a conversation.
    pub conversation: Option<ConversationId>,
}

impl ConversationKey {
    /// The lane of `conversation`, or the account's own where it is `None`.
    pub fn new(account: AccountId, conversation: impl Into<Option<ConversationId>>) -> Self {
        Self { account, conversation: conversation.into() }
    }
}
