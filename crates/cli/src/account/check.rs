//! Asks the messenger whether the credentials of a new account are good, before they are written down.

use std::time::Duration;

use wechaty::Clock;
use wechaty_puppet::{CheckError, Declaration, Settings, SettingsError, Words};

use crate::told;

/// How long a messenger may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the messenger said.
#[derive(Debug)]
pub(super) enum Checked {
    /// There was nothing to ask.
    Not,
    /// They are good: whose they are.
    Good(Words),
    /// It could not be asked, and why.
    Unknown(Words),
}

/// `Err`: the messenger does not take them.
pub(super) fn check(puppet: &Declaration, settings: &Settings) -> Result<Checked, SettingsError> {
    let Some(check) = puppet.check else { return Ok(Checked::Not) };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(Checked::Unknown(Words::io(&error))),
    };
    let clock = Clock::system();
    let answer = runtime.block_on(clock.timeout(PATIENCE, check(settings.clone(), clock.clone())));
    // What it left behind must not hold the command up.
    runtime.shutdown_background();
    match answer {
        Err(late) => Ok(Checked::Unknown(told::error(&late))),
        Ok(Ok(whose)) => Ok(whose.map_or(Checked::Not, Checked::Good)),
        Ok(Err(CheckError::Refused(refused))) => Err(refused),
        Ok(Err(unasked)) => Ok(Checked::Unknown(told::error(&unasked))),
    }
}
