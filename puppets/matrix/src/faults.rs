//! FAULTS: a room of which the homeserver tells nothing, try after try. At first everything waits for it; in the end the
//! other rooms go on without what it holds back.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use wechaty_puppet::{PuppetError, Result};

use crate::link::Link;

/// So often a room may fail before the others go on, and
const TRIES: u32 = 5;
/// so long: most faults are those of the whole homeserver, and over by then.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// A room that has not failed for so long is like every other.
const FORGIVEN: Duration = Duration::from_secs(60 * 60);
/// Rooms whose faults are remembered.
const MOST: usize = 1000;

#[derive(Clone, Copy, Debug)]
struct Fault {
    first: Duration,
    last: Duration,
    times: u32,
}

/// Faults by room, through the runs of a process.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<String, Fault>>);

impl Faults {
    /// Notes that a room has failed; whether the others may go on.
    fn note(&self, room: &str, now: Duration) -> bool {
        let mut known = self.0.lock();
        known.retain(|_, fault| now.saturating_sub(fault.last) < FORGIVEN);
        if known.len() >= MOST && !known.contains_key(room) {
            return false;
        }
        let fault = known.entry(room.to_owned()).or_insert(Fault { first: now, last: now, times: 0 });
        (fault.last, fault.times) = (now, fault.times.saturating_add(1));
        fault.times >= TRIES && now.saturating_sub(fault.first) >= PATIENCE
    }

    /// A room was told of from then on: unless it has failed since, it is like every other.
    pub(crate) fn passed(&self, room: &str, from: Duration) {
        let mut known = self.0.lock();
        if known.get(room).is_some_and(|fault| fault.last < from) {
            known.remove(room);
        }
    }
}

/// Whether what failed may be one room's alone.
pub(crate) fn may_be_of_room(error: &PuppetError) -> bool {
    matches!(error, PuppetError::Transport { .. } | PuppetError::Unreachable { .. } | PuppetError::Protocol { .. })
}

impl Link {
    /// Decides what follows from an error in what is asked about a room; `Ok`: it goes on without the answer.
    ///
    /// # Errors
    /// The same, which ends the run: the next one tries again.
    pub(crate) fn bear(&self, room: &str, error: PuppetError) -> Result<()> {
        if !may_be_of_room(&error) || !self.faults.note(room, self.cx.clock().now()) {
            return Err(error);
        }
        tracing::warn!(%room, %error, "the homeserver does not tell of a room: it goes on without");
        Ok(())
    }

    /// The other side of a one-to-one conversation; where nobody can be asked, as it is noted.
    pub(crate) async fn peer_noted(&self, room: &str) -> Result<Option<String>> {
        match self.peer(room).await {
            Ok(peer) => Ok(peer),
            Err(error) => self.bear(room, error).map(|()| self.directs.person_of(room, &self.me)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_others_wait_for_a_room_but_not_for_ever() {
        let faults = Faults::default();
        assert!((0..100).all(|second| !faults.note("!a", Duration::from_secs(second))), "it may be over soon");
        assert!(!faults.note("!b", 5 * MINUTE) && !faults.note("!b", 30 * MINUTE), "seldom is not often");
        assert!(faults.note("!a", 5 * MINUTE) && faults.note("!a", 60 * MINUTE), "not again from the beginning");
        assert!(!faults.note("!a", 120 * MINUTE), "it was good for an hour");
    }

    #[test]
    fn a_room_that_is_told_of_again_has_all_patience_again() {
        let faults = Faults::default();
        assert!((0..5).all(|second| !faults.note("!a", Duration::from_secs(second))));
        faults.passed("!a", Duration::from_secs(4));
        assert!(faults.note("!a", 5 * MINUTE), "it failed in that very try");
        faults.passed("!a", 6 * MINUTE);
        assert!(!faults.note("!a", 7 * MINUTE));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let faults = Faults::default();
        for room in 0..2 * MOST {
            assert!(!faults.note(&format!("!{room}"), Duration::ZERO));
        }
        assert_eq!(faults.0.lock().len(), MOST);
    }
}
