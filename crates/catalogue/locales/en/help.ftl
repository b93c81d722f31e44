# `--help`, by the path of names: help-<command>-<argument>.

help = A bot for every messenger; every message is accounted for.
help-lang = Language of what is printed; without it, that of the environment
help-log = How much is logged: silent, error, warn, info, verbose, silly, or a filter such as `wechaty=debug`; without it, warn
help-help = Prints this help
help-version = Prints the version
help-after = Exit codes: 0 done, 1 something failed while running, 2 what was asked makes no sense, 130 Ctrl-C at a question.
    Errors have codes: `wechaty explain CODE` says how one comes about and what to do.
help-usage = Usage: { $usage }
help-heading = { $heading }:
help-commands = Commands
help-command = COMMAND
help-arguments = Arguments
help-options = Options
help-any-options = [OPTIONS]
help-values = { " " }[{ $value }]
help-default = { " " }[without it: { $value }]
help-env = { " " }[environment: { $value }]

help-run = Runs the bot of a BOT.toml, else the demo bot
help-run-bot = The configuration; without it ./BOT.toml if it is there, else the demo bot
help-run-puppet = Which messenger (`wechaty puppets` lists them); without it WECHATY_PUPPET, else the web chat
help-run-listen = Where the web chat and the webhooks are: IP:PORT, IP, localhost:PORT, :PORT or PORT; without an IP this machine alone, 0.0.0.0 for phones in the network too; without it 127.0.0.1:8080 or the next free port. Requests for a name need that name in `hosts` of [http] in BOT.toml
help-run-store = The folder where the bot keeps its files
help-run-world = World file of the puppet mock
help-run-clock = Which clock; virtual plays a world as fast as it can, and ends with it
help-run-record = Writes one JSON line for each message sent
help-run-api = Opens the REST door: JSON over HTTP below /api/v1, a page to try it at /api; its token is WECHATY_API_TOKEN, those of [doors.rest] in BOT.toml, else one that is made and printed
help-run-json = Prints the ledger at the end as JSON: on stdout, with the puppet terminal on stderr

help-gateway = Serves accounts to the Wechaty SDKs of every language, each by its own token
help-gateway-bot = The configuration; without it ./BOT.toml if it is there and no puppet is named
help-gateway-puppet = Which messenger (`wechaty puppets` lists them); without it WECHATY_PUPPET
help-gateway-world = World file of the puppet mock
help-gateway-port = Which port; without it 8788 or the next free one
help-gateway-token = What clients must show: a server name, `_`, and a UUID (`wechaty token generate` makes one); without it WECHATY_TOKEN, else [[doors.gateway.token]] of BOT.toml, else a new one that is printed. For one account alone. Others can read a command line: prefer the variable
help-gateway-listen = Where: IP:PORT, IP, localhost:PORT, :PORT or PORT; without it this machine alone
help-gateway-store = The folder where the bot keeps its files
help-gateway-record = Writes one JSON line for each message sent
help-gateway-no_tls = Speaks without TLS: whoever is on the way reads everything, the token too
help-gateway-tls_cert = A certificate of your own, PEM; without it this host's authority makes one for each name that is asked for
help-gateway-tls_key = The key of that certificate, PEM
help-gateway-allow_anonymous = Lets clients in that show no token, as those in Java do; on this machine only

help-new = Makes a project that compiles and passes its test
help-new-dir = The folder to make; its name becomes the name of the project
help-new-template = What to make: a bot without code, a bot in Rust, a plugin, a puppet
help-new-path = The checkout of Wechaty to depend on; without it the one this program was built from, if it is still there
help-new-git = The repository of Wechaty to depend on instead

help-config = Checks BOT.toml, the file that describes a bot
help-config-check = Tells everything that is wrong with the file, with line, key and what to do
help-config-check-file = The file
help-config-check-json = Prints JSON
help-config-schema = Prints the JSON Schema of the file, for editors

help-account = Lists and adds the accounts of a BOT.toml
help-account-list = Lists the accounts, without their secrets
help-account-list-file = The file
help-account-list-json = Prints JSON
help-account-add = Adds an account: asks for what its messenger needs, and checks it
help-account-add-file = The file; it is made if it is not there. Secrets go into `.env` beside it
help-account-add-puppet = Which messenger (`wechaty puppets` lists them)
help-account-add-id = A name for the account in this bot
help-account-add-name = What the bot of a new file is called; default: like its folder
help-account-add-set = A setting of the messenger; `KEY=-` reads it from standard input, so that it stays out of the history
help-account-add-no_check = Do not ask the messenger whether the credentials are good

