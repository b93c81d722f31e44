//! Many who do not get to the point: bounded, for a bounded time, and in nobody's way.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;
use wechaty_grpc::{PuppetClient, pb::DingRequest};

use crate::door::{Gateway, TOKEN, Wish, with_token};

/// Half-open connections. Both ends are in this process.
fn many() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(20_000);
    2000.min(usize::try_from(files).unwrap() / 2)
}

#[tokio::test]
async fn two_thousand_half_open_connections_cost_little_and_keep_nobody_out() {
    let gateway = Gateway::open(Wish { tls: true, connections: Some(64), ..Wish::default() }).await;
    let mut crowd = Vec::new();
    for at in 0..many() {
        let mut socket = gateway.socket().await;
        match at % 3 {
            // Says nothing.
            0 => {}
            // Begins a handshake.
            1 => socket.write_all(&[0x16, 3, 1]).await.unwrap(),
            // Begins HTTP/2 where it should not.
            _ => socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap(),
        }
        crowd.push(socket);
        assert!(gateway.listening.connections().strangers() <= 16);
    }
    let mut first = crowd.swap_remove(0);
    assert!(matches!(first.read(&mut [0; 8]).await, Ok(0) | Err(_)), "who came first is let go");
    let channel = gateway.encrypted("insecure").await.unwrap();
    PuppetClient::new(channel).ding(with_token(DingRequest::default(), TOKEN)).await.unwrap();
    let connections = gateway.listening.connections();
    assert!(connections.members() == 1 && connections.strangers() <= 16, "{connections:?}");
    drop(crowd);
}

#[tokio::test]
async fn who_takes_too_long_to_say_what_it_speaks_is_let_go() {
    for tls in [false, true] {
        let gateway = Gateway::open(Wish { tls, ..Wish::default() }).await;
        let mut sockets: Vec<TcpStream> = Vec::new();
        for said in [&b""[..], &[0x16, 3, 1], b"PRI * HT", b"P"] {
            let mut socket = gateway.socket().await;
            socket.write_all(said).await.unwrap();
            sockets.push(socket);
        }
        if !tls {
            // Who speaks what nobody asked for is let go at once.
            assert!(matches!(sockets[1].read(&mut [0; 8]).await, Ok(0) | Err(_)));
        }
        // Until they have been accepted.
        while gateway.time.sleepers() < if tls { 4 } else { 3 } {
            tokio::task::yield_now().await;
        }
        gateway.time.advance(Duration::from_secs(10)).await;
        for mut socket in sockets {
            assert!(matches!(socket.read(&mut [0; 8]).await, Ok(0) | Err(_)));
        }
        assert_eq!(gateway.listening.connections().strangers(), 0);
    }
}

#[tokio::test]
async fn a_guest_can_be_driven_out_and_a_member_cannot() {
    let gateway = Gateway::open(Wish { connections: Some(16), ..Wish::default() }).await;
    let member = PuppetClient::new(gateway.plain(None).await);
    member.ding(with_token(DingRequest::default(), TOKEN)).await.unwrap();
    let mut guests = Vec::new();
    for _ in 0..20 {
        let guest = PuppetClient::new(gateway.plain(None).await);
        let refused = guest.ding(with_token(DingRequest::default(), "insecure_wrong")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        guests.push(guest);
    }
    assert!(gateway.listening.connections().strangers() <= 4);
    member.ding(with_token(DingRequest::default(), TOKEN)).await.unwrap();
    assert_eq!(gateway.listening.connections().members(), 1);
}

#[tokio::test]
async fn a_member_too_many_is_told_to_come_later() {
    let gateway = Gateway::open(Wish { connections: Some(5), ..Wish::default() }).await;
    let mut members = Vec::new();
    for _ in 0..2 {
        let member = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
        member.ding(DingRequest::default()).await.unwrap();
        members.push(member);
    }
    let late = PuppetClient::new(gateway.plain(Some(TOKEN)).await);
    let refused = late.ding(DingRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    members.pop();
    while gateway.listening.connections().members() > 1 {
        tokio::task::yield_now().await;
    }
    late.ding(DingRequest::default()).await.unwrap();
}
