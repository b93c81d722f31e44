//! The asking side: one client for every call, and around it a method for each call of the lists.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use prost::Message;
use tonic::{
    IntoRequest, IntoStreamingRequest, Request, Response, Status,
    body::Body,
    client::{Grpc, GrpcService},
    codegen::{
        Body as HttpBody, StdError,
        http::{Uri, uri::PathAndQuery},
        tokio_stream::{Stream, StreamExt},
    },
};

use super::{Answer, AnyMessage, Raw, Streaming, read};

/// What calls go over: a connection, or what stands for one. Clones are the same.
pub trait Transport:
    GrpcService<
        Body,
        Error: Into<StdError>,
        Future: Send,
        ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
    > + Clone
    + Send
    + 'static
{
}

impl<T> Transport for T where
    T: GrpcService<
            Body,
            Error: Into<StdError>,
            Future: Send,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// What is sent by a call with many messages.
type Requests = Pin<Box<dyn Stream<Item = AnyMessage> + Send>>;

/// Calls by their paths, whatever is in them.
#[derive(Clone, Debug)]
struct Caller<T>(Grpc<T>);

impl<T: Transport> Caller<T> {
    fn unary(&self, path: &'static str, request: Request<AnyMessage>) -> Answer<Bytes> {
        let mut grpc = self.0.clone();
        Box::pin(async move {
            ready(&mut grpc).await?;
            grpc.unary(request, PathAndQuery::from_static(path), Raw).await
        })
    }

    fn down(&self, path: &'static str, request: Request<AnyMessage>) -> Answer<tonic::Streaming<Bytes>> {
        let mut grpc = self.0.clone();
        Box::pin(async move {
            ready(&mut grpc).await?;
            grpc.server_streaming(request, PathAndQuery::from_static(path), Raw).await
        })
    }

    fn up(&self, path: &'static str, requests: Request<Requests>) -> Answer<Bytes> {
        let mut grpc = self.0.clone();
        Box::pin(async move {
            ready(&mut grpc).await?;
            grpc.client_streaming(requests, PathAndQuery::from_static(path), Raw).await
        })
    }
}

async fn ready<T: Transport>(grpc: &mut Grpc<T>) -> Result<(), Status> {
    grpc.ready().await.map_err(|error| Status::unknown(format!("Service was not ready: {}", error.into())))
}

/// A call whose answer is one message; nothing is asked until somebody awaits it.
#[must_use = "nothing is asked until somebody awaits it"]
pub struct Ask<A> {
    wire: Answer<Bytes>,
    answer: PhantomData<fn() -> A>,
}

impl<A: Message + Default> Ask<A> {
    /// Of what is asked over the wire, if its answer is this message.
    pub fn new(wire: Answer<Bytes>) -> Self {
        Self { wire, answer: PhantomData }
    }

    /// What is asked over the wire; its answer is not read.
    pub fn into_wire(self) -> Answer<Bytes> {
        self.wire
    }
}

impl<A: Message + Default> Future for Ask<A> {
    type Output = Result<Response<A>, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.wire.as_mut().poll(cx).map(|answer| {
            let (metadata, wire, extensions) = answer?.into_parts();
            Ok(Response::from_parts(metadata, read(wire)?, extensions))
        })
    }
}

macro_rules! client {
    (
        $service:literal
        unary { $($unary:literal $method:ident($request:ident) -> $response:ident;)* }
        down { $($down:literal $down_method:ident($down_request:ident) -> $down_response:ident;)* }
        up { $($up:literal $up_method:ident($up_request:ident) -> $up_response:ident;)* }
    ) => {
        /// A method for each call. Clones call over the same transport.
        #[derive(Clone, Debug)]
        pub struct Client<T>(Caller<T>);

        impl<T: Transport> Client<T> {
            /// Calls over this.
            pub fn new(transport: T) -> Self {
                Self(Caller(Grpc::new(transport)))
            }

            /// Calls over this; `origin` has the scheme and the authority of each request.
            pub fn with_origin(transport: T, origin: Uri) -> Self {
                Self(Caller(Grpc::with_origin(transport, origin)))
            }

            /// No message is larger than this, in bytes, whichever way it goes; 4 MiB is what is taken otherwise.
            #[must_use]
            pub fn max_message_size(self, bytes: usize) -> Self {
                let Caller(grpc) = self.0;
                Self(Caller(grpc.max_decoding_message_size(bytes).max_encoding_message_size(bytes)))
            }

            $(
                #[doc = concat!("Calls `", $unary, "`.")]
                pub fn $method(&self, request: impl IntoRequest<$request>) -> Ask<$response> {
                    let request = request.into_request().map(AnyMessage::new);
                    Ask::new(self.0.unary(concat!("/", $service, "/", $unary), request))
                }
            )*
            $(
                #[doc = concat!("Calls `", $down, "`.")]
                ///
                /// # Errors
                /// The status that the other side answers with.
                pub async fn $down_method(
                    &self,
                    request: impl IntoRequest<$down_request>,
                ) -> Result<Response<Streaming<$down_response>>, Status> {
                    let request = request.into_request().map(AnyMessage::new);
                    let answer = self.0.down(concat!("/", $service, "/", $down), request).await?;
                    Ok(answer.map(Streaming::new))
                }
            )*
            $(
                #[doc = concat!("Calls `", $up, "`.")]
                pub fn $up_method<S>(&self, requests: S) -> Ask<$up_response>
                where
                    S: IntoStreamingRequest<Message = $up_request, Stream: Send + 'static>,
                {
                    let requests = requests.into_streaming_request();
                    let requests = requests.map(|messages| -> Requests { Box::pin(messages.map(AnyMessage::new)) });
                    Ask::new(self.0.up(concat!("/", $service, "/", $up), requests))
                }
            )*
        }
    };
}

/// The puppet service.
pub(crate) mod puppet {
    use super::*;
    use crate::pb::*;

    puppet_calls!(client);
}

/// The standard health service.
pub(crate) mod health {
    use super::*;
    use crate::health::*;

    health_calls!(client);
}
