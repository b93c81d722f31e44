//! The JSON of a box: Wechaty's keys, both ways.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::Error as _,
    ser::{Error as _, SerializeMap},
};
use serde_json::{Map, Number, Value};

use crate::{FileBox, FileBoxError, FileBoxType, Result, content::Content};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "boxType")]
    box_type: Option<i64>,
    name: Option<String>,
    size: Option<Number>,
    md5: Option<String>,
    metadata: Option<Map<String, Value>>,
    base64: Option<String>,
    url: Option<String>,
    remote_url: Option<String>,
    headers: Option<Map<String, Value>>,
    qr_code: Option<String>,
    uuid: Option<String>,
}

impl Serialize for FileBox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &*self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("metadata", &inner.metadata)?;
        map.serialize_entry("name", &inner.name)?;
        map.serialize_entry("size", &inner.size.and_then(|size| i64::try_from(size).ok()).unwrap_or(-1))?;
        if let Some(md5) = &inner.md5 {
            map.serialize_entry("md5", md5)?;
        }
        match &inner.content {
            Content::Base64(text) => {
                let padding = (4 - text.len() % 4) % 4;
                map.serialize_entry("base64", &format!("{text}{}", &"=="[..padding]))?;
            }
            Content::Url { url, headers } => {
                map.serialize_entry("url", url.as_str())?;
                map.serialize_entry("remoteUrl", url.as_str())?;
                if !headers.is_empty() {
                    map.serialize_entry("headers", &header_map(headers))?;
                }
            }
            Content::QrCode(text) => map.serialize_entry("qrCode", text)?,
            Content::Uuid(uuid) => map.serialize_entry("uuid", uuid)?,
            Content::Bytes(_) | Content::File(_) | Content::Stream(_) | Content::Source(_) => {
                return Err(S::Error::custom(self.no_json()));
            }
        }
        map.serialize_entry("type", &self.kind().number())?;
        map.serialize_entry("boxType", &self.kind().number())?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for FileBox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Map::deserialize(deserializer)?;
        // Both numbers may be there: they are the same, and either will do.
        if let Some(kind) = value.remove("type").filter(|kind| !kind.is_null()) {
            value.insert("boxType".to_owned(), kind);
        }
        let wire: Wire = serde_json::from_value(Value::Object(value)).map_err(D::Error::custom)?;
        wire.into_box().map_err(D::Error::custom)
    }
}

impl Wire {
    fn into_box(self) -> Result<FileBox> {
        let invalid = |reason: String| FileBoxError::Invalid { what: "file box JSON", reason };
        let missing = |key: &str| invalid(format!("`{key}` is missing"));
        let number = self.box_type.ok_or_else(|| missing("type"))?;
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        let mut file = match FileBoxType::from_number(number) {
            Some(FileBoxType::Base64) => {
                FileBox::from_base64(self.base64.ok_or_else(|| missing("base64"))?, name.unwrap_or_default())?
            }
            Some(FileBoxType::Url) => {
                let url = self.url.filter(|url| !url.is_empty());
                let file = FileBox::from_url(url.or(self.remote_url).ok_or_else(|| missing("url"))?)?;
                let headers = self.headers.unwrap_or_default();
                headers.into_iter().fold(file, |file, (name, value)| match value {
                    // Go writes a list for every header.
                    Value::Array(values) => {
                        values.iter().fold(file, |file, value| file.with_header(name.as_str(), header_text(value)))
                    }
                    Value::Null => file,
                    value => file.with_header(name, header_text(&value)),
                })
            }
            Some(FileBoxType::QRCode) => FileBox::from_qr_code(self.qr_code.ok_or_else(|| missing("qrCode"))?)?,
            Some(FileBoxType::Uuid) => FileBox::from_uuid(self.uuid.ok_or_else(|| missing("uuid"))?, name)?,
            _ => return Err(invalid(format!("boxes of type {number} have no JSON form"))),
        };
        if let Some(name) = name {
            file = file.named(name);
        }
        let inner = file.edit();
        inner.md5 = self.md5;
        inner.metadata = self.metadata.unwrap_or_default();
        // -1 is what a writer does not know, 0 is an empty file; of base64 the size is known anyway.
        if let Some(size) = self.size.as_ref().and_then(whole_bytes)
            && inner.size.is_none()
        {
            inner.size = Some(size);
        }
        Ok(file)
    }
}

impl FileBox {
    /// From its JSON text.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`].
    #[doc(alias = "fromJSON")]
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| FileBoxError::Invalid { what: "file box JSON", reason: error.to_string() })
    }

    /// Its JSON text.
    ///
    /// # Errors
    /// [`FileBoxError::NoJson`] for a path, a stream or bytes.
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| self.no_json())
    }

    fn no_json(&self) -> FileBoxError {
        let kind = match self.kind() {
            FileBoxType::File => "path",
            FileBoxType::Stream => "stream",
            _ => "buffer",
        };
        FileBoxError::NoJson { name: self.name().to_owned(), kind }
    }
}

/// A size as any SDK writes it, `12.0` too; negative means unknown.
fn whole_bytes(size: &Number) -> Option<u64> {
    size.as_u64().or_else(|| size.as_f64().filter(|size| *size >= 0.0).map(|size| size as u64))
}

fn header_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One text for each name, or a list for a name given more than once.
fn header_map(headers: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in headers {
        match map.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.clone().into()),
            Some(one) => *one = Value::Array(vec![one.take(), value.clone().into()]),
            None => drop(map.insert(name.clone(), value.clone().into())),
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(json: &str) -> String {
        FileBox::from_json(json).unwrap().to_json().unwrap()
    }

    #[test]
    fn json_is_the_references() {
        let json = r#"{"metadata":{},"name":"qrcode.png","size":-1,"qrCode":"x","type":3,"boxType":3}"#;
        assert_eq!(round_trip(json), json);
        let json = r#"{"metadata":{"k":1},"name":"a.txt","size":2,"md5":"m","base64":"aGk=","type":1,"boxType":1}"#;
        assert_eq!(round_trip(json), json);
    }

    #[test]
    fn headers_survive_and_metadata_can_still_be_set_q19() {
        let json = r#"{"boxType":2,"name":"n.png","remoteUrl":"https://e.invalid/a.png","headers":{"X-A":"b"}}"#;
        let file = FileBox::from_json(json).unwrap();
        assert_eq!(
            file.to_json().unwrap(),
            r#"{"metadata":{},"name":"n.png","size":-1,"url":"https://e.invalid/a.png","remoteUrl":"https://e.invalid/a.png","headers":{"X-A":"b"},"type":2,"boxType":2}"#
        );
        let metadata = Map::from_iter([("k".to_owned(), 1.into())]);
        assert_eq!(file.with_metadata(metadata).metadata().len(), 1);
    }

    #[test]
    fn an_empty_file_has_size_zero_q19() {
        assert_eq!(FileBox::from_bytes("", "a").size(), Some(0));
        assert_eq!(FileBox::from_base64("", "a").unwrap().size(), Some(0));
    }

    #[test]
    fn bytes_have_no_json_and_bad_json_is_told() {
        assert!(matches!(FileBox::from_bytes("x", "a").to_json(), Err(FileBoxError::NoJson { .. })));
        for bad in [
            "{}",
            r#"{"type":9}"#,
            r#"{"type":1}"#,
            r#"{"type":1,"base64":"*"}"#,
            "[]",
            r#"{"type":2,"url":"ftp://x"}"#,
        ] {
            assert!(matches!(FileBox::from_json(bad), Err(FileBoxError::Invalid { .. })), "{bad}");
        }
    }
}
