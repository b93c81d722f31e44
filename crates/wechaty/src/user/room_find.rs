//! Members of a room by query.

use futures_util::{StreamExt, stream};

use super::{Contact, Room, TextMatch, account::CONCURRENCY, find::fits};
use crate::Result;

/// Ourselves, as a member query.
#[doc(alias = "YOU")]
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
    /// All members, loaded where the platform tells about them; one that cannot be loaded comes unloaded.
    ///
    /// # Errors
    /// What the puppet says to the listing.
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
        let members = self.members().await?;
        let fitting = members.into_iter().map(|contact| async {
            let fits = self.member_fits(&query, &contact).await;
            fits.then_some(contact)
        });
        Ok(stream::iter(fitting).buffered(CONCURRENCY).filter_map(std::future::ready).collect().await)
    }

    async fn member_fits(&self, query: &MemberQuery, contact: &Contact) -> bool {
        let needs_alias = query.room_alias.is_some() || query.any_name.is_some();
        let member = match needs_alias || !contact.is_ready() {
            true => self.member_payload(contact.id()).await.ok(),
            false => None,
        };
        let room_alias = member.as_ref().and_then(|member| member.room_alias.as_deref());
        let name = member.as_ref().filter(|_| !contact.is_ready()).map_or_else(|| contact.name(), |m| m.name.clone());
        let alias = contact.alias();
        let names = [room_alias, Some(name.as_str()), alias.as_deref()];
        query.any_name.as_ref().is_none_or(|wanted| names.into_iter().flatten().any(|name| wanted.fits(name)))
            && fits(query.name.as_ref(), Some(&name))
            && fits(query.room_alias.as_ref(), room_alias)
            && fits(query.contact_alias.as_ref(), alias.as_deref())
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
