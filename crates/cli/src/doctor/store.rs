//! How it stands with the store of the bot that is here. It is only read, beside the bot if that runs.

use std::path::Path;

use serde_json::json;
use wechaty::store::{OpenError, SqliteView};
use wechaty_catalogue::{Args, Lang};

use super::{Check, Found};
use crate::{control::Place, failure::Failure, limits};

/// Less room than this is worth knowing.
const LITTLE: u64 = 256 << 20;
/// And so is a file that is so full, in percent.
const NEARLY_FULL: u64 = 90;
const MIB: u64 = 1 << 20;

pub(super) fn check(place: Result<Place, Failure>, lang: Lang) -> Vec<Check> {
    // Without a name nothing is kept, and what is wrong with BOT.toml is told already.
    let Ok(place) = place else { return vec![Check::ok("store", Found::Text("doctor-store-nameless", Args::new()))] };
    let file = place.file();
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut checks = vec![room(folder)];
    if std::fs::symlink_metadata(&file).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let args = Args::new().set("path", file.display().to_string());
        checks.insert(0, Check::ok("store", Found::Text("doctor-store-none", args)));
        return checks;
    }
    let view = match SqliteView::open_older(&file) {
        Ok(view) => view,
        Err(error) => {
            let failure = crate::store::failure(&error);
            let found = Found::Plain(failure.message(lang));
            checks.insert(0, Check::fail("store", found, failure.code()));
            return checks;
        }
    };
    // What is in the log beside it is its, too.
    let size = ["", "-wal"].into_iter().filter_map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        Some(std::fs::metadata(name).ok()?.len())
    });
    let size: u64 = size.sum();
    checks.splice(
        0..0,
        [self::file(&file, size, view.version()), usage(&view, place.most_mib, lang), writable(&file, folder)],
    );
    checks.push(pending(&view, lang));
    checks
}

fn file(path: &Path, size: u64, version: u32) -> Check {
    let args =
        Args::new().set("path", path.display().to_string()).set("size", mib(size)).number("version", version.into());
    let newest = wechaty::store::SCHEMA_VERSION;
    let key = if version == newest { "doctor-store-found" } else { "doctor-store-older" };
    let found = Found::Text(key, args.number("newest", newest.into()));
    let values = json!({ "path": path, "bytes": size, "schema_version": version });
    Check::ok("store", found).values(values)
}

/// Its log and the free places in it are no part of what it may be.
fn usage(view: &SqliteView, most_mib: Option<u64>, lang: Lang) -> Check {
    const ID: &str = "store-most";
    let Some(most) = most_mib else { return Check::ok(ID, Found::Text("doctor-store-unbounded", Args::new())) };
    let size = match view.used() {
        Ok(size) => size,
        Err(error) => return unread(ID, &error, lang),
    };
    let percent = size.saturating_mul(100) / most.saturating_mul(MIB).max(1);
    let found = Args::new().set("size", mib(size)).number("most", most).number("percent", percent);
    let found = Found::Text("doctor-store-usage", found);
    let check = if percent >= NEARLY_FULL { Check::warn(ID, found, "W192") } else { Check::ok(ID, found) };
    check.values(json!({ "most_mib": most, "percent": percent, "used_bytes": size }))
}

fn room(folder: &Path) -> Check {
    const ID: &str = "store-room";
    let args = Args::new().set("path", folder.display().to_string());
    let Some(free) = limits::room(folder) else { return Check::ok(ID, Found::Text("doctor-room-unknown", args)) };
    let found = Found::Text("doctor-room-found", args.set("free", mib(free)));
    let check = if free < LITTLE { Check::warn(ID, found, "W192") } else { Check::ok(ID, found) };
    check.values(json!({ "free_bytes": free }))
}

/// The log is made beside the file: the folder counts as well.
fn writable(file: &Path, folder: &Path) -> Check {
    const ID: &str = "store-writable";
    let refused = [file, folder].into_iter().find(|path| !limits::may_write(path));
    let check = match refused {
        None => Check::ok(ID, Found::Text("doctor-writable", Args::new())),
        Some(path) => {
            let args = Args::new().set("path", path.display().to_string());
            Check::fail(ID, Found::Text("doctor-store-read-only", args), "W193")
        }
    };
    check.values(json!({ "writable": refused.is_none() }))
}

