//! The mock puppet on the virtual clock: its timeline, its features, its view of broken worlds.

mod broken;
mod calls;
mod conformance;
mod corpus;
mod features;
mod posts;
mod readme;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
mod sending;
mod support;
mod timeline;
