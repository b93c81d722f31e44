//! The client of both servers: one connection, messages as bytes, so that neither costs it more than the other.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, future::try_join_all, stream};
use hdrhistogram::Histogram;
use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, sync::Semaphore};
use tonic::{Status, Streaming, body::Body, client::Grpc};
use tower_service::Service;
use wechaty::Clock;

use super::{calls, raw::Raw};

/// Calls under way at once.
const AT_ONCE: usize = 64;
/// Dings whose dongs have not come.
const UNANSWERED: usize = 256;
/// One that acknowledges nothing, so that both servers are called alike.
const AGENT: &str = "grpc-node-js/1.9.0";
/// What may come of one stream, and of all, before it is read.
const STREAM_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 8 << 20;
/// The longest latency that is told apart, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// A connection. Clones are the same.
#[derive(Clone)]
pub(super) struct Client {
    sender: SendRequest<Body>,
    authorization: HeaderValue,
    clock: Clock,
}

impl Service<Request<Body>> for Client {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Response<Incoming>, hyper::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        let sent = self.sender.send_request(request);
        Box::pin(sent)
    }
}

/// How fast calls were answered.
pub(super) struct Speed {
    pub(super) per_s: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

impl Client {
    pub(super) async fn open(address: SocketAddr, token: &str, clock: Clock) -> anyhow::Result<Self> {
        let tcp = TcpStream::connect(address).await.context("connecting to the server")?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(TokioIo::new(tcp))
            .await?;
        tokio::spawn(async move { drop(connection.await) });
        let authorization = HeaderValue::try_from(wechaty_grpc::token::authorization(token))?;
        Ok(Self { sender, authorization, clock })
    }

    fn grpc(&self) -> Grpc<Self> {
        Grpc::with_origin(self.clone(), Uri::from_static("http://127.0.0.1"))
    }

    pub(super) async fn unary(&self, path: &'static str, message: Bytes) -> anyhow::Result<Bytes> {
        let mut grpc = self.grpc();
        grpc.ready().await?;
        Ok(grpc.unary(tonic::Request::new(message), PathAndQuery::from_static(path), Raw).await?.into_inner())
    }

    async fn down(&self, path: &'static str, message: Bytes) -> anyhow::Result<Streaming<Bytes>> {
        let mut grpc = self.grpc();
        grpc.ready().await?;
        let answer = grpc.server_streaming(tonic::Request::new(message), PathAndQuery::from_static(path), Raw);
        Ok(answer.await?.into_inner())
    }

    /// Opens the stream of events; `start`: and waits until the account is ready.
    pub(super) async fn events(&self, start: bool) -> anyhow::Result<Streaming<Bytes>> {
        let mut events = self.down(calls::EVENT, Bytes::new()).await?;
        if start {
            self.unary(calls::START, Bytes::new()).await?;
            while !calls::is_ready(&events.message().await?.context("the stream of events has ended")?) {}
        }
        Ok(events)
    }

    /// Unary calls for so long.
    pub(super) async fn calls(&self, time: Duration) -> anyhow::Result<Speed> {
        let (began, request) = (self.clock.now(), calls::unary());
        let workers = (0..AT_ONCE).map(|_| {
            let (this, request) = (self.clone(), request.clone());
            tokio::spawn(async move {
                let mut took = Histogram::<u64>::new_with_bounds(1, LONGEST_US, 3)?;
                loop {
                    let called = this.clock.now();
                    if called.saturating_sub(began) >= time {
                        return anyhow::Ok(took);
                    }
                    this.unary(calls::UNARY, request.clone()).await?;
                    let us = (this.clock.now().saturating_sub(called)).as_micros();
                    took.saturating_record(u64::try_from(us).unwrap_or(LONGEST_US));
                }
            })
        });
        let mut all = Histogram::<u64>::new_with_bounds(1, LONGEST_US, 3)?;
        for took in try_join_all(workers).await? {
            all.add(took?)?;
        }
        let seconds = self.clock.now().saturating_sub(began).as_secs_f64();
        let at = |quantile| all.value_at_quantile(quantile);
        Ok(Speed { per_s: all.len() as f64 / seconds, p50_us: at(0.5), p99_us: at(0.99) })
    }

    /// Dings for so long; how many dongs came a second.
    pub(super) async fn dings(&self, events: &mut Streaming<Bytes>, time: Duration) -> anyhow::Result<f64> {
        let (began, dong) = (self.clock.now(), calls::dong());
        let room = Arc::new(Semaphore::new(UNANSWERED));
        let asked = Arc::new(AtomicU64::new(0));
        let workers = (0..AT_ONCE).map(|_| {
            let (this, room, asked) = (self.clone(), room.clone(), asked.clone());
            tokio::spawn(async move {
                while this.clock.now().saturating_sub(began) < time {
                    room.acquire().await?.forget();
                    asked.fetch_add(1, Ordering::Relaxed);
                    this.unary(calls::DING, calls::ding()).await?;
                }
                anyhow::Ok(())
            })
        });
        let mut workers = Box::pin(try_join_all(workers));
        let (mut answered, mut is_over) = (0, false);
        while !is_over || answered < asked.load(Ordering::Relaxed) {
            tokio::select! {
                event = events.message() => {
                    // Heartbeats come in between.
                    if event?.context("the stream of events has ended")? == dong {
                        answered += 1;
                        room.add_permits(1);
                    }
                }
                done = &mut workers, if !is_over => {
                    done?.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
                    is_over = true;
                }
            }
        }
        Ok(answered as f64 / self.clock.now().saturating_sub(began).as_secs_f64())
    }

    /// Uploads a file of so many bytes: its id, and MiB a second.
    pub(super) async fn upload(&self, bytes: u64) -> anyhow::Result<(String, f64)> {
        let began = self.clock.now();
        let mut grpc = self.grpc();
        grpc.ready().await?;
        let request = tonic::Request::new(stream::iter(calls::pieces(bytes)));
        let answer = grpc.client_streaming(request, PathAndQuery::from_static(calls::UPLOAD), Raw).await?;
        Ok((calls::uploaded(&answer.into_inner())?, self.mib_per_s(bytes, began)))
    }

    /// Downloads it, and counts its bytes: MiB a second.
    pub(super) async fn download(&self, id: &str, bytes: u64) -> anyhow::Result<f64> {
        let began = self.clock.now();
        let mut pieces = self.down(calls::DOWNLOAD, calls::download(id)).await?;
        let mut got = 0;
        while let Some(piece) = pieces.next().await.transpose().map_err(|status: Status| status)? {
            got += calls::length(&piece)? as u64;
        }
        ensure!(got == bytes, "{got} of {bytes} bytes came");
        Ok(self.mib_per_s(bytes, began))
    }

    fn mib_per_s(&self, bytes: u64, began: Duration) -> f64 {
        bytes as f64 / f64::from(1 << 20) / self.clock.now().saturating_sub(began).as_secs_f64()
    }
}
