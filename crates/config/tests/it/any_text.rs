//! Any text at all: it is taken or told, with places inside of it, and nothing panics.

use proptest::prelude::*;
use wechaty_config::{Env, Flags};

use crate::support::catalogue;

fn survives(text: &str) {
    let env = Env::of([("SET", "value")]);
    let lines = text.matches('\n').count() + 1;
    if let Err(problems) = catalogue().parse(text, "nowhere/BOT.toml", &env, &Flags::default()) {
        assert!(!problems.is_empty());
        for problem in &problems {
            assert!(problem.line.unwrap_or(1) <= lines && !problem.to_string().is_empty(), "{problem:?}");
            assert!(!problem.message().contains("{nearest}"));
        }
    }
}

const GOOD: &str = r#"version = 1
name = "front-desk"
timezone = "Asia/Shanghai"
owners = ["shop:ou_123"]
[[account]]
id = "shop"
puppet = "shop"
app_id = "cli_a1"
app_secret = { env = "SET" }
pacing = { burst = 2 }
[[plugin]]
use = "auto-reply"
id = "vip"
accounts = ["shop"]
rooms = [{ re = "^VIP" }, { text = "x" }, "id"]
settings = { rules = [{ contains = "课表", reply = "见群公告" }] }
[pacing]
per_second = 1.5
in_doubt = "hold"
[http]
listen = "127.0.0.1:0"
timeout = "30s"
"#;

/// Texts that were, or could have been, trouble.
const CORPUS: &[&str] = &[
    "",
    "\u{feff}",
    "\0",
    "version",
    "version = ",
    "version = 1e400",
    "version = 99999999999999999999999999",
    "version = 0x7fffffffffffffffffffff",
    "version = 1979-05-27T07:32:00Z",
    "account = {}",
    "account = [[[]]]",
    "account = [1, {}, {puppet = 1}, {puppet = \"shop\"}]",
    "[account]\nid = 1",
    "[[account]]\n[[account]]\n[account.pacing]\n",
    "[[account.pacing]]\n",
    "plugin = [{use = \"auto-reply\", settings = 1}, {use = \"welcome\", settings = {greetings = {a = 1, b.c = 2}}}]",
    "[[plugin]]\nuse = \"ding-dong\"\nsettings.ding = [[[[{re = \"(\"}]]]]",
    "[[plugin]]\nuse = \"ding-dong\"\nrooms = {re = 1, text = \"\"}",
    "[[plugin]]\nuse = \"welcome\"\nrooms = { re = '(((((((((((((((((((((((((((x{100}){100}){100}){100})))))))))))))))))))))))))' }",
    "owners = [\":\", \"a:\", \":b\", \"\", 1, []]",
    "doors = 1\nai = []",
    "[doors]\n",
    "\"\" = 1\n'a.b' = 2\n\"\\u0000\" = 3",
    "a.b.c.d.e.f.g.h = 1",
    "name = \"\"\"\nmany\nlines",
    "timezone = \"\"",
    "timezone = \"/\"",
    "[http]\nlisten = \"999.0.0.1:99999\"\ntimeout = nan\nconnections = 1e9",
    "[store]\npath = \"\"",
    "x = \"\\ud800\"",
    "é = 1",
];

#[test]
fn the_corpus_is_survived() {
    for text in CORPUS {
        survives(text);
        survives(&format!("{GOOD}{text}"));
        survives(&format!("{text}\n{GOOD}"));
    }
    survives(&format!("a = {}", "[".repeat(100_000)));
    survives(&"[a]\n".repeat(10_000));
    survives(&format!("{}\n", "a.".repeat(10_000)));
    survives(&"[[account]]\nid = \"a\"\npuppet = \"mock\"\n".repeat(300));
}

#[test]
fn every_beginning_of_a_good_file_is_survived() {
    for (at, _) in GOOD.char_indices() {
        survives(&GOOD[..at]);
    }
}

#[test]
fn a_good_file_with_any_line_less_or_twice_is_survived() {
    let lines: Vec<&str> = GOOD.lines().collect();
    for skip in 0..lines.len() {
        let mut less = lines.clone();
        let line = less.remove(skip);
        survives(&less.join("\n"));
        less.insert(skip, line);
        less.insert(skip, line);
        survives(&less.join("\r\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn anything_like_toml_is_survived(
        lines in prop::collection::vec(
            prop_oneof![
                "(version|name|timezone|owners|account|plugin|pacing|http|store|ai|doors|x) = (1|-1|1\\.5|true|\"[a-z:]{0,4}\"|\\[\\]|\\{\\}|\\[1, \"a\"\\])",
                "\\[\\[?(account|plugin|pacing|http|store|doors\\.x|ai|plugin\\.settings|plugin\\.settings\\.rules|account\\.pacing)\\]\\]?",
                "(id|puppet|use|rooms|people|accounts|settings|re|reply|contains|burst|listen|app_id|app_secret|token) = (1|\"(a|mock|shop|auto-reply|welcome|\\()\"|\\{ (re|env|file|text) = \"(SET|\\(|a)\" \\}|\\[\\])",
                "[a-z\"'\\[\\]{}=.,# \\t]{0,12}",
            ],
            0..20,
        )
    ) {
        survives(&lines.join("\n"));
    }

    #[test]
    fn a_good_file_with_a_change_anywhere_is_survived(at in 0..GOOD.len(), change in "[\\PC\n\t\"'\\[\\]{}=]{0,3}", less in 0usize..4) {
        let floor = |mut at: usize| { while !GOOD.is_char_boundary(at) { at -= 1 } at };
        let (begin, end) = (floor(at), floor((at + less).min(GOOD.len())));
        survives(&format!("{}{change}{}", &GOOD[..begin], &GOOD[end..]));
    }
}
