//! WAY: what the bot and the homeserver say to each other goes through here, so that it is known what the bot has.
//!
//! Matrix knows no acknowledgements. What an answer to `/sync` held, and what was fetched before the next question, is
//! acknowledged when the bot asks on from the position that the answer named: it does so when all of it is durable, and
//! after a restart it asks from the position that was. Positions are compared, and not understood.

use std::{
    collections::BTreeSet,
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use anyhow::Result;
use serde_json::Value;

use super::http::{Answer, Request, query};

/// What is known of the bot.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How many lives have asked on from a position.
    pub(super) connections: usize,
    is_listening: bool,
    /// Number of the newest `/sync`.
    newest: u64,
    /// Where its answer ended.
    given: Option<String>,
    /// Events since then.
    seen: BTreeSet<String>,
    /// Events that the bot has for good.
    pub(super) acknowledged: BTreeSet<String>,
    /// Events that the bot has sent.
    pub(super) sent: BTreeSet<String>,
    /// Sends on their way.
    pub(super) sending: usize,
    /// Answers to sends that named an event that was there already.
    pub(super) repeated: u64,
    /// How many calls until nothing is answered, and whether the last of them is done.
    freeze: Option<(u32, bool)>,
    /// Counts freezes and thaws.
    era: u64,
}

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Answered,
    /// It waits until this era is over.
    Held {
        era: u64,
        acts: bool,
    },
}

impl Known {
    /// A call comes.
    fn turn(&mut self) -> Turn {
        let era = self.era;
        match &mut self.freeze {
            None => Turn::Answered,
            Some((0, _)) => Turn::Held { era, acts: false },
            Some((left, acts)) => {
                *left -= 1;
                if *left == 0 { Turn::Held { era, acts: *acts } } else { Turn::Answered }
            }
        }
    }

    /// Whether nothing is answered.
    pub(super) fn is_frozen(&self) -> bool {
        self.freeze.is_some_and(|(left, _)| left == 0)
    }

    /// A life begins.
    fn begins(&mut self) {
        self.is_listening = false;
    }

    /// The bot asks what is new; gives the number of the question.
    fn asks(&mut self, since: Option<&str>) -> u64 {
        if since.is_some() && !self.is_listening {
            self.is_listening = true;
            self.connections += 1;
        }
        let seen = std::mem::take(&mut self.seen);
        // Who asks from elsewhere has not taken what was told.
        if since.is_some() && self.given.as_deref() == since {
            self.acknowledged.extend(seen);
        }
        self.given = None;
        self.newest += 1;
        self.newest
    }

    /// A question is answered; an old one was of a life that is over.
    fn is_told(&mut self, question: u64, answer: &Value) {
        if question != self.newest {
            return;
        }
        self.given = answer["next_batch"].as_str().map(str::to_owned);
        for kind in ["join", "leave"] {
            let rooms = answer["rooms"][kind].as_object().into_iter().flatten();
            rooms.for_each(|(_, room)| self.sees(&room["timeline"]["events"]));
        }
    }

    fn sees(&mut self, events: &Value) {
        let ids = events.as_array().into_iter().flatten().filter_map(|event| event["event_id"].as_str());
        self.seen.extend(ids.map(str::to_owned));
    }

    fn has_sent(&mut self, event: &str) {
        self.repeated += u64::from(!self.sent.insert(event.to_owned()));
    }
}

/// The way between both. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The homeserver's `host:port`.
    host: Arc<str>,
    known: Arc<(Mutex<Known>, Condvar)>,
}

