//! `wechaty trace`: where a message is, and why: each step with its time.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use serde::Serialize;
use wechaty::{
    Clock,
    store::{Book, Find, Record},
};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_types::{ContactId, ConversationId, DeliveryStatus, Timestamp};

use super::{
    dead_letters, names, place, times, view,
    waits::{Wait, Waiting},
};
use crate::{args::TraceArgs, failure::Failure, output, told};

/// Most records of one way.
const MOST: usize = 1_000;

/// Looks into the bot's file.
type Look<'a> = dyn Fn(&Find, usize) -> Result<Vec<Record>, Failure> + 'a;

pub(crate) fn run(args: TraceArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    let view = view(&place)?;
    let (find, asked) = match (args.id, args.words, args.with) {
        (Some(id), ..) => (Find::Id(id.clone()), id),
        (_, Some(words), _) => (Find::Words(words.clone()), words),
        (.., with) => (Find::Last(with.clone()), with.unwrap_or_default()),
    };
    // One moment for all that is looked for: what is not over is read once.
    let moment = view.look().map_err(|error| super::failure(&error))?;
    let look = |find: &Find, most| moment.find(find, most).map_err(|error| super::failure(&error));
    let mut found = chosen(&look, &find, args.limit.into())?;
    if let (true, Find::Last(Some(name))) = (found.is_empty(), &find) {
        let name = names::meant(&moment, name, &place.name)?;
        found = chosen(&look, &Find::Last(Some(name)), args.limit.into())?;
    }
    if found.is_empty() {
        return Err(Failure::usage("W186").set("id", asked).set("name", &*place.name));
    }
    for shown in found.iter_mut().filter(|shown| shown.record.book == Book::Out) {
        shown.detail = dead_letters::detail(&view, shown.record.seq)?;
    }
    if found.iter().any(Shown::is_unsent) {
        let rows = moment.unsent().map_err(|error| super::failure(&error))?;
        let waiting = Waiting::new(rows, Clock::system().wall(), &place);
        for shown in found.iter_mut().filter(|shown| shown.is_unsent()) {
            shown.waits = waiting.of(shown.record.seq);
        }
    }
    if args.json {
        return output::json(&found);
    }
    let (key, zone) = match times::named(&place) {
        Some(zone) => ("trace-zone", zone),
        None => ("trace-zone-here", times::here()),
    };
    let mut blocks: Vec<_> = found.iter().map(|shown| block(shown, &zone, lang)).collect();
    // The offset stands at each time.
    blocks.push(text(lang, key, &Args::new().set("zone", times::zone_name(&zone))));
    output::print(&(blocks.join("\n\n") + "\n"))
}

/// What is shown of what there is.
fn chosen(look: &Look<'_>, find: &Find, limit: usize) -> Result<Vec<Shown>, Failure> {
    let found = match find {
        Find::Id(_) => {
            let found = look(find, MOST)?;
            let count = found.len();
            let rest = without_statuses(found);
            // A message brings its way, if it is the only one; what was told of it is no other.
            if rest.len() == 1 && count > 1 { with_their_ways(look, rest)? } else { rest }
        }
        // A message by itself says little: what it led to comes with it.
        _ => with_their_ways(look, latest(look, find, limit)?)?,
    };
    found.into_iter().map(|record| Shown::new(look, record)).collect()
}

/// The latest messages. What was told of them later is none: else a talk of two would show the last thing said, three times.
fn latest(look: &Look<'_>, find: &Find, limit: usize) -> Result<Vec<Record>, Failure> {
    let mut reach = limit;
    loop {
        let found = look(find, reach)?;
        let is_all = found.len() < reach;
        let (statuses, mut messages): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| status(it).is_some());
        if is_all || messages.len() >= limit {
            if messages.is_empty() {
                messages = statuses;
            }
            messages.truncate(limit);
            return Ok(messages);
        }
        reach = reach.saturating_mul(4);
    }
}

/// Without what is shown with a send among them. What was itself a reason to say something stays.
fn without_statuses(mut found: Vec<Record>) -> Vec<Record> {
    let of = |record: &Record| Some((record.account.clone(), record.id.clone()?));
    let sends: HashSet<_> = found.iter().filter(|record| record.book == Book::Out).filter_map(of).collect();
    let causes: HashSet<_> = found.iter().filter_map(|record| record.event).collect();
    found.retain(|record| {
        let is_shown = || of(record).is_some_and(|of| sends.contains(&of));
        status(record).is_none() || causes.contains(&record.seq) || !is_shown()
    });
    found
}

fn with_their_ways(look: &Look<'_>, found: Vec<Record>) -> Result<Vec<Record>, Failure> {
    let (mut all, mut had): (Vec<Record>, _) = (Vec::new(), HashSet::new());
    for record in found {
        if had.contains(&(record.book, record.seq)) {
            continue;
        }
        let event = if record.book == Book::In { Some(record.seq) } else { record.event };
        let way = match event {
            Some(event) => look(&Find::Id(format!("e{event}")), MOST)?,
            None => Vec::new(),
        };
        let way = if way.is_empty() { vec![record] } else { way };
        all.extend(way.into_iter().filter(|one| had.insert((one.book, one.seq))));
    }
    Ok(all)
}

