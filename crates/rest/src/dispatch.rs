//! DISPATCH: from a request to its route, and through every check on the way: who asks, how fast, for which account, with what.

use std::panic::AssertUnwindSafe;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use wechaty::Account;
use wechaty_catalogue::Lang;

use crate::{
    auth::Caller,
    call::Call,
    check,
    fault::too_large,
    find::{self, Found},
    idempotency::{self, Told},
    limit::Left,
    page_html,
    problem::Problem,
    query,
    rest::Rest,
    route::{Done, Gives, Route, Takes},
};

/// The largest body of JSON in bytes.
const LARGEST: usize = 2 << 20;
/// The longest value in a path, in characters.
const LONGEST_VALUE: usize = 1_024;

/// What is below `/api`.
pub(crate) fn routes(rest: &Rest) -> Router {
    Router::new().fallback(answer).with_state(rest.clone())
}

/// `/openapi.json`.
pub(crate) fn document() -> Router {
    Router::new().fallback(async |request: Request| {
        let lang = lang(request.headers());
        match *request.method() {
            Method::GET | Method::HEAD => page_html::document(),
            _ => method(&["GET"]).response(lang),
        }
    })
}

/// A text as one segment of a path.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn lang(headers: &HeaderMap) -> Lang {
    let accepts = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Lang::of_accept_language(accepts.unwrap_or_default())
}

async fn answer(State(rest): State<Rest>, request: Request) -> Response {
    let (lang, is_head) = (lang(request.headers()), request.method() == Method::HEAD);
    let mut left = None;
    let done = AssertUnwindSafe(dispatch(rest, lang, request, &mut left)).catch_unwind().await;
    let done = done.unwrap_or_else(|_| Err(Problem::internal("what does it has panicked")));
    let mut response = done.unwrap_or_else(|problem| {
        if problem.status.is_server_error() {
            tracing::warn!(status = %problem.status, problem = %problem.json(Lang::En), "a request failed");
        }
        problem.response(lang)
    });
    if is_head {
        // A whole file is not read for nobody.
        let body = std::mem::take(response.body_mut());
        let size = http_body::Body::size_hint(&body).exact();
        let headers = response.headers_mut();
        if let (Some(size), false) = (size, headers.contains_key(header::CONTENT_LENGTH)) {
            headers.insert(header::CONTENT_LENGTH, size.into());
        }
    }
    let headers = response.headers_mut();
    if let Some(left) = left {
        left.tell(headers);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn dispatch(rest: Rest, lang: Lang, request: Request, left: &mut Option<Left>) -> Done {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if matches!(path, "" | "/") {
        let looks = matches!(parts.method, Method::GET | Method::HEAD);
        return if looks { Ok(page_html::page()) } else { Err(method(&["GET"])) };
    }
    let nothing = || Problem::new(StatusCode::NOT_FOUND, "W404", "http-nothing");
    let path = path.strip_prefix("/v1").ok_or_else(nothing)?;
    let Found { route, path, named } = match find::find(path, &parts.method) {
        Ok(found) => found,
        Err(allowed) if allowed.is_empty() => return Err(nothing()),
        Err(allowed) => return Err(method(&allowed)),
    };
    let caller = caller(&rest, route, &parts)?;
    *left = Some(rest.limit().take(caller.number, rest.bot().clock().now())?);
    if let Some(scope) = route.scope.filter(|scope| !caller.scopes.has(*scope)) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "W502", "rest-scope")
            .set("scope", scope.as_str())
            .with("scope", scope.as_str())
            .header(
                header::WWW_AUTHENTICATE,
                &format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope.as_str()),
            ));
    }
    let path = values(path)?;
    let query = query::read(route, parts.uri.query().unwrap_or_default())?;
    let account = match route.account {
        true => match outlet(&rest, route, &caller, named.as_deref()) {
            Some(outlet) => Some(outlet),
            None => Some(account(&rest, &caller, named.as_deref())?),
        },
        false => None,
    };
    let (json, body) = match route.takes {
        Takes::Json(schema) => (Some(json(&parts, body, schema, true).await?.unwrap_or_default()), Body::empty()),
        Takes::MaybeJson(schema) => (json(&parts, body, schema, false).await?, Body::empty()),
        Takes::Nothing | Takes::Bytes => (None, body),
    };
    let call = Call {
        rest,
        route,
        caller,
        lang,
        path,
        query,
        account,
        named_account: named.is_some(),
        json,
        told: Told::default(),
        parts,
        body: Mutex::new(body),
    };
    let key = if route.idempotent { idempotency::key(&call)? } else { None };
    match key {
        // In a task: who asks may go, and what is done is noted all the same.
        Some(key) => wechaty_puppet::task::spawn(idempotency::once(call, key))
            .await
            .unwrap_or_else(|_| Err(Problem::internal("what does it has panicked"))),
        None => (route.run)(call).await,
    }
}

