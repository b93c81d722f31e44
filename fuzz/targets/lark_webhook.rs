//! The body of a webhook request of Lark, with and without a key: nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechaty_puppet_lark::parsers::webhook;

fuzz_target!(|bytes: &[u8]| {
    let _ = (webhook(bytes, None), webhook(bytes, Some("test key")));
});
