//! The smallest puppet and harness that run the suite: plain texts, one to one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::future::select;
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::{
    AcceptError, Capabilities, Capability, ConversationId, Event, LoginStep, MessagePayload, Outgoing, PlatformName,
    Puppet, PuppetContext, PuppetError, Result, SayablePayload, Sent, Timestamp,
};
use wechaty_puppet_testkit::{
    conformance::{Ability, Cannot, Harness, Received, Said, Unavailable, World},
    puppet_conformance,
};

const NAME: PlatformName = PlatformName::new("toy");

/// The platform: what was said to the account and how much of it is acknowledged, and what the account sent.
#[derive(Default)]
struct Platform {
    said: Mutex<Vec<MessagePayload>>,
    acknowledged: AtomicUsize,
    ring: Notify,
    sent: Mutex<Vec<(ConversationId, Received)>>,
}

struct Toy(Arc<Platform>);

#[async_trait]
impl Puppet for Toy {
    fn platform(&self) -> PlatformName {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        cx.accept(LoginStep::Done("me".into())).await?;
        while !cx.cancellation().is_cancelled() {
            let next = self.0.said.lock().get(self.0.acknowledged.load(Ordering::SeqCst)).cloned();
            let Some(message) = next else {
                select(Box::pin(cx.cancelled()), Box::pin(self.0.ring.notified())).await;
                continue;
            };
            match cx.accept(Event::message(message)).await {
                Ok(()) => drop(self.0.acknowledged.fetch_add(1, Ordering::SeqCst)),
                Err(AcceptError::Store(_)) => cx.clock().sleep(std::time::Duration::from_millis(10)).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        let SayablePayload::Text(text) = &*out.what else {
            return Err(PuppetError::unsupported(NAME, Capability::of(&out.what)));
        };
        if out.quote.is_some() {
            return Err(PuppetError::unsupported(NAME, Capability::Quote));
        }
        if let Some(mention) = text.mentions.first() {
            let needed = if mention.contact().is_some() { Capability::Mention } else { Capability::MentionAll };
            return Err(PuppetError::unsupported(NAME, needed));
        }
        if out.to.as_str() != "alice" {
            return Err(PuppetError::not_found("contact", &out.to));
        }
        let mut sent = self.0.sent.lock();
        let id = format!("sent-{}", sent.len()).into();
        let payload = SayablePayload::Text(text.clone());
        sent.push((out.to, Received { id, payload, quote: None, mentions: Vec::new(), key: None }));
        Ok(Sent::without_id())
    }
}

const CANNOT: &[Cannot] = &[
    Cannot::new(
        "one person says texts one to one, that is all",
        &[
            Ability::SecondPerson,
            Ability::Room,
            Ability::SayMention,
            Ability::SayQuote,
            Ability::SayKind,
            Ability::Stranger,
            Ability::Friendship,
            Ability::RoomInvite,
            Ability::Recall,
            Ability::Edit,
            Ability::React,
        ],
    ),
    Cannot::new(
        "a list in memory is always in reach, takes everything and shows it once",
        &[
            Ability::Disconnect,
            Ability::Duplicate,
            Ability::RateLimit,
            Ability::LoseReply,
            Ability::Unreachable,
            Ability::Reject,
        ],
    ),
    Cannot::new("the platform keeps the position, the bot none", &[Ability::Cursor]),
    Cannot::new("nobody configures a toy", &[Ability::Declaration]),
];

#[derive(Default)]
struct ToyHarness(Arc<Platform>);

#[async_trait]
impl Harness for ToyHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        Arc::new(Toy(self.0.clone()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }

    async fn world(&self) -> World {
        World::new(vec!["alice".into()])
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        let Some(text) = said.what.as_text().filter(|_| said.quote.is_none()) else {
            return Err(Unavailable::new("a toy has texts only"));
        };
        let mut all = self.0.said.lock();
        let mut message = MessagePayload::direct(format!("said-{}", all.len()), said.from, "me", text);
        message.timestamp = Timestamp::from_millis(1_700_000_000_000);
        all.push(message);
        self.0.ring.notify_one();
        Ok(())
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        self.0.sent.lock().iter().filter(|(to, _)| to == conversation).map(|(_, received)| received.clone()).collect()
    }

    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }
}

puppet_conformance!(conforms, ToyHarness::default());
