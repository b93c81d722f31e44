//! DISPATCH: one event through its observers and handlers, in order; a panic or an error stays where it happened.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wechaty_types::MessageId;

use super::{
    EventContext, Flow, Run,
    budget::Budget,
    event::{AnyEvent, Topic},
    registry::{Chain, Entry},
};
use crate::{
    Account, Bot, Error, Result,
    archive::Noted,
    bot::{Core, Permit},
    inbox::{Asked, Priority},
    store::{DedupeKey, EventSeq, Outcome, crash},
    user::ErrorReport,
};

/// Who the event is, for keys and the journal.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventRef {
    /// `None`: not in the journal (heartbeat, start …).
    pub(crate) seq: Option<EventSeq>,
    pub(crate) identity: DedupeKey,
    pub(crate) cause: Option<MessageId>,
    /// Whether an earlier life left it unfinished.
    pub(crate) resumed: bool,
    /// What is remembered of it; `None`: nothing.
    pub(crate) record: Option<Box<Noted>>,
}

/// One event in the hands of its handlers; finished when the last of them has returned.
struct EventRun {
    cx: EventContext,
    event: EventRef,
    record: Mutex<Option<Box<Noted>>>,
    chain: Option<Arc<Chain>>,
    outstanding: AtomicUsize,
    handled: AtomicBool,
    /// A stop has cut a handler off: the event is not over, and the next life begins it again.
    cut_off: AtomicBool,
    errors: Mutex<Vec<Arc<str>>>,
    /// Its handlers' runs, if an earlier life began it: what they say is compared with what was said then.
    runs: Mutex<Vec<Arc<Run>>>,
}

/// Gives an event to its observers and handlers. Returns when all have returned or wait in `ask`; the others go on in
/// tasks of their own and finish the event. `false`: a stop has cut it off, and what is behind it in its lane must not overtake it.
///
/// `asked`: who waits for this event as an answer. Observers get it first; handlers only if it is not taken.
pub(crate) async fn process(cx: EventContext, mut event: EventRef, asked: Option<Box<Asked>>) -> bool {
    let chain = cx.bot.core().handlers.chain(cx.object.topic());
    let record = Mutex::new(event.record.take());
    let run = Arc::new(EventRun {
        cx,
        event,
        record,
        chain,
        outstanding: AtomicUsize::new(1),
        handled: AtomicBool::new(false),
        cut_off: AtomicBool::new(false),
        errors: Mutex::default(),
        runs: Mutex::default(),
    });
    if let Some(chain) = &run.chain {
        for entry in &chain.observers {
            run.observe(entry).await;
        }
    }
    if run.cut_off.load(Ordering::Relaxed) {
        // Nobody else begins with what the next life begins again. Who waits for it as an answer stops as well.
        return false;
    }
    if let Some(asked) = asked
        && let Some(asker) = Box::pin(asked.deliver()).await
    {
        // The answer is recorded with its question by now. It is finished before the asker goes on: cut off later, the
        // asker is told the recorded answer, and nobody hears it a second time.
        run.handled.store(true, Ordering::Relaxed);
        run.release().await;
        let is_quiet = Box::pin(asker.quiet()).await;
        return is_quiet || !run.cx.bot.core().closing().is_cancelled();
    }
    // What a program says to nobody in particular is not to be answered: whoever wants to hear it all the same asks for it.
    let is_for_handlers = match &run.cx.object {
        AnyEvent::Message(message) => message.is_for_handlers(),
        _ => true,
    };
    if is_for_handlers {
        run.clone().handlers(0, None).await;
    }
    run.release().await;
    !run.cut_off.load(Ordering::Relaxed)
}

/// What a handler that comes back from `ask` decides about: those behind it, from this number on, and which plugin has
/// handled the event by then.
type Behind = (usize, Option<Option<Arc<str>>>);

impl EventRun {
    fn start(&self, entry: &Entry) -> Option<Running> {
        let EventRef { seq, identity, cause, resumed, .. } = &self.event;
        let run =
            Run::new(*seq, *identity, entry.name.clone(), Some(self.cx.account.id().clone()), cause.clone(), *resumed);
        if *resumed {
            self.runs.lock().push(run.clone());
        }
        // The handler's own code runs as early as here, where it makes its future.
        let future = catch_unwind(AssertUnwindSafe(|| run.enter(|| entry.handler.call(&self.cx))));
        let future = future.unwrap_or_else(|panic| Some(Box::pin(std::future::ready(Err(panicked(&*panic))))))?;
        if let Some(noted) = &mut *self.record.lock() {
            noted.record.by.push(entry.name.clone());
        }
        let core = self.cx.bot.core();
        let budget = entry.timeout.or(core.limits.handler).map(|most| Box::new(Budget::new(&core.clock, most)));
        Some(Running { run, future, budget })
    }

