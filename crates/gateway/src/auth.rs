//! AUTH: between the connection and everything else. Takes the token out of a request before anybody could log it, and
//! says who asks, or that nobody may.
//!
//! A token comes as `authorization: Wechaty <token>`, or, where that header is absent, as `:authority`, which is part of
//! the request's URI. Both are gone behind this layer. No answer and no log ever holds one.

use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{Either, Ready, ready};
use http::{
    HeaderMap, HeaderValue, Request, Response, Uri,
    header::{AUTHORIZATION, HOST, USER_AGENT},
    uri::Authority,
};
use ring::digest::{SHA256, digest};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tonic::Status;
use tower_layer::Layer;
use tower_service::Service;
use wechaty_grpc::{Dialect, token};

use crate::listen::Connection;

/// How much is kept of what a client says of itself.
const LONGEST_USER_AGENT: usize = 256;
/// The longest token: what a host name in `:authority` may be.
const LONGEST_TOKEN: usize = 253;
/// What everybody may ask: whether there is life.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Who asks. In the extensions of each request behind [`Auth`], but for those of the health service that came without a
/// good token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose token it was: its place among those given to [`Auth::new`].
    pub tenant: usize,
    /// What the SDK there can read.
    pub dialect: Dialect,
    /// What it says of itself, at most 256 bytes.
    pub user_agent: String,
}

/// Why there can be no such door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody could come in.
    #[error("there is no token, so nobody could call: give at least one")]
    NoToken,
    /// Clients send it as a host name, too.
    #[error(
        "token number {number} cannot be sent as a host name: use 1 to {LONGEST_TOKEN} letters, digits, `-`, `_`, `.` and `~`"
    )]
    Form {
        /// Counted from 1.
        number: usize,
    },
    /// Anybody could guess it.
    #[error(
        "token number {number} is a name with nothing behind its `_`, so anybody could guess it: `wechaty token generate` makes one"
    )]
    NoSecret {
        /// Counted from 1.
        number: usize,
    },
    /// Nobody could say whose it is.
    #[error("tokens number {first} and {second} are the same: give each account its own")]
    Twice {
        /// Counted from 1.
        first: usize,
        /// Counted from 1.
        second: usize,
    },
    /// Others than the programs of this machine could call.
    #[error("calls without a token are allowed on loopback only, and this listens on {0}: listen on 127.0.0.1")]
    NotLoopback(SocketAddr),
}

/// A secret of so many letters and digits is not guessed.
const UNGUESSED: usize = 22;

/// The layer. Clones share the tokens, of which only digests are kept.
#[derive(Clone)]
pub struct Auth {
    tokens: Arc<[Digest]>,
    anonymous: bool,
}

type Digest = [u8; 32];

impl Auth {
    /// One token for each tenant.
    ///
    /// # Errors
    /// [`AuthError`]: no token, one that cannot be sent, or one twice.
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Result<Self, AuthError> {
        let mut known: Vec<Digest> = Vec::new();
        for (at, token) in tokens.into_iter().enumerate() {
            let token = token.as_ref();
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
            if token.is_empty() || token.len() > LONGEST_TOKEN || !token.chars().all(allowed) {
                return Err(AuthError::Form { number: at + 1 });
            }
            // Others may end so by chance, and are long.
            if token.split_once('_').is_some_and(|(name, secret)| secret.is_empty() && name.len() < UNGUESSED) {
                return Err(AuthError::NoSecret { number: at + 1 });
            }
            let digest = hashed(token);
            if let Some(first) = known.iter().position(|other| *other == digest) {
                return Err(AuthError::Twice { first: first + 1, second: at + 1 });
            }
            known.push(digest);
        }
        if known.is_empty() { Err(AuthError::NoToken) } else { Ok(Self { tokens: known.into(), anonymous: false }) }
    }

