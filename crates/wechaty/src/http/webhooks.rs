//! WEBHOOKS: requests for puppets, as raw bytes, so that they can check signatures.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
    routing::any,
};
use futures_util::{StreamExt, future::join_all};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wechaty_puppet::{Clock, PlatformName, Webhook, WebhookBody, WebhookRequest, WebhookResponse};
use wechaty_types::AccountId;

use super::{
    HostError,
    refusal::{Caller, Refusal},
    serve::Peer,
};
use crate::{Account, Bot};

pub(super) const PREFIX: &str = "/webhooks/";
/// Bytes of all large bodies that are on their way; where one may be larger than half of it, twice that.
const BODIES: usize = 128 << 20;
/// A body up to here takes nothing of that: what people say comes through, whoever sends files.
const SMALL: usize = 64 << 10;
/// Bytes a second that a body has to bring on average, so that it ends: a phone with a bad connection has more.
const SLOWEST: u32 = 16 << 10;
/// How often the log tells of calls that nobody serves, each kind of them: a stranger can make any number.
const TELLING: Duration = Duration::from_secs(60);
/// Most letters of such an address, and most of the right ones, that are told.
const LETTERS: usize = 64;
const ADDRESSES: usize = 8;

struct Doors {
    bot: Bot,
    timeout: Duration,
    /// Bytes that may still come.
    room: Arc<Semaphore>,
    /// When the log was told of a call in vain, of each kind.
    told: Mutex<[Option<Duration>; 2]>,
}

/// Why a call comes in vain.
#[derive(Clone, Copy)]
enum Vain {
    /// No account has that address.
    Nowhere,
    /// One has, and knows the call by nothing.
    Unknown,
}

impl Doors {
    /// Tells the log, now and then: who typed an address or a key wrongly into a platform's console is told nothing there.
    fn tell(&self, vain: Vain, path: &str) {
        let (now, mut told) = (self.bot.clock().now(), self.told.lock());
        if told[vain as usize].is_some_and(|told| now.saturating_sub(told) < TELLING) {
            return;
        }
        told[vain as usize] = Some(now);
        drop(told);
        let (path, addresses) = (shown(path), addresses(&self.bot));
        match vain {
            Vain::Unknown => tracing::warn!(
                "a call to {path:?} was refused: no account there knows it as its own. Compare the app, the key and the token \
                 in the console of the platform with those of the account"
            ),
            Vain::Nowhere if addresses.is_empty() => tracing::warn!(
                "a call to {path:?} was refused: no account of this bot is called by its platform. Where a puppet has \
                 the choice, set its mode to webhook"
            ),
            Vain::Nowhere => tracing::warn!(
                "a call to {path:?} was refused: no account has that address. Platforms call {} here: correct the address in \
                 the console of the platform",
                addresses.join(", ")
            ),
        }
    }
}

/// As much of a path as can be no secret, and is not too long.
fn shown(path: &str) -> String {
    let name = if path.starts_with(PREFIX) { PREFIX.len() } else { 1 };
    let end = path.match_indices('/').map(|(at, _)| at).find(|at| *at >= name).unwrap_or(path.len());
    let shown: String = path[..end].chars().take(LETTERS).collect();
    if shown.len() < path.len() { format!("{shown}…") } else { shown }
}

