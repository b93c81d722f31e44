//! STATE: how a webhook does: when it last answered, when it last did not, and whether it is paused.

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use wechaty_store::{Store, StoreError};
use wechaty_types::Timestamp;

/// Where it is remembered which webhooks are paused.
const NAMESPACE: &str = "webhooks";

/// How a webhook does.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What an earlier life has left; read once.
    loaded: OnceCell<()>,
    now: Mutex<Now>,
}

/// At this moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Now {
    pub(super) paused: Option<Paused>,
    pub(super) success: Option<Timestamp>,
    pub(super) failure: Option<(Timestamp, String)>,
}

/// That it wants no more events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Paused {
    /// Since when, in milliseconds since 1970.
    pub(super) since: i64,
    pub(super) why: String,
}

impl State {
    pub(super) async fn now(&self, store: &dyn Store, id: &str) -> Now {
        let load = async || match store.get(NAMESPACE, id).await {
            Ok(kept) => {
                self.now.lock().paused = kept.and_then(|kept| serde_json::from_slice(&kept.value).ok());
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = self.loaded.get_or_try_init(load).await {
            tracing::warn!(webhook = id, %error, "the store does not tell whether the webhook is paused");
        }
        self.now.lock().clone()
    }

    pub(super) async fn pause(&self, store: &dyn Store, id: &str, since: Timestamp, why: &str) {
        let paused = Paused { since: since.as_millis(), why: why.to_owned() };
        self.now.lock().paused = Some(paused.clone());
        let kept = serde_json::to_vec(&paused).map(Bytes::from).ok();
        if let Err(error) = store.put(NAMESPACE, id, None, kept).await {
            tracing::warn!(webhook = id, %error, "that the webhook is paused will not be known after a restart");
        }
    }

    pub(super) async fn resume(&self, store: &dyn Store, id: &str) -> Result<(), StoreError> {
        store.put(NAMESPACE, id, None, None).await?;
        self.now.lock().paused = None;
        Ok(())
    }

    /// Why it failed last, if that was not before this time.
    pub(super) fn failure(&self, since: Timestamp) -> Option<String> {
        self.now.lock().failure.as_ref().filter(|(at, _)| *at >= since).map(|(_, why)| why.clone())
    }

    pub(super) fn went_well(&self, at: Timestamp) {
        self.now.lock().success = Some(at);
    }

    pub(super) fn failed(&self, at: Timestamp, why: &str) {
        self.now.lock().failure = Some((at, why.to_owned()));
    }
}
