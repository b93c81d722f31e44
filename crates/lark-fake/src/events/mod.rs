//! EVENTS: how they reach the app: over a long connection, or posted to its webhook, again and again until it has them.

pub(crate) mod connection;
pub(crate) mod crypt;
pub(crate) mod deliver;
pub(crate) mod frame;
pub(crate) mod webhook;
