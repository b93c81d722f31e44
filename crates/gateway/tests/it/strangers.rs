//! Who speaks something else than the port does.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::door::{Gateway, TOKEN, Wish, bare};

const ENCRYPTED: Wish = Wish { tls: true, anonymous: false, connections: None, clients: None };
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

async fn encrypted(gateway: &Gateway, protocols: &[&str]) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(gateway.ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("puppet_padlocal").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, gateway.socket().await).await
}

#[tokio::test]
async fn a_request_of_http_1_is_told_what_the_port_speaks() {
    for tls in [false, true] {
        let gateway = Gateway::open(Wish { tls, ..Wish::default() }).await;
        let mut socket = gateway.socket().await;
        socket.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 505 ") && answer.contains("speaks gRPC"), "{answer}");
        assert!(
            answer.contains("没有网页") && answer.contains(if tls { "with TLS" } else { "without TLS" }),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_request_of_http_1_in_tls_is_told_too_and_http_2_is_taken_first() {
    let gateway = Gateway::open(ENCRYPTED).await;
    for protocols in [&[][..], &["http/1.1"]] {
        let mut stream = encrypted(&gateway, protocols).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 505");
    }
    let stream = encrypted(&gateway, &["http/1.1", "h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(encrypted(&gateway, &["spdy"]).await.is_err());
}

#[tokio::test]
async fn a_call_without_tls_to_a_port_with_tls_is_told_why_it_fails() {
    let gateway = Gateway::open(ENCRYPTED).await;
    let answer = bare(gateway.socket().await, &format!("http://{TOKEN}/wechaty.Puppet/Ding"), &[]).await;
    assert!(answer.contains("\"grpc-status\": \"9\"") && answer.contains("--no-tls"), "{answer}");
}

#[tokio::test]
async fn tls_and_noise_on_a_port_without_are_closed() {
    let gateway = Gateway::open(Wish::default()).await;
    assert!(encrypted(&gateway, &["h2"]).await.is_err());
    for noise in [&b"SSH-2.0-x\r\n"[..], b"\0\0\0\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"] {
        let mut socket = gateway.socket().await;
        socket.write_all(noise).await.unwrap();
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{noise:?}");
    }
}

#[tokio::test]
async fn a_probe_that_only_connects_is_no_fault() {
    let gateway = Gateway::open(ENCRYPTED).await;
    let mut socket = gateway.socket().await;
    socket.shutdown().await.unwrap();
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn heads_without_end_are_refused() {
    let gateway = Gateway::open(Wish::default()).await;
    for (large, refused) in [(10, "Ok(200)"), (20 << 10, "Ok(431)"), (10 << 20, "Err")] {
        let stream = TokioIo::new(gateway.socket().await);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::post(format!("http://{TOKEN}/wechaty.Puppet/Ding"));
        let request = (0..large)
            .step_by(10 << 10)
            .fold(request, |request, _| request.header("x-large", "x".repeat(large.min(10 << 10))));
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await;
        let answer = format!("{:?}", answer.map(|answer| answer.status().as_u16()));
        assert!(answer.starts_with(refused), "{large}: {answer}");
    }
}
