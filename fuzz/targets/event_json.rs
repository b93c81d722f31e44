//! An event from a remote puppet, or from the store.

#![no_main]

#[path = "../src/round_trip.rs"]
mod round_trip;

use libfuzzer_sys::fuzz_target;
use wechaty_types::EventPayload;

fuzz_target!(|json: &[u8]| {
    round_trip::round_trips::<EventPayload>(json);
});
