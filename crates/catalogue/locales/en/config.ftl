# What can be wrong with BOT.toml and the `.env` beside it; the same words as in crates/config/src/code.rs.
# Cause and fix have no variables; what an error is about comes from the file.

C001 = cannot read { $path }: { $reason }
    .cause = The configuration file is not there, may not be read, is larger than 1 MiB or is not UTF-8.
    .fix = Check the path and its permissions; save the file as UTF-8.

C002 = this is no TOML: { $reason }
    .cause = The text breaks a rule of TOML: a quote or bracket is not closed, a key is given twice, a value is missing.
    .fix = Mend the line; https://toml.io shows the rules on one page.

C003 = unknown key `{ $name }`; there are { $known }
    .cause = The key is misspelt, stands in the wrong section, or belongs to another version.
    .fix = Use one of the known keys; `wechaty config schema` prints them all.

C004 = `{ $name }` is missing: expected { $expected }
    .cause = This section cannot do without the key.
    .fix = Add it.

C005 = expected { $expected }, found { $found }
    .cause = The value has another type: a number in quotes is a text, and one text is no list.
    .fix = Write a value of the expected type.

C006 = `{ $value }` is none of { $known }
    .cause = The key takes a few values only.
    .fix = Use one of them.

C007 = { $value } is out of range: expected { $expected }
    .cause = The number, or the length of the text or list, is outside of what makes sense.
    .fix = Choose a value inside the range.

C008 = version { $value } is not known: expected { $expected }
    .cause = The file was written for another version of Wechaty.
    .fix = Set `version` to the expected one, and mend what the next check tells.

C009 = there is no puppet `{ $name }`; there are { $known }
    .cause = The puppet's name is misspelt, or nobody has written it yet.
    .fix = Use one of the puppets; `wechaty puppets` lists what each can do.

C010 = puppet `{ $name }` is not in this build; build it with: { $command }
    .cause = Heavy puppets are optional, and this program was built without this one.
    .fix = Build the program with the command.

C011 = there is no plugin `{ $name }`; there are { $known }
    .cause = The plugin's name is misspelt, or it is not part of this program.
    .fix = Use one of the plugins; `wechaty plugin list` tells what each does.

C012 = puppet `{ $puppet }` needs `{ $name }` ({ $help }): set it here, or in the environment as { $env }; see { $docs }
    .cause = The puppet cannot run without the setting, and neither file nor environment has it.
    .fix = Get the value where the link says, and set it; secrets best as `{"{"} env = "NAME" {"}"}`.

C013 = `{ $name }` is not right: { $reason }
    .cause = A puppet or a door has looked at the value and cannot use it.
    .fix = Mend the value as the reason says.

C014 = `{ $name }` is given twice, first in line { $first }
    .cause = Accounts and plugins are told apart by their ids; a plugin without one is called like itself.
    .fix = Give one of them another `id`.

C015 = there is no account `{ $name }`; there are { $known }
    .cause = An owner, a plugin or a door names an account that no [[account]] of this file has as its id.
    .fix = Use the id of an account.

C016 = `{ $value }` is no owner: expected account:contact
    .cause = An owner is an account's id and the contact's id there, with a colon between.
    .fix = Write it like "shop:ou_123".

C017 = there is no time zone `{ $value }`
    .cause = Time zones have the names of the IANA database; offsets and abbreviations are none.
    .fix = Write it like "Asia/Shanghai" or "UTC".

C018 = this is no regular expression: { $reason }
    .cause = The pattern has a bracket that is not closed, or something this kind of expression does not know.
    .fix = Mend the pattern; single quotes ('…') keep TOML from reading its backslashes.

C019 = environment variable { $name } is not set
    .cause = The file takes a value from the environment, which has no such variable, or an empty one.
    .fix = Set the variable, or write it into `.env` beside the file.

C020 = cannot read the value from { $path }: { $reason }
    .cause = The file takes a value from another file that is not there, may not be read, is empty or is no text.
    .fix = Check the path, relative to the configuration file, and its permissions.

C021 = there is nothing at { $path }
    .cause = A setting names a file or folder that does not exist.
    .fix = Check the path; it is relative to the configuration file.

C022 = [{ $name }] is not there yet: this version of Wechaty has no such feature
    .cause = The section's name is kept for a later version.
    .fix = Remove the section.

C023 = there is no account: add [[account]] with `id` and `puppet`
    .cause = A bot needs at least one account, and neither file nor `WECHATY_PUPPET` names one.
    .fix = Add an account: `wechaty account add` asks for what it needs.

C024 = `{ $value }` is no address: expected one like 127.0.0.1:8080
    .cause = The host listens on an IP address and a port; a name is no address.
    .fix = Write both; port 0 takes any free one.

C025 = { $door } has no token and would be open to everybody who reaches { $address }
    .cause = Elsewhere than on loopback, and behind a proxy under a name in `hosts`, others reach the host, so its doors need tokens.
    .fix = Give the account a token, or listen on 127.0.0.1 without such a name.

C026 = `{ $value }` has the wrong form: expected { $expected }
    .cause = The text has characters or an order that this key does not take, or the braces hold too few or too many keys.
    .fix = Write it in the expected form.

C027 = plugin `{ $plugin }` refuses its settings: { $reason }
    .cause = Each setting has the right type, but together they make no sense.
    .fix = Mend the settings as the reason says.

C028 = this is no line of an environment file: expected NAME=value
    .cause = A line of `.env` has no `=`, a name with other characters than letters, digits and _, or a quote that stays open.
    .fix = Write NAME=value, with the value in quotes where it has spaces.

C029 = environment variable { $name } is not right: expected { $expected }
    .cause = The environment overrides the file, and its value is of the wrong kind.
    .fix = Mend or unset the variable.

C030 = accounts `{ $first }` and `{ $second }` both serve { $page }
    .cause = Both are on a web chat, and one program has one page.
    .fix = Keep one of them; a second bot can run beside this one on the next port.

C031 = `{ $value }` is no cron expression: { $reason }
    .cause = It has five fields: minute, hour, day of the month, month, day of the week; with a sixth in front, seconds. Or it names a day that never comes.
    .fix = Write it like "0 9 * * MON-FRI" (at nine on weekdays) or "*/10 * * * *" (every ten minutes).

C032 = a job at `{ $value }` needs to know by whose clock
    .cause = The bot has no `timezone`, and the machine's may be anybody's.
    .fix = Write `timezone = "Asia/Shanghai"`, or "UTC", at the top of the file.

C033 = a job needs to know which account says it; there are { $known }
    .cause = The bot has several accounts, or its plugin has, and each knows other people and rooms.
    .fix = Write `account = "…"` in the job, one job for each account; or give the plugin one in `accounts`.

C034 = the token has characters that no request can carry: expected ASCII without spaces
    .cause = A token is sent in a header of HTTP, which has no room for spaces and other letters than those of English.
    .fix = Use 16 to 512 letters, digits and signs; `wechaty token generate` makes one.
