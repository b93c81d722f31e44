//! Lock: one bot a file, and nobody but its user reads it. The lock lies beside the file and goes with the process,
//! however it ends.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::OpenError;

/// Held as long as the store is open.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    pub(crate) fn take(store: &Path) -> Result<Self, OpenError> {
        let mut name = store.as_os_str().to_owned();
        name.push(".lock");
        let io = |source| OpenError::Io { path: store.to_owned(), source };
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
