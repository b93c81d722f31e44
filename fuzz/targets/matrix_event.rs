//! An event of a Matrix room, from any server.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &str| wechaty_puppet_matrix::fuzz(json));
