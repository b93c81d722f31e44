//! Who comes in, how fast, and how it is told that somebody does not.

use axum::{body::Body, http::Request};
use serde_json::json;
use wechaty_rest::Rate;

use crate::support::{Door, READ, SLOW, request};

#[tokio::test]
async fn nobody_comes_in_without_a_good_token_and_the_scope_it_needs() {
    let door = Door::open().await;
    let none = door.send(request("", "GET", "/rooms", &[], None)).await;
    assert_eq!((none.status.as_u16(), none.code().as_str()), (401, "W501"));
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"wechaty\"");
    let wrong = door.send(request("a-token-for-everything-else", "GET", "/rooms", &[], None)).await;
    assert!(wrong.status == 401 && wrong.header("www-authenticate").contains("invalid_token"), "{wrong:?}");
    assert!(!String::from_utf8_lossy(&wrong.body).contains("everything-else"));
    assert_eq!(door.send(request(READ, "GET", "/rooms", &[], None)).await.status, 200);
    for (method, path, scope) in
        [("POST", "/sends", "send"), ("PUT", "/logout", "admin"), ("GET", "/dead-letters", "admin")]
    {
        let refused = door.send(request(READ, method, path, &[], Some(json!({})))).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "W502"), "{path}");
        assert_eq!(refused.json()["scope"], scope);
        assert!(refused.header("www-authenticate").contains(&format!("scope=\"{scope}\"")));
    }
    let elsewhere = door.send(request(SLOW, "GET", "/rooms", &[], None)).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.code().as_str()), (403, "W525"));
    let named = door.send(request(SLOW, "GET", "/accounts/default/rooms", &[], None)).await;
    assert_eq!(named.code(), "W525");
    let nobodys = door.send(request(SLOW, "GET", "/accounts/nobodys/rooms", &[], None)).await;
    assert_eq!(
        (nobodys.status, nobodys.code()),
        (named.status, named.code()),
        "nobody learns which accounts there are"
    );
    for (method, path) in [("GET", "/webhooks"), ("POST", "/webhooks/crm/test"), ("POST", "/webhooks/crm/resume")] {
        let refused = door.send(request(SLOW, method, path, &[], None)).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "W525"), "{path}");
    }
    assert_eq!(door.get("/webhooks").await.status, 200);
    assert_eq!(door.send(request(SLOW, "GET", "/accounts", &[], None)).await.json()["items"], json!([]));
    door.end().await;
}

#[tokio::test]
async fn who_asks_too_fast_is_told_when_to_come_again() {
    let door = Door::with(None, Rate { per_second: 1, burst: 2 }, 1 << 20).await;
    let first = door.get("/version").await;
    assert_eq!((first.status.as_u16(), first.header("ratelimit-policy")), (200, "\"token\";q=2;w=2"));
    let mut refused = door.get("/version").await;
    for _ in 0..5 {
        if refused.status == 429 {
            break;
        }
        refused = door.get("/version").await;
    }
    assert_eq!((refused.status.as_u16(), refused.code().as_str(), refused.header("retry-after")), (429, "W517", "1"));
    assert_eq!(door.send(request(READ, "GET", "/version", &[], None)).await.status, 200, "each token has its own");
    door.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_its_place_in_the_callers_language() {
    let door = Door::open().await;
    let raw = |kind: &str, body: &'static str| {
        let mut request = request(crate::support::ALL, "POST", "/sends", &[("content-type", kind)], None);
        *request.body_mut() = Body::from(body);
        request
    };
    for (kind, body, status, code) in [
        ("text/plain", "{}", 415, "W518"),
        ("application/json", "{", 400, "W500"),
        ("application/json", "", 400, "W500"),
        ("application/json; charset=utf-8", "[]", 422, "W514"),
    ] {
        let answer = door.send(raw(kind, body)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{kind} {body}");
    }
    let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());
    assert_eq!(door.send(raw("application/json", deep)).await.status, 400);
    let large: &'static str = Box::leak(format!("\"{}\"", "x".repeat(3 << 20)).into_boxed_str());
    assert_eq!(door.send(raw("application/json", large)).await.status, 413);
    let body = json!({ "to": { "rom": "x" }, "text": "hi" });
    let told =
        door.send(request(crate::support::ALL, "POST", "/sends", &[("accept-language", "zh-CN")], Some(body))).await;
    assert_eq!((told.status.as_u16(), told.json()["at"].as_str()), (422, Some("/to")));
    let detail = told.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains("您是不是要写 `room`"), "{detail}");
    assert_eq!(told.header("content-language"), "zh");
    let unknown = door.get("/rooms?limt=3").await;
    assert!(unknown.json()["detail"].as_str().unwrap_or_default().contains("did you mean `limit`"), "{unknown:?}");
    door.end().await;
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there_are_told_apart() {
    let door = Door::open().await;
    assert_eq!(door.get("/nowhere").await.code(), "W404");
    let method = door.ask("DELETE", "/rooms", None).await;
    assert_eq!((method.status.as_u16(), method.header("allow"), method.code().as_str()), (405, "GET, POST", "W405"));
    let page = door.send(Request::get("/api").body(Body::empty()).expect("a request")).await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && policy.contains("default-src 'none'"), "{policy}");
    door.end().await;
}

#[tokio::test]
async fn a_ticket_is_issued_to_who_may_read() {
    let door = Door::open().await;
    let ticket = door.send(request(READ, "POST", "/tickets", &[], None)).await;
    assert_eq!((ticket.status.as_u16(), ticket.json()["expiresIn"].as_u64()), (201, Some(60)));
    let again = door.send(request(READ, "POST", "/tickets", &[], None)).await;
    assert_ne!(ticket.json()["ticket"], again.json()["ticket"]);
    assert_eq!(ticket.json()["ticket"].as_str().map(str::len), Some(32));
    door.end().await;
}
