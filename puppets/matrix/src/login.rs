//! LOGIN: the session that is kept, or a new one; the same device through restarts.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use wechaty_puppet::{BoxError, LogoutEvent, PuppetContext, PuppetError, Result, Secret};

use crate::{
    Options,
    convert::text,
    error::{self, About},
    options::Login,
    wire::{Lost, Wire, client},
};

const SESSION: &str = "session";
/// Chosen before the login, so that one whose answer is lost is the same device when it comes again.
const DEVICE: &str = "device";
const CHECK: About<'_> = About { context: "checking the session", what: "account", id: "" };
const LOGIN: About<'_> = About { context: "logging in", what: "account", id: "" };

/// Who is logged in, and by which device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) access_token: String,
    /// When it was made, in milliseconds since 1970: what was sent before, another device may have sent.
    #[serde(default)]
    pub(crate) made: i64,
    /// What it was made from: other settings make another one.
    made_from: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user_id", &self.user_id)
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

fn store(source: BoxError) -> PuppetError {
    PuppetError::Accept(wechaty_puppet::AcceptError::Store(source))
}

/// Names homeserver and credentials without holding them.
fn made_from(options: &Options) -> String {
    let credential = match &options.login {
        Login::Token(token) => format!("token\n{}", token.tell()),
        Login::Password { user, .. } => format!("password\n{user}"),
        Login::Once(token) => format!("once\n{}", token.tell()),
    };
    blake3::hash(format!("{}\n{credential}", options.homeserver).as_bytes()).to_hex()[..32].to_owned()
}

/// A way to the homeserver with a session that it knows.
pub(crate) async fn open(options: &Options, cx: &PuppetContext) -> Result<(Wire, Session)> {
    let http = client(options)?;
    let stranger = |error| error::of_login(error, CHECK.context, &options.homeserver);
    let wire = || Wire::new(http.clone(), options.homeserver.clone(), cx.clock().clone());
    let kept = cx.session().get(SESSION).await.map_err(store)?;
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Session>(&bytes).ok());
    let made_from = made_from(options);
    if let Some(session) = kept.filter(|session| session.made_from == made_from) {
        let wire = wire();
        wire.set_token(Some(Secret::new(&session.access_token)));
        match who_is(&wire, CHECK).await {
            Ok(_) => return Ok((wire, session)),
            Err(error) => match wire.lost() {
                Some(lost) => forget(options, cx, &session, &lost).await?,
                None => return Err(stranger(error)),
            },
        }
    }
    let wire = wire();
    let session = match &options.login {
        Login::Token(token) => {
            wire.set_token(Some(token.clone()));
            let who = who_is(&wire, CHECK).await.map_err(|error| match wire.lost() {
                Some(lost) => PuppetError::LoginRefused { reason: lost.reason },
                None => stranger(error),
            })?;
            session(&who, token.tell(), made_from, cx)?
        }
        Login::Password { user, password } => {
            let identifier = json!({ "type": "m.id.user", "user": user });
            let request = json!({ "type": "m.login.password", "identifier": identifier, "password": password.tell() });
            log_in(&wire, options, cx, request, made_from).await?
        }
        Login::Once(token) => {
            let request = json!({ "type": "m.login.token", "token": token.tell() });
            log_in(&wire, options, cx, request, made_from).await?
        }
    };
    let bytes = serde_json::to_vec(&session).map_err(|error| store(error.into()))?;
    cx.session().set(SESSION, Some(bytes.into())).await.map_err(store)?;
    Ok((wire, session))
}

/// Whose token it is.
pub(crate) async fn who_is(wire: &Wire, about: About<'_>) -> Result<Value> {
    let who = wire.call(Method::GET, &["client", "v3", "account", "whoami"], about).send().await?;
    named(&who, "user_id", about.context)?;
    Ok(who)
}

/// What a homeserver names in its answer.
pub(crate) fn named<'a>(answer: &'a Value, key: &str, context: &'static str) -> Result<&'a str> {
    text(answer, &[key]).ok_or_else(|| PuppetError::Protocol { context, detail: format!("it names no {key}") })
}

fn session(answer: &Value, token: &str, made_from: String, cx: &PuppetContext) -> Result<Session> {
    Ok(Session {
        user_id: named(answer, "user_id", LOGIN.context)?.to_owned(),
        // Tokens of application services and administrators may have no device.
        device_id: text(answer, &["device_id"]).unwrap_or("WECHATY").to_owned(),
        access_token: token.to_owned(),
        made: cx.clock().wall().as_millis(),
        made_from,
    })
}

async fn log_in(
    wire: &Wire,
    options: &Options,
    cx: &PuppetContext,
    mut request: Value,
    made_from: String,
) -> Result<Session> {
    let kept = cx.session().get(DEVICE).await.map_err(store)?;
    let device = match kept.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()) {
        Some(device) => device,
        None => {
            let device = Uuid::new_v4().simple().to_string()[..10].to_uppercase();
            cx.session().set(DEVICE, Some(device.clone().into())).await.map_err(store)?;
            device
        }
    };
    request["device_id"] = device.into();
    request["initial_device_display_name"] = options.device_name.clone().into();
    let answer = wire.call(Method::POST, &["client", "v3", "login"], LOGIN).without_token().json(request).send().await;
    let made =
        answer.and_then(|answer| session(&answer, named(&answer, "access_token", LOGIN.context)?, made_from, cx));
    let made = made.map_err(|error| match error::of_login(error, LOGIN.context, &options.homeserver) {
        PuppetError::Rejected { code, message } => PuppetError::LoginRefused { reason: format!("{code}: {message}") },
        PuppetError::NotLoggedIn => {
            PuppetError::LoginRefused { reason: "the homeserver does not know this login".into() }
        }
        error => error,
    })?;
    wire.set_token(Some(Secret::new(&made.access_token)));
    Ok(made)
}

/// A session that the homeserver does not know any more: told, and forgotten. A password makes another one; else somebody
/// has to act.
pub(crate) async fn forget(options: &Options, cx: &PuppetContext, session: &Session, lost: &Lost) -> Result<()> {
    cx.session().set(SESSION, None).await.map_err(store)?;
    if !lost.soft {
        cx.session().set(DEVICE, None).await.map_err(store)?;
    }
    let told = LogoutEvent { contact_id: session.user_id.clone().into(), data: Some(lost.reason.clone()) };
    cx.accept(wechaty_puppet::EventPayload::from(told)).await?;
    match options.login {
        Login::Password { .. } => Ok(()),
        _ => Err(PuppetError::LoginRefused { reason: lost.reason.clone() }),
    }
}

/// Forgets the session after a logout.
pub(crate) async fn drop_session(cx: &PuppetContext) -> Result<()> {
    cx.session().set(SESSION, None).await.map_err(store)?;
    cx.session().set(DEVICE, None).await.map_err(store)
}
