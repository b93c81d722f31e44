//! KEY BACKUP: the keys of rooms at the homeserver, locked with a recovery key. They outlive the device.

use std::io;

use matrix_sdk::{
    Client,
    encryption::{
        recovery::{RecoveryError, RecoveryState},
        secret_storage::{ImportError, SecretStorage, SecretStorageError, SecretStore},
    },
    ruma::{
        RoomId,
        events::{secret::request::SecretName, secret_storage::default_key::SecretStorageDefaultKeyEventContent},
    },
};
use matrix_sdk_crypto::secret_storage::SecretStorageKey;
use serde_json::Value;
use wechaty_puppet::{ErrorEvent, Event, with_causes};

use crate::{
    Options,
    convert::text,
    e2ee::{decrypted, is_locked},
    key_file::KeyFile,
    link::Link,
    sdk::Sdk,
};

/// What stands in the way of a backup.
#[derive(Debug)]
enum Fault {
    /// There is none, and none is to be made.
    None,
    /// There is one, and nothing to open it with.
    NoKey,
    /// There is none, and nothing to open the secrets with among which its key belongs.
    Locked,
    File(io::Error),
    Broken(RecoveryError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<matrix_sdk::Error> for Fault {
    fn from(error: matrix_sdk::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<SecretStorageError> for Fault {
    fn from(error: SecretStorageError) -> Self {
        match error {
            // The homeserver, and no key.
            SecretStorageError::Sdk(error) => error.into(),
            error => Self::Broken(error.into()),
        }
    }
}

impl From<RecoveryError> for Fault {
    fn from(error: RecoveryError) -> Self {
        Self::Broken(error)
    }
}

impl Fault {
    fn words(&self) -> String {
        match self {
            Self::None => "there is none at the homeserver: set key_backup = true to make one".to_owned(),
            Self::NoKey => "there is one at the homeserver already: set recovery_key to open it".to_owned(),
            Self::Locked => {
                "there is none, and its key belongs among the secrets that the account has at the homeserver: set recovery_key \
                 to open them"
                    .to_owned()
            }
            Self::File(error) => format!("its recovery key cannot be kept in the folder store: {error}; make it writable"),
            Self::Broken(
                RecoveryError::BackupExistsOnServer
                | RecoveryError::SecretStorage(
                    SecretStorageError::InconsistentBackupDecryptionKey
                    | SecretStorageError::MissingOrInvalidBackupDecryptionKey,
                ),
            ) => {
                "there is one at the homeserver that no recovery key opens: delete it with the client that made it"
                    .to_owned()
            }
            Self::Broken(RecoveryError::SecretStorage(error)) => {
                let why = with_causes(error);
                format!("recovery_key does not open it: {why}; give the one that the client showed that made it")
            }
            Self::Broken(error) => with_causes(error),
        }
    }
}

/// Opens the backup, or makes one.
async fn connect(client: &Client, options: &Options, me: &str) -> Result<(), Fault> {
    let Some(store) = &options.store else { return Ok(()) };
    let file = KeyFile::of(store, me);
    if options.recovery_key.is_none() && !options.key_backup && file.key().is_none() && file.begun().is_none() {
        return Ok(());
    }
    let encryption = client.encryption();
    encryption.wait_for_e2ee_initialization_tasks().await;
    let (recovery, secrets) = (encryption.recovery(), encryption.secret_storage());
    let has_secrets = secrets.is_enabled().await?;
    settle(&secrets, &file, has_secrets).await?;
    let key = options.recovery_key.clone().or_else(|| file.key());
    if key.is_none() && !options.key_backup {
        return Ok(());
    }
    if recovery.state() == RecoveryState::Enabled {
        // All of it is here.
    } else if has_secrets {
        let Some(key) = &key else {
            let is_there = encryption.backups().fetch_exists_on_server().await?;
            return Err(if is_there { Fault::NoKey } else { Fault::Locked });
        };
        recovery.recover(key.tell()).await?;
        tracing::info!("the secrets of the account are open");
    } else if !options.key_backup {
        return Err(Fault::None);
    } else if let Some(words) = &options.recovery_key {
        recovery.enable().with_passphrase(words.tell()).await?;
        tracing::info!("a backup of keys is made at the homeserver; recovery_key is its passphrase");
    } else {
        make(client, &file).await?;
        tracing::info!(file = %file.path().display(), "a backup of keys is made at the homeserver; the file has its recovery key");
    }
    // There may be secrets, and no backup among them.
    let is_made = encryption.backups().are_enabled().await;
    let unsaved = file.unsaved();
    if is_made && unsaved.is_none() {
        return Ok(());
    }
    if !is_made && encryption.backups().fetch_exists_on_server().await? {
        return Err(RecoveryError::BackupExistsOnServer.into());
    }
    if !is_made && !options.key_backup {
        return Err(Fault::None);
    }
    let key = options.recovery_key.clone().or_else(|| file.key()).ok_or(Fault::Locked)?;
    let secrets = secrets.open_secret_store(key.tell()).await?;
    let among = among(&secrets).await?;
    if !is_made {
        file.mark_unsaved(&among)?;
        recovery.enable_backup().await?;
    } else if unsaved.is_some_and(|before| before != among) {
        // It is there by now, or that of another backup is, which its owner made in our place.
        secrets.import_secrets().await?;
        return Ok(file.saved()?);
    }
    secrets.export_secrets().await?;
    file.saved()?;
    tracing::info!("a backup of keys is made at the homeserver; what opens the secrets of the account opens it");
    Ok(())
}

/// What stands for the key of a backup among the secrets; it says nothing of the key.
async fn among(secrets: &SecretStore) -> Result<String, Fault> {
    match secrets.get_secret(SecretName::RecoveryKey).await {
        Ok(Some(key)) => Ok(blake3::hash(key.as_bytes()).to_hex().to_string()),
        Ok(None) => Ok("nothing".to_owned()),
        Err(SecretStorageError::ImportError { error: ImportError::Sdk(error), .. }) => Err(error.into()),
        Err(_) => Ok("no key".to_owned()),
    }
}

/// Goes on with what an earlier process was making, if the secrets of the account are those that it made. Those of somebody
/// else, who came in between, stay as they are.
async fn settle(secrets: &SecretStorage, file: &KeyFile, are_there: bool) -> Result<(), Fault> {
    let Some(key) = file.begun() else { return Ok(()) };
    if are_there {
        match secrets.open_secret_store(key.tell()).await {
            Ok(ours) => {
                ours.export_secrets().await?;
                file.keep()?;
                file.saved()?;
                tracing::info!(file = %file.path().display(), "a backup of keys that was being made is; the file has its recovery key");
                return Ok(());
            }
            Err(SecretStorageError::SecretStorageKey(_) | SecretStorageError::MissingKeyInfo { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(file.forget()?)
}

/// Makes a backup, and secrets for its key. What opens them is written down before they are there.
async fn make(client: &Client, file: &KeyFile) -> Result<(), Fault> {
    let key = SecretStorageKey::new();
    let words = key.to_base58();
    file.begin(&words)?;
    let (encryption, account) = (client.encryption(), client.account());
    // Who is ended on the way finds whose key stands among the secrets then.
    file.mark_unsaved("nothing")?;
    if !encryption.backups().are_enabled().await {
        encryption.recovery().enable_backup().await?;
    }
    let secrets = encryption.secret_storage();
    if secrets.is_enabled().await? {
        // Somebody was faster.
        file.forget()?;
        return Err(Fault::NoKey);
    }
    account.set_account_data(key.event_content().to_owned()).await?;
    account.set_account_data(SecretStorageDefaultKeyEventContent::new(key.key_id().to_owned())).await?;
    secrets.open_secret_store(&words).await?.export_secrets().await?;
    file.keep()?;
    Ok(file.saved()?)
}

impl Link {
    /// Opens the backup of keys, or makes one. A bot without one is as good as before: what is wrong is told.
    pub(crate) async fn open_vault(&self) -> Option<Event> {
        let fault = connect(self.sdk.client()?, &self.options, &self.me).await.err()?;
        let data = format!("the backup of keys cannot be used: {}", fault.words());
        tracing::warn!("{data}");
        Some(Event::new(ErrorEvent { gerror: None, data: Some(data) }))
    }
}

/// An event that somebody asks for: if its key is in the backup, it is fetched.
pub(crate) async fn opened(sdk: &Sdk, room_id: &str, event: Value) -> Value {
    let Some(client) = sdk.client().filter(|_| is_locked(&event)) else { return event };
    let (Some(session), Ok(room)) = (text(&event, &["content", "session_id"]), RoomId::parse(room_id)) else {
        return event;
    };
    let fetched = client.encryption().backups().download_room_key(&room, session).await;
    match fetched {
        Ok(true) => decrypted(sdk, room_id, &event).await.unwrap_or(event),
        Ok(false) => event,
        Err(error) => {
            tracing::debug!(error = with_causes(&error), "the backup has no key for a message");
            event
        }
    }
}
