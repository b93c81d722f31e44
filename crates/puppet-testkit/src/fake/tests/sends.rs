//! Sends: keys, faults, limits, what is not declared.

use std::time::Duration;

use wechaty_puppet::{Capabilities, Capability, FileBox, Limits, Per, Quota, Retry};

use super::*;

#[tokio::test]
async fn a_known_key_is_not_delivered_again_inside_the_window() {
    let window = Duration::from_secs(60);
    let platform = FakePlatform::builder().key_window(Some(window)).build();
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    let first = puppet.send(outgoing(1, alice.id(), "hi")).await.expect("taken");
    platform.clock().advance(window - Duration::from_secs(1)).await;
    let again = puppet.send(outgoing(1, alice.id(), "hi")).await.expect("taken");
    assert_eq!(first.id, again.id);
    assert_eq!(alice.inbox().len(), 1);
    platform.clock().advance(Duration::from_secs(2)).await;
    let late = puppet.send(outgoing(1, alice.id(), "hi")).await.expect("taken");
    assert_ne!(first.id, late.id);
    let book = platform.book();
    let outcomes: Vec<_> = book.sends.iter().map(|send| send.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Duplicate, Outcome::Accepted]);
    assert_eq!((book.delivered().len(), book.delivered_twice().len()), (2, 1));
}

#[tokio::test]
async fn without_keys_a_second_try_arrives_twice() {
    let platform = FakePlatform::builder().deny(Capability::IdempotencyKey).build();
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    let error = puppet.send(outgoing(1, alice.id(), "hi")).await.expect_err("the answer is lost");
    assert!(!error.is_certain() && error.retry() == Retry::Backoff);
    assert_eq!(alice.hears().await, "hi");
    puppet.send(outgoing(1, alice.id(), "hi")).await.expect("taken");
    assert_eq!(alice.hears().await, "hi");
    assert_eq!(platform.book().delivered_twice().len(), 1);
}

#[tokio::test]
async fn quotas_are_counted_and_what_is_too_much_is_refused() {
    const MINUTE: Duration = Duration::from_secs(60);
    const QUOTAS: &[Quota] = &[
        Quota { sends: 2, per: Per::Inbound, within: MINUTE },
        Quota { sends: 1, per: Per::Conversation, within: Duration::from_secs(5) },
        Quota { sends: 3, per: Per::Account, within: Duration::from_secs(3_600) },
    ];
    let platform = FakePlatform::builder().quotas(QUOTAS).build();
    let (puppet, alice, bob) = (platform.puppet(), platform.user("alice"), platform.user("bob"));
    let mut key = 0;
    let mut says = async |to: &Person| {
        key += 1;
        puppet.send(outgoing(key, to.id(), "hi")).await.is_ok()
    };
    assert!(!says(&alice).await, "she has not written");
    alice.leaves_message("hi");
    bob.leaves_message("hi");
    assert!(says(&alice).await && !says(&alice).await, "two in five seconds");
    platform.clock().advance(Duration::from_secs(5)).await;
    assert!(says(&alice).await && says(&bob).await);
    platform.clock().advance(Duration::from_secs(5)).await;
    assert!(!says(&alice).await, "a third answer");
    assert!(!says(&bob).await, "a fourth of the account");
    platform.clock().advance(Duration::from_secs(3_600)).await;
    assert!(!says(&alice).await, "an old message");
    alice.leaves_message("hi");
    assert!(says(&alice).await);
}

#[tokio::test]
async fn faults_are_met_in_the_order_of_planning() {
    let platform = FakePlatform::new();
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    let after = Duration::from_secs(7);
    platform.faults().rate_limit(2, after).fail_sends(1, SendFault::Unreachable).fail_sends(1, SendFault::Rejected);
    platform.faults().fail_sends(1, SendFault::RequestLost).fail_sends(1, SendFault::Protocol);
    platform.faults().fail_sends_to(platform.user("bob").id(), 1, SendFault::Rejected);
    let mut reasons = Vec::new();
    for key in 0..7 {
        match puppet.send(outgoing(key, alice.id(), "hi")).await {
            Ok(_) => reasons.push("sent"),
            Err(error) => {
                if error.reason() == "rate-limited" {
                    assert_eq!(error.retry(), Retry::After(after));
                }
                reasons.push(error.reason());
            }
        }
    }
    let expected = ["rate-limited", "rate-limited", "unreachable", "refused", "transport", "protocol", "sent"];
    assert_eq!(reasons, expected);
    assert_eq!((alice.inbox().len(), platform.totals().failed), (1, 6));
    assert!(puppet.send(outgoing(9, platform.user("bob").id(), "hi")).await.is_err());
}

