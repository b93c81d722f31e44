//! WAITS: what keeps a send from going out that is the next of its conversation, as far as its account knows now.

use wechaty_types::ConversationId;

use super::Opens;
use crate::{Account, Result, store::Trouble};

/// What keeps a send from going out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitsFor {
    /// Nobody is logged in.
    Login,
    /// The connection of the account is lost.
    Connection,
    /// The platform's quota is used up, and opens then.
    Quota(Opens),
    /// The platform does not answer: one send at a time asks whether it is back.
    Breaker,
    /// The store is full, or cannot be written.
    Store(Trouble),
    /// The pace of the account, the conversation or the kind; or a silence that the platform asked for.
    Pace,
}

impl Account {
    /// What keeps the next send of a conversation from going out now. `None`: nothing the account knows of. `kind`: of what
    /// is said, as [`SayablePayload::kind`](wechaty_types::SayablePayload::kind) tells it.
    ///
    /// # Errors
    /// When what was used of a quota cannot be read from the store.
    pub async fn waits_for(&self, conversation: &ConversationId, kind: &str) -> Result<Option<WaitsFor>> {
        let core = self.core();
        if !self.is_logged_in() {
            return Ok(Some(WaitsFor::Login));
        }
        if self.is_cut_off() {
            return Ok(Some(WaitsFor::Connection));
        }
        if let Some(opens) = self.quota_left(conversation).await?.opens {
            return Ok(Some(WaitsFor::Quota(opens)));
        }
        if !self.breaker().is_closed() {
            return Ok(Some(WaitsFor::Breaker));
        }
        if let Some(trouble) = core.store.trouble() {
            return Ok(Some(WaitsFor::Store(trouble)));
        }
        Ok(self.pacer().holds(core.clock.now(), conversation, kind).then_some(WaitsFor::Pace))
    }
}
