//! SDK: matrix-sdk behind a small surface: it asks for what is new, and reads and writes what is encrypted. What comes out
//! is plain JSON.

use std::time::Duration;

#[cfg(feature = "e2ee")]
use matrix_sdk::store::StateStoreDataKey;
use matrix_sdk::{
    AuthSession, Client, SessionMeta, SessionTokens,
    authentication::matrix::MatrixSession,
    config::{RequestConfig, SyncSettings, SyncToken},
    ruma::{
        OwnedDeviceId, UserId,
        api::{
            client::{filter::FilterDefinition, sync::sync_events::v3::Filter},
            error::{ErrorKind, FromHttpResponseError, RetryAfter},
        },
        serde::Raw,
    },
};
use serde_json::{Value, json};
use wechaty_puppet::{BoxError, PuppetError, Result};

use crate::{
    Options,
    convert::{below, text},
    error::About,
    login::Session,
    wire::{Lost, TIMEOUT, Wire},
};

const CONTEXT: &str = "listening to the homeserver";
/// Events of a room in one answer; what is more is fetched.
const TIMELINE: u32 = 100;
/// The first answer of a large account takes its time.
const FIRST: Duration = Duration::from_secs(300);

/// What is new.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) next_batch: String,
    pub(crate) account_data: Vec<Value>,
    /// Rooms in which the account is.
    pub(crate) joined: Vec<Room>,
    /// Rooms that it left, or was removed from.
    pub(crate) left: Vec<Room>,
    /// Rooms to which it is invited, with the few states that come along.
    pub(crate) invited: Vec<(String, Vec<Value>)>,
    /// What was said to this device, in the clear.
    #[cfg(feature = "e2ee")]
    pub(crate) to_device: Vec<Value>,
}

/// What is new in a room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) id: String,
    /// Whether something before the events was left out.
    pub(crate) limited: bool,
    pub(crate) prev_batch: Option<String>,
    pub(crate) events: Vec<Value>,
    /// States that changed in what was left out.
    pub(crate) states: Vec<Value>,
    pub(crate) ephemeral: Vec<Value>,
}

/// The SDK's client.
#[derive(Clone)]
pub(crate) struct Sdk {
    client: Client,
    e2ee: bool,
}

fn failed(error: impl Into<BoxError>) -> PuppetError {
    PuppetError::Transport { context: CONTEXT, source: error.into() }
}

fn json_of<T>(raw: &Raw<T>) -> Option<Value> {
    // Nested deeper than anybody nests: left out, and the others stay.
    serde_json::from_str(raw.json().get()).inspect_err(|error| tracing::warn!(%error, "an event is left out")).ok()
}

impl Sdk {
    /// A client with the session restored.
    pub(crate) async fn open(options: &Options, wire: &Wire, session: &Session) -> Result<Self> {
        let config = RequestConfig::new().disable_retry().timeout(TIMEOUT);
        let builder = Client::builder()
            .homeserver_url(&options.homeserver)
            .http_client(wire.http().clone())
            .respect_login_well_known(false)
            .request_config(config);
        #[cfg(feature = "e2ee")]
        let builder = crate::e2ee::with_store(builder, options, session)?;
        let client = builder.build().await.map_err(failed)?;
        let user_id = UserId::parse(&*session.user_id).map_err(failed)?;
        let device_id = OwnedDeviceId::from(session.device_id.clone());
        let restored = AuthSession::Matrix(MatrixSession {
            meta: SessionMeta { user_id, device_id },
            tokens: SessionTokens { access_token: session.access_token.clone(), refresh_token: None },
        });
        client.restore_session(restored).await.map_err(failed)?;
        Ok(Self { client, e2ee: options.e2ee })
    }

    #[cfg(feature = "e2ee")]
    pub(crate) fn client(&self) -> Option<&Client> {
        self.e2ee.then_some(&self.client)
    }

