//! SERVE: the listener on loopback, and lines that can be cut in every way there is.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{http as calls, shared::Shared};

/// A connection of TCP, seen from the requests in it.
#[derive(Clone, Default)]
pub(crate) struct Line {
    kill: CancellationToken,
    reset: Arc<AtomicBool>,
    spared: Arc<AtomicBool>,
}

impl Line {
    /// Cuts it with a reset instead of an end.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.kill.cancel();
    }

    /// It outlives a restart: the request in it asked for that.
    pub(crate) fn spare(&self) {
        self.spared.store(true, Ordering::Relaxed);
    }

    async fn cut(&self, epoch: &CancellationToken) {
        tokio::select! {
            () = self.kill.cancelled() => {}
            () = epoch.cancelled() => {
                if self.spared.load(Ordering::Relaxed) {
                    self.kill.cancelled().await;
                }
            }
        }
    }
}

/// Takes connections until the epoch ends, in a task of its own.
pub(crate) fn spawn(shared: Arc<Shared>, listener: TcpListener, epoch: CancellationToken) {
    // Boxed: a request can ask for a restart, which begins here again.
    let accepting: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(accept(shared, listener, epoch));
    tokio::spawn(accepting);
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, epoch: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = epoch.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        stream.set_nodelay(true).ok();
        let (shared, epoch, line) = (shared.clone(), epoch.clone(), Line::default());
        tokio::spawn(async move {
            let io = TokioIo::new(Io { stream, reset: line.reset.clone() });
            let (of, token) = (line.clone(), epoch.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                calls::handle(shared.clone(), of.clone(), token.clone(), request)
            });
            // Some clients look for headers by the letters in which the platform writes them.
            let served = http1::Builder::new().title_case_headers(true).serve_connection(io, service).with_upgrades();
            tokio::select! {
                _ = served => {}
                () = line.cut(&epoch) => {}
            }
        });
    }
}

/// Opens the port, on loopback only.
pub(crate) async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// A stream that can end with a reset.
struct Io {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Io {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
