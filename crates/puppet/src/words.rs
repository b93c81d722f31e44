//! WORDS: what people are told, as a stable key and what it is filled with, so that a catalogue can say it in their
//! language. Whoever has no catalogue gets English.

use std::{fmt, io};

/// A fixed wording; `{name}` stands for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phrase {
    /// Its key in catalogues; kept once it is released.
    pub key: &'static str,
    /// In English.
    pub english: &'static str,
}

impl Phrase {
    /// A wording.
    pub const fn new(key: &'static str, english: &'static str) -> Self {
        Self { key, english }
    }
    /// Without arguments.
    pub fn words(self) -> Words {
        Words::of(Form::Phrase { phrase: self, args: Vec::new() })
    }
    /// With an argument.
    pub fn with(self, name: &'static str, value: impl Into<Words>) -> Words {
        self.words().with(name, value)
    }

    /// The arguments with which the wording becomes this text.
    fn arguments(self, text: &str) -> Option<Vec<(&'static str, Words)>> {
        let mut parts = self.english.split('{');
        let mut rest = text.strip_prefix(parts.next()?)?;
        let mut args = Vec::new();
        for part in parts {
            let (name, behind) = part.split_once('}')?;
            let end = if behind.is_empty() { rest.len() } else { rest.find(behind)? };
            args.push((name, Words::plain(&rest[..end])));
            rest = &rest[end + behind.len()..];
        }
        rest.is_empty().then_some(args)
    }
}

/// Declares phrases, each a constant, and `PHRASES` with all of them.
///
/// ```
/// wechaty_puppet::phrases! {
///     TOO_LATE = "shop-too-late": "the shop closes at {hour}";
/// }
/// assert_eq!(TOO_LATE.with("hour", 18).to_string(), "the shop closes at 18");
/// assert_eq!(PHRASES[0].key, "shop-too-late");
/// ```
#[macro_export]
macro_rules! phrases {
    ($($(#[doc = $doc:literal])* $name:ident = $key:literal: $english:literal;)*) => {
        $($(#[doc = $doc])* pub(crate) const $name: $crate::Phrase = $crate::Phrase::new($key, $english);)*

        /// Every phrase of this crate, for catalogues.
        pub const PHRASES: &[$crate::Phrase] = &[$($name,)*];
    };
}

/// Says the text of a key with these arguments in a language.
type Say<'a> = dyn Fn(&str, &[(&'static str, String)]) -> Option<String> + 'a;

/// What people are told. Displays in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    english: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Phrase { phrase: Phrase, args: Vec<(&'static str, Words)> },
    Joined { items: Vec<Words>, by: Phrase },
}

