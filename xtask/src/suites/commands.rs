//! What the commands of `wechaty` say to people, in both languages: errors with codes, help, `token`, `doctor`, `puppets`.

use anyhow::{Context as _, Result};

use super::{
    Report,
    cli::{
        Case,
        Expect::{Json, Lines, Nowhere, Refused, Stderr, Stdout, Success},
        run_cases,
    },
};
use crate::context::Context;

const ZH: &[(&str, &str)] = &[("LANG", "zh_CN.UTF-8")];
const EN: &[(&str, &str)] = &[];
/// The secret part of a token in the cases below.
const SECRET: &str = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

macro_rules! case {
    ($name:literal, $env:expr, [$($arg:literal),*], [$($expect:expr),*]) => {
        case!($name, $env, [$($arg),*] < &[], [$($expect),*])
    };
    ($name:literal, $env:expr, [$($arg:literal),*] < $stdin:expr, [$($expect:expr),*]) => {
        Case { name: $name, env: $env, args: &[$($arg),*], stdin: $stdin, seconds: 120, expect: &[$($expect),*] }
    };
}

const CASES: &[Case] = &[
    case!("help in English", EN, ["--help"], [Success, Stdout("Usage: wechaty"), Stdout("Commands:")]),
    case!(
        "help in Chinese by the locale",
        ZH,
        ["run", "--help"],
        [Success, Stdout("用法：wechaty run [选项]"), Stdout("选项："), Nowhere("Usage"), Nowhere("Options")]
    ),
    case!(
        "the flag wins over the locale",
        ZH,
        ["--lang", "en", "help", "token"],
        [Success, Stdout("Usage: wechaty token")]
    ),
    case!("no command is a refusal that helps", EN, [], [Refused, Lines(0), Stderr("Usage: wechaty")]),
    case!(
        "a misspelt flag",
        EN,
        ["run", "--recrod", "x"],
        [Refused, Stderr("[W120]"), Stderr("--record"), Stderr("fix: ")]
    ),
    case!(
        "a misspelt command, in Chinese",
        ZH,
        ["docter"],
        [Refused, Stderr("[W121]"), Stderr("doctor"), Stderr("解决办法：")]
    ),
    case!(
        "an unknown puppet, in Chinese",
        ZH,
        ["run", "--puppet", "terminl"],
        [Refused, Stderr("[W101]"), Stderr("`terminal`"), Stderr("mock"), Stderr("解决办法：")]
    ),
    case!("a world for people", EN, ["run", "--puppet", "terminal", "--world", "w.json"], [Refused, Stderr("[W106]")]),
    case!(
        "virtual time for people",
        EN,
        ["run", "--puppet", "terminal", "--clock", "virtual"],
        [Refused, Stderr("[W106]")]
    ),
    case!(
        "a record that cannot be written",
        EN,
        ["run", "--puppet", "terminal", "--record", "no/such/folder.jsonl"],
        [Refused, Stderr("[W104]"), Stderr("no/such/folder.jsonl")]
    ),
    case!(
        "a world that is no file names it",
        ZH,
        ["run", "--puppet", "mock", "--world", "nope.json"],
        [Refused, Stderr("[W103]"), Stderr("nope.json")]
    ),
    case!(
        "a log level that does not exist",
        &[("WECHATY_LOG", "verbos")],
        ["run"],
        [Refused, Stderr("[W114]"), Stderr("verbose")]
    ),
    case!(
        "explain, as the code was copied",
        ZH,
        ["explain", "[w106]"],
        [Success, Stdout("W106"), Stdout("原因："), Stdout("解决办法：")]
    ),
    case!(
        "explain of a configuration's fault",
        EN,
        ["explain", "C005"],
        [Success, Stdout("C005"), Stdout("cause: "), Stdout("fix: ")]
    ),
    case!("no configuration, in Chinese", ZH, ["config", "check"], [Refused, Stderr("[C001]"), Stderr("解决办法：")]),
    case!("no configuration, as JSON", EN, ["config", "check", "--json"], [Refused, Json, Stdout("\"C001\"")]),
    case!("the schema", EN, ["config", "schema"], [Success, Json, Stdout("\"plugin.ding-dong\"")]),
    case!("plugins", EN, ["plugin", "list"], [Success, Stdout("ding-dong: answers"), Stdout("[boolean]")]),
    case!("plugins, in Chinese", ZH, ["plugin", "list"], [Success, Stdout("ding-dong：收到"), Stdout("默认")]),
    case!("plugins as JSON", ZH, ["plugin", "list", "--json"], [Success, Json, Stdout("\"cooldown_seconds\"")]),
    case!("plugins of no file", EN, ["plugin", "check"], [Refused, Stderr("[C001]")]),
    case!("an account of nothing", ZH, ["account", "add"], [Refused, Stderr("[W123]"), Stderr("--puppet")]),
    case!("explain of nothing known", EN, ["explain", "W1O6"], [Refused, Stderr("[W130]"), Stderr("W106")]),
    case!(
        "puppets as a table",
        ZH,
        ["puppets"],
        [Success, Stdout("mock："), Stdout("建群"), Stdout("WECHATY_PUPPET_MOCK_WORLD")]
    ),
    case!(
        "puppets as JSON",
        EN,
        ["puppets", "--json"],
        [Success, Json, Stdout("\"room-create\""), Stdout("\"MiniProgram\"")]
    ),
    case!("a token is made", EN, ["token", "generate", "--sni", "School"], [Success, Lines(1), Stdout("school_")]),
    case!(
        "a token is explained, its secret is not shown",
        EN,
        ["token", "inspect", "-"] < &[(b"  insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed\n", 1)],
        [Success, Stdout("server name: insecure"), Stdout("warning"), Nowhere(SECRET)]
    ),
    case!(
        "a token without a name",
        ZH,
        ["token", "inspect", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"],
        [Refused, Stderr("[W131]"), Stderr("没有服务器名"), Nowhere(SECRET)]
    ),
    case!(
        "discovery says who would be told",
        EN,
        ["token", "discover", "uuid_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"],
        [Refused, Stderr("[W133]"), Stderr("third party"), Nowhere(SECRET)]
    ),
    case!(
        "doctor shows no secret",
        &[("WECHATY_TOKEN", SECRET), ("WECHATY_PUPPET_SERVICE_TOKN", SECRET)],
        ["doctor"],
        [
            Success,
            Stdout("WECHATY_TOKEN is set"),
            Stdout("did you mean WECHATY_PUPPET_SERVICE_TOKEN?"),
            Nowhere(SECRET)
        ]
    ),
    case!(
        "doctor as JSON, in Chinese",
        ZH,
        ["doctor", "--json"],
        [Success, Json, Stdout("\"ok\": true"), Stdout("可写")]
    ),
    case!("completions", EN, ["completions", "bash"], [Success, Stdout("_wechaty()")]),
    case!(
        "completions for no shell",
        EN,
        ["completions", "bish"],
        [Refused, Stderr("[W122]"), Stderr("possible: bash")]
    ),
    case!("a project needs a name", ZH, ["new", "客服"], [Refused, Stderr("[W141]"), Stderr("客服")]),
    case!("a project in an empty folder", EN, ["new", "."], [Success]),
    case!(
        "a measurement that would take no time",
        EN,
        ["bench", "core", "--seconds", "0"],
        [Refused, Stderr("[W115]")]
    ),
];

/// A folder that something else needs in a special state before the command runs.
fn broken_config(cx: &Context, wechaty: &std::path::Path) -> Result<Vec<String>> {
    use std::{process::Command, time::Duration};

    let folder = cx.scratch("commands-broken-config")?;
    std::fs::write(folder.join("BOT.toml"), "version = 1\napp_secret = \"s3cret\n")?;
    let mut faults = Vec::new();
    for (args, code, words) in [
        (&["doctor"][..], 1, "BOT.toml:2:"),
        (&["config", "check"], 2, "[C002]"),
        (&["new", "."], 2, "[W140]"),
        (&["run", "--puppet", "terminal", "--record", "."], 2, "[W104]"),
    ] {
        let mut command = Command::new(wechaty);
        command.current_dir(&folder).args(args).env("LANG", "C.UTF-8").env_remove("LC_ALL").env_remove("LC_MESSAGES");
        let done = crate::process::Job::new(command, Duration::from_secs(120)).run()?;
        let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        if done.code() != Some(code) || !told.contains(words) || told.contains("s3cret") {
            faults.push(format!("expected exit code {code} and `{words}`\n{}", done.report()));
        }
    }
    Ok(faults)
}

/// A BOT.toml, and what `wechaty config check` says about it: the exit code, and words that must be in each language.
struct Bot {
    name: &'static str,
    text: &'static str,
    exit: i32,
    both: &'static [&'static str],
    en: &'static str,
    zh: &'static str,
}