/// Where the platforms of a bot's accounts call.
fn addresses(bot: &Bot) -> Vec<String> {
    let mut addresses = Vec::new();
    for account in bot.accounts().iter().filter(|account| is_called(account)) {
        let address = format!("{PREFIX}{}", account.platform());
        if addresses.len() < ADDRESSES && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// Whether an account is called by its platform. Pages are behind the guard, and only there.
fn is_called(account: &Account) -> bool {
    account.puppet().webhook().is_some_and(|hook| hook.pages().is_empty())
}

pub(super) fn routes(bot: &Bot, timeout: Duration) -> Router {
    let largest = |account: &Account| account.puppet().webhook().map(|hook| hook.max_body());
    let largest = bot.accounts().iter().filter_map(largest).max().unwrap_or_default();
    let room = BODIES.max(largest.saturating_mul(2)).min(Semaphore::MAX_PERMITS);
    let doors =
        Arc::new(Doors { bot: bot.clone(), timeout, room: Arc::new(Semaphore::new(room)), told: Mutex::default() });
    Router::new().fallback(any(answer)).with_state(doors)
}

/// A puppet that serves pages to everybody who asks.
pub(super) fn open_door(bot: &Bot) -> Option<(AccountId, PlatformName)> {
    let open = |account: &&Account| account.puppet().webhook().is_some_and(|hook| !hook.is_guarded());
    bot.accounts().iter().find(open).map(|account| (account.id().clone(), account.platform()))
}

/// A page has one place: of two accounts that serve it only one could be reached.
pub(super) fn no_page_twice(bot: &Bot) -> Result<(), HostError> {
    let mut pages: Vec<(&'static str, &Account)> = Vec::new();
    for account in bot.accounts() {
        for page in account.puppet().webhook().map_or(&[][..], |hook| hook.pages()) {
            if let Some((page, first)) = pages.iter().find(|(other, _)| other == page) {
                let (first, second) = (first.id().clone(), account.id().clone());
                return Err(HostError::Twice { page, first, second });
            }
            pages.push((page, account));
        }
    }
    Ok(())
}

/// The accounts a path belongs to, and what of the path is theirs.
fn route<'a>(bot: &'a Bot, path: &'a str) -> (Vec<&'a Account>, &'a str) {
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let named = |account: &&Account| {
            is_called(account) && (account.platform().as_str() == name || account.id().as_str() == name)
        };
        return (bot.accounts().iter().filter(named).collect(), below);
    }
    let wants =
        |page: &&'static str| path == *page || (page.ends_with('/') && page.len() > 1 && path.starts_with(*page));
    let serves = |account: &&Account| account.puppet().webhook().is_some_and(|hook| hook.pages().iter().any(wants));
    (bot.accounts().iter().filter(serves).collect(), path)
}

async fn answer(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (accounts, path) = route(&doors.bot, head.uri.path());
    let hooks: Vec<(&Account, &dyn Webhook)> =
        accounts.iter().filter_map(|account| Some((*account, account.puppet().webhook()?))).collect();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut request = WebhookRequest {
        method: head.method.to_string(),
        path: path.to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: Bytes::new(),
        peer: head.extensions.get::<Peer>().map(|peer| peer.0),
    };
    let caller = Caller::of(&head.uri, &head.headers);
    let limit = match admitted(&hooks, &request) {
        Ok(Some(limit)) => limit,
        Ok(None) => {
            // Who looks for a page is told by it.
            if request.method == "POST" || head.uri.path().starts_with(PREFIX) {
                doors.tell(Vain::Nowhere, head.uri.path());
            }
            return Refusal::Nothing.response(caller);
        }
        Err(refusal) => return closing(respond(refusal)),
    };
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Refusal::TooLarge(limit).response(caller);
    }
    let clock = doors.bot.clock();
    let reading =
        Reading { length: length.unwrap_or_default(), limit, room: &doors.room, clock, timeout: doors.timeout };
    let (body, _room) = match reading.read(body).await {
        Ok(read) => read,
        Err(refusal) => return closing(refusal.response(caller)),
    };
    request.body = body;
    let claims = |(_, hook): &&(&Account, &dyn Webhook)| request.body.len() <= hook.max_body() && hook.claims(&request);
    let mut claiming: Vec<_> = hooks.iter().filter(claims).collect();
    let Some((_, first)) = claiming.first() else {
        doors.tell(Vain::Unknown, head.uri.path());
        return Refusal::Unclaimed.response(caller);
    };
    if !first.is_for_all(&request) {
        claiming.truncate(1);
    }
    let answering = join_all(claiming.into_iter().map(|(account, hook)| {
        let answer = hook.handle(request.clone());
        async move { (account.is_running(), answer.await) }
    }));
    match clock.timeout(doors.timeout, answering).await {
        Ok(answers) => respond(one_of(answers)),
        Err(_) => Refusal::Late.response(caller),
    }
}

/// The answer of all, each with whether its account runs: a refusal, so that it is told again to who has not taken it; but
/// not for the sake of an account that does not run, where another has taken it.
fn one_of(mut answers: Vec<(bool, WebhookResponse)>) -> WebhookResponse {
    let is_good = |answer: &WebhookResponse| (200..300).contains(&answer.status);
    let refused = answers.iter().position(|(runs, answer)| *runs && !is_good(answer));
    let at = refused.or_else(|| answers.iter().position(|(_, answer)| is_good(answer))).unwrap_or_default();
    answers.swap_remove(at).1
}

/// How much body the request may have for one of the hooks; `None`: there is no hook.
fn admitted(hooks: &[(&Account, &dyn Webhook)], head: &WebhookRequest) -> Result<Option<usize>, WebhookResponse> {
    let (mut most, mut refusal) = (None, None);
    for (_, hook) in hooks {
        match hook.admits(head) {
            Ok(limit) => most = most.max(Some(limit)),
            Err(answer) => refusal = Some(answer),
        }
    }
    match (most, refusal) {
        (None, Some(refusal)) => Err(refusal),
        (most, _) => Ok(most),
    }
}

/// An answer to a request whose body is not read: the connection ends behind it.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How a body is read.
struct Reading<'a> {
    /// As announced.
    length: usize,
    limit: usize,
    room: &'a Arc<Semaphore>,
    clock: &'a Clock,
    timeout: Duration,
}

