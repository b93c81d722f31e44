//! FILES: bytes of both sides, in memory, behind addresses that nobody can guess. The oldest go when there are too many.

use std::collections::{HashMap, VecDeque};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wechaty_puppet::{Bytes, ContactId, FileBox, WebhookRequest, WebhookResponse};

use crate::{guard::Secret, refusal::Refusal, wire};

/// What a browser may neither show nor guess about.
const OPAQUE: &str = "application/octet-stream";

/// Names a file in memory.
pub(crate) type Token = String;

#[derive(Debug)]
struct Stored {
    bytes: Bytes,
    name: String,
    media: String,
    /// The visitor who sent it; `None`: the bot.
    owner: Option<ContactId>,
    /// Messages that show it.
    uses: usize,
}

/// All files.
#[derive(Debug)]
pub(crate) struct Files {
    all: HashMap<Token, Stored>,
    order: VecDeque<Token>,
    bytes: usize,
    most: usize,
    /// The most of one visitor, so that nobody drives the files of all others out.
    share: usize,
}

impl Files {
    /// `most`: bytes of all files; `largest`: of one.
    pub(crate) fn new(most: usize, largest: usize) -> Self {
        Self { all: HashMap::new(), order: VecDeque::new(), bytes: 0, most, share: (most / 4).max(largest) }
    }

    /// Keeps a file for one message. `claimed`: the media type somebody gives it; `owner`: the visitor who sent it.
    pub(crate) fn keep(&mut self, bytes: Bytes, name: &str, claimed: &str, owner: Option<&ContactId>) -> Token {
        let (token, media) = (Secret::random().tell().to_owned(), media(&bytes, claimed));
        self.bytes += bytes.len();
        self.all.insert(token.clone(), Stored { bytes, name: name.to_owned(), media, owner: owner.cloned(), uses: 1 });
        self.order.push_back(token.clone());
        if owner.is_some() {
            self.bound(owner);
        }
        while self.bytes > self.most && self.order.len() > 1 {
            if let Some(oldest) = self.order.pop_front() {
                self.drop_file(&oldest);
            }
        }
        token
    }

    /// Drops the oldest of a visitor who has more than their share.
    fn bound(&mut self, owner: Option<&ContactId>) {
        let theirs = |files: &Self, token: &Token| {
            let file = files.all.get(token).filter(|file| file.owner.as_ref() == owner);
            file.map(|file| file.bytes.len())
        };
        let mut bytes: usize = self.order.iter().filter_map(|token| theirs(self, token)).sum();
        let mut at = 0;
        // The newest is the last, and stays.
        while bytes > self.share && at + 1 < self.order.len() {
            match theirs(self, &self.order[at]) {
                Some(length) => {
                    bytes -= length;
                    if let Some(oldest) = self.order.remove(at) {
                        self.drop_file(&oldest);
                    }
                }
                None => at += 1,
            }
        }
    }

    /// How a message tells of it.
    pub(crate) fn wire(&self, token: &Token) -> Option<wire::File> {
        let file = self.all.get(token)?;
        let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
        let url = format!("/chat/files/{token}/{name}");
        Some(wire::File { url, name: file.name.clone(), size: file.bytes.len(), media: file.media.clone() })
    }

    pub(crate) fn file_box(&self, token: &Token) -> Option<FileBox> {
        let file = self.all.get(token)?;
        let made = FileBox::from_bytes(file.bytes.clone(), &file.name);
        Some(if file.media == OPAQUE { made } else { made.with_media_type(&file.media) })
    }

    /// One message more shows it.
    pub(crate) fn retain(&mut self, token: &Token) {
        if let Some(file) = self.all.get_mut(token) {
            file.uses += 1;
        }
    }

    /// One message less shows it; the last takes it along.
    pub(crate) fn release(&mut self, token: &Token) {
        let Some(file) = self.all.get_mut(token) else { return };
        file.uses -= 1;
        if file.uses == 0 {
            self.drop_file(token);
            self.order.retain(|other| other != token);
        }
    }

    fn drop_file(&mut self, token: &Token) {
        if let Some(file) = self.all.remove(token) {
            self.bytes -= file.bytes.len();
        }
    }

    /// `GET /chat/files/TOKEN/NAME`; `path` is what stands behind `files/`.
    pub(crate) fn serve(&self, path: &str, request: &WebhookRequest) -> Result<WebhookResponse, Refusal> {
        let (token, name) = path.split_once('/').ok_or(Refusal::NotFound)?;
        let file = self.all.get(token).filter(|_| !name.contains('/')).ok_or(Refusal::NotFound)?;
        let shown = if file.media.starts_with("image/") { "inline" } else { "attachment" };
        let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
        let whole = file.bytes.len();
        let asked = request.header("range").and_then(|range| part(range, whole));
        let response = match asked {
            Some((from, to)) => WebhookResponse::new(206, &file.media, file.bytes.slice(from..=to))
                .header("content-range", format!("bytes {from}-{to}/{whole}")),
            None => WebhookResponse::new(200, &file.media, file.bytes.clone()),
        };
        Ok(response
            .header("accept-ranges", "bytes")
            .header("content-disposition", format!("{shown}; filename*=UTF-8''{name}"))
            .header("content-security-policy", "sandbox; default-src 'none'")
            .header("x-content-type-options", "nosniff")
            .header("referrer-policy", "no-referrer")
            .header("cross-origin-resource-policy", "same-origin")
            .header("cache-control", "private, max-age=86400, immutable"))
    }
}

