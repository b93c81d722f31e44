//! Whatever goes wrong is told in Chinese to those who read Chinese: nothing English but names and quotations.

use std::{path::Path, process::Command};

use crate::english_words::english;

/// A good account: lines 1 to 4 of most files.
const MOCK: &str = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n";
const WEBCHAT: &str = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"webchat\"\n";

/// A world that is wrong in most ways.
const WORLD: &str = r#"{
  "version": 2, "self": "nobody", "contcats": [], "tags": [], "features": { "rich": "yes" },
  "contacts": [{ "id": "c@x", "gender": 7, "type": 9 }, { "id": "c" }, { "id": "c" }, 3, { "id": "" }],
  "rooms": [{ "id": "r", "ownerId": "cc" }], "posts": {},
  "friendships": [{ "id": "f", "type": 8, "scene": -1 }],
  "roomInvitations": [{ "id": "i", "memberCount": -1, "timestamp": 1.5 }],
  "messages": [
    { "id": "m", "type": "text", "talkerId": "zz", "text": 3 },
    { "id": "n", "type": "Image", "talkerId": "c", "listenerId": "c", "file": { "base64": "?", "cycle": -1 } },
    { "id": "o", "type": "Image", "talkerId": "c", "listenerId": "c", "file": { "name": "x" } },
    { "id": "p", "type": "Location", "talkerId": "c", "listenerId": "c", "location": { "latitude": "north" } }
  ],
  "timeline": [
    { "at": -1, "event": "scann" }, { "at": 1, "event": "scan", "payload": { "status": "x" } },
    { "at": 2, "event": "action", "payload": { "conversation": {} } }, { "event": null },
    { "at": 3, "event": "dirty", "payload": { "payloadId": "x" } }
  ]
}"#;

/// One that is well.
const GOOD: &str = r#"{
  "version": 1, "self": "bot", "contacts": [{ "id": "bot" }, { "id": "mei" }],
  "messages": [{ "id": "m", "type": "Text", "talkerId": "mei", "listenerId": "bot", "text": "ding" }],
  "timeline": [{ "at": 1, "event": "login", "payload": { "contactId": "bot" } },
    { "at": 2, "event": "message", "payload": { "messageId": "m" } }]
}"#;

/// What is in BOT.toml, in both parts.
const BOTS: &[(&str, &str)] = &[
    (MOCK, "wrold = \"x\"\n"),
    (MOCK, "[[plugin]]\nuse = \"dingdong\"\n"),
    (MOCK, "[pacing]\nburst = \"five\"\nper_second = 0\nin_doubt = \"maybe\"\nbackoff = \"5 s\"\nattempts = true\n"),
    (MOCK, "[[plugin]]\nid = \"x\"\n"),
    (MOCK, "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ contains = \"a\", reply = \"\" }] }\n"),
    (MOCK, "[[plugin]]\nuse = \"welcome\"\nsettings = { greeting = \"\" }\n"),
    (MOCK, "[http]\ntimeout = 0\nhosts = [\"https://bot.example\", \"\"]\n[inbox]\nmax_age = \"0s\"\n"),
    (MOCK, "[[plugin]]\nuse = \"welcome\"\nrooms = { re = \"(VIP\" }\npeople = { re = \"a\", text = \"b\" }\n"),
    ("timezone = \"Asia/Shangai\"\nowners = [\"a\", \"b:c\", 3]\n", MOCK),
    (MOCK, "world = { env = \"NOBODY_SET_ME\" }\n"),
    (MOCK, "[[account]]\nid = \"a\"\npuppet = \"terminal\"\n"),
    (MOCK, "world = \"nope/world.json\"\n[store]\npath = \"nope\"\n"),
    (MOCK, "world = \"world.json\"\n"),
    (MOCK, "world = \".\"\n"),
    (MOCK, "world = \"BOT.toml\"\n"),
    (MOCK, "world = \"bytes.bin\"\n"),
    (MOCK, "world = { env = \"FROM_FILE\" }\n"),
    (MOCK, "name = “a”\n"),
    (MOCK, "name = a\n[pacing\n"),
    ("version = 2\n", "[[account]]\nid = \"a b\"\npuppet = \"mokc\"\n"),
    ("", ""),
    ("version: 1\n", ""),
    ("version = 1\n[account]\n", ""),
    (MOCK, "[doors.mcp]\nx = 1\n[http]\nlisten = \"localhost:80\"\ntimeout = []\n"),
    (WEBCHAT, "token = { file = \".\" }\nhistory = 0\n"),
    (WEBCHAT, "token = { env = \"A\", file = \"b\" }\nbot_name = 2024-01-01\n"),
    (WEBCHAT, "token = { file = \"bytes.bin\" }\n"),
    (WEBCHAT, "token = { file = \"empty.txt\" }\n"),
    (WEBCHAT, "token = \"short\"\n"),
    (WEBCHAT, "history = 0\n"),
    (WEBCHAT, "bot_name = \" \"\n"),
    (WEBCHAT, "files_limit = 1\n"),
    (WEBCHAT, "[http]\nlisten = \"0.0.0.0:80\"\n"),
    (MOCK, "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ reply = \"x\" }] }\n"),
    (MOCK, "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ contains = \" \", reply = \"x\" }] }\n"),
    (MOCK, "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ contains = \"a\", reply = [] }] }\n"),
    (MOCK, "[[plugin]]\nuse = \"event-logger\"\nsettings.events = [\"mesage\", 3]\n"),
    (MOCK, "[[plugin]]\nuse = \"welcome\"\nrooms = { text = \"\" }\nsettings = []\n"),
];

