//! MemoryCard: what a bot remembers between its lives; exact namespaces, saved by itself: in the bot's store, or in an
//! atomic file.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Result, store::Store};

const SUFFIX: &str = ".memory-card.json";
/// Of cards in a store.
const NAMESPACE: &str = "memory-card";
/// Stands where there is no exact key; nothing is ever stored under it.
const REFUSED: &str = "\r";

/// A map of JSON values, or one namespace of it. Clones and namespaces share their contents.
///
/// Every change of a named card is durable when the call returns: in the bot's store, if that is, else in a file
/// (written beside it, then renamed). Either is one JSON object, as Wechaty writes it; keys of a namespace are `"\r" + names joined by "\r" + "\n" + key`.
#[derive(Clone)]
pub struct MemoryCard {
    shared: Arc<Shared>,
    prefix: Arc<str>,
}

struct Shared {
    place: Place,
    values: Mutex<Values>,
    /// The version that is durable; held while another is written.
    saved: Arc<tokio::sync::Mutex<u64>>,
}

/// Where a card is when its bot is not.
enum Place {
    Nowhere,
    File(PathBuf),
    Store {
        store: Arc<dyn Store>,
        name: String,
        /// A file that was read in place of the store, which had none.
        file: Mutex<Option<PathBuf>>,
    },
}

#[derive(Default)]
struct Values {
    version: u64,
    map: BTreeMap<String, Value>,
}

impl fmt::Debug for MemoryCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("MemoryCard");
        match &self.shared.place {
            Place::Nowhere => {}
            Place::File(path) => drop(shown.field("path", path)),
            Place::Store { name, .. } => drop(shown.field("name", name)),
        }
        shown.finish_non_exhaustive()
    }
}

impl MemoryCard {
    /// A card that forgets everything with the process.
    pub fn unnamed() -> Self {
        Self::of(Place::Nowhere, BTreeMap::new())
    }

    /// The card of a name, `<name>.memory-card.json` in `folder`; an absolute name is a path of its own. An absent
    /// file is an empty card.
    ///
    /// # Errors
    /// When the file cannot be read or is no JSON object: nothing is overwritten then.
    pub fn file(folder: impl AsRef<Path>, name: &str) -> Result<Self> {
        let path = path(folder.as_ref(), name);
        let map = read(&path)?.unwrap_or_default();
        Ok(Self::of(Place::File(path), map))
    }

    /// The card of a bot: in its store if that is durable, else in a file, or nowhere without a name.
    pub(crate) fn of_bot(store: &Arc<dyn Store>, folder: &Path, name: Option<&str>) -> Result<Self> {
        let key = name.unwrap_or("wechaty");
        let Some(stored) = store.get_at_once(NAMESPACE, key) else {
            return name.map_or_else(|| Ok(Self::unnamed()), |name| Self::file(folder, name));
        };
        let path = name.map(|name| path(folder, name)).filter(|path| path.exists());
        let (map, file) = match stored? {
            Some(stored) => {
                let map = serde_json::from_slice(&stored.value).map_err(|error| Error::Invalid {
                    what: "memory card",
                    reason: format!("the store has one that cannot be read: {error}"),
                })?;
                if let Some(path) = path {
                    tracing::warn!("the memory card is in the store; the file {} is not read", path.display());
                }
                (map, None)
            }
            None => (path.as_deref().map(read).transpose()?.flatten().unwrap_or_default(), path),
        };
        let place = Place::Store { store: store.clone(), name: key.to_owned(), file: Mutex::new(file) };
        Ok(Self::of(place, map))
    }

    /// Takes a file that was there before into the store.
    pub(crate) async fn take_over(&self) -> Result<()> {
        let Place::Store { file, .. } = &self.shared.place else { return Ok(()) };
        let Some(path) = file.lock().clone() else { return Ok(()) };
        self.change(|_| true).await?;
        let before = PathBuf::from(format!("{}.before", path.display()));
        std::fs::rename(&path, &before)?;
        *file.lock() = None;
        tracing::info!(
            "the memory card {} is in the store now; the file is kept as {}",
            path.display(),
            before.display()
        );
        Ok(())
    }

    fn of(place: Place, map: BTreeMap<String, Value>) -> Self {
        let shared = Shared { place, values: Mutex::new(Values { version: 0, map }), saved: Arc::default() };
        Self { shared: Arc::new(shared), prefix: Arc::from("") }
    }

    /// A namespace of this card. Namespaces are exact: `a` does not see `ab`, nor a namespace inside `a`.
    ///
    /// A name with `\r` or `\n`, which set namespaces and keys apart, gives a card that is empty and takes nothing.
    pub fn multiplex(&self, name: &str) -> Self {
        let parent = self.prefix.strip_suffix('\n').unwrap_or("");
        let prefix = match *self.prefix == *REFUSED || name.contains(['\r', '\n']) {
            true => REFUSED.to_owned(),
            false => format!("{parent}\r{name}\n"),
        };
        Self { shared: self.shared.clone(), prefix: prefix.into() }
    }

