//! A gateway in this process: the platform behind it is the fake one, what it says is written here by hand.
//!
//! It shares nothing with the client but the generated code and what carries messages.

mod calls;
mod events;
mod files;
mod rooms;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
};
use tonic::{Status, body::Body};
use wechaty_grpc::{LARGEST_MESSAGE, pb, rpc::server::unknown};
use wechaty_puppet::{CancellationToken, Clock, Puppet, Settings};
use wechaty_puppet_service::{Options, ServicePuppet};

pub(crate) const TOKEN: &str = "insecure_5e0a4b1c-0000-4000-8000-canary0token";

/// What came with a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) call: String,
    pub(crate) authority: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) acks: Vec<u64>,
}

/// An event that was not acknowledged.
pub(crate) struct Kept {
    pub(crate) kind: i32,
    pub(crate) json: Value,
    pub(crate) sent: bool,
}

type Sender = mpsc::UnboundedSender<Result<pb::EventResponse, Status>>;

pub(crate) struct Inner {
    pub(crate) puppet: Arc<dyn Puppet>,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    /// How a gateway of ours does it; else as the reference one.
    pub(crate) own: AtomicBool,
    pub(crate) stream: Mutex<Option<Sender>>,
    pub(crate) kept: Mutex<BTreeMap<u64, Kept>>,
    pub(crate) acked: Mutex<BTreeSet<u64>>,
    pub(crate) next: AtomicU64,
    pub(crate) me: Mutex<Option<String>>,
    pub(crate) files: Mutex<HashMap<String, Vec<bytes::Bytes>>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    pub(crate) started: AtomicBool,
    pub(crate) starts: AtomicU64,
    /// Accepts connections and answers nothing.
    pub(crate) mute: AtomicBool,
    pub(crate) no_dongs: AtomicBool,
    pub(crate) no_uploads: AtomicBool,
    pub(crate) no_boxes: AtomicBool,
    pub(crate) twice: AtomicBool,
    pub(crate) lose_reply: AtomicBool,
    connections: Mutex<Vec<AbortHandle>>,
    cancel: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[derive(Clone)]
pub(crate) struct Gate(pub(crate) Arc<Inner>);

/// A way to speak TLS, or none.
pub(crate) type Tls = Option<tokio_rustls::TlsAcceptor>;

impl Gate {
    pub(crate) async fn open(puppet: Arc<dyn Puppet>, own: bool, tls: Tls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cancel = CancellationToken::new();
        let gate = Self(Arc::new(Inner {
            puppet,
            clock: Clock::system(),
            address: listener.local_addr().unwrap(),
            own: AtomicBool::new(own),
            stream: Mutex::default(),
            kept: Mutex::default(),
            acked: Mutex::default(),
            next: AtomicU64::new(1),
            me: Mutex::default(),
            files: Mutex::default(),
            seen: Mutex::default(),
            started: AtomicBool::new(false),
            starts: AtomicU64::new(0),
            mute: AtomicBool::new(false),
            no_dongs: AtomicBool::new(false),
            no_uploads: AtomicBool::new(false),
            no_boxes: AtomicBool::new(false),
            twice: AtomicBool::new(false),
            lose_reply: AtomicBool::new(false),
            connections: Mutex::default(),
            cancel: cancel.clone(),
        }));
        let weak = Arc::downgrade(&gate.0);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = cancel.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let (Ok((tcp, _)), Some(inner)) = (accepted, weak.upgrade()) else { return };
                Self(inner).serve(tcp, tls.clone());
            }
        });
        gate
    }

    fn serve(self, tcp: TcpStream, tls: Tls) {
        let inner = Arc::downgrade(&self.0);
        let connection = tokio::spawn(async move {
            let served = service_fn(move |request: Request<Incoming>| {
                let gate = inner.upgrade().map(Gate);
                async move {
                    match gate {
                        Some(gate) => gate.answer(request).await,
                        None => Ok(Status::unavailable("gone").into_http()),
                    }
                }
            });
            let server = http2::Builder::new(TokioExecutor::new());
            match tls {
                None => drop(server.serve_connection(TokioIo::new(tcp), served).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        drop(server.serve_connection(TokioIo::new(stream), served).await);
                    }
                }
            }
        });
        self.0.connections.lock().push(connection.abort_handle());
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, std::convert::Infallible> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let acks: Vec<u64> = header("wechaty-ack")
            .map(|text| text.split(',').map(|number| number.parse().unwrap()).collect())
            .unwrap_or_default();
        let seen = Seen {
            call: request.uri().path().trim_start_matches("/wechaty.Puppet/").to_owned(),
            authority: request.uri().authority().map(ToString::to_string),
            authorization: header("authorization"),
            agent: header("user-agent"),
            acks: acks.clone(),
        };
        self.0.seen.lock().push(seen.clone());
        if self.0.mute.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let given = seen.authorization.or(seen.authority.map(|authority| format!("Wechaty {authority}")));
        if given.as_deref() != Some(&format!("Wechaty {TOKEN}")) {
            let words = format!("Invalid Wechaty TOKEN \"{}\"", given.unwrap_or_default());
            return Ok(Status::unauthenticated(words).into_http());
        }
        self.acknowledged(&acks);
        match self.find(&seen.call) {
            Some(call) => Ok(call.answer(request, LARGEST_MESSAGE).await),
            None => Ok(unknown()),
        }
    }

    /// Ends every connection as a cut cable does, and takes new ones.
    pub(crate) fn cut(&self) {
        for connection in self.0.connections.lock().drain(..) {
            connection.abort();
        }
        *self.0.stream.lock() = None;
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new()
            .set("token", TOKEN)
            .set("endpoint", self.0.address.to_string())
            .set("no_tls_insecure_client", "true")
    }

    pub(crate) fn client(&self) -> ServicePuppet {
        ServicePuppet::new(Options::read(&self.settings()).unwrap())
    }

    pub(crate) fn seen(&self, call: &str) -> Vec<Seen> {
        self.0.seen.lock().iter().filter(|seen| seen.call == call).cloned().collect()
    }

    pub(crate) fn is_own(&self) -> bool {
        self.0.own.load(Ordering::Relaxed)
    }
}
