//! ACKNOWLEDGEMENTS: the numbers of events that were accepted, on their way back to a gateway that numbers them.

use std::{collections::VecDeque, fmt::Write as _};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The most numbers that go with one call.
const IN_ONE: usize = 512;
/// Who answers nothing gets no more than these; the rest comes again, and is known again.
const MOST: usize = 65_536;

/// Numbers to be told with the next call, whichever it is.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    waiting: Mutex<VecDeque<u64>>,
    more: Notify,
}

/// Numbers that go with a call. Unless it is [`told`](Self::told), they go with the next.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    acks: &'a Acks,
    numbers: Vec<u64>,
}

impl Acks {
    pub(crate) fn add(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut waiting = self.waiting.lock();
        waiting.extend(numbers);
        let over = waiting.len().saturating_sub(MOST);
        waiting.drain(..over);
        drop(waiting);
        self.more.notify_one();
    }

    pub(crate) fn take(&self) -> Taken<'_> {
        let mut waiting = self.waiting.lock();
        let count = waiting.len().min(IN_ONE);
        Taken { acks: self, numbers: waiting.drain(..count).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }

    /// Completes when there are some.
    pub(crate) async fn some(&self) {
        while self.is_empty() {
            self.more.notified().await;
        }
    }
}

impl Taken<'_> {
    /// As the value of a header; `None`: there are none.
    pub(crate) fn header(&self) -> Option<String> {
        let (first, rest) = self.numbers.split_first()?;
        let mut text = first.to_string();
        for number in rest {
            // Writing into a text does not fail.
            let _ = write!(text, ",{number}");
        }
        Some(text)
    }

    /// The gateway has them.
    pub(crate) fn told(mut self) {
        self.numbers.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut waiting = self.acks.waiting.lock();
        for number in self.numbers.drain(..).rev() {
            waiting.push_front(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_once_and_again_where_the_call_failed() {
        let acks = Acks::default();
        assert_eq!(acks.take().header(), None);
        acks.add([17, 18]);
        assert_eq!(acks.take().header().as_deref(), Some("17,18"));
        let taken = acks.take();
        assert_eq!(taken.header().as_deref(), Some("17,18"), "the call before told nobody");
        taken.told();
        assert!(acks.is_empty());
    }

    #[test]
    fn a_header_is_bounded_and_so_is_what_waits() {
        let acks = Acks::default();
        acks.add(0..MOST as u64 + 3);
        let taken = acks.take();
        let numbers = taken.header().unwrap();
        assert!(numbers.starts_with("3,4,") && numbers.split(',').count() == IN_ONE);
        drop(taken);
        assert!(acks.take().header().unwrap().starts_with("3,4,"), "they are back where they were");
    }
}
