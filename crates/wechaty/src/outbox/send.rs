//! SEND: one lane a conversation; paced, tried, tried again, settled.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hashbrown::HashMap;
use tokio::sync::oneshot;
use wechaty_puppet::{Capability, Cause, Outgoing, PuppetError, Retry, Sent, Timestamp, with_causes};

use super::{
    InDoubt, Receipt, SendFailure, growing, later,
    split::{self, Measure, Part},
    turn::{Counted, Turn, turn},
};
use crate::{
    archive,
    bot::{Account, Permit},
    inbox::{LaneKey, OnPanic, Place, choices},
    store::{Dead, OutboxRow, SendSeq, Settlement, StoreError, crash},
};

/// How many rows a lane sends before others get their turn.
const TURN: u32 = 32;
/// However long the platform asks for silence: it is asked again then.
const LONGEST_SILENCE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// A silence as long as this spends no attempt.
pub(super) const SILENCE: Duration = Duration::from_secs(1);
/// So many of them: then it is this send that the platform does not want, and they do.
pub(super) const MOST_SILENCES: u32 = 1_000;

/// How far the machine's clock may be put right meanwhile.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// A message the platform took, as [`BotBuilder::observe_sends`](crate::BotBuilder::observe_sends) tells it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentMessage {
    /// The row as it was enqueued.
    pub row: OutboxRow,
    /// What the platform told.
    pub sent: Sent,
    /// When, on the bot's clock.
    pub time: Timestamp,
}

/// Is told of every message the platform took, in the order of each conversation. Must not block.
pub type SendObserver = Arc<dyn Fn(&SentMessage) + Send + Sync>;

/// A row in its lane.
#[derive(Debug)]
pub(crate) struct QueuedRow {
    pub(super) row: OutboxRow,
    tracked: bool,
    /// Whether the first try was claimed when the row was written.
    claimed: bool,
    /// Ends when such a claim has been given back, as others were before it: a later one must not be taken for that.
    unclaimed: Option<oneshot::Receiver<()>>,
    /// Whether the store knows how it is cut.
    in_parts: bool,
    /// When it came, where the platform has quotas.
    since: Option<Timestamp>,
    receipt: Unsettled,
    /// Of those in lanes, or of those that sleep.
    pub(super) permit: Permit,
}

/// A receipt that learns of a stop when it is dropped unsettled.
#[derive(Debug)]
struct Unsettled(Receipt);

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.0.settle(Err(SendFailure::Stopped));
    }
}

pub(super) fn lane(account: &Account, row: &OutboxRow) -> LaneKey {
    LaneKey { account: account.index(), place: Place::Conversation(row.to.clone()) }
}

/// Whether a send would not have to wait.
fn may_go(account: &Account) -> bool {
    account.is_logged_in()
        && !account.is_cut_off()
        && account.breaker().is_closed()
        && account.pacer().is_free(&account.core().clock)
        && account.quotas().is_free()
}

/// Claims the first try of a row that is about to be written, if it can be tried at once then: one commit less.
pub(super) fn claim(account: &Account, row: &mut OutboxRow) -> bool {
    let core = account.core();
    let at_once = core.gate.is_open()
        && may_go(account)
        && row.not_before.is_none()
        // How it is cut is noted first.
        && split::part(row, Measure::of(&account.capabilities().limits)).is_none()
        && !is_late(account, row)
        && core.outbox.is_idle(&lane(account, row));
    if at_once {
        (row.attempts, row.claimed_at) = (1, Some(core.clock.wall()));
    }
    at_once
}

/// A durable row with its receipt.
///
/// `tracked`: another say may ask for the receipt.
///
/// `claimed`: the row was written with its first try, see [`claim`].
pub(super) fn queued(account: &Account, row: OutboxRow, tracked: bool, claimed: bool, permit: Permit) -> QueuedRow {
    let receipt = if tracked { account.core().receipts.get(row.seq, row.key) } else { Receipt::new(row.key) };
    let since = (!account.quotas().is_free()).then(|| account.core().clock.wall());
    QueuedRow { row, tracked, claimed, unclaimed: None, in_parts: false, since, receipt: Unsettled(receipt), permit }
}

impl QueuedRow {
    pub(super) fn receipt(&self) -> Receipt {
        self.receipt.0.clone()
    }

