//! Files that are wrong: each fault with its code, its line and its key, and all of them at once.

use wechaty_config::{Code, ConfigError};

use crate::support::{Folder, problems, told};

/// Lines 1 to 4 of every file here.
const HEAD: &str = "version = 1\n[[account]]\nid = \"shop\"\npuppet = \"mock\"\n";

/// The one problem of a file that begins with [`HEAD`].
fn one(rest: &str) -> ConfigError {
    let found = problems(&format!("{HEAD}{rest}"));
    assert_eq!(found.len(), 1, "{rest}\n{found:#?}");
    found.into_iter().next().unwrap()
}

fn is(problem: &ConfigError, code: &str, line: usize, column: usize, key: &str) {
    let found = (problem.code.as_str(), problem.line, problem.column, problem.key.as_deref());
    assert_eq!(found, (code, Some(line), Some(column), Some(key)), "{problem}");
}

#[test]
fn an_unknown_key_is_told_with_the_nearest() {
    let problem = one("wrold = \"x.json\"\n");
    is(&problem, "C003", 5, 1, "account[0].wrold");
    assert_eq!(problem.get("nearest"), Some("world"));
    let problem = one("[[plugin]]\nuse = \"ding-dong\"\nsettings = { dnig = \"x\" }\n");
    is(&problem, "C003", 7, 14, "plugin[0].settings.dnig");
    assert_eq!(problem.get("nearest"), Some("ding"));
    assert!(problem.message().starts_with("unknown key `dnig`; there are `contact`, `ding`,"), "{problem}");
    let problem = one("[pacng]\nburst = 1\n");
    is(&problem, "C003", 5, 2, "pacng");
    assert_eq!(problem.get("nearest"), Some("pacing"));
    let problem = one("[[plugin]]\nuse = \"welcome\"\nrooms = { regex = \"a\" }\n");
    is(&problem, "C003", 7, 11, "plugin[0].rooms.regex");
    assert_eq!(problem.get("nearest"), Some("re"));
}

#[test]
fn a_bad_time_is_told_where_it_stands_and_so_is_a_job_without_a_zone() {
    let job = |when: &str| format!("  {{ name = \"a\", cron = \"{when}\", say = \"x\", rooms = true }},\n");
    let file = |zone: &str, jobs: &str| {
        problems(&format!("{zone}{HEAD}[[plugin]]\nuse = \"schedule\"\nsettings.jobs = [\n{jobs}]\n"))
    };
    let zone = "timezone = \"Asia/Shanghai\"\n";
    let found = file(zone, &(job("0 9 * * MON-FRI") + &*job("0 25 * * *") + &*job("0 0 30 2 *")));
    assert_eq!(found.len(), 2, "{found:#?}");
    is(&found[0], "C031", 10, 24, "plugin[0].settings.jobs[1].cron");
    let told = "`0 25 * * *` is no cron expression: the hour cannot be `25`; it takes 0-23, `*`, ranges";
    assert!(found[0].message().starts_with(told), "{}", found[0]);
    is(&found[1], "C031", 11, 24, "plugin[0].settings.jobs[2].cron");
    assert!(found[1].message().ends_with("it is never due"), "{}", found[1]);
    let found = file("", &job("@daily"));
    is(&found[0], "C032", 8, 24, "plugin[0].settings.jobs[0].cron");
    assert!(found.len() == 1 && found[0].message().contains("`@daily`"), "{found:#?}");
    // A zone that there is not is one fault, not two; and what does not run needs none.
    let found = file("timezone = \"Mars/Base\"\n", &job("@daily"));
    assert!(found.len() == 1 && found[0].code.as_str() == "C017", "{found:#?}");
    let off = format!("{HEAD}[[plugin]]\nuse = \"schedule\"\nenabled = false\nsettings.jobs = [\n{}]\n", job("@daily"));
    assert!(problems(&off).is_empty());
}

