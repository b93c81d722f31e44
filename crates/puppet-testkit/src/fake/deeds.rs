//! What people do besides talking: press, react, edit, recall, ask for friendship, invite, join, post.

use std::sync::Arc;

use wechaty_puppet::{
    ActionEvent, ContactId, DeliveryStatus, Event, FriendshipId, FriendshipSceneType, FriendshipType, MessageId,
    Payload, PostEvent, PostId, ReceiveDetails, RoomInvitationId, RoomInvitationPayload, RoomInviteEvent,
    SayablePayload, TapType, TextPayload,
};

use super::{
    FakeRoom, Person,
    world::{InvitationState, Waiting, World},
};

impl Person {
    /// Does something to the world and waits until a connected bot has accepted the events it makes.
    async fn does<T>(&self, deed: &str, act: impl FnOnce(&mut World, &mut Waiting) -> T) -> T {
        let mut waiting = Waiting::somebody();
        let result = act(&mut self.platform.shared.world.lock(), &mut waiting);
        self.platform.shared.accepted(waiting, || format!("that {} {deed}", self.name())).await;
        result
    }

    /// Presses a button of a card, or chooses an item of a menu.
    ///
    /// # Panics
    /// If the message shows no such button.
    pub async fn presses(&self, message: &MessageId, button: &str) {
        self.does("pressed a button", |world, waiting| {
            let said = world.known(message);
            let shown = match &*said.what {
                SayablePayload::Card(card) => card.buttons.iter().any(|b| b.id == button),
                SayablePayload::Menu(menu) => menu.items.iter().any(|item| item.id == button),
                _ => false,
            };
            assert!(shown, "{} sees no button {button:?} on {:?}", self.name(), said.what);
            let (id, timestamp) = (world.next_id("action"), world.next_stamp());
            for (account, conversation) in world.audience(&said) {
                let event = ActionEvent {
                    id: id.clone(),
                    actor_id: self.id(),
                    conversation: conversation.clone(),
                    message_id: Some(message.clone()),
                    value: button.to_owned(),
                    timestamp,
                };
                world.offer(account, Event::new(event), Some(conversation), waiting);
            }
        })
        .await;
    }

    /// Reacts to a message.
    pub async fn reacts(&self, message: &MessageId, reaction: &str) {
        self.reaction(message, reaction, true).await;
    }

    /// Takes a reaction back.
    pub async fn unreacts(&self, message: &MessageId, reaction: &str) {
        self.reaction(message, reaction, false).await;
    }

    async fn reaction(&self, message: &MessageId, reaction: &str, added: bool) {
        self.does("reacted", |world, waiting| world.react(&self.id(), message, reaction, added, waiting)).await;
    }

    /// Has got a message of the bot's on their phone; the bot is told where the platform tells that.
    pub async fn receives(&self, message: &MessageId) {
        let delivered = DeliveryStatus::Delivered;
        self.does("received", |world, waiting| world.status(&self.id(), message, delivered, waiting)).await;
    }

    /// Has read a message of the bot's; the bot is told where the platform tells that.
    pub async fn reads(&self, message: &MessageId) {
        let read = DeliveryStatus::Read;
        self.does("read", |world, waiting| world.status(&self.id(), message, read, waiting)).await;
    }

    /// Edits an own message.
    ///
    /// # Panics
    /// If it is not this person's.
    pub async fn edits(&self, message: &MessageId, text: impl Into<String>) {
        self.does("edited a message", |world, waiting| {
            let said = world.known(message);
            assert_eq!(said.talker, self.id(), "{} edits a message of somebody else", self.name());
            let what = SayablePayload::Text(TextPayload { text: text.into(), mentions: said.what.mentions().to_vec() });
            world.edit(&said, Arc::new(what), waiting);
        })
        .await;
    }

    /// Takes an own message back.
    ///
    /// # Panics
    /// If it is not this person's.
    pub async fn recalls(&self, message: &MessageId) {
        self.does("recalled a message", |world, waiting| {
            let said = world.known(message);
            assert_eq!(said.talker, self.id(), "{} recalls a message of somebody else", self.name());
            world.recall(&said, waiting);
        })
        .await;
    }

