//! A watchdog in real time: a test that waits for something that never comes ends with words, not with a hang.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, OnceLock, mpsc},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{Either, select};
use parking_lot::Mutex;
use tokio::sync::oneshot;

struct Waiter {
    seconds: u32,
    bark: oneshot::Sender<()>,
}

/// One thread per platform, started by the first wait that is not satisfied at once; it ends with the platform.
pub(super) struct Watchdog {
    patience: u32,
    waiters: Arc<Mutex<Vec<Waiter>>>,
    alive: OnceLock<Mutex<mpsc::Sender<()>>>,
}

/// Completes when the patience is over.
pub(super) struct Bark(oneshot::Receiver<()>);

impl Watchdog {
    /// Barks after so many seconds of real time.
    pub(super) fn new(patience: u32) -> Self {
        Self { patience, waiters: Arc::default(), alive: OnceLock::new() }
    }

    pub(super) fn patience(&self) -> u32 {
        self.patience
    }

    /// Starts to count.
    pub(super) fn watch(&self) -> Bark {
        let (bark, heard) = oneshot::channel();
        self.waiters.lock().push(Waiter { seconds: self.patience, bark });
        self.alive.get_or_init(|| {
            let (alive, gone) = mpsc::channel();
            let waiters = self.waiters.clone();
            std::thread::spawn(move || count(&waiters, &gone));
            Mutex::new(alive)
        });
        Bark(heard)
    }

    /// Waits for `future` with one watchdog for it.
    pub(super) async fn guard<F: Future>(&self, future: F, complaint: impl FnOnce() -> String) -> F::Output {
        match select(pin!(future), self.watch()).await {
            Either::Left((output, _)) => output,
            Either::Right(_) => panic!("{}", complaint()),
        }
    }
}

fn count(waiters: &Mutex<Vec<Waiter>>, gone: &mpsc::Receiver<()>) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = gone.recv_timeout(Duration::from_secs(1)) {
        let mut waiters = waiters.lock();
        waiters.retain(|waiter| !waiter.bark.is_closed());
        for waiter in waiters.iter_mut() {
            waiter.seconds = waiter.seconds.saturating_sub(1);
        }
        for waiter in waiters.extract_if(.., |waiter| waiter.seconds == 0) {
            let _ = waiter.bark.send(());
        }
    }
}

impl Future for Bark {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|_| ())
    }
}
