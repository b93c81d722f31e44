//! Trouble with the store of a bot that runs: told when it begins, with what the bot still does, and when it is over.

use std::{path::Path, time::Duration};

use wechaty::{
    Bot, Clock,
    store::{EventSeq, Trouble},
};
use wechaty_catalogue::{Args, Lang, text};

use crate::{failure::Failure, output};

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a bot has not started, or has ended.
pub(crate) fn stopped_by(trouble: Trouble, file: &Path) -> Failure {
    let code = match trouble {
        Trouble::Full => "W192",
        Trouble::ReadOnly => "W193",
        // Without this part there is no going on.
        Trouble::Damaged => "W184",
        _ => "W195",
    };
    Failure::failed(code).set("path", file.display().to_string())
}

/// What became of so many events could not be written to the end of a run.
pub(crate) fn unended(count: u64, events: &[EventSeq], file: Option<&Path>) -> Failure {
    let more = if count > events.len() as u64 { ", …" } else { "" };
    let events = events.iter().map(|event| format!("e{event}")).collect::<Vec<_>>().join(", ") + more;
    let path = file.map(|file| file.display().to_string()).unwrap_or_default();
    Failure::failed("W210").number("count", count).set("events", events).set("path", path)
}

/// What is wrong, by its code, and what the bot still does.
fn failure(trouble: Trouble, file: &Path) -> Failure {
    let (code, still) = match trouble {
        Trouble::Full => ("W192", "store-still-full"),
        Trouble::ReadOnly => ("W193", "store-still-read-only"),
        Trouble::Damaged => ("W194", "store-still-damaged"),
        _ => ("W195", "store-still-failing"),
    };
    Failure::failed(code).set("path", file.display().to_string()).tell(still, Args::new())
}

/// Tells of the store, as long as it is polled.
pub(crate) async fn watch(bot: Bot, file: std::path::PathBuf, lang: Lang) {
    let clock = Clock::system();
    let (mut before, mut aside) = (None, 0);
    loop {
        let store = bot.store();
        let (now, count) = (store.trouble(), store.set_aside());
        if count > aside {
            aside = count;
            let failure = Failure::failed("W196").set("path", file.display().to_string()).number("count", count);
            failure.tell("store-still-aside", Args::new()).print(lang);
        }
        if now != before {
            match now {
                Some(trouble) => failure(trouble, &file).print(lang),
                None => output::tell(&text(lang, "store-goes-on", &Args::new())),
            }
            before = now;
        }
        clock.sleep(PAUSE).await;
    }
}
