//! Operations, made at random. Rows are named by their place among those there are, so that most names fit.

use proptest::{bool, collection::vec, option, prelude::*};

/// How many different files there are.
pub(crate) const FILES: u8 = 3;

/// One operation on a store.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the arguments of the store's operations")]
pub enum Op {
    /// Events with these ids (`None`: of a kind that repeats), and a cursor.
    Accept { account: u8, events: Vec<Option<u8>>, cursor: Option<u8> },
    /// The nth unfinished event ends in the way of this number.
    Finish { nth: u8, way: u8 },
    /// The nth unfinished event begins again.
    Begin { nth: u8 },
    /// The nth unfinished event is no danger.
    Calm { nth: u8 },
    /// The nth unfinished event (`None`: none) says something under a key.
    Enqueue { account: u8, event: Option<u8>, key: u8, keyed: bool, claimed: bool, files: Vec<u8> },
    /// A file is spooled, and no row names it.
    Spool { file: u8 },
    /// The nth unsent row is tried.
    Claim { nth: u8, attempt: u8 },
    /// The nth unsent row was not tried after all.
    Unclaim { nth: u8 },
    /// The platform took so much of the nth unsent row.
    Advance { nth: u8, done: u8 },
    /// The nth unsent row ends in the way of this number, perhaps so late that keys of others are over.
    Settle { nth: u8, way: u8, late: bool },
    /// The nth dead letter goes back into the outbox.
    Revive { nth: u8 },
    /// The nth dead letter is dropped.
    Discard { nth: u8 },
    /// A say is refused.
    Refuse { account: u8 },
    /// The nth unfinished event gets or loses a note.
    Note { nth: u8, key: u8, value: Option<u8> },
    /// A value is changed if its version is this one.
    Put { key: u8, expected: Option<u8>, value: Option<u8> },
    /// The process ends and another opens the store.
    Reopen,
}

/// Lists of operations, of at most this length.
pub fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    let account = 0u8..3;
    let nth = any::<u8>();
    // The large one seldom: it takes its time.
    let file = prop_oneof![4 => Just(0u8), 4 => Just(1), 1 => 2..FILES];
    // One is said by itself, several as the parts of a post.
    let files = prop_oneof![7 => Just(Vec::new()), 2 => vec(file.clone(), 1), 1 => vec(file.clone(), 2..4)];
    let op = prop_oneof![
        4 => (account.clone(), vec(option::weighted(0.9, 0u8..12), 0..4), option::of(any::<u8>()))
            .prop_map(|(account, events, cursor)| Op::Accept { account, events, cursor }),
        3 => (nth, any::<u8>()).prop_map(|(nth, way)| Op::Finish { nth, way }),
        1 => nth.prop_map(|nth| Op::Begin { nth }),
        1 => nth.prop_map(|nth| Op::Calm { nth }),
        5 => (account.clone(), option::weighted(0.7, any::<u8>()), 0u8..4, any::<bool>(), any::<bool>(), files)
            .prop_map(|(account, event, key, keyed, claimed, files)| {
                Op::Enqueue { account, event, key, keyed, claimed, files }
            }),
        1 => file.prop_map(|file| Op::Spool { file }),
        2 => (nth, 1u8..5).prop_map(|(nth, attempt)| Op::Claim { nth, attempt }),
        1 => nth.prop_map(|nth| Op::Unclaim { nth }),
        1 => (nth, any::<u8>()).prop_map(|(nth, done)| Op::Advance { nth, done }),
        4 => (nth, any::<u8>(), bool::weighted(0.2)).prop_map(|(nth, way, late)| Op::Settle { nth, way, late }),
        1 => nth.prop_map(|nth| Op::Revive { nth }),
        1 => nth.prop_map(|nth| Op::Discard { nth }),
        1 => account.prop_map(|account| Op::Refuse { account }),
        1 => (nth, 0u8..3, option::of(any::<u8>())).prop_map(|(nth, key, value)| Op::Note { nth, key, value }),
        2 => (0u8..4, option::of(0u8..4), option::of(any::<u8>()))
            .prop_map(|(key, expected, value)| Op::Put { key, expected, value }),
        1 => Just(Op::Reopen),
    ];
    vec(op, 1..most)
}
