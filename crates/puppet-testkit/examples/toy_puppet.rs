//! A puppet in a hundred lines, and the proof that it keeps the contract: the conformance suite runs against it.
//!
//! ```text
//! $ cargo run -p wechaty-puppet-testkit --example toy_puppet
//! ```
//!
//! The messenger is a struct in memory with a channel that leads to the bot. A real puppet is the same with a socket,
//! and its tests call `puppet_conformance!` instead of `conformance::run`.

use std::{process::ExitCode, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use wechaty_puppet::{
    AcceptError, Capabilities, Capability, Clock, ContactId, ContactPayload, ConversationId, Event, Loader, LoginStep,
    Mention, MessageId, MessagePayload, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, Result,
    SayablePayload, Sent, async_trait,
};
use wechaty_puppet_testkit::conformance::{self, Ability, Cannot, Harness, Received, Said, Unavailable, World};

const PLATFORM: PlatformName = PlatformName::new("toy");
const BOT: &str = "bot";
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
/// How long the puppet waits before it offers an event again that the bot could not store.
const PAUSE: Duration = Duration::from_millis(20);

type Text = Arc<MessagePayload>;

/// The messenger: one bot, three people, texts one to one.
struct Messenger {
    clock: Clock,
    texts: Mutex<Vec<Text>>,
    to_bot: mpsc::UnboundedSender<Text>,
    line: tokio::sync::Mutex<Line>,
}

/// What the bot reads from: the text in front stays there until the bot has accepted it.
struct Line {
    front: Option<Text>,
    behind: mpsc::UnboundedReceiver<Text>,
}

impl Messenger {
    fn new() -> Arc<Self> {
        let (to_bot, behind) = mpsc::unbounded_channel();
        let line = tokio::sync::Mutex::new(Line { front: None, behind });
        Arc::new(Self { clock: Clock::system(), texts: Mutex::default(), to_bot, line })
    }
    fn post(&self, from: &str, to: &str, text: &str) -> Text {
        let mut texts = self.texts.lock();
        let mut payload = MessagePayload::direct(format!("m{}", texts.len() + 1), from, to, text);
        payload.timestamp = self.clock.wall();
        let text = Arc::new(payload);
        texts.push(text.clone());
        text
    }
}

/// The puppet: four methods, and the loader it declares.
struct Toy(Arc<Messenger>);

#[async_trait]
impl Puppet for Toy {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText, Capability::SentId, Capability::LoadContact, Capability::LoadMessage])
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        let mut line = self.0.line.lock().await;
        cx.accept(LoginStep::Done(BOT.into())).await?;
        loop {
            if line.front.is_none() {
                tokio::select! {
                    text = line.behind.recv() => line.front = text,
                    () = cx.cancelled() => return Ok(()),
                }
            }
            let Some(text) = line.front.clone() else { return Ok(()) };
            match cx.accept(Event::message(text)).await {
                Ok(()) => line.front = None, // acknowledged: only now may it be forgotten
                Err(AcceptError::Store(_)) => cx.clock().sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        let SayablePayload::Text(text) = &*out.what else {
            return Err(PuppetError::unsupported(PLATFORM, Capability::of(&out.what)));
        };
        if let Some(mention) = out.mentions().first() {
            let all = matches!(mention, Mention::All);
            let capability = if all { Capability::MentionAll } else { Capability::Mention };
            return Err(PuppetError::unsupported(PLATFORM, capability));
        }
        if out.quote.is_some() {
            return Err(PuppetError::unsupported(PLATFORM, Capability::Quote));
        }
        match &out.to {
            ConversationId::Contact(to) if PEOPLE.contains(&to.as_str()) => {
                Ok(Sent::new(self.0.post(BOT, to.as_str(), &text.text).id.clone()))
            }
            to => Err(PuppetError::not_found("conversation", to.as_str())),
        }
    }

    fn loader(&self) -> Option<&dyn Loader> {
        Some(self)
    }
}

/// What is not written here fails as unsupported.
#[async_trait]
impl Loader for Toy {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        let known = id.as_str() == BOT || PEOPLE.contains(&id.as_str());
        let contact = known.then(|| Arc::new(ContactPayload::new(id.clone(), id.as_str())));
        contact.ok_or_else(|| PuppetError::not_found("contact", id))
    }
    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let found = self.0.texts.lock().iter().find(|text| text.id == *id).cloned();
        found.ok_or_else(|| PuppetError::not_found("message", id))
    }
}

/// What this messenger does not have, so that the suite does not ask for it.
const CANNOT: &[Cannot] = &[
    Cannot::new(
        "people here only write plain texts, one to one",
        &[
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
        "a struct in memory is always in reach and never repeats itself",
        &[
            Ability::Disconnect,
            Ability::Duplicate,
            Ability::RateLimit,
            Ability::LoseReply,
            Ability::Unreachable,
            Ability::Reject,
        ],
    ),
    Cannot::new("the line itself remembers what was acknowledged", &[Ability::Cursor]),
    Cannot::new("there is nothing to configure", &[Ability::Declaration]),
];

/// The messenger's side of the suite: what people say to the bot, and what they got from it.
struct ToyHarness(Arc<Messenger>);

#[async_trait]
impl Harness for ToyHarness {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        Arc::new(Toy(self.0.clone()))
    }
    fn capabilities(&self) -> Capabilities {
        Toy(self.0.clone()).capabilities()
    }
    async fn world(&self) -> World {
        World::new(PEOPLE.map(ContactId::from).to_vec())
    }
    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        match &said.what {
            SayablePayload::Text(text) if said.room.is_none() && said.quote.is_none() => {
                let text = self.0.post(said.from.as_str(), BOT, &text.text);
                self.0.to_bot.send(text).map_err(|_| Unavailable::new("the messenger is gone"))
            }
            _ => Err(Unavailable::new("people here only write plain texts, one to one")),
        }
    }
    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        let texts = self.0.texts.lock();
        let sent = texts.iter().filter(|text| text.conversation(Some(&BOT.into())) == *conversation);
        let ours = sent.filter(|text| text.talker_id.as_str() == BOT).map(|text| Received {
            id: text.id.clone(),
            payload: SayablePayload::text(text.text.clone().unwrap_or_default()),
            quote: None,
            mentions: Vec::new(),
            key: None,
        });
        ours.collect()
    }
    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let report = conformance::run(|| async { ToyHarness(Messenger::new()) }).await;
    println!("{report}");
    if report.failures().next().is_some() {
        return ExitCode::FAILURE;
    }
    println!("the toy puppet keeps the contract");
    ExitCode::SUCCESS
}
