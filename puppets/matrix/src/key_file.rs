//! KEY BACKUP, the recovery key of one that the bot has made: a file beside the keys that it locks, one for each account.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use wechaty_puppet::Secret;

/// The file, and beside it two that are there while a backup is made.
#[derive(Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    /// The key of the secrets that are made, before they are.
    next: PathBuf,
    /// What stands for the key of a backup among the secrets, before that of a new one is put there.
    unsaved: PathBuf,
}

/// A user id as part of a file's name: each its own.
fn named(user: &str) -> String {
    let mut name = String::new();
    for byte in user.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'@' | b'.' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn open(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was written to its end.
fn whole(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.strip_suffix('\n')?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl KeyFile {
    /// That of an account.
    pub(crate) fn of(store: &Path, user: &str) -> Self {
        let path = store.join(format!("recovery-key-{}", named(user)));
        Self { next: beside(&path, ".new"), unsaved: beside(&path, ".unsaved"), path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn key(&self) -> Option<Secret> {
        fs::read_to_string(&self.path).ok().filter(|key| !key.trim().is_empty()).map(|key| Secret::new(key.trim()))
    }

    /// Secrets will be made that this key opens: it is written down before there is anything to lose. That it can be, is known
    /// then, too.
    pub(crate) fn begin(&self, key: &str) -> io::Result<()> {
        self.write(&self.next, key)
    }

    /// The key of secrets that were to be made, and of which nobody knows whether they are there.
    pub(crate) fn begun(&self) -> Option<Secret> {
        whole(&self.next).map(|key| Secret::new(&key))
    }

    /// They are not there.
    pub(crate) fn forget(&self) -> io::Result<()> {
        remove(&self.next)
    }

    /// They are there. A key that was kept before stays beside this one, under another name.
    pub(crate) fn keep(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|found| found.len() > 0) {
            let free = (1..).map(|n: u32| beside(&self.path, &format!(".{n}"))).find(|path| !path.exists());
            free.map_or(Ok(()), |free| fs::rename(&self.path, free))?;
        }
        fs::rename(&self.next, &self.path)?;
        self.durable()
    }

    /// A backup will be made whose key must come among the secrets; what stands there for the key of one.
    pub(crate) fn mark_unsaved(&self, before: &str) -> io::Result<()> {
        self.write(&self.unsaved, before)
    }

    /// What stood there when that was begun, if it was not finished.
    pub(crate) fn unsaved(&self) -> Option<String> {
        whole(&self.unsaved)
    }

    /// It is there.
    pub(crate) fn saved(&self) -> io::Result<()> {
        remove(&self.unsaved)
    }

    fn write(&self, path: &Path, words: &str) -> io::Result<()> {
        let mut file = open(path)?;
        file.set_len(0)?;
        file.write_all(format!("{words}\n").as_bytes())?;
        file.sync_all()?;
        self.durable()
    }

    /// Names outlive a loss of power, too.
    fn durable(&self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| error.to_string())
    }

    fn key(file: &KeyFile) -> Option<String> {
        file.key().map(|key| key.tell().to_owned())
    }

    fn begun(file: &KeyFile) -> Option<String> {
        file.begun().map(|key| key.tell().to_owned())
    }

    #[test]
    fn a_key_is_written_down_before_it_opens_anything_and_none_is_lost_for_it() {
        let store = tempfile::tempdir().expect("a folder");
        let file = KeyFile::of(store.path(), "@bot:example.org");
        assert!(file.path().ends_with("recovery-key-@bot%3Aexample.org"), "{file:?}");
        assert_eq!((key(&file), begun(&file)), (None, None));
        file.begin("one").expect("written");
        assert_eq!((key(&file), begun(&file).as_deref()), (None, Some("one")));
        file.keep().expect("kept");
        assert_eq!((key(&file).as_deref(), begun(&file)), (Some("one"), None));
        for (new, aside) in [("two", "one"), ("three", "two")] {
            file.begin(new).expect("written");
            assert!(key(&file).is_some_and(|key| key == aside), "nothing is lost before another is there");
            file.keep().expect("kept");
            assert_eq!(key(&file).as_deref(), Some(new));
        }
        assert_eq!(
            (told(&beside(file.path(), ".1")), told(&beside(file.path(), ".2"))),
            ("one\n".into(), "two\n".into())
        );
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file.path()).expect("a file").permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_was_written_in_part_is_not_there() {
        let store = tempfile::tempdir().expect("a folder");
        let file = KeyFile::of(store.path(), "@bot:example.org");
        fs::write(&file.next, "half of a k").expect("written");
        fs::write(&file.unsaved, "half of a m").expect("written");
        assert_eq!((begun(&file), file.unsaved()), (None, None));
        file.begin("k").expect("written");
        file.mark_unsaved("m").expect("written");
        assert_eq!(
            (begun(&file).as_deref(), file.unsaved().as_deref()),
            (Some("k"), Some("m")),
            "all of it is written"
        );
        for _ in 0..2 {
            file.forget().expect("forgotten");
            file.saved().expect("forgotten");
        }
        assert_eq!((key(&file), begun(&file), file.unsaved()), (None, None, None));
    }

    #[test]
    fn accounts_have_files_of_their_own() {
        let names = ["@a/b:c", "@a=b:c", "@a_b:c", "@a%2Fb:c", "@../b:c"].map(named);
        for (place, name) in names.iter().enumerate() {
            assert!(!name.contains(['/', ':']), "{name}");
            assert!(!names[..place].contains(name), "{name}");
        }
    }

    #[test]
    fn where_nothing_can_be_written_it_is_known_at_once() {
        let store = tempfile::tempdir().expect("a folder");
        let file = KeyFile::of(&store.path().join("gone"), "@bot:example.org");
        assert!(file.begin("k").is_err());
    }
}