/// Commands that are refused, or have something to say, in a folder with a broken world and no BOT.toml.
const COMMANDS: &[&[&str]] = &[
    &["config", "check"],
    &["config", "check", "."],
    &["plugin", "check", "bytes.bin"],
    &["account", "list"],
    &["account", "add", "--puppet", "mock", "--id", "a", "--set", "world=nope.json"],
    &["account", "add", "--puppet", "mock", "--id", "a", "--set", "ids_only=maybe"],
    &["account", "add", "--puppet", "webchat", "--id", "a", "--set", "history=many"],
    &["run", "nope.toml"],
    &["run", "--puppet", "mokc"],
    &["run", "--puppet", "mock", "--world", "world.json"],
    &["run", "--puppet", "mock", "--world", "nope.json"],
    &["run", "--puppet", "mock", "--world", "."],
    &["run", "--puppet", "mock", "--world", "bytes.bin"],
    &["run", "--puppet", "mock", "--clock", "virtual", "--record", "nope/out.jsonl"],
    &["run", "--puppet", "mock", "--clock", "virtual", "--record", "."],
    &["run", "--puppet", "mock", "--world", "good.json", "--clock", "virtual"],
    &["run", "--puppet", "terminal", "--clock", "virtual"],
    &["run", "--puppet", "mock", "--listen", "here"],
    &["run", "--puppet", "webchat", "--listen", "0.0.0.0:0"],
    &["run", "--puppet", "webchat", "--listen", "192.0.2.1:1"],
    &["run", "--record"],
    &["rnu"],
    &["run", "--lang"],
    &["run", "--log", "="],
    &["bench", "core", "--seconds", "0"],
    &["explain", "W9"],
    &["new", "."],
    &["new", "bytes.bin/x"],
    &["token", "inspect", "x"],
    &["token", "generate", "--sni", "_"],
    &["token", "discover", "x"],
    &["account", "add", "--puppet", "mock", "--id", "a"],
    &["account", "add", "--puppet", "mock", "--id", "a", "--name", "a b"],
    &["account", "add", "--puppet", "lark", "--id", "a", "--set", "app_id=x"],
    NOBODY_THERE,
    &["ledger"],
    &["trace", "--last"],
    &["dead-letters", "list"],
    &["dead-letters", "retry"],
    &["backup", "x.db"],
    &["restore", "x.db"],
    &["forget", "x"],
    &["plugin", "check"],
    &["plugin", "enable"],
    &["generate"],
    &["gateway", "--puppet", "mokc"],
    &["gateway", "nope.toml"],
    &["gateway", "--port", "70000"],
    &["gateway", "--puppet", "mock", "--tls-cert", "x", "--tls-key", "y"],
    &["run", "--puppet", "service"],
    &["run", "--puppet", "mock", "--store", "x"],
];

/// A messenger that cannot be asked: the port is nobody's.
const NOBODY_THERE: &[&str] = &[
    "account",
    "add",
    "--puppet",
    "lark",
    "--id",
    "a",
    "--set",
    "app_id=x",
    "--set",
    "app_secret=s3cret-canary",
    "--set",
    "api_base=http://127.0.0.1:9",
];

/// A bot whose store has something in it.
const NAMED: &str = "version = 1\nname = \"机器人\"\n[[account]]\nid = \"me\"\npuppet = \"terminal\"\n\
                     [[plugin]]\nuse = \"ding-dong\"\nsettings = { ding = \"你好\", dong = \"再见\" }\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    write("world.json", WORLD.as_bytes());
    write("good.json", GOOD.as_bytes());
    write("bytes.bin", b"\xff\xfe");
    write("empty.txt", b"");
    folder
}

/// What the command prints, and whether it ended well.
fn told(folder: &Path, args: &[&str], stdin: &[u8]) -> (bool, String) {
    let typed = folder.join("typed");
    std::fs::write(&typed, stdin).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wechaty"));
    command.args(["--lang", "zh"]).args(args).current_dir(folder).env("LANG", "C.UTF-8");
    for name in ["LC_ALL", "WECHATY_PUPPET", "WECHATY_NAME", "WECHATY_PORT", "PORT", "WECHATY_LOG"] {
        command.env_remove(name);
    }
    let done = command.stdin(std::fs::File::open(typed).expect("just written")).output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), text)
}

