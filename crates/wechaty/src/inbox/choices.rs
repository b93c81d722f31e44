//! CHOICES: cards and menus of which a platform shows numbered lines. Who answers with a number, or with the words, has
//! pressed: handlers get the action that a button would have made.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use hashbrown::HashMap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use wechaty_puppet::Sent;
use wechaty_types::{ContactId, ConversationId, EventKind, Menu, MenuItem, MessageId, Timestamp};

use crate::{
    Account,
    handler::{AnyEvent, Topic},
    outbox::SendFailure,
    store::{OutboxRow, StoreError},
    user::{Action, Message},
};

/// How long an answer counts, from when it was asked.
const WITHIN: Duration = Duration::from_secs(30 * 60);
/// In how many conversations of an account; the one asked first is forgotten then.
const CONVERSATIONS: usize = 10_000;
/// How many people of a conversation are known to have chosen.
const PEOPLE: usize = 200;

/// What was asked last in a conversation.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    /// Ids and words, in the order of their numbers. A link has no id: it cannot be chosen.
    items: Vec<(String, String)>,
    until: Timestamp,
    /// What is said later asks from then on.
    #[serde(default)]
    from: Option<Timestamp>,
    /// It counts until then, and where this is not sent.
    #[serde(default)]
    before: Option<Box<Asked>>,
    /// Of the row that asks.
    key: String,
    /// The message, once it is known.
    message: Option<MessageId>,
    /// It was not sent: nobody was asked.
    #[serde(default)]
    unsent: bool,
    /// Who has chosen, with which message: each does once, and a handler that runs again gets the same.
    chosen: VecDeque<(ContactId, MessageId)>,
}

/// What an account has asked; in the store as well.
#[derive(Default)]
pub(crate) struct Choices {
    asked: Mutex<HashMap<ConversationId, Asked>>,
    /// How many there are: every message looks.
    count: AtomicUsize,
}

impl std::fmt::Debug for Choices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Choices({})", self.count.load(Ordering::Relaxed))
    }
}

impl Asked {
    /// What is asked at this time.
    fn at(&mut self, time: Timestamp) -> Option<&mut Self> {
        if !self.unsent && self.from.is_none_or(|from| time >= from) {
            return (time <= self.until).then_some(self);
        }
        self.before.as_deref_mut().filter(|before| time <= before.until && !before.unsent)
    }

    /// What this row asks, now or later.
    fn of(&mut self, key: &str) -> Option<&mut Self> {
        if self.key == key {
            return Some(self);
        }
        self.before.as_deref_mut().filter(|before| before.key == key)
    }
}

impl Choices {
    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<ConversationId, Asked>) -> T) -> T {
        let mut asked = self.asked.lock();
        let changed = change(&mut asked);
        self.count.store(asked.len(), Ordering::Release);
        changed
    }
}

fn namespace(account: &Account) -> String {
    format!("choices/{}", account.id())
}

/// An id may hold any character.
fn name(conversation: &ConversationId) -> String {
    serde_json::to_string(conversation).unwrap_or_default()
}

async fn keep(account: &Account, conversation: &ConversationId, asked: Option<&Asked>) -> Result<(), StoreError> {
    let value = asked.and_then(|asked| serde_json::to_vec(asked).ok()).map(Bytes::from);
    account.core().store.put(&namespace(account), &name(conversation), None, value).await.map(drop)
}

/// Notes what a row is about to ask, in place of what was asked before; links have no id.
pub(crate) async fn note(account: &Account, row: &OutboxRow, menu: Menu) -> Result<(), StoreError> {
    let now = account.core().clock.wall();
    let mut asked = Asked {
        items: menu.items.into_iter().map(|item| (item.id, item.text)).collect(),
        until: row.not_before.unwrap_or(now).plus(WITHIN),
        from: row.not_before.filter(|from| *from > now),
        before: None,
        key: row.key.to_string(),
        message: None,
        unsent: false,
        chosen: VecDeque::new(),
    };
    let gone = account.choices().change(|all| {
        if all.get_mut(&row.to).is_some_and(|before| before.of(&asked.key).is_some()) {
            // Said again by a handler that runs again.
            return None;
        }
        asked.before = all.get_mut(&row.to).and_then(|asked| asked.at(now)).map(|before| Box::new(before.clone()));
        // One behind another would be a list without an end.
        asked.before.iter_mut().for_each(|before| before.before = None);
        let mut gone = Vec::new();
        if all.len() >= CONVERSATIONS {
            let first = all.iter().min_by_key(|(_, asked)| asked.until).map(|(conversation, _)| conversation.clone());
            gone.extend(all.extract_if(|_, asked| asked.until < now).map(|(conversation, _)| conversation));
            gone.extend(first.filter(|first| all.remove(first).is_some()));
        }
        all.insert(row.to.clone(), asked.clone());
        Some(gone)
    });
    let Some(gone) = gone else { return Ok(()) };
    for conversation in gone {
        keep(account, &conversation, None).await?;
    }
    keep(account, &row.to, Some(&asked)).await
}

