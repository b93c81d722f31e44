//! EARLIER: who of an earlier process may still come back, so that what the bot says to them meanwhile waits for them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use wechaty_puppet::{Bytes, ContactId, Timestamp};

use crate::{guard::Maker, visitors::FORGOTTEN};

/// In so large steps it is noted when somebody was here last.
const STEP: Duration = Duration::from_secs(3_600);

/// Who has been here for almost a day or longer, and when they were here last. Of all others the id tells enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Stayed(BTreeMap<ContactId, Timestamp>);

impl Stayed {
    /// As it was kept; `None`: it cannot be read.
    pub(crate) fn kept(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// To keep it.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        // Texts and numbers always have a JSON.
        Some(serde_json::to_vec(self).ok()?.into())
    }

    /// Somebody is here, or was at this time: it is noted if their id alone will soon say too little.
    pub(crate) fn note(&mut self, id: &ContactId, seen: Timestamp, now: Timestamp) {
        let is_long = made(id).is_none_or(|made| now.since(made) >= FORGOTTEN - STEP);
        if is_long {
            let step = STEP.as_millis() as i64;
            let seen = seen.as_millis();
            self.0.insert(id.clone(), Timestamp::from_millis(seen - seen.rem_euclid(step)));
        }
    }
}

/// What an earlier process has left.
#[derive(Debug)]
pub(crate) struct Earlier {
    /// When this one began.
    began: Timestamp,
    stayed: Stayed,
}

impl Earlier {
    pub(crate) fn new(began: Timestamp, mut stayed: Stayed) -> Self {
        stayed.0.retain(|_, seen| began.since(*seen) < FORGOTTEN + STEP);
        Self { began, stayed }
    }

    /// Whether it is too late for all of them.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.began) >= FORGOTTEN
    }

    /// Whether this id was handed out, and lately enough.
    pub(crate) fn has(&self, id: &ContactId, maker: &Maker) -> bool {
        let is_recent = |made: Timestamp| made < self.began && self.began.since(made) < FORGOTTEN;
        self.stayed.0.contains_key(id) || made(id).is_some_and(is_recent) && maker.has_made(id)
    }

    /// Who had been here for long and has not come back yet.
    pub(crate) fn stayed(&self, is_back: impl Fn(&ContactId) -> bool) -> Stayed {
        let away = self.stayed.0.iter().filter(|(id, _)| !is_back(id));
        Stayed(away.map(|(id, seen)| (id.clone(), *seen)).collect())
    }
}

/// When a visitor's id was made, by what it says.
fn made(id: &ContactId) -> Option<Timestamp> {
    id.as_str().strip_prefix('v')?.split_once('-')?.0.parse().ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_handed_an_id_within_the_day_or_stayed_longer_may_come_back() {
        let (maker, other) = (Maker::random(), Maker::random());
        let day = FORGOTTEN.as_millis() as i64;
        let at = |ms: i64| Timestamp::from_millis(10 * day + ms);
        let id = |ms| maker.visitor(at(ms));
        let (long, gone) = (id(-5 * day), id(-5 * day + 1));
        let mut stayed = Stayed::default();
        for (id, seen) in [(&long, -1), (&gone, -2 * day), (&id(-day / 2), -1)] {
            stayed.note(id, at(seen), at(0));
        }
        let kept = Stayed::kept(&stayed.bytes().expect("JSON")).expect("read");
        assert_eq!((kept.0.len(), &kept), (2, &stayed), "the id of who is new says it");
        let earlier = Earlier::new(at(0), kept);
        for (id, may, why) in [
            (id(-1), true, "a moment ago"),
            (id(1 - day), true, "a day ago"),
            (id(-day), false, "too long ago"),
            (long, true, "here for long, and lately"),
            (gone, false, "long gone"),
            (id(0), false, "of this process"),
            (other.visitor(at(-1)), false, "another bot's"),
            (format!("v{}-5", at(-1).as_millis()).into(), false, "made up"),
            (id(-1).as_str().replacen("-", "-0", 1).into(), false, "changed"),
            ("vö".into(), false, "no id"),
        ] {
            assert_eq!(earlier.has(&id, &maker), may, "{why}: {id}");
        }
        assert!(!earlier.is_over(at(day - 1)) && earlier.is_over(at(day)));
        assert_eq!(Stayed::kept(b"?"), None);
    }
}
