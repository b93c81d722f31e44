//! The suite of all stores, on the one in memory.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::Config};
use wechaty::store::{MemoryStore, Store};
use wechaty_store_testkit::{check, ops};

proptest! {
    #![proptest_config(Config { cases: 128, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_store_in_memory_does_what_the_model_does(ops in ops(60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        runtime.block_on(check(&ops, || store.clone())).expect("no operation fails");
    }
}