    /// It waits behind others after all: a crash meanwhile would leave a doubt that is none. Gives what to drop once its claim,
    /// if it had one, is given back.
    pub(super) fn waits(&mut self) -> Option<oneshot::Sender<()>> {
        if !std::mem::take(&mut self.claimed) {
            return None;
        }
        (self.row.attempts, self.row.claimed_at) = (0, None);
        let (tell, told) = oneshot::channel();
        self.unclaimed = Some(told);
        Some(tell)
    }
}

/// Puts sends that an earlier life left unsettled back into their lanes, those that are not due to sleep.
pub(crate) async fn resume(account: &Account) -> Result<(), StoreError> {
    let core = account.core();
    let mut rows = core.store.unsent(account.id()).await?;
    split::sweep(account, &rows).await?;
    growing::take_up(account, &rows).await?;
    choices::take_up(account).await?;
    let now = core.clock.wall();
    let due = rows.iter().filter(|row| row.not_before.is_none_or(|due| due <= now));
    account.pacer().spend(core.clock.now(), due.map(|row| &row.to));
    if rows.iter().any(|row| row.not_before.is_some()) {
        // As they went into their lanes then, or would have: when they were said or, planned ones, due.
        let (mut said, mut due) = (Timestamp::from_millis(i64::MIN), HashMap::new());
        for row in &rows {
            said = row.not_before.map_or_else(|| said.max(row.said_at), |_| said);
            due.insert(row.seq, row.not_before.unwrap_or(said));
        }
        rows.sort_unstable_by_key(|row| (due.get(&row.seq).copied(), row.seq));
    }
    for row in rows {
        let queued = queued(account, row, true, false, core.sends.force(1));
        later::post(account, queued, || false).start_here(core).await;
    }
    Ok(())
}

pub(super) async fn drain(account: Account, key: LaneKey, number: u64) {
    let core = account.core().clone();
    // A panic of a store or an observer must not leave a lane that nobody runs.
    let guard = OnPanic(|| {
        let runner = account.core().tasks.spawn(drain_boxed(account.clone(), key.clone(), number));
        account.core().outbox.runs(&key, number, runner.abort_handle());
    });
    let mut turn = 0;
    while let Some(mut queued) = core.outbox.pop(&key, number) {
        turn += 1;
        if turn % TURN == 0 {
            // Who said the first must not send for all others.
            tokio::task::yield_now().await;
        }
        let seq = queued.row.seq;
        let Some((settlement, outcome)) = deliver(&account, &mut queued).await else {
            // The bot stops: it waits in the store, and so do those behind it and those that are still to come.
            drop(core.outbox.leave(&key, number));
            break;
        };
        if let (Some(observer), Ok(sent)) = (&core.send_observer, &outcome) {
            let message = SentMessage { row: queued.row.clone(), sent: sent.clone(), time: core.clock.wall() };
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| observer(&message))).is_err() {
                tracing::error!(account = %account.id(), "the observer of sends panicked");
            }
        }
        let (done, at) = ([(seq, settlement)], core.clock.wall());
        if let Err(error) = core.insist(|| core.store.settle(&done, at)).await {
            // The platform has it, the store does not know: it stays pending there, and is in doubt after a restart.
            tracing::error!(account = %account.id(), %error, "a send could not be settled in the store");
        }
        archive::settled(&account, &queued.row, &done[0].1, at);
        if queued.in_parts {
            split::forget(&account, seq).await;
        }
        choices::settled(&account, &queued.row, &outcome).await;
        if account.begun().has(queued.row.key) {
            growing::forget(&account, queued.row.key).await;
        }
        if queued.tracked {
            core.receipts.take(seq);
        }
        if let Ok(sent) = &outcome
            && queued.receipt.0.is_held()
        {
            core.statuses.follow(&account, &queued.receipt.0, sent);
        }
        queued.receipt.0.settle(outcome);
    }
    drop(guard);
}

/// [`drain`] with its type erased, so that it can start itself again.
fn drain_boxed(account: Account, key: LaneKey, number: u64) -> BoxFuture<'static, ()> {
    Box::pin(drain(account, key, number))
}

/// Whether its time is over.
pub(super) fn is_late(account: &Account, row: &OutboxRow) -> bool {
    row.expires.is_some_and(|until| account.core().clock.wall() >= until)
}

/// Waits, but no longer than the send is good for.
pub(super) async fn in_time(account: &Account, row: &OutboxRow, wait: impl Future<Output = ()>) {
    let clock = &account.core().clock;
    match row.expires {
        None => wait.await,
        Some(until) => drop(clock.timeout(until.since(clock.wall()), wait).await),
    }
}

