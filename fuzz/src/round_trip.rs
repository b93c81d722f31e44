//! What every parser owes its input; shared by the fuzz targets and the tests that run their corpus.

use serde::{Serialize, de::DeserializeOwned};

/// Whether it was read at all. What was read must be written so that it is read as the same again.
pub(crate) fn round_trips<T: Serialize + DeserializeOwned>(json: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<T>(json) else { return false };
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(serde_json::to_string(&again).expect("written before"), written);
    true
}
