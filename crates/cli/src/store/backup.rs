//! `wechaty backup` and `restore`: the whole store as one file of one moment, and back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wechaty::store::{OpenError, SqliteStore, SqliteView};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_types::AccountId;

use super::{failure, place};
use crate::{
    args::{BackupArgs, RestoreArgs},
    failure::Failure,
    output,
};

/// Beside the bot or without it.
pub(crate) fn backup(args: BackupArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    if args.file.exists() {
        return Err(Failure::usage("W188").set("path", args.file.display().to_string()));
    }
    super::there(&place)?;
    not_empty(&place.file())?;
    let view = SqliteView::open_older(place.file()).map_err(|error| failure(&error))?;
    view.backup(&args.file).map_err(|error| match error {
        // It is read page by page; what is wrong with a page is found below.
        OpenError::Corrupt { source, .. } => failure(&OpenError::Corrupt { path: place.file(), source }),
        error if error.is_about(&args.file) => failure(&error).tell("backup-unmade", Args::new()),
        error => failure(&error).tell("backup-unread", Args::new()),
    })?;
    drop(view);
    // The copy has what the store has, also its damage; and that must not come out when the copy is needed.
    let copy = SqliteView::open_older(&args.file).and_then(|copy| copy.check());
    copy.map_err(|error| unsound(&error, &args.file).tell("backup-made-unsound", Args::new()))?;
    let size = fs::metadata(&args.file).map_or(0, |file| file.len());
    let told = Args::new().set("path", args.file.display().to_string()).set("size", format!("{:.1}", mib(size)));
    output::print(&(text(lang, "backup-made", &told) + "\n"))
}

/// Only while the bot does not run.
pub(crate) fn restore(args: RestoreArgs, lang: Lang) -> Result<(), Failure> {
    let place = place(&args.which, lang)?;
    let file = place.file();
    if !args.file.is_file() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Failure::usage("W142").set("path", args.file.display().to_string()).source(&missing));
    }
    not_empty(&args.file)?;
    // What is no store, or damaged, replaces nothing.
    let look = |view: SqliteView| Ok((view.check()?, Whose::of(&view)?));
    let looked = SqliteView::open_older(&args.file).and_then(look);
    let (found, whose) = looked.map_err(|error| unsound(&error, &args.file))?;
    // What cannot be read says nothing of whose it is.
    let here = SqliteView::open_older(&file).and_then(|view| Whose::of(&view)).unwrap_or_default();
    let strange = whose.strange(&here, &place.accounts);
    if let (true, false, Some(strange)) = (file.exists(), args.yes, &strange) {
        let failure = Failure::usage("W207").set("path", args.file.display().to_string()).set("name", &*place.name);
        return Err(strange.iter().fold(failure, |failure, (key, args)| failure.tell(key, args.clone())));
    }
    if file.exists() && !args.force {
        return Err(Failure::usage("W189").set("path", file.display().to_string()));
    }
    let before = kept(&file);
    SqliteStore::replace(&file, &args.file).map_err(|error| failure(&error))?;
    let told = Args::new().set("path", file.display().to_string()).set("events", found.inbound.received.to_string());
    // Whose it is shows whether it is the right one.
    let accounts = whose.accounts.iter().map(|account| format!("`{account}`")).collect::<Vec<_>>();
    let told = told.set("accounts", accounts.join(&text(lang, "comma", &Args::new())));
    for (key, args) in strange.into_iter().flatten() {
        output::tell(&text(lang, key, &args));
    }
    let mut lines = vec![text(lang, "backup-restored", &told)];
    if found.outbound.pending > 0 {
        lines.push(text(lang, "backup-unsent", &Args::new().number("count", found.outbound.pending)));
    }
    if let Some(new) = kept(&file).into_iter().find(|one| !before.contains(one)) {
        lines.push(text(lang, "backup-kept", &Args::new().set("path", new.display().to_string())));
    }
    output::print(&(lines.join("\n") + "\n"))
}

/// Whose store it is.
#[derive(Debug, Default)]
struct Whose {
    accounts: Vec<AccountId>,
    /// Who was logged in last in which.
    identities: Vec<(AccountId, String)>,
}

impl Whose {
    fn of(view: &SqliteView) -> Result<Self, OpenError> {
        Ok(Self { accounts: view.accounts()?, identities: view.identities()? })
    }

