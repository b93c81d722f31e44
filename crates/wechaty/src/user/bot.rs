//! What a bot of one account, the usual one, can look up without naming it.

use wechaty_types::PostPayload;

use super::{Contact, ContactQuery, Message, MessageQuery, Post, Room, RoomQuery};
use crate::{Bot, Error, Result, handler::report_error};

impl Bot {
    /// [`Account::find_contact`](crate::Account::find_contact) of the first account.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Contact.find")]
    pub async fn find_contact(&self, query: impl Into<ContactQuery>) -> Result<Option<Contact>> {
        self.main_account().find_contact(query).await
    }
    /// [`Account::find_contacts`](crate::Account::find_contacts) of the first account.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Contact.findAll")]
    pub async fn find_contacts(&self, query: impl Into<ContactQuery>) -> Result<Vec<Contact>> {
        self.main_account().find_contacts(query).await
    }
    /// [`Account::find_room`](crate::Account::find_room) of the first account.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Room.find")]
    pub async fn find_room(&self, query: impl Into<RoomQuery>) -> Result<Option<Room>> {
        self.main_account().find_room(query).await
    }
    /// [`Account::find_rooms`](crate::Account::find_rooms) of the first account.
    ///
    /// # Errors
    /// What the puppet says.
    #[doc(alias = "Room.findAll")]
    pub async fn find_rooms(&self, query: impl Into<RoomQuery>) -> Result<Vec<Room>> {
        self.main_account().find_rooms(query).await
    }
    /// [`Account::find_message`](crate::Account::find_message) of the first account.
    #[doc(alias = "Message.find")]
    pub fn find_message(&self, query: impl Into<MessageQuery>) -> Option<Message> {
        self.main_account().find_message(query)
    }
    /// [`Account::find_messages`](crate::Account::find_messages) of the first account.
    #[doc(alias = "Message.findAll")]
    pub fn find_messages(&self, query: impl Into<MessageQuery>) -> Vec<Message> {
        self.main_account().find_messages(query)
    }
    /// [`Account::create_room`](crate::Account::create_room) of the first account.
    ///
    /// # Errors
    /// What the puppet says; `Invalid` for nobody.
    #[doc(alias = "Room.create")]
    pub async fn create_room(&self, members: &[Contact], topic: Option<&str>) -> Result<Room> {
        self.main_account().create_room(members, topic).await
    }
    /// [`Account::publish`](crate::Account::publish) of the first account.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn publish(&self, post: PostPayload) -> Result<Option<Post>> {
        self.main_account().publish(post).await
    }
    /// Tells the error handlers, or the log without any, of something that failed outside of a handler.
    #[doc(alias = "emitError")]
    #[doc(alias = "wrapAsync")]
    pub fn emit_error(&self, error: impl Into<Error>) {
        report_error(self.clone(), self.main_account(), error.into(), None);
    }
}
