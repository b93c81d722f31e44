//! Contents in other shapes: base64, data URLs, QR codes, chunked streams. Pure, no I/O.

pub(crate) mod base64;
pub(crate) mod data_url;
pub(crate) mod percent;
pub(crate) mod png;
pub(crate) mod qr;
pub(crate) mod stream;
