//! Files that are replaced as a whole: a reader sees the old text or the new one, never a part.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner alone: it holds secrets.
    Owner,
    /// As before; for a new file, as the system has it.
    AsBefore,
}

/// Replaces a file, or makes it.
pub(super) fn replace(path: &Path, text: &str, readers: Readers) -> io::Result<()> {
    // A link stays one; what it leads to is replaced.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside: PathBuf = path.with_file_name(format!(".{name}.{}.new", uuid::Uuid::new_v4()));
    let done = written(&beside, text, readers, fs::metadata(&path).ok()).and_then(|()| fs::rename(&beside, &path));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

fn written(path: &Path, text: &str, readers: Readers, before: Option<fs::Metadata>) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    if readers == Readers::AsBefore
        && let Some(before) = before
    {
        file.set_permissions(before.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A line of `.env`, as shells and every reader of such files take it.
pub(super) fn env_line(name: &str, value: &str) -> String {
    if !value.contains(['\'', '\n', '\r']) {
        return format!("{name}='{value}'\n");
    }
    let mut quoted = String::new();
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    format!("{name}=\"{quoted}\"\n")
}
