//! FILES: by id in pieces, inside of JSON, and by the older streams.

use std::{io, time::Duration};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tonic::Status;
use wechaty_file_box::{ByteStream, FileBoxType, UuidStore};
use wechaty_grpc::{
    Dialect, SendRequest,
    chunks::SendFileStream,
    file::{self, Carriage},
    pb,
    rpc::Streaming,
};
use wechaty_puppet::{Bytes, FileBox, MessageId, SayablePayload};

use super::BoxStream;
use crate::{
    fault::{Answer, Fault},
    keys::Told,
    listen::Connection,
    tenant::{Tenant, too_large},
};

/// Bytes a piece, as clients send them.
const PIECE: usize = 256 << 10;
/// A client that sends nothing of its file for so long is let go.
const STALL: Duration = Duration::from_secs(60);

impl Tenant {
    /// A box as this client can read it.
    pub(super) async fn file_for(&self, file: &FileBox, dialect: Dialect) -> Answer<String> {
        // What is known to be small goes inside, wherever its bytes are now.
        let is_small = file.size().is_some_and(|size| (1..=file::SMALL).contains(&size)) && file.is_repeatable();
        let small = match file.kind() {
            FileBoxType::File | FileBoxType::Stream if is_small => Some(file.to_portable(file::SMALL).await?),
            _ => None,
        };
        let file = small.as_ref().unwrap_or(file);
        let portable = match file::carriage(file, dialect) {
            Carriage::Upload if file.is_repeatable() => self.files.lend(file)?,
            _ => file::portable(file, dialect, &self.load()).await?,
        };
        Ok(file::write(&portable, dialect)?)
    }

    /// A box of the client as one that everybody can read: what it has uploaded is here.
    pub(super) async fn received(&self, file: FileBox) -> Answer<FileBox> {
        if file.kind() != FileBoxType::Uuid {
            return Ok(file);
        }
        let bytes = file.to_stream_with(&self.load()).await?;
        let here = FileBox::from_stream(bytes, file.name()).with_media_type(file.media_type());
        Ok(here.with_metadata(file.metadata().clone()))
    }

    pub(super) async fn upload(&self, pieces: Streaming<pb::UploadRequest>) -> Answer<pb::UploadResponse> {
        let _place = self.files.place()?;
        let bytes = self.bounded(pieces.map_ok(|piece| piece.chunk));
        let failed = bytes.failed.clone();
        let id = self.files.save(bytes.stream.boxed()).await.map_err(|error| told(&failed, error.into()))?;
        Ok(pb::UploadResponse { id })
    }

    pub(super) async fn download(
        &self,
        request: pb::DownloadRequest,
        _: Dialect,
        _: Option<Connection>,
    ) -> Answer<BoxStream<pb::DownloadResponse>> {
        let bytes = self.files.open(&request.id, &self.load()).await?;
        Ok(pieces(bytes).map_ok(|chunk| pb::DownloadResponse { chunk }).boxed())
    }

    pub(super) async fn message_file_stream(
        &self,
        request: pb::MessageFileStreamRequest,
        _: Dialect,
        _: Option<Connection>,
    ) -> Answer<BoxStream<pb::MessageFileStreamResponse>> {
        self.in_chunks(self.file(&request.id).await?).await
    }