impl Reading<'_> {
    /// The body, and its share of the room. It takes the room before it takes memory, and both as the body comes: what is
    /// announced costs nothing.
    async fn read(&self, body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let (mut parts, began) = (body.into_data_stream(), self.clock.now());
        let mut whole: Vec<u8> = Vec::with_capacity(self.length.min(self.limit).min(SMALL));
        let mut taken: Option<OwnedSemaphorePermit> = None;
        loop {
            // Nobody may be silent for long, nor come so slowly that it never ends.
            let due = began + self.timeout + Duration::from_secs(whole.len() as u64) / SLOWEST;
            let patience = self.timeout.min(due.saturating_sub(self.clock.now()));
            let next = self.clock.timeout(patience, parts.next()).await.map_err(|_| Refusal::Slow)?;
            let Some(part) = next else {
                // Who keeps it counts its bytes, and not what was spare.
                whole.shrink_to_fit();
                return Ok((whole.into(), taken));
            };
            let part = part.map_err(|_| Refusal::BrokenOff)?;
            let length = whole.len() + part.len();
            if length > self.limit {
                return Err(Refusal::TooLarge(self.limit));
            }
            if length > whole.capacity() {
                let most = if self.length >= length { self.length.min(self.limit) } else { self.limit };
                let capacity = length.saturating_mul(2).max(SMALL).min(most);
                self.take(&mut taken, capacity)?;
                whole.reserve_exact(capacity - whole.len());
            }
            whole.extend_from_slice(&part);
        }
    }

    /// Room for a body of this size; for a small one nothing.
    fn take(&self, taken: &mut Option<OwnedSemaphorePermit>, size: usize) -> Result<(), Refusal> {
        let has = taken.as_ref().map_or(0, |taken| taken.num_permits());
        let more = if size > SMALL { size.saturating_sub(has) } else { 0 };
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Refusal::Busy)?;
        let permit = self.room.clone().try_acquire_many_owned(more).map_err(|_| Refusal::Busy)?;
        match taken {
            Some(taken) => taken.merge(permit),
            None => *taken = Some(permit),
        }
        Ok(())
    }
}

