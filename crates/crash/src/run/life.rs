//! LIFE: one run. The platform lives through it; the bot is killed, started again, and stopped in the end.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    child::{Answer, Bot, Platform},
    plan::{End, Plan},
};
use crate::{
    bot::{self, Books},
    platform::{self, Book},
};

/// How often it is asked whether all is done.
const LOOK: Duration = Duration::from_millis(10);
/// A handler that waits so long for a reply gets one, as its question was lost (which the books have to tell).
const NUDGE: Duration = Duration::from_millis(300);
/// A life that lasts so long is asked for its books, whether the platform is rid of everything or not.
const LONG: Duration = Duration::from_secs(6);
/// A life that comes to no end, and in which nothing moves any more, is one that lost something.
const STUCK: Duration = Duration::from_secs(60);

/// What a run leaves to be checked.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) book: Book,
    pub(crate) books: Books,
    /// The ends that were reached.
    pub(crate) died: Vec<&'static str>,
    /// Something was still under way when nothing moved any more.
    pub(crate) stuck: bool,
    /// How often each handler has begun, by id of the message.
    pub(crate) runs: Vec<(String, u64)>,
    /// Of each effect that shall be done once, how often it was, and its results: see `draw`.
    pub(crate) effects: Vec<(String, String)>,
    /// When ticks were due whose handler has begun.
    pub(crate) ticks: Vec<String>,
    /// The bot's log.
    pub(crate) log: String,
}

/// How a life went on.
enum Course {
    Died,
    Done,
    Stuck(Box<Books>),
}

/// Runs a plan to its end.
pub(crate) fn run(plan: &Plan) -> Result<Trace> {
    // A killed process leaves what it has written to the system, so memory is as good as a disk here, and faster.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let mut trace = Trace::default();
    let lived = lives(plan, folder.path(), &mut trace);
    trace.log = fs::read_to_string(folder.path().join("bot.log")).unwrap_or_default();
    trace.log.push_str(&fs::read_to_string(folder.path().join("platform.log")).unwrap_or_default());
    for entry in fs::read_dir(folder.path())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(id) = name.strip_prefix("runs-") {
            trace.runs.push((id.to_owned(), entry.metadata()?.len()));
        } else if let Some(id) = name.strip_prefix("once-") {
            trace.effects.push((id.to_owned(), fs::read_to_string(entry.path())?));
        } else if let Some(due) = name.strip_prefix("tick-") {
            trace.ticks.push(due.to_owned());
        }
    }
    match lived {
        Ok(()) => Ok(trace),
        Err(error) => Err(error.context(trace.log)),
    }
}

fn lives(plan: &Plan, folder: &Path, trace: &mut Trace) -> Result<()> {
    let platform = Platform::start(
        &platform::Settings {
            through: plan.through,
            seed: plan.seed,
            keys: plan.keys,
            messages: plan.messages,
            pause: plan.pause,
            files: plan.files,
            steps: plan.steps,
            faults: plan.faults,
            copies: plan.copies.clone(),
        },
        folder,
    )?;
    let settings = bot::Settings {
        address: platform.address.clone(),
        folder: folder.to_owned(),
        keys: plan.keys,
        apart: plan.apart,
        told: plan.told,
        per_second: plan.per_second,
        patience: if plan.faults > 0 { 400 } else { 10_000 },
        sabotage: plan.sabotage,
    };
    for (life, end) in plan.ends.iter().chain([&End::Stop]).enumerate() {
        if plan.older && life == 1 {
            wechaty_store_sqlite::to_version_1(&settings.folder.join("bot.wechaty.db"))?;
        }
        let before = platform.book()?.connections;
        platform.freeze(end)?;
        let mut bot = Bot::start(&settings, end.armed().as_deref())?;
        match until_done(&mut bot, &platform, plan, end, before)? {
            Course::Died => {
                trace.died.push(end.point());
                continue;
            }
            Course::Stuck(books) => {
                trace.books = *books;
                trace.stuck = true;
                break;
            }
            Course::Done => platform.freeze(&End::Stop)?,
        }
        match bot.stop()? {
            Answer::Books(books) => trace.books = *books,
            Answer::Dead => trace.died.push(end.point()),
        }
    }
    trace.book = platform.book()?;
    Ok(())
}

/// What changes on the platform while something goes on: said, acknowledged, answered. Ticks never end, and do not count.
fn progress(book: &Book) -> (usize, usize, usize) {
    let acknowledged = book.said.iter().filter(|said| said.acknowledged).count();
    let answered = book.taken.iter().filter(|taken| !taken.text.starts_with("tick ")).count();
    (book.said.len(), acknowledged, answered)
}

/// Waits until everything said is acknowledged, handled and answered, or the bot is dead.
///
/// `before`: how many connections had listened before this life.
fn until_done(bot: &mut Bot, platform: &Platform, plan: &Plan, end: &End, before: usize) -> Result<Course> {
    let patience = plan.through.patience();
    let (long, nudge, look) = (LONG * patience, NUDGE * patience, LOOK * patience);
    // What was broken on purpose is found soon: only a bot that should be well is waited for on a busy machine.
    let stuck = if plan.sabotage.is_some() { long } else { STUCK * patience };
    let began = Instant::now();
    let mut moved = Instant::now();
    let mut last = Box::<Books>::default();
    let mut seen = (0, 0, 0);
    loop {
        if let End::After(millis) = end
            && began.elapsed() >= Duration::from_millis(*millis)
        {
            bot.kill();
        }
        if bot.is_dead()? {
            return Ok(Course::Died);
        }
        // The platform first: what it has been rid of is in the bot's books a moment later.
        let book = platform.book()?;
        if book.frozen {
            bot.kill();
            continue;
        }
        let has_listened = book.connections > before;
        let is_rid = has_listened && book.over && book.open == 0 && book.said.iter().all(|said| said.acknowledged);
        if is_rid || began.elapsed() > long {
            let Answer::Books(books) = bot.books()? else { return Ok(Course::Died) };
            if is_rid && books.ledger.is_settled() {
                return Ok(Course::Done);
            }
            last = books;
            let now = progress(&book);
            if now != seen {
                (moved, seen) = (Instant::now(), now);
            }
            if last.ledger.outbound.pending == 0 && moved.elapsed() > nudge {
                platform.nudge()?;
            }
        }
        if began.elapsed() > stuck && moved.elapsed() > stuck / 2 {
            return Ok(Course::Stuck(last));
        }
        thread::sleep(look.min(match end {
            End::After(millis) => {
                Duration::from_millis(*millis).saturating_sub(began.elapsed()).max(Duration::from_millis(1))
            }
            _ => look,
        }));
    }
}
