"""A bot of `wechaty run` on the Matrix puppet: its BOT.toml, its lives, its REST door and what it tells of events."""
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error

from checks import free_port
from people import Refused, http, quoted

# The seconds that the door waits at most.
LONGEST_WAIT = 30
TOKEN = 'rest-7f0c2b6e-3d1a-4b7e-9a55-2c8d4e6f1a3b'

CONFIG = '''version = 1
{name}
[[account]]
id = "m"
puppet = "matrix"
homeserver = "{homeserver}"
user = "{user}"
password = {{ env = "BOT_PASSWORD" }}
{account}
[http]
listen = "127.0.0.1:{port}"
next_free_port = false
[[doors.rest.token]]
token = {{ env = "BOT_TOKEN" }}
scopes = ["read", "send", "admin"]
{more}
'''


class Bot:
    """Lives one after the other of one BOT.toml in a folder."""

    def __init__(self, wechaty, folder, synapse, user, *, name=None, account='', more='', url=None, log='debug'):
        self.wechaty, self.folder, self.user = wechaty, os.path.abspath(folder), user
        self.id, self.port = f'@{user}:localhost', free_port()
        self.process, self.life, self.password, self.logged = None, 0, f'pw-{user}', log
        self.seen, self.last, self.changed = [], '0000000000000000', threading.Condition()
        os.makedirs(self.folder, exist_ok=True)
        config = CONFIG.format(name=f'name = "{name}"' if name else '', homeserver=url or synapse.url, user=user,
                               account=account, port=self.port, more=more)
        with open(os.path.join(self.folder, 'BOT.toml'), 'w', encoding='utf-8') as file:
            file.write(config)
        threading.Thread(target=self._listen, daemon=True).start()

    # Lives

    def environment(self):
        """Nothing that was set for other bots."""
        env = {name: value for name, value in os.environ.items() if not name.startswith('WECHATY')}
        env.update(BOT_PASSWORD=self.password, BOT_TOKEN=TOKEN, WECHATY_LOG=self.logged, HOME=self.folder)
        return env

    def start(self):
        """Begins a life; it may not be there yet when this returns."""
        self.life += 1
        command = [self.wechaty, '--lang', 'en', 'run', '--record', f'record{self.life}.jsonl']
        with open(os.path.join(self.folder, f'bot{self.life}.log'), 'wb') as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def kill(self):
        """Without a word of warning."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds=120):
        """Asks it to end; its exit code, None if it did not."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def alive(self):
        """Whether its process is."""
        return self.process is not None and self.process.poll() is None

    def log(self, lines=25):
        """The end of what this life has printed."""
        if not self.life:
            return 'it has not lived'
        with open(os.path.join(self.folder, f'bot{self.life}.log'), encoding='utf-8', errors='replace') as log:
            return ''.join(log.readlines()[-lines:])

    def account(self):
        """How its account stands, or None."""
        try:
            return self.rest('GET', '/accounts')['items'][0]
        except (OSError, Refused, IndexError):
            return None

    def logged_in(self, seconds=150):
        """Whether it logs in and is ready, in this life."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.alive():
            account = self.account()
            if account and account['state'] == 'logged-in' and account['ready']:
                return True
            time.sleep(0.1)
        return False

    # REST

    def rest(self, method, path, body=None, kind='application/json', seconds=90, key=None):
        """JSON both ways, below `/api/v1`."""
        data = self.raw(method, path, body, kind, seconds, key)
        return json.loads(data) if data else None

    def raw(self, method, path, body=None, kind='application/json', seconds=90, key=None):
        """The bytes of an answer."""
        address = f'http://127.0.0.1:{self.port}/api/v1{path}'
        return http(method, address, TOKEN, body, kind, seconds, {'idempotency-key': key} if key else {})[0]

    def send(self, to, what, wait='sent', key=None, seconds=LONGEST_WAIT):
        """Says something: `to` a room's or a contact's id. What became of it."""
        where = {'contact': to} if to.startswith('@') else {'room': to}
        began = time.monotonic()
        state = self.rest('POST', f'/sends?wait={wait}&timeout={seconds}', {'to': where, **what}, key=key)
        return self.outcome(state, began) if wait == 'sent' and seconds == LONGEST_WAIT else state

    def outcome(self, state, began):
        """What becomes of a send that was not over in all the time that was asked for, which may be too short."""
        end = time.monotonic() + 120
        if time.monotonic() - began < LONGEST_WAIT:
            return state
        while state['state'] == 'queued' and time.monotonic() < end:
            time.sleep(0.2)
            state = self.rest('GET', f'/sends/{state["id"]}')
        return state

    def upload(self, data, name):
        """Keeps a file for a send; what stands for it there."""
        return {'id': self.rest('POST', f'/upload?name={quoted(name)}', data, 'application/octet-stream')['id']}

    def ledger(self):
        """The books by the command, whether it runs or not."""
        done = subprocess.run([self.wechaty, '--lang', 'en', 'ledger', '--json'], cwd=self.folder,
                              env=self.environment(), capture_output=True, check=False, timeout=90)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {'in': {}, 'out': {}, 'why': done.stderr.decode(errors='replace')}

    def recorded(self):
        """What all lives wrote into their records, in order."""
        lines = []
        for life in range(1, self.life + 1):
            with open(os.path.join(self.folder, f'record{life}.jsonl'), encoding='utf-8') as record:
                for line in record:
                    try:
                        lines.append(json.loads(line))
                    except ValueError:
                        pass  # it was killed in the middle of it
        return lines

    # Events

    def _listen(self):
        while True:
            try:
                page = self.rest('GET', f'/events/poll?wait=5&after={self.last}')
            except (OSError, Refused, ValueError, urllib.error.URLError):
                time.sleep(0.1)
                continue
            with self.changed:
                self.last = page['next']
                self.seen += page['events']
                self.changed.notify_all()

    def mark(self):
        """Where the events are now."""
        with self.changed:
            return len(self.seen)

    def tells(self, kind, since=0, seconds=90, **wanted):
        """The payload of the first event of this kind with these members, waited for; None: there is none."""
        def fits(event):
            payload = event['payload']
            return event['type'] == kind and all(payload.get(name) == value for name, value in wanted.items())
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for event in self.seen[since:]:
                    if fits(event):
                        return event['payload']
                left = end - time.monotonic()
                if left <= 0 or not self.alive():
                    return None
                self.changed.wait(min(left, 1))

    def told(self, since=0, kinds=None, own=False):
        """All events since a mark, of these kinds."""
        with self.changed:
            found = [event for event in self.seen[since:] if kinds is None or event['type'] in kinds]
        return [event for event in found if own or not event['payload'].get('self')]
