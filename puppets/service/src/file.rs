//! FILES: up in pieces, down in pieces, and never more of one in memory than the connection's window.

use std::{io, pin::pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, future::Either, stream};
use parking_lot::Mutex;
use prost::Message;
use tokio::sync::watch;
use tonic::{Response, Status};
use wechaty_file_box::{ByteStream, FileBox, FileBoxType, FileSource, LoadOptions};
use wechaty_grpc::{
    chunks::FileChunks,
    file, pb,
    rpc::{Streaming, client::Ask},
    status::Asked,
};
use wechaty_puppet::{Capability, Clock, ConversationId, ImageType, MessageId, PuppetError, Result};

use crate::{
    ServicePuppet,
    link::{self, Link, asked, late, wire},
    send::is_unknown,
};

/// The least and the most of a file that one message holds.
const LEAST: usize = 64 << 10;
const MOST: usize = 256 << 10;
/// How long a file may take up or down, if it moves.
const TRANSFER: Duration = Duration::from_secs(600);
/// How long it may stand still.
const STALL: Duration = Duration::from_secs(60);
/// A file that is said.
const LARGEST: u64 = 4 << 30;

impl ServicePuppet {
    pub(crate) fn load_options(&self, file: &FileBox) -> LoadOptions {
        let max_bytes = file.size().unwrap_or(LARGEST).min(LARGEST);
        LoadOptions { max_bytes, timeout: TRANSFER, ..LoadOptions::default() }
    }

    /// Uploads a file; the box that stands for it. `None`: the gateway has no uploads.
    pub(crate) async fn upload(&self, link: &Link, asked: Asked<'_>, file: &FileBox) -> Result<Option<FileBox>> {
        let (pieces, broken) = self.pieces(file, &link.clock).await?;
        let requests = pieces.map(|chunk| pb::UploadRequest { chunk });
        let answer = match whole(link, asked, broken, link.client().upload(requests)).await? {
            Err(status) if is_unknown(&status) => return Ok(None),
            answer => answer.map_err(|status| link::error(status, asked))?,
        };
        let wrong = |detail: String| PuppetError::Protocol { context: "uploading a file", detail };
        let uploaded = FileBox::from_uuid(answer.into_inner().id, Some(file.name()));
        let mut uploaded = uploaded.map_err(|error| wrong(error.to_string()))?;
        uploaded = uploaded.with_media_type(file.media_type()).with_metadata(file.metadata().clone());
        if let Some(size) = file.size() {
            uploaded = uploaded.with_size(size);
        }
        if let Some(md5) = file.md5() {
            uploaded = uploaded.with_md5(md5);
        }
        Ok(Some(uploaded))
    }

    /// By the deprecated stream: conversation, name, bytes.
    pub(crate) async fn send_in_pieces(
        &self,
        link: &Link,
        asked: Asked<'_>,
        to: &ConversationId,
        file: &FileBox,
    ) -> Result<Option<MessageId>> {
        type Request = pb::MessageSendFileStreamRequest;
        let (pieces, broken) = self.pieces(file, &link.clock).await?;
        let head = [Request::to(to.as_str()), pb::FileBoxChunk::named(file.name()).into()];
        let bytes = pieces.filter_map(|bytes| async { pb::FileBoxChunk::piece(bytes).map(Request::from) });
        let requests = stream::iter(head).chain(bytes);
        let answer = whole(link, asked, broken, link.client().message_send_file_stream(requests)).await?;
        Ok(answer.map_err(|status| link::error(status, asked))?.into_inner().message_id())
    }

    /// The bytes of a file as messages take them, and what tells that they broke off.
    async fn pieces(
        &self,
        file: &FileBox,
        clock: &Clock,
    ) -> Result<(impl Stream<Item = Bytes> + Send + 'static, watch::Receiver<Progress>)> {
        let bytes = file.to_stream_with(&self.load_options(file)).await;
        let bytes = bytes.map_err(|error| PuppetError::Invalid { what: "file", reason: error.to_string() })?;
        let (tell, progress) = watch::channel(Progress::default());
        let clock = clock.clone();
        let pieces = sized(bytes);
        let pieces = stream::unfold((Box::pin(pieces), tell), move |(mut pieces, tell)| {
            let clock = clock.clone();
            async move {
                let next = pieces.next().await;
                let done = next.is_none();
                tell.send_modify(|progress| {
                    progress.at = clock.now();
                    progress.done = done;
                });
                match next? {
                    Ok(piece) => Some((piece, (pieces, tell))),
                    Err(error) => {
                        tell.send_modify(|progress| progress.broken = Some(error.to_string()));
                        // An end would say that this is all of it. Who waits for the answer gives the call up.
                        std::future::pending().await
                    }
                }
            }
        });
        Ok((pieces, progress))
    }

