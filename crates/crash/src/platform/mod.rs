//! PLATFORM: the other side, a process of its own on loopback ports. It shares no code with the bot's side.
//!
//! The harness asks at a door of its own, by lines of JSON (`book`, `nudge`). What the bot speaks to is the platform's own:
//! `loopback`, `lark` or `matrix`. The same people say the same things on each.

mod book;
mod lark;
mod loopback;
#[cfg(feature = "matrix")]
mod matrix;
mod people;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::through::Through;
pub(crate) use book::{Book, Said, Taken};

/// What a platform is told when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) through: Through,
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

/// Where a platform is: its first line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) through: Through,
    /// The harness' door.
    pub(crate) port: u16,
    /// Settings of the puppet.
    pub(crate) puppet: BTreeMap<String, String>,
    /// From what people and rooms are called there to what they are called here; who is not in it has one name.
    pub(crate) names: BTreeMap<String, String>,
}

impl Address {
    /// What somebody is called here.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// What somebody is called there.
    pub(crate) fn id<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.iter().find(|(_, known)| *known == name).map_or(name, |(id, _)| id)
    }
}

type Lines = std::io::Lines<BufReader<TcpStream>>;

/// What people and the harness do with a platform, whichever it is.
trait Stage: Send + Sync + 'static {
    /// Returns once a bot was there.
    fn until_somebody_listens(&self);
    /// Somebody says something, in a room or to the bot.
    fn say(&self, talker: &str, room: Option<&str>, text: &str) -> Result<()>;
    /// Nobody says anything more of his own accord.
    fn said_everything(&self);
    /// The book as it is now.
    fn book(&self) -> Book;
    /// People whose question never came say their reply all the same.
    fn nudge(&self) -> Result<()>;
    /// From the nth call on nothing is answered, until this is asked again; `acts`: that call is done all the same. Every call
    /// is answered again where there is no nth.
    fn freeze(&self, nth: Option<u32>, acts: bool) {
        let _ = (nth, acts);
    }
    /// Serves what comes to the harness' door and is none of its questions.
    fn serve(&self, stream: TcpStream, request: &Value, more: Lines) -> Result<()> {
        let _ = (request, more);
        answer(&stream, &json!({ "status": 400 }))
    }
}

/// Runs until standard input ends; prints its address first.
pub(crate) fn run(settings: Settings) -> Result<()> {
    match settings.through {
        Through::Loopback => play(loopback::Loopback::new(settings.clone()), settings, Address::default()),
        Through::Lark => {
            let (stage, address) = lark::Lark::start(&settings)?;
            play(stage, settings, address)
        }
        #[cfg(feature = "matrix")]
        Through::Matrix => {
            let (stage, address) = matrix::Matrix::start(&settings)?;
            play(stage, settings, address)
        }
    }
}

fn play(stage: impl Stage, settings: Settings, address: Address) -> Result<()> {
    let stage: Arc<dyn Stage> = Arc::new(stage);
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no loopback port")?;
    let address = Address { through: settings.through, port: listener.local_addr()?.port(), ..address };
    println!("{}", serde_json::to_string(&address)?);
    people::talk(stage.clone(), settings);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let stage = stage.clone();
            thread::spawn(move || {
                // Who calls may be killed in the middle of it: that is the point.
                let _ = serve(&*stage, stream);
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn serve(stage: &dyn Stage, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let Some(line) = lines.next() else { return Ok(()) };
    let request: Value = serde_json::from_str(&line?)?;
    match request["op"].as_str() {
        Some("book") => answer(&stream, &serde_json::to_value(stage.book())?),
        Some("nudge") => {
            stage.nudge()?;
            answer(&stream, &json!({}))
        }
        Some("freeze") => {
            let nth = request["nth"].as_u64().and_then(|nth| u32::try_from(nth).ok());
            stage.freeze(nth, request["acts"] == true);
            answer(&stream, &json!({}))
        }
        _ => stage.serve(stream, &request, lines),
    }
}

fn answer(mut stream: &TcpStream, value: &Value) -> Result<()> {
    // In one piece: a second write may meet a connection that is gone.
    let line = format!("{value}\n");
    Ok(stream.write_all(line.as_bytes())?)
}
