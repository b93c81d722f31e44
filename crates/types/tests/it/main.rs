//! The JSON of every payload and event, as other SDKs write it: read, written, and read as the same again.

#[path = "../../../../fuzz/src/payloads.rs"]
mod payloads;
#[path = "../../../../fuzz/src/round_trip.rs"]
mod round_trip;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

mod corpus;
mod json;