#[tokio::test]
async fn sends_can_be_delayed_held_and_abandoned() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let send = |key| {
        let (puppet, out) = (platform.puppet(), outgoing(key, alice.id(), "hi"));
        tokio::spawn(async move { puppet.send(out).await })
    };
    platform.faults().hold_sends();
    let (first, second) = (send(1), send(2));
    platform.faults().until_held(2).await;
    second.abort();
    let _ = second.await;
    assert_eq!(platform.book().sends[0].outcome, Outcome::Pending);
    platform.faults().release_sends();
    first.await.expect("no panic").expect("taken");
    assert_eq!(platform.book().sends[1].outcome, Outcome::Abandoned);
    assert!(platform.book().sends[1].overlapped && !platform.book().sends[0].overlapped);

    platform.faults().delay(Duration::from_secs(3));
    let third = send(3);
    platform.clock().advance(Duration::from_secs(2)).await;
    assert_eq!(alice.inbox().len(), 1);
    platform.clock().advance(Duration::from_secs(1)).await;
    third.await.expect("no panic").expect("taken");
    assert_eq!(alice.inbox()[1].at(), Duration::from_secs(3));
}

#[tokio::test]
async fn offline_is_unreachable_and_cuts_the_connection() {
    let (platform, robot, running) = connected().await;
    let alice = platform.user("alice");
    platform.faults().offline(true);
    running.ended().await.expect_err("the connection broke");
    assert_eq!(robot.says(alice.id(), "hi").await.expect_err("offline").reason(), "unreachable");
    robot.run().ended().await.expect_err("still offline");
    platform.faults().none();
    let _running = robot.run();
    platform.account().connected().await;
    robot.says(alice.id(), "hi").await.expect("taken");
}

#[tokio::test]
async fn what_is_not_declared_is_refused() {
    let platform = FakePlatform::with_capabilities(Capabilities::new(&[Capability::SendText, Capability::LoadRoom]));
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    let unsupported = |error: PuppetError| matches!(error, PuppetError::Unsupported { .. });
    let mut quoting = outgoing(1, alice.id(), "hi");
    quoting.quote = Some("msg".into());
    assert!(unsupported(puppet.send(quoting).await.expect_err("no quotes")));
    let mut markdown = outgoing(2, alice.id(), "");
    markdown.what = Arc::new(SayablePayload::Markdown(Default::default()));
    assert!(unsupported(puppet.send(markdown).await.expect_err("no Markdown")));
    assert!(unsupported(puppet.ding(None).await.expect_err("no ding")));
    assert!(puppet.rooms().is_none() && puppet.webhook().is_none());
    let loader = puppet.loader().expect("one of the group is declared");
    assert!(unsupported(loader.contact(&alice.id()).await.expect_err("no contacts")));
    puppet.send(outgoing(3, alice.id(), "hi")).await.expect("text is declared");
    let default = FakePlatform::new().puppet();
    assert!(default.taps().is_some() && default.login().is_some() && default.webhook().is_none());
}

#[tokio::test]
async fn limits_and_addresses_are_checked() {
    let limits = Limits { text: Some(3), file: Some(4), ..Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).build();
    let (puppet, alice) = (platform.puppet(), platform.user("alice"));
    let reason = async |out| puppet.send(out).await.expect_err("refused").reason();
    assert_eq!(reason(outgoing(1, alice.id(), "four")).await, "invalid");
    assert_eq!(reason(outgoing(2, ConversationId::Contact("nobody".into()), "hi")).await, "not-found");
    assert_eq!(reason(outgoing(3, ConversationId::Room("nowhere".into()), "hi")).await, "not-found");
    let mut large = outgoing(6, alice.id(), "");
    large.what = Arc::new(SayablePayload::file(FileBox::from_bytes("12345", "a.txt")));
    assert_eq!(reason(large).await, "invalid");
    alice.blocks_bot();
    assert_eq!(reason(outgoing(4, alice.id(), "hi")).await, "refused");
    alice.unblocks_bot();
    puppet.send(outgoing(5, alice.id(), "hi")).await.expect("taken");
}
