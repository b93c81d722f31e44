//! What a new connection speaks: TLS or not, HTTP/2 or not. Who speaks something else is told so, if they can be.

use std::{
    io::{self, ErrorKind},
    sync::atomic::{AtomicBool, Ordering},
};

use rustls::AlertDescription;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use wechaty_catalogue::{Args, Lang, text};

use super::{
    room::{Connection, Stage},
    stream::{PREFACE, Prefaced, Stream},
};
use crate::tls::Tls;

/// What a TLS handshake begins with.
const HANDSHAKE: u8 = 0x16;
/// How much of a request that is not answered is thrown away, so that the answer is not lost.
const DRAINED: usize = 64 << 10;

/// Greets connections; says once what goes wrong with many.
pub(super) struct Greeter {
    tls: Option<Tls>,
    told: [AtomicBool; 3],
}

/// A connection that speaks HTTP/2.
pub(super) struct Greeted {
    pub(super) stream: Prefaced,
    /// It should have come in TLS, and did not: its calls are refused with a reason.
    pub(super) bare: bool,
}

#[derive(Clone, Copy)]
enum Misfit {
    Bare,
    Encrypted,
    Distrusts,
}

impl Greeter {
    pub(super) fn new(tls: Option<Tls>) -> Self {
        Self { tls, told: Default::default() }
    }

    /// `None`: it was somebody else, or is gone. Waits as long as the client does.
    pub(super) async fn greet(&self, stream: TcpStream, place: &Connection) -> io::Result<Option<Greeted>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Ok(None);
        }
        place.reach(Stage::Greeting);
        let encrypted = first[0] == HANDSHAKE;
        let bare = self.tls.is_some() && !encrypted;
        let mut stream = match &self.tls {
            Some(tls) if encrypted => self.handshake(tls, stream).await?,
            None if encrypted => {
                self.tell(Misfit::Encrypted);
                return Ok(None);
            }
            _ => Stream::Plain(stream),
        };
        if bare {
            self.tell(Misfit::Bare);
        }
        match said(&mut stream).await? {
            Said::Http2 => {
                place.reach(Stage::Guest);
                Ok(Some(Greeted { stream: Prefaced::new(stream), bare }))
            }
            Said::Request => answer(&mut stream, self.tls.is_some()).await.map(|()| None),
            Said::Other => Ok(None),
        }
    }

    async fn handshake(&self, tls: &Tls, stream: TcpStream) -> io::Result<Stream> {
        let acceptor = TlsAcceptor::from(tls.config(stream.local_addr()?.ip()));
        match acceptor.accept(stream).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) => {
                use AlertDescription::{BadCertificate, CertificateUnknown, UnknownCA};
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
                if let Some(rustls::Error::AlertReceived(UnknownCA | BadCertificate | CertificateUnknown)) = cause {
                    self.tell(Misfit::Distrusts);
                }
                Err(error)
            }
        }
    }

    fn tell(&self, misfit: Misfit) {
        let known = self.told[misfit as usize].swap(true, Ordering::Relaxed);
        match misfit {
            _ if known => tracing::debug!("a client was turned away that speaks otherwise"),
            Misfit::Bare => tracing::warn!(
                "a client came without TLS to a port with TLS: Python, Go and Java can do no other, start with --no-tls for them"
            ),
            Misfit::Encrypted => tracing::warn!(
                "a client came with TLS to a port without: set WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT=true for it"
            ),
            Misfit::Distrusts => tracing::warn!(
                "a client does not trust the certificate here: give it the authority in WECHATY_PUPPET_SERVICE_TLS_CA_CERT"
            ),
        }
    }
}

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Http2,
    /// The begin of a request of HTTP/1.
    Request,
    Other,
}

/// Reads up to the end of the preface, or of what it has in common with it.
async fn said(stream: &mut Stream) -> io::Result<Said> {
    let mut head = [0; PREFACE.len()];
    let mut read = 0;
    while read < head.len() {
        let more = stream.read(&mut head[read..]).await?;
        read += more;
        if more == 0 || !PREFACE.starts_with(&head[..read]) {
            return Ok(other(&head[..read]));
        }
    }
    Ok(Said::Http2)
}

/// A method of HTTP is of capital letters.
fn other(head: &[u8]) -> Said {
    let method = head.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if method > 0 && head.get(method).is_none_or(|byte| *byte == b' ') { Said::Request } else { Said::Other }
}

/// Tells a browser or `curl` where it is.
async fn answer(stream: &mut Stream, tls: bool) -> io::Result<()> {
    let key = if tls { "gateway-speaks-grpc-tls" } else { "gateway-speaks-grpc" };
    let body: String = Lang::ALL.map(|lang| text(lang, key, &Args::new()) + "\n").concat();
    let head = format!(
        "HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
         x-content-type-options: nosniff\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &*body).as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4 << 10];
    for _ in 0..DRAINED / rest.len() {
        match stream.read(&mut rest).await {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            more => more?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_http_1_are_known_by_their_method() {
        for head in [&b"GET / HTTP/1.1\r\n"[..], b"POST /a", b"PUT", b"P", b"PRIME /"] {
            assert_eq!(other(head), Said::Request, "{head:?}");
        }
        for head in [&b""[..], b"PRI*", b"get /", b"\x16\x03\x01", b"SSH-2.0"] {
            assert_eq!(other(head), Said::Other, "{head:?}");
        }
    }
}