/// A good account, lines 1 to 4 of most files.
macro_rules! bot {
    ($name:literal, $rest:literal, $exit:literal, [$($both:literal),*], $en:literal, $zh:literal) => {
        Bot {
            name: $name,
            text: concat!("version = 1\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n", $rest),
            exit: $exit,
            both: &[$($both),*],
            en: $en,
            zh: $zh,
        }
    };
}

/// Nine ways to be wrong, and three that only look so.
const BOTS: &[Bot] = &[
    bot!(
        "an unknown key",
        "wrold = \"x\"\n",
        2,
        ["BOT.toml:5:1: [C003] account[0].wrold"],
        "did you mean `world`?",
        "是不是想写 `world`？"
    ),
    bot!(
        "a misspelt plugin",
        "[[plugin]]\nuse = \"dingdong\"\n",
        2,
        ["BOT.toml:6:7: [C011] plugin[0].use"],
        "there is no plugin `dingdong`; there are `auto-reply`, `ding-dong`",
        "是不是想写 `ding-dong`？"
    ),
    bot!(
        "a wrong type",
        "[pacing]\nburst = \"five\"\n",
        2,
        ["BOT.toml:6:9: [C005] pacing.burst"],
        "expected integer, found string",
        "应为 整数"
    ),
    bot!("a missing key", "[[plugin]]\nid = \"x\"\n", 2, ["BOT.toml:5:1: [C004] plugin[0].use"], "is missing", "缺少"),
    bot!(
        "a bad regular expression",
        "[[plugin]]\nuse = \"welcome\"\nrooms = { re = \"(VIP\" }\n",
        2,
        ["BOT.toml:7:16: [C018] plugin[0].rooms.re"],
        "this is no regular expression",
        "这不是正则表达式"
    ),
    Bot {
        name: "an unknown time zone",
        text: "version = 1\ntimezone = \"Asia/Shangai\"\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n",
        exit: 2,
        both: &["BOT.toml:2:12: [C017] timezone"],
        en: "did you mean `Asia/Shanghai`?",
        zh: "没有时区 `Asia/Shangai`；是不是想写 `Asia/Shanghai`？",
    },
    bot!(
        "an unset variable",
        "world = { env = \"NOBODY_SET_ME\" }\n",
        2,
        ["BOT.toml:5:9: [C019] account[0].world", "NOBODY_SET_ME"],
        "is not set",
        "没有设置"
    ),
    bot!(
        "the same id twice",
        "[[account]]\nid = \"a\"\npuppet = \"terminal\"\n",
        2,
        ["BOT.toml:6:6: [C014] account[1].id"],
        "first in line 3",
        "第一次出现在第 3 行"
    ),
    bot!(
        "a wrong path",
        "world = \"nope/world.json\"\n",
        2,
        ["BOT.toml:5:9: [C021] account[0].world", "nope/world.json"],
        "there is nothing at",
        "不存在"
    ),
    bot!("a tab", "\t[[plugin]]\n\tuse\t= \"ding-dong\"\t# a tab\n", 0, [], "1 account, 1 plugin", "没有问题"),
    Bot {
        name: "a byte order mark",
        text: "\u{feff}version = 1\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n",
        exit: 0,
        both: &[],
        en: "BOT.toml is fine: 1 account, 0 plugins",
        zh: "1 个账号",
    },
    Bot {
        name: "line ends of Windows",
        text: "version = 1\r\n[[account]]\r\nid = \"a\"\r\npuppet = \"mock\"\r\n",
        exit: 0,
        both: &[],
        en: "is fine",
        zh: "没有问题",
    },
];

