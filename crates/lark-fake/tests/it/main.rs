//! What the platform's SDKs do not see of the fake: how time passes in it, and that its book outlives it.

mod book;
mod support;
mod times;
