//! An event of Lark, whatever it holds: nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechaty_puppet_lark::parsers::event;

fuzz_target!(|bytes: &[u8]| {
    let _ = event(bytes);
});
