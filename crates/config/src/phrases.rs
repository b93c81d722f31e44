//! PHRASES: parts of messages in fixed wordings, which catalogues translate; whole messages are in `code`.

wechaty_puppet::phrases! {
    STRING = "type-string": "string";
    INTEGER = "type-integer": "integer";
    FLOAT = "type-float": "float";
    NUMBER = "type-number": "number";
    BOOLEAN = "type-boolean": "boolean";
    DATETIME = "type-datetime": "datetime";
    ARRAY = "type-array": "array";
    TABLE = "type-table": "table";
    STRANGE = "strange-character": "the character `{found}` (U+{code}) cannot stand here";
    ONE_KEY = "expected-one-key": "exactly one of {known}";
    NONE = "none": "none";
    ITEMS = "expected-items": "{count} items";
    LENGTH = "expected-length": "length >= {least}";
    BITS = "expected-64-bits": "a 64-bit number";
    ANYTHING = "expected-anything": "a value";
    NAME = "expected-name": "at most 64 characters, no spaces, quotes, : / \\ < >, and no . or - in front";
    PATTERN = "expected-pattern": "a text of the form `{pattern}`";
    TOO_LARGE = "file-over-limit": "it is larger than {most} bytes";
    NOT_UTF8 = "file-not-utf8": "it is not UTF-8 (line {line})";
    EMPTY = "file-empty": "it is empty";
    MISSING = "is-missing": "it is missing";
    NEVER_DUE = "cron-never-due": "it is never due";
    CRON_FIELDS = "cron-fields": "it has {count} fields, and five are needed, or six that begin with seconds";
    CRON_FIELD = "cron-field": "the {field} cannot be `{value}`; it takes {allowed}, `*`, ranges, steps and lists of them";
    CRON_UNREADABLE = "cron-unreadable": "its fields make no sense together";
    CRON_NICKNAME = "cron-nickname": "it takes `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`";
    CRON_SECOND = "cron-second": "second";
    CRON_MINUTE = "cron-minute": "minute";
    CRON_HOUR = "cron-hour": "hour";
    CRON_DAY = "cron-day": "day of the month";
    CRON_MONTH = "cron-month": "month";
    CRON_WEEKDAY = "cron-weekday": "day of the week";
    TOKEN_THERE = "door-token-there": "the account has a token already, in line {line}";
    TOKEN_TWICE = "door-token-twice": "it is that of line {line}, too: give each a token of its own";
    TOKEN_LETTERS = "door-token-letters": "a token has letters, digits, `-`, `_`, `.` and `~` only, and {most} of them at most";
    TOKEN_NAME = "door-token-name": "it has no server name before its last `_`, without which some SDKs do not start; `wechaty token generate` makes one that has";
    DOOR = "door": "account `{account}` (`{puppet}`)";
    WEBHOOK_SECRET = "webhook-secret": "it is `whsec_` and 24 to 64 random bytes as base64";
    WEBHOOK_NO_URL = "webhook-no-url": "this is no http or https URL";
    WEBHOOK_CREDENTIALS = "webhook-credentials": "leave user and password out of the URL: the webhook knows us by the signature";
    WEBHOOK_PLAIN = "webhook-plain": "write https: what is said would be readable on the way (http is for this machine, and with `allow_private` for a private network)";
    WEBHOOK_PRIVATE = "webhook-private": "this is a private address: write `allow_private = true` if it is meant";
}
