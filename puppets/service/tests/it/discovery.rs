//! Discovery by token, against a service on this machine.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wechaty_puppet::{Clock, Retry, Settings};
use wechaty_puppet_service::{Discovery, DiscoveryError, Options, ServicePuppet};
use wechaty_puppet_testkit::FakePlatform;

use crate::{
    gate::{Gate, TOKEN},
    stage::{Stage, told},
};

#[derive(Clone, Default)]
struct Directory {
    asked: Arc<Mutex<Vec<String>>>,
    count: Arc<AtomicUsize>,
}

impl Directory {
    /// Gives these answers one after the other, the last for ever; its address.
    async fn open(&self, answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = self.clone();
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = tcp.read(&mut request).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&request[..read]).into_owned();
                this.asked.lock().push(text.lines().next().unwrap_or_default().to_owned());
                let at = this.count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
                let _ = tcp.write_all(answers[at].as_bytes()).await;
            }
        });
        format!("http://{address}")
    }
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn puppet(authority: &str) -> Arc<ServicePuppet> {
    let settings =
        Settings::new().set("token", TOKEN).set("authority", authority).set("no_tls_insecure_client", "true");
    Arc::new(ServicePuppet::new(Options::read(&settings).unwrap()))
}

async fn gate() -> Gate {
    let platform = FakePlatform::builder().clock(Clock::system()).build();
    Gate::open(Arc::new(platform.puppet()), true, None).await
}

#[tokio::test]
async fn the_gateway_is_found_by_its_token_also_at_the_second_try() {
    let gate = gate().await;
    let body = format!(r#"{{"host":"127.0.0.1","port":{},"ip":"127.0.0.1"}}"#, gate.0.address.port());
    let directory = Directory::default();
    let authority = directory.open(vec![http("503 Busy", "no"), http("200 OK", &body)]).await;
    let stage = Stage::run(puppet(&authority));
    stage.logged_in().await;
    let asked = directory.asked.lock().clone();
    assert_eq!(asked, vec![format!("GET /v0/hosties/{TOKEN} HTTP/1.1"); 2]);
}

#[tokio::test]
async fn a_token_nobody_knows_is_asked_for_once_and_told() {
    let directory = Directory::default();
    let authority = directory.open(vec![http("404 Not Found", "")]).await;
    let error = Stage::run(puppet(&authority)).ended().await.unwrap_err();
    let words = told(&error);
    assert!(words.contains("WECHATY_PUPPET_SERVICE_ENDPOINT") && !words.contains(TOKEN), "{words}");
    assert_eq!((error.retry(), directory.asked.lock().len()), (Retry::Backoff, 1), "it may come later");
}

#[tokio::test]
async fn nonsense_is_tried_three_times_and_sends_nobody_elsewhere() {
    let elsewhere = Directory::default();
    let other = elsewhere.open(vec![http("200 OK", r#"{"host":"127.0.0.1","port":9}"#)]).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {other}/{TOKEN}\r\ncontent-length: 0\r\n\r\n");
    let long = http("200 OK", &" ".repeat(1 << 17));
    let directory = Directory::default();
    let authority = directory.open(vec![redirect, long, http("200 OK", "[]")]).await;
    let error = Stage::run(puppet(&authority)).ended().await.unwrap_err();
    let words = format!("{} {error:?}", told(&error));
    assert!(!words.contains(TOKEN), "{words}");
    assert_eq!(directory.asked.lock().len(), 3);
    assert!(elsewhere.asked.lock().is_empty(), "the token went to another host");
}

#[tokio::test]
async fn with_an_endpoint_nobody_is_asked() {
    let (gate, directory) = (gate().await, Directory::default());
    let authority = directory.open(vec![http("404 Not Found", "")]).await;
    let options = Options::read(&gate.settings().set("authority", authority)).unwrap();
    let stage = Stage::run(Arc::new(ServicePuppet::new(options)));
    stage.logged_in().await;
    assert!(directory.asked.lock().is_empty());
}

#[tokio::test]
async fn each_reason_for_no_address_is_its_own() {
    let ask = async |authority: &str| Discovery::parse(authority).expect("a host").ask(TOKEN).await;
    let directory = Directory::default();
    let body = r#"{"host":"gw.invalid","ip":"192.0.2.1","port":8788}"#;
    let answers = [
        http("200 OK", body),
        http("404 Not Found", ""),
        http("200 OK", r#"{"ip":"0.0.0.0","port":0}"#),
        http("503 Busy", ""),
        http("200 OK", "[]"),
    ];
    let authority = directory.open(answers.into()).await;
    let found = ask(&authority).await.expect("an address");
    assert_eq!((found.host.as_deref(), found.ip.as_deref(), found.port), (Some("gw.invalid"), Some("192.0.2.1"), 8788));
    for _ in 0..2 {
        assert!(matches!(ask(&authority).await, Err(DiscoveryError::Unknown { .. })));
    }
    assert!(matches!(ask(&authority).await, Err(DiscoveryError::Down(_))));
    assert!(matches!(ask(&authority).await, Err(DiscoveryError::Answer(_))));
    assert_eq!(directory.asked.lock().len(), 5, "each was asked once");
    let plain = authority.strip_prefix("http://").expect("its scheme");
    let error = ask(plain).await.expect_err("it speaks no TLS");
    assert!(matches!(error, DiscoveryError::Tls(_)), "{error:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = ask(&format!("http://{nobody}")).await.expect_err("nobody is there");
    assert!(matches!(error, DiscoveryError::Down(_)) && !format!("{error:?} {error}").contains(TOKEN), "{error:?}");
}
