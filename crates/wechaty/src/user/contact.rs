//! CONTACT: a person, an official account or a company.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use wechaty_puppet::Capability;
use wechaty_types::{
    ContactGender, ContactId, ContactPayload, ContactType, ConversationId, DirtyType, FileBox, MessageId,
};

use super::{Message, Tag, account::capability};
use crate::{Account, Error, IntoSayable, Owner, QuotaLeft, Result, Say};

/// A person, an official account or a company. Cheap to clone; clones share what is loaded.
///
/// Getters read the payload as it was loaded last and are empty before; [`ready`](Self::ready) loads it. Contacts that
/// come with an event are loaded, as far as the platform tells about them.
#[derive(Clone)]
pub struct Contact(Arc<Inner>);

struct Inner {
    account: Account,
    id: ContactId,
    payload: ArcSwapOption<ContactPayload>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contact").field(self.id()).field(&self.name()).finish()
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.alias().unwrap_or_else(|| self.name());
        write!(f, "Contact<{}>", if name.is_empty() { self.id().as_str() } else { &name })
    }
}

impl PartialEq for Contact {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.account() == other.account()
    }
}

impl Eq for Contact {}

impl Contact {
    pub(crate) fn new(account: Account, id: ContactId, payload: Option<Arc<ContactPayload>>) -> Self {
        Self(Arc::new(Inner { account, id, payload: ArcSwapOption::new(payload) }))
    }

    /// Its id, unique within the account.
    pub fn id(&self) -> &ContactId {
        &self.0.id
    }
    /// The account it belongs to.
    pub fn account(&self) -> &Account {
        &self.0.account
    }
    /// Everything known, if it is loaded.
    pub fn payload(&self) -> Option<Arc<ContactPayload>> {
        self.0.payload.load_full()
    }
    fn field<T>(&self, get: impl FnOnce(&ContactPayload) -> T) -> Option<T> {
        self.0.payload.load().as_deref().map(get)
    }

    /// The name it chose; empty if it is not loaded.
    pub fn name(&self) -> String {
        self.field(|p| p.name.clone()).unwrap_or_default()
    }
    /// The name we gave.
    pub fn alias(&self) -> Option<String> {
        self.field(|p| p.alias.clone()).flatten().filter(|alias| !alias.is_empty())
    }
    /// Phone numbers we noted.
    pub fn phone(&self) -> Vec<String> {
        self.field(|p| p.phone.clone()).unwrap_or_default()
    }
    /// Person, official account …
    #[doc(alias = "type")]
    pub fn kind(&self) -> ContactType {
        self.field(|p| p.kind).unwrap_or_default()
    }
    /// Gender.
    pub fn gender(&self) -> ContactGender {
        self.field(|p| p.gender).unwrap_or_default()
    }
    /// Whether it is a friend, as far as is known.
    #[doc(alias = "friend")]
    pub fn is_friend(&self) -> Option<bool> {
        self.field(|p| p.friend).flatten()
    }
    /// Whether we starred it.
    #[doc(alias = "star")]
    pub fn is_starred(&self) -> Option<bool> {
        self.field(|p| p.star).flatten()
    }
    /// Whether it works in our company.
    #[doc(alias = "coworker")]
    pub fn is_coworker(&self) -> Option<bool> {
        self.field(|p| p.coworker).flatten()
    }
    /// Province or state.
    pub fn province(&self) -> Option<String> {
        self.field(|p| p.province.clone()).flatten()
    }
    /// City.
    pub fn city(&self) -> Option<String> {
        self.field(|p| p.city.clone()).flatten()
    }
    /// Public handle.
    #[doc(alias = "weixin")]
    pub fn handle(&self) -> Option<String> {
        self.field(|p| p.handle.clone()).flatten()
    }
    /// Company.
    pub fn corporation(&self) -> Option<String> {
        self.field(|p| p.corporation.clone()).flatten()
    }
    /// Job title.
    pub fn title(&self) -> Option<String> {
        self.field(|p| p.title.clone()).flatten()
    }
    /// Our note.
    pub fn description(&self) -> Option<String> {
        self.field(|p| p.description.clone()).flatten()
    }
    /// The language it reads, as a BCP 47 tag (`zh-CN`); `None`: the platform does not tell.
    pub fn language(&self) -> Option<String> {
        self.field(|p| p.language.clone()).flatten()
    }
    /// The contact's own words.
    pub fn signature(&self) -> Option<String> {
        self.field(|p| p.signature.clone()).flatten()
    }
    /// Whether this is us.
    #[doc(alias = "self")]
    pub fn is_self(&self) -> bool {
        self.account().me().as_deref() == Some(self.id())
    }
    /// Whether it may tell the bot what to do: it is one of [`Bot::owners`](crate::Bot::owners).
    pub fn is_owner(&self) -> bool {
        let owns = |owner: &Owner| owner.contact == *self.id() && owner.account == *self.account().id();
        self.account().core().bot().is_some_and(|bot| bot.owners().iter().any(owns))
    }
    /// Whether the payload is loaded.
    #[doc(alias = "isReady")]
    pub fn is_ready(&self) -> bool {
        self.0.payload.load().is_some()
    }

