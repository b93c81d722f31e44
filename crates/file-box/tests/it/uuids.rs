//! UUID boxes and the folder they live in.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::stream;
use wechaty_file_box::{FileBox, FileBoxError, FileBoxType, FolderUuidStore, LoadOptions, UuidStore};

const KEEP: Duration = Duration::from_secs(1800);

/// Seconds since the epoch, as the store of one test sees them; far from the real time, which must not matter.
fn clock() -> (Arc<AtomicU64>, impl Fn() -> SystemTime + Clone + Send + Sync + 'static) {
    let seconds = Arc::new(AtomicU64::new(1_000_000));
    let shared = seconds.clone();
    (seconds, move || SystemTime::UNIX_EPOCH + Duration::from_secs(shared.load(Ordering::SeqCst)))
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn options(store: &FolderUuidStore) -> LoadOptions {
    LoadOptions { uuid_store: Some(Arc::new(store.clone())), ..LoadOptions::default() }
}

#[tokio::test]
async fn a_file_expires_in_the_given_time_and_not_a_thousand_times_later_q19() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    let file = FileBox::from_bytes("hi", "a.txt").to_uuid(&store).await.unwrap();
    assert_eq!((file.kind(), file.name(), file.size()), (FileBoxType::Uuid, "a.txt", Some(2)));
    seconds.fetch_add(1799, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(&file.to_bytes_with(&options(&store)).await.unwrap()[..], b"hi");
    }
    seconds.fetch_add(1, Ordering::SeqCst);
    assert!(matches!(file.to_bytes_with(&options(&store)).await, Err(FileBoxError::UnknownUuid { .. })));
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn expired_files_go_without_anyone_asking_for_them_q19() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    for minute in 0..100 {
        FileBox::from_bytes("hi", "a").to_uuid(&store).await.unwrap();
        assert!(files(folder.path()) <= 31, "minute {minute}");
        seconds.fetch_add(60, Ordering::SeqCst);
    }
    seconds.fetch_add(1800, Ordering::SeqCst);
    assert_eq!((store.purge().unwrap(), files(folder.path())), (30, 0));
}

#[tokio::test]
async fn purging_leaves_the_files_of_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    fs::write(folder.path().join("notes.dat"), "mine").unwrap();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    seconds.store(9_999_999_999, Ordering::SeqCst);
    assert_eq!((store.purge().unwrap(), files(folder.path())), (0, 1));
}

#[tokio::test]
async fn what_a_crash_left_unfinished_goes_too() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    fs::write(folder.path().join(".0d4c2c52-6d3a-4b63-9c35-1f0a1c7f1a11.part"), "half").unwrap();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    seconds.store(9_999_999_999, Ordering::SeqCst);
    assert_eq!((store.purge().unwrap(), files(folder.path())), (1, 0));
}

#[tokio::test]
async fn a_broken_stream_leaves_nothing_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderUuidStore::new(folder.path(), KEEP, clock().1).unwrap();
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]);
    assert!(FileBox::from_stream(broken, "a").to_uuid(&store).await.is_err());
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn an_id_of_someone_else_reads_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderUuidStore::new(folder.path(), KEEP, clock().1).unwrap();
    for uuid in ["../../etc/passwd", "x", "", "0d4c2c52-6d3a-4b63-9c35-1f0a1c7f1a11"] {
        assert!(matches!(store.load(uuid).await, Err(FileBoxError::UnknownUuid { .. })), "{uuid}");
    }
}

#[tokio::test]
async fn a_uuid_box_can_be_saved_and_encoded_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderUuidStore::new(folder.path().join("store"), KEEP, clock().1).unwrap();
    let file = FileBox::from_bytes("hi", "a.txt").to_uuid(&store).await.unwrap();
    let options = options(&store);
    file.to_file_with(folder.path().join("a"), false, &options).await.unwrap();
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"hi");
    assert_eq!(file.to_base64_with(&options).await.unwrap(), "aGk=");
    assert_eq!(file.to_data_url_with(&options).await.unwrap(), "data:text/plain;base64,aGk=");
    assert!(matches!(file.to_bytes().await, Err(FileBoxError::NoUuidStore { .. })));
    assert_eq!(file.to_uuid(&store).await.unwrap().uuid(), file.uuid());
}

#[tokio::test]
async fn an_expired_file_is_unknown_to_all_who_ask_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    for _ in 0..20 {
        let uuid = store.save(Box::pin(stream::empty())).await.unwrap();
        seconds.fetch_add(1800, Ordering::SeqCst);
        let ask = || {
            let (store, uuid) = (store.clone(), uuid.clone());
            tokio::spawn(async move { store.load(&uuid).await.err() })
        };
        for asked in [ask(), ask(), ask(), ask()] {
            let error = asked.await.unwrap();
            assert!(matches!(error, Some(FileBoxError::UnknownUuid { .. })), "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_purged_hinders_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (seconds, now) = clock();
    let store = FolderUuidStore::new(folder.path(), KEEP, now).unwrap();
    // A folder in the place of a file cannot be removed as one.
    fs::create_dir(folder.path().join("0d4c2c52-6d3a-4b63-9c35-1f0a1c7f1a11.dat")).unwrap();
    seconds.store(9_999_999_999, Ordering::SeqCst);
    let file = FileBox::from_bytes("hi", "a").to_uuid(&store).await.unwrap();
    seconds.fetch_add(60, Ordering::SeqCst);
    assert_eq!(&file.to_bytes_with(&options(&store)).await.unwrap()[..], b"hi");
    assert!(matches!(store.purge(), Err(FileBoxError::Io { .. })));
}
