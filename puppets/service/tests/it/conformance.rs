//! The conformance suite, over HTTP/2 to a gateway of ours and to one like the reference.

use std::sync::{Arc, atomic::Ordering};

use futures_util::FutureExt;
use wechaty_puppet::{Capabilities, Clock, ContactId, ConversationId, Declaration, FileBox, Puppet, async_trait};
use wechaty_puppet_service::DECLARATION;
use wechaty_puppet_testkit::{
    FakePlatform, FakeRoom, Person, SendFault,
    conformance::{Ability, Cannot, Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World},
    puppet_conformance,
};

use crate::gate::Gate;

struct ServiceHarness {
    platform: FakePlatform,
    people: Vec<Person>,
    stranger: Person,
    room: FakeRoom,
    gate: Gate,
    cannot: &'static [Cannot],
}

const NO_CURSOR: Cannot = Cannot::new("the gateway keeps the position, by acknowledgements", &[Ability::Cursor]);
const NO_FIELD: Cannot = Cannot::new(
    "the contract has no field for what a message quotes, and no event of what became of one",
    &[Ability::SayQuote, Ability::Recall, Ability::Edit, Ability::React],
);

const OWN: &[Cannot] = &[NO_CURSOR, NO_FIELD];

impl ServiceHarness {
    async fn own() -> Self {
        let mut capabilities = (DECLARATION.capabilities)();
        capabilities.key_window = None;
        let platform = FakePlatform::builder().capabilities(capabilities).clock(Clock::system()).build();
        let people = ["alice", "bob", "dan"].map(|name| platform.user(name)).to_vec();
        let room = platform.room("lobby", &[&people[0], &people[1]]);
        let picture = || FileBox::from_bytes(&b"picture"[..], "picture.png");
        people[0].sets_avatar(picture());
        room.set_avatar(picture());
        let stranger = platform.stranger("carol");
        stranger.changes_profile(|carol| {
            carol.phone = vec!["+8613800138000".into()];
            carol.handle = Some("carol_1".into());
        });
        let gate = Gate::open(Arc::new(platform.puppet()), true, None).await;
        Self { platform, people, stranger, room, gate, cannot: OWN }
    }

    fn person(&self, id: &ContactId) -> &Person {
        self.people.iter().chain([&self.stranger]).find(|person| person.id() == *id).expect("a person of this world")
    }
}

/// Does a deed without waiting until the bot has accepted it.
fn at_once<T>(deed: impl Future<Output = T>) -> Result<(), Unavailable> {
    let _ = deed.now_or_never();
    Ok(())
}

#[async_trait]
impl Harness for ServiceHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        Arc::new(self.gate.client())
    }

    fn capabilities(&self) -> Capabilities {
        (DECLARATION.capabilities)()
    }

    async fn world(&self) -> World {
        World {
            room: Some(KnownRoom { id: self.room.id(), members: vec![self.people[0].id(), self.people[1].id()] }),
            stranger: Some(self.stranger.id()),
            phone: Some(("+8613800138000".into(), self.stranger.id())),
            handle: Some(("carol_1".into(), self.stranger.id())),
            ..World::new(self.people.iter().map(Person::id).collect())
        }
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let person = self.person(&said.from);
        match (said.quote, said.room) {
            (Some(_), _) => Err(Unavailable::new("the contract has no quotes")),
            (None, Some(_)) => at_once(person.sends_in(&self.room, said.what)),
            (None, None) => at_once(person.sends(said.what)),
        }
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        let heard = match conversation {
            ConversationId::Contact(id) => self.person(id).inbox(),
            ConversationId::Room(_) => self.people[1].inbox_in(&self.room),
        };
        let now = heard.iter().filter_map(|heard| Some((heard, self.platform.message(heard.id())?)));
        now.map(|(heard, now)| Received {
            id: heard.id().clone(),
            payload: now.payload().clone(),
            quote: heard.quote().cloned(),
            mentions: heard.mentions().to_vec(),
            key: None,
        })
        .collect()
    }

    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        match deed {
            Deed::AskFriendship { hello } => at_once(self.stranger.asks_friendship(hello)),
            Deed::InviteToRoom { by, topic } => at_once(self.person(&by).invites_to(&topic)),
            Deed::JoinRoom { .. } => at_once(self.stranger.joins(&self.room)),
            Deed::LeaveRoom { who, .. } => at_once(self.person(&who).leaves(&self.room)),
            Deed::ChangeTopic { by, topic, .. } => at_once(self.room.set_topic_by(self.person(&by), &topic)),
            Deed::Announce { by, text, .. } => at_once(self.room.announce_by(self.person(&by), &text)),
            deed => Err(Unavailable::new(format!("the contract tells of no {deed:?}"))),
        }
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        match look {
            Look::FriendRequest(id, hello) => Ok(self.person(&id).friend_request() == Some(hello)),
            look => Err(Unavailable::new(format!("the fake platform shows no {look:?}"))),
        }
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        let faults = self.platform.faults();
        match fault {
            Fault::Disconnect => self.gate.cut(),
            Fault::DuplicateEvent => self.gate.0.twice.store(true, Ordering::Relaxed),
            Fault::RateLimit(pause) => drop(faults.rate_limit(1, pause)),
            Fault::LoseReply => {
                self.gate.0.lose_reply.store(true, Ordering::Relaxed);
                faults.fail_sends(1, SendFault::ReplyLost);
            }
            Fault::Unreachable => drop(faults.fail_sends(1, SendFault::Unreachable)),
            Fault::Reject => drop(faults.fail_sends(1, SendFault::Rejected)),
            fault => return Err(Unavailable::new(format!("this gateway has no {fault:?}"))),
        }
        Ok(())
    }

    fn cannot(&self) -> &[Cannot] {
        self.cannot
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}

puppet_conformance!(own, ServiceHarness::own().await);
