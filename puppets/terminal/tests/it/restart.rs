//! What a stop, another run and another process must not lose or mix up.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use wechaty_catalogue::Lang;
use wechaty_puppet::{AcceptError, Puppet, PuppetError, Timestamp, VirtualClock};

use wechaty_puppet_terminal::TerminalPuppet;

use crate::{Printed, Stage, within};

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

#[tokio::test]
async fn an_input_that_cannot_be_read_ends_the_run_with_an_error_behind_the_lines_before_it() {
    struct Breaks(bool);
    impl std::io::Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("the disk is gone"));
            }
            buffer[..5].copy_from_slice(b"ding\n");
            Ok(5)
        }
    }
    let out = Printed::new();
    let puppet = Arc::new(TerminalPuppet::with(Breaks(false), out.clone(), out.clone(), false, Lang::En));
    let stage = Stage { puppet, keyboard: mpsc::channel().0, out: out.clone(), err: out };
    let mut running = stage.run();
    assert_eq!(running.heard().await, "ding");
    let error = within("the end", running.task).await.expect("no panic").expect_err("it cannot go on");
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(error.retry(), wechaty_puppet::Retry::Never);
}
