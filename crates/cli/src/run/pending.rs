//! What is not finished when a run ends, in words: nothing may be left without one.

use std::path::Path;

use wechaty::{
    Bot,
    store::{EventSeq, OutboxRow, StoredEvent},
};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_puppet::EventPayload;

use crate::told;

/// So many are named; more are counted.
const NAMED: usize = 5;

/// Events that are over, but not in the store; they are told as such (W210).
pub(super) struct Unended {
    pub(super) count: u64,
    /// The first of them.
    pub(super) events: Vec<EventSeq>,
}

impl Unended {
    /// Whether this may be one of them: of many, not all are named.
    fn has(&self, event: EventSeq) -> bool {
        self.count > self.events.len() as u64 || self.events.contains(&event)
    }
}

/// What is pending, why, and what becomes of it: `file` is the store, if that outlives the run. `None`: nothing is, or
/// nothing but what is told as `unended`.
pub(super) async fn explain(
    bot: &Bot,
    file: Option<&Path>,
    unended: Option<&Unended>,
    lang: Lang,
) -> wechaty::Result<Option<String>> {
    let (mut events, mut sends) = (Vec::new(), Vec::new());
    for account in bot.accounts().iter().chain(bot.outlets()) {
        let mut unfinished = bot.store().unfinished(account.id()).await?;
        unfinished.retain(|one| !unended.is_some_and(|unended| unended.has(one.seq)));
        events.extend(unfinished.iter().map(|one| event(one, lang)));
        sends.extend(bot.store().unsent(account.id()).await?.iter().map(|one| send(one, lang)));
    }
    Ok(words(&events, &sends, bot.was_drained(), file, lang))
}

fn words(events: &[String], sends: &[String], drained: bool, file: Option<&Path>, lang: Lang) -> Option<String> {
    if events.is_empty() && sends.is_empty() {
        return None;
    }
    let parts: Vec<String> = [("pending-events", events), ("pending-sends", sends)]
        .into_iter()
        .filter(|(_, all)| !all.is_empty())
        .map(|(key, all)| {
            let more = if all.len() > NAMED { ", …" } else { "" };
            let names = format!("{}{more}", all[..all.len().min(NAMED)].join(", "));
            text(lang, key, &Args::new().number("count", all.len() as u64).set("names", names))
        })
        .collect();
    let what = Args::new().set("what", parts.join(&text(lang, "and", &Args::new())));
    let what = if drained { text(lang, "pending", &what) } else { text(lang, "pending-late", &what) };
    let end = match file {
        Some(file) => text(lang, "pending-kept", &Args::new().set("path", file.display().to_string())),
        None => text(lang, "pending-lost", &Args::new()),
    };
    Some(what + &*end)
}

fn event(event: &StoredEvent, lang: Lang) -> String {
    match &event.event.what {
        EventPayload::Message(message) => {
            text(lang, "pending-message", &Args::new().set("id", message.message_id.as_str()))
        }
        other => told::event(lang, other.kind().as_str()),
    }
}

fn send(row: &OutboxRow, lang: Lang) -> String {
    text(
        lang,
        "pending-send",
        &Args::new().set("kind", told::sayable(lang, row.what.kind())).set("to", row.to.as_str()),
    )
}

#[cfg(test)]
mod tests {
    use wechaty::store::Incoming;
    use wechaty_puppet::Event;
    use wechaty_puppet_mock::{MockPuppet, World};
    use wechaty_types::{MessagePayload, Timestamp};

    use super::*;

    #[tokio::test]
    async fn what_is_told_as_over_but_not_stored_is_not_told_as_unfinished_too() {
        let bot = Bot::builder(MockPuppet::new(World::default_world())).build().expect("a bot");
        let message = |id: &str| Incoming {
            dedupe: None,
            conversation: None,
            event: Event::message(MessagePayload::direct(id.to_owned(), "alice", "bot", "hi")),
            received: Timestamp::from_millis(0),
        };
        let account = bot.main_account().id();
        let taken = bot.store().accept(account, vec![message("t1"), message("t2")], None).await.expect("taken");
        let events: Vec<EventSeq> = taken.into_iter().flatten().map(|event| event.seq).collect();
        let told = async |count, events: &[EventSeq]| {
            let unended = Unended { count, events: events.to_vec() };
            explain(&bot, None, Some(&unended), Lang::En).await.expect("read")
        };
        let one = told(1, &events[..1]).await.expect("the other is pending");
        assert!(one.contains("1 event (message t2)"), "{one}");
        assert_eq!((told(2, &events).await, told(2, &events[..1]).await), (None, None));
        assert!(explain(&bot, None, None, Lang::En).await.expect("read").is_some_and(|all| all.contains("2 events")));
    }

    #[test]
    fn an_open_question_is_not_passed_over_in_silence() {
        let file = Some(Path::new("shop.wechaty.db"));
        assert_eq!(words(&[], &[], true, None, Lang::En), None);
        let told = words(&["message t1".to_owned()], &[], true, None, Lang::En).expect("something is pending");
        assert!(told.starts_with("not finished when the bot stopped: 1 event (message t1). "), "{told}");
        assert!(told.ends_with(" keeps nothing: it is lost."), "{told}");
        let many: Vec<String> = (0..7).map(|n| format!("Text to c{n}")).collect();
        let told = words(&["login".to_owned()], &many, false, file, Lang::En).expect("something is pending");
        assert!(told.contains("1 event (login) and 7 sends (Text to c0, Text to c1") && told.contains("c4, …). 10 s"));
        assert!(told.ends_with(" All of it is kept in shop.wechaty.db, and the next start goes on with it."), "{told}");
        let told = words(&["login".to_owned()], &many, false, file, Lang::Zh).expect("something is pending");
        assert!(told.contains("1 个事件（login）") && told.contains("7 条待发消息"), "{told}");
    }
}
