//! LIMITS: how many files this process may have open (each connection is one, and the usual limit is for programs without);
//! how much it may write.

/// Files that a bot with all its connections has open.
pub(crate) const ENOUGH: u64 = 4096 + 128;

/// How many may be open, and how many a process may ask for; `None`: without end.
#[cfg(unix)]
pub(crate) fn files() -> (Option<u64>, Option<u64>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    (limit.current, limit.maximum)
}

/// Asks for as many as the system gives. It gives less where it does not want to, and the host then takes fewer connections.
#[cfg(unix)]
pub(crate) fn raise_files() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let (now, most) = files();
    // macOS says `unlimited`, and means this.
    const MACOS: u64 = 10_240;
    for wanted in [most, Some(most.unwrap_or(u64::MAX).min(MACOS))] {
        let more = now.is_some_and(|now| wanted.is_none_or(|wanted| wanted > now));
        if more && setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum: most }).is_ok() {
            return;
        }
    }
}

/// Bytes that this user may still write on the disk of a folder.
#[cfg(unix)]
pub(crate) fn room(folder: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether this user may write a file, or files in a folder.
#[cfg(unix)]
pub(crate) fn may_write(path: &std::path::Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
pub(crate) fn room(_: &std::path::Path) -> Option<u64> {
    None
}

#[cfg(not(unix))]
pub(crate) fn may_write(path: &std::path::Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| !file.permissions().readonly())
}

#[cfg(not(unix))]
pub(crate) fn files() -> (Option<u64>, Option<u64>) {
    (None, None)
}

#[cfg(not(unix))]
pub(crate) fn raise_files() {}
