"""A webhook of somebody else, with the published package of Standard Webhooks, and the bot that it is told by.

Called with the path of `wechaty`, in a folder of its own. The bot is killed while it tells, and started again; every event
must come, under one id, in the order of its conversation, and every answer must be said once.
"""
import http.server
import json
import os
import secrets
import base64
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from standardwebhooks import Webhook, WebhookVerificationError

WECHATY = sys.argv[1]
PEOPLE = 6
EACH = 12
SECRET = 'whsec_' + base64.b64encode(secrets.token_bytes(32)).decode()
OLD = 'whsec_' + base64.b64encode(secrets.token_bytes(32)).decode()
COUNTS = {'passed': 0, 'failed': 0, 'reported': 0, 'requests': 0}


def true(name, good, why='it is not'):
    """One assertion."""
    COUNTS['passed' if good else 'failed'] += 1
    line = {'assert': f'webhooks: {name}', 'ok': bool(good)}
    if not good:
        line['why'] = str(why)[:600]
    print(json.dumps(line), flush=True)


def equal(name, found, expected):
    """They are equal."""
    true(name, found == expected, f'found {found!r}, expected {expected!r}')


class Book:
    """What came, and how it was answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = {}       # event → webhook ids
        self.tries = {}     # event → how often it came
        self.taken = []     # events in the order of their first good answer
        self.unsigned = 0
        self.gone = 0
        self.events = {}

    def done(self):
        """How many have had a good answer."""
        with self.lock:
            return len(self.taken)


BOOK = Book()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers well, badly, late, not at all."""

    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        """Nothing is printed."""

    def do_POST(self):  # pylint: disable=invalid-name
        """One event."""
        body = self.rfile.read(int(self.headers['content-length']))
        COUNTS['requests'] += 1
        if self.path == '/gone':
            BOOK.gone += 1
            return self.answer(410)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            # Each of both secrets must do, as one takes the place of the other.
            event = Webhook(SECRET).verify(body, headers)
            Webhook(OLD).verify(body, headers)
        except WebhookVerificationError as error:
            BOOK.unsigned += 1
            print(f'not verified: {error}', file=sys.stderr)
            return self.answer(401)
        name = key_of(event)
        with BOOK.lock:
            BOOK.ids.setdefault(name, set()).add(headers['webhook-id'])
            tries = BOOK.tries[name] = BOOK.tries.get(name, 0) + 1
            BOOK.events[name] = event
        number = event['payload'].get('text', '').removeprefix('m')
        kind = int(number) % 8 if number.isdigit() else 7
        if tries == 1 and kind == 0:
            return self.answer(500)
        if tries == 1 and kind == 1:
            return self.answer(429, {'retry-after': '1'})
        if tries == 1 and kind == 2:
            time.sleep(4)  # longer than the bot waits
        reply = b''
        if event['type'] == 'friendship':
            reply = json.dumps({'accept': True, 'say': 'welcome'}).encode()
        elif kind in (3, 4):
            reply = json.dumps({'say': f'reply {number}'}).encode()
        with BOOK.lock:
            # Taken, whatever becomes of the answer.
            if name not in BOOK.taken and not (tries == 1 and kind == 2):
                BOOK.taken.append(name)
        if tries == 1 and kind == 4:
            # It has taken the event, and its answer is lost on the way.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.connection.close()
            self.close_connection = True
            return None
        return self.answer(200, {'content-type': 'application/json'} if reply else {}, reply)

    def answer(self, status, headers=None, body=b''):
        """A whole answer; the bot may have gone by now."""
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header('content-length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class Quiet(http.server.ThreadingHTTPServer):
    """Connections that end do so in silence."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """The bot is killed now and then."""


def key_of(event):
    """Names an event of the platform, whatever the log calls it."""
    return f"{event['type']} {event['payload'].get('id')}"


def world():
    """People who talk for some seconds, and one who wants to be a friend."""
    people = [{'id': f'p{n}', 'name': f'P{n}', 'type': 1, 'friend': True} for n in range(PEOPLE)]
    people += [{'id': 'bot', 'name': 'Bot', 'type': 1}, {'id': 'new', 'name': 'New', 'type': 1, 'friend': False}]
    messages, timeline = [], [{'at': 50, 'event': 'login', 'payload': {'contactId': 'bot'}},
                              {'at': 60, 'event': 'ready', 'payload': {'data': 'ready'}}]
    for n in range(PEOPLE * EACH):
        messages.append({'id': f'msg{n}', 'type': 'Text', 'talkerId': f'p{n % PEOPLE}', 'listenerId': 'bot',
                         'timestamp': 1700000000000 + n * 1000, 'text': f'm{n}'})
        timeline.append({'at': 100 + n * 50, 'event': 'message', 'payload': {'messageId': f'msg{n}'}})
    friends = [{'id': 'f1', 'type': 2, 'contactId': 'new', 'hello': 'hi'}]
    timeline.append({'at': 900, 'event': 'friendship', 'payload': {'friendshipId': 'f1'}})
    timeline.sort(key=lambda event: event['at'])
    return {'version': 1, 'name': 'webhooks', 'self': 'bot', 'contacts': people, 'rooms': [], 'tags': {},
            'friendships': friends, 'roomInvitations': [], 'search': {'phone': {}, 'handle': {}}, 'messages': messages,
            'timeline': timeline, 'features': {'sendReturnsId': True, 'friendship': True}}


def config(port):
    """The bot, without a word of code."""
    return f'''version = 1
name = "hooked"
[[account]]
id = "shop"
puppet = "mock"
world = "world.json"
[http]
listen = "127.0.0.1:0"
[[doors.webhook]]
id = "crm"
url = "http://127.0.0.1:{port}/hook"
secret = [{{ env = "HOOK_SECRET" }}, {{ file = "old.secret" }}]
events = ["message", "friendship"]
timeout = "3s"
[[doors.webhook]]
id = "gone"
url = "http://127.0.0.1:{port}/gone"
secret = {{ env = "HOOK_SECRET" }}
events = ["message"]
'''


def start(life):
    """A life of the bot."""
    log = open(f'bot{life}.log', 'w', encoding='utf-8')  # pylint: disable=consider-using-with
    env = {name: value for name, value in os.environ.items() if not name.startswith('WECHATY')}
    env.update(HOOK_SECRET=SECRET, WECHATY_LOG='info')
    command = [WECHATY, '--lang', 'en', 'run', '--record', f'record{life}.jsonl']
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def until(condition, seconds):
    """Waits until it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def said():
    """What the bot has said to people, by all its records."""
    texts = []
    for name in sorted(os.listdir('.')):
        if name.startswith('record'):
            with open(name, encoding='utf-8') as lines:
                for line in lines:
                    try:
                        send = json.loads(line)
                    except ValueError:
                        continue  # the bot was killed in the middle of it
                    if send['account'] == 'shop':
                        texts.append(send['text'])
    return texts


def ledger():
    """The ledger of the bot, when nothing runs."""
    done = subprocess.run([WECHATY, '--lang', 'en', 'ledger', '--json'], env=dict(os.environ, HOOK_SECRET=SECRET),
                          capture_output=True, check=False, timeout=60)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {'out': {}, 'in': {}, 'why': done.stderr.decode()}


def main():
    """Three lives, two deaths."""
    server = Quiet(('127.0.0.1', 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open('world.json', 'w', encoding='utf-8') as file:
        json.dump(world(), file)
    with open('old.secret', 'w', encoding='utf-8') as file:
        file.write(OLD + '\n')
    with open('BOT.toml', 'w', encoding='utf-8') as file:
        file.write(config(server.server_address[1]))
    whole = PEOPLE * EACH + 1
    for life, count in enumerate([whole // 4, whole // 2]):
        bot = start(life)
        true(f'life {life} tells events', until(lambda count=count: BOOK.done() >= count or bot.poll() is not None, 120)
             and bot.poll() is None, f'{BOOK.done()} of {count}')
        bot.send_signal(signal.SIGKILL)
        bot.wait()
    bot = start(2)
    true('all events come', until(lambda: BOOK.done() >= whole or bot.poll() is not None, 240), f'{BOOK.done()} of {whole}')
    # What was said in the end goes out; the books tell when.
    until(lambda: all(ledger()[side].get('pending') == 0 for side in ('in', 'out')), 120)
    bot.send_signal(signal.SIGTERM)
    try:
        equal('the bot ends well', bot.wait(90), 0)
    except subprocess.TimeoutExpired:
        bot.kill()
        true('the bot ends well', False, 'it does not end')
    check()
    print(json.dumps(COUNTS), flush=True)
    os._exit(1 if COUNTS['failed'] else 0)


def check():
    """What came, and what was said."""
    equal('every request was signed with both secrets', BOOK.unsigned, 0)
    for n in range(PEOPLE * EACH):
        name = f'message msg{n}'
        true(f'msg{n} was told', name in BOOK.taken)
        equal(f'msg{n} has one id', len(BOOK.ids.get(name, ())), 1)
        payload = BOOK.events.get(name, {}).get('payload', {})
        equal(f'msg{n} is whole', (payload.get('text'), payload.get('talkerId'), payload.get('talkerName')),
              (f'm{n}', f'p{n % PEOPLE}', f'P{n % PEOPLE}'))
    true('the friend request was told', 'friendship f1' in BOOK.taken)
    for person in range(PEOPLE):
        order = [name for name in BOOK.taken if name.startswith('message') and int(name[11:]) % PEOPLE == person]
        equal(f'what p{person} said came in its order', order, sorted(order, key=lambda name: int(name[11:])))
    ids = [next(iter(ids)) for ids in BOOK.ids.values() if ids]
    equal('no id has two events', len(set(ids)), len(ids))
    tampered = Webhook(SECRET)
    try:
        tampered.verify(b'{}', {'webhook-id': 'a', 'webhook-timestamp': str(int(time.time())), 'webhook-signature': 'v1,AA=='})
        true('what is not signed is not verified', False)
    except WebhookVerificationError:
        true('what is not signed is not verified', True)
    books, texts = ledger(), said()
    doubt = books['out'].get('maybe_sent', 0)
    missing = 0
    for n in range(PEOPLE * EACH):
        if n % 8 in (3, 4):
            times = texts.count(f'reply {n}')
            true(f'reply {n} is said once', times <= 1, f'{times} times')
            missing += times == 0
    true('what is said by no record is in doubt', missing <= doubt, f'{missing} are missing, {doubt} in doubt')
    true('who is accepted is welcomed', texts.count('welcome') == 1 or doubt > 0, texts)
    true('nobody is told more than was answered', all(t == 'welcome' or t.startswith('reply ') for t in texts), texts)
    equal('the books balance', (books['in'].get('residue'), books['out'].get('residue')), (0, 0))
    equal('nothing waits', (books['in'].get('pending'), books['out'].get('pending')), (0, 0))
    true('who is gone is told nothing more', 1 <= BOOK.gone <= PEOPLE, BOOK.gone)
    true('what it was not told is counted', books['out'].get('rejected', 0) > 0, books['out'])


main()