/// The end of a row that may ask something: its message is known now, or nobody was asked.
pub(crate) async fn settled(account: &Account, row: &OutboxRow, outcome: &Result<Sent, SendFailure>) {
    let (choices, now) = (account.choices(), account.core().clock.wall());
    if choices.is_empty() {
        return;
    }
    let asked = choices.change(|all| {
        let asked = all.get_mut(&row.to)?;
        let of = asked.of(&row.key.to_string())?;
        match outcome {
            Ok(sent) => {
                of.message = sent.id.clone();
                if std::mem::take(&mut of.unsent) {
                    of.until = now.plus(WITHIN);
                }
                if of.from.is_none() {
                    of.before = None;
                }
            }
            Err(failure) => of.unsent = !failure.is_in_doubt(),
        }
        Some(asked.clone())
    });
    if let Some(asked) = asked
        && let Err(error) = keep(account, &row.to, Some(&asked)).await
    {
        tracing::warn!(account = %account.id(), %error, "an answer may be taken for a choice, or not tell its message");
    }
}

/// A start: what earlier lives have asked.
pub(crate) async fn take_up(account: &Account) -> Result<(), StoreError> {
    let (store, now) = (&account.core().store, account.core().clock.wall());
    for key in store.keys(&namespace(account)).await? {
        let found = store.get(&namespace(account), &key).await?;
        let asked = found.and_then(|found| serde_json::from_slice::<Asked>(&found.value).ok());
        match (serde_json::from_str::<ConversationId>(&key), asked.filter(|asked| asked.until >= now)) {
            (Ok(conversation), Some(asked)) => drop(account.choices().change(|all| all.insert(conversation, asked))),
            _ => drop(store.put(&namespace(account), &key, None, None).await?),
        }
    }
    Ok(())
}

/// The action that a message means, if it chooses something. `taken`: somebody waits for the message and gets it; it has
/// chosen all the same, and does not again.
pub(super) async fn chosen(account: &Account, message: &Message, received: Timestamp, taken: bool) -> Option<AnyEvent> {
    let choices = account.choices();
    if choices.is_empty()
        || message.is_self()
        || !message.is_for_handlers()
        || !account.core().handlers.hears(Topic::Puppet(EventKind::Action))
    {
        return None;
    }
    let text = message.text().filter(|text| !text.trim().is_empty())?;
    let conversation = message.conversation_id();
    let (value, message_id, asked, first) = choices.change(|all| {
        let kept = all.get_mut(&conversation)?;
        let asked = kept.at(received)?;
        let items = asked.items.iter().map(|(id, text)| MenuItem { id: id.clone(), text: text.clone() });
        let menu = Menu { text: String::new(), items: items.collect() };
        let value = menu.choice(text).map(|item| item.id.clone()).filter(|id| !id.is_empty())?;
        let before = asked.chosen.iter().find(|(who, _)| who == message.talker_id());
        let first = before.is_none();
        if before.is_some_and(|(_, by)| by != message.id()) {
            return None;
        }
        if first {
            asked.chosen.push_back((message.talker_id().clone(), message.id().clone()));
            while asked.chosen.len() > PEOPLE {
                asked.chosen.pop_front();
            }
        }
        let message_id = asked.message.clone();
        Some((value, message_id, kept.clone(), first))
    })?;
    if first && let Err(error) = keep(account, &conversation, Some(&asked)).await {
        tracing::warn!(account = %account.id(), %error, "a choice is not noted in the store: it may be made again");
    }
    (!taken).then(|| {
        AnyEvent::Action(Action {
            actor: message.talker(),
            conversation,
            message_id,
            value,
            timestamp: message.timestamp(),
            account: account.clone(),
        })
    })
}
