//! SERVE: connections, within bounds of number and time, until somebody stops the host.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use wechaty_puppet::{CancellationToken, Clock};

use super::{
    HttpSettings,
    refusal::{Caller, Refusal},
    room::{self, Shares},
    unread::{Called, Spoken},
};

/// Longest head of a request, within a factor of two; what is longer is refused with 431. Cookies of other programs on this host come along.
const HEAD: usize = 64 << 10;
/// How long a stop waits for answers under way.
const GRACE: Duration = Duration::from_millis(500);
/// How long the host waits when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// Who connected: a client, or the proxy before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// A host that serves. It ends with [`stop`](Self::stop), or when it is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    wanted: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listening {
    pub(super) fn start(
        listener: TcpListener,
        address: SocketAddr,
        settings: HttpSettings,
        routes: Router,
        clock: Clock,
    ) -> Self {
        let (stop, wanted) = (CancellationToken::new(), settings.listen);
        let task = tokio::spawn(serve(listener, settings, routes, clock, stop.clone()));
        Self { address, wanted, stop, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Whether it had to take another port than asked for.
    pub fn moved(&self) -> bool {
        self.wanted.port() != 0 && self.address.port() != self.wanted.port()
    }
    /// The address for a browser on this machine.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }
    /// Takes no more requests; gives those under way half a second, and ends them.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, settings: HttpSettings, routes: Router, clock: Clock, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let connections = room::allowed(settings.connections);
    let (room, shares) = (Arc::new(Semaphore::new(connections)), Shares::of(connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            // Closed never: it lives as long as this loop.
            let permit = room.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clock.sleep(BREATH).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let peer = Peer(peer.ip().to_canonical());
        let Some(share) = shares.take(peer.0) else {
            tracing::debug!(peer = %peer.0, "the address has too many connections");
            continue;
        };
        let (called, routes) = (Called::default(), TowerToHyperService::new(routes.clone()));
        let stream = TokioIo::new(Spoken::new(stream, called.clone(), clock.clone(), settings.timeout));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            called.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer);
            routes.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.timeout)
            .max_buf_size(HEAD)
            .serve_connection(stream, service);
        let connection = graceful.watch(connection);
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let _room = (permit, share);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended with an error");
            }
        });
    }
    drop(listener);
    if clock.timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("connections were still open at the end");
    }
    connections.shutdown().await;
}

/// Bounds the time until the head of the response; what is streamed behind it may take as long as it likes.
pub(super) async fn in_time(
    State((clock, timeout)): State<(Clock, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    let caller = Caller::of(request.headers());
    // Twice: the body may take its time before the answer does.
    match clock.timeout(timeout * 2, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::Late.response(caller),
    }
}

/// The address is there, but not for this method; the router says in `Allow` for which.
pub(super) async fn other_method(headers: HeaderMap) -> Response {
    Refusal::Method.response(Caller::of(&headers))
}
