//! GATEWAY: calls, events and files through our gateway, beside a bare tonic server with the same bytes.
//!
//! Three processes: the client, which is the same for both, our gateway and the bare server. So the memory of the gateway
//! is its own, and a client that is slow slows both alike. Both take turns, and each figure is the median of its rounds:
//! the speed of a machine changes within seconds. Our gateway writes what is uploaded to a file, the bare server drops it. A
//! file is removed when it was measured, so that the next is written into memory that the machine has already: memory that a
//! virtual machine touches for the first time costs its host more than all else, and is no property of either server.

mod bare;
mod calls;
mod client;
mod raw;
mod serve;

use std::{path::Path, time::Duration};

use anyhow::ensure;
use serde::Serialize;
use wechaty::Clock;

pub use serve::Server;

use client::Client;
use serve::{Started, TOKEN};

/// How often both have their turn.
const ROUNDS: usize = 5;
/// How often the memory is looked at while a file is under way.
const LOOK: Duration = Duration::from_millis(20);
const MIB: u64 = 1 << 20;

/// What came of it; `bare_`: by the bare server.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the JSON")]
pub struct Gateway {
    pub unary_per_s: u64,
    pub bare_unary_per_s: u64,
    pub unary_p50_us: u64,
    pub bare_unary_p50_us: u64,
    pub unary_p99_us: u64,
    pub bare_unary_p99_us: u64,
    pub events_per_s: u64,
    pub bare_events_per_s: u64,
    pub upload_mib_per_s: u64,
    pub bare_upload_mib_per_s: u64,
    pub download_mib_per_s: u64,
    pub bare_download_mib_per_s: u64,
    /// How much more was resident at most while a file went up and came down.
    pub file_rss_growth_mib: f64,
}

/// What one round of one server gave.
#[derive(Default)]
struct Round {
    unary: f64,
    p50: f64,
    p99: f64,
    events: f64,
    upload: f64,
    download: f64,
}

impl Gateway {
    /// Steps of the measurement.
    pub const STEPS: usize = ROUNDS + 1;

    /// Measures; each part of each round takes so long. `file_mib`: the size of the large file; rounds have a quarter of it.
    /// `step` is told which part begins, by its key in the catalogue.
    ///
    /// # Errors
    /// When a part fails, or the servers do not answer alike.
    pub fn measure(time: Duration, file_mib: u64, step: impl FnMut(&'static str)) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("wechaty-bench-").tempdir()?;
        crate::runtime()?.block_on(measure(folder.path(), time, file_mib, step))
    }
}

async fn measure(
    folder: &Path,
    time: Duration,
    file_mib: u64,
    mut step: impl FnMut(&'static str),
) -> anyhow::Result<Gateway> {
    let clock = Clock::system();
    let part = (file_mib / 4).max(1) * MIB;
    let our_server = Started::ours(folder)?;
    let ours = Client::open(our_server.address, TOKEN, clock.clone()).await?;
    let mut our_events = ours.events(true).await?;
    let reply = ours.unary(calls::UNARY, calls::unary()).await?;
    let bare_server = Started::bare(&reply, part)?;
    let bare = Client::open(bare_server.address, TOKEN, clock.clone()).await?;
    let mut bare_events = bare.events(false).await?;
    ensure!(bare.unary(calls::UNARY, calls::unary()).await? == reply, "the bare server answers otherwise");
    // Both are warm then.
    round(&ours, &mut our_events, time / 4, MIB).await?;
    ours.calls(time / 4).await?;
    bare.calls(time / 4).await?;
    step("bench-gateway-file");
    let file_rss_growth_mib = growth(&our_server, &ours, &clock, file_mib * MIB).await?;
    remove_files(folder)?;
    let (mut our_rounds, mut bare_rounds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        step("bench-gateway-round");
        our_rounds.push(round(&ours, &mut our_events, time, part).await?);
        remove_files(folder)?;
        bare_rounds.push(round(&bare, &mut bare_events, time, part).await?);
    }
    let of = |rounds: &[Round], figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2].round() as u64
    };
    let pair = |figure| (of(&our_rounds, figure), of(&bare_rounds, figure));
    let (unary_per_s, bare_unary_per_s) = pair(|round| round.unary);
    let (unary_p50_us, bare_unary_p50_us) = pair(|round| round.p50);
    let (unary_p99_us, bare_unary_p99_us) = pair(|round| round.p99);
    let (events_per_s, bare_events_per_s) = pair(|round| round.events);
    let (upload_mib_per_s, bare_upload_mib_per_s) = pair(|round| round.upload);
    let (download_mib_per_s, bare_download_mib_per_s) = pair(|round| round.download);
    Ok(Gateway {
        unary_per_s,
        bare_unary_per_s,
        unary_p50_us,
        bare_unary_p50_us,
        unary_p99_us,
        bare_unary_p99_us,
        events_per_s,
        bare_events_per_s,
        upload_mib_per_s,
        bare_upload_mib_per_s,
        download_mib_per_s,
        bare_download_mib_per_s,
        file_rss_growth_mib,
    })
}

async fn round(
    client: &Client,
    events: &mut tonic::Streaming<bytes::Bytes>,
    time: Duration,
    file: u64,
) -> anyhow::Result<Round> {
    let calls = client.calls(time).await?;
    let events = client.dings(events, time).await?;
    let (id, upload) = client.upload(file).await?;
    let download = client.download(&id, file).await?;
    let (p50, p99) = (calls.p50_us as f64, calls.p99_us as f64);
    Ok(Round { unary: calls.per_s, p50, p99, events, upload, download })
}

/// What our gateway keeps for its account is in a folder of this one.
fn remove_files(folder: &Path) -> anyhow::Result<()> {
    for account in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(account?.path())? {
            std::fs::remove_file(file?.path())?;
        }
    }
    Ok(())
}

/// How much more is resident at most while a file goes up and comes down.
async fn growth(server: &Started, client: &Client, clock: &Clock, file: u64) -> anyhow::Result<f64> {
    let before = server.resident_mib()?;
    let mut most = before;
    let mut file = Box::pin(async {
        let (id, _) = client.upload(file).await?;
        client.download(&id, file).await
    });
    loop {
        tokio::select! {
            done = &mut file => {
                done?;
                break;
            }
            () = clock.sleep(LOOK) => most = most.max(server.resident_mib()?),
        }
    }
    Ok(((most.max(server.resident_mib()?) - before) * 10.0).round() / 10.0)
}
