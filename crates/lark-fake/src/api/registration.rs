//! REGISTRATION of an app by QR code, in the manner of an OAuth device flow.

use serde_json::{Value, json};

use super::{Answer, Answered, Call};
use crate::state::{Registration, State};

fn wrong(error: &str, why: &str) -> Answered {
    Ok(Answer::Plain(400, json!({"error": error, "error_description": why})))
}

pub(super) fn registration(state: &mut State, call: &Call) -> Answered {
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(is, _)| is == name).map_or("", |(_, value)| value.as_str());
    match field("action") {
        "init" => Ok(Answer::Plain(
            200,
            json!({
                "nonce": uuid::Uuid::new_v4().simple().to_string(), "supported_auth_methods": ["client_secret", "private_key_jwt"],
            }),
        )),
        "begin" => begin(state, call, field("archetype"), field("auth_method")),
        "poll" => poll(state, field("device_code")),
        _ => wrong("invalid_request", "action is none of init, begin, poll"),
    }
}

fn begin(state: &mut State, call: &Call, archetype: &str, method: &str) -> Answered {
    if archetype != "PersonalAgent" || method != "client_secret" {
        return wrong("invalid_request", "archetype or auth_method is not supported");
    }
    let random = uuid::Uuid::new_v4().simple().to_string();
    let registration = Registration {
        device_code: format!("dc-{random}"),
        user_code: format!("{}-{}", random[..4].to_uppercase(), random[4..8].to_uppercase()),
        begun: state.now,
        approved: None,
        by: String::new(),
        slow_down: false,
    };
    let link = format!("http://{}/page/openclaw", call.host);
    let answer = json!({
        "device_code": registration.device_code, "user_code": registration.user_code, "verification_uri": link,
        "verification_uri_complete": format!("{link}?user_code={}", registration.user_code),
        "interval": state.settings.poll_seconds, "expires_in": crate::state::REGISTRATION_SECONDS,
    });
    state.registration = Some(registration);
    Ok(Answer::Plain(200, answer))
}

fn poll(state: &mut State, device_code: &str) -> Answered {
    let now = state.now;
    let Some(registration) = state.registration.as_mut().filter(|one| one.device_code == device_code) else {
        return wrong("invalid_grant", "device_code is not known");
    };
    if now - registration.begun > crate::state::REGISTRATION_SECONDS * 1000 {
        return wrong("expired_token", "the code has expired");
    }
    if std::mem::take(&mut registration.slow_down) {
        return wrong("slow_down", "polled too often");
    }
    match registration.approved {
        None => wrong("authorization_pending", "nobody has scanned the code yet"),
        Some(false) => wrong("access_denied", "it was denied"),
        Some(true) => {
            let by = registration.by.clone();
            let user: Value = json!({"open_id": by, "tenant_brand": state.settings.brand});
            Ok(Answer::Plain(
                200,
                json!({
                    "client_id": state.settings.app_id, "client_secret": state.settings.app_secret, "user_info": user,
                }),
            ))
        }
    }
}
