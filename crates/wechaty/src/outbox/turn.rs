//! TURN: what a send waits for before its call: login, connection, quotas, breaker; then its pace, which does not keep. Last it
//! is counted: who waits holds no place of a quota.

use std::time::Duration;

use wechaty_puppet::Timestamp;

use super::{
    Receipt,
    breaker::{Entry, Watch},
    quota::{self, Pass, Taken},
    send::{in_time, is_late},
};
use crate::{bot::Account, store::OutboxRow};

/// What quotas have counted for a send.
pub(super) struct Counted {
    pub(super) place: Option<Taken>,
    /// Whether nothing more is to be counted; a try of an earlier life was counted then.
    pub(super) is_done: bool,
}

impl Counted {
    /// Another try is another send.
    pub(super) fn again(&mut self) {
        (self.place, self.is_done) = (None, false);
    }

    /// Gives back what was counted, if something was.
    pub(super) async fn give_back(&mut self, account: &Account) {
        if let Some(place) = self.place.take() {
            Box::pin(place.give_back(account)).await;
        }
    }

    /// The platform has it, or may have.
    pub(super) async fn used(&mut self, account: &Account) {
        if let Some(place) = self.place.take() {
            Box::pin(place.used(account)).await;
        }
    }
}

/// Who asks whether the platform is back waits no longer for its pace than this: another may be able to go out by now.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came of waiting.
pub(super) enum Turn<'a> {
    /// It may go out; or its time is over. Perhaps it is the one that asks whether the platform is back.
    Go(Option<Watch<'a>>),
    /// The other side has not written for too long.
    Closed,
    /// The bot stops.
    Stopping,
}

/// Waits until a send may go out. `since`: when it came.
pub(super) async fn turn<'a>(
    account: &'a Account,
    row: &OutboxRow,
    since: Timestamp,
    receipt: &Receipt,
    counted: &mut Counted,
) -> Turn<'a> {
    let core = account.core();
    let (mut asks, breaker) = (None, account.breaker());
    loop {
        if !account.is_logged_in() {
            in_time(account, row, account.until_it_may_send()).await;
        }
        if account.is_cut_off() {
            in_time(account, row, account.until_connected()).await;
        }
        let is_up = || account.is_logged_in() && !account.is_cut_off();
        let was_up = is_up();
        if !counted.is_done && !account.quotas().is_free() {
            match quota::pass(account, row, since, receipt).await {
                Pass::Open => {}
                Pass::Late => return Turn::Go(asks),
                Pass::Stopping => return Turn::Stopping,
                Pass::Closed => return Turn::Closed,
            }
        }
        if asks.is_none() && !breaker.is_closed() {
            match breaker.enter(&core.clock, row.expires, &core.closing()).await {
                Entry::Go => {}
                Entry::Ask(watch) => asks = Some(watch),
                Entry::Late => return Turn::Go(asks),
                Entry::Stopping => return Turn::Stopping,
            }
        }
        if !account.pacer().is_free(&core.clock) {
            let pace = in_time(account, row, account.pacer().wait(&core.clock, &row.to, Some(row.what.kind())));
            match asks {
                Some(_) => tokio::select! {
                    biased;
                    () = pace => {}
                    () = core.clock.sleep(PATIENCE) => {
                        asks = None;
                        continue;
                    }
                },
                None => tokio::select! {
                    () = pace => {}
                    () = breaker.opens() => {}
                },
            }
        }
        // However long that was: what was true before need not be any more, and a pace is of the moment.
        if is_late(account, row) {
            return Turn::Go(asks);
        }
        if (was_up && !is_up()) || (asks.is_none() && !breaker.is_closed()) {
            asks = None;
            continue;
        }
        if !counted.is_done && !account.quotas().is_free() {
            let Some(taken) = quota::take(account, row).await else {
                // Another asks while this one waits.
                asks = None;
                continue;
            };
            *counted = Counted { place: Some(taken), is_done: true };
        }
        return Turn::Go(asks);
    }
}
