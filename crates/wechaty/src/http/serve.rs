//! SERVE: connections, within bounds of number and time, until somebody stops the host.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, Uri},
    middleware::Next,
    response::Response,
};
use futures_util::StreamExt;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use wechaty_puppet::{CancellationToken, Clock, task};

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
/// So many connections that have ended may wait for their clients to have read the last of them.
const LAST: usize = 128;
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
        let task = task::spawn(serve(listener, settings, routes, clock, stop.clone()));
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
    let connections = room::allowed(settings.connections);
    let (room, shares) = (Arc::new(Semaphore::new(connections)), Shares::of(connections));
    let lasts = Arc::new(Semaphore::new(LAST));
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
        let stream = TokioIo::new(Spoken::new(stream, called.clone(), lasts.clone(), clock.clone(), settings.timeout));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            called.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer);
            routes.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.timeout)
            .max_buf_size(HEAD)
            .serve_connection(stream, service)
            // A door may speak WebSocket; such a connection is its own from then on, and no longer counted here.
            .with_upgrades();
        while connections.try_join_next().is_some() {}
        let stop = stop.clone();
        connections.spawn(task::work(async move {
            let _room = (permit, share);
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended with an error");
            }
        }));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if clock.timeout(GRACE, ended).await.is_err() {
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
    let caller = Caller::of(request.uri(), request.headers());
    let (mut seen, pieces) = (0, Arc::new(AtomicU64::new(0)));
    let counted = pieces.clone();
    let request = request.map(|body| {
        // Only a body that streams is counted: what is there at once takes no time.
        if body.size_hint().exact() == Some(0) {
            return body;
        }
        Body::from_stream(body.into_data_stream().inspect(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        }))
    });
    let mut answer = std::pin::pin!(next.run(request));
    loop {
        // Twice: the body may take its time before the answer does. One that comes steadily may take longer.
        match clock.timeout(timeout * 2, &mut answer).await {
            Ok(response) => return response,
            Err(_) => {
                let now = pieces.load(Ordering::Relaxed);
                if now == seen {
                    return Refusal::Late.response(caller);
                }
                seen = now;
            }
        }
    }
}

/// The address is there, but not for this method; the router says in `Allow` for which.
pub(super) async fn other_method(uri: Uri, headers: HeaderMap) -> Response {
    Refusal::Method.response(Caller::of(&uri, &headers))
}
