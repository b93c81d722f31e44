//! What strangers post, and what a broken platform sends.

use bytes::Bytes;
use serde_json::{Value, json};
use wechaty_puppet::{Clock, EventPayload, Puppet, Settings, Webhook, WebhookBody, WebhookRequest, WebhookResponse};
use wechaty_puppet_lark::{LarkPuppet, Options};

use crate::{
    sink::Running,
    stage::{KEY, Stage, TOKEN, event, signed},
};

fn seconds(clock: &Clock) -> i64 {
    clock.wall().as_millis() / 1_000
}

fn body(response: WebhookResponse) -> Value {
    match response.body {
        WebhookBody::Bytes(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
        WebhookBody::Stream(_) => panic!("a stream"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_to_who_has_the_key_and_the_token() {
    let stage = Stage::new(true).await;
    // Also while nobody runs it: the console asks when the address is typed in.
    let puppet = stage.make();
    let ask = |token: &str| json!({ "challenge": "c", "token": token, "type": "url_verification" });
    // The platform encrypts it, and does not sign it.
    let posted = |token: &str, key: &str| {
        let mut request = signed(&ask(token), key, 0);
        request.headers.retain(|(name, _)| !name.starts_with("x-lark"));
        request
    };
    let answer = puppet.handle(posted(TOKEN, KEY)).await;
    assert_eq!((answer.status, body(answer)), (200, json!({ "challenge": "c" })));
    let plain = |token: &str| WebhookRequest { body: ask(token).to_string().into(), ..posted(token, KEY) };
    for (request, status) in [
        (posted("wrong", KEY), 401),
        (posted("", KEY), 401),
        (posted(TOKEN, "wrong"), 400),
        (plain(TOKEN), 400),
        // A signature does not take the place of the token.
        (signed(&ask("wrong"), KEY, seconds(&Clock::system())), 401),
    ] {
        assert!(!puppet.claims(&request));
        let refused = puppet.handle(request).await;
        assert_eq!(refused.status, status);
        assert!(!body(refused).to_string().contains(TOKEN));
    }
    // Where one of the two is set, that one counts.
    let base = || Settings::new().set("app_id", "cli_1").set("app_secret", "s").set("mode", "webhook");
    let make = |settings: Settings| LarkPuppet::new(Options::read(&settings).expect("good settings"));
    let (keyed, named) = (make(base().set("encrypt_key", KEY)), make(base().set("verification_token", TOKEN)));
    for (puppet, request, status) in [
        (&keyed, posted("any", KEY), 200),
        (&keyed, posted("any", "wrong"), 400),
        (&keyed, plain("any"), 400),
        (&named, plain(TOKEN), 200),
        (&named, plain("wrong"), 401),
        (&named, posted(TOKEN, KEY), 400),
    ] {
        assert_eq!(puppet.handle(request).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_platforms_is_refused_and_not_told() {
    let stage = Stage::new(true).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    let (alice, now) = (stage.people[0].to_string(), seconds(&Clock::system()));
    let chat = stage.fake.with(|state| state.p2p(&alice));
    let good = || signed(&event(&alice, &chat, "om_good", "good", TOKEN), KEY, now);
    let header = |mut request: WebhookRequest, name: &str, value: &str| {
        request.headers.retain(|(known, _)| known != name);
        request.headers.push((name.into(), value.into()));
        request
    };
    let mut changed = good();
    changed.body = [&changed.body[..], b" "].concat().into();
    let mut unsigned = good();
    unsigned.headers.clear();
    let other_key = signed(&event(&alice, &chat, "om_bad", "bad", TOKEN), "another key", now);
    let wrong_token = signed(&event(&alice, &chat, "om_bad", "bad", "wrong"), KEY, now);
    let mut plain = good();
    plain.body = event(&alice, &chat, "om_bad", "bad", TOKEN).to_string().into();
    let mut get = good();
    get.method = "GET".into();
    for (what, request, status) in [
        ("a changed body", changed, 401),
        ("no signature", unsigned, 401),
        ("another signature", header(good(), "x-lark-signature", &"0".repeat(64)), 401),
        ("another time", header(good(), "x-lark-request-timestamp", &(now - 1).to_string()), 401),
        ("a replay of yesterday", signed(&event(&alice, &chat, "om_bad", "bad", TOKEN), KEY, now - 86_400), 401),
        ("one of tomorrow", signed(&event(&alice, &chat, "om_bad", "bad", TOKEN), KEY, now + 86_400), 401),
        ("another key", other_key, 400),
        ("another token", wrong_token, 401),
        ("a plain body", plain, 400),
        ("a GET", get, 405),
    ] {
        let refused = running.puppet.handle(request).await;
        assert_eq!(refused.status, status, "{what}");
        assert!(!body(refused).to_string().contains(TOKEN), "{what}");
    }
    assert_eq!(running.puppet.handle(good()).await.status, 200);
    running.message("om_good").await;
    assert_eq!(running.times("om_bad"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_known_again() {
    let stage = Stage::new(true).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    let (alice, now) = (stage.people[0].to_string(), seconds(&Clock::system()));
    let chat = stage.fake.with(|state| state.p2p(&alice));
    for _ in 0..2 {
        let request = signed(&event(&alice, &chat, "om_twice", "twice", TOKEN), KEY, now);
        assert_eq!(running.puppet.handle(request).await.status, 200);
    }
    // Also under another event id: the message is the one it was.
    let ids: Vec<_> =
        running.events().iter().filter(|event| event.message_payload().is_some()).map(|e| e.dedupe_id()).collect();
    assert_eq!(ids, [Some("om_twice".to_owned()), Some("om_twice".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_nesting_and_no_size_of_a_body_does_harm() {
    let stage = Stage::new(true).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    let mut request = signed(&json!({}), KEY, seconds(&Clock::system()));
    let deep = [vec![b'['; 1 << 20], vec![b']'; 1 << 20]].concat();
    let deep_objects = "{\"encrypt\":".repeat(200_000).into_bytes();
    let hundred = vec![b'{'; 100 << 20];
    for bytes in
        [deep, deep_objects, hundred, Vec::new(), vec![0xff; 1_000], b"null".to_vec(), b"{\"encrypt\":\"!\"}".to_vec()]
    {
        request.body = Bytes::from(bytes);
        assert!(!running.puppet.claims(&request));
        assert_eq!(running.puppet.handle(request.clone()).await.status, 400);
    }
    // The host asks before it reads a body.
    assert!(running.puppet.max_body() <= 1 << 20);
    let locked = signed(&json!({ "a": "[".repeat(100_000) }), KEY, seconds(&Clock::system()));
    assert_eq!(running.puppet.handle(locked).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_for_another_app_is_not_claimed() {
    let stage = Stage::new(true).await;
    let puppet = stage.make();
    let mut other = event("ou_1", "oc_1", "om_1", "x", TOKEN);
    other["header"]["app_id"] = json!("cli_ffffffffffffffff");
    assert!(!puppet.claims(&signed(&other, KEY, 0)));
    assert!(puppet.claims(&signed(&event("ou_1", "oc_1", "om_1", "x", TOKEN), KEY, 0)));
    assert!(puppet.webhook().is_some_and(|webhook| webhook.is_guarded()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_with_keys_of_their_own_share_a_route() {
    let stage = Stage::new(true).await;
    let make = |settings| LarkPuppet::new(Options::read(&settings).expect("good settings"));
    let other = stage.settings().set("app_id", "cli_ffffffffffffffff").set("encrypt_key", "a second key");
    let apps = [make(stage.settings()), make(other.set("verification_token", "a second token"))];
    let claimed = |request: &WebhookRequest| apps.each_ref().map(|app| app.claims(request));
    let mut second = event("ou_1", "oc_1", "om_1", "x", "a second token");
    second["header"]["app_id"] = json!("cli_ffffffffffffffff");
    assert_eq!(claimed(&signed(&event("ou_1", "oc_1", "om_1", "x", TOKEN), KEY, 0)), [true, false]);
    assert_eq!(claimed(&signed(&second, "a second key", 0)), [false, true]);
    assert_eq!(claimed(&signed(&second, "the key of nobody", 0)), [false, false]);
    let ask = |token: &str| json!({ "challenge": "c", "token": token, "type": "url_verification" });
    assert_eq!(claimed(&signed(&ask(TOKEN), KEY, 0)), [true, false]);
    assert_eq!(claimed(&signed(&ask("a second token"), "a second key", 0)), [false, true]);
    assert_eq!(claimed(&signed(&ask("wrong"), KEY, 0)), [false, false]);
    let request = signed(&ask("a second token"), "a second key", 0);
    assert_eq!(apps[1].handle(request).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_company_is_neither_claimed_nor_told() {
    let stage = Stage::new(true).await;
    let own = stage.fake.with(|state| {
        state.settings.store_app = true;
        state.settings.tenant_key.clone()
    });
    let settings = stage.settings().set("tenant_key", &*own);
    let puppet = stage.serve(LarkPuppet::new(Options::read(&settings).expect("good settings")));
    let running = Running::start(puppet, Clock::system(), Default::default());
    stage.fake.with(|state| state.send_ticket());
    running.hears("ready", |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await;
    let (alice, now) = (stage.people[0].to_string(), seconds(&Clock::system()));
    let chat = stage.fake.with(|state| state.p2p(&alice));
    for (id, tenant, is_ours) in [("om_foreign", "another company", false), ("om_own", &*own, true)] {
        let mut event = event(&alice, &chat, id, "x", TOKEN);
        event["header"]["tenant_key"] = json!(tenant);
        let request = signed(&event, KEY, now);
        assert_eq!(running.puppet.claims(&request), is_ours, "{id}");
        assert_eq!(running.puppet.handle(request).await.status, 200, "{id}");
    }
    running.message("om_own").await;
    assert_eq!(running.times("om_foreign"), 0);
    // In the first form, too.
    let first = |tenant: &str| json!({ "event": { "type": "message", "tenant_key": tenant }, "token": TOKEN });
    assert!(running.puppet.claims(&signed(&first(&own), KEY, now)));
    assert!(!running.puppet.claims(&signed(&first("another company"), KEY, now)));
}
