//! STATUS: how far the bot's messages have come, as pages tell it: here, and seen by somebody.

use wechaty_puppet::{DeliveryStatus, Event, MessageId, MessageStatusEvent, WebhookResponse};

use crate::{
    book::Seen,
    chat::{Call, done},
    refusal::Refusal,
    wire,
};

/// Most messages that the bot is told of at once; more are told one lot after the other.
const LOT: usize = 100;

impl Call {
    /// `POST status`: a page has the messages of a conversation up to one number, and its visitor saw them up to another.
    ///
    /// The bot hears it of each of its messages once, of a room the first time. So pages may tell it as often as they
    /// like, and what was refused is told again with the next.
    pub(crate) async fn status(self, status: &wire::Status) -> Result<WebhookResponse, Refusal> {
        let to = self.place(&status.conversation)?;
        // What was seen has come, too.
        let until = [(Seen::Here, status.delivered.max(status.read)), (Seen::Read, status.read)];
        let untold = |seen: Seen, until| self.inner.state.lock().book.untold(&to, seen, until, LOT);
        if until.iter().all(|(seen, until)| untold(*seen, *until).is_empty()) {
            return Ok(done());
        }
        let mut turn = self.turn(&to).await?;
        for (seen, until) in until {
            loop {
                // Looked up inside of the turn: another tab may have told meanwhile.
                let ids = untold(seen, until);
                if ids.is_empty() {
                    break;
                }
                let events =
                    ids.iter().map(|id| self.told(id, &status.conversation, seen)).collect::<Result<_, _>>()?;
                let work = self.inner.accepted(events, move |state, accepted| {
                    accepted?;
                    ids.iter().for_each(|id| state.book.mark(id, seen));
                    Ok(turn)
                });
                turn = work.await?;
            }
        }
        Ok(done())
    }

    fn told(&self, id: &MessageId, conversation: &str, seen: Seen) -> Result<Event, Refusal> {
        let status = if seen == Seen::Read { DeliveryStatus::Read } else { DeliveryStatus::Delivered };
        Ok(Event::new(MessageStatusEvent {
            message_ids: vec![id.clone()],
            conversation: self.place(conversation)?,
            status,
            by: Some(self.me.clone()),
            timestamp: self.now,
        }))
    }
}
