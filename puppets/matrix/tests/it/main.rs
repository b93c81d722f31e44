//! The puppet against a small homeserver in this process; against a real one: `examples/matrix_peer`.

mod address;
mod corpus;
mod home;
mod refused;
mod resume;
#[cfg(feature = "e2ee")]
mod sealed;
mod sends;
