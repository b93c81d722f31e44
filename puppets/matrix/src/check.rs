//! CHECK: whether credentials are good, asked of the homeserver.

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{CheckError, Clock, PuppetError, Result, Secret, Settings, SettingsError, Words};

use crate::{
    Options,
    error::{self, About},
    login::{named, who_is},
    options::{Login, NO_HOMESERVER},
    wire::{Wire, client},
};

const ABOUT: About<'_> = About { context: "checking the credentials", what: "account", id: "" };

/// Whose account the settings open. A token of single sign-on is good for one login, which is not for a check.
pub(crate) async fn check(settings: Settings, clock: Clock) -> Result<Option<Words>, CheckError> {
    let options = Options::read(&settings)?;
    let wire = Wire::new(client(&options)?, options.homeserver.clone(), clock);
    let (key, asked) = match &options.login {
        Login::Token(token) => {
            wire.set_token(Some(token.clone()));
            ("access_token", who_is(&wire, ABOUT).await)
        }
        Login::Password { user, password } => ("password", try_password(&wire, user, password).await),
        Login::Once(_) => return Ok(None),
    };
    let error = match asked {
        Ok(who) => return Ok(Some(Words::plain(named(&who, "user_id", ABOUT.context)?))),
        Err(error) => error,
    };
    if let Some(how) = error::stranger(&error) {
        let at = error::address(&options.homeserver);
        let file = format!("{at}/.well-known/matrix/client");
        let reason = NO_HOMESERVER.with("address", at).with("how", how).with("file", file);
        return Err(SettingsError::Invalid { key: "homeserver", reason }.into());
    }
    match error {
        PuppetError::Rejected { message, .. } => {
            Err(SettingsError::Invalid { key, reason: Words::plain(message) }.into())
        }
        PuppetError::NotLoggedIn => Err(SettingsError::Invalid { key, reason: Words::plain(error) }.into()),
        error => Err(error.into()),
    }
}

/// Logs in and out again: nothing else says whether a password is good.
async fn try_password(wire: &Wire, user: &str, password: &Secret) -> Result<Value> {
    let request = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": user },
        "password": password.tell(),
        "device_id": "WECHATYCHECK",
        "initial_device_display_name": "wechaty account add",
    });
    let who = wire.call(Method::POST, &["client", "v3", "login"], ABOUT).without_token().json(request).send().await?;
    named(&who, "user_id", ABOUT.context)?;
    wire.set_token(Some(Secret::new(named(&who, "access_token", ABOUT.context)?)));
    // What is left of it is a device that the next check takes over.
    if let Err(error) = wire.call(Method::POST, &["client", "v3", "logout"], ABOUT).json(json!({})).send().await {
        tracing::warn!(%error, "the session of a check could not be ended");
    }
    Ok(who)
}