    /// Loads the payload, from the cache where it is fresh.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is no such contact.
    pub async fn ready(&self) -> Result<()> {
        if self.is_ready() { Ok(()) } else { self.load().await }
    }
    async fn load(&self) -> Result<()> {
        let account = self.account();
        let load = async { account.loader(Capability::LoadContact)?.contact(self.id()).await };
        let payload = account.cache().contact.get_or_load(account.index(), self.id(), load).await?;
        self.0.payload.store(Some(payload));
        Ok(())
    }

    /// Loads the payload from the platform.
    ///
    /// # Errors
    /// As [`ready`](Self::ready); what was known stays known then.
    pub async fn sync(&self) -> Result<()> {
        self.account().forget_payload(DirtyType::Contact, self.id().as_str()).await;
        self.load().await
    }

    /// Sets the name we give; `None` or an empty text clears it. Returns once the platform acknowledged and it was read
    /// back. Where reading back fails, that is logged and the platform's word is enough: the getters tell the earlier
    /// value until the next [`sync`](Self::sync).
    ///
    /// # Errors
    /// What the puppet says to the setting; `Invalid` if the platform took it but kept another.
    #[doc(alias = "alias")]
    pub async fn set_alias(&self, alias: Option<&str>) -> Result<()> {
        let alias = alias.filter(|alias| !alias.is_empty());
        capability!(self.account(), contact_profile, ContactAlias)?.set_alias(self.id(), alias).await?;
        self.sync_back("alias", alias.unwrap_or("").to_owned(), |p| p.alias.clone().unwrap_or_default()).await
    }
    /// Replaces the noted phone numbers.
    ///
    /// # Errors
    /// As [`set_alias`](Self::set_alias).
    #[doc(alias = "phone")]
    pub async fn set_phone(&self, phone: &[String]) -> Result<()> {
        capability!(self.account(), contact_profile, ContactPhone)?.set_phone(self.id(), phone).await?;
        self.sync_back("phone", phone.to_vec(), |p| p.phone.clone()).await
    }
    /// Sets our note.
    ///
    /// # Errors
    /// As [`set_alias`](Self::set_alias).
    #[doc(alias = "description")]
    pub async fn set_description(&self, text: Option<&str>) -> Result<()> {
        capability!(self.account(), contact_profile, ContactDescription)?.set_description(self.id(), text).await?;
        self.sync_back("description", text.unwrap_or("").to_owned(), |p| p.description.clone().unwrap_or_default())
            .await
    }
    /// Sets the corporation remark.
    ///
    /// # Errors
    /// As [`set_alias`](Self::set_alias).
    #[doc(alias = "corporation")]
    pub async fn set_corporation(&self, text: Option<&str>) -> Result<()> {
        capability!(self.account(), contact_profile, ContactCorporation)?.set_corporation(self.id(), text).await?;
        self.sync_back("corporation", text.unwrap_or("").to_owned(), |p| p.corporation.clone().unwrap_or_default())
            .await
    }