impl Way {
    /// Opens a port for the bot; gives it.
    pub(super) fn open(host: &str) -> Result<(Self, u16)> {
        let way = Self { host: host.into(), known: Arc::default() };
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let serving = way.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let way = serving.clone();
                // Who calls may be killed in the middle of it.
                thread::spawn(move || way.serve(&stream));
            }
        });
        Ok((way, port))
    }

    /// Looks at what is known.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        let done = look(&mut self.known.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.known.1.notify_all();
        done
    }

    /// Returns once a life has asked on from a position: what is said from now on comes to it.
    pub(super) fn until_somebody_listens(&self) {
        let mut known = self.known.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.connections == 0 {
            known = self.known.1.wait(known).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// See [`Stage::freeze`](crate::platform::Stage::freeze).
    pub(super) fn freeze(&self, nth: Option<u32>, acts: bool) {
        self.with(|known| {
            known.era += 1;
            known.freeze = nth.map(|nth| (nth.max(1), acts));
        });
    }

    fn until_over(&self, era: u64) {
        let mut known = self.known.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.era == era {
            known = self.known.1.wait(known).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let request = Request::read(stream)?;
        let turn = self.with(Known::turn);
        if let Turn::Held { era, acts: false } = turn {
            self.until_over(era);
            return Ok(());
        }
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        let is_send = request.method == "PUT" && path.contains("/send/");
        let question = self.with(|known| match path.as_str() {
            _ if path.ends_with("/account/whoami") || path.ends_with("/login") => {
                known.begins();
                None
            }
            _ if path.ends_with("/v3/sync") => Some(known.asks(query(&request.path, "since"))),
            _ => {
                known.sending += usize::from(is_send);
                None
            }
        });
        let answer = request.send(&self.host);
        self.with(|known| {
            known.sending -= usize::from(is_send);
            let Ok(answer) = &answer else { return };
            let told = answer.json();
            match question {
                Some(question) => known.is_told(question, &told),
                None if path.ends_with("/messages") => known.sees(&told["chunk"]),
                None if is_send => told["event_id"].as_str().into_iter().for_each(|event| known.has_sent(event)),
                None => {}
            }
        });
        if let Turn::Held { era, .. } = turn {
            self.until_over(era);
            return Ok(());
        }
        answer.unwrap_or_else(|error| broken(&error)).write(stream)
    }
}

/// Nobody knows what became of it.
fn broken(error: &anyhow::Error) -> Answer {
    Answer { status: 502, content_type: "text/plain".to_owned(), body: format!("{error:#}").into_bytes() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(next: &str, events: &[&str]) -> Value {
        let events: Vec<Value> = events.iter().map(|id| json!({ "event_id": id })).collect();
        json!({ "next_batch": next, "rooms": { "join": { "!r": { "timeline": { "events": events } } } } })
    }

    #[test]
    fn what_was_told_is_acknowledged_by_asking_on_from_there() {
        let mut known = Known::default();
        let question = known.asks(Some("s1"));
        known.is_told(question, &answer("s2", &["$1"]));
        known.sees(&json!([{ "event_id": "$0" }]));
        assert!(known.acknowledged.is_empty());
        known.asks(Some("s2"));
        assert_eq!(known.acknowledged, BTreeSet::from(["$0".to_owned(), "$1".to_owned()]));
    }

    #[test]
    fn from_a_call_on_nothing_is_answered() {
        let mut known = Known { freeze: Some((2, true)), era: 7, ..Known::default() };
        let held = |acts| Turn::Held { era: 7, acts };
        assert_eq!([known.turn(), known.turn(), known.turn()], [Turn::Answered, held(true), held(false)]);
        assert!(known.is_frozen());
    }

    #[test]
    fn a_life_that_asks_from_before_has_not_what_the_last_was_told() {
        let mut known = Known::default();
        let question = known.asks(Some("s1"));
        known.is_told(question, &answer("s2", &["$1"]));
        known.begins();
        let late = known.asks(Some("s1"));
        assert_eq!((known.acknowledged.len(), known.connections), (0, 2));
        // And an answer to the dead is told to nobody.
        let question = known.asks(Some("s1"));
        known.is_told(late, &answer("s3", &["$2"]));
        known.is_told(question, &answer("s2", &["$1"]));
        known.asks(Some("s2"));
        assert_eq!(known.acknowledged, BTreeSet::from(["$1".to_owned()]));
    }
}
