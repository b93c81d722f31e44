//! QUOTA: counts of conversations that fell silent leave the store: once in a life of the bot, then once a day.

use std::time::Duration;

use super::{Opened, namespace, of_key};
use crate::{Account, Result};

const EACH: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks through the store beside the sends, if it is time to.
pub(super) fn soon(account: &Account) {
    let now = account.core().clock.now();
    let mut swept = account.quotas().swept.lock();
    if swept.is_some_and(|swept| now < swept.saturating_add(EACH)) {
        return;
    }
    *swept = Some(now);
    drop(swept);
    let of = account.clone();
    account.core().spawn(async move {
        match all(&of).await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(account = %of.id(), swept, "counts of quotas were over"),
            Err(error) => tracing::warn!(account = %of.id(), %error, "counts of quotas that are over stay for a day"),
        }
    });
}

/// Gives how many were over.
async fn all(account: &Account) -> Result<usize> {
    let core = account.core();
    let closing = core.closing();
    let mut swept = 0;
    for key in core.store.keys(&namespace(account)).await? {
        // A stop does not wait for it: the next life begins anew.
        if closing.is_cancelled() {
            break;
        }
        let Some(conversation) = of_key(&key) else { continue };
        let book = account.quotas().book(conversation.as_ref());
        let quotas = account.quotas().of(conversation.is_none());
        let now = core.clock.wall();
        match Opened::new(account, &book).await {
            Ok(mut counts) => swept += usize::from(counts.sweep(account, &quotas, now).await?),
            // It holds up its own sends, and is told there.
            Err(error) => tracing::warn!(account = %account.id(), key, %error, "counts of a quota cannot be read"),
        }
    }
    Ok(swept)
}
