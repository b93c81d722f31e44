//! POST: a moment or channel entry.

use std::{collections::VecDeque, fmt, sync::Arc};

use wechaty_puppet::{Page, PageRequest, PostFilter, Taps};
use wechaty_types::{
    DirtyType, PostContent, PostCounter, PostId, PostPayload, PostType, TapFilter, TapPayload, TapType,
};

use super::{Contact, account::capability};
use crate::{Account, Error, IntoSayable, Result, Sayable};

/// A post, ours before it is published or one the platform serves.
#[derive(Clone)]
pub struct Post {
    account: Option<Account>,
    /// Once published, also while only our own form of it is known.
    id: Option<PostId>,
    payload: Arc<PostPayload>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Post").field(&self.payload).finish()
    }
}

impl Post {
    pub(crate) fn new(account: Account, payload: Arc<PostPayload>) -> Self {
        Self { account: Some(account), id: payload.id().cloned(), payload }
    }
    /// One of ours that was published and is not loaded.
    pub(super) fn published(account: Account, id: PostId, payload: PostPayload) -> Self {
        Self { account: Some(account), id: Some(id), payload: Arc::new(payload) }
    }
    /// Starts a post of our own.
    pub fn builder() -> PostBuilder {
        PostBuilder::default()
    }
    /// Everything known.
    pub fn payload(&self) -> &PostPayload {
        &self.payload
    }
    /// Its id, once published.
    pub fn id(&self) -> Option<&PostId> {
        self.id.as_ref()
    }
    /// Loads it, unless it is loaded: one we published may be known only as we made it.
    ///
    /// # Errors
    /// [`Error::NotReady`] before it is published; what the puppet says.
    pub async fn ready(&mut self) -> Result<()> {
        match self.payload.content {
            PostContent::Server { .. } => Ok(()),
            PostContent::Client { .. } => self.load().await,
        }
    }
    /// Loads it from the platform, with its counters.
    ///
    /// # Errors
    /// As [`ready`](Self::ready); what was known stays known then.
    pub async fn sync(&mut self) -> Result<()> {
        let (account, id) = self.served()?;
        account.cache().forget(account.index(), DirtyType::Post, id.as_str());
        self.load().await
    }
    async fn load(&mut self) -> Result<()> {
        let (account, id) = self.served()?;
        self.payload = account.post(id).await?.payload;
        Ok(())
    }
    /// Moment, channel …
    #[doc(alias = "type")]
    pub fn kind(&self) -> PostType {
        self.payload.kind
    }
    /// Answers and taps, as counted when it was loaded.
    pub fn counter(&self) -> PostCounter {
        match &self.payload.content {
            PostContent::Server { counter, .. } => counter.clone(),
            PostContent::Client { .. } => PostCounter::default(),
        }
    }
    fn served(&self) -> Result<(&Account, &PostId)> {
        let not_published = || Error::NotReady { what: "post", id: "(not published)".into() };
        self.account.as_ref().zip(self.id.as_ref()).ok_or_else(not_published)
    }
    /// Who posted it: us, as long as only our own form of it is known.
    ///
    /// # Errors
    /// [`Error::NotReady`] before it is published; [`Error::NotLoggedIn`].
    pub fn author(&self) -> Result<Contact> {
        let (account, _) = self.served()?;
        match &self.payload.content {
            PostContent::Server { contact_id, .. } => Ok(account.contact_handle(contact_id)),
            PostContent::Client { .. } => Ok(Contact::clone(&*account.current_user()?)),
        }
    }
    /// The post it answers.
    ///
    /// # Errors
    /// [`Error::NotReady`] before it is published; what the puppet says.
    pub async fn parent(&self) -> Result<Option<Post>> {
        let (account, ..) = self.served()?;
        match &self.payload.parent_id {
            Some(id) => Ok(Some(account.post(id).await?)),
            None => Ok(None),
        }
    }
    /// The first post of the thread.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    pub async fn root(&self) -> Result<Option<Post>> {
        let (account, ..) = self.served()?;
        match &self.payload.root_id {
            Some(id) => Ok(Some(account.post(id).await?)),
            None => Ok(None),
        }
    }
    /// What it says.
    ///
    /// # Errors
    /// What the puppet says to the loading of its parts.
    pub async fn sayables(&self) -> Result<Vec<Sayable>> {
        match (&self.account, &self.payload.content) {
            (_, PostContent::Client { sayable_list }) => {
                Ok(sayable_list.iter().cloned().map(IntoSayable::into_sayable).collect())
            }
            (Some(account), PostContent::Server { sayable_list, .. }) => {
                let mut sayables = Vec::with_capacity(sayable_list.len());
                for id in sayable_list {
                    sayables.push(account.message(id).await?.to_sayable().await?);
                }
                Ok(sayables)
            }
            (None, PostContent::Server { .. }) => Ok(Vec::new()),
        }
    }
    /// A page of direct answers.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    pub async fn children(&self, page: PageRequest) -> Result<Page<Post>> {
        let (account, id) = self.served()?;
        account.find_posts(PostFilter { parent_id: Some(Some(id.clone())), ..PostFilter::default() }, page).await
    }
    /// The first `limit` answers of any depth, each before the answers to it.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    pub async fn descendants(&self, limit: usize) -> Result<Vec<Post>> {
        let mut found: Vec<Post> = Vec::new();
        // Pages not asked for yet, the deepest last, and what is left of those that came.
        let mut left = vec![(self.clone(), Some(PageRequest::default()), VecDeque::<Post>::new())];
        while let Some((post, page, answers)) = left.last_mut() {
            if let Some(answer) = answers.pop_front() {
                if found.len() == limit {
                    break;
                }
                found.push(answer.clone());
                left.push((answer, Some(PageRequest::default()), VecDeque::new()));
            } else if let Some(request) = page.take() {
                let came = post.children(request).await?;
                *page = came.next_page_token.map(|token| PageRequest { page_token: Some(token), page_size: None });
                answers.extend(came.response);
            } else {
                left.pop();
            }
        }
        Ok(found)
    }
    /// Answers it.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    pub async fn reply(&self, what: impl IntoSayable) -> Result<Option<Post>> {
        let (account, ..) = self.served()?;
        account.publish(Self::builder().add(what).reply_to(self)?.build()?).await
    }
    fn taps_of(account: &Account) -> Result<&dyn Taps> {
        Ok(capability!(account, taps, Tap)?)
    }
    /// Whether we tapped it so.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    #[doc(alias = "tap")]
    pub async fn is_tapped(&self, kind: TapType) -> Result<bool> {
        let (account, id) = self.served()?;
        Ok(Self::taps_of(account)?.is_tapped(id, kind).await?)
    }
    /// Taps it so, or takes it back.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    #[doc(alias = "tap")]
    pub async fn set_tapped(&self, kind: TapType, tapped: bool) -> Result<()> {
        let (account, id) = self.served()?;
        Ok(Self::taps_of(account)?.set_tapped(id, kind, tapped).await?)
    }
    /// Whether we like it.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    #[doc(alias = "like")]
    pub async fn is_liked(&self) -> Result<bool> {
        self.is_tapped(TapType::Like).await
    }
    /// Likes it, or takes it back.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    #[doc(alias = "like")]
    pub async fn set_liked(&self, liked: bool) -> Result<()> {
        self.set_tapped(TapType::Like, liked).await
    }
    /// Who likes it: the first page.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    pub async fn likes(&self) -> Result<Vec<Contact>> {
        let (account, ..) = self.served()?;
        let filter = TapFilter { kind: Some(TapType::Like), contact_id: None };
        let (taps, _) = self.taps(filter, PageRequest::default()).await?;
        let likes = taps.0.get(&TapType::Like.number()).cloned().unwrap_or_default();
        Ok(likes.contact_id.iter().map(|id| account.contact_handle(id)).collect())
    }
    /// A page of taps, and the token of the next.
    ///
    /// # Errors
    /// As [`parent`](Self::parent).
    #[doc(alias = "tapFind")]
    pub async fn taps(&self, filter: TapFilter, page: PageRequest) -> Result<(TapPayload, Option<String>)> {
        let (account, id) = self.served()?;
        Ok(Self::taps_of(account)?.search(id, filter, page).await?)
    }
}

