//! GROWING: answers that are seen while they are written: a card whose text is replaced, within the platform's pace.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use wechaty_puppet::{
    Capability, ConversationId, Growing, MessageId, Outgoing, PlatformName, PuppetError, Result, SayablePayload, Sent,
    async_trait, with_causes,
};

use crate::{
    CARD_LIMIT, LarkPuppet, PLATFORM,
    api::seg,
    codes::about,
    convert::card::{GROWING, growing},
    json::some,
    puppet::Inner,
    send::check,
};

/// A card takes ten changes a second.
const PACE: Duration = Duration::from_millis(100);
/// Most cards that grow at once.
const MOST: usize = 1_024;

/// Longest text that a card can be given.
const LONGEST: usize = 100_000;
/// The platform's codes for a card that is complete: that it does not grow, and that its time to grow is over.
const CLOSED: [&str; 2] = ["300309", "200850"];

/// A card whose text grows.
pub(crate) struct Growth {
    card: String,
    state: Mutex<State>,
}

struct State {
    /// Of the change before; each has a higher one.
    sequence: i32,
    /// When it was.
    last: Duration,
    /// The last text, once it is complete.
    finished: Option<String>,
}

/// What a card can begin with.
fn fitting(words: &str) -> &str {
    let mut end = words.len().min(CARD_LIMIT / 2);
    loop {
        while !words.is_char_boundary(end) {
            end -= 1;
        }
        // What JSON writes longer leaves less room.
        if growing(&words[..end]).to_string().len() <= CARD_LIMIT {
            return &words[..end];
        }
        end /= 2;
    }
}

impl Inner {
    /// Sends a card with what there is of the text.
    pub(crate) async fn begin(&self, out: &Outgoing) -> Result<Sent> {
        let words = match &*out.what {
            SayablePayload::Text(said) | SayablePayload::Markdown(said) => &*said.text,
            other => return Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
        };
        self.me()?;
        let card = growing(fitting(words)).to_string();
        check("interactive", &card)?;
        let body = json!({ "type": "card_json", "data": card });
        // Nobody sees a card before it is sent.
        let made =
            self.api.call(about("making a card", "card", ""), Method::POST, "cardkit/v1/cards", Some(&body)).await;
        let made = made.map_err(harmless)?;
        let Some(id) = some(&made, "card_id") else {
            return Err(PuppetError::Protocol { context: "making a card", detail: "it holds no card_id".into() });
        };
        let sent = self.post(out, ("interactive", json!({ "type": "card", "data": { "card_id": id } }))).await?;
        if let Some(message) = &sent.id {
            // The platform may have known the key, and the card of then.
            let is_known = out.attempt > 1 || self.growing.lock().contains_key(message.as_str());
            if let Err(error) = self.start(message, id, is_known, words).await {
                // It is sent: what is missing comes with the next change.
                tracing::warn!(why = %with_causes(&error), "a card that was sent does not show all of its text yet");
            }
        }
        Ok(sent)
    }

    /// What there is to do with a card behind its sending.
    async fn start(&self, message: &MessageId, card: &str, is_known: bool, words: &str) -> Result<()> {
        if !is_known {
            self.keep(message, card, 0)?;
        }
        if words.len() > fitting(words).len() { self.grow(message, words).await } else { Ok(()) }
    }

    fn keep(&self, message: &MessageId, card: &str, sequence: i32) -> Result<Arc<Growth>> {
        let state = Mutex::new(State { sequence, last: self.api.clock()?.now(), finished: None });
        let growth = Arc::new(Growth { card: card.to_owned(), state });
        let mut all = self.growing.lock();
        // Which one goes does no harm: it is found again when it is needed.
        if all.len() >= MOST
            && let Some(one) = all.keys().next().cloned()
        {
            all.remove(&one);
        }
        all.insert(message.to_string(), growth.clone());
        Ok(growth)
    }

    /// The card of a message, of an earlier life, too.
    async fn find(&self, message: &MessageId) -> Result<Arc<Growth>> {
        if let Some(known) = self.growing.lock().get(message.as_str()).cloned() {
            return Ok(known);
        }
        let ask = about("looking for a card", "message", message.as_str());
        let body = json!({ "message_id": message.as_str() });
        let found = self.api.call(ask, Method::POST, "cardkit/v1/cards/id_convert", Some(&body)).await?;
        let card = some(&found, "card_id").ok_or_else(|| PuppetError::not_found("card", message))?;
        // Seconds since 2023 are above whatever was counted up to now.
        let sequence =
            i32::try_from(self.api.clock()?.wall().as_millis() / 1_000 - 1_672_531_200).unwrap_or(i32::MAX / 2).max(0);
        self.keep(message, card, sequence)
    }

