//! A frame of Lark's long connection: read or refused, and what was read is written as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechaty_puppet_lark::parsers::Frame;

fuzz_target!(|bytes: Vec<u8>| {
    if let Ok(frame) = Frame::read(&bytes.into()) {
        assert_eq!(Frame::read(&frame.to_bytes().into()), Ok(frame));
    }
});
