//! TOKENS of custom apps and of store apps, and who the bot is.

use serde_json::json;

use super::{Answer, Answered, Call};
use crate::{
    refusal::{Refusal, refused},
    state::State,
};

/// Errors of these calls come with HTTP 200.
fn wrong(code: i64, msg: &'static str) -> Refusal {
    Refusal { status: 200, ..refused(code, msg) }
}

fn credentials(state: &State, call: &Call) -> Result<(), Refusal> {
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    if text("app_id") != state.settings.app_id {
        return Err(wrong(10_003, "invalid param"));
    }
    if text("app_secret") != state.settings.app_secret {
        return Err(wrong(10_014, "app secret invalid"));
    }
    Ok(())
}

pub(super) fn tenant_internal(state: &mut State, call: &Call) -> Answered {
    credentials(state, call)?;
    if state.settings.store_app {
        return Err(wrong(10_013, "this app is a store app: use its ticket"));
    }
    let (token, expire) = state.tenant_token();
    Ok(Answer::Top(json!({"tenant_access_token": token, "expire": expire})))
}

pub(super) fn app_internal(state: &mut State, call: &Call) -> Answered {
    credentials(state, call)?;
    if state.settings.store_app {
        return Err(wrong(10_013, "this app is a store app: use its ticket"));
    }
    let (token, expire) = state.app_token();
    let (tenant, _) = state.tenant_token();
    Ok(Answer::Top(json!({"app_access_token": token, "tenant_access_token": tenant, "expire": expire})))
}

pub(super) fn app(state: &mut State, call: &Call) -> Answered {
    credentials(state, call)?;
    let ticket = call.json["app_ticket"].as_str().unwrap_or_default();
    if !state.settings.store_app || state.tokens.ticket.as_deref() != Some(ticket) {
        return Err(wrong(10_012, "app ticket invalid"));
    }
    let (token, expire) = state.app_token();
    Ok(Answer::Top(json!({"app_access_token": token, "expire": expire})))
}

pub(super) fn tenant(state: &mut State, call: &Call) -> Answered {
    let token = call.json["app_access_token"].as_str().unwrap_or_default();
    if !state.settings.store_app || !state.is_app_token(token) {
        return Err(wrong(99_991_664, "app access token invalid"));
    }
    if call.json["tenant_key"].as_str() != Some(&state.settings.tenant_key) {
        return Err(wrong(10_015, "tenant_key invalid"));
    }
    let (token, expire) = state.tenant_token();
    Ok(Answer::Top(json!({"tenant_access_token": token, "expire": expire})))
}

pub(super) fn resend(state: &mut State, call: &Call) -> Answered {
    credentials(state, call)?;
    state.send_ticket();
    Ok(Answer::Top(json!({})))
}

pub(super) fn bot_info(state: &mut State, _: &Call) -> Answered {
    let settings = &state.settings;
    Ok(Answer::Top(json!({"bot": {
        "activate_status": 2, "app_name": settings.app_name, "open_id": settings.bot_open_id,
        "avatar_url": "https://s1-imfile.feishucdn.com/static-resource/v1/bot", "ip_white_list": [],
    }})))
}
