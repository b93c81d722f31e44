//! Files on disk: complete or not there, and never replaced unasked.

use std::{fs, io, path::Path};

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use wechaty_file_box::{FileBox, FileBoxError};

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_file_is_replaced_only_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    FileBox::from_bytes("one", "a").to_file(&path, false).await.unwrap();
    let two = FileBox::from_bytes("two", "a");
    assert!(matches!(two.to_file(&path, false).await, Err(FileBoxError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    two.to_file(&path, true).await.unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path())), ("two", vec!["a.txt".into()]));
}

#[tokio::test]
async fn a_file_that_appears_while_writing_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let taken = path.clone();
    let stream = stream::once(async move {
        fs::write(&taken, "theirs")?;
        Ok(Bytes::from_static(b"ours"))
    });
    let done = FileBox::from_stream(stream, "a").to_file(&path, false).await;
    assert!(matches!(done, Err(FileBoxError::Exists { .. })), "{done:?}");
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("theirs", 1));
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]);
    let done = FileBox::from_stream(broken, "a").to_file(folder.path().join("a"), false).await;
    assert!(matches!(done, Err(FileBoxError::Io { .. })));
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn a_save_that_is_dropped_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (wrote, written) = tokio::sync::oneshot::channel();
    let first = stream::once(async { Ok(Bytes::from_static(b"half")) });
    let never = stream::once(async move {
        let _ = wrote.send(());
        future::pending().await
    });
    let file = FileBox::from_stream(first.chain(never), "a");
    let path = folder.path().join("a");
    let save = tokio::spawn(async move { file.to_file(path, false).await });
    written.await.unwrap();
    assert_eq!(names(folder.path()).len(), 1);
    save.abort();
    assert!(save.await.unwrap_err().is_cancelled());
    assert!(names(folder.path()).is_empty());
}
