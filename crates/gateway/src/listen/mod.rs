//! LISTEN: from the port to a service: accepts connections within bounds, speaks TLS and HTTP/2, and ends them.
//!
//! A connection is *silent*, then *greeting* (handshake, first bytes), then a *guest*, and with the first good token a
//! *member*. Each of the first three has bounded room of its own, in which who comes last drives out who came first: so
//! half-open connections cost little, and keep nobody out. Members are never driven out.

mod connection;
mod greet;
mod port;
mod room;
mod stream;

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower_service::Service;
use wechaty_puppet::{CancellationToken, Clock, task};

pub use port::{PORT, bind};
pub use room::{Connection, ConnectionId, Connections};

use crate::tls::Tls;
use greet::Greeter;

/// How long the door waits when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);
/// Those who were driven out, and are on their way.
const LEAVING: usize = 64;

/// What bounds a listener.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenSettings {
    /// All connections; fewer where the system allows fewer open files. A quarter of them is for who has shown no good
    /// token yet.
    pub connections: usize,
    /// Calls under way on one connection.
    pub streams: u32,
    /// How long somebody may take from connecting to the first bytes of HTTP/2.
    pub handshake: Duration,
    /// How long calls under way may take when a connection is closed or the listener stops.
    pub drain: Duration,
    /// How often a connection is asked for a sign of life.
    pub ping: Duration,
    /// How long the answer to that may take. Scripts block for long.
    pub pong: Duration,
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self {
            connections: 2048,
            streams: 256,
            handshake: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            ping: Duration::from_secs(30),
            pong: Duration::from_secs(60),
        }
    }
}

/// An error of a service.
type BoxError = Box<dyn Error + Send + Sync>;

/// What answers calls, whatever it is: HTTP/2 is compiled once.
type Answering = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Result<Response<Body>, BoxError>> + Send + Sync>;

/// A listener that serves. It ends with [`stop`](Self::stop), with the token it was given, or when it is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    connections: Connections,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listening {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who is connected.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Takes no more connections, gives the calls under way their time, and ends them.
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

/// Serves on this listener until `stop` is cancelled. Without `tls`, HTTP/2 is spoken with prior knowledge.
///
/// Each request has a [`Connection`] in its extensions. The service is always ready, and must have [`Auth`](crate::auth::Auth) before
/// everything else: it tells members from guests.
///
/// # Errors
/// When the listener does not know where it listens.
pub fn serve<S>(
    listener: TcpListener,
    tls: Option<Tls>,
    service: S,
    settings: ListenSettings,
    clock: Clock,
    stop: &CancellationToken,
) -> io::Result<Listening>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error: Into<BoxError>, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let service: Answering = Arc::new(move |request| {
        let answer = service.clone().call(request);
        Box::pin(async move { answer.await.map_err(Into::into) })
    });
    let address = listener.local_addr()?;
    let stop = stop.child_token();
    let connections = Connections::of(room::allowed(settings.connections));
    let door = Door {
        greeter: Arc::new(Greeter::new(tls)),
        connections: connections.clone(),
        settings,
        clock,
        tracker: TaskTracker::new(),
    };
    let task = task::spawn(door.serve(listener, service, stop.clone()));
    Ok(Listening { address, connections, stop, task })
}

/// What the loop that accepts has.
struct Door {
    greeter: Arc<Greeter>,
    connections: Connections,
    settings: ListenSettings,
    clock: Clock,
    tracker: TaskTracker,
}

impl Door {
    async fn serve(self, listener: TcpListener, service: Answering, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(self.connections.most() + LEAVING));
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
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.connections.make_room();
                    self.clock.sleep(BREATH).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let place = self.connections.enter();
            let connection = connection::run(
                stream,
                place,
                self.greeter.clone(),
                service.clone(),
                self.settings.clone(),
                self.clock.clone(),
            );
            self.tracker.spawn(task::work(async move {
                connection.await;
                drop(permit);
            }));
        }
        drop(listener);
        self.tracker.close();
        self.connections.close_all();
        // Each connection bounds its own farewell.
        self.tracker.wait().await;
    }
}
