//! Folders for what a run needs on disk and nobody looks for after it; those of runs that were killed go with the next one.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Locked as long as its run lives.
const LOCK: &str = "lock";

/// A folder of this run.
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one for this purpose, and removes those of the same purpose whose runs are no more.
    pub(crate) fn new(purpose: &str) -> io::Result<Self> {
        Self::within(&std::env::temp_dir(), &format!("wechaty-{purpose}-"))
    }

    fn within(all: &Path, prefix: &str) -> io::Result<Self> {
        for left in left_behind(all, prefix) {
            // Somebody else's, perhaps: then it stays.
            let _ = std::fs::remove_dir_all(left);
        }
        // It gets the name by which others find it when it is locked.
        let made = tempfile::Builder::new().prefix(&format!(".{prefix}")).tempdir_in(all)?;
        let lock = File::create(made.path().join(LOCK))?;
        lock.lock()?;
        let name = made.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let path = all.join(name.trim_start_matches('.'));
        std::fs::rename(made.path(), &path)?;
        // It has another name now.
        let _ = made.keep();
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next run of this purpose tries again.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Folders whose lock nobody holds.
fn left_behind(all: &Path, prefix: &str) -> Vec<PathBuf> {
    let is_left = |folder: &PathBuf| {
        let (name, lock) = (folder.file_name().and_then(|name| name.to_str()).unwrap_or_default(), folder.join(LOCK));
        // A pipe of somebody else would be waited for.
        name.starts_with(prefix)
            && std::fs::symlink_metadata(&lock).is_ok_and(|found| found.is_file())
            && File::open(lock).is_ok_and(|lock| lock.try_lock().is_ok())
    };
    let entries = std::fs::read_dir(all).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_goes_with_the_next_and_that_of_a_living_one_stays() {
        let all = tempfile::tempdir().unwrap();
        let living = Scratch::within(all.path(), "wechaty-x-").unwrap();
        let dead = all.path().join("wechaty-x-dead");
        std::fs::create_dir(&dead).unwrap();
        File::create(dead.join(LOCK)).unwrap();
        std::fs::write(dead.join("file"), "bytes").unwrap();
        let made = all.path().join("wechaty-x-made");
        let other = all.path().join("wechaty-y-other");
        for folder in [&made, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        let next = Scratch::within(all.path(), "wechaty-x-").unwrap();
        assert!(living.path().exists() && next.path().exists() && made.exists() && other.exists());
        assert!(!dead.exists());
    }
}
