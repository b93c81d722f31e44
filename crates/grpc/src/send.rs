//! SENDS: what is said as one of the `MessageSend…` calls, and each call as what is to be said.

use wechaty_types::{ContactCard, ConversationId, ForwardPayload, Mention, MessageId, SayablePayload, TextPayload};

use crate::{Dialect, Result, WireError, file, payload::message::mentions, pb};

/// The call that sends something: the asking side.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum SendCall {
    Text(pb::MessageSendTextRequest),
    File(pb::MessageSendFileRequest),
    Contact(pb::MessageSendContactRequest),
    Url(pb::MessageSendUrlRequest),
    MiniProgram(pb::MessageSendMiniProgramRequest),
    Location(pb::MessageSendLocationRequest),
    Forward(pb::MessageForwardRequest),
}

impl SendCall {
    /// The call for a sayable. Markdown goes as the text it is. The file of one must be
    /// [`portable`](crate::file::portable) already.
    ///
    /// # Errors
    /// [`WireError::NoCall`] for kinds the contract has no call for, [`WireError::File`] for a file without a JSON form.
    pub fn of(to: &ConversationId, what: &SayablePayload) -> Result<Self> {
        let conversation_id = to.as_str().to_owned();
        Ok(match what {
            SayablePayload::Text(text) | SayablePayload::Markdown(text) => Self::Text(pb::MessageSendTextRequest {
                conversation_id,
                text: text.text.clone(),
                mentional_ids: text.mentions.iter().map(mention_id).collect(),
            }),
            SayablePayload::Attachment(f)
            | SayablePayload::Audio(f)
            | SayablePayload::Emoticon(f)
            | SayablePayload::Image(f)
            | SayablePayload::Video(f) => Self::File(pb::MessageSendFileRequest {
                conversation_id,
                file_box: file::write(&f.file, Dialect::TypeScript)?,
            }),
            SayablePayload::Contact(card) => Self::Contact(pb::MessageSendContactRequest {
                conversation_id,
                contact_id: card.contact_id.to_string(),
            }),
            SayablePayload::Url(link) => Self::Url(pb::MessageSendUrlRequest::of(conversation_id, link)),
            SayablePayload::MiniProgram(payload) => {
                Self::MiniProgram(pb::MessageSendMiniProgramRequest::of(conversation_id, payload))
            }
            SayablePayload::Location(place) => {
                Self::Location(pb::MessageSendLocationRequest { conversation_id, location: Some(place.into()) })
            }
            SayablePayload::Forward(forward) => {
                Self::Forward(pb::MessageForwardRequest { message_id: forward.message_id.to_string(), conversation_id })
            }
            other => return Err(WireError::NoCall { kind: other.kind() }),
        })
    }
}

fn mention_id(mention: &Mention) -> String {
    match mention {
        Mention::Contact(id) => id.to_string(),
        Mention::All => Mention::ALL.to_owned(),
    }
}

/// What one of the calls wants said, and where: the answering side.
///
/// The wire does not tell a contact's id from a room's: ask the account.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// Id of a contact or a room; never empty.
    pub conversation: String,
    /// What.
    pub what: SayablePayload,
}

impl SendRequest {
    /// To a conversation.
    ///
    /// # Errors
    /// [`WireError::Missing`] without one.
    pub fn new(conversation: String, what: SayablePayload, message: &'static str) -> Result<Self> {
        if conversation.is_empty() {
            return Err(WireError::missing(message, "conversation_id"));
        }
        Ok(Self { conversation, what })
    }
}

impl TryFrom<pb::MessageSendTextRequest> for SendRequest {
    type Error = WireError;

    /// An empty text is one.
    fn try_from(wire: pb::MessageSendTextRequest) -> Result<Self> {
        let text = TextPayload { text: wire.text, mentions: mentions(wire.mentional_ids).collect() };
        Self::new(wire.conversation_id, SayablePayload::Text(text), "MessageSendTextRequest")
    }
}

impl TryFrom<pb::MessageSendFileRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageSendFileRequest) -> Result<Self> {
        let file = SayablePayload::file(file::read(&wire.file_box)?);
        Self::new(wire.conversation_id, file, "MessageSendFileRequest")
    }
}

impl TryFrom<pb::MessageSendContactRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageSendContactRequest) -> Result<Self> {
        if wire.contact_id.is_empty() {
            return Err(WireError::missing("MessageSendContactRequest", "contact_id"));
        }
        let card = ContactCard { contact_id: wire.contact_id.into() };
        Self::new(wire.conversation_id, SayablePayload::Contact(card), "MessageSendContactRequest")
    }
}

impl TryFrom<pb::MessageSendUrlRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageSendUrlRequest) -> Result<Self> {
        let link = SayablePayload::Url(wire.link()?);
        Self::new(wire.conversation_id, link, "MessageSendUrlRequest")
    }
}

impl TryFrom<pb::MessageSendMiniProgramRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageSendMiniProgramRequest) -> Result<Self> {
        let payload = SayablePayload::MiniProgram(wire.payload()?);
        Self::new(wire.conversation_id, payload, "MessageSendMiniProgramRequest")
    }
}

impl TryFrom<pb::MessageSendLocationRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageSendLocationRequest) -> Result<Self> {
        let place = wire.location.ok_or(WireError::missing("MessageSendLocationRequest", "location"))?;
        Self::new(wire.conversation_id, SayablePayload::Location(place.try_into()?), "MessageSendLocationRequest")
    }
}

impl TryFrom<pb::MessageForwardRequest> for SendRequest {
    type Error = WireError;

    fn try_from(wire: pb::MessageForwardRequest) -> Result<Self> {
        let message_id =
            MessageId::non_empty(wire.message_id).ok_or(WireError::missing("MessageForwardRequest", "message_id"))?;
        let forward = SayablePayload::Forward(ForwardPayload { message_id });
        Self::new(wire.conversation_id, forward, "MessageForwardRequest")
    }
}