impl Words {
    /// The same in every language: names, numbers, paths.
    pub fn plain(text: impl fmt::Display) -> Self {
        Self { english: text.to_string(), form: Form::Plain }
    }
    /// What somebody else says in English: other languages quote it.
    pub fn quoted(text: impl fmt::Display) -> Self {
        QUOTED.with("text", Self::plain(text))
    }
    /// Several, with commas between.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(items, COMMA)
    }
    /// Several, of which one is enough.
    pub fn any_of(items: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(items, OR)
    }
    /// Several, all of them.
    pub fn all_of(items: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(items, AND)
    }
    /// Several, one a line.
    pub fn lines(items: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(items, NEXT_LINE)
    }
    fn joined(items: impl IntoIterator<Item = Self>, by: Phrase) -> Self {
        Self::of(Form::Joined { items: items.into_iter().collect(), by })
    }

    /// Why the system refuses.
    pub fn io(error: &io::Error) -> Self {
        use io::ErrorKind::{
            AddrInUse, AddrNotAvailable, AlreadyExists, BrokenPipe, ConnectionRefused, DirectoryNotEmpty, FileTooLarge,
            HostUnreachable, InvalidFilename, IsADirectory, NetworkUnreachable, NotADirectory, NotFound,
            PermissionDenied, ReadOnlyFilesystem, StorageFull, TimedOut,
        };
        let phrase = match error.kind() {
            NotFound => NOT_FOUND,
            PermissionDenied => PERMISSION_DENIED,
            IsADirectory => IS_A_FOLDER,
            NotADirectory => NO_FOLDER,
            AlreadyExists => EXISTS,
            StorageFull => DISK_FULL,
            FileTooLarge => TOO_LARGE,
            ReadOnlyFilesystem => READ_ONLY,
            DirectoryNotEmpty => NOT_EMPTY,
            InvalidFilename => BAD_NAME,
            AddrInUse => ADDRESS_TAKEN,
            AddrNotAvailable => NO_ADDRESS_HERE,
            BrokenPipe => NOBODY_READS,
            ConnectionRefused => REFUSED,
            HostUnreachable | NetworkUnreachable => UNREACHABLE,
            TimedOut => TIMED_OUT,
            _ => return SYSTEM_SAYS.with("text", Self::quoted(error)),
        };
        phrase.words()
    }

    /// The phrase among these whose English a text is, as errors of libraries carry nothing but text; else the text as
    /// a quotation.
    pub fn found(text: &str, among: &[Phrase]) -> Self {
        let mut found = among.iter().filter_map(|phrase| Some((phrase, phrase.arguments(text)?)));
        match found.next() {
            Some((phrase, args)) => Self::of(Form::Phrase { phrase: *phrase, args }),
            None => Self::quoted(text),
        }
    }

    /// With an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Self>) -> Self {
        if let Form::Phrase { args, .. } = &mut self.form {
            args.push((name, value.into()));
        }
        Self::of(self.form)
    }

    /// In English.
    pub fn as_str(&self) -> &str {
        &self.english
    }

    /// In another language. `say`: the text of a key with these arguments; `None`: there is none, English has to do.
    pub fn translate(&self, say: &Say<'_>) -> String {
        match &self.form {
            Form::Plain => self.english.clone(),
            Form::Phrase { phrase, args } => {
                let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.translate(say))).collect();
                say(phrase.key, &args).unwrap_or_else(|| self.english.clone())
            }
            Form::Joined { items, by } => {
                let items: Vec<_> = items.iter().map(|item| item.translate(say)).collect();
                items.join(&say(by.key, &[]).unwrap_or_else(|| by.english.to_owned()))
            }
        }
    }

    /// With every text that is no fixed wording changed: cut, or without a secret.
    #[must_use]
    pub fn map(self, change: &dyn Fn(&str) -> String) -> Self {
        match self.form {
            Form::Plain => Self::plain(change(&self.english)),
            Form::Phrase { phrase, args } => {
                let args = args.into_iter().map(|(name, value)| (name, value.map(change))).collect();
                Self::of(Form::Phrase { phrase, args })
            }
            Form::Joined { items, by } => Self::joined(items.into_iter().map(|item| item.map(change)), by),
        }
    }

    fn of(form: Form) -> Self {
        let english = match &form {
            Form::Plain => String::new(),
            Form::Phrase { phrase, args } => fill(phrase.english, args),
            Form::Joined { items, by } => items.iter().map(Self::as_str).collect::<Vec<_>>().join(by.english),
        };
        Self { english, form }
    }
}

/// A wording with its arguments; what an argument holds is not looked at again.
fn fill(template: &str, args: &[(&'static str, Words)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let value = behind.split_once('}').and_then(|(name, after)| {
            let (_, value) = args.iter().find(|(arg, _)| *arg == name)?;
            Some((value, after))
        });
        match value {
            Some((value, after)) => {
                filled.push_str(value.as_str());
                rest = after;
            }
            None => {
                filled.push('{');
                rest = behind;
            }
        }
    }
    filled + rest
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.english)
    }
}

macro_rules! plain {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Words {
            fn from(value: $kind) -> Self {
                Self::plain(value)
            }
        })*
    };
}

plain!(String, &str, u32, u64, usize, i32, i64);

impl From<Phrase> for Words {
    fn from(phrase: Phrase) -> Self {
        phrase.words()
    }
}

/// The same in every language; no catalogue has it.
const NEXT_LINE: Phrase = Phrase::new("", "\n");

