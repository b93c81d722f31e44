//! Payloads from a remote puppet, or from the store: one input is tried as each of them.

#![no_main]

#[path = "../src/payloads.rs"]
mod payloads;
#[path = "../src/round_trip.rs"]
mod round_trip;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    for (_, round_trips) in payloads::PAYLOADS {
        round_trips(json);
    }
});
