//! What an account can look up and do: the `find`s, and calls that belong to no single object.

use futures_util::{StreamExt, TryStreamExt, stream};
use wechaty_puppet::{
    Capability, Directory, FriendRequest, Loader, LoginAnswer, Page, PageRequest, PostFilter, Posts, PuppetError,
};
use wechaty_types::{
    ContactId, ConversationId, FriendshipId, MessageId, PostId, PostPayload, RoomId, RoomInvitationId, TagId,
};

use super::{
    Contact, ContactQuery, ContactSelf, Friendship, Message, MessageQuery, Post, Room, RoomInvitation, RoomQuery, Tag,
};
use crate::{Account, Error, Result};

/// How many payloads are loaded at once.
pub(super) const CONCURRENCY: usize = 16;

/// The capability's trait, or the `Unsupported` error.
macro_rules! capability {
    ($account:expr, $accessor:ident, $capability:ident) => {
        $account.puppet().$accessor().ok_or_else(|| {
            wechaty_puppet::PuppetError::unsupported($account.platform(), wechaty_puppet::Capability::$capability)
        })
    };
}
pub(super) use capability;

impl Account {
    pub(super) fn loader(&self, needed: Capability) -> Result<&dyn Loader, PuppetError> {
        self.puppet().loader().ok_or_else(|| PuppetError::unsupported(self.platform(), needed))
    }
    pub(super) fn directory(&self, needed: Capability) -> Result<&dyn Directory, PuppetError> {
        self.puppet().directory().ok_or_else(|| PuppetError::unsupported(self.platform(), needed))
    }

    /// Who is logged in.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`].
    #[doc(alias = "currentUser")]
    pub fn current_user(&self) -> Result<ContactSelf> {
        let me = self.me().ok_or_else(|| Error::NotLoggedIn(self.id().clone()))?;
        Ok(ContactSelf::new(self.contact_handle(&me)))
    }

