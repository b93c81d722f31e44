//! What must happen whole or not at all, whoever drops the future that waits for it.

use std::{future::poll_fn, task::Poll};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use wechaty_puppet::task;

/// Runs `work` to its end even if the caller is dropped: the first poll is done here, as most work is done at once, and
/// what remains goes on in a task.
pub(crate) async fn whole<T: Send + 'static>(tasks: &TaskTracker, mut work: BoxFuture<'static, T>) -> T {
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return done;
    }
    let (tell, told) = oneshot::channel();
    tasks.spawn(task::work(async move {
        // Nobody waits any more: it is done all the same.
        let _ = tell.send(work.await);
    }));
    match told.await {
        Ok(done) => done,
        // The task is only ever dropped with its runtime, and the caller with it.
        Err(_) => std::future::pending().await,
    }
}

/// Calls on a panic of the scope it lives in.
pub(crate) struct OnPanic<F: Fn()>(pub(crate) F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}
