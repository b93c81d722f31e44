# What the commands say when nothing is wrong.

cause = cause: { $text }
fix = fix: { $text }
and = { " and " }
comma = { ", " }
did-you-mean = did you mean `{ $name }`?
possible-values = possible: { $values }
possible-number = It takes a whole number.
possible-range = It takes a whole number from { $least } to { $most }.

# run
banner-terminal = Wechaty { $version } — type /help for commands, Ctrl-D to end
run-login = account `{ $account }`: logged in as { $who }
run-logout = account `{ $account }`: { $who } is logged out
run-logout-why = account `{ $account }`: { $who } is logged out: { $why }
run-failed = account `{ $account }` cannot go on: “{ $why }”
demo-greeting = Hello, I am a Wechaty bot. Write “ding”, or “help” for what else I know.
demo-help = I know: ding · hello · echo WORDS · picture · menu · card · help
demo-hint = I do not know that yet; write “help” for what I know.
demo-card = Shall we go on?
demo-card-text = A card has a title, words and buttons.
demo-card-yes = Yes
demo-card-no = No
demo-card-chosen = You chose { $value }.
demo-card-chosen-yes = You chose yes. On we go.
demo-card-chosen-no = You chose no. Then we stop here.
listen = The chat is open at { $url }
listen-network = From a phone or another machine in the same network: { $url }
listen-token = It asks for the token of the account; `/#token=` and the token behind the address saves typing it.
listen-phone = To open it on a phone in the same network: wechaty run --listen 0.0.0.0
listen-api = REST, with a page to try it, is at { $url }
listen-api-token = Its token for this run: { $token }
listen-moved = The port is taken by another program: { $port } is used instead.
demo-tea = Tea?
demo-tea-green = Green
demo-tea-black = Black
demo-tea-none = None
demo-tea-coming = Coming up.
demo-tea-nothing = No tea, then.
demo-tea-late = Too late, the kettle is cold.
pending = not finished when the bot stopped: { $what }.{" "}
pending-late = not finished when the bot stopped: { $what }. 10 s were not enough for handlers and sends to end.{" "}
pending-kept = All of it is kept in { $path }, and the next start goes on with it.
pending-lost = A run without a name (`name` in BOT.toml) or with `--clock virtual` keeps nothing: it is lost.
store-still-full = The bot takes nothing new meanwhile: the platform keeps it. What was said before is sent as far as that needs no room; what a handler says now waits, and with it its conversation. It goes on by itself when there is room.
store-still-read-only = The bot takes nothing new and sends nothing meanwhile: the platform keeps what comes. Nothing that was accepted is lost. It goes on by itself when it may write.
store-still-damaged = The bot goes on with what can be read: it takes what is new and sends, where that does not touch the damaged part.
store-still-failing = The bot takes nothing new meanwhile: the platform keeps it. Nothing that was accepted is lost. It goes on by itself when it can.
store-still-aside = The bot goes on with all the others.
store-goes-on = The store goes on: the bot takes what is new again.
store-strangers = The store also holds { $count } unfinished of account `{ $account }`, which this bot does not have: add the account again, or leave them there.
pending-events = { $count ->
    [one] { $count } event ({ $names })
   *[other] { $count } events ({ $names })
  }
pending-sends = { $count ->
    [one] { $count } send ({ $names })
   *[other] { $count } sends ({ $names })
  }
setting-missing = setting `{ $key }` is missing
setting-invalid = setting `{ $key }`:

# puppets
puppets-there-are = this build has: { $names }
puppets-title = { $name }: { $summary }
puppets-live = run live
puppets-live-own = its own platform
puppets-live-never = never
puppets-live-run = last on { $day }
puppets-says = says
puppets-can = can
puppets-cannot = cannot
puppets-because = { $what }: { $why }
puppets-setting = setting
puppets-docs = more
setting-required = , required
setting-secret = , secret

# ledger
ledger-in = in:  received { $received } = handled { $handled } + merged { $merged } + rejected { $rejected } + expired { $expired } + pending { $pending } (residue { $residue }; duplicates { $duplicates })
ledger-out = out: said { $said } = sent { $sent } + merged { $merged } + rejected { $rejected } + expired { $expired } + dead { $dead } + dropped { $dropped } + maybe_sent { $maybe_sent } + pending { $pending } (residue { $residue })
ledger-account = account `{ $name }`:
ledger-reason = { "     " }{ $name }: { $count }
ledger-errors = { "     " }errors in { $name }: { $count }

