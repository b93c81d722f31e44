//! CONVERT: between the platform's JSON and payloads, without asking anybody.

pub(crate) mod card;
pub(crate) mod emoji;
pub(crate) mod message;
pub(crate) mod post;
pub(crate) mod text;