    /// Lets in who sends no token at all (Java), as the first tenant. A wrong token stays wrong.
    ///
    /// `listening`: where the door is.
    ///
    /// # Errors
    /// [`AuthError::NotLoopback`].
    pub fn allow_anonymous(self, listening: SocketAddr) -> Result<Self, AuthError> {
        if listening.ip().to_canonical().is_loopback() {
            Ok(Self { anonymous: true, ..self })
        } else {
            Err(AuthError::NotLoopback(listening))
        }
    }

    /// Compares with every token, and takes the same time whether and where one fits.
    fn tenant(&self, given: &str) -> Option<usize> {
        const NOBODY: u64 = u64::MAX;
        let given = hashed(given);
        let mut found = NOBODY;
        for (at, token) in (0..).zip(self.tokens.iter()) {
            found.conditional_assign(&at, token.ct_eq(&given));
        }
        (found != NOBODY).then(|| usize::try_from(found).ok()).flatten()
    }

    fn check(&self, given: &Given) -> Result<usize, Refused> {
        let mut headers = given.authorization.iter();
        match (headers.next(), headers.next(), &given.authority) {
            (Some(_), Some(_), _) => Err(Refused::Token),
            (Some(header), None, _) => {
                let token = header.to_str().ok().map(token::from_authorization);
                let token = token.ok_or(Refused::Token)?.map_err(Refused::Form)?;
                self.tenant(token).ok_or(Refused::Token)
            }
            (None, _, Some(authority)) => match self.tenant(authority.as_str()) {
                Some(tenant) => Ok(tenant),
                None if authority.port_u16().is_none() => Err(Refused::Token),
                None if self.anonymous && !authority.as_str().contains('@') => Ok(0),
                None => Err(Refused::Nothing),
            },
            (None, _, None) => Err(Refused::Nothing),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("tokens", &self.tokens.len()).field("anonymous", &self.anonymous).finish()
    }
}

fn hashed(token: &str) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}

/// Why a call is refused. What came is not told: it may be a token with a slip of the pen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Token,
    Form(token::AuthorizationError),
    Nothing,
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Token => Self::unauthenticated(
                "Invalid Wechaty TOKEN: nobody here has it. Use the one that the gateway printed.",
            ),
            Refused::Form(why) => Self::unauthenticated(format!("Invalid Wechaty TOKEN: {why}.")),
            Refused::Nothing => Self::unauthenticated(
                "No Authorization found. Send `authorization: Wechaty <token>`, or the token as `:authority`; \
                 for clients that can send neither, start the gateway with `--allow-anonymous`, on loopback.",
            ),
        }
    }
}

fn full() -> Status {
    Status::unavailable("This gateway has as many connections as it may. Close one, or try again later.")
}

/// What a request had of tokens, and has no more.
struct Given {
    authorization: Vec<HeaderValue>,
    authority: Option<Authority>,
}

impl Given {
    fn out_of<B>(request: &mut Request<B>) -> Self {
        let uri = std::mem::take(request.uri_mut()).into_parts();
        if let Some(path) = uri.path_and_query {
            *request.uri_mut() = Uri::from(path);
        }
        let headers = request.headers_mut();
        let authorization = all(headers.get_all(AUTHORIZATION));
        headers.remove(AUTHORIZATION);
        let host = headers.remove(HOST);
        let host = || host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        Self { authorization, authority: uri.authority.or_else(host) }
    }
}

/// One more than is allowed is enough to refuse all.
fn all(values: http::header::GetAll<'_, HeaderValue>) -> Vec<HeaderValue> {
    values.iter().take(2).cloned().collect()
}

fn user_agent(headers: &HeaderMap) -> String {
    let value = headers.get(USER_AGENT).map_or(&[][..], HeaderValue::as_bytes);
    String::from_utf8_lossy(&value[..value.len().min(LONGEST_USER_AGENT)]).into_owned()
}

impl<S> Layer<S> for Auth {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, auth: self.clone() }
    }
}

