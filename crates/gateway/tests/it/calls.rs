//! Calls of real clients, over TLS and without.

use tonic::{Code, Request, Status, transport::Channel};
use wechaty_grpc::{
    HealthClient, PuppetClient,
    health::{HealthCheckRequest, health_check_response::ServingStatus},
    pb::{DingRequest, DingResponse},
};

use crate::door::{Gateway, SECOND, TOKEN, Wish, bare, with_token};

const ENCRYPTED: Wish = Wish { tls: true, anonymous: false, connections: None, clients: None };

/// The tenant that the call was taken for.
fn tenant(answer: Result<tonic::Response<DingResponse>, Status>) -> Result<String, Code> {
    answer
        .map(|answer| answer.metadata().get("tenant").unwrap().to_str().unwrap().to_owned())
        .map_err(|status| status.code())
}

async fn ding(channel: Channel, token: Option<&str>) -> Result<String, Code> {
    let message = DingRequest { data: "ding".into() };
    let request = token.map_or_else(|| Request::new(message.clone()), |token| with_token(message.clone(), token));
    tenant(PuppetClient::new(channel).ding(request).await)
}

#[tokio::test]
async fn a_client_that_knows_the_authority_calls_over_tls_under_the_name_of_its_token() {
    let gateway = Gateway::open(ENCRYPTED).await;
    for (name, token, tenant) in [
        ("insecure", TOKEN, "0"),
        ("puppet_padlocal", SECOND, "1"),
        ("localhost", TOKEN, "0"),
        ("127.0.0.1", TOKEN, "0"),
    ] {
        let channel = gateway.encrypted(name).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(ding(channel.clone(), Some(token)).await, Ok(tenant.to_owned()), "{name}");
        assert_eq!(ding(channel, Some("insecure_wrong")).await, Err(Code::Unauthenticated), "{name}");
    }
    let other = Gateway::open(ENCRYPTED).await;
    let stranger = Gateway { ca: other.ca.clone(), ..gateway };
    assert!(stranger.encrypted("insecure").await.is_err(), "another host's authority is none for this one");
}

#[tokio::test]
async fn a_token_as_authority_is_taken_without_tls() {
    let gateway = Gateway::open(Wish::default()).await;
    assert_eq!(ding(gateway.plain(Some(TOKEN)).await, None).await, Ok("0".to_owned()));
    assert_eq!(ding(gateway.plain(Some(SECOND)).await, None).await, Ok("1".to_owned()));
    assert_eq!(ding(gateway.plain(None).await, None).await, Err(Code::Unauthenticated));
    let answer = bare(gateway.socket().await, &format!("http://{SECOND}/wechaty.Puppet/Ding"), &[]).await;
    assert!(answer.contains("\"tenant\": \"1\""), "{answer}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_the_service_sees_the_call() {
    for anonymous in [false, true] {
        let gateway = Gateway::open(Wish { anonymous, ..Wish::default() }).await;
        let wrong = ding(gateway.plain(Some("insecure_wrong")).await, None).await;
        assert_eq!(wrong, Err(Code::Unauthenticated));
        assert_eq!(ding(gateway.plain(Some(TOKEN)).await, Some("insecure_wrong")).await, Err(Code::Unauthenticated));
        let none = ding(gateway.plain(None).await, None).await;
        assert_eq!(none, if anonymous { Ok("0".to_owned()) } else { Err(Code::Unauthenticated) });
        assert_eq!(gateway.listening.connections().members(), usize::from(anonymous));
    }
}

#[tokio::test]
async fn the_dialect_of_a_client_is_known() {
    let gateway = Gateway::open(Wish::default()).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", gateway.address)).unwrap();
    let channel = endpoint.user_agent("grpc-go/1.45.0").unwrap().connect().await.unwrap();
    let request = with_token(DingRequest::default(), TOKEN);
    let answer = PuppetClient::new(channel).ding(request).await.unwrap();
    assert_eq!(answer.metadata().get("dialect").unwrap(), "Go");
}

#[tokio::test]
async fn everybody_may_ask_for_health_by_any_name() {
    let gateway = Gateway::open(ENCRYPTED).await;
    let client = HealthClient::new(gateway.encrypted("insecure").await.unwrap());
    for service in ["", "wechaty.Puppet", "grpc.health.v1.Health", "no.such.Service"] {
        let answer = client.check(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::ServiceUnknown, "{service}");
    }
    gateway.beats[1].beat();
    let mut watched = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let request = with_token(HealthCheckRequest::default(), TOKEN);
    assert_eq!(client.check(request).await.unwrap().into_inner().status(), ServingStatus::ServiceUnknown);
    let any = HealthCheckRequest { service: "no.such.Service".into() };
    assert_eq!(client.check(any.clone()).await.unwrap().into_inner().status(), ServingStatus::Serving);
    let mut watched = client.watch(any).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
}
