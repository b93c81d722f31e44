//! The one listener: who is listened to, how much, how long; and what puppets get of it.

use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wechaty::{
    http::{Host, HostError, HttpSettings, Listening},
    testing::*,
};
use wechaty_puppet::{
    Capabilities, Capability, Outgoing, PlatformName, Puppet, PuppetContext, Sent, Webhook, WebhookBody,
    WebhookRequest, WebhookResponse, async_trait,
};

use crate::support::{Log, Logged, bot, logging, millis, secs};

fn any_port() -> HttpSettings {
    let listen = "127.0.0.1:0".parse().expect("an address");
    HttpSettings { listen, timeout: secs(2), ..HttpSettings::default() }
}

/// Says it as it is, and reads until the host closes.
async fn raw(at: &Listening, request: &str) -> String {
    let mut stream = TcpStream::connect(at.address()).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    // A host that closes early resets what was not read; what it said before counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The error in an answer.
fn error(answer: &str) -> serde_json::Value {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("content-type: application/json"), "{answer}");
    let json: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert!(json["error"]["message"].is_string() && json["error"]["fix"].is_string(), "{answer}");
    json["error"].clone()
}

/// A puppet that tells what it was asked, and streams; with pages it serves a site, open to everybody.
struct Told {
    pages: &'static [&'static str],
}

#[async_trait]
impl Puppet for Told {
    fn platform(&self) -> PlatformName {
        PlatformName::new(if self.pages.is_empty() { "hooks" } else { "pages" })
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }
    async fn run(&self, cx: PuppetContext) -> wechaty_puppet::Result<()> {
        cx.cancelled().await;
        Ok(())
    }
    async fn send(&self, _out: Outgoing) -> wechaty_puppet::Result<Sent> {
        Ok(Sent::without_id())
    }
    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

#[async_trait]
impl Webhook for Told {
    fn claims(&self, request: &WebhookRequest) -> bool {
        !request.path.ends_with("/unclaimed")
    }
    async fn handle(&self, request: WebhookRequest) -> WebhookResponse {
        if request.path == "/chat/late" {
            std::future::pending::<()>().await;
        }
        if request.path == "/chat/endless" {
            let parts = futures_util::stream::repeat_with(|| vec![0; 64 << 10].into());
            return WebhookResponse::new(200, "text/plain", WebhookBody::Stream(Box::pin(parts)));
        }
        if request.path == "/chat/open" {
            let parts = futures_util::stream::iter(["hello".into()]).chain(futures_util::stream::pending());
            return WebhookResponse::new(200, "text/plain", WebhookBody::Stream(Box::pin(parts)));
        }
        if request.path == "/chat/stream" {
            let parts = futures_util::stream::iter(["one ", "two"].map(|part| part.into()));
            return WebhookResponse::new(200, "text/plain", WebhookBody::Stream(Box::pin(parts)));
        }
        let said = format!("{} {} ?{} {}", request.method, request.path, request.query, request.body.len());
        WebhookResponse::text(200, said).header("x-told", "yes").header("bad\nheader", "no")
    }
    fn pages(&self) -> &'static [&'static str] {
        self.pages
    }
    fn max_body(&self) -> usize {
        1000
    }
    fn is_guarded(&self) -> bool {
        self.pages.is_empty()
    }
}

const SITE: Told = Told { pages: &["/", "/chat/"] };
const HOOKS: Told = Told { pages: &[] };

async fn pages() -> (TestBot, Listening) {
    pages_at(&FakePlatform::new()).await
}

async fn pages_at(platform: &FakePlatform) -> (TestBot, Listening) {
    let builder = bot(platform).account("site", SITE).account("hook", HOOKS);
    let bot = spawn(builder.http(any_port()).on_listen(|_| {})).await;
    let host = Host::new(&bot, any_port()).bind().await.expect("binds");
    (bot, host)
}

