//! The platform's own count of what its quotas are used for; shares no code with those who must not exceed them.

use std::{collections::HashMap, time::Duration};

use wechaty_puppet::{ConversationId, Per, PuppetError, Quota, Result};

/// What happened in a conversation, oldest first: when, and whether a bot said it.
type Log = Vec<(Duration, bool)>;

/// The logs of the conversations of each account.
#[derive(Debug, Default)]
pub(super) struct QuotaBook(HashMap<(usize, ConversationId), Log>);

impl QuotaBook {
    pub(super) fn note(&mut self, account: usize, conversation: ConversationId, at: Duration, by_bot: bool) {
        self.0.entry((account, conversation)).or_default().push((at, by_bot));
    }

    /// Refuses a send that would be one too many.
    pub(super) fn check(&self, quotas: &[Quota], account: usize, to: &ConversationId, now: Duration) -> Result<()> {
        let nothing = Log::new();
        let log = self.0.get(&(account, to.clone())).unwrap_or(&nothing);
        let recent =
            |log: &Log, within: Duration| log.iter().filter(|(at, by_bot)| *by_bot && *at + within > now).count();
        for quota in quotas {
            let (used, is_open) = match quota.per {
                Per::Inbound => match log.iter().rposition(|(_, by_bot)| !by_bot) {
                    Some(last) => (log.len() - last - 1, log[last].0 + quota.within > now),
                    None => (0, false),
                },
                Per::Conversation => (recent(log, quota.within), true),
                Per::Account => {
                    let own = self.0.iter().filter(|((of, _), _)| *of == account);
                    (own.map(|(_, log)| recent(log, quota.within)).sum(), true)
                }
            };
            if !is_open || used >= quota.sends as usize {
                let message = format!("{used} sends into {to} are all that {quota:?} allows");
                return Err(PuppetError::Rejected { code: "fake-quota".into(), message });
            }
        }
        Ok(())
    }
}
