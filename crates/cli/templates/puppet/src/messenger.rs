//! The toy messenger: one bot, three people, texts one to one. Your platform stands here.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use wechaty_puppet::{Clock, MessagePayload};

/// The account that the puppet drives.
pub const BOT: &str = "bot";
/// Everybody else.
pub const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// A text, as the messenger keeps it.
pub(crate) type Text = Arc<MessagePayload>;

/// The messenger in memory.
#[derive(Debug)]
pub struct Messenger {
    clock: Clock,
    texts: Mutex<Vec<Text>>,
    to_bot: mpsc::UnboundedSender<Text>,
    pub(crate) line: tokio::sync::Mutex<Line>,
}

/// What the bot reads from: the text in front stays there until the bot has accepted it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) front: Option<Text>,
    pub(crate) behind: mpsc::UnboundedReceiver<Text>,
}

impl Messenger {
    /// An empty one.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let (to_bot, behind) = mpsc::unbounded_channel();
        let line = tokio::sync::Mutex::new(Line { front: None, behind });
        Self { clock: Clock::system(), texts: Mutex::default(), to_bot, line }
    }

    /// Somebody says something to the bot.
    pub fn says(&self, from: &str, text: &str) {
        let text = self.post(from, BOT, text);
        // Nobody listens any more when the puppet is gone.
        let _ = self.to_bot.send(text);
    }

    /// Everything that was said, in order.
    pub fn texts(&self) -> Vec<Arc<MessagePayload>> {
        self.texts.lock().clone()
    }

    pub(crate) fn post(&self, from: &str, to: &str, text: &str) -> Text {
        let mut texts = self.texts.lock();
        let mut payload = MessagePayload::direct(format!("m{}", texts.len() + 1), from, to, text);
        payload.timestamp = self.clock.wall();
        let text = Arc::new(payload);
        texts.push(text.clone());
        text
    }
}
