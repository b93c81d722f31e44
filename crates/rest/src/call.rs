//! CALL: a request that has passed the door: who asks, for what, of which account. Handlers get it.

use axum::{
    body::Body,
    http::{StatusCode, request::Parts},
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wechaty::{Account, Bot};
use wechaty_catalogue::Lang;

use crate::{auth::Caller, idempotency::Told, problem::Problem, rest::Rest, route::Route};

/// A checked request.
pub(crate) struct Call {
    pub(crate) rest: Rest,
    pub(crate) route: &'static Route,
    pub(crate) caller: Caller,
    pub(crate) lang: Lang,
    /// Values of the path, by name.
    pub(crate) path: Vec<(&'static str, String)>,
    /// Values of the query that the route knows, by name.
    pub(crate) query: Vec<(&'static str, String)>,
    /// The account it is about, where the route is about one.
    pub(crate) account: Option<Account>,
    /// Whether the address named it.
    pub(crate) named_account: bool,
    /// The body of a route that takes JSON, fitting its schema.
    pub(crate) json: Option<Value>,
    /// What its `Idempotency-Key` says about its sends.
    pub(crate) told: Told,
    /// Head of the request.
    pub(crate) parts: Parts,
    /// The body of a route that takes bytes, unread. The lock is for the compiler: a body cannot be shared.
    pub(crate) body: Mutex<Body>,
}

impl Call {
    pub(crate) fn bot(&self) -> &Bot {
        self.rest.bot()
    }

    /// The account; every route that is [about one](Route::account) has it.
    pub(crate) fn account(&self) -> Result<&Account, Problem> {
        self.account.as_ref().ok_or_else(|| Problem::internal("the route is about no account"))
    }

    /// A value of the path; empty where the route has none of the name.
    pub(crate) fn at(&self, name: &str) -> &str {
        find(&self.path, name).unwrap_or_default()
    }

    /// A value of the query.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// A number of the query; the dispatcher has looked at it.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.asked(name)?.parse().ok()
    }

    /// The body as what the route takes.
    ///
    /// # Errors
    /// 422: the schema allows what the type does not.
    pub(crate) fn read<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        serde_json::from_value(self.json.take().unwrap_or_default())
            .map_err(|error| Problem::invalid("", &error.to_string()))
    }

    /// The body of a route that may go without one.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn read_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, Problem> {
        if self.json.is_some() { self.read() } else { Ok(T::default()) }
    }

    /// # Errors
    /// 403: the token is for some accounts only, and this is about all of them.
    pub(crate) fn whole_bot(&self) -> Result<(), Problem> {
        match self.caller.accounts {
            None => Ok(()),
            Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "W525", "rest-all-accounts")),
        }
    }
}

fn find<'a>(all: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    all.iter().find(|(one, _)| *one == name).map(|(_, value)| value.as_str())
}
