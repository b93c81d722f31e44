//! The Lark puppet against a server of our own that keeps a book, and shares no code with it.

mod bad_input;
mod cards;
mod company;
mod conformance;
mod corpus;
mod faults;
mod inbound;
mod login;
mod order;
mod outbound;
mod pace;
mod rooms;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
mod sink;
mod stage;