help-plugin = Lists and checks plugins, what a bot without code does
help-plugin-list = Lists the plugins of this build, with their settings
help-plugin-list-json = Prints JSON
help-plugin-check = Tells what is wrong with the plugins of the file, and nothing else
help-plugin-check-file = The file

help-puppets = Lists the messengers of this build, what they can do and which settings they need
help-puppets-json = Prints JSON

help-ledger = Tells what came in, what was said and what became of each message, of a bot that runs beside it
help-ledger-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-ledger-store = The folder of the bot's store, if it is elsewhere
help-ledger-json = Prints JSON

help-trace = Says where a message is, and why: each step with its time. In a flood not every message is remembered
help-trace-id = The platform's id, an event (e12), a receipt; the beginning is enough
help-trace-last = The latest message
help-trace-with = With this person or in this conversation; the beginning of the name is enough
help-trace-words = Messages with these words
help-trace-limit = So many messages at most, 1 to 10000
help-trace-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-trace-store = The folder of the bot's store, if it is elsewhere
help-trace-json = Prints JSON

help-dead-letters = Lists sends that failed for good, and decides about them
help-dead-letters-list = Lists them
help-dead-letters-list-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-dead-letters-list-store = The folder of the bot's store, if it is elsewhere
help-dead-letters-list-json = Prints JSON
help-dead-letters-retry = Puts them into the outbox again
help-dead-letters-retry-numbers = Their numbers, as `list` shows them
help-dead-letters-retry-all = All of them
help-dead-letters-retry-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-dead-letters-retry-store = The folder of the bot's store, if it is elsewhere
help-dead-letters-drop = Drops them
help-dead-letters-drop-numbers = Their numbers, as `list` shows them
help-dead-letters-drop-all = All of them
help-dead-letters-drop-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-dead-letters-drop-store = The folder of the bot's store, if it is elsewhere

help-backup = Copies a bot's store into one file, beside the running bot
help-backup-file = The file to make
help-backup-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-backup-store = The folder of the bot's store, if it is elsewhere

help-restore = Puts a backup in the place of a bot's store, while the bot does not run
help-restore-file = The backup
help-restore-force = Replaces a store that is there; it is kept beside it
help-restore-yes = Replaces the store of another bot
help-restore-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-restore-store = The folder of the bot's store, if it is elsewhere

help-forget = Takes what a person said and was told out of the archive and the dead letters, and what handlers keep of them; what is under way stays
help-forget-person = The person's id on the platform
help-forget-account = Only of this account
help-forget-bot = The bot's configuration; without it ./BOT.toml, else the bot that WECHATY_NAME names in this folder
help-forget-store = The folder of the bot's store, if it is elsewhere

help-token = Makes and explains the tokens of the puppet service
help-token-generate = Makes a new token
help-token-generate-sni = The server name that clients check the gateway's certificate for
help-token-inspect = Explains the parts of a token, without showing its secret; asks nobody
help-token-inspect-token = The token; `-` reads it from standard input, so that it stays out of the history
help-token-discover = Asks a third party where a token's gateway is, which sends it the token
help-token-discover-token = The token; `-` reads it from standard input, so that it stays out of the history
help-token-discover-authority = Who is asked, by HTTPS; on this machine also http://127.0.0.1:PORT
help-token-discover-yes = Sends the token without asking first
help-token-discover-json = Prints JSON

help-doctor = Looks for what may stand in a bot's way on this machine; asks nobody outside of it
help-doctor-json = Prints JSON

help-explain = Says how an error comes about and what to do
help-explain-code = The code, such as W101; without it, all codes are listed

help-completions = Prints a script with which a shell completes this command
help-completions-shell = Which shell

help-bench = Measures the SDK on this machine, beside the bare limit
help-bench-core = In memory: puppet, handler, say, puppet
help-bench-core-json = Prints JSON
help-bench-core-seconds = How long each part measures
help-bench-durable = To a file: every event and every send committed
help-bench-durable-json = Prints JSON
help-bench-durable-seconds = How long each part measures
help-bench-gateway = The gateway: calls, events and files, beside a bare gRPC server
help-bench-gateway-json = Prints JSON
help-bench-gateway-seconds = How long each part of a round measures
help-bench-gateway-file = The size of the large file, in MiB
