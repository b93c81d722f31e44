//! What a stop, another run and another process must not lose or mix up.

use std::time::Duration;

use wechaty_puppet::{AcceptError, Puppet, PuppetError, Timestamp, VirtualClock};

use crate::Stage;

#[tokio::test]
async fn lines_read_before_a_stop_are_kept() {
    let stage = Stage::new(false);
    let mut first = stage.run();
    stage.types("one");
    assert_eq!(first.heard().await, "one");
    // The bot stops: it takes nothing any more.
    first.events.close();
    stage.types("two\nthree");
    let error = first.end().await.unwrap_err();
    assert!(matches!(error, PuppetError::Accept(AcceptError::Stopping)), "{error}");
    let mut second = stage.run();
    assert_eq!(second.heard().await, "two");
    assert_eq!(second.heard().await, "three");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn lines_of_a_second_process_are_no_duplicates_of_the_first() {
    let mut ids = Vec::new();
    for start in [1_700_000_000_000, 1_700_000_000_001] {
        let stage = Stage::new(false);
        let clock = VirtualClock::starting_at(Timestamp::from_millis(start));
        let mut running = stage.run_on(clock.clone().into());
        stage.types("ding");
        ids.push(running.message().await.id.clone());
        running.stop().await.unwrap();
        // The time is that of the first run.
        clock.advance(Duration::from_secs(1)).await;
        let mut running = stage.run_on(clock.into());
        stage.types("ding");
        ids.push(running.message().await.id.clone());
        running.stop().await.unwrap();
    }
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["t1700000000000-1", "t1700000000000-2", "t1700000000001-1", "t1700000000001-2"]);
}

#[tokio::test]
async fn dings_that_nobody_fetches_do_not_pile_up() {
    let stage = Stage::new(false);
    let mut taken = 0;
    let error = loop {
        match stage.puppet.ding(None).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PuppetError::RateLimited { .. }) && taken == 64, "{taken}: {error}");
}