    /// Whether the event is inside the scope of a handler's plugin.
    async fn reaches(&self, entry: &Entry) -> bool {
        let Some(scope) = &entry.scope else { return true };
        match AssertUnwindSafe(scope.admits(&self.cx)).catch_unwind().await {
            Ok(admitted) => admitted,
            Err(panic) => {
                self.record(entry, Err(panicked(&*panic)));
                false
            }
        }
    }

    /// Runs the handlers from number `from` on. `handled_by`: an earlier one said [`Flow::Handled`].
    async fn handlers(self: Arc<Self>, from: usize, mut handled_by: Option<Option<Arc<str>>>) {
        let Some(chain) = self.chain.clone() else { return };
        for (i, entry) in chain.handlers.iter().enumerate().skip(from) {
            if handled_by.as_ref().is_some_and(|plugin| *plugin != entry.plugin) {
                continue;
            }
            if !self.reaches(entry).await {
                continue;
            }
            let Some(mut running) = self.start(entry) else { continue };
            self.handled.store(true, Ordering::Relaxed);
            match running.until_done_or_parked().await {
                Some(outcome) => match self.record(entry, outcome) {
                    Flow::Continue => {}
                    Flow::Handled => handled_by = Some(entry.plugin.clone()),
                    Flow::Stop => return,
                },
                None => {
                    // It waits in `ask` and gives its lane back. Those behind it need not wait, unless it may stop them.
                    let may_stop = entry.handler.may_stop();
                    self.park(running, entry, may_stop.then(|| (i + 1, handled_by.clone())));
                    if may_stop {
                        return;
                    }
                }
            }
        }
    }

    /// Runs an observer; one that waits in `ask` gives its lane back like a handler.
    async fn observe(self: &Arc<Self>, entry: &Entry) {
        if !self.reaches(entry).await {
            return;
        }
        let Some(mut running) = self.start(entry) else { return };
        match running.until_done_or_parked().await {
            Some(outcome) => {
                self.record(entry, outcome);
            }
            None => self.park(running, entry, None),
        }
    }

    /// Lets a handler that waits in `ask` go on beside its lane.
    fn park(self: &Arc<Self>, running: Running, entry: &Entry, behind: Option<Behind>) {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let (this, entry) = (self.clone(), entry.clone());
        self.cx.bot.core().park(async move {
            if let Some(seq) = this.event.seq.filter(|_| this.event.resumed)
                && let Err(error) = this.cx.bot.core().store.calm(seq).await
            {
                tracing::error!(%error, "the store does not know that a handler only waits");
            }
            let run = running.run.clone();
            let core = this.cx.bot.core();
            let (outcome, _under_way) = running.until_done(core).await;
            let mut seat = run.leave();
            let flow = this.record(&entry, outcome);
            if let Some((next, handled_by)) = behind.filter(|_| flow != Flow::Stop) {
                if let (Some(seats), None) = (core.seats(), &seat) {
                    // It had that of its answer.
                    seat = Some(seats.take(Priority::Direct).await);
                }
                let handled_by = if flow == Flow::Handled { Some(entry.plugin.clone()) } else { handled_by };
                this.clone().handlers_boxed(next, handled_by).await;
            }
            this.release().await;
            drop(seat);
        });
    }

    /// [`handlers`](Self::handlers) with its type erased, so that it can go on behind itself.
    fn handlers_boxed(self: Arc<Self>, from: usize, handled_by: Option<Option<Arc<str>>>) -> BoxFuture<'static, ()> {
        Box::pin(self.handlers(from, handled_by))
    }

    fn record(&self, entry: &Entry, outcome: Result<Flow>) -> Flow {
        match outcome {
            Ok(flow) => flow,
            Err(error) if error.is_stop() && self.cx.bot.core().closing().is_cancelled() => {
                tracing::debug!(account = %self.cx.account.id(), handler = %entry.name, "a stop cuts a handler off: {error}");
                self.cut_off.store(true, Ordering::Relaxed);
                Flow::Stop
            }
            Err(error) => {
                self.errors.lock().push(entry.name.clone());
                report(&self.cx, error, Some(entry.name.clone()));
                Flow::Continue
            }
        }
    }

    /// One of those who hold the event lets go; the last one finishes it, unless a stop has cut one off.
    async fn release(&self) {
        if self.outstanding.fetch_sub(1, Ordering::AcqRel) != 1 || self.cut_off.load(Ordering::Relaxed) {
            return;
        }
        if let Some(seq) = self.event.seq {
            crash::point("handler-returned");
            let errors = std::mem::take(&mut *self.errors.lock());
            let diverged = if self.event.resumed { Box::pin(self.diverged(seq)).await } else { 0 };
            let outcome = Outcome::Handled { by: self.handled.load(Ordering::Relaxed), errors, diverged };
            let record = self.record.lock().take();
            self.cx.account.finish(seq, outcome, record).await;
        }
    }
}

