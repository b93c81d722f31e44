//! THROUGH: which puppet a run goes through, and what follows from that.

use serde::{Deserialize, Serialize};

/// A way from the bot to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Through {
    /// The harness' own platform, with a puppet of its own.
    #[default]
    Loopback,
    /// The Lark puppet, at the fake Lark server.
    Lark,
    /// The Matrix puppet, at the Synapse that `SYNAPSE_URL` and `SYNAPSE_SECRET` name.
    #[cfg(feature = "matrix")]
    Matrix,
}

impl Through {
    /// Every way that is in this build.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Loopback,
        Self::Lark,
        #[cfg(feature = "matrix")]
        Self::Matrix,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Lark => "lark",
            #[cfg(feature = "matrix")]
            Self::Matrix => "matrix",
        }
    }

    /// The way of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|through| through.name() == name)
    }

    /// How many times longer than on the loopback a life takes: moments that no code names are drawn from that.
    pub(crate) fn slowness(self) -> u64 {
        match self {
            Self::Loopback => 1,
            Self::Lark => 5,
            #[cfg(feature = "matrix")]
            Self::Matrix => 20,
        }
    }

    /// Whether the platform can leave calls without an answer, so that a bot is killed at one.
    pub(crate) fn holds_calls(self) -> bool {
        self != Self::Loopback
    }

    /// How many times longer it is waited until something is taken for lost.
    pub(crate) fn patience(self) -> u32 {
        match self {
            Self::Loopback => 1,
            Self::Lark => 4,
            #[cfg(feature = "matrix")]
            Self::Matrix => 8,
        }
    }

    /// When the bot tells the time: not so often that a slow platform has always one more of it to come.
    pub(crate) fn ticks(self) -> &'static str {
        match self {
            Self::Loopback => "* * * * * *",
            Self::Lark => "*/4 * * * * *",
            #[cfg(feature = "matrix")]
            Self::Matrix => "*/10 * * * * *",
        }
    }

    /// How many runs may go on at once on each core.
    pub(crate) fn jobs(self) -> usize {
        match self {
            Self::Loopback | Self::Lark => 3,
            // One server has to do with all of them.
            #[cfg(feature = "matrix")]
            Self::Matrix => 1,
        }
    }
}
