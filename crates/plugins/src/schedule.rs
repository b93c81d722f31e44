//! Schedule: says something at its time, by the clock of the bot's zone.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::{
    Cron, Missed,
    prelude::*,
    user::{ContactQuery, RoomQuery},
};

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
    /// When.
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
                    MissedSettings::RunOnce => Missed::RunOnce,
                    MissedSettings::Skip => Missed::Skip,
                };
                let cron = Cron::new(one.cron).missed(missed);
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

impl Job {
    /// To whom it is said now: ids as they are, and those of the lists whose names or topics fit.
    async fn targets(&self, account: &Account) -> wechaty::Result<(Vec<Contact>, Vec<Room>)> {
        let mut contacts: Vec<Contact> =
            self.contacts.ids().into_iter().map(|id| account.contact_handle(&id.into())).collect();
        if self.contacts.asks_more_than_ids() {
            for one in account.find_contacts(ContactQuery::default()).await? {
                let stranger = one.is_self() || one.is_friend() == Some(false);
                if !stranger && contacts.iter().all(|other| other.id() != one.id()) && self.contacts.contact(&one).await
                {
                    contacts.push(one);
                }
            }
        }
        let mut rooms: Vec<Room> = self.rooms.ids().into_iter().map(|id| account.room_handle(&id.into())).collect();
        if self.rooms.asks_more_than_ids() {
            for one in account.find_rooms(RoomQuery::all()).await? {
                if rooms.iter().all(|other| other.id() != one.id()) && self.rooms.room(&one).await {
                    rooms.push(one);
                }
            }
        }
        Ok((contacts, rooms))
    }

    async fn run(&self, tick: &Tick) -> wechaty::Result<()> {
        let (contacts, rooms) = self.targets(&tick.account).await?;
        if contacts.is_empty() && rooms.is_empty() {
            tracing::warn!(job = %tick.job, account = %tick.account.id(), "there is nobody to say it to");
        }
        for text in &self.say {
            for contact in &contacts {
                contact.say(text).await?;
            }
            for room in &rooms {
                room.say(text).await?;
            }
        }
        Ok(())
    }
}

impl Plugin for Schedule {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("schedule")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        for job in &self.jobs {
            let shared = Arc::new(job.clone());
            cx.cron(job.name.as_str(), job.cron.clone(), move |tick: Tick| {
                let job = shared.clone();
                async move { job.run(&tick).await }
            });
        }
        Ok(())
    }
}
