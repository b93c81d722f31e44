//! Broken sends and errors.

use std::{sync::Arc, time::Duration};

use wechaty_puppet::{
    DeliveryStatus, Event, IdempotencyKey, MessageId, MessageStatusEvent, Outgoing, PuppetError, Result,
    SayablePayload, Sent, TextPayload, TextUnit,
};

use super::{Broken, Sabotage};

/// The same send with another text, or without its mentions.
fn changed(mut out: Outgoing, change: impl FnOnce(&mut TextPayload)) -> Outgoing {
    let mut what = (*out.what).clone();
    if let SayablePayload::Text(text) = &mut what {
        change(text);
    }
    out.what = Arc::new(what);
    out
}

fn another_key(key: IdempotencyKey, n: u32) -> IdempotencyKey {
    let mut bytes = *key.as_bytes();
    bytes[..4].copy_from_slice(&(n + 1).to_be_bytes());
    IdempotencyKey::from_bytes(bytes)
}

impl Broken {
    pub(super) async fn send_broken(&self, out: Outgoing) -> Result<Sent> {
        let n = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match self.sabotage {
            Sabotage::SentTwice => {
                self.inner.send(out.clone()).await?;
                let mut again = out;
                again.key = another_key(again.key, n);
                self.inner.send(again).await
            }
            Sabotage::SendDropped => Ok(Sent::new(MessageId::from(format!("dropped-{n}")))),
            Sabotage::TextTrimmed => {
                self.inner.send(changed(out, |text| text.text = text.text.trim().to_owned())).await
            }
            Sabotage::SpacesReplaced => {
                self.inner.send(changed(out, |text| text.text = text.text.replace('\u{2005}', " "))).await
            }
            Sabotage::LongTextCut => {
                self.inner.send(changed(out, |text| text.text = text.text.chars().take(500).collect())).await
            }
            Sabotage::LimitInBytes => self.limited(TextUnit::Bytes, out).await,
            Sabotage::LimitInUtf16 => self.limited(TextUnit::Utf16, out).await,
            Sabotage::MentionsDropped => self.inner.send(changed(out, |text| text.mentions.clear())).await,
            Sabotage::QuoteDropped => {
                let mut out = out;
                out.quote = None;
                self.inner.send(out).await
            }
            Sabotage::ConversationsMixed => {
                let mut out = out;
                out.to = self.first.get_or_init(|| out.to.clone()).clone();
                self.inner.send(out).await
            }
            Sabotage::KeyIgnored => {
                let mut out = out;
                out.key = another_key(out.key, n);
                self.inner.send(out).await
            }
            Sabotage::SentIdInvented => {
                self.inner.send(out).await?;
                Ok(Sent::new(MessageId::from(format!("invented-{n}"))))
            }
            Sabotage::SentIdUndeclared => {
                self.inner.send(out).await?;
                Ok(Sent::new(MessageId::from("an-id")))
            }
            Sabotage::UnknownTargetOk => match self.inner.send(out).await {
                Err(PuppetError::NotFound { .. }) => Ok(Sent::without_id()),
                answer => answer,
            },
            Sabotage::UndeclaredKindOk => match self.inner.send(out).await {
                Err(PuppetError::Unsupported { .. }) => Ok(Sent::without_id()),
                answer => answer,
            },
            Sabotage::StatusTooEarly => {
                let to = out.to.clone();
                let sent = self.inner.send(out).await?;
                let told = MessageStatusEvent {
                    message_ids: sent.id.iter().cloned().collect(),
                    conversation: to,
                    status: DeliveryStatus::Read,
                    by: None,
                    timestamp: sent.timestamp.unwrap_or_default(),
                };
                self.cx.get().expect("it runs").accept(Event::new(told)).await?;
                Ok(sent)
            }
            Sabotage::SendPanics => panic!("told to panic"),
            Sabotage::SendHangs => std::future::pending().await,
            Sabotage::SendBlocksItsThread => {
                let (_alive, never) = std::sync::mpsc::channel::<()>();
                // Longer than the watchdog of a patient run.
                let _ = never.recv_timeout(Duration::from_secs(600));
                Ok(Sent::without_id())
            }
            _ => self.send_with_broken_errors(out).await,
        }
    }

    /// The right limit, counted in the wrong unit.
    async fn limited(&self, unit: TextUnit, out: Outgoing) -> Result<Sent> {
        let limit = self.inner.capabilities().limits.text.unwrap_or(usize::MAX);
        match out.what.as_text().map(|text| unit.len(text)) {
            Some(length) if length > limit => {
                Err(PuppetError::Invalid { what: "text", reason: format!("{length} {unit:?}, at most {limit}") })
            }
            _ => self.inner.send(out).await,
        }
    }

    async fn send_with_broken_errors(&self, out: Outgoing) -> Result<Sent> {
        let answer = self.inner.send(out.clone()).await;
        match (self.sabotage, answer) {
            (Sabotage::LostReplyIsCertain, Err(PuppetError::Transport { context, source })) => {
                Err(PuppetError::Unreachable { context, source })
            }
            (Sabotage::LostReplyIsOk, Err(PuppetError::Transport { .. })) => Ok(Sent::without_id()),
            (Sabotage::RateLimitRetriedInside, Err(PuppetError::RateLimited { .. })) => self.inner.send(out).await,
            (Sabotage::RetryAfterLost, Err(PuppetError::RateLimited { .. })) => {
                Err(PuppetError::RateLimited { retry_after: None })
            }
            (Sabotage::RefusalIsRetryable, Err(PuppetError::Rejected { message, .. })) => {
                Err(PuppetError::Unreachable { context: "send", source: message.into() })
            }
            (Sabotage::UnreachableIsInDoubt, Err(PuppetError::Unreachable { context, source })) => {
                Err(PuppetError::Transport { context, source })
            }
            (_, answer) => answer,
        }
    }
}
