//! Contents of messages, and what can be done to them later.

use std::sync::Arc;

use super::capability_trait;
use crate::{
    ContactId, ConversationId, FileBox, ImageType, LocationPayload, MessageId, MiniProgramPayload, Outgoing,
    SayablePayload, Sent, UrlLinkPayload,
};

capability_trait! {
    /// Contents of messages beyond their text; loaded when asked for.
    MessageMedia {
        /// The file. Spec: `MessageFile`.
        file(id: &MessageId) -> FileBox = MessageFile;
        /// A rendition of the image. Spec: `MessageImage`.
        image(id: &MessageId, kind: ImageType) -> FileBox = MessageImage;
        /// Whose card it is. Spec: `MessageContact`.
        contact(id: &MessageId) -> ContactId = MessageContact;
        /// The link. Spec: `MessageUrl`.
        url(id: &MessageId) -> UrlLinkPayload = MessageUrl;
        /// The mini program. Spec: `MessageMiniProgram`.
        mini_program(id: &MessageId) -> MiniProgramPayload = MessageMiniProgram;
        /// The place. Spec: `MessageLocation`.
        location(id: &MessageId) -> LocationPayload = MessageLocation;
    }
}

capability_trait! {
    /// Taking sent messages back.
    MessageRecall {
        /// Takes a message back; false: the platform no longer does. Spec: `MessageRecall`.
        recall(id: &MessageId) -> bool = MessageRecall;
    }
}

capability_trait! {
    /// Changing sent messages.
    MessageEdits {
        /// Replaces the content of a message we sent.
        edit(conversation: &ConversationId, id: &MessageId, what: Arc<SayablePayload>) -> () = MessageEdit;
    }
}

capability_trait! {
    /// Emoji reactions.
    Reactions {
        /// Adds (or takes back) our reaction to a message.
        react(conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> () = Reaction;
    }
}

capability_trait! {
    /// "… is typing".
    Typing {
        /// Shows or hides the indicator. Platforms let it fade by themselves; repeat to keep it.
        typing(conversation: &ConversationId, on: bool) -> () = Typing;
    }
}

capability_trait! {
    /// Read marks of conversations.
    ReadMarks {
        /// Whether we have read everything. Spec: `ConversationReadMark` get.
        is_read(conversation: &ConversationId) -> bool = ReadMark;
        /// Marks it read or unread. Spec: `ConversationReadMark` set.
        set_read(conversation: &ConversationId, read: bool) -> () = ReadMark;
    }
}

capability_trait! {
    /// Messages kept in sight at the top of their conversation.
    Pins {
        /// Pins a message, or takes the pin off; doing it again changes nothing. Any message, also one of others.
        pin(conversation: &ConversationId, id: &MessageId, pinned: bool) -> () = Pin;
        /// The pinned messages, newest pin first.
        pinned(conversation: &ConversationId) -> Vec<MessageId> = Pin;
    }
}

capability_trait! {
    /// Who has read what we sent.
    Readers {
        /// Everybody who has read this message of ours, each once; ourselves not among them.
        readers(conversation: &ConversationId, id: &MessageId) -> Vec<ContactId> = MessageReaders;
    }
}

capability_trait! {
    /// Messages that are seen while their text is still being written.
    ///
    /// `grow` and `finish` take the whole text so far, never a piece, so that a call that was left out or told twice
    /// does no harm. They are called one after the other for one message, for different ones concurrently. A message
    /// may be gone on with after a restart: a platform that no longer can answers
    /// [`NotFound`](crate::PuppetError::NotFound).
    Growing {
        /// Sends what there is so far, a Text or a Markdown, as [`send`](crate::Puppet::send) would with the same key.
        /// The answer names the message's id: without it nothing could grow.
        begin(out: Outgoing) -> Sent = GrowingText;
        /// Shows this text instead of the one before. Limits are those of a text.
        grow(conversation: &ConversationId, id: &MessageId, text: &str) -> () = GrowingText;
        /// Shows this text, and that it is complete. Done again it changes nothing.
        finish(conversation: &ConversationId, id: &MessageId, text: &str) -> () = GrowingText;
    }
}
