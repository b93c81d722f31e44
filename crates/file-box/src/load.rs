//! Reading a box: always a stream, always bounded.

use std::pin::Pin;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio_util::io::ReaderStream;

use crate::{
    FileBox, FileBoxError, FileBoxType, LoadOptions, Result, content::Content, deadline::Deadline, qr,
    temp_file::stream_error,
};

/// Bytes as they come in.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Bytes a chunk.
pub(crate) const CHUNK: usize = 256 << 10;

/// Standard alphabet, padding neither needed nor refused, spare bits ignored.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl FileBox {
    fn io(&self, context: &'static str) -> impl Fn(std::io::Error) -> FileBoxError {
        let name = self.name().to_owned();
        move |source| FileBoxError::Io { context, name: name.clone(), source }
    }

    /// The bytes as a stream, within the default bounds.
    ///
    /// # Errors
    /// [`FileBoxError`]; errors on the way are inside the stream.
    #[doc(alias = "toStream")]
    pub async fn to_stream(&self) -> Result<ByteStream> {
        self.to_stream_with(&LoadOptions::default()).await
    }

    /// The bytes as a stream, within these bounds.
    ///
    /// # Errors
    /// [`FileBoxError`]; errors on the way are inside the stream.
    pub async fn to_stream_with(&self, options: &LoadOptions) -> Result<ByteStream> {
        if !options.accepts(self.media_type()) && !matches!(self.kind(), FileBoxType::Url) {
            return Err(self.unwanted(self.media_type(), options));
        }
        let known = match &self.0.content {
            Content::Bytes(_) | Content::Base64(_) | Content::File(_) | Content::Source(_) => self.size(),
            _ => None,
        };
        if known.is_some_and(|size| size > options.max_bytes) {
            return Err(FileBoxError::TooLarge { name: self.name().to_owned(), limit: options.max_bytes });
        }
        let raw = if self.0.content.is_in_memory() {
            self.open(options).await?
        } else {
            let mut deadline = Deadline::after(options.timeout);
            let raw = deadline.limit(self.name(), self.open(options)).await?;
            deadline.bound(self.name(), raw, options.stall_timeout)
        };
        Ok(self.bounded(raw, options.max_bytes))
    }

    async fn open(&self, options: &LoadOptions) -> Result<ByteStream> {
        Ok(match &self.0.content {
            Content::Bytes(bytes) => {
                let bytes = bytes.clone();
                let starts = (0..bytes.len()).step_by(CHUNK);
                Box::pin(stream::iter(starts.map(move |at| Ok(bytes.slice(at..(at + CHUNK).min(bytes.len()))))))
            }
            Content::Base64(text) => {
                // A multiple of 4 characters decodes by itself.
                let (text, step) = (text.clone(), CHUNK / 3 * 4);
                let starts = (0..text.len()).step_by(step);
                Box::pin(stream::iter(starts.map(move |at| {
                    let part = &text.as_bytes()[at..(at + step).min(text.len())];
                    DECODER.decode(part).map(Bytes::from).map_err(std::io::Error::other)
                })))
            }
            Content::QrCode(text) => {
                let png = qr::png(text)?;
                Box::pin(stream::once(async { Ok(png) }))
            }
            Content::File(path) => {
                let file = tokio::fs::File::open(path).await.map_err(self.io("opening"))?;
                Box::pin(ReaderStream::with_capacity(file, CHUNK))
            }
            Content::Stream(once) => {
                once.take().ok_or_else(|| FileBoxError::Consumed { name: self.name().to_owned() })?
            }
            Content::Source(source) => source.open(),
            Content::Uuid(uuid) => {
                let store = options.uuid_store.as_ref();
                store.ok_or_else(|| FileBoxError::NoUuidStore { name: self.name().to_owned() })?.load(uuid).await?
            }
            #[cfg(feature = "http")]
            Content::Url { url, headers } => crate::http::get(self, url, headers, options).await?,
            #[cfg(not(feature = "http"))]
            Content::Url { .. } => return Err(FileBoxError::NoHttp { name: self.name().to_owned() }),
        })
    }

    /// Ends a stream with an error as soon as it is too long, whatever its header said.
    fn bounded(&self, raw: ByteStream, limit: u64) -> ByteStream {
        let name = self.name().to_owned();
        Box::pin(raw.scan((0u64, false), move |(seen, over), chunk| {
            if *over {
                return std::future::ready(None);
            }
            let chunk = chunk.and_then(|chunk| {
                *seen += chunk.len() as u64;
                *over = *seen > limit;
                let error = || std::io::Error::other(FileBoxError::TooLarge { name: name.clone(), limit });
                if *over { Err(error()) } else { Ok(chunk) }
            });
            std::future::ready(Some(chunk))
        }))
    }

    pub(crate) fn unwanted(&self, found: &str, options: &LoadOptions) -> FileBoxError {
        FileBoxError::MediaType {
            name: self.name().to_owned(),
            found: found.to_owned(),
            wanted: options.accept_media.clone().unwrap_or_default(),
        }
    }

    /// All bytes, within the default bounds.
    ///
    /// # Errors
    /// [`FileBoxError`].
    #[doc(alias = "toBuffer")]
    pub async fn to_bytes(&self) -> Result<Bytes> {
        self.to_bytes_with(&LoadOptions::default()).await
    }

    /// All bytes, within these bounds.
    ///
    /// # Errors
    /// [`FileBoxError`].
    pub async fn to_bytes_with(&self, options: &LoadOptions) -> Result<Bytes> {
        if let Content::Bytes(bytes) = &self.0.content
            && bytes.len() as u64 <= options.max_bytes
            && options.accepts(self.media_type())
        {
            return Ok(bytes.clone());
        }
        let mut all = BytesMut::new();
        let mut stream = self.to_stream_with(options).await?;
        while let Some(chunk) = stream.try_next().await.map_err(stream_error(self.name()))? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Asks the server of a URL box for name, media type and size, and makes the QR code's picture to know its size.
    /// Other kinds know all that already.
    ///
    /// # Errors
    /// [`FileBoxError`].
    pub async fn ready(&mut self, options: &LoadOptions) -> Result<()> {
        match &self.0.content {
            Content::QrCode(text) => {
                let size = qr::png(text)?.len() as u64;
                self.edit().size = Some(size);
            }
            #[cfg(feature = "http")]
            Content::Url { url, headers } => {
                let (url, headers) = (url.clone(), headers.clone());
                let asked = crate::http::head(self, &url, &headers, options);
                let found = Deadline::after(options.timeout).limit(self.name(), asked).await?;
                let inner = self.edit();
                if let Some(name) = found.name {
                    inner.name = crate::name::base_name(&name, &inner.name);
                    inner.media_type = crate::name::media_type(&inner.name).to_owned();
                }
                inner.media_type = crate::name::told_media(found.media_type, &inner.media_type);
                inner.size = found.size.or(inner.size);
            }
            _ => {
                let _ = options;
            }
        }
        Ok(())
    }
}
