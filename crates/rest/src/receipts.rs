//! RECEIPTS: what became of a send, by its id, also long after it was said.

use std::sync::Arc;

use serde::Serialize;
use wechaty::{
    Account, Opens, Receipt, ReceiptState, SendFailure,
    store::{Book, Find, Record, Said, Settlement},
    types::{AccountId, MessageId, Timestamp},
};
use wechaty_puppet::{IdempotencyKey, Sent};

use crate::{problem::Problem, rest::Rest};

/// What became of a send.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SendState {
    /// Names the send: 32 hexadecimal digits.
    pub(crate) id: String,
    /// The account that sends.
    pub(crate) account: AccountId,
    /// Where it stands: `queued`, `held` (the platform's quota is used up), `sent`, `delivered`, `read`, `merged`, `dead`,
    /// `maybe_sent`, `expired`, `rejected`, `dropped`.
    pub(crate) state: &'static str,
    /// The platform's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<MessageId>,
    /// When the platform took it, delivered it or had it read, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<i64>,
    /// When the quota opens, in milliseconds since 1970; absent: when the other side writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) opens_at: Option<i64>,
    /// Why it was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl SendState {
    fn new(id: String, account: AccountId, state: &'static str) -> Self {
        Self { id, account, state, message_id: None, at: None, opens_at: None, reason: None }
    }

    pub(crate) fn of(account: &AccountId, receipt: &Receipt) -> Self {
        let new = |state| Self::new(receipt.key().to_string(), account.clone(), state);
        let took = |state, sent: &Sent, at: Option<Timestamp>| Self {
            message_id: sent.id.clone(),
            at: at.or(sent.timestamp).map(Timestamp::as_millis),
            ..new(state)
        };
        match receipt.state() {
            ReceiptState::Queued => new("queued"),
            ReceiptState::Held(Opens::At(time)) => Self { opens_at: Some(time.as_millis()), ..new("held") },
            ReceiptState::Held(_) => new("held"),
            ReceiptState::Sent(sent) => took("sent", &sent, None),
            ReceiptState::Delivered(sent, at) => took("delivered", &sent, Some(at)),
            ReceiptState::Read(sent, at) => took("read", &sent, Some(at)),
            ReceiptState::Failed(failure) => {
                let state = match &*failure {
                    failure if failure.is_in_doubt() => "maybe_sent",
                    SendFailure::Dead { .. } => "dead",
                    SendFailure::Expired => "expired",
                    SendFailure::Quota => "rejected",
                    SendFailure::Settled(reason) if reason == "dropped" => "dropped",
                    SendFailure::Stopped => "queued",
                    _ => "dead",
                };
                Self { reason: Some(failure.to_string()), ..new(state) }
            }
            _ => new("queued"),
        }
    }

    fn of_record(record: Record) -> Self {
        let id = format!("{:032x}", u128::from_be_bytes(record.key));
        Self {
            message_id: record.id.map(MessageId::from),
            at: record.ended.map(Timestamp::as_millis),
            ..Self::of_end(id, record.account, &record.end)
        }
    }

    fn of_said(account: &AccountId, said: Said) -> Self {
        let id = said.key.to_string();
        let Some(settled) = said.settled else { return Self::new(id, account.clone(), "queued") };
        let state = Self::of_end(id, account.clone(), &settled.end());
        match settled {
            Settlement::Sent(sent) => {
                Self { message_id: sent.id, at: sent.timestamp.map(Timestamp::as_millis), ..state }
            }
            _ => state,
        }
    }

    /// `end`: the ledger's term, with its reason.
    fn of_end(id: String, account: AccountId, end: &str) -> Self {
        let (end, reason) = match end.split_once('(') {
            Some((end, reason)) => (end, Some(reason.trim_end_matches(')').to_owned())),
            None => (end, None),
        };
        const ENDS: [&str; 7] = ["sent", "merged", "dead", "maybe_sent", "expired", "rejected", "dropped"];
        let state = ENDS.into_iter().find(|one| *one == end).unwrap_or("queued");
        Self { reason, ..Self::new(id, account, state) }
    }
}

impl Rest {
    /// What became of a send of one of these accounts.
    ///
    /// # Errors
    /// 404: nobody knows it, or any more.
    pub(crate) async fn send_state(&self, account: &Account, id: &str) -> Result<SendState, Problem> {
        let unknown = || Problem::unknown("send", id);
        let number = u128::from_str_radix(id, 16).ok().filter(|_| id.len() == 32 && !id.starts_with('+'));
        let key = number.ok_or_else(unknown)?.to_be_bytes();
        if let Some((of, receipt)) = self.receipt(&key) {
            return if *of == *account.id() { Ok(SendState::of(&of, &receipt)) } else { Err(unknown()) };
        }
        let record = self.record(account, key).await?.ok_or_else(unknown)?;
        Ok(SendState::of_record(record))
    }

    /// The receipt of a send that this life of the bot still knows about: one that a stop has ended tells nothing of what came
    /// after it.
    fn receipt(&self, key: &[u8; 16]) -> Option<(Arc<AccountId>, Receipt)> {
        let ended = |receipt: &Receipt| match receipt.state() {
            ReceiptState::Failed(failure) => matches!(*failure, SendFailure::Stopped),
            _ => false,
        };
        self.receipts().get(key).filter(|(_, receipt)| !ended(receipt))
    }

    /// What is written down of a send.
    async fn record(&self, account: &Account, key: [u8; 16]) -> Result<Option<Record>, Problem> {
        let Some(archive) = self.bot().store().archive() else { return Ok(None) };
        let id = format!("{:032x}", u128::from_be_bytes(key));
        let found = archive.find(Find::Id(id), 8).await?;
        let is_it = |record: &Record| record.book == Book::Out && record.key == key && record.account == *account.id();
        Ok(found.into_iter().find(is_it))
    }

    /// What became of what was said under this key, if something was.
    pub(crate) async fn earlier(&self, account: &Account, key: IdempotencyKey) -> Result<Option<SendState>, Problem> {
        if let Some((of, receipt)) = self.receipt(key.as_bytes()) {
            return Ok(Some(SendState::of(&of, &receipt)));
        }
        let now = self.bot().clock().wall();
        let said = self.bot().store().keyed(account.id(), key, now).await?;
        Ok(said.map(|said| SendState::of_said(account.id(), said)))
    }
}
