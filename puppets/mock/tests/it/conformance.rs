//! The conformance suite: the plain world, one that is rich, one whose events carry ids only, and a stub.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use wechaty_puppet::{
    ActionEvent, Capabilities, Clock, ContactId, ConversationId, Declaration, Event, FriendshipEvent,
    FriendshipPayload, FriendshipType, MessageEditEvent, MessageEvent, MessageId, MessageRecallEvent, Payload,
    PostContent, PostPayload, PostType, Puppet, PuppetError, ReactionEvent, ReceiveDetails, Result, RoomAnnounceEvent,
    RoomInvitationPayload, RoomInviteEvent, RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent, SayablePayload, Timestamp,
    VirtualClock,
};
use wechaty_puppet_mock::{DECLARATION, MockPuppet, World as MockWorld};
use wechaty_puppet_testkit::{
    conformance::{Ability, Cannot, Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World},
    puppet_conformance,
};

use crate::support::changed;

struct MockHarness {
    puppet: MockPuppet,
    clock: VirtualClock,
    /// The next message is told twice.
    twice: AtomicBool,
}

const CANNOT: &[Cannot] =
    &[Cannot::new("each run of a world begins as in its file", &[Ability::Replay, Ability::Cursor, Ability::GoOn])];

impl MockHarness {
    /// Nothing but a login on the timeline; what happens then is the suite's.
    fn new(features: Value) -> Self {
        let json = changed(|world| {
            world["timeline"] = json!([
                { "at": 0, "event": "login", "payload": { "contactId": "bot" } },
                { "at": 0, "event": "ready", "payload": {} },
            ]);
            for (name, on) in features.as_object().expect("an object") {
                world["features"][name] = on.clone();
            }
        });
        let world = MockWorld::from_json(&json).expect("a sound world");
        Self { puppet: MockPuppet::new(world), clock: VirtualClock::new(), twice: AtomicBool::new(false) }
    }

    /// A time and a number that no other event has.
    fn stamp(&self) -> (Timestamp, String) {
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        (Timestamp::from_millis(self.clock.wall().as_millis() + n), format!("deed-{n}"))
    }

    /// Where a message of this world is.
    async fn place(&self, message: &MessageId) -> Result<ConversationId, Unavailable> {
        if let Some(record) = self.puppet.sent().into_iter().find(|record| &record.id == message) {
            return Ok(record.to);
        }
        let loader = self.puppet.loader().ok_or_else(|| Unavailable::new("no loader"))?;
        let payload = loader.message(message).await.map_err(told)?;
        Ok(payload.conversation(Some(&"bot".into())))
    }
}

fn told(error: PuppetError) -> Unavailable {
    Unavailable::new(error.to_string())
}

