//! Who a message mentions.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ContactId;

/// A mention. In JSON: the contact's id, or `"@all"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mention {
    /// This person.
    Contact(ContactId),
    /// Everybody in the room.
    All,
}

#[cfg(feature = "schema")]
crate::schema::of!(Mention, "string");

impl Mention {
    /// The JSON text of [`Mention::All`].
    pub const ALL: &'static str = "@all";

    /// The contact, unless everybody is meant.
    pub fn contact(&self) -> Option<&ContactId> {
        match self {
            Self::Contact(id) => Some(id),
            Self::All => None,
        }
    }
}

impl From<ContactId> for Mention {
    fn from(id: ContactId) -> Self {
        Self::Contact(id)
    }
}

impl Serialize for Mention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Contact(id) => id.as_str(),
            Self::All => Self::ALL,
        })
    }
}

impl<'de> Deserialize<'de> for Mention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text == Self::ALL { Self::All } else { Self::Contact(text.into()) })
    }
}