    pub(super) async fn message_image_stream(
        &self,
        request: pb::MessageImageStreamRequest,
        _: Dialect,
        _: Option<Connection>,
    ) -> Answer<BoxStream<pb::MessageImageStreamResponse>> {
        self.in_chunks(self.image(&request.id, request.r#type).await?).await
    }

    /// Its name, then its bytes.
    async fn in_chunks<T: From<pb::FileBoxChunk> + Send + 'static>(&self, file: FileBox) -> Answer<BoxStream<T>> {
        let bytes = file.to_stream_with(&self.load()).await?;
        let name = stream::once(std::future::ready(Ok(pb::FileBoxChunk::named(file.name()))));
        let data = pieces(bytes).map_ok(|bytes| pb::FileBoxChunk { data: Some(bytes), name: None });
        Ok(name.chain(data).map_ok(T::from).boxed())
    }

    /// TypeScript sends small files this way, and whatever it failed to send in another; Go does the latter, too.
    pub(super) async fn message_send_file_stream(
        &self,
        mut requests: Streaming<pb::MessageSendFileStreamRequest>,
    ) -> Answer<pb::MessageSendFileStreamResponse> {
        let mut head = SendFileStream::default();
        let mut first = Bytes::new();
        while head.begun().is_none() {
            let request = self.bot.clock().timeout(STALL, requests.message()).await.map_err(|_| stalled())?;
            match request? {
                Some(request) => first = head.push(request)?.unwrap_or_default(),
                None => break,
            }
        }
        let (conversation, name) = head.clone().end()?;
        let rest =
            requests.map(move |request| head.push(request?).map(Option::unwrap_or_default).map_err(Status::from));
        let bytes = self.bounded(stream::once(std::future::ready(Ok(first))).chain(rest));
        let failed = bytes.failed.clone();
        let sent = self.send_stream(conversation, name, bytes.stream.boxed()).await;
        let id = sent.map_err(|fault| told(&failed, fault))?;
        Ok(pb::MessageSendFileStreamResponse::of(id.as_ref()))
    }

    async fn send_stream(&self, conversation: String, name: String, bytes: ByteStream) -> Answer<Option<MessageId>> {
        let request =
            |file| SendRequest::new(conversation.clone(), SayablePayload::file(file), "MessageSendFileStreamRequest");
        // Who names its sends tells none of them in another way.
        let firsts = if Told::current().is_some() { Vec::new() } else { self.doubts.named(&conversation, &name) };
        if firsts.is_empty() {
            return self.send(request(FileBox::from_stream(bytes, name))?).await;
        }
        // Which of them it is, if any, its last byte tells.
        let (_place, uuid) = (self.files.place()?, self.files.save(bytes).await?);
        let file = FileBox::from_uuid(uuid, Some(&name))?;
        for first in firsts {
            if first.is(&file, &self.load()).await && self.doubts.end(first.key) {
                return self.send_again(first.key, request(file)?).await;
            }
        }
        self.send(request(file)?).await
    }

    /// Bytes of a client, as many as a file may have, each piece in time.
    fn bounded(
        &self,
        bytes: impl Stream<Item = Result<Bytes, Status>> + Send + 'static,
    ) -> Incoming<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let failed = Failed::default();
        let (note, most, clock) = (failed.clone(), self.options.largest_file, self.bot.clock().clone());
        let stream = stream::unfold(Some((Box::pin(bytes), most)), move |open| {
            let (note, clock) = (note.clone(), clock.clone());
            async move {
                let (mut bytes, left) = open?;
                let piece = match clock.timeout(STALL, bytes.next()).await {
                    Ok(piece) => piece?.map_err(Fault::from),
                    Err(_) => Err(Fault::from(stalled())),
                };
                let piece = piece.and_then(|piece| {
                    let left = left.checked_sub(piece.len() as u64).ok_or_else(|| too_large("upload", most))?;
                    Ok((piece, left))
                });
                Some(match piece {
                    Ok((piece, left)) => (Ok(piece), Some((bytes, left))),
                    Err(fault) => {
                        let error = io::Error::other(fault.0.message().to_owned());
                        *note.lock() = Some(fault);
                        (Err(error), None)
                    }
                })
            }
        });
        Incoming { stream, failed }
    }
}

fn stalled() -> Status {
    let why = format!("nothing of the file came for {} s: send it again", STALL.as_secs());
    Status::deadline_exceeded(why)
}

/// The bytes of a file in pieces that are neither empty nor large.
fn pieces(bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> impl Stream<Item = Result<Bytes, Status>> {
    let cut = |mut bytes: Bytes| {
        stream::iter(std::iter::from_fn(move || {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            (!piece.is_empty()).then_some(Ok(piece))
        }))
    };
    bytes
        .map_err(|error| Status::data_loss(format!("the file could not be read to its end: {error}")))
        .map_ok(cut)
        .try_flatten()
}

/// Bytes that come from a client, and why they ended early: what reads them tells its own story.
struct Incoming<S> {
    stream: S,
    failed: Failed,
}

type Failed = std::sync::Arc<parking_lot::Mutex<Option<Fault>>>;

/// Why the bytes ended, if that is why it failed.
fn told(failed: &Failed, otherwise: Fault) -> Fault {
    failed.lock().take().unwrap_or(otherwise)
}