/// What stands behind the layer.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    auth: Auth,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<R>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let given = Given::out_of(&mut request);
        let checked = self.auth.check(&given);
        drop(given);
        match checked {
            Ok(tenant)
                if request.extensions().get::<Connection>().is_some_and(|connection| !connection.admit(tenant)) =>
            {
                return Either::Left(ready(Ok(full().into_http())));
            }
            Ok(tenant) => {
                let user_agent = user_agent(request.headers());
                let dialect = Dialect::of_user_agent(Some(&user_agent));
                request.extensions_mut().insert(Caller { tenant, dialect, user_agent });
            }
            Err(_) if request.uri().path().starts_with(OPEN) => {}
            Err(refused) => {
                tracing::debug!(path = request.uri().path(), "a call without a good token was refused");
                return Either::Left(ready(Ok(Status::from(refused).into_http())));
            }
        }
        Either::Right(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt as _;

    use super::*;

    const FIRST: &str = "insecure_1b9d6bcd";
    const SECOND: &str = "puppet_padlocal_2b9d6bcd";

    /// Answers with what it was asked, so that a test sees what came through.
    #[derive(Clone)]
    struct Echo;

    impl Service<Request<()>> for Echo {
        type Response = Response<Option<Request<()>>>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, request: Request<()>) -> Self::Future {
            ready(Ok(Response::new(Some(request))))
        }
    }

    fn auth() -> Auth {
        Auth::new([FIRST, SECOND]).unwrap()
    }

    fn anonymous() -> Auth {
        auth().allow_anonymous("127.0.0.1:8788".parse().unwrap()).unwrap()
    }

    fn asked(auth: &Auth, uri: &str, headers: &[(&str, &str)]) -> Response<Option<Request<()>>> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        auth.layer(Echo).call(request.body(()).unwrap()).now_or_never().unwrap().unwrap()
    }

    fn call(authority: &str) -> String {
        format!("http://{authority}/wechaty.Puppet/Ding")
    }

    /// The tenant, or the text of the refusal.
    fn tenant(auth: &Auth, authority: &str, headers: &[(&str, &str)]) -> Result<usize, String> {
        let answer = asked(auth, &call(authority), headers);
        if let Some(request) = answer.body() {
            return Ok(request.extensions().get::<Caller>().expect("who asks").tenant);
        }
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/grpc".parse().unwrap())
        );
        assert_eq!(answer.headers()["grpc-status"], "16");
        Err(answer.headers()["grpc-message"].to_str().unwrap().to_owned())
    }

    fn wrong(tenant: Result<usize, String>) -> bool {
        tenant.is_err_and(|text| text.starts_with("Invalid%20Wechaty%20TOKEN"))
    }

    #[test]
    fn a_token_comes_as_header_or_as_authority_and_says_who_asks() {
        let auth = auth();
        assert_eq!(tenant(&auth, SECOND, &[]), Ok(1));
        let header = token::authorization(FIRST);
        assert_eq!(tenant(&auth, "127.0.0.1:8788", &[("authorization", &header)]), Ok(0));
        assert_eq!(tenant(&auth, SECOND, &[("authorization", &header)]), Ok(0), "the header goes before");
        let answer = asked(&auth, "/wechaty.Puppet/Ding", &[("host", SECOND)]);
        assert_eq!(answer.body().as_ref().unwrap().extensions().get::<Caller>().unwrap().tenant, 1);
    }

    #[test]
    fn what_is_not_a_known_token_is_refused_and_not_told_back() {
        for auth in [auth(), anonymous()] {
            for token in ["insecure_1b9d6bcc", "insecure_1b9d6bcd0", "INSECURE_1b9d6bcd", "insecure", "localhost"] {
                assert!(wrong(tenant(&auth, token, &[])), "{token}");
                let header = token::authorization(token);
                assert!(wrong(tenant(&auth, "127.0.0.1:8788", &[("authorization", &header)])), "{token}");
                assert!(wrong(tenant(&auth, FIRST, &[("authorization", &header)])), "{token}");
                let answer = asked(&auth, &call("127.0.0.1:8788"), &[("authorization", &header)]);
                assert!(!format!("{answer:?}").contains(token), "{answer:?}");
            }
            let header = token::authorization(FIRST);
            assert!(wrong(tenant(&auth, FIRST, &[("authorization", "Bearer insecure_1b9d6bcd")])));
            assert!(wrong(tenant(&auth, FIRST, &[("authorization", "")])));
            assert!(wrong(tenant(&auth, FIRST, &[("authorization", &header), ("authorization", &header)])));
        }
    }

    #[test]
    fn who_sends_no_token_comes_in_only_where_that_was_allowed() {
        for authority in ["127.0.0.1:8788", "localhost:8788", "[::1]:8788"] {
            let refused = tenant(&auth(), authority, &[]).unwrap_err();
            assert!(refused.starts_with("No%20Authorization%20found"), "{refused}");
            assert_eq!(tenant(&anonymous(), authority, &[]), Ok(0));
        }
        assert!(tenant(&anonymous(), "me@127.0.0.1:8788", &[]).is_err());
        assert!(asked(&anonymous(), "/wechaty.Puppet/Ding", &[]).body().is_none());
        for listening in ["0.0.0.0:8788", "192.0.2.1:8788", "[::]:8788"] {
            let refused = auth().allow_anonymous(listening.parse().unwrap()).unwrap_err();
            assert_eq!(refused, AuthError::NotLoopback(listening.parse().unwrap()));
        }
        assert!(auth().allow_anonymous("[::ffff:127.0.0.1]:1".parse().unwrap()).is_ok());
    }

    #[test]
    fn nothing_behind_the_layer_sees_a_token() {
        let header = token::authorization(FIRST);
        for (uri, headers) in [
            (call(FIRST), vec![]),
            (call(FIRST), vec![("authorization", header.as_str()), ("host", FIRST)]),
            (format!("https://{FIRST}/grpc.health.v1.Health/Check"), vec![("host", FIRST)]),
        ] {
            let answer = asked(&auth(), &uri, &headers);
            let request = answer.body().as_ref().expect("it came through");
            let shown = format!("{request:?}");
            assert!(!shown.contains(FIRST) && !shown.contains("1b9d6bcd"), "{shown}");
            assert!(uri.ends_with(request.uri().path()));
        }
        assert!(!format!("{:?}", auth()).contains("1b9d"));
    }

    #[test]
    fn everybody_may_ask_for_health() {
        for authority in ["127.0.0.1:8788", "wrong_token"] {
            let answer = asked(&auth(), &format!("http://{authority}/grpc.health.v1.Health/Watch"), &[]);
            assert!(answer.body().as_ref().is_some_and(|request| request.extensions().get::<Caller>().is_none()));
        }
        let near = asked(&auth(), "http://wrong_token/grpc.health.v1.HealthX/Watch", &[]);
        assert!(near.body().is_none());
    }

    #[test]
    fn the_user_agent_tells_the_dialect_and_is_bounded() {
        let long = format!("grpc-go/1.45.0 {}", "x".repeat(1000));
        let answer = asked(&auth(), &call(FIRST), &[("user-agent", &long)]);
        let caller = answer.body().as_ref().unwrap().extensions().get::<Caller>().unwrap();
        assert_eq!((caller.dialect, caller.user_agent.len()), (Dialect::Go, LONGEST_USER_AGENT));
    }

    #[test]
    fn tokens_that_could_never_work_are_refused_by_their_number() {
        assert_eq!(Auth::new::<&str>([]).unwrap_err(), AuthError::NoToken);
        for bad in ["", "a b", "a:1", "a@b", "学校_1", &"a".repeat(254)] {
            assert_eq!(Auth::new([FIRST, bad]).unwrap_err(), AuthError::Form { number: 2 }, "{bad}");
        }
        for bare in ["_", "insecure_"] {
            assert_eq!(Auth::new([FIRST, bare]).unwrap_err(), AuthError::NoSecret { number: 2 }, "{bare}");
        }
        for secret in ["x", "a_b", "Zk3vQ1mR8tYw5uPs7nLb2c_"] {
            assert!(Auth::new([FIRST, secret]).is_ok(), "{secret}");
        }
        assert_eq!(Auth::new([FIRST, SECOND, FIRST]).unwrap_err(), AuthError::Twice { first: 1, second: 3 });
    }
}
