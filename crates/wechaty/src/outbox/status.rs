//! STATUS: what a platform tells of messages it took, delivered or read, finds their receipts while somebody has them.

use std::collections::VecDeque;

use hashbrown::HashMap;
use parking_lot::Mutex;
use wechaty_puppet::{Capability, Sent};
use wechaty_types::{DeliveryStatus, MessageId, MessageStatusEvent, Timestamp};

use super::receipt::{Receipt, WeakReceipt, bit};
use crate::bot::Account;

/// How many messages are followed, or known by what was told of them.
const MOST: usize = 65_536;

/// A message of an account.
type Key = (u32, MessageId);

/// What is known of a message.
#[derive(Debug, Default)]
struct Message {
    /// Receipts that somebody had.
    receipts: Vec<WeakReceipt>,
    /// What was told: perhaps before the send was over, or where nobody has a receipt.
    told: Vec<(DeliveryStatus, Timestamp)>,
}

impl Message {
    fn receipts(&self) -> impl Iterator<Item = Receipt> {
        self.receipts.iter().filter_map(WeakReceipt::get)
    }

    /// Nothing more will come.
    fn leave(&self) {
        self.receipts().for_each(|receipt| receipt.may_be_told(0));
    }
}

#[derive(Debug, Default)]
struct Kept {
    messages: HashMap<Key, Message>,
    /// As they came.
    order: VecDeque<Key>,
}

impl Kept {
    /// A message; the oldest goes for a new one.
    fn message(&mut self, key: Key) -> &mut Message {
        if !self.messages.contains_key(&key) {
            self.order.push_back(key.clone());
            if self.order.len() > MOST
                && let Some(gone) = self.order.pop_front().and_then(|oldest| self.messages.remove(&oldest))
            {
                gone.leave();
            }
        }
        self.messages.entry(key).or_default()
    }
}

/// Receipts of sent messages of which the platform may tell more. Empty, and never asked, for platforms that tell nothing.
#[derive(Debug, Default)]
pub(crate) struct Statuses(Mutex<Kept>);

impl Statuses {
    /// A message was sent, and somebody may ask for more; before they can see that it was.
    pub(super) fn follow(&self, account: &Account, receipt: &Receipt, sent: &Sent) {
        let capabilities = account.capabilities();
        let tells =
            [(Capability::SentDelivered, DeliveryStatus::Delivered), (Capability::SentRead, DeliveryStatus::Read)];
        let tells = tells.iter().filter(|(capability, _)| capabilities.has(*capability));
        let tells = tells.fold(0, |tells, (_, status)| tells | bit(*status));
        let Some(id) = sent.id.as_ref().filter(|_| tells != 0) else { return };
        receipt.may_be_told(tells);
        let mut kept = self.0.lock();
        let message = kept.message((account.index(), id.clone()));
        message.told.iter().for_each(|(status, at)| receipt.tell(*status, *at));
        message.receipts.retain(|receipt| receipt.get().is_some());
        message.receipts.push(receipt.downgrade());
    }

    /// The platform tells how far messages are.
    pub(crate) fn tell(&self, account: &Account, event: &MessageStatusEvent) {
        let now = account.core().clock.wall();
        let at = if event.timestamp == Timestamp::default() { now } else { event.timestamp };
        for id in &event.message_ids {
            let mut kept = self.0.lock();
            let message = kept.message((account.index(), id.clone()));
            // Only the first counts: of the many in a room, too.
            if message.told.iter().all(|(status, _)| *status != event.status) {
                message.told.push((event.status, at));
                message.receipts().for_each(|receipt| receipt.tell(event.status, at));
            }
        }
    }

    /// A stop: who waits learns that nothing more will come.
    pub(crate) fn clear(&self) {
        let kept = std::mem::take(&mut *self.0.lock());
        kept.messages.values().for_each(Message::leave);
    }
}
