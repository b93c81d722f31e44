//! Session: what a bot keeps for its puppet, in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use wechaty_puppet::{BoxError, Bytes, SessionStore};

/// A session store that outlives the runs of a puppet.
#[derive(Debug, Default)]
pub struct MemorySession(Mutex<HashMap<String, Bytes>>);

#[async_trait]
impl SessionStore for MemorySession {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(self.0.lock().get(key).cloned())
    }
    async fn set(&self, key: &str, value: Option<Bytes>) -> Result<(), BoxError> {
        let mut values = self.0.lock();
        match value {
            Some(value) => values.insert(key.to_owned(), value),
            None => values.remove(key),
        };
        Ok(())
    }
}