#[test]
fn a_job_of_several_accounts_says_whose_it_is() {
    let file = |accounts: &str, plugin: &str, job: &str| {
        let accounts = accounts.split_whitespace().map(|id| format!("[[account]]\nid = \"{id}\"\npuppet = \"mock\"\n"));
        let accounts: String = accounts.collect();
        let job = format!("{{ name = \"a\", cron = \"@daily\", say = \"x\", rooms = true{job} }}");
        problems(&format!(
            "version = 1\ntimezone = \"UTC\"\n{accounts}[[plugin]]\nuse = \"schedule\"\n{plugin}settings.jobs = [{job}]\n"
        ))
    };
    assert!(file("a", "", "").is_empty() && file("a b", "", ", account = \"b\"").is_empty());
    assert!(file("a b", "accounts = \"b\"\n", "").is_empty());
    assert!(file("a b", "enabled = false\n", "").is_empty());
    let found = file("a b", "", "");
    is(&found[0], "C033", 11, 18, "plugin[0].settings.jobs[0]");
    assert!(found.len() == 1 && found[0].message().ends_with("there are `a`, `b`"), "{found:#?}");
    let found = file("a b", "", ", account = \"c\"");
    assert!(found.len() == 1 && found[0].code.as_str() == "C015", "{found:#?}");
    // Another than those the plugin is for would never hear of it.
    let found = file("a b", "accounts = [\"b\"]\n", ", account = \"a\"");
    assert!(found.len() == 1 && found[0].code.as_str() == "C015", "{found:#?}");
}

#[test]
fn a_misspelt_plugin_or_puppet_is_told_with_the_nearest() {
    let problem = one("[[plugin]]\nuse = \"dingdong\"\n");
    is(&problem, "C011", 6, 7, "plugin[0].use");
    assert_eq!(problem.get("nearest"), Some("ding-dong"));
    let found = problems("version = 1\n[[account]]\nid = \"a\"\npuppet = \"mokc\"\n");
    is(&found[0], "C009", 4, 10, "account[0].puppet");
    assert_eq!((found.len(), found[0].get("nearest")), (1, Some("mock")));
}

#[test]
fn a_puppet_that_is_not_built_in_is_told_with_the_command() {
    let found = problems("version = 1\n[[account]]\nid = \"a\"\npuppet = \"heavy\"\n");
    is(&found[0], "C010", 4, 10, "account[0].puppet");
    assert_eq!(found[0].get("command"), Some("cargo build --release -p wechaty-cli --features heavy-puppet"));
}

#[test]
fn what_could_never_work_is_refused() {
    let problem = one("[http]\nhosts = [\"bot.example.org\", \"https://bot.example.org/\"]\n");
    assert_eq!((problem.line, problem.key.as_deref()), (Some(6), Some("http.hosts[1]")), "{problem}");
    for [section, key] in [["http", "timeout"], ["inbox", "max_age"], ["inbox", "handler_timeout"]] {
        let problem = one(&format!("[{section}]\n{key} = 0\n"));
        assert_eq!((problem.code.as_str(), problem.get("expected")), ("C007", Some("> 0")), "{problem}");
        assert!(problems(&format!("{HEAD}[{section}]\n{key} = \"1ms\"\n")).is_empty(), "{key}");
    }
    let problem = one("[[plugin]]\nuse = \"ding-dong\"\nsettings = { dong = \"\" }\n");
    assert_eq!(problem.line, Some(7), "{problem}");
}

