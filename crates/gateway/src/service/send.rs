//! SENDS: each goes through the outbox, and its call waits until the platform took it.

use tonic::Status;
use wechaty::{
    Receipt, ReceiptState, SendFailure,
    types::{ConversationId, MessageId, SayablePayload},
};
use wechaty_grpc::{Dialect, SendRequest, pb};
use wechaty_puppet::IdempotencyKey;

use crate::{fault::Answer, keys::Told, tenant::Tenant};

macro_rules! sends {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        impl Tenant {
            $(pub(super) async fn $method(&self, request: pb::$request, _: Dialect) -> Answer<pb::$response> {
                let id = self.send(SendRequest::try_from(request)?).await?;
                Ok(pb::$response::of(id.as_ref()))
            })*
        }
    };
}

sends! {
    message_send_text(MessageSendTextRequest) -> MessageSendTextResponse;
    message_send_contact(MessageSendContactRequest) -> MessageSendContactResponse;
    message_send_url(MessageSendUrlRequest) -> MessageSendUrlResponse;
    message_send_mini_program(MessageSendMiniProgramRequest) -> MessageSendMiniProgramResponse;
    message_send_location(MessageSendLocationRequest) -> MessageSendLocationResponse;
    message_forward(MessageForwardRequest) -> MessageForwardResponse;
}

impl Tenant {
    /// Refuses what would wait for somebody to log in: clients take a call that is late for one that failed, and say it
    /// again in another way. One that names its sends waits, and tells them again.
    fn can_send(&self) -> Answer<()> {
        use wechaty::AccountState::{Connected, Failed, Stopped};
        let why = match self.account.state() {
            Stopped => "the puppet is not started, so nothing is sent: call Start first",
            Connected => "nobody is logged in, so nothing is sent: log in first",
            Failed(_) => "the puppet has failed, so nothing is sent: its error says why",
            _ => return Ok(()),
        };
        Err(Status::failed_precondition(why).into())
    }

    pub(super) async fn message_send_file(
        &self,
        request: pb::MessageSendFileRequest,
        _: Dialect,
    ) -> Answer<pb::MessageSendFileResponse> {
        let request = SendRequest::try_from(request)?;
        let telling = match Told::current() {
            // Who names its sends tells none of them in another way.
            Some(_) => None,
            None => {
                self.can_send()?;
                self.doubts.telling(&request)
            }
        };
        let id = match telling {
            None => self.send(request).await?,
            Some((key, telling)) => {
                let sent = self.send_as(Some(Told { key, again: false }), request).await;
                if sent.is_ok() || !self.receipt(key).is_some_and(|receipt| is_in_doubt(&receipt)) {
                    telling.answered();
                }
                sent?
            }
        };
        Ok(pb::MessageSendFileResponse::of(id.as_ref()))
    }

    /// A file that came as a stream: what its client may have told before by the other call is that send.
    pub(super) async fn send_again(
        &self,
        key: IdempotencyKey,
        SendRequest { conversation, what }: SendRequest,
    ) -> Answer<Option<MessageId>> {
        match self.receipt(key) {
            Some(receipt) => self.sent(&receipt, &self.conversation(&conversation).await?, &what).await,
            // The call was cut off early: its say may be under way.
            None => {
                self.can_send()?;
                self.send_as(Some(Told { key, again: true }), SendRequest { conversation, what }).await
            }
        }
    }

    /// Says it, and waits for the platform: the id is readable when this returns.
    pub(super) async fn send(&self, request: SendRequest) -> Answer<Option<MessageId>> {
        let told = Told::current();
        if told.is_none() {
            self.can_send()?;
        }
        self.send_as(told, request).await
    }

    async fn send_as(&self, told: Option<Told>, request: SendRequest) -> Answer<Option<MessageId>> {
        let SendRequest { conversation, mut what } = request;
        for file in what.files_mut() {
            *file = self.received(file.clone()).await?;
        }
        let to = self.conversation(&conversation).await?;
        let said: SayablePayload = what.clone();
        let receipt = match (told, &to) {
            (Some(told), to) => self.say_once(told, to.clone(), what).await?,
            (None, ConversationId::Contact(contact)) => self.account.contact_handle(contact).say(what).await?,
            (None, ConversationId::Room(room)) => self.account.room_handle(room).say(what).await?,
        };
        self.sent(&receipt, &to, &said).await
    }

    async fn sent(&self, receipt: &Receipt, to: &ConversationId, said: &SayablePayload) -> Answer<Option<MessageId>> {
        let Ok(sent) = self.bot.clock().timeout(self.options.send_wait, receipt.sent()).await else {
            let after = self.options.send_wait.as_secs();
            let key = receipt.key();
            return Err(Status::deadline_exceeded(format!(
                "not sent within {after} s; it waits in the outbox as {key} and is sent as soon as it can be: do not send it again"
            ))
            .into());
        };
        let sent = sent?;
        self.remember(&sent, to, said);
        Ok(sent.id)
    }
}

/// Whether it may be sent, or have been.
fn is_in_doubt(receipt: &Receipt) -> bool {
    match receipt.state() {
        ReceiptState::Failed(why) => why.is_in_doubt() || matches!(*why, SendFailure::Stopped),
        _ => true,
    }
}
