//! WALK: along document and schema together. Every value that does not fit is told with its place; what fits becomes
//! JSON, with values that stand elsewhere fetched and paths made absolute.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use wechaty_puppet::{Phrase, Words};

use crate::{
    Code, ConfigError, Env,
    document::{Document, read_text},
    key::Key,
    kinds::{accepts, choices, is_formed, kind, missing, names, not_one_key, unreadable},
    nearest::{list, nearest},
    phrases,
};

type Node<'i> = Spanned<DeValue<'i>>;

pub(crate) struct Walk<'a> {
    pub(crate) document: &'a Document,
    schema: &'a Value,
    env: &'a Env,
    folder: PathBuf,
    /// The command that adds a puppet to the build.
    command: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) problems: Vec<ConfigError>,
    /// Where each value stands, whether it fits or not.
    places: BTreeMap<String, usize>,
    /// Which variable or file the value of a key comes from.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Where somebody plans something, and when.
    pub(crate) crons: Vec<(Key, String)>,
    /// Values that must not be shown.
    pub(crate) secrets: Vec<String>,
}

/// Where a value stands, if it is not in the document.
pub(crate) enum Source {
    Variable(String),
    File(PathBuf),
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        document: &'a Document,
        schema: &'a Value,
        env: &'a Env,
        command: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let folder = folder(&document.path);
        let (problems, places, sources, crons) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        let secrets = Vec::new();
        Self { document, schema, env, folder, command, problems, places, sources, crons, secrets }
    }

    /// The document as far as it fits.
    pub(crate) fn run(&mut self, root: &Spanned<DeTable<'_>>) -> Value {
        self.table(root.get_ref(), 0, self.schema, &Key::default(), false)
    }

    /// Tells a problem with the value of a key, where that value stands; where there is none, with what it would stand
    /// in.
    pub(crate) fn tell(&mut self, key: &Key, error: ConfigError) {
        if let Some(source) = self.sources.get(key.as_str()) {
            let error = match source {
                Source::Variable(name) => self.env.at(error, name),
                Source::File(path) => error.file(path),
            };
            self.problems.push(ConfigError { key: Some(key.to_string()), ..error });
            return;
        }
        let mut at = key.as_str();
        let byte = loop {
            match self.places.get(at) {
                Some(byte) => break *byte,
                None if at.is_empty() => break 0,
                None => at = &at[..at.rfind(['.', '[']).unwrap_or(0)],
            }
        };
        self.problem(key, byte, error);
    }
    /// Whether a key is in the file, right or wrong.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.places.contains_key(key.as_str())
    }
    /// The line of a key.
    pub(crate) fn line(&self, key: &Key) -> usize {
        self.document.place(self.places.get(key.as_str()).copied().unwrap_or(0)).0
    }
    /// A path of the file, absolute if the file's is.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn problem(&mut self, key: &Key, byte: usize, error: ConfigError) {
        let error = self.document.at(error, byte);
        self.problems.push(ConfigError { key: Some(key.to_string()), ..error });
    }

    /// The schema itself, or what it refers to.
    fn target(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // Definitions are ours; a circle of nothing but references would be a bug, not an endless loop.
        for _ in 0..8 {
            let Some(name) = schema["$ref"].as_str() else { break };
            schema = name.strip_prefix("#/$defs/").map_or(&Value::Null, |name| &self.schema["$defs"][name]);
        }
        schema
    }

    /// The value as JSON; `None`: it does not fit, and that is told.
    fn value(&mut self, node: &Node<'_>, schema: &'a Value, key: &Key, secret: bool) -> Option<Value> {
        let begin = node.span().start;
        self.places.insert(key.as_str().to_owned(), begin);
        let secret = secret || schema["x-secret"] == true;
        let schema = self.target(schema);
        let secret = secret || schema["x-secret"] == true;
        if schema["x-reserved"] == true {
            self.problem(key, begin, ConfigError::new(Code::Reserved).arg("name", key));
            return None;
        }
        if schema["x-reference"] == true {
            return self.reference(node, schema, key);
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[word].as_array()
                && schema.get("discriminator").is_none()
            {
                return self.any(node, branches, key, secret);
            }
        }
        if let Some(only) = schema.get("const") {
            return self.only(node, only, key);
        }
        if !accepts(schema, node.get_ref()) {
            self.wrong_type(node, &[schema], key);
            return None;
        }
        match node.get_ref() {
            DeValue::Table(table) => Some(self.table(table, begin, schema, key, secret)),
            DeValue::Array(array) => {
                let items = &schema["items"];
                // What does not fit keeps its number.
                let item = |(i, item)| self.value(item, items, &key.item(i), secret).unwrap_or_default();
                let list: Vec<_> = (0..).zip(array.iter()).map(item).collect();
                let least = schema["minItems"].as_u64().unwrap_or(0);
                if (array.len() as u64) < least {
                    let error =
                        ConfigError::new(Code::OutOfRange).words("value", phrases::ITEMS.with("count", array.len()));
                    self.problem(key, begin, error.arg("expected", format!(">= {least}")));
                    return None;
                }
                Some(Value::Array(list))
            }
            DeValue::String(text) => self.text(text, begin, schema, key, secret),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.number(&number.to_string(), read.map(|n| n as f64), read.map(Value::from), begin, schema, key)
            }
            DeValue::Float(number) => {
                let read = number.as_str().parse::<f64>().ok().filter(|n| n.is_finite());
                self.number(number.as_str(), read, read.map(Value::from), begin, schema, key)
            }
            DeValue::Boolean(value) => Some(Value::Bool(*value)),
            DeValue::Datetime(date) => Some(Value::String(date.to_string())),
        }
    }

    fn table(&mut self, table: &DeTable<'_>, begin: usize, schema: &'a Value, key: &Key, secret: bool) -> Value {
        let schema = match schema["discriminator"]["propertyName"].as_str() {
            Some(name) => match self.chosen(table, begin, schema, name, key) {
                Some(branch) => branch,
                None => return self.common(table, begin, schema, name, key),
            },
            None => schema,
        };
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        // The schema outlives this call; `none` does not.
        let property = |name: &str| schema["properties"].get(name);
        let others = &schema["additionalProperties"];
        let mut object = Map::new();
        for (name, node) in table.iter() {
            let name_text: &str = name.get_ref();
            let field = key.field(name_text);
            let part = match property(name_text) {
                Some(part) => part,
                None if *others == Value::Bool(false) => {
                    let error = unknown_key(name_text, properties.keys().map(String::as_str));
                    self.places.insert(field.as_str().to_owned(), name.span().start);
                    self.problem(&field, name.span().start, error);
                    continue;
                }
                None => others,
            };
            if let Some(value) = self.value(node, part, &field, secret) {
                object.insert(name_text.to_owned(), value);
            }
        }
        for missing in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !table.iter().any(|(name, _)| &**name.get_ref() == missing) {
                self.missing(missing, schema, begin, key);
            }
        }
        // What is left is of use to the checks behind this.
        Value::Object(object)
    }

    fn missing(&mut self, name: &str, schema: &'a Value, begin: usize, key: &Key) {
        let part = self.target(&schema["properties"][name]);
        let error = match part["anyOf"].as_array() {
            Some(branches) => missing(name, branches.iter().map(|branch| self.target(branch))),
            None => missing(name, [part]),
        };
        self.problem(&key.field(name), begin, error);
    }

    /// The branch of a schema that a key of the table chooses.
    fn chosen(
        &mut self,
        table: &DeTable<'_>,
        begin: usize,
        schema: &'a Value,
        name: &str,
        key: &Key,
    ) -> Option<&'a Value> {
        let field = key.field(name);
        let Some((_, node)) = table.iter().find(|(found, _)| &**found.get_ref() == name) else {
            let names = schema["oneOf"].as_array().into_iter().flatten().map(|branch| self.target(branch));
            self.problem(&field, begin, missing(name, names.map(|branch| &branch["properties"][name])));
            return None;
        };
        let at = node.span().start;
        self.places.insert(field.as_str().to_owned(), at);
        let DeValue::String(wanted) = node.get_ref() else {
            let error = ConfigError::new(Code::WrongType)
                .words("expected", phrases::STRING)
                .words("found", kind(node.get_ref()));
            self.problem(&field, at, error);
            return None;
        };
        let branches: Vec<&'a Value> =
            schema["oneOf"].as_array().into_iter().flatten().map(|branch| self.target(branch)).collect();
        let of = |branch: &'a Value| branch["properties"][name]["const"].as_str().unwrap_or_default();
        let is_puppet = name == "puppet";
        let plain = if is_puppet { crate::check::plain_puppet(wanted) } else { wanted.to_string() };
        if let Some(branch) = branches.iter().find(|branch| of(branch) == plain) {
            return Some(branch);
        }
        let known = branches.iter().map(|branch| of(branch));
        let error = match (self.command)(&plain).filter(|_| is_puppet) {
            Some(command) => ConfigError::new(Code::NotBuiltIn).arg("name", &plain).arg("command", command),
            None => ConfigError::new(if is_puppet { Code::UnknownPuppet } else { Code::UnknownPlugin })
                .arg("name", wanted)
                .words("known", list(known.clone()))
                .nearest(nearest(&plain, known)),
        };
        self.problem(&field, at, error);
        None
    }

    /// A table of which nobody knows what it should be: what all branches of its schema have in common.
    fn common(&mut self, table: &DeTable<'_>, begin: usize, schema: &'a Value, chooses: &str, key: &Key) -> Value {
        let branches: Vec<&'a Value> =
            schema["oneOf"].as_array().into_iter().flatten().map(|branch| self.target(branch)).collect();
        let Some((first, others)) = branches.split_first() else { return Value::Null };
        let same = |name: &str| {
            let part = first["properties"].get(name)?;
            others.iter().all(|branch| branch["properties"].get(name) == Some(part)).then_some(part)
        };
        let mut object = Map::new();
        for (name, node) in table.iter() {
            let field = key.field(name.get_ref());
            if let Some(part) = same(name.get_ref())
                && let Some(value) = self.value(node, part, &field, false)
            {
                object.insert(name.get_ref().to_string(), value);
            }
        }
        for missing in first["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if missing != chooses && !table.iter().any(|(name, _)| &**name.get_ref() == missing) {
                self.missing(missing, first, begin, key);
            }
        }
        // Others may name it, and the checks behind this know what it lacks.
        Value::Object(object)
    }

    fn text(&mut self, text: &str, begin: usize, schema: &'a Value, key: &Key, secret: bool) -> Option<Value> {
        let shown = if secret { "…".to_owned() } else { short(text) };
        if secret {
            self.secrets.push(text.to_owned());
        }
        if let Some(choices) = schema["enum"].as_array() {
            let known: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
            if !known.contains(&text) {
                self.unknown_value(&shown, text, &known, begin, key, secret);
                return None;
            }
        }
        let least = schema["minLength"].as_u64().unwrap_or(0);
        if (text.chars().count() as u64) < least {
            let error = ConfigError::new(Code::OutOfRange).arg("value", format!("\"{shown}\""));
            self.problem(key, begin, error.words("expected", phrases::LENGTH.with("least", least)));
            return None;
        }
        if schema["format"] == "uri" && !text.contains("://") {
            let error = ConfigError::new(Code::BadForm).arg("value", shown).arg("expected", "scheme://host/…");
            self.problem(key, begin, error);
            return None;
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && !is_formed(pattern, text)
        {
            let expected = match schema["x-expected"].as_str() {
                Some(form) if form == phrases::NAME.english => phrases::NAME.words(),
                Some(form) => Words::plain(form),
                None => phrases::PATTERN.with("pattern", pattern),
            };
            let error = ConfigError::new(Code::BadForm).arg("value", shown).words("expected", expected);
            self.problem(key, begin, error);
            return None;
        }
        if let Some(error) = unreadable(&schema["format"], text, &shown) {
            self.problem(key, begin, error);
            return None;
        }
        if schema["format"] == "cron" {
            self.crons.push((key.clone(), shown));
        }
        if schema["x-path"] == true {
            let path = self.folder.join(text).to_string_lossy().into_owned();
            return Some(Value::String(path));
        }
        Some(Value::String(text.to_owned()))
    }

    fn number(
        &mut self,
        shown: &str,
        read: Option<f64>,
        value: Option<Value>,
        begin: usize,
        schema: &'a Value,
        key: &Key,
    ) -> Option<Value> {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let most = most.or(match schema["format"].as_str() {
            Some("uint32") => Some(f64::from(u32::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            _ => None,
        });
        let inside = |n: f64| least.is_none_or(|least| n >= least) && most.is_none_or(|most| n <= most);
        if read.is_some_and(inside) {
            return value;
        }
        let expected = match (least, most) {
            (Some(least), Some(most)) => Words::plain(format!(">= {least}, <= {most}")),
            (Some(least), None) => Words::plain(format!(">= {least}")),
            (None, Some(most)) => Words::plain(format!("<= {most}")),
            (None, None) => phrases::BITS.words(),
        };
        self.problem(
            key,
            begin,
            ConfigError::new(Code::OutOfRange).arg("value", short(shown)).words("expected", expected),
        );
        None
    }

    /// The one value a key can have.
    fn only(&mut self, node: &Node<'_>, only: &Value, key: &Key) -> Option<Value> {
        let begin = node.span().start;
        match (node.get_ref(), only) {
            (DeValue::Integer(number), Value::Number(wanted)) => {
                let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
                if read == wanted.as_i64() {
                    return Some(only.clone());
                }
                let code = if key.as_str() == "version" { Code::Version } else { Code::OutOfRange };
                self.problem(
                    key,
                    begin,
                    ConfigError::new(code).arg("value", short(&number.to_string())).arg("expected", wanted),
                );
            }
            // The branch was chosen by this very value.
            (DeValue::String(_), Value::String(_)) => return Some(only.clone()),
            (found, _) => {
                let expected = if only.is_number() { phrases::INTEGER } else { phrases::STRING };
                let error = ConfigError::new(Code::WrongType).words("expected", expected).words("found", kind(found));
                self.problem(key, begin, error);
            }
        }
        None
    }

    /// A value that may have one of several forms.
    fn any(&mut self, node: &Node<'_>, branches: &'a [Value], key: &Key, secret: bool) -> Option<Value> {
        let branches: Vec<&'a Value> = branches.iter().map(|branch| self.target(branch)).collect();
        let fitting: Vec<&'a Value> =
            branches.iter().copied().filter(|branch| accepts(branch, node.get_ref())).collect();
        match fitting.as_slice() {
            [] => {
                self.wrong_type(node, &branches, key);
                return None;
            }
            [one] => {
                let value = self.value(node, one, key, secret);
                let is_path = one["x-reference"] == true && branches.iter().any(|branch| branch["x-path"] == true);
                return match value {
                    Some(Value::String(path)) if is_path => {
                        // A path is no secret, wherever it stands.
                        self.secrets.pop();
                        Some(Value::String(self.folder.join(path).to_string_lossy().into_owned()))
                    }
                    value => value,
                };
            }
            _ => {}
        }
        match node.get_ref() {
            DeValue::String(text) => {
                let choices: Vec<&str> = fitting.iter().flat_map(|branch| choices(branch)).collect();
                if choices.contains(&&**text) {
                    return Some(Value::String(text.to_string()));
                }
                if fitting.iter().all(|branch| branch.get("const").is_some() || branch.get("enum").is_some()) {
                    self.unknown_value(&short(text), text, &choices, node.span().start, key, secret);
                    return None;
                }
            }
            DeValue::Table(table) if fitting.iter().all(|branch| branch["additionalProperties"] == false) => {
                // A key that no form knows is told once, and not as what each form lacks.
                let known: Vec<&str> = fitting
                    .iter()
                    .flat_map(|branch| branch["properties"].as_object().into_iter().flat_map(Map::keys))
                    .map(String::as_str)
                    .collect();
                let unknown: Vec<_> = table.iter().filter(|(name, _)| !known.contains(&&**name.get_ref())).collect();
                for (name, _) in &unknown {
                    let error = unknown_key(name.get_ref(), known.iter().copied());
                    self.problem(&key.field(name.get_ref()), name.span().start, error);
                }
                let single = |branch: &&Value| branch["properties"].as_object().is_some_and(|all| all.len() == 1);
                if !unknown.is_empty() {
                    if !fitting.iter().all(single) {
                        self.known(node, &fitting, key, secret);
                    }
                    return None;
                }
                if table.len() != 1 && fitting.iter().all(single) {
                    self.problem(key, node.span().start, not_one_key(table, known.iter().copied()));
                    return None;
                }
            }
            _ => {}
        }
        let before = self.problems.len();
        let mut fewest: Option<Vec<ConfigError>> = None;
        for branch in fitting {
            let value = self.value(node, branch, key, secret);
            let problems = self.problems.split_off(before);
            if problems.is_empty() && value.is_some() {
                return value;
            }
            if fewest.as_ref().is_none_or(|fewest| problems.len() < fewest.len()) {
                fewest = Some(problems);
            }
        }
        self.problems.extend(fewest.unwrap_or_default());
        None
    }

    /// What is wrong with the values of a table that has a key too many, in the form that is nearest.
    fn known(&mut self, node: &Node<'_>, forms: &[&'a Value], key: &Key, secret: bool) {
        let before = self.problems.len();
        let found = forms.iter().map(|form| {
            self.value(node, form, key, secret);
            let mut problems = self.problems.split_off(before);
            // The key too many may be the one that is missing.
            problems.retain(|problem| !matches!(problem.code, Code::UnknownKey) && !problem.code.lacks());
            problems
        });
        let fewest = found.min_by_key(Vec::len).unwrap_or_default();
        self.problems.extend(fewest);
    }

    /// `{ env = "NAME" }` or `{ file = "path" }`: the text that stands there.
    fn reference(&mut self, node: &Node<'_>, schema: &'a Value, key: &Key) -> Option<Value> {
        let begin = node.span().start;
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong_type(node, &[schema], key);
            return None;
        };
        let before = self.problems.len();
        let read = self.table(table, begin, schema, key, false);
        if self.problems.len() > before {
            return None;
        }
        let text = |way: &str| read[way].as_str();
        let value = match (text("env"), text("file")) {
            (Some(name), None) => {
                self.env.get(name).ok_or_else(|| ConfigError::new(Code::UnsetVariable).arg("name", name))
            }
            (None, Some(path)) => {
                let path = self.folder.join(path);
                let failed = |reason: Words| {
                    ConfigError::new(Code::UnreadableValue).arg("path", path.display()).words("reason", reason)
                };
                match read_text(&path) {
                    Ok(text) => {
                        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                        // Editors end files with a line break.
                        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
                        if text.is_empty() { Err(failed(phrases::EMPTY.words())) } else { Ok(text.to_owned()) }
                    }
                    Err(reason) => Err(failed(reason)),
                }
            }
            _ => Err(not_one_key(table, ["env", "file"])),
        };
        match value {
            Ok(value) => {
                let source = match text("env") {
                    Some(name) => Source::Variable(name.to_owned()),
                    None => Source::File(self.folder.join(text("file").unwrap_or_default())),
                };
                self.sources.insert(key.as_str().to_owned(), source);
                // Who keeps a value elsewhere has a reason.
                self.secrets.push(value.clone());
                Some(Value::String(value))
            }
            Err(error) => {
                self.problem(key, begin, error);
                None
            }
        }
    }

    fn wrong_type(&mut self, node: &Node<'_>, branches: &[&Value], key: &Key) {
        let mut types: Vec<Phrase> = Vec::new();
        for name in branches.iter().flat_map(|branch| names(branch)) {
            if !types.contains(&name) {
                types.push(name);
            }
        }
        let expected = Words::any_of(types.into_iter().map(Phrase::words));
        let error = ConfigError::new(Code::WrongType).words("expected", expected).words("found", kind(node.get_ref()));
        // One pair of brackets too many or too few in a heading.
        let heading = match (node.get_ref(), branches) {
            (DeValue::Table(_), [list]) if list["type"] == "array" => Some(format!("[[{key}]]")),
            (DeValue::Array(items), [table]) if table["type"] == "object" => {
                let tables = items.iter().all(|item| matches!(item.get_ref(), DeValue::Table(_)));
                (tables && !items.is_empty()).then(|| format!("[{key}]"))
            }
            _ => None,
        };
        self.problem(key, node.span().start, error.nearest(heading.as_deref()));
    }

    fn unknown_value(&mut self, shown: &str, text: &str, known: &[&str], begin: usize, key: &Key, secret: bool) {
        let error =
            ConfigError::new(Code::UnknownValue).arg("value", shown).words("known", list(known.iter().copied()));
        let near = if secret { None } else { nearest(text, known.iter().copied()) };
        self.problem(key, begin, error.nearest(near));
    }
}

/// The folder of a file.
pub(crate) fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn unknown_key<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> ConfigError {
    let error = ConfigError::new(Code::UnknownKey).arg("name", short(name)).words("known", list(known.clone()));
    error.nearest(nearest(name, known))
}

/// Long texts are shown by their beginning.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
