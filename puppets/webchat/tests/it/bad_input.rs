//! What no page of ours would send: each is refused with its code, and nothing of it reaches the bot.

use serde_json::json;
use wechaty_puppet::Bytes;
use wechaty_puppet_webchat::Options;

use crate::{browser::Browser, stage::Stage};

const CALLS: &[(&str, &str)] = &[
    ("POST", "join"),
    ("POST", "name"),
    ("POST", "language"),
    ("GET", "state"),
    ("GET", "history?conversation=bot"),
    ("GET", "stream"),
    ("POST", "say"),
    ("POST", "file?conversation=bot&name=a&nonce=n"),
    ("POST", "edit"),
    ("POST", "recall"),
    ("POST", "react"),
    ("POST", "action"),
    ("POST", "typing"),
    ("POST", "rooms"),
    ("POST", "rooms/enter"),
    ("POST", "rooms/leave"),
    ("POST", "rooms/topic"),
    ("GET", "no-such-call"),
];

#[tokio::test]
async fn a_wrong_token_is_refused_in_all_calls() {
    let options = Options { token: Some("s3crets3cret".into()), ..Options::default() };
    let (stage, _running) = Stage::up_with(options).await;
    assert!(stage.puppet.webhook().unwrap().is_guarded());
    let mut ann = Browser::new(stage.puppet.clone());
    ann.token = Some("s3crets3cret".into());
    let joined = ann.post("join", &json!({ "name": "Ann" })).await.ok();
    ann.secret = joined["secret"].as_str().unwrap().to_owned();
    ann.says("bot", "ding").await.ok();
    for token in [None, Some("".to_owned()), Some("s3crets3cre".to_owned()), Some("S3crets3cret".to_owned())] {
        ann.token = token;
        for (method, call) in CALLS.iter().chain(&[("POST", "ticket")]) {
            let answer = ann.ask(ann.request(method, &format!("/chat/api/{call}"), "{}")).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "W420"), "{call}");
        }
    }
    // The page itself holds no secret.
    assert_eq!(ann.get("/").await.status, 200);
    assert_eq!(stage.heard(), ["ding"]);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_all_calls() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let forged = format!("{}.{}", ann.id, "0".repeat(32));
    for secret in ["", "x", ".", &ann.id, &format!("{}.", ann.id), &forged, &"x".repeat(100_000)] {
        let mut eve = ann.clone();
        secret.clone_into(&mut eve.secret);
        for (method, call) in CALLS.iter().filter(|(_, call)| *call != "join") {
            let answer = eve.ask(eve.request(method, &format!("/chat/api/{call}"), "{}")).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "W421"), "{call} {secret:.40}");
        }
    }
}

#[tokio::test]
async fn before_a_run_every_call_is_refused_and_the_page_is_there() {
    let stage = Stage::new(Options::default());
    let tab = Browser::new(stage.puppet.clone());
    for (method, call) in CALLS {
        let answer = tab.ask(tab.request(method, &format!("/chat/api/{call}"), "{}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "W440"), "{call}");
    }
    let page = tab.get("/").await;
    assert_eq!(page.status, 200);
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
        connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    assert_eq!(page.header("content-security-policy"), Some(policy));
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(page.header(header), Some(value));
    }
    assert_eq!(tab.get("/chat/strings/zh.json").await.ok()["send"], "发送");
}

#[tokio::test]
async fn bad_bodies_are_refused_and_never_panic() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let long = json!({ "id": "x".repeat(60_000), "text": "x", "reaction": "x", "added": true, "value": "x", "topic": "x",
        "conversation": "y".repeat(1_000), "name": "z".repeat(1_000), "nonce": "n" });
    let deep = "[".repeat(60_000);
    let bodies: [Bytes; 8] = [
        Bytes::new(),
        "{".into(),
        "null".into(),
        "[]".into(),
        Bytes::from_static(b"{\"text\":\"\xff\xfe\"}"),
        r#"{"id":1,"text":{},"name":[],"topic":null,"conversation":true}"#.into(),
        deep.into(),
        long.to_string().into(),
    ];
    for (method, call) in CALLS.iter().filter(|(method, call)| *method == "POST" && !call.starts_with("file")) {
        for body in &bodies {
            // No name is a good one to join with, and who leaves where they are not has left.
            let answer = ann.ask(ann.request(method, &format!("/chat/api/{call}"), body.clone())).await;
            let fine = *call == "rooms/leave"
                || (*call == "join" && answer.status == 200)
                || (*call == "rooms" && answer.status == 200);
            assert!(fine || (400..500).contains(&answer.status), "{call}: {} for {body:.60?}", answer.status);
            assert!(answer.json().is_object());
        }
        let huge = ann.ask(ann.request(method, &format!("/chat/api/{call}"), vec![b' '; 70_000])).await;
        assert_eq!((huge.status, huge.code().as_str()), (413, "W432"));
    }
    assert!(stage.messages().is_empty());
}