# token
token-sni = server name: { $sni } — clients check the gateway's certificate for this name
token-insecure = { "  " }warning: `insecure` is what clients take when nobody chose a name. It says nothing about who the gateway is; choose a name of your own where the network is not yours.
token-uuid-name = { "  " }`uuid` is the usual name for tokens without a service of their own
token-named = { "  " }the service or the certificate is called `{ $sni }`
token-lowercased = { "  " }capital letters do not count: it is compared in small letters
token-secret = secret: it is there, and is not shown
token-guessable = { "  " }warning: this is no random UUID (version 4): others may guess it
token-keep = Whoever has the token can use the account: keep it like a password.
token-third-party = This sends the token, which is a secret, to a third party, { $authority }, that answers where the gateway is.
token-send = Send it to { $authority }? [y/N]
token-is-empty = it is empty
token-has-quotes = there are quotation marks around it: take them off
token-has-spaces = there is a space or a line break inside
token-is-not-ascii = it has characters other than Latin letters and digits in it, perhaps a full-width `＿`
token-has-no-name = there is no server name before the UUID; newer clients refuse that. Put `insecure_`, or what your service says, before it
token-has-no-underscore = there is no `_` between a server name and a UUID
token-ends-early = it ends after the `_`: the UUID is missing
token-has-no-uuid = what follows the last `_` is no UUID (32 digits 0-9 and a-f, mostly with hyphens)

# config
config-fine = { $file } is fine: { $accounts }, { $plugins }
config-accounts = { $count ->
    [one] 1 account
   *[other] { $count } accounts
  }
config-plugins = { $count ->
    [one] 1 plugin
   *[other] { $count } plugins
  }
config-nearest = ; did you mean `{ $name }`?
config-more = … and { $count } more
config-explain = `wechaty explain { $code }` tells more about a code.

# account
account-line = { $id }: puppet { $puppet }
account-hidden = is set (not shown)
account-added = account `{ $id }` is in { $file } now
account-secrets = { $file } holds its secrets ({ $names }); .gitignore keeps that file out of version control
account-checked = { $puppet } takes the credentials: { $who }
account-unchecked = { $puppet } could not be asked whether the credentials are good: { $why }. Add the account all the same? [y/N]
account-expected = setting `{ $key }`: expected { $expected }
account-optional = , Enter leaves it out
account-ask-puppet = Which messenger ({ $names })
account-ask-id = A name for the account in this bot
account-ask-name = A name for the bot; what it has to remember is kept in a file of that name
account-needed = An answer is needed; Ctrl-C gives up.
account-file-name = what it has to remember is kept in a file of that name, beside this one
account-file-plugin = What it does, for a start: it answers `ding` with `dong`. `wechaty plugin list` tells what else there is.
account-nameless = { $file } has no `name`: the bot forgets its logins and what is on its way when it ends. Write `name = "{ $name }"` at the top.
account-idle = { $file } has no [[plugin]] that is enabled: the bot answers nobody. `wechaty plugin list` tells what there is.
account-next = Next: wechaty run{ $file }

# plugin
plugin-fine = the plugins of { $file } are fine
plugin-example = example

# doctor
doctor-ok = ok
doctor-warn = warn
doctor-fail = fail
doctor-version = version
doctor-platform = platform
doctor-compiler = built with
doctor-locale = locale
doctor-locale-found = { $name }={ $value }, language { $lang }
doctor-terminal = terminal
doctor-terminal-both = input and output are a terminal
doctor-terminal-out = input is a file or pipe, output a terminal
doctor-terminal-in = input is a terminal, output a file or pipe
doctor-terminal-none = input and output are files or pipes
doctor-variable = variable
doctor-variables-none = none of Wechaty's is set
doctor-variable-shown = { $name }={ $value }
doctor-variable-hidden = { $name } is set ({ $length } characters, not shown)
doctor-variable-old = { $name } is an old name; today it is { $new }
doctor-variable-unknown = { $name } is set, but nothing reads it
doctor-variable-unknown-near = { $name } is set, but nothing reads it; did you mean { $near }?
doctor-port-8080 = port 8080
doctor-port-8788 = port 8788
doctor-port-free = free
doctor-port-taken = taken
doctor-folder = folder
doctor-folder-writable = { $path } can be written to
doctor-folder-refused = { $path } cannot be written to: { $why }
doctor-config = BOT.toml
doctor-config-none = there is none here
doctor-config-fine = is fine
doctor-config-more = { $count } more: `wechaty config check` tells them
doctor-store = store
doctor-store-nameless = none: only a bot with a name keeps one
doctor-store-none = none yet; { $path } is made when the bot starts
doctor-store-found = { $path }: { $size } MiB, tables of version { $version }
doctor-store-older = { $path }: { $size } MiB, tables of version { $version }; the next start brings them to { $newest }
doctor-store-most = store limit
doctor-store-unbounded = none; `most_mib` of [store] sets one
doctor-store-usage = { $size } of { $most } MiB are used, { $percent } %
doctor-store-writable = store access
doctor-writable = file and folder can be written to
doctor-store-read-only = { $path } may only be read
doctor-store-room = disk
doctor-room-found = { $free } MiB are free in { $path }
doctor-room-unknown = this system does not tell what is free in { $path }
doctor-store-pending = pending
doctor-store-pending-found = events: { $events }, sends: { $sends }, dead letters: { $dead }
doctor-files = open files
doctor-files-found = { $now }; a bot that runs raises it to { $most }
doctor-clock = clock
doctor-clock-found = { $seconds } s since 1970
doctor-zone = time zone
doctor-zone-unknown = not set