/// 405, with what can be done.
fn method(allowed: &[&str]) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "W405", "http-method").header(header::ALLOW, &allowed.join(", "))
}

/// Who asks: by the header, or by a ticket where a browser opens a stream.
fn caller(rest: &Rest, route: &Route, parts: &Parts) -> Result<Caller, Problem> {
    let mut headers = parts.headers.get_all(header::AUTHORIZATION).iter();
    let found = match (headers.next(), headers.next()) {
        (Some(header), None) => header.to_str().ok().and_then(|header| rest.tokens().caller(header)),
        (None, _) if matches!(route.gives, Gives::Events | Gives::Switch) => {
            let query = parts.uri.query().unwrap_or_default();
            let ticket = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ticket");
            ticket.and_then(|(_, ticket)| rest.tickets().take(rest.bot(), &ticket))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        let given = parts.headers.contains_key(header::AUTHORIZATION);
        let (key, challenge) = match given {
            true => ("rest-wrong-token", "Bearer realm=\"wechaty\", error=\"invalid_token\""),
            false => ("rest-no-token", "Bearer realm=\"wechaty\""),
        };
        Problem::new(StatusCode::UNAUTHORIZED, "W501", key).header(header::WWW_AUTHENTICATE, challenge)
    })
}

/// The values of the path, as they were meant.
fn values(path: Vec<(&'static str, String)>) -> Result<Vec<(&'static str, String)>, Problem> {
    let plain = |(name, value): (&'static str, String)| {
        let value = percent_decode_str(&value).decode_utf8();
        let value = value.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "W500", "rest-bad-path"))?;
        if value.chars().count() > LONGEST_VALUE {
            return Err(Problem::wrong(name, "rest-too-long").set("bound", LONGEST_VALUE.to_string()));
        }
        Ok((name, value.into_owned()))
    };
    path.into_iter().map(plain).collect()
}

/// The account that is meant: the named one, or the only one there is.
pub(crate) fn account(rest: &Rest, caller: &Caller, named: Option<&str>) -> Result<Account, Problem> {
    let accounts = rest.bot().accounts();
    if let Some(named) = named {
        let named = percent_decode_str(named).decode_utf8_lossy();
        // First: whose account is not theirs does not learn whether it is there.
        if !caller.may_use(&(*named).into()) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "W525", "rest-account").set("account", &*named));
        }
        let found = accounts.iter().find(|account| account.id().as_str() == named);
        return found.cloned().ok_or_else(|| Problem::unknown("account", &named));
    }
    let mut mine = accounts.iter().filter(|account| caller.may_use(account.id()));
    match (mine.next(), mine.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Problem::new(StatusCode::FORBIDDEN, "W525", "rest-no-account")),
        _ => {
            let ids = accounts.iter().map(|account| account.id().as_str()).filter(|id| caller.may_use(&(*id).into()));
            let ids: Vec<&str> = ids.collect();
            Err(Problem::new(StatusCode::BAD_REQUEST, "W523", "rest-which-account")
                .set("accounts", ids.join(", "))
                .with("accounts", ids))
        }
    }
}

/// The outlet that is named, where the route takes one; only for who may use the whole bot.
fn outlet(rest: &Rest, route: &Route, caller: &Caller, named: Option<&str>) -> Option<Account> {
    let named = named.filter(|_| route.outlets && caller.accounts.is_none())?;
    let named = percent_decode_str(named).decode_utf8_lossy();
    rest.bot().outlet(&*named).cloned()
}

/// The body, checked. `None`: there is none, and none is needed.
async fn json(parts: &Parts, body: Body, schema: &str, needed: bool) -> Result<Option<Value>, Problem> {
    let bytes = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large(LARGEST as u64)),
        Err(_) => return Err(Problem::new(StatusCode::BAD_REQUEST, "W400", "http-broken-off")),
    };
    if bytes.is_empty() && !needed {
        return Ok(None);
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "W518", "rest-media-type").set("found", kind));
    }
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "W500", "rest-bad-json").set("why", error.to_string())
    })?;
    check::check(schema, &value)?;
    check::whole(&mut value);
    Ok(Some(value))
}