/// How far a send is, if this tells of one.
fn status(record: &Record) -> Option<DeliveryStatus> {
    match &*record.kind {
        "message-delivered" => Some(DeliveryStatus::Delivered),
        "message-read" => Some(DeliveryStatus::Read),
        _ => None,
    }
}

/// A message as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    record: Record,
    /// What the platform told of it later, in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<Told>,
    /// What a send waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<Wait>,
    /// What was said about a send that has failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
struct Told {
    status: DeliveryStatus,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<ContactId>,
    /// The event's number.
    event: u64,
}

impl Shown {
    fn new(look: &Look<'_>, record: Record) -> Result<Self, Failure> {
        let told = match &record.id {
            Some(id) if record.book == Book::Out => look(&Find::Id(id.clone()), MOST)?,
            _ => Vec::new(),
        };
        let told = told.into_iter().filter(|it| (&it.account, &it.id) == (&record.account, &record.id));
        let told =
            told.filter_map(|it| Some(Told { status: status(&it)?, at: it.began, by: it.person, event: it.seq }));
        let mut statuses: Vec<_> = told.collect();
        statuses.sort_by_key(|told| (told.at, told.event));
        Ok(Self { record, statuses, waits: None, detail: None })
    }

    /// Whether it is a send that is not over.
    fn is_unsent(&self) -> bool {
        self.record.book == Book::Out && self.record.ended.is_none() && self.record.end == "pending"
    }

    /// When it first was that far, and where it is not plain, who was.
    fn first(&self, status: DeliveryStatus, zone: &TimeZone, lang: Lang) -> Option<String> {
        let told = self.statuses.iter().find(|told| told.status == status)?;
        let at = times::exact(told.at, zone);
        match (&told.by, &self.record.conversation) {
            (Some(by), Some(ConversationId::Room(_))) => {
                Some(text(lang, "trace-told-by", &Args::new().set("time", at).set("person", by.to_string())))
            }
            _ => Some(at),
        }
    }
}

/// One message, as people read it.
fn block(shown: &Shown, zone: &TimeZone, lang: Lang) -> String {
    let record = &shown.record;
    let is_in = record.book == Book::In;
    let who = record.person.as_ref().map(ToString::to_string);
    let place = record.conversation.as_ref().map(ToString::to_string);
    let args = Args::new()
        .set("kind", if is_in { told::event(lang, &record.kind) } else { told::sayable(lang, &record.kind) })
        .set("account", record.account.to_string());
    let title = match (record.name.clone().or(place).or(who), is_in) {
        (Some(conversation), true) => text(lang, "trace-in", &args.set("conversation", conversation)),
        (Some(conversation), false) => text(lang, "trace-out", &args.set("conversation", conversation)),
        (None, _) => text(lang, "trace-in-account", &args),
    };
    let mut lines = vec![title];
    let time = |at| times::exact(at, zone);
    let mut line = |key: &str, value: &str| {
        lines.push(format!("  {}", text(lang, key, &Args::new().set("value", value.to_owned()))));
    };
    if let (Some(_), Some(person)) = (&record.name, &record.person) {
        line("trace-person", person.as_str());
    }
    if let Some(words) = &record.text {
        line("trace-text", &shortened(words));
    }
    if let Some(id) = &record.id {
        line("trace-id", id);
    }
    match is_in {
        true => line("trace-event", &format!("e{}", record.seq)),
        false => line("trace-receipt", &format!("{:032x}", u128::from_be_bytes(record.key))),
    }
    if let (false, Some(event)) = (is_in, record.event) {
        line("trace-cause", &format!("e{event}"));
    }
    line(if is_in { "trace-received" } else { "trace-said" }, &time(record.began));
    for (key, at) in [("trace-committed", record.hops.committed), ("trace-acked", record.hops.acked)] {
        if let Some(at) = at {
            line(key, &time(at));
        }
    }
    if let Some(tried) = record.tried {
        line("trace-tried", &time(tried));
    }
    if !record.by.is_empty() {
        line("trace-by", &record.by.join(", "));
    }
    if record.attempts > u32::from(!is_in) {
        line("trace-attempts", &record.attempts.to_string());
    }
    let end = told::end(lang, &record.end);
    line("trace-end", &record.ended.map_or_else(|| end.clone(), |ended| format!("{end} {}", time(ended))));
    if let Some(detail) = &shown.detail {
        line("trace-why", &output::visible(detail));
    }
    if let Some(wait) = &shown.waits {
        line("trace-waits", &wait.told(zone, lang));
    }
    for (key, status) in [("trace-delivered", DeliveryStatus::Delivered), ("trace-read", DeliveryStatus::Read)] {
        if let Some(first) = shown.first(status, zone, lang) {
            line(key, &first);
        }
    }
    lines.join("\n")
}