#[test]
fn a_wrong_type_is_told_with_the_right_one() {
    let problem = one("[pacing]\nburst = \"five\"\n");
    is(&problem, "C005", 6, 9, "pacing.burst");
    assert_eq!(problem.message(), "expected integer, found string");
    let problem = one("[[plugin]]\nuse = \"welcome\"\nsettings = { friend = 7 }\n");
    is(&problem, "C005", 7, 23, "plugin[0].settings.friend");
    assert_eq!(problem.get("expected"), Some("string | table"));
    is(&one("plugin = \"x\"\n[pacing]\n"), "C003", 5, 1, "account[0].plugin");
    let problem = problems("plugin = 1\nowners = \"a\"\nversion = \"1\"\n[[account]]\nid = \"a\"\npuppet = 1\n");
    assert_eq!(
        told(&problem),
        [
            ("C005".into(), 1, "plugin".into()),
            ("C005".into(), 2, "owners".into()),
            ("C005".into(), 3, "version".into()),
            ("C005".into(), 6, "account[0].puppet".into()),
        ]
    );
}

#[test]
fn a_value_out_of_its_choices_or_range_is_told_with_them() {
    let problem = one("[pacing]\nin_doubt = \"resned\"\n");
    is(&problem, "C006", 6, 12, "pacing.in_doubt");
    assert_eq!((problem.get("known"), problem.get("nearest")), (Some("`hold`, `resend`, `drop`"), Some("resend")));
    let problem = one("[[plugin]]\nuse = \"event-logger\"\nsettings.events = [\"login\", \"mesage\"]\n");
    is(&problem, "C006", 7, 29, "plugin[0].settings.events[1]");
    assert_eq!(problem.get("nearest"), Some("message"));
    is(&one("[pacing]\nattempts = 0\n"), "C007", 6, 12, "pacing.attempts");
    is(&one("[pacing]\nper_second = inf\n"), "C007", 6, 14, "pacing.per_second");
    is(&one("[pacing]\nburst = 5000000000\n"), "C007", 6, 9, "pacing.burst");
    is(&one("[pacing]\nkinds = { Image = 0 }\n"), "C007", 6, 19, "pacing.kinds.Image");
    let problem = one("[pacing]\nkinds = { Imgae = 1 }\n");
    is(&problem, "C003", 6, 11, "pacing.kinds.Imgae");
    assert_eq!(problem.get("nearest"), Some("Image"));
    is(&one("[http]\ntimeout = \"5 s\"\n"), "C026", 6, 11, "http.timeout");
}

#[test]
fn a_missing_key_is_told_where_it_belongs() {
    is(&problems("version = 1\n[[account]]\npuppet = \"mock\"\n")[0], "C004", 2, 1, "account[0].id");
    is(&one("[[plugin]]\nid = \"x\"\n"), "C004", 5, 1, "plugin[0].use");
    is(&problems("[[account]]\nid = \"a\"\npuppet = \"mock\"\n")[0], "C004", 1, 1, "version");
    let problem = one("[[plugin]]\nuse = \"auto-reply\"\nsettings.rules = [{ contains = \"a\" }]\n");
    is(&problem, "C004", 7, 19, "plugin[0].settings.rules[0].reply");
    assert_eq!(problem.get("expected"), Some("string | array"));
    let problem = &problems("version = 1\n[[account]]\nid = \"a\"\n")[0];
    is(problem, "C004", 2, 1, "account[0].puppet");
    assert!(problem.get("expected").is_some_and(|names| names.contains("`mock`") && names.contains("`webchat`")));
    is(&problems("version = 1\n")[0], "C023", 1, 1, "account");
    is(&problems("version = 2\naccount = []\n")[0], "C008", 1, 11, "version");
}

#[test]
fn a_missing_setting_is_told_with_its_variables_and_its_docs() {
    let found = problems("version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\n");
    is(&found[0], "C012", 2, 1, "account[0]");
    assert_eq!(
        found[0].message(),
        "puppet `shop` needs `app_secret` (a setting of the tests): set it here, or in the environment as \
         SHOP_APP_SECRET, SHOP_SECRET; see https://example.invalid/shop"
    );
}

