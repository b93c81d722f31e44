//! The conformance suite, itself tested: a good puppet passes, every broken one fails with words that name its fault.

mod broken;
mod fake_harness;
mod passes;
mod sabotage;
mod settings;
mod suite;
mod toy;
