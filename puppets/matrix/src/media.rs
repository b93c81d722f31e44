//! MEDIA: files up and down, never whole in memory.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use wechaty_file_box::{ByteStream, FileBox, FileBoxError, FileSource, LoadOptions, Spill};
use wechaty_puppet::{PuppetError, Result, Retry, with_causes};

use crate::{
    content::Uploaded,
    convert::{File, text},
    error::{About, nothing_sent},
    id::mxc,
    link::Link,
    wire::Wire,
};

/// Files of unknown size wait here: more than this on disk.
const IN_MEMORY: usize = 1 << 20;

/// A file of the homeserver.
struct Remote {
    wire: Wire,
    server: String,
    name: String,
    limit: u64,
    #[cfg_attr(not(feature = "e2ee"), expect(dead_code, reason = "for encrypted files alone"))]
    keys: Option<serde_json::Value>,
}

impl FileSource for Remote {
    fn open(&self) -> ByteStream {
        let (wire, server, name, limit) = (self.wire.clone(), self.server.clone(), self.name.clone(), self.limit);
        let bytes = stream::once(async move {
            let opened = download(&wire, &["download", &server, &name], &[], limit).await;
            opened.map(|(bytes, _)| bytes).map_err(std::io::Error::other)
        });
        let bytes: ByteStream = Box::pin(bytes.try_flatten());
        #[cfg(feature = "e2ee")]
        if let Some(keys) = &self.keys {
            return crate::e2ee::decrypting(bytes, keys);
        }
        bytes
    }
}

/// Bytes of a file, by the call that needs a login, else by the older one.
async fn download(wire: &Wire, path: &[&str], query: &[(&str, &str)], limit: u64) -> Result<(ByteStream, Option<u64>)> {
    let about = About { context: "loading a file", what: "file", id: path.last().copied().unwrap_or_default() };
    let call = |front: &[&'static str]| {
        let mut whole = front.to_vec();
        whole.extend(path);
        let call = wire.call(Method::GET, &whole, about);
        query.iter().fold(call, |call, (name, value)| call.query(name, value))
    };
    match call(&["client", "v1", "media"]).download(limit).await {
        Err(PuppetError::Rejected { code, .. }) if matches!(&*code, "M_UNRECOGNIZED" | "404" | "405") => {
            call(&["media", "v3"]).download(limit).await
        }
        opened => opened,
    }
}

impl Link {
    /// A file of the homeserver as a box; loaded when it is read.
    pub(crate) fn remote(&self, file: &File) -> Result<FileBox> {
        let (server, name) = mxc(&file.uri).ok_or_else(|| PuppetError::not_found("file", &file.uri))?;
        if file.keys.is_some() && !cfg!(feature = "e2ee") {
            return Err(PuppetError::Invalid {
                what: "file",
                reason: "it is encrypted, and this build has no encryption".into(),
            });
        }
        let source = Remote {
            wire: self.wire.clone(),
            server: server.to_owned(),
            name: name.to_owned(),
            limit: self.options.file_limit,
            keys: file.keys.clone(),
        };
        // The size that the sender tells is no promise.
        let mut made = FileBox::from_bytes(Vec::new(), &file.name).with_source(Arc::new(source), None);
        if let Some(media_type) = &file.media_type {
            made = made.with_media_type(media_type);
        }
        Ok(made)
    }

    /// A small form of a picture, if the homeserver has one.
    pub(crate) async fn thumbnail(&self, file: &File) -> Result<FileBox> {
        let Some((server, name)) = mxc(&file.uri).filter(|_| file.keys.is_none()) else { return self.remote(file) };
        let query = [("width", "320"), ("height", "240"), ("method", "scale")];
        match download(&self.wire, &["thumbnail", server, name], &query, self.options.file_limit).await {
            Ok((bytes, size)) => {
                let made = spilled(bytes, self.options.file_limit).await.map_err(unreadable)?;
                Ok(FileBox::from_bytes(Vec::new(), &file.name).with_source(made.0, size.or(Some(made.1))))
            }
            // What is no picture has none.
            Err(PuppetError::Rejected { .. } | PuppetError::NotFound { .. } | PuppetError::Invalid { .. }) => {
                self.remote(file)
            }
            Err(error) => Err(error),
        }
    }

    /// A picture by its `mxc://` address.
    pub(crate) fn picture(&self, uri: &str, name: &str) -> Result<FileBox> {
        let file = File { uri: uri.to_owned(), name: name.to_owned(), media_type: None, size: None, keys: None };
        self.remote(&file)
    }

