//! UNREAD: hyper refuses a head it cannot read by itself, with a bare status line; here such an answer gets its words.
//! Whoever takes nothing of an answer for too long is let go; and a connection ends so that its client can read the last of it.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    sync::Semaphore,
};

use wechaty_puppet::Clock;

use super::refusal;

/// Whether a request of this connection was ever given to the routes. What is written before that is hyper's own, and
/// nothing behind it is looked at: an answer of ours may look the same.
pub(super) type Called = Arc<AtomicBool>;

/// How much of what is not read is thrown away when a connection ends, and how long its client may take to end it, too.
const DRAINED: usize = 16 << 20;
const LAST: Duration = Duration::from_secs(2);

/// A connection.
pub(super) struct Spoken {
    /// There until the end.
    stream: Option<TcpStream>,
    /// Whether the client has ended its side.
    ended: bool,
    /// Whether the first request is for the door that answers with problems; `None`: nothing was read yet.
    is_api: Option<bool>,
    /// How many connections may be at their end.
    lasts: Arc<Semaphore>,
    called: Called,
    /// What is written instead of as many bytes, and how much of it is.
    instead: Option<(Vec<u8>, usize)>,
    clock: Clock,
    patience: Duration,
    /// Since the client takes nothing more.
    stuck: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Spoken {
    pub(super) fn new(
        stream: TcpStream,
        called: Called,
        lasts: Arc<Semaphore>,
        clock: Clock,
        patience: Duration,
    ) -> Self {
        let (ended, is_api, instead, stuck) = (false, None, None, None);
        Self { stream: Some(stream), ended, is_api, lasts, called, instead, clock, patience, stuck }
    }

    fn stream(&mut self) -> Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// What came of writing; an error, if nothing came of it for too long.
    fn patient(&mut self, cx: &mut Context<'_>, wrote: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if wrote.is_ready() {
            self.stuck = None;
            return wrote;
        }
        let (clock, patience) = (&self.clock, self.patience);
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(clock.sleep(patience)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client takes nothing")))
    }

    /// Writes the answer with words in the place of a bare one, which counts as written then.
    fn speak(&mut self, cx: &mut Context<'_>, bare: &[u8]) -> Option<Poll<Result<usize>>> {
        if self.called.load(Ordering::Relaxed) {
            return None;
        }
        if self.instead.is_none() {
            let status = bare.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
            let whole = bare.ends_with(b"\r\n\r\n");
            let is_api = self.is_api.unwrap_or_default();
            let answer = refusal::unread(std::str::from_utf8(status).ok()?, is_api).filter(|_| whole)?;
            self.instead = Some((answer.into_bytes(), 0));
        }
        let (Some(stream), Some((answer, done))) = (&mut self.stream, &mut self.instead) else { return None };
        while let Some(rest) = answer.get(*done..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut *stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Ok(0))),
                Poll::Ready(Ok(written)) => *done += written,
                other => return Some(other),
            }
        }
        Some(Poll::Ready(Ok(bare.len())))
    }
}

/// What lies unread, or comes yet, would reset the connection, and take the last that was said from the client: it is read
/// and thrown away until the client ends its side, or for a moment.
impl Drop for Spoken {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take().filter(|_| !self.ended) else { return };
        let (Ok(permit), Ok(runtime)) = (self.lasts.clone().try_acquire_owned(), Handle::try_current()) else { return };
        let clock = self.clock.clone();
        runtime.spawn(async move {
            let _permit = permit;
            let last = async {
                stream.shutdown().await?;
                let (mut buf, mut all) = ([0; 8 << 10], 0);
                while all < DRAINED {
                    match stream.read(&mut buf).await? {
                        0 => break,
                        read => all += read,
                    }
                }
                Ok::<(), Error>(())
            };
            // Who is gone, or does not go, needs nothing more.
            let _ = clock.timeout(LAST, last).await;
        });
    }
}

/// Whether a head, or the beginning of one, asks for something below `/api`.
fn is_api(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let path = line.split(|byte| *byte == b' ').nth(1).and_then(|path| std::str::from_utf8(path).ok());
    path.is_some_and(refusal::is_api)
}

impl AsyncRead for Spoken {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let read = ready!(self.stream()?.poll_read(cx, buf));
        let new = buf.filled().get(before..).unwrap_or_default();
        self.ended |= read.is_err() || (new.is_empty() && buf.remaining() > 0);
        self.is_api.get_or_insert_with(|| is_api(new));
        Poll::Ready(read)
    }
}

impl AsyncWrite for Spoken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let wrote = match self.speak(cx, buf) {
            Some(spoken) => spoken,
            None => self.stream()?.poll_write(cx, buf),
        };
        self.patient(cx, wrote)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, all: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let wrote = match all.first().and_then(|first| self.speak(cx, first)) {
            Some(spoken) => spoken,
            None => self.stream()?.poll_write_vectored(cx, all),
        };
        self.patient(cx, wrote)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stream()?.poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.stream()?.poll_flush(cx))?;
        self.stream()?.poll_shutdown(cx)
    }
}