#[async_trait]
impl Harness for MockHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        Arc::new(self.puppet.clone())
    }

    fn capabilities(&self) -> Capabilities {
        self.puppet.capabilities()
    }

    async fn world(&self) -> World {
        World {
            room: Some(KnownRoom { id: "tasting@room".into(), members: vec!["c-mei".into(), "c-otto".into()] }),
            stranger: Some("c-finn".into()),
            phone: Some(("13900000001".into(), "c-mei".into())),
            handle: Some(("mei_tea".into(), "c-mei".into())),
            ..World::new(vec!["c-mei".into(), "c-otto".into(), "c-rosa".into()])
        }
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let message_id = self.puppet.says_what(said.from, said.room, said.what, said.quote).map_err(told)?;
        match self.twice.swap(false, Ordering::Relaxed) {
            true => self.puppet.inject(MessageEvent { message_id }).map_err(told),
            false => Ok(()),
        }
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        let sent = self.puppet.sent().into_iter().filter(|record| &record.to == conversation && !record.recalled);
        sent.map(|record| {
            let payload = SayablePayload::clone(record.stands.as_ref().unwrap_or(&record.what));
            Received {
                mentions: payload.mentions().to_vec(),
                payload,
                id: record.id,
                quote: record.quote,
                key: Some(record.key.to_string()),
            }
        })
        .collect()
    }

    fn clock(&self) -> Clock {
        self.clock.clone().into()
    }

    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        let (timestamp, id) = self.stamp();
        let event: Event = match deed {
            Deed::AskFriendship { hello } => {
                let friendship = FriendshipPayload {
                    id: id.as_str().into(),
                    contact_id: "c-finn".into(),
                    timestamp,
                    kind: FriendshipType::Receive,
                    hello: Some(hello),
                    receive: Some(ReceiveDetails { ticket: id.clone(), scene: None, stranger: None }),
                };
                Event::new(FriendshipEvent { friendship_id: id.into() })
                    .payload(Payload::Friendship(Arc::new(friendship)))
            }
            Deed::InviteToRoom { by, topic } => {
                let invitation = RoomInvitationPayload {
                    id: id.as_str().into(),
                    inviter_id: by.clone(),
                    topic,
                    avatar: String::new(),
                    invitation: String::new(),
                    member_count: 1,
                    member_id_list: vec![by],
                    timestamp,
                    receiver_id: "bot".into(),
                };
                Event::new(RoomInviteEvent { room_invitation_id: id.into() })
                    .payload(Payload::RoomInvitation(Arc::new(invitation)))
            }
            Deed::JoinRoom { room } => {
                RoomJoinEvent { invitee_id_list: vec!["c-finn".into()], inviter_id: None, room_id: room, timestamp }
                    .into()
            }
            Deed::LeaveRoom { room, who } => {
                RoomLeaveEvent { removee_id_list: vec![who], remover_id: None, room_id: room, timestamp }.into()
            }
            Deed::ChangeTopic { room, by, topic } => RoomTopicEvent {
                changer_id: Some(by),
                new_topic: topic,
                old_topic: "Tasting".into(),
                room_id: room,
                timestamp,
            }
            .into(),
            Deed::Announce { room, by, text } => RoomAnnounceEvent {
                changer_id: Some(by),
                new_announce: text,
                old_announce: None,
                room_id: room,
                timestamp,
            }
            .into(),
            Deed::Press { by, message, button } => ActionEvent {
                id,
                actor_id: by,
                conversation: self.place(&message).await?,
                message_id: Some(message),
                value: button,
                timestamp,
            }
            .into(),
            Deed::Recall { by, message } => MessageRecallEvent {
                conversation: self.place(&message).await?,
                message_id: message,
                recaller_id: Some(by),
                timestamp,
            }
            .into(),
            Deed::Edit { by, message, text } => MessageEditEvent {
                conversation: self.place(&message).await?,
                message_id: message,
                editor_id: Some(by),
                new_text: Some(text),
                timestamp,
            }
            .into(),
            Deed::React { by, message, reaction, add } => ReactionEvent {
                conversation: self.place(&message).await?,
                message_id: message,
                actor_id: by,
                reaction,
                added: add,
                timestamp,
            }
            .into(),
            Deed::Publish { by, text } => {
                let content = PostContent::Client { sayable_list: vec![SayablePayload::text(text)] };
                let post = PostPayload { parent_id: None, root_id: None, kind: PostType::Moment, content };
                return self.puppet.publishes(by, post).map(drop).map_err(told);
            }
            Deed::Read { by, message } => return self.puppet.reads(by, &message).map_err(told),
            Deed::Tap { by, post } => return self.puppet.likes(by, &post, true).map_err(told),
            other => return Err(Unavailable::new(format!("no {other:?}"))),
        };
        self.puppet.inject(event).map_err(told)
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        Ok(match look {
            Look::Typing(conversation) => self.puppet.is_typing(&conversation),
            Look::Reaction(message, reaction) => self.puppet.reactions_to(&message).contains(&reaction),
            Look::Pinned(_, message) => self.puppet.is_pinned(&message),
            Look::Growing(message) => self.puppet.is_growing(&message),
            Look::FriendRequest(contact, hello) => asked(&self.puppet, &contact, &hello),
            other => return Err(Unavailable::new(format!("no {other:?}"))),
        })
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        let reset = || Box::new(std::io::Error::other("reset"));
        let (error, done) = match fault {
            Fault::Disconnect => {
                let error = PuppetError::Transport { context: "listening", source: reset() };
                return self.puppet.run_fails(error).map_err(told);
            }
            Fault::DuplicateEvent => {
                self.twice.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Fault::RateLimit(pause) => (PuppetError::RateLimited { retry_after: Some(pause) }, false),
            Fault::LoseReply => (PuppetError::Transport { context: "sending", source: reset() }, true),
            Fault::Unreachable => (PuppetError::Unreachable { context: "sending", source: reset() }, false),
            Fault::Reject => {
                (PuppetError::Rejected { code: "told-to".to_owned(), message: "a test says so".to_owned() }, false)
            }
            other => return Err(Unavailable::new(format!("a world file cannot {other:?}"))),
        };
        self.puppet.next_send_fails(error, done);
        Ok(())
    }

    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}

fn asked(puppet: &MockPuppet, contact: &ContactId, hello: &str) -> bool {
    puppet.friend_request_to(contact).is_some_and(|request| request.hello.as_deref() == Some(hello))
}

puppet_conformance!(plain, MockHarness::new(json!({})));
puppet_conformance!(rich, MockHarness::new(json!({ "rich": true })));
puppet_conformance!(ids_only, MockHarness::new(json!({ "idsOnly": true })));
puppet_conformance!(quiet, MockHarness::new(json!({ "echoSelf": false, "sendReturnsId": false, "storeSent": false })));
puppet_conformance!(stub, MockHarness::new(json!({ "stub": true })));
