//! `wechaty token discover`: where a token's gateway is, as a third party tells, which learns the token by being asked.

use std::io::{BufRead, IsTerminal, Read, Write};

use serde_json::json;
use wechaty_catalogue::{Args, Lang, text};
use wechaty_puppet_service::{Discovery, DiscoveryError};

use crate::{args::DiscoverArgs, failure::Failure, output, token};

/// The longest answer that is read.
const LONGEST: u64 = 64;

pub(crate) fn run(args: DiscoverArgs, lang: Lang) -> Result<(), Failure> {
    let token = token::read(&args.token)?;
    token::split(&token)?;
    let discovery = Discovery::parse(args.authority.trim());
    let discovery = discovery.ok_or_else(|| Failure::usage("W138").set("authority", args.authority.trim()))?;
    let whom = Args::new().set("authority", discovery.authority());
    output::tell(&text(lang, "token-third-party", &whom));
    if !args.yes && !agreed(&text(lang, "token-send", &whom))? {
        return Err(Failure::usage("W133").set("authority", discovery.authority()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed("W109").source(&error))?;
    let found = runtime.block_on(discovery.ask(&token)).map_err(|error| failure(&discovery, &error))?;
    if args.json {
        let authority = discovery.authority();
        return output::json(
            &json!({ "authority": authority, "host": found.host, "ip": found.ip, "port": found.port }),
        );
    }
    let named = |name: &str, value: Option<String>| value.map(|value| format!("{name}: {value}\n")).unwrap_or_default();
    output::print(
        &(named("host", found.host) + &*named("ip", found.ip) + &*named("port", Some(found.port.to_string()))),
    )
}

/// Whether somebody at the terminal wants it; nobody there wants nothing.
pub(crate) fn agreed(question: &str) -> Result<bool, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(false);
    }
    let refused = |error: std::io::Error| Failure::failed("W111").source(&error);
    let mut out = std::io::stderr();
    write!(out, "{question} ").and_then(|()| out.flush()).map_err(refused)?;
    let mut answer = String::new();
    std::io::stdin().lock().take(LONGEST).read_line(&mut answer).map_err(refused)?;
    Ok(["y", "yes", "是", "好"].contains(&answer.trim().to_lowercase().as_str()))
}

fn failure(discovery: &Discovery, error: &DiscoveryError) -> Failure {
    let code = match error {
        DiscoveryError::Unknown { .. } => "W134",
        DiscoveryError::Tls(_) => "W136",
        DiscoveryError::Timeout => "W137",
        _ => "W135",
    };
    let failure = Failure::failed(code).set("authority", discovery.authority());
    match error {
        DiscoveryError::Unknown { .. } | DiscoveryError::Timeout => failure,
        // What stands around it is said above.
        DiscoveryError::Tls(source) | DiscoveryError::Down(source) => failure.source(&**source),
        error => failure.source(error),
    }
}