/// Runs the command in a folder, in a language; gives what is wrong, and all it printed.
fn told(
    wechaty: &std::path::Path,
    folder: &std::path::Path,
    locale: &str,
    args: &[&str],
    exit: i32,
    words: &[&str],
) -> Result<Vec<String>> {
    use std::{process::Command, time::Duration};

    let mut command = Command::new(wechaty);
    command.current_dir(folder).args(args).env("LANG", locale).env_remove("LC_ALL").env_remove("LC_MESSAGES");
    for ours in ["WECHATY_PUPPET", "WECHATY_NAME", "WECHATY_PORT", "PORT"] {
        command.env_remove(ours);
    }
    let done = crate::process::Job::new(command, Duration::from_secs(120)).run()?;
    let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    let mut faults = Vec::new();
    if done.code() != Some(exit) {
        faults.push(format!("expected exit code {exit}\n{}", done.report()));
    }
    let missing = words.iter().filter(|word| !told.contains(**word));
    faults.extend(missing.map(|word| format!("expected `{word}`\n{}", done.report())));
    if told.contains("s3cret") {
        faults.push("a secret was printed".to_owned());
    }
    Ok(faults)
}

fn bots(cx: &Context, wechaty: &std::path::Path, bot: &Bot) -> Result<Vec<String>> {
    let name: String = bot.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = cx.scratch(&format!("commands-config-{name}"))?;
    std::fs::write(folder.join("BOT.toml"), bot.text)?;
    let mut faults = Vec::new();
    for (locale, word, fix) in [("C.UTF-8", bot.en, "fix: "), ("zh_CN.UTF-8", bot.zh, "解决办法：")] {
        let mut words = bot.both.to_vec();
        words.push(word);
        if bot.exit != 0 {
            words.push(fix);
        }
        faults.extend(told(wechaty, &folder, locale, &["config", "check"], bot.exit, &words)?);
    }
    Ok(faults)
}