/// The end of a send; `None`: the bot stops before.
type Ended = Option<(Settlement, Result<Sent, SendFailure>)>;

/// Sends it, in parts if it has to be.
async fn deliver(account: &Account, queued: &mut QueuedRow) -> Ended {
    let QueuedRow { row, claimed, unclaimed, in_parts, since, receipt, .. } = queued;
    if let Some(unclaimed) = unclaimed.take() {
        let _ = unclaimed.await;
    }
    let is_text = row.what.as_text().is_some();
    let mut measure = None;
    if is_text && !*claimed && (row.attempts > 0 || row.done > 0) {
        measure = Box::pin(earlier_measure(account, row, in_parts)).await;
    }
    if is_text && !*claimed && !account.is_logged_in() {
        // The puppet may tell other limits then.
        Box::pin(in_time(account, row, account.until_it_may_send())).await;
    }
    loop {
        let now = Measure::of(&account.capabilities().limits);
        let part = split::part(row, measure.unwrap_or(now));
        if measure.is_none() && part.is_some() {
            if let Err(error) = Box::pin(split::keep(account, row.seq, now)).await {
                // Cut otherwise after a crash, some of it might be lost. It waits for the store.
                tracing::error!(account = %account.id(), %error, "how a text is cut could not be noted in the store");
                Box::pin(account.core().clock.sleep(backoff(account, 4))).await;
                continue;
            }
            (measure, *in_parts) = (Some(now), true);
        }
        let rest = part.as_ref().and_then(|part| part.rest);
        let ended = attempt(account, row, part, std::mem::take(claimed), (*since, &receipt.0)).await?;
        let (Some(done), Ok(_)) = (rest, &ended.1) else { return Some(ended) };
        account.core().parts.fetch_add(1, Ordering::Relaxed);
        (row.done, row.attempts, row.claimed_at) = (done, 0, None);
        let core = account.core();
        if let Err(error) = core.insist(|| core.store.advance(row.seq, done)).await {
            // After a crash the platform's memory of keys has to help.
            tracing::error!(account = %account.id(), %error, "a part could not be recorded in the store");
        }
    }
}

/// How a row is cut of which an earlier life has sent a part, or may have; `None`: as the platform takes it now.
async fn earlier_measure(account: &Account, row: &OutboxRow, in_parts: &mut bool) -> Option<Measure> {
    let kept = loop {
        match split::kept(account, row.seq).await {
            Ok(kept) => break kept,
            Err(error) => {
                tracing::error!(account = %account.id(), %error, "the store does not tell how a text is cut");
                account.core().clock.sleep(backoff(account, 4)).await;
            }
        }
    };
    if row.done == 0 && row.claimed_at.is_none() {
        // Surely nothing of it has arrived.
        if kept.is_some() {
            split::forget(account, row.seq).await;
        }
        return None;
    }
    *in_parts = kept.is_some();
    // Not noted, it was short enough to go out as it is, and may have.
    kept.or_else(|| (row.done == 0).then_some(Measure::WHOLE))
}