# new
new-made = { $name } is in { $path }. Next:
new-next-config = { "  " }cd { $path } && wechaty run --clock virtual --record out.jsonl
new-next-rust = { "  " }cd { $path } && cargo test && WECHATY_PUPPET=terminal cargo run
new-next-library = { "  " }cd { $path } && cargo test
new-from-path = It depends on Wechaty in { $path }, the checkout this program was built from or `--path` names.
new-from-git = It depends on Wechaty at { $url }. If that cannot be fetched, name a checkout: `--path CHECKOUT`.

# what is pending
pending-message = message { $id }
pending-send = { $kind } to { $to }

# kinds of messages and events, and how they end
sayable-text = Text
sayable-attachment = Attachment
sayable-audio = Audio
sayable-emoticon = Emoticon
sayable-image = Image
sayable-video = Video
sayable-contact = Contact
sayable-location = Location
sayable-mini-program = MiniProgram
sayable-url = Url
sayable-post = Post
sayable-markdown = Markdown
sayable-card = Card
sayable-menu = Menu
sayable-forward = Forward
sayable-other = Other
event-scan = scan
event-verify-code = verify-code
event-login = login
event-logout = logout
event-ready = ready
event-message = message
event-post = post
event-friendship = friendship
event-room-invite = room-invite
event-room-join = room-join
event-room-leave = room-leave
event-room-topic = room-topic
event-room-announce = room-announce
event-action = action
event-message-edit = message-edit
event-message-recall = message-recall
event-reaction = reaction
event-message-delivered = message-delivered
event-message-read = message-read
event-dirty = dirty
event-dong = dong
event-heartbeat = heartbeat
event-reset = reset
event-error = error
event-tick = tick
event-message-status = message-status
event-reply = reply
end-pending = pending
end-handled = handled
end-handled-none = handled(none)
end-handled-diverged = handled(diverged)
end-merged = merged
end-rejected = rejected
end-expired = expired
end-sent = sent
end-dead = dead
end-dropped = dropped
end-maybe-sent = maybe_sent
reason-refused = refused
reason-unsupported = unsupported
reason-rate-limited = rate-limited
reason-not-found = not-found
reason-invalid = invalid
reason-not-logged-in = not-logged-in
reason-login-refused = login-refused
reason-unreachable = unreachable
reason-poison = poison
reason-quota = quota
reason-paused = paused
reason-full = full
reason-too-large = too-large
reason-file = file
reason-late = late
reason-max-age = max-age

# trace
trace-in = in: { $kind } of { $account }, { $conversation }
trace-in-account = in: { $kind } of { $account }
trace-out = out: { $kind } of { $account }, to { $conversation }
trace-person = person:    { $value }
trace-text = words:     { $value }
trace-id = id:        { $value }
trace-event = event:     { $value }
trace-receipt = receipt:   { $value }
trace-cause = said in:   { $value }
trace-received = received:  { $value }
trace-committed = committed: { $value }
trace-acked = acked:     { $value }
trace-said = said:      { $value }
trace-tried = tried:     { $value }
trace-by = handlers:  { $value }
trace-attempts = attempts:  { $value }
trace-end = end:       { $value }
trace-why = why:       “{ $value }”
trace-waits = waits for: { $value }
trace-delivered = delivered: { $value }
trace-read = read:      { $value }
trace-told-by = { $time }, { $person } first
trace-zone = times are those of { $zone }, the bot's time zone
trace-zone-here = times are those of { $zone }, this machine's time zone; a BOT.toml with `timezone` says the bot's
wait-time = its time, { $time }
wait-earlier = an earlier send of its conversation, receipt { $receipt }
wait-answer = the platform's answer
wait-again = another try, after one that failed
wait-bot = its bot, which does not run
wait-account = its account, which the bot does not have (any more)
wait-login = the login of its account
wait-connection = the connection of its account, which is lost
wait-quota = the platform's quota, which leaves room from { $time } on
wait-quota-written = the other side: the platform's quota is used up until they write
wait-breaker = the platform, which does not answer: one send at a time asks whether it is back (the circuit breaker is open)
wait-store = the store, which is full or cannot be written
wait-pace = its turn at the account's pace

