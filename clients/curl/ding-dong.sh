#!/usr/bin/env bash
# Answers `ding` with `dong`, with curl alone: hears the bot's events, and says through its REST door.
#
#   WECHATY_API_TOKEN=… WECHATY_API=http://127.0.0.1:8080 ./ding-dong.sh
set -euo pipefail

api="${WECHATY_API:-http://127.0.0.1:8080}/api/v1"
token="${WECHATY_API_TOKEN:?set it to a token of the bot with the scopes read and send}"
last=

# The token goes in through a pipe: in an argument everybody on this machine could read it.
call() {
  curl --silent --show-error --fail-with-body --config <(printf 'header = "Authorization: Bearer %s"\n' "$token") "$@"
}

text='"text":"ding"'
ours='"self":true'
where='"conversation":(\{"(contact|room)":"([^"\\]|\\.)*"\})'
account='"account":"([A-Za-z0-9._-]+)"'
number='"id":"([0-9A-Za-z]+)"'

hear() {
  local line
  while IFS= read -r line; do
    line="${line%$'\r'}"
    [[ "$line" == 'data: {'*'"type":"message"'* ]] || continue
    [[ "$line" =~ $number ]] && last="${BASH_REMATCH[1]}"
    [[ "$line" == *"$text"* && "$line" != *"$ours"* && "$line" =~ $where ]] || continue
    local to="${BASH_REMATCH[1]}"
    [[ "$line" =~ $account ]] || continue
    echo "ding in $to"
    # The key makes it one dong, however often this event is heard.
    call --request POST "$api/accounts/${BASH_REMATCH[1]}/sends?wait=sent" --header 'Content-Type: application/json' \
      --header "Idempotency-Key: dong-$last" --data "{\"to\":$to,\"text\":\"dong\"}" || echo 'no dong' >&2
    echo
  done
}

# A stream that ends is opened again where it ended.
while true; do
  hear < <(call --no-buffer ${last:+--header "Last-Event-ID: $last"} "$api/events?type=message") || echo 'the stream ended' >&2
  sleep 1
done
