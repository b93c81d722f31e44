//! What goes wrong between us and the platform: recovered, or told.

use std::{sync::Arc, time::Duration};

use wechaty_lark_fake::{Delivery, EventFault, EventTrouble, Fault, Say, State, Trouble};
use wechaty_puppet::{
    Clock, ContactId, Growing, IdempotencyKey, Outgoing, Puppet, PuppetError, Retry, SayablePayload, VirtualClock,
};

use crate::{
    sink::{Running, soon},
    stage::Stage,
};

fn text(number: u8, to: &ContactId) -> Outgoing {
    Outgoing::new(IdempotencyKey::from_bytes([number; 16]), to.clone().into(), Arc::new(SayablePayload::text("text")))
}

fn fault(stage: &Stage, path: &str, times: u32, trouble: Trouble) {
    stage
        .fake
        .with(|state| state.faults.push(Fault { path: path.into(), method: String::new(), times, trouble, after: 0 }));
}

const SEND: &str = "/open-apis/im/v1/messages";

fn says(stage: &Stage, words: &str) -> String {
    let say = Say { from: stage.people[0].to_string(), text: words.into(), ..Say::default() };
    stage.fake.with(|state| state.say(say)).expect("she exists")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_mid_send_is_renewed_once_and_the_send_goes_on() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    stage.fake.with(|state| state.expire_tokens());
    running.puppet.send(text(1, &stage.people[0])).await.expect("sent");
    // Refused without end, it is told, and nothing is tried for ever.
    fault(&stage, SEND, 10, Trouble::Refuse { code: 99_991_663, status: 400, msg: "invalid".into() });
    let refused = running.puppet.send(text(2, &stage.people[0])).await.expect_err("refused");
    assert!(matches!(refused, PuppetError::NotLoggedIn) && refused.is_certain());
    let left = stage.fake.with(|state| state.faults.iter().map(|fault| fault.times).sum::<u32>());
    assert_eq!(left, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_token_shares_it() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    stage.fake.with(|state| state.expire_tokens());
    let asked = stage.fake.with(|state| state.tokens_made());
    let sends = (0..20).map(|number| running.puppet.send(text(number, &stage.people[0])));
    for sent in futures_util::future::join_all(sends).await {
        sent.expect("sent");
    }
    let made = stage.fake.with(|state| state.tokens_made());
    assert_eq!(made, asked + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends() {
    let virtual_clock = VirtualClock::new();
    let clock: Clock = virtual_clock.clone().into();
    let stage = Stage::with(false, clock.clone()).await;
    let running = Running::ready(stage.make(), clock).await;
    let made = |stage: &Stage| stage.fake.with(|state| state.tokens_made());
    let before = made(&stage);
    virtual_clock.advance(Duration::from_secs(7_000)).await;
    running.puppet.send(text(1, &stage.people[0])).await.expect("sent");
    assert_eq!(made(&stage), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_is_told_with_its_pause_each_time() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    fault(&stage, SEND, 50, Trouble::Throttle { reset: 3, old: false });
    fault(&stage, SEND, 50, Trouble::Throttle { reset: 4, old: true });
    for number in 0..100 {
        let error = running.puppet.send(text(1, &stage.people[0])).await.expect_err("too fast");
        let pause = Duration::from_secs(if number < 50 { 3 } else { 4 });
        assert_eq!(error.retry(), Retry::After(pause), "{number}");
        assert!(error.is_certain());
    }
    running.puppet.send(text(1, &stage.people[0])).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_only_half_open_is_noticed_and_made_anew() {
    let stage = Stage::new(false).await;
    stage.fake.with(|state| state.settings.connection.ping = 1);
    let virtual_clock = VirtualClock::new();
    let running = Running::ready(stage.make(), virtual_clock.clone().into()).await;
    stage.fake.deafen_connections();
    let id = says(&stage, "into the void");
    soon("the message", async {
        while running.times(&id) == 0 {
            virtual_clock.advance(Duration::from_secs(1)).await;
            // The server answers in its own time.
            Clock::system().sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_nothing() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    let mut said: Vec<String> = Vec::new();
    let mut say = |when: &str| said.extend((0..3).map(|number| says(&stage, &format!("{when} {number}"))));
    // The bot has none of it yet when the server goes.
    let door = running.heard.door.write().await;
    say("before");
    let is_sent = |state: &mut State| state.events.values().all(|event| event.state == Delivery::Sent);
    while !stage.fake.with(is_sent) {
        Clock::system().sleep(Duration::from_millis(5)).await;
    }
    let (back, ()) = tokio::join!(stage.fake.restart(Duration::from_secs(1)), async {
        soon("the end of the connection", async {
            while stage.fake.connections() > 0 {
                Clock::system().sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        say("meanwhile");
    });
    back.expect("back");
    drop(door);
    say("after");
    for id in &said {
        running.message(id).await;
    }
    assert_eq!(running.order(), said);
    // All of it is acknowledged, over a second connection.
    let is_over = |state: &State| {
        let is_over = state.events.values().all(|event| event.state == Delivery::Acked);
        is_over.then_some(state.connected)
    };
    assert_eq!(stage.fake.until(Duration::from_secs(60), is_over).await, Some(2));
    running.puppet.send(text(1, &stage.people[0])).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_discovery_is_tried_again_or_told_by_its_code() {
    let discovery = "/callback/ws/endpoint";
    for (code, fatal) in
        [(1, false), (1_000_040_343, false), (514, true), (403, true), (1_000_040_345, true), (1_000_040_350, true)]
    {
        let stage = Stage::new(false).await;
        fault(&stage, discovery, 1, Trouble::Refuse { code, status: 200, msg: "no".into() });
        let ended = Running::start(stage.make(), Clock::system(), Arc::default()).end().await.expect_err("refused");
        assert_eq!(ended.retry() == Retry::Never, fatal, "{code}: {ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_handshake_says_why_in_its_headers() {
    for (status, autherrcode, fatal) in
        [(514, 1_000_040_350, true), (514, 1_000_040_344, false), (514, 0, false), (403, 0, true), (500, 0, false)]
    {
        let stage = Stage::new(false).await;
        fault(&stage, "/ws/v2", 1, Trouble::Handshake { status, msg: "because".into(), autherrcode });
        let ended = Running::start(stage.make(), Clock::system(), Arc::default()).end().await.expect_err("refused");
        assert_eq!(ended.retry() == Retry::Never, fatal, "{status}, {autherrcode}: {ended}");
        assert!(wechaty_puppet::with_causes(&ended).contains("because"), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_and_refused_discoveries_in_between_are_got_over() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    fault(&stage, "/callback/ws/endpoint", 1, Trouble::Refuse { code: 1, status: 200, msg: "busy".into() });
    stage.fake.drop_connections();
    let id = says(&stage, "meanwhile");
    running.message(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_none_and_acks_that_are_lost_lose_no_event() {
    const ACKED: &str = "acked";
    // How often it is told, and what becomes of each try at the platform.
    for (trouble, told, expected) in [
        (EventTrouble::Truncated, 1, &[ACKED][..]),
        (EventTrouble::AckLost, 2, &["the acknowledgement was lost on purpose", ACKED]),
        (EventTrouble::Repeat, 2, &[ACKED, ACKED]),
        (EventTrouble::RepeatRenamed, 2, &[ACKED, ACKED]),
        (EventTrouble::FragmentLost, 1, &["no acknowledgement in time", ACKED]),
    ] {
        let stage = Stage::new(false).await;
        stage.fake.with(|state| {
            state.settings.fragment_bytes = 200;
            // Only a fragment that is lost is waited for.
            state.settings.ack_ms = if trouble == EventTrouble::FragmentLost { 2_000 } else { 60_000 };
            state.event_faults.push(EventFault { event_type: String::new(), times: 1, trouble });
        });
        let running = Running::ready(stage.make(), Clock::system()).await;
        let id = says(&stage, "all the same");
        if trouble == EventTrouble::FragmentLost {
            let tried = |state: &State| state.events.values().any(|event| !event.attempts.is_empty()).then_some(());
            stage.fake.until(Duration::from_secs(60), tried).await.expect("it was tried");
            stage.fake.with(|state| state.settings.ack_ms = 60_000);
        }
        let tries = |state: &State| {
            let event = state.events.values().find(|event| event.message_id.as_deref() == Some(&id))?;
            let tries: Vec<_> = event.attempts.iter().map(|attempt| attempt.outcome.clone()).collect();
            (tries.len() == expected.len()).then_some(tries)
        };
        let tries = stage.fake.until(Duration::from_secs(60), tries).await;
        assert_eq!(tries.as_deref().unwrap_or_default(), expected, "{trouble:?}");
        // Told again, it is known by what it is.
        let known: Vec<_> = running
            .events()
            .iter()
            .filter(|event| event.message_payload().is_some())
            .map(|event| event.dedupe_id().map(|id| id.to_string()))
            .collect();
        assert_eq!(known, vec![Some(id.clone()); told], "{trouble:?}");
        // Over the one connection that there was.
        assert_eq!(stage.fake.with(|state| state.connected), 1, "{trouble:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_answered_with_an_error_is_in_doubt() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    for (number, trouble) in [(1, Trouble::StatusAfter { status: 502 }), (2, Trouble::ResetAfter)] {
        fault(&stage, SEND, 1, trouble);
        let error = running.puppet.send(text(number, &stage.people[0])).await.expect_err("in doubt");
        assert!(!error.is_certain() && error.retry() != Retry::Never, "{error}");
        running.puppet.send(text(number, &stage.people[0])).await.expect("known again");
    }
    let sent = stage.fake.with(|state| state.messages.values().map(|message| message.again).collect::<Vec<_>>());
    assert_eq!(sent, [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_certain_for_nobody_has_seen_it() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    fault(&stage, "/open-apis/im/v1/files", 1, Trouble::ResetAfter);
    let file = wechaty_puppet::FileBox::from_bytes(&b"bytes"[..], "a.txt");
    let what = SayablePayload::Attachment(wechaty_puppet::FilePayload { file });
    let mut out = text(1, &stage.people[0]);
    out.what = Arc::new(what);
    let error = running.puppet.send(out.clone()).await.expect_err("lost");
    assert!(error.is_certain() && error.retry() == Retry::Backoff, "{error}");
    running.puppet.send(out).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_told_with_what_to_do() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    fault(&stage, SEND, 1, Trouble::Refuse { code: 230_027, status: 400, msg: "Lack of necessary permissions".into() });
    let error = running.puppet.send(text(1, &stage.people[0])).await.expect_err("refused").to_string();
    assert!(error.contains("230027") && error.contains("developer console"), "{error}");
}

/// What people see of a card that grows.
fn shown(stage: &Stage) -> String {
    let text = |card: &serde_json::Value| card["body"]["elements"][0]["content"].as_str().map(str::to_owned);
    stage.fake.with(|state| state.cards.values().find_map(|card| text(&card.card))).expect("a card")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_was_sent_is_sent_though_the_rest_of_its_text_is_refused() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    fault(&stage, "/open-apis/cardkit/v1/cards/", 1, Trouble::Refuse { code: 300_313, status: 400, msg: "no".into() });
    let (mut out, words) = (text(1, &stage.people[0]), "long ".repeat(5_000));
    out.what = Arc::new(SayablePayload::text(&*words));
    let to = out.to.clone();
    let id = running.puppet.begin(out).await.expect("sent").id.expect("an id");
    assert!(shown(&stage).len() < words.len());
    running.puppet.finish(&to, &id, &words).await.expect("finished");
    assert_eq!(shown(&stage), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_time_to_grow_is_over_is_opened_again() {
    let virtual_clock = VirtualClock::new();
    let clock: Clock = virtual_clock.clone().into();
    let stage = Stage::with(false, clock.clone()).await;
    let running = Running::ready(stage.make(), clock).await;
    let out = text(1, &stage.people[0]);
    let to = out.to.clone();
    let id = running.puppet.begin(out).await.expect("sent").id.expect("an id");
    virtual_clock.advance(Duration::from_secs(700)).await;
    let grown = running.puppet.grow(&to, &id, "late");
    tokio::pin!(grown);
    soon("the change", async {
        loop {
            tokio::select! {
                done = &mut grown => break done.expect("changed"),
                // The server answers in its own time.
                () = Clock::system().sleep(Duration::from_millis(10)) => {
                    virtual_clock.advance(Duration::from_millis(100)).await;
                }
            }
        }
    })
    .await;
    assert_eq!(shown(&stage), "late");
}
