//! MEDIA: files up and down; neither is ever whole in memory.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Body, Response};
use ring::rand::{SecureRandom, SystemRandom};
use wechaty_file_box::{ByteStream, FileBox, FileBoxError, FileSource, LoadOptions};
use wechaty_puppet::{PuppetError, Result};

use crate::{
    FILE_LIMIT, IMAGE_LIMIT,
    api::{FILE_PATIENCE, PATIENCE, seg},
    codes::about,
    json::text,
    puppet::Inner,
};

/// What a file goes up as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upload {
    /// Of a message.
    Image,
    /// Of a room.
    Avatar,
    /// By the platform's name of its kind.
    File(&'static str),
}

/// The platform's name of a kind of file.
pub(crate) fn file_type(file: &FileBox) -> &'static str {
    let extension = file.name().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "opus" => "opus",
        "mp4" => "mp4",
        "pdf" => "pdf",
        "doc" | "docx" => "doc",
        "xls" | "xlsx" => "xls",
        "ppt" | "pptx" => "ppt",
        _ => "stream",
    }
}

/// Whether it can go up as a picture.
pub(crate) fn is_picture(file: &FileBox) -> bool {
    file.size().is_none_or(|size| size <= IMAGE_LIMIT)
}

fn unreadable(error: FileBoxError) -> PuppetError {
    match error {
        FileBoxError::TooLarge { .. } | FileBoxError::Invalid { .. } | FileBoxError::Consumed { .. } => {
            PuppetError::Invalid { what: "file", reason: error.to_string() }
        }
        error => PuppetError::Unreachable { context: "reading the file", source: error.into() },
    }
}

fn empty(file: &FileBox) -> PuppetError {
    PuppetError::Invalid {
        what: "file",
        reason: format!("{:?} is empty, which the platform does not take", file.name()),
    }
}

/// A value in a header of a part.
fn quoted(name: &str) -> String {
    name.chars().map(|c| if c == '"' || c == '\\' || c.is_control() { '_' } else { c }).collect()
}

