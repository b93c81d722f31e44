//! The web chat, driven through its webhook as browsers would.

mod bad_input;
mod browser;
mod conformance;
mod crowd;
mod files;
mod once;
mod people;
mod stage;
mod statuses;
mod streams;
