//! UPLOADS: files between their upload and the send that needs them: so many, so large in all, and for so long.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, UNIX_EPOCH},
};

use axum::http::{StatusCode, header};
use parking_lot::Mutex;
use wechaty::Clock;
use wechaty_file_box::{FileBoxError, FolderUuidStore};

use crate::{RestOptions, fault::too_large, problem::Problem};

/// The files of a door.
pub(crate) struct Uploads {
    bounds: Bounds,
    /// Where they are; made when the first one comes.
    place: PathBuf,
    folder: Mutex<Option<FolderUuidStore>>,
    now: Arc<Mutex<Now>>,
}

#[derive(Clone, Copy)]
struct Bounds {
    number: usize,
    bytes: u64,
    life: Duration,
}

/// What there is, with what is on its way.
#[derive(Default)]
struct Now {
    kept: HashMap<String, Upload>,
    number: usize,
    bytes: u64,
    /// Whether somebody waits for the next to expire.
    has_timer: bool,
}

/// A file that is kept.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) size: u64,
    /// By the monotonic clock.
    until: Duration,
}

impl Now {
    /// Takes those out whose time is over.
    fn expire(&mut self, now: Duration) {
        let (number, bytes) = (&mut self.number, &mut self.bytes);
        self.kept.retain(|_, upload| {
            let stays = upload.until > now;
            if !stays {
                *number -= 1;
                *bytes -= upload.size;
            }
            stays
        });
    }

    /// When the next one expires.
    fn next(&self) -> Option<Duration> {
        self.kept.values().map(|upload| upload.until).min()
    }
}

impl Uploads {
    pub(crate) fn new(options: &RestOptions) -> Self {
        let bounds = Bounds { number: options.uploads, bytes: options.upload_bytes, life: options.file_life };
        Self { bounds, place: options.files.clone(), folder: Mutex::default(), now: Arc::default() }
    }

    /// Their folder; it is made when it is first needed.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn folder(&self, clock: &Clock) -> Result<FolderUuidStore, FileBoxError> {
        let mut folder = self.folder.lock();
        if let Some(folder) = &*folder {
            return Ok(folder.clone());
        }
        let clock = clock.clone();
        let made = FolderUuidStore::new(&self.place, self.bounds.life, move || {
            UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.wall().as_millis()).unwrap_or_default())
        })?;
        Ok(folder.insert(made).clone())
    }

    /// What is known of an upload that is kept.
    pub(crate) fn get(&self, id: &str) -> Option<Upload> {
        self.now.lock().kept.get(id).cloned()
    }

    /// Room for a file; of so many bytes, if it says so.
    ///
    /// # Errors
    /// 429: there is none before others have expired. 413: there is never so much.
    pub(crate) fn room(&self, clock: &Clock, declared: Option<u64>) -> Result<Room, Problem> {
        let mut now = self.now.lock();
        now.expire(clock.now());
        let bytes = declared.unwrap_or_default();
        if bytes > self.bounds.bytes {
            return Err(too_large(self.bounds.bytes));
        }
        if now.number >= self.bounds.number || now.bytes.saturating_add(bytes) > self.bounds.bytes {
            return Err(self.full(&now, clock));
        }
        now.number += 1;
        now.bytes += bytes;
        Ok(Room { now: self.now.clone(), bounds: self.bounds, bytes, is_kept: false })
    }

    /// 429: there is room for so much only when others have been taken away.
    pub(crate) fn no_room(&self, clock: &Clock) -> Problem {
        self.full(&self.now.lock(), clock)
    }

    fn full(&self, now: &Now, clock: &Clock) -> Problem {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20).to_string();
        // Those on their way may be done at any time.
        let wait = now.next().map_or(1, |next| next.saturating_sub(clock.now()).as_secs() + 1);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "W530", "rest-uploads-full")
            .set("count", now.number.to_string())
            .set("mib", mib(now.bytes))
            .set("most", self.bounds.number.to_string())
            .set("most_mib", mib(self.bounds.bytes))
            .certain(true)
            .header(header::RETRY_AFTER, &wait.to_string())
    }

    /// The file is whole: it is kept for its time, and taken away then.
    pub(crate) fn keep(&self, clock: &Clock, mut room: Room, id: String, name: String, size: u64) {
        let mut now = self.now.lock();
        now.bytes = now.bytes - room.bytes + size;
        room.is_kept = true;
        now.kept.insert(id, Upload { name, size, until: clock.now() + self.bounds.life });
        let starts = !std::mem::replace(&mut now.has_timer, true);
        drop(now);
        // It ends with the last file: no clock ticks for a door that nobody uploads to.
        if starts && let Some(folder) = self.folder.lock().clone() {
            tokio::spawn(take_away(Arc::downgrade(&self.now), folder, clock.clone()));
        }
    }
}

