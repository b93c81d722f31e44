//! WEBHOOK: events as the platform posts them: known by key, token and time, and answered once the bot has accepted them.

use std::time::Duration;

use serde_json::{Value, json};
use wechaty_puppet::{Secret, Timestamp, Webhook, WebhookRequest, WebhookResponse, async_trait};

use crate::{
    LarkPuppet,
    crypto::{is_signed, open, same},
    events::{Envelope, tenant},
    json::{some, text},
    puppet::Running,
};

/// How long the platform waits is three seconds; what takes longer is told again.
const PATIENCE: Duration = Duration::from_millis(2_800);
/// How far its clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(300);

fn answer(status: u16, body: &Value) -> WebhookResponse {
    WebhookResponse::new(status, "application/json; charset=utf-8", body.to_string())
}

fn refuse(status: u16, why: &str) -> WebhookResponse {
    answer(status, &json!({ "msg": why }))
}

/// What a body says, unlocked where it is locked. With a key, nothing else is taken.
pub(crate) fn unlock(body: &[u8], key: Option<&str>) -> Result<Value, &'static str> {
    let outer: Value = serde_json::from_slice(body).map_err(|_| "the body is no JSON")?;
    match (key, some(&outer, "encrypt")) {
        (None, None) => Ok(outer),
        (None, Some(_)) => Err("the body is encrypted: set encrypt_key"),
        (Some(_), None) => Err("the body is not encrypted, as it is with an encrypt_key"),
        (Some(key), Some(locked)) => {
            let inner = open(key, locked).ok_or("the body is encrypted with another key")?;
            serde_json::from_slice(&inner).map_err(|_| "what was encrypted is no JSON")
        }
    }
}

impl LarkPuppet {
    fn key(&self) -> Option<&str> {
        self.0.api.options.encrypt_key.as_ref().map(Secret::tell)
    }

    /// Whether the platform has signed this, and not too long ago; before the first run nobody knows the time.
    fn check(&self, request: &WebhookRequest, now: Option<Timestamp>) -> Result<(), &'static str> {
        // Only what is encrypted is signed.
        let Some(key) = self.key() else { return Ok(()) };
        let header = |name| request.header(name).unwrap_or_default();
        let sent = header("x-lark-request-timestamp");
        let (nonce, signature) = (header("x-lark-request-nonce"), header("x-lark-signature"));
        if !is_signed(key, sent, nonce, &request.body, signature) {
            return Err("the signature is wrong");
        }
        let sent = Timestamp::from_wire(sent.parse().map_err(|_| "the time is none")?);
        match now {
            Some(now) if now.since(sent) > self.0.api.options.replay_window || sent.since(now) > AHEAD => {
                Err("the request is of another time")
            }
            _ => Ok(()),
        }
    }

    fn is_for_us(&self, token: &str) -> bool {
        self.0.api.options.verification_token.as_ref().is_none_or(|expected| same(expected.tell(), token))
    }

    async fn post(&self, request: &WebhookRequest) -> WebhookResponse {
        if request.method != "POST" {
            return refuse(405, "events are posted").header("allow", "POST");
        }
        let running = self.0.running.lock().clone();
        let body = match unlock(&request.body, self.key()) {
            Ok(body) => body,
            Err(why) => return refuse(400, why),
        };
        if text(&body, "type") == "url_verification" {
            // The challenge is not signed; who has the key or the token may ask.
            if !self.is_for_us(text(&body, "token")) {
                return refuse(401, "the token is wrong");
            }
            return answer(200, &json!({ "challenge": text(&body, "challenge") }));
        }
        if let Err(why) = self.check(request, self.0.api.clock().ok().map(|clock| clock.wall())) {
            return refuse(401, why);
        }
        let Some(envelope) = Envelope::of(&body) else { return refuse(400, "it is no event") };
        if !self.is_for_us(envelope.token) {
            return refuse(401, "the token is wrong");
        }
        let Some(running) = running else {
            // Whoever starts later needs the last one. It is told again until somebody has kept it.
            if let Some(ticket) = envelope.ticket() {
                self.0.api.tokens.set_ticket(ticket);
            }
            return refuse(503, "the bot is not running").header("retry-after", "5");
        };
        // A store app needs its ticket to log in.
        if !running.is_open && !envelope.is_ticket() {
            return refuse(503, "the bot is not ready yet").header("retry-after", "5");
        }
        // The body of an answer to a card shows nothing; that of an event is not read.
        self.accept(running, body, request.body.len()).await
    }

    async fn accept(&self, running: Running, body: Value, bytes: usize) -> WebhookResponse {
        let taken = async {
            let place = running.intake.place(bytes).await?;
            // It goes on when nobody waits any more: what is accepted is known again.
            place.put(body).await.ok()
        };
        match running.cx.clock().timeout(PATIENCE, taken).await {
            Ok(Some(Ok(()))) => answer(200, &json!({})),
            Ok(Some(Err(_))) => refuse(500, "the event could not be taken"),
            Ok(None) => refuse(503, "the bot is stopping"),
            Err(_) => refuse(503, "the bot has no time just now").header("retry-after", "5"),
        }
    }
}

#[async_trait]
impl Webhook for LarkPuppet {
    fn claims(&self, request: &WebhookRequest) -> bool {
        // Several apps may share a route: what cannot be read is for another.
        let Ok(body) = unlock(&request.body, self.key()) else { return false };
        // A challenge names nobody: it is ours by the key, or by the token.
        if text(&body, "type") == "url_verification" {
            return self.is_for_us(text(&body, "token"));
        }
        if self.0.is_foreign(tenant(&body)) {
            return false;
        }
        let Some(own) = self.0.api.credentials().ok() else { return true };
        some(&body, "header.app_id").or_else(|| some(&body, "event.app_id")).is_none_or(|id| id == own.app_id)
    }

    /// The ticket of a store app is of no company: all accounts of the app need it.
    fn is_for_all(&self, request: &WebhookRequest) -> bool {
        let body = unlock(&request.body, self.key());
        body.is_ok_and(|body| Envelope::of(&body).is_some_and(|envelope| envelope.is_ticket()))
    }

    async fn handle(&self, request: WebhookRequest) -> WebhookResponse {
        self.post(&request).await
    }
}