/// Tries until the platform took it, or this part of it, or nothing can be done.
async fn attempt(
    account: &Account,
    row: &mut OutboxRow,
    part: Option<Part>,
    mut claimed: bool,
    (since, receipt): (Option<Timestamp>, &Receipt),
) -> Ended {
    let core = account.core();
    let policy = account.policy();
    let mut began = row.claimed_at.unwrap_or_else(|| core.clock.wall());
    let mut attempt = if claimed { 0 } else { row.attempts };
    // A row that was claimed in an earlier life may have reached the platform then.
    let mut doubt = row.claimed_at.filter(|_| !claimed).map(|_| {
        let detail = "the process ended during the send".to_owned();
        PuppetError::Protocol { context: "resuming", detail }
    });
    let mut counted = Counted { place: None, is_done: doubt.is_some() };
    let mut silences = 0;
    loop {
        attempt += 1;
        let mut asks = None;
        if !may_go(account) {
            if std::mem::take(&mut claimed) {
                // It cannot be tried at once after all: a crash meanwhile would leave a doubt that is none.
                unclaim(account, row.seq).await;
            }
            match Box::pin(turn(account, row, since.unwrap_or(row.said_at), receipt, &mut counted)).await {
                Turn::Go(watch) => asks = watch,
                Turn::Stopping => {
                    counted.give_back(account).await;
                    return None;
                }
                Turn::Closed => {
                    return Some(match doubt {
                        Some(_) => in_doubt(policy.in_doubt, doubt),
                        None => (Settlement::Rejected("quota".into()), Err(SendFailure::Quota)),
                    });
                }
            }
        }
        if is_late(account, row) {
            counted.give_back(account).await;
            return Some(match doubt {
                Some(_) => in_doubt(policy.in_doubt, doubt),
                None => (Settlement::Expired("late".into()), Err(SendFailure::Expired)),
            });
        }
        // The doubt outlives later, certain failures: only the platform's memory of keys makes a second copy safe.
        if doubt.is_some() && !may_repeat(account, began) {
            match policy.in_doubt {
                InDoubt::Resend => {
                    doubt = None;
                    if counted.is_done && !account.quotas().is_free() {
                        counted.again();
                        attempt -= 1;
                        continue;
                    }
                }
                policy => return Some(in_doubt(policy, doubt)),
            }
        }
        if doubt.is_none() && !claimed {
            began = core.clock.wall();
        }
        if !std::mem::take(&mut claimed)
            && let Err(error) = core.store.claim(row.seq, attempt, began).await
        {
            // Sent without a claim, it would be sent again after a crash. It waits for the store.
            core.store_failed(&error, "a send could not be claimed in the store, and waits");
            Box::pin(in_time(account, row, core.clock.sleep(backoff(account, attempt)))).await;
            attempt -= 1;
            continue;
        }
        (row.attempts, row.claimed_at) = (attempt, Some(began));
        crash::point("claim-before-send");
        let answer = attempt_once(account, row, part.as_ref(), attempt).await;
        let failed = answer.as_ref().err();
        // Before the breaker lets anybody go on.
        let silence = failed.and_then(|error| keep_silence(account, error));
        account.breaker().answered(core.clock.now(), failed, asks.is_some(), |tries| backoff(account, tries));
        let error = match answer {
            Ok(sent) => {
                crash::point("send-before-record");
                counted.used(account).await;
                return Some((Settlement::Sent(sent.clone()), Ok(sent)));
            }
            Err(error) => error,
        };
        let (retry, reason) = (error.retry(), error.reason());
        silences += u32::from(silence.is_some_and(|silence| silence >= SILENCE));
        let is_busy = silence.is_some_and(|silence| silence >= SILENCE) && silences <= MOST_SILENCES;
        let known = account.is_cut_off() || asks.is_some() || is_busy;
        if known && error.is_certain() && retry != Retry::Never {
            // The connection is known to be lost, the platform not to be there or to be busy: that is no fault of this send.
            attempt -= 1;
        }
        if error.is_certain() && doubt.is_none() {
            counted.give_back(account).await;
            counted.again();
        } else if !error.is_certain() && !may_repeat(account, began) {
            counted.used(account).await;
            counted.again();
        }
        // Another one asks next time, while this one sleeps.
        drop(asks);
        let is_over = retry == Retry::Never || attempt >= policy.attempts;
        if !error.is_certain() {
            let repeat = may_repeat(account, began) || policy.in_doubt == InDoubt::Resend;
            doubt = Some(error);
            if is_over || !repeat {
                return Some(in_doubt(policy.in_doubt, doubt));
            }
        } else if is_over {
            return Some(match doubt {
                Some(_) => in_doubt(policy.in_doubt, doubt),
                None => {
                    let why = with_causes(&error);
                    tracing::warn!(account = %account.id(), to = %row.to, attempt, why, "a send has failed for good: it is a dead letter");
                    let dead = Dead::new(reason, &said(&error));
                    (Settlement::Dead(dead), Err(SendFailure::Dead { attempts: attempt, source: error }))
                }
            });
        } else if doubt.is_none() {
            unclaim(account, row.seq).await;
        }
        let wait = silence.unwrap_or_else(|| backoff(account, attempt));
        Box::pin(in_time(account, row, core.clock.sleep(wait))).await;
    }
}

/// What is known of a failure: the code and the words of the platform alone, where it refused.
fn said(error: &PuppetError) -> String {
    match error {
        PuppetError::Rejected { code, message } => format!("{code}: {message}"),
        error => with_causes(error),
    }
}

