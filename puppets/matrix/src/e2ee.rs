//! ENCRYPTION: rooms whose events the homeserver cannot read. The SDK has the keys, in a folder of the session's own.

use std::{future::IntoFuture, io, path::PathBuf, sync::Arc};

use aes::cipher::{KeyIvInit, StreamCipher};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use matrix_sdk::{
    ClientBuilder, Room,
    encryption::{BackupDownloadStrategy, EncryptionSettings},
    ruma::{OwnedTransactionId, RoomId, events::room::encrypted::OriginalSyncRoomEncryptedEvent, serde::Raw},
};
use parking_lot::Mutex;
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use serde_json::{Value, json};
use wechaty_file_box::{ByteStream, FileBox};
use wechaty_puppet::{PuppetError, Result, Sent};

use crate::{
    Options,
    content::Uploaded,
    convert::text,
    error::nothing_sent,
    link::Link,
    login::Session,
    media,
    sdk::{self, Sdk},
};

type Cipher = ctr::Ctr64BE<aes::Aes256>;

const ALGORITHM: &str = "m.megolm.v1.aes-sha2";

const fn engine(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_encode_padding(false);
    GeneralPurpose::new(alphabet, config.with_decode_padding_mode(DecodePaddingMode::Indifferent))
}

const STANDARD: GeneralPurpose = engine(&base64::alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = engine(&base64::alphabet::URL_SAFE);

fn wrong(reason: impl ToString) -> PuppetError {
    PuppetError::Invalid { what: "store", reason: reason.to_string() }
}

/// The folder of a session's keys: those of another device are of no use.
fn folder(options: &Options, session: &Session) -> Result<PathBuf> {
    let store = options.store.as_ref().ok_or_else(|| wrong("no folder is given"))?;
    let device: String = session.device_id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let folder = store.join(device);
    let made = |folder: &PathBuf| {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    };
    made(&folder).map_err(|error| wrong(format!("the folder {} cannot be made: {error}", folder.display())))?;
    Ok(folder)
}

/// A client that keeps its keys, if they are wanted.
pub(crate) fn with_store(builder: ClientBuilder, options: &Options, session: &Session) -> Result<ClientBuilder> {
    if !options.e2ee {
        return Ok(builder);
    }
    let settings = EncryptionSettings {
        auto_enable_cross_signing: true,
        backup_download_strategy: BackupDownloadStrategy::AfterDecryptionFailure,
        auto_enable_backups: false,
    };
    Ok(builder.sqlite_store(folder(options, session)?, None).with_encryption_settings(settings))
}

/// A room that is to be encrypted from its first event on.
pub(crate) fn encrypted_room(mut request: Value) -> Value {
    let state = json!({ "type": "m.room.encryption", "state_key": "", "content": { "algorithm": ALGORITHM } });
    match request["initial_state"].as_array_mut() {
        Some(states) => states.push(state),
        None => request["initial_state"] = json!([state]),
    }
    request
}

/// Whether an event is there, but not to be read.
pub(crate) fn is_locked(event: &Value) -> bool {
    text(event, &["type"]) == Some("m.room.encrypted") && event.get("state_key").is_none()
}

fn room(sdk: &Sdk, id: &str) -> Option<Room> {
    sdk.client()?.get_room(&RoomId::parse(id).ok()?)
}

/// An encrypted event in the clear; `None`: it is not encrypted, or its key is not here.
pub(crate) async fn decrypted(sdk: &Sdk, room_id: &str, event: &Value) -> Option<Value> {
    if !is_locked(event) {
        return None;
    }
    let room = room(sdk, room_id)?;
    let raw = Raw::<OriginalSyncRoomEncryptedEvent>::from_json_string(event.to_string()).ok()?;
    let read = room.decrypt_event(&raw, None).await.ok()?;
    let read: Value = serde_json::from_str(read.raw().json().get()).ok()?;
    (!is_locked(&read)).then_some(read)
}

/// The room, if it is encrypted.
async fn encrypted(link: &Link, room_id: &str) -> Result<Option<Room>> {
    if link.sdk.client().is_none() || link.plain_rooms.lock().contains(room_id) {
        return Ok(None);
    }
    let Some(room) = room(&link.sdk, room_id) else {
        // Made a moment ago: the SDK hears of it with the next answer.
        return match link.state(room_id, "m.room.encryption", "").await.map_err(nothing_sent)? {
            Some(_) => Err(PuppetError::Unreachable {
                context: "sending",
                source: "the encrypted room is not known yet; it comes with the homeserver's next answer".into(),
            }),
            None => Ok(None),
        };
    };
    let state = room.latest_encryption_state().await.map_err(|error| nothing_sent(sdk::broken(error, &link.wire)))?;
    Ok(state.is_encrypted().then_some(room))
}

/// Sends an event into an encrypted room; `None`: it is not encrypted.
pub(crate) async fn send(
    link: &Link,
    room_id: &str,
    kind: &str,
    content: &Value,
    transaction: &str,
) -> Result<Option<Sent>> {
    let Some(room) = encrypted(link, room_id).await? else { return Ok(None) };
    let sending = room.send_raw(kind, content.clone()).with_transaction_id(&OwnedTransactionId::from(transaction));
    let sent = link.wire.clock().timeout(crate::wire::TIMEOUT * 2, sending.into_future()).await;
    let sent = sent.map_err(|_| link.wire.late("sending"))?.map_err(|error| sdk::broken(error, &link.wire))?;
    Ok(Some(Sent::new(sent.response.event_id.as_str().into())))
}

/// Uploads a file for an encrypted room; `None`: it is not encrypted.
pub(crate) async fn upload(
    link: &Link,
    room_id: &str,
    file: &FileBox,
    bytes: ByteStream,
    limit: u64,
) -> Result<Result<(Uploaded, u64), ByteStream>> {
    if encrypted(link, room_id).await?.is_none() {
        return Ok(Err(bytes));
    }
    let random = SystemRandom::new();
    let (mut key, mut iv) = ([0; 32], [0; 16]);
    let none = |_| PuppetError::Invalid { what: "file", reason: "this machine gives no random numbers".into() };
    random.fill(&mut key).map_err(none)?;
    // The other half counts.
    random.fill(&mut iv[..8]).map_err(none)?;
    let (source, size) = media::spilled(bytes, limit).await.map_err(media::unreadable)?;
    let hash = Arc::new(Mutex::new(digest::Context::new(&digest::SHA256)));
    let (mut cipher, hashed) = (Cipher::new(&key.into(), &iv.into()), hash.clone());
    let locked = source.open().map(move |piece| {
        piece.map(|piece| {
            let mut piece = Vec::from(piece);
            cipher.apply_keystream(&mut piece);
            hashed.lock().update(&piece);
            Bytes::from(piece)
        })
    });
    let uri = link.upload_stream("application/octet-stream", file.name(), size, Box::pin(locked)).await?;
    let hash = hash.lock().clone().finish();
    let described = json!({
        "url": uri,
        "v": "v2",
        "key": { "kty": "oct", "alg": "A256CTR", "ext": true, "key_ops": ["encrypt", "decrypt"], "k": URL_SAFE.encode(key) },
        "iv": STANDARD.encode(iv),
        "hashes": { "sha256": STANDARD.encode(hash.as_ref()) },
    });
    Ok(Ok((Uploaded::Encrypted(described), size)))
}

struct Lock {
    cipher: Cipher,
    hash: Vec<u8>,
}

fn lock(keys: &Value) -> Option<Lock> {
    let key: [u8; 32] = URL_SAFE.decode(text(keys, &["key", "k"])?).ok()?.try_into().ok()?;
    let iv: [u8; 16] = STANDARD.decode(text(keys, &["iv"])?).ok()?.try_into().ok()?;
    let hash = STANDARD.decode(text(keys, &["hashes", "sha256"])?).ok()?;
    (text(keys, &["key", "alg"]) == Some("A256CTR"))
        .then(|| Lock { cipher: Cipher::new(&key.into(), &iv.into()), hash })
}

/// The bytes of an encrypted file in the clear. What is not what was sent ends in an error.
pub(crate) fn decrypting(bytes: ByteStream, keys: &Value) -> ByteStream {
    let Some(Lock { mut cipher, hash }) = lock(keys) else {
        let error = io::Error::other("the keys of the file are none");
        return Box::pin(stream::once(async { Err(error) }));
    };
    let seen = Arc::new(Mutex::new(digest::Context::new(&digest::SHA256)));
    let seen_too = seen.clone();
    let clear = bytes.map(move |piece| {
        piece.map(|piece| {
            seen.lock().update(&piece);
            let mut piece = Vec::from(piece);
            cipher.apply_keystream(&mut piece);
            Bytes::from(piece)
        })
    });
    let end = stream::once(async move {
        let is_right = seen_too.lock().clone().finish().as_ref() == hash;
        if is_right { Ok(Bytes::new()) } else { Err(io::Error::other("the file is not the one that was sent")) }
    });
    Box::pin(clear.chain(end))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    // The test vectors of the specification's section on encrypted attachments have this form.
    fn keys(hash: &str) -> Value {
        json!({
            "key": { "alg": "A256CTR", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
            "iv": "AAAAAAAAAAAAAAAAAAAAAA",
            "hashes": { "sha256": hash },
        })
    }

    fn of(bytes: &'static [u8]) -> ByteStream {
        Box::pin(stream::iter(bytes.chunks(3).map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>()))
    }

    async fn read(stream: ByteStream) -> io::Result<Vec<u8>> {
        stream
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    }

    #[tokio::test]
    async fn a_file_that_was_changed_on_the_way_is_none() {
        // AES-256 of zeroes under zeroes begins so (FIPS 197).
        const ZEROES: &[u8] = &[0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89];
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, ZEROES).as_ref());
        assert_eq!(read(decrypting(of(ZEROES), &keys(&hash))).await.expect("whole"), [0; 8]);
        assert!(read(decrypting(of(&ZEROES[1..]), &keys(&hash))).await.is_err());
        assert!(read(decrypting(of(ZEROES), &json!({ "key": 7 }))).await.is_err());
    }
}
