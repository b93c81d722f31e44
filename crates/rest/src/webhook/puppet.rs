//! PUPPET: the outlet of a webhook: it posts what is said to it, and hands on what it is answered. The outbox does the rest.

use std::{borrow::Cow, error::Error, sync::Arc, time::Duration};

use futures_util::StreamExt;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT},
};
use serde_json::Value;
use wechaty::Bot;
use wechaty_puppet::{
    Capabilities, Capability, CapabilitySet, Limits, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, Sent,
    async_trait,
};
use wechaty_types::{EventKind, ReplyEvent, SayablePayload, Timestamp};

use super::{
    Webhook,
    address::NotAllowed,
    answer::Answer,
    sign::signature,
    tell::{Answered, PING},
};

/// The name of the platform.
const PLATFORM: PlatformName = PlatformName::new("webhook");
/// An answer beyond this is not read.
const LARGEST: usize = 64 << 10;
/// How long a webhook is trusted to know an id again.
const WINDOW: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Longest of what a webhook says that is told.
const SHOWN: usize = 200;

/// The outlet of a webhook.
#[derive(Debug)]
pub(super) struct Outlet(pub(super) Arc<Webhook>);

#[async_trait]
impl Puppet for Outlet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        let limits = Limits { call_timeout: self.0.options.timeout, ..Limits::DEFAULT };
        let set = CapabilitySet::of(&[Capability::SendText, Capability::IdempotencyKey]);
        Capabilities { set, limits, key_window: Some(WINDOW) }
    }

    async fn run(&self, cx: PuppetContext) -> Result<(), PuppetError> {
        // Nobody runs an outlet.
        cx.cancelled().await;
        Ok(())
    }

    async fn send(&self, out: Outgoing) -> Result<Sent, PuppetError> {
        let hook = &self.0;
        let Some(bot) = hook.bot() else {
            let source = "its bot is not there yet".into();
            return Err(PuppetError::Unreachable { context: "calling the webhook", source });
        };
        let SayablePayload::Text(body) = &*out.what else {
            return Err(PuppetError::unsupported(PLATFORM, Capability::of(&out.what)));
        };
        if let Some(paused) = hook.state.now(&**bot.store(), hook.id()).await.paused {
            let message = format!("the webhook is paused: {}", paused.why);
            return Err(PuppetError::Rejected { code: "paused".to_owned(), message });
        }
        let posted = post(hook, &bot, &out, &body.text).await;
        let now = bot.clock().wall();
        match &posted {
            Ok(_) => hook.state.went_well(now),
            Err(error) => hook.state.failed(now, &told(error)),
        }
        posted
    }
}

