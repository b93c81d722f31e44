"""The admin door of the fake, and assertions: one line of JSON each."""
import json
import sys
import time
import urllib.error
import urllib.request

URL = sys.argv[1]
BOT = 'ou_b0t00000000000000000000000000001'
APP, SECRET = 'cli_0123456789abcdef', 'fake-secret-0123456789abcdef0123'
COUNTS = {'passed': 0, 'failed': 0}


def true(name, good, why='it is not'):
    """One assertion."""
    COUNTS['passed' if good else 'failed'] += 1
    line = {'assert': f'python: {name}', 'ok': bool(good)}
    if not good:
        line['why'] = str(why)[:600]
    print(json.dumps(line), flush=True)


def equal(name, found, expected):
    """They are equal."""
    true(name, found == expected, f'found {found!r}, expected {expected!r}')


def ended():
    """The counts, and how many calls of the platform the SDK made."""
    requests = sum(admin('GET', 'book')['requests'].values())
    print(json.dumps({**COUNTS, 'requests': requests}), flush=True)


def admin(method, path, body=None, good=True):
    """A call of the admin door."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f'{URL}/admin/{path}', method=method, data=data)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        if good:
            raise RuntimeError(f'{method} {path}: {text}') from error
        return json.loads(text)


def until(look, limit=60):
    """What `look` finds within a time, else nothing."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    return None


def event(event_type, message_id=None):
    """The last event of a type in the book, about a message."""
    found = [one for one in admin('GET', 'events')
             if one['event_type'] == event_type and message_id in (None, one['message_id'])]
    return found[-1] if found else None


def acked(event_type, message_id=None):
    """The same, once it was acknowledged."""
    def look():
        found = event(event_type, message_id)
        return found if found and found['state'] == 'acked' else None
    return until(look)
