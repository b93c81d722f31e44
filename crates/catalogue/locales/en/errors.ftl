# Errors of the command line. A code keeps its meaning for good; cause and fix have no variables.
# 1xx command line · 2xx configuration · 3xx accounts and puppets · 4xx web chat and HTTP

W100 = something failed while running
    .cause = The line below the message says what. It has no code of its own yet.
    .fix = If the line below does not help, report it with the command you typed; `--log verbose` tells more.

W101 = there is no puppet `{ $name }`
    .cause = `--puppet` or WECHATY_PUPPET names a messenger that this project does not have.
    .fix = Take one of the names listed; `wechaty puppets` says what each can do.

W102 = the puppet `{ $name }` exists, but this build does not have it
    .cause = Some messengers need large libraries, so that the default build leaves them out.
    .fix = Build it in, in the folder of the repository, with the command above.

W103 = the puppet `{ $puppet }` cannot be set up
    .cause = A setting that it needs is missing, or has a value that cannot be right. Nothing was connected yet.
    .fix = Correct the setting named above; `wechaty puppets` lists all of them, with their environment variables.

W104 = cannot write the record to { $path }
    .cause = The file of `--record` cannot be made: the folder does not exist, or you may not write there.
    .fix = Give `--record` a path in a folder that exists and that you may write to.

W105 = the record { $path } is not complete
    .cause = Writing to the file of `--record` failed during the run, most often because the disk is full.
    .fix = Make room, and run again: what is in the file now is only the beginning.

W106 = `{ $flag }` works with the puppet `mock` only, not with `{ $puppet }`
    .cause = Only a simulated world can be given as a file, or played faster than real time; people cannot.
    .fix = Add `--puppet mock`, or leave the flag out.

W107 = the record { $path } would overwrite a file that the bot reads
    .cause = `--record` names the BOT.toml or the world of this very run.
    .fix = Name another file.

W108 = the path { $path } is not UTF-8
    .cause = The name of a file or folder has bytes in it that are no text.
    .fix = Rename it, or copy it to a path with a plain name.

W109 = the bot could not start
    .cause = The line below the message says what failed; nothing was received or sent.
    .fix = Mend what the line above says; `wechaty doctor` looks for the usual reasons.

W110 = the bot stopped because of an error
    .cause = A messenger ended the connection for good, or the books could not be read.
    .fix = Read the line above; with `--log info` the log shows what happened before.

W111 = the input cannot be read
    .cause = Standard input is a folder, has ended before everything was answered, or cannot be read at all.
    .fix = Start the command in a terminal, or give it a file or a pipe that holds what it asks for.

W112 = the ledger has a residue: some message is not accounted for
    .cause = The sums of the books above do not come out. This is a mistake in Wechaty, not in your bot.
    .fix = Please report it, with the lines above and the version that `wechaty --version` prints.

W113 = { $count ->
    [one] one message was not said
   *[other] { $count } messages were not said
  }
    .cause = The output was closed or full, the pace was too slow for the time there was, or a message failed for good or in doubt.
    .fix = The ledger above has the reasons. A named bot goes on with what is pending at its next start; `wechaty dead-letters list` shows what failed.

W114 = there is no log level `{ $level }`
    .cause = `--log` or WECHATY_LOG has a word that is no level, or a filter that cannot be read.
    .fix = Use `silent`, `error`, `warn`, `info`, `verbose` or `silly`; or a filter such as `wechaty=debug`.

W115 = `{ $flag }` must lie between { $least } and { $most }
    .cause = The number is outside of what can be measured.
    .fix = Give a number between the two.

W116 = cannot write to standard output
    .cause = The file or program that takes the output refuses it; perhaps the disk is full.
    .fix = Send the output somewhere else.

W117 = { $count ->
    [one] one check failed
   *[other] { $count } checks failed
  }
    .cause = `wechaty doctor` found something with which bots cannot work.
    .fix = Mend the lines marked `fail`; each says how.

W120 = there is no argument `{ $flag }` here
    .cause = The command does not know the flag, or takes fewer words than were given.
    .fix = The command with `--help` behind it lists its arguments.

