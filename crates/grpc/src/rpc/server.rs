//! The answering side: one server for every call; whoever knows the call says what answers it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{Body as HttpBody, BoxFuture, StdError, http},
    server::{ClientStreamingService, Grpc, ServerStreamingService, UnaryService},
};

use super::{AnyMessage, AnyMessages, Raw};

/// What answers a call, by what goes which way. It is called once.
pub enum Call {
    /// One message there, one back.
    Unary(Handler<Bytes, AnyMessage>),
    /// One message there, many back.
    Down(Handler<Bytes, AnyMessages>),
    /// Many messages there, one back.
    Up(Handler<tonic::Streaming<Bytes>, AnyMessage>),
}

/// A request, and the answer to it.
pub type Handler<Q, A> = Box<dyn FnMut(Request<Q>) -> BoxFuture<A, Status> + Send>;

impl Call {
    /// The response to this request. `largest`: no message is larger, in bytes, whichever way it goes.
    pub async fn answer<B>(self, request: http::Request<B>, largest: usize) -> http::Response<Body>
    where
        B: HttpBody + Send + 'static,
        B::Error: Into<StdError> + Send,
    {
        let mut grpc = Grpc::new(Raw).max_decoding_message_size(largest).max_encoding_message_size(largest);
        match self {
            Self::Unary(handler) => grpc.unary(Answering(handler), request).await,
            Self::Down(handler) => grpc.server_streaming(Answering(handler), request).await,
            Self::Up(handler) => grpc.client_streaming(Answering(handler), request).await,
        }
    }
}

/// The response to a call that the service does not have.
pub fn unknown() -> http::Response<Body> {
    Status::unimplemented("").into_http()
}

struct Answering<Q, A>(Handler<Q, A>);

struct Answered<A>(BoxFuture<A, Status>);

impl<A> Future for Answered<A> {
    type Output = Result<Response<A>, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(|answer| answer.map(Response::new))
    }
}

impl UnaryService<Bytes> for Answering<Bytes, AnyMessage> {
    type Response = AnyMessage;
    type Future = Answered<AnyMessage>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Answered((self.0)(request))
    }
}

impl ServerStreamingService<Bytes> for Answering<Bytes, AnyMessages> {
    type Response = AnyMessage;
    type ResponseStream = AnyMessages;
    type Future = Answered<AnyMessages>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Answered((self.0)(request))
    }
}

impl ClientStreamingService<Bytes> for Answering<tonic::Streaming<Bytes>, AnyMessage> {
    type Response = AnyMessage;
    type Future = Answered<AnyMessage>;

    fn call(&mut self, request: Request<tonic::Streaming<Bytes>>) -> Self::Future {
        Answered((self.0)(request))
    }
}
