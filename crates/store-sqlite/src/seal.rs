//! Seal: values that are secrets (login sessions, tokens) are encrypted when there is a key: ChaCha20-Poly1305, a fresh
//! nonce each time, bound to the name of the value so that none can be put in the place of another.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use rusqlite::{Connection, OptionalExtension, params};

/// Values of these namespaces are secrets.
const SECRET: &str = "session/";
/// In front of an encrypted value. JSON and text never begin so.
const MARK: &[u8] = b"\x00wechaty-sealed-1\x00";

/// Where a sealed value is by which a key is known, also before anybody has logged in.
const PROOF: (&str, &str) = (SECRET, "proof");

/// The key of a store, if it has one.
pub(crate) struct Seal(Option<LessSafeKey>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Seal(a key)" } else { "Seal(no key)" })
    }
}

/// Why a secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("it is encrypted, and the store was opened without its key")]
    NoKey,
    #[error("it does not open with this key")]
    WrongKey,
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Seal {
    /// From what the operator keeps secret; anything with enough chance in it.
    pub(crate) fn new(secret: Option<&str>) -> Self {
        let key = secret.map(|secret| blake3::derive_key("wechaty store sessions 2026-11", secret.as_bytes()));
        Self(key.and_then(|key| UnboundKey::new(&CHACHA20_POLY1305, &key).ok()).map(LessSafeKey::new))
    }

    fn name(namespace: &str, key: &str) -> Aad<Vec<u8>> {
        Aad::from([namespace.as_bytes(), b"\n", key.as_bytes()].concat())
    }

    /// The value as it is written.
    pub(crate) fn close(&self, namespace: &str, key: &str, value: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some(cipher) = self.0.as_ref().filter(|_| namespace.starts_with(SECRET)) else { return Ok(value.to_vec()) };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoRandom)?;
        let mut sealed = value.to_vec();
        cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Self::name(namespace, key), &mut sealed)
            .map_err(|_| SealError::WrongKey)?;
        Ok([MARK, &nonce, &sealed].concat())
    }

    /// Whether this is the key that was used before; without a key: whether none was. A store of one key is no store of two.
    pub(crate) fn fits(&self, c: &Connection) -> rusqlite::Result<bool> {
        let one = |and: &str| {
            let sql = format!(
                "SELECT namespace, key, value FROM value WHERE namespace >= ?1 AND namespace < 'session0'
                 AND substr(value, 1, ?2) = ?3 {and} LIMIT 1"
            );
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            c.query_row(&sql, params![SECRET, MARK.len(), MARK], row).optional()
        };
        // Of a file that had a key before it had a proof, any will do.
        let sealed: Option<(String, String, Vec<u8>)> = match one("AND namespace = 'session/' AND key = 'proof'")? {
            Some(proof) => Some(proof),
            None => one("")?,
        };
        Ok(sealed.is_none_or(|(namespace, key, value)| self.open(&namespace, &key, value).is_ok()))
    }

    /// Writes the value by which the key is known from now on.
    pub(crate) fn prove(&self, c: &Connection) -> rusqlite::Result<()> {
        let (namespace, key) = PROOF;
        let is_there = "SELECT 1 FROM value WHERE namespace = ? AND key = ?";
        if self.0.is_none() || c.query_row(is_there, PROOF, |_| Ok(())).optional()?.is_some() {
            return Ok(());
        }
        let sealed = self.close(namespace, key, b"proof");
        let sealed = sealed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        c.execute("INSERT INTO value VALUES (?, ?, 1, ?)", params![namespace, key, sealed]).map(drop)
    }

    /// Encrypts what was written before there was a key; gives whether there was something.
    pub(crate) fn close_all(&self, c: &Connection) -> rusqlite::Result<bool> {
        if self.0.is_none() {
            return Ok(false);
        }
        let all = "SELECT namespace, key, value FROM value WHERE namespace >= ? AND namespace < 'session0'";
        let mut query = c.prepare(all)?;
        let rows = query.query_map([SECRET], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut plain = rows.collect::<rusqlite::Result<Vec<(String, String, Vec<u8>)>>>()?;
        plain.retain(|(.., value)| !value.starts_with(MARK));
        if plain.is_empty() {
            return Ok(false);
        }
        let transaction = c.unchecked_transaction()?;
        for (namespace, key, value) in &plain {
            let sealed = self.close(namespace, key, value);
            let sealed = sealed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            transaction.execute(
                "UPDATE value SET value = ? WHERE namespace = ? AND key = ?",
                params![sealed, namespace, key],
            )?;
        }
        transaction.commit()?;
        // Copies of earlier times may lie in pages that are free.
        let written_anew = c.execute_batch(
            "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY; PRAGMA wal_checkpoint(TRUNCATE)",
        );
        if let Err(error) = written_anew {
            tracing::warn!(%error, "sessions are encrypted now, but earlier copies of them may still be in the file");
        }
        Ok(true)
    }

    /// The value as it was given. One that was written without a key is read with one, too.
    pub(crate) fn open(&self, namespace: &str, key: &str, written: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let Some(sealed) = written.strip_prefix(MARK) else { return Ok(written) };
        let cipher = self.0.as_ref().ok_or(SealError::NoKey)?;
        let (nonce, sealed) = sealed.split_first_chunk::<{ NONCE_LEN }>().ok_or(SealError::WrongKey)?;
        let mut value = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = cipher.open_in_place(nonce, Self::name(namespace, key), &mut value);
        let length = opened.map_err(|_| SealError::WrongKey)?.len();
        value.truncate(length);
        Ok(value)
    }
}