#[test]
fn a_bad_regular_expression_is_told() {
    let problem = one("[[plugin]]\nuse = \"welcome\"\nrooms = [\"a\", { re = \"(VIP\" }]\n");
    is(&problem, "C018", 7, 22, "plugin[0].rooms[1].re");
    assert_eq!(problem.message(), "this is no regular expression: unclosed group");
    is(
        &one("[[plugin]]\nuse = \"ding-dong\"\n[plugin.settings]\nding.re = '[z-a]'\n"),
        "C018",
        8,
        11,
        "plugin[0].settings.ding.re",
    );
    let rule = "[[plugin]]\nuse = \"auto-reply\"\n[[plugin.settings.rules]]\nre = '*'\nreply = \"x\"\n";
    is(&one(rule), "C018", 8, 6, "plugin[0].settings.rules[0].re");
}

#[test]
fn an_unknown_zone_is_told_with_the_nearest() {
    let zone = |name: &str| problems(&format!("timezone = \"{name}\"\n{HEAD}")).remove(0);
    is(&zone("Asia/Shangai"), "C017", 1, 12, "timezone");
    assert_eq!(zone("Asia/Shangai").get("nearest"), Some("Asia/Shanghai"));
    assert_eq!(zone("Europe/Shanghai").get("nearest"), Some("Asia/Shanghai"));
    assert_eq!(zone("Asia/Beijing").get("nearest"), Some("Asia/Shanghai"));
    assert_eq!(zone("Mars/Olympus").get("nearest"), None, "nothing is near");
    assert_eq!(zone("GMT+8").code, Code::UnknownZone);
}

#[test]
fn an_unset_variable_and_a_missing_file_are_told() {
    let account = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\n";
    let found =
        problems(&format!("{account}app_id = {{ env = \"NOBODY_SET_ME\" }}\napp_secret = {{ file = \"gone.txt\" }}\n"));
    is(&found[0], "C019", 5, 10, "account[0].app_id");
    is(&found[1], "C020", 6, 14, "account[0].app_secret");
    assert_eq!((found.len(), found[0].get("name")), (2, Some("NOBODY_SET_ME")));
    let found = problems(&format!(
        "{account}app_id = {{ evn = \"X\" }}\napp_secret = {{}}\ntoken = {{ env = \"A\", file = \"b\" }}\n"
    ));
    is(&found[0], "C003", 5, 12, "account[0].app_id.evn");
    assert!(found[1..].iter().any(|problem| problem.line == Some(6)) && found[1..].iter().any(|p| p.line == Some(7)));
}

#[test]
fn the_same_id_twice_is_told_with_the_first() {
    let problem = one("[[account]]\nid = \"shop\"\npuppet = \"terminal\"\n");
    is(&problem, "C014", 6, 6, "account[1].id");
    assert_eq!(problem.message(), "`shop` is given twice, first in line 3");
    let problem = one("[[plugin]]\nuse = \"ding-dong\"\n[[plugin]]\nuse = \"ding-dong\"\n");
    is(&problem, "C014", 8, 7, "plugin[1].use");
}

#[test]
fn a_wrong_path_is_told() {
    let problem = one("world = \"worlds/gone.json\"\n");
    is(&problem, "C021", 5, 9, "account[0].world");
    assert!(problem.get("path").unwrap().ends_with("gone.json"));
    let folder = Folder::new(&format!("{HEAD}world = {{ env = \"WORLD\" }}\n"));
    let found: Vec<_> = folder.load(&[("WORLD", "gone.json")]).unwrap_err().into_iter().collect();
    assert_eq!((found[0].code, found[0].key.as_deref()), (Code::NoSuchPath, Some("account[0].world")));
    assert_eq!((&found[0].file, found[0].variable.as_deref()), (&None, Some("WORLD")));
    assert_eq!(found[0].get("path"), folder.path().join("gone.json").to_str());
    assert!(found[0].to_string().starts_with("$WORLD: C021 account[0].world: "), "{}", found[0]);
    is(&one("[store]\npath = \"gone\"\n"), "C021", 6, 8, "store.path");
    let folder = Folder::new(&format!("{HEAD}world = \"world.json\"\n"));
    folder.write("world.json", "{ \"version\": 1, ");
    let found: Vec<_> = folder.load(&[]).unwrap_err().into_iter().collect();
    is(&found[0], "C013", 5, 9, "account[0].world");
}

