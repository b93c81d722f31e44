//! The platform's side of the fake platform.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt;
use wechaty_puppet::{
    Bytes, Capabilities, Capability, Clock, ContactId, ConversationId, Declaration, FileBox, Puppet, SayablePayload,
    WebhookRequest,
};
use wechaty_puppet_testkit::{
    FakePlatform, FakePlatformBuilder, FakeRoom, Person, SendFault,
    conformance::{Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World},
};

/// What stands between the suite and the fake's puppet: nothing, or a fault.
pub(crate) type Wrap = Box<dyn Fn(Arc<dyn Puppet>) -> Arc<dyn Puppet> + Send + Sync>;

pub(crate) struct FakeHarness {
    platform: FakePlatform,
    people: Vec<Person>,
    stranger: Person,
    room: FakeRoom,
    wrap: Wrap,
    patience: Duration,
}

impl FakeHarness {
    pub(crate) fn new(builder: FakePlatformBuilder) -> Self {
        let platform = builder.build();
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
        Self { platform, people, stranger, room, wrap: Box::new(|puppet| puppet), patience: Duration::from_secs(60) }
    }

    /// Everything the fake can do.
    pub(crate) fn full() -> FakePlatformBuilder {
        let mut capabilities = Capabilities::new(Capability::ALL);
        capabilities.key_window = Some(Duration::from_secs(3600));
        capabilities.limits.text = Some(500);
        capabilities.limits.topic = Some(60);
        capabilities.limits.buttons = Some(5);
        FakePlatform::builder().capabilities(capabilities)
    }

    pub(crate) fn wrapped(mut self, wrap: impl Fn(Arc<dyn Puppet>) -> Arc<dyn Puppet> + Send + Sync + 'static) -> Self {
        self.wrap = Box::new(wrap);
        self
    }

    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
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
impl Harness for FakeHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        (self.wrap)(Arc::new(self.platform.puppet()))
    }

    fn capabilities(&self) -> Capabilities {
        self.platform.puppet().capabilities()
    }

    fn clock(&self) -> Clock {
        self.platform.bot_clock()
    }

    fn patience(&self) -> Duration {
        self.patience
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
            (Some(quote), _) => at_once(person.replies_to(&quote, said.what.as_text().unwrap_or_default())),
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
            key: heard.key().map(|key| key.to_string()),
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
            Deed::Press { by, message, button } => at_once(self.person(&by).presses(&message, &button)),
            Deed::Recall { by, message } => at_once(self.person(&by).recalls(&message)),
            Deed::Edit { by, message, text } => at_once(self.person(&by).edits(&message, text)),
            Deed::React { by, message, reaction, add: true } => at_once(self.person(&by).reacts(&message, &reaction)),
            Deed::React { by, message, reaction, .. } => at_once(self.person(&by).unreacts(&message, &reaction)),
            Deed::Receive { by, message } => at_once(self.person(&by).receives(&message)),
            Deed::Read { by, message } => at_once(self.person(&by).reads(&message)),
            Deed::Publish { by, text } => at_once(self.person(&by).publishes(vec![SayablePayload::text(text)])),
            Deed::Tap { by, post } => {
                self.person(&by).taps(&post, true);
                Ok(())
            }
            deed => Err(Unavailable::new(format!("nobody on the fake platform can {deed:?}"))),
        }
    }

    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        match look {
            Look::Typing(to) => Ok(self.platform.account().is_typing(to)),
            Look::Reaction(message, reaction) => {
                Ok(self.platform.reactions(&message).contains(&(self.platform.bot_id(), reaction)))
            }
            Look::Pinned(_, message) => Ok(self.platform.is_pinned(&message)),
            Look::Growing(message) => Ok(self.platform.is_growing(&message)),
            Look::FriendRequest(id, hello) => Ok(self.person(&id).friend_request() == Some(hello)),
            look => Err(Unavailable::new(format!("the fake platform shows no {look:?}"))),
        }
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        let faults = self.platform.faults();
        match fault {
            Fault::Disconnect => faults.disconnect(),
            Fault::DuplicateEvent => faults.duplicate_events(1),
            Fault::RateLimit(pause) => faults.rate_limit(1, pause),
            Fault::LoseReply => faults.fail_sends(1, SendFault::ReplyLost),
            Fault::Unreachable => faults.fail_sends(1, SendFault::Unreachable),
            Fault::Reject => faults.fail_sends(1, SendFault::Rejected),
            fault => return Err(Unavailable::new(format!("the fake platform has no {fault:?}"))),
        };
        Ok(())
    }

    async fn webhook(&self, from: &ContactId, text: &str) -> Result<WebhookRequest, Unavailable> {
        let body = serde_json::json!({ "from": self.person(from).name(), "text": text });
        Ok(self.request(body.to_string()))
    }

    async fn forged_webhook(&self) -> Result<WebhookRequest, Unavailable> {
        Ok(self.request("{\"from\": \"mallory\"}".to_owned()))
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(crate::settings::SOUND)
    }
}

impl FakeHarness {
    fn request(&self, body: String) -> WebhookRequest {
        WebhookRequest {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: vec![("x-fake-account".into(), self.platform.bot_id().to_string())],
            body: Bytes::from(body),
            peer: None,
        }
    }
}