    /// Uploads a file. No message is sent by it: what fails is certain.
    pub(crate) async fn upload(&self, file: &FileBox, room: Option<&str>) -> Result<(Uploaded, u64)> {
        let limit = self.largest_file().await.map_err(nothing_sent)?;
        let too_large = |size: u64| PuppetError::Invalid {
            what: "file",
            reason: format!("it has {size} bytes, and the homeserver takes {limit}"),
        };
        if let Some(size) = file.size().filter(|size| *size > limit) {
            return Err(too_large(size));
        }
        let options = LoadOptions {
            max_bytes: limit,
            timeout: crate::CAPABILITIES.limits.call_timeout,
            ..LoadOptions::default()
        };
        let bytes = file.to_stream_with(&options).await.map_err(unreadable)?;
        #[cfg(feature = "e2ee")]
        let bytes = match room {
            Some(room) => match crate::e2ee::upload(self, room, file, bytes, limit).await? {
                Ok(uploaded) => return Ok(uploaded),
                Err(bytes) => bytes,
            },
            None => bytes,
        };
        #[cfg(not(feature = "e2ee"))]
        let _ = room;
        // A length is required, and one that is only told may be wrong.
        let (source, size) = match file.size() {
            Some(size) if file.is_repeatable() => (bytes, size),
            _ => {
                let (source, size) = spilled(bytes, limit).await.map_err(unreadable)?;
                (source.open(), size)
            }
        };
        let uri = self.upload_stream(media_type(file), file.name(), size, source).await?;
        Ok((Uploaded::Plain(uri), size))
    }

    /// The address of a picture that all may see: of a profile, or a room.
    pub(crate) async fn upload_picture(&self, file: &FileBox) -> Result<String> {
        match self.upload(file, None).await?.0 {
            Uploaded::Plain(uri) => Ok(uri),
            #[cfg(feature = "e2ee")]
            Uploaded::Encrypted(_) => {
                Err(PuppetError::Invalid { what: "file", reason: "what all see has no keys".into() })
            }
        }
    }

    /// Uploads bytes; their `mxc://` address.
    pub(crate) async fn upload_stream(
        &self,
        media_type: &str,
        name: &str,
        size: u64,
        bytes: ByteStream,
    ) -> Result<String> {
        let about = About { context: "uploading a file", what: "file", id: name };
        let call = self.wire.call(Method::POST, &["media", "v3", "upload"], about).query("filename", name);
        let answer = call.upload(media_type, size, bytes).await.map_err(nothing_sent)?;
        let uri = text(&answer, &["content_uri"]).filter(|uri| mxc(uri).is_some());
        uri.map(str::to_owned).ok_or_else(|| PuppetError::Unreachable {
            context: "uploading a file",
            source: "the homeserver does not say where it is".into(),
        })
    }
}

/// What a file is, in words that a header may hold.
pub(crate) fn media_type(file: &FileBox) -> &str {
    let told = file.media_type();
    let good =
        told.contains('/') && told.is_ascii() && !told.contains(char::is_control) && told != "application/unknown";
    if good { told } else { "application/octet-stream" }
}

/// A file that could not be read. What goes by is tried again: nothing was sent.
pub(crate) fn unreadable(error: FileBoxError) -> PuppetError {
    let goes_by = match &error {
        FileBoxError::Io { source, .. } => match source.get_ref() {
            Some(inner) => match inner.downcast_ref::<PuppetError>() {
                Some(PuppetError::RateLimited { retry_after }) => {
                    return PuppetError::RateLimited { retry_after: *retry_after };
                }
                Some(refused) => refused.retry() != Retry::Never,
                None => inner.is::<reqwest::Error>() || source.kind() == std::io::ErrorKind::TimedOut,
            },
            None => false,
        },
        FileBoxError::Status { status, .. } => *status == 429 || *status >= 500,
        FileBoxError::Http { .. } | FileBoxError::TimedOut { .. } => true,
        _ => false,
    };
    if goes_by {
        return PuppetError::Unreachable { context: "loading a file", source: error.into() };
    }
    PuppetError::Invalid { what: "file", reason: with_causes(&error) }
}

pub(crate) async fn spilled(mut bytes: ByteStream, limit: u64) -> Result<(Arc<dyn FileSource>, u64), FileBoxError> {
    let io = |source| FileBoxError::Io { context: "reading", name: "file".to_owned(), source };
    let mut spill = Spill::new(IN_MEMORY);
    while let Some(piece) = bytes.next().await {
        spill.write(piece.map_err(io)?).await.map_err(io)?;
        if spill.size() > limit {
            return Err(FileBoxError::TooLarge { name: "file".to_owned(), limit });
        }
    }
    let size = spill.size();
    Ok((spill.finish().await.map_err(io)?, size))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_file_that_the_homeserver_cannot_give_now_is_tried_again() {
        let read = |source: io::Error| {
            unreadable(FileBoxError::Io { context: "reading", name: "file".to_owned(), source }).retry()
        };
        let gateway = PuppetError::Transport { context: "loading a file", source: "502 Bad Gateway".into() };
        assert_eq!(read(io::Error::other(gateway)), Retry::Backoff);
        let pause = std::time::Duration::from_secs(3);
        let busy = PuppetError::RateLimited { retry_after: Some(pause) };
        assert_eq!(read(io::Error::other(busy)), Retry::After(pause));
        assert_eq!(read(io::Error::new(io::ErrorKind::TimedOut, "nothing more")), Retry::Backoff);
        assert_eq!(read(io::Error::other(PuppetError::not_found("file", "mxc://x/y"))), Retry::Never);
        assert_eq!(read(io::Error::other("the file is not the one that was sent")), Retry::Never);
        let status = |status| FileBoxError::Status { name: "file".to_owned(), host: "h".to_owned(), status };
        assert_eq!((unreadable(status(503)).retry(), unreadable(status(404)).retry()), (Retry::Backoff, Retry::Never));
        assert!(unreadable(status(503)).is_certain(), "nothing was sent");
    }
}
