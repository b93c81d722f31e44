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
        Case { name: $name, env: $env, args: &[$($arg),*], stdin: $stdin, seconds: 30, expect: &[$($expect),*] }
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
        (&["doctor"][..], 1, "line 2"),
        (&["new", "."], 2, "[W140]"),
        (&["run", "--puppet", "terminal", "--record", "."], 2, "[W104]"),
    ] {
        let mut command = Command::new(wechaty);
        command.current_dir(&folder).args(args).env("LANG", "C.UTF-8").env_remove("LC_ALL").env_remove("LC_MESSAGES");
        let done = crate::process::Job::new(command, Duration::from_secs(30)).run()?;
        let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        if done.code() != Some(code) || !told.contains(words) || told.contains("s3cret") {
            faults.push(format!("expected exit code {code} and `{words}`\n{}", done.report()));
        }
    }
    Ok(faults)
}

/// Runs every case on the built command.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    report.add(run_cases(cx, "commands", wechaty, CASES));
    let config = ("a folder that is not as it should be".to_owned(), broken_config(cx, wechaty));
    report.add(super::checked("commands-folder", [config]));
    Ok(())
}
