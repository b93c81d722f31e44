"""An encrypted room, with matrix-nio as the second client: words and pictures both ways, restarts, keys that come late,
emoji that are compared, and a device that is new and opens the backup of keys.

Called with the path of `wechaty`, in a folder of its own.
"""
import asyncio
import base64
import hashlib
import io
import os
import sys
import time

import nio
from nio.crypto import Sas
from nio.crypto.attachments import decrypt_attachment

from bot import Bot
from checks import COUNTS, equal, finish, free_port, holds, part, true, until
from people import Admin, Person, Refused, quoted
from received import PNG, digest
from synapse import Synapse

ACCOUNT = 'e2ee = true\nstore = "keys"\n'
ENCRYPTION = {'type': 'm.room.encryption', 'state_key': '', 'content': {'algorithm': 'm.megolm.v1.aes-sha2'}}


def commitment_holds(sas, key):
    """As the specification has it: nio compares in hex what is told in base64."""
    start = nio.Api.to_canonical_json(sas.start_verification().content)
    told = base64.b64encode(hashlib.sha256((key + start).encode()).digest())
    return sas.commitment == told.decode().rstrip('=')


# And it names the first version of this code, whose base64 is broken, and computes the second.
Sas._mac_normal = 'hkdf-hmac-sha256.v2'  # pylint: disable=protected-access
Sas._mac_v1 = [Sas._mac_normal]  # pylint: disable=protected-access
Sas._check_commitment = commitment_holds  # pylint: disable=protected-access


def emoji_of(numbers):
    """The first six of seven emoji: both are the same bits. What nio itself makes of them is something else."""
    bits = ''.join(f'{number - 1000:013b}' for number in numbers)
    return [Sas.emoji[int(bits[at:at + 6], 2)][0].rstrip('\ufe0f') for at in range(0, 36, 6)]


class Nio:
    """Somebody with the published client."""

    def __init__(self, synapse, name):
        self.name, folder = name, f'nio-{name}'
        os.makedirs(folder, exist_ok=True)
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        self.client = nio.AsyncClient(synapse.url, f'@{name}:localhost', store_path=folder, config=config)
        self.events, self.held, self.cancelled = [], None, []
        self.client.add_to_device_callback(self.cancelled.append, nio.KeyVerificationCancel)
        self.client.add_event_callback(lambda room, event: self.events.append((room.room_id, event)), nio.RoomMessage)
        self.client.add_event_callback(lambda room, event: self.events.append((room.room_id, event)), nio.MegolmEvent)
        self._send = self.client._send  # pylint: disable=protected-access
        self.client._send = self._counted  # pylint: disable=protected-access

    async def _counted(self, response, method, path, data=None, response_data=None, **more):
        COUNTS['requests'] += 1
        if response is nio.ShareGroupSessionResponse and self.held is not None:
            # The key is on its way, and stays there.
            self.held.append((response, method, path, data, response_data))
            return nio.ShareGroupSessionResponse(*response_data)
        return await self._send(response, method, path, data, response_data, **more)

    async def release(self):
        """What was held goes on its way."""
        held, self.held = self.held, None
        for request in held:
            await self._send(*request)
        return len(held)

    async def login(self):
        """Logs in, and has its keys known."""
        await self.client.login(f'pw-{self.name}', device_name='nio')
        await self.sync()

    async def sync(self, milliseconds=0):
        """What is new, and the housekeeping of keys."""
        await self.client.sync(milliseconds, full_state=self.client.next_batch is None)
        await self.client.send_to_device_messages()
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()

    async def send(self, room, content):
        """Sends into an encrypted room; gives the event's id."""
        sent = await self.client.room_send(room, 'm.room.message', content, ignore_unverified_devices=True)
        return sent.event_id

    async def say(self, room, text):
        """A text."""
        return await self.send(room, {'msgtype': 'm.text', 'body': text})

    async def hears(self, fits, seconds=90):
        """The first event of which this holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, event in self.events:
                if fits(event):
                    return event
            await self.sync(500)
        return None

    async def hears_text(self, text, seconds=90):
        """The text of the bot, decrypted."""
        return await self.hears(lambda event: getattr(event, 'body', None) == text and event.sender == '@bot:localhost'
                                and event.decrypted, seconds)

    def device(self, user, name):
        """A device of somebody, as far as we know it."""
        return self.client.device_store[user].get(name)

    async def begins_to_compare(self, user, name, seconds=90):
        """Begins a verification of a device; gives its id and what we show, when it is known."""
        while self.device(user, name) is None and seconds > 0:
            self.client.olm.users_for_key_query.add(user)
            await self.sync(500)
            seconds -= 1
        message = self.client.create_key_verification(self.device(user, name))
        await self.client.to_device(message)
        number, end = message.content['transaction_id'], time.monotonic() + seconds
        while time.monotonic() < end:
            await self.sync(500)
            sas = self.client.key_verifications.get(number)
            if sas and sas.established_sas:
                return number, sas
        raise RuntimeError(f'no keys came: {sas and (sas.state, sas.cancel_code)}')

    async def image(self, room, data, name):
        """An encrypted picture."""
        stored, keys = await self.client.upload(io.BytesIO(data), 'image/png', name, encrypt=True, filesize=len(data))
        file = {'url': stored.content_uri, 'v': 'v2', **{key: keys[key] for key in ('key', 'iv', 'hashes')}}
        info = {'mimetype': 'image/png', 'size': len(data)}
        return await self.send(room, {'msgtype': 'm.image', 'body': name, 'info': info, 'file': file})


class Stage:
    """A server, the bot, Erin, and somebody who sees what the server sees."""

    def __init__(self, wechaty):
        self.synapse = Synapse('synapse', free_port()).start()
        self.admin = Admin(self.synapse)
        self.synapse.register('bot', 'pw-bot')
        more = '[[plugin]]\nuse = "ding-dong"\n'
        self.wechaty, self.others = wechaty, []
        self.bot = self.life_of('bot', 'key_backup = true\n', more)
        self.synapse.register('erin', 'pw-erin')
        self.erin = Nio(self.synapse, 'erin')
        self.loop = asyncio.new_event_loop()
        self.room = self.seen = self.words = None

    def life_of(self, name, account, more=''):
        """The same account with a store of its own, and so with another device."""
        bot = Bot(self.wechaty, name, self.synapse, 'bot', name=f'sealed-{name}', account=ACCOUNT + account, more=more)
        self.others.append(bot)
        return bot

    def heir(self, name, recovery):
        """Another device of the bot's account, with this recovery key."""
        heir = self.life_of(name, 'recovery_key = { file = "recovery" }\n')
        with open(os.path.join(heir.folder, 'recovery'), 'w', encoding='utf-8') as file:
            file.write(recovery + '\n')
        return heir.start()

    def do(self, what):
        """Waits for something of the other client."""
        return self.loop.run_until_complete(asyncio.wait_for(what, 200))

    def keys(self):
        """The keys of the bot's devices."""
        found = self.seen.call('POST', '/_matrix/client/v3/keys/query', {'device_keys': {self.bot.id: []}})
        return {name: device['keys'] for name, device in found['device_keys'].get(self.bot.id, {}).items()}


