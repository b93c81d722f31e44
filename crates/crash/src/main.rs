//! CRASH: a bot killed at named points, a platform with its own book, and both books compared after each run.
//!
//! One program, three parts: `platform` and `bot` are processes that the third starts, kills and compares. Started by
//! `cargo xtask crash`; see there for the arguments.
#![allow(
    clippy::disallowed_methods,
    reason = "kills and bounds real child processes, so it needs the real clock; the bot's side takes the injected one"
)]

mod bot;
mod platform;
mod rng;
mod run;
mod sabotage;
mod through;

use std::process::ExitCode;

use anyhow::{Result, bail};
use through::Through;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match start(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// `Ok(false)`: it ran, and something is wrong.
fn start(args: &[String]) -> Result<bool> {
    match args {
        [part, settings] if part == "platform" => platform::run(serde_json::from_str(settings)?).map(|()| true),
        [part, settings] if part == "bot" => bot::run(&serde_json::from_str(settings)?).map(|()| true),
        _ => run::run(&arguments(args)?),
    }
}

fn arguments(args: &[String]) -> Result<run::Arguments> {
    let mut parsed = run::Arguments::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || match args.next() {
            Some(value) => Ok(value.as_str()),
            None => bail!("`{arg}` needs a value"),
        };
        match arg.as_str() {
            "--seeds" => parsed.seeds = Some(value()?.parse()?),
            "--seed" => parsed.seed = Some(value()?.parse()?),
            "--jobs" => parsed.jobs = Some(value()?.parse()?),
            "--point" => {
                let name = value()?;
                let Some(point) = run::point(name) else {
                    bail!("there is no point `{name}`; there are {}", run::points())
                };
                parsed.points.push(point);
            }
            "--sabotage" => {
                let name = value()?;
                let all: Vec<_> = sabotage::Sabotage::ALL.iter().map(|fault| fault.name()).collect();
                let Some(fault) = sabotage::Sabotage::named(name) else {
                    bail!("there is no sabotage `{name}`; there are {}", all.join(", "))
                };
                parsed.sabotage = Some(fault);
            }
            "--through" => {
                let name = value()?;
                let all: Vec<_> = Through::ALL.iter().map(|through| through.name()).collect();
                let Some(through) = Through::named(name) else {
                    bail!("there is no way `{name}` in this build; there are {}", all.join(", "))
                };
                parsed.through = through;
            }
            "--faults" => parsed.scenario = Some(run::Scenario::Faults),
            "--five-times" => parsed.scenario = Some(run::Scenario::FiveTimes),
            "--other-order" => parsed.scenario = Some(run::Scenario::OtherOrder),
            other => bail!("`crash` does not know `{other}`"),
        }
    }
    parsed.check()?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_understood_and_wrong_ones_named() {
        let parse = |line: &str| arguments(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let parsed = parse("--seeds 3 --point resume --seed 7 --sabotage drop-one").unwrap();
        assert_eq!((parsed.seeds, parsed.seed), (Some(3), Some(7)));
        assert_eq!(parsed.sabotage, Some(sabotage::Sabotage::DropOne));
        let fault = |line: &str| parse(line).err().expect("it is wrong").to_string();
        assert!(fault("--point resmue").contains("resume"));
        assert!(fault("--sabotage x").contains("drop-one"));
        assert!(fault("--seeds").contains("--seeds"));
        assert_eq!(parse("--through lark --seed 3").unwrap().through, Through::Lark);
        assert!(fault("--through smoke").contains("lark"));
        // Where keys are taken, what is found only without them cannot be found; the scenarios are the loopback's.
        assert!(fault("--through lark --sabotage forget-doubt").contains("loopback"));
        assert!(fault("--faults --through lark").contains("loopback"));
    }
}
