//! UNREAD: hyper refuses a head it cannot read by itself, with a bare status line; here such an answer gets its words. And
//! whoever takes nothing of an answer for too long is let go.

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
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use wechaty_puppet::Clock;

use super::refusal;

/// Whether a request of this connection was ever given to the routes. What is written before that is hyper's own, and
/// nothing behind it is looked at: an answer of ours may look the same.
pub(super) type Called = Arc<AtomicBool>;

/// How much of what is not read is thrown away before a connection ends.
const DRAINED: usize = 1 << 20;

/// A connection.
pub(super) struct Spoken {
    stream: TcpStream,
    called: Called,
    /// What is written instead of as many bytes, and how much of it is.
    instead: Option<(Vec<u8>, usize)>,
    clock: Clock,
    patience: Duration,
    /// Since the client takes nothing more.
    stuck: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Spoken {
    pub(super) fn new(stream: TcpStream, called: Called, clock: Clock, patience: Duration) -> Self {
        Self { stream, called, instead: None, clock, patience, stuck: None }
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
            let answer = refusal::unread(std::str::from_utf8(status).ok()?).filter(|_| whole)?;
            self.instead = Some((answer.into_bytes(), 0));
        }
        let (answer, done) = self.instead.as_mut()?;
        while let Some(rest) = answer.get(*done..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Ok(0))),
                Poll::Ready(Ok(written)) => *done += written,
                other => return Some(other),
            }
        }
        // Nothing comes behind it: hyper closes. What lies unread then would reset the connection, and take the answer
        // from the client; what comes later may do so.
        let mut buf = [0; 8 << 10];
        for _ in 0..DRAINED / buf.len() {
            let mut rest = ReadBuf::new(&mut buf);
            match Pin::new(&mut self.stream).poll_read(cx, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => {}
                _ => break,
            }
        }
        Some(Poll::Ready(Ok(bare.len())))
    }
}

impl AsyncRead for Spoken {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Spoken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let wrote = match self.speak(cx, buf) {
            Some(spoken) => spoken,
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
        };
        self.patient(cx, wrote)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, all: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let wrote = match all.first().and_then(|first| self.speak(cx, first)) {
            Some(spoken) => spoken,
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, all),
        };
        self.patient(cx, wrote)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
