//! HTTP: just enough of it for both sides of a loopback connection: one request, one answer, and the connection ends.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Longest body that is read.
const LARGEST: u64 = 16 << 20;
/// How long the other side may be silent; a homeserver waits half a minute for news.
const PATIENCE: Duration = Duration::from_secs(90);

/// A request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// The value of `Authorization`.
    pub(super) authorization: String,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// First line and headers, whose names are in small letters.
fn head(reader: &mut impl BufRead) -> Result<(String, Vec<(String, String)>)> {
    let mut line = || -> Result<String> {
        let mut line = String::new();
        if reader.by_ref().take(64 << 10).read_line(&mut line)? == 0 {
            bail!("the other side hung up");
        }
        Ok(line.trim_end().to_owned())
    };
    let (first, mut headers) = (line()?, Vec::new());
    loop {
        let line = line()?;
        if line.is_empty() {
            return Ok((first, headers));
        }
        let (name, value) = line.split_once(':').context("no header")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl Request {
    /// The next request of a connection.
    pub(super) fn read(stream: &TcpStream) -> Result<Self> {
        let mut reader = BufReader::new(stream);
        let (first, headers) = head(&mut reader)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { bail!("no request: {first}") };
        let text = |name: &str| header(&headers, name).unwrap_or_default().to_owned();
        let length = header(&headers, "content-length").map_or(Ok(0), str::parse)?;
        if length > LARGEST || header(&headers, "transfer-encoding").is_some() {
            bail!("a body that is not taken here");
        }
        let mut body = vec![0; usize::try_from(length)?];
        reader.read_exact(&mut body)?;
        Ok(Self { method, path, authorization: text("authorization"), content_type: text("content-type"), body })
    }

    /// Sends it to `host:port`, and waits for the answer.
    pub(super) fn send(&self, host: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(host).with_context(|| format!("nobody is at {host}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // Of this version, so that bodies end with the connection.
        let mut bytes = format!("{} {} HTTP/1.0\r\nHost: {host}\r\n", self.method, self.path);
        for (name, value) in [("Authorization", &self.authorization), ("Content-Type", &self.content_type)] {
            if !value.is_empty() {
                bytes.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        bytes.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut bytes = bytes.into_bytes();
        bytes.extend(&self.body);
        stream.write_all(&bytes)?;
        let mut reader = BufReader::new(stream);
        let (first, headers) = head(&mut reader)?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no answer")?;
        let mut body = Vec::new();
        reader.take(LARGEST).read_to_end(&mut body)?;
        if let Some(length) = header(&headers, "content-length").and_then(|length| length.parse::<usize>().ok())
            && body.len() != length
        {
            bail!("the answer was cut off");
        }
        let content_type = header(&headers, "content-type").unwrap_or_default().to_owned();
        Ok(Answer { status, content_type, body })
    }
}

impl Answer {
    /// Sends it; the connection ends with it.
    pub(super) fn write(&self, mut stream: &TcpStream) -> Result<()> {
        let (status, media, length) = (self.status, &self.content_type, self.body.len());
        let head = format!(
            "HTTP/1.1 {status} .\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        Ok(stream.write_all(&bytes)?)
    }
}

/// What stands in a query under a name, as it was sent.
pub(super) fn query<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = path.split_once('?')?;
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

/// A piece of a path, whatever it holds.
pub(super) fn seg(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.bytes();
    bytes.map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_and_pieces_of_a_path_written() {
        assert_eq!(query("/sync?timeout=3&since=s1_2", "since"), Some("s1_2"));
        assert_eq!((query("/sync?timeout=3", "since"), query("/sync", "since")), (None, None));
        assert_eq!(seg("!a b:localhost"), "%21a%20b%3Alocalhost");
    }
}
