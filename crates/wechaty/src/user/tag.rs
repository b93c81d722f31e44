//! TAG: a label on contacts.

use std::fmt;

use wechaty_types::TagId;

use super::{Contact, account::capability};
use crate::{Account, Result};

/// A label on contacts. It need not exist before somebody gets it.
#[derive(Clone)]
pub struct Tag {
    account: Account,
    id: TagId,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tag").field(&self.id).finish()
    }
}

impl Tag {
    pub(crate) fn new(account: Account, id: TagId) -> Self {
        Self { account, id }
    }
    /// Its id; on most platforms its name.
    pub fn id(&self) -> &TagId {
        &self.id
    }
    /// Gives it to somebody.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it has none.
    pub async fn add(&self, contact: &Contact) -> Result<()> {
        Ok(capability!(self.account, tags, Tag)?.add(&self.id, contact.id()).await?)
    }
    /// Takes it from somebody.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it has none.
    pub async fn remove(&self, contact: &Contact) -> Result<()> {
        Ok(capability!(self.account, tags, Tag)?.remove(&self.id, contact.id()).await?)
    }
    /// Takes it from everybody.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it has none.
    pub async fn delete(&self) -> Result<()> {
        Ok(capability!(self.account, tags, Tag)?.delete(&self.id).await?)
    }
}