    /// A box whose bytes are with the gateway becomes one that knows how to get them.
    pub(crate) fn near(&self, file: FileBox) -> FileBox {
        let Some(uuid) = file.uuid().filter(|_| file.kind() == FileBoxType::Uuid).map(Arc::from) else { return file };
        let size = file.size();
        file.with_source(Arc::new(Remote { puppet: self.clone(), what: What::Uuid(uuid) }), size)
    }

    /// The file of a message, by its box, or by the stream where there is none.
    pub(crate) async fn message_file(&self, id: &MessageId) -> Result<FileBox> {
        let asked = asked(Capability::MessageFile, "loading a file", "message", id.as_str());
        let request = pb::MessageFileRequest { id: id.to_string() };
        let link = self.link(asked)?;
        let found = link.answer(asked, link.client().message_file(request)).await;
        let found = found.and_then(|found| file::read(&found.file_box).map_err(wire(asked)));
        self.or_stream(found, What::File(id.as_str().into()), asked).await
    }

    /// A rendition of a message's image, in the same ways.
    pub(crate) async fn message_image(&self, id: &MessageId, kind: ImageType) -> Result<FileBox> {
        let asked = asked(Capability::MessageImage, "loading an image", "message", id.as_str());
        let request = pb::MessageImageRequest { id: id.to_string(), r#type: kind.number() };
        let link = self.link(asked)?;
        let found = link.answer(asked, link.client().message_image(request)).await;
        let found = found.and_then(|found| file::read(&found.file_box).map_err(wire(asked)));
        self.or_stream(found, What::Image(id.as_str().into(), kind), asked).await
    }

    /// The reference server fails at boxes of small buffers; its clients then ask for the stream, every day.
    async fn or_stream(&self, found: Result<FileBox>, what: What, asked: Asked<'_>) -> Result<FileBox> {
        let first = match found {
            Ok(file) => return Ok(self.near(file)),
            Err(
                error @ (PuppetError::Unsupported { .. } | PuppetError::Protocol { .. } | PuppetError::Invalid { .. }),
            ) => error,
            Err(error) => return Err(error),
        };
        let link = self.link(asked)?;
        let remote = Remote { puppet: self.clone(), what };
        let named = async {
            let mut chunks = remote.chunks(&link).await?;
            let mut read = FileChunks::default();
            while read.name().is_none() {
                let Some(chunk) = chunks.try_next().await? else { break };
                if read.push(chunk).is_err() {
                    break;
                }
            }
            Ok(read.end().ok())
        };
        let name: Result<Option<String>, Status> =
            link.clock.timeout(link::CALL, named).await.map_err(|_| late(asked.context))?;
        match name {
            Ok(Some(name)) => {
                let empty = FileBox::from_bytes(Bytes::new(), name);
                Ok(empty.with_source(Arc::new(remote), None))
            }
            // The first answer says more.
            Ok(None) | Err(_) => self.learn(Err(first)),
        }
    }
}

/// How far an upload is.
#[derive(Debug, Default)]
struct Progress {
    at: Duration,
    /// All was read: what is left is the answer.
    done: bool,
    broken: Option<String>,
}

/// The answer to a call with a file, unless the file breaks off or nothing moves any more.
async fn whole<A: Message + Default>(
    link: &Link,
    asked: Asked<'_>,
    mut progress: watch::Receiver<Progress>,
    call: Ask<A>,
) -> Result<Result<Response<A>, Status>> {
    let began = link.clock.now();
    let broken = async {
        loop {
            let moved = link.clock.timeout(STALL, progress.changed()).await;
            let (reason, now) = (progress.borrow().broken.clone(), link.clock.now());
            if let Some(reason) = reason {
                return PuppetError::Invalid { what: "file", reason };
            }
            match moved {
                Ok(Ok(())) if now.saturating_sub(began) < TRANSFER => {}
                // All has been handed over, and the answer has its own time.
                Ok(Err(_)) => {
                    link.clock.sleep(STALL).await;
                    return late(asked.context);
                }
                Ok(Ok(())) | Err(_) => return late(asked.context),
            }
        }
    };
    match futures_util::future::select(pin!(call), pin!(broken)).await {
        Either::Left((answer, _)) => Ok(answer),
        Either::Right((error, _)) => Err(error),
    }
}

/// Pieces of a good size: small ones together, large ones apart, none empty.
fn sized(bytes: ByteStream) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((bytes, BytesMut::new(), false), |(mut bytes, mut held, mut over)| async move {
        while held.len() < LEAST && !over {
            match bytes.next().await {
                Some(Ok(chunk)) if held.is_empty() && chunk.len() >= LEAST && chunk.len() <= MOST => {
                    return Some((Ok(chunk), (bytes, held, over)));
                }
                Some(Ok(chunk)) => held.extend_from_slice(&chunk),
                Some(Err(error)) => return Some((Err(error), (bytes, held, true))),
                None => over = true,
            }
        }
        let piece = held.split_to(held.len().min(MOST)).freeze();
        (!piece.is_empty()).then_some((Ok(piece), (bytes, held, over)))
    })
}