fn respond(from: WebhookResponse) -> Response {
    let body = match from.body {
        WebhookBody::Bytes(bytes) => Body::from(bytes),
        WebhookBody::Stream(stream) => Body::from_stream(stream.map(Ok::<_, std::convert::Infallible>)),
    };
    let mut response = Response::new(body);
    // What a puppet says wrongly is its bug, not the client's fault.
    *response.status_mut() = StatusCode::from_u16(from.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in from.headers {
        match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
            (Ok(name), Ok(value)) => {
                response.headers_mut().append(name, value);
            }
            _ => tracing::error!(header = %name, "a puppet answered with a header that is none"),
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };
    use wechaty_puppet::VirtualClock;

    use super::{
        super::{HttpSettings, Listening},
        *,
    };

    #[test]
    fn what_is_for_all_is_refused_for_who_runs_and_for_nobody_else() {
        for (answers, told) in [
            (&[(true, 200), (true, 200)][..], 200),
            (&[(true, 200), (true, 503)], 503),
            (&[(false, 503), (true, 200)], 200),
            (&[(true, 200), (false, 503)], 200),
            (&[(false, 503), (true, 200), (true, 401)], 401),
            (&[(false, 503)], 503),
            (&[(true, 401)], 401),
        ] {
            let given = answers.iter().map(|(runs, status)| (*runs, WebhookResponse::text(*status, ""))).collect();
            assert_eq!(one_of(given).status, told, "{answers:?}");
        }
    }

    async fn read(body: Body, length: usize, room: &Arc<Semaphore>) -> Result<usize, Refusal> {
        let clock = Clock::from(VirtualClock::new());
        let reading = Reading { length, limit: 32 << 20, room, clock: &clock, timeout: Duration::from_secs(30) };
        reading.read(body).await.map(|(body, _room)| body.len())
    }

    #[tokio::test]
    async fn small_bodies_come_through_where_large_ones_took_all_the_room() {
        let none = Arc::new(Semaphore::new(0));
        assert_eq!(read(vec![0; SMALL].into(), SMALL, &none).await, Ok(SMALL));
        assert_eq!(read(vec![0; SMALL + 1].into(), SMALL + 1, &none).await, Err(Refusal::Busy));
        // Announced is nothing yet.
        assert_eq!(read(vec![0; 10].into(), 32 << 20, &none).await, Ok(10));
        let some = Arc::new(Semaphore::new(1 << 20));
        let parts = futures_util::stream::iter((0..10).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![0; 50_000]))));
        assert_eq!(read(Body::from_stream(parts), 500_000, &some).await, Ok(500_000));
        assert_eq!(some.available_permits(), 1 << 20, "it was given back");
    }

    #[tokio::test]
    async fn a_body_that_is_kept_takes_what_it_has() {
        let clock = Clock::from(VirtualClock::new());
        let room = Arc::new(Semaphore::new(1 << 20));
        for (parts, size) in [(1, 1), (3, 50_000)] {
            let parts = futures_util::stream::iter(
                (0..parts).map(move |_| Ok::<_, std::io::Error>(Bytes::from(vec![0; size]))),
            );
            let reading =
                Reading { length: 0, limit: 1 << 20, room: &room, clock: &clock, timeout: Duration::from_secs(30) };
            let (body, _room) = reading.read(Body::from_stream(parts)).await.unwrap();
            let length = body.len();
            assert_eq!(body.try_into_mut().unwrap().capacity(), length);
        }
    }

    #[tokio::test]
    async fn a_gigabyte_that_nobody_announced_is_refused_at_the_limit() {
        const LIMIT: usize = 4 << 20;
        const PART: usize = 64 << 10;
        let (came, clock) = (Arc::new(AtomicUsize::new(0)), Clock::from(VirtualClock::new()));
        let count = came.clone();
        let parts = (0..(1 << 30) / PART).map(move |_| {
            count.fetch_add(PART, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; PART]))
        });
        // Memory is taken behind the room for it, and there is no more than for one of the largest.
        let room = Arc::new(Semaphore::new(LIMIT));
        let reading = Reading { length: 0, limit: LIMIT, room: &room, clock: &clock, timeout: Duration::from_secs(30) };
        let read = reading.read(Body::from_stream(futures_util::stream::iter(parts))).await;
        assert_eq!(read.map(|(body, _)| body.len()), Err(Refusal::TooLarge(LIMIT)));
        assert_eq!((came.load(Ordering::Relaxed), room.available_permits()), (LIMIT + PART, LIMIT));
    }

    #[tokio::test]
    async fn who_sends_a_gigabyte_gets_rid_of_little_of_it() {
        const LIMIT: usize = 1 << 20;
        let routes = Router::new().fallback(any(|request: Request| async move {
            let (clock, room) = (Clock::system(), Arc::new(Semaphore::new(LIMIT)));
            let (head, body) = request.into_parts();
            let reading =
                Reading { length: 0, limit: LIMIT, room: &room, clock: &clock, timeout: Duration::from_secs(30) };
            let refusal = reading.read(body).await.expect_err("it is too large");
            closing(refusal.response(Caller::of(&head.uri, &head.headers)))
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _host = Listening::start(listener, address, HttpSettings::default(), routes, Clock::system());
        let (mut answers, mut asks) = TcpStream::connect(address).await.unwrap().into_split();
        asks.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let sending = async {
            let part = [b"10000\r\n".as_slice(), &[b'x'; 1 << 16], b"\r\n"].concat();
            let mut sent = 0;
            while sent < 1 << 30 && asks.write_all(&part).await.is_ok() {
                sent += 1 << 16;
            }
            sent
        };
        let mut answer = Vec::new();
        let (sent, _) = tokio::join!(sending, answers.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("W413"), "{answer}");
        // What the sockets of both sides hold comes on top.
        assert!(sent < LIMIT + (32 << 20), "{sent}");
    }

    #[tokio::test]
    async fn a_file_may_come_slowly_but_not_for_ever() {
        // So many bytes each ten seconds: the first is a phone at 2 Mbit/s, the last sends a byte now and then.
        for (bytes, times, expected) in [(2_500_000, 10, true), (200_000, 100, true), (1, 100_000, false)] {
            let time = VirtualClock::new();
            let clock = Clock::from(time.clone());
            let room = Arc::new(Semaphore::new(128 << 20));
            let (sleep, part) = (clock.clone(), Bytes::from(vec![0; bytes]));
            let parts = futures_util::stream::unfold(0, move |sent| {
                let (clock, part) = (sleep.clone(), part.clone());
                async move {
                    clock.sleep(Duration::from_secs(10)).await;
                    (sent < times).then_some((Ok::<_, std::io::Error>(part), sent + 1))
                }
            });
            let reading =
                Reading { length: 0, limit: 32 << 20, room: &room, clock: &clock, timeout: Duration::from_secs(30) };
            let mut read = std::pin::pin!(reading.read(Body::from_stream(parts)));
            let read = loop {
                tokio::select! {
                    biased;
                    read = &mut read => break read.map(|(body, _)| body.len()),
                    () = time.advance(Duration::from_secs(1)) => {}
                }
            };
            match expected {
                true => assert_eq!(read, Ok(bytes * times)),
                false => {
                    assert!(read == Err(Refusal::Slow) && time.now() < Duration::from_secs(60), "{:?}", time.now())
                }
            }
        }
    }
}
