//! FAULTS: how a call of the bot goes wrong.

use crate::rng::Rng;

/// One of five ways; some act on the call first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// 429 with the time to wait.
    TooMany,
    /// 5xx.
    Broken { acts: bool },
    /// The connection is reset.
    Reset { acts: bool },
    /// It acts, and no answer comes.
    Silence,
    /// The connection stands and nobody is there.
    HalfOpen,
}

impl Fault {
    /// Draws one in so many of a hundred calls.
    pub(super) fn draw(rng: &mut Rng, percent: u64) -> Option<Self> {
        rng.percent(percent).then(|| match rng.below(5) {
            0 => Self::TooMany,
            1 => Self::Broken { acts: rng.percent(50) },
            2 => Self::Reset { acts: rng.percent(50) },
            3 => Self::Silence,
            _ => Self::HalfOpen,
        })
    }

    /// Whether the platform does what was asked all the same.
    pub(super) fn acts(self) -> bool {
        match self {
            Self::Broken { acts } | Self::Reset { acts } => acts,
            Self::Silence => true,
            Self::TooMany | Self::HalfOpen => false,
        }
    }

    /// Its name in the book.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TooMany => "429",
            Self::Broken { .. } => "5xx",
            Self::Reset { .. } => "reset",
            Self::Silence => "no answer",
            Self::HalfOpen => "half-open",
        }
    }
}
