//! OUTSIDE: who tells the bot, in each of its lives, to say the same things under the same keys, as a client does that has
//! heard no answer.

use anyhow::Result;
use wechaty::Bot;
use wechaty_puppet::IdempotencyKey;

use super::Settings;

/// Who is told.
pub(crate) const LISTENER: &str = "listener";

/// Tells so many. Where the platform knows no keys, what ended in doubt is not told anew.
pub(super) async fn tell(bot: Bot, settings: Settings) -> Result<()> {
    let account = bot.main_account();
    let listener = settings.address.id(LISTENER);
    for number in 1..=settings.told {
        let mut key = [0xcc; 16];
        key[..8].copy_from_slice(&number.to_be_bytes());
        let key = IdempotencyKey::from_bytes(key);
        let is_known = async || bot.store().keyed(account.id(), key, bot.clock().wall()).await;
        if settings.keys || is_known().await?.is_none() {
            account.contact_handle(&listener.into()).say(format!("keyed {number}")).under(key).await?;
        }
    }
    Ok(())
}
