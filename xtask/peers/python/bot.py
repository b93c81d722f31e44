"""A bot of the published Python SDK, as its users write them: plaintext, the token as `:authority`.

python bot.py WORLD, with WECHATY_PUPPET_SERVICE_TOKEN and WECHATY_PUPPET_SERVICE_ENDPOINT: checks that everything it is
told is as in the world file.
"""
import asyncio
import base64
import json
import logging
import os
import random
import socket
import sys
import tempfile

os.environ.setdefault('WECHATY_LOG', 'error')
# The SDK writes its logs and its cache where it is started.
os.chdir(tempfile.mkdtemp(prefix='wechaty-peer-'))
WORLD = json.load(open(sys.argv[1], encoding='utf-8'))

# Python 3.11 takes no default of a data class that is a data class and cannot be hashed: `WechatyOptions` has one.
from wechaty_puppet import PuppetOptions  # noqa: E402
PuppetOptions.__hash__ = object.__hash__
from wechaty import FileBox, UrlLink, Wechaty, WechatyOptions  # noqa: E402
from wechaty_puppet import MessageType, MiniProgramPayload, PayloadType, UrlLinkPayload  # noqa: E402

from check import REFERENCE, better, content, digest, equal, finish, outcome, part, true, until  # noqa: E402

logging.disable(logging.CRITICAL)

KINDS = {'Attachment': MessageType.MESSAGE_TYPE_ATTACHMENT, 'Audio': MessageType.MESSAGE_TYPE_AUDIO,
         'Contact': MessageType.MESSAGE_TYPE_CONTACT, 'Emoticon': MessageType.MESSAGE_TYPE_EMOTICON,
         'Image': MessageType.MESSAGE_TYPE_IMAGE, 'Text': MessageType.MESSAGE_TYPE_TEXT,
         'Location': MessageType.MESSAGE_TYPE_LOCATION, 'MiniProgram': MessageType.MESSAGE_TYPE_MINI_PROGRAM,
         'RedEnvelope': MessageType.MESSAGE_TYPE_RED_ENVELOPE, 'Recalled': MessageType.MESSAGE_TYPE_RECALLED,
         'Url': MessageType.MESSAGE_TYPE_URL, 'Video': MessageType.MESSAGE_TYPE_VIDEO}
EVENTS = ['scan', 'login', 'logout', 'ready', 'message', 'friendship', 'room-invite', 'room-join', 'room-leave',
          'room-topic', 'error', 'dong']
FILES = ('Attachment', 'Emoticon', 'Image', 'Video', 'Audio')
# More bytes than this do not fit into one message.
INLINE = 2_000_000
# What is more than this comes by id from the published server, and this SDK does not know ids.
SMALL = 20_480


def happenings(event):
    return [entry['payload'] for entry in WORLD['timeline'] if entry['event'] == event]


def by_id(kind, key):
    return next(one for one in WORLD[kind] if one['id'] == key)


def ids(contacts):
    return sorted(one.contact_id for one in contacts)


