//! Replace: a backup in the place of a store, whose file is kept.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    error::OpenError,
    lock::{self, Lock},
    store::SqliteStore,
};

impl SqliteStore {
    /// Puts a copy of another store in the place of this file, which nobody may use meanwhile. The one before is kept
    /// beside it, with `.before` behind its name, or `.before-2` and so on: none that was kept is written over.
    ///
    /// # Errors
    /// [`OpenError`]; the file is as it was then.
    pub fn replace(path: &Path, with: &Path) -> std::result::Result<(), OpenError> {
        let _lock = Lock::take(path)?;
        let path = &lock::real(path);
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let beside = |end: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let new = beside(".new");
        let copy = || {
            // Not a copy of the mode: whoever may read the backup may not read what the bot writes.
            let _ = std::fs::remove_file(&new);
            let mut into = lock::private(&new)?;
            std::io::copy(&mut std::fs::File::open(with)?, &mut into)?;
            into.sync_all()
        };
        copy().map_err(io)?;
        if std::fs::metadata(path).map_err(io)?.len() > 0 {
            let log_is_in = log_into(path)?;
            let keep = || {
                let kept = beside(".before.new");
                let _ = std::fs::remove_file(&kept);
                std::fs::hard_link(path, &kept).or_else(|_| std::fs::copy(path, &kept).map(drop))?;
                let free = |end: &String| !beside(end).exists();
                let ends = std::iter::once(".before".to_owned()).chain((2..).map(|n: u32| format!(".before-{n}")));
                let before = ends.into_iter().find(free).unwrap_or_default();
                std::fs::rename(kept, beside(&before))?;
                if !log_is_in && beside("-wal").exists() {
                    std::fs::rename(beside("-wal"), beside(&format!("{before}-wal")))?;
                }
                Ok(())
            };
            keep().map_err(io)?;
        }
        for log in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(log));
        }
        // There is a whole store of this name at any time, the one before or the other.
        std::fs::rename(new, path).map_err(io)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Not every system can.
        let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Brings what is in its log into a file. `false`: it is damaged, and its log stays.
fn log_into(path: &Path) -> std::result::Result<bool, OpenError> {
    let checkpoint = Connection::open(path).and_then(|c| {
        c.busy_timeout(Duration::from_secs(2))?;
        c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
    });
    match checkpoint.map_err(OpenError::of(path)) {
        Ok(0) => Ok(true),
        // Somebody reads what is only in the log.
        Ok(_) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(OpenError::Corrupt { .. } | OpenError::Foreign { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