#[test]
fn a_fault_that_comes_from_the_environment_file_is_told_there_with_the_key() {
    let folder = Folder::new(&format!("{HEAD}world = {{ env = \"WORLD\" }}\n"));
    folder.write(".env", "# where it is\n  WORLD=gone.json\nPORT=many\n");
    let found: Vec<_> = folder.load(&[]).unwrap_err().into_iter().collect();
    is(&found[0], "C021", 2, 3, "account[0].world");
    assert_eq!(
        (found[0].file.clone(), found[0].variable.as_deref()),
        (Some(folder.path().join(".env")), Some("WORLD"))
    );
    assert_eq!(
        (found[1].code, found[1].line, found[1].variable.as_deref()),
        (Code::BadVariable, Some(3), Some("PORT"))
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    // What the process says comes first, and is not in the file.
    let found: Vec<_> = folder.load(&[("WORLD", "nowhere.json"), ("PORT", "80")]).unwrap_err().into_iter().collect();
    assert_eq!((&found[0].file, found.len()), (&None, 1));
}

#[test]
fn a_value_from_a_file_is_told_with_that_file() {
    let folder = Folder::new(&format!("{HEAD}world = {{ file = \"where.txt\" }}\n"));
    folder.write("where.txt", "gone.json\n");
    let found: Vec<_> = folder.load(&[]).unwrap_err().into_iter().collect();
    assert_eq!((found[0].code, &found[0].file), (Code::NoSuchPath, &Some(folder.path().join("where.txt"))));
    assert_eq!((found[0].key.as_deref(), found.len()), (Some("account[0].world"), 1));
}

#[test]
fn with_an_unknown_puppet_or_plugin_the_other_keys_are_checked_too() {
    let found = problems(
        "version = 1\n[[account]]\npuppet = \"mokc\"\nid = \"a b\"\npacing = { brust = 1 }\nadopt_identity = 7\n\
         [[account]]\npuppet = \"mokc\"\n[[plugin]]\nuse = \"dingdong\"\nenabled = \"yes\"\nrooms = { re = \"(\" }\n",
    );
    let expected = [
        ("C009", 3, "account[0].puppet"),
        ("C026", 4, "account[0].id"),
        ("C003", 5, "account[0].pacing.brust"),
        ("C005", 6, "account[0].adopt_identity"),
        ("C004", 7, "account[1].id"),
        ("C009", 8, "account[1].puppet"),
        ("C011", 10, "plugin[0].use"),
        ("C005", 11, "plugin[0].enabled"),
        ("C018", 12, "plugin[0].rooms.re"),
    ];
    assert_eq!(told(&found), expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned())));
}

#[test]
fn tabs_boms_and_line_ends_are_fine_and_places_right_behind_them() {
    let found = problems("\u{feff}version\t=\t1\r\n[[account]]\r\n\tid\t=\t\"a\"\r\n\tpuppet = \"mokc\"\r\n");
    is(&found[0], "C009", 4, 11, "account[0].puppet");
    assert_eq!(found.len(), 1);
    is(&problems("\u{feff}vesion = 1\r\n")[0], "C003", 1, 1, "vesion");
    let chinese =
        problems("version = 1 # 版本\nname = \"名\u{2003}字\"\n[[account]]\nid = \"店\"\npuppet = \"mock\"\n");
    is(&chinese[0], "C026", 2, 8, "name");
    assert_eq!(chinese.len(), 1);
}

