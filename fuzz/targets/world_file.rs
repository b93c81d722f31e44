//! A world file of the mock puppet: sound or not, all of it is told and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechaty_puppet_mock::World;

fuzz_target!(|json: &str| {
    if let Err(error) = World::from_json(json) {
        assert!(!error.to_string().is_empty());
    }
});
