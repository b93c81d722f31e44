"""People on a homeserver, by plain HTTP and nothing else: what they do, and what is really there."""
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException

from checks import COUNTS, until

CLIENT = '/_matrix/client/v3'


class Refused(Exception):
    """The server said no."""

    def __init__(self, status, body, what):
        super().__init__(f'{what}: {status} {body}')
        self.status, self.body = status, body


def quoted(part):
    """As a part of a path."""
    return urllib.parse.quote(part, safe='')


def http(method, url, token=None, body=None, kind='application/json', seconds=90, more=None):
    """One request; the bytes and headers of its answer."""
    COUNTS['requests'] += 1
    headers = {'authorization': f'Bearer {token}', **(more or {})} if token else {}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if data is not None:
        headers['content-type'] = kind
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors='replace')
        try:
            text = json.loads(text)
        except ValueError:
            pass
        raise Refused(error.code, text, f'{method} {url}') from error
    except HTTPException as error:
        # It died in the middle of its answer.
        raise ConnectionError(f'{method} {url}: {error!r}') from error


class Person:
    """Somebody with an account, logged in on one device; or with a token that was given."""

    def __init__(self, synapse, name, admin=False, token=None):
        self.url, self.name, self.id = synapse.url, name, f'@{name}:localhost'
        self.password = f'pw-{name}'
        self.since, self.number, self.token = None, 0, token
        self.typing, self.receipts, self.waiting = {}, {}, {}
        if token is None:
            synapse.register(name, self.password, admin)
            login = {'type': 'm.login.password', 'identifier': {'type': 'm.id.user', 'user': name},
                     'password': self.password}
            self.token = self.call('POST', f'{CLIENT}/login', login)['access_token']

    def call(self, method, path, body=None, seconds=90):
        """A request with JSON both ways."""
        return json.loads(http(method, self.url + path, self.token, body, seconds=seconds)[0] or b'{}')

    def room_call(self, method, room, rest, body=None):
        """Below a room's address."""
        return self.call(method, f'{CLIENT}/rooms/{quoted(room)}/{rest}', body)

    # Rooms

    def create(self, name=None, invite=(), **more):
        """Makes a room, and gives its id."""
        body = {'preset': 'private_chat', 'invite': list(invite), **more}
        if name is not None:
            body['name'] = name
        return self.call('POST', f'{CLIENT}/createRoom', body)['room_id']

    def join(self, room):
        """Joins, by id or alias."""
        return self.call('POST', f'{CLIENT}/join/{quoted(room)}', {})['room_id']

    def invite(self, room, who):
        """Invites somebody."""
        self.room_call('POST', room, 'invite', {'user_id': who})

    def kick(self, room, who, reason='out'):
        """Throws somebody out."""
        self.room_call('POST', room, 'kick', {'user_id': who, 'reason': reason})

    def leave(self, room):
        """Leaves."""
        self.room_call('POST', room, 'leave', {})

    def state(self, room, kind, key=''):
        """The content of a state, or None."""
        try:
            return self.room_call('GET', room, f'state/{kind}/{quoted(key)}')
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def set_state(self, room, kind, content, key=''):
        """Sets a state; gives its event."""
        return self.room_call('PUT', room, f'state/{kind}/{quoted(key)}', content)['event_id']

    def membership(self, room, who):
        """`join`, `invite`, `leave`, `ban` or None."""
        return (self.state(room, 'm.room.member', who) or {}).get('membership')

    # Messages

    def send(self, room, content, kind='m.room.message', txn=None):
        """Sends; gives the event's id."""
        self.number += 1
        txn = txn or f'{self.name}-{time.time_ns()}-{self.number}'
        return self.room_call('PUT', room, f'send/{kind}/{txn}', content)['event_id']

    def say(self, room, text, **more):
        """A plain text."""
        return self.send(room, {'msgtype': 'm.text', 'body': text, **more})

    def redact(self, room, event, reason='gone'):
        """Takes an event back."""
        self.number += 1
        txn = f'{self.name}-{time.time_ns()}-{self.number}'
        return self.room_call('PUT', room, f'redact/{quoted(event)}/{txn}', {'reason': reason})['event_id']

    def react(self, room, event, key):
        """An annotation."""
        return self.send(room, {'m.relates_to': {'rel_type': 'm.annotation', 'event_id': event, 'key': key}},
                         'm.reaction')

    def read(self, room, event):
        """A public read receipt."""
        self.room_call('POST', room, f'receipt/m.read/{quoted(event)}', {})

    def types(self, room, on=True):
        """Whether we are typing."""
        self.room_call('PUT', room, f'typing/{quoted(self.id)}', {'typing': on, 'timeout': 10000})

    def upload(self, data, name='file.bin', kind='application/octet-stream'):
        """Gives the content's mxc address."""
        address = f'{self.url}/_matrix/media/v3/upload?filename={quoted(name)}'
        return json.loads(http('POST', address, self.token, data, kind)[0])['content_uri']

    def download(self, mxc):
        """The bytes of a content and their type."""
        address = f'{self.url}/_matrix/client/v1/media/download/{mxc.removeprefix("mxc://")}'
        data, headers = http('GET', address, self.token)
        return data, headers.get('content-type')

    def timeline(self, room):
        """Everything that is in a room, oldest first."""
        found, start = [], ''
        while True:
            page = self.room_call('GET', room, f'messages?dir=f&limit=500{start}')
            found += page['chunk']
            if not page.get('end') or not page['chunk']:
                return found
            start = f'&from={quoted(page["end"])}'

    def said(self, room, who, kind='m.room.message'):
        """What somebody sent into a room, oldest first."""
        return [event for event in self.timeline(room) if event['sender'] == who and event['type'] == kind]

    def hears(self, room, who, text, seconds=90):
        """The event with this text of somebody, waited for."""
        def found():
            same = [event for event in self.said(room, who) if event['content'].get('body') == text]
            return same[-1] if same else None
        return until(found, seconds, 0.1)

    # What is in no timeline

    def sync(self, seconds=0):
        """What is new since the last time; typing, receipts and invitations are noted."""
        query = {'timeout': int(seconds * 1000)}
        if self.since:
            query['since'] = self.since
        answer = self.call('GET', f'{CLIENT}/sync?{urllib.parse.urlencode(query)}')
        self.since = answer['next_batch']
        rooms = answer.get('rooms', {})
        for room, invited in rooms.get('invite', {}).items():
            self.waiting[room] = {(event['type'], event.get('state_key', '')): event
                                  for event in invited['invite_state']['events']}
        for room in (*rooms.get('join', {}), *rooms.get('leave', {})):
            self.waiting.pop(room, None)
        for room, joined in rooms.get('join', {}).items():
            for event in joined.get('ephemeral', {}).get('events', []):
                if event['type'] == 'm.typing':
                    self.typing.setdefault(room, []).append(event['content']['user_ids'])
                if event['type'] == 'm.receipt':
                    for message, kinds in event['content'].items():
                        for who in kinds.get('m.read', {}):
                            self.receipts.setdefault(room, []).append((who, message))
        return answer

    def invited(self, room, seconds=90):
        """The stripped state of an invitation, by kind and key; waited for."""
        return until(lambda: self.invitations().get(room), seconds)

    def invitations(self):
        """All rooms that we are invited to, with their stripped state."""
        # With `since`, for the server gives an equal question the answer of a while ago.
        self.sync()
        return dict(self.waiting)

    def account_data(self, kind, room=None):
        """What is noted under this kind, or None."""
        where = f'rooms/{quoted(room)}/' if room else ''
        try:
            return self.call('GET', f'{CLIENT}/user/{quoted(self.id)}/{where}account_data/{kind}')
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def profile(self, who=None):
        """Name and picture of somebody."""
        return self.call('GET', f'{CLIENT}/profile/{quoted(who or self.id)}')


