//! STATE: what tells the client how things stand. Nobody waits for it, and who is not there is told how they stand later.

use std::{mem::discriminant, time::Duration};

use tokio::sync::OwnedSemaphorePermit;
use wechaty::types::EventPayload;

use super::{Entry, Feed, Inner};

/// So many such events may wait to be read; who reads none of them gets no more.
const STATES: usize = 1_000;
/// Each takes so much room, and as much again for each KiB of it.
const STATE: usize = 16;
/// All of them.
pub(super) const ROOM: usize = STATES * STATE;
/// Room is kept so long for a dong.
const DONG: Duration = Duration::from_secs(60);

/// A dong that is to come.
pub(super) struct Expected {
    data: Option<String>,
    since: Duration,
    room: OwnedSemaphorePermit,
}

impl Feed {
    /// Tells the client something that nobody waits for; nothing if nobody listens. False: it reads too little to be told.
    /// It is always told who is logged in, and how far a login is: the latest of each.
    pub(crate) fn tell(&self, event: EventPayload) -> bool {
        let kept = {
            let mut inner = self.inner.lock();
            if !inner.note(&event) {
                return true;
            }
            inner.expect_no_longer(self.clock.now());
            inner.expected(&event)
        };
        let room = kept.or_else(|| self.room_for(&event));
        if room.is_none() && !stands(&event) {
            tracing::debug!(?event, "the client does not read how things stand");
            return false;
        }
        self.push(Entry { event, payload: None, id: None, sent: 0, done: None, room });
        true
    }

    /// Keeps room for the dong of a ding, so that one that is answered is told. False: there is none.
    pub(crate) fn expect_dong(&self, data: &Option<String>) -> bool {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        if inner.stream.is_none() {
            return true;
        }
        inner.expect_no_longer(now);
        let dong = wechaty::types::DongEvent { data: data.clone() }.into();
        let Some(room) = self.room_for(&dong) else { return false };
        inner.dongs.push_back(Expected { data: data.clone(), since: now, room });
        true
    }

    fn room_for(&self, event: &EventPayload) -> Option<OwnedSemaphorePermit> {
        let large = match event {
            EventPayload::Dong(dong) => dong.data.as_ref().map_or(0, String::len) >> 10,
            _ => 0,
        };
        // The largest there are have room, too, where little else waits.
        let room = (STATE * (1 + large)).min(ROOM / 2);
        self.states.clone().try_acquire_many_owned(u32::try_from(room).unwrap_or(u32::MAX)).ok()
    }
}

impl Inner {
    /// Remembers how things stand, for who comes later. Whether somebody is there to be told.
    fn note(&mut self, event: &EventPayload) -> bool {
        match event {
            EventPayload::Ready(_) => self.is_ready = true,
            EventPayload::Scan(scan) => self.scan = Some(scan.clone()),
            EventPayload::Logout(_) => self.is_ready = false,
            _ => {}
        }
        self.stream.is_some()
    }

    /// Gives back the room of dongs whose platform does not answer, or answers something else.
    fn expect_no_longer(&mut self, now: Duration) {
        while self.dongs.pop_front_if(|dong| dong.since + DONG <= now).is_some() {}
    }

    /// The room that is kept for it.
    fn expected(&mut self, event: &EventPayload) -> Option<OwnedSemaphorePermit> {
        let EventPayload::Dong(dong) = event else { return None };
        let at = self.dongs.iter().position(|expected| expected.data == dong.data)?;
        Some(self.dongs.remove(at)?.room)
    }

    /// Of what is told though there is no room, the one before is not told any more.
    pub(super) fn outdate(&mut self, entry: &Entry) {
        if entry.room.is_none() {
            let is_before =
                |other: &Entry| other.room.is_none() && discriminant(&other.event) == discriminant(&entry.event);
            let before = self.entries.iter().find(|(_, other)| is_before(other)).map(|(number, _)| *number);
            before.and_then(|number| self.take(number));
        }
    }

