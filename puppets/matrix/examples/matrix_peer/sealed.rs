//! Encrypted rooms: two bots in one, and the account's other device, a second client of the SDK, that verifies the bot's.

use std::{sync::Arc, time::Duration};

use matrix_sdk::{
    Client,
    config::SyncSettings,
    encryption::{
        identities::{Device, UserIdentity},
        verification::{SasVerification, VerificationRequest},
    },
    ruma::{UserId, events::key::verification::VerificationMethod},
};
use reqwest::Method;
use serde_json::json;
use wechaty_puppet::{
    Clock, EventPayload, LoginAnswer, MessageId, Outgoing, PuppetError, SayablePayload, ScanStatus, Settings,
};

use crate::{
    harness::built,
    oracle::{Person, Server},
    proxy::Wrong,
    walks::{Bot, Outcome, PATIENCE, Walk, holds, same, walks},
};

walks! {
    two_bots_talk_in_an_encrypted_room
    the_accounts_other_device_vouches_for_the_bots
    a_comparison_that_begins_anew_is_over
    a_verification_of_which_the_homeserver_took_no_part_ends_with_a_word
    somebody_else_verifies_the_bot_in_a_room
}

impl Bot {
    pub(crate) async fn encrypted(server: &Server) -> Self {
        let mut bot = Self::new(server).await;
        let folder = std::env::temp_dir().join(format!("wechaty-matrix-{}", bot.account.name));
        bot.folder = Some(folder.display().to_string());
        bot
    }

    /// Starts with this setting beside the folder.
    pub(crate) async fn keyed(&mut self, folder: &str, name: &'static str, value: &str) -> Outcome {
        self.keeps(folder, Settings::new().set(name, value)).await
    }

    pub(crate) async fn keeps(&mut self, folder: &str, settings: Settings) -> Outcome {
        let settings = settings.set("e2ee", "true").set("store", folder);
        let settings = settings.set("user", self.account.name.clone()).set("password", self.account.password.clone());
        self.puppet = built(settings, &self.proxy);
        self.runs().await
    }

    /// What was told as an error.
    pub(crate) fn errors(&self) -> Vec<String> {
        let events = self.heard.events.lock();
        let errors = events.iter().filter_map(|event| match &event.what {
            EventPayload::Error(error) => error.data.clone(),
            _ => None,
        });
        errors.collect()
    }

    /// Ends, and leaves no keys.
    pub(crate) async fn goes(&mut self) -> Outcome {
        self.stops().await?;
        self.leaves_nothing()
    }