    /// What is new since a position, waiting for it. Without a position: where to begin, and what waits for an answer.
    pub(crate) async fn sync(&self, wire: &Wire, since: Option<&str>, wait: Duration) -> Result<Answer> {
        let timeline = if since.is_some() { TIMELINE } else { 1 };
        let filter = json!({
            "presence": { "types": [] },
            "room": {
                "state": { "lazy_load_members": true },
                "timeline": { "limit": timeline, "lazy_load_members": true },
                "ephemeral": { "types": ["m.receipt"] },
            },
        });
        // Not asked to encrypt, the SDK would all the same, with keys that are gone with the process.
        if cfg!(feature = "e2ee") && !self.e2ee {
            return plain(wire, since, &filter, wait).await;
        }
        let definition: FilterDefinition = serde_json::from_value(filter.clone()).map_err(failed)?;
        let token = since.map_or(SyncToken::NoToken, |since| SyncToken::Specific(since.to_owned()));
        let mut settings = SyncSettings::new().token(token).filter(Filter::FilterDefinition(definition));
        settings = settings.timeout(if since.is_some() { wait } else { FIRST });
        let within = if since.is_some() { wait + TIMEOUT * 2 } else { FIRST + TIMEOUT };
        let answer = wire.clock().timeout(within, self.client.sync_once(settings)).await;
        let answer = match answer.map_err(|_| wire.late(CONTEXT))? {
            Ok(answer) => answer,
            // One event that the SDK cannot read must not keep all others away for ever.
            Err(error) if is_unreadable(&error) => {
                tracing::warn!(%error, "an answer that the SDK cannot read is read without it");
                #[cfg_attr(not(feature = "e2ee"), expect(unused_mut, reason = "what is for the device is added"))]
                let mut told = plain(wire, since, &filter, Duration::ZERO).await?;
                #[cfg(feature = "e2ee")]
                {
                    told.to_device = self.to_device(wire, since).await;
                }
                return Ok(told);
            }
            Err(error) => return Err(broken(error, wire)),
        };
        let mut told = Answer {
            next_batch: answer.next_batch,
            account_data: answer.account_data.iter().filter_map(json_of).collect(),
            #[cfg(feature = "e2ee")]
            to_device: answer.to_device.iter().filter_map(|event| json_of(&event.to_raw())).collect(),
            ..Answer::default()
        };
        for (id, room) in answer.rooms.joined {
            told.joined.push(Room {
                ephemeral: room.ephemeral.iter().filter_map(json_of).collect(),
                ..new_in(id.to_string(), room.timeline, &room.state)
            });
        }
        for (id, room) in answer.rooms.left {
            told.left.push(new_in(id.to_string(), room.timeline, &room.state));
        }
        for (id, room) in answer.rooms.invited {
            told.invited.push((id.to_string(), room.invite_state.events.iter().filter_map(json_of).collect()));
        }
        Ok(told)
    }

    /// What was said to this device since a position, and nothing else: keys of rooms are not lost with an answer whose
    /// rooms the SDK cannot read. What comes meanwhile comes again with the next answer.
    #[cfg(feature = "e2ee")]
    async fn to_device(&self, wire: &Wire, since: Option<&str>) -> Vec<Value> {
        let nothing = json!({
            "presence": { "types": [] },
            "account_data": { "types": [] },
            "room": { "rooms": [] },
        });
        let Ok(definition) = serde_json::from_value::<FilterDefinition>(nothing) else { return Vec::new() };
        let token = since.map_or(SyncToken::NoToken, |since| SyncToken::Specific(since.to_owned()));
        let settings = SyncSettings::new().token(token).filter(Filter::FilterDefinition(definition));
        let answer = wire.clock().timeout(TIMEOUT * 2, self.client.sync_once(settings.timeout(Duration::ZERO))).await;
        match answer {
            Ok(Ok(answer)) => answer.to_device.iter().filter_map(|event| json_of(&event.to_raw())).collect(),
            Ok(Err(error)) => {
                tracing::warn!(%error, "what was said to this device cannot be read, either");
                Vec::new()
            }
            Err(_) => {
                tracing::warn!("what was said to this device did not come in time");
                Vec::new()
            }
        }
    }

    /// Whether the SDK has heard of nothing yet: the device is new, or the folder of its keys.
    #[cfg(feature = "e2ee")]
    pub(crate) async fn is_new(&self) -> bool {
        let token = self.client.state_store().get_kv_data(StateStoreDataKey::SyncToken).await;
        self.e2ee && token.is_ok_and(|token| token.is_none())
    }

    /// An event as it is to be read: what is encrypted is decrypted, if its key is here.
    pub(crate) async fn readable(&self, room: &str, event: Value) -> Value {
        #[cfg(feature = "e2ee")]
        if let Some(event) = crate::e2ee::decrypted(self, room, &event).await {
            return event;
        }
        let _ = room;
        event
    }

    /// An event that somebody asks for, as it is to be read: its key may be fetched.
    pub(crate) async fn opened(&self, room: &str, event: Value) -> Value {
        let event = self.readable(room, event).await;
        #[cfg(feature = "e2ee")]
        let event = crate::vault::opened(self, room, event).await;
        event
    }

    /// What a new room is to be made of.
    pub(crate) fn room_template(&self, request: Value) -> Value {
        #[cfg(feature = "e2ee")]
        if self.e2ee {
            return crate::e2ee::encrypted_room(request);
        }
        request
    }
}

