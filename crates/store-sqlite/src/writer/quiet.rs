//! Quiet: what the writing thread does a little of while nobody wants anything: it takes away what is too old or unwanted.

use super::Thread;
use crate::{archive, db::Statement};

impl Thread<'_> {
    /// Takes away some of what is too old or too much; gives whether there may be more.
    pub(super) fn expire(&mut self) -> bool {
        if self.torn {
            return false;
        }
        let now = self.now();
        let Self { db: c, hot, keep, .. } = self;
        let mut expire = || {
            let is_any = hot.is_to_bury(keep, now) || hot.keyed.is_to_expire(now);
            if !is_any && archive::oldest(c, now, keep)?.is_none() {
                return Ok(false);
            }
            c.often(Statement::Begin)?.execute([])?;
            let buried = hot.bury(c, keep, now)?;
            let gone = archive::expire(c, now, keep)? | hot.keyed.expire(c, now)?;
            hot.roll_up(c)?;
            c.often(Statement::Commit)?.execute([])?;
            Ok(buried > 0 || gone)
        };
        expire().unwrap_or_else(|error: rusqlite::Error| {
            tracing::warn!(%error, "what is too old could not be taken away");
            self.roll_back();
            false
        })
    }

    /// Takes away a little of a file that nobody wants; gives whether there was one.
    pub(super) fn sweep(&mut self) -> bool {
        if self.torn {
            return false;
        }
        let Self { db: c, hot, .. } = self;
        let Some(blob) = hot.blobs.unwanted() else { return false };
        let mut sweep = || {
            c.often(Statement::Begin)?.execute([])?;
            hot.blobs.sweep(c, blob)?;
            c.often(Statement::Commit)?.execute([]).map(drop)
        };
        let swept = sweep();
        if let Err(error) = &swept {
            tracing::warn!(%error, "a file that nobody wants could not be taken away");
            self.roll_back();
        }
        swept.is_ok()
    }
}
