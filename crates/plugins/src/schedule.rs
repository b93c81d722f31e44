//! Schedule: says something at its time, by the clock of the bot's zone.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::{
    Cron, Error,
    prelude::*,
    user::{ContactQuery, RoomQuery},
};
use wechaty_puppet::Clock;

use crate::{
    Match,
    by_name::{JOB_NAMES, NO_TARGET, NOTHING_TO_SAY},
    declaration::{PluginDeclaration, read},
    words::OneOrMany,
};

/// Says something to people and rooms at its time. The bot must say its time zone: `timezone = "Asia/Shanghai"`.
///
/// A job is done once, through crashes and restarts. What it says to many goes out at the pace of the account.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(try_from = "Settings")]
#[schemars(with = "Settings")]
pub struct Schedule {
    /// What is said when, and to whom.
    pub jobs: Vec<Job>,
}

/// One thing that is said at its time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// Names the job across restarts: under another name it is another job.
    pub name: String,
    /// When, and [which account](Cron::account) says it to those it knows. Where the bot, or the plugin's scope, has more
    /// than one, the build fails without it.
    pub cron: Cron,
    /// What is said, one after the other.
    pub say: Vec<String>,
    /// To whom, one to one.
    pub contacts: Match,
    /// In which rooms.
    pub rooms: Match,
}

