//! PUPPET: the adapter that the bot of a run uses: the harness' own, or a real one.

mod loopback;
mod real;

pub(super) use loopback::LoopbackPuppet;
pub(super) use real::RealPuppet;
