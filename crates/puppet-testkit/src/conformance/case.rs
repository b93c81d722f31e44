//! A case: a name, what it needs, and an async function that says what is wrong.

use std::{fmt, future::Future, pin::Pin};

use wechaty_puppet::{Capability, PuppetError};

use super::{Ability, lab::Lab};

macro_rules! groups {
    ($($name:ident = $text:literal,)*) => {
        /// Cases that belong together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the text of each says it")]
        pub enum Group { $(#[doc = $text] $name,)* }

        impl Group {
            /// Every group, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl fmt::Display for Group {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

groups! {
    Core = "core contract",
    Run = "run",
    Events = "events",
    Send = "send",
    Kinds = "kinds of sends",
    Statuses = "message statuses",
    Loader = "loader",
    Directory = "directory",
    ContactProfile = "contact profile",
    SelfProfile = "self profile",
    Friendships = "friendships",
    Rooms = "rooms",
    RoomInvitations = "room invitations",
    Media = "media",
    Recall = "recall",
    Edits = "edits",
    Reactions = "reactions",
    Typing = "typing",
    ReadMarks = "read marks",
    Tags = "tags",
    Posts = "posts",
    Taps = "taps",
    Login = "login",
    Ding = "ding",
    Webhook = "webhook",
    Pins = "pins",
    Readers = "readers of messages",
    Growing = "growing messages",
    Faults = "faults",
    Restart = "restart",
    Settings = "settings",
}

/// Why a case ends early.
#[derive(Debug)]
pub(super) enum Stop {
    Failed(String),
    Unavailable(Ability, String),
    /// The puppet does not declare what the case is about.
    Undeclared(&'static str),
}

pub(super) type Verdict<T = ()> = Result<T, Stop>;
pub(super) type CaseFuture<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One case of the suite.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Case {
    /// Unique in the suite: a sentence with underscores.
    pub name: &'static str,
    /// Where it belongs.
    pub group: Group,
    /// Skipped unless all of these are declared.
    pub needs: &'static [Capability],
    /// Skipped if the harness declares that it cannot do one of these; lacking anything else is a failure.
    pub optional: &'static [Ability],
    pub(super) run: for<'a> fn(&'a Lab) -> CaseFuture<'a>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.group, self.name)
    }
}

/// A table of cases of a group: `name [Needed] optional [Ability];`, each name an async function of the module.
macro_rules! cases {
    ($table:ident = $group:ident: $($name:ident $([$($need:ident),*])? $(optional [$($ability:ident),*])?;)*) => {
        pub(super) const $table: &[$crate::conformance::Case] = &[$($crate::conformance::Case {
            name: stringify!($name),
            group: $crate::conformance::Group::$group,
            needs: &[$($(wechaty_puppet::Capability::$need),*)?],
            optional: &[$($($crate::conformance::Ability::$ability),*)?],
            run: |lab| Box::pin($name(lab)),
        }),*];
    };
}
pub(super) use cases;

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::case::Stop::Failed(format!($($message)+)));
        }
    };
}
pub(super) use ensure;

/// The capability group of a puppet, which must be there.
macro_rules! group {
    ($session:expr, $accessor:ident) => {
        $session.puppet.$accessor().ok_or_else(|| {
            $crate::conformance::case::Stop::Failed(format!(
                "{}() is None though a capability of it is declared",
                stringify!($accessor)
            ))
        })?
    };
}
pub(super) use group;

pub(super) fn failed<T>(message: impl Into<String>) -> Verdict<T> {
    Err(Stop::Failed(message.into()))
}

/// An error in words, with its kind.
pub(super) fn words(error: &PuppetError) -> String {
    format!("{error} [{}]", error.reason())
}