impl Job {
    /// Without anybody to say it to yet.
    pub fn new(name: impl Into<String>, cron: impl Into<Cron>, say: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cron: cron.into(),
            say: vec![say.into()],
            contacts: Match::Never,
            rooms: Match::Never,
        }
    }
    /// Says it to these, one to one.
    #[must_use]
    pub fn to(mut self, contacts: impl Into<Match>) -> Self {
        self.contacts = contacts.into();
        self
    }
    /// Says it in these rooms.
    #[must_use]
    pub fn in_rooms(mut self, rooms: impl Into<Match>) -> Self {
        self.rooms = rooms.into();
        self
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Schedule")]
#[derive(Default)]
struct Settings {
    /// What is said when, and to whom.
    jobs: Vec<JobSettings>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Job")]
struct JobSettings {
    /// Names the job across restarts: under another name it is another job.
    #[schemars(length(min = 1))]
    name: String,
    /// When, by the bot's time zone: minute, hour, day of the month, month, day of the week, like `0 9 * * MON-FRI`; six
    /// fields begin with seconds.
    #[schemars(extend("format" = "cron"))]
    cron: String,
    /// Which account says it, to those it knows. Needed where the bot, or the plugin's `accounts`, has more than one.
    #[serde(default)]
    account: Option<String>,
    /// What is said: a text, or several one after the other.
    say: OneOrMany,
    /// To whom, one to one. Those that are named by their ids need not be in the list of contacts.
    #[serde(default)]
    contacts: Match,
    /// In which rooms.
    #[serde(default)]
    rooms: Match,
    /// What becomes of times that passed while the bot was down: the latest of them is made up for (run-once), or none is
    /// (skip). Default: run-once.
    #[serde(default)]
    missed: MissedSettings,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum MissedSettings {
    #[default]
    RunOnce,
    Skip,
}

impl TryFrom<Settings> for Schedule {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Self, String> {
        let mut names = BTreeSet::new();
        let jobs = settings.jobs.into_iter().map(|one| {
            let say = Vec::from(one.say);
            let fault = if !names.insert(one.name.clone()) {
                JOB_NAMES.with("name", &*one.name)
            } else if say.is_empty() || say.iter().any(|text| text.trim().is_empty()) {
                NOTHING_TO_SAY.with("name", &*one.name)
            } else if one.contacts.is_never() && one.rooms.is_never() {
                NO_TARGET.with("name", &*one.name)
            } else {
                let missed = match one.missed {
                    MissedSettings::RunOnce => wechaty::Missed::RunOnce,
                    MissedSettings::Skip => wechaty::Missed::Skip,
                };
                let mut cron = Cron::new(one.cron).missed(missed);
                if let Some(account) = one.account {
                    cron = cron.account(account);
                }
                return Ok(Job { name: one.name, cron, say, contacts: one.contacts, rooms: one.rooms });
            };
            Err(fault.to_string())
        });
        Ok(Self { jobs: jobs.collect::<Result<_, _>>()? })
    }
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "schedule",
    summary: "says something at its time, to people and in rooms",
    example: r#"settings = { jobs = [{ name = "standup", cron = "0 9 * * MON-FRI", say = "早上好", rooms = { re = "^team$" } }] }"#,
    schema: || schemars::schema_for!(Schedule),
    build: |settings| Ok(Box::new(read::<Schedule>("schedule", settings)?)),
};

/// How often a list of contacts or rooms is asked for, for about half a minute; then the job goes on without it.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// How many of those that were missed an error names.
const NAMED: usize = 10;

/// Asks the platform, and again where it fails.
async fn again<T, F: Future<Output = wechaty::Result<T>>>(clock: &Clock, ask: impl Fn() -> F) -> wechaty::Result<T> {
    for tried in 0..TRIES - 1 {
        match ask().await {
            Ok(told) => return Ok(told),
            Err(Error::Stopping) => return Err(Error::Stopping),
            Err(error) => tracing::debug!(%error, "a list for a job did not come, and is asked for again"),
        }
        clock.sleep(FIRST_PAUSE.saturating_mul(1 << tried)).await;
    }
    ask().await
}

/// What a job could not do. It goes on without: one failure is no reason to leave out everybody behind it.
#[derive(Default)]
struct LeftOut {
    what: Vec<String>,
    last: Option<Error>,
}

impl LeftOut {
    /// Notes a failure; a stop is none, and ends the job.
    fn note(&mut self, what: impl FnOnce() -> String, error: Error) -> wechaty::Result<()> {
        if matches!(error, Error::Stopping) {
            return Err(error);
        }
        let what = what();
        tracing::debug!(what, %error, "a job goes on without it");
        self.what.push(what);
        self.last = Some(error);
        Ok(())
    }

    fn told(self) -> wechaty::Result<()> {
        let Some(error) = self.last else { return Ok(()) };
        let named = self.what.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match self.what.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Error::Other(format!("a job left out {named}{more}; the last failure: {error}").into()))
    }
}

impl Job {
    /// To whom it is said now: ids as they are, and those of the lists whose names or topics fit.
    async fn targets(
        &self,
        account: &Account,
        clock: &Clock,
        left_out: &mut LeftOut,
    ) -> wechaty::Result<(Vec<Contact>, Vec<Room>)> {
        let mut contacts: Vec<Contact> =
            self.contacts.ids().into_iter().map(|id| account.contact_handle(&id.into())).collect();
        if self.contacts.asks_more_than_ids() {
            match again(clock, || account.find_contacts(ContactQuery::default())).await {
                Ok(all) => {
                    let mut known: HashSet<_> = contacts.iter().map(|contact| contact.id().clone()).collect();
                    for one in all {
                        let stranger = one.is_self() || one.is_friend() == Some(false);
                        if !stranger && !known.contains(one.id()) && self.contacts.contact(&one).await {
                            known.insert(one.id().clone());
                            contacts.push(one);
                        }
                    }
                }
                Err(error) => left_out.note(|| "the list of contacts".to_owned(), error)?,
            }
        }
        let mut rooms: Vec<Room> = self.rooms.ids().into_iter().map(|id| account.room_handle(&id.into())).collect();
        if self.rooms.asks_more_than_ids() {
            match again(clock, || account.find_rooms(RoomQuery::all())).await {
                Ok(all) => {
                    let mut known: HashSet<_> = rooms.iter().map(|room| room.id().clone()).collect();
                    for one in all {
                        if !known.contains(one.id()) && self.rooms.room(&one).await {
                            known.insert(one.id().clone());
                            rooms.push(one);
                        }
                    }
                }
                Err(error) => left_out.note(|| "the list of rooms".to_owned(), error)?,
            }
        }
        Ok((contacts, rooms))
    }

    async fn run(&self, tick: &Tick, clock: &Clock) -> wechaty::Result<()> {
        let mut left_out = LeftOut::default();
        let (contacts, rooms) = self.targets(&tick.account, clock, &mut left_out).await?;
        if contacts.is_empty() && rooms.is_empty() && left_out.what.is_empty() {
            let account = tick.account.id();
            tracing::warn!(job = %tick.job, %account, "this account knows nobody of those it is for; the job's `account` says which one asks");
        }
        for text in &self.say {
            for contact in &contacts {
                if let Err(error) = contact.say(text).await {
                    left_out.note(|| format!("contact {}", contact.id()), error)?;
                }
            }
            for room in &rooms {
                if let Err(error) = room.say(text).await {
                    left_out.note(|| format!("room {}", room.id()), error)?;
                }
            }
        }
        left_out.told()
    }
}

impl Plugin for Schedule {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("schedule")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        for job in &self.jobs {
            let shared = Arc::new(job.clone());
            cx.cron(job.name.as_str(), job.cron.clone().names_account(), move |tick: Tick, bot: Bot| {
                let job = shared.clone();
                async move { job.run(&tick, bot.clock()).await }
            });
        }
        Ok(())
    }
}
