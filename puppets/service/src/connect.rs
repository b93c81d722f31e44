//! CONNECTION: TCP, TLS and HTTP/2 to one gateway, as the service that the generated client calls.
//!
//! It knows what a request that did not leave is: then it is certain that nothing happened.

use std::{
    fmt, io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
    rt::{Read, Write},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{net::TcpStream, task::AbortHandle};
use tonic::{
    Status,
    body::Body,
    codegen::{
        Service,
        http::{HeaderMap, HeaderValue, Request, Response, header},
    },
};
use wechaty_grpc::{Dialect, token};
use wechaty_puppet::{BoxError, Clock, PuppetError, Result, unreachable};

use crate::{
    acks::Acks,
    key,
    options::{Address, Options, Tls},
};

/// The metadata key of the numbers of accepted events.
const ACK: &str = "wechaty-ack";

const CONTEXT: &str = "connecting to the gateway";
const DIAL: Duration = Duration::from_secs(15);
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// What one stream, and all together, may send before it is read: so much memory a file takes on its way.
const STREAM_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 8 << 20;
/// The reference server tells errors with their stack, and sends all metadata back.
const HEADERS: u32 = 64 << 10;

/// One connection; clones are the same. It ends with the last of them.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Shared>);

struct Shared {
    sender: SendRequest<Body>,
    /// Of every request.
    headers: HeaderMap,
    acks: Arc<Acks>,
    driver: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// The request did not leave this machine, so nothing came of it.
#[derive(Debug, thiserror::Error)]
#[error("the request did not leave, as the connection is gone")]
pub(crate) struct NotSent(#[source] hyper::Error);

impl Connection {
    pub(crate) async fn open(options: &Options, address: &Address, acks: Arc<Acks>, clock: &Clock) -> Result<Self> {
        let dialed = clock.timeout(DIAL, Self::dial(options, address, acks)).await;
        let late = || -> BoxError { format!("{address} did not answer within {} s", DIAL.as_secs()).into() };
        dialed.unwrap_or_else(|_| Err(unreachable(CONTEXT)(late())))
    }

    async fn dial(options: &Options, address: &Address, acks: Arc<Acks>) -> Result<Self> {
        let tcp = TcpStream::connect((address.host.as_str(), address.port))
            .await
            .map_err(|source| unreachable(CONTEXT)(Dial { address: address.to_string(), source }))?;
        tcp.set_nodelay(true).map_err(unreachable(CONTEXT))?;
        let mut headers = HeaderMap::new();
        let agent = format!("{}{}", Dialect::OWN_USER_AGENT, env!("CARGO_PKG_VERSION"));
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            headers.insert(header::USER_AGENT, agent);
        }
        match &options.tls {
            None => Self::shake_hands(TokioIo::new(tcp), headers, acks).await,
            Some(Tls { name, config }) => {
                let connector = tokio_rustls::TlsConnector::from(config.clone());
                let tls = connector.connect(name.clone(), tcp).await.map_err(|source| untrusted(name, source))?;
                // Only where nobody on the way can read it.
                if let Ok(mut value) = HeaderValue::from_str(&token::authorization(options.token.tell())) {
                    value.set_sensitive(true);
                    headers.insert(header::AUTHORIZATION, value);
                }
                Self::shake_hands(TokioIo::new(tls), headers, acks).await
            }
        }
    }

    async fn shake_hands<I>(io: I, headers: HeaderMap, acks: Arc<Acks>) -> Result<Self>
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(HEADERS)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER)
            .keep_alive_while_idle(true)
            .handshake(io)
            .await
            .map_err(unreachable(CONTEXT))?;
        // Its error is that of every call.
        let driver = wechaty_puppet::task::spawn(async move { drop(driver.await) }).abort_handle();
        Ok(Self(Arc::new(Shared { sender, headers, acks, driver })))
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let shared = self.0.clone();
        Box::pin(async move {
            let mut sender = shared.sender.clone();
            sender.ready().await.map_err(not_sent)?;
            let acks = shared.acks.take();
            let headers = request.headers_mut();
            headers.extend(shared.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
            key::write(headers);
            if let Some(Ok(numbers)) = acks.header().map(|text| HeaderValue::from_str(&text)) {
                headers.insert(ACK, numbers);
            }
            match sender.try_send_request(request).await {
                Ok(response) => {
                    acks.told();
                    Ok(response)
                }
                Err(mut error) => {
                    let left = error.take_message().is_none();
                    let error = error.into_error();
                    Err(if left { broken(error) } else { not_sent(error) })
                }
            }
        })
    }
}

fn not_sent(error: hyper::Error) -> Status {
    let mut status = Status::unavailable("the connection to the gateway is gone");
    status.set_source(Arc::new(NotSent(error)));
    status
}

fn broken(error: hyper::Error) -> Status {
    let mut status = Status::unavailable("the connection to the gateway broke");
    status.set_source(Arc::new(error));
    status
}

/// Nobody answers there, or not as a gateway does.
#[derive(Debug, thiserror::Error)]
#[error("no gateway at {address}: {source}; check the address, and that the gateway runs")]
struct Dial {
    address: String,
    source: io::Error,
}

/// No agreement about TLS.
#[derive(Debug, thiserror::Error)]
#[error("the TLS handshake failed for the name `{name}`: {source}; {fix}")]
struct Untrusted {
    name: String,
    source: io::Error,
    fix: &'static str,
}

fn untrusted(name: &rustls::pki_types::ServerName<'_>, source: io::Error) -> PuppetError {
    let bad_certificate = source.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    let fix = match bad_certificate {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "give the root of the gateway's certificate in WECHATY_PUPPET_SERVICE_TLS_CA_CERT, and its name in \
             WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME where the token does not begin with it"
        }
        _ => {
            "if the gateway runs without TLS, set WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT=true on a network that \
             nobody else reads"
        }
    };
    unreachable(CONTEXT)(Untrusted { name: name.to_str().into_owned(), source, fix })
}