/// An error with its causes, without the URL, which may hold a secret.
fn told(error: &PuppetError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

async fn post(hook: &Webhook, bot: &Bot, out: &Outgoing, body: &str) -> Result<Sent, PuppetError> {
    let (id, now) = (out.key.to_string(), bot.clock().wall());
    let seconds = now.as_millis().div_euclid(1_000);
    let request = hook
        .client
        .post(hook.address.url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("Wechaty/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature(&hook.options.secrets, &id, seconds, body))
        .body(body.to_owned());
    let response = request.send().await.map_err(failure)?;
    let status = response.status();
    match status.as_u16() {
        200..=299 => {}
        410 => {
            tracing::warn!(webhook = hook.id(), code = "W544", "the webhook says that it is gone: it is paused");
            hook.state.pause(&**bot.store(), hook.id(), now, "it answered 410 Gone").await;
            return Err(rejected(status, "it is gone, and paused"));
        }
        408 | 425 | 429 => return Err(later(response.headers(), now)),
        500..=599 if response.headers().contains_key(RETRY_AFTER) => return Err(later(response.headers(), now)),
        500..=599 => {
            let source = format!("it answered {}", status.as_u16()).into();
            return Err(PuppetError::Unreachable { context: "calling the webhook", source });
        }
        300..=399 => {
            return Err(rejected(status, "it leads elsewhere, and that is not followed: write where it really is"));
        }
        _ => return Err(rejected(status, "it does not take this event")),
    }
    match Answer::read(&read(response).await?) {
        Ok(None) => {}
        Ok(Some(answer)) => hand_on(hook, bot, &id, out, body, answer).await?,
        Err(why) => {
            let why: String = why.chars().take(SHOWN).collect();
            tracing::warn!(
                webhook = hook.id(),
                code = "W545",
                event = id,
                why,
                "what the webhook answered is not understood"
            );
        }
    }
    Ok(Sent::without_id())
}

/// Gives an answer to the account that it is about, where it is durable and known again.
async fn hand_on(
    hook: &Webhook,
    bot: &Bot,
    id: &str,
    out: &Outgoing,
    body: &str,
    answer: Answer,
) -> Result<(), PuppetError> {
    let event: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let Some(account) = bot.account(text("/account").to_owned()) else {
        tracing::warn!(
            webhook = hook.id(),
            code = "W545",
            "the webhook answers for an account that the bot does not have"
        );
        return Ok(());
    };
    // An event of the account itself is said to the webhook under the account's name.
    let is_in_conversation =
        event.pointer("/payload/conversation").is_some() || out.to.as_str() != account.id().as_str();
    // Here and not when it is done: a failure there is an event, which would be answered in turn, without end.
    if let Err(why) = fits(text("/type"), is_in_conversation, &answer) {
        tracing::warn!(webhook = hook.id(), code = "W545", event = id, "the webhook answers {why}: nothing is done");
        return Ok(());
    }
    let answered = Answered { kind: text("/type").to_owned(), id: text("/payload/id").to_owned(), answer };
    let reply = ReplyEvent {
        id: format!("{}/{id}", hook.outlet),
        from: hook.outlet.clone(),
        conversation: Some(out.to.clone()),
        data: serde_json::to_string(&answered).map_err(|error| unreadable(error.into()))?,
    };
    match account.take_reply(reply).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            tracing::debug!(
                webhook = hook.id(),
                event = id,
                "the webhook has answered this before: the first answer counts"
            );
            Ok(())
        }
        Err(error) => Err(PuppetError::Transport { context: "taking the webhook's answer", source: error.into() }),
    }
}

/// Whether an event of this type can be answered like that.
fn fits(kind: &str, is_in_conversation: bool, answer: &Answer) -> Result<(), &'static str> {
    if kind == PING || kind == EventKind::Error.as_str() || !is_in_conversation {
        return Err("an event without a conversation");
    }
    let asks = [EventKind::Friendship, EventKind::RoomInvite].iter().any(|asks| asks.as_str() == kind);
    if answer.accept && !asks { Err("`accept` where nothing is asked") } else { Ok(()) }
}

fn unreadable(source: Box<dyn Error + Send + Sync>) -> PuppetError {
    PuppetError::Transport { context: "reading the webhook's answer", source }
}

/// The body of an answer; of one that is too large, nothing.
async fn read(response: Response) -> Result<Vec<u8>, PuppetError> {
    let (mut body, mut parts) = (Vec::new(), response.bytes_stream());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| unreadable(error.without_url().into()))?;
        if body.len() + part.len() > LARGEST {
            tracing::warn!(code = "W545", "what the webhook answered has more than 64 KiB, and is not read");
            return Ok(Vec::new());
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn rejected(status: StatusCode, why: &str) -> PuppetError {
    PuppetError::Rejected { code: status.as_u16().to_string(), message: why.to_owned() }
}

/// It wants to be asked again: when it says, or after the outbox's own pause.
fn later(headers: &HeaderMap, now: Timestamp) -> PuppetError {
    let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    PuppetError::RateLimited { retry_after: text.and_then(|text| pause(text, now)) }
}

/// Seconds, or a date of HTTP.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()).since(now))
}

/// Why there is no answer: what surely never left is certain, the rest in doubt. The id makes another try safe.
fn failure(error: reqwest::Error) -> PuppetError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if one.is::<NotAllowed>() {
            let message = Cow::from(NotAllowed.to_string()).into_owned();
            return PuppetError::Rejected { code: "private-address".to_owned(), message };
        }
        cause = one.source();
    }
    let never_left = error.is_connect();
    let source = Box::new(error.without_url());
    match never_left {
        true => PuppetError::Unreachable { context: "calling the webhook", source },
        false => PuppetError::Transport { context: "calling the webhook", source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let now = Timestamp::from_millis(784_111_777_000);
        assert_eq!(pause("120", now), Some(Duration::from_secs(120)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:27 GMT", now), Some(Duration::ZERO), "in the past: now");
        assert_eq!((pause("soon", now), pause("-1", now)), (None, None));
    }
}
