//! Lock: one bot a file, and nobody but its user reads it. The lock lies beside the file and goes with the process,
//! however it ends.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use crate::OpenError;

/// Held as long as the store is open or still written.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    pub(crate) fn take(store: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: store.to_owned(), source };
        // What is there is not opened yet: the end of a file that is open takes all locks of its process on it, and it may be
        // another store of this one that has it.
        if !store.exists() {
            private(store).map_err(io)?;
        }
        let mut name = real(store).into_os_string();
        name.push(".lock");
        let file = private(Path::new(&name)).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                // SQLite gives its logs the mode of the file.
                private(store).map_err(io)?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: store.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// The file itself, where its name is a link to it: one lock a file, whatever it is called.
pub(crate) fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A file, made if it is not there, that only its user may open.
pub(crate) fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // It may have been copied here for everybody to read. Who does not own it cannot change that.
    #[cfg(unix)]
    let _ = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    Ok(file)
}
