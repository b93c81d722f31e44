//! The capability groups, each over the world as it is now.

mod contact;
mod friendship;
mod load;
mod login;
mod media;
mod message;
pub(crate) mod post;
mod room;
mod standing;
mod tag;
