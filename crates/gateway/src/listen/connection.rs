//! One connection: greeted, then HTTP/2 until the client, the listener or somebody behind it ends it.

use std::{pin::pin, sync::Arc};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::Service};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tonic::{Status, body::Body};
use wechaty_puppet::Clock;

use super::{
    Answering, BoxError, Connection, ListenSettings,
    greet::{Greeted, Greeter},
    room::{Fate, Place},
};

/// What may come of one call before it is read.
const STREAM_WINDOW: u32 = 1 << 20;
/// What may come of all calls of a connection before it is read.
const CONNECTION_WINDOW: u32 = 2 << 20;
/// What may wait to be taken of one call.
const SEND_BUFFER: usize = 400 << 10;
/// The largest list of headers.
const HEADERS: u32 = 16 << 10;

pub(super) async fn run(
    stream: TcpStream,
    mut place: Place,
    greeter: Arc<Greeter>,
    service: Answering,
    settings: ListenSettings,
    clock: Clock,
) {
    let Some(Greeted { stream, bare }) = greeted(stream, &mut place, &greeter, &settings, &clock).await else { return };
    let service = Called { inner: service, connection: place.connection().clone(), bare };
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(HEADERS)
            .max_concurrent_streams(settings.streams)
            .keep_alive_interval(settings.ping)
            .keep_alive_timeout(settings.pong)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        fate = place.told() => match fate {
            Fate::Leaves => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = clock.timeout(settings.drain, connection.as_mut()) => ended.ok(),
                    _ = place.told() => None,
                }
            }
            _ => None,
        },
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, "a connection ended with an error"),
        None => tracing::debug!("a connection was ended"),
    }
}

/// Within the time for it; `None`: it does not speak HTTP/2, took too long or was driven out.
async fn greeted(
    stream: TcpStream,
    place: &mut Place,
    greeter: &Greeter,
    settings: &ListenSettings,
    clock: &Clock,
) -> Option<Greeted> {
    let connection = place.connection().clone();
    let greeting = clock.timeout(settings.handshake, greeter.greet(stream, &connection));
    let greeted = tokio::select! {
        greeted = greeting => greeted,
        _ = place.told() => return None,
    };
    match greeted {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection did not come to speak HTTP/2");
            None
        }
        Err(_) => {
            tracing::debug!("a connection took too long to say what it speaks");
            None
        }
    }
}

/// The service as called on this connection.
struct Called {
    inner: Answering,
    connection: Connection,
    bare: bool,
}

impl Service<Request<Incoming>> for Called {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if self.bare {
            let why = "This gateway speaks TLS, and the call came without. Start the gateway with --no-tls for clients that \
                       speak none (Python, Go, Java), or turn TLS on in the client.";
            return Box::pin(std::future::ready(Ok(Status::failed_precondition(why).into_http())));
        }
        request.extensions_mut().insert(self.connection.clone());
        (self.inner)(request)
    }
}