/// Which bytes.
#[derive(Clone)]
enum What {
    Uuid(Arc<str>),
    File(Arc<str>),
    Image(Arc<str>, ImageType),
}

/// Bytes that are with the gateway; each read asks for them again.
#[derive(Clone)]
struct Remote {
    puppet: ServicePuppet,
    what: What,
}

type Chunks = futures_util::stream::BoxStream<'static, Result<pb::FileBoxChunk, Status>>;

impl Remote {
    fn asked(&self) -> Asked<'_> {
        match &self.what {
            What::Uuid(id) => asked(Capability::MessageFile, "downloading a file", "file", id),
            What::File(id) => asked(Capability::MessageFile, "loading a file", "message", id),
            What::Image(id, _) => asked(Capability::MessageImage, "loading an image", "message", id),
        }
    }

    async fn chunks(&self, link: &Link) -> Result<Chunks, Status> {
        fn of<A: Message + Default + 'static>(
            answer: Response<Streaming<A>>,
            chunk: fn(A) -> Option<pb::FileBoxChunk>,
        ) -> Chunks {
            answer.into_inner().try_filter_map(move |answer| async move { Ok(chunk(answer)) }).boxed()
        }
        let client = link.client();
        Ok(match &self.what {
            What::Uuid(id) => {
                let answer = client.download(pb::DownloadRequest { id: id.to_string() }).await?;
                of(answer, |answer| pb::FileBoxChunk::piece(answer.chunk))
            }
            What::File(id) => {
                let answer = client.message_file_stream(pb::MessageFileStreamRequest { id: id.to_string() }).await?;
                of(answer, |answer| answer.file_box_chunk)
            }
            What::Image(id, kind) => {
                let request = pb::MessageImageStreamRequest { id: id.to_string(), r#type: kind.number() };
                of(client.message_image_stream(request).await?, |answer| answer.file_box_chunk)
            }
        })
    }

    /// The bytes, each within its time.
    async fn read(self) -> Result<ByteStream> {
        let asked = self.asked();
        let link = self.puppet.link(asked)?;
        let opened = link.clock.timeout(link::CALL, self.chunks(&link)).await.map_err(|_| late(asked.context))?;
        let chunks = opened.map_err(|status| link::error(status, asked))?;
        // A download has no name; a stream begins with it.
        let name = Mutex::new(FileChunks::default());
        let named = !matches!(self.what, What::Uuid(_));
        let clock = link.clock.clone();
        Ok(Box::pin(stream::try_unfold((chunks, name, self), move |(mut chunks, name, remote)| {
            let clock = clock.clone();
            async move {
                loop {
                    let asked = remote.asked();
                    let next = clock.timeout(STALL, chunks.try_next()).await;
                    let next = next.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, late(asked.context)))?;
                    let Some(chunk) = next.map_err(|status| io::Error::other(link::error(status, asked)))? else {
                        return Ok(None);
                    };
                    let bytes = if named { name.lock().push(chunk).map_err(io::Error::other)? } else { chunk.data };
                    if let Some(bytes) = bytes {
                        return Ok(Some((bytes, (chunks, name, remote))));
                    }
                }
            }
        })))
    }
}

impl FileSource for Remote {
    fn open(&self) -> ByteStream {
        let remote = self.clone();
        Box::pin(stream::once(async move { remote.read().await.map_err(io::Error::other) }).try_flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_have_a_good_size_whatever_the_file_gives() {
        for sizes in [vec![1usize; 100], vec![0, MOST * 3 + 1, 5], vec![MOST, LEAST, 1], vec![], vec![0]] {
            let total: usize = sizes.iter().sum();
            let bytes = stream::iter(sizes.clone().into_iter().map(|size| Ok(Bytes::from(vec![7; size]))));
            let pieces: Vec<_> = sized(Box::pin(bytes)).try_collect().await.unwrap();
            assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), total, "{sizes:?}");
            let (last, others) = pieces.split_last().map_or((&[][..], &[][..]), |(last, others)| (&last[..], others));
            assert!(last.len() <= MOST && (pieces.is_empty() || !last.is_empty()), "{sizes:?}");
            assert!(others.iter().all(|piece| piece.len() <= MOST && !piece.is_empty()), "{sizes:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_is_no_end() {
        let bytes = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]);
        let pieces: Vec<_> = sized(Box::pin(bytes)).collect().await;
        assert!(pieces.iter().any(Result::is_err));
    }
}