    /// Refuses what would be a key of another namespace.
    fn check(&self, key: &str) -> Result<()> {
        if self.absolute(key) != REFUSED {
            return Ok(());
        }
        let reason =
            format!("{key:?}: no namespace has `\\r` or `\\n` in its name, no key outside of one begins with `\\r`");
        Err(Error::Invalid { what: "memory card key", reason })
    }

    /// Whether this is a namespace of another card.
    #[doc(alias = "isMultiplex")]
    pub fn is_multiplex(&self) -> bool {
        !self.prefix.is_empty()
    }

    fn absolute(&self, key: &str) -> String {
        match self.prefix.is_empty() && key.starts_with('\r') || *self.prefix == *REFUSED {
            true => REFUSED.to_owned(),
            false => format!("{}{key}", self.prefix),
        }
    }

    /// The part of an absolute key behind this card's prefix, if it belongs to this card and not to a namespace.
    fn own<'a>(&self, absolute: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() {
            return (!absolute.starts_with('\r')).then_some(absolute);
        }
        absolute.strip_prefix(&*self.prefix).filter(|_| *self.prefix != *REFUSED)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When the value is of another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let value = self.shared.values.lock().map.get(&self.absolute(key)).cloned();
        value
            .map(serde_json::from_value)
            .transpose()
            .map_err(|error| Error::Invalid { what: "memory card value", reason: format!("{key}: {error}") })
    }

    /// Sets a key.
    ///
    /// # Errors
    /// When the key is none, the value has no JSON form, or it cannot be made durable; the value is kept in memory in
    /// the latter case.
    pub async fn set(&self, key: &str, value: impl Serialize) -> Result<()> {
        self.check(key)?;
        let value = serde_json::to_value(value)
            .map_err(|error| Error::Invalid { what: "memory card value", reason: format!("{key}: {error}") })?;
        self.change(|map| {
            map.insert(self.absolute(key), value);
            true
        })
        .await
    }

    /// Removes a key; false: it was not there.
    ///
    /// # Errors
    /// When it cannot be made durable.
    #[doc(alias = "delete")]
    pub async fn remove(&self, key: &str) -> Result<bool> {
        let mut was = false;
        self.change(|map| {
            was = map.remove(&self.absolute(key)).is_some();
            was
        })
        .await?;
        Ok(was)
    }

    /// Removes everything of this card, but not of its namespaces.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn clear(&self) -> Result<()> {
        self.change(|map| {
            let before = map.len();
            map.retain(|key, _| self.own(key).is_none());
            map.len() != before
        })
        .await
    }

    /// Whether a key is there.
    #[doc(alias = "has")]
    pub fn contains(&self, key: &str) -> bool {
        self.shared.values.lock().map.contains_key(&self.absolute(key))
    }

    /// Keys and values, by key.
    pub fn entries(&self) -> Vec<(String, Value)> {
        let values = self.shared.values.lock();
        let own = values.map.iter().filter_map(|(key, value)| Some((self.own(key)?.to_owned(), value.clone())));
        own.collect()
    }

    /// Keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.shared.values.lock().map.keys().filter_map(|key| self.own(key).map(str::to_owned)).collect()
    }

    /// How many keys there are.
    #[doc(alias = "size")]
    pub fn len(&self) -> usize {
        self.shared.values.lock().map.keys().filter(|key| self.own(key).is_some()).count()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes the whole card with all namespaces, also where it is kept.
    ///
    /// # Errors
    /// When this is a namespace, or it cannot be removed there.
    pub async fn destroy(&self) -> Result<()> {
        if self.is_multiplex() {
            return Err(Error::Invalid { what: "memory card", reason: "only a whole card can be destroyed".into() });
        }
        let mut saved = self.shared.saved.lock().await;
        {
            let mut values = self.shared.values.lock();
            values.map.clear();
            values.version += 1;
            *saved = values.version;
        }
        match &self.shared.place {
            Place::File(path) if path.exists() => Ok(std::fs::remove_file(path)?),
            Place::Store { store, name, file } => {
                store.put(NAMESPACE, name, None, None).await?;
                let file = file.lock().take();
                Ok(file.map_or(Ok(()), std::fs::remove_file)?)
            }
            _ => Ok(()),
        }
    }

    async fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Value>) -> bool) -> Result<()> {
        let version = {
            let mut values = self.shared.values.lock();
            if !change(&mut values.map) {
                return Ok(());
            }
            values.version += 1;
            values.version
        };
        self.save(version).await
    }

    async fn save(&self, version: u64) -> Result<()> {
        if let Place::Nowhere = self.shared.place {
            return Ok(());
        }
        let mut saved = self.shared.saved.clone().lock_owned().await;
        if *saved >= version {
            return Ok(()); // somebody behind us has written our change with theirs
        }
        let (version, json) = {
            let values = self.shared.values.lock();
            (values.version, serde_json::to_vec_pretty(&values.map))
        };
        let json = json.map_err(Error::other)?;
        // The lock goes along: if our caller is dropped, the next writer still waits for this one.
        match &self.shared.place {
            Place::Nowhere => Ok(()),
            Place::File(path) => {
                let path = path.clone();
                let write = move || write_atomically(&path, &json).map(|()| *saved = version);
                Ok(tokio::task::spawn_blocking(write).await.map_err(Error::other)??)
            }
            Place::Store { store, name, .. } => {
                let (store, name) = (store.clone(), name.clone());
                let write = async move {
                    store.put(NAMESPACE, &name, None, Some(json.into())).await?;
                    *saved = version;
                    Ok(())
                };
                wechaty_puppet::task::spawn(write).await.map_err(Error::other)?
            }
        }
    }
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(if name.ends_with(SUFFIX) { name.to_owned() } else { format!("{name}{SUFFIX}") })
}

