//! TASKS: what a runtime needs of a task is compiled once for each of its results, not once for each future.

use std::{future::Future, pin::Pin};

use tokio::task::JoinHandle;

/// A future whose type nobody has to know.
pub type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Boxes a future, for a set or a tracker of tasks.
pub fn work<T>(future: impl Future<Output = T> + Send + 'static) -> Work<T> {
    Box::pin(future)
}

/// Starts a task, as `tokio::spawn` does.
///
/// # Panics
/// Outside of a runtime.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work(future))
}
