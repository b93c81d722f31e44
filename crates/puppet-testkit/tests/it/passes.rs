//! The fake platform passes: with payloads in its events and with ids only, with all capabilities and with few.

use wechaty_puppet::{Capabilities, Capability};
use wechaty_puppet_testkit::{
    FakePlatform,
    conformance::{Outcome, run},
    puppet_conformance,
};

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

#[tokio::test]
async fn one_capability_less_of_each_group_passes() {
    use Capability as C;
    let without = [
        C::SendImage,
        C::SendText,
        C::Mention,
        C::Quote,
        C::LoadContact,
        C::RoomList,
        C::ContactAlias,
        C::SelfName,
        C::FriendshipAdd,
        C::RoomTopic,
        C::MessageFile,
        C::VerifyCode,
        C::Tap,
        C::Ding,
        C::IdempotencyKey,
    ];
    let report = run(move || async move {
        let builder = without.iter().fold(FakeHarness::full(), |builder, less| builder.deny(*less));
        FakeHarness::new(builder.key_window(None))
    })
    .await;
    report.assert_passed();
    assert!(report.cases().iter().any(|case| matches!(case.outcome, Outcome::Skipped(_))));
}