/// An account is added, listed, and refused when it is there; both languages.
fn accounts(cx: &Context, wechaty: &std::path::Path) -> Result<Vec<String>> {
    let folder = cx.scratch("commands-accounts")?;
    let (en, zh) = ("C.UTF-8", "zh_CN.UTF-8");
    let mut faults = Vec::new();
    std::fs::write(folder.join("old.toml"), "version = 1\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n")?;
    // A port that was free a moment ago.
    let base = format!("api_base=http://{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let secret = "app_secret=s3cret";
    let add_lark =
        ["account", "add", "--puppet", "lark", "--id", "l", "--set", "app_id=x", "--set", secret, "--set", &base];
    let cases: [(&str, &[&str], i32, &[&str]); 15] = [
        (en, &["account", "list"], 2, &["[C001]", "BOT.toml", "fix: "]),
        (zh, &["account", "add", "--puppet", "mock", "--id", "a", "--set", "ids_only=true"], 0, &["已写入 BOT.toml"]),
        (en, &["account", "add", "--puppet", "mock", "--id", "a"], 2, &["[W201]", "`a`"]),
        (zh, &["account", "add", "--puppet", "mock", "--id", "b", "--set", "wrold=x"], 2, &["[W203]", "`world`"]),
        (en, &["account", "add", "--puppet", "mock", "--id", "b", "--set", "world=nope.json"], 2, &["[W103]"]),
        (en, &["account", "list"], 0, &["a: puppet mock", "ids_only = true"]),
        (zh, &["account", "list", "--json"], 0, &["\"ids_only\""]),
        (en, &["config", "check"], 0, &["1 account, 1 plugin"]),
        (zh, &["account", "add", "--puppet", "mock", "--id", "b", "--name", "x"], 2, &["[W202]", "BOT.toml"]),
        (zh, &["account", "add", "--puppet", "mock", "--id", "b"], 0, &["已写入 BOT.toml", "接下来：wechaty run\n"]),
        (
            en,
            &["account", "add", "old.toml", "--puppet", "mock", "--id", "b"],
            0,
            &["old.toml has no `name`", "no [[plugin]]"],
        ),
        (
            en,
            &["account", "add", "new.toml", "--puppet", "mock", "--id", "a", "--name", "x"],
            0,
            &["Next: wechaty run new.toml"],
        ),
        // Nobody is there: nothing is written, unless it is wanted unchecked.
        (zh, &[&add_lark[..], &["off.toml"]].concat(), 1, &["[W209]", "lark", "--no-check"]),
        (en, &["account", "list", "off.toml"], 2, &["[C001]"]),
        (en, &[&add_lark[..], &["off.toml", "--no-check"]].concat(), 0, &["`l` is in off.toml now"]),
    ];
    for (locale, args, exit, words) in cases {
        faults.extend(told(wechaty, &folder, locale, args, exit, words)?);
    }
    Ok(faults)
}

/// Runs every case on the built command.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    report.add(run_cases(cx, "commands", wechaty, CASES));
    let config = ("a folder that is not as it should be".to_owned(), broken_config(cx, wechaty));
    let bots = BOTS.iter().map(|bot| (format!("BOT.toml with {}", bot.name), bots(cx, wechaty, bot)));
    let accounts = ("accounts are added and listed".to_owned(), accounts(cx, wechaty));
    report.add(super::checked("commands-folder", [config, accounts].into_iter().chain(bots)));
    report.add(super::checked("commands-running", super::running::checks(cx, wechaty)));
    #[cfg(unix)]
    report.add(super::checked("commands-prompt", super::prompt::checks(cx, wechaty)));
    Ok(())
}
