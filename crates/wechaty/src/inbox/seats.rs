//! SEATS: how many lanes may be in the hands of handlers at once, and whose turn is next; a pure state machine inside.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Priority;

/// Each so many-th seat goes to who has waited longest, whatever its priority: nobody starves.
const AGEING: u64 = 4;

/// Who waits, and for how many there is room. While anybody waits, no seat is free.
#[derive(Debug)]
struct Turns<W> {
    limit: usize,
    /// May go beyond the limit for a while: see [`Seats::force`].
    taken: usize,
    /// By ticket, one map for each priority, the most urgent first.
    waiting: [BTreeMap<u64, W>; Priority::ALL.len()],
    next_ticket: u64,
    /// How often somebody who waited has been given a seat.
    given: u64,
}

impl<W> Turns<W> {
    fn new(limit: usize) -> Self {
        Self { limit, taken: 0, waiting: Default::default(), next_ticket: 0, given: 0 }
    }

    /// Takes a seat if one is free.
    fn try_take(&mut self) -> bool {
        let free = self.taken < self.limit;
        self.taken += usize::from(free);
        free
    }

    fn wait(&mut self, priority: Priority, waiter: W) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting[priority as usize].insert(ticket, waiter);
        ticket
    }

    fn give_up(&mut self, priority: Priority, ticket: u64) -> Option<W> {
        self.waiting[priority as usize].remove(&ticket)
    }

    /// Somebody has left a seat; gives who has it now.
    fn leave(&mut self) -> Option<W> {
        self.taken -= 1;
        if self.taken >= self.limit {
            return None;
        }
        let firsts = self.waiting.iter().enumerate();
        let mut firsts = firsts.filter_map(|(class, waiting)| Some((*waiting.first_key_value()?.0, class)));
        let by_age = (self.given + 1).is_multiple_of(AGEING);
        let (_, class) = if by_age { firsts.min() } else { firsts.next() }?;
        let (_, waiter) = self.waiting[class].pop_first()?;
        self.given += 1;
        self.taken += 1;
        Some(waiter)
    }
}

type Shared = Arc<Mutex<Turns<oneshot::Sender<Seat>>>>;

/// The seats of a bot. Clones are the same seats.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Shared);

/// A seat, given back on drop.
#[derive(Debug)]
pub(crate) struct Seat(Option<Shared>);

impl Seats {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Turns::new(limit))))
    }

    /// Waits until it is this one's turn.
    pub(crate) async fn take(&self, priority: Priority) -> Seat {
        let (told, waiting) = {
            let mut turns = self.0.lock();
            if turns.try_take() {
                return Seat(Some(self.0.clone()));
            }
            let (tell, told) = oneshot::channel();
            // Dropped before what it was told: a seat that comes in this very moment goes on to the next.
            (told, Waiting { turns: &self.0, priority, ticket: turns.wait(priority, tell) })
        };
        let seat = told.await;
        drop(waiting);
        // Who waits is only ever forgotten by itself.
        seat.unwrap_or_else(|_| self.force())
    }

    /// Takes a seat if one is free: nobody waits for one then.
    pub(crate) fn try_take(&self) -> Option<Seat> {
        self.0.lock().try_take().then(|| Seat(Some(self.0.clone())))
    }

    /// Takes a seat whether one is free or not: who comes back cannot wait. Others wait until it is made good.
    pub(crate) fn force(&self) -> Seat {
        self.0.lock().taken += 1;
        Seat(Some(self.0.clone()))
    }
}

