//! FILES as JSON: how each client gets one, and what goes inline.

use serde_json::{Map, Value};
use wechaty_file_box::{FileBox, FileBoxError, FileBoxType, LoadOptions};

use crate::{Dialect, LARGEST_MESSAGE, Result, WireError};

/// Bytes in memory up to here travel inside of the JSON; larger ones are uploaded.
pub const SMALL: u64 = 20_480;

/// What is left of a message for its other fields, and for the JSON around the bytes.
const ROOM: usize = 64 << 10;

/// The most bytes that a client without uploads can get: as base64, and with room for the rest of the message.
pub const LARGEST_INLINE: u64 = ((LARGEST_MESSAGE - ROOM) / 4 * 3) as u64;

/// How a file travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage {
    /// As the box it is.
    AsItIs,
    /// Its bytes as base64 in the JSON.
    Inline,
    /// Its bytes by `Upload` or `Download`, a Uuid box in the JSON.
    Upload,
}

/// How this file travels to this client.
pub fn carriage(file: &FileBox, dialect: Dialect) -> Carriage {
    match file.kind() {
        FileBoxType::Url | FileBoxType::QRCode => Carriage::AsItIs,
        FileBoxType::Uuid if dialect.knows_uuid() => Carriage::AsItIs,
        _ if !dialect.knows_uuid() => match file.kind() {
            FileBoxType::Base64 => Carriage::AsItIs,
            _ => Carriage::Inline,
        },
        // Go fails at base64 without a character.
        _ if file.size() == Some(0) && dialect == Dialect::Go => Carriage::Upload,
        FileBoxType::Base64 if file.size().is_some_and(|size| size <= SMALL) => Carriage::AsItIs,
        FileBoxType::Buffer if file.size().is_some_and(|size| size <= SMALL) => Carriage::Inline,
        _ => Carriage::Upload,
    }
}

/// The box that this client can read: it, its bytes inline, or a Uuid box of the store in `options`.
///
/// # Errors
/// [`WireError::TooLarge`] for more than [`LARGEST_INLINE`] to a client known to have no uploads; [`WireError::File`] for a file
/// that cannot be read or stored.
pub async fn portable(file: &FileBox, dialect: Dialect, options: &LoadOptions) -> Result<FileBox> {
    match carriage(file, dialect) {
        Carriage::AsItIs => Ok(file.clone()),
        // Whom nobody knows may read one of the newer contract, and has no other way to a large file.
        Carriage::Inline if dialect == Dialect::Unknown => match inline(file, options).await {
            Err(WireError::TooLarge { .. }) if file.is_repeatable() => uploaded(file, options).await,
            inline => inline,
        },
        Carriage::Inline => inline(file, options).await,
        Carriage::Upload => uploaded(file, options).await,
    }
}

async fn uploaded(file: &FileBox, options: &LoadOptions) -> Result<FileBox> {
    let no_store = || FileBoxError::NoUuidStore { name: file.name().to_owned() };
    let store = options.uuid_store.as_deref().ok_or_else(no_store)?;
    Ok(file.to_uuid_with(store, options).await?)
}

async fn inline(file: &FileBox, options: &LoadOptions) -> Result<FileBox> {
    let max_bytes = options.max_bytes.min(LARGEST_INLINE);
    let text = match file.to_base64_with(&LoadOptions { max_bytes, ..options.clone() }).await {
        Ok(text) => text,
        Err(FileBoxError::TooLarge { name, limit }) if limit == LARGEST_INLINE => {
            return Err(WireError::TooLarge { what: name, limit });
        }
        Err(error) => return Err(error.into()),
    };
    let mut inline = FileBox::from_base64(text, file.name())?
        .with_media_type(file.media_type())
        .with_metadata(file.metadata().clone());
    if let Some(md5) = file.md5() {
        inline = inline.with_md5(md5);
    }
    Ok(inline)
}

/// The JSON of a box for this client; it must be [`portable`].
///
/// # Errors
/// [`WireError::File`] for a box without a JSON form, [`WireError::TooLarge`] for one that fits into no message.
pub fn write(file: &FileBox, dialect: Dialect) -> Result<String> {
    let mut json = file.to_json()?;
    if file.kind() == FileBoxType::Url {
        json = headers_for(&json, dialect);
    }
    if json.len() > LARGEST_MESSAGE - ROOM / 2 {
        let limit = (LARGEST_MESSAGE - ROOM / 2) as u64;
        return Err(WireError::TooLarge { what: file.name().to_owned(), limit });
    }
    Ok(json)
}

/// Headers as this client wants them: lists of texts, or one text each, in which several are joined as HTTP does.
fn headers_for(json: &str, dialect: Dialect) -> String {
    let Ok(mut file) = serde_json::from_str::<Map<String, Value>>(json) else { return json.to_owned() };
    let Some(Value::Object(headers)) = file.get_mut("headers") else { return json.to_owned() };
    for value in headers.values_mut() {
        *value = match (value.take(), dialect.lists_headers()) {
            (Value::Array(values), false) => {
                values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ").into()
            }
            (value @ Value::String(_), true) => vec![value].into(),
            (value, _) => value,
        };
    }
    Value::Object(file).to_string()
}

