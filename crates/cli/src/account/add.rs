//! `wechaty account add`: writes an account into BOT.toml, and its secrets into `.env` beside it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_config::{Catalogue, Code, Config, ConfigError, Env, Flags, Problems};
use wechaty_puppet::{Declaration, Setting, SettingKind, Settings, SettingsError, Words};

use super::{
    ask,
    check::{Checked, check},
    files::{Readers, env_line, replace},
};
use crate::{args::AddArgs, config::config_failure, discover::agreed, failure::Failure, output, puppets, told::told};

/// The file of secrets, beside BOT.toml.
const ENV: &str = ".env";
/// What git is to leave alone, beside both.
const IGNORED: &str = ".gitignore";
/// A longer name of a folder is cut.
const LONGEST_NAME: usize = 64;
/// Larger files are no configuration.
const LARGEST: u64 = 1 << 20;

pub(super) fn run(args: AddArgs, lang: Lang) -> Result<(), Failure> {
    let catalogue = Catalogue::default();
    let somebody = ask::somebody();
    let names: Vec<&str> = catalogue.puppets.iter().map(|puppet| puppet.platform.as_str()).collect();
    let words = Args::new().set("names", names.join(", "));
    let puppet = match args.puppet.filter(|name| !name.is_empty()) {
        Some(name) => named(&catalogue, &name)?,
        None if somebody => {
            let question = || ask::word("account-ask-puppet", &words, None, lang);
            ask::until(question, |name| named(&catalogue, &name), lang)?
        }
        None => return Err(Failure::usage("W123").set("what", "--puppet")),
    };
    let platform = puppet.platform.as_str();
    let mut values = ask::given(&args.set, &puppet, &mut io::stdin().lock())?;
    let mut file = File::read(&args.file, lang)?;
    let free = |id: String| file.is_free(&id).and_then(|()| is_formed(&catalogue, "id", &id, lang)).map(|()| id);
    let id = match args.id {
        Some(id) => free(id)?,
        None if somebody => ask::until(|| ask::word("account-ask-id", &Args::new(), Some(platform), lang), free, lang)?,
        None => return Err(Failure::usage("W123").set("what", "--id")),
    };
    file.name(&catalogue, args.name, somebody, lang)?;
    let checked = if somebody {
        no_page_twice(&catalogue, &file, platform, &id, lang)?;
        ask_all(&puppet, &file.folder(), &mut values, !args.no_check, lang)?
    } else {
        for setting in puppet.settings {
            if let Some(given) = values.get(setting.key) {
                typed(&puppet, setting, given, lang)?;
            }
        }
        let (env, _) = Env::system().with_folder(&file.folder());
        take(&puppet, &values, &file.folder(), &env, !args.no_check).map_err(|refused| refused.failure)?
    };
    match checked {
        Checked::Not => {}
        Checked::Good(whose) => {
            let words = Args::new().set("puppet", platform).set("who", told(lang, &whose));
            output::tell(&text(lang, "account-checked", &words));
        }
        // As with those it does not take: what may be wrong is written only for who wants it so.
        Checked::Unknown(why) => {
            let words = Args::new().set("puppet", platform).set("why", told(lang, &why));
            if !agreed(&text(lang, "account-unchecked", &words))? {
                return Err(Failure::failed("W209").set("puppet", platform).words(why));
            }
        }
    }
    let Added { secrets, config } = add(&catalogue, file, &puppet, &id, &values, lang)?;
    let words = Args::new().set("id", &*id).set("file", args.file.display().to_string());
    let mut lines = vec![text(lang, "account-added", &words)];
    if !secrets.is_empty() {
        let words = Args::new().set("names", secrets.join(", ")).set("file", beside(&args.file).display().to_string());
        lines.push(text(lang, "account-secrets", &words));
    }
    lines.extend(missing(&config, lang));
    let shown = args.file.display().to_string();
    let file = if shown == Config::FILE { String::new() } else { format!(" {}", output::quoted(&shown)) };
    lines.push(text(lang, "account-next", &Args::new().set("file", file)));
    output::print(&(lines.join("\n") + "\n"))
}

/// What the bot of a file lacks that most want: who only adds an account may not know.
fn missing(config: &Config, lang: Lang) -> Vec<String> {
    let file = Args::new().set("file", config.file().display().to_string());
    let lacks = [
        (
            "account-nameless",
            config.name().is_none().then(|| file.clone().set("name", name_of(&folder(config.file())))),
        ),
        ("account-idle", config.plugins().iter().all(|plugin| !plugin.enabled).then_some(file)),
    ];
    lacks.into_iter().filter_map(|(key, words)| Some(text(lang, key, &words?))).collect()
}

