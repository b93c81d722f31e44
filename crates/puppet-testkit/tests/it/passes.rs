//! The fake platform passes: with payloads in its events and with ids only, with all capabilities and with few.

use wechaty_puppet::{Capabilities, Capability};
use wechaty_puppet_testkit::{FakePlatform, conformance::run, puppet_conformance};

use crate::fake_harness::FakeHarness;

puppet_conformance!(everything_declared, FakeHarness::new(FakeHarness::full()));
puppet_conformance!(only_ids_in_events, FakeHarness::new(FakeHarness::full().payloads_in_events(false)));

#[tokio::test]
async fn everything_declared_skips_nothing() {
    let report = run(|| async { FakeHarness::new(FakeHarness::full()) }).await;
    report.assert_passed();
    // Nothing is excused when everything is there.
    assert_eq!(report.skips().collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn the_default_capabilities_pass() {
    run(|| async { FakeHarness::new(FakePlatform::builder()) }).await.assert_passed();
}

#[tokio::test]
async fn a_platform_of_plain_texts_passes() {
    // What comes with its id only must be loadable.
    let few =
        [Capability::SendText, Capability::LoadMessage, Capability::LoadFriendship, Capability::LoadRoomInvitation];
    let report = run(move || async move {
        FakeHarness::new(FakePlatform::builder().capabilities(Capabilities::new(&few)).payloads_in_events(false))
    })
    .await;
    report.assert_passed();
    let excused = report.skips().all(|(_, reason)| reason.contains("does not declare"));
    assert!(excused, "every skip names a capability:\n{report}");
    assert!(report.cases().len() - report.skips().count() > 60, "{report}");
}

/// Every second capability: each group of several is declared in part.
async fn half(rest: usize) {
    let report = run(move || async move {
        let undeclared = Capability::ALL.iter().skip(1 - rest).step_by(2);
        let builder = undeclared.fold(FakeHarness::full(), |builder, less| builder.deny(*less));
        let keys = Capability::ALL.iter().position(|capability| *capability == Capability::IdempotencyKey);
        let declared = keys.is_some_and(|index| index % 2 == rest);
        FakeHarness::new(if declared { builder } else { builder.key_window(None) })
    })
    .await;
    report.assert_passed();
    assert!(report.skips().count() > 0 && report.passed() > 100, "{report}");
}

#[tokio::test]
async fn one_half_of_the_capabilities_passes() {
    half(0).await;
}

#[tokio::test]
async fn the_other_half_of_the_capabilities_passes() {
    half(1).await;
}
