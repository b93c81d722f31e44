//! FILES IN PIECES: the deprecated streams that Go, Java, Python and, as a fall-back, TypeScript use every day.
//!
//! First the name, then the bytes; of `MessageSendFileStream` the conversation before both.

use bytes::Bytes;

use crate::{Result, WireError, pb};

/// What is read so far of a file that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct FileChunks {
    name: Option<String>,
}

impl FileChunks {
    /// Takes the next piece; gives its bytes, if it has some. Bytes beside the name are taken.
    ///
    /// # Errors
    /// [`WireError::Missing`] for bytes before the name.
    pub fn push(&mut self, chunk: pb::FileBoxChunk) -> Result<Option<Bytes>> {
        if self.name.is_none() {
            self.name = chunk.name.filter(|name| !name.is_empty());
        }
        match chunk.data.filter(|data| !data.is_empty()) {
            Some(_) if self.name.is_none() => Err(WireError::missing("FileBoxChunk", "name")),
            data => Ok(data),
        }
    }

    /// The file's name, once it has come.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Nothing more comes. A file without bytes is an empty one.
    ///
    /// # Errors
    /// [`WireError::Missing`] without a name.
    pub fn end(self) -> Result<String> {
        self.name.ok_or(WireError::missing("FileBoxChunk", "name"))
    }
}

/// What is read so far of a `MessageSendFileStream`.
#[derive(Clone, Debug, Default)]
pub struct SendFileStream {
    conversation: Option<String>,
    file: FileChunks,
}

impl SendFileStream {
    /// Takes the next message; gives the bytes in it, if it has some.
    ///
    /// # Errors
    /// [`WireError::Missing`] for what comes out of order.
    pub fn push(&mut self, request: pb::MessageSendFileStreamRequest) -> Result<Option<Bytes>> {
        if self.conversation.is_none() {
            let conversation = request.conversation_id.filter(|id| !id.is_empty());
            let missing = WireError::missing("MessageSendFileStreamRequest", "conversation_id");
            self.conversation = Some(conversation.ok_or(missing)?);
        }
        request.file_box_chunk.map_or(Ok(None), |chunk| self.file.push(chunk))
    }

    /// Conversation and file name, once both have come.
    pub fn begun(&self) -> Option<(&str, &str)> {
        Some((self.conversation.as_deref()?, self.file.name()?))
    }

    /// Nothing more comes: conversation and file name.
    ///
    /// # Errors
    /// [`WireError::Missing`] without one of them.
    pub fn end(self) -> Result<(String, String)> {
        let missing = WireError::missing("MessageSendFileStreamRequest", "conversation_id");
        Ok((self.conversation.ok_or(missing)?, self.file.end()?))
    }
}

impl pb::FileBoxChunk {
    /// The first message of a file: its name and nothing else, for Go loses bytes beside it.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), data: None }
    }

    /// A later one; `None` for no bytes, which are never sent: decoders fail at them.
    pub fn piece(data: Bytes) -> Option<Self> {
        (!data.is_empty()).then_some(Self { data: Some(data), name: None })
    }
}

impl pb::MessageSendFileStreamRequest {
    /// The first message: where to.
    pub fn to(conversation: impl Into<String>) -> Self {
        Self { conversation_id: Some(conversation.into()), file_box_chunk: None }
    }
}

impl From<pb::FileBoxChunk> for pb::MessageSendFileStreamRequest {
    fn from(chunk: pb::FileBoxChunk) -> Self {
        Self { conversation_id: None, file_box_chunk: Some(chunk) }
    }
}

impl From<pb::FileBoxChunk> for pb::MessageFileStreamResponse {
    fn from(chunk: pb::FileBoxChunk) -> Self {
        Self { file_box_chunk: Some(chunk) }
    }
}

impl From<pb::FileBoxChunk> for pb::MessageImageStreamResponse {
    fn from(chunk: pb::FileBoxChunk) -> Self {
        Self { file_box_chunk: Some(chunk) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_in_its_order() {
        let mut stream = SendFileStream::default();
        assert_eq!(stream.push(pb::MessageSendFileStreamRequest::to("r")).unwrap(), None);
        assert_eq!(stream.begun(), None);
        assert_eq!(stream.push(pb::FileBoxChunk::named("a.txt").into()).unwrap(), None);
        assert_eq!(stream.begun(), Some(("r", "a.txt")));
        let piece = pb::FileBoxChunk::piece("hi".into()).unwrap();
        assert_eq!(stream.push(piece.into()).unwrap().as_deref(), Some(&b"hi"[..]));
        assert_eq!(stream.end().unwrap(), ("r".to_owned(), "a.txt".to_owned()));
        assert_eq!(pb::FileBoxChunk::piece(Bytes::new()), None);
    }

    #[test]
    fn what_comes_out_of_order_is_an_error() {
        let piece = || pb::FileBoxChunk::piece("hi".into()).unwrap();
        SendFileStream::default().push(piece().into()).unwrap_err();
        SendFileStream::default().push(pb::MessageSendFileStreamRequest::to("")).unwrap_err();
        let mut stream = SendFileStream::default();
        stream.push(pb::MessageSendFileStreamRequest::to("r")).unwrap();
        stream.push(piece().into()).unwrap_err();
        stream.end().unwrap_err();
        SendFileStream::default().end().unwrap_err();
        FileChunks::default().push(piece()).unwrap_err();
        assert_eq!(FileChunks::default().push(pb::FileBoxChunk::default()).unwrap(), None);
    }
}
