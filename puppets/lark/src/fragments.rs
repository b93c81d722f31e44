//! FRAGMENTS: events that come in several frames, joined in their order; bounded in number, bytes and time.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;

/// Most parts of an event.
const PARTS: usize = 256;
/// Most events that wait for parts.
const WAITING: usize = 64;
/// Most bytes of all that waits.
const BYTES: usize = 16 << 20;
/// How long an event waits for its next part.
const PATIENCE: Duration = Duration::from_secs(5);

/// What waits for the rest of it.
#[derive(Default)]
pub struct Fragments {
    waiting: HashMap<String, Waiting>,
    bytes: usize,
}

struct Waiting {
    parts: Vec<Option<Bytes>>,
    since: Duration,
}

/// Why a part is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl Fragments {
    /// Takes part `seq` of `sum`; the whole, once nothing is missing.
    ///
    /// # Errors
    /// [`Refused`]; the platform tells it again when it gets no acknowledgement.
    pub fn join(
        &mut self,
        id: &str,
        sum: usize,
        seq: usize,
        part: Bytes,
        now: Duration,
    ) -> Result<Option<Bytes>, Refused> {
        self.forget(now);
        if sum <= 1 {
            return Ok(Some(part));
        }
        if sum > PARTS || seq >= sum || id.is_empty() || id.len() > 256 {
            return Err(Refused("no such part"));
        }
        if self.bytes + part.len() > BYTES || (self.waiting.len() >= WAITING && !self.waiting.contains_key(id)) {
            return Err(Refused("too much waits for its other parts"));
        }
        let entry = self.waiting.entry(id.to_owned()).or_insert_with(|| Waiting { parts: vec![None; sum], since: now });
        if entry.parts.len() != sum {
            return Err(Refused("its parts have several sums"));
        }
        entry.since = now;
        // A part shares the bytes it was read into, which may be many more than it has; its own are what is counted.
        let part = Bytes::copy_from_slice(&part);
        let before = entry.parts[seq].as_ref().map_or(0, Bytes::len);
        self.bytes = self.bytes + part.len() - before;
        entry.parts[seq] = Some(part);
        if entry.parts.iter().any(Option::is_none) {
            return Ok(None);
        }
        let Some(done) = self.waiting.remove(id) else { return Ok(None) };
        let whole: Vec<u8> = done.parts.into_iter().flatten().flatten().collect();
        self.bytes -= whole.len();
        Ok(Some(whole.into()))
    }

    fn forget(&mut self, now: Duration) {
        let bytes = &mut self.bytes;
        self.waiting.retain(|_, waiting| {
            let stays = now.saturating_sub(waiting.since) < PATIENCE;
            if !stays {
                *bytes -= waiting.parts.iter().flatten().map(Bytes::len).sum::<usize>();
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(100);

    #[test]
    fn parts_are_joined_whatever_their_order_and_those_of_two_events_do_not_mix() {
        let mut fragments = Fragments::default();
        for (id, seq, part) in [("a", 2, "3"), ("b", 1, "y"), ("a", 0, "1"), ("a", 0, "1")] {
            let sum = if id == "a" { 3 } else { 2 };
            assert_eq!(fragments.join(id, sum, seq, part.into(), T), Ok(None));
        }
        assert_eq!(fragments.join("a", 3, 1, "2".into(), T), Ok(Some("123".into())));
        assert_eq!(fragments.join("b", 2, 0, "x".into(), T), Ok(Some("xy".into())));
        assert_eq!((fragments.bytes, fragments.waiting.len()), (0, 0));
    }

    #[test]
    fn a_part_that_waits_holds_no_bytes_but_its_own() {
        let (mut fragments, read) = (Fragments::default(), Bytes::from(vec![0; 1 << 20]));
        assert_eq!(fragments.join("a", 2, 0, read.slice(..1), T), Ok(None));
        assert!(read.is_unique() && fragments.bytes == 1);
    }

    #[test]
    fn what_waits_too_long_is_forgotten() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.join("a", 2, 0, "old".into(), T), Ok(None));
        assert_eq!(fragments.join("a", 2, 1, "b".into(), T + PATIENCE), Ok(None));
        assert_eq!(fragments.bytes, 1);
    }

    #[test]
    fn a_flood_is_refused_in_bounded_memory() {
        let mut fragments = Fragments::default();
        for number in 0..10_000 {
            let _ = fragments.join(&number.to_string(), 2, 0, vec![0; 1 << 20].into(), T);
        }
        assert!(fragments.bytes <= BYTES && fragments.waiting.len() <= WAITING);
        assert!(fragments.join("x", usize::MAX, 0, Bytes::new(), T).is_err());
        assert!(fragments.join("x", 2, 2, Bytes::new(), T).is_err());
        assert_eq!(fragments.join("x", 1, 0, "whole".into(), T), Ok(Some("whole".into())));
    }
}
