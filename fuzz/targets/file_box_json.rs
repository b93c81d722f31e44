//! A file box from another SDK, or from a stranger.

#![no_main]

#[path = "../src/round_trip.rs"]
mod round_trip;

use libfuzzer_sys::fuzz_target;
use wechaty_file_box::FileBox;

fuzz_target!(|json: &[u8]| {
    round_trip::round_trips::<FileBox>(json);
});
