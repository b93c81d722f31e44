//! A connection of the puppet: logs in, then hands over the account's events until it is cut.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use tokio::sync::Notify;
use wechaty_puppet::{
    AcceptError, Batch, Cursor, Event, EventPayload, LogoutEvent, PuppetContext, PuppetError, Result,
};

use super::{FakePuppet, platform::Shared, queue::Interrupt};

/// How long the puppet waits before it offers a batch again that the bot could not store.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// What cut a connection short.
pub(super) enum Cut {
    /// The bot wants the puppet to return.
    Cancelled,
    /// The bot's other connection took over.
    Replaced,
    /// The network failed.
    Lost,
    /// The platform logged the account out.
    LoggedOut(Option<String>),
    /// Something failed on our side.
    Failed(PuppetError),
}

impl<E: Into<PuppetError>> From<E> for Cut {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The running connection of an account; dropping it is a crash of the bot.
pub(super) struct Link<'a> {
    pub(super) shared: &'a Shared,
    pub(super) cx: &'a PuppetContext,
    pub(super) account: usize,
    number: u64,
    wake: Arc<Notify>,
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        self.shared.world.lock().accounts[self.account].queue.disconnect(self.number);
        self.shared.progress.notify_waiters();
    }
}

impl Link<'_> {
    /// Whether something has cut the connection; consumes it.
    pub(super) fn cut(&self) -> Option<Cut> {
        if self.cx.cancellation().is_cancelled() {
            return Some(Cut::Cancelled);
        }
        let mut world = self.shared.world.lock();
        let offline = world.faults.offline;
        let queue = &mut world.accounts[self.account].queue;
        if !queue.is_current(self.number) {
            return Some(Cut::Replaced);
        }
        match queue.interrupted() {
            Some(Interrupt::Lost) => Some(Cut::Lost),
            Some(Interrupt::LoggedOut(reason)) => Some(Cut::LoggedOut(reason)),
            None => offline.then_some(Cut::Lost),
        }
    }

    fn is_cut(&self) -> bool {
        let world = self.shared.world.lock();
        let queue = &world.accounts[self.account].queue;
        !queue.is_current(self.number) || queue.is_interrupted() || world.faults.offline
    }

    /// Waits until there may be something to do, or the bot wants us to stop.
    pub(super) async fn idle(&self) {
        select(pin!(self.wake.notified()), pin!(self.cx.cancelled())).await;
    }

    /// Runs a call into the bot; the platform may cut the connection meanwhile. Cancellation is left to the bot,
    /// which answers `Stopping`.
    async fn until_cut<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        loop {
            match select(call.as_mut(), pin!(self.wake.notified())).await {
                Either::Left((answer, _)) => return Some(answer),
                Either::Right(_) if self.is_cut() => return None,
                Either::Right(_) => {}
            }
        }
    }

    /// Hands over an event that is not in the queue: a step of the login or logout.
    pub(super) async fn tell(&self, event: Event) -> Result<(), Cut> {
        let number = {
            let mut world = self.shared.world.lock();
            let number = world.note(self.account, &event, None);
            world.book.delivering(number);
            number
        };
        loop {
            match self.until_cut(self.cx.accept(event.clone())).await {
                Some(Ok(())) => break,
                Some(Err(AcceptError::Store(_))) => self.cx.clock().sleep(STORE_PAUSE).await,
                Some(Err(error)) => return Err(error.into()),
                None => return Err(self.cut().unwrap_or(Cut::Lost)),
            }
        }
        self.shared.world.lock().book.accepted(number);
        self.shared.progress.notify_waiters();
        Ok(())
    }

    fn set_live(&self, live: bool) {
        self.shared.world.lock().accounts[self.account].queue.set_live(self.number, live);
        self.shared.progress.notify_waiters();
    }

    /// Events from `position` on, batch by batch, until the connection is cut.
    async fn listen(&self, position: &mut u64) -> Cut {
        loop {
            if let Some(cut) = self.cut() {
                return cut;
            }
            let delivery = {
                let mut world = self.shared.world.lock();
                if world.faults.events_held { None } else { world.next_batch(self.account, *position) }
            };
            let Some(delivery) = delivery else {
                self.idle().await;
                continue;
            };
            let cursor = self.shared.rules.cursors.then(|| self.cursor(delivery.upto));
            let batch = Batch { events: delivery.events, cursor };
            match self.until_cut(self.cx.accept(batch)).await {
                Some(Ok(())) => {}
                Some(Err(AcceptError::Store(_))) => {
                    // The faults of the batch are spent; the batch itself is built anew.
                    self.cx.clock().sleep(STORE_PAUSE).await;
                    continue;
                }
                Some(Err(error)) => return error.into(),
                None => continue,
            }
            let lost = {
                let mut guard = self.shared.world.lock();
                let world = &mut *guard;
                world.accounts[self.account].queue.in_hand = 0;
                for number in delivery.numbers {
                    world.book.accepted(number);
                }
                let lost = world.faults.lose_acks > 0;
                if lost {
                    world.faults.lose_acks -= 1;
                } else {
                    world.accounts[self.account].queue.ack(delivery.upto, world.rules.retain);
                }
                lost
            };
            self.shared.progress.notify_waiters();
            if lost {
                return Cut::Lost;
            }
            *position = delivery.upto;
        }
    }

    fn cursor(&self, position: u64) -> Cursor {
        Cursor::new(format!("{}{position}", self.shared.rules.id_prefix))
    }

    /// Where the bot's cursor says to go on; one of another platform says nothing.
    fn start(&self) -> u64 {
        let cursor = self.cx.cursor().and_then(Cursor::as_str);
        let position = cursor.and_then(|text| text.strip_prefix(&*self.shared.rules.id_prefix)?.parse().ok());
        let mut guard = self.shared.world.lock();
        let world = &mut *guard;
        let (start, known) = world.accounts[self.account].queue.start(position);
        for number in known {
            world.book.known(number);
        }
        start
    }
}