#[test]
fn every_fault_of_a_configuration_is_told_in_chinese() {
    let folder = folder();
    let mut wrong = Vec::new();
    for (head, rest) in BOTS {
        std::fs::write(folder.path().join("BOT.toml"), format!("{head}{rest}")).expect("written");
        std::fs::write(folder.path().join(".env"), "FROM_FILE=nope.json\nno line\n").expect("written");
        let (fine, told) = told(folder.path(), &["config", "check"], b"");
        let english = english(&told);
        // The line of `.env` is always told: the file itself must be told, too.
        let alone = told.matches("[C").count() < 2;
        if fine || alone || !english.is_empty() {
            wrong.push(format!("{english:?} after {rest:?}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_commands_refuse_and_report_is_told_in_chinese() {
    let mut wrong = Vec::new();
    for args in COMMANDS {
        let folder = folder();
        let (_, told) = told(folder.path(), args, b"");
        let english = english(&told);
        if told.trim().is_empty() || !english.is_empty() {
            wrong.push(format!("{english:?} after {args:?}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_a_store_holds_is_told_in_chinese() {
    let folder = folder();
    std::fs::write(folder.path().join("BOT.toml"), NAMED).expect("written");
    let mut wrong = Vec::new();
    for (args, part) in [
        (&["run"][..], "再见"),
        (&["ledger"], "收到 3 = 已处理 3"),
        (&["trace", "--last"], "结果："),
        (&["trace", "--words", "你好"], "处理函数："),
        (&["trace", "t9"], "[W186]"),
        (&["dead-letters", "list"], "没有死信"),
        (&["dead-letters", "retry", "7"], "[W187]"),
        (&["dead-letters", "drop", "--all"], "0 封死信"),
        (&["backup", "a.db"], "a.db"),
        (&["backup", "a.db"], "[W188]"),
        (&["restore", "a.db"], "[W189]"),
        (&["restore", "BOT.toml", "--force"], "[W183]"),
        (&["restore", "a.db", "--force"], "机器人.wechaty.db.before"),
        (&["forget", "nobody"], "[W191]"),
        (&["forget", "you"], "you"),
        (&["account", "list"], "账号 me"),
        (&["account", "add", "--puppet", "webchat", "--id", "page", "--name", "x"], "[W202]"),
    ] {
        let (_, told) = told(folder.path(), args, "你好\n".as_bytes());
        let english: Vec<_> = english(&told).into_iter().filter(|word| word != "terminal").collect();
        if !told.contains(part) || !english.is_empty() {
            wrong.push(format!("{english:?}, `{part}` after {args:?}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_messenger_that_cannot_be_asked_leaves_nothing_behind() {
    let folder = folder();
    let before = std::fs::read_dir(folder.path()).expect("a folder").count();
    let (fine, said) = told(folder.path(), NOBODY_THERE, b"");
    assert!(!fine && said.contains("[W209]") && said.contains("--no-check") && !said.contains("canary"), "{said}");
    // And what the test typed.
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), before + 1);
    let (fine, said) = told(folder.path(), &[NOBODY_THERE, &["--no-check"]].concat(), b"");
    assert!(fine && said.contains("已写入 BOT.toml") && !said.contains("canary"), "{said}");
}

#[test]
fn the_terminal_speaks_chinese() {
    let folder = folder();
    let typed = [
        "/help\n/dance\n/as\n/as bot\n/as 小美\n/room 茶馆\n/who\n/room\n/who\n/image\n/image 没有.png\n".as_bytes(),
        b"\xff\n",
        "/as ".as_bytes(),
        "名".repeat(100).as_bytes(),
        b"\nding\n",
    ]
    .concat();
    let (_, told) = told(folder.path(), &["run", "--puppet", "terminal"], &typed);
    assert!(told.contains("你现在是 小美") && told.contains("第 12 行："), "{told}");
    let commands = ["/image", "/room", "/help", "dong"];
    let english: Vec<_> = english(&told).into_iter().filter(|word| !commands.contains(&word.as_str())).collect();
    assert!(english.is_empty(), "{english:?} in\n{told}");
}

#[test]
fn the_doctor_speaks_chinese() {
    let folder = folder();
    let (fine, told) = told(folder.path(), &["doctor"], b"");
    let platform = ["linux", "macos", "windows", "rustc", std::env::consts::OS];
    let english: Vec<_> = english(&told).into_iter().filter(|word| !platform.contains(&word.as_str())).collect();
    assert!(english.is_empty(), "{fine} {english:?} in\n{told}");
}