    /// Reads a set value back. Where the payload cannot be loaded the platform's word is enough.
    pub(super) async fn sync_back<T: PartialEq + fmt::Debug>(
        &self,
        what: &'static str,
        wanted: T,
        read: impl FnOnce(&ContactPayload) -> T,
    ) -> Result<()> {
        if !self.account().capabilities().has(Capability::LoadContact) {
            return Ok(());
        }
        match self.sync().await {
            Ok(()) => kept(what, Some(wanted), self.field(read)),
            Err(error) => {
                tracing::warn!(contact = %self.id(), what, %error, "set, but it could not be read back");
                Ok(())
            }
        }
    }

    /// The picture.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn avatar(&self) -> Result<FileBox> {
        Ok(capability!(self.account(), contact_profile, ContactAvatar)?.avatar(self.id()).await?)
    }
    /// Its tags.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it has none.
    pub async fn tags(&self) -> Result<Vec<Tag>> {
        let ids = capability!(self.account(), tags, Tag)?.list(Some(self.id())).await?;
        Ok(ids.into_iter().map(|id| self.account().tag(id)).collect())
    }
    /// Whether we have read everything it said.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "readMark")]
    pub async fn is_read(&self) -> Result<bool> {
        Ok(capability!(self.account(), read_marks, ReadMark)?.is_read(&self.conversation_id()).await?)
    }
    /// The messages pinned in the conversation, newest pin first; those that can be loaded.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn pinned(&self) -> Result<Vec<Message>> {
        self.account().pinned(&self.conversation_id()).await
    }
    /// Marks the conversation read or unread.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "readMark")]
    pub async fn set_read(&self, read: bool) -> Result<()> {
        Ok(capability!(self.account(), read_marks, ReadMark)?.set_read(&self.conversation_id(), read).await?)
    }

    /// The conversation with it.
    pub fn conversation_id(&self) -> ConversationId {
        ConversationId::Contact(self.id().clone())
    }
    /// What the platform's quotas leave of this conversation now, and when it takes sends again. A send over quota is not tried:
    /// it waits (its receipt is [`Held`](crate::ReceiptState::Held)), and so does what is said behind it.
    ///
    /// ```
    /// use wechaty::{Opens, prelude::*};
    /// async fn remind(customer: &Contact) -> wechaty::Result<String> {
    ///     Ok(match customer.quota().await?.opens {
    ///         None => "it goes out now".to_owned(),
    ///         Some(Opens::At(time)) => format!("it goes out at {time:?}"),
    ///         Some(Opens::WhenTheyWrite) => "only they can open the conversation".to_owned(),
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quota(&self) -> Result<QuotaLeft> {
        self.account().quota_left(&self.conversation_id()).await
    }
    /// Says something to it.
    pub fn say(&self, what: impl IntoSayable) -> Say {
        self.say_because(what, None)
    }
    pub(crate) fn say_because(&self, what: impl IntoSayable, cause: Option<MessageId>) -> Say {
        Say::new(self.account().clone(), self.conversation_id(), what.into_sayable(), cause)
    }
    /// How it is called where it is mentioned.
    pub(crate) fn mention_name(&self) -> String {
        let name = self.name();
        if name.is_empty() { self.id().to_string() } else { name }
    }
}

/// Whether the platform kept what it was given.
pub(super) fn kept<T: PartialEq + fmt::Debug>(what: &'static str, wanted: T, found: T) -> Result<()> {
    if wanted == found {
        return Ok(());
    }
    Err(Error::Invalid { what, reason: format!("the platform took {wanted:?} but reads back {found:?}") })
}