/// A post of our own in the making.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PostBuilder {
    parts: Vec<Sayable>,
    kind: PostType,
    parent: Option<PostId>,
    root: Option<PostId>,
}

impl PostBuilder {
    /// Adds a part; a [`Delay`](super::Delay) is none.
    #[expect(clippy::should_implement_trait, reason = "Wechaty's name")]
    pub fn add(mut self, what: impl IntoSayable) -> Self {
        let part = what.into_sayable();
        if part.1.is_none() {
            self.parts.push(part);
        }
        self
    }
    /// Moment, channel …
    #[doc(alias = "type")]
    pub fn kind(mut self, kind: PostType) -> Self {
        self.kind = kind;
        self
    }
    /// Makes it an answer.
    ///
    /// # Errors
    /// [`Error::NotReady`] if the other post is not published.
    #[doc(alias = "reply")]
    pub fn reply_to(mut self, post: &Post) -> Result<Self> {
        let (_, id) = post.served()?;
        self.parent = Some(id.clone());
        self.root = post.payload.root_id.clone().or_else(|| Some(id.clone()));
        Ok(self)
    }
    /// The payload, for [`Account::publish`].
    ///
    /// # Errors
    /// [`Error::Invalid`] without any part.
    pub fn build(self) -> Result<PostPayload> {
        if self.parts.is_empty() {
            return Err(Error::Invalid { what: "post", reason: "it says nothing: add at least one part".into() });
        }
        let sayable_list = self.parts.into_iter().map(Sayable::into_payload).collect();
        let content = PostContent::Client { sayable_list };
        Ok(PostPayload { parent_id: self.parent, root_id: self.root, kind: self.kind, content })
    }
}
