//! SERVICE: the calls of the puppet service, each answered for the account its token names.

mod contact;
mod file;
mod life;
mod message;
mod room;
mod send;

use std::{pin::Pin, sync::Arc};

use futures_util::{FutureExt, Stream, future::BoxFuture};
use tonic::{Request, Status};
use wechaty_grpc::{
    Dialect, pb, puppet_calls,
    rpc::{
        AnyMessage, AnyMessages, Streaming, read,
        server::{Call, Handler},
    },
};
use wechaty_puppet::Bytes;

use crate::{auth::Caller, listen::Connection, tenant::Tenant};

/// The puppet service of all tenants.
#[derive(Clone)]
pub(crate) struct Service {
    tenants: Arc<[Arc<Tenant>]>,
}

tokio::task_local! {
    /// Of the call under way: few want to know.
    static CONNECTION: Option<Connection>;
}

/// On which the call under way came.
fn connection() -> Option<Connection> {
    CONNECTION.try_with(Clone::clone).ok().flatten()
}

/// Sequence numbers of events that our client has, by commas.
const ACKNOWLEDGED: &str = "wechaty-ack";
/// So many numbers a call.
const MOST_NUMBERS: usize = 512;

impl Service {
    pub(crate) fn new(tenants: Arc<[Arc<Tenant>]>) -> Self {
        Self { tenants }
    }

    /// Who is served, and what client it is.
    fn caller<T>(&self, request: &Request<T>) -> Result<(&Arc<Tenant>, Dialect), Status> {
        // Nobody comes here past the door.
        let stranger = || Status::unauthenticated("No Authorization found.");
        let caller = request.extensions().get::<Caller>().ok_or_else(stranger)?;
        let tenant = self.tenants.get(caller.tenant).ok_or_else(stranger)?;
        if let Some(numbers) = request.metadata().get(ACKNOWLEDGED).and_then(|numbers| numbers.to_str().ok()) {
            let numbers = numbers.split(',').take(MOST_NUMBERS).filter_map(|number| number.trim().parse().ok());
            tenant.feed.acknowledged(numbers);
        }
        tenant.feed.heard(request.extensions().get());
        Ok((tenant, caller.dialect))
    }
}

/// What a stream of the service is.
type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What is under way to an answer.
type Answering<A> = Result<BoxFuture<'static, Result<A, Status>>, Status>;

/// Answers one call for a tenant, by what goes which way.
enum Answers {
    Unary(fn(Arc<Tenant>, Bytes, Dialect) -> Answering<AnyMessage>),
    Down(fn(Arc<Tenant>, Bytes, Dialect, Option<Connection>) -> Answering<AnyMessages>),
    Up(fn(Arc<Tenant>, tonic::Streaming<Bytes>) -> Answering<AnyMessage>),
}

macro_rules! serve {
    (
        $service:literal
        unary { $($unary:literal $method:ident($request:ident) -> $response:ident;)* }
        down { $($down:literal $down_method:ident($down_request:ident) -> $down_response:ident;)* }
        up { $($up:literal $up_method:ident($up_request:ident) -> $up_response:ident;)* }
    ) => {
        impl Answers {
            /// `None`: there is no call of this name.
            fn find(name: &str) -> Option<Self> {
                Some(match name {
                    $($unary => Self::Unary(|tenant, request, dialect| {
                        let request: pb::$request = read(request)?;
                        Ok(async move { Ok(AnyMessage::new::<pb::$response>(tenant.$method(request, dialect).await?)) }.boxed())
                    }),)*
                    $($down => Self::Down(|tenant, request, dialect, connection| {
                        let request: pb::$down_request = read(request)?;
                        Ok(async move {
                            let stream = tenant.$down_method(request, dialect, connection).await?;
                            Ok(AnyMessages::new::<pb::$down_response>(stream))
                        }
                        .boxed())
                    }),)*
                    $($up => Self::Up(|tenant, requests| {
                        let requests = Streaming::<pb::$up_request>::new(requests);
                        Ok(async move { Ok(AnyMessage::new::<pb::$up_response>(tenant.$up_method(requests).await?)) }.boxed())
                    }),)*
                    _ => return None,
                })
            }
        }
    };
}

puppet_calls!(serve);

impl Service {
    /// What answers the call of this name; `None`: there is none.
    pub(crate) fn find(&self, name: &str) -> Option<Call> {
        Some(match Answers::find(name)? {
            Answers::Unary(answer) => {
                Call::Unary(self.handler(move |request, tenant, dialect| answer(tenant, request.into_inner(), dialect)))
            }
            Answers::Down(answer) => Call::Down(self.handler(move |mut request, tenant, dialect| {
                let connection = request.extensions_mut().remove();
                answer(tenant, request.into_inner(), dialect, connection)
            })),
            Answers::Up(answer) => {
                Call::Up(self.handler(move |request, tenant, _| answer(tenant, request.into_inner())))
            }
        })
    }

    fn handler<Q: 'static, A: Send + 'static>(
        &self,
        answer: impl Fn(Request<Q>, Arc<Tenant>, Dialect) -> Answering<A> + Send + 'static,
    ) -> Handler<Q, A> {
        let service = self.clone();
        Box::new(move |request| {
            let on = request.extensions().get().cloned();
            let answering = service.caller(&request).map(|(tenant, dialect)| (tenant.clone(), dialect));
            match answering.and_then(|(tenant, dialect)| answer(request, tenant, dialect)) {
                Ok(answering) => CONNECTION.scope(on, answering).boxed(),
                Err(status) => std::future::ready(Err(status)).boxed(),
            }
        })
    }
}
