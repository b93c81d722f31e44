//! What is kept of the platform's names and ids, so that it is not asked twice: bounded, the oldest goes first.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

/// How many entries one book holds.
const MOST: usize = 4_096;

/// From one id to what is known of it.
#[derive(Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    entries: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Book {
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.0.lock().entries.get(key).cloned()
    }

    pub(crate) fn put(&self, key: &str, value: &str) {
        let mut pages = self.0.lock();
        if pages.entries.insert(key.to_owned(), value.to_owned()).is_none() {
            pages.order.push_back(key.to_owned());
        }
        while pages.order.len() > MOST {
            if let Some(oldest) = pages.order.pop_front() {
                pages.entries.remove(&oldest);
            }
        }
    }

    pub(crate) fn remove(&self, key: &str) -> Option<String> {
        let mut pages = self.0.lock();
        let found = pages.entries.remove(key)?;
        pages.order.retain(|known| known != key);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_go_first() {
        let book = Book::default();
        for number in 0..=MOST {
            book.put(&number.to_string(), "x");
        }
        assert_eq!((book.get("0"), book.get("1").as_deref()), (None, Some("x")));
        book.put("1", "y");
        assert_eq!((book.remove("1").as_deref(), book.get("1")), (Some("y"), None));
    }
}
