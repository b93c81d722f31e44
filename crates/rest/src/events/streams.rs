//! STREAMS: how many listen to the events, in all and by token.

use std::{collections::HashMap, sync::Arc};

use axum::http::{StatusCode, header};
use parking_lot::Mutex;

use crate::problem::Problem;

/// How many streams, sockets and polls may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// In all. Default: 1,000.
    pub all: usize,
    /// With one token. Default: 100.
    pub token: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { all: 1_000, token: 100 }
    }
}

/// Those that are open.
#[derive(Debug)]
pub(crate) struct Streams {
    limits: StreamLimits,
    /// By the number of the token.
    open: Mutex<HashMap<usize, usize>>,
}

/// An open one; dropped, it is none.
#[derive(Debug)]
pub(crate) struct Listens {
    streams: Arc<Streams>,
    token: usize,
}

impl Streams {
    pub(crate) fn new(limits: StreamLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// One more of this token.
    ///
    /// # Errors
    /// 429: there are too many.
    pub(crate) fn listen(self: &Arc<Self>, token: usize) -> Result<Listens, Problem> {
        let mut open = self.open.lock();
        let own = open.get(&token).copied().unwrap_or_default();
        let most = if own >= self.limits.token {
            self.limits.token
        } else if open.values().sum::<usize>() >= self.limits.all {
            self.limits.all
        } else {
            *open.entry(token).or_default() += 1;
            return Ok(Listens { streams: self.clone(), token });
        };
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "W541", "events-streams");
        Err(problem.set("most", most.to_string()).header(header::RETRY_AFTER, "5"))
    }
}

impl Drop for Listens {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock();
        if let Some(own) = open.get_mut(&self.token) {
            *own = own.saturating_sub(1);
        }
        open.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_share_and_all_together_have_a_bound() {
        let streams = Streams::new(StreamLimits { all: 3, token: 2 });
        let first = streams.listen(0).unwrap();
        let _others = (streams.listen(0).unwrap(), streams.listen(1).unwrap());
        assert_eq!(streams.listen(0).unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(streams.listen(1).unwrap_err().code, "W541");
        drop(first);
        assert!(streams.listen(1).is_ok());
    }
}
