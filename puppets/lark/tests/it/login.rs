//! Logins: by an app that exists, by one that is registered, and of store apps.

use std::{sync::Arc, time::Duration};

use wechaty::{BotBuilder, http::HttpSettings};
use wechaty_lark_fake::{Delivery, Say, Settings as FakeSettings, State};
use wechaty_puppet::{
    CheckError, Clock, Event, EventPayload, PuppetError, ScanStatus, SessionStore, Settings, VirtualClock,
};
use wechaty_puppet_lark::{DECLARATION, LarkPuppet, Options};
use wechaty_puppet_testkit::MemorySession;

use crate::{
    sink::{Running, soon},
    stage::Stage,
};

fn scan(event: &Event) -> Option<(ScanStatus, Option<String>)> {
    match &event.what {
        EventPayload::Scan(scan) => Some((scan.status, scan.qrcode.clone())),
        _ => None,
    }
}

fn unregistered(stage: &Stage) -> LarkPuppet {
    let settings = Settings::new().set("api_base", stage.fake.url()).set("accounts_base", stage.fake.url());
    LarkPuppet::new(Options::read(&settings).expect("good settings"))
}

/// Time passes until the run has got somewhere.
async fn until(clock: &VirtualClock, what: &str, done: impl Fn() -> bool) {
    soon(what, async {
        while !done() {
            clock.advance(Duration::from_secs(1)).await;
            // The server answers in its own time.
            Clock::system().sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_registered_by_a_scan_and_remembered() {
    let stage = Stage::new(false).await;
    let clock = VirtualClock::new();
    let session = Arc::<MemorySession>::default();
    let running = Running::start(unregistered(&stage), clock.clone().into(), session.clone());
    let (status, code) = running.hears("a code", scan).await;
    let code = code.expect("a code to scan");
    assert!(status == ScanStatus::Waiting && code.contains("from=sdk") && code.contains("source=wechaty"), "{code}");
    stage.fake.with(|state| {
        let by = stage.people[0].to_string();
        let registration = state.registration.as_mut().expect("it is under way");
        (registration.slow_down, registration.approved, registration.by) = (true, Some(true), by);
    });
    let is_in = || running.events().iter().any(|event| matches!(event.what, EventPayload::Ready(_)));
    until(&clock, "the login", is_in).await;
    assert!(running.events().iter().filter_map(scan).any(|(status, _)| status == ScanStatus::Confirmed));
    drop(running);
    // The next start needs no scan.
    let again = Running::start(unregistered(&stage), Clock::system(), session);
    again.hears("ready", |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await;
    assert_eq!(again.events().iter().filter_map(scan).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_refuses_or_is_too_slow_is_told_so() {
    let stage = Stage::new(false).await;
    let clock = VirtualClock::new();
    let running = Running::start(unregistered(&stage), clock.clone().into(), Arc::default());
    running.hears("a code", scan).await;
    let count = |status| running.events().iter().filter_map(scan).filter(|(known, _)| *known == status).count();
    until(&clock, "another code", || count(ScanStatus::Timeout) == 1 && count(ScanStatus::Waiting) == 2).await;
    stage.fake.with(|state| state.registration.as_mut().expect("it is under way").approved = Some(false));
    until(&clock, "the refusal", || count(ScanStatus::Cancel) == 1).await;
    assert!(matches!(running.end().await, Err(PuppetError::LoginRefused { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_and_not_shown() {
    let stage = Stage::new(false).await;
    let settings = stage.settings().set("app_secret", "s3cret-and-wrong");
    let check = DECLARATION.check.expect("it can be checked");
    match check(settings.clone(), Clock::system()).await {
        Err(CheckError::Refused(error)) => assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}"),
        other => panic!("{other:?}"),
    }
    let puppet = LarkPuppet::new(Options::read(&settings).expect("good settings"));
    let ended = Running::start(puppet, Clock::system(), Arc::default()).end().await.expect_err("refused");
    assert!(matches!(ended, PuppetError::LoginRefused { .. }) && !format!("{ended:?}").contains("s3cret"), "{ended:?}");
    let said = check(stage.settings(), Clock::system()).await.expect("good").expect("somebody").to_string();
    assert!(said.contains("bot") && said.contains("ou_"), "{said}");
    assert!(check(Settings::new().set("api_base", stage.fake.url()), Clock::system()).await.expect("asked").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_app_logs_in_with_the_ticket_that_is_posted() {
    let stage = Stage::new(true).await;
    let tenant = stage.fake.with(|state| {
        state.settings = FakeSettings { store_app: true, ..state.settings.clone() };
        state.settings.tenant_key.clone()
    });
    let settings = stage.settings().set("tenant_key", tenant);
    let puppet = stage.serve(LarkPuppet::new(Options::read(&settings).expect("good settings")));
    let session = Arc::<MemorySession>::default();
    let running = Running::start(puppet, Clock::system(), session.clone());
    // Asked for one, the platform posts it; a second does no harm.
    stage.fake.with(|state| state.send_ticket());
    running.hears("ready", |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await;
    assert!(session.get("app-ticket").await.expect("a store").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_one_store_app_share_its_ticket() {
    let stage = Stage::new(true).await;
    let tenant = stage.fake.with(|state| {
        state.settings.store_app = true;
        state.settings.tenant_key.clone()
    });
    let puppet =
        || LarkPuppet::new(Options::read(&stage.settings().set("tenant_key", &tenant)).expect("good settings"));
    let listen = "127.0.0.1:0".parse().expect("an address");
    let fake = stage.fake.clone();
    let bot = BotBuilder::new()
        .account("one", puppet())
        .account("two", puppet())
        .http(HttpSettings { listen, ..HttpSettings::default() })
        .on_listen(move |host| {
            let url = format!("http://{}/webhooks/lark", host.address());
            fake.with(|state| state.settings.webhook.url = url);
        })
        .start()
        .await
        .expect("starts");
    soon("both accounts", async {
        while !bot.accounts().iter().all(|account| account.is_logged_in()) {
            Clock::system().sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
    // What is of a company is for one of them.
    let id = stage.fake.with(|state| {
        let from = state.people.keys().next().cloned().expect("somebody");
        state.say(Say { from, text: "hi".into(), ..Say::default() }).expect("she exists")
    });
    let acked = |state: &State| {
        let event = state.events.values().find(|event| event.message_id.as_deref() == Some(&id))?;
        event.acked_at
    };
    stage.fake.until(Duration::from_secs(60), acked).await.expect("taken");
    // Where one has been stopped, a new ticket is not refused.
    bot.stop_account(&bot.accounts()[0]).await.expect("stops");
    stage.fake.with(|state| state.send_ticket());
    let tickets = |state: &State| {
        let mut tickets = state.events.values().filter(|event| event.event_type == "app_ticket");
        tickets.all(|event| event.acked_at.is_some()).then_some(())
    };
    stage.fake.until(Duration::from_secs(60), tickets).await.expect("taken");
    // A login and a ready of each, and the message once.
    assert_eq!(bot.ledger().await.expect("a book").inbound.received, 2 * 2 + 1);
    // Whoever starts later has it, though no token is good any more, and asks for none.
    let asked = |state: &State| state.requests.get("POST /open-apis/auth/v3/app_ticket/resend").copied();
    let before = stage.fake.with(|state| {
        state.expire_tokens();
        asked(state)
    });
    bot.start_account(&bot.accounts()[0]).await.expect("starts");
    soon("the account", async {
        while !bot.accounts()[0].is_logged_in() {
            Clock::system().sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
    assert_eq!(stage.fake.with(|state| asked(state)), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_came_before_the_start_is_kept_by_it() {
    let stage = Stage::new(true).await;
    let tenant = stage.fake.with(|state| {
        state.settings.store_app = true;
        // It comes once, and nobody is told that it was taken.
        state.settings.retries_ms = Vec::new();
        state.settings.tenant_key.clone()
    });
    let settings = stage.settings().set("tenant_key", tenant);
    let puppet = stage.serve(LarkPuppet::new(Options::read(&settings).expect("good settings")));
    let ticket = stage.fake.with(|state| state.send_ticket());
    let over = |state: &State| {
        let mut tickets = state.events.values().filter(|event| event.event_type == "app_ticket");
        tickets.all(|event| event.state == Delivery::GivenUp).then_some(())
    };
    stage.fake.until(Duration::from_secs(60), over).await.expect("it came");
    let session = Arc::<MemorySession>::default();
    let running = Running::start(puppet, Clock::system(), session.clone());
    running.hears("ready", |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await;
    let kept = session.get("app-ticket").await.expect("a store").expect("a ticket");
    assert_eq!(kept, ticket.as_bytes());
}