/// A box from the JSON of any client: either name of a key, nulls, and keys that nobody knows.
///
/// # Errors
/// [`WireError::File`].
pub fn read(json: &str) -> Result<FileBox> {
    Ok(FileBox::from_json(json)?)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use wechaty_file_box::{ByteStream, UuidStore};
    use wechaty_puppet::async_trait;

    use super::*;

    /// Remembers that something was stored; gives the same bytes for every id.
    #[derive(Default)]
    struct Shelf(Mutex<u32>);

    #[async_trait]
    impl UuidStore for Shelf {
        async fn load(&self, _: &str) -> wechaty_file_box::Result<ByteStream> {
            FileBox::from_bytes("from the shelf", "x").to_stream().await
        }
        async fn save(&self, _: ByteStream) -> wechaty_file_box::Result<String> {
            let mut saved = self.0.lock().unwrap();
            *saved += 1;
            Ok(format!("id-{saved}"))
        }
    }

    fn options() -> LoadOptions {
        LoadOptions { uuid_store: Some(Arc::new(Shelf::default())), ..LoadOptions::default() }
    }

    fn bytes(count: usize) -> FileBox {
        FileBox::from_bytes(vec![7; count], "a.bin")
    }

    #[tokio::test]
    async fn small_bytes_go_inline_and_large_ones_are_uploaded() {
        let kind = async |file: &FileBox, dialect| portable(file, dialect, &options()).await.unwrap().kind();
        assert_eq!(kind(&bytes(20_480), Dialect::TypeScript).await, FileBoxType::Base64);
        assert_eq!(kind(&bytes(20_481), Dialect::TypeScript).await, FileBoxType::Uuid);
        let stream = FileBox::from_stream(bytes(1).to_stream().await.unwrap(), "s");
        assert_eq!(kind(&stream, Dialect::Go).await, FileBoxType::Uuid);
        let base64 = bytes(30_000).to_portable(1 << 20).await.unwrap();
        assert_eq!(kind(&base64, Dialect::TypeScript).await, FileBoxType::Uuid);
        for same in [FileBox::from_qr_code("x").unwrap(), FileBox::from_url("https://e.invalid/a").unwrap()] {
            assert_eq!(kind(&same, Dialect::TypeScript).await, same.kind());
            assert_eq!(kind(&same, Dialect::Java).await, same.kind());
        }
        assert_eq!(kind(&bytes(0), Dialect::Go).await, FileBoxType::Uuid);
    }

    #[tokio::test]
    async fn a_legacy_client_gets_no_uuid_box_and_a_stranger_only_for_what_is_too_large() {
        let stored = FileBox::from_uuid("u-1", Some("a.txt")).unwrap();
        for dialect in [Dialect::Python, Dialect::Java, Dialect::Unknown] {
            let file = portable(&stored, dialect, &options()).await.unwrap();
            assert_eq!((file.kind(), file.name()), (FileBoxType::Base64, "a.txt"));
            assert_eq!(file.to_bytes().await.unwrap(), "from the shelf");
            let large = bytes(LARGEST_INLINE as usize);
            let json = write(&portable(&large, dialect, &options()).await.unwrap(), dialect).unwrap();
            assert!(json.len() < LARGEST_MESSAGE);
            match portable(&bytes(LARGEST_INLINE as usize + 1), dialect, &options()).await {
                Ok(file) => assert_eq!((dialect, file.kind()), (Dialect::Unknown, FileBoxType::Uuid)),
                Err(error) => assert!(matches!(error, WireError::TooLarge { limit: LARGEST_INLINE, .. }), "{error:?}"),
            }
        }
        assert_eq!(portable(&stored, Dialect::Rust, &options()).await.unwrap().kind(), FileBoxType::Uuid);
    }

    #[test]
    fn headers_are_what_each_client_wants() {
        let file = FileBox::from_url("https://e.invalid/a").unwrap();
        let file = file.with_header("A", "1").with_header("B", "2").with_header("B", "3");
        let headers = |dialect| {
            let json: Value = serde_json::from_str(&write(&file, dialect).unwrap()).unwrap();
            (
                json["headers"].to_string(),
                json["type"].clone(),
                json["boxType"].clone(),
                json["url"] == json["remoteUrl"],
            )
        };
        let two = || Value::from(2);
        assert_eq!(headers(Dialect::Go), (r#"{"A":["1"],"B":["2","3"]}"#.to_owned(), two(), two(), true));
        assert_eq!(headers(Dialect::TypeScript), (r#"{"A":"1","B":"2, 3"}"#.to_owned(), two(), two(), true));
    }

    #[test]
    fn boxes_of_every_client_are_read() {
        for json in [
            r#"{"base64":"aGk=","name":"a","boxType":1}"#,
            r#"{"remoteUrl":"https://e.invalid/a","name":"a","boxType":2}"#,
            r#"{"type":2,"url":"https://e.invalid/a","headers":{"A":["1"]},"mimeType":null,"_type":null}"#,
            r#"{"type":3,"qrCode":"x","size":-1}"#,
            r#"{"type":7,"uuid":"u","size":12}"#,
        ] {
            read(json).unwrap();
        }
        for bad in
            ["", "null", "[]", "{}", r#"{"type":5,"path":"x"}"#, r#"{"type":7,"uuid":"../x"}"#, r#"{"type":1e99}"#]
        {
            assert!(matches!(read(bad), Err(WireError::File(_))), "{bad}");
        }
        assert!(matches!(write(&bytes(3), Dialect::Rust), Err(WireError::File(_))), "it is not portable");
    }
}
