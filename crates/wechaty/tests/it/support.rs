//! What the tests of all subjects share.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
    time::Duration,
};

use parking_lot::Mutex;
use wechaty::{
    Bot, BotBuilder, Clock,
    store::{OpenError, SqliteStore, Store},
    testing::{FakePlatform, Person},
    user::Message,
};
use wechaty_puppet::{
    Batch, Capabilities, Capability, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError,
    Result as PuppetResult, Sent, async_trait,
};

/// A bot on the platform and its clock.
pub(crate) fn bot(platform: &FakePlatform) -> BotBuilder {
    Bot::builder(platform.puppet()).clock(platform.bot_clock())
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Says again what was said.
pub(crate) async fn echo(msg: Message) -> wechaty::Result<()> {
    msg.say(msg.text().unwrap_or_default()).await?;
    Ok(())
}

/// Everything somebody has heard.
pub(crate) fn texts(person: &Person) -> Vec<String> {
    person.inbox().iter().map(ToString::to_string).collect()
}

/// Lets every task that can go on do so; time stands still.
pub(crate) async fn idle(platform: &FakePlatform) {
    platform.clock().advance(Duration::ZERO).await;
}

/// Lets tasks and threads go on until this is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Patience::new();
    while !so() {
        patience.check(what);
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

/// Ends a test that would wait for ever. A disk may take its time.
pub(crate) struct Patience(Duration, Clock);

impl Patience {
    pub(crate) fn new() -> Self {
        let clock = Clock::system();
        Self(clock.now() + secs(120), clock)
    }
    pub(crate) fn check(&self, what: &str) {
        assert!(self.1.now() < self.0, "waited in vain until {what}");
    }
}

/// Sends the log of this thread there.
pub(crate) fn logging(subscriber: impl tracing::Subscriber + Send + Sync) -> tracing::subscriber::DefaultGuard {
    // With one subscriber in the whole process, a line that another thread comes to first is switched off for all.
    static SECOND: LazyLock<tracing::Dispatch> =
        LazyLock::new(|| tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default()));
    LazyLock::force(&SECOND);
    tracing::subscriber::set_default(subscriber)
}

/// A store on disk that bots of one life after the other open.
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
    /// Opens the file, as soon as the bot before has let go of it.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        let path = self.0.path().join("bot.wechaty.db");
        for _ in 0..1_000_000 {
            match SqliteStore::open(&path) {
                Ok(store) => return Arc::new(store),
                Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("the store does not open: {error}"),
            }
        }
        panic!("the bot before does not let go of its store");
    }
    /// A bot on the platform, its clock and this file.
    pub(crate) async fn bot(&self, platform: &FakePlatform) -> BotBuilder {
        bot(platform).store(self.open().await)
    }
}

/// What handlers noted; clones are the same log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, line: impl Into<String>) {
        self.0.lock().push(line.into());
    }
    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
    /// Everything since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// A puppet that does what it is told: each run accepts the next script's batches, then ends as told or waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scripted {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    runs: Arc<Mutex<u32>>,
}

#[derive(Debug, Default)]
struct Script {
    batches: Vec<Batch>,
    end: Option<PuppetError>,
}

impl Scripted {
    /// The next run that has no script yet accepts these and waits for its end.
    pub(crate) fn accepts(self, batches: impl IntoIterator<Item = Batch>) -> Self {
        self.scripts.lock().push_back(Script { batches: batches.into_iter().collect(), end: None });
        self
    }
    /// The next run that has no script yet fails.
    pub(crate) fn fails(self, error: PuppetError) -> Self {
        self.scripts.lock().push_back(Script { batches: Vec::new(), end: Some(error) });
        self
    }
    /// How often it was run.
    pub(crate) fn runs(&self) -> u32 {
        *self.runs.lock()
    }
}

#[async_trait]
impl Puppet for Scripted {
    fn platform(&self) -> PlatformName {
        PlatformName::new("scripted")
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }
    async fn run(&self, cx: PuppetContext) -> PuppetResult<()> {
        *self.runs.lock() += 1;
        let script = self.scripts.lock().pop_front().unwrap_or_default();
        for batch in script.batches {
            cx.accept(batch).await?;
        }
        match script.end {
            Some(error) => Err(error),
            None => {
                cx.cancelled().await;
                Ok(())
            }
        }
    }
    async fn send(&self, _out: Outgoing) -> PuppetResult<Sent> {
        Ok(Sent::without_id())
    }
}

/// Asserts that no more than `most` of these times lie within any `window`.
pub(crate) fn never_more_than(most: usize, window: Duration, mut times: Vec<Duration>) {
    times.sort();
    for (i, from) in times.iter().enumerate() {
        let within = times[i..].iter().filter(|at| **at < *from + window).count();
        assert!(within <= most, "{within} within {window:?} from {from:?}: {times:?}");
    }
}

/// Notes what is told to the log at this level, in the thread of the test.
pub(crate) struct Logged(pub(crate) tracing::Level, pub(crate) Log);

impl tracing::Subscriber for Logged {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == self.0
    }
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                self.1.note(format!("{value:?}"));
            }
        });
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
