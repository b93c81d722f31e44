//! What is said under a key from outside is said once: told twice at once, told again later, and after whatever has ended the
//! process.

use std::sync::Arc;

use wechaty::{
    Error, InDoubt, OutboxPolicy,
    store::{SqliteOptions, SqliteStore},
    testing::*,
};
use wechaty_puppet::{Capability, IdempotencyKey};

use crate::support::{Disk, bot, idle, texts};

const KEY: IdempotencyKey = IdempotencyKey::from_bytes([7; 16]);

#[tokio::test]
async fn two_who_tell_one_key_at_once_have_one_send() {
    for disk in [None, Some(Disk::new())] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let bot = match &disk {
            None => bot(&platform),
            Some(disk) => disk.bot(&platform).await,
        };
        let bot = spawn(bot).await;
        bot.ready().await;
        platform.faults().hold_sends();
        let say = |text: &str| bot.main_account().contact_handle(&alice.id()).say(text).under(KEY);
        let (first, second) = tokio::join!(say("once"), say("twice"));
        let third = say("thrice").await.expect("it is there");
        let found = bot.main_account().earlier_send(KEY).await.expect("reads").expect("it waits");
        platform.faults().release_sends();
        let mut ids = Vec::new();
        for receipt in [first.expect("durable"), second.expect("durable"), third, found] {
            ids.push(receipt.sent().await.expect("sent").id);
        }
        assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.said, texts(&alice).len()), (1, 1));
    }
}

#[tokio::test]
async fn what_was_sent_under_a_key_is_known_after_a_crash_without_any_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || async {
        let mut options = SqliteOptions::default();
        options.keep.records = 0;
        for _ in 0..1_000_000 {
            match SqliteStore::open_with(folder.path().join("bot.db"), &options) {
                Ok(store) => return Arc::new(store),
                Err(_) => tokio::task::yield_now().await,
            }
        }
        panic!("the bot before does not let go of its store");
    };
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let first = spawn(bot(&platform).store(open().await)).await;
    first.ready().await;
    let said = first.main_account().contact_handle(&alice.id()).say("once").under(KEY).await.expect("durable");
    let sent = said.sent().await.expect("sent");
    // The settlement is in the file with whatever was asked for behind it.
    first.books().await;
    first.crash().await;
    let second = spawn(bot(&platform).store(open().await)).await;
    second.ready().await;
    let account = second.main_account();
    let found = account.earlier_send(KEY).await.expect("reads").expect("it is known");
    let again = account.contact_handle(&alice.id()).say("twice").under(KEY).await.expect("it is known");
    assert_eq!((found.message_id(), again.message_id()), (sent.id.as_ref(), sent.id.as_ref()));
    assert!(account.earlier_send(IdempotencyKey::from_bytes([8; 16])).await.expect("reads").is_none());
    let ledger = second.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, texts(&alice)), (1, vec!["once".to_owned()]));
}

#[tokio::test]
async fn what_failed_under_a_key_may_be_said_anew_and_its_letter_sent_later() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    let say = |text: &str| bot.main_account().contact_handle(&alice.id()).say(text).under(KEY);
    platform.faults().fail_sends(1, SendFault::Rejected);
    let failure = say("first").await.expect("durable").sent().await;
    assert!(failure.is_err(), "{failure:?}");
    assert!(bot.main_account().earlier_send(KEY).await.expect("reads").is_none());
    // Taken back, it waits under its key.
    platform.faults().hold_sends();
    let letter = bot.dead_letters().list(0, 10).await.expect("reads")[0].row.seq;
    bot.dead_letters().retry(letter).await.expect("it goes on").expect("it is there");
    let second = say("second").await.expect("durable");
    platform.faults().release_sends();
    assert_eq!(second.sent().await.expect("sent").id.as_ref(), alice.inbox().first().map(Heard::id));
    idle(&platform).await;
    assert_eq!(texts(&alice), ["first"]);
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, ledger.outbound.sent), (1, 1));
}

#[tokio::test]
async fn what_may_have_been_sent_under_a_key_is_not_said_anew() {
    for (disk, in_doubt) in [(None, InDoubt::Hold), (None, InDoubt::Drop), (Some(Disk::new()), InDoubt::Hold)] {
        let platform = FakePlatform::builder().deny(Capability::IdempotencyKey).key_window(None).build();
        let alice = platform.user("alice");
        let bot = match &disk {
            None => bot(&platform),
            Some(disk) => disk.bot(&platform).await,
        };
        let bot = spawn(bot.outbox(OutboxPolicy { in_doubt, ..OutboxPolicy::default() })).await;
        bot.ready().await;
        let say = |text: &str| bot.main_account().contact_handle(&alice.id()).say(text).under(KEY);
        platform.faults().fail_sends(1, SendFault::ReplyLost);
        let doubt = say("once").await.expect("durable").sent().await.expect_err("nobody knows");
        let again = say("twice").await.expect("it is known").sent().await.expect_err("nobody knows");
        for told in [doubt, again] {
            assert!(matches!(told, Error::Send(_)), "{told}");
        }
        let out = bot.finish().await.outbound;
        assert_eq!((out.said, out.maybe_sent + out.dropped, texts(&alice).len()), (1, 1, 1), "{in_doubt:?}");
    }
}