impl FakePuppet {
    pub(super) async fn connect_and_listen(&self, cx: PuppetContext) -> Result<()> {
        let shared = &*self.platform.shared;
        let (number, wake) = {
            let mut world = shared.world.lock();
            world.book.totals.connections += 1;
            world.accounts[self.account].queue.connect()
        };
        let link = Link { shared, cx: &cx, account: self.account, number, wake };
        let mut position = link.start();
        loop {
            let cut = match link.log_in().await {
                Ok(()) => {
                    link.set_live(true);
                    link.listen(&mut position).await
                }
                Err(cut) => cut,
            };
            link.set_live(false);
            let cut = match cut {
                Cut::LoggedOut(reason) => match link.logged_out(reason).await {
                    Ok(()) => continue,
                    Err(cut) => cut,
                },
                cut => cut,
            };
            return match cut {
                Cut::Cancelled => Ok(()),
                Cut::Replaced => {
                    Err(PuppetError::LoginRefused { reason: "replaced by another connection of this account".into() })
                }
                Cut::Lost => Err(PuppetError::Transport {
                    context: "the connection to the fake platform was lost",
                    source: "connection reset by peer".into(),
                }),
                Cut::Failed(error) => Err(error),
                Cut::LoggedOut(_) => Err(PuppetError::NotLoggedIn),
            };
        }
    }
}

impl Link<'_> {
    /// Logged out: the session is worth nothing any more, and somebody has to scan.
    async fn logged_out(&self, data: Option<String>) -> Result<(), Cut> {
        let contact_id = {
            let mut world = self.shared.world.lock();
            let account = &mut world.accounts[self.account];
            account.login.logged_out = true;
            account.login.needs_scan = true;
            account.login.session = None;
            account.bot.clone()
        };
        self.tell(Event::new(EventPayload::from(LogoutEvent { contact_id, data }))).await
    }
}
