//! How connections and the listener end.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tonic::Code;
use wechaty_grpc::{
    PuppetClient,
    pb::{DingRequest, EventRequest, VersionRequest},
};

use crate::door::{Gateway, SECOND, TOKEN, Wish, with_token};

#[tokio::test]
async fn a_stop_waits_for_calls_under_way() {
    let gateway = Gateway::open(Wish { tls: true, ..Wish::default() }).await;
    let client = PuppetClient::new(gateway.encrypted("insecure").await.unwrap());
    let (go, address) = (gateway.go.clone(), gateway.address);
    let mut events = client.event(with_token(EventRequest {}, TOKEN)).await.unwrap().into_inner();
    events.message().await.unwrap();
    let stopped = tokio::spawn(gateway.listening.stop());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopped.is_finished());
    go.notify_waiters();
    assert_eq!(events.message().await.unwrap_err().message(), "the gateway stops");
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let gateway = Gateway::open(Wish::default()).await;
    let client = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    let mut events = client.event(EventRequest {}).await.unwrap().into_inner();
    events.message().await.unwrap();
    let stopped = tokio::spawn(gateway.listening.stop());
    while gateway.time.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    gateway.time.advance(Duration::from_secs(5)).await;
    stopped.await.unwrap();
    assert!(events.message().await.is_err());
}

#[tokio::test]
async fn a_stop_lets_strangers_go_at_once() {
    let gateway = Gateway::open(Wish { tls: true, ..Wish::default() }).await;
    let mut socket = gateway.socket().await;
    while gateway.listening.connections().strangers() == 0 {
        tokio::task::yield_now().await;
    }
    gateway.listening.stop().await;
    assert!(matches!(socket.read(&mut [0; 8]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_stream_can_end_with_an_error_and_its_connection_with_it() {
    let gateway = Gateway::open(Wish::default()).await;
    let client = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    let other = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    other.ding(DingRequest::default()).await.unwrap();
    let mut events = client.event(EventRequest {}).await.unwrap().into_inner();
    events.message().await.unwrap();
    assert_eq!(gateway.listening.connections().members(), 2);
    gateway.go.notify_waiters();
    assert_eq!(events.message().await.unwrap_err().code(), Code::Unavailable);
    while gateway.listening.connections().members() > 1 {
        tokio::task::yield_now().await;
    }
    other.ding(DingRequest::default()).await.unwrap();
}

#[tokio::test]
async fn the_connections_of_one_tenant_can_be_closed() {
    let gateway = Gateway::open(Wish::default()).await;
    let first = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    let second = PuppetClient::new(gateway.plain(Some(SECOND)).await);
    for client in [&first, &second] {
        client.ding(DingRequest::default()).await.unwrap();
    }
    gateway.listening.connections().close_tenant(0);
    while gateway.listening.connections().members() > 1 {
        tokio::task::yield_now().await;
    }
    gateway.listening.connections().close_tenant(0);
    second.ding(DingRequest::default()).await.unwrap();
    first.ding(DingRequest::default()).await.unwrap();
    assert_eq!(gateway.listening.connections().members(), 2, "it came again");
}

#[tokio::test]
async fn a_call_that_waits_when_its_connection_is_closed_has_the_time_to_drain() {
    let gateway = Gateway::open(Wish::default()).await;
    let client = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.version(VersionRequest {}).await });
    while gateway.listening.connections().members() == 0 {
        tokio::task::yield_now().await;
    }
    gateway.listening.connections().close_tenant(0);
    client.ding(DingRequest::default()).await.unwrap();
    gateway.go.notify_waiters();
    assert_eq!(call.await.unwrap().unwrap().into_inner().version, "1");
}
