//! LIMIT: how fast each token may ask: a bucket of requests that is filled at a steady rate.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;

use crate::{Rate, problem::Problem};

/// The buckets of all tokens.
pub(crate) struct Limit {
    rate: Rate,
    buckets: Vec<Mutex<Bucket>>,
}

struct Bucket {
    /// Requests that are left, in thousandths.
    left: u64,
    at: Duration,
}

/// What a caller is told about its bucket with each answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    burst: u32,
    /// Seconds until an empty bucket is full.
    window: u64,
    left: u64,
    /// Seconds until there is another one.
    next: u64,
}

impl Limit {
    pub(crate) fn new(rate: Rate, tokens: usize) -> Self {
        let rate = Rate { per_second: rate.per_second.max(1), burst: rate.burst.max(1) };
        let full = || Mutex::new(Bucket { left: u64::from(rate.burst) * 1000, at: Duration::ZERO });
        Self { rate, buckets: (0..tokens).map(|_| full()).collect() }
    }

    /// Takes a request out of the bucket of this token. `now`: the bot's monotonic time.
    ///
    /// # Errors
    /// 429 with `Retry-After`.
    pub(crate) fn take(&self, token: usize, now: Duration) -> Result<Left, Problem> {
        let (burst, per_second) = (u64::from(self.rate.burst), u64::from(self.rate.per_second));
        let window = burst.div_ceil(per_second);
        let Some(bucket) = self.buckets.get(token) else {
            return Ok(Left { burst: self.rate.burst, window, left: burst, next: 0 });
        };
        let mut bucket = bucket.lock();
        let passed = u64::try_from(now.saturating_sub(bucket.at).as_millis()).unwrap_or(u64::MAX);
        // Of a time below a millisecond nothing is lost: it counts when the next one is full.
        if passed > 0 {
            bucket.left = bucket.left.saturating_add(passed.saturating_mul(per_second)).min(burst * 1000);
            bucket.at = now;
        }
        let taken = bucket.left >= 1000;
        if taken {
            bucket.left -= 1000;
        }
        let missing = 1000u64.saturating_sub(bucket.left);
        let left = Left {
            burst: self.rate.burst,
            window,
            left: bucket.left / 1000,
            next: missing.div_ceil(per_second).div_ceil(1000),
        };
        if taken { Ok(left) } else { Err(left.refusal()) }
    }
}

impl Left {
    fn refusal(self) -> Problem {
        let seconds = self.next.max(1).to_string();
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "W517", "rest-rate")
            .set("seconds", seconds.as_str())
            .header(header::RETRY_AFTER, &seconds);
        let mut headers = HeaderMap::new();
        self.tell(&mut headers);
        problem.headers.extend(headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
        problem
    }

    /// As the draft "RateLimit header fields for HTTP" has it.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { burst, window, left, next } = self;
        for (name, value) in [
            ("ratelimit-policy", format!("\"token\";q={burst};w={window}")),
            ("ratelimit", format!("\"token\";r={left};t={next}")),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_at_once_and_fills_steadily_and_each_token_has_its_own() {
        let limit = Limit::new(Rate { per_second: 2, burst: 3 }, 2);
        let at = |ms| Duration::from_millis(ms);
        let taken = |ms| (0..10).filter(|_| limit.take(0, at(ms)).is_ok()).count();
        assert_eq!((taken(0), taken(400), taken(500), taken(10_000)), (3, 0, 1, 3));
        assert_eq!(limit.take(1, at(0)).map(|left| left.left).ok(), Some(2));
        let refused = limit.take(0, at(10_000)).expect_err("it is empty");
        let header = |name: &str| refused.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone());
        assert_eq!(header("retry-after").unwrap(), "1");
        assert_eq!(header("ratelimit").unwrap(), "\"token\";r=0;t=1");
        assert_eq!(header("ratelimit-policy").unwrap(), "\"token\";q=3;w=2");
    }
}