W121 = there is no command `{ $word }`
    .cause = The first word after `wechaty` must be a command.
    .fix = `wechaty --help` lists the commands.

W122 = `{ $value }` cannot be the value of `{ $flag }`
    .cause = The argument takes certain words only, or a number.
    .fix = Give one of the values that are possible; the command with `--help` behind it tells them.

W123 = something is missing: { $what }
    .cause = The command needs this argument, or the flag needs a value behind it.
    .fix = Add it; the command with `--help` behind it shows the order.

W124 = `{ $flag }` cannot be used with `{ $other }`
    .cause = The two contradict each other, or the same flag is there twice.
    .fix = Leave one of them out.

W125 = the command line cannot be understood
    .cause = The line below the message says what is wrong with it.
    .fix = The command with `--help` behind it shows how it is written.

W130 = there is no error code `{ $code }`
    .cause = Codes are a W, or a C for configuration files, and three digits, such as W101. Perhaps the message is of another version.
    .fix = `wechaty explain` without a code lists all of them.

W131 = this is no token of the puppet service
    .cause = A token is a server name, `_` and a UUID: `insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed`.
    .fix = Copy the token again, whole, from where you got it; or make one: `wechaty token generate`.

W132 = `{ $name }` cannot be the server name of a token
    .cause = Clients check a certificate for this name: up to 63 letters, digits, `-`, `_` and `.`, first a letter or digit, no `_` at the end.
    .fix = Choose such a name, for example the one in the certificate of your gateway.

W133 = nobody has agreed to send the token to { $authority }
    .cause = Discovery asks a third party where the gateway of a token is, and the question holds the token. Nothing was sent.
    .fix = Add `--yes` if that host may know the token. Or give the address of the gateway yourself, in WECHATY_PUPPET_SERVICE_ENDPOINT: then nobody has to be asked.

W134 = { $authority } knows no gateway of this token
    .cause = No gateway with this token has told the discovery service where it is, or none does any more.
    .fix = Check the token, and that its gateway runs. Gateways of this program tell no discovery service: give their address in WECHATY_PUPPET_SERVICE_ENDPOINT.

W135 = the discovery service { $authority } cannot be asked
    .cause = It cannot be reached, has troubles of its own, or is none.
    .fix = Check the network and the host's name, and try again later. Or give the address of the gateway yourself, in WECHATY_PUPPET_SERVICE_ENDPOINT.

W136 = { $authority } could not prove who it is
    .cause = Its certificate is not good for this name, is signed by somebody this machine does not trust, or there is no TLS. The token was not sent.
    .fix = Check the host's name, and this machine's clock. Without TLS only programs of this machine are asked: `--authority http://127.0.0.1:PORT`.

W137 = the discovery service { $authority } did not answer in time
    .cause = It took longer than 10 seconds.
    .fix = Try again later. Or give the address of the gateway yourself, in WECHATY_PUPPET_SERVICE_ENDPOINT.

W138 = `{ $authority }` cannot be a discovery service
    .cause = It is called by the name or address of its host, with or without a port.
    .fix = Write it like `api.chatie.io` or `127.0.0.1:8080`.

W140 = { $path } is not empty
    .cause = `wechaty new` never writes over files.
    .fix = Name a folder that does not exist yet.

W141 = the folder name { $path } gives no name for a project
    .cause = Names of Rust packages have Latin letters, digits and `-` only, and there is nothing of that in it.
    .fix = Name the folder with Latin letters, such as `my-bot`; you may rename it later.

W142 = cannot use { $path }
    .cause = The system refuses to read or write it; the line below the message says why.
    .fix = Choose another place, or change who may write there.

W143 = { $path } is no checkout of Wechaty
    .cause = A project depends on the crates in that folder, and they are not there.
    .fix = Name the folder in which there is `crates/wechaty/Cargo.toml`, or leave `--path` out.

W150 = the port is taken
    .cause = Another program, perhaps another bot, listens on this port of this machine.
    .fix = Nothing needs to be done: the next free port is used, and printed. To have this one, end the other program.

