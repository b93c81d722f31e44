//! Backups of keys: made by the bot and opened by its owner's client, made by the owner and opened by the bot, and made by
//! both at once.

use reqwest::Method;
use serde_json::json;
use wechaty_puppet::{SayablePayload, Settings};

use crate::{
    oracle::{Server, part},
    proxy::Wrong,
    sealed::Owner,
    walks::{Bot, Outcome, Walk, holds, same, walks},
};

walks! {
    a_recovery_key_is_kept_though_nobody_heard_that_its_secrets_were_made
    secrets_that_the_owner_makes_in_the_gap_stay
    secrets_without_a_backup_get_one
    a_backup_that_the_owner_makes_in_the_gap_stays
    a_passphrase_opens_the_backup_that_another_client_made
}

/// Where what opens the account's secrets is named.
const DEFAULT_KEY: &str = "/account_data/m.secret_storage.default_key";
/// Where the key of the backup is among them.
const BACKUP_KEY: &str = "/account_data/m.megolm_backup.v1";

impl Bot {
    /// The account's data, as the homeserver has it.
    async fn data(&self, place: &str) -> serde_json::Value {
        self.account.call(Method::GET, &format!("/user/{}{place}", part(&self.account.id)), None).await
    }

    /// Its folder, and the file for the recovery key in it.
    fn places(&self) -> Result<(String, String), String> {
        let folder = self.folder.clone().ok_or("no folder")?;
        let file = format!("{folder}/recovery-key-{}", self.account.id.replace(':', "%3A"));
        Ok((folder, file))
    }
}

/// Another device of the account opens the backup.
async fn opens(bot: &Bot, server: &Server, key: &str) -> Outcome {
    let heir = Owner::logs_in(&bot.account, server).await?.0.encryption();
    heir.recovery().recover(key.trim()).await.map_err(|error| error.to_string())?;
    same("the key opens the backup", heir.backups().are_enabled().await, true)
}

async fn a_recovery_key_is_kept_though_nobody_heard_that_its_secrets_were_made(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let (folder, file) = bot.places()?;
    // The homeserver has the new secrets, and the bot does not hear of it.
    bot.proxy.goes_wrong_at(DEFAULT_KEY, Wrong::LoseReply);
    bot.keyed(&folder, "key_backup", "true").await?;
    let told = bot.errors();
    holds(&format!("{told:?}"), told.len() == 1 && told[0].contains("cannot be used"))?;
    holds("there is no key yet", !std::path::Path::new(&file).exists())?;
    bot.stops().await?;
    let made = bot.data(DEFAULT_KEY).await;
    for _ in 0..2 {
        bot.keyed(&folder, "key_backup", "true").await?;
        bot.stops().await?;
    }
    same("what is told of a backup that is well", bot.errors().len(), 1)?;
    same("what opens the secrets", bot.data(DEFAULT_KEY).await, made)?;
    let key = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    opens(&bot, &server, &key).await?;
    bot.leaves_nothing()
}

async fn secrets_that_the_owner_makes_in_the_gap_stay(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let (folder, file) = bot.places()?;
    bot.proxy.goes_wrong_at(DEFAULT_KEY, Wrong::Answer(502, "{}".to_owned()));
    bot.keyed(&folder, "key_backup", "true").await?;
    same("what is told", bot.errors().len(), 1)?;
    bot.stops().await?;
    holds("it was making them", std::path::Path::new(&format!("{file}.new")).exists())?;
    let owner = Owner::logs_in(&bot.account, &server).await?.0.encryption();
    owner.backups().disable_and_delete().await.map_err(|error| error.to_string())?;
    let key = owner.recovery().enable().await.map_err(|error| error.to_string())?;
    let (default, backup) = (bot.data(DEFAULT_KEY).await, bot.data(BACKUP_KEY).await);
    for _ in 0..2 {
        bot.keyed(&folder, "key_backup", "true").await?;
        bot.stops().await?;
    }
    same("what opens the secrets", bot.data(DEFAULT_KEY).await, default)?;
    same("the key of the backup among them", bot.data(BACKUP_KEY).await, backup)?;
    holds("the bot's are given up", !std::path::Path::new(&format!("{file}.new")).exists())?;
    opens(&bot, &server, &key).await?;
    bot.leaves_nothing()
}

async fn secrets_without_a_backup_get_one(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let folder = bot.folder.clone().ok_or("no folder")?;
    let owner = Owner::logs_in(&bot.account, &server).await?.0.encryption();
    let secrets = owner.secret_storage().create_secret_store().await.map_err(|error| error.to_string())?;
    let key = secrets.secret_storage_key();
    // Without the key nobody claims that there is a backup.
    bot.keyed(&folder, "key_backup", "true").await?;
    let told = bot.errors();
    holds(
        &format!("{told:?}"),
        told.len() == 1 && told[0].contains("there is none") && told[0].contains("recovery_key"),
    )?;
    bot.stops().await?;
    // With the key alone none is made, and that is told.
    bot.keyed(&folder, "recovery_key", &key).await?;
    let told = bot.errors();
    holds(
        &format!("{told:?}"),
        told.len() == 2 && told[1].contains("there is none") && told[1].contains("key_backup"),
    )?;
    bot.stops().await?;
    let settings = Settings::new().set("key_backup", "true").set("recovery_key", key.clone());
    bot.keeps(&folder, settings).await?;
    same("what is told", bot.errors().len(), 2)?;
    owner.recovery().recover(&key).await.map_err(|error| error.to_string())?;
    same("the key opens the backup", owner.backups().are_enabled().await, true)?;
    bot.goes().await
}

