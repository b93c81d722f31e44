//! The conformance suite: a person at the keyboard speaks for everybody, and reads the screen.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use wechaty_puppet::{
    Capabilities, ContactCard, ConversationId, Declaration, FilePayload, MessagePayload, MessageType, Puppet,
    SayablePayload, TextPayload, VirtualClock, async_trait,
};
use wechaty_puppet_terminal::DECLARATION;
use wechaty_puppet_testkit::{
    conformance::{Ability, Cannot, Fault, Harness, KnownRoom, Received, Said, Unavailable, World},
    puppet_conformance,
};

use crate::{Stage, file};

const CANNOT: &[Cannot] = &[
    Cannot::new(
        "there is no command for it: a terminal takes texts and pictures of people who are named, and shows lines",
        &[
            Ability::SayQuote,
            Ability::SayKind,
            Ability::Stranger,
            Ability::Friendship,
            Ability::RoomInvite,
            Ability::RoomJoin,
            Ability::RoomLeave,
            Ability::RoomTopic,
            Ability::RoomAnnounce,
            Ability::Recall,
            Ability::Edit,
            Ability::React,
        ],
    ),
    Cannot::new(
        "printing is done or fails: nothing stands between the puppet and the screen that could refuse, or repeat",
        &[Ability::Disconnect, Ability::Duplicate, Ability::RateLimit, Ability::LoseReply, Ability::Reject],
    ),
    Cannot::new("what a process has read from its input is gone with it", &[Ability::Replay, Ability::Cursor]),
];

/// Each puppet is a process with a keyboard and a screen of its own; the person sits at the last one.
#[derive(Default)]
struct TerminalHarness(Mutex<Vec<Arc<Stage>>>);

#[async_trait]
impl Harness for TerminalHarness {
    /// People and rooms are there once they were named, so a first run names them.
    async fn puppet(&self) -> Arc<dyn Puppet> {
        let stage = Stage::new(true);
        let running = stage.run_on(VirtualClock::new().into());
        stage.told("/as Mei\n/room Tea\n/as Otto\n/room\n/as you", "you are you now").await;
        running.stop().await.expect("a run that names people");
        let puppet = stage.puppet.clone();
        self.0.lock().push(Arc::new(stage));
        puppet
    }

    fn capabilities(&self) -> Capabilities {
        (DECLARATION.capabilities)()
    }

    async fn world(&self) -> World {
        World {
            room: Some(KnownRoom { id: "Tea@room".into(), members: vec!["Mei".into(), "Otto".into()] }),
            ..World::new(vec!["Mei".into(), "Otto".into(), "you".into()])
        }
    }

    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        if said.quote.is_some() {
            return Err(Unavailable::new("there is no command to quote"));
        }
        let line = match &said.what {
            SayablePayload::Text(text) if text.text.starts_with('/') => format!("/{}", text.text),
            SayablePayload::Text(text) => text.text.clone(),
            SayablePayload::Image(image) => {
                static NEXT: AtomicU64 = AtomicU64::new(0);
                let bytes = image.file.to_bytes().await.map_err(|error| Unavailable::new(error.to_string()))?;
                let directory = format!("said-{}", NEXT.fetch_add(1, Ordering::Relaxed));
                format!("/image {}", file(&directory, image.file.name(), &bytes).display())
            }
            other => return Err(Unavailable::new(format!("there is no command to send {}", other.kind()))),
        };
        // Who is in a room brings others in: leave it first.
        let mut lines = format!("/room\n/as {}\n", said.from);
        if let Some(topic) = said.room.as_ref().and_then(|room| room.as_str().strip_suffix("@room")) {
            lines.push_str(&format!("/room {topic}\n"));
        }
        let stage = self.0.lock().last().cloned().ok_or_else(|| Unavailable::new("no puppet yet"))?;
        stage.types(&(lines + &line.replace('\n', "⏎")));
        Ok(())
    }

    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        let stages = self.0.lock().clone();
        let mut received = Vec::new();
        for stage in stages {
            // Only what is on the screen was received, as often as it is there. It is remembered before it is shown.
            let screen = stage.out.all();
            let mut own = own(&stage).await;
            for printed in screen {
                let (_, text) = printed.split_once("> ").expect("a name before what is said");
                let text = text.strip_suffix('\n');
                let at = own.iter().position(|message| message.text.as_deref() == text);
                let message = own.remove(at.expect("what is on the screen was sent"));
                if message.conversation(Some(&"bot".into())) == *conversation {
                    received.push(shown(&stage, &message).await);
                }
            }
        }
        received
    }

    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        if fault != Fault::Unreachable {
            return Err(Unavailable::new(format!("a screen has no {fault:?}")));
        }
        let stage = self.0.lock().last().cloned().ok_or_else(|| Unavailable::new("no puppet yet"))?;
        stage.out.1.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn cannot(&self) -> &[Cannot] {
        CANNOT
    }

    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(DECLARATION)
    }
}

/// What the bot said, as the puppet remembers it: its messages are numbered.
async fn own(stage: &Stage) -> Vec<Arc<MessagePayload>> {
    let loader = stage.puppet.loader().expect("a loader");
    let mut own = Vec::new();
    let start = VirtualClock::new().wall().as_millis();
    for number in 1.. {
        let Ok(message) = loader.message(&format!("t{start}-{number}").into()).await else { break };
        if message.talker_id.as_str() == "bot" {
            own.push(message);
        }
    }
    own
}

/// The words are those of the screen; kind and file are looked up.
async fn shown(stage: &Stage, message: &MessagePayload) -> Received {
    let text = message.text.clone().unwrap_or_default();
    let mentions = message.mentions.clone().unwrap_or_default();
    let file = stage.puppet.media().expect("media").file(&message.id).await;
    let payload = match (message.kind, file) {
        (MessageType::Markdown, _) => SayablePayload::Markdown(TextPayload { text, mentions: mentions.clone() }),
        (MessageType::Contact, _) => SayablePayload::Contact(ContactCard {
            contact_id: text.strip_prefix("[Contact] ").expect("a contact card").into(),
        }),
        (MessageType::Attachment, Ok(file)) => SayablePayload::Attachment(FilePayload { file }),
        (MessageType::Audio, Ok(file)) => SayablePayload::Audio(FilePayload { file }),
        (MessageType::Emoticon, Ok(file)) => SayablePayload::Emoticon(FilePayload { file }),
        (MessageType::Image, Ok(file)) => SayablePayload::Image(FilePayload { file }),
        (MessageType::Video, Ok(file)) => SayablePayload::Video(FilePayload { file }),
        _ => SayablePayload::Text(TextPayload { text, mentions: mentions.clone() }),
    };
    Received { id: message.id.clone(), payload, quote: message.quote_id.clone(), mentions, key: None }
}

puppet_conformance!(terminal, TerminalHarness::default());