/// Asks for every setting that nothing else gives, and again for what the puppet does not take.
fn ask_all(
    puppet: &Declaration,
    folder: &Path,
    values: &mut BTreeMap<&'static str, String>,
    checks: bool,
    lang: Lang,
) -> Result<Checked, Failure> {
    let (env, _) = Env::system().with_folder(folder);
    let interrupts = ask::Interrupts::watch()?;
    let ask = |setting: &Setting, before: &BTreeMap<&'static str, String>| {
        let question = || ask::setting(puppet.platform.as_str(), setting, &interrupts, lang);
        let take = |given: Option<String>| {
            let Some(given) = given else { return Ok(None) };
            typed(puppet, setting, &given, lang)?;
            let mut values = before.clone();
            values.insert(setting.key, given.clone());
            match build(puppet, &values, folder, &env).map(drop) {
                Err(refused) if refused.key == Some(setting.key) => Err(refused.failure),
                // What others lack is asked for next.
                _ => Ok(Some(given)),
            }
        };
        ask::until(question, take, lang)
    };
    let mut asked: Vec<&Setting> = Vec::new();
    for setting in puppet.settings {
        // What the environment gives needs no question.
        if values.contains_key(setting.key) || setting.env.iter().any(|name| env.get(name).is_some()) {
            continue;
        }
        asked.push(setting);
        if let Some(value) = ask(setting, values)? {
            values.insert(setting.key, value);
        }
    }
    loop {
        let refused = match take(puppet, values, folder, &env, checks) {
            Ok(checked) => return Ok(checked),
            Err(refused) => refused,
        };
        let Some(setting) = asked.iter().find(|setting| Some(setting.key) == refused.key) else {
            return Err(refused.failure);
        };
        refused.failure.print(lang);
        values.remove(setting.key);
        if let Some(value) = ask(setting, values)? {
            values.insert(setting.key, value);
        }
    }
}

/// Whether an `id` or a `name` has the form of one, whatever else the file says.
fn is_formed(catalogue: &Catalogue, key: &str, name: &str, lang: Lang) -> Result<(), Failure> {
    let mut document = DocumentMut::new();
    document.insert("version", value(1));
    let mut account = bare_account("a", "terminal");
    let table = if key == "id" { &mut account } else { document.as_table_mut() };
    table.insert(key, value(name));
    document.insert("account", Item::ArrayOfTables(ArrayOfTables::from_iter([account])));
    let text = document.to_string();
    let problems = catalogue.parse(&text, Config::FILE, &Env::of::<&str, &str>([]), &Flags::default()).err();
    let of_it = |problem: &&ConfigError| problem.key.as_deref().is_some_and(|at| at.rsplit('.').next() == Some(key));
    let problems: Vec<ConfigError> = problems.iter().flat_map(Problems::iter).filter(of_it).map(bare).collect();
    if problems.is_empty() { Ok(()) } else { Err(config_failure(&problems, lang)) }
}

/// Whether another account serves the puppet's pages already: nobody is asked for settings in vain.
fn no_page_twice(catalogue: &Catalogue, file: &File, puppet: &str, id: &str, lang: Lang) -> Result<(), Failure> {
    let mut file = file.clone();
    file.push(bare_account(id, puppet));
    let problems = catalogue.parse(&file.text(), &file.path, &Env::system(), &Flags::default()).err();
    let twice = |problem: &&ConfigError| problem.code == Code::PageTwice && problem.get("second") == Some(id);
    let problems: Vec<ConfigError> = problems.iter().flat_map(Problems::iter).filter(twice).map(bare).collect();
    if problems.is_empty() { Ok(()) } else { Err(config_failure(&problems, lang)) }
}

fn bare_account(id: &str, puppet: &str) -> Table {
    let mut account = Table::new();
    account.insert("id", value(id));
    account.insert("puppet", value(puppet));
    account
}

/// Without the place in a file that is not there.
fn bare(problem: &ConfigError) -> ConfigError {
    let mut problem = problem.clone();
    (problem.file, problem.line) = (None, None);
    problem.key = problem.key.and_then(|key| key.rsplit('.').next().map(str::to_owned));
    problem
}

