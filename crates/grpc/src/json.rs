//! JSON inside of fields, as SDKs write it: with nulls for what is absent, and keys that nobody knows.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Result, WireError};

/// An object without its nulls, at any depth.
pub(crate) fn object(what: &'static str, text: &str) -> Result<Map<String, Value>> {
    let mut object: Map<String, Value> =
        serde_json::from_str(text).map_err(|source| WireError::Json { what, source })?;
    without_nulls(&mut object);
    Ok(object)
}

/// A value of an object.
pub(crate) fn value<T: DeserializeOwned>(what: &'static str, object: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(object)).map_err(|source| WireError::Json { what, source })
}

/// As deep as serde_json reads, which is bounded.
fn without_nulls(object: &mut Map<String, Value>) {
    object.retain(|_, value| !value.is_null());
    for value in object.values_mut() {
        if let Value::Object(inner) = value {
            without_nulls(inner);
        }
    }
}