/// Lets nothing of the account go out for as long as the platform asks for; gives how long, if it does.
pub(super) fn keep_silence(account: &Account, error: &PuppetError) -> Option<Duration> {
    let Retry::After(silence) = error.retry() else { return None };
    let silence = silence.min(LONGEST_SILENCE);
    account.pacer().hold_until(account.core().clock.now().saturating_add(silence));
    Some(silence)
}

/// Tells the store that a try surely came to nothing.
pub(super) async fn unclaim(account: &Account, seq: SendSeq) {
    if let Err(error) = account.core().store.unclaim(seq).await {
        tracing::error!(account = %account.id(), %error, "a send could not be given back to the store");
    }
}

/// One call to the platform, bounded in time; a panic of the puppet is a doubt.
async fn attempt_once(
    account: &Account,
    row: &OutboxRow,
    part: Option<&Part>,
    attempt: u32,
) -> Result<Sent, PuppetError> {
    let capabilities = account.capabilities();
    let (key, what) = part.map_or((row.key, &row.what), |part| (part.key, &part.what));
    let mut out = Outgoing::new(key, row.to.clone(), what.clone());
    out.attempt = attempt;
    out.cause = row.cause.clone().map(|message_id| Cause { message_id });
    out.quote = row.quote.clone().filter(|_| row.done == 0 && capabilities.has(Capability::Quote));
    let _under_way = account.sending();
    let puppet = account.puppet();
    let call = match puppet.growing().filter(|_| account.begun().has(row.key)) {
        Some(growing) => growing.begin(out),
        None => puppet.send(out),
    };
    let call = std::panic::AssertUnwindSafe(call).catch_unwind();
    let mut call = pin!(call);
    // Most fakes and many sockets answer at once: no timer is made then.
    let first = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
    let answer = match first {
        Poll::Ready(answer) => Ok(answer),
        // Boxed, as it is larger than all the rest of a lane.
        Poll::Pending => Box::pin(account.core().clock.timeout(capabilities.limits.call_timeout, call)).await,
    };
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(PuppetError::Protocol { context: "sending", detail: "the puppet panicked".into() }),
        Err(elapsed) => Err(PuppetError::Transport { context: "sending took too long", source: elapsed.into() }),
    }
}

/// Whether the platform itself would drop a second copy now of what was first tried at `began`.
fn may_repeat(account: &Account, began: Timestamp) -> bool {
    // Asked anew each time: another device of the account knows no keys of the one before it.
    let capabilities = account.puppet().capabilities();
    let now = account.core().clock.wall();
    // A clock that was set back does not tell how long ago that was.
    let is_known = began <= now.plus(CLOCK_SLACK);
    capabilities.has(Capability::IdempotencyKey)
        && is_known
        && capabilities.key_window.is_some_and(|window| now.since(began) < window)
}

/// The end of a send of which nobody knows whether it arrived.
fn in_doubt(policy: InDoubt, doubt: Option<PuppetError>) -> (Settlement, Result<Sent, SendFailure>) {
    let settlement = match policy {
        InDoubt::Drop => Settlement::Dropped,
        InDoubt::Hold | InDoubt::Resend => Settlement::MaybeSent,
    };
    let failure = match doubt {
        Some(source) => SendFailure::MaybeSent { source },
        None => SendFailure::Settled(super::receipt::IN_DOUBT.into()),
    };
    (settlement, Err(failure))
}

/// Exponential, capped, with full jitter.
pub(super) fn backoff(account: &Account, attempt: u32) -> Duration {
    let policy = account.policy();
    let ceiling = policy.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(policy.max_backoff);
    ceiling.mul_f64(account.core().jitter())
}

/// Receipts of unsettled sends, for handlers that run again and say the same.
#[derive(Debug, Default)]
pub(crate) struct Receipts(crate::inbox::Sharded<SendSeq, Receipt>);

impl Receipts {
    /// The receipt of a send, made if there is none yet.
    pub(crate) fn get(&self, seq: SendSeq, key: wechaty_puppet::IdempotencyKey) -> Receipt {
        self.0.get_or_insert_with(seq, || Receipt::new(key))
    }
    pub(crate) fn take(&self, seq: SendSeq) {
        self.0.remove(&seq);
    }
    /// A stop: who waits learns of it.
    pub(crate) fn clear(&self) {
        self.0.drain(|receipt| receipt.settle(Err(SendFailure::Stopped)));
    }
}
