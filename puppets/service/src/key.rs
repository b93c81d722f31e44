//! KEYS: how a send tells a gateway of ours which one it is, so that it can be told again where its answer was lost.

use std::time::Duration;

use tonic::{
    codegen::http::{HeaderMap, HeaderValue},
    metadata::MetadataMap,
};
use wechaty_puppet::{IdempotencyKey, Outgoing};

const KEY: &str = "wechaty-key";
const ATTEMPT: &str = "wechaty-attempt";
const WINDOW: &str = "wechaty-key-window";

tokio::task_local! {
    /// Of the send under way; each request that is part of it carries it.
    static SEND: (IdempotencyKey, u32);
}

/// Tells the key and the attempt of a send with every request that `sending` makes.
pub(crate) async fn with<T>(out: &Outgoing, sending: impl Future<Output = T>) -> T {
    SEND.scope((out.key, out.attempt), sending).await
}

/// Of the send under way, if there is one.
pub(crate) fn write(headers: &mut HeaderMap) {
    let _ = SEND.try_with(|(key, attempt)| {
        if let Ok(key) = HeaderValue::try_from(key.to_string()) {
            headers.insert(KEY, key);
            headers.insert(ATTEMPT, HeaderValue::from(*attempt));
        }
    });
}

/// For how long the gateway knows a key; `None`: it takes none.
pub(crate) fn window(headers: &MetadataMap) -> Option<Duration> {
    let seconds: u64 = headers.get(WINDOW)?.to_str().ok()?.parse().ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}
