//! CHECK: what no schema can tell, all of it at once: names that refer to each other, values that puppets and plugins
//! have to look at themselves, the environment.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use wechaty::{
    http::HttpSettings,
    types::{AccountId, ContactId},
};
use wechaty_puppet::{Declaration, Setting, SettingKind, Settings, SettingsError, Words};

use crate::{
    AccountConfig, Catalogue, Code, Config, ConfigError, Env, Flags, HttpSection, InboxSection, Owner, Pacing,
    PluginConfig, Problems, Seconds, StoreSection,
    document::Document,
    key::Key,
    nearest::{is_slip, list, nearest},
    phrases,
    standing::{Standing, about},
    walk::{Source, Walk, folder, short},
};

/// The account of a file without accounts, where environment or flags name a puppet.
const DEFAULT_ACCOUNT: &str = "default";

/// Wechaty's own names of puppets (`wechaty-puppet-mock`, `gitter`) are understood, and case is not looked at.
pub(crate) fn plain_puppet(name: &str) -> String {
    wechaty::puppet::plain_name(name)
}

pub(crate) fn check(catalogue: &Catalogue, document: &Document, env: &Env, flags: &Flags) -> Result<Config, Problems> {
    let (env, mut problems) = env.with_folder(&folder(&document.path));
    let schema = catalogue.schema();
    let command = |puppet: &str| catalogue.command(puppet);
    let (table, syntax) = document.parse();
    let mut walk = Walk::new(document, &schema, &env, &command);
    let value = walk.run(&table);
    let mut check = Check { catalogue, env: &env, flags, walk, value: &value };
    let config = check.config();
    let found = std::mem::take(&mut check.walk.problems);
    match syntax.iter().map(|error| error.line).min() {
        // Before its first fault the text was understood; behind it, nobody knows what was meant.
        Some(first) => problems.extend(found.into_iter().filter(|error| error.line < first && !error.code.lacks())),
        None => problems.extend(found),
    }
    problems.extend(syntax);
    if problems.is_empty() { Ok(config) } else { Err(finish(problems, &check.walk.secrets)) }
}

fn finish(mut problems: Vec<ConfigError>, secrets: &[String]) -> Problems {
    problems.iter_mut().for_each(|problem| problem.redact(secrets));
    Problems::new(problems)
}

pub(crate) struct Check<'a> {
    catalogue: &'a Catalogue,
    env: &'a Env,
    flags: &'a Flags,
    pub(crate) walk: Walk<'a>,
    /// The document as far as it fits its schema; what does not is absent or null.
    pub(crate) value: &'a Value,
}