/// What is in a file; `None`: there is none.
fn read(path: &Path) -> Result<Option<BTreeMap<String, Value>>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Invalid {
            what: "memory card",
            reason: format!("{}: {error}; move the file away to start with an empty one", path.display()),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Beside the file, synced, then renamed: a reader sees the old file or the new one, whole.
fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let beside = path.with_extension("json.tmp");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn namespaces_are_exact_and_outlive_a_clear_of_their_parent_q21() {
        let card = MemoryCard::unnamed();
        let (a, ab, nested) = (card.multiplex("a"), card.multiplex("ab"), card.multiplex("a").multiplex("b"));
        card.set("k", 0).await.unwrap();
        a.set("k", 1).await.unwrap();
        ab.set("k", 2).await.unwrap();
        nested.set("k", 3).await.unwrap();
        assert_eq!((card.len(), a.len(), ab.len(), nested.len()), (1, 1, 1, 1));
        card.clear().await.unwrap();
        a.clear().await.unwrap();
        assert_eq!(
            (a.get::<i32>("k").unwrap(), ab.get("k").unwrap(), nested.get("k").unwrap()),
            (None, Some(2), Some(3))
        );
        a.set("k", 4).await.unwrap();
        assert_eq!(a.get::<i32>("k").unwrap(), Some(4));
    }

    #[tokio::test]
    async fn changes_are_saved_by_themselves_and_whole_q21() {
        let folder = tempfile::tempdir().unwrap();
        let card = MemoryCard::file(folder.path(), "bot").unwrap();
        let puppet = card.multiplex("puppet");
        futures_util::future::join_all((0..50).map(|i| {
            let puppet = puppet.clone();
            async move { puppet.set(&format!("k{i}"), i).await.unwrap() }
        }))
        .await;
        let again = MemoryCard::file(folder.path(), "bot.memory-card.json").unwrap();
        assert_eq!(again.multiplex("puppet").len(), 50);
        let json = std::fs::read_to_string(folder.path().join("bot.memory-card.json")).unwrap();
        assert!(json.contains(r#""\rpuppet\nk7": 7"#), "{json}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no file is left beside the card");
    }

    #[tokio::test]
    async fn names_and_keys_with_control_characters_never_meet_another_namespace_q21() {
        let card = MemoryCard::unnamed();
        card.multiplex("a").set("x\ny", 1).await.unwrap();
        card.multiplex("a").multiplex("b").set("k", 2).await.unwrap();
        for (refused, key) in [
            (card.multiplex("a\nx"), "y"),
            (card.multiplex("a\rb"), "k"),
            (card.multiplex("a\nx").multiplex("b"), "k"),
            (card.clone(), "\ra\nx\ny"),
        ] {
            assert!(matches!(refused.set(key, 3).await, Err(Error::Invalid { .. })), "{key:?}");
            assert!(!refused.contains(key) && refused.is_empty() && !refused.remove(key).await.unwrap());
            refused.clear().await.unwrap();
        }
        assert_eq!(card.multiplex("a").get::<i32>("x\ny").unwrap(), Some(1));
        assert_eq!(card.multiplex("a").multiplex("b").get::<i32>("k").unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_reader_never_sees_a_card_that_is_half_written_q21() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let card = MemoryCard::file(folder.path(), "bot").unwrap();
        card.set("filling", "x".repeat(64 * 1024)).await.unwrap();
        let (path, done) = (folder.path().to_owned(), Arc::new(AtomicBool::new(false)));
        let over = done.clone();
        let reader = std::thread::spawn(move || {
            let mut reads = 0;
            while !over.load(Ordering::Relaxed) || reads == 0 {
                let seen = MemoryCard::file(&path, "bot").unwrap_or_else(|error| panic!("read {reads}: {error}"));
                assert!(seen.contains("filling"), "read {reads} saw an empty card");
                reads += 1;
            }
        });
        for i in 0..200 {
            card.set("k", i).await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    }

    #[test]
    fn a_broken_file_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bot.memory-card.json");
        std::fs::write(&path, "{ not json").unwrap();
        assert!(MemoryCard::file(folder.path(), "bot").is_err());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{ not json");
    }
}
