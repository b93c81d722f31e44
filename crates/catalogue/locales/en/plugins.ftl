# What plugins say in their declarations: summaries, and their settings.
plugin-auto-reply = answers by rules: texts that contain, equal or match something
plugin-auto-reply-cooldown-seconds = Seconds in which a rule answers a conversation once only, for rules that do not say it themselves; what it would answer meanwhile is handled in silence. Default: 0, it always answers.
plugin-auto-reply-mention = Whether rooms have to mention the bot, for rules that do not say it themselves. Default: no.
plugin-auto-reply-rules = The rules, most important first.
plugin-ding-dong = answers `ding` with `dong`: the first thing to try on a new account
plugin-ding-dong-contact = Who is answered one to one. Default: everybody.
plugin-ding-dong-ding = What is answered. Default: exactly `ding`.
plugin-ding-dong-dong = What is said, one after the other. Default: `dong`; nothing: nothing.
plugin-ding-dong-mention = Whether rooms have to mention the bot. Default: no.
plugin-ding-dong-room = In which rooms. Default: all.
plugin-ding-dong-self-too = Whether own messages are answered too. Default: no.
plugin-event-logger = one log line for each event, without login codes and, unless asked for, without texts
plugin-event-logger-events = Which events; none given: all.
plugin-event-logger-texts = Whether texts of messages are logged, shortened.
plugin-qr-code-terminal = draws the QR code of a login on the terminal, and shows it to nobody else
plugin-qr-code-terminal-small = Whether the code is drawn as small as possible. Default: no.
plugin-schedule = says something at its time, to people and in rooms
plugin-schedule-jobs = What is said when, and to whom.
plugin-welcome = greets who comes into a room, and new friends
plugin-welcome-cooldown-seconds = Seconds in which a room is greeted once only. Default: 0, always.
plugin-welcome-friend = What a new friend is told; `{"{"}name{"}"}` is the friend's name. Default: nothing.
plugin-welcome-greeting = What is said; `{"{"}topic{"}"}` is the room's topic, `{"{"}name{"}"}` the newcomers' names. Without `{"{"}name{"}"}` they are mentioned in front. Default: `welcome to {"{"}topic{"}"}!`, or `welcome!` where the topic is not known.
plugin-welcome-greetings = Other words for single rooms, by id or topic.
plugin-welcome-room = In which rooms. Default: all.
plugin-welcome-together = Whether many who come at once are greeted together. Default: yes.

# The steps of a login, as qr-code-terminal tells them.
scan-code = Scan to log in { $account }:
scan-too-long = The login code of { $account } is too long for a QR code.
scan-waiting = Login of { $account }: the code waits to be scanned
scan-scanned = Login of { $account }: scanned; confirm it on the phone
scan-confirmed = Login of { $account }: confirmed
scan-timeout = Login of { $account }: the code is too old, another one follows
scan-cancel = Login of { $account }: cancelled
scan-unknown = Login of { $account }: the platform tells a step that is not known here
