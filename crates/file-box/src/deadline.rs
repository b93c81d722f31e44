//! The one deadline of a load: for finding the file, redirects included, and for all of its bytes.

use std::{future::Future, io, pin::Pin, pin::pin, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use tokio::time::Sleep;

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

    /// The bytes that come in time; waiting for more then is an error.
    pub(crate) fn bound(self, name: &str, stream: ByteStream) -> ByteStream {
        let name = name.to_owned();
        Box::pin(stream::unfold(Some((stream, self.0)), move |open| {
            let name = name.clone();
            async move {
                let (mut stream, mut deadline) = open?;
                let chunk = match select(stream.next(), &mut deadline).await {
                    Either::Left((chunk, _)) => Some(chunk),
                    Either::Right(_) => None,
                };
                match chunk {
                    Some(chunk) => chunk.map(|chunk| (chunk, Some((stream, deadline)))),
                    None => Some((Err(io::Error::other(FileBoxError::TimedOut { name })), None)),
                }
            }
        }))
    }
}
