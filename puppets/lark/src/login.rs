//! LOGIN: from credentials to who we are, and on to where events come from.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;
use wechaty_puppet::{
    CheckError, Clock, ContactPayload, ContactType, Event, EventPayload, LoginStep, Payload, PuppetContext,
    PuppetError, ReadyEvent, Result, Settings, SettingsError, Words,
    task::{Work, work},
};

use crate::{
    LarkPuppet, Options,
    codes::about,
    intake::Intake,
    json::{number, some, text},
    puppet::{Inner, Me},
    register, socket,
};

/// Where the ticket of a store app is kept.
const TICKET: &str = "app-ticket";
/// How often a store app looks whether its ticket has come.
const LOOK: Duration = Duration::from_millis(500);

impl Inner {
    /// The run: until it is beaten.
    pub(crate) async fn life(&self, cx: &PuppetContext, intake: &Intake) -> Result<()> {
        register::credentials(&self.api, cx).await?;
        let is_store_app = self.api.options.tenant_key.is_some();
        if is_store_app {
            self.kept_ticket(cx).await?;
        }
        let me = loop {
            match self.who().await {
                // It has asked for a ticket, which the platform posts.
                Err(PuppetError::NotLoggedIn) if is_store_app => self.ticket(cx).await,
                me => break me?,
            }
        };
        *self.me.lock() = Some(me.clone());
        self.names.put(me.id.as_str(), &me.name);
        if !self.api.options.webhook {
            return socket::run(self, cx, intake).await;
        }
        self.logged_in(cx).await?;
        cx.cancelled().await;
        Ok(())
    }

    /// Tells the bot that we are there.
    pub(crate) async fn logged_in(&self, cx: &PuppetContext) -> Result<()> {
        let me = self.me()?;
        let payload = Payload::Contact(Arc::new(contact(&me)));
        cx.accept(Event::new(LoginStep::Done(me.id)).payload(payload)).await?;
        if let Some(running) = self.running.lock().as_mut() {
            running.is_open = true;
        }
        cx.accept(EventPayload::Ready(ReadyEvent { data: None })).await?;
        Ok(())
    }

    async fn who(&self) -> Result<Me> {
        let ask = about("asking who we are", "bot", "");
        let answer = self.api.whole(ask, Method::GET, "bot/v3/info", None).await?;
        // Not below `data`, as everywhere else.
        let bot = answer.get("bot").or_else(|| answer.get("data")?.get("bot")).unwrap_or(&Value::Null);
        let Some(id) = some(bot, "open_id") else {
            let reason =
                "the app has no bot: add the bot feature in the developer console, and publish a version".into();
            return Err(PuppetError::LoginRefused { reason });
        };
        if number(bot, "activate_status").is_some_and(|status| status != 2) {
            tracing::warn!("the bot of the app is not activated: publish a version of it in the developer console");
        }
        Ok(Me {
            id: id.into(),
            app_id: self.api.credentials()?.app_id,
            name: text(bot, "app_name").to_owned(),
            avatar: text(bot, "avatar_url").to_owned(),
        })
    }

    /// The ticket of a store app that came while the account did not run, which is kept now; else that of an earlier life.
    async fn kept_ticket(&self, cx: &PuppetContext) -> Result<()> {
        if let Some(posted) = self.api.tokens.posted_ticket() {
            return self.keep_ticket(cx, posted.tell()).await;
        }
        if let Some(kept) = cx.session().get(TICKET).await.map_err(AcceptStore::from)?
            && let Ok(kept) = std::str::from_utf8(&kept)
        {
            self.api.tokens.set_old_ticket(kept);
        }
        Ok(())
    }

    /// Keeps a ticket for the next life.
    pub(crate) async fn keep_ticket(&self, cx: &PuppetContext, ticket: &str) -> Result<()> {
        let kept = cx.session().set(TICKET, Some(Bytes::from(ticket.to_owned()))).await;
        Ok(kept.map_err(AcceptStore::from)?)
    }

    /// Waits for the ticket of a store app.
    async fn ticket(&self, cx: &PuppetContext) {
        tracing::info!("waiting for the app_ticket, which the platform posts to the webhook");
        // Also where there is one: it may be of before, and was refused.
        cx.clock().sleep(LOOK).await;
        while !self.api.tokens.has_ticket() {
            cx.clock().sleep(LOOK).await;
        }
    }
}

/// Asks whether the credentials are good, and whose they are.
pub(crate) fn check(settings: Settings, clock: Clock) -> Work<Result<Option<Words>, CheckError>> {
    work(async move {
        let options = Options::read(&settings)?;
        if options.credentials.is_none() {
            return Ok(None);
        }
        let puppet = LarkPuppet::new(options);
        puppet.0.api.set_clock(&clock);
        match puppet.0.who().await {
            Ok(me) => Ok(Some(Words::plain(format!("{} ({})", me.name, me.id)))),
            Err(PuppetError::LoginRefused { reason }) => {
                Err(SettingsError::Invalid { key: "app_secret", reason: Words::quoted(reason) }.into())
            }
            // The ticket of a store app comes later.
            Err(PuppetError::NotLoggedIn) => Ok(None),
            Err(other) => Err(other.into()),
        }
    })
}

/// A failure of the session store, as an error of a run.
pub(crate) struct AcceptStore(wechaty_puppet::BoxError);

impl From<wechaty_puppet::BoxError> for AcceptStore {
    fn from(source: wechaty_puppet::BoxError) -> Self {
        Self(source)
    }
}

impl From<AcceptStore> for PuppetError {
    fn from(error: AcceptStore) -> Self {
        Self::Accept(wechaty_puppet::AcceptError::Store(error.0))
    }
}

/// Ourselves, as a contact.
pub(crate) fn contact(me: &Me) -> ContactPayload {
    let mut contact = ContactPayload::new(me.id.clone(), me.name.clone());
    contact.kind = ContactType::Application;
    contact.avatar.clone_from(&me.avatar);
    contact
}
