//! The content of a post of Lark: nothing panics, and a plain one is no longer than its content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechaty_puppet_lark::parsers::post;

fuzz_target!(|bytes: &[u8]| {
    if let Some(read) = post(bytes) {
        assert!(!read.is_plain || read.text.len() <= bytes.len());
    }
});