phrases! {
    COMMA = "comma": ", ";
    AND = "and": " and ";
    OR = "or": " | ";
    QUOTED = "quoted": "{text}";
    NOT_FOUND = "io-not-found": "there is no such file or folder";
    PERMISSION_DENIED = "io-permission-denied": "permission denied";
    IS_A_FOLDER = "io-is-a-folder": "it is a folder";
    NO_FOLDER = "io-no-folder": "part of the path is no folder";
    EXISTS = "io-exists": "it exists already";
    DISK_FULL = "io-disk-full": "the disk is full";
    TOO_LARGE = "io-too-large": "the file would be too large";
    READ_ONLY = "io-read-only": "the disk is read-only";
    NOT_EMPTY = "io-not-empty": "the folder is not empty";
    BAD_NAME = "io-bad-name": "the system takes no such name";
    ADDRESS_TAKEN = "io-address-taken": "the address is taken";
    NO_ADDRESS_HERE = "io-no-address-here": "this machine has no such address";
    NOBODY_READS = "io-nobody-reads": "nobody reads it any more";
    REFUSED = "io-refused": "the other side refuses the connection";
    UNREACHABLE = "io-unreachable": "the network cannot reach it";
    TIMED_OUT = "io-timed-out": "it took too long";
    SYSTEM_SAYS = "io-other": "the system says: {text}";
    YES_OR_NO = "setting-yes-or-no": "expected true or false, found {found}";
    NUMBER_FROM_TO = "setting-number": "expected a number from {least} to {most}, found {found}";
    ONE_OF = "setting-one-of": "expected {known}, found {found}";
    LETTERS_FROM_TO = "setting-letters": "expected {least} to {most} letters, found {found}";
    TOKEN_FORM = "setting-token": "expected at least {least} letters, digits and signs of ASCII, without spaces";
    LESS_THAN = "setting-less": "{value} is less than `{other}`, {least}";
}

/// What settings of puppets tend to have wrong.
impl Words {
    /// Neither `true` nor `false`.
    pub fn yes_or_no(found: &str) -> Self {
        YES_OR_NO.with("found", format!("{found:?}"))
    }
    /// No number, or one out of its range.
    pub fn number_from_to(least: usize, most: usize, found: &str) -> Self {
        NUMBER_FROM_TO.with("least", least).with("most", most).with("found", format!("{found:?}"))
    }
    /// None of the choices.
    pub fn any_of_choices(known: &[&str], found: &str) -> Self {
        let known = Self::any_of(known.iter().map(|name| format!("`{name}`").into()));
        ONE_OF.with("known", known).with("found", format!("{found:?}"))
    }
    /// A text too short or too long.
    pub fn letters_from_to(least: usize, most: usize, found: &str) -> Self {
        LETTERS_FROM_TO.with("least", least).with("most", most).with("found", format!("{found:?}"))
    }
    /// A token that is too short, or cannot stand in a header. It is not shown.
    pub fn token_form(least: usize) -> Self {
        TOKEN_FORM.with("least", least)
    }
    /// A number that cannot be less than that of another setting.
    pub fn less_than(value: usize, other: &str, least: usize) -> Self {
        LESS_THAN.with("value", value).with("other", other).with("least", least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: Phrase = Phrase::new("greeting", "{name} greets `{whom}`");

    #[test]
    fn arguments_are_filled_in_once_and_translated() {
        let words = GREETING.with("name", "{whom}").with("whom", Words::list(["a".into(), Words::quoted("b")]));
        assert_eq!(words.as_str(), "{whom} greets `a, b`");
        let chinese = words.translate(&|key, args| match key {
            "greeting" => Some(format!("{}向{}问好", args[0].1, args[1].1)),
            "comma" => Some("、".to_owned()),
            _ => None,
        });
        assert_eq!(chinese, "{whom}向a、b问好");
        let changed = words.map(&|text| text.replace('b', "…"));
        assert_eq!(changed.as_str(), "{whom} greets `a, …`");
    }

    #[test]
    fn a_phrase_is_found_by_its_english() {
        assert_eq!(Words::found("Mei greets `Otto`", &[GREETING]), GREETING.with("name", "Mei").with("whom", "Otto"));
        assert_eq!(Words::found("Mei greets Otto", &[GREETING]), Words::quoted("Mei greets Otto"));
    }

    #[test]
    fn what_the_system_refuses_has_words_of_ours() {
        assert_eq!(Words::io(&io::ErrorKind::NotFound.into()).as_str(), "there is no such file or folder");
        assert_eq!(Words::io(&io::Error::other("odd")).as_str(), "the system says: odd");
    }
}