# dead letters
dead-letters-none = There are no dead letters.
dead-letters-row = { $number }  { $time }  { $reason }, attempts: { $attempts }  { $account } → { $conversation }: { $words }
dead-letters-why = why: “{ $why }”
dead-letters-receipt = receipt { $receipt }
dead-letters-answer = receipt { $receipt }, said in { $event }
dead-letters-untouched = Nothing was changed; left as before: { $numbers }.
dead-letters-revived-these = In the outbox again: { $numbers }.
dead-letters-dropped-these = Dropped: { $numbers }.
dead-letters-revived = { $count ->
    [one] One dead letter is in the outbox again.
   *[other] { $count } dead letters are in the outbox again.
  }
dead-letters-dropped = { $count ->
    [one] One dead letter is dropped.
   *[other] { $count } dead letters are dropped.
  }

# backup
backup-made = { $path } holds everything committed until now: { $size } MiB.
backup-restored = { $path } is as it was when the backup was made: { $events } events received by then, of the accounts { $accounts }. What was forgotten since is there again: `wechaty forget` it once more.
backup-strangers = The backup is of the accounts { $accounts }, which this bot does not have; it has { $known }.
backup-identity = In account `{ $account }` of the backup `{ $there }` was logged in, in that of this bot `{ $here }`.
backup-unsent = { $count ->
    [one] One send was not over then: the next start sends it, a second time if it went out since.
   *[other] { $count } sends were not over then: the next start sends them, a second time those that went out since.
  }
backup-kept = The store that was there is kept as { $path }.
backup-unmade = It is the backup that cannot be written; the bot and its store are as they were.
backup-unread = It is the store that cannot be read, and not the backup that cannot be written; there is no backup now.
backup-made-unsound = The store is damaged itself, and the copy is as it is; it was not deleted, for it may be the best there is.

# forget
forget-kept = `restore` has kept earlier stores, and in these the words may still be: { $paths }. Delete them when they are not needed any more.
forget-owed = Words of whoever was forgotten may still be in free places of { $path } or in its `-wal`: somebody reads it, a backup perhaps, or the disk does not let it be written anew. The bot tries again until it is done, also after a restart; `/readyz` says `forgetting` meanwhile.
forget-whom = people of this name: { $ids }
forgotten = { $count ->
    [0] Nothing of { $person } was there.
    [one] One record of { $person } is forgotten.
   *[other] { $count } records of { $person } are forgotten.
  }

# bench
bench-ready = ready handler
bench-yielding = yielding handler
bench-bare = bare channels
bench-latency = latency at 200,000/s
bench-idle = idle memory
bench-cold = cold start
bench-memory = in memory, { $conversations } conversations, at most { $most } messages under way
bench-speed = { $speed } messages/s, { $part } of the limit
bench-times = median { $median } us, 99 of 100 within { $most } us
bench-idle-found = 1,000 accounts, 100,000 idle conversations: { $mib } MiB resident
bench-cold-found = cold start to first reply: { $ms } ms (median of 20)
bench-durable = durable: every event and every send committed before its ack or receipt
bench-durable-1000 = 1,000 under way
bench-durable-64 = 64 under way
bench-durable-1 = 1 under way
bench-durable-latency = latency at 25,000/s
bench-durable-file = a million messages
bench-durable-history = the same with history
bench-durable-p99 = { "  " }at 25,000/s: p99 { $us } us
bench-gateway = gateway, beside a bare tonic server with the same bytes and the same client; it drops what is uploaded, the gateway writes it to a file
bench-gateway-round = both in turn
bench-gateway-file = memory while a file goes through
bench-gateway-unary = unary calls: { $ours }/s, bare { $bare }/s: { $part }
bench-gateway-p50 = median of a call: { $ours } us, bare { $bare } us
bench-gateway-p99 = 99 of 100 calls within { $ours } us, bare { $bare } us
bench-gateway-events = events: { $ours }/s, bare { $bare }/s: { $part }
bench-gateway-upload = upload: { $ours } MiB/s, bare { $bare } MiB/s: { $part }
bench-gateway-download = download: { $ours } MiB/s, bare { $bare } MiB/s: { $part }
bench-gateway-growth = memory during a large file: { $mib } MiB more
bench-durable-size = file after a million messages: { $mib } MiB, with history { $history } MiB