def begins(stage):
    """A room that is encrypted from its first word."""
    bot, erin = stage.bot, stage.erin
    bot.start()
    if not true('it logs in', bot.logged_in(), bot.log()):
        raise RuntimeError('there is nobody to talk to')
    stage.do(erin.login())
    stage.seen = Person(stage.synapse, 'erin', token=erin.client.access_token)
    true('the bot has keys of its device', until(lambda: len(stage.keys()) == 1), stage.keys())
    stage.before = (stage.admin.devices(bot.id), stage.keys())
    stage.room = stage.seen.create('Sealed', [bot.id], initial_state=[ENCRYPTION])
    told = bot.tells('room-invite', topic='Sealed') or bot.tells('room-invite', seconds=0)
    true('the invitation is told', told, bot.log())
    bot.rest('PUT', f'/room-invitations/{quoted(told["id"])}/accept')
    true('it joins', until(lambda: stage.seen.membership(stage.room, bot.id) == 'join'))
    stage.do(erin.sync(500))


def words(stage):
    """Texts both ways, of which the server sees nothing."""
    bot, erin, room = stage.bot, stage.erin, stage.room
    event = stage.words = stage.do(erin.say(room, 'the secret word is 芝麻'))
    told = bot.tells('message', id=event, text='the secret word is 芝麻')
    holds('what she says is told', told, {'talkerId': '@erin:localhost', 'type': 7, 'conversation': {'room': room}})
    equal('it is told once', len([one for one in bot.told(0, ['message']) if one['payload']['id'] == event]), 1)
    stage.do(erin.say(room, 'ding'))
    true('it answers, and she can read it', stage.do(erin.hears_text('dong')) is not None, bot.log())
    state = bot.send(room, {'text': 'nobody else reads this: 开门'})
    equal('it says something', state['state'], 'sent')
    true('and she reads it', stage.do(erin.hears_text('nobody else reads this: 开门')) is not None, bot.log())
    plain = [one for one in stage.seen.timeline(room) if one['type'] == 'm.room.message']
    equal('the server has no plain message', plain, [])
    sealed = [one['event_id'] for one in stage.seen.timeline(room) if one['type'] == 'm.room.encrypted']
    true('but sealed ones', len(sealed) == 4 and state['messageId'] in sealed, sealed)