W151 = the current folder cannot be written to
    .cause = A bot keeps what it must remember in the folder where it is started.
    .fix = Go to a folder of your own (`cd`), or change who may write here.

W153 = nobody knows this variable
    .cause = A variable that begins with WECHATY_ is set, but nothing reads it. Perhaps it is misspelt.
    .fix = Correct its name, or unset it.

W154 = the clock of this machine is wrong
    .cause = The date lies before this program was written, or too far in the future. Certificates and signatures will be refused.
    .fix = Set the clock, best by NTP.

W155 = the locale does not say UTF-8
    .cause = LC_ALL, LC_CTYPE or LANG is not set, or names a locale without UTF-8: some programs then show other scripts wrongly.
    .fix = Set LANG to `en_US.UTF-8`, `zh_CN.UTF-8` or `C.UTF-8`.

W156 = few files may be open at once
    .cause = Each connection is an open file; a bot with all its connections has more than 4200 open, and the hard limit is lower. The host then takes fewer connections.
    .fix = Raise the hard limit: `LimitNOFILE=` in a systemd unit, `nofile` in /etc/security/limits.conf, `--ulimit nofile=` for a container.

W158 = this variable has an old name
    .cause = Older versions of Wechaty called it so. It may stop working.
    .fix = Use the new name.

W160 = { $address } is taken
    .cause = Another program, perhaps another bot, listens on this address.
    .fix = End the other program, or give `--listen` another port; without a port of your own the next free one is used.

