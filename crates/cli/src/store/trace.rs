//! `wechaty trace`: where a message is, and why: each step with its time.

use std::collections::HashSet;

use jiff::{
    Timestamp as Instant,
    tz::{TimeZone, TimeZoneDatabase},
};
use wechaty::store::{Book, Find, Record};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_types::Timestamp;

use super::{place, view};
use crate::{args::TraceArgs, failure::Failure, output, told};

pub(crate) fn run(args: TraceArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    let view = view(&place)?;
    let (find, asked) = match (args.id, args.words, args.with) {
        (Some(id), ..) => (Find::Id(id.clone()), id),
        (_, Some(words), _) => (Find::Words(words.clone()), words),
        (.., with) => (Find::Last(with.clone()), with.unwrap_or_default()),
    };
    let most = if matches!(find, Find::Id(_)) { 1_000 } else { usize::from(args.limit) };
    let found = view.find(&find, most).map_err(|error| super::failure(&error))?;
    if found.is_empty() {
        return Err(Failure::usage("W186").set("id", asked).set("name", &*place.name));
    }
    let found = match &find {
        // A message by itself says little: what it led to comes with it.
        Find::Last(_) | Find::Words(_) => with_their_ways(&view, found)?,
        _ => found,
    };
    if args.json {
        return output::json(&found);
    }
    let zone = place.zone.as_deref().and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    let (key, zone) = match zone {
        Some(zone) => ("trace-zone", zone),
        None => ("trace-zone-here", TimeZone::system()),
    };
    let mut blocks: Vec<_> = found.iter().map(|record| block(record, &zone, lang)).collect();
    // The offset stands at each time.
    blocks.push(text(lang, key, &Args::new().set("zone", zone.iana_name().unwrap_or("UTC").to_owned())));
    output::print(&(blocks.join("\n\n") + "\n"))
}

fn with_their_ways(view: &wechaty::store::SqliteView, found: Vec<Record>) -> Result<Vec<Record>, Failure> {
    let (mut all, mut had) = (Vec::new(), HashSet::new());
    for record in found {
        if had.contains(&(record.book, record.seq)) {
            continue;
        }
        let event = if record.book == Book::In { Some(record.seq) } else { record.event };
        let way = match event {
            Some(event) => view.find(&Find::Id(format!("e{event}")), 1_000).map_err(|error| super::failure(&error))?,
            None => Vec::new(),
        };
        let way = if way.is_empty() { vec![record] } else { way };
        all.extend(way.into_iter().filter(|one| had.insert((one.book, one.seq))));
    }
    Ok(all)
}

/// One message, as people read it.
fn block(record: &Record, zone: &TimeZone, lang: Lang) -> String {
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
    let time = |at| time(at, zone);
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
    lines.join("\n")
}

/// A time in a zone, to the millisecond.
fn time(at: Timestamp, zone: &TimeZone) -> String {
    match Instant::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f %:z").to_string(),
        Err(_) => at.as_millis().to_string(),
    }
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

    #[test]
    fn a_time_is_that_of_the_bots_zone() {
        let zone = |name| TimeZoneDatabase::bundled().get(name).expect("a zone");
        let at = Timestamp::from_millis(1_795_911_610_631);
        assert_eq!(time(at, &zone("Asia/Shanghai")), "2026-11-29 08:20:10.631 +08:00");
        assert_eq!(time(at, &zone("America/New_York")), "2026-11-28 19:20:10.631 -05:00");
    }
}
