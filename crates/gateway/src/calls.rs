//! CALLS: every gRPC call there is, on its way from the door to the service that answers it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower_service::Service as TowerService;
use wechaty_grpc::{LARGEST_MESSAGE, rpc::server::unknown};
use wechaty_puppet::{CancellationToken, Clock};

use crate::{health::Health, service::Service, tenant::Tenant};

/// What stands behind [`Auth`](crate::auth::Auth): the puppet service of all tenants, in the order of their tokens, and
/// their health.
#[derive(Clone)]
pub struct Calls {
    puppet: Service,
    health: Health,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

/// Go uploads in pieces of 4,000,000 bytes, and clients send as large as they take.
const LARGEST: usize = LARGEST_MESSAGE + (64 << 10);

impl Calls {
    /// Answers for these, until `stop` is cancelled.
    pub fn new(tenants: impl Into<Arc<[Arc<Tenant>]>>, clock: &Clock, stop: &CancellationToken) -> Self {
        let tenants = tenants.into();
        let beats = tenants.iter().map(|tenant| tenant.feed.beat().clone());
        Self { health: Health::new(beats, clock.clone(), stop.clone()), puppet: Service::new(tenants) }
    }
}

/// What is larger than a call may be is OUT_OF_RANGE to this library, and RESOURCE_EXHAUSTED to all others.
fn too_large_as_everywhere(mut answer: Response<Body>) -> Response<Body> {
    const STATUS: &str = "grpc-status";
    if answer.headers().get(STATUS).is_some_and(|code| code == "11") {
        answer.headers_mut().insert(STATUS, http::HeaderValue::from_static("8"));
    }
    answer
}

impl<B> TowerService<Request<B>> for Calls
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    B::Data: Send,
{
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        let (call, largest) = if let Some(name) = path.strip_prefix("/wechaty.Puppet/") {
            (self.puppet.find(name), LARGEST)
        } else if let Some(name) = path.strip_prefix("/grpc.health.v1.Health/") {
            (self.health.find(name), LARGEST_MESSAGE)
        } else {
            let unknown =
                Status::unimplemented("there is no such service here: wechaty.Puppet and grpc.health.v1.Health are");
            return std::future::ready(Ok(unknown.into_http())).boxed();
        };
        let Some(call) = call else { return std::future::ready(Ok(unknown())).boxed() };
        async move { Ok(too_large_as_everywhere(call.answer(request, largest).await)) }.boxed()
    }
}
