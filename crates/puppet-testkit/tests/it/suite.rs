//! The suite as a whole: how many cases, names, skips.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use wechaty_puppet::{Capabilities, ConversationId, Declaration, Limits, Puppet};
use wechaty_puppet_testkit::{
    FakePlatform,
    conformance::{self, Ability, Cannot, Group, Harness, Outcome, Received, Said, Unavailable, World, run_where},
};

use crate::{fake_harness::FakeHarness, settings};

#[test]
fn there_are_at_least_sixty_cases_with_names_of_their_own() {
    let mut names = HashSet::new();
    let mut groups: BTreeMap<Group, usize> = BTreeMap::new();
    for case in conformance::all() {
        assert!(names.insert(case.name), "{} is there twice", case.name);
        *groups.entry(case.group).or_default() += 1;
    }
    assert!(names.len() >= 60, "{} cases", names.len());
    assert_eq!(groups.len(), Group::ALL.len(), "a group has no cases: {groups:?}");
    println!("{} cases: {groups:?}", names.len());
}

/// Declares everything the fake does, but its world is a bare one; and perhaps what it cannot do.
struct Lazy(FakeHarness, &'static [Cannot]);

#[async_trait]
impl Harness for Lazy {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        self.0.puppet().await
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn world(&self) -> World {
        World::new(self.0.world().await.people)
    }
    async fn says(&self, _: Said) -> Result<(), Unavailable> {
        Err(Unavailable::new("too lazy"))
    }
    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        self.0.received(conversation).await
    }
    fn cannot(&self) -> &[Cannot] {
        self.1
    }
}

fn lazy() -> Lazy {
    Lazy(FakeHarness::new(FakePlatform::builder()), &[])
}

#[test]
fn a_skip_without_an_excuse_is_a_failure() {
    let report = run_where(
        |case| ["a_changed_topic_is_kept", "a_text_arrives_with_its_talker"].contains(&case.name),
        || async { lazy() },
    );
    let outcome = |name| report.outcome(name).expect("it ran");
    for (name, words) in [
        ("a_changed_topic_is_kept", "illegal skip: the harness cannot offer a room"),
        ("a_text_arrives_with_its_talker", "too lazy"),
    ] {
        assert!(matches!(outcome(name), Outcome::Failed(message) if message.contains(words)), "{report}");
    }
    let table = report.to_string();
    assert!(table.contains("FAILED  a_changed_topic_is_kept") && table.contains("total"), "{table}");
}

#[test]
fn a_harness_that_silently_cannot_inject_a_fault_fails() {
    const DECLARED: &[Cannot] = &[Cannot::new("the wire never breaks", &[Ability::LoseReply, Ability::SayText])];
    let outcome = |name: &'static str, cannot| {
        let make = move || async move { Lazy(FakeHarness::new(FakePlatform::builder()), cannot) };
        run_where(|case| case.name == name, make).outcome(name).expect("it ran").clone()
    };
    for (name, cannot, words) in [
        ("a_lost_reply_is_in_doubt", &[][..], "the harness cannot lose the reply of a send"),
        ("a_lost_reply_is_in_doubt", &[], "but does not say so in `cannot()`"),
        ("a_leave_names_room_and_removee", &[], "the harness cannot offer a room"),
        ("a_rate_limit_surfaces_with_its_pause", DECLARED, "does not say so"),
        // What every harness must do cannot be declared away.
        ("a_text_arrives_with_its_talker", DECLARED, "every harness must"),
    ] {
        let found = outcome(name, cannot);
        assert!(matches!(&found, Outcome::Failed(message) if message.contains(words)), "{name}: {found:?}");
    }
    let declared = outcome("a_lost_reply_is_in_doubt", DECLARED);
    let reason = "the platform cannot lose the reply of a send: the wire never breaks";
    assert_eq!(declared, Outcome::Skipped(reason.to_owned()));
}

#[test]
fn without_a_limit_nothing_is_said_about_texts_over_it() {
    let name = "a_text_over_the_limit_is_refused_or_whole";
    let make = || async { FakeHarness::new(FakePlatform::builder().limits(Limits::DEFAULT)) };
    let report = run_where(|case| case.name == name, make);
    let reason = "the puppet does not declare a limit of texts";
    assert_eq!(report.outcome(name), Some(&Outcome::Skipped(reason.to_owned())));
}

#[test]
#[should_panic(expected = "the puppet does not conform")]
fn a_failed_report_panics() {
    run_where(|case| case.name == "a_text_arrives_with_its_talker", || async { lazy() }).assert_passed();
}

/// The fake with another declaration.
struct Declared(FakeHarness, Declaration);

#[async_trait]
impl Harness for Declared {
    async fn puppet(&self) -> Arc<dyn Puppet> {
        self.0.puppet().await
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn world(&self) -> World {
        self.0.world().await
    }
    async fn says(&self, said: Said) -> Result<(), Unavailable> {
        self.0.says(said).await
    }
    async fn received(&self, conversation: &ConversationId) -> Vec<Received> {
        self.0.received(conversation).await
    }
    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Ok(self.1)
    }
}

#[test]
fn bad_declarations_fail() {
    for (declaration, name, words) in [
        (settings::LEAKY, "secrets_are_never_printed", "prints a secret"),
        (settings::DEFAULT_SECRET, "settings_are_well_formed", "secret token has a default"),
        (settings::CARELESS, "a_missing_setting_is_named", "built without it"),
    ] {
        let make = move || async move { Declared(FakeHarness::new(FakePlatform::builder()), declaration) };
        let report = run_where(|case| case.name == name, make);
        let failed = matches!(report.outcome(name), Some(Outcome::Failed(message)) if message.contains(words));
        assert!(failed, "{name} should say {words:?}:\n{report}");
    }
}