/// One range of a `Range` header, as players of sound and film ask for; anything else is answered whole.
fn part(range: &str, whole: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = whole.checked_sub(1)?;
    let (from, to) = match (from.trim(), to.trim()) {
        ("", length) => (whole.saturating_sub(length.parse().ok()?), last),
        (from, "") => (from.parse().ok()?, last),
        (from, to) => (from.parse().ok()?, to.parse::<usize>().ok()?.min(last)),
    };
    (from <= to).then_some((from, to))
}

/// What people send each other and no browser runs; all of it is downloaded, never shown.
const PLAIN: &[&str] = &[
    "application/epub+zip",
    "application/gzip",
    "application/json",
    "application/msword",
    "application/pdf",
    "application/rtf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/x-7z-compressed",
    "application/x-tar",
    "application/zip",
    "text/calendar",
    "text/csv",
    "text/markdown",
    "text/plain",
    "text/vcard",
];

/// What a file is served as: an image only if its bytes say so, sound, film and documents by their claim (a browser makes
/// no page of them), everything else as bytes.
fn media(bytes: &[u8], claimed: &str) -> String {
    if let Some(image) = image(bytes) {
        return image.to_owned();
    }
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = claimed.strip_prefix("audio/").or_else(|| claimed.strip_prefix("video/"));
    let sound = |text: &str| {
        (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b))
    };
    if subtype.is_some_and(sound) || PLAIN.contains(&claimed.as_str()) { claimed } else { OPAQUE.to_owned() }
}

/// The image type by its first bytes.
fn image(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_of_an_image_are_served_as_one() {
        for (bytes, claimed, served) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], "text/html", "image/png"),
            (b"GIF89a<script>", "image/gif", "image/gif"),
            (b"<html><script>", "image/png", OPAQUE),
            (b"<svg onload=x>", "image/svg+xml", OPAQUE),
            (b"hello", "text/html; charset=utf-8", OPAQUE),
            (b"ID3", "AUDIO/mpeg; x=y", "audio/mpeg"),
            (b"%PDF-1.7", "application/pdf", "application/pdf"),
            (b"<script>", "text/plain; charset=utf-8", "text/plain"),
            (b"<script>", "application/xhtml+xml", OPAQUE),
            (b"<script>", "text/javascript", OPAQUE),
            (b"x", "video/<b>", OPAQUE),
            (b"", "", OPAQUE),
        ] {
            assert_eq!(media(bytes, claimed), served, "{claimed}");
        }
    }

    #[test]
    fn a_range_is_inside_the_file() {
        for (range, found) in [
            ("bytes=0-1", Some((0, 1))),
            ("bytes=4-", Some((4, 9))),
            ("bytes=-3", Some((7, 9))),
            ("bytes=5-99", Some((5, 9))),
            ("bytes=10-", None),
            ("bytes=3-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(part(range, 10), found, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), None);
    }

    #[test]
    fn nobody_drives_the_files_of_others_out() {
        let mut files = Files::new(40, 5);
        let mut keep = |owner: &str| files.keep(Bytes::from_static(b"12345"), "x", "", Some(&owner.into()));
        let ann = keep("ann");
        let eve: Vec<Token> = (0..20).map(|_| keep("eve")).collect();
        assert!(files.all.contains_key(&ann) && files.all.contains_key(&eve[18]) && files.all.contains_key(&eve[19]));
        assert_eq!((files.bytes, files.order.len(), files.all.len()), (15, 3, 3));
    }

    #[test]
    fn the_oldest_files_go_when_there_are_too_many_bytes() {
        let mut files = Files::new(10, 5);
        let tokens: Vec<Token> =
            (0..3).map(|_| files.keep(Bytes::from_static(b"12345"), "a b.txt", "", None)).collect();
        assert!(files.file_box(&tokens[0]).is_none() && files.file_box(&tokens[1]).is_some());
        assert_eq!(files.wire(&tokens[1]).unwrap().url, format!("/chat/files/{}/a%20b%2Etxt", tokens[1]));
        files.retain(&tokens[1]);
        files.release(&tokens[1]);
        assert!(files.file_box(&tokens[1]).is_some());
        files.release(&tokens[1]);
        assert!(files.file_box(&tokens[1]).is_none());
        assert_eq!((files.bytes, files.order.len()), (5, 1));
        // A file larger than all together stays alone.
        files.keep(Bytes::from_static(b"0123456789abc"), "x", "", None);
        assert_eq!((files.bytes, files.order.len(), files.all.len()), (13, 1, 1));
    }
}