#[test]
fn what_is_no_toml_is_told_with_what_is_sure() {
    let found = problems("version = 1\nnmae = \"x\"\n[[account]\nid = \"a\npuppet = \"mock\"\n");
    assert!(found.len() >= 2, "{found:#?}");
    is(&found[0], "C003", 2, 1, "nmae");
    assert!(found[1..].iter().all(|problem| problem.code == Code::Syntax && problem.line >= Some(3)), "{found:#?}");
    let two = problems(&format!("a = \n{HEAD}world = \"x\nids_only = ?\n"));
    assert!(two.len() >= 2 && two.iter().all(|problem| problem.code == Code::Syntax), "{two:#?}");
    let twice = problems(&format!("{HEAD}id = \"b\"\n"));
    assert_eq!((twice[0].code, twice[0].line), (Code::Syntax, Some(5)), "{twice:#?}");
}

#[test]
fn accounts_that_are_not_there_are_told() {
    let found = problems(&format!(
        "owners = [\"shop:a\", \"shpo:b\", \"c\"]\n{HEAD}[[plugin]]\nuse = \"welcome\"\naccounts = [\"shop\", \"school\"]\n[[plugin]]\nuse = \"ding-dong\"\naccounts = \"shopp\"\n"
    ));
    let keys = told(&found);
    let expected = [
        ("C015", 1, "owners[1]"),
        ("C016", 1, "owners[2]"),
        ("C015", 8, "plugin[0].accounts[1]"),
        ("C015", 11, "plugin[1].accounts"),
    ];
    assert_eq!(keys, expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned())));
    assert_eq!((found[0].get("nearest"), found[3].get("nearest")), (Some("shop"), Some("shop")));
}

#[test]
fn an_account_with_an_unknown_puppet_can_still_be_named() {
    let found = problems(
        "version = 1\n[[account]]\nid = \"a\"\npuppet = \"mokc\"\n[[plugin]]\nuse = \"welcome\"\naccounts = [\"a\"]\n",
    );
    assert_eq!(told(&found), [("C009".to_owned(), 4, "account[0].puppet".to_owned())]);
}

#[test]
fn sections_of_later_versions_are_told() {
    let found = problems(&format!("{HEAD}[doors.mcp]\ntoken = \"x\"\n[ai]\nmodel = \"m\"\n"));
    assert_eq!(
        told(&found).iter().map(|(code, line, _)| (code.as_str(), *line)).collect::<Vec<_>>(),
        [("C022", 5), ("C022", 7)]
    );
    assert_eq!(found[0].message(), "[doors.mcp] is not there yet: this version of Wechaty has no such feature");
}

#[test]
fn an_open_door_elsewhere_than_on_loopback_is_refused() {
    let text = |token: &str, listen: &str| {
        format!(
            "version = 1\n[http]\nlisten = \"{listen}\"\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\napp_secret = \"2\"\n{token}"
        )
    };
    let found = problems(&text("", "0.0.0.0:8080"));
    is(&found[0], "C025", 3, 10, "http.listen");
    assert!(problems(&text("token = \"t\"\n", "0.0.0.0:8080")).is_empty());
    assert!(problems(&text("", "[::1]:0")).is_empty());
    let proxied =
        |name: &str| text("", "127.0.0.1:8080").replace("[[account]]", &format!("hosts = [\"{name}\"]\n[[account]]"));
    is(&problems(&proxied("bot.example"))[0], "C025", 4, 9, "http.hosts");
    assert!(problems(&proxied("localhost")).is_empty());
    is(&problems(&text("", "localhost"))[0], "C024", 3, 10, "http.listen");
}

#[test]
fn what_only_the_plugin_knows_is_told() {
    let problem = one("[[plugin]]\nuse = \"auto-reply\"\nsettings = { rules = [{ reply = \"x\" }] }\n");
    is(&problem, "C027", 7, 12, "plugin[0].settings");
    assert_eq!(problem.get("reason"), Some("a rule needs exactly one of `contains`, `equals` and `re`"));
}

