//! What commands say of a store that is damaged or empty, and of those that a restore puts aside.
#![cfg(unix)]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Exit code, and all that was said.
fn wechaty(folder: &Path, words: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wechaty"));
    command.args(words).env_clear().env("WECHATY_NAME", "desk").current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let done = child.wait_with_output().expect("it ends");
    (done.status.code(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

#[track_caller]
fn expect(folder: &Path, words: &[&str], code: i32, parts: &[&str]) {
    let (found, told) = wechaty(folder, words, "");
    assert_eq!(found, Some(code), "{words:?}: {told}");
    for part in parts {
        assert!(told.contains(part), "{words:?} without {part:?}: {told}");
    }
}

/// The page in which the books' totals are: no start goes without them, and all else can be read.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).expect("a store");
    bytes[9 * 4096..10 * 4096].fill(0xa5);
    fs::write(file, bytes).expect("written");
}

#[test]
fn a_damaged_store_is_told_by_whoever_meets_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let store = folder.join("desk.wechaty.db");
    fs::write(&store, "").expect("written");
    for words in [&["ledger"][..], &["trace", "--last"], &["backup", "none.db"], &["restore", "desk.wechaty.db"]] {
        expect(folder, words, 1, &["[W199]"]);
    }
    let run = ["run", "--puppet", "terminal"];
    let (code, told) = wechaty(folder, &run, "menu\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("desk.wechaty.db, and the next start goes on with it."), "{told}");
    expect(folder, &["backup", "good.db"], 0, &["good.db"]);
    // What the log has is in the file, and the file alone is damaged.
    fs::copy(folder.join("good.db"), &store).expect("copied");
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("desk.wechaty.db{log}")));
    }
    damage(&store);
    expect(folder, &["backup", "bad.db"], 1, &["[W198]", "bad.db"]);
    assert!(folder.join("bad.db").is_file(), "it may be the best there is");
    expect(folder, &["restore", "bad.db", "--force"], 1, &["[W198]"]);
    expect(folder, &run, 1, &["[W184]"]);
    for kept in ["desk.wechaty.db.before", "desk.wechaty.db.before-2"] {
        expect(folder, &["restore", "good.db", "--force"], 0, &[&format!("{kept}.\n")]);
    }
    expect(folder, &["forget", "you"], 0, &["desk.wechaty.db.before, ", "desk.wechaty.db.before-2"]);
}