/// Takes files away when their time is over, until there are none.
async fn take_away(all: Weak<Mutex<Now>>, folder: FolderUuidStore, clock: Clock) {
    loop {
        let Some(next) = all.upgrade().and_then(|now| {
            let mut now = now.lock();
            now.expire(clock.now());
            let next = now.next();
            now.has_timer = next.is_some();
            next
        }) else {
            return;
        };
        clock.sleep(next.saturating_sub(clock.now())).await;
        let folder = folder.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || folder.purge()).await {
            tracing::warn!(%error, "uploads whose time is over cannot be removed");
        }
    }
}

/// Room that was given to a file on its way; given back, unless it is kept.
pub(crate) struct Room {
    now: Arc<Mutex<Now>>,
    bounds: Bounds,
    bytes: u64,
    is_kept: bool,
}

impl Room {
    /// Takes room for so many bytes in all; false: there is not so much.
    pub(crate) fn grow(&mut self, to: u64) -> bool {
        let Some(more) = to.checked_sub(self.bytes) else { return true };
        let mut now = self.now.lock();
        if now.bytes.saturating_add(more) > self.bounds.bytes {
            return false;
        }
        now.bytes += more;
        self.bytes = to;
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.is_kept {
            let mut now = self.now.lock();
            now.number -= 1;
            now.bytes -= self.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use wechaty_file_box::UuidStore;
    use wechaty_puppet::VirtualClock;

    use super::*;

    fn files(folder: &std::path::Path) -> usize {
        std::fs::read_dir(folder).expect("a folder").count()
    }

    #[tokio::test]
    async fn so_many_and_so_large_in_all_and_gone_when_their_time_is_over() {
        let (folder, time) = (tempfile::tempdir().expect("a folder"), VirtualClock::new());
        let clock = Clock::from(time.clone());
        let mut options = RestOptions::new(Vec::new(), folder.path());
        (options.uploads, options.upload_bytes, options.file_life) = (3, 10, Duration::from_secs(60));
        let uploads = Uploads::new(&options);
        let keep = async |bytes: &'static [u8]| {
            let room = uploads.room(&clock, Some(bytes.len() as u64))?;
            let stream = Box::pin(stream::iter([Ok(Bytes::from_static(bytes))]));
            let id = uploads.folder(&clock)?.save(stream).await?;
            uploads.keep(&clock, room, id.clone(), "a".to_owned(), bytes.len() as u64);
            Ok::<_, Problem>(id)
        };
        let code = |refused: Result<_, Problem>| refused.err().map(|problem| (problem.status.as_u16(), problem.code));
        let full = Some((429, "W530"));
        let first = keep(b"1234").await.expect("kept");
        keep(b"1234").await.expect("kept");
        assert_eq!(code(uploads.room(&clock, Some(3)).map(drop)), full, "3 bytes more than there may be");
        let mut open = uploads.room(&clock, None).expect("there is room");
        assert!(open.grow(2) && !open.grow(3), "what does not say its size is stopped");
        let refused = uploads.room(&clock, None).map(drop);
        let wait = refused.as_ref().err().and_then(|problem| problem.headers.first().cloned());
        assert_eq!(
            (code(refused), wait),
            (full, Some((header::RETRY_AFTER, "61".parse().expect("a header")))),
            "three are all that may be"
        );
        drop(open);
        keep(b"12").await.expect("what broke off takes no room");
        assert_eq!((files(folder.path()), uploads.get(&first).map(|upload| upload.size)), (3, Some(4)));
        time.advance(Duration::from_secs(59)).await;
        assert_eq!(files(folder.path()), 3);
        time.advance(Duration::from_secs(1)).await;
        // Nobody uploads, and they go.
        while files(folder.path()) > 0 || uploads.get(&first).is_some() {
            tokio::task::yield_now().await;
        }
        keep(b"1234567890").await.expect("there is room again");
        assert!(uploads.now.lock().has_timer);
    }
}
