"""Assertions of the peers: each is one line of JSON on standard output, the last line counts them.

`better`: the published TypeScript server is known to fail here, ours must not (PEER_REFERENCE=1 says who answers).
"""
import asyncio
import hashlib
import inspect
import json
import os
import sys
import time
import traceback

from grpclib.client import Channel

REFERENCE = os.environ.get('PEER_REFERENCE') == '1'
COUNTS = {'passed': 0, 'failed': 0, 'reported': 0, 'requests': 0}
_section = ''
_request = Channel.request


def _counted(*what, **more):
    COUNTS['requests'] += 1
    return _request(*what, **more)


Channel.request = _counted


def _tell(name, good, is_better, why):
    line = {'assert': f'{_section}: {name}', 'ok': good}
    if is_better:
        line['better'] = True
    if not good:
        line['why'] = why[:600]
    COUNTS['passed' if good else 'reported' if is_better and REFERENCE else 'failed'] += 1
    print(json.dumps(line, ensure_ascii=False), flush=True)


def equal(name, found, expected):
    """They are equal."""
    _tell(name, found == expected, False, f'found {found!r}, expected {expected!r}')


def better(name, found, expected):
    """They are equal, but not on the published server."""
    _tell(name, found == expected, True, f'found {found!r}, expected {expected!r}')


def true(name, found, why='it is not'):
    """It is true."""
    _tell(name, found is True, False, why)


async def outcome(awaitable):
    """What it gives, or its error."""
    try:
        return await awaitable
    except Exception as error:  # pylint: disable=broad-except
        return error


async def part(name, body, seconds=300):
    """One part of the checks; whatever is raised in it is a failure of it, and the next part goes on."""
    global _section
    _section = name
    began = time.monotonic()
    try:
        await asyncio.wait_for(body, seconds)
    except Exception:  # pylint: disable=broad-except
        _tell('it comes to its end', False, False, traceback.format_exc()[-600:])
    print(f'{name}: {time.monotonic() - began:.1f} s', file=sys.stderr)


async def until(condition, seconds=60):
    """Waits until it holds; False when that takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return True
        await asyncio.sleep(0.02)
    return False


def finish():
    """Prints the counts and ends the process, whatever the SDK has left running."""
    print(json.dumps(COUNTS), flush=True)
    os._exit(1 if COUNTS['failed'] else 0)


def content(file):
    """The bytes of a world's `file`."""
    if 'text' in file:
        return file['text'].encode()
    if 'base64' in file:
        import base64
        return base64.b64decode(file['base64'])
    return (bytes(range(251)) * (file['cycle'] // 251 + 1))[:file['cycle']]


def digest(data):
    """How many bytes, and their SHA-256."""
    return len(data), hashlib.sha256(data).hexdigest()
