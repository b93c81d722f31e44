//! `wechaty forget`: what a person said and was told is taken out of the store.

use std::time::Duration;

use wechaty::{
    Clock,
    store::{Archive, Find, SqliteView},
};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_types::{AccountId, ContactId};

use super::{backup::kept, change, place, view};
use crate::{args::ForgetArgs, control::Ask, failure::Failure, output};

/// So long it is waited until the file is written anew, and so often it is looked.
const PATIENCE: (u32, Duration) = (60, Duration::from_millis(50));

pub(crate) fn run(args: ForgetArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    let view = view(&place)?;
    let accounts = view.accounts().map_err(|error| super::failure(&error))?;
    let accounts = match args.account.map(AccountId::new) {
        Some(one) if accounts.contains(&one) => vec![one],
        Some(unknown) => {
            let known = accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", ");
            return Err(Failure::usage("W190").set("account", unknown.to_string()).set("known", known));
        }
        None => accounts,
    };
    let person = ContactId::new(args.person);
    let mut count = 0;
    for account in accounts {
        let ask = Ask::Forget { account: account.to_string(), person: person.to_string() };
        let forgotten: u64 = change(&place, ask, async |store, _| {
            store.forget(&account, &person).await.map_err(|error| Failure::failed("W110").source(&error))
        })?;
        count += forgotten;
    }
    // They are never changed: who is to be forgotten is in them as before.
    let kept: Vec<_> = kept(&place.file()).iter().map(|path| path.display().to_string()).collect();
    let kept = (!kept.is_empty()).then(|| Args::new().set("paths", kept.join(", ")));
    let owed = forgetting(&view)?.then(|| Args::new().set("path", place.file().display().to_string()));
    if count == 0 {
        let mut failure = Failure::usage("W191").set("person", person.to_string());
        if let Some(kept) = kept {
            failure = failure.tell("forget-kept", kept);
        }
        if let Some(owed) = owed {
            failure = failure.tell("forget-owed", owed);
        }
        return Err(match named(&view, person.as_str())? {
            ids if ids.is_empty() => failure,
            ids => failure.tell("forget-whom", Args::new().set("ids", ids.join(", "))),
        });
    }
    let told = Args::new().number("count", count).set("person", person.to_string());
    let mut lines = text(lang, "forgotten", &told) + "\n";
    if let Some(kept) = kept {
        lines += &*(text(lang, "forget-kept", &kept) + "\n");
    }
    if let Some(owed) = owed {
        lines += &*(text(lang, "forget-owed", &owed) + "\n");
    }
    output::print(&lines)
}

/// Whether what was forgotten may still be in the file after a while.
fn forgetting(view: &SqliteView) -> Result<bool, Failure> {
    let (times, pause) = PATIENCE;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        for _ in 0..times {
            if !view.is_forgetting().map_err(|error| super::failure(&error))? {
                return Ok(false);
            }
            // The bot does it in its own process; there is nothing to be told by.
            Clock::system().sleep(pause).await;
        }
        Ok(true)
    })
}

/// Who is called like this: a name is not enough to forget somebody, for anybody may take it.
fn named(view: &SqliteView, name: &str) -> Result<Vec<String>, Failure> {
    const LOOKED_AT: usize = 1_000;
    let found = view.find(&Find::Last(Some(name.to_owned())), LOOKED_AT).map_err(|error| super::failure(&error))?;
    let mut ids: Vec<String> = found.iter().filter_map(|record| Some(record.person.as_ref()?.to_string())).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