/// A place in the queue.
struct Waiting<'a> {
    turns: &'a Shared,
    priority: Priority,
    ticket: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let _waiter = self.turns.lock().give_up(self.priority, self.ticket);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        let mut next = turns.lock().leave();
        while let Some(waiter) = next {
            match waiter.send(Seat(Some(turns.clone()))) {
                Ok(()) => return,
                // It has just gone.
                Err(mut seat) => seat.0 = None,
            }
            next = turns.lock().leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_most_urgent_is_next_and_each_fourth_seat_goes_to_who_has_waited_longest() {
        let mut turns = Turns::new(1);
        assert!(turns.try_take() && !turns.try_take());
        turns.wait(Priority::Late, "old");
        for (priority, who) in
            [(Priority::Room, "room"), (Priority::Direct, "a"), (Priority::Direct, "b"), (Priority::Owner, "owner")]
        {
            turns.wait(priority, who);
        }
        let order: Vec<_> = std::iter::from_fn(|| turns.leave()).collect();
        assert_eq!(order, ["owner", "a", "b", "old", "room"]);
        assert!(turns.taken == 0 && turns.try_take());
    }

    #[tokio::test]
    async fn whoever_goes_gives_back_and_who_comes_back_is_made_good() {
        let seats = Seats::new(1);
        let (one, beyond) = (seats.take(Priority::Room).await, seats.force());
        let mut gone = Box::pin(seats.take(Priority::Owner));
        let mut waits = Box::pin(seats.take(Priority::Room));
        assert!((&mut gone).now_or_never().is_none() && (&mut waits).now_or_never().is_none());
        drop(one);
        assert!((&mut waits).now_or_never().is_none(), "one was beyond the limit");
        drop(beyond);
        // Given, but gone before it looked.
        drop(gone);
        let seat = waits.now_or_never().expect("its turn");
        drop(seat);
        assert_eq!(seats.0.lock().taken, 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Come(Priority),
        Leave,
        Force,
        GiveUp(prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => prop::sample::select(&Priority::ALL[..]).prop_map(Step::Come),
            4 => Just(Step::Leave),
            1 => Just(Step::Force),
            1 => any::<prop::sample::Index>().prop_map(Step::GiveUp),
        ];
        prop::collection::vec(step, 0..300)
    }

    proptest! {
        /// Against a plain list in the order of coming: who is next, that no seat is free while somebody waits, and
        /// that nobody who came k-th waits for more than `AGEING` seats for each before it.
        #[test]
        fn turns_are_those_of_a_plain_list_and_nobody_starves(limit in 1usize..4, steps in steps()) {
            let mut turns = Turns::new(limit);
            let mut model: Vec<(Priority, u64, u64)> = Vec::new();
            let (mut taken, mut given, mut worst) = (0, 0u64, BTreeMap::new());
            for step in steps {
                match step {
                    Step::Come(priority) => {
                        let free = taken < limit;
                        prop_assert_eq!(turns.try_take(), free);
                        if free {
                            taken += 1;
                        } else {
                            let ticket = turns.next_ticket;
                            turns.wait(priority, ticket);
                            model.push((priority, ticket, given));
                            worst.insert(ticket, AGEING * model.len() as u64);
                        }
                    }
                    Step::Force => {
                        turns.taken += 1;
                        taken += 1;
                    }
                    Step::GiveUp(index) => if !model.is_empty() {
                        let (priority, ticket, _) = model.remove(index.index(model.len()));
                        prop_assert_eq!(turns.give_up(priority, ticket), Some(ticket));
                    }
                    Step::Leave => if taken > 0 {
                        taken -= 1;
                        let mut expected = None;
                        if taken < limit && !model.is_empty() {
                            let at = match (given + 1) % AGEING {
                                0 => 0,
                                _ => (0..model.len()).min_by_key(|at| model[*at].0).unwrap_or(0),
                            };
                            given += 1;
                            taken += 1;
                            let (_, ticket, since) = model.remove(at);
                            prop_assert!(given - since <= worst[&ticket], "{} waited for {} seats", ticket, given - since);
                            expected = Some(ticket);
                        }
                        prop_assert_eq!(turns.leave(), expected);
                    }
                }
                prop_assert!(model.is_empty() || taken >= limit);
                prop_assert_eq!(turns.taken, taken);
            }
        }
    }
}
