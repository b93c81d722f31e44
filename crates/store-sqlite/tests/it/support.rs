//! A folder with a store, and rows to put into it.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use tempfile::TempDir;
use wechaty_file_box::FileBox;
use wechaty_puppet::{IdempotencyKey, MessagePayload};
use wechaty_store::{Incoming, OutboxRow, Spooled, Store};
use wechaty_store_sqlite::SqliteStore;
use wechaty_types::{AccountId, ConversationId, Event, PostContent, PostPayload, PostType, SayablePayload, Timestamp};

pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { path: folder.path().join("bot.wechaty.db"), _folder: folder }
    }
    pub(crate) fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path).expect("it opens")
    }
    /// What opening says.
    pub(crate) fn refusal(&self) -> String {
        SqliteStore::open(&self.path).expect_err("it does not open").to_string()
    }
}

pub(crate) fn account() -> AccountId {
    AccountId::new("shop")
}

pub(crate) fn message(id: u32, text: &str) -> Incoming {
    let mut dedupe = [0; 16];
    dedupe[..4].copy_from_slice(&id.to_be_bytes());
    Incoming {
        dedupe: Some(dedupe),
        conversation: Some(ConversationId::Contact("alice".into())),
        event: Event::message(MessagePayload::direct(format!("m{id}"), "alice", "bot", text)),
        received: Timestamp::from_millis(1_700_000_000_000),
    }
}

pub(crate) fn say(event: Option<u64>, key: u8) -> OutboxRow {
    OutboxRow {
        seq: 0,
        key: IdempotencyKey::from_bytes([key; 16]),
        account: account(),
        to: ConversationId::Contact("alice".into()),
        what: Arc::new(SayablePayload::text("dong")),
        files: Vec::new(),
        quote: None,
        cause: None,
        event,
        said_at: Timestamp::from_millis(1_700_000_000_001),
        not_before: None,
        expires: None,
        attempts: 0,
        claimed_at: None,
        done: 0,
        keyed: false,
    }
}

pub(crate) async fn spool(store: &SqliteStore, bytes: impl Into<Bytes>) -> Spooled {
    let bytes = FileBox::from_bytes(bytes, "a.png").to_stream().await.expect("a stream");
    store.spool(bytes).await.expect("writes")
}

pub(crate) fn say_file(key: u8, file: &Spooled) -> OutboxRow {
    let mut what = SayablePayload::file(FileBox::from_bytes("", "a.png"));
    file.fill(&mut what, 0);
    OutboxRow { what: Arc::new(what), files: vec![Some(file.id)], ..say(None, key) }
}

/// A post: a picture that is elsewhere, and these files.
pub(crate) fn say_post(key: u8, files: &[&Spooled]) -> OutboxRow {
    let file = || SayablePayload::file(FileBox::from_bytes("", "a.png"));
    let elsewhere = SayablePayload::file(FileBox::from_url("https://files.test/b.png").expect("an address"));
    let sayable_list = std::iter::once(elsewhere).chain(files.iter().map(|_| file())).collect();
    let content = PostContent::Client { sayable_list };
    let post = PostPayload { parent_id: None, root_id: None, kind: PostType::default(), content };
    let mut what = SayablePayload::Post(Box::new(post));
    files.iter().zip(1..).for_each(|(file, number)| file.fill(&mut what, number));
    let files = std::iter::once(None).chain(files.iter().map(|file| Some(file.id))).collect();
    OutboxRow { what: Arc::new(what), files, ..say(None, key) }
}

/// The contents of the files of a post, but the first.
pub(crate) async fn contents(row: &OutboxRow) -> Vec<Bytes> {
    let mut all = Vec::new();
    for file in &row.what.files()[1..] {
        all.push(file.to_bytes().await.expect("its bytes are there"));
    }
    all
}

pub(crate) async fn content(row: &OutboxRow) -> Bytes {
    row.what.file_box().expect("a file").to_bytes().await.expect("its bytes are there")
}
