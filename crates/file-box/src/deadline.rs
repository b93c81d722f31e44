//! The one deadline of a load: for finding the file, redirects included, and for all of its bytes.

use std::{future::Future, io, pin::Pin, pin::pin, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use tokio::time::{Instant, Sleep};

use crate::{ByteStream, FileBoxError, Result};

pub(crate) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "servers and disks keep real time, whatever the bot's clock says")]
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(timeout)))
    }

    /// What comes of `work`, if it comes in time.
    pub(crate) async fn limit<T>(&mut self, name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        match select(pin!(work), &mut self.0).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(FileBoxError::TimedOut { name: name.to_owned() }),
        }
    }

    /// The bytes that come in time, each of them at most `stall` after the one before; waiting longer is an error.
    #[expect(clippy::disallowed_methods, reason = "as in `after`")]
    pub(crate) fn bound(self, name: &str, stream: ByteStream, stall: Option<Duration>) -> ByteStream {
        let name = name.to_owned();
        let stall = stall.map(|stall| (stall, Self::after(stall).0));
        Box::pin(stream::unfold(Some((stream, self.0, stall)), move |open| {
            let name = name.clone();
            async move {
                let (mut stream, mut deadline, mut stall) = open?;
                let late = async {
                    match &mut stall {
                        Some((_, stalled)) => _ = select(stalled, &mut deadline).await,
                        None => deadline.as_mut().await,
                    }
                };
                let chunk = match select(stream.next(), pin!(late)).await {
                    Either::Left((chunk, _)) => Some(chunk),
                    Either::Right(_) => None,
                };
                let Some(chunk) = chunk else {
                    return Some((Err(io::Error::other(FileBoxError::TimedOut { name })), None));
                };
                if let Some((stall, stalled)) = &mut stall {
                    stalled.as_mut().reset(Instant::now() + *stall);
                }
                chunk.map(|chunk| (chunk, Some((stream, deadline, stall))))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn who_stops_sending_is_let_go_long_before_the_end_of_all_time() {
        let pieces = stream::iter((0..3).map(|_| Ok(Bytes::from_static(b"piece")))).chain(stream::pending());
        let stall = Some(Duration::from_millis(20));
        let mut bytes = Deadline::after(Duration::from_secs(3600)).bound("a.txt", Box::pin(pieces), stall);
        for _ in 0..3 {
            assert_eq!(bytes.try_next().await.unwrap().unwrap(), "piece");
        }
        let error = bytes.try_next().await.unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
        assert!(bytes.try_next().await.unwrap().is_none());
    }
}