def compares(stage):
    """Emoji are compared: by the owner's other device they are the same, by Erin they are not."""
    bot, erin = stage.bot, stage.erin
    own = next(iter(stage.keys()))
    owner = Nio(stage.synapse, 'bot')
    stage.do(owner.login())

    def asked(who):
        number, sas = stage.do(who.begins_to_compare(bot.id, own))
        name = f'{who.client.user_id} {number}'
        told = bot.tells('verify-code', id=name)
        if not true('the bot asks', told, bot.log()):
            raise RuntimeError('nothing is asked')
        numbers = sas.get_decimals()
        true('both show the same numbers', ' '.join(map(str, numbers)) in told['message'], (numbers, told))
        places = [told['message'].find(emoji) for emoji in emoji_of(numbers)]
        true('and the emoji that are these numbers', -1 not in places, (emoji_of(numbers), told))
        true('who asks is told', who.client.user_id in told['message'], told)
        return number, name, sas

    number, name, sas = asked(owner)
    mark = bot.mark()
    bot.rest('PUT', '/login/answer', {'id': name, 'code': 'perhaps'})
    true('what is neither yes nor no is asked again', bot.tells('verify-code', mark, id=name, wrong=True), bot.log())
    true('and is no yes', not sas.verified and not owner.device(bot.id, own).verified)
    bot.rest('PUT', '/login/answer', {'id': name, 'code': 'yes'})
    stage.do(owner.client.confirm_short_auth_string(number))
    true('the device is verified', until(lambda: stage.do(owner.sync(300)) or owner.device(bot.id, own).verified), sas.state)
    done = bot.tells('scan', mark)
    if true('the bot tells it', done, bot.log()):
        holds('as confirmed', done, {'status': 4})
    stage.do(owner.client.logout())
    stage.do(owner.client.close())

    _, name, sas = asked(erin)
    mark = bot.mark()
    bot.rest('PUT', '/login/answer', {'id': name, 'code': 'no'})
    until(lambda: stage.do(erin.sync(300)) or sas.canceled)
    equal('she is told that they differ', [event.code for event in erin.cancelled], ['m.mismatched_sas'])
    true('nothing is verified', not erin.device(bot.id, own).verified)
    holds('the bot tells it', bot.tells('scan', mark), {'status': 1})
    try:
        bot.rest('PUT', '/login/answer', {'id': name, 'code': 'yes'})
        true('what is over takes no answer', False)
    except Refused as refused:
        equal('what is over takes no answer', refused.status, 404)


def pictures(stage):
    """Pictures both ways."""
    bot, erin, room = stage.bot, stage.erin, stage.room
    data = PNG + os.urandom(2 << 20)
    event = stage.do(erin.image(room, data, 'hers.png'))
    told = bot.tells('message', id=event, type=6)
    holds('her picture is told', told, {'filename': 'hers.png'})
    equal('its bytes', digest(bot.raw('GET', f'/message/{quoted(event)}/file')), digest(data))
    stage.image, stage.data = event, data
    data = PNG + os.urandom(3 << 20)
    equal('it sends one', bot.send(room, {'image': bot.upload(data, 'its.png')})['state'], 'sent')
    got = stage.do(erin.hears(lambda one: isinstance(one, nio.RoomEncryptedImage) and one.sender == bot.id))
    if true('she gets it', got is not None, bot.log()):
        stored, _ = stage.seen.download(got.url)
        true('the server cannot read it', PNG not in stored)
        equal('its bytes', digest(decrypt_attachment(stored, got.key['k'], got.hashes['sha256'], got.iv)), digest(data))
        equal('it tells its kind', got.mimetype, 'image/png')


def comes_back(stage):
    """Killed and started again: the same device, the same keys, and what was said meanwhile."""
    bot, erin, room = stage.bot, stage.erin, stage.room
    bot.kill()
    events = [stage.do(erin.say(room, f'while you were gone {n}')) for n in range(15)]
    bot.start()
    true('it comes back', bot.logged_in(), bot.log())
    for n in (0, 14):
        true(f'what was said meanwhile is told, {n}', bot.tells('message', id=events[n], text=f'while you were gone {n}'),
             bot.log())
    told = [one['payload']['id'] for one in bot.told(0, ['message']) if one['payload']['id'] in events]
    equal('all of it, once and in order', told, events)
    equal('it is the same device', stage.admin.devices(bot.id), stage.before[0])
    equal('with the same keys', stage.keys(), stage.before[1])
    equal('an old picture can still be opened', digest(bot.raw('GET', f'/message/{quoted(stage.image)}/file')),
          digest(stage.data))
    bot.send(room, {'text': 'back again'})
    true('and she reads what it says', stage.do(erin.hears_text('back again')) is not None, bot.log())


