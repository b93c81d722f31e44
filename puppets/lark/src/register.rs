//! REGISTER: an app made by scanning a QR code, and remembered for the next start.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use wechaty_puppet::{LoginStep, PuppetContext, PuppetError, Result, Secret};

use crate::{
    api::{Api, with_query},
    json::{list, number, some, text},
    login::AcceptStore,
    settings::{Credentials, hosts},
};

/// Where the credentials are kept.
const KEPT: &str = "app";
/// The call that registers.
const PATH: &str = "/oauth/v1/app/registration";
/// What is added to a poll's pause when it comes too soon.
const SLOWER: Duration = Duration::from_secs(5);

/// Finds out who the app is: by settings, by what is kept, else by letting somebody scan.
pub(crate) async fn credentials(api: &Api, cx: &PuppetContext) -> Result<()> {
    if api.credentials().is_ok() {
        return Ok(());
    }
    let kept = cx.session().get(KEPT).await.map_err(AcceptStore::from)?;
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()).unwrap_or_default();
    if let Some(found) = of(&kept) {
        return take(api, found, text(&kept, "brand"));
    }
    // Whoever is too slow gets another code.
    loop {
        if let Some((app, brand)) = register(api, cx).await? {
            let kept = json!({ "client_id": app.app_id, "client_secret": app.secret.tell(), "brand": brand });
            cx.session().set(KEPT, Some(Bytes::from(kept.to_string()))).await.map_err(AcceptStore::from)?;
            cx.accept(LoginStep::Confirmed).await?;
            return take(api, app, &brand);
        }
    }
}

fn of(value: &Value) -> Option<Credentials> {
    let (id, secret) = (some(value, "client_id")?, some(value, "client_secret")?);
    Some(Credentials { app_id: id.to_owned(), secret: Secret::new(secret) })
}

/// Whoever registered with Lark is served there, unless the host was set.
fn take(api: &Api, app: Credentials, brand: &str) -> Result<()> {
    let is_standard =
        ["feishu", "lark"].iter().any(|brand| hosts(brand).is_some_and(|hosts| hosts.api == api.hosts().api));
    if let Some(moved) = hosts(brand).filter(|_| is_standard) {
        api.move_to(moved);
    }
    api.set_credentials(app);
    Ok(())
}

async fn ask(api: &Api, pairs: &[(&str, &str)]) -> Result<Value> {
    let url = format!("{}{PATH}", api.hosts().accounts);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    // Whatever is still to come is told with an error's status.
    Ok(api.ask("registering an app", &url, "application/x-www-form-urlencoded", body).await?.1)
}

/// Shows a code and waits; `None`: its time is over.
async fn register(api: &Api, cx: &PuppetContext) -> Result<Option<(Credentials, String)>> {
    let offered = ask(api, &[("action", "init")]).await?;
    if !list(&offered, "supported_auth_methods").iter().any(|method| method == "client_secret") {
        let reason = "the platform registers no apps by QR code here: set app_id and app_secret".into();
        return Err(PuppetError::LoginRefused { reason });
    }
    let begin = [
        ("action", "begin"),
        ("archetype", "PersonalAgent"),
        ("auth_method", "client_secret"),
        ("request_user_info", "open_id"),
    ];
    let begun = ask(api, &begin).await?;
    let (device, link) = (text(&begun, "device_code").to_owned(), text(&begun, "verification_uri_complete"));
    if device.is_empty() || link.is_empty() {
        let detail = "it holds no code to scan".into();
        return Err(PuppetError::Protocol { context: "registering an app", detail });
    }
    let seconds =
        |path, other| Duration::from_secs(number(&begun, path).and_then(|n| u64::try_from(n).ok()).unwrap_or(other));
    let (mut pause, end) =
        (seconds("interval", 5).max(Duration::from_secs(1)), cx.clock().now() + seconds("expires_in", 600));
    let glue = if link.contains('?') { "&" } else { "" };
    let mark = with_query("", &[("from", "sdk"), ("tp", "sdk"), ("source", "wechaty")]);
    let shown =
        if glue.is_empty() { format!("{link}{mark}") } else { format!("{link}&{}", mark.trim_start_matches('?')) };
    cx.accept(LoginStep::ShowQr(shown)).await?;
    let mut moved = false;
    while cx.clock().now() < end {
        cx.clock().sleep(pause).await;
        let polled = ask(api, &[("action", "poll"), ("device_code", &device)]).await;
        let answer = match polled {
            Ok(answer) => answer,
            Err(PuppetError::RateLimited { .. } | PuppetError::Unreachable { .. }) => continue,
            Err(other) => return Err(other),
        };
        let brand = text(&answer, "user_info.tenant_brand");
        if let Some(app) = of(&answer) {
            return Ok(Some((app, brand.to_owned())));
        }
        if brand == "lark" && !moved {
            moved = true;
            let standard = hosts("feishu").is_some_and(|feishu| feishu.accounts == api.hosts().accounts);
            if let Some(lark) = hosts("lark").filter(|_| standard) {
                api.move_to(lark);
                continue;
            }
        }
        match text(&answer, "error") {
            "" | "authorization_pending" => {}
            "slow_down" => pause += SLOWER,
            "access_denied" => {
                cx.accept(LoginStep::Cancelled).await?;
                return Err(PuppetError::LoginRefused { reason: "whoever scanned the code has refused".into() });
            }
            "expired_token" => break,
            other => {
                let reason = format!("{} ({other})", text(&answer, "error_description"));
                return Err(PuppetError::LoginRefused { reason });
            }
        }
    }
    cx.accept(LoginStep::Expired).await?;
    Ok(None)
}
