//! The checks, one function each. What the machine says is a parameter where a test wants to say something else.

use std::{
    fs,
    io::{ErrorKind, IsTerminal},
    net::{Ipv4Addr, TcpListener},
};

use wechaty::Clock;
use wechaty_catalogue::{Args, Lang};
use wechaty_config::{Config, Env};
use wechaty_puppet::Words;

use super::{Check, Found, config, environment, store};
use crate::{control::Place, limits, told::told};

/// The web chat's, and the gateway's.
const PORTS: [(&str, u16); 2] = [("port-8080", 8080), ("port-8788", 8788)];
/// 2026-01-01: this program is not older.
const EARLIEST: i64 = 1_767_225_600_000;
/// 2100-01-01.
const LATEST: i64 = 4_102_444_800_000;

/// Everything, in the order of the report.
pub(super) fn all(lang: Lang) -> Vec<Check> {
    let env = |name: &str| std::env::var(name).ok();
    let mut checks = vec![version(), platform(), compiler(), locale(env), terminal()];
    checks.extend(environment::check(std::env::vars_os()));
    checks.extend(PORTS.map(|(id, port)| self::port(id, port)));
    checks.push(folder(lang));
    checks.extend(config::check(std::path::Path::new(Config::FILE), &Env::system()));
    checks.extend(store::check(Place::find(None, None, lang), lang));
    checks.push(files(limits::files()));
    checks.push(clock(Clock::system().wall().as_millis()));
    checks.push(time_zone(env));
    checks
}

fn version() -> Check {
    Check::ok("version", Found::Plain(env!("CARGO_PKG_VERSION").to_owned()))
}

fn platform() -> Check {
    Check::ok("platform", Found::Plain(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)))
}

fn compiler() -> Check {
    Check::ok("compiler", Found::Plain(env!("WECHATY_BUILT_WITH").to_owned()))
}

fn locale(env: impl Fn(&str) -> Option<String>) -> Check {
    let lang = Lang::of_env(&env).as_str();
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, env(name).filter(|v| !v.is_empty())?)));
    let (name, value) = set.unwrap_or(("LANG", String::new()));
    let found =
        Found::Text("doctor-locale-found", Args::new().set("name", name).set("value", &*value).set("lang", lang));
    let plain = value.to_lowercase().replace('-', "");
    // Windows and macOS show UTF-8 whatever these variables say.
    if plain.contains("utf8") || !cfg!(target_os = "linux") {
        Check::ok("locale", found)
    } else {
        Check::warn("locale", found, "W155")
    }
}

fn terminal() -> Check {
    let key = match (std::io::stdin().is_terminal(), std::io::stdout().is_terminal()) {
        (true, true) => "doctor-terminal-both",
        (false, true) => "doctor-terminal-out",
        (true, false) => "doctor-terminal-in",
        (false, false) => "doctor-terminal-none",
    };
    Check::ok("terminal", Found::Text(key, Args::new()))
}

fn port(id: &'static str, port: u16) -> Check {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Check::ok(id, Found::Text("doctor-port-free", Args::new())),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Check::warn(id, Found::Text("doctor-port-taken", Args::new()), "W150")
        }
        Err(error) => Check::warn(id, Found::Words(Words::io(&error)), "W150"),
    }
}

fn folder(lang: Lang) -> Check {
    let folder = match std::env::current_dir() {
        Ok(folder) => folder,
        Err(error) => return Check::fail("folder", Found::Words(Words::io(&error)), "W151"),
    };
    let probe = folder.join(format!(".wechaty-doctor-{}", uuid::Uuid::new_v4()));
    let written = fs::OpenOptions::new().write(true).create_new(true).open(&probe);
    let shown = Args::new().set("path", folder.display().to_string());
    match written.and_then(|file| {
        drop(file);
        fs::remove_file(&probe)
    }) {
        Ok(()) => Check::ok("folder", Found::Text("doctor-folder-writable", shown)),
        Err(error) => {
            let found = Found::Text("doctor-folder-refused", shown.set("why", told(lang, &Words::io(&error))));
            Check::fail("folder", found, "W151")
        }
    }
}

/// A bot raises its limit to what the system gives.
fn files((now, most): (Option<u64>, Option<u64>)) -> Check {
    let word = |limit: Option<u64>| limit.map_or_else(|| "∞".to_owned(), |limit| limit.to_string());
    let found = Found::Text("doctor-files-found", Args::new().set("now", word(now)).set("most", word(most)));
    match most {
        Some(most) if most < limits::ENOUGH => Check::warn("files", found, "W156"),
        _ => Check::ok("files", found),
    }
}

fn clock(now: i64) -> Check {
    let found = Found::Text("doctor-clock-found", Args::new().set("seconds", (now / 1000).to_string()));
    if (EARLIEST..LATEST).contains(&now) { Check::ok("clock", found) } else { Check::fail("clock", found, "W154") }
}

fn time_zone(env: impl Fn(&str) -> Option<String>) -> Check {
    let file = || fs::read_to_string("/etc/timezone").ok().map(|zone| zone.trim().to_owned());
    let link = || {
        let target = fs::read_link("/etc/localtime").ok()?;
        Some(target.to_str()?.rsplit_once("zoneinfo/")?.1.to_owned())
    };
    let zone = env("TZ").filter(|zone| !zone.is_empty()).or_else(link).or_else(file);
    match zone.filter(|zone| !zone.is_empty()) {
        Some(zone) => Check::ok("zone", Found::Plain(zone)),
        None => Check::ok("zone", Found::Text("doctor-zone-unknown", Args::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn a_clock_that_was_never_set_is_a_failure() {
        assert_eq!(clock(0).state, State::Fail);
        assert_eq!(clock(i64::MAX).state, State::Fail);
        assert_eq!(clock(EARLIEST + 1).state, State::Ok);
    }

    #[test]
    fn few_open_files_are_told() {
        assert_eq!(files((Some(1024), Some(4096))).state, State::Warn);
        assert_eq!(files((Some(1024), Some(524_288))).state, State::Ok);
        assert_eq!(files((Some(256), None)).state, State::Ok);
    }

    #[test]
    fn a_taken_port_is_told() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let check = port("port-8080", taken.local_addr().expect("it is bound").port());
        assert_eq!((check.state, check.code), (State::Warn, Some("W150")));
    }

    #[test]
    fn a_locale_without_utf_8_is_told() {
        let with = |value: &'static str| locale(move |name| (name == "LANG").then(|| value.to_owned()));
        assert_eq!(with("zh_CN.UTF-8").state, State::Ok);
        if cfg!(target_os = "linux") {
            assert_eq!(with("C").state, State::Warn);
            assert_eq!(locale(|_| None).state, State::Warn);
        }
    }
}
