//! The soak: millions of messages of every kind on the virtual clock, and what memory and file come to on the way. Part
//! of `cargo xtask soak`, in a process of its own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use parking_lot::Mutex;
use wechaty::{Bot, Clock, Limits, VirtualClock, prelude::*};
use wechaty_puppet::{
    Batch, Capabilities, Capability, Event, LoginStep, MessagePayload, Outgoing, PlatformName, Puppet, PuppetContext,
    PuppetError, Sent, async_trait,
};
use wechaty_store_sqlite::{SqliteOptions, SqliteStore};

use super::{CONVERSATIONS, Soaked, TEXT, idle::resident_mib};

const PLATFORM: PlatformName = PlatformName::new("soak");
/// Messages a batch.
const BATCH: u64 = 64;
/// How much time goes by with each batch: 1,000 messages need a quarter of a minute.
const STEP: Duration = Duration::from_secs(1);
/// How often it is measured.
const SAMPLES: u64 = 200;

/// What is under way, and what was measured.
struct Soak {
    all: u64,
    clock: VirtualClock,
    sends: AtomicU64,
    store: Option<std::path::PathBuf>,
    samples: Mutex<Vec<(f64, f64)>>,
}

struct SoakPuppet(Arc<Soak>);

pub(super) async fn soak(all: u64, path: Option<&Path>) -> anyhow::Result<Soaked> {
    let (real, clock) = (Clock::system(), VirtualClock::new());
    let soak = Arc::new(Soak {
        all,
        clock: clock.clone(),
        sends: AtomicU64::new(0),
        store: path.map(Path::to_owned),
        samples: Mutex::default(),
    });
    let limits = Limits { inbox: 1_024, outbox: 1_024, ..Limits::default() };
    let mut builder = Bot::builder(SoakPuppet(soak.clone())).clock(clock.clone()).limits(limits);
    if let Some(path) = path {
        let mut options = SqliteOptions::default();
        // All of it is full before the first measure.
        options.dedupe_window = usize::try_from((all / 20).min(65_536))?;
        // So many that it would show in the speed if anything looked at all of them.
        (options.keep.records, options.keep.dead_letters) = (all / 4, all / 2_000);
        builder = builder.store(Arc::new(SqliteStore::open_with(path, &options)?));
    }
    let bot = builder.on_message(answer).on_error(|_: ErrorReport| async {}).build()?;
    let began = real.now();
    bot.start().await?;
    bot.ended().await;
    while !bot.ledger().await?.is_settled() {
        clock.advance(STEP).await;
    }
    bot.drained().await;
    let ledger = bot.ledger().await?;
    ensure!(ledger.is_balanced(), "the ledger does not balance:\n{ledger}");
    ensure!(ledger.inbound.received >= all, "not every message was received:\n{ledger}");
    bot.stop().await?;
    let samples = soak.samples.lock();
    let (warm, end) = (window(&samples, 15, 25), window(&samples, 90, 100));
    let most = |samples: &[(f64, f64)]| samples.iter().map(|(_, file)| *file).fold(0.0, f64::max);
    let (warm_mib, end_mib) = (median(warm)?, median(end)?);
    Ok(Soaked {
        messages: all,
        seconds: (real.now() - began).as_secs_f64(),
        virtual_hours: clock.now().as_secs_f64() / 3_600.0,
        warm_mib,
        end_mib,
        drift_percent: (end_mib / warm_mib - 1.0) * 100.0,
        file_warm_mib: most(&samples[..samples.len() / 4]),
        file_most_mib: most(&samples),
        dead: ledger.outbound.dead,
    })
}

/// The samples between two percentages of the way.
fn window(samples: &[(f64, f64)], from: usize, to: usize) -> &[(f64, f64)] {
    &samples[samples.len() * from / 100..samples.len() * to / 100]
}

fn median(samples: &[(f64, f64)]) -> anyhow::Result<f64> {
    let mut mib: Vec<_> = samples.iter().map(|(mib, _)| *mib).collect();
    mib.sort_by(f64::total_cmp);
    mib.get(mib.len() / 2).copied().context("nothing was measured: too few messages")
}

