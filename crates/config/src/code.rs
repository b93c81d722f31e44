//! CODES: one stable code for each thing that can be wrong, with its message, cause and fix.
//!
//! A message is a code and named arguments. The English words of this table stand in the catalogue, too, beside their
//! translations; a test there compares the two.

use std::fmt;

/// What a code means.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// `C003`.
    pub name: &'static str,
    /// The message; `{arg}` stands for an argument of the error.
    pub message: &'static str,
    /// Added to the message where the error has the argument `nearest`.
    pub nearest: &'static str,
    /// Why this happens.
    pub cause: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $message:literal, $cause:literal, $fix:literal;)*) => {
        /// Names a kind of error for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        /// All codes of configuration files.
        pub const CODES: &[CodeInfo] = &[$(CodeInfo {
            code: Code::$variant,
            name: $name,
            message: $message,
            nearest: NEAREST,
            cause: $cause,
            fix: $fix,
        },)*];
    };
}

const NEAREST: &str = "; did you mean `{nearest}`?";

codes! {
    /// The file cannot be read.
    Unreadable = "C001", "cannot read {path}: {reason}",
        "The configuration file is not there, may not be read, is larger than 1 MiB or is not UTF-8.",
        "Check the path and its permissions; save the file as UTF-8.";
    /// The file is no TOML.
    Syntax = "C002", "this is no TOML: {reason}",
        "The text breaks a rule of TOML: a quote or bracket is not closed, a key is given twice, a value is missing.",
        "Mend the line; https://toml.io shows the rules on one page.";
    /// There is no such key.
    UnknownKey = "C003", "unknown key `{name}`; there are {known}",
        "The key is misspelt, stands in the wrong section, or belongs to another version.",
        "Use one of the known keys; `wechaty config schema` prints them all.";
    /// A key is missing.
    MissingKey = "C004", "`{name}` is missing: expected {expected}",
        "This section cannot do without the key.",
        "Add it.";
    /// The value is of another type.
    WrongType = "C005", "expected {expected}, found {found}",
        "The value has another type: a number in quotes is a text, and one text is no list.",
        "Write a value of the expected type.";
    /// The value is none of the choices.
    UnknownValue = "C006", "`{value}` is none of {known}",
        "The key takes a few values only.",
        "Use one of them.";
    /// The value is too small, too large, too short or too long.
    OutOfRange = "C007", "{value} is out of range: expected {expected}",
        "The number, or the length of the text or list, is outside of what makes sense.",
        "Choose a value inside the range.";
    /// The file is for another version.
    Version = "C008", "version {value} is not known: expected {expected}",
        "The file was written for another version of Wechaty.",
        "Set `version` to the expected one, and mend what the next check tells.";
    /// There is no such puppet.
    UnknownPuppet = "C009", "there is no puppet `{name}`; there are {known}",
        "The puppet's name is misspelt, or nobody has written it yet.",
        "Use one of the puppets; `wechaty puppets` lists what each can do.";
    /// The puppet is left out of this build.
    NotBuiltIn = "C010", "puppet `{name}` is not in this build; build it with: {command}",
        "Heavy puppets are optional, and this program was built without this one.",
        "Build the program with the command.";
    /// There is no such plugin.
    UnknownPlugin = "C011", "there is no plugin `{name}`; there are {known}",
        "The plugin's name is misspelt, or it is not part of this program.",
        "Use one of the plugins; `wechaty plugin list` tells what each does.";
    /// A puppet's setting is missing.
    MissingSetting = "C012", "puppet `{puppet}` needs `{name}` ({help}): set it here, or in the environment as {env}; see {docs}",
        "The puppet cannot run without the setting, and neither file nor environment has it.",
        "Get the value where the link says, and set it; secrets best as `{ env = \"NAME\" }`.";
    /// A setting is refused by its puppet.
    BadSetting = "C013", "`{name}` is not right: {reason}",
        "A puppet or a door has looked at the value and cannot use it.",
        "Mend the value as the reason says.";
    /// Two of the same name.
    Twice = "C014", "`{name}` is given twice, first in line {first}",
        "Accounts and plugins are told apart by their ids; a plugin without one is called like itself.",
        "Give one of them another `id`.";
    /// There is no such account.
    UnknownAccount = "C015", "there is no account `{name}`; there are {known}",
        "An owner, a plugin or a door names an account that no [[account]] of this file has as its id.",
        "Use the id of an account.";
    /// That is no owner.
    BadOwner = "C016", "`{value}` is no owner: expected account:contact",
        "An owner is an account's id and the contact's id there, with a colon between.",
        "Write it like \"shop:ou_123\".";
    /// There is no such time zone.
    UnknownZone = "C017", "there is no time zone `{value}`",
        "Time zones have the names of the IANA database; offsets and abbreviations are none.",
        "Write it like \"Asia/Shanghai\" or \"UTC\".";
    /// That is no regular expression.
    BadRegex = "C018", "this is no regular expression: {reason}",
        "The pattern has a bracket that is not closed, or something this kind of expression does not know.",
        "Mend the pattern; single quotes ('…') keep TOML from reading its backslashes.";
    /// The environment lacks a variable.
    UnsetVariable = "C019", "environment variable {name} is not set",
        "The file takes a value from the environment, which has no such variable, or an empty one.",
        "Set the variable, or write it into `.env` beside the file.";
    /// A file that holds a value cannot be read.
    UnreadableValue = "C020", "cannot read the value from {path}: {reason}",
        "The file takes a value from another file that is not there, may not be read, is empty or is no text.",
        "Check the path, relative to the configuration file, and its permissions.";
    /// The path leads nowhere.
    NoSuchPath = "C021", "there is nothing at {path}",
        "A setting names a file or folder that does not exist.",
        "Check the path; it is relative to the configuration file.";
    /// The section is for a feature that does not exist yet.
    Reserved = "C022", "[{name}] is not there yet: this version of Wechaty has no such feature",
        "The section's name is kept for a later version.",
        "Remove the section.";
    /// Nobody to run.
    NoAccount = "C023", "there is no account: add [[account]] with `id` and `puppet`",
        "A bot needs at least one account, and neither file nor `WECHATY_PUPPET` names one.",
        "Add an account: `wechaty account add` asks for what it needs.";
    /// That is no address.
    BadAddress = "C024", "`{value}` is no address: expected one like 127.0.0.1:8080",
        "The host listens on an IP address and a port; a name is no address.",
        "Write both; port 0 takes any free one.";
    /// Anybody could use the door.
    OpenDoor = "C025", "{door} has no token and would be open to everybody who reaches {address}",
        "Elsewhere than on loopback, and behind a proxy under a name in `hosts`, others reach the host, so its doors need tokens.",
        "Give the account a token, or listen on 127.0.0.1 without such a name.";
    /// The text has not the right form.
    BadForm = "C026", "`{value}` has the wrong form: expected {expected}",
        "The text has characters or an order that this key does not take, or the braces hold too few or too many keys.",
        "Write it in the expected form.";
    /// A plugin refuses its settings.
    BadPluginSettings = "C027", "plugin `{plugin}` refuses its settings: {reason}",
        "Each setting has the right type, but together they make no sense.",
        "Mend the settings as the reason says.";
    /// A line of `.env` is none.
    BadEnvLine = "C028", "this is no line of an environment file: expected NAME=value",
        "A line of `.env` has no `=`, a name with other characters than letters, digits and _, or a quote that stays open.",
        "Write NAME=value, with the value in quotes where it has spaces.";
    /// A variable has a value that it cannot have.
    BadVariable = "C029", "environment variable {name} is not right: expected {expected}",
        "The environment overrides the file, and its value is of the wrong kind.",
        "Mend or unset the variable.";
    /// Two accounts serve one page.
    PageTwice = "C030", "accounts `{first}` and `{second}` both serve {page}",
        "Both are on a web chat, and one program has one page.",
        "Keep one of them; a second bot can run beside this one on the next port.";
    /// That is no cron expression.
    BadCron = "C031", "`{value}` is no cron expression: {reason}",
        "It has five fields: minute, hour, day of the month, month, day of the week; with a sixth in front, seconds. Or it names a day that never comes.",
        "Write it like \"0 9 * * MON-FRI\" (at nine on weekdays) or \"*/10 * * * *\" (every ten minutes).";
    /// A job has no time zone.
    NoZone = "C032", "a job at `{value}` needs to know by whose clock",
        "The bot has no `timezone`, and the machine's may be anybody's.",
        "Write `timezone = \"Asia/Shanghai\"`, or \"UTC\", at the top of the file.";
    /// A job may be several accounts'.
    JobAccount = "C033", "a job needs to know which account says it; there are {known}",
        "The bot has several accounts, or its plugin has, and each knows other people and rooms.",
        "Write `account = \"…\"` in the job, one job for each account; or give the plugin one in `accounts`.";
    /// No header could carry the token.
    BadToken = "C034", "the token has characters that no request can carry: expected ASCII without spaces",
        "A token is sent in a header of HTTP, which has no room for spaces and other letters than those of English.",
        "Use 16 to 512 letters, digits and signs; `wechaty token generate` makes one.";
}

impl Code {
    /// What it means.
    pub fn info(self) -> &'static CodeInfo {
        &CODES[self as usize]
    }
    /// `C003`.
    pub fn as_str(self) -> &'static str {
        self.info().name
    }
    /// Whether something is not there, or not all of it, as far as the file was read: further down it may be.
    pub(crate) const fn lacks(self) -> bool {
        matches!(
            self,
            Self::MissingKey
                | Self::MissingSetting
                | Self::NoAccount
                | Self::UnknownAccount
                | Self::JobAccount
                | Self::NoZone
                | Self::OpenDoor
                | Self::BadPluginSettings
        )
    }
    /// The code of a name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        CODES.iter().find(|info| info.name.eq_ignore_ascii_case(name.trim())).map(|info| info.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order_and_have_words() {
        for (i, info) in CODES.iter().enumerate() {
            assert_eq!(info.name, format!("C{:03}", i + 1));
            assert_eq!(info.code.info().name, info.name);
            assert_eq!(Code::from_name(&info.name.to_lowercase()), Some(info.code));
            assert!(!info.message.is_empty() && info.cause.ends_with('.') && info.fix.ends_with('.'), "{}", info.name);
        }
        assert_eq!(Code::from_name("C999"), None);
    }
}