    /// Logs out.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn logout(&self, reason: Option<&str>) -> Result<()> {
        Ok(capability!(self, login, Logout)?.logout(reason).await?)
    }

    /// Answers a verify code question of a login.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "enterVerifyCode")]
    pub async fn answer_login(&self, answer: LoginAnswer) -> Result<()> {
        Ok(capability!(self, login, VerifyCode)?.answer(answer).await?)
    }

    /// A contact by id without loading it; with its payload if it is known.
    #[doc(alias = "Contact.load")]
    pub fn contact_handle(&self, id: &ContactId) -> Contact {
        Contact::new(self.clone(), id.clone(), self.cache().contact.get(self.index(), id))
    }
    /// A room by id without loading it; with its payload if it is known.
    #[doc(alias = "Room.load")]
    pub fn room_handle(&self, id: &RoomId) -> Room {
        Room::new(self.clone(), id.clone(), self.cache().room.get(self.index(), id))
    }

    /// A contact by id, loaded.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "Contact.find")]
    pub async fn contact(&self, id: impl Into<ContactId>) -> Result<Contact> {
        let contact = self.contact_handle(&id.into());
        contact.ready().await?;
        Ok(contact)
    }
    /// A room by id, loaded.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "Room.find")]
    pub async fn room(&self, id: impl Into<RoomId>) -> Result<Room> {
        let room = self.room_handle(&id.into());
        room.ready().await?;
        Ok(room)
    }
    /// A message by id, received or sent.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "Message.find")]
    pub async fn message(&self, id: &MessageId) -> Result<Message> {
        let loader = self.puppet().loader();
        let load = async {
            match loader {
                Some(loader) => loader.message(id).await,
                None => Err(PuppetError::not_found("message", id)),
            }
        };
        let payload = self.cache().message.get_or_load(self.index(), id, load).await?;
        Ok(Message::new(self.clone(), payload))
    }
    /// A friendship by id.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "Friendship.load")]
    pub async fn friendship(&self, id: &FriendshipId) -> Result<Friendship> {
        let load = async { self.loader(Capability::LoadFriendship)?.friendship(id).await };
        let payload = self.cache().friendship.get_or_load(self.index(), id, load).await?;
        Ok(Friendship::new(self.clone(), payload))
    }
    /// An invitation by id; always asked anew.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "RoomInvitation.load")]
    pub async fn room_invitation(&self, id: &RoomInvitationId) -> Result<RoomInvitation> {
        let payload = self.loader(Capability::LoadRoomInvitation)?.room_invitation(id).await?;
        Ok(RoomInvitation::new(self.clone(), payload))
    }
    /// A post by id.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if there is none.
    #[doc(alias = "Post.load")]
    pub async fn post(&self, id: &PostId) -> Result<Post> {
        let load = async { self.loader(Capability::LoadPost)?.post(id).await };
        let payload = self.cache().post.get_or_load(self.index(), id, load).await?;
        Ok(Post::new(self.clone(), payload))
    }

    /// The first contact that fits; `None` if none does.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Contact.find")]
    pub async fn find_contact(&self, query: impl Into<ContactQuery>) -> Result<Option<Contact>> {
        Ok(self.find_contacts(query).await?.into_iter().next())
    }
    /// All contacts that fit every part of the query, in the platform's order. One that cannot be loaded is left out
    /// and logged; where none can be loaded, they come unloaded.
    ///
    /// # Errors
    /// What the puppet says to the listing.
    #[doc(alias = "Contact.findAll")]
    pub async fn find_contacts(&self, query: impl Into<ContactQuery>) -> Result<Vec<Contact>> {
        let query = query.into();
        if let Some(id) = &query.id {
            let contact = self.contact_handle(id);
            return match contact.ready().await {
                Ok(()) => Ok(query.matches(&contact).then_some(contact).into_iter().collect()),
                Err(Error::Puppet(PuppetError::NotFound { .. })) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let ids = self.directory(Capability::ContactList)?.contacts().await?;
        let unloaded = !self.capabilities().has(Capability::LoadContact);
        let mut contacts = self.load_contacts(&ids).await;
        contacts.retain(|contact| (unloaded || contact.is_ready()) && query.matches(contact));
        Ok(contacts)
    }

    /// Everybody of these ids, in their order, loaded where they can be.
    pub(super) async fn load_contacts(&self, ids: &[ContactId]) -> Vec<Contact> {
        let contacts: Vec<Contact> = ids.iter().map(|id| self.contact_handle(id)).collect();
        if !self.capabilities().has(Capability::LoadContact) {
            return contacts;
        }
        stream::iter(contacts.into_iter().map(|contact| async move {
            if let Err(error) = contact.ready().await {
                tracing::warn!(id = %contact.id(), %error, "a contact could not be loaded");
            }
            contact
        }))
        .buffered(CONCURRENCY)
        .collect()
        .await
    }

    /// The first room that fits; `None` if none does.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Room.find")]
    pub async fn find_room(&self, query: impl Into<RoomQuery>) -> Result<Option<Room>> {
        Ok(self.find_rooms(query).await?.into_iter().next())
    }
    /// All rooms that fit every part of the query.
    ///
    /// # Errors
    /// What the puppet says to the listing.
    #[doc(alias = "Room.findAll")]
    pub async fn find_rooms(&self, query: impl Into<RoomQuery>) -> Result<Vec<Room>> {
        let query = query.into();
        if let Some(id) = &query.id {
            let room = self.room_handle(id);
            return match room.ready().await {
                Ok(()) => Ok(query.matches(&room).then_some(room).into_iter().collect()),
                Err(Error::Puppet(PuppetError::NotFound { .. })) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let ids = self.directory(Capability::RoomList)?.rooms().await?;
        let rooms: Vec<Room> = stream::iter(ids.into_iter().map(|id| {
            let room = self.room_handle(&id);
            async move {
                let loaded = room.ready().await;
                loaded.map(|()| room).map_err(|error| tracing::warn!(%id, %error, "a room could not be loaded"))
            }
        }))
        .buffered(CONCURRENCY)
        .filter_map(|room| async { room.ok() })
        .collect()
        .await;
        Ok(rooms.into_iter().filter(|room| query.matches(room)).collect())
    }

    /// Messages this bot still remembers and that fit every part of the query, oldest first. (History has its own
    /// store.)
    #[doc(alias = "Message.findAll")]
    pub fn find_messages(&self, query: impl Into<MessageQuery>) -> Vec<Message> {
        let query = query.into();
        let mut found: Vec<Message> =
            self.cache().message.all(self.index()).into_iter().map(|p| Message::new(self.clone(), p)).collect();
        found.retain(|message| query.matches(message));
        found.sort_by_key(Message::timestamp);
        found
    }
    /// The first of [`find_messages`](Self::find_messages).
    #[doc(alias = "Message.find")]
    pub fn find_message(&self, query: impl Into<MessageQuery>) -> Option<Message> {
        self.find_messages(query).into_iter().next()
    }

    /// The messages pinned in a conversation, newest pin first. One that cannot be loaded is left out and logged.
    ///
    /// # Errors
    /// What the puppet says to the listing; `Unsupported` where it has no pins.
    pub async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<Message>> {
        let ids = capability!(self, pins, Pin)?.pinned(conversation).await?;
        let loads: Vec<_> = ids.iter().map(|id| self.message(id)).collect();
        let loaded = stream::iter(loads).buffered(CONCURRENCY).collect::<Vec<_>>().await;
        let one = |(id, message): (&MessageId, Result<Message>)| {
            message.map_err(|error| tracing::warn!(%id, %error, "a pinned message could not be loaded")).ok()
        };
        Ok(ids.iter().zip(loaded).filter_map(one).collect())
    }

    /// Creates a room with us and these contacts; it is loaded, where the platform can load rooms. A room that was
    /// created and cannot be loaded comes unloaded: asking again would create another.
    ///
    /// # Errors
    /// What the puppet says to the creation; `Invalid` for nobody.
    #[doc(alias = "Room.create")]
    pub async fn create_room(&self, members: &[Contact], topic: Option<&str>) -> Result<Room> {
        if members.is_empty() {
            return Err(Error::Invalid { what: "members", reason: "a room needs somebody besides the bot".into() });
        }
        let ids: Vec<ContactId> = members.iter().map(|contact| contact.id().clone()).collect();
        let id = capability!(self, rooms, RoomCreate)?.create(&ids, topic).await?;
        let room = self.room_handle(&id);
        room.sync_after("create").await;
        Ok(room)
    }

    /// All tags there are.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it has none.
    #[doc(alias = "Contact.tags")]
    pub async fn tags(&self) -> Result<Vec<Tag>> {
        let ids = capability!(self, tags, Tag)?.list(None).await?;
        Ok(ids.into_iter().map(|id| self.tag(id)).collect())
    }
    /// A tag by its name; it need not exist yet.
    #[doc(alias = "Tag.get")]
    pub fn tag(&self, id: impl Into<TagId>) -> Tag {
        Tag::new(self.clone(), id.into())
    }

    /// Who has this phone number.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "Friendship.search")]
    pub async fn search_phone(&self, phone: &str) -> Result<Option<Contact>> {
        let id = capability!(self, friendships, FriendshipSearch)?.search_phone(phone).await?;
        Ok(id.map(|id| self.contact_handle(&id)))
    }
    /// Who has this handle (on WeChat the `weixin` id).
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "Friendship.search")]
    pub async fn search_handle(&self, handle: &str) -> Result<Option<Contact>> {
        let id = capability!(self, friendships, FriendshipSearch)?.search_handle(handle).await?;
        Ok(id.map(|id| self.contact_handle(&id)))
    }
    /// Asks somebody to become a friend.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "Friendship.add")]
    pub async fn add_friend(&self, contact: &Contact, request: FriendRequest) -> Result<()> {
        Ok(capability!(self, friendships, FriendshipAdd)?.add(contact.id(), request).await?)
    }

    /// Publishes a post. Where the platform tells its id, it comes back, loaded if posts can be loaded; if not, it says
    /// what was published, as publishing again would publish another.
    ///
    /// # Errors
    /// What the puppet says to the publishing; `Unsupported` where it cannot.
    pub async fn publish(&self, post: PostPayload) -> Result<Option<Post>> {
        let Some(id) = self.posts()?.publish(post.clone()).await? else { return Ok(None) };
        let mut post = Post::published(self.clone(), id, post);
        if self.capabilities().has(Capability::LoadPost)
            && let Err(error) = post.ready().await
        {
            tracing::warn!(?post, %error, "published, but it could not be loaded");
        }
        Ok(Some(post))
    }
    /// A page of posts.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    #[doc(alias = "Post.findAll")]
    pub async fn find_posts(&self, filter: PostFilter, page: PageRequest) -> Result<Page<Post>> {
        let found = self.posts()?.search(filter, page).await?;
        let loads: Vec<_> = found.response.iter().map(|id| self.post(id)).collect();
        let response = stream::iter(loads).buffered(CONCURRENCY).try_collect().await?;
        Ok(Page { next_page_token: found.next_page_token, response })
    }
    /// The first post that fits; `None` if none does.
    ///
    /// # Errors
    /// As [`find_posts`](Self::find_posts).
    #[doc(alias = "Post.find")]
    pub async fn find_post(&self, filter: PostFilter) -> Result<Option<Post>> {
        let first = PageRequest { page_size: Some(1), page_token: None };
        Ok(self.find_posts(filter, first).await?.response.into_iter().next())
    }
    pub(super) fn posts(&self) -> Result<&dyn Posts, PuppetError> {
        capability!(self, posts, Post)
    }
}