    /// Without a stream nobody is told how things stood.
    pub(super) fn leave_state(&mut self) {
        self.entries.retain(|_, entry| entry.done.is_some());
        self.dongs.clear();
    }
}

/// What tells how things stand at its moment. All else is kept until the client has it.
pub(super) fn is_state(event: &EventPayload) -> bool {
    matches!(event, EventPayload::Heartbeat(_) | EventPayload::Dong(_) | EventPayload::Reset(_)) || stands(event)
}

/// Who reads it late must know it all the same.
fn stands(event: &EventPayload) -> bool {
    use EventPayload::{Login, Logout, Ready, Scan};
    matches!(event, Login(_) | Logout(_) | Ready(_) | Scan(_))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::StreamExt;
    use wechaty::{Bot, VirtualClock, types::DongEvent};
    use wechaty_grpc::{Dialect, pb::EventType};
    use wechaty_puppet_mock::{MockPuppet, World};

    use super::*;
    use crate::feed::Events;

    const WORLD: &str = include_str!("../../tests/it/world.json");

    /// A feed whose platform answers what the test tells it, and its bot, which does not run.
    fn feed(clock: &VirtualClock) -> (Arc<Feed>, Bot) {
        let puppet = MockPuppet::builder(World::from_json(WORLD).expect("a world")).build();
        let bot = Bot::builder(puppet).clock(clock.clone()).build().expect("a bot");
        (Feed::new(1, &clock.clone().into()), bot)
    }

    fn open(feed: &Arc<Feed>, bot: &Bot) -> Events {
        feed.open(bot.main_account(), bot, Dialect::TypeScript, None).expect("nobody else has it")
    }

    /// Promises dongs of so many bytes until there is no room for another; how many.
    fn fill(feed: &Feed, bytes: usize) -> usize {
        (0..2 * STATES).take_while(|at| feed.expect_dong(&Some(format!("{at:0bytes$}")))).count()
    }

    #[tokio::test]
    async fn dings_are_taken_for_ever_where_each_dong_is_told() {
        let (feed, bot) = feed(&VirtualClock::new());
        let mut events = open(&feed, &bot);
        for data in (0..3 * STATES).map(|at| Some(at.to_string())) {
            assert!(feed.expect_dong(&data), "there is no room for the dong {data:?}");
            assert!(feed.tell(DongEvent { data }.into()));
            while events.next().await.expect("it goes on").expect("an event").r#type != i32::from(EventType::Dong) {}
        }
        assert_eq!(fill(&feed, 1), STATES, "each dong that was told has given its room back");
        assert!(feed.tell(DongEvent { data: Some("0".to_owned()) }.into()));
        assert_eq!(fill(&feed, 1), 0, "one that is not read yet keeps it");
    }

    #[tokio::test]
    async fn dings_that_the_platform_does_not_answer_are_forgotten_after_a_minute() {
        let clock = VirtualClock::new();
        let (feed, bot) = feed(&clock);
        let _events = open(&feed, &bot);
        assert_eq!(fill(&feed, 1 << 10), STATES / 2, "with a KiB each takes twice the room");
        clock.advance(DONG - Duration::from_secs(1)).await;
        assert_eq!(fill(&feed, 1), 0, "their dongs may still come");
        clock.advance(Duration::from_secs(1)).await;
        assert_eq!(fill(&feed, 1), STATES);
        clock.advance(DONG).await;
        // Something else that is told finds room, too.
        assert!(feed.tell(DongEvent { data: Some("of nobody".to_owned()) }.into()));
    }

    #[tokio::test]
    async fn dings_of_a_client_that_has_left_take_no_room_of_the_next() {
        let (feed, bot) = feed(&VirtualClock::new());
        for _ in 0..3 {
            let events = open(&feed, &bot);
            assert_eq!(fill(&feed, 1), STATES);
            drop(events);
        }
    }
}
