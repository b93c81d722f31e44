//! Boxes as a puppet or a bot uses them: made, loaded, saved, sent as JSON. Offline; servers are on loopback.

#[cfg(feature = "http")]
mod http;
mod json;
mod making;
#[cfg(feature = "qr-decode")]
mod qr_codes;
#[path = "../../../../fuzz/src/round_trip.rs"]
mod round_trip;
mod saving;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
#[cfg(feature = "http")]
mod server;
mod uuids;
