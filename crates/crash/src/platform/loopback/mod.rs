//! LOOPBACK: the platform that this harness made up. It shares no code with the bot's side.
//!
//! Lines of JSON over TCP. One connection listens to events and acknowledges them; each send is a connection of its own,
//! as most platforms' HTTP calls are.

mod faults;
mod world;

use std::{io::Read, net::TcpStream, sync::Arc, thread, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};

use super::{Book, Lines, Settings, Stage, answer};
use faults::Fault;
use world::{Send, World};

/// See the module.
#[derive(Clone)]
pub(super) struct Loopback(Arc<World>);

impl Loopback {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(World::new(settings)))
    }
}

impl Stage for Loopback {
    fn until_somebody_listens(&self) {
        self.0.until_somebody_listens();
    }

    fn say(&self, talker: &str, room: Option<&str>, text: &str) -> Result<()> {
        self.0.say(talker, room, text.to_owned());
        Ok(())
    }

    fn said_everything(&self) {
        self.0.said_everything();
    }

    fn book(&self) -> Book {
        self.0.book()
    }

    fn nudge(&self) -> Result<()> {
        self.0.nudge();
        Ok(())
    }

    fn serve(&self, stream: TcpStream, request: &Value, more: Lines) -> Result<()> {
        match request["op"].as_str() {
            Some("listen") => listen(&self.0, stream, more),
            Some("send") => send(&self.0, stream, request),
            _ => answer(&stream, &json!({ "status": 400 })),
        }
    }
}

/// Tells events until a newer connection listens.
fn listen(world: &Arc<World>, stream: TcpStream, acks: Lines) -> Result<()> {
    let number = world.connected();
    let acknowledged = world.clone();
    let reader = thread::spawn(move || {
        for line in acks.map_while(Result::ok) {
            let Ok(ack) = serde_json::from_str::<Value>(&line) else { break };
            let ids = ack["ack"].as_array().into_iter().flatten().filter_map(Value::as_str);
            ids.for_each(|id| acknowledged.acknowledge(id));
        }
        acknowledged.gone(number);
    });
    while let Some(batch) = world.next_batch(number) {
        let events: Vec<Value> = batch
            .iter()
            .map(|said| {
                json!({
                    "id": said.id, "talker": said.talker, "room": said.room, "text": said.text,
                })
            })
            .collect();
        if answer(&stream, &json!({ "events": events })).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    let _ = reader.join();
    Ok(())
}

/// Whether the caller has given up before anybody here came to its call: that never came then, and overtakes nothing.
fn is_gone(stream: &TcpStream) -> Result<bool> {
    stream.set_nonblocking(true)?;
    let gone = matches!(stream.peek(&mut [0]), Ok(0));
    stream.set_nonblocking(false)?;
    Ok(gone)
}

fn send(world: &Arc<World>, stream: TcpStream, request: &Value) -> Result<()> {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let send = Send { key: request["key"].as_str().map(str::to_owned), to: text("to"), text: text("text") };
    if is_gone(&stream)? {
        return Ok(());
    }
    let fault = world.call_begins();
    let acts = fault.is_none_or(Fault::acts);
    let id = acts.then(|| world.take(send));
    match fault {
        None => {
            thread::sleep(Duration::from_millis(world.latency()));
            answer(&stream, &json!({ "status": 200, "id": id }))
        }
        Some(Fault::TooMany) => answer(&stream, &json!({ "status": 429, "retry_after_ms": 20 })),
        Some(Fault::Broken { .. }) => answer(&stream, &json!({ "status": 503 })),
        Some(Fault::Reset { .. }) => {
            // No good-bye: the other side's next read fails.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
            Ok(())
        }
        Some(Fault::Silence | Fault::HalfOpen) => {
            // Until the caller gives up.
            let _ = (&stream).read(&mut [0]);
            Ok(())
        }
    }
}