class Admin(Person):
    """Somebody who may look into accounts of others."""

    def __init__(self, synapse, name='root'):
        super().__init__(synapse, name, admin=True)

    def devices(self, who):
        """The ids of somebody's devices."""
        found = self.call('GET', f'/_synapse/admin/v2/users/{quoted(who)}/devices')
        return sorted(device['device_id'] for device in found['devices'])

    def forget_device(self, who, device):
        """Its token is none any more."""
        self.call('DELETE', f'/_synapse/admin/v2/users/{quoted(who)}/devices/{quoted(device)}')

    def slow(self, who, per_second, burst):
        """Answers somebody with 429 beyond this; 0: not any more."""
        path = f'/_synapse/admin/v1/users/{quoted(who)}/override_ratelimit'
        if per_second:
            self.call('POST', path, {'messages_per_second': per_second, 'burst_count': burst})
        else:
            self.call('DELETE', path)

    def behind(self, synapse, name):
        """The account of somebody, seen without a device of its own."""
        token = self.call('POST', f'/_synapse/admin/v1/users/{quoted(f"@{name}:localhost")}/login', {})['access_token']
        return Person(synapse, name, token=token)


def together(*bodies):
    """Runs them at once; raises what the first of them raised."""
    raised = []

    def run(body):
        try:
            body()
        except Exception as error:  # pylint: disable=broad-except
            raised.append(error)
    threads = [threading.Thread(target=run, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
