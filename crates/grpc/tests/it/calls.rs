//! The client and the server of all calls understand each other, without a network between them.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{Service, http},
};
use wechaty_grpc::{
    HealthClient, PuppetClient,
    health::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus},
    pb::{DingRequest, EventRequest, EventResponse, UploadRequest, UploadResponse},
    rpc::{
        AnyMessage, AnyMessages, Streaming, read,
        server::{Call, unknown},
    },
};

const LARGEST: usize = 1000;

/// Answers a call or two of each kind.
#[derive(Clone)]
struct Doctor;

impl Doctor {
    fn find(path: &str) -> Option<Call> {
        Some(match path {
            "/grpc.health.v1.Health/Check" => Call::Unary(Box::new(|request| {
                let answer =
                    read::<HealthCheckRequest>(request.into_inner()).and_then(|request| match &*request.service {
                        "" => Ok(AnyMessage::new(HealthCheckResponse { status: ServingStatus::Serving.into() })),
                        _ => Err(Status::not_found("nobody of that name")),
                    });
                std::future::ready(answer).boxed()
            })),
            "/grpc.health.v1.Health/Watch" => Call::Down(Box::new(|_| {
                let statuses = [ServingStatus::ServiceUnknown, ServingStatus::Serving];
                let told = statuses.map(|status| Ok(HealthCheckResponse { status: status.into() }));
                std::future::ready(Ok(AnyMessages::new(stream::iter(told)))).boxed()
            })),
            // What is no message of the other side.
            "/wechaty.Puppet/Ding" => Call::Unary(Box::new(|_| {
                std::future::ready(Ok(AnyMessage::new(HealthCheckRequest { service: "x".repeat(LARGEST) }))).boxed()
            })),
            "/wechaty.Puppet/Event" => Call::Down(Box::new(|_| {
                let first = Ok(EventResponse { r#type: 2, payload: "{}".into() });
                let events = stream::iter([first, Err(Status::unavailable("the gateway stops"))]);
                std::future::ready(Ok(AnyMessages::new(events))).boxed()
            })),
            "/wechaty.Puppet/Upload" => Call::Up(Box::new(|request| {
                async move {
                    let mut pieces = Streaming::<UploadRequest>::new(request.into_inner());
                    let mut id = String::new();
                    while let Some(piece) = pieces.message().await? {
                        id.push_str(std::str::from_utf8(&piece.chunk).unwrap());
                    }
                    Ok(AnyMessage::new(UploadResponse { id }))
                }
                .boxed()
            })),
            _ => return None,
        })
    }
}

impl Service<http::Request<Body>> for Doctor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = Self::find(request.uri().path());
        async move {
            Ok(match call {
                Some(call) => call.answer(request, LARGEST).await,
                None => unknown(),
            })
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_call_a_failure_and_a_stream_arrive() {
    let client = HealthClient::new(Doctor);
    let answer = client.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    let error = client.check(HealthCheckRequest { service: "x".into() }).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "nobody of that name"));
    let stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let told: Vec<_> = stream.map(|status| status.unwrap().status()).collect().await;
    assert_eq!(told, [ServingStatus::ServiceUnknown, ServingStatus::Serving]);
}

#[tokio::test]
async fn pieces_go_up_and_a_stream_ends_with_its_status() {
    let client = PuppetClient::new(Doctor);
    let pieces = ["a", "", "bc"].map(|piece| UploadRequest { chunk: piece.into() });
    assert_eq!(client.upload(stream::iter(pieces)).await.unwrap().into_inner().id, "abc");
    let mut events = client.event(EventRequest {}).await.unwrap().into_inner();
    assert_eq!(events.message().await.unwrap().unwrap().payload, "{}");
    let end = events.message().await.unwrap_err();
    assert_eq!((end.code(), end.message()), (Code::Unavailable, "the gateway stops"));
    assert!(events.message().await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_unknown_broken_or_too_large_has_its_code() {
    let client = PuppetClient::new(Doctor);
    let error = client.start(wechaty_grpc::pb::StartRequest {}).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unimplemented, ""));
    let error = client.ding(DingRequest::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{error}");
    let check = HealthCheckRequest { service: "x".repeat(LARGEST) };
    let error = HealthClient::new(Doctor).check(check).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{error}");
    let error = read::<EventRequest>(vec![0xff; 3].into()).unwrap_err();
    assert_eq!(error.code(), Code::Internal, "{error}");
}