fn named(catalogue: &Catalogue, name: &str) -> Result<Declaration, Failure> {
    let wanted = name.trim().to_lowercase();
    let wanted = wanted.strip_prefix("wechaty-puppet-").unwrap_or(&wanted);
    let found = catalogue.puppets.iter().find(|puppet| puppet.platform.as_str() == wanted);
    found.copied().ok_or_else(|| puppets::missing(name))
}

fn beside(file: &Path) -> PathBuf {
    file.with_file_name(ENV)
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::usage("W142").set("path", path.display().to_string()).source(error)
}

/// The text of a file; `None`: there is none yet.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::metadata(path) {
        // A device may have no end.
        Ok(found) if !found.is_file() && !found.is_dir() => Err(refused(path, &io::ErrorKind::InvalidInput.into())),
        Ok(found) if found.len() > LARGEST => Err(refused(path, &io::ErrorKind::FileTooLarge.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => fs::read_to_string(path).map(Some).map_err(|error| refused(path, &error)),
    }
}

/// Where a file is.
fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What the bot of a folder can be called.
fn name_of(folder: &Path) -> String {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_whitespace() || c.is_control() || r#":/\"'<>"#.contains(c) { '-' } else { c };
    let name: String = name.chars().take(LONGEST_NAME).map(plain).collect();
    match name.trim_matches(['-', '.']) {
        "" => "bot".to_owned(),
        name => name.to_owned(),
    }
}

/// A BOT.toml, or what will be one.
#[derive(Clone)]
struct File {
    path: PathBuf,
    /// Whether it is yet to be made: then it becomes a whole bot.
    is_new: bool,
    /// What stands behind the accounts of a new one.
    behind: String,
    document: DocumentMut,
    bom: bool,
    crlf: bool,
}

impl File {
    fn read(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let found = read(path)?;
        let is_new = found.is_none();
        let text = found.unwrap_or_else(|| "version = 1\n".to_owned());
        let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let document = plain.parse::<DocumentMut>().map_err(|error| {
            let problems = Config::check(path, &Env::system());
            match problems.is_empty() {
                // Only the message: the line that comes with it may hold a secret.
                true => Failure::usage("W200").number("count", 1).words(Words::quoted(error.message())),
                false => config_failure(&problems, lang),
            }
        })?;
        let (bom, crlf) = (plain.len() < text.len(), text.contains("\r\n"));
        Ok(Self { path: path.to_owned(), is_new, behind: String::new(), document, bom, crlf })
    }

    /// A new file gets the name that is given, else what the folder is called, and a plugin: without a name the bot would
    /// forget its logins and what is on its way, without a plugin it would answer nobody. One that is there stays its owner's.
    fn name(
        &mut self,
        catalogue: &Catalogue,
        given: Option<String>,
        somebody: bool,
        lang: Lang,
    ) -> Result<(), Failure> {
        if !self.is_new {
            return match given {
                Some(_) => Err(Failure::usage("W202").set("file", self.path.display().to_string())),
                None => Ok(()),
            };
        }
        let env = Env::system().with_folder(&self.folder()).0;
        let otherwise = env.get("WECHATY_NAME").unwrap_or_else(|| name_of(&self.folder()));
        let formed = |name: String| is_formed(catalogue, "name", &name, lang).map(|()| name);
        let name = match given {
            Some(name) => formed(name)?,
            None if somebody => {
                let ask = || ask::word("account-ask-name", &Args::new(), Some(&otherwise), lang);
                ask::until(ask, formed, lang)?
            }
            None => formed(otherwise)?,
        };
        let mut name = value(name);
        if let Some(name) = name.as_value_mut() {
            name.decor_mut().set_suffix(format!("  # {}", text(lang, "account-file-name", &Args::new())));
        }
        self.document.insert("name", name);
        let comment = text(lang, "account-file-plugin", &Args::new());
        self.behind = format!("\n# {comment}\n[[plugin]]\nuse = \"ding-dong\"\n");
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        folder(&self.path)
    }

    fn is_free(&self, id: &str) -> Result<(), Failure> {
        let same = |there: Option<&str>| there == Some(id);
        let taken = match self.document.get("account") {
            Some(Item::ArrayOfTables(all)) => all.iter().any(|one| same(one.get("id").and_then(Item::as_str))),
            Some(Item::Value(toml_edit::Value::Array(all))) => all
                .iter()
                .filter_map(|one| one.as_inline_table())
                .any(|one| same(one.get("id").and_then(|id| id.as_str()))),
            _ => false,
        };
        if taken { Err(Failure::usage("W201").set("id", id)) } else { Ok(()) }
    }