/// Whether the homeserver answered, and the SDK does not understand what.
fn is_unreadable(error: &matrix_sdk::Error) -> bool {
    match error {
        matrix_sdk::Error::Http(http) => match &**http {
            matrix_sdk::HttpError::Api(error) => matches!(**error, FromHttpResponseError::Deserialization(_)),
            _ => false,
        },
        matrix_sdk::Error::SerdeJson(_) | matrix_sdk::Error::Identifier(_) => true,
        _ => false,
    }
}

/// The same answer, read as what it is.
async fn plain(wire: &Wire, since: Option<&str>, filter: &Value, wait: Duration) -> Result<Answer> {
    let about = About { context: CONTEXT, what: "position", id: since.unwrap_or_default() };
    let call = wire.call(reqwest::Method::GET, &["client", "v3", "sync"], about);
    let mut call = call.query("filter", &filter.to_string());
    call = match since {
        Some(since) => {
            let waits = wait.as_millis().to_string();
            call.query("since", since).query("timeout", &waits).within(wait + TIMEOUT * 2)
        }
        None => call.query("timeout", "0").within(FIRST + TIMEOUT),
    };
    parsed(call.send().await?)
}

/// An answer of `/sync`; of what has another shape than it should there is nothing.
pub(crate) fn parsed(mut answer: Value) -> Result<Answer> {
    let next_batch = text(&answer, &["next_batch"])
        .map(str::to_owned)
        .ok_or_else(|| PuppetError::Protocol { context: CONTEXT, detail: "it has no position".into() })?;
    let mut told = Answer { next_batch, account_data: events(&mut answer, "account_data"), ..Answer::default() };
    for (kind, rooms) in [("join", &mut told.joined), ("leave", &mut told.left)] {
        for (id, room) in rooms_of(&mut answer, kind) {
            rooms.push(Room {
                id: id.clone(),
                limited: room["timeline"]["limited"].as_bool() == Some(true),
                prev_batch: text(room, &["timeline", "prev_batch"]).map(str::to_owned),
                events: events(room, "timeline"),
                states: events(room, "state"),
                ephemeral: events(room, "ephemeral"),
            });
        }
    }
    for (id, room) in rooms_of(&mut answer, "invite") {
        told.invited.push((id.clone(), events(room, "invite_state")));
    }
    Ok(told)
}

fn rooms_of<'a>(answer: &'a mut Value, kind: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> + use<'a> {
    below(answer, &["rooms", kind]).and_then(Value::as_object_mut).into_iter().flatten()
}

fn events(of: &mut Value, list: &str) -> Vec<Value> {
    below(of, &[list, "events"]).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
}

fn new_in(id: String, timeline: matrix_sdk::sync::Timeline, state: &matrix_sdk::sync::State) -> Room {
    use matrix_sdk::sync::State;
    let (State::Before(states) | State::After(states)) = state;
    Room {
        id,
        limited: timeline.limited,
        prev_batch: timeline.prev_batch,
        events: timeline.events.iter().filter_map(|event| json_of(event.raw())).collect(),
        states: states.iter().filter_map(json_of).collect(),
        ephemeral: Vec::new(),
    }
}

pub(crate) fn broken(error: matrix_sdk::Error, wire: &Wire) -> PuppetError {
    let matrix_sdk::Error::Http(http) = error else { return failed(error) };
    if let Some(kind) = http.client_api_error_kind() {
        match kind {
            ErrorKind::UnknownToken(data) => {
                wire.lose(Lost { reason: format!("M_UNKNOWN_TOKEN: {http}"), soft: data.soft_logout });
                return PuppetError::NotLoggedIn;
            }
            ErrorKind::MissingToken | ErrorKind::UserDeactivated => {
                wire.lose(Lost { reason: http.to_string(), soft: false });
                return PuppetError::NotLoggedIn;
            }
            ErrorKind::LimitExceeded(data) => {
                let retry_after = match data.retry_after {
                    Some(RetryAfter::Delay(pause)) => Some(pause),
                    _ => None,
                };
                return PuppetError::RateLimited { retry_after };
            }
            ErrorKind::Forbidden => {
                return PuppetError::Rejected { code: "M_FORBIDDEN".into(), message: http.to_string() };
            }
            ErrorKind::NotFound => return PuppetError::not_found("room", "of the call"),
            ErrorKind::TooLarge => {
                return PuppetError::Invalid {
                    what: "message",
                    reason: "it is larger than the homeserver takes".into(),
                };
            }
            _ => {}
        }
    }
    match *http {
        matrix_sdk::HttpError::Reqwest(error) => wire.broken(error, CONTEXT),
        error => failed(error),
    }
}
