//! LIMITS: how often something was done of late.

use std::collections::{HashMap, VecDeque};

/// Times of late, by what was done. It is forgotten at a restart.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<String, VecDeque<i64>>);

/// So many keys are kept before those that are quiet are dropped.
const KEPT: usize = 10_000;

impl Limits {
    /// Counts one more of `key`, unless `most` were done within `window` ms. Otherwise it tells after how many ms
    /// another can be.
    pub(crate) fn take(&mut self, key: &str, most: usize, window: i64, now: i64) -> Result<(), i64> {
        if self.0.len() > KEPT {
            self.0.retain(|_, times| times.back().is_some_and(|at| now - at < 60_000));
        }
        let times = self.0.entry(key.to_owned()).or_default();
        while times.front().is_some_and(|at| now - at >= window) {
            times.pop_front();
        }
        if times.len() >= most {
            return Err(times.front().map_or(window, |at| at + window - now));
        }
        times.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_makes_room() {
        let mut limits = Limits::default();
        assert!((0..5).all(|i| limits.take("a", 5, 1000, i).is_ok()));
        assert_eq!(limits.take("a", 5, 1000, 400), Err(600));
        assert_eq!(limits.take("b", 5, 1000, 400), Ok(()));
        assert_eq!(limits.take("a", 5, 1000, 1000), Ok(()));
    }
}
