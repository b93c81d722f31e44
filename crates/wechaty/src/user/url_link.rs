//! URL LINK: a link with a preview.

use std::sync::LazyLock;

use futures_util::StreamExt;
use regex::Regex;
use wechaty_file_box::LoadOptions;
use wechaty_types::{FileBox, FileBoxError, UrlLinkPayload};

use crate::{Error, Result};

/// Longest page that is searched for a preview.
const PAGE_LIMIT: usize = 1 << 20;

/// A link with a preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlLink(UrlLinkPayload);

static META: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<meta\s[^>]*>").expect("constant"));
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?is)([a-z:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))"#).expect("constant"));
static TITLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<title[^>]*>(.*?)</title>").expect("constant"));

impl UrlLink {
    /// From its payload.
    pub fn new(payload: UrlLinkPayload) -> Self {
        Self(payload)
    }

    /// A link whose preview is read from the page (OpenGraph). What the page does not tell, or cannot be read, comes
    /// from `fallback`; without any title it fails.
    ///
    /// # Errors
    /// When the page cannot be read and `fallback` has no title.
    pub async fn create(url: &str, fallback: UrlLinkPayload) -> Result<Self> {
        let page = match FileBox::from_url(url) {
            Ok(page) => beginning(&page).await,
            Err(error) => Err(error),
        };
        let found = match page {
            Ok(page) => open_graph(url, &String::from_utf8_lossy(&page)),
            Err(error) if fallback.title.is_empty() => return Err(error.into()),
            Err(_) => UrlLinkPayload::default(),
        };
        let or = |a: Option<String>, b: Option<String>| a.filter(|a| !a.is_empty()).or(b);
        let title = if found.title.is_empty() { fallback.title } else { found.title };
        if title.is_empty() {
            let reason = format!("{url} tells no title, and no fallback was given");
            return Err(Error::Invalid { what: "link", reason });
        }
        Ok(Self(UrlLinkPayload {
            url: url.to_owned(),
            description: or(found.description, fallback.description).or_else(|| Some(title.clone())),
            thumbnail_url: or(found.thumbnail_url, fallback.thumbnail_url),
            title,
        }))
    }

    /// Everything known.
    pub fn payload(&self) -> &UrlLinkPayload {
        &self.0
    }
    /// Everything known, taken out.
    pub fn into_payload(self) -> UrlLinkPayload {
        self.0
    }
    /// Where it leads.
    pub fn url(&self) -> &str {
        &self.0.url
    }
    /// Title of the preview.
    pub fn title(&self) -> &str {
        &self.0.title
    }
    /// Text of the preview.
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    /// Picture of the preview.
    #[doc(alias = "thumbnailUrl")]
    pub fn thumbnail_url(&self) -> Option<&str> {
        self.0.thumbnail_url.as_deref()
    }
}

/// As much of a page as is searched, of however long a page; the rest is not loaded.
async fn beginning(page: &FileBox) -> Result<Vec<u8>, FileBoxError> {
    let mut stream = page.to_stream_with(&LoadOptions { max_bytes: u64::MAX, ..LoadOptions::default() }).await?;
    let mut found = Vec::new();
    while found.len() < PAGE_LIMIT
        && let Some(chunk) = stream.next().await
    {
        match chunk {
            Ok(chunk) => found.extend_from_slice(&chunk[..chunk.len().min(PAGE_LIMIT - found.len())]),
            // Where a page breaks off, or takes too long, what came before is searched.
            Err(_) if !found.is_empty() => break,
            Err(source) => return Err(FileBoxError::Io { context: "reading", name: page.name().to_owned(), source }),
        }
    }
    Ok(found)
}

/// The first OpenGraph title, description and image of a page; the plain title and description behind them.
fn open_graph(url: &str, page: &str) -> UrlLinkPayload {
    let mut found = UrlLinkPayload { url: url.to_owned(), ..UrlLinkPayload::default() };
    let mut plain_description = None;
    for meta in META.find_iter(page) {
        let (mut name, mut content) = (String::new(), None);
        for attribute in ATTRIBUTE.captures_iter(meta.as_str()) {
            let value = attribute.get(2).or(attribute.get(3)).or(attribute.get(4)).map_or("", |m| m.as_str());
            match attribute[1].to_lowercase().as_str() {
                "property" | "name" => name = value.to_lowercase(),
                "content" => content = Some(unescape(value)),
                _ => {}
            }
        }
        let Some(content) = content.filter(|content| !content.is_empty()) else { continue };
        match name.as_str() {
            "og:title" if found.title.is_empty() => found.title = content,
            "og:description" => found.description = found.description.or(Some(content)),
            "description" => plain_description = plain_description.or(Some(content)),
            "og:image" | "og:image:url" => found.thumbnail_url = found.thumbnail_url.or(Some(absolute(url, &content))),
            _ => {}
        }
    }
    if found.title.is_empty() {
        found.title = TITLE.captures(page).map(|title| unescape(title[1].trim())).unwrap_or_default();
    }
    found.description = found.description.or(plain_description);
    found
}

fn absolute(base: &str, link: &str) -> String {
    url::Url::parse(base).and_then(|base| base.join(link)).map_or_else(|_| link.to_owned(), String::from)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_preview_is_read_from_the_page() {
        let page = r#"<html><head><title>plain</title><meta property="og:title" content="T &amp; C">
            <META content='/t.png' property='og:image'><meta name=description content="words"></head>"#;
        let found = open_graph("https://e.invalid/a/b", page);
        assert_eq!((found.title.as_str(), found.description.as_deref()), ("T & C", Some("words")));
        assert_eq!(found.thumbnail_url.as_deref(), Some("https://e.invalid/t.png"));
    }

    #[tokio::test]
    async fn a_page_without_end_is_read_as_far_as_it_is_searched() {
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(b"<title>long</title>")));
        let page = beginning(&FileBox::from_stream(endless, "page")).await.unwrap();
        assert_eq!(page.len(), PAGE_LIMIT);
        assert_eq!(open_graph("https://e.invalid", &String::from_utf8_lossy(&page)).title, "long");
    }

    #[tokio::test]
    async fn an_unreachable_page_honours_the_fallback_q18() {
        let fallback = UrlLinkPayload { title: "kept".into(), ..UrlLinkPayload::default() };
        let link = UrlLink::create("http://127.0.0.1:1/", fallback).await.unwrap();
        assert_eq!((link.title(), link.description()), ("kept", Some("kept")));
        assert!(UrlLink::create("http://127.0.0.1:1/", UrlLinkPayload::default()).await.is_err());
    }
}
