//! The SQLite store: the suite of all stores, and what only a file can do.

mod archive;
mod backup;
mod blobs;
mod file;
mod full;
mod secrets;
mod suite;
mod support;
mod unreadable;
mod versions;
