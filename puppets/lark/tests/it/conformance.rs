//! The conformance suite, by both ways of events.

use wechaty_puppet_testkit::conformance::{all, run_where};

use crate::stage::Stage;

wechaty_puppet_testkit::puppet_conformance!(by_connection, Stage::new(false).await);

/// Requests of the platform come side by side, and one that was refused comes again behind the others: in which order,
/// the network says. By the long connection, all of them hold.
const SIDE_BY_SIDE: &[&str] = &[
    "events_keep_their_order_in_a_conversation",
    "a_crash_while_accepting_loses_nothing",
    "what_was_said_while_down_arrives",
    "order_is_kept_across_a_refusal",
];

#[test]
fn by_webhook() {
    for name in SIDE_BY_SIDE {
        assert!(all().any(|case| case.name == *name), "{name} is no case any more");
    }
    let report = run_where(|case| !SIDE_BY_SIDE.contains(&case.name), || Stage::new(true));
    println!("{report}");
    report.assert_passed();
}
