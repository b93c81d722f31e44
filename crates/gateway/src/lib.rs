//! GATEWAY: an account, served to every Wechaty SDK over gRPC. The door (`auth`, `connect`, `health`, `listen`, `tls`)
//! knows no account; what stands behind it knows no socket.

pub mod auth;
mod calls;
pub mod connect;
mod doubt;
mod fault;
mod feed;
mod hand_over;
pub mod health;
pub mod keys;
pub mod listen;
mod service;
mod shelf;
mod tenant;
pub mod tls;

pub use calls::Calls;
pub use tenant::{Tenant, TenantOptions};
