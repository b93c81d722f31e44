//! What a test sees of the platform's side, and how it makes the platform fail.

use std::future::Future;

use wechaty_puppet::{ContactId, ConversationId, FriendRequest, MessageId, PuppetError, Result};

use crate::{MockPuppet, book::SentRecord};

impl MockPuppet {
    /// Everything sent and taken, in order, over all runs; the last 10,000 unless the builder says otherwise.
    pub fn sent(&self) -> Vec<SentRecord> {
        self.live().book.records()
    }

    /// How many sends were taken, and how many repeats of a key were dropped.
    pub fn sent_total(&self) -> (u64, u64) {
        let live = self.live();
        (live.book.total, live.book.repeats)
    }

    /// Whether the present run has handed over the timeline's last event. After that `run` goes on until
    /// cancelled. Stays true until the next run begins.
    pub fn is_timeline_finished(&self) -> bool {
        *self.0.finished.borrow()
    }

    /// Completes when [`is_timeline_finished`](Self::is_timeline_finished) is true.
    pub fn timeline_finished(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut finished = self.0.finished.subscribe();
        let puppet = self.clone();
        async move {
            let _ = finished.wait_for(|finished| *finished).await;
            drop(puppet); // the sender lives as long as somebody waits
        }
    }

    /// Whether the bot shows "… is typing" to this contact or in this room.
    pub fn is_typing(&self, conversation: &ConversationId) -> bool {
        self.live().state.typing.contains(conversation)
    }

    /// The bot's reactions to a message.
    pub fn reactions_to(&self, message: &MessageId) -> Vec<String> {
        self.live().state.reactions.get(message).into_iter().flatten().cloned().collect()
    }

    /// Whether a message is pinned.
    pub fn is_pinned(&self, message: &MessageId) -> bool {
        self.live().state.pins.contains(message)
    }

    /// Whether a message of the bot's still shows that it is being written.
    pub fn is_growing(&self, message: &MessageId) -> bool {
        self.live().state.growing.contains(message)
    }

    /// The bot's last friend request to a contact, in this run.
    pub fn friend_request_to(&self, contact: &ContactId) -> Option<FriendRequest> {
        self.live().state.requests.get(contact).cloned()
    }

    /// Makes the next send fail that would have been taken; called again, the one after it. `done`: it is sent all
    /// the same, only the answer is lost.
    pub fn next_send_fails(&self, error: PuppetError, done: bool) {
        self.live().failures.push_back((error, done));
    }

    /// Ends the present run with this error, as a broken connection does.
    ///
    /// # Errors
    /// `NotLoggedIn` while nobody runs the puppet.
    pub fn run_fails(&self, error: PuppetError) -> Result<()> {
        self.happens(|live| {
            live.broken = Some(error);
            Ok(())
        })
    }
}