def late(stage):
    """A key that comes after its message."""
    bot, erin, room = stage.bot, stage.erin, stage.room
    other = stage.seen.create('Open', [bot.id])
    told = bot.tells('room-invite', topic='Open')
    bot.rest('PUT', f'/room-invitations/{quoted(told["id"])}/accept')
    until(lambda: stage.seen.membership(other, bot.id) == 'join')
    erin.client.invalidate_outbound_session(room)
    erin.held, mark = [], bot.mark()
    event = stage.do(erin.say(room, 'read this later'))
    second = stage.do(erin.say(room, 'ding'))
    stage.seen.say(other, 'ding')
    true('other rooms do not wait for the key', stage.seen.hears(other, bot.id, 'dong'), bot.log())
    early = [one for one in bot.told(mark, ['message']) if one['payload']['id'] in (event, second)]
    equal('nothing of it is made up', [one for one in early if one['payload'].get('text') in ('read this later', 'ding')], [])
    answered = len([one for _, one in erin.events if getattr(one, 'body', None) == 'dong'])
    true('its key was held', stage.do(erin.release()) > 0)
    true('with its key the message is told', bot.tells('message', mark, id=event, text='read this later'), bot.log())
    true('and what came behind it', bot.tells('message', mark, id=second, text='ding'), bot.log())
    until(lambda: stage.do(erin.sync(200)) or
          len([one for _, one in erin.events if getattr(one, 'body', None) == 'dong']) > answered)
    equal('it is answered once', len([one for _, one in erin.events if getattr(one, 'body', None) == 'dong']), answered + 1)


def heirs(stage):
    """Another device of the account: with the recovery key it reads what was said before it was there."""
    bot, old = stage.bot, stage.words
    first = set(stage.keys())
    equal('the first one ends', bot.stop(), 0)
    account = stage.admin.behind(stage.synapse, 'bot')
    backup = account.call('GET', '/_matrix/client/v3/room_keys/version')
    true('the server keeps a backup', backup.get('count', 0) >= 1, backup)
    kept = os.path.join(bot.folder, 'keys', 'recovery-key-' + bot.id.replace(':', '%3A'))
    equal('nobody else reads its recovery key', oct(os.stat(kept).st_mode & 0o777), '0o600')
    with open(kept, encoding='utf-8') as file:
        recovery = file.read().strip()
    wrong = 'EsTj 3yST y93F SLpB jJsz eAXc 2XzA ygD3 w69H fGaN TKBj jXEd'

    def text(heir):
        return heir.rest('GET', f'/message/{quoted(old)}').get('text')

    stranger = stage.heir('stranger', wrong)
    true('who has another key logs in', stranger.logged_in(), stranger.log())
    told = stranger.tells('error')
    true('and is told that it is wrong', told and 'recovery_key does not open it' in str(told), told)
    equal('what was said is not to be read', text(stranger), None)
    stranger.stop()
    heir = stage.heir('heir', recovery)
    true('who has the key logs in', heir.logged_in(), heir.log())
    equal('nothing is wrong', heir.told(0, ['error']), [])
    equal('what was said before it was there is read', text(heir), 'the secret word is 芝麻')
    found = stage.seen.call('POST', '/_matrix/client/v3/keys/query', {'device_keys': {bot.id: []}})
    signing = set(found['self_signing_keys'][bot.id]['keys'])
    signed = {name for name, device in found['device_keys'][bot.id].items()
              if signing & set(device['signatures'][bot.id])}
    equal('the account vouches for the first device and for this one, and not for the other', len(signed), 2)
    true('the first is one of them', first <= signed, (first, signed))
    equal('it ends well', heir.stop(), 0)
    clear = [other.folder for other in stage.others if recovery in other.log(10 ** 6) or wrong in other.log(10 ** 6)]
    equal('no log has a key', clear, [])


def ends(stage):
    """The books."""
    bot = stage.bot
    ledger = bot.ledger()
    holds('the book of what came', ledger['in'], {'residue': 0, 'pending': 0})
    holds('the book of what was said', ledger['out'], {'residue': 0, 'pending': 0, 'maybe_sent': 0})
    clear = [name for name in ('the secret word is', 'nobody else reads this') if name in bot.log(10 ** 6)]
    equal('no log has its words', clear, [])
    stage.do(stage.erin.client.close())


PARTS = (('begins', begins), ('words', words), ('compares', compares), ('pictures', pictures), ('comes back', comes_back),
         ('late', late), ('heirs', heirs), ('ends', ends))


def main():
    """All of it."""
    stage = Stage(sys.argv[1])
    try:
        for name, body in PARTS:
            if not part(f'encrypted: {name}', body, stage) and body is begins:
                break
    finally:
        for bot in stage.others:
            bot.kill()
        stage.synapse.kill()
    finish()


main()