impl Soak {
    /// Who says the nth message, and what.
    fn message(n: u64) -> (String, String) {
        let usual = || format!("c{}", n as usize % CONVERSATIONS);
        match n % 1_000 {
            // A question, and the reply to every other one; the time of the others runs out.
            101 => (format!("q{}", n / 1_000 % 50), "ask".to_owned()),
            501 if (n / 1_000).is_multiple_of(2) => (format!("q{}", n / 1_000 % 50), "reply".to_owned()),
            201 => (usual(), "fail".to_owned()),
            301 => (usual(), "later".to_owned()),
            401 => (usual(), format!("file {}", n / 1_000 % 100)),
            // Somebody new, who never comes again.
            k if k % 50 == 3 => (format!("new{n}"), TEXT.to_owned()),
            _ => (usual(), TEXT.to_owned()),
        }
    }

    fn batch(&self, from: u64) -> Vec<Event> {
        let to = (from + BATCH).min(self.all);
        let mut events = Vec::with_capacity(BATCH as usize + 1);
        for n in from..to {
            let (talker, text) = Self::message(n);
            let mut payload = MessagePayload::direct(format!("m{n}"), talker, "bot", text);
            payload.timestamp = self.clock.wall();
            let event = Event::message(payload);
            // Some come twice.
            events.extend((n % 100 == 50).then(|| event.clone()));
            events.push(event);
        }
        events
    }

    fn measure(&self) -> anyhow::Result<()> {
        let size = |end: &str| {
            let path = self.store.as_ref().map(|path| format!("{}{end}", path.display()));
            path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len())
        };
        let file = (size("") + size("-wal")) as f64 / f64::from(1 << 20);
        self.samples.lock().push((resident_mib()?, file));
        Ok(())
    }
}

#[async_trait]
impl Puppet for SoakPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText, Capability::SendAttachment])
    }

    async fn run(&self, cx: PuppetContext) -> wechaty_puppet::Result<()> {
        cx.accept(LoginStep::Done("bot".into())).await?;
        let (soak, every) = (&self.0, (self.0.all / SAMPLES).max(1));
        let mut number = 0;
        while number < soak.all && !cx.cancellation().is_cancelled() {
            cx.accept(Batch::from(soak.batch(number))).await?;
            let before = number / every;
            number = (number + BATCH).min(soak.all);
            soak.clock.advance(STEP).await;
            if number / every > before {
                soak.measure()
                    .map_err(|error| PuppetError::Protocol { context: "measuring", detail: error.to_string() })?;
            }
        }
        Ok(())
    }

    async fn send(&self, out: Outgoing) -> wechaty_puppet::Result<Sent> {
        if let Some(file) = out.what.file_box() {
            let read = file.to_bytes().await;
            read.map_err(|error| PuppetError::Protocol { context: "reading a file", detail: error.to_string() })?;
        }
        match self.0.sends.fetch_add(1, Ordering::Relaxed) % 100 {
            17 => Err(PuppetError::Rejected { code: "400".to_owned(), message: "no".to_owned() }),
            37 => Err(PuppetError::RateLimited { retry_after: Some(Duration::from_millis(300)) }),
            _ => Ok(Sent::without_id()),
        }
    }
}

async fn answer(msg: Message) -> wechaty::Result<()> {
    let text = msg.text().unwrap_or_default();
    match text.split_once(' ').map_or(text, |(word, _)| word) {
        "ask" => {
            let reply = msg.ask("really?").timeout(Duration::from_secs(60)).await?;
            msg.say(if reply.is_some() { "I see" } else { "never mind" }).await?;
        }
        "fail" => return Err(wechaty::Error::other("as it should")),
        "later" => drop(msg.say("by the way").after(Duration::from_secs(30)).await?),
        "file" => {
            let bytes = text.as_bytes().repeat(10_000);
            msg.say(FileBox::from_bytes(bytes, "a.bin")).await?;
        }
        _ => drop(msg.say("an answer of forty bytes, as in limits.md").await?),
    }
    Ok(())
}
