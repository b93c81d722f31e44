//! Files: as boxes in JSON, by uploads and downloads, and by the deprecated streams.

use std::sync::atomic::Ordering;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tonic::{Status, codegen::BoxStream};
use wechaty_grpc::{pb, rpc::Streaming};
use wechaty_puppet::{FileBox, ImageType, SayablePayload};

use super::{Gate, calls::group};

/// The reference server keeps files in memory up to here, and fails at boxes of them.
const SMALL: usize = 20_480;

type Answer<T> = Result<T, Status>;

fn chunks(bytes: &Bytes) -> Vec<Bytes> {
    (0..bytes.len()).step_by(64 << 10).map(|at| bytes.slice(at..(at + (64 << 10)).min(bytes.len()))).collect()
}

impl Gate {
    fn put(&self, pieces: Vec<Bytes>) -> String {
        let id = format!("file-{}", self.0.next.fetch_add(1, Ordering::Relaxed));
        self.0.files.lock().insert(id.clone(), pieces);
        id
    }

    /// The box for a client.
    pub(super) async fn far(&self, file: &FileBox) -> Answer<String> {
        let bytes = file.to_bytes().await.map_err(|error| Status::unknown(error.to_string()))?;
        if bytes.len() <= SMALL {
            if !self.is_own() || self.0.no_boxes.load(Ordering::Relaxed) {
                return Err(Status::unknown("Error: FileBox.toJSON() can only work on limited FileBoxType(s)\n  at x"));
            }
            let json = json!({
                "type": 1, "boxType": 1, "name": file.name(), "size": bytes.len(), "metadata": {},
                "base64": STANDARD.encode(&bytes),
            });
            return Ok(json.to_string());
        }
        let uuid = self.put(chunks(&bytes));
        let json = json!({ "type": 7, "boxType": 7, "name": file.name(), "size": -1, "metadata": {}, "uuid": uuid });
        Ok(json.to_string())
    }

    /// The file in a box of a client.
    pub(super) fn near(&self, json: &str) -> Answer<FileBox> {
        let json: Value = serde_json::from_str(json).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let name = json["name"].as_str().unwrap_or_default();
        match json["type"].as_u64() {
            Some(1) => {
                let text = json["base64"].as_str().unwrap_or_default();
                let bytes = STANDARD.decode(text).map_err(|error| Status::invalid_argument(error.to_string()))?;
                Ok(FileBox::from_bytes(bytes, name))
            }
            Some(7) => {
                let files = self.0.files.lock();
                let pieces = files.get(json["uuid"].as_str().unwrap_or_default());
                let pieces = pieces.ok_or_else(|| Status::not_found("no such file"))?;
                Ok(FileBox::from_bytes(pieces.concat(), name))
            }
            other => Err(Status::invalid_argument(format!("a box of type {other:?}"))),
        }
    }

    pub(super) async fn message_send_file(&self, r: pb::MessageSendFileRequest) -> Answer<pb::MessageSendFileResponse> {
        let what = SayablePayload::file(self.near(&r.file_box)?);
        Ok(pb::MessageSendFileResponse { id: self.say(&r.conversation_id, what).await?, ..Default::default() })
    }

    pub(super) async fn message_file(&self, r: pb::MessageFileRequest) -> Answer<pb::MessageFileResponse> {
        let file = group!(self.media).file(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::MessageFileResponse { file_box: self.far(&file).await? })
    }

    pub(super) async fn message_image(&self, r: pb::MessageImageRequest) -> Answer<pb::MessageImageResponse> {
        let kind = ImageType::from_number(r.r#type);
        let file = group!(self.media).image(&r.id.into(), kind).await.map_err(|e| self.status(e))?;
        Ok(pb::MessageImageResponse { file_box: self.far(&file).await? })
    }

    pub(super) async fn upload(&self, mut pieces: Streaming<pb::UploadRequest>) -> Answer<pb::UploadResponse> {
        if self.0.no_uploads.load(Ordering::Relaxed) {
            return Err(Status::unimplemented("unknown method"));
        }
        let mut all = Vec::new();
        while let Some(piece) = pieces.message().await? {
            if piece.chunk.is_empty() {
                return Err(Status::invalid_argument("NOCHUNK"));
            }
            all.push(piece.chunk);
        }
        Ok(pb::UploadResponse { id: self.put(all) })
    }

    pub(super) async fn download(&self, r: pb::DownloadRequest) -> Answer<BoxStream<pb::DownloadResponse>> {
        let pieces = self.0.files.lock().get(&r.id).cloned().ok_or_else(|| Status::not_found("no such file"))?;
        Ok(Box::pin(stream::iter(pieces.into_iter().map(|chunk| Ok(pb::DownloadResponse { chunk })))))
    }

    pub(super) async fn message_send_file_stream(
        &self,
        mut requests: Streaming<pb::MessageSendFileStreamRequest>,
    ) -> Answer<pb::MessageSendFileStreamResponse> {
        let missing = |what: &str| Status::unknown(format!("Error: no {what}"));
        let first = requests.message().await?.ok_or_else(|| missing("conversation id"))?;
        let to = first.conversation_id.ok_or_else(|| missing("conversation id"))?;
        let second = requests.message().await?.and_then(|request| request.file_box_chunk);
        let name = second.and_then(|chunk| chunk.name).ok_or_else(|| missing("name"))?;
        let mut bytes = Vec::new();
        while let Some(request) = requests.message().await? {
            let data = request.file_box_chunk.and_then(|chunk| chunk.data).ok_or_else(|| missing("data"))?;
            bytes.extend_from_slice(&data);
        }
        let id = self.say(&to, SayablePayload::file(FileBox::from_bytes(bytes, name))).await?;
        Ok(pb::MessageSendFileStreamResponse { id, ..Default::default() })
    }

    async fn pieces<T: 'static + Send>(&self, file: FileBox, wrap: fn(pb::FileBoxChunk) -> T) -> Answer<BoxStream<T>> {
        let bytes = file.to_bytes().await.map_err(|error| Status::unknown(error.to_string()))?;
        let name = pb::FileBoxChunk { name: Some(file.name().to_owned()), data: None };
        let data = chunks(&bytes).into_iter().map(|data| pb::FileBoxChunk { name: None, data: Some(data) });
        let all: Vec<_> = [name].into_iter().chain(data).map(|chunk| Ok(wrap(chunk))).collect();
        Ok(Box::pin(stream::iter(all)))
    }

    pub(super) async fn message_file_stream(
        &self,
        r: pb::MessageFileStreamRequest,
    ) -> Answer<BoxStream<pb::MessageFileStreamResponse>> {
        let file = group!(self.media).file(&r.id.into()).await.map_err(|e| self.status(e))?;
        self.pieces(file, |chunk| pb::MessageFileStreamResponse { file_box_chunk: Some(chunk) }).await
    }

    pub(super) async fn message_image_stream(
        &self,
        r: pb::MessageImageStreamRequest,
    ) -> Answer<BoxStream<pb::MessageImageStreamResponse>> {
        let kind = ImageType::from_number(r.r#type);
        let file = group!(self.media).image(&r.id.into(), kind).await.map_err(|e| self.status(e))?;
        self.pieces(file, |chunk| pb::MessageImageStreamResponse { file_box_chunk: Some(chunk) }).await
    }
}
