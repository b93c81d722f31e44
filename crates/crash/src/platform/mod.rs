//! PLATFORM: the other side, a process of its own on a loopback port. It shares no code with the bot's side.
//!
//! Lines of JSON over TCP. One connection listens to events and acknowledges them; each send is a connection of its own,
//! as most platforms' HTTP calls are; so are the questions of the harness (`book`, `nudge`).

mod faults;
mod people;
mod world;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use faults::Fault;
pub(crate) use world::{Book, Said, Taken};
use world::{Send, World};

/// What a platform is told when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// Whether it drops a second send with the same key.
    pub(crate) keys: bool,
    /// How many messages people say of their own accord.
    pub(crate) messages: u64,
    /// Longest pause between two of them, in milliseconds.
    pub(crate) pause: u64,
    /// Whether people ask for files.
    pub(crate) files: bool,
    /// Whether people ask for what needs more than one step: `long`, `later` and `draw`.
    pub(crate) steps: bool,
    /// How many of a hundred sends fail.
    pub(crate) faults: u64,
    /// How often each connection of the bot is told every message, in order of the connections; none: once, and what was not
    /// acknowledged again.
    pub(crate) copies: Vec<u32>,
}

/// Runs until standard input ends; prints the port first.
pub(crate) fn run(settings: Settings) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no loopback port")?;
    println!("{}", listener.local_addr()?.port());
    let world = Arc::new(World::new(settings));
    people::talk(world.clone());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let world = world.clone();
            thread::spawn(move || {
                // Who calls may be killed in the middle of it: that is the point.
                let _ = serve(&world, stream);
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn serve(world: &Arc<World>, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let Some(line) = lines.next() else { return Ok(()) };
    let request: Value = serde_json::from_str(&line?)?;
    match request["op"].as_str() {
        Some("listen") => listen(world, stream, lines),
        Some("send") => send(world, stream, &request),
        Some("book") => answer(&stream, &serde_json::to_value(world.book())?),
        Some("nudge") => {
            world.nudge();
            answer(&stream, &json!({}))
        }
        _ => answer(&stream, &json!({ "status": 400 })),
    }
}

fn answer(mut stream: &TcpStream, value: &Value) -> Result<()> {
    // In one piece: a second write may meet a connection that is gone.
    let line = format!("{value}\n");
    Ok(stream.write_all(line.as_bytes())?)
}

/// Tells events until a newer connection listens.
fn listen(world: &Arc<World>, stream: TcpStream, acks: std::io::Lines<BufReader<TcpStream>>) -> Result<()> {
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

fn send(world: &Arc<World>, stream: TcpStream, request: &Value) -> Result<()> {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let send = Send { key: request["key"].as_str().map(str::to_owned), to: text("to"), text: text("text") };
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
