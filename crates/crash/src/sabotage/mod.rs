//! SABOTAGE: planted faults, so that the checks are checked: each must be reported.

mod store;

use serde::{Deserialize, Serialize};

pub(crate) use store::SabotagedStore;

macro_rules! sabotages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal as $kind:literal at $point:literal;)*) => {
        /// A planted fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum Sabotage { $($(#[$doc])* $variant,)* }

        impl Sabotage {
            /// Every fault.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Its name on the command line.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
            /// What it has to be found as: `loss`, `double`, `disorder` or `residue`.
            pub(crate) fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind,)* }
            }
            /// The point whose crash brings it to light; empty: it needs none.
            pub(crate) fn point(self) -> &'static str {
                match self { $(Self::$variant => $point,)* }
            }
        }
    };
}

sabotages! {
    /// `accept` says Ok for one event and stores nothing.
    SkipCommit = "skip-commit" as "residue" at "";
    /// The puppet acknowledges before `accept`.
    AckEarly = "ack-early" as "loss" at "journal-before-commit";
    /// `enqueue` says that a row is new, and keeps it nowhere.
    DropOne = "drop-one" as "loss" at "claim-before-send";
    /// The puppet says `Sent` and sends nothing.
    SwallowSend = "swallow-send" as "loss" at "";
    /// A second run gets fresh keys.
    ForgetKey = "forget-key" as "double" at "handler-returned";
    /// How a send under a key from outside has ended is not kept.
    ForgetKeyed = "forget-keyed" as "double" at "settle-after-commit";
    /// Unfinished events come back in the wrong order.
    SwapTwo = "swap-two" as "disorder" at "accepted-before-lane";
    /// Unsent rows come back in the wrong order.
    SwapSends = "swap-sends" as "disorder" at "claim-before-send";
    /// One event never runs, and the ledger counts what is left over as pending.
    PendingAsRemainder = "pending-as-remainder" as "loss" at "";
    /// Duplicates are not found.
    ForgetDedupe = "forget-dedupe" as "double" at "accepted-before-lane";
    /// Events are finished before their handlers ran.
    FinishEarly = "finish-early" as "loss" at "handler-before-say";
    /// A send is not claimed before it is tried.
    ForgetClaim = "forget-claim" as "double" at "send-before-record";
    /// The puppet gives each try another key.
    ForgetTransaction = "forget-transaction" as "double" at "send-before-record";
    /// The puppet sends twice.
    DoubleSend = "double-send" as "double" at "";
    /// A settlement is not written.
    LoseSettlement = "lose-settlement" as "residue" at "";
    /// What was replied to a question is not kept.
    ForgetAnswer = "forget-answer" as "residue" at "finish-after-commit";
    /// Sends in doubt are sent again where the platform takes no keys.
    ForgetDoubt = "forget-doubt" as "double" at "send-before-record";
    /// No row names a file, so that it goes with the process.
    ReleaseEarly = "release-early" as "loss" at "claim-before-send";
    /// The ledger counts a send that never was.
    CountTwice = "count-twice" as "residue" at "";
}

impl Sabotage {
    /// The fault of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Whether it shows only where the platform takes keys.
    pub(crate) fn needs_keys(self) -> bool {
        self == Self::ForgetTransaction
    }

    /// Whether it shows only where the platform takes no keys.
    pub(crate) fn needs_no_keys(self) -> bool {
        matches!(self, Self::ForgetClaim | Self::ForgetDoubt | Self::ForgetKeyed)
    }
}