impl EventRun {
    /// How many sends of an earlier life its handlers did not say again. They are sent all the same.
    async fn diverged(&self, seq: EventSeq) -> u64 {
        let account = self.cx.account.id();
        let said = match self.cx.bot.core().store.said(seq).await {
            Ok(said) => said,
            Err(error) => {
                tracing::error!(%account, %error, "what an event said could not be read from the store");
                return 0;
            }
        };
        let runs = self.runs.lock();
        let others = said.iter().filter(|said| !runs.iter().any(|run| run.has_said(said.key)));
        others
            .inspect(|said| tracing::warn!(%account, event = seq, key = %said.key, "diverged: not said again"))
            .count() as u64
    }
}

fn process_boxed(cx: EventContext) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        process(cx, EventRef::default(), None).await;
    })
}

/// Tells the error handlers about an event that fell to an error in `handler`.
fn report(cx: &EventContext, error: Error, handler: Option<Arc<str>>) {
    if cx.object.topic() == Topic::Error {
        // An error handler that fails must not call itself.
        tracing::error!(account = %cx.account.id(), handler = handler.as_deref(), "{error}");
    } else {
        report_error(cx.bot.clone(), &cx.account, error, handler);
    }
}

/// Tells the handlers and observers of errors; without one that does more than pass them on, the log.
pub(crate) fn report_error(bot: Bot, account: &Account, error: Error, handler: Option<Arc<str>>) {
    let report = ErrorReport::new(error, handler, account.clone());
    let chain = bot.core().handlers.chain(Topic::Error);
    // Whoever listens to errors, an observer that logs them too, takes them off our log.
    if chain.as_ref().is_none_or(|chain| chain.handlers.iter().chain(&chain.observers).all(|entry| entry.relays)) {
        tracing::error!(account = %account.id(), "{report}");
    }
    if chain.is_none() {
        return;
    }
    let Some(permit) = bot.core().reports.try_take(1) else {
        return tracing::error!(account = %account.id(), "{report}; the handlers of errors are behind and are not told");
    };
    let object = AnyEvent::ErrorReport(report);
    let cx = EventContext { bot: bot.clone(), account: account.clone(), object, resumed: false, stored: None };
    bot.core().spawn(async move {
        process_boxed(cx).await;
        drop(permit);
    });
}

/// What a panic says, as an error.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Panic(text.unwrap_or_else(|| "a value that is no text".to_owned()))
}

/// What a stop waits for, and what counts as an event in the hands of handlers.
type UnderWay = (TaskTrackerToken, Permit);

/// A handler's future with its run. Completes the run when it is done or dropped.
struct Running {
    run: Arc<Run>,
    future: BoxFuture<'static, Result<Flow>>,
    /// The time it may take; `None`: as long as it likes.
    budget: Option<Box<Budget>>,
}

impl Running {
    /// `None`: it waits in `ask`.
    async fn until_done_or_parked(&mut self) -> Option<Result<Flow>> {
        poll_fn(|cx| match Pin::new(&mut *self).poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if self.run.is_parked() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Whenever it does not wait in `ask` it is under way: drained and counted like any other.
    async fn until_done(mut self, core: &Core) -> (Result<Flow>, UnderWay) {
        let take = || (core.tasks.token(), core.events.force(1));
        let mut under_way = None;
        let mark = |run: &Run, under_way: &mut Option<UnderWay>| {
            *under_way = (!run.is_parked()).then(|| under_way.take().unwrap_or_else(take));
        };
        let outcome = poll_fn(|cx| {
            // An answer has come before this poll, a timeout comes within it.
            mark(&self.run, &mut under_way);
            let polled = Pin::new(&mut self).poll(cx);
            mark(&self.run, &mut under_way);
            polled
        })
        .await;
        (outcome, under_way.unwrap_or_else(take))
    }
}

impl Future for Running {
    type Output = Result<Flow>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| this.run.enter(|| this.future.as_mut().poll(cx))));
        let outcome = match polled {
            Ok(Poll::Pending) => {
                let Some(budget) = &mut this.budget else { return Poll::Pending };
                if !budget.is_spent(this.run.is_parked(), cx) {
                    return Poll::Pending;
                }
                let error = Error::TimedOut { after: budget.most };
                // Gone before it is told, as if it had returned.
                this.future = Box::pin(std::future::pending());
                Err(error)
            }
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => Err(panicked(&*panic)),
        };
        match &outcome {
            Err(error) if error.is_stop() => this.run.cut_off(),
            _ => this.run.done(),
        }
        Poll::Ready(outcome)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.run.done();
    }
}
