//! The gateway as its clients see it: generated clients against a bot in a simulated world, and the door from outside,
//! with real clients and hostile sockets on loopback.

mod again;
mod calls;
mod canary;
mod crowd;
mod door;
mod ending;
mod events;
mod keys;
mod mutual;
mod several;
mod strangers;
mod support;
mod twice;
mod world;
