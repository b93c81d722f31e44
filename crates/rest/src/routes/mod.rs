//! ROUTES: the resources, one file each: its routes and who does them.

pub(crate) mod accounts;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod dead_letters;
pub(crate) mod files;
pub(crate) mod friendships;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod own;
pub(crate) mod posts;
pub(crate) mod rooms;
pub(crate) mod sends;
pub(crate) mod tags;
pub(crate) mod tickets;

use futures_util::future::BoxFuture;

use crate::{call::Call, route::Done};

/// What a handler is, once it is boxed.
pub(crate) type Doing = BoxFuture<'static, Done>;

/// Boxes a handler: the table holds plain functions.
macro_rules! does {
    ($($name:ident = $body:expr;)*) => {$(
        fn $name(call: $crate::call::Call) -> $crate::routes::Doing {
            Box::pin($body(call))
        }
    )*};
}
pub(crate) use does;

/// Where something is that was made: below this door.
pub(crate) fn location(call: &Call, path: &str) -> Option<axum::http::HeaderValue> {
    let account = match (&call.named_account, &call.account) {
        (true, Some(account)) => format!("/accounts/{}", crate::dispatch::encoded(account.id().as_str())),
        _ => String::new(),
    };
    axum::http::HeaderValue::try_from(format!("/api/v1{account}{path}")).ok()
}
