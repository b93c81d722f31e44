//! PLAN: what a bot was told about listening, and what it does about it when it starts.

use std::{fmt, io::Write as _};

use axum::Router;
use wechaty_catalogue::{Args, Lang, text};

use super::{Host, HttpSettings, Listening};
use crate::{Account, Bot, Error};

type Door = (String, Box<dyn Fn(&Bot) -> Router + Send + Sync>);
type Tell = Box<dyn Fn(&Listening) + Send + Sync>;

/// What the builder was told.
#[derive(Default)]
pub(crate) struct HostPlan {
    /// Asked for.
    pub(crate) settings: Option<HttpSettings>,
    /// Where nobody asked, but a puppet needs it.
    pub(crate) fallback: HttpSettings,
    pub(crate) doors: Vec<Door>,
    pub(crate) tell: Option<Tell>,
}

impl fmt::Debug for HostPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostPlan").field("settings", &self.settings).field("doors", &self.doors.len()).finish()
    }
}

impl Bot {
    /// Listens, if it was asked for or a puppet is reached by it.
    pub(crate) async fn listen(&self) -> Result<Option<Listening>, Error> {
        let plan = &self.0.host;
        if plan.settings.is_none() && plan.doors.is_empty() && !self.accounts().iter().any(Account::is_served) {
            return Ok(None);
        }
        let mut host = Host::new(self, plan.settings.as_ref().unwrap_or(&plan.fallback).clone());
        for (path, door) in &plan.doors {
            host = host.door(path, door(self));
        }
        Ok(Some(host.bind().await?))
    }

    /// Tells where it listens, to whom the builder was told, else on standard error.
    pub(crate) fn tell(&self, listening: &Listening) {
        match &self.0.host.tell {
            Some(tell) => tell(listening),
            None => {
                let args = Args::new().set("name", self.name()).set("url", listening.url());
                let told = text(Lang::of_env(|name| std::env::var(name).ok()), "http-listens", &args);
                // Where it cannot be written, nobody listens.
                let _ = writeln!(std::io::stderr(), "{told}");
            }
        }
    }
}