#[tokio::test]
async fn a_bot_listens_without_being_told_where_a_platform_calls_it() {
    for (name, puppet, listens) in [("hook", Some(HOOKS), true), ("none", None, false)] {
        let (platform, (told, heard)) = (FakePlatform::new(), std::sync::mpsc::channel());
        let builder =
            bot(&platform).http_if_needed(any_port()).on_listen(move |at| told.send(at.address()).unwrap_or_default());
        let running = spawn(match puppet {
            Some(puppet) => builder.account(name, puppet),
            None => builder,
        });
        let running = running.await;
        running.drained().await;
        assert_eq!(heard.recv_timeout(secs(if listens { 10 } else { 0 })).is_ok(), listens, "{name}");
        running.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn a_puppet_gets_its_webhooks_below_its_name_and_its_pages_whole() {
    let (_bot, host) = pages().await;
    for (path, told) in [
        ("/?a=1", "GET / ?a=1 0"),
        ("/chat/app.js", "GET /chat/app.js ? 0"),
        ("/webhooks/hooks/in?b=%20", "GET /in ?b=%20 0"),
        ("/webhooks/hook", "GET  ? 0"),
    ] {
        let answer = raw(&host, &request("GET", path, "", "")).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(told), "{path}: {answer}");
        assert!(answer.contains("x-told: yes") && !answer.contains("bad"), "{answer}");
    }
    let answer = raw(&host, &request("GET", "/chat/stream", "", "")).await;
    assert!(answer.contains("transfer-encoding: chunked") && answer.contains("one ") && answer.contains("two"));
    // What is behind the guard is not reached around it.
    for path in [
        "/webhooks/pages/chat/x",
        "/webhooks/site/",
        "/elsewhere",
        "/chatter",
        "/webhooks/lark/",
        "/webhooks/",
        "/chat/unclaimed",
        "/chat",
    ] {
        let answer = raw(&host, &request("GET", path, "", "")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_log_says_now_and_then_where_a_call_in_vain_would_be_right() {
    let platform = FakePlatform::new();
    let (_bot, host) = pages_at(&platform).await;
    let log = Log::default();
    let _guard = logging(Logged(tracing::Level::WARN, log.clone()));
    // Pages say it themselves; what stands behind a name may be a secret, and a stranger may say anything.
    let long = format!("/webhooks/{}/s3cret", "x".repeat(500));
    for (method, path, told) in [
        ("GET", "/elsewhere", None),
        ("POST", "/webhooks/hoooks/s3cret?token=s3cret", Some("\"/webhooks/hoooks…\"")),
        ("POST", "/webhooks/other", None),
        ("POST", "/webhooks/hooks/unclaimed?token=s3cret", Some("\"/webhooks/hooks…\"")),
        ("POST", "/webhooks/hooks/unclaimed", None),
        ("POST", "/lark/s3cret", Some("\"/lark…\"")),
        ("GET", &long, Some("xxx…\"")),
    ] {
        if path.starts_with("/lark") || path.len() > 500 {
            platform.clock().advance(secs(60)).await;
        }
        let answer = raw(&host, &request(method, path, "", "")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        let logged = log.take();
        assert_eq!(logged.len(), usize::from(told.is_some()), "{path}: {logged:?}");
        let Some(told) = told else { continue };
        assert!(logged[0].contains(told) && !logged[0].contains("s3cret") && logged[0].len() < 400, "{logged:?}");
        assert_eq!(
            logged[0].contains("Platforms call /webhooks/hooks here"),
            !path.contains("unclaimed"),
            "{logged:?}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let (_bot, host) = pages().await;
    let ok = raw(&host, &request("POST", "/chat/x", "", &"x".repeat(1000))).await;
    assert!(ok.ends_with("POST /chat/x ? 1000"), "{ok}");
    let declared = "POST /chat/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1073741824\r\n\r\n";
    let chunked = format!(
        "POST /chat/x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        "x".repeat(2000)
    );
    for request in [declared, &chunked] {
        let answer = raw(&host, request).await;
        assert!(answer.starts_with("HTTP/1.1 413") && error(&answer)["code"] == "W413", "{answer}");
        assert!(answer.contains("At most 1000 bytes") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn strangers_names_and_pages_are_refused_and_nonsense_is_no_panic() {
    let (_bot, host) = pages().await;
    let forged = "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(raw(&host, forged).await.starts_with("HTTP/1.1 403"));
    let foreign = request("POST", "/chat/x", "origin: http://evil.example\r\n", "");
    assert!(raw(&host, &foreign).await.starts_with("HTTP/1.1 403"));
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(raw(&host, absolute).await.starts_with("HTTP/1.1 403"));
    for nonsense in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "\u{0}\u{1}\u{2}",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ] {
        let _ = raw(&host, nonsense).await;
    }
    assert!(raw(&host, &request("GET", "/healthz", "", "")).await.ends_with("ok\n"));
}

#[tokio::test]
async fn what_the_host_refuses_has_a_code_a_fix_and_the_callers_language() {
    let (_bot, host) = pages().await;
    let zh = "accept-language: zh-CN,zh;q=0.9,en;q=0.8\r\n";
    let forged = |extra: &str| format!("GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n{extra}\r\n");
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let huge = format!("x-huge: {}\r\n", "x".repeat(200_000));
    for (request, status, code) in [
        (forged(""), 403, "W403"),
        (request("POST", "/chat/x", "origin: null\r\n", ""), 403, "W403"),
        (request("GET", "/elsewhere", "", ""), 404, "W404"),
        (request("GET", "/chat/unclaimed", "", ""), 404, "W404"),
        (request("POST", "/healthz", "", ""), 405, "W405"),
        (request("GET", "/", &many, ""), 431, "W431"),
        (request("GET", "/", &huge, ""), 431, "W431"),
        ("GET\r\n\r\n".to_owned(), 400, "W400"),
    ] {
        let answer = raw(&host, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(error(&answer)["code"], code, "{answer}");
    }
    let other = raw(&host, &request("POST", "/healthz", zh, "")).await;
    assert!(other.contains("allow: GET,HEAD") && error(&other)["message"] == "这个地址不支持这种操作。", "{other}");
    assert_eq!(error(&raw(&host, &forged(zh)).await)["message"], "这台主机不叫这个名字。");
    let page = raw(&host, &forged(&format!("{zh}accept: text/html,*/*;q=0.8\r\n"))).await;
    assert!(page.contains("text/html") && page.contains("<h1>这台主机") && page.contains("W403"), "{page}");
    // An answer of a puppet stays as it is, on a connection that goes on.
    let two = request("GET", "/chat/a", "", "").replace("connection: close", "connection: keep-alive");
    let told = raw(&host, &(two + &*request("GET", "/chat/b", "", ""))).await;
    assert!(told.contains("GET /chat/a") && told.ends_with("GET /chat/b ? 0"), "{told}");
}

#[tokio::test]
async fn below_api_the_host_refuses_with_problems() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    let late = axum::Router::new().route("/late", axum::routing::get(std::future::pending::<()>));
    let host = Host::new(&bot, any_port()).door("/api", late).bind().await.expect("binds");
    let huge = format!("x-huge: {}\r\n", "x".repeat(200_000));
    let looks = "accept: text/html\r\naccept-language: zh\r\n";
    for (request, status, code) in [
        ("GET /api/v1/rooms HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".to_owned(), 403, "W403"),
        (request("POST", "/api/v1/sends", "origin: http://evil.example\r\n", "{}"), 403, "W403"),
        (request("GET", "/api?x", &huge, ""), 431, "W431"),
        ("GET /api/v1 HTTP/9.9\r\n\r\n".to_owned(), 400, "W400"),
        (request("GET", "/api/late", looks, ""), 504, "W504"),
    ] {
        let (answer, clock) = (raw(&host, &request), platform.clock());
        let mut answer = std::pin::pin!(answer);
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                () = clock.advance(secs(1)), if status == 504 => tokio::task::yield_now().await,
            }
        };
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(head.contains("content-type: application/problem+json"), "{answer}");
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()), "{answer}");
        assert_eq!(problem["type"], format!("urn:wechaty:problem:{code}"));
        assert!(["title", "detail", "fix"].iter().all(|name| problem[name].is_string()), "{answer}");
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn who_says_more_than_is_read_hears_the_answer_and_a_clean_end() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).account("site", SITE).http(any_port()).on_listen(|_| {})).await;
    let host = Host::new(&bot, any_port()).bind().await.expect("binds");
    let mut stream = TcpStream::connect(host.address()).await.expect("connects");
    let head = "POST /chat/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(&vec![b'x'; 4_000_000]).await.expect("all is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("no reset");
    assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    drop(stream);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn who_is_too_slow_is_told_whether_it_is_the_client_or_the_bot() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).account("site", SITE).http(any_port()).on_listen(|_| {})).await;
    let host = Host::new(&bot, any_port()).bind().await.expect("binds");
    let short = "POST /chat/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nshort".to_owned();
    for (request, status, code) in [(short, 408, "W408"), (request("GET", "/chat/late", "", ""), 504, "W504")] {
        let (answer, clock) = (raw(&host, &request), platform.clock());
        let mut answer = std::pin::pin!(answer);
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                () = clock.advance(secs(1)) => tokio::task::yield_now().await,
            }
        };
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(error(&answer)["code"], code, "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_let_go() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    let settings = HttpSettings { timeout: millis(200), ..any_port() };
    let host = Host::new(&bot, settings).bind().await.expect("binds");
    let answer = raw(&host, "GET / HTTP/1.1\r\nhost: loc").await;
    assert!(!answer.contains("200 OK"), "{answer}");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_taken_port_means_the_next_one_or_an_error_that_says_so() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    let first = Host::new(&bot, any_port()).bind().await.expect("binds");
    let taken = HttpSettings { listen: first.address(), ..HttpSettings::default() };
    let second = Host::new(&bot, taken.clone()).bind().await.expect("takes another");
    assert!(second.moved() && !first.moved() && second.address().port() > first.address().port());
    let only = HttpSettings { next_free_port: false, ..taken };
    let error = Host::new(&bot, only).bind().await.expect_err("taken");
    assert!(matches!(error, HostError::Taken { .. }) && error.to_string().contains("taken by another program"));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_open_door_does_not_listen_beyond_loopback() {
    let platform = FakePlatform::new();
    let bot = bot(&platform).account("site", SITE).build().expect("builds");
    let everywhere = HttpSettings { listen: "0.0.0.0:0".parse().expect("an address"), ..HttpSettings::default() };
    let error = Host::new(&bot, everywhere).bind().await.expect_err("refused").to_string();
    assert!(error.contains("account `site` (`pages`) has no token"), "{error}");
}

#[tokio::test]
async fn an_open_door_is_not_served_under_a_name_of_the_world() {
    let platform = FakePlatform::new();
    let bot = bot(&platform).account("site", SITE).build().expect("builds");
    let proxied = |host: &str| HttpSettings { hosts: vec![host.to_owned()], ..any_port() };
    let error = Host::new(&bot, proxied("bot.example")).bind().await.expect_err("refused").to_string();
    assert!(error.contains("everybody who reaches bot.example"), "{error}");
    Host::new(&bot, proxied("localhost")).bind().await.expect("it is of this machine alone");
}

#[tokio::test]
async fn a_door_gets_in_nobodys_way_and_brings_nobody_down() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).account("site", SITE).http(any_port()).on_listen(|_| {})).await;
    let door = || axum::Router::new().route("/", axum::routing::get(|| async { "in" })).fallback(|| async { "lost" });
    for (path, word) in [
        ("/healthz", "is in the way of `/healthz`"),
        ("/webhooks/x", "is in the way of `/webhooks/`"),
        ("/chat", "is in the way of `/chat/`"),
        ("/api/v1", "is in the way of `/api`"),
        ("/", "no door can be at `/`"),
        ("/{all}", "no door can be at `/{all}`"),
    ] {
        let host = Host::new(&bot, any_port()).door("/api", door()).door(path, door());
        let error = host.bind().await.expect_err("refused").to_string();
        assert!(error.contains(word), "{path}: {error}");
    }
    let host = Host::new(&bot, any_port()).door("/one", door()).door("/two", door()).bind().await.expect("binds");
    for (path, told) in [("/one", "in"), ("/two/else", "lost"), ("/healthz", "ok\n"), ("/", "GET / ? 0")] {
        let answer = raw(&host, &request("GET", path, "", "")).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(told), "{path}: {answer}");
    }
    assert!(raw(&host, &request("GET", "/elsewhere", "", "")).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_address_for_a_browser_is_one_that_it_can_open() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    let everywhere = HttpSettings { listen: "0.0.0.0:0".parse().expect("an address"), ..any_port() };
    let host = Host::new(&bot, everywhere).bind().await.expect("binds");
    assert_eq!(host.url(), format!("http://127.0.0.1:{}", host.address().port()));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform).account("site", SITE).http(any_port()).on_listen(|_| {})).await;
    let host = Host::new(&bot, HttpSettings { connections: 1, ..any_port() }).bind().await.expect("binds");
    let mut deaf = TcpStream::connect(host.address()).await.expect("connects");
    deaf.write_all(request("GET", "/chat/endless", "", "").as_bytes()).await.expect("writes");
    // The only place is taken until the host gives up on the first client.
    let healthz = request("GET", "/healthz", "", "");
    let (answer, clock) = (raw(&host, &healthz), platform.clock());
    let mut answer = std::pin::pin!(answer);
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer,
            () = clock.advance(secs(1)) => tokio::task::yield_now().await,
        }
    };
    assert!(answer.ends_with("ok\n"), "{answer}");
}

