//! Runs cases, each on a thread and a runtime of its own, under a watchdog in real time.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, mpsc},
    time::Duration,
};

use futures_util::FutureExt;
use wechaty_puppet::Clock;

use super::{
    Ability, Case, CaseReport, Group, Harness, Outcome, Report, all,
    case::Stop,
    lab::{Lab, Trail, cannot},
};

/// How long a harness may take to stand up.
const SETUP: Duration = Duration::from_secs(60);

/// How much of its patience a case may use up before the watchdog ends it.
const PATIENCES: u32 = 10;

type Make = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Harness>> + Send>> + Send + Sync>;

/// Runs the whole suite; `make` is called once for each case.
pub async fn run<F, Fut, H>(make: F) -> Report
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = H> + Send + 'static,
    H: Harness,
{
    let task = tokio::task::spawn_blocking(move || run_where(|_| true, make));
    match task.await {
        Ok(report) => report,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Runs the cases of one group; blocks. For tests without a runtime.
pub fn run_group<F, Fut, H>(group: Group, make: F) -> Report
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = H> + Send + 'static,
    H: Harness,
{
    run_where(|case| case.group == group, make)
}

/// Runs the cases that `wanted` picks; blocks.
pub fn run_where<F, Fut, H>(wanted: impl Fn(&Case) -> bool, make: F) -> Report
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = H> + Send + 'static,
    H: Harness,
{
    let make: Make = Arc::new(move || {
        let made = make();
        Box::pin(async move { Arc::new(made.await) as Arc<dyn Harness> })
    });
    let clock = Clock::system();
    let cases = all().filter(|case| wanted(case)).map(|case| {
        let start = clock.now();
        let outcome = watched(case, make.clone());
        CaseReport { case, outcome, took: clock.now().saturating_sub(start) }
    });
    Report::new(cases.collect())
}

enum News {
    /// The harness stands; the case may take this long.
    Started(Duration),
    Done(Outcome),
}

/// One case on a thread of its own, which is left behind if it hangs.
fn watched(case: &'static Case, make: Make) -> Outcome {
    let (tell, news) = mpsc::channel();
    let trail = Trail::default();
    let thread = std::thread::Builder::new().name(case.name.to_owned()).spawn({
        let trail = trail.clone();
        move || {
            let outcome = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
                Ok(runtime) => {
                    let performed = AssertUnwindSafe(perform(case, make, trail, &tell)).catch_unwind();
                    let outcome = runtime
                        .block_on(performed)
                        .unwrap_or_else(|panic| Outcome::Failed(format!("panicked: {}", panic_words(&*panic))));
                    runtime.shutdown_background();
                    outcome
                }
                Err(error) => Outcome::Failed(format!("no runtime for the case: {error}")),
            };
            let _ = tell.send(News::Done(outcome));
        }
    });
    if let Err(error) = thread {
        return Outcome::Failed(format!("no thread for the case: {error}"));
    }
    let mut limit = SETUP;
    loop {
        match news.recv_timeout(limit) {
            Ok(News::Started(allowed)) => limit = allowed,
            Ok(News::Done(outcome)) => return outcome,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Outcome::Failed(format!("hangs: no end after {limit:?}; it was at: {}", trail.last()));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Outcome::Failed(format!("its thread died; it was at: {}", trail.last()));
            }
        }
    }
}

async fn perform(case: &'static Case, make: Make, trail: Trail, tell: &mpsc::Sender<News>) -> Outcome {
    let harness = make().await;
    let _ = tell.send(News::Started(harness.patience() * PATIENCES));
    let capabilities = harness.capabilities();
    if let Some(missing) = case.needs.iter().find(|need| !capabilities.has(**need)) {
        return Outcome::Skipped(format!("the puppet does not declare {missing}"));
    }
    let lab = Lab::new(harness.clone(), trail).await;
    match (case.run)(&lab).await {
        Ok(()) => Outcome::Passed,
        Err(Stop::Failed(message)) => Outcome::Failed(message),
        Err(Stop::Undeclared(what)) => Outcome::Skipped(format!("the puppet does not declare {what}")),
        Err(Stop::Unavailable(ability, reason)) => excuse(case, ability, &reason, cannot(&*harness, ability)),
    }
}

fn excuse(case: &Case, ability: Ability, reason: &str, declared: Option<&str>) -> Outcome {
    let because = match (case.optional.contains(&ability), declared, case.needs) {
        (true, Some(why), _) => return Outcome::Skipped(format!("the platform cannot {ability}: {why}")),
        (true, None, _) => "does not say so in `cannot()`".to_owned(),
        (false, _, []) => "every harness must".to_owned(),
        (false, _, needs) => format!("the puppet declares {needs:?}"),
    };
    Outcome::Failed(format!("illegal skip: the harness cannot {ability} ({reason}), but {because}"))
}

pub(super) fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without words").to_owned()
}
