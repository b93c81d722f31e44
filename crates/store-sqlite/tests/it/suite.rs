//! The suite of all stores.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::Config};
use wechaty_store_sqlite::SqliteStore;
use wechaty_store_testkit::{Op, check, ops};

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_store_does_what_the_model_does(ops in ops(40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bot.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let open = || Arc::new(SqliteStore::open(&path).expect("it opens")) as Arc<_>;
        runtime.block_on(check(&ops, open)).expect("no operation fails");
    }
}

/// Random operations come to this seldom.
#[tokio::test]
async fn a_dead_letter_whose_key_is_forgotten_comes_back_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("it opens")) as Arc<_>;
    let said = |account, keyed| Op::Enqueue { account, event: None, key: 0, keyed, claimed: false, files: Vec::new() };
    let ends = |way, late| Op::Settle { nth: 0, way, late };
    // One dies; that of another account ends a day later.
    let ops = [said(0, true), ends(5, false), said(1, false), ends(8, true), Op::Revive { nth: 0 }, ends(5, false)];
    check(&ops, open).await.expect("no operation fails");
}