    /// Replaces the text.
    pub(crate) async fn grow(&self, message: &MessageId, words: &str) -> Result<()> {
        let growth = self.find(message).await?;
        let mut state = growth.state.lock().await;
        self.replace(message, &growth, &mut state, words).await
    }

    /// Replaces the text for the last time, and ends the growing.
    pub(crate) async fn finish(&self, message: &MessageId, words: &str) -> Result<()> {
        let growth = self.find(message).await?;
        let mut state = growth.state.lock().await;
        if state.finished.as_deref() == Some(words) {
            return Ok(());
        }
        self.replace(message, &growth, &mut state, words).await?;
        self.set_open(message, &growth, &mut state, false).await?;
        state.finished = Some(words.to_owned());
        Ok(())
    }

    async fn replace(&self, message: &MessageId, growth: &Growth, state: &mut State, words: &str) -> Result<()> {
        if words.chars().count() > LONGEST {
            let reason = format!("it is longer than the {LONGEST} characters that a card can be given");
            return Err(PuppetError::Invalid { what: "text", reason });
        }
        if state.finished.take().is_some() {
            self.set_open(message, growth, state, true).await?;
        }
        let words = crate::convert::text::tame(words);
        let path = format!("cardkit/v1/cards/{}/elements/{GROWING}/content", seg(&growth.card));
        let body = json!({ "content": words });
        match self.operate(message, state, Method::PUT, &path, body.clone()).await {
            // Finished by an earlier life, or by the platform, which ends it after some time.
            Err(PuppetError::Rejected { code, .. }) if CLOSED.contains(&&*code) => {
                self.set_open(message, growth, state, true).await?;
                self.operate(message, state, Method::PUT, &path, body).await
            }
            done => done,
        }
    }

    /// Whether people see it as still being written.
    async fn set_open(&self, message: &MessageId, growth: &Growth, state: &mut State, open: bool) -> Result<()> {
        let settings = json!({ "config": { "streaming_mode": open } }).to_string();
        let path = format!("cardkit/v1/cards/{}/settings", seg(&growth.card));
        self.operate(message, state, Method::PATCH, &path, json!({ "settings": settings })).await
    }

    /// One change of a card, under the next number, and not too soon after the one before.
    async fn operate(
        &self,
        message: &MessageId,
        state: &mut State,
        method: Method,
        path: &str,
        mut body: Value,
    ) -> Result<()> {
        let clock = self.api.clock()?;
        let since = clock.now().saturating_sub(state.last);
        if since < PACE {
            clock.sleep(PACE - since).await;
        }
        state.sequence += 1;
        body["sequence"] = state.sequence.into();
        let done = self.api.call(about("changing a card", "card", message.as_str()), method, path, Some(&body)).await;
        state.last = clock.now();
        done.map(drop)
    }
}

#[async_trait]
impl Growing for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn begin(&self, out: Outgoing) -> Result<Sent> {
        self.0.begin(&out).await
    }

    async fn grow(&self, _conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.0.grow(id, text).await
    }

    async fn finish(&self, _conversation: &ConversationId, id: &MessageId, text: &str) -> Result<()> {
        self.0.finish(id, text).await
    }
}

/// Whatever became of it, nobody has seen it.
fn harmless(error: PuppetError) -> PuppetError {
    match error {
        PuppetError::Transport { context, source } => PuppetError::Unreachable { context, source },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_consists_of_a_card_begins_with_some_of_it() {
        for piece in ["\"", "\u{1}", "\n", "长", "<at", "x"] {
            let words = piece.repeat(100_000 / piece.len());
            let first = fitting(&words);
            assert!(!first.is_empty() && words.starts_with(first), "{piece:?}");
            assert!(check("interactive", &growing(first).to_string()).is_ok(), "{piece:?}");
        }
        assert_eq!((fitting(""), fitting("short")), ("", "short"));
    }
}
