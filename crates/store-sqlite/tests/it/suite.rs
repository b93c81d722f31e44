//! The suite of all stores.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::Config};
use wechaty_store_sqlite::SqliteStore;
use wechaty_store_testkit::{check, ops};

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