    /// With another account behind those there are.
    fn push(&mut self, mut account: Table) {
        match self.document.entry("account").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
            Item::ArrayOfTables(all) => {
                account.decor_mut().set_prefix("\n");
                all.push(account);
            }
            Item::Value(toml_edit::Value::Array(all)) => all.push(account.into_inline_table()),
            // Something else has that name: the check tells.
            _ => {}
        }
    }

    fn text(&self) -> String {
        let mut text = self.document.to_string() + &*self.behind;
        if self.crlf {
            text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        if self.bom { format!("\u{feff}{text}") } else { text }
    }
}

/// What was written.
#[derive(Debug)]
struct Added {
    /// The names of the secrets' variables.
    secrets: Vec<String>,
    /// The file as it is now.
    config: Config,
}

/// Checks everything, then writes both files.
fn add(
    catalogue: &Catalogue,
    mut file: File,
    puppet: &Declaration,
    id: &str,
    values: &BTreeMap<&'static str, String>,
    lang: Lang,
) -> Result<Added, Failure> {
    let env_path = beside(&file.path);
    let env_before = read(&env_path)?;
    let (env, faults) = Env::system().with_folder(&file.folder());
    if !faults.is_empty() {
        return Err(config_failure(&faults, lang));
    }
    let mut account = bare_account(id, puppet.platform.as_str());
    let mut secrets: Vec<(String, &str)> = Vec::new();
    for setting in puppet.settings {
        let Some(given) = values.get(setting.key) else { continue };
        let item = match setting.kind {
            SettingKind::Secret => {
                let name = variable(id, setting.key, |name| {
                    // One that is set but empty would hide what `.env` says.
                    std::env::var_os(name).is_some()
                        || env.get(name).is_some()
                        || secrets.iter().any(|(taken, _)| taken == name)
                });
                let reference = InlineTable::from_iter([("env", name.as_str())]);
                secrets.push((name, given));
                value(reference)
            }
            _ => typed(puppet, setting, given, lang)?,
        };
        account.insert(setting.key, item);
    }
    build(puppet, values, &file.folder(), &env).map_err(|refused| refused.failure)?;
    file.push(account);
    let text = file.text();
    // As the file will be read: with the new variables.
    let mut variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    variables.extend(secrets.iter().map(|(name, value)| (name.clone(), (*value).to_owned())));
    let after = catalogue.parse(&text, &file.path, &Env::of(variables), &Flags::default());
    let config = after.map_err(|problems| config_failure(&problems, lang))?;
    if !secrets.is_empty() {
        ignore(&file.path.with_file_name(IGNORED))?;
        let mut all = env_before.clone().unwrap_or_default();
        if !all.is_empty() && !all.ends_with('\n') {
            all.push('\n');
        }
        all.extend(secrets.iter().map(|(name, value)| env_line(name, value)));
        replace(&env_path, &all, Readers::Owner).map_err(|error| refused(&env_path, &error))?;
    }
    if let Err(error) = replace(&file.path, &text, Readers::AsBefore) {
        if !secrets.is_empty() {
            // Both or none.
            let _ = match &env_before {
                Some(before) => replace(&env_path, before, Readers::Owner),
                None => fs::remove_file(&env_path),
            };
        }
        return Err(refused(&file.path, &error));
    }
    Ok(Added { secrets: secrets.into_iter().map(|(name, _)| name).collect(), config })
}

/// Keeps git from taking `.env`.
fn ignore(path: &Path) -> Result<(), Failure> {
    let mut all = read(path)?.unwrap_or_default();
    if all.lines().any(|line| line.trim().trim_start_matches('/') == ENV) {
        return Ok(());
    }
    if !all.is_empty() && !all.ends_with('\n') {
        all.push('\n');
    }
    all += ENV;
    all.push('\n');
    replace(path, &all, Readers::AsBefore).map_err(|error| refused(path, &error))
}