fn part(boundary: &str, name: &str, value: &str) -> String {
    format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

impl Inner {
    /// Sends a file up; its key. Nobody sees it yet: to try again does no harm.
    pub(crate) async fn upload(&self, file: &FileBox, how: Upload) -> Result<String> {
        const DOING: &str = "uploading a file";
        let limit = if matches!(how, Upload::File(_)) { FILE_LIMIT } else { IMAGE_LIMIT };
        if file.size() == Some(0) {
            return Err(empty(file));
        }
        let options = LoadOptions { max_bytes: limit, timeout: FILE_PATIENCE, ..LoadOptions::default() };
        let (path, key, first, field) = match how {
            Upload::Image => ("images", "image_key", ("image_type", "message"), "image"),
            Upload::Avatar => ("images", "image_key", ("image_type", "avatar"), "image"),
            Upload::File(kind) => ("files", "file_key", ("file_type", kind), "file"),
        };
        let url = format!("{}/open-apis/im/v1/{path}", self.api.hosts().api);
        let mut last = PuppetError::NotLoggedIn;
        for _ in 0..2 {
            let token = self.api.tokens.get(&self.api).await?;
            let bytes = file.to_stream_with(&options).await.map_err(unreadable)?;
            let (boundary, sent) = (boundary(), Arc::new(AtomicU64::new(0)));
            let mut head = part(&boundary, first.0, first.1);
            if field == "file" {
                head.push_str(&part(&boundary, "file_name", file.name()));
            }
            head.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
                quoted(file.name()),
                quoted(file.media_type()),
            ));
            let tail = format!("\r\n--{boundary}--\r\n");
            let length = file.size().map(|size| size + (head.len() + tail.len()) as u64);
            let body = whole(head, counted(bytes, sent.clone(), limit), tail);
            let mut request = self
                .api
                .client()?
                .post(&url)
                .bearer_auth(token.tell())
                .header("content-type", format!("multipart/form-data; boundary={boundary}"))
                .body(Body::wrap_stream(body));
            if let Some(length) = length {
                request = request.header("content-length", length);
            }
            let response = match self.api.send(DOING, true, FILE_PATIENCE, request).await {
                Err(_) if sent.load(Ordering::Relaxed) > limit => {
                    let name = file.name().to_owned();
                    return Err(unreadable(FileBoxError::TooLarge { name, limit }));
                }
                response => response?,
            };
            if sent.load(Ordering::Relaxed) == 0 && file.size().is_none() {
                return Err(empty(file));
            }
            match self.api.read(about(DOING, "file", file.name()), true, response, &token).await {
                Ok(answer) => {
                    let key = text(&answer, &format!("data.{key}")).to_owned();
                    if key.is_empty() {
                        return Err(PuppetError::Protocol { context: DOING, detail: "it holds no key".into() });
                    }
                    return Ok(key);
                }
                Err(error @ PuppetError::NotLoggedIn) => last = error,
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    /// The file of a message, under its name.
    pub(crate) async fn download(
        self: &Arc<Self>,
        message: &str,
        key: &str,
        is_image: bool,
        name: Option<&str>,
    ) -> Result<FileBox> {
        let kind = if is_image { "image" } else { "file" };
        let source = Resource {
            inner: self.clone(),
            path: format!("im/v1/messages/{}/resources/{}?type={kind}", seg(message), seg(key)),
        };
        // Its head says what it is called; the bytes come when somebody reads them.
        let response = source.ask().await?;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let size = header("content-length").and_then(|length| length.parse().ok());
        if size.is_some_and(|size: u64| size > self.api.options.media_limit) {
            let reason = format!("it is larger than media_limit, {} bytes", self.api.options.media_limit);
            return Err(PuppetError::Invalid { what: "file", reason });
        }
        let told = header("content-disposition").and_then(disposition);
        let media =
            header("content-type").and_then(|media| media.split(';').next()).map(|media| media.trim().to_owned());
        let name = match name.map(str::to_owned).or(told) {
            Some(name) => name,
            None => {
                let subtype = media.as_deref().and_then(|media| media.split_once('/')).map(|(_, subtype)| subtype);
                let extension = match subtype {
                    Some("jpeg") => "jpg",
                    Some(known @ ("png" | "gif" | "webp" | "mp4" | "pdf" | "opus")) => known,
                    _ if is_image => "png",
                    _ => "dat",
                };
                format!("{key}.{extension}")
            }
        };
        let source: Arc<dyn FileSource> = Arc::new(source);
        let mut file = FileBox::from_bytes(Bytes::new(), &name).with_source(source, size);
        if let Some(media) = media.filter(|media| media != "application/octet-stream") {
            file = file.with_media_type(media);
        }
        Ok(file)
    }
}

/// The name in a header that says how a file is shown.
fn disposition(header: &str) -> Option<String> {
    let encoded = header.split(';').find_map(|part| part.trim().strip_prefix("filename*="));
    if let Some((_, name)) = encoded.and_then(|value| value.split_once("''")) {
        return percent_encoding::percent_decode_str(name.trim_matches('"'))
            .decode_utf8()
            .ok()
            .map(|name| name.into_owned());
    }
    let plain = header.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    Some(plain.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty())
}

fn boundary() -> String {
    let mut random = [0; 16];
    // A boundary that could be guessed is one all the same.
    let _ = SystemRandom::new().fill(&mut random);
    format!("wechaty{:032x}", u128::from_be_bytes(random))
}

/// Counts what goes through, and ends with an error beyond the limit.
fn counted(bytes: ByteStream, sent: Arc<AtomicU64>, limit: u64) -> ByteStream {
    Box::pin(bytes.and_then(move |piece| {
        let total = sent.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64;
        std::future::ready(if total > limit { Err(std::io::Error::other("the file is too large")) } else { Ok(piece) })
    }))
}

fn whole(head: String, bytes: ByteStream, tail: String) -> ByteStream {
    let one = |text: String| stream::iter([Ok(Bytes::from(text))]);
    Box::pin(one(head).chain(bytes).chain(one(tail)))
}

/// A file of a message: asked for whenever it is read.
struct Resource {
    inner: Arc<Inner>,
    path: String,
}

impl Resource {
    async fn ask(&self) -> Result<Response> {
        const DOING: &str = "loading a file";
        let api = &self.inner.api;
        let url = format!("{}/open-apis/{}", api.hosts().api, self.path);
        for again in [true, false] {
            let token = api.tokens.get(api).await?;
            let request = api.client()?.get(&url).bearer_auth(token.tell());
            let response = api.send(DOING, true, PATIENCE, request).await?;
            if response.status().is_success() && !is_json(&response) {
                return Ok(response);
            }
            match api.read(about(DOING, "file", &self.path), true, response, &token).await {
                Err(PuppetError::NotLoggedIn) if again => {}
                Err(other) => return Err(other),
                Ok(_) => return Err(PuppetError::Protocol { context: DOING, detail: "it is no file".into() }),
            }
        }
        Err(PuppetError::NotLoggedIn)
    }
}

/// Whether an answer is one of the platform, and no file: a file in JSON comes with a name.
fn is_json(response: &Response) -> bool {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header("content-type").starts_with("application/json") && header("content-disposition").is_empty()
}

impl FileSource for Resource {
    fn open(&self) -> ByteStream {
        let (source, limit) =
            (Self { inner: self.inner.clone(), path: self.path.clone() }, self.inner.api.options.media_limit);
        let opening = async move {
            let response = source.ask().await.map_err(std::io::Error::other)?;
            let bytes = response.bytes_stream().map_err(|error| std::io::Error::other(error.without_url()));
            let bytes: ByteStream = Box::pin(bytes);
            Ok::<_, std::io::Error>(counted(bytes, Arc::default(), limit))
        };
        let opening: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(opening);
        Box::pin(stream::once(opening).try_flatten())
    }
}

/// The picture behind a URL that the platform gave.
pub(crate) fn picture(url: &str, what: &'static str, id: &str) -> Result<FileBox> {
    if url.is_empty() {
        return Err(PuppetError::not_found(what, id));
    }
    FileBox::from_url(url).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_of_headers_and_go_into_them() {
        assert_eq!(disposition("attachment; filename=\"a b.txt\"").as_deref(), Some("a b.txt"));
        assert_eq!(disposition("attachment; filename=x; filename*=UTF-8''%E8%AF%BE.txt").as_deref(), Some("课.txt"));
        assert_eq!(disposition("inline"), None);
        assert_eq!(quoted("a\"\r\nb.txt"), "a___b.txt");
    }

    #[test]
    fn a_file_goes_up_as_what_it_is() {
        for (name, kind) in
            [("a.PDF", "pdf"), ("a.docx", "doc"), ("a.opus", "opus"), ("a.mp3", "stream"), ("a", "stream")]
        {
            assert_eq!(file_type(&FileBox::from_bytes(&b"x"[..], name)), kind);
        }
    }
}