    /// Asks the bot for friendship.
    pub async fn asks_friendship(&self, hello: impl Into<String>) -> FriendshipId {
        let details = ReceiveDetails {
            ticket: format!("ticket-{}", self.id()),
            scene: Some(FriendshipSceneType::Room),
            stranger: Some(self.id().to_string()),
        };
        self.does("asked for friendship", |world, waiting| {
            world.friendship(
                self.account,
                &self.id(),
                FriendshipType::Receive,
                Some(hello.into()),
                Some(details),
                waiting,
            )
        })
        .await
    }

    /// Accepts the bot's friend request; false: there is none.
    pub async fn accepts_friendship(&self) -> bool {
        self.does("accepted a friendship", |world, waiting| {
            let asked = world.people.get_mut(&self.id()).and_then(|person| person.asked_by.remove(&self.account));
            if asked.is_some() {
                world.befriend(self.account, &self.id());
                world.friendship(self.account, &self.id(), FriendshipType::Confirm, None, None, waiting);
            }
            asked.is_some()
        })
        .await
    }

    /// The words of the bot's open friend request.
    pub fn friend_request(&self) -> Option<String> {
        let world = self.platform.shared.world.lock();
        let asked = world.people.get(&self.id())?.asked_by.get(&self.account)?;
        Some(asked.clone().unwrap_or_default())
    }

    /// Makes a room with this topic and invites the bot.
    pub async fn invites_to(&self, topic: &str) -> RoomInvitationId {
        self.does("invited the bot", |world, waiting| {
            let room = world.new_room(topic, &self.id(), &[]);
            let id = RoomInvitationId::new(world.next_id("invitation"));
            let payload = Arc::new(RoomInvitationPayload {
                id: id.clone(),
                inviter_id: self.id(),
                topic: topic.to_owned(),
                avatar: String::new(),
                invitation: format!("https://fake.invalid/{id}"),
                member_count: 1,
                member_id_list: vec![self.id()],
                timestamp: world.next_stamp(),
                receiver_id: world.bot(self.account).clone(),
            });
            let state = InvitationState { account: self.account, room, payload: payload.clone() };
            world.invitations.insert(id.clone(), state);
            let event = Event::new(RoomInviteEvent { room_invitation_id: id.clone() });
            world.offer(self.account, event.payload(Payload::RoomInvitation(payload)), None, waiting);
            id
        })
        .await
    }

    /// Comes into a room.
    pub async fn joins(&self, room: &FakeRoom) {
        self.does("joined a room", |world, waiting| world.join(&room.id(), &[self.id()], None, waiting)).await;
    }

    /// Brings others into a room.
    pub async fn brings(&self, others: &[&Person], room: &FakeRoom) {
        let others: Vec<ContactId> = others.iter().map(|person| person.id()).collect();
        self.does("brought people", |world, waiting| world.join(&room.id(), &others, Some(self.id()), waiting)).await;
    }

    /// Goes out of a room.
    pub async fn leaves(&self, room: &FakeRoom) {
        self.does("left a room", |world, waiting| world.leave(&room.id(), &[self.id()], None, waiting)).await;
    }

    /// Removes somebody, perhaps the bot, from a room.
    pub async fn removes(&self, whom: &ContactId, room: &FakeRoom) {
        let whom = [whom.clone()];
        self.does("removed somebody", |world, waiting| world.leave(&room.id(), &whom, Some(self.id()), waiting)).await;
    }

    /// Publishes a post of these parts.
    pub async fn publishes(&self, parts: Vec<SayablePayload>) -> PostId {
        self.does("published a post", |world, waiting| {
            let (id, payload) = world.publish(&self.id(), parts, None, Default::default());
            let event = Event::new(PostEvent { post_id: id.clone() });
            world.offer(self.account, event.payload(Payload::Post(payload)), None, waiting);
            id
        })
        .await
    }

    /// Likes a post, or takes it back.
    pub fn taps(&self, post: &PostId, tapped: bool) {
        let mut world = self.platform.shared.world.lock();
        let at = world.next_stamp();
        world.wall.tap(post, TapType::Like, &self.id(), tapped, at);
    }
}
