//! The text files of the project: what git tracks or would track.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{context::Context, process::Job};

/// Larger files are data.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// A text file.
#[derive(Clone)]
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    /// Whether it is Rust that people write: not generated, by the mark that generators leave.
    pub(super) fn is_our_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.text.lines().take(3).any(|line| line.contains("@generated"))
    }
}

/// All of them; the ignored ones are not ours. Works without git, from an archive, too.
pub(super) fn all(cx: &Context) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&cx.root);
    let listed = Job::new(git, Duration::from_secs(60)).run().ok().filter(|done| done.ok());
    let paths: Vec<String> = match listed {
        Some(done) => String::from_utf8_lossy(&done.stdout).split('\0').map(str::to_owned).collect(),
        None => {
            let mut paths = Vec::new();
            walk(&cx.root, "", &mut paths)?;
            paths
        }
    };
    let files: Vec<File> = paths.into_iter().filter_map(|path| read(&cx.root, path)).collect();
    ensure!(!files.is_empty(), "no file found");
    Ok(files)
}

/// The lines between which git puts two versions that it could not join.
pub(super) fn no_conflicts(files: &[File]) -> Vec<String> {
    let is_mark = |line: &str| {
        let rest = |mark: char| line.strip_prefix(&mark.to_string().repeat(7));
        let opens = ['<', '>', '|'].into_iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with(' '));
        // A longer row of them underlines a heading.
        opens || rest('=') == Some("")
    };
    let lines = files.iter().flat_map(|file| file.text.lines().enumerate().map(move |(i, line)| (file, i + 1, line)));
    lines
        .filter(|(_, _, line)| is_mark(line))
        .map(|(file, at, _)| format!("{}:{at}: a mark of a conflict: join the two versions", file.path))
        .collect()
}

/// `None` for what is deleted, large or not text.
fn read(root: &Path, path: String) -> Option<File> {
    let full = root.join(&path);
    let data = std::fs::symlink_metadata(&full).ok()?;
    if !data.is_file() || data.len() > MOST_BYTES {
        return None;
    }
    Some(File { text: std::fs::read_to_string(full).ok()?, path })
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if ["target", ".git", ".peers", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merge_left_is_found_and_a_heading_is_none() {
        let mark = |mark: &str| mark.repeat(7);
        let text = format!(
            "{} ours\na\n{}\nb\r\n{} theirs\n{}=\n {} x\n{}x\n",
            mark("<"),
            mark("="),
            mark(">"),
            mark("="),
            mark("<"),
            mark(">"),
        );
        let file = File { path: "docs/a.md".into(), text };
        let faults = no_conflicts(&[file]);
        let lines: Vec<_> = faults.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
        assert_eq!(lines, ["1", "3", "5"], "{faults:?}");
    }
}
