//! What the tests of all subjects share.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use wechaty::{
    Bot, BotBuilder,
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