def free_port():
    """One that the system gives nobody who connects."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(20_000, 32_000)
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port


class Peer:
    """The bot and what it has heard."""

    def __init__(self):
        self.heard = {event: [] for event in EVENTS}
        # The SDK has a web server for plugins.
        self.bot = Wechaty(WechatyOptions(host='127.0.0.1', port=free_port()))
        for event in EVENTS:
            self.bot.on(event, lambda *what, event=event: self.heard[event].append(what))
        self.running = None

    async def start(self):
        # It returns when the events end.
        self.running = asyncio.ensure_future(self.bot.start())

    async def find(self, key):
        contact = self.bot.Contact.load(key)
        await contact.ready()
        return contact

    async def room(self, key):
        room = self.bot.Room.load(key)
        room.payload = None
        await room.ready()
        return room

    def played(self):
        wanted = ['scan', 'login', 'ready', 'message', 'friendship', 'room-invite', 'room-join', 'room-leave', 'room-topic']
        return all(len(self.heard[event]) >= len(happenings(event)) for event in wanted)

    # Received ---------------------------------------------------------------------------------------------------------

    async def check_start(self):
        await self.start()
        true('the timeline is played', await until(self.played, 120), str({key: len(value) for key, value in self.heard.items()}))
        equal('scans', [(code, status.value) for code, status, *_ in self.heard['scan']],
              [(one['qrcode'], one['status']) for one in happenings('scan')])
        equal('login', [user.contact_id for user, in self.heard['login']], [WORLD['self']])
        equal('its name', self.heard['login'][0][0].name, by_id('contacts', WORLD['self'])['name'])
        equal('self', self.bot.user_self().contact_id, WORLD['self'])
        equal('ready', len(self.heard['ready']), 1)

    async def check_events(self):
        for event, who in (('room-join', 'inviteeIdList'), ('room-leave', 'removeeIdList')):
            for at, (wanted, (room, people, by, date)) in enumerate(zip(happenings(event), self.heard[event])):
                equal(f'{event} {at}', (room.room_id, ids(people), by.contact_id, round(date.timestamp() * 1000)),
                      (wanted['roomId'], sorted(wanted[who]), wanted.get('inviterId', wanted.get('removerId')), wanted['timestamp']))
        for at, (wanted, (room, new, old, changer, date)) in enumerate(zip(happenings('room-topic'), self.heard['room-topic'])):
            equal(f'room-topic {at}', (room.room_id, new, old, changer.contact_id, round(date.timestamp() * 1000)),
                  (wanted['roomId'], wanted['newTopic'], wanted['oldTopic'], wanted['changerId'], wanted['timestamp']))
        for wanted in happenings('error'):
            better(f'error {wanted["data"]}', await until(lambda: any(wanted['data'] in str(one[0].data) for one in self.heard['error']), 5 if REFERENCE else 60), True)
        # The SDK asks for each before it tells it, so one may overtake another.
        friendships = {one.friendship_id: one for one, in self.heard['friendship']}
        for wanted in happenings('friendship'):
            scripted = by_id('friendships', wanted['friendshipId'])
            told = friendships[scripted['id']]
            equal(f'friendship {scripted["id"]}', (told.friendship_id, int(told.type()), told.hello(), told.contact().contact_id),
                  (scripted['id'], scripted['type'], scripted['hello'], scripted['contactId']))
        invitations = {one.invitation_id: one for one, in self.heard['room-invite']}
        for wanted in happenings('room-invite'):
            scripted = by_id('roomInvitations', wanted['roomInvitationId'])
            told = invitations[scripted['id']]
            equal('invitation', told.invitation_id, scripted['id'])
            answer = await self.bot.puppet.puppet_stub.room_invitation_payload(id=scripted['id'])
            equal('invitation: its payload', (answer.inviter_id, answer.topic, answer.member_count, sorted(answer.member_ids), answer.timestamp),
                  (scripted['inviterId'], scripted['topic'], scripted['memberCount'], sorted(scripted['memberIdList']), scripted['timestamp']))

    async def check_messages(self):
        told = {message.message_id: message for message, in self.heard['message']}
        scripted = [by_id('messages', one['messageId']) for one in happenings('message')]
        equal('each once', sorted(message.message_id for message, in self.heard['message']), sorted(one['id'] for one in scripted))
        for wanted in scripted:
            message, name = told[wanted['id']], wanted['id']
            equal(f'{name}: type', message.type(), KINDS[wanted['type']])
            equal(f'{name}: text', message.text(), wanted.get('text', ''))
            equal(f'{name}: talker', (message.talker().contact_id, message.talker().name),
                  (wanted['talkerId'], by_id('contacts', wanted['talkerId'])['name']))
            room, to = message.room(), message.to()
            equal(f'{name}: to', (room and room.room_id, to.contact_id or None if to else None), (wanted.get('roomId'), wanted.get('listenerId')))
            equal(f'{name}: time in ms', message.payload.timestamp, wanted['timestamp'])
            equal(f'{name}: of ours', message.is_self(), wanted['talkerId'] == WORLD['self'])
            if 'mentionIdList' in wanted:
                equal(f'{name}: mentions', ids(await message.mention_list()), sorted(wanted['mentionIdList']))
                equal(f'{name}: mentions us', await message.mention_self(), WORLD['self'] in wanted['mentionIdList'])

    async def check_contents(self):
        for message, in list(self.heard['message']):
            wanted = by_id('messages', message.message_id)
            if wanted['type'] in FILES and len(content(wanted['file'])) <= INLINE:
                held = content(wanted['file'])
                box = await outcome(message.to_file_box())
                found = (box.name, digest(base64.b64decode(box.base64))) if isinstance(box, FileBox) else box
                (better if len(held) > SMALL else equal)(f'{message.message_id}: file', found, (wanted['file']['name'], digest(held)))
            elif wanted['type'] in FILES:
                true(f'{message.message_id}: too large, an error', isinstance(await outcome(message.to_file_box()), Exception))
            elif wanted['type'] == 'Contact':
                equal(f'{message.message_id}: contact', (await message.to_contact()).contact_id, wanted['contactId'])
            elif wanted['type'] == 'Url':
                link = await message.to_url_link()
                equal(f'{message.message_id}: link', {'title': link.title, 'url': link.url, 'description': link.description,
                                                     'thumbnailUrl': link.thumbnailUrl}, wanted['url'])
            elif wanted['type'] == 'MiniProgram':
                payload = (await message.to_mini_program()).payload
                equal(f'{message.message_id}: mini program', {key: getattr(payload, key) for key in wanted['miniProgram']}, wanted['miniProgram'])

    async def check_contacts(self):
        equal('all', ids(await self.bot.Contact.find_all()), sorted(one['id'] for one in WORLD['contacts']))
        for wanted in WORLD['contacts']:
            one, name = await self.find(wanted['id']), wanted['id']
            equal(f'{name}: name', one.name, wanted['name'])
            equal(f'{name}: who', (int(one.gender()), int(one.type()), one.is_friend()), (wanted['gender'], wanted['type'], wanted['friend']))
            payload = one.payload
            equal(f'{name}: the rest', (payload.alias, payload.star, payload.city, payload.province, payload.signature, payload.weixin, payload.avatar, payload.address),
                  (wanted.get('alias', ''), wanted.get('star', False), *(wanted.get(key, '') for key in ('city', 'province', 'signature', 'weixin', 'avatar', 'address'))))
            avatar = await outcome(one.avatar())
            found = (avatar.name, base64.b64decode(avatar.base64)) if isinstance(avatar, FileBox) else avatar
            better(f'{name}: avatar', found, (f'{name}.txt', f'avatar of {name}'.encode()))
        friend = next(one for one in WORLD['contacts'] if one.get('alias'))
        plain = next(one for one in WORLD['contacts'] if one['friend'] and not one.get('alias'))
        better('alias of whom has one', await outcome(self.bot.puppet.contact_alias(friend['id'])), friend['alias'])
        better('alias of whom has none', await outcome(self.bot.puppet.contact_alias(plain['id'])), '')
        true('an unknown one: an error', isinstance(await outcome(self.bot.puppet.contact_payload('no-such-id')), Exception))
        for wanted in WORLD['contacts']:
            tags = sorted(tag for tag, tagged in WORLD['tags'].items() if wanted['id'] in tagged)
            found = sorted(tag.tag_id for tag in await (await self.find(wanted['id'])).tags())
            (better if tags else equal)(f'{wanted["id"]}: tags', found, tags)
        equal('all tags', sorted(await self.bot.puppet.tag_contact_list()), sorted(WORLD['tags']))

    async def check_rooms(self):
        rooms = await self.bot.Room.find_all()
        equal('all', sorted(room.room_id for room in rooms), sorted(one['id'] for one in WORLD['rooms']))
        for wanted in WORLD['rooms']:
            room, name = await self.room(wanted['id']), wanted['id']
            topics = [one['newTopic'] for one in happenings('room-topic') if one['roomId'] == name]
            equal(f'{name}: topic', await room.topic(), (topics or [wanted['topic']])[-1])
            members = set(wanted['memberIdList'])
            for entry in WORLD['timeline']:
                if entry['payload'].get('roomId') == name:
                    members |= set(entry['payload'].get('inviteeIdList', []))
                    members -= set(entry['payload'].get('removeeIdList', []))
            equal(f'{name}: members', ids(await room.member_list()), sorted(members))
            equal(f'{name}: owner', (await room.owner()).contact_id, wanted['ownerId'])
            equal(f'{name}: admins', list(room.payload.admin_ids), wanted['adminIdList'])
            for who in sorted(members):
                equal(f'{name}: alias of {who}', await room.alias(await self.find(who)), wanted['roomAliases'].get(who, ''))
            equal(f'{name}: has', await room.has(await self.find(sorted(members)[0])), True)
            (better if wanted['announce'] else equal)(f'{name}: announcement', await room.announce(), wanted['announce'])
        true('QR code without an id: an error', isinstance(await outcome(self.bot.puppet.puppet_stub.room_qr_code()), Exception))

    # Sent -------------------------------------------------------------------------------------------------------------

    async def check_say(self):
        friend, other = [await self.find(one['id']) for one in WORLD['contacts'] if one['friend'] and one['type'] == 1][:2]
        room = await self.room(WORLD['rooms'][0]['id'])

        def went(name, message, kind, to=friend):
            true(f'{name}: has an id', isinstance(message.message_id, str) and message.message_id != '')
            equal(f'{name}: type', message.type(), KINDS[kind])
            in_room = message.room()
            equal(f'{name}: from and to', (message.talker().contact_id, in_room.room_id if in_room else message.to().contact_id),
                  (WORLD['self'], getattr(to, 'room_id', None) or to.contact_id))

        for text in ('from Python 来自 🐍\n"quoted"', 'y' * 5000):
            said = await friend.say(text)
            went(text[:8], said, 'Text')
            equal(f'{text[:8]}: text', said.text(), text)
            true(f'{text[:8]}: it comes back', await until(lambda said=said: any(one.message_id == said.message_id for one, in self.heard['message'])))
        mention = await room.say('look', mention_ids=[friend.contact_id, other.contact_id])
        went('mention', mention, 'Text', room)
        equal('mention: who', ids(await mention.mention_list()), ids([friend, other]))
        true('mention: text', mention.text().startswith('@') and mention.text().endswith(' look'), mention.text())
        answered = next(one for one, in self.heard['message'] if one.room() and not one.is_self())
        went('answer', await answered.say('an answer'), 'Text', answered.room())

        for name, data in (('便条.txt', 'small 小'.encode()), ('middle.bin', content({'cycle': 300_000}))):
            said = await friend.say(FileBox.from_base64(base64.b64encode(data), name))
            went(name, said, 'Attachment')
            back = await outcome(said.to_file_box())
            found = (back.name, digest(base64.b64decode(back.base64))) if isinstance(back, FileBox) else back
            (better if len(data) > SMALL else equal)(f'{name}: read back', found, (name, digest(data)))
        with open('from a file.bin', 'wb') as file:
            file.write(content({'cycle': 9_001}))
        went('a file', await room.say(FileBox.from_file('from a file.bin')), 'Attachment', room)
        code = await friend.say(FileBox.from_qr_code('https://example.invalid/code'))
        true('QR code: has an id', isinstance(code.message_id, str) and code.message_id != '')
        if WORLD['features'].get('acceptUrlFile'):
            url = await outcome(friend.say(FileBox.from_url('https://example.invalid/a.txt', 'a.txt')))
            better('URL: taken without being fetched', isinstance(getattr(url, 'message_id', None), str), True)

        card = await friend.say(other)
        went('contact', card, 'Contact')
        equal('contact: who', (await card.to_contact()).contact_id, other.contact_id)
        link = await friend.say(UrlLink(UrlLinkPayload(url='https://example.invalid/py', title='Python & 蟒', description=None, thumbnailUrl=None)))
        went('link', link, 'Url')
        back = await link.to_url_link()
        equal('link: read back', (back.url, back.title), ('https://example.invalid/py', 'Python & 蟒'))
        wanted = {'appid': 'gh_py', 'title': '蟒', 'pagePath': 'pages/p', 'description': 'd', 'username': 'u@app'}
        mini = await room.say(self.bot.MiniProgram(MiniProgramPayload(**wanted)))
        went('mini program', mini, 'MiniProgram', room)
        payload = (await mini.to_mini_program()).payload
        equal('mini program: read back', {key: getattr(payload, key) for key in wanted}, wanted)

        said = await friend.say('never mind')
        equal('recall', await said.recall(), True)
        equal('recall, a second time', await said.recall(), False)
        before = {one.message_id for one, in self.heard['message']}
        text = next(one for one, in self.heard['message'] if one.message_id == next(m['id'] for m in WORLD['messages'] if m['type'] == 'Text'))
        await text.forward(other)
        true('forward: it comes back', await until(lambda: any(
            one.message_id not in before and one.text() == text.text() and one.to() and one.to().contact_id == other.contact_id
            for one, in self.heard['message'])))
        true('to nobody: an error', isinstance(await outcome(self.bot.puppet.message_send_text('no-such-id', '?')), Exception))

    # Changed ----------------------------------------------------------------------------------------------------------

    async def check_changes(self):
        puppet = self.bot.puppet
        friend = await self.find(next(one['id'] for one in WORLD['contacts'] if one.get('alias')))
        await friend.alias('蛇 alias')
        better('alias', (await puppet.contact_payload(friend.contact_id)).alias, '蛇 alias')
        better('alias, asked for', await outcome(puppet.contact_alias(friend.contact_id)), '蛇 alias')
        await outcome(friend.alias(''))
        better('alias, cleared', (await puppet.contact_payload(friend.contact_id)).alias, '')
        me = self.bot.user_self()
        await me.set_name('Keeper 三')
        equal('own name', me.name, 'Keeper 三')
        true('own QR code', len(await me.qr_code()) > 0)

        await puppet.tag_contact_add('python', friend.contact_id)
        equal('tag', 'python' in await puppet.tag_contact_list(), True)
        better('tag of whom', 'python' in await puppet.tag_contact_list(friend.contact_id), True)
        await puppet.tag_contact_remove('python', friend.contact_id)
        equal('tag, removed', 'python' in await puppet.tag_contact_list(friend.contact_id), False)
        await puppet.tag_contact_delete('python')
        equal('tag, deleted', 'python' in await puppet.tag_contact_list(), False)

        request = next(one for one, in self.heard['friendship'] if int(one.type()) == 2)
        await request.accept()
        equal('a request, accepted', (await puppet.contact_payload(request.contact().contact_id)).friend, True)
        stranger = next(one['id'] for one in WORLD['contacts'] if not one['friend'] and one['id'] not in (WORLD['self'], request.contact().contact_id))
        await self.bot.Friendship.add(await self.find(stranger), 'hello')
        equal('a friend, added', (await puppet.contact_payload(stranger)).friend, True)
        for key, name in (('weixin', 'handle'), ('phone', 'phone')):
            for text, who in WORLD['search'][name].items():
                found = await outcome(self.bot.Friendship.search(**{key: text}))
                better(f'search {text}', getattr(found, 'contact_id', found), who)
            equal(f'search for nobody by {name}', await self.bot.Friendship.search(**{key: 'nobody at all'}), None)

    async def check_room_changes(self):
        puppet = self.bot.puppet
        people = [await self.find(one['id']) for one in WORLD['contacts'] if one['friend'] and one['type'] == 1][:3]
        room = await self.bot.Room.create(people[:2], '蟒 room')
        payload = await puppet.room_payload(room.room_id)
        equal('created', (payload.topic, sorted(payload.member_ids), payload.owner_id), ('蟒 room', sorted([WORLD['self'], *ids(people[:2])]), WORLD['self']))
        await room.topic('renamed')
        better('topic', (await puppet.room_payload(room.room_id)).topic, 'renamed')
        await room.announce('hear ye 听')
        better('announcement', await room.announce(), 'hear ye 听')
        await room.add(people[2])
        equal('added', people[2].contact_id in await puppet.room_members(room.room_id), True)
        await room.delete(people[0])
        equal('removed', people[0].contact_id in await puppet.room_members(room.room_id), False)
        await room.quit()
        equal('quit', room.room_id in await puppet.room_list(), False)
        before = set(await puppet.room_list())
        joins = len(self.heard['room-join'])
        wanted = WORLD['roomInvitations'][0]
        await puppet.room_invitation_accept(wanted['id'])
        true('an invitation, accepted: we join', await until(lambda: len(self.heard['room-join']) > joins))
        joined, invitees, inviter, _ = self.heard['room-join'][-1]
        equal('who and by whom', (ids(invitees), inviter.contact_id), ([WORLD['self']], wanted['inviterId']))
        equal('a new room', (joined.room_id in before, (await puppet.room_payload(joined.room_id)).topic), (False, wanted['topic']))

    async def check_end(self):
        await self.bot.puppet.ding('还在吗')
        true('dong', await until(lambda: ('还在吗',) in self.heard['dong']), str(self.heard['dong']))
        await self.bot.puppet.dirty_payload(PayloadType.PAYLOAD_TYPE_CONTACT, 'some-id')
        # When the event overtakes the answer, the SDK's own `logout` raises: that is harmless.
        await outcome(self.bot.puppet.logout())
        true('logout', await until(lambda: len(self.heard['logout']) > 0))
        equal('logout: who', self.heard['logout'][0][0].contact_id, WORLD['self'])
        equal('stop', await outcome(self.bot.stop()), None)
        # The SDK closes its connection at once: when that overtakes the end of the stream, it would start again in a minute.
        self.running.cancel()

    async def check_again(self):
        await self.start()
        # This SDK drops messages whose ids it has seen in this process.
        true('login and ready', await until(lambda: self.heard['login'] and self.heard['ready'] and len(self.heard['room-topic']) > 0))
        equal('login', [user.contact_id for user, in self.heard['login']], [WORLD['self']])
        # Contacts of one process belong to its first bot.
        puppet = self.bot.puppet
        said = await puppet.message_send_text(next(one['id'] for one in WORLD['contacts'] if one['friend']), 'back again')
        equal('something is said', (await puppet.message_payload(said)).text, 'back again')
        await self.bot.stop()


async def main():
    peer = Peer()
    await part('start', peer.check_start())
    await part('events', peer.check_events())
    await part('messages', peer.check_messages())
    await part('contents', peer.check_contents())
    await part('contacts', peer.check_contacts())
    await part('rooms', peer.check_rooms())
    await part('say', peer.check_say())
    await part('changes', peer.check_changes())
    await part('rooms, changed', peer.check_room_changes())
    await part('ding, logout, stop', peer.check_end())
    # A bot of this SDK starts once: its scheduler refuses to start again.
    await part('start again', Peer().check_again())
    finish()


asyncio.run(main())
