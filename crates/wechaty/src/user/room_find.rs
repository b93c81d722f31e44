//! Members of a room by query.

use super::{Contact, Room, TextMatch};
use crate::Result;

/// Ourselves, as a member query.
#[derive(Clone, Copy, Debug)]
pub struct You;

/// Which members. A plain text means "room alias, name or alias is exactly this".
#[derive(Clone, Debug, Default)]
pub struct MemberQuery {
    /// Its name.
    pub name: Option<TextMatch>,
    /// Its name in the room.
    pub room_alias: Option<TextMatch>,
    /// The name we gave.
    pub contact_alias: Option<TextMatch>,
    /// Any of its names.
    pub any_name: Option<TextMatch>,
    /// Only ourselves.
    pub you: bool,
}

impl<T: Into<TextMatch>> From<T> for MemberQuery {
    fn from(text: T) -> Self {
        Self { any_name: Some(text.into()), ..Self::default() }
    }
}

impl From<You> for MemberQuery {
    fn from(_: You) -> Self {
        Self { you: true, ..Self::default() }
    }
}

impl Room {
    /// All members, loaded.
    ///
    /// # Errors
    /// What the puppet says to the listing; a member that cannot be loaded is left out and logged.
    #[doc(alias = "memberAll")]
    pub async fn members(&self) -> Result<Vec<Contact>> {
        Ok(self.account().load_contacts(&self.member_ids().await?).await)
    }

    /// All members that fit every part of the query.
    ///
    /// # Errors
    /// As [`members`](Self::members).
    #[doc(alias = "memberAll")]
    pub async fn find_members(&self, query: impl Into<MemberQuery>) -> Result<Vec<Contact>> {
        let query = query.into();
        if query.you {
            return Ok(self.account().current_user().map(|me| vec![Contact::clone(&me)]).unwrap_or_default());
        }
        let mut found = Vec::new();
        for contact in self.members().await? {
            let needs_alias = query.room_alias.is_some() || query.any_name.is_some();
            let room_alias = if needs_alias { self.alias(&contact).await.ok().flatten() } else { None };
            let (name, alias) = (contact.name(), contact.alias());
            let fits = |wanted: &Option<TextMatch>, text: Option<&str>| {
                wanted.as_ref().is_none_or(|wanted| text.is_some_and(|text| wanted.fits(text)))
            };
            let any = query.any_name.as_ref().is_none_or(|wanted| {
                [room_alias.as_deref(), Some(name.as_str()), alias.as_deref()]
                    .into_iter()
                    .flatten()
                    .any(|n| wanted.fits(n))
            });
            if any
                && fits(&query.name, Some(&name))
                && fits(&query.room_alias, room_alias.as_deref())
                && fits(&query.contact_alias, alias.as_deref())
            {
                found.push(contact);
            }
        }
        Ok(found)
    }

    /// The first member that fits.
    ///
    /// # Errors
    /// As [`members`](Self::members).
    #[doc(alias = "member")]
    pub async fn find_member(&self, query: impl Into<MemberQuery>) -> Result<Option<Contact>> {
        Ok(self.find_members(query).await?.into_iter().next())
    }
}
