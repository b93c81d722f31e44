//! SENDS: what the bot says as one of the `MessageSend…` calls, and the id that comes back.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tonic::{Code, Status};
use wechaty_file_box::FileBox;
use wechaty_grpc::{Dialect, SendCall, file, pb, rpc::read, status::Asked};
use wechaty_puppet::{
    Capability, ConversationId, FilePayload, Mention, MessageId, Outgoing, PuppetError, Result, SayablePayload, Sent,
};

use crate::{
    CAPABILITIES, PLATFORM, ServicePuppet, key,
    link::{self, Link, asked, wire},
};

impl ServicePuppet {
    pub(crate) async fn send_out(&self, out: &Outgoing) -> Result<Sent> {
        let kind = Capability::of(&out.what);
        let refused = |capability| Err(PuppetError::unsupported(PLATFORM, capability));
        // Before anything is connected, too.
        if !CAPABILITIES.has(kind) {
            return refused(kind);
        }
        if out.quote.is_some() {
            return refused(Capability::Quote);
        }
        if out.mentions().contains(&Mention::All) {
            return refused(Capability::MentionAll);
        }
        let asked = asked(kind, "sending", "message", out.to.as_str());
        let link = self.link(asked)?;
        link.ready()?;
        let sending = async {
            match out.what.file_box() {
                Some(file) => self.send_file(&link, asked, &out.to, &out.what, file).await,
                None => send(&link, asked, SendCall::of(&out.to, &out.what).map_err(wire(asked))?).await,
            }
        };
        let sent = match self.key_window() {
            Some(_) => key::with(out, sending).await,
            None => sending.await,
        };
        let id = self.learn(sent)?;
        Ok(id.map_or_else(Sent::without_id, Sent::new))
    }

    /// The box that the gateway can read. `None`: it has no uploads, and this one needs one.
    async fn carried(&self, link: &Link, asked: Asked<'_>, file: &FileBox) -> Result<Option<FileBox>> {
        if file::carriage(file, Dialect::TypeScript) != file::Carriage::Upload {
            let options = self.load_options(file);
            return file::portable(file, Dialect::TypeScript, &options).await.map(Some).map_err(wire(asked));
        }
        if link.no_upload.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let uploaded = self.upload(link, asked, file).await?;
        link.no_upload.store(uploaded.is_none(), Ordering::Relaxed);
        Ok(uploaded)
    }

    /// The box that the gateway can read, for a call beside which there is no stream.
    pub(crate) async fn portable(&self, asked: Asked<'_>, file: &FileBox) -> Result<FileBox> {
        let link = self.link(asked)?;
        link.ready()?;
        match self.carried(&link, asked, file).await? {
            Some(file) => Ok(file),
            None => file.to_portable(file::LARGEST_INLINE).await.map_err(|error| wire(asked)(error.into())),
        }
    }

    async fn send_file(
        &self,
        link: &Link,
        asked: Asked<'_>,
        to: &ConversationId,
        what: &SayablePayload,
        file: &FileBox,
    ) -> Result<Option<MessageId>> {
        let Some(portable) = self.carried(link, asked, file).await? else {
            return self.send_in_pieces(link, asked, to, file).await;
        };
        let call = SendCall::of(to, &with_file(what, portable)).map_err(wire(asked))?;
        match send(link, asked, call).await {
            // Older gateways know the stream alone.
            Err(PuppetError::Unsupported { .. }) if file.is_repeatable() => {
                self.send_in_pieces(link, asked, to, file).await
            }
            sent => sent,
        }
    }
}

/// The same kind with another box.
fn with_file(what: &SayablePayload, file: FileBox) -> SayablePayload {
    let file = FilePayload { file };
    match what {
        SayablePayload::Audio(_) => SayablePayload::Audio(file),
        SayablePayload::Emoticon(_) => SayablePayload::Emoticon(file),
        SayablePayload::Image(_) => SayablePayload::Image(file),
        SayablePayload::Video(_) => SayablePayload::Video(file),
        _ => SayablePayload::Attachment(file),
    }
}

async fn send(link: &Link, asked: Asked<'_>, call: SendCall) -> Result<Option<MessageId>> {
    type Id = fn(Bytes) -> Result<Option<MessageId>, Status>;
    macro_rules! called {
        ($ask:expr, $response:ident) => {{
            let id: Id = |answer| Ok(pb::$response::message_id(&read(answer)?));
            ($ask.into_wire(), id)
        }};
    }
    let client = link.client();
    let (call, id) = match call {
        SendCall::Text(request) => called!(client.message_send_text(request), MessageSendTextResponse),
        SendCall::File(request) => called!(client.message_send_file(request), MessageSendFileResponse),
        SendCall::Contact(request) => called!(client.message_send_contact(request), MessageSendContactResponse),
        SendCall::Url(request) => called!(client.message_send_url(request), MessageSendUrlResponse),
        SendCall::MiniProgram(request) => {
            called!(client.message_send_mini_program(request), MessageSendMiniProgramResponse)
        }
        SendCall::Location(request) => called!(client.message_send_location(request), MessageSendLocationResponse),
        SendCall::Forward(request) => called!(client.message_forward(request), MessageForwardResponse),
    };
    id(link.sent(asked, call).await?).map_err(|status| link::error(status, asked))
}

/// Whether the gateway does not know the call at all.
pub(crate) fn is_unknown(status: &Status) -> bool {
    status.code() == Code::Unimplemented && !link::has_reason(status)
}