/// The beginning of a text, on one line.
fn shortened(words: &str) -> String {
    const MOST: usize = 120;
    let line: String = words.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < words.len() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seq: u64, id: &str, event: u64) -> Record {
        Record {
            book: Book::Out,
            seq,
            account: "shop".into(),
            kind: "Text".into(),
            id: Some(id.to_owned()),
            key: u128::from(seq).to_be_bytes(),
            conversation: Some(ConversationId::Room("team".into())),
            name: None,
            person: None,
            event: Some(event),
            by: Vec::new(),
            began: Timestamp::from_millis(seq as i64 * 1_000),
            hops: Default::default(),
            tried: None,
            ended: None,
            end: "sent".into(),
            attempts: 1,
            text: None,
        }
    }

    fn heard(seq: u64, kind: &'static str, id: &str) -> Record {
        let person = Some("alice".into());
        Record { book: Book::In, seq, kind: kind.into(), person, event: None, ..said(seq, id, 0) }
    }

    /// As the store finds them.
    fn look(all: &[Record], find: &Find, most: usize) -> Vec<Record> {
        let way = |number: u64| {
            let is_it = move |it: &&Record| it.book == Book::In && it.seq == number || it.event == Some(number);
            all.iter().filter(is_it).cloned().collect()
        };
        let mut found: Vec<_> = match find {
            Find::Id(id) => match id.strip_prefix('e').and_then(|number| number.parse().ok()) {
                Some(number) => return way(number),
                None => all.iter().rev().filter(|it| it.id.as_ref().is_some_and(|it| it.starts_with(id))).collect(),
            },
            _ => all.iter().rev().collect(),
        };
        found.truncate(most);
        match &found[..] {
            [only] if matches!(find, Find::Id(_)) => way(only.event.unwrap_or(only.seq)),
            _ => found.into_iter().cloned().collect(),
        }
    }

    #[test]
    fn what_was_told_of_a_send_is_a_step_of_it() {
        let mut all =
            vec![heard(1, "message", "in1"), said(1, "out1", 1), heard(2, "message", "in2"), said(2, "out2", 2)];
        all.extend([3, 4].map(|seq| heard(seq, "message-delivered", "out2")));
        all.extend((5..40).map(|seq| heard(seq, "message-read", if seq == 39 { "out1" } else { "out2" })));
        // A bot that says something about it.
        all.push(said(40, "out3", 39));
        let shown = |all: &[Record], find: Find, limit| {
            let found = chosen(&|find, most| Ok(look(all, find, most)), &find, limit).expect("found");
            let ids = found.iter().map(|one| format!("{} {}", one.record.kind, one.record.id.as_deref().unwrap_or("")));
            (ids.collect::<Vec<_>>(), found)
        };
        let last = |limit| shown(&all[..all.len() - 1], Find::Last(None), limit);
        let (ids, found) = last(2);
        assert_eq!(ids, ["message in2", "Text out2"]);
        assert_eq!((found[0].statuses.len(), found[1].statuses.len()), (0, 36));
        assert_eq!(last(4).0, ["message in2", "Text out2", "message in1", "Text out1"]);
        assert_eq!(last(0).0, [] as [&str; 0]);
        let told =
            |lang| block(&found[1], &TimeZone::UTC, lang).lines().rev().take(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            told(Lang::En),
            [
                "  read:      1970-01-01 00:00:05.000 +00:00, alice first",
                "  delivered: 1970-01-01 00:00:03.000 +00:00, alice first",
            ]
        );
        assert_eq!(
            told(Lang::Zh),
            [
                "  已读时间：1970-01-01 00:00:05.000 +00:00，最先是 alice",
                "  送达时间：1970-01-01 00:00:03.000 +00:00，最先是 alice",
            ]
        );
        let json = serde_json::to_value(&found[1]).expect("JSON");
        assert_eq!(
            (&json["id"], &json["statuses"][0]),
            (
                &"out2".into(),
                &serde_json::json!({ "status": "delivered", "at": Timestamp::from_millis(3_000), "by": "alice", "event": 3 })
            )
        );
        // By the send's id its way comes with it; by its own number a status is found; and as the reason of something.
        let id = |id: &str| shown(&all, Find::Id(id.into()), 1).0;
        assert_eq!(id("out2"), ["message in2", "Text out2"]);
        assert_eq!(id("e3"), ["message-delivered out2"]);
        assert_eq!(id("e39"), ["message-read out1", "Text out3"]);
        assert_eq!(shown(&all, Find::Last(None), 1).0, ["message-read out1", "Text out3"]);
        // Where nothing else is known.
        let (ids, found) = shown(&all[4..6], Find::Last(None), 5);
        assert_eq!((ids.len(), found[0].statuses.len()), (2, 0));
    }
}
