//! The contract: its facts, events as each client wants them, round trips, and whatever else may come over a wire.

mod calls;
mod events;
mod facts;
#[path = "../../../../fuzz/src/grpc.rs"]
mod grpc;
mod hostile;
mod round_trips;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