fn pending(view: &SqliteView, lang: Lang) -> Check {
    const ID: &str = "store-pending";
    let read = view.books().and_then(|books| Ok((books.total, view.count_dead_letters()?)));
    match read {
        Ok((books, dead)) => {
            let (events, sends) = (books.inbound.pending, books.outbound.pending);
            let args = Args::new().set("events", events.to_string()).set("sends", sends.to_string());
            let found = Found::Text("doctor-store-pending-found", args.set("dead", dead.to_string()));
            Check::ok(ID, found).values(json!({ "events": events, "sends": sends, "dead_letters": dead }))
        }
        Err(error) => unread(ID, &error, lang),
    }
}

fn unread(id: &'static str, error: &OpenError, lang: Lang) -> Check {
    let failure = crate::store::failure(error);
    Check::fail(id, Found::Plain(failure.message(lang)), failure.code())
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MIB as f64)
}

#[cfg(test)]
mod tests {
    use wechaty::store::{SqliteStore, Store};

    use super::{super::State, *};

    fn found(checks: &[Check], id: &str, lang: Lang) -> (State, String) {
        let check = checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id}"));
        (check.state, check.found(lang))
    }

    #[test]
    fn the_store_is_told_with_its_size_and_what_waits_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut place = Place::within(folder.path(), "shop");
        let checks = check(Ok(place.clone()), Lang::En);
        assert!(found(&checks, "store", Lang::En).1.contains("shop.wechaty.db"), "none is no fault");
        assert_eq!(checks.len(), 2);
        drop(SqliteStore::open(place.file()).expect("opens"));
        let before = std::fs::read(place.file()).expect("a file");
        place.most_mib = Some(1_000);
        let checks = check(Ok(place.clone()), Lang::En);
        for lang in Lang::ALL {
            let told = |id| found(&checks, id, lang);
            assert!(told("store").1.contains(" MiB") && told("store-room").1.contains(" MiB"));
            assert!(
                told("store-most").1.contains("1000 MiB") || told("store-most").1.contains("1,000 MiB"),
                "{:?}",
                told("store-most")
            );
            assert!(told("store-pending").1.contains('0') && told("store-writable").0 == State::Ok);
            assert!(checks.iter().all(|check| !check.found(lang).contains("doctor-") && check.values.is_some()));
        }
        assert_eq!(before, std::fs::read(place.file()).expect("a file"), "it is only read");
        place.most_mib = Some(0);
        let checks = check(Ok(place.clone()), Lang::En);
        assert_eq!(found(&checks, "store-most", Lang::En).0, State::Warn);
        std::fs::write(place.file(), "no store at all").expect("written");
        let checks = check(Ok(place), Lang::Zh);
        assert_eq!((checks[0].state, checks[0].code), (State::Fail, Some("W183")));
    }

    #[tokio::test]
    async fn a_file_that_is_mostly_free_places_is_not_nearly_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut place = Place::within(folder.path(), "shop");
        place.most_mib = Some(4);
        let store = SqliteStore::open(place.file()).expect("opens");
        let large = vec![7; 4 * MIB as usize].into();
        let version = store.put("state", "large", Some(0), Some(large)).await.expect("written");
        store.flush().await.expect("written");
        let told = || {
            let checks = check(Ok(place.clone()), Lang::En);
            let usage = checks.iter().find(|check| check.id == "store-most").expect("told");
            (usage.state, usage.values.as_ref().and_then(|values| values["percent"].as_u64()).expect("a number"))
        };
        assert!(told().0 == State::Warn && told().1 >= 100, "{:?}", told());
        store.put("state", "large", Some(version), None).await.expect("written");
        store.flush().await.expect("written");
        assert!(std::fs::metadata(place.file()).expect("a file").len() > 4 * MIB);
        assert!(told().0 == State::Ok && told().1 < 10, "{:?}", told());
    }

    #[test]
    fn a_bot_without_a_name_has_none() {
        let checks = check(Err(Failure::usage("W178")), Lang::En);
        assert_eq!(checks.iter().map(|check| check.state).collect::<Vec<_>>(), [State::Ok]);
    }
}
