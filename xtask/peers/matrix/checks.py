"""Assertions: each is one line of JSON on standard output, the last line counts them."""
import json
import os
import random
import socket
import sys
import time
import traceback

COUNTS = {'passed': 0, 'failed': 0, 'requests': 0}
_SECTION = ['']


def true(name, good, why='it is not'):
    """It holds."""
    COUNTS['passed' if good else 'failed'] += 1
    line = {'assert': f'{_SECTION[0]}: {name}', 'ok': bool(good)}
    if not good:
        line['why'] = str(why)[:900]
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return bool(good)


def equal(name, found, expected):
    """They are equal."""
    return true(name, found == expected, f'found {found!r}, expected {expected!r}')


def holds(name, found, expected):
    """All that is expected is in it, and is that; what else is in it does not count."""
    found = found if isinstance(found, dict) else {'': found}
    return equal(name, {key: found.get(key) for key in expected}, expected)


def until(condition, seconds=90, pause=0.05):
    """What it gives as soon as that is something; else what it gave last."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > end:
            return found
        time.sleep(pause)


def part(name, body, *arguments):
    """One part of the checks; whatever is raised in it is a failure of it, and the next part goes on. Whether it came to its end."""
    _SECTION[0] = name
    began, before, ended = time.monotonic(), COUNTS['passed'], True
    try:
        body(*arguments)
    except Exception:  # pylint: disable=broad-except
        ended = true('it comes to its end', False, traceback.format_exc()[-900:])
    print(f'{name}: {COUNTS["passed"] - before} in {time.monotonic() - began:.1f} s', file=sys.stderr, flush=True)
    return ended


def finish():
    """Prints the counts and ends the process, whatever still runs in it."""
    print(json.dumps(COUNTS), flush=True)
    sys.stderr.flush()
    os._exit(1 if COUNTS['failed'] else 0)


def free_port():
    """A port of loopback that stays free while nobody serves there: the system gives none of these to who connects."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(20_000, 32_000)
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
