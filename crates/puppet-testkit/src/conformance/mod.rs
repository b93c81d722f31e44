//! The conformance suite: what every puppet must do, tried against the platform's side of it.
//!
//! A puppet crate implements [`Harness`] for its fake or real server and writes
//!
//! ```ignore
//! wechaty_puppet_testkit::puppet_conformance!(lark, LarkHarness::new());
//! ```
//!
//! Each case gets a fresh harness, runs in bounded real time and ends as passed, failed with words that name the
//! fault, or skipped. A skip needs an excuse that somebody has declared: a capability that the puppet does not have, or
//! an ability that the case calls optional and the harness lists in [`Harness::cannot`], with a reason that the report
//! repeats. Everything else is a failure.

mod ability;
mod calls;
mod case;
mod cases;
mod harness;
mod lab;
mod recorder;
mod report;
mod runner;
mod sample;
mod session;
mod stage;

pub use ability::{Ability, Cannot};
pub use case::{Case, Group};
pub use harness::{Deed, Fault, Harness, KnownRoom, Look, Received, Said, Unavailable, World};
pub use report::{CaseReport, Outcome, Report};
pub use runner::{run, run_group, run_where};

/// Every case of the suite.
pub fn all() -> impl Iterator<Item = &'static Case> {
    cases::ALL.iter().copied().flatten()
}

/// The suite as tests of a puppet crate: a module of this name with one `#[test]` for each group.
///
/// The second argument is an expression that makes a [`Harness`](crate::conformance::Harness); it is evaluated once
/// for each case, inside an async block, so it may `.await`.
#[macro_export]
macro_rules! puppet_conformance {
    ($name:ident, $harness:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::puppet_conformance! { @groups $harness;
                core: Core, run: Run, events: Events, send: Send, kinds: Kinds, statuses: Statuses, loader: Loader,
                directory: Directory, contact_profile: ContactProfile, self_profile: SelfProfile,
                friendships: Friendships, rooms: Rooms,
                room_invitations: RoomInvitations, media: Media, recall: Recall, edits: Edits, reactions: Reactions,
                typing: Typing, read_marks: ReadMarks, tags: Tags, posts: Posts, taps: Taps, login: Login, ding: Ding,
                webhook: Webhook, pins: Pins, readers: Readers, growing: Growing, faults: Faults, restart: Restart, settings: Settings
            }
        }
    };
    (@groups $harness:expr; $($test:ident: $group:ident),*) => {
        $(
            #[test]
            fn $test() {
                let report = $crate::conformance::run_group($crate::conformance::Group::$group, || async { $harness });
                println!("{report}");
                report.assert_passed();
            }
        )*
    };
}
