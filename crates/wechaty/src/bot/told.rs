//! TOLD: how often the log is told what happens again and again.

use std::time::Duration;

/// How long it is spared the next one.
const SPARED: Duration = Duration::from_secs(60);

/// When the log was told last, and what it was spared since.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: Option<Duration>,
    spared: u64,
}

impl Told {
    /// It has happened again. Gives how often since the log was told last, if it is to be told now.
    pub(super) fn again(&mut self, now: Duration) -> Option<u64> {
        self.spared += 1;
        if self.last.is_some_and(|last| now.saturating_sub(last) < SPARED) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.spared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_once_a_minute_how_many_there_were() {
        let mut told = Told::default();
        let times: Vec<_> = [0, 1, 59, 60, 61, 300].map(|s| told.again(Duration::from_secs(s))).into();
        assert_eq!(times, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