#[test]
fn everything_is_told_at_once_in_the_order_of_the_file() {
    let text = r#"version = 3
tmezone = "UTC"
owners = ["nobody:x"]
[[account]]
id = "a b"
puppet = "mock"
ids_only = "yes"
[[plugin]]
use = "wellcome"
[[plugin]]
use = "welcome"
rooms = { re = "(" }
settings = { cooldown_seconds = -1 }
[http]
listen = "here"
connections = 0
[ai]
"#;
    let found = problems(text);
    let codes: Vec<_> = found.iter().map(|problem| (problem.line.unwrap(), problem.code.as_str())).collect();
    let expected = [
        (1, "C008"),
        (2, "C003"),
        (3, "C015"),
        (5, "C026"),
        (7, "C005"),
        (9, "C011"),
        (12, "C018"),
        (13, "C007"),
        (15, "C024"),
        (16, "C007"),
        (17, "C022"),
    ];
    assert_eq!(codes, expected, "{found:#?}");
}

#[test]
fn every_wrong_setting_of_every_account_is_told_though_puppets_stop_at_the_first() {
    let text = r#"version = 1
[[account]]
id = "a"
puppet = "lark"
app_id = "cli_1"
domain = "dingtalk"
api_base = "http://open.feishu.cn"
mode = "smoke"
tenant_key = "company"
media_limit = 0
replay_window = "soon"
[[account]]
id = "b"
puppet = "service"
endpoint = "no host!"
authority = " / "
tls_ca_cert = "x"
[[account]]
id = "c"
puppet = "service"
token = "nameless"
endpoint = ":"
[[account]]
id = "d"
puppet = "shop"
token = "bad"
app_secret = "bad, too"
[[account]]
id = "e"
puppet = "lark"
app_id = "cli_2"
app_secret = { env = "NOBODY_SET_ME" }
mode = "webhook"
domain = "x"
"#;
    let found = problems(text);
    let expected = [
        ("C013", 2, "account[0].app_secret"),
        ("C013", 6, "account[0].domain"),
        ("C013", 7, "account[0].api_base"),
        ("C006", 8, "account[0].mode"),
        ("C013", 10, "account[0].media_limit"),
        ("C005", 11, "account[0].replay_window"),
        ("C012", 12, "account[1]"),
        ("C013", 15, "account[1].endpoint"),
        ("C013", 16, "account[1].authority"),
        ("C013", 17, "account[1].tls_ca_cert"),
        ("C013", 21, "account[2].token"),
        ("C013", 22, "account[2].endpoint"),
        ("C012", 23, "account[3]"),
        ("C013", 26, "account[3].token"),
        ("C013", 27, "account[3].app_secret"),
        ("C019", 32, "account[4].app_secret"),
        ("C013", 33, "account[4].mode"),
        ("C013", 34, "account[4].domain"),
    ];
    let expected = expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned()));
    assert_eq!(told(&found), expected, "{found:#?}");
}

