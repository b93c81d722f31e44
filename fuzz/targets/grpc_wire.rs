//! What a client or a server of the puppet service sends.

#![no_main]

#[path = "../src/grpc.rs"]
mod grpc;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    grpc::check(input);
});
