//! A gateway with a service that is just enough to be called, and clients for it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, future, stream};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
};
use tonic::{
    Status,
    body::Body,
    server::{Grpc, ServerStreamingService, UnaryService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_prost::ProstCodec;
use tower_layer::Layer as _;
use tower_service::Service;
use wechaty_gateway::{
    auth::{Auth, Caller},
    health::{Beat, Health},
    listen::{Connection, ListenSettings, Listening, bind, serve},
    tls::{Authority, ClientAuthority, Tls},
};
use wechaty_grpc::{
    LARGEST_MESSAGE,
    pb::{DingRequest, DingResponse, EventRequest, EventResponse, VersionRequest, VersionResponse},
    rpc::server::unknown,
};
use wechaty_puppet::{CancellationToken, Clock, VirtualClock};

use crate::canary;

pub(crate) const TOKEN: &str = "insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
pub(crate) const SECOND: &str = "puppet_padlocal_9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";

/// How a test wants its gateway.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) tls: bool,
    pub(crate) anonymous: bool,
    pub(crate) connections: Option<usize>,
    /// Who signs the certificates of clients, as PEM.
    pub(crate) clients: Option<String>,
}

pub(crate) struct Gateway {
    pub(crate) listening: Listening,
    pub(crate) address: SocketAddr,
    pub(crate) time: VirtualClock,
    pub(crate) beats: [Beat; 2],
    /// Of its authority, as PEM.
    pub(crate) ca: String,
    /// Lets go of what waits.
    pub(crate) go: Arc<Notify>,
    pub(crate) _folder: tempfile::TempDir,
}

impl Gateway {
    pub(crate) async fn open(wish: Wish) -> Self {
        canary::hear();
        let (time, folder) = (VirtualClock::starting_at(Clock::system().wall()), tempfile::tempdir().unwrap());
        let clock = Clock::from(time.clone());
        let authority = Authority::open(folder.path(), &clock).unwrap();
        let ca = authority.certificate_pem();
        let clients = wish.clients.map(|pem| ClientAuthority::from_pem(&pem).unwrap());
        let tls = wish.tls.then(|| Tls::of_authority(authority, clients, &clock).unwrap());
        let listener = bind(IpAddr::V4(Ipv4Addr::LOCALHOST), Some(0)).unwrap();
        let mut auth = Auth::new([TOKEN, SECOND]).unwrap();
        if wish.anonymous {
            auth = auth.allow_anonymous(listener.local_addr().unwrap()).unwrap();
        }
        let (stop, go) = (CancellationToken::new(), Arc::new(Notify::new()));
        let beats = [(); 2].map(|()| Beat::new(clock.clone()));
        let health = Health::new(beats.clone(), clock.clone(), stop.clone());
        let service = auth.layer(Demo { health, go: go.clone() });
        let mut settings = ListenSettings::default();
        settings.connections = wish.connections.unwrap_or(settings.connections);
        let listening = serve(listener, tls, service, settings, clock, &stop).unwrap();
        let address = listening.address();
        Self { listening, address, time, beats, ca, go, _folder: folder }
    }

    /// A real client, which checks the certificate for this name.
    pub(crate) async fn encrypted(&self, name: &str) -> Result<Channel, tonic::transport::Error> {
        self.connected(name, ClientTlsConfig::new()).await
    }

    /// The same with more to it.
    pub(crate) async fn connected(&self, name: &str, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
        let tls = tls.ca_certificate(Certificate::from_pem(&self.ca)).domain_name(name);
        Endpoint::from_shared(format!("https://{}", self.address)).unwrap().tls_config(tls).unwrap().connect().await
    }

    /// A real client without TLS. `authority`: what it sends as such.
    pub(crate) async fn plain(&self, authority: Option<&str>) -> Channel {
        let mut endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        if let Some(authority) = authority {
            endpoint = endpoint.origin(format!("http://{authority}").parse::<Uri>().unwrap());
        }
        endpoint.connect().await.unwrap()
    }

    pub(crate) async fn socket(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// A request with the token in its header.
pub(crate) fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", wechaty_grpc::token::authorization(token).parse().unwrap());
    request
}

/// What a bare HTTP/2 client gets for an empty message: head, body, trailers.
pub(crate) async fn bare<T>(stream: T, uri: &str, headers: &[(&str, &str)]) -> String
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let mut request = Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response =
        sender.send_request(request.body(Full::new(bytes::Bytes::from_static(&[0; 5]))).unwrap()).await.unwrap();
    let head = format!("{:?} {:?}", response.status(), response.headers());
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned();
    format!("{head} {:?} {trailers:?}", body.to_bytes())
}

/// Answers `Ding`; holds `Version` back and `Event` open until it is let go, and then closes the connection of `Event`.
#[derive(Clone)]
struct Demo {
    health: Health,
    go: Arc<Notify>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Incoming>> for Demo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Answer {
        let demo = self.clone();
        Box::pin(async move {
            tracing::debug!(?request, "this logs all there is of a request");
            match request.uri().path() {
                "/wechaty.Puppet/Ding" => Ok(Grpc::new(ProstCodec::default()).unary(Ding, request).await),
                "/wechaty.Puppet/Version" => {
                    Ok(Grpc::new(ProstCodec::default()).unary(Version(demo.go), request).await)
                }
                "/wechaty.Puppet/Event" => {
                    Ok(Grpc::new(ProstCodec::default()).server_streaming(Event(demo.go), request).await)
                }
                path => match path.strip_prefix("/grpc.health.v1.Health/").and_then(|name| demo.health.find(name)) {
                    Some(call) => Ok(call.answer(request, LARGEST_MESSAGE).await),
                    None => Ok(unknown()),
                },
            }
        })
    }
}

struct Ding;

impl UnaryService<DingRequest> for Ding {
    type Response = DingResponse;
    type Future = future::Ready<Result<tonic::Response<DingResponse>, Status>>;

    fn call(&mut self, request: tonic::Request<DingRequest>) -> Self::Future {
        let caller = request.extensions().get::<Caller>().expect("who asks");
        let mut response = tonic::Response::new(DingResponse {});
        response.metadata_mut().insert("tenant", caller.tenant.into());
        response.metadata_mut().insert("dialect", format!("{:?}", caller.dialect).parse().unwrap());
        future::ready(Ok(response))
    }
}

struct Version(Arc<Notify>);

impl UnaryService<VersionRequest> for Version {
    type Response = VersionResponse;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<VersionResponse>, Status>> + Send>>;

    fn call(&mut self, _: tonic::Request<VersionRequest>) -> Self::Future {
        let go = self.0.clone();
        Box::pin(async move {
            go.notified().await;
            Ok(tonic::Response::new(VersionResponse { version: "1".into() }))
        })
    }
}

struct Event(Arc<Notify>);

type Events = Pin<Box<dyn Stream<Item = Result<EventResponse, Status>> + Send>>;

impl ServerStreamingService<EventRequest> for Event {
    type Response = EventResponse;
    type ResponseStream = Events;
    type Future = future::Ready<Result<tonic::Response<Events>, Status>>;

    fn call(&mut self, request: tonic::Request<EventRequest>) -> Self::Future {
        let connection = request.extensions().get::<Connection>().expect("where it came in").clone();
        let go = self.0.clone();
        let last = stream::once(async move {
            go.notified().await;
            connection.close();
            Err(Status::unavailable("the gateway stops"))
        });
        let first = stream::iter([Ok(EventResponse::default())]);
        future::ready(Ok(tonic::Response::new(first.chain(last).boxed())))
    }
}
