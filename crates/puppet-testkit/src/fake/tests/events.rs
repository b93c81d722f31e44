//! Delivery of events: duplicates, order, reconnects, acknowledgements.

use super::*;

#[tokio::test]
async fn duplicates_come_again_and_are_counted() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    platform.faults().duplicate_events(1);
    alice.says("ding").await;
    platform.settled().await;
    platform.faults().duplicate_events_in_batch(1);
    alice.says("ding").await;
    platform.settled().await;
    assert_eq!(robot.duplicates(), 2);
    let book = platform.book();
    assert_eq!((book.duplicates(), book.sent_texts().len()), (2, 2));
    assert_eq!(platform.totals().accepted, platform.totals().events + 2);
}

#[tokio::test]
async fn a_reconnect_resumes_from_the_cursor_without_loss() {
    let (platform, robot, running) = connected().await;
    let alice = platform.user("alice");
    alice.says("one").await;
    platform.faults().disconnect();
    let error = running.ended().await.expect_err("the connection broke");
    assert!(matches!(error, PuppetError::Transport { .. }), "{error}");
    alice.says("two").await;
    alice.says("three").await;
    let running = robot.run();
    platform.settled().await;
    running.stop().await;
    assert_eq!(robot.texts(), ["one", "two", "three"]);
    assert_eq!((robot.duplicates(), platform.totals().connections), (0, 2));
}

#[tokio::test]
async fn what_was_not_accepted_before_a_crash_comes_again() {
    let (platform, robot, running) = connected().await;
    let alice = platform.user("alice");
    robot.0.full.store(true, Ordering::Relaxed);
    let saying = tokio::spawn({
        let alice = alice.clone();
        async move { alice.says("ding").await }
    });
    while platform.totals().deliveries < 3 {
        tokio::task::yield_now().await;
    }
    running.crash().await;
    saying.await.expect("alice does not wait for a bot that is gone");
    robot.0.full.store(false, Ordering::Relaxed);
    let _running = robot.run();
    assert_eq!(alice.hears().await, "dong");
    assert_eq!(platform.book().events.iter().map(|e| e.deliveries).max(), Some(2));
}

#[tokio::test]
async fn an_older_cursor_gets_what_is_behind_it_again() {
    let (platform, robot, running) = connected().await;
    let alice = platform.user("alice");
    alice.says("one").await;
    let older = robot.0.cursor.lock().clone();
    alice.says("two").await;
    running.stop().await;
    *robot.0.cursor.lock() = older;
    let running = robot.run();
    platform.account().connected().await;
    alice.says("three").await;
    running.stop().await;
    assert_eq!((robot.texts(), robot.duplicates()), (vec!["one".into(), "two".into(), "three".into()], 1));
}

#[tokio::test]
async fn lost_acknowledgements_bring_events_again_where_there_is_no_cursor() {
    let (platform, robot, running) = start(FakePlatform::builder().cursors(false).build()).await;
    let alice = platform.user("alice");
    platform.faults().lose_acks(1);
    alice.says("ding").await;
    running.ended().await.expect_err("the connection broke");
    let running = robot.run();
    platform.settled().await;
    running.stop().await;
    assert_eq!((robot.duplicates(), alice.inbox().len(), platform.book().duplicates()), (1, 1, 1));
}

#[tokio::test]
async fn neighbours_of_different_conversations_swap() {
    let (platform, robot, _running) = connected().await;
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    platform.faults().hold_events();
    for (person, text) in [(&alice, "a1"), (&alice, "a2"), (&bob, "b1"), (&alice, "a3")] {
        person.says(text).await;
    }
    platform.faults().reorder_events(5).release_events();
    platform.settled().await;
    assert_eq!(robot.texts(), ["a1", "b1", "a2", "a3"]);

    platform.faults().reorder_events(0).hold_events().reorder_within_conversations(1);
    alice.says("first").await;
    alice.says("second").await;
    platform.faults().release_events();
    platform.settled().await;
    assert_eq!(robot.texts()[4..], ["second", "first"]);
}

#[tokio::test]
async fn a_store_that_fails_gets_the_batch_again_later() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    robot.0.broken.store(1, Ordering::Relaxed);
    let saying = tokio::spawn(async move { alice.says("one").await });
    while platform.clock().sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(robot.texts().is_empty());
    platform.clock().advance(std::time::Duration::from_millis(100)).await;
    saying.await.expect("accepted at last");
    assert_eq!(robot.texts(), ["one"]);
}

#[tokio::test]
async fn a_second_connection_replaces_the_first() {
    let (platform, robot, running) = connected().await;
    let _second = robot.run();
    let error = running.ended().await.expect_err("replaced");
    assert!(matches!(error, PuppetError::LoginRefused { .. }), "{error}");
    platform.account().connected().await;
    let alice = platform.user("alice");
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "dong");
}

#[tokio::test]
async fn without_a_book_totals_remain() {
    let (platform, _robot, _running) = start(FakePlatform::builder().without_book().build()).await;
    let alice = platform.user("alice");
    for _ in 0..3 {
        alice.leaves_message("ding");
    }
    platform.until_delivered(3).await;
    assert!(platform.book().events.is_empty() && platform.book().sends.is_empty());
    assert_eq!((platform.totals().events, platform.totals().delivered), (5, 3));
}
