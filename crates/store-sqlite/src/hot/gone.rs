//! Gone: the rows that a group ends. They end in the order of their numbers, more or less, so that few statements take
//! away many.

use wechaty_store::SendSeq;

use super::Result;
use crate::db::{Db, Statement};

/// What a row is of.
#[derive(Clone, Copy)]
pub(super) enum Ended {
    Event,
    Send,
    Seen,
}

impl Ended {
    const ALL: [(Self, Statement); 3] =
        [(Self::Event, Statement::DropEvents), (Self::Send, Statement::DropSends), (Self::Seen, Statement::DropSeen)];
}

/// Numbers of rows, each at most once.
#[derive(Default)]
pub(crate) struct Gone {
    rows: [Vec<u64>; Ended::ALL.len()],
    /// Each row goes at once: a group failed at its end, and who is to blame has to be found.
    pub(crate) is_at_once: bool,
}

impl Gone {
    pub(super) fn add(&mut self, c: &mut Db<'_>, what: Ended, seq: u64) -> Result<()> {
        self.rows[what as usize].push(seq);
        if self.is_at_once { self.take_away(c) } else { Ok(()) }
    }

    /// There is a row of this number again.
    pub(super) fn keep_send(&mut self, seq: SendSeq) {
        self.rows[Ended::Send as usize].retain(|gone| *gone != seq);
    }

    /// Takes the rows away; none is left to be.
    pub(super) fn take_away(&mut self, c: &mut Db<'_>) -> Result<()> {
        for (what, drop) in Ended::ALL {
            let rows = &mut self.rows[what as usize];
            rows.sort_unstable();
            for run in rows.chunk_by(|one, next| *one + 1 == *next) {
                c.often(drop)?.execute([run.first(), run.last()])?;
            }
            rows.clear();
        }
        Ok(())
    }
}