    /// Its keys are gone.
    pub(crate) fn leaves_nothing(&self) -> Outcome {
        for folder in self.folder.iter() {
            let _ = std::fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Sends as the outbox does: what did not leave is tried again.
    pub(crate) async fn sends_in_the_end(&self, to: &str, what: SayablePayload) -> Result<MessageId, String> {
        let key = self.key();
        let to = wechaty_puppet::ConversationId::Contact(to.into());
        let out = Outgoing::new(key, to, Arc::new(what));
        let clock = Clock::system();
        let start = clock.now();
        loop {
            match self.puppet.send(out.clone()).await {
                Ok(sent) => return sent.id.ok_or_else(|| "it has no id".to_owned()),
                Err(error @ PuppetError::Unreachable { .. }) if clock.now().saturating_sub(start) < PATIENCE => {
                    drop(error);
                    clock.sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(wechaty_puppet::with_causes(&error)),
            }
        }
    }
}

async fn two_bots_talk_in_an_encrypted_room(server: Server) -> Outcome {
    let (mut one, mut two) = tokio::join!(Bot::encrypted(&server), Bot::encrypted(&server));
    one.starts().await?;
    two.starts().await?;
    one.sends_in_the_end(&two.account.id, SayablePayload::text("a secret")).await?;
    let heard = two.hears("a secret").await?;
    same("it is one to one", heard.room_id.is_none(), true)?;
    two.sends_in_the_end(&one.account.id, SayablePayload::text("another one")).await?;
    one.hears("another one").await?;
    let rooms = two.account.call(Method::GET, "/joined_rooms", None).await;
    let room = rooms["joined_rooms"][0].as_str().unwrap_or_default().to_owned();
    let events = two.account.events(&room).await;
    let encrypted = events.iter().filter(|event| event["type"] == "m.room.encrypted").count();
    same("what the homeserver sees", encrypted, 2)?;
    holds("no word is in the clear", !json!(events).to_string().contains("secret"))?;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let file = wechaty_puppet::FileBox::from_bytes(bytes.clone(), "secret.bin");
    one.sends_in_the_end(&two.account.id, SayablePayload::Attachment(wechaty_puppet::FilePayload { file })).await?;
    let message = two
        .until("the file", || {
            two.messages().into_iter().find(|message| message.filename.as_deref() == Some("secret.bin"))
        })
        .await?;
    let file = two.puppet.media().ok_or("no media")?.file(&message.id).await.map_err(|error| error.to_string())?;
    let read = file.to_bytes().await.map_err(|error| error.to_string())?;
    holds("the file is the one that was sent", read == bytes)?;
    two.stops().await?;
    one.sends_in_the_end(&two.account.id, SayablePayload::text("while you were away")).await?;
    two.starts().await?;
    two.hears("while you were away").await?;
    let loaded = two.puppet.loader().ok_or("no loader")?.message(&heard.id).await.map_err(|error| error.to_string())?;
    same("an earlier message", loaded.text.clone(), Some("a secret".to_owned()))?;
    for folder in [&one.folder, &two.folder].into_iter().flatten() {
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok(())
}

/// Somebody with a client of the SDK of their own; mostly the owner of the bot's account.
pub(crate) struct Owner(pub(crate) Client);

impl Owner {
    pub(crate) async fn logs_in(person: &Person, server: &Server) -> Result<Self, String> {
        let client = Client::builder().homeserver_url(&server.base).build().await.map_err(|error| error.to_string())?;
        let login = client.matrix_auth().login_username(&person.name, &person.password);
        // Of two that begin at once, the SDK hears the device that comes first in the alphabet.
        login.device_id("0").initial_device_display_name("owner").await.map_err(|error| error.to_string())?;
        let owner = Self(client);
        owner.syncs().await?;
        owner.0.encryption().bootstrap_cross_signing_if_needed(None).await.map_err(|error| error.to_string())?;
        Ok(owner)
    }

    pub(crate) async fn syncs(&self) -> Outcome {
        let settings = SyncSettings::new().timeout(Duration::from_millis(200));
        self.0.sync_once(settings).await.map(drop).map_err(|error| error.to_string())
    }

    /// Syncs until this is so.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> Result<T, String> {
        let clock = Clock::system();
        let start = clock.now();
        loop {
            if let Some(found) = look().await {
                return Ok(found);
            }
            if clock.now().saturating_sub(start) > PATIENCE {
                return Err(format!("the owner waited in vain for {what}"));
            }
            self.syncs().await?;
        }
    }

    /// The bot's device.
    async fn bots(&self) -> Result<Device, String> {
        let me = self.0.user_id().ok_or("nobody is logged in")?;
        let bots = self.until("the bot's device", async || {
            let devices = self.0.encryption().get_user_devices(me).await.ok()?;
            devices.devices().find(|device| Some(device.device_id()) != self.0.device_id())
        });
        bots.await
    }

    /// Asks it for a verification.
    async fn asks(&self) -> Result<VerificationRequest, String> {
        let asked = self.bots().await?.request_verification_with_methods(vec![VerificationMethod::SasV1]).await;
        asked.map_err(|error| error.to_string())
    }

    /// The same, until both show something.
    async fn compares(&self) -> Result<(VerificationRequest, SasVerification), String> {
        let request = self.asks().await?;
        let sas = self.compares_in(&request).await?;
        Ok((request, sas))
    }

    /// The same with what was asked already.
    async fn compares_in(&self, request: &VerificationRequest) -> Result<SasVerification, String> {
        self.until("the bot's consent", async || request.is_ready().then_some(())).await?;
        let sas = request.start_sas().await.map_err(|error| error.to_string())?.ok_or("it cannot be started")?;
        self.until("something to compare", async || sas.can_be_presented().then_some(())).await?;
        Ok(sas)
    }

    /// Who somebody is.
    async fn identity(&self, user: &str) -> Result<UserIdentity, String> {
        let user = UserId::parse(user).map_err(|error| error.to_string())?;
        let identity = async || self.0.encryption().request_user_identity(&user).await.ok().flatten();
        self.until("an identity", identity).await
    }

    /// Whether the account vouches for the bot's device.
    async fn vouches(&self) -> Option<bool> {
        let devices = self.0.encryption().get_user_devices(self.0.user_id()?).await.ok()?;
        let bots = devices.devices().find(|device| Some(device.device_id()) != self.0.device_id())?;
        Some(bots.is_cross_signed_by_owner())
    }
}

async fn the_accounts_other_device_vouches_for_the_bots(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let owner = Owner::logs_in(&bot.account, &server).await?;
    bot.starts().await?;
    let login = bot.puppet.login().ok_or("no login")?;

    // Not the same: nothing is vouched for.
    let (request, sas) = owner.compares().await?;
    let (id, message) = asked(&bot, request.flow_id()).await?;
    let (one, two, three) = sas.decimals().ok_or("no numbers")?;
    holds(&message, message.contains(&format!("{one} {two} {three}")))?;
    login.answer(LoginAnswer::Code { id, code: "no".to_owned() }).await.map_err(|error| error.to_string())?;
    owner.until("the end", async || sas.is_cancelled().then_some(())).await?;
    scanned(&bot, ScanStatus::Cancel).await?;
    same("vouched for", owner.vouches().await, Some(false))?;

    // The owner gives up.
    let (request, sas) = owner.compares().await?;
    let (id, _) = asked(&bot, request.flow_id()).await?;
    sas.cancel().await.map_err(|error| error.to_string())?;
    bot.until("the end", || (cancels(&bot) == 2).then_some(())).await?;
    let late = login.answer(LoginAnswer::Code { id, code: "yes".to_owned() }).await;
    holds(&format!("{late:?}"), matches!(late, Err(PuppetError::NotFound { .. })))?;

    // The same.
    let (request, sas) = owner.compares().await?;
    let (id, message) = asked(&bot, request.flow_id()).await?;
    for emoji in sas.emoji().ok_or("no emoji")? {
        holds(&message, message.contains(&format!("{} {}", emoji.symbol, emoji.description)))?;
    }
    sas.confirm().await.map_err(|error| error.to_string())?;
    same("vouched for before the bot has said yes", owner.vouches().await, Some(false))?;
    login.answer(LoginAnswer::Code { id, code: "yes".to_owned() }).await.map_err(|error| error.to_string())?;
    owner.until("the end", async || sas.is_done().then_some(())).await?;
    let data = scanned(&bot, ScanStatus::Confirmed).await?;
    let device = owner.0.device_id().ok_or("no device")?.to_string();
    holds(&format!("{data:?} names {device}"), data.is_some_and(|data| data.contains(&device)))?;
    owner.until("the signature", async || owner.vouches().await.filter(|vouches| *vouches)).await?;
    bot.goes().await
}

async fn a_comparison_that_begins_anew_is_over(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let owner = Owner::logs_in(&bot.account, &server).await?;
    bot.starts().await?;
    let login = bot.puppet.login().ok_or("no login")?;
    let (request, sas) = owner.compares().await?;
    let (id, _) = asked(&bot, request.flow_id()).await?;
    // No honest client does: another start under the same name, while somebody looks at the first.
    let start = json!({
        "from_device": owner.0.device_id(),
        "transaction_id": request.flow_id(),
        "method": "m.sas.v1",
        "key_agreement_protocols": ["curve25519-hkdf-sha256"],
        "hashes": ["sha256"],
        "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
        "short_authentication_string": ["decimal", "emoji"],
    });
    let device = owner.bots().await?.device_id().to_string();
    let messages = json!({ "messages": { bot.account.id.clone(): { device: start } } });
    bot.account.call(Method::PUT, "/sendToDevice/m.key.verification.start/anew", Some(messages)).await;
    let why = scanned(&bot, ScanStatus::Cancel).await?;
    holds(&format!("{why:?}"), why.is_some_and(|why| why.contains("began anew")))?;
    let late = login.answer(LoginAnswer::Code { id, code: "yes".to_owned() }).await;
    holds(&format!("{late:?}"), matches!(late, Err(PuppetError::NotFound { .. })))?;
    owner.until("the end", async || sas.is_cancelled().then_some(())).await?;
    same("vouched for", owner.vouches().await, Some(false))?;
    bot.goes().await
}

async fn a_verification_of_which_the_homeserver_took_no_part_ends_with_a_word(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let owner = Owner::logs_in(&bot.account, &server).await?;
    bot.starts().await?;
    bot.proxy.goes_wrong_at("/sendToDevice/m.key.verification.ready/", Wrong::Answer(502, "{}".to_owned()));
    let request = owner.asks().await?;
    bot.until("the fault", || bot.proxy.is_well().then_some(())).await?;
    request.cancel().await.map_err(|error| error.to_string())?;
    scanned(&bot, ScanStatus::Cancel).await?;
    // Another one is none the worse for it.
    let (request, _) = owner.compares().await?;
    asked(&bot, request.flow_id()).await?;
    bot.goes().await
}

/// The other client and the bot show the same; the question's name.
async fn shows_the_same(bot: &Bot, request: &VerificationRequest, sas: &SasVerification) -> Result<String, String> {
    let (id, message) = asked(bot, request.flow_id()).await?;
    let (one, two, three) = sas.decimals().ok_or("no numbers")?;
    holds(&message, message.contains(&format!("{one} {two} {three}")))?;
    for emoji in sas.emoji().ok_or("no emoji")? {
        holds(&message, message.contains(&format!("{} {}", emoji.symbol, emoji.description)))?;
    }
    Ok(id)
}

async fn somebody_else_verifies_the_bot_in_a_room(server: Server) -> Outcome {
    let mut bot = Bot::encrypted(&server).await;
    let alice = server.person("alice").await;
    let friend = Owner::logs_in(&alice, &server).await?;
    bot.starts().await?;
    let login = bot.puppet.login().ok_or("no login")?;
    // The first request opens the conversation in which it is asked, the second comes into the one that there is.
    for code in ["no", "yes"] {
        let bots = friend.identity(&bot.account.id).await?;
        let request = bots.request_verification_with_methods(vec![VerificationMethod::SasV1]).await;
        let request = request.map_err(|error| error.to_string())?;
        let room = request.room_id().ok_or("it is in no room")?.to_string();
        let sas = friend.compares_in(&request).await?;
        let id = shows_the_same(&bot, &request, &sas).await?;
        holds(&format!("{id} says who asks"), id.starts_with(&alice.id))?;
        same("verified before anybody says so", friend.identity(&bot.account.id).await?.is_verified(), false)?;
        if code == "yes" {
            sas.confirm().await.map_err(|error| error.to_string())?;
        }
        login.answer(LoginAnswer::Code { id, code: code.to_owned() }).await.map_err(|error| error.to_string())?;
        let is_over = async || (sas.is_done() || sas.is_cancelled()).then_some(());
        friend.until("the end", is_over).await?;
        same("it is done", sas.is_done(), code == "yes")?;
        let data = scanned(&bot, if code == "yes" { ScanStatus::Confirmed } else { ScanStatus::Cancel }).await?;
        let device = friend.0.device_id().ok_or("no device")?.to_string();
        holds(&format!("{data:?}"), code == "no" || data.is_some_and(|data| data == format!("{} {device}", alice.id)))?;
        let events = alice.events(&room).await;
        let said = |kind: &str| events.iter().any(|event| event["type"] == kind);
        holds(
            "the room is encrypted, and all of it is said there",
            said("m.room.encrypted") && !said("m.room.message"),
        )?;
    }
    let verified = async || friend.identity(&bot.account.id).await.ok()?.is_verified().then_some(());
    friend.until("the bot's identity to be verified", verified).await?;
    // And the bot vouches for her, as the homeserver has it.
    let asked = json!({ "device_keys": { alice.id.clone(): [], bot.account.id.clone(): [] } });
    let signed = async || {
        let keys = bot.account.call(Method::POST, "/keys/query", Some(asked.clone())).await;
        let ours = keys["user_signing_keys"][&bot.account.id]["keys"].as_object()?.keys().next()?.clone();
        keys["master_keys"][&alice.id]["signatures"][&bot.account.id].get(ours).map(drop)
    };
    friend.until("the bot's signature of her identity", signed).await?;
    same("what the bot was told as words", bot.texts(), Vec::new())?;
    bot.goes().await
}

/// The question that the bot's side is asked.
async fn asked(bot: &Bot, flow: &str) -> Result<(String, String), String> {
    let asked = bot.event("the question", 0, |event| match &event.what {
        EventPayload::VerifyCode(asked) if asked.id.ends_with(flow) => Some((asked.id.clone(), asked.message.clone())),
        _ => None,
    });
    asked.await
}

/// What is told with a step of this kind.
async fn scanned(bot: &Bot, status: ScanStatus) -> Result<Option<String>, String> {
    let scanned = bot.event("how it ended", 0, |event| match &event.what {
        EventPayload::Scan(scan) if scan.status == status => Some(scan.data.clone()),
        _ => None,
    });
    scanned.await
}

/// Verifications that were cancelled.
fn cancels(bot: &Bot) -> usize {
    let is_cancel = |event: &&wechaty_puppet::Event| matches!(&event.what, EventPayload::Scan(scan) if scan.status == ScanStatus::Cancel);
    bot.heard.events.lock().iter().filter(is_cancel).count()
}
