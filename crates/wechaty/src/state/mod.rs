//! STATE: what handlers keep of a conversation or a person, typed and versioned, in the bot's store.

mod dialogue;
mod place;

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use wechaty_types::{ContactId, ConversationId};

pub(crate) use dialogue::Steps;
pub use dialogue::{Dialogue, DialogueHandler, IntoNext};
use place::Place;

use crate::{
    Account, Error, Result,
    bot::Core,
    handler::{EventContext, Extract},
    store::{EventSeq, StoreError},
};

/// How often a change is tried when others change the same value.
const TRIES: u32 = 64;

/// A type whose values outlive the process: as state of a conversation or a person, or as the steps of a dialogue.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// #[derive(Default, Serialize, Deserialize)]
/// struct Visits {
///     count: u32,
/// }
/// impl wechaty::Stored for Visits {
///     const NAME: &'static str = "visits";
/// }
/// ```
pub trait Stored: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Under which it is kept; another name is another value.
    const NAME: &'static str;
    /// Of its form. Raise it when what an earlier release stored cannot be read any more.
    const VERSION: u32 = 1;

    /// Reads what an earlier version stored. `None`: it cannot, and who asked for the value gets an error.
    fn migrate(version: u32, value: Value) -> Option<Self> {
        let _ = (version, value);
        None
    }
}

/// The form in the store.
#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u32,
    value: Value,
    /// The event whose handler wrote it, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<EventSeq>,
}

/// A value as it was read.
struct Read<T> {
    version: u64,
    value: T,
    by: Option<EventSeq>,
}

/// A value's place in the store.
#[derive(Clone)]
struct Slot {
    core: Arc<Core>,
    namespace: String,
    key: String,
}

impl Slot {
    fn new<T: Stored>(account: &Account, kind: &str, of: &impl Serialize) -> Self {
        // JSON, as ids may hold any character.
        let key = serde_json::to_string(&(account.id(), of)).unwrap_or_default();
        Self { core: account.core().clone(), namespace: format!("{kind}/{}", T::NAME), key }
    }

    async fn read<T: Stored>(&self) -> Result<Option<Read<T>>> {
        let Some(found) = self.core.store.get(&self.namespace, &self.key).await? else { return Ok(None) };
        let (value, by) = decode::<T>(&found.value).map_err(|why| self.unreadable(why))?;
        Ok(Some(Read { version: found.version, value, by }))
    }

    /// Gives what is to be written.
    fn encode<T: Stored>(&self, value: &T, by: Option<EventSeq>) -> Result<String> {
        let value = serde_json::to_value(value).map_err(|error| self.unreadable(error.to_string()))?;
        serde_json::to_string(&Envelope { v: T::VERSION, value, by })
            .map_err(|error| self.unreadable(error.to_string()))
    }

    async fn write(&self, expected: Option<u64>, value: Option<String>) -> Result<(), StoreError> {
        let value = value.map(Bytes::from);
        let put = || self.core.store.put(&self.namespace, &self.key, expected, value.clone());
        self.core.with_room(put).await.map(drop)
    }

    fn unreadable(&self, why: String) -> Error {
        Error::Stored { key: format!("{}/{}", self.namespace, self.key), why }
    }
}

fn decode<T: Stored>(json: &[u8]) -> Result<(T, Option<EventSeq>), String> {
    let Envelope { v, value, by } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let value = match v {
        _ if v == T::VERSION => serde_json::from_value(value).map_err(|error| error.to_string())?,
        _ if v > T::VERSION => return Err(format!("it is of version {v}, and this program knows {}", T::VERSION)),
        _ => T::migrate(v, value).ok_or_else(|| format!("it is of version {v} and cannot be migrated"))?,
    };
    Ok((value, by))
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident: $kind:literal, $of:ident, $missing:literal;)*) => {$(
        $(#[$doc])*
        pub struct $name<T> {
            /// `None`: the event has none.
            slot: Option<Slot>,
            value: PhantomData<fn() -> T>,
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { slot: self.slot.clone(), value: PhantomData }
            }
        }

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let key = self.slot.as_ref().map(|slot| (&slot.namespace, &slot.key));
                f.debug_tuple(stringify!($name)).field(&key).finish()
            }
        }

        impl<T: Stored> $name<T> {
            fn slot(&self) -> Result<&Slot> {
                self.slot.as_ref().ok_or_else(|| Error::Invalid { what: "state", reason: $missing.into() })
            }

            /// The value; `None`: there is none yet.
            ///
            /// # Errors
            /// [`Error::Stored`] if what is stored cannot be read: it stays there.
            pub async fn get(&self) -> Result<Option<T>> {
                Ok(self.slot()?.read().await?.map(|read| read.value))
            }

            /// Replaces the value, whatever it was.
            ///
            /// # Errors
            /// When the store fails.
            pub async fn set(&self, value: &T) -> Result<()> {
                let slot = self.slot()?;
                Ok(slot.write(None, Some(slot.encode(value, None)?)).await?)
            }

            /// Removes the value.
            ///
            /// # Errors
            /// When the store fails.
            pub async fn remove(&self) -> Result<()> {
                Ok(self.slot()?.write(None, None).await?)
            }

            /// Changes the value; no change of anybody else gets lost. `change` is called again with the newer value if
            /// somebody was faster. A handler that runs again after a crash changes it again.
            ///
            /// # Errors
            /// [`Error::Stored`] if what is stored cannot be read: it stays there.
            pub async fn update<R>(&self, mut change: impl FnMut(&mut T) -> R + Send) -> Result<R>
            where
                T: Default,
                R: Send,
            {
                let slot = self.slot()?;
                let mut tries = 0;
                loop {
                    let read = slot.read::<T>().await?;
                    let (version, mut value) = read.map_or_else(|| (0, T::default()), |read| (read.version, read.value));
                    let told = change(&mut value);
                    match slot.write(Some(version), Some(slot.encode(&value, None)?)).await {
                        Ok(()) => return Ok(told),
                        Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }

        impl<T: Stored> Extract for $name<T> {
            fn extract(cx: &EventContext) -> Self {
                let place = Place::of(&cx.object);
                let slot = place.$of.map(|of| Slot::new::<T>(&cx.account, $kind, &of));
                Self { slot, value: PhantomData }
            }
        }
    )*};
}

states! {
    /// What is kept of a conversation. A handler takes that of its event's; [`Account::conversation_state`] gives others.
    ConversationState: "conversation", conversation, "this event belongs to no conversation";
    /// What is kept of a person, in whichever conversation. A handler takes that of who caused its event;
    /// [`Account::person_state`] gives others.
    PersonState: "person", person, "nobody is known to have caused this event";
}

impl Account {
    /// What is kept of a conversation of this account.
    pub fn conversation_state<T: Stored>(&self, of: &ConversationId) -> ConversationState<T> {
        ConversationState { slot: Some(Slot::new::<T>(self, "conversation", of)), value: PhantomData }
    }
    /// What is kept of a person this account knows.
    pub fn person_state<T: Stored>(&self, of: &ContactId) -> PersonState<T> {
        PersonState { slot: Some(Slot::new::<T>(self, "person", of)), value: PhantomData }
    }
}
