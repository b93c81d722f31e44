//! DISCOVERY: where the long connection is.

use serde_json::{Value, json};

use super::{Answer, Answered, Call};
use crate::state::State;

/// The service that every connection is for.
pub(crate) const SERVICE: i32 = 33_554_678;

pub(super) fn endpoint(state: &mut State, call: &Call) -> Answered {
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    // Clients look into `data` even where there is an error.
    let refused = |code: i64, msg: &str| Ok(Answer::Plain(200, json!({"code": code, "msg": msg, "data": {}})));
    if text("AppID").is_empty() || text("AppSecret").is_empty() {
        return refused(1_000_040_344, "no credential");
    }
    if text("AppID") != state.settings.app_id || text("AppSecret") != state.settings.app_secret {
        return refused(1_000_040_345, "app_id or app_secret is invalid");
    }
    if call.connections >= state.settings.connection.most {
        return refused(1_000_040_350, "the number of connections exceeded the limit");
    }
    let ticket = state.connection_ticket();
    let device = 7_000_000_000_000_000_000 + state.number();
    let url = format!(
        "ws://{}/ws/v2?fpid=493&aid=552564&device_id={device}&access_key={}&service_id={SERVICE}&ticket={ticket}",
        call.host,
        uuid::Uuid::new_v4().simple(),
    );
    Ok(Answer::Data(json!({"URL": url, "ClientConfig": client_config(state)})))
}

/// What clients are to do, in s.
pub(crate) fn client_config(state: &State) -> Value {
    let connection = &state.settings.connection;
    json!({
        "ReconnectCount": connection.count, "ReconnectInterval": connection.reconnect,
        "ReconnectNonce": connection.nonce, "PingInterval": connection.ping,
    })
}
