//! The mock puppet on the virtual clock: its timeline, its features, its view of broken worlds.

mod broken;
mod calls;
mod conformance;
mod features;
mod posts;
mod sending;
mod support;
mod timeline;
