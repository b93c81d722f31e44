//! The service puppet against gateways in this process.

mod conformance;
mod discovery;
mod files;
mod gate;
mod settings;
mod stage;
mod streams;
mod tls;
