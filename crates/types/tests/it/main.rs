//! The JSON of every payload and event, as other SDKs write it: read, written, and read as the same again.

mod json;
