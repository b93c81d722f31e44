//! Tells who is logged in with which account, and who no longer is: a line on stderr for each change.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use parking_lot::Mutex;
use wechaty::{AccountState, BotBuilder, prelude::*, types::AccountId};
use wechaty_catalogue::{Args, Lang, text};

use super::demo::is_personal;
use crate::{failure::Failure, output};

/// Who is logged in: puppets tell it again when their connection comes back.
type Known = Arc<Mutex<BTreeMap<AccountId, String>>>;

/// Adds the observers. Where everybody comes to talk to the bot, nobody logs in.
pub(crate) fn tell(builder: BotBuilder, lang: Lang) -> BotBuilder {
    let known = Known::default();
    let before = known.clone();
    builder
        .observe(move |login: Login, account: Account| {
            let who = who(&login.contact);
            let was = known.lock().insert(account.id().clone(), who.clone());
            if was.as_ref() != Some(&who) {
                line(&account, Args::new().set("who", who), "run-login", lang);
            }
            ready(())
        })
        .named("run/login")
        .observe(move |logout: Logout, account: Account| {
            // Nobody can be asked any more for a name that is not known by now.
            let was = before.lock().remove(account.id());
            let words = Args::new().set("who", was.unwrap_or_else(|| who(&logout.contact)));
            match &logout.reason {
                Some(reason) => line(&account, words.set("why", one_line(reason)), "run-logout-why", lang),
                None => line(&account, words, "run-logout", lang),
            }
            ready(())
        })
        .named("run/logout")
}

/// The accounts that cannot go on, and why: what ends a bot.
pub(super) fn failed(bot: &Bot) -> Option<Failure> {
    let failed = bot.accounts().iter().filter_map(|account| match account.state() {
        AccountState::Failed(why) => Some(Args::new().set("account", account.id().as_str()).set("why", why)),
        _ => None,
    });
    failed.fold(None, |all, words| Some(all.unwrap_or(Failure::failed("W110")).tell("run-failed", words)))
}

fn line(account: &Account, words: Args, key: &str, lang: Lang) {
    if !is_personal(account) {
        output::tell(&text(lang, key, &words.set("account", account.id().as_str())));
    }
}

/// `Front desk (cli_a1)`, or the id alone.
fn who(contact: &Contact) -> String {
    let (name, id) = (one_line(&contact.name()), one_line(contact.id().as_str()));
    if name.is_empty() || name == id { id } else { format!("{name} ({id})") }
}

/// What a platform says, on one line and not at any length.
fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    output::visible(&text.trim().chars().take(MOST).collect::<String>())
}