#[test]
fn one_fault_hides_no_other_that_can_be_known() {
    let text = r#"version = 1
[[account]]
id = "a"
puppet = "mock"
world = "gone.json"
wrold = "x"
[[doors.gateway.token]]
account = "b"
token = 7
[[doors.gateway.token]]
account = "a"
token = "no name"
[[doors.rest.token]]
token = "short"
scopes = ["raed"]
accounts = ["b"]
[[doors.rest.token]]
token = "sixteen letters, with spaces"
scopes = ["read"]
[[doors.webhook]]
id = "a b"
url = "ftp://example.com"
secret = "x"
accounts = "c"
timeout = true
[[plugin]]
use = "auto-reply"
settings = { rules = [{ contains = 1, reply = "x", lang = 2 }] }
"#;
    let expected = [
        ("C021", 5, "account[0].world"),
        ("C003", 6, "account[0].wrold"),
        ("C015", 8, "doors.gateway.token[0].account"),
        ("C005", 9, "doors.gateway.token[0].token"),
        ("C013", 12, "doors.gateway.token[1].token"),
        ("C007", 14, "doors.rest.token[0].token"),
        ("C006", 15, "doors.rest.token[0].scopes[0]"),
        ("C015", 16, "doors.rest.token[0].accounts[0]"),
        ("C034", 18, "doors.rest.token[1].token"),
        ("C026", 21, "doors.webhook[0].id"),
        ("C013", 22, "doors.webhook[0].url"),
        ("C013", 23, "doors.webhook[0].secret"),
        ("C015", 24, "doors.webhook[0].accounts"),
        ("C005", 25, "doors.webhook[0].timeout"),
        ("C005", 28, "plugin[0].settings.rules[0].contains"),
        ("C003", 28, "plugin[0].settings.rules[0].lang"),
    ];
    let expected = expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned()));
    assert_eq!(told(&problems(text)), expected);
    // What cannot be read takes only what is behind it along, and what may be there.
    let cut = problems(&(text.to_owned() + "owners = [\"z:x\n"));
    let known: Vec<_> = expected.iter().filter(|(code, ..)| code != "C015").cloned().collect();
    let (syntax, before): (Vec<_>, Vec<_>) = told(&cut).into_iter().partition(|(code, ..)| code == "C002");
    assert_eq!(before, known);
    assert!(!syntax.is_empty() && syntax.iter().all(|(_, line, _)| *line == 29), "{syntax:?}");
}

#[test]
fn a_puppet_tells_all_its_settings_that_it_cannot_take() {
    let shop = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\n";
    let found = problems(&format!("{shop}token = \"bad\"\napp_id = \"1\"\napp_secret = \"bad\"\n"));
    let expected = [("C013", 5, "account[0].token"), ("C013", 7, "account[0].app_secret")];
    assert_eq!(told(&found), expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned())));
}

#[test]
fn a_variable_of_the_wrong_kind_is_told_without_its_value() {
    let folder =
        Folder::new("version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\napp_secret = \"2\"\n");
    let found = folder.load(&[("SHOP_RETRIES", "canary"), ("PORT", "canary")]).unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|problem| problem.code == Code::BadVariable) && !found.to_string().contains("canary"));
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_told() {
    let folder = Folder::new("");
    let gone = wechaty_config::Config::load(folder.path().join("gone.toml"), &wechaty_config::Env::of([("", "")]));
    assert_eq!(gone.unwrap_err().iter().next().unwrap().code, Code::Unreadable);
    folder.write("BOT.toml", b"a = \"\xff\"");
    let found = folder.load(&[]).unwrap_err();
    assert!(found.to_string().contains("it is not UTF-8 (line 1)"), "{found}");
    folder.write("BOT.toml", vec![b'#'; (1 << 20) + 1]);
    assert!(folder.load(&[]).unwrap_err().to_string().contains("larger than"));
}

#[test]
fn a_line_that_is_no_variable_is_told_and_not_shown() {
    let folder = Folder::new(&format!("{HEAD}[store]\npath = \".\"\n"));
    folder.write(".env", "A=1\nexport canary\n");
    let found = folder.load(&[]).unwrap_err();
    let problem = found.iter().next().unwrap();
    assert_eq!((found.len(), problem.code, problem.line), (1, Code::BadEnvLine, Some(2)));
    assert!(problem.file.as_ref().unwrap().ends_with(".env") && !found.to_string().contains("canary"));
}

#[test]
fn names_cannot_steer_the_terminal() {
    let found = problems(&format!("{HEAD}\"a\\u001b[2Jb\\u202e\" = 1\n"));
    assert_eq!(found[0].code, Code::UnknownKey);
    assert!(!found[0].to_string().contains(['\u{1b}', '\u{202e}']), "{}", found[0]);
}
