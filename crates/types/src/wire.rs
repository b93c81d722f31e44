//! How other SDKs write what these types say more strictly.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

/// An id where wire formats write `""`, null or nothing at all for "nobody".
pub(crate) fn nobody_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    Ok(Option::<String>::deserialize(deserializer)?.filter(|id| !id.is_empty()).map(T::from))
}

/// A key that is there and says nobody, apart from one that is not there.
pub(crate) fn nobody_is_some_none<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    nobody_is_none(deserializer).map(Some)
}

/// Numbers as the keys of a JSON object, which are texts; serde reads them itself, but not inside a flattened or an
/// untagged type.
pub(crate) fn number_keys<'de, D, V>(deserializer: D) -> Result<BTreeMap<i32, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    let texts = BTreeMap::<String, V>::deserialize(deserializer)?;
    texts.into_iter().map(|(key, value)| Ok((i32::from_str(&key).map_err(D::Error::custom)?, value))).collect()
}

/// An object some of whose keys had another name once, as (old, new). Writers send either or both; the new one counts
/// unless it is empty.
pub(crate) fn renamed<'de, D: Deserializer<'de>>(deserializer: D, names: &[(&str, &str)]) -> Result<Value, D::Error> {
    let mut object = Map::deserialize(deserializer)?;
    for (old, new) in names {
        if let Some(value) = object.remove(*old)
            && object.get(*new).is_none_or(|new| new.is_null() || new == "")
        {
            object.insert((*new).to_owned(), value);
        }
    }
    Ok(Value::Object(object))
}