W161 = { $door } has no token and would be open to everybody who reaches { $address }
    .cause = The address, or a name in `hosts`, is not of this machine alone, and nothing asks who is there.
    .fix = Set a token for it (the web chat's is `WECHATY_PUPPET_WEBCHAT_TOKEN`, or `token` in BOT.toml), or listen on 127.0.0.1 without such a name.

W162 = the bot cannot listen on { $address }
    .cause = The system does not let this program use the address.
    .fix = Choose another address or port with `--listen`; ports below 1024 usually need more rights.

W163 = accounts `{ $first }` and `{ $second }` both serve { $page }
    .cause = Both are on a web chat, and one program has one page.
    .fix = Keep one of them; a second bot can run beside this one on the next port.

W164 = a token of the REST door cannot be used
    .cause = It is too short or too long, or has a space or another character that no header can carry.
    .fix = Take 16 to 512 letters, digits and signs of ASCII; `wechaty token generate` makes one.

W170 = no bot called `{ $name }` runs in { $path }
    .cause = A bot that runs has a socket beside its configuration, and nobody answers there. Perhaps it has ended, or was started elsewhere.
    .fix = Start it with `wechaty run`; or name its BOT.toml: `wechaty ledger path/to/BOT.toml`.

W171 = { $file } names no bot that could be asked
    .cause = Commands find a running bot by its name, and neither the file nor WECHATY_NAME gives one, or there is no such file.
    .fix = Set `name` in BOT.toml and start the bot again, or name the file of the bot you mean.

W172 = a bot called `{ $name }` runs here already
    .cause = Two bots of the same name would share files and logins.
    .fix = End the other one, or give this one another `name`; `wechaty ledger` asks the one that runs.

W173 = the bot `{ $name }` runs, but does not answer
    .cause = It is very busy, suspended or just stopping.
    .fix = Try again; if it stays so, look at its log and start it anew.

W174 = the bot `{ $name }` does not know what it is asked
    .cause = The bot that runs is of another version than this command.
    .fix = Start the bot anew with this version, or ask it with the version it runs on.

W175 = the control socket { $path } cannot be used
    .cause = The system does not let this program make or open it. A bot runs without one all the same, but other commands cannot ask it.
    .fix = Check who may write to the folder, and whether its file system knows sockets; only the user who started a bot may ask it.

W176 = the name `{ $name }` cannot be locked in { $path }
    .cause = A bot with a name keeps a lock beside its configuration, so that no second one runs. The system does not let this program make it.
    .fix = Check who may write to the folder, or start the bot from a folder of your own; a bot without a name needs no lock.

W177 = there is no store of a bot called `{ $name }` in { $path }
    .cause = A named bot keeps what it must not lose in a file beside its configuration, and there is none.
    .fix = Name its BOT.toml with `--bot`, or the folder of its store with `--store`. An unnamed bot keeps nothing, and neither does a run with `--clock virtual`.

W178 = there is no { $file } here
    .cause = Commands find a bot by the name in its BOT.toml, or by WECHATY_NAME, and this folder has neither.
    .fix = Start the command in the folder of the bot, or name its file: `--bot path/to/BOT.toml`, for `wechaty ledger` without `--bot`.

W179 = `--store` is for a bot with a name, and this one has none
    .cause = A bot without a name keeps everything in memory; no file is made for it.
    .fix = Write `name = "…"` at the top of its BOT.toml, or set WECHATY_NAME.

W180 = { $path } is in use by another bot
    .cause = Only one bot may work with a store, and one does.
    .fix = Stop that bot, or give this one another `name`.

W181 = { $path } was written by a newer version of this program
    .cause = Its tables have a form that this version does not know.
    .fix = Use the newer program; or restore a backup that this version has made.

W182 = { $path } was written by an older version of this program
    .cause = Commands that only look do not change a store, and this one has to be brought to this version first.
    .fix = Start its bot once. `wechaty backup` copies it as it is.

W183 = { $path } is no store of a bot
    .cause = The file holds something else.
    .fix = Move it away, or give the store another folder with `--store`.

W184 = { $path } is damaged
    .cause = A disk, a file system or another program has changed the file.
    .fix = Restore a backup with `wechaty restore FILE --force`; or move the file away to begin anew, which loses what is in it.

W185 = { $path } cannot be used as a store
    .cause = The system does not let this program make, read or write the file.
    .fix = Check the folder, its permissions and the room on its disk.

W186 = nothing is known of `{ $id }` in the store of `{ $name }`
    .cause = No message, event or receipt is called so or begins so; or it was so long ago that it is not kept any more. Of the last moment before a crash the books are whole, but the traces may be missing.
    .fix = `wechaty trace --last --limit 20` shows the latest.

W187 = there is no dead letter { $number }
    .cause = It was tried again or dropped already, or there never was one of this number.
    .fix = `wechaty dead-letters list` shows those there are.

W188 = { $path } is there already
    .cause = A backup never overwrites a file.
    .fix = Give it another name, or move the file away.

W189 = { $path } is there already
    .cause = A restore would replace a store in which there may be unfinished messages.
    .fix = Make a backup of it first; then use `--force`, which keeps it beside the new one.

W190 = there is no account `{ $account }` in the store; there are { $known }
    .cause = The account never received or said anything, or is spelt otherwise.
    .fix = Use one of those, or leave `--account` out.

W191 = there is nothing of `{ $person }` in the archive
    .cause = Nobody with this id said or was told anything that is still kept. A person is named by the id, for names can be anybody's.
    .fix = `wechaty trace --last --with NAME` tells the id of somebody whose name you know.

W192 = { $path }: there is no room
    .cause = The disk is full, or the store is as large as `most_mib` of [store] lets it be. Nothing that was accepted is lost: what is new is not acknowledged, and the platform keeps it.
    .fix = Make room on the disk, or raise `most_mib`. A bot that runs goes on by itself then, and says so; one that did not start has to be started again. `wechaty trace`, `ledger` and `backup` to another disk work all the while.

W193 = { $path } may only be read
    .cause = The disk is mounted read-only, or the file belongs to somebody else. A disk with faults is often mounted so by the system.
    .fix = Make it writable, or give the bot a folder of its own with `--store`. Commands that only look (`trace`, `ledger`, `dead-letters list`, `backup`) work all the same.

W194 = { $path } is damaged in part
    .cause = A disk, a file system or another program has changed the file. What is in the damaged part cannot be read; the rest can.
    .fix = Stop the bot, look after the disk, and put an earlier backup back with `wechaty restore FILE --force`, which keeps the damaged file beside it. A backup made now holds the damage, too, and `restore` refuses it.

W195 = { $path } cannot be read or written just now
    .cause = The system refused it; the log says how.
    .fix = Look after the disk and whatever else uses the file. A bot that runs goes on by itself when it can.

W196 = { $path }: { $count ->
    [one] one row cannot be read and was set aside
   *[other] { $count } rows cannot be read and were set aside
  }
    .cause = Their content is damaged, or of another program. Each counts as `rejected(unreadable)` in the ledger, and what was in it is kept in the table `unreadable`.
    .fix = The log names their numbers. If there are many, look after the disk, and put an earlier backup back with `wechaty restore FILE --force`.

W197 = the newest of { $path } cannot be read where nobody may write
    .cause = It is in the file beside it that ends in `-wal`, as its bot did not end in order or still runs elsewhere; to read that, SQLite has to write.
    .fix = Copy the file together with its `-wal` to a folder where you may write, and name that with `--store`.

W198 = the backup { $path } is damaged in part
    .cause = The store it was made of was damaged already, or a disk or another program has changed the file since.
    .fix = `wechaty restore` refuses it: use an earlier backup. What can still be read, `sqlite3 FILE .recover` of SQLite takes out.

W199 = { $path } is empty: there is no store in it
    .cause = No bot has written anything to it yet, or something has emptied it.
    .fix = Start the bot, which begins anew in its file; or put a backup back with `wechaty restore FILE --force`.

W200 = { $count ->
    [one] the configuration has one fault
   *[other] the configuration has { $count } faults
  }
    .cause = BOT.toml, the `.env` beside it or the environment says something that cannot be. Nothing was started.
    .fix = Mend what is listed, then `wechaty config check` again.

W201 = there is an account `{ $id }` already
    .cause = Accounts are told apart by their ids, and the file has one with this id.
    .fix = Give another `--id`; `wechaty account list` shows those there are.

W202 = { $file } is there already, and `--name` is for a new file
    .cause = The name of a bot that exists names its store: a command that adds an account does not change it.
    .fix = Leave `--name` away; to call the bot otherwise, write `name = "…"` at the top of the file.

W203 = puppet `{ $puppet }` has no setting `{ $key }`
    .cause = `--set` takes KEY=VALUE, where KEY is a setting that the puppet declares.
    .fix = Use one of the puppet's settings; `wechaty puppets` lists them.

W204 = `{ $name }` can be several: { $names }
    .cause = Their names or ids begin so, or are so but for capitals.
    .fix = Write more of it, or the id in brackets.

W205 = the sessions in { $path } are encrypted with another key
    .cause = The `key` of [store] is not the one with which this store was made; or the file is that of another bot.
    .fix = Give the bot the key it had. If that is lost, its logins are, too, and nothing else: stop the bot, take them out with `sqlite3 FILE "DELETE FROM value WHERE namespace GLOB 'session/*'"`, and log in again under the new key.

W206 = the sessions in { $path } are encrypted, and no key is given
    .cause = The store was made with a `key` in [store] of BOT.toml, and that is not there any more, or the bot was started without its BOT.toml.
    .fix = Give the bot the key it had. If that is lost, its logins are, too, and nothing else: stop the bot, take them out with `sqlite3 FILE "DELETE FROM value WHERE namespace GLOB 'session/*'"`, and log in again.

W207 = { $path } seems to be a backup of another bot than `{ $name }`
    .cause = It would replace the store of this bot by that of other accounts, or of others who were logged in; sends that are pending in it would go out again, from here.
    .fix = Check the file and the bot you mean. If it is meant so, add `--yes`.

W208 = { $puppet } does not take these settings
    .cause = The messenger was asked before anything was written, and refused them, or is not where they say.
    .fix = Correct the setting named above; `wechaty puppets` tells where to get it. `--no-check` adds the account without asking.

W209 = nobody knows whether the credentials are good: { $puppet } could not be asked
    .cause = The messenger is asked before anything is written. It could not be reached, or gave no answer that says yes or no; nothing was written.
    .fix = Check the addresses in the settings and the network, then try again. `--no-check` adds the account without asking.

W220 = the gateway cannot be guarded as asked
    .cause = The token cannot be sent by clients, or clients without a token were to be let in from other machines.
    .fix = Make a token with `wechaty token generate`. Use `--allow-anonymous` only where the gateway listens on 127.0.0.1.

W221 = the gateway cannot use TLS
    .cause = A certificate, its key or the authority of this host cannot be read or used.
    .fix = Look at what is said below. Give another certificate with `--tls-cert` and `--tls-key`, or none, so that this host's authority makes one.

W222 = nobody knows where the home folder is
    .cause = The certificate authority of this host lies in the home folder, and neither HOME nor USERPROFILE is set.
    .fix = Set HOME, or give a certificate with `--tls-cert` and `--tls-key`.

W223 = one token is given, and there are { $count } accounts
    .cause = By its token the gateway knows whose client calls, so each account needs its own; `--token` and WECHATY_TOKEN give one.
    .fix = Leave `--token` and WECHATY_TOKEN away, and write a [[doors.gateway.token]] with `account` and `token` for each account into BOT.toml. An account without one gets a new token with each start, which is printed.

W224 = the gateway cannot listen on { $address }
    .cause = Another program listens there, or this one may not.
    .fix = End the other program, or name another address with `--port` or `--listen`.

W225 = `--port { $port }` and `--listen { $listen }` name two ports
    .cause = The gateway listens on one port, and nobody can tell which of the two is meant.
    .fix = Leave one of them out, or name the same port in both.

W210 = the end of { $count ->
    [one] one event ({ $events })
   *[other] { $count } events ({ $events })
  } is not in { $path }
    .cause = Their handlers have run, but until the bot stopped the disk did not let that be written.
    .fix = Make room on the disk or look after it before the next start. The handlers of these events run again then; what they say once more is not sent twice, what they do elsewhere is done twice unless it is in `once`. `wechaty trace` with the number of an event shows it.

W400 = the HTTP host cannot read a request
    .cause = Its head makes no sense, or its body broke off.
    .fix = Send it again; if a program made it, check it against HTTP/1.1.

W403 = the HTTP host does not take this request
    .cause = It names no host, two, or one that this host is not called; or it comes from a page of another origin.
    .fix = Open the host by its own address, or add the name to `hosts` in [http] of BOT.toml.

W404 = there is nothing at this address
    .cause = The HTTP host has nothing there, and no account takes the request.
    .fix = Check the address, and the settings of the account it is meant for.

W405 = this cannot be done with this address
    .cause = The HTTP host has the address, but not for this method.
    .fix = Use a method that the header Allow names.

W408 = a request came too slowly
    .cause = Its body took longer than the time limit of the HTTP host.
    .fix = Send it again, over a better line if there is one.

W413 = a request is too large
    .cause = It is larger than what the account it is meant for takes there.
    .fix = Send less; for files in the web chat, the account's setting `file_limit` can be raised.

W414 = an address is too long
    .cause = The first line of the request is longer than the HTTP host reads.
    .fix = Shorten it.

W420 = This chat needs a token.
    .cause = The account has a token, and who asked showed none, or another one.
    .fix = Open it with the whole address you were given, token included.

W421 = You are not known here, or no longer.
    .cause = The program was started anew, the visitor was away for a day, or made room for others who waited.
    .fix = Join again; the page does so by itself where it can.

W422 = This is not your message.
    .cause = Only who wrote a message can change it or take it back.
    .fix = Ask who wrote it.

W423 = You may not enter this room.
    .cause = The bot removed this visitor from the room.
    .fix = Ask the bot's owner; you are in again when the bot adds you.

W424 = There is nothing here.
    .cause = The web chat has no such page, call or file, or no longer: files go when there are too many.
    .fix = Check the address, or open the chat anew.

W425 = This request makes no sense.
    .cause = The page is older or newer than the program, or the request was made by hand.
    .fix = Reload the page; if it happens again, report it.

W426 = A name has 1 to 40 letters, without control characters.
    .cause = The name of a visitor or of a room is empty, too long, or has characters that no name has.
    .fix = Choose another one.

W427 = A message has 1 to 4,000 characters.
    .cause = The text is empty or too long.
    .fix = Shorten it, or send it in parts.

W428 = You are not in this conversation.
    .cause = The visitor never entered the room, has left it, or it is closed.
    .fix = Enter the room first.

W429 = That was too fast.
    .cause = A visitor sent, or an address joined or guessed the token, more often than the pace allows.
    .fix = Wait a moment.

W430 = This message is no longer there.
    .cause = It was taken back, fell out of the history, or was said where this visitor is not.
    .fix = Write a new one.

W431 = The head of this request is too large.
    .cause = It has too many headers, or too long ones.
    .fix = Send fewer and shorter ones; in a browser, delete the cookies of the address.

W432 = This file is too large.
    .cause = It is larger than the account's setting `file_limit`, or a call larger than any page sends.
    .fix = Send a smaller one.

W433 = That was too much at once.
    .cause = A visitor sent more bytes of files than the pace allows.
    .fix = Wait a moment, then send the rest.

W434 = The chat is full at the moment.
    .cause = There are as many visitors as the account's setting `visitors` allows, and nobody has been away for long.
    .fix = Try again in a minute.

W435 = There are too many rooms at the moment.
    .cause = There are as many rooms as the account's setting `rooms` allows, with people in all of them.
    .fix = Enter one of those there are, or try again in a minute.

W436 = You have made 10 rooms already.
    .cause = The rooms are for everybody, so one visitor makes 10 at most; those that nobody is in do not count.
    .fix = Use one of yours, or leave one that only you are in.

W437 = This message has 20 different reactions already.
    .cause = A message shows no more than that.
    .fix = Choose one that is there.

W438 = The chat cannot do this with this address.
    .cause = The web chat has the address, but not for this method.
    .fix = Reload the page; if it happens again, report it.

W439 = You have chosen already.
    .cause = A card or a menu is answered once; another tab may have done it.
    .fix = Ask the bot again if you want something else.

W440 = The bot is not there at the moment.
    .cause = It is starting or stopping, or its store fails.
    .fix = Try again soon; nothing you wrote is lost.

W500 = a request to the REST door makes no sense
    .cause = It is no JSON, a value of its address is no UTF-8, or a header is malformed.
    .fix = Look at `detail`, and compare the request with /openapi.json.

W501 = a request to the REST door has no good token
    .cause = The header Authorization is missing, is there twice, or holds a token that this bot does not have.
    .fix = Send `Authorization: Bearer TOKEN` with a token of [doors.rest], or the one that was printed at the start.

W502 = the token may not do this
    .cause = It lacks a scope: read, send or admin.
    .fix = Use another token, or add the scope to this one in [doors.rest].

W503 = the HTTP host is busy
    .cause = Very much is being sent at the same time.
    .fix = Send it again in a few seconds.

W504 = an answer took too long
    .cause = An account did not answer a request within the time limit of the HTTP host.
    .fix = Try again soon; if it happens again, look into the log.

W510 = there is no such thing
    .cause = The account does not know a contact, a room, a message, a file or a send by this id or name, or not any more.
    .fix = Look it up in the list; uploads and sends are forgotten after a while.

W511 = a name fits several
    .cause = More than one contact or room is called so.
    .fix = Use one of the ids in `candidates`, or add another part of its name.

W512 = the messenger cannot do this
    .cause = The puppet of the account lacks a capability.
    .fix = See `capabilities` of the account, or `wechaty puppets`, for what it can do.

W513 = nobody is logged in
    .cause = The account is starting, waits for its QR code to be scanned, or has been logged out.
    .fix = Look at GET /login; scan the QR code it shows.

W514 = a value is not what it must be
    .cause = A part of the body, of the query or of the address does not fit.
    .fix = Look at `at` and `detail`, and compare the request with /openapi.json.

W515 = an Idempotency-Key was used for another request
    .cause = The same key came before with another body or another address.
    .fix = Make a new key for each request that is not a repetition.

W516 = a request with this Idempotency-Key is not finished
    .cause = The first one is still being done, or the process ended, or the messenger did not answer, while it was.
    .fix = Ask again soon. If it was cut off, see what it did, and use another key.

W517 = too many requests
    .cause = The token asks faster than `rate` in [doors.rest] allows.
    .fix = Wait as long as Retry-After says, or raise the rate.

W518 = a body is of the wrong media type
    .cause = This operation takes application/json.
    .fix = Send `Content-Type: application/json`.

W519 = the messenger refuses
    .cause = It understood the request and said no.
    .fix = Look at `detail` for its words.

W520 = the messenger cannot be asked
    .cause = It could not be reached, or answered what its puppet does not understand.
    .fix = Look whether it was done before you try again.

W521 = the bot has a fault
    .cause = Something went wrong that should not.
    .fix = Look into the bot's log, and report it.

W522 = the bot cannot take this at the moment
    .cause = It stops, its store fails, or a bound of its memory is reached.
    .fix = Try again in a few seconds; if it goes on, run `wechaty doctor`.

W523 = the bot has several accounts
    .cause = The address does not say which one is meant.
    .fix = Write /api/v1/accounts/ID/… in place of /api/v1/….

W525 = the token is not for this account
    .cause = It is for some accounts only.
    .fix = Use another token, or add the account to this one in [doors.rest].

W526 = a file cannot be had
    .cause = Where it should be it is not, or that address does not answer or is private.
    .fix = Look at `detail`; try again later.

W527 = the messenger is asked too fast
    .cause = It takes no more requests at the moment.
    .fix = Wait as long as Retry-After says.

W528 = nothing is remembered of what is over
    .cause = The bot keeps no records of messages that were received and said.
    .fix = Let it keep some: `records` of [store], in BOT.toml. In Rust: BotBuilder::remember.

W529 = a message holds no such thing
    .cause = It is of another type.
    .fix = Look at `type` of the message.

W530 = there is no room for another upload
    .cause = Files that were uploaded before take as much room as they may, or there are as many as may be.
    .fix = Send what was uploaded, and try again when the oldest have expired; or raise `uploads` or `uploads_mib` in [doors.rest].

W531 = a range is outside of the file
    .cause = What `Range` asks for begins behind its end.
    .fix = Look at Content-Range for its size, and ask for a part inside of it.

W540 = there is no event of this id
    .cause = It is no id of an event, or one that no event has had yet.
    .fix = Send the id of the last event as it was told, in `Last-Event-ID` or `after`; leave it out to begin now, or send 0000000000000000 to begin with the oldest that is here.

W541 = too many listen to the events
    .cause = As many streams, sockets and polls are open as may be, with this token or in all.
    .fix = Close those that nobody reads, or raise `streams` in [doors.rest].

W542 = there is no such type of event
    .cause = `type` names one that there is not.
    .fix = Use the names of Wechaty, such as `message`, `room-join` and `friendship`, separated by commas.

W543 = the webhook is paused
    .cause = It answered 410 Gone, and is told nothing since.
    .fix = See that it is there again, then resume it: POST /api/v1/webhooks/ID/resume.

W544 = a webhook is gone
    .cause = It answered 410 Gone: it wants no more events. It is paused, and what waited for it is a dead letter.
    .fix = Take it out of BOT.toml; or see that it is there again, resume it, and send the dead letters with `wechaty dead-letters retry`.

W545 = what a webhook answered is not understood
    .cause = Its answer is JSON with something in it that nobody knows, or larger than 64 KiB. The event counts as told.
    .fix = Answer with nothing, or with `say`, `quote` and `accept` only.

W546 = too many events wait for a webhook
    .cause = It takes them more slowly than they come, or not at all. Those beyond the bound are not told to it, and counted as rejected.
    .fix = Look at GET /api/v1/webhooks for why. What it missed is in the event log: GET /api/v1/events with `after`.

W547 = this address speaks WebSocket
    .cause = The request does not ask for that protocol, or not in a way that is known.
    .fix = Open it with a WebSocket client; without one, read GET /api/v1/events.
