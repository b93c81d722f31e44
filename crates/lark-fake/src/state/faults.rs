//! FAULTS: what goes wrong on purpose, a given number of times.

use serde::{Deserialize, Serialize};

use super::State;

/// A fault of calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The path begins so; nothing for every call but those to the admin door.
    #[serde(default)]
    pub path: String,
    /// Only calls with this method; nothing for all.
    #[serde(default)]
    pub method: String,
    /// How many such calls go well first.
    #[serde(default)]
    pub after: u32,
    /// How often; once where nothing is said.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub trouble: Trouble,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// Too many requests: HTTP 429, or 400 as older APIs do, with 99991400 and `x-ogw-ratelimit-reset`.
    Throttle {
        /// Seconds until calls are taken again.
        #[serde(default = "second")]
        reset: u64,
        /// With HTTP 400.
        #[serde(default)]
        old: bool,
    },
    /// An error of the platform, in its shape; nothing is done.
    Refuse {
        /// `code`.
        code: i64,
        /// HTTP status; 400 where nothing is said, 200 at discovery and for tokens.
        #[serde(default)]
        status: u16,
        /// `msg`.
        #[serde(default)]
        msg: String,
    },
    /// A plain HTTP error as a gateway in between gives it; nothing is done.
    Status {
        /// 500, 502, …
        status: u16,
    },
    /// The same, after it was done.
    StatusAfter {
        /// 500, 502, …
        status: u16,
    },
    /// The connection is reset before anything is done.
    ResetBefore,
    /// It is done, then the connection is reset.
    ResetAfter,
    /// It is done, and answered late.
    Slow {
        /// How late.
        ms: u64,
    },
    /// It is done, and never answered.
    Hang,
    /// The handshake of a long connection is refused, with these headers.
    Handshake {
        /// `handshake-status`.
        status: i64,
        /// `handshake-msg`.
        #[serde(default)]
        msg: String,
        /// `handshake-autherrcode`, beside status 514.
        #[serde(default)]
        autherrcode: i64,
    },
}

/// A fault of deliveries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventFault {
    /// Only events of this type; nothing for all.
    #[serde(default)]
    pub event_type: String,
    /// How often; once where nothing is said.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub trouble: EventTrouble,
}

/// What goes wrong with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventTrouble {
    /// It comes once more although it was acknowledged.
    Repeat,
    /// It comes once more under another event id, with the same message in it.
    RepeatRenamed,
    /// The acknowledgement is not heard: it comes again as if there had been none.
    AckLost,
    /// A webhook with a signature that is wrong.
    BadSignature,
    /// A webhook with a token that is wrong.
    BadToken,
    /// A webhook signed long ago: its timestamp is an hour old.
    Old,
    /// A webhook whose body was changed behind its signature.
    Changed,
    /// A frame cut off in the middle, before the good one.
    Truncated,
    /// One of several fragments is missing: it cannot be acknowledged.
    FragmentLost,
    /// The connection is dropped when the event is on its way.
    Dropped,
}

fn once() -> u32 {
    1
}

fn second() -> u64 {
    1
}

impl State {
    /// The next fault for a call, counted off.
    pub(crate) fn trouble(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let at = self.faults.iter().position(|fault| {
            fault.times > 0 && path.starts_with(&fault.path) && (fault.method.is_empty() || fault.method == method)
        })?;
        let fault = &mut self.faults[at];
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        let trouble = fault.trouble.clone();
        self.faults.retain(|fault| fault.times > 0);
        Some(trouble)
    }

    /// The next fault for a delivery, counted off.
    pub(crate) fn event_trouble(&mut self, event_type: &str) -> Option<EventTrouble> {
        let fits = |fault: &EventFault| fault.event_type.is_empty() || fault.event_type == event_type;
        let at = self.event_faults.iter().position(|fault| fault.times > 0 && fits(fault))?;
        self.event_faults[at].times -= 1;
        let trouble = self.event_faults[at].trouble;
        self.event_faults.retain(|fault| fault.times > 0);
        Some(trouble)
    }
}
