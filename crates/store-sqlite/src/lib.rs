//! STORE: one SQLite file that holds what must not be lost. One thread writes, in groups; readers go beside it.
//!
//! Every operation waits for the commit that holds it (WAL, `synchronous=FULL`). A group is whatever waits when the
//! last commit is over: there is no timer, so a lone message waits for one sync and a thousand share one.

mod archive;
mod attached;
mod behind;
mod blob;
mod db;
mod error;
mod health;
mod hot;
mod job;
mod keyed;
mod limit;
mod lock;
mod pages;
mod query;
mod queue;
mod read;
mod replace;
mod row;
mod schema;
mod seal;
mod store;
mod view;
mod waiting;
mod words;
mod writer;

pub use archive::Keep;
pub use error::OpenError;
#[doc(hidden)]
pub use limit::limit;
pub use schema::VERSION;
#[doc(hidden)]
pub use schema::to_version_1;
pub use store::{SqliteOptions, SqliteStore};
pub use view::{SqliteLook, SqliteView};
