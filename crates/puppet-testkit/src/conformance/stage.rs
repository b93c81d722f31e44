//! The platform's side of a case: what people do and see, and what reached them.

use std::sync::Arc;

use wechaty_puppet::{ContactId, ConversationId, Outgoing, Puppet, SayablePayload, Sent};

use super::{
    Ability, Deed, Fault, Look, Received, Said,
    case::{Verdict, failed},
    lab::{Lab, unavailable},
};

impl Lab {
    /// A person says something.
    pub(super) async fn says(&self, said: Said) -> Verdict {
        let ability = match &said {
            Said { quote: Some(_), .. } => Ability::SayQuote,
            Said { what, .. } if !what.mentions().is_empty() => Ability::SayMention,
            Said { what, .. } if what.as_text().is_none() => Ability::SayKind,
            Said { room: Some(_), .. } => Ability::SayInRoom,
            _ => Ability::SayText,
        };
        let done = self.bounded("the harness lets a person speak", self.harness.says(said)).await?;
        done.or_else(|reason| unavailable(ability, &reason))
    }
    /// The first friend says a text one to one.
    pub(super) async fn person_says(&self, text: &str) -> Verdict {
        self.says_as(self.person()?, text).await
    }
    pub(super) async fn says_as(&self, from: ContactId, text: &str) -> Verdict {
        self.says(Said { from, room: None, what: SayablePayload::text(text), quote: None }).await
    }
    pub(super) async fn act(&self, deed: Deed) -> Verdict {
        let ability = deed.ability();
        let done = self.bounded("a deed of the harness", self.harness.act(deed)).await?;
        done.or_else(|reason| unavailable(ability, &reason))
    }
    pub(super) async fn fault(&self, fault: Fault) -> Verdict {
        let done = self.bounded("a fault of the harness", self.harness.fault(fault)).await?;
        done.or_else(|reason| unavailable(fault.ability(), &reason))
    }
    /// Waits until people see something, or see it no more.
    pub(super) async fn sees(&self, look: Look, expected: bool, complaint: &str) -> Verdict {
        let start = self.real.now();
        loop {
            match self.bounded("a look of the harness", self.harness.sees(look.clone())).await? {
                Ok(seen) if seen == expected => return Ok(()),
                Ok(_) if self.real.now().saturating_sub(start) > self.patience => return failed(complaint),
                Ok(_) => self.tick().await,
                Err(reason) => return unavailable(look.ability(), &reason),
            }
        }
    }

    /// What the platform has of ours, without waiting.
    pub(super) async fn received(&self, to: &ConversationId) -> Verdict<Vec<Received>> {
        self.bounded("the harness reads what the platform received", self.harness.received(to)).await
    }
    /// Waits until the platform has `n` messages of ours in a conversation.
    pub(super) async fn received_n(&self, to: &ConversationId, n: usize) -> Verdict<Vec<Received>> {
        let start = self.real.now();
        loop {
            let received = self.received(to).await?;
            if received.len() >= n {
                return Ok(received);
            }
            if self.real.now().saturating_sub(start) > self.patience {
                return failed(format!(
                    "the platform received {} of {n} messages, though send said Ok: the others are lost",
                    received.len()
                ));
            }
            self.tick().await;
        }
    }
    /// Waits for exactly one message of ours and sees that no second one follows.
    pub(super) async fn received_once(&self, to: &ConversationId) -> Verdict<Received> {
        let mut received = self.received_n(to, 1).await?;
        if received.len() == 1 {
            self.silence().await;
            received = self.received(to).await?;
        }
        match received.len() {
            1 => Ok(received.remove(0)),
            n => failed(format!("sent once, but the platform received it {n} times")),
        }
    }

    /// Sends a text that must be taken.
    pub(super) async fn send_text(&self, puppet: &Arc<dyn Puppet>, to: &ConversationId, text: &str) -> Verdict<Sent> {
        self.send(puppet, self.out(to, SayablePayload::text(text))).await
    }
    /// Sends something that must be taken.
    pub(super) async fn send(&self, puppet: &Arc<dyn Puppet>, out: Outgoing) -> Verdict<Sent> {
        let what = format!("sending {}", out.what.kind());
        self.ok(&what, puppet.send(out)).await
    }
}
