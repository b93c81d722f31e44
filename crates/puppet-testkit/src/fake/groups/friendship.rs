//! Friend requests, both ways.

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, FriendRequest, FriendshipId, FriendshipType, Friendships, PuppetError, Result,
};

use super::of_the_fake;
use crate::fake::{
    FakePuppet,
    world::{PersonState, Waiting},
};

impl FakePuppet {
    fn search(&self, detail: &str, found: impl Fn(&PersonState) -> bool) -> Result<Option<ContactId>> {
        let world = self.call(Capability::FriendshipSearch, || detail.to_owned())?;
        let people = world.people.values().filter(|person| found(person));
        Ok(people.map(|person| person.payload.id.clone()).min())
    }
}

#[async_trait]
impl Friendships for FakePuppet {
    of_the_fake!();

    async fn accept(&self, id: &FriendshipId) -> Result<()> {
        let mut world = self.call(Capability::FriendshipAccept, || id.to_string())?;
        let asked = world.friendships.get(id).filter(|state| state.account == self.account);
        let asked = asked.ok_or_else(|| PuppetError::not_found("friendship", id))?.payload.clone();
        if asked.kind != FriendshipType::Receive {
            return Err(PuppetError::Invalid { what: "friendship", reason: format!("{} asks for nothing", id) });
        }
        world.befriend(self.account, &asked.contact_id);
        let confirm = FriendshipType::Confirm;
        world.friendship(self.account, &asked.contact_id, confirm, None, None, &mut Waiting::nobody());
        Ok(())
    }

    async fn add(&self, contact: &ContactId, request: FriendRequest) -> Result<()> {
        let mut world = self.call(Capability::FriendshipAdd, || format!("{contact}: {:?}", request.hello))?;
        let person = world.people.get_mut(contact).ok_or_else(|| PuppetError::not_found("contact", contact))?;
        person.asked_by.insert(self.account, request.hello);
        Ok(())
    }

    async fn search_phone(&self, phone: &str) -> Result<Option<ContactId>> {
        self.search(phone, |person| person.payload.phone.iter().any(|known| known == phone))
    }

    async fn search_handle(&self, handle: &str) -> Result<Option<ContactId>> {
        self.search(handle, |person| person.payload.handle.as_deref() == Some(handle))
    }
}
