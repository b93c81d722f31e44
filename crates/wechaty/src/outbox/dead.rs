//! DEAD LETTERS: sends that failed for good, or of which nobody knows: they wait for somebody to decide.

use super::{Receipt, later, send};
use crate::{
    Bot, Error, Result,
    inbox::whole,
    store::{DeadLetter, SendSeq},
};

/// The dead letters of a bot; made by [`Bot::dead_letters`].
#[derive(Clone, Debug)]
pub struct DeadLetters(Bot);

impl Bot {
    /// Sends that failed for good, and those of which nobody knows whether they arrived.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters(self.clone())
    }
}

impl DeadLetters {
    /// Those with a number above `after`, in order, at most so many.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>> {
        Ok(self.0.core().store.dead_letters(after, limit).await?)
    }

    /// Sends one again, as if it had not been tried: at once if the bot runs, else after its next start. Of a text that
    /// goes out in parts only what the platform has not taken; somebody may read one twice that was in doubt. However late:
    /// what its say or the policy told of its time does not count any more. `None`: there is no such dead letter.
    ///
    /// # Errors
    /// When its account is not the bot's, or the store fails.
    pub async fn retry(&self, seq: SendSeq) -> Result<Option<Receipt>> {
        let bot = self.0.clone();
        // Dropped halfway, it would be in the outbox and in no lane.
        whole(&self.0.core().tasks, Box::pin(async move { retry(&bot, seq).await })).await
    }

    /// Drops one: the ledger counts it as `dropped`. False: there is no such dead letter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop(&self, seq: SendSeq) -> Result<bool> {
        Ok(self.0.core().store.discard(seq).await?)
    }
}

async fn retry(bot: &Bot, seq: SendSeq) -> Result<Option<Receipt>> {
    let core = bot.core();
    let Some(letter) = core.store.dead_letters(seq.saturating_sub(1), 1).await?.into_iter().find(|d| d.row.seq == seq)
    else {
        return Ok(None);
    };
    let Some(account) = bot.senders().find(|sender| *sender.id() == letter.row.account) else {
        let reason = format!(
            "it is of account `{}`, which this bot does not have: drop it, or add the account",
            letter.row.account
        );
        return Err(Error::Invalid { what: "dead letter", reason });
    };
    let permit = core.gate.pass(&core.sends).await;
    let Some(row) = core.store.revive(seq).await? else { return Ok(None) };
    let receipt = core.receipts.get(seq, row.key);
    // Closed, the next start finds it in the store, and its receipt here.
    if core.gate.is_open() {
        let queued = send::queued(account, row, true, false, permit);
        later::post(account, queued, || !core.gate.is_open()).start_here(core).await;
    }
    Ok(Some(receipt))
}
