//! RPC: calls by their names over bytes; one client and one server carry all of them.
//!
//! A client and a server for each call and its types would be compiled some hundred times over, and nothing in them
//! depends on what a message says. Here a message is written where it is put on the wire and read where it is asked
//! for: the calls themselves are the lists in [`calls`](crate::proto::calls).

pub mod client;
pub mod server;

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use prost::Message;
use tonic::{
    Response, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{
        BoxFuture, BoxStream,
        tokio_stream::{Stream, StreamExt},
    },
};

/// What comes of a call.
pub type Answer<T> = BoxFuture<Response<T>, Status>;

/// A message of any type that is to be sent; it is written when the wire takes it.
pub struct AnyMessage(Box<dyn Write>);

impl AnyMessage {
    /// This message.
    pub fn new<M: Message + 'static>(message: M) -> Self {
        Self(Box::new(message))
    }
}

/// Messages that are to be sent, one after the other.
pub struct AnyMessages(BoxStream<AnyMessage>);

impl AnyMessages {
    /// These messages.
    pub fn new<M: Message + 'static>(messages: impl Stream<Item = Result<M, Status>> + Send + 'static) -> Self {
        Self(Box::pin(messages.map(|message| message.map(AnyMessage::new))))
    }
}

impl Stream for AnyMessages {
    type Item = Result<AnyMessage, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// Writes itself as it goes over the wire.
trait Write: Send + Sync {
    fn write(&self, wire: &mut EncodeBuf<'_>) -> Result<(), Status>;
}

impl<M: Message> Write for M {
    fn write(&self, wire: &mut EncodeBuf<'_>) -> Result<(), Status> {
        self.encode(wire).map_err(|error| Status::internal(error.to_string()))
    }
}

/// A message from what came over the wire.
///
/// # Errors
/// `INTERNAL` if it is broken, as all implementations of gRPC say.
pub fn read<M: Message + Default>(wire: Bytes) -> Result<M, Status> {
    M::decode(wire).map_err(broken)
}

fn broken(error: prost::DecodeError) -> Status {
    Status::internal(error.to_string())
}

/// Hands messages on as bytes, without a copy.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = AnyMessage;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = AnyMessage;
    type Error = Status;

    fn encode(&mut self, message: AnyMessage, wire: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.0.write(wire)
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, wire: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(wire.copy_to_bytes(wire.remaining())))
    }
}

/// Messages that come one after the other.
#[derive(Debug)]
pub struct Streaming<M> {
    wire: tonic::Streaming<Bytes>,
    message: PhantomData<fn() -> M>,
}

impl<M: Message + Default> Streaming<M> {
    /// Of what comes over the wire.
    pub fn new(wire: tonic::Streaming<Bytes>) -> Self {
        Self { wire, message: PhantomData }
    }

    /// The next message; `None` after the last.
    ///
    /// # Errors
    /// The status with which the other side or the connection ended the stream; `INTERNAL` if a message is broken.
    pub async fn message(&mut self) -> Result<Option<M>, Status> {
        self.wire.message().await?.map(read).transpose()
    }
}

impl<M: Message + Default> Stream for Streaming<M> {
    type Item = Result<M, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.wire).poll_next(cx).map(|next| next.map(|wire| wire.and_then(read)))
    }
}
