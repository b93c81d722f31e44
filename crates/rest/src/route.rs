//! ROUTE: one line of the table: what an operation is called, takes, may answer, and who does it.

use axum::response::Response;
use futures_util::future::BoxFuture;

use crate::{Scope, call::Call, problem::Problem};

/// What a handler gives.
pub(crate) type Done = Result<Response, Problem>;
/// Does what is asked: one boxed future a request.
pub(crate) type Run = fn(Call) -> BoxFuture<'static, Done>;

/// The methods there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// JSON of the schema of this name.
    Json(&'static str),
    /// JSON, or nothing at all.
    MaybeJson(&'static str),
    /// Bytes, streamed.
    Bytes,
}

/// What a good answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// 204.
    Nothing,
    /// 200 with JSON of the schema of this name.
    Json(&'static str),
    /// The same, with 201.
    Created(&'static str),
    /// The same, with 202.
    Accepted(&'static str),
    /// A page of these: `{"items": […], "next": …}`, and `Link`.
    Page(&'static str),
    /// 200 with bytes of any type.
    Bytes,
    /// 200 with `text/event-stream`.
    #[allow(dead_code, reason = "event streams have their routes in `events`")]
    Events,
    /// 101: the protocol changes.
    #[allow(dead_code, reason = "event streams have their routes in `events`")]
    Switch,
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "only the document tells it"))]
    pub(crate) what: &'static str,
    pub(crate) kind: Kind,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A text of at most so many characters, and one at least.
    Text(usize),
    /// A whole number between two.
    Number(u64, u64),
    /// `true`, `false`.
    Flag,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// An operation.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) verb: Verb,
    /// Below `/api/v1`; `{name}` is one segment.
    pub(crate) path: &'static str,
    /// `operationId`.
    pub(crate) id: &'static str,
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "only the document tells it"))]
    pub(crate) summary: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) scope: Option<Scope>,
    /// Whether it is about one account: that of `/accounts/{account}/…`, or the only one.
    pub(crate) account: bool,
    /// Whether the account may be an outlet, such as a webhook.
    pub(crate) outlets: bool,
    pub(crate) query: &'static [Param],
    /// Whether it honours `Idempotency-Key`.
    pub(crate) idempotent: bool,
    /// Whether all it does is to send: what was begun is found again in the outbox.
    pub(crate) says: bool,
    pub(crate) takes: Takes,
    pub(crate) gives: Gives,
    /// Statuses it may answer beside those that every one may.
    pub(crate) refuses: &'static [u16],
    pub(crate) run: Run,
}

impl Route {
    const fn new(verb: Verb, path: &'static str, id: &'static str, summary: &'static str, run: Run) -> Self {
        Self {
            verb,
            path,
            id,
            summary,
            tag: "",
            scope: None,
            account: false,
            outlets: false,
            query: &[],
            idempotent: false,
            says: false,
            takes: Takes::Nothing,
            gives: Gives::Nothing,
            refuses: &[],
            run,
        }
    }
    pub(crate) const fn get(path: &'static str, id: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Verb::Get, path, id, summary, run)
    }
    pub(crate) const fn post(path: &'static str, id: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Verb::Post, path, id, summary, run)
    }
    pub(crate) const fn put(path: &'static str, id: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Verb::Put, path, id, summary, run)
    }
    pub(crate) const fn delete(path: &'static str, id: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Verb::Delete, path, id, summary, run)
    }

    /// Under which heading, and who may.
    pub(crate) const fn of(mut self, tag: &'static str, scope: Scope) -> Self {
        (self.tag, self.scope) = (tag, Some(scope));
        self
    }
    /// About one account.
    pub(crate) const fn of_account(mut self) -> Self {
        self.account = true;
        self
    }
    /// About one account, or a webhook.
    pub(crate) const fn of_sender(mut self) -> Self {
        (self.account, self.outlets) = (true, true);
        self
    }
    pub(crate) const fn query(mut self, query: &'static [Param]) -> Self {
        self.query = query;
        self
    }
    pub(crate) const fn takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }
    pub(crate) const fn gives(mut self, gives: Gives) -> Self {
        self.gives = gives;
        self
    }
    #[allow(dead_code, reason = "event streams have their routes in `events`")]
    pub(crate) const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refuses = statuses;
        self
    }
    /// Sends, and nothing else.
    pub(crate) const fn says(mut self) -> Self {
        (self.idempotent, self.says) = (true, true);
        self
    }
    pub(crate) const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}
