//! Contents of messages, and what can be done to them later.

use std::sync::Arc;

use super::capability_trait;
use crate::{
    ContactId, ConversationId, FileBox, ImageType, LocationPayload, MessageId, MiniProgramPayload, SayablePayload,
    UrlLinkPayload,
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