/// Opens that many pages at once, and hears on each.
#[cfg(unix)]
#[tokio::test]
async fn a_thousand_tabs_hear_at_the_same_time() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const TABS: usize = 1000;
    // Both ends are in this process.
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 3 * TABS as u64) {
        eprintln!("not run: this system lets a process open {:?} files", limit.maximum);
        return;
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("raised");
    let (_bot, host) = pages().await;
    let mut tabs = Vec::new();
    for _ in 0..TABS {
        let mut tab = TcpStream::connect(host.address()).await.expect("connects");
        tab.write_all(request("GET", "/chat/open", "", "").as_bytes()).await.expect("writes");
        tabs.push(tab);
    }
    for (i, tab) in tabs.iter_mut().enumerate() {
        let mut heard = String::new();
        while !heard.contains("hello") {
            let mut part = [0; 1024];
            let n = tab.read(&mut part).await.expect("reads");
            assert!(n > 0, "tab {i} was closed: {heard}");
            heard.push_str(&String::from_utf8_lossy(&part[..n]));
        }
    }
}

#[tokio::test]
async fn a_bot_whose_puppet_serves_pages_listens_by_itself_and_lets_go_of_its_port() {
    let platform = FakePlatform::new();
    let (told, mut at) = tokio::sync::mpsc::unbounded_channel();
    let builder = bot(&platform)
        .account("site", SITE)
        .http(any_port())
        .door("/door", |bot| {
            let name = bot.name().to_owned();
            axum::Router::new().route("/", axum::routing::get(move || async move { name }))
        })
        .on_listen(move |listening| {
            let _ = told.send(listening.address());
        });
    let bot = spawn(builder).await;
    let address = at.recv().await.expect("told");
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(request("GET", "/door", "", "").as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.ends_with("wechaty"), "{answer}");
    bot.finish_with(&platform).await;
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}

#[tokio::test]
async fn two_accounts_that_serve_the_same_page_are_refused_with_their_names() {
    let platform = FakePlatform::new();
    let bot = bot(&platform).account("one", SITE).account("two", SITE).build().expect("builds");
    let error = Host::new(&bot, any_port()).bind().await.expect_err("refused").to_string();
    assert!(error.contains("accounts `one` and `two` both serve /"), "{error}");
}