    /// What speaks for another bot than this one, in lines of the catalogue. `configured`: its accounts, if it says them.
    fn strange(&self, here: &Self, configured: &[String]) -> Option<Vec<(&'static str, Args)>> {
        let list = |all: &[&str]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        let known: Vec<&str> =
            configured.iter().map(String::as_str).chain(here.accounts.iter().map(AccountId::as_str)).collect();
        let strangers: Vec<&str> =
            self.accounts.iter().map(AccountId::as_str).filter(|account| !known.contains(account)).collect();
        let mut told = Vec::new();
        if !strangers.is_empty() && !known.is_empty() {
            let mut known = known.clone();
            known.sort_unstable();
            known.dedup();
            told.push(("backup-strangers", Args::new().set("accounts", list(&strangers)).set("known", list(&known))));
        }
        for (account, who) in &self.identities {
            if let Some((_, here)) = here.identities.iter().find(|(same, here)| same == account && here != who) {
                let args = Args::new().set("account", account.to_string()).set("there", &**who).set("here", &**here);
                told.push(("backup-identity", args));
            }
        }
        (!told.is_empty()).then_some(told)
    }
}

/// The stores that earlier restores have put aside, beside the one there is.
pub(super) fn kept(file: &Path) -> Vec<PathBuf> {
    let Some((folder, name)) = file.parent().zip(file.file_name()) else { return Vec::new() };
    let first = format!("{}.before", name.to_string_lossy());
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let end = name.strip_prefix(&first).map(|end| end.strip_prefix('-').unwrap_or(end));
        end.is_some_and(|end| end.chars().all(|c| c.is_ascii_digit()))
    };
    let mut all: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_kept).collect();
    all.sort_unstable();
    all
}

fn not_empty(file: &Path) -> Result<(), Failure> {
    let is_empty = fs::metadata(file).is_ok_and(|file| file.len() == 0);
    if is_empty { Err(Failure::failed("W199").set("path", file.display().to_string())) } else { Ok(()) }
}

/// What is wrong with a backup.
fn unsound(error: &OpenError, file: &Path) -> Failure {
    let code = Failure::failed("W198").set("path", file.display().to_string());
    match error {
        OpenError::Corrupt { source, .. } | OpenError::Sqlite { source, .. } => code.source(source),
        other => failure(other),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_restores_have_put_aside_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let names =
            ["a.db", "a.db-wal", "a.db.before", "a.db.before-2", "a.db.before-2-wal", "a.db.before.new", "b.db.before"];
        for name in names {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let found = kept(&folder.path().join("a.db"));
        assert_eq!(found, ["a.db.before", "a.db.before-2"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn a_backup_of_another_bot_is_known_by_its_accounts_and_who_was_logged_in() {
        let whose = |accounts: &[(&str, &str)]| Whose {
            accounts: accounts.iter().map(|(account, _)| (*account).into()).collect(),
            identities: accounts.iter().map(|(account, who)| ((*account).into(), (*who).to_owned())).collect(),
        };
        let strange = |backup: &Whose, here: &Whose, configured: &[&str]| {
            let configured: Vec<_> = configured.iter().map(|id| (*id).to_owned()).collect();
            let told = backup.strange(here, &configured).unwrap_or_default();
            told.iter().map(|(key, args)| text(Lang::En, key, args)).collect::<Vec<_>>().join("\n")
        };
        let shop = whose(&[("shop", "wx-1"), ("help", "wx-2")]);
        assert_eq!(strange(&shop, &shop, &["shop"]), "");
        // Here nothing is known of what it could be.
        assert_eq!(strange(&shop, &Whose::default(), &[]), "");
        assert_eq!(strange(&shop, &Whose::default(), &["help", "shop", "new"]), "");
        let told = strange(&shop, &whose(&[("help", "wx-2")]), &["school"]);
        assert!(told.contains("`shop`") && told.contains("`help`, `school`") && !told.contains("wx-"), "{told}");
        let told = strange(&shop, &whose(&[("shop", "wx-9"), ("help", "wx-2")]), &[]);
        assert!(told.contains("`shop`") && told.contains("wx-1") && told.contains("wx-9"), "{told}");
    }
}