async fn a_backup_that_the_owner_makes_in_the_gap_stays(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let (folder, file) = bot.places()?;
    let owner = Owner::logs_in(&bot.account, &server).await?.0.encryption();
    let secrets = owner.secret_storage().create_secret_store().await.map_err(|error| error.to_string())?;
    let key = secrets.secret_storage_key();
    let settings = || Settings::new().set("key_backup", "true").set("recovery_key", key.clone());
    bot.proxy.goes_wrong_at(BACKUP_KEY, Wrong::Answer(502, "{}".to_owned()));
    bot.keeps(&folder, settings()).await?;
    same("what is told", bot.errors().len(), 1)?;
    bot.stops().await?;
    holds("it was making it", std::path::Path::new(&format!("{file}.unsaved")).exists())?;
    owner.backups().disable_and_delete().await.map_err(|error| error.to_string())?;
    owner.recovery().enable_backup().await.map_err(|error| error.to_string())?;
    secrets.export_secrets().await.map_err(|error| error.to_string())?;
    let backup = bot.data(BACKUP_KEY).await;
    for _ in 0..2 {
        bot.keeps(&folder, settings()).await?;
        bot.stops().await?;
    }
    same("the key of the backup among the secrets", bot.data(BACKUP_KEY).await, backup)?;
    same("what is told in the end", bot.errors().len(), 1)?;
    opens(&bot, &server, &key).await?;
    bot.leaves_nothing()
}

async fn a_passphrase_opens_the_backup_that_another_client_made(server: Server) -> Outcome {
    const WORDS: &str = "correct horse battery staple 暗号";
    let (mut bot, mut alice) = tokio::join!(Bot::encrypted(&server), Bot::encrypted(&server));
    let (folder, _) = bot.places()?;
    let owner = Owner::logs_in(&bot.account, &server).await?;
    alice.starts().await?;
    alice.sends_in_the_end(&bot.account.id, SayablePayload::text("hello")).await?;
    let room = owner.until("the invitation", async || owner.0.invited_rooms().into_iter().next()).await?;
    room.join().await.map_err(|error| error.to_string())?;
    owner.syncs().await?;
    let old = alice.sends_in_the_end(&bot.account.id, SayablePayload::text("an old secret")).await?;
    let id = matrix_sdk::ruma::EventId::parse(old.as_str()).map_err(|error| error.to_string())?;
    let read = async || {
        let event = owner.0.get_room(room.room_id())?.event(&id, None).await.ok()?;
        event.raw().json().get().contains("an old secret").then_some(())
    };
    owner.until("the words", read).await?;
    let recovery = owner.0.encryption().recovery();
    let made = recovery.enable().wait_for_backups_to_upload().with_passphrase(WORDS).await;
    made.map_err(|error| error.to_string())?;
    let backup = bot.account.call(Method::GET, "/room_keys/version", None).await;
    holds(&format!("{backup}"), backup["count"].as_u64().is_some_and(|count| count > 0))?;
    // No device has the key any more that could be asked for it.
    owner.0.matrix_auth().logout().await.map_err(|error| error.to_string())?;

    let loaded = async |bot: &Bot| {
        let loader = bot.puppet.loader().ok_or("no loader")?;
        loader.message(&old).await.map(|message| message.text.clone()).map_err(|error| error.to_string())
    };
    // A key of a passphrase is half a million rounds, and here nothing is optimized.
    bot.patience *= 10;
    bot.keyed(&folder, "recovery_key", "correct horse battery stable").await?;
    let told = bot.errors();
    holds(&format!("{told:?}"), told.len() == 1 && told[0].contains("recovery_key does not open it"))?;
    same("without the words", loaded(&bot).await?, None)?;
    bot.stops().await?;
    bot.keyed(&folder, "recovery_key", WORDS).await?;
    same("what is told", bot.errors(), told)?;
    same("with them", loaded(&bot).await?, Some("an old secret".to_owned()))?;
    let asked = json!({ "device_keys": { bot.account.id.clone(): [] } });
    let keys = bot.account.call(Method::POST, "/keys/query", Some(asked)).await;
    let ours = keys["self_signing_keys"][&bot.account.id]["keys"].as_object().and_then(|keys| keys.keys().next());
    let ours = ours.ok_or("the account signs no devices")?;
    let devices = keys["device_keys"][&bot.account.id].as_object().ok_or("no devices")?;
    let signed = devices.values().filter(|device| device["signatures"][&bot.account.id].get(ours).is_some()).count();
    same("devices, and those for which the account vouches", (devices.len(), signed), (1, 1))?;
    for bot in [&mut bot, &mut alice] {
        bot.goes().await?;
    }
    Ok(())
}
