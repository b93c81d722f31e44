//! STORE, proven: random operations on a store and on a simple model of one, with restarts between; both must agree.

mod check;
mod model;
mod op;

pub use check::check;
pub use op::{Op, ops};
