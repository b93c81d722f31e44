//! The bare server: tonic with nothing behind it. One method of each shape answers with the bytes that our gateway answers with.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future::BoxFuture, stream::BoxStream};
use http::{Request, Response};
use hyper::body::Incoming;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tonic::{
    Status, Streaming,
    body::Body,
    server::{ClientStreamingService, Grpc, ServerStreamingService, UnaryService},
};
use tower_service::Service;

use super::{calls, raw::Raw};

/// Events between the calls and the stream.
const AHEAD: usize = 64;

/// Clones are the same.
#[derive(Clone)]
pub(super) struct Bare(Arc<Shared>);

struct Shared {
    /// What a unary call is answered with.
    reply: Bytes,
    /// The one stream of events.
    events: Mutex<Option<mpsc::Sender<Bytes>>>,
    /// Bytes that are downloaded.
    download: u64,
}

impl Bare {
    pub(super) fn new(reply: Bytes, download: u64) -> Self {
        Self(Arc::new(Shared { reply, events: Mutex::default(), download }))
    }
}

type Answer<T> = BoxFuture<'static, Result<tonic::Response<T>, Status>>;
type Pieces = BoxStream<'static, Result<Bytes, Status>>;

fn pieces(stream: impl Stream<Item = Bytes> + Send + 'static) -> tonic::Response<Pieces> {
    tonic::Response::new(stream.map(Ok).boxed())
}

/// Which call it is.
struct Unary(Arc<Shared>, bool);

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        let (shared, is_ding) = (self.0.clone(), self.1);
        Box::pin(async move {
            if !is_ding {
                return Ok(tonic::Response::new(shared.reply.clone()));
            }
            let events = shared.events.lock().clone();
            let events = events.ok_or_else(|| Status::failed_precondition("nobody listens"))?;
            // Who listens may just have gone.
            let _ = events.send(calls::dong()).await;
            Ok(tonic::Response::new(Bytes::new()))
        })
    }
}

struct Down(Arc<Shared>, bool);

impl ServerStreamingService<Bytes> for Down {
    type Response = Bytes;
    type ResponseStream = Pieces;
    type Future = Answer<Pieces>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        let stream = if self.1 {
            let (sender, mut events) = mpsc::channel(AHEAD);
            *self.0.events.lock() = Some(sender);
            pieces(futures_util::stream::poll_fn(move |cx| events.poll_recv(cx)))
        } else {
            pieces(futures_util::stream::iter(calls::pieces(self.0.download)))
        };
        Box::pin(std::future::ready(Ok(stream)))
    }
}

struct Up;

impl ClientStreamingService<Bytes> for Up {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        Box::pin(async move {
            let mut pieces = request.into_inner();
            while pieces.message().await?.is_some() {}
            Ok(tonic::Response::new(Bytes::new()))
        })
    }
}

impl Service<Request<Incoming>> for Bare {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let shared = self.0.clone();
        Box::pin(async move {
            let path = request.uri().path();
            let (is_ding, is_event) = (path == calls::DING, path == calls::EVENT);
            let mut grpc = Grpc::new(Raw);
            Ok(match path {
                calls::UPLOAD => grpc.client_streaming(Up, request).await,
                calls::EVENT | calls::DOWNLOAD => grpc.server_streaming(Down(shared, is_event), request).await,
                _ => grpc.unary(Unary(shared, is_ding), request).await,
            })
        })
    }
}