#[tokio::test]
async fn bad_words_are_refused() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    for text in ["", "  \n", &"字".repeat(4_001)] {
        assert_eq!(ann.says("bot", text).await.code(), "W427");
    }
    ann.says("bot", &"字".repeat(4_000)).await.ok();
    for name in ["a\nb", "\u{202e}x", &"x".repeat(41)] {
        assert_eq!(ann.post("name", &json!({ "name": name })).await.code(), "W426");
        assert_eq!(ann.post("rooms", &json!({ "topic": name })).await.code(), "W426");
        assert_eq!(ann.post("join", &json!({ "name": name })).await.code(), "W426");
    }
    ann.says_with("bot", "ding", &"n".repeat(64)).await.ok();
    let press = json!({ "id": "m", "value": "y", "nonce": "n".repeat(65) });
    assert_eq!(ann.post("action", &press).await.code(), "W425");
    for nonce in ["", &"n".repeat(65)] {
        assert_eq!(ann.says_with("bot", "ding", nonce).await.code(), "W425");
    }
    let many: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let body = json!({ "conversation": "bot", "text": "x", "mentions": many, "nonce": "n" });
    assert_eq!(ann.post("say", &body).await.code(), "W425");
    for place in ["", "nowhere", "Bot", &ann.id] {
        assert_eq!(ann.says(place, "hello").await.code(), "W428");
    }
}

#[tokio::test]
async fn odd_paths_queries_and_headers_are_refused() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    for path in [
        "/chat/../Cargo.toml",
        "/chat/api",
        "/chat/api/",
        "/chat/api/../state",
        "/chat/nothing.js",
        "/chat/index.html",
        "/chat/strings/fr.json",
        "/chat/strings/../en.json",
        "/chat//",
        "/chat/%2e%2e/x",
        "/chat/\u{0}",
        "/chat/strings/",
    ] {
        let answer = ann.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "W424"), "{path}");
    }
    for (method, target, allow) in [
        ("PUT", "/chat/api/say", "POST"),
        ("GET", "/chat/api/join", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/chat/app.js", "GET, HEAD"),
        ("DELETE", "/chat/api/state", "GET"),
    ] {
        let answer = ann.ask(ann.request(method, target, "{}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (405, "W438"), "{method} {target}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {target}");
    }
    for path in ["/chat", "/chat/"] {
        assert_eq!((ann.get(path).await.status, ann.get(path).await.header("location")), (308, Some("/")));
    }
    assert_eq!(ann.get("/favicon.ico").await.header("content-type"), Some("image/svg+xml"));
    for query in [
        "history",
        "history?conversation=bot&conversation=bot",
        "history?conversation=bot&before=x",
        "history?conversation=bot&limit=-1",
        "stream?after=x",
        "stream?after=-1",
        "stream?after=1&after=2",
    ] {
        assert_eq!(ann.get(&format!("/chat/api/{query}")).await.code(), "W425", "{query}");
    }
    assert_eq!(ann.get("/chat/api/history?conversation=%ff%fe").await.code(), "W428");
    for header in ["x-visitor", "authorization"] {
        let mut request = ann.request("GET", "/chat/api/state", "");
        request.headers.extend([(header.to_owned(), "a".to_owned()), (header.to_owned(), "b".to_owned())]);
        assert_eq!(ann.ask(request).await.code(), "W425", "{header}");
    }
    let mut request = Browser::new(stage.puppet.clone()).request("GET", "/chat/nothing", "");
    request.headers.push(("accept-language".into(), "zh-CN,zh;q=0.9".into()));
    assert_eq!(ann.ask(request).await.json()["error"]["message"], "这里什么也没有。");
}

#[tokio::test]
async fn what_strangers_send_is_refused_before_it_is_read() {
    let options = Options { token: Some("s3crets3cret".into()), ..Options::default() };
    let limit = options.file_limit;
    let (stage, _running) = Stage::up_with(options).await;
    let admits = |who: &Browser, call: &str| {
        let head = who.request("POST", &format!("/chat/api/{call}"), "");
        stage.puppet.webhook().unwrap().admits(&head).map_err(|answer| answer.status)
    };
    let mut ann = Browser::new(stage.puppet.clone());
    assert_eq!((admits(&ann, "file?name=a"), admits(&ann, "join")), (Err(401), Err(401)));
    ann.token = Some("s3crets3cret".into());
    assert_eq!(admits(&ann, "file?name=a"), Err(401), "a visitor nobody knows");
    let joined = ann.post("join", &json!({ "name": "Ann" })).await.ok();
    ann.secret = joined["secret"].as_str().unwrap().to_owned();
    assert_eq!(admits(&ann, "file?name=a"), Ok(limit));
    assert!(admits(&ann, "say").is_ok_and(|most| most < 1 << 20), "words are no file");
}
