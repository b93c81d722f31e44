//! PUPPET: the adapter to the loopback platform.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use wechaty_puppet::{
    Batch, Capabilities, Capability, ContactId, Cursor, Event, LoginEvent, MessageId, MessagePayload, Outgoing,
    PlatformName, Puppet, PuppetContext, PuppetError, Result, Sent, async_trait, transport, unreachable,
};
use wechaty_types::{ConversationId, SayablePayload};

use super::super::Settings;
use crate::sabotage::Sabotage;

const NAME: PlatformName = PlatformName::new("loopback");
/// Bytes a message may have.
const LONGEST: usize = 80;
const RECONNECT: Duration = Duration::from_millis(5);

/// One account on the loopback platform.
pub(in crate::bot) struct LoopbackPuppet {
    port: u16,
    keys: bool,
    patience: Duration,
    sabotage: Option<Sabotage>,
    sends: AtomicU64,
}

impl LoopbackPuppet {
    pub(in crate::bot) fn new(settings: &Settings) -> Self {
        let patience = Duration::from_millis(settings.patience);
        Self {
            port: settings.address.port,
            keys: settings.keys,
            patience,
            sabotage: settings.sabotage,
            sends: AtomicU64::new(0),
        }
    }

    fn has(&self, fault: Sabotage) -> bool {
        self.sabotage == Some(fault)
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Feeds the bot until the connection ends.
    async fn listen(&self, cx: &PuppetContext) -> Result<()> {
        let stream = self.connect().await.map_err(unreachable("listening"))?;
        let (reader, mut writer) = stream.into_split();
        writer.write_all(b"{\"op\":\"listen\"}\n").await.map_err(transport("listening"))?;
        let mut lines = BufReader::new(reader).lines();
        while let Some(line) = lines.next_line().await.map_err(transport("listening"))? {
            let (events, ids) = batch(&line)?;
            let acknowledge = format!("{}\n", json!({ "ack": ids }));
            if self.has(Sabotage::AckEarly) {
                writer.write_all(acknowledge.as_bytes()).await.map_err(transport("acknowledging"))?;
            }
            let cursor = ids.last().map(|id| Cursor::new(id.as_str()));
            cx.accept(Batch { events, cursor }).await?;
            writer.write_all(acknowledge.as_bytes()).await.map_err(transport("acknowledging"))?;
        }
        Ok(())
    }

    async fn call(&self, request: &Value) -> Result<Value> {
        let mut stream = self.connect().await.map_err(unreachable("sending"))?;
        stream.write_all(format!("{request}\n").as_bytes()).await.map_err(transport("sending"))?;
        let mut line = String::new();
        let read = BufReader::new(stream).read_line(&mut line).await.map_err(transport("sending"))?;
        if read == 0 {
            return Err(transport("sending")("the platform hung up"));
        }
        let garbled =
            |error: serde_json::Error| PuppetError::Protocol { context: "sending", detail: error.to_string() };
        serde_json::from_str(&line).map_err(garbled)
    }
}

/// What the platform gets to see: a text, or the name of a file, its size and the sum of its bytes.
async fn text(what: &SayablePayload) -> Result<String> {
    let Some(file) = what.file_box() else {
        let text = what.as_text().ok_or_else(|| PuppetError::unsupported(NAME, Capability::of(what)))?;
        return Ok(text.to_owned());
    };
    let unreadable = |error: wechaty_file_box::FileBoxError| {
        let reason = error.to_string();
        PuppetError::Invalid { what: "file", reason }
    };
    let bytes = file.to_bytes().await.map_err(unreadable)?;
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    Ok(format!("{} {} {sum}", file.name(), bytes.len()))
}

/// The events of a line, and their ids.
fn batch(line: &str) -> Result<(Vec<Event>, Vec<String>)> {
    let garbled = |detail: String| PuppetError::Protocol { context: "listening", detail };
    let value: Value = serde_json::from_str(line).map_err(|error| garbled(error.to_string()))?;
    let (mut events, mut ids) = (Vec::new(), Vec::new());
    for event in value["events"].as_array().into_iter().flatten() {
        let text = |name: &str| event[name].as_str().ok_or_else(|| garbled(format!("an event without `{name}`")));
        let (id, talker, words) = (text("id")?, text("talker")?, text("text")?);
        let payload = match event["room"].as_str() {
            Some(room) => MessagePayload::in_room(id, talker, room, words),
            None => MessagePayload::direct(id, talker, "bot", words),
        };
        events.push(Event::message(Arc::new(payload)));
        ids.push(id.to_owned());
    }
    Ok((events, ids))
}

#[async_trait]
impl Puppet for LoopbackPuppet {
    fn platform(&self) -> PlatformName {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities =
            Capabilities::new(&[Capability::SendText, Capability::SendAttachment, Capability::SentId]);
        if self.keys {
            let all =
                [Capability::SendText, Capability::SendAttachment, Capability::SentId, Capability::IdempotencyKey];
            capabilities = Capabilities::new(&all);
            capabilities.key_window = Some(Duration::from_secs(3_600));
        }
        capabilities.limits.call_timeout = self.patience;
        capabilities.limits.text = Some(LONGEST);
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        cx.accept(Event::new(LoginEvent { contact_id: ContactId::new("bot") })).await?;
        loop {
            let ended = tokio::select! {
                () = cx.cancelled() => return Ok(()),
                ended = self.listen(&cx) => ended,
            };
            if let Err(error @ PuppetError::Accept(_)) = ended {
                return if cx.cancellation().is_cancelled() { Ok(()) } else { Err(error) };
            }
            // The platform hung up, or is not there: it tells again what was not acknowledged.
            cx.clock().sleep(RECONNECT).await;
        }
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        let text = text(&out.what).await?;
        let nth = self.sends.fetch_add(1, Ordering::Relaxed) + 1;
        if self.has(Sabotage::SwallowSend) && nth == 3 {
            return Ok(Sent::new(MessageId::new("nowhere")));
        }
        let is_room = matches!(out.to, ConversationId::Room(_));
        let mut request = json!({ "op": "send", "to": out.to.as_str(), "room": is_room, "text": text });
        if self.keys {
            let key = if self.has(Sabotage::ForgetTransaction) { super::real::fresh() } else { out.key };
            request["key"] = key.to_string().into();
        }
        let answer = self.call(&request).await?;
        if self.has(Sabotage::DoubleSend) && nth == 3 {
            request["key"] = "another".into();
            self.call(&request).await?;
        }
        match answer["status"].as_u64() {
            Some(200) => Ok(Sent::new(MessageId::new(answer["id"].as_str().unwrap_or_default()))),
            Some(429) => {
                let after = answer["retry_after_ms"].as_u64().map(Duration::from_millis);
                Err(PuppetError::RateLimited { retry_after: after })
            }
            // Nobody knows what a server did before it broke.
            Some(500..) => Err(transport("sending")(format!("status {}", answer["status"]))),
            _ => Err(PuppetError::Rejected { code: answer["status"].to_string(), message: String::new() }),
        }
    }
}
