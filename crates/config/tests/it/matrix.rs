//! More ways to be wrong than anybody thinks of at once: each with its place, its key, and the nearest name where there
//! is one.

use crate::support::Folder;

/// An account on `mock`: lines 1 to 4 of most files.
const MOCK: &str = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n";
/// An account on `shop`, whose line 5 gives its secret; the next line is 6.
const SHOP: &str = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\n";

/// A file, and its first fault: code, line, column, key, and a part of its message.
type Case = (&'static str, &'static str, &'static str, usize, usize, &'static str, &'static str);

const CASES: &[Case] = &[
    (MOCK, "[pacing]\n\tburst\t=\t\"five\"\t# x\n", "C005", 6, 10, "pacing.burst", "expected integer, found string"),
    ("version = 1\n\u{feff}[[account]]\n", "", "C002", 2, 1, "", "(U+FEFF) cannot stand here"),
    (MOCK, "[pacing]\n[http]\n[pacing]\n", "C002", 7, 2, "", "duplicate key"),
    (MOCK, "[pacing]\nburst = 99999999999999999999999\n", "C007", 6, 9, "pacing.burst", "expected >= 1, <= 4294967295"),
    (MOCK, "[pacing]\nper_second = 1e400\n", "C007", 6, 14, "pacing.per_second", "1e400 is out of range"),
    ("name = 2024-01-01\n", MOCK, "C005", 1, 8, "name", "expected string, found datetime"),
    (MOCK, "[http]\nlisten = 07:32:00\n", "C005", 6, 10, "http.listen", "found datetime"),
    (
        MOCK,
        "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ re = \"a\", reply = \"b\", mention = { x = 1 } }] }\n",
        "C005",
        7,
        58,
        "plugin[0].settings.rules[0].mention",
        "expected boolean, found table",
    ),
    (MOCK, "pacing.brust.x = 3\n", "C003", 5, 8, "account[0].pacing.brust", "did you mean `burst`?"),
    (MOCK, "id.x = 3\n", "C002", 5, 1, "", "cannot extend value of type string"),
    ("", "", "C004", 1, 1, "version", "expected `version = 1`"),
    (MOCK, "name = \"a\u{0}b\"\n", "C002", 5, 10, "", "(U+0000) cannot stand here"),
    (MOCK, "\"wor ld\" = \"x\"\n", "C003", 5, 1, "account[0].\"wor ld\"", "did you mean `world`?"),
    (MOCK, "\"\" = 2\n", "C003", 5, 1, "account[0].\"\"", "unknown key ``"),
    ("version = 1\n[account]\nid = \"a\"\n", "", "C005", 2, 1, "account", "did you mean `[[account]]`?"),
    (MOCK, "[[pacing]]\nburst = 1\n", "C005", 5, 1, "pacing", "did you mean `[pacing]`?"),
    ("version = 1\n[[account]]\nid = \"🦀 x\"\npuppet = \"mock\"\n", "", "C026", 3, 6, "account[0].id", "`🦀 x`"),
    (SHOP, "app_secret = { env = 3 }\n", "C005", 6, 22, "account[0].app_secret.env", "expected string, found integer"),
    (SHOP, "app_secret = { file = \".\" }\n", "C020", 6, 14, "account[0].app_secret", "it is a folder"),
    (
        SHOP,
        "app_secret = { env = \"A\", file = \"b\" }\n",
        "C026",
        6,
        14,
        "account[0].app_secret",
        "`{ env = …, file = … }` has",
    ),
    (SHOP, "app_secret = {}\n", "C026", 6, 14, "account[0].app_secret", "`{}` has"),
    (
        "version = 1\n[[account]]\nid = \"a\"\npuppet = \"webchat\"\n[[account]]\nid = \"b\"\npuppet = \"webchat\"\n",
        "",
        "C030",
        7,
        10,
        "account[1].puppet",
        "accounts `a` and `b` both serve /",
    ),
    (MOCK, "[htpp]\nlisten = \"x\"\n", "C003", 5, 2, "htpp", "did you mean `http`?"),
    (MOCK, "wоrld = \"x\"\n", "C002", 5, 2, "", "`о` (U+043E)"),
    ("version = 1\n[[account]]\nid = \"a\"\npuppet = \"ｍock\"\n", "", "C009", 4, 10, "account[0].puppet", "`mock`?"),
    ("version = 1\nname = “a”\n", "", "C002", 2, 8, "", "did you mean `\"`?"),
    ("version ＝ 1\n", "", "C002", 1, 9, "", "did you mean `=`?"),
    ("version = 1\nname = a\n", "", "C002", 2, 8, "", "string values must be quoted"),
    (MOCK, "ids_only = True\n", "C002", 5, 12, "", "invalid boolean"),
    (MOCK, "ids_only = \"true\"\n", "C005", 5, 12, "account[0].ids_only", "expected boolean, found string"),
    ("version: 1\n", "", "C002", 1, 8, "", "invalid unquoted key"),
    ("{\"version\": 1}\n", "", "C002", 1, 1, "", "invalid key-value pair"),
    ("version = 0x2\naccount = []\n", "", "C008", 1, 11, "version", "0x2"),
    ("version = 1\nplugin = [\"ding-dong\"]\n", "", "C005", 2, 11, "plugin[0]", "expected table, found string"),
    (MOCK, "[[plugin]]\nuse = \"welcome\"\nsettings = []\n", "C005", 7, 12, "plugin[0].settings", "expected table"),
    (
        MOCK,
        "[[plugin]]\nuse = \"welcome\"\nrooms = { re = \"a\", text = \"b\" }\n",
        "C026",
        7,
        9,
        "plugin[0].rooms",
        "exactly one of `re`, `text`",
    ),
    (
        MOCK,
        "[[plugin]]\nuse = \"welcome\"\nrooms = {}\n",
        "C026",
        7,
        9,
        "plugin[0].rooms",
        "exactly one of `re`, `text`",
    ),
    (
        MOCK,
        "[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ contains = \" \", reply = \"x\" }] }\n",
        "C027",
        7,
        12,
        "plugin[0].settings",
        "they cannot be empty",
    ),
    (MOCK, "[http]\ntimeout = true\n", "C005", 6, 11, "http.timeout", "expected number | string, found boolean"),
    (MOCK, "[doors.mcp]\ntoken = \"x\"\n", "C022", 5, 1, "doors.mcp", "no such feature"),
    (MOCK, "[doors.gatewy]\n", "C003", 5, 8, "doors.gatewy", "did you mean `gateway`?"),
    (MOCK, "[doors]\ngateway = 1\n", "C005", 6, 11, "doors.gateway", "expected table, found integer"),
    (MOCK, "[[doors.gateway.token]]\naccount = \"a\"\n", "C004", 5, 1, "doors.gateway.token[0].token", "expected"),
    (MOCK, "[ai]\nmodel = \"x\"\n", "C022", 5, 1, "ai", "no such feature"),
    (MOCK, "[doors.rset]\nrate = 1\n", "C003", 5, 8, "doors.rset", "did you mean `rest`?"),
    (
        MOCK,
        "[[doors.rest.token]]\ntoken = \"sixteen-letters-at-least\"\nscopes = [\"reed\"]\n",
        "C006",
        7,
        11,
        "doors.rest.token[0].scopes[0]",
        "`read`?",
    ),
    (
        MOCK,
        "[[doors.rest.token]]\ntoken = \"sixteen-letters-at-least\"\nscopes = [\"read\"]\naccounts = [\"b\"]\n",
        "C015",
        8,
        13,
        "doors.rest.token[0].accounts[0]",
        "b",
    ),
    (
        MOCK,
        "[[doors.rest.token]]\ntoken = \"sixteen letters at least\"\nscopes = [\"read\"]\n",
        "C034",
        6,
        9,
        "doors.rest.token[0].token",
        "without spaces",
    ),
];

#[test]
fn each_file_is_told_with_its_place_its_key_and_what_was_expected() {
    let mut wrong = Vec::new();
    for (head, rest, code, line, column, key, words) in CASES {
        let folder = Folder::new(&format!("{head}{rest}"));
        let found: Vec<_> = match folder.load(&[]) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().filter(|problem| problem.code.as_str() == *code).collect(),
        };
        let is = found.first().is_some_and(|first| {
            let place = (first.line, first.column, first.key.as_deref().unwrap_or_default());
            place == (Some(*line), Some(*column), *key) && first.message().contains(words)
        });
        if !is {
            wrong.push(format!("{rest:?} wants {code} {line}:{column} {key} {words:?}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_text_and_what_is_too_large_is_told_with_the_file() {
    for (bytes, words) in [
        (b"\x00\xff\xfe\x01".repeat(8), "it is not UTF-8 (line 1)"),
        (vec![b'#'; (1 << 20) + 1], "it is larger than 1048576 bytes"),
    ] {
        let folder = Folder::new("");
        folder.write("BOT.toml", bytes);
        let found: Vec<_> = folder.load(&[]).expect_err(words).into_iter().collect();
        assert_eq!((found.len(), found[0].code.as_str()), (1, "C001"));
        assert!(found[0].file.is_some() && found[0].message().contains(words), "{}", found[0]);
    }
}

#[test]
fn brackets_without_end_are_survived() {
    for text in ["[".repeat(100_000), format!("x = {}", "[".repeat(20_000)), format!("x = {}", "{a=".repeat(20_000))] {
        let problems = Folder::new(&text).load(&[]).expect_err("no TOML");
        assert!(problems.iter().any(|problem| problem.code.as_str() == "C002"), "{problems}");
    }
}
