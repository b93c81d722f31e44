//! EARLIER: whether something was said before under a key, in this life of the bot or another.

use wechaty_puppet::IdempotencyKey;

use super::{Receipt, ReceiptState};
use crate::{
    Account,
    store::{EventSeq, Said, Settlement, StoreError},
};

impl Account {
    /// The receipt of what this account said [under this key](crate::Say::under), in this life of the bot or an earlier one:
    /// still to be sent, or sent or in doubt within [`KEY_LIFE`](crate::store::KEY_LIFE). `None`: there is none, or it has
    /// surely failed, and may be said anew.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn earlier_send(&self, key: IdempotencyKey) -> Result<Option<Receipt>, StoreError> {
        match keyed(self, key).await?.filter(Said::stands) {
            Some(said) => receipt(self, said, None).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn keyed(account: &Account, key: IdempotencyKey) -> Result<Option<Said>, StoreError> {
    let core = account.core();
    core.store.keyed(account.id(), key, core.clock.wall()).await
}

/// The receipt of a send that the store has found, under the key of its event or under one from outside.
pub(super) async fn receipt(account: &Account, said: Said, event: Option<EventSeq>) -> Result<Receipt, StoreError> {
    let Said { seq, key, settled } = said;
    if let Some(settlement) = settled {
        return Ok(over(account, key, settlement));
    }
    let core = account.core();
    let receipt = core.receipts.get(seq, key);
    // Who settles tells the store first and takes the receipt then. Either it finds ours, or we its word.
    let of_event = match event {
        Some(event) => core.store.said(event).await?.into_iter().find(|said| said.seq == seq),
        None => None,
    };
    let now = match of_event {
        None => keyed(account, key).await?.filter(|said| said.seq == seq),
        found => found,
    };
    match now.and_then(|said| said.settled) {
        Some(settlement) => {
            core.receipts.take(seq);
            Ok(over(account, key, settlement))
        }
        None => Ok(receipt),
    }
}

/// The receipt of a send that is over; what the platform may yet tell of it finds it.
fn over(account: &Account, key: IdempotencyKey, settlement: Settlement) -> Receipt {
    let receipt = Receipt::of(key, settlement);
    if let ReceiptState::Sent(sent) = receipt.state() {
        account.core().statuses.follow(account, &receipt, &sent);
    }
    receipt
}
