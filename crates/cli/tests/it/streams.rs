//! A standard error that cannot be written changes no exit code.
#![cfg(target_os = "linux")]

use std::{
    fs::{File, OpenOptions},
    process::{Command, Stdio},
};

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").expect("a full device")
}

fn code(words: &[&str], stderr: impl Into<Stdio>) -> Option<i32> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wechaty"));
    command.args(words).env_clear().current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).status().expect("it runs").code()
}

#[test]
fn a_full_or_closed_stderr_changes_no_exit_code() {
    for (words, expected) in [
        (&["run", "--puppet", "nosuch"][..], 2),
        (&["account"], 2),
        (&["--log", "silly", "run", "--puppet", "mock", "--clock", "virtual"], 0),
    ] {
        assert_eq!(code(words, full()), Some(expected), "{words:?} on a full device");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(code(words, writer), Some(expected), "{words:?} to somebody who has left");
    }
}
