//! A puppet that runs, what it told, and how it ended.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, task::JoinHandle};
use wechaty_puppet::{
    AcceptError, Batch, CancellationToken, Clock, Event, EventPayload, EventSink, Puppet, PuppetContext, PuppetError,
    Result, async_trait,
};
use wechaty_puppet_testkit::MemorySession;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Default)]
struct Heard {
    events: Mutex<Vec<Event>>,
    changed: Notify,
    /// Does not take anything while it is set.
    full: AtomicBool,
}

#[async_trait]
impl EventSink for Heard {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        if self.full.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.events.lock().extend(batch.events);
        self.changed.notify_waiters();
        Ok(())
    }
}

pub(crate) struct Stage {
    heard: Arc<Heard>,
    pub(crate) cancel: CancellationToken,
    running: JoinHandle<Result<()>>,
    over: Arc<AtomicBool>,
    real: Clock,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.running.abort();
    }
}

impl Stage {
    pub(crate) fn run(puppet: Arc<dyn Puppet>) -> Self {
        Self::run_on(puppet, Clock::system())
    }

    pub(crate) fn run_on(puppet: Arc<dyn Puppet>, clock: Clock) -> Self {
        let heard = Arc::new(Heard::default());
        let cancel = CancellationToken::new();
        let session = Arc::new(MemorySession::default());
        let cx = PuppetContext::new("a".into(), heard.clone(), session, clock, cancel.clone(), None);
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let running = tokio::spawn(async move {
            let ended = puppet.run(cx).await;
            ends.store(true, Ordering::Relaxed);
            ended
        });
        Self { heard, cancel, running, over, real: Clock::system() }
    }

    /// Whether the run has ended.
    pub(crate) fn is_over(&self) -> Arc<AtomicBool> {
        self.over.clone()
    }

    /// From now on nothing is accepted.
    pub(crate) fn fill(&self) {
        self.heard.full.store(true, Ordering::Relaxed);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.heard.events.lock().clone()
    }

    /// Waits until what was told has this.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&[Event]) -> bool) {
        let heard = async {
            loop {
                let mut changed = std::pin::pin!(self.heard.changed.notified());
                changed.as_mut().enable();
                if holds(&self.heard.events.lock()) {
                    return;
                }
                changed.await;
            }
        };
        assert!(self.real.timeout(PATIENCE, heard).await.is_ok(), "{what} did not come; it has {:?}", self.events());
    }

    pub(crate) async fn logged_in(&self) {
        self.until("the login", |events| events.iter().any(|event| matches!(event.what, EventPayload::Login(_)))).await;
    }

    /// How it ended, if it did before somebody was logged in.
    pub(crate) async fn logged_in_or_ended(mut self) -> Option<PuppetError> {
        let heard = self.heard.clone();
        let logged_in = async {
            loop {
                let mut changed = std::pin::pin!(heard.changed.notified());
                changed.as_mut().enable();
                if heard.events.lock().iter().any(|event| matches!(event.what, EventPayload::Login(_))) {
                    return;
                }
                changed.await;
            }
        };
        let either = async {
            tokio::select! {
                () = logged_in => None,
                ended = &mut self.running => Some(ended.unwrap().unwrap_err()),
            }
        };
        self.real.timeout(PATIENCE, either).await.expect("neither a login nor an end")
    }

    pub(crate) async fn ended(mut self) -> Result<()> {
        let real = self.real.clone();
        real.timeout(PATIENCE, &mut self.running).await.expect("an end").unwrap()
    }
}

/// All an error says.
pub(crate) fn told(error: &PuppetError) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

/// Waits for something that no event tells.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = Clock::system();
    let start = clock.now();
    while !holds() {
        assert!(clock.now().saturating_sub(start) < PATIENCE, "{what} did not come");
        clock.sleep(Duration::from_millis(2)).await;
    }
}
