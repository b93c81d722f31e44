//! Between the puppet and the homeserver: passes everything on, and makes things go wrong.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::oracle::Server;

type Body = BoxBody<Bytes, std::io::Error>;

/// Where a send of a message goes.
const SEND: &str = "/send/m.room.message/";

/// What happens to the next request that writes somewhere.
#[derive(Clone, Debug)]
pub(crate) enum Wrong {
    /// Answered with this, and not passed on.
    Answer(u16, String),
    /// Passed on, and its answer lost.
    LoseReply,
}

struct State {
    server: Server,
    http: reqwest::Client,
    address: SocketAddr,
    next: Mutex<Option<(&'static str, Wrong)>>,
    /// Every answer of `/sync` is held back for ever.
    mute: Mutex<bool>,
    connections: Mutex<Vec<AbortHandle>>,
    listener: Mutex<Option<AbortHandle>>,
}

#[derive(Clone)]
pub(crate) struct Proxy(Arc<State>);

impl Drop for State {
    fn drop(&mut self) {
        for task in self.connections.lock().drain(..).chain(self.listener.lock().take()) {
            task.abort();
        }
    }
}

impl Proxy {
    pub(crate) async fn open(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        let proxy = Self(Arc::new(State {
            server,
            http,
            address,
            next: Mutex::default(),
            mute: Mutex::default(),
            connections: Mutex::default(),
            listener: Mutex::default(),
        }));
        proxy.listen(listener);
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    fn listen(&self, listener: TcpListener) {
        let weak = Arc::downgrade(&self.0);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(state) = weak.upgrade() else { return };
                let of = Arc::downgrade(&state);
                let service = service_fn(move |request| {
                    let state = of.upgrade();
                    async move {
                        match state {
                            Some(state) => pass(state, request).await,
                            None => Err(std::io::Error::other("closed")),
                        }
                    }
                });
                let serve = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let task = tokio::spawn(async move {
                    let _ = serve.await;
                });
                state.connections.lock().push(task.abort_handle());
            }
        });
        *self.0.listener.lock() = Some(task.abort_handle());
    }

    pub(crate) fn goes_wrong(&self, wrong: Wrong) {
        self.goes_wrong_at(SEND, wrong);
    }

    /// The same with what is written to another place.
    pub(crate) fn goes_wrong_at(&self, place: &'static str, wrong: Wrong) {
        *self.0.next.lock() = Some((place, wrong));
    }

    /// Whether what was to go wrong has.
    #[cfg_attr(not(feature = "e2ee"), expect(dead_code, reason = "for keys alone"))]
    pub(crate) fn is_well(&self) -> bool {
        self.0.next.lock().is_none()
    }

    pub(crate) fn mute(&self, on: bool) {
        *self.0.mute.lock() = on;
    }

    /// Every connection breaks.
    pub(crate) fn cut(&self) {
        for task in self.0.connections.lock().drain(..) {
            task.abort();
        }
    }

    /// Nobody listens for a while.
    pub(crate) async fn unreachable_for(&self, time: Duration) {
        if let Some(task) = self.0.listener.lock().take() {
            task.abort();
        }
        self.cut();
        let clock = wechaty_puppet::Clock::system();
        clock.sleep(Duration::from_millis(100)).await;
        let proxy = self.clone();
        tokio::spawn(async move {
            clock.sleep(time).await;
            for _ in 0..100 {
                if let Ok(listener) = TcpListener::bind(proxy.0.address).await {
                    proxy.listen(listener);
                    return;
                }
                clock.sleep(Duration::from_millis(50)).await;
            }
        });
    }
}

fn answer(status: u16, body: String) -> Response<Body> {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

async fn pass(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
    let (method, path) = (request.method().clone(), request.uri().to_string());
    let wrong = {
        let mut next = state.next.lock();
        let is_meant = next.as_ref().is_some_and(|(place, _)| method == Method::PUT && path.contains(place));
        if is_meant { next.take() } else { None }
    };
    let wrong = wrong.map(|(_, wrong)| wrong);
    state.server.count();
    let mut passed = state.http.request(method, format!("{}{path}", state.server.base));
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "host" && *name != "connection") {
        passed = passed.header(name, value);
    }
    let body = request.into_body().into_data_stream().map_err(std::io::Error::other);
    if let Some(Wrong::Answer(status, body)) = wrong {
        return Ok(answer(status, body));
    }
    let muted = path.contains("/sync") && *state.mute.lock();
    let whole: Vec<Bytes> = body.try_collect().await?;
    let response = passed.body(whole.concat()).send().await.map_err(std::io::Error::other)?;
    if muted {
        // Half open: nobody says anything, and nobody hangs up.
        std::future::pending::<()>().await;
    }
    if matches!(wrong, Some(Wrong::LoseReply)) {
        return Err(std::io::Error::other("the answer is lost"));
    }
    let mut told = Response::builder().status(response.status());
    for (name, value) in
        response.headers().iter().filter(|(name, _)| *name != "transfer-encoding" && *name != "connection")
    {
        told = told.header(name, value);
    }
    let stream = response.bytes_stream().map_ok(Frame::data).map_err(std::io::Error::other);
    told.body(BodyExt::boxed(StreamBody::new(stream))).map_err(std::io::Error::other)
}