impl Check<'_> {
    fn config(&mut self) -> Config {
        let ids = self.account_ids();
        let accounts = self.accounts();
        let pacing: Pacing = self.section(&Key::new("pacing"), &self.value["pacing"]);
        let inbox: InboxSection = self.section(&Key::new("inbox"), &self.value["inbox"]);
        self.some_time("inbox", "max_age", inbox.max_age);
        self.some_time("inbox", "handler_timeout", inbox.handler_timeout);
        let http = self.http();
        self.open_doors(&accounts, &http);
        let doors = self.doors(&ids);
        self.pages(&accounts);
        let name = self.flags.name.clone().or_else(|| self.env.get("WECHATY_NAME"));
        Config {
            file: self.walk.document.path.clone(),
            folder: self.folder(),
            store: self.section(&Key::new("store"), &self.value["store"]),
            name: name.or_else(|| self.value["name"].as_str().map(str::to_owned)),
            timezone: self.timezone(),
            owners: self.owners(&ids),
            plugins: self.plugins(&ids),
            webhooks: self.webhooks(&doors.webhook, &ids),
            accounts,
            pacing,
            inbox,
            http,
            doors,
            env: self.env.clone(),
        }
    }

    /// A section as its type reads it. What it cannot read has been told by the walk.
    pub(crate) fn section<T: DeserializeOwned + Default>(&mut self, key: &Key, value: &Value) -> T {
        if value.is_null() {
            return T::default();
        }
        T::deserialize(value).unwrap_or_else(|error| {
            if !self.is_told(key) {
                let problem = ConfigError::new(Code::BadForm).arg("value", key).words("expected", Words::quoted(error));
                self.walk.tell(key, problem);
            }
            T::default()
        })
    }

    /// Whether something below a key is known to be wrong.
    pub(crate) fn is_told(&self, key: &Key) -> bool {
        let below = |told: &str| {
            told.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.walk.problems.iter().any(|problem| problem.key.as_deref().is_some_and(below))
    }

    fn items(&self, section: &str) -> Vec<(Key, &'_ Value)> {
        let list = self.value[section].as_array().into_iter().flatten();
        list.enumerate().map(|(i, item)| (Key::new(section).item(i), item)).collect()
    }

    /// Tells ids that are given twice. Gives all.
    fn unique(&mut self, section: &str, or_else: &str) -> Vec<String> {
        let mut first: BTreeMap<String, Key> = BTreeMap::new();
        let items: Vec<(Key, Option<String>)> = self
            .items(section)
            .into_iter()
            .map(|(key, item)| {
                let own = item["id"].as_str().map(|id| (key.field("id"), id));
                let other = item[or_else].as_str().map(|name| (key.field(or_else), name));
                match own.or(if self.walk.has(&key.field("id")) { None } else { other }) {
                    Some((key, id)) => (key, Some(id.to_owned())),
                    None => (key, None),
                }
            })
            .collect();
        for (key, id) in items {
            let Some(id) = id else { continue };
            match first.get(&id) {
                Some(there) => {
                    let line = self.walk.line(there);
                    self.walk.tell(&key, ConfigError::new(Code::Twice).arg("name", &id).arg("first", line));
                }
                None => {
                    first.insert(id, key);
                }
            }
        }
        first.into_keys().collect()
    }

    /// The puppet that flags or environment name in place of the file's.
    fn other_puppet(&self) -> Option<String> {
        let single = self.items("account").len() <= 1;
        self.flags.puppet.clone().or_else(|| single.then(|| self.env.get("WECHATY_PUPPET")).flatten())
    }

    fn account_ids(&mut self) -> Vec<String> {
        let mut ids = self.unique("account", "");
        if ids.is_empty() && self.other_puppet().is_some() && self.items("account").is_empty() {
            ids.push(DEFAULT_ACCOUNT.to_owned());
        }
        ids
    }

    fn accounts(&mut self) -> Vec<AccountConfig> {
        let value = self.value;
        let list: Vec<&Value> = value["account"].as_array().into_iter().flatten().collect();
        let key = Key::new("account");
        if let Some(name) = self.other_puppet() {
            let name = plain_puppet(&name);
            let puppets = &self.catalogue.puppets;
            let Some(puppet) = puppets.iter().find(|puppet| puppet.platform.as_str() == name).copied() else {
                let error = self.no_puppet(&name);
                let from_env = self.flags.puppet.is_none();
                self.walk.problems.push(if from_env { self.env.at(error, "WECHATY_PUPPET") } else { error });
                return Vec::new();
            };
            let first = list.first().copied().unwrap_or(&Value::Null);
            let same = first["puppet"].as_str().map(plain_puppet).is_some_and(|there| there == name);
            if !same {
                // Accounts that do not run need no values.
                let idle = |problem: &ConfigError| {
                    matches!(problem.code, Code::UnsetVariable | Code::UnreadableValue)
                        && problem.key.as_deref().is_some_and(|key| key.starts_with("account["))
                };
                self.walk.problems.retain(|problem| !idle(problem));
            }
            let own = if same { first.clone() } else { only(first, &["id", "pacing", "adopt_identity"]) };
            let id = first["id"].as_str().unwrap_or(DEFAULT_ACCOUNT).to_owned();
            return self.account(&key.item(0), 0, &id, puppet, &own, false).into_iter().collect();
        }
        if list.is_empty() && !self.is_told(&key) {
            self.walk.tell(&key, ConfigError::new(Code::NoAccount));
        }
        let name_of = |item: &Value| item["puppet"].as_str().map(plain_puppet);
        let mut accounts = Vec::new();
        for (i, item) in list.iter().enumerate() {
            let Some(name) = name_of(item) else { continue };
            let puppets = &self.catalogue.puppets;
            let Some(puppet) = puppets.iter().find(|puppet| puppet.platform.as_str() == name).copied() else {
                continue;
            };
            let shared = list.iter().filter(|other| name_of(other).as_ref() == Some(&name)).count() > 1;
            let id = item["id"].as_str().unwrap_or_default().to_owned();
            accounts.extend(self.account(&key.item(i), i, &id, puppet, item, shared));
        }
        accounts
    }

    fn no_puppet(&self, name: &str) -> ConfigError {
        let known = self.catalogue.puppets.iter().map(|puppet| puppet.platform.as_str());
        match self.catalogue.command(name) {
            Some(command) => ConfigError::new(Code::NotBuiltIn).arg("name", name).arg("command", command),
            None => ConfigError::new(Code::UnknownPuppet)
                .arg("name", name)
                .words("known", list(known.clone()))
                .nearest(nearest(name, known)),
        }
    }

    fn account(
        &mut self,
        key: &Key,
        index: usize,
        id: &str,
        puppet: Declaration,
        item: &Value,
        shared: bool,
    ) -> Option<AccountConfig> {
        let mut settings = Settings::new();
        let mut told = Vec::new();
        for setting in puppet.settings {
            let field = key.field(setting.key);
            let flag = (index == 0).then(|| self.flags.settings.get(setting.key).map(str::to_owned)).flatten();
            let file = text(&item[setting.key]);
            let named = setting.env.iter().find_map(|name| Some((*name, self.env.get(name)?)));
            let env = match (&flag, &file) {
                (None, Some(_)) => named.filter(|_| !shared),
                (None, None) => named.filter(|_| !shared || !self.walk.has(&field)),
                _ => None,
            };
            if let Some((name, value)) = &env {
                if setting.kind == SettingKind::Secret {
                    self.walk.secrets.push(value.clone());
                }
                self.walk.sources.insert(field.as_str().to_owned(), Source::Variable((*name).to_owned()));
                if let Some(expected) = mismatch(setting, value) {
                    let error = ConfigError::new(Code::BadVariable).arg("name", name).words("expected", expected);
                    self.walk.tell(&field, error);
                    continue;
                }
            }
            let value = flag.or(env.map(|(_, value)| value)).or(file).or_else(|| setting.default.map(str::to_owned));
            match value {
                Some(value) => settings = settings.set(setting.key, value),
                None if setting.required && !self.walk.has(&field) => {
                    self.walk.tell(key, missing(&puppet, setting));
                    told.push(setting);
                }
                None => {}
            }
        }
        let pacing = match &item["pacing"] {
            Value::Null => None,
            pacing => Some(self.section(&key.field("pacing"), pacing)),
        };
        told.extend(puppet.settings.iter().filter(|setting| self.is_told(&key.field(setting.key))));
        self.build(key, &puppet, settings.clone(), &told);
        let adopt_identity = item["adopt_identity"].as_bool().unwrap_or(false);
        Some(AccountConfig { id: AccountId::new(id), puppet, settings, pacing, adopt_identity })
    }

    /// Has the puppet look at its settings. It tells of one at a time: each that is told of gets something in its place that
    /// the puppet may take, so that it goes on to the others.
    fn build(&mut self, key: &Key, puppet: &Declaration, mut settings: Settings, told: &[&'static Setting]) {
        let mut standing = Standing::default();
        for setting in told {
            standing.next(setting, puppet, &mut settings);
        }
        while let Err(error) = (puppet.build)(&settings) {
            let Some(setting) = about(puppet, &error) else {
                return self.refused(key, puppet, &settings, error);
            };
            if standing.is_for(setting) {
                if standing.next(setting, puppet, &mut settings) || standing.without_one(puppet, &mut settings) {
                    continue;
                }
                return;
            }
            // Where something could only be left out, others may be missed by it.
            let missed = standing.lacks(&settings) && settings.get(setting.key).is_none();
            if !missed && !standing.hangs_on_a_switch(setting, puppet, &settings) {
                self.refused(key, puppet, &settings, error);
            }
            standing.next(setting, puppet, &mut settings);
        }
    }

    /// What a puppet says about its settings.
    fn refused(&mut self, key: &Key, puppet: &Declaration, settings: &Settings, error: SettingsError) {
        let (name, reason) = match error {
            SettingsError::Missing { key: name } => match puppet.settings.iter().find(|one| one.key == name) {
                Some(setting) => return self.walk.tell(key, missing(puppet, setting)),
                None => (name, phrases::MISSING.words()),
            },
            SettingsError::Invalid { key: name, reason } => (name, reason),
            other => ("puppet", Words::quoted(other)),
        };
        let field = key.field(name);
        let is_path = puppet.settings.iter().any(|one| one.key == name && one.kind == SettingKind::Path);
        let path = settings.get(name).filter(|path| is_path && !std::path::Path::new(path).exists());
        let error = match path {
            Some(path) => ConfigError::new(Code::NoSuchPath).arg("path", path),
            None => ConfigError::new(Code::BadSetting).arg("name", name).words("reason", reason),
        };
        self.walk.tell(&field, error);
    }

    /// Puppets that serve pages to everybody who asks, on an address or under a name that everybody reaches.
    fn open_doors(&mut self, accounts: &[AccountConfig], http: &HttpSettings) {
        let Some(address) = http.reached_at() else { return };
        let key = if http.listen.ip().is_loopback() { "hosts" } else { "listen" };
        for account in accounts {
            let Ok(puppet) = (account.puppet.build)(&account.settings) else { continue };
            if puppet.webhook().is_some_and(|hook| !hook.is_guarded()) {
                let door = phrases::DOOR.with("account", account.id.as_str());
                let door = door.with("puppet", account.puppet.platform.as_str());
                let error = ConfigError::new(Code::OpenDoor).words("door", door).arg("address", &address);
                self.walk.tell(&Key::new("http").field(key), error);
            }
        }
    }

    /// A page has one place: of two accounts that serve it only one could be reached.
    fn pages(&mut self, accounts: &[AccountConfig]) {
        let mut pages: Vec<(&'static str, &AccountConfig)> = Vec::new();
        for (i, account) in accounts.iter().enumerate() {
            let Ok(puppet) = (account.puppet.build)(&account.settings) else { continue };
            for page in puppet.webhook().map_or(&[][..], |hook| hook.pages()) {
                let Some((_, first)) = pages.iter().find(|(other, _)| other == page) else {
                    pages.push((page, account));
                    continue;
                };
                let error = ConfigError::new(Code::PageTwice).arg("page", page).arg("first", &first.id);
                let own = |(_, item): &(Key, &Value)| item["id"].as_str() == Some(account.id.as_str());
                let key = self.items("account").into_iter().rfind(own).map(|(key, _)| key);
                let key = key.unwrap_or_else(|| Key::new("account").item(i)).field("puppet");
                self.walk.tell(&key, error.arg("second", &account.id));
                break;
            }
        }
    }

    fn http(&mut self) -> HttpSettings {
        let key = Key::new("http");
        let section: HttpSection = self.section(&key, &self.value["http"]);
        self.some_time("http", "timeout", section.timeout);
        let mut settings = section.settings();
        if let Some(text) = &section.listen {
            match text.trim().parse::<SocketAddr>() {
                Ok(address) => settings.listen = address,
                Err(_) => {
                    let error = ConfigError::new(Code::BadAddress).arg("value", short(text));
                    self.walk.tell(&key.field("listen"), error);
                }
            }
        }
        match self.env.port() {
            Ok(Some(port)) => settings.listen.set_port(port),
            Ok(None) => {}
            Err(error) => self.walk.problems.push(*error),
        }
        if let Some(listen) = self.flags.listen {
            settings.listen = listen;
        }
        settings
    }

    /// No time at all is no limit that anything could keep.
    fn some_time(&mut self, section: &str, name: &str, time: Option<Seconds>) {
        if time.is_some_and(|time| time.0.is_zero()) {
            let error = ConfigError::new(Code::OutOfRange).arg("value", "0").arg("expected", "> 0");
            self.walk.tell(&Key::new(section).field(name), error);
        }
    }

    fn folder(&mut self) -> PathBuf {
        if let Some(folder) = &self.flags.store {
            return folder.clone();
        }
        let key = Key::new("store");
        let section: StoreSection = self.section(&key, &self.value["store"]);
        let folder = self.walk.path(section.path.as_deref().unwrap_or(""));
        if section.path.is_some() && !folder.is_dir() {
            let error = ConfigError::new(Code::NoSuchPath).arg("path", folder.display());
            self.walk.tell(&key.field("path"), error);
        }
        folder
    }

    fn timezone(&mut self) -> Option<String> {
        let zone = self.value["timezone"].as_str()?;
        let known = wechaty::time_zones();
        if known.iter().any(|name| name == zone) {
            return Some(zone.to_owned());
        }
        let error = ConfigError::new(Code::UnknownZone).arg("value", short(zone));
        // People tend to know the city, and to get its continent wrong.
        let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
        let same = known.iter().find(|name| city(name) == city(zone) && !zone.is_empty());
        let near = same.map(String::as_str).or_else(|| match city(zone).as_str() {
            // The capital has no zone of its own.
            "beijing" | "peking" => Some("Asia/Shanghai"),
            _ => nearest(zone, known.iter().map(String::as_str)).filter(|near| is_slip(&city(near), &city(zone))),
        });
        self.walk.tell(&Key::new("timezone"), error.nearest(near));
        None
    }

    fn owners(&mut self, ids: &[String]) -> Vec<Owner> {
        let value = self.value;
        let mut owners = Vec::new();
        for (i, owner) in value["owners"].as_array().into_iter().flatten().enumerate() {
            let Some(text) = owner.as_str() else { continue };
            let key = Key::new("owners").item(i);
            match text.split_once(':').filter(|(account, contact)| !account.is_empty() && !contact.is_empty()) {
                None => self.walk.tell(&key, ConfigError::new(Code::BadOwner).arg("value", short(text))),
                Some((account, _)) if !ids.iter().any(|id| id == account) => self.no_account(&key, account, ids),
                Some((account, contact)) => {
                    owners.push(Owner { account: AccountId::new(account), contact: ContactId::new(contact) });
                }
            }
        }
        owners
    }

    pub(crate) fn no_account(&mut self, key: &Key, name: &str, ids: &[String]) {
        let known = ids.iter().map(String::as_str);
        let error = ConfigError::new(Code::UnknownAccount).arg("name", short(name)).words("known", list(known.clone()));
        self.walk.tell(key, error.nearest(nearest(name, known)));
    }

    /// Whose the jobs of a plugin are: one account's each. `only`: those the plugin is for.
    fn jobs(&mut self, key: &Key, jobs: &Value, only: Option<&[AccountId]>, ids: &[String]) {
        let only: Vec<String> = match only {
            Some(only) => only.iter().map(ToString::to_string).collect(),
            None => ids.to_vec(),
        };
        for (i, job) in jobs.as_array().into_iter().flatten().enumerate().filter(|(_, job)| job["cron"].is_string()) {
            let place = key.item(i);
            match job["account"].as_str() {
                Some(name) if !only.iter().any(|id| id == name) => {
                    let place = place.field("account");
                    if !self.is_told(&place) {
                        self.no_account(&place, name, &only);
                    }
                }
                None if only.len() > 1 && job["account"].is_null() && !self.is_told(&place) => {
                    let known = list(only.iter().map(String::as_str));
                    self.walk.tell(&place, ConfigError::new(Code::JobAccount).words("known", known));
                }
                _ => {}
            }
        }
    }

    fn plugins(&mut self, ids: &[String]) -> Vec<PluginConfig> {
        self.unique("plugin", "use");
        let value = self.value;
        let mut plugins = Vec::new();
        for (i, item) in value["plugin"].as_array().into_iter().flatten().enumerate() {
            let key = Key::new("plugin").item(i);
            let named = |name: &Value| AccountId::new(name.as_str().unwrap_or_default());
            let accounts = match &item["accounts"] {
                Value::Null => None,
                Value::Array(list) => Some(list.iter().map(named).collect::<Vec<_>>()),
                one => Some(vec![named(one)]),
            };
            for (i, account) in accounts.iter().flatten().enumerate() {
                let place = key.field("accounts");
                let place = if item["accounts"].is_array() { place.item(i) } else { place };
                let name = account.as_str();
                if !ids.iter().any(|id| id == name) && !self.is_told(&place) {
                    self.no_account(&place, name, ids);
                }
            }
            let Some(name) = item["use"].as_str() else { continue };
            let Some(plugin) = self.catalogue.plugins.iter().find(|plugin| plugin.name == name).copied() else {
                continue;
            };
            let [rooms, people] = ["rooms", "people"].map(|name| match &item[name] {
                Value::Null => None,
                one => Some(self.section(&key.field(name), one)),
            });
            let settings = item["settings"].clone();
            let field = key.field("settings");
            if !self.is_told(&field)
                && let Err(error) = (plugin.build)(settings.clone())
            {
                let error =
                    ConfigError::new(Code::BadPluginSettings).arg("plugin", name).words("reason", error.reason());
                self.walk.tell(&field, error);
            }
            let enabled = item["enabled"].as_bool().unwrap_or(true);
            if enabled {
                self.jobs(&field.field("jobs"), &settings["jobs"], accounts.as_deref(), ids);
            }
            if enabled && !self.walk.has(&Key::new("timezone")) {
                let below = |(place, _): &&(Key, String)| place.as_str().starts_with(field.as_str());
                let crons: Vec<_> = self.walk.crons.iter().filter(below).cloned().collect();
                for (place, when) in crons {
                    self.walk.tell(&place, ConfigError::new(Code::NoZone).arg("value", when));
                }
            }
            plugins.push(PluginConfig {
                plugin,
                id: item["id"].as_str().unwrap_or(name).to_owned(),
                enabled,
                accounts,
                rooms,
                people,
                settings,
            });
        }
        plugins
    }
}

/// A part of a table.
fn only(table: &Value, keys: &[&str]) -> Value {
    keys.iter().filter_map(|key| Some((*key, table.get(*key)?.clone()))).collect()
}

/// A setting as puppets take it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// What was expected of a variable that sets a setting, if its value is not that.
fn mismatch(setting: &Setting, value: &str) -> Option<Words> {
    match setting.kind {
        SettingKind::Integer if value.parse::<i64>().is_err() => Some(phrases::INTEGER.words()),
        SettingKind::Bool if !matches!(value, "true" | "false") => {
            Some(Words::any_of(["`true`".into(), "`false`".into()]))
        }
        SettingKind::Choice(choices) if !choices.contains(&value) => {
            Some(Words::any_of(choices.iter().map(|choice| format!("`{choice}`").into())))
        }
        SettingKind::Url if !value.contains("://") => Some("scheme://host/…".into()),
        _ => None,
    }
}

fn missing(puppet: &Declaration, setting: &Setting) -> ConfigError {
    let env = match setting.env.is_empty() {
        true => phrases::NONE.words(),
        false => Words::list(setting.env.iter().map(Words::plain)),
    };
    ConfigError::new(Code::MissingSetting)
        .arg("puppet", puppet.platform)
        .arg("name", setting.key)
        .arg("help", setting.help)
        .words("env", env)
        .arg("docs", puppet.docs)
}
