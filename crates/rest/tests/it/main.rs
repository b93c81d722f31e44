//! The REST door, through HTTP requests, with bots in simulated worlds.

mod doors;
mod events;
mod idempotency;
mod messages;
mod openapi;
mod receiver;
mod resources;
mod sends;
mod support;
mod views;
mod webhooks;