/// `WECHATY_SHOP_APP_SECRET`, or with a number behind it where that is taken.
fn variable(id: &str, key: &str, taken: impl Fn(&str) -> bool) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name = format!("WECHATY_{}_{}", id.chars().map(plain).collect::<String>(), key.to_uppercase());
    let mut free = name.clone();
    let mut number = 2;
    while taken(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

/// A value as TOML has it.
fn typed(puppet: &Declaration, setting: &Setting, given: &str, lang: Lang) -> Result<Item, Failure> {
    let wrong = |expected: Words| {
        let failure = Failure::usage("W103").set("puppet", puppet.platform.as_str());
        let told = Args::new().set("key", setting.key).set("expected", told(lang, &expected));
        failure.tell("account-expected", told)
    };
    Ok(match setting.kind {
        SettingKind::Integer => {
            value(given.trim().parse::<i64>().map_err(|_| wrong(text(lang, "type-integer", &Args::new()).into()))?)
        }
        SettingKind::Bool => {
            value(given.trim().parse::<bool>().map_err(|_| wrong(Words::any_of(["`true`".into(), "`false`".into()])))?)
        }
        SettingKind::Choice(choices) if !choices.contains(&given) => {
            return Err(wrong(Words::any_of(choices.iter().map(|choice| format!("`{choice}`").into()))));
        }
        _ => value(given),
    })
}

/// What a puppet says no to.
#[derive(Debug)]
struct Refused {
    key: Option<&'static str>,
    failure: Failure,
}

/// The settings as the puppet gets them.
fn settings_of(puppet: &Declaration, values: &BTreeMap<&'static str, String>, folder: &Path, env: &Env) -> Settings {
    let mut settings = Settings::new();
    for setting in puppet.settings {
        if let Some(given) = values.get(setting.key) {
            let path = setting.kind == SettingKind::Path;
            let given = if path { folder.join(given).to_string_lossy().into_owned() } else { given.clone() };
            settings = settings.set(setting.key, given);
        }
    }
    settings.complete(puppet.settings, |name| env.get(name))
}

/// Whether the puppet takes the settings; it connects to nothing.
fn build(
    puppet: &Declaration,
    values: &BTreeMap<&'static str, String>,
    folder: &Path,
    env: &Env,
) -> Result<Settings, Refused> {
    let settings = settings_of(puppet, values, folder, env);
    let missing = puppet.settings.iter().find(|setting| setting.required && settings.get(setting.key).is_none());
    let result = match missing {
        Some(setting) => Err(SettingsError::Missing { key: setting.key }),
        None => (puppet.build)(&settings).map(drop),
    };
    match result {
        Ok(()) => Ok(settings),
        Err(error) => Err(refuse("W103", puppet, &settings, error)),
    }
}

/// As [`build`], and whether the messenger takes them, where it can be asked.
fn take(
    puppet: &Declaration,
    values: &BTreeMap<&'static str, String>,
    folder: &Path,
    env: &Env,
    checks: bool,
) -> Result<Checked, Refused> {
    let settings = build(puppet, values, folder, env)?;
    if !checks {
        return Ok(Checked::Not);
    }
    match check(puppet, &settings) {
        Ok(Checked::Good(words)) => Ok(Checked::Good(without_secrets(puppet, &settings, words))),
        Ok(Checked::Unknown(words)) => Ok(Checked::Unknown(without_secrets(puppet, &settings, words))),
        Ok(Checked::Not) => Ok(Checked::Not),
        Err(error) => Err(refuse("W208", puppet, &settings, error)),
    }
}

/// Whatever somebody else says may repeat a secret.
fn without_secrets(puppet: &Declaration, settings: &Settings, words: Words) -> Words {
    let secrets = puppet.settings.iter().filter(|setting| setting.kind == SettingKind::Secret);
    let said = secrets.filter_map(|secret| settings.get(secret.key).filter(|value| !value.is_empty()));
    said.fold(words, |words, secret| words.map(&|text| text.replace(secret, "…")))
}

fn refuse(code: &'static str, puppet: &Declaration, settings: &Settings, error: SettingsError) -> Refused {
    let failure = Failure::usage(code).set("puppet", puppet.platform.as_str());
    let key = match &error {
        SettingsError::Missing { key } | SettingsError::Invalid { key, .. } => Some(*key),
        _ => None,
    };
    let failure = match error {
        SettingsError::Missing { key } => failure.tell("setting-missing", Args::new().set("key", key)),
        SettingsError::Invalid { key, reason } => failure
            .tell("setting-invalid", Args::new().set("key", key))
            .words(without_secrets(puppet, settings, reason)),
        other => failure.source(&other),
    };
    Refused { key, failure }
}

#[cfg(test)]
mod tests;
