"""The SDK's long connection: discovery, pings, fragments, acknowledgements, callbacks, reconnection."""
import asyncio
import json
import threading

import lark_oapi as lark
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
from lark_oapi.ws import client as ws_client

from fake import APP, BOT, SECRET, URL, acked, admin, equal, event, true, until
from rest import ask, good, im

TYPES = [
    'im_message_receive_v1', 'im_message_recalled_v1', 'im_message_message_read_v1', 'im_message_reaction_created_v1',
    'im_message_reaction_deleted_v1', 'im_chat_updated_v1', 'im_chat_disbanded_v1', 'im_chat_member_user_added_v1',
    'im_chat_member_user_deleted_v1', 'im_chat_member_user_withdrawn_v1', 'im_chat_member_bot_added_v1',
    'im_chat_member_bot_deleted_v1', 'im_chat_access_event_bot_p2p_chat_entered_v1',
]


class Heard:
    """What the SDK handed to its handlers."""

    def __init__(self):
        self.all = []
        self.fails = 0

    def take(self, data):
        """A handler; it fails as often as it is told to."""
        if self.fails:
            self.fails -= 1
            raise RuntimeError('on purpose')
        self.all.append(data)

    def last(self, event_type):
        """The last of a type."""
        found = [data for data in self.all if data.header.event_type == event_type]
        return found[-1].event if found else None

    def handler(self, key='', token=''):
        """The SDK's dispatcher."""
        builder = lark.EventDispatcherHandler.builder(key, token)
        for name in TYPES:
            getattr(builder, f'register_p2_{name}')(self.take)
        return builder.register_p2_card_action_trigger(pressed).build()


def pressed(data):
    """A button was pressed: a toast, and another card."""
    return P2CardActionTriggerResponse({
        'toast': {'type': 'success', 'content': f'you chose {data.event.action.value["k"]}'},
        'card': {'type': 'raw', 'data': {'elements': [{'tag': 'markdown', 'content': 'done'}]}},
    })


def connected(number=1):
    """So many connections are there."""
    return until(lambda: len(admin('GET', 'connections')) == number)


def over_connection(world):
    """All of it."""
    alice, bob, group = world.alice['open_id'], world.bob['open_id'], world.group

    refusals()
    # What happened before anybody was connected is given up after its tries.
    true('events without a connection are given up', until(lambda: admin('GET', 'book')['unsettled'] == 0))
    heard = Heard()
    client = lark.ws.Client(APP, SECRET, event_handler=heard.handler(), domain=URL)
    threading.Thread(target=client.start, daemon=True).start()
    true('it connects', connected())
    true('it pings at once, and again after the interval it was told',
         until(lambda: [one['pings'] for one in admin('GET', 'connections')] >= [2]))

    says(world, heard)
    redelivers(world, heard)
    for name, act in happenings(world).items():
        act()
        found = acked(name)
        true(f'{name}: acknowledged', found, event(name))
        true(f'{name}: heard', heard.last(name), 'the handler was not called')
    changed = heard.last('im.chat.updated_v1')
    equal('what a chat was and is', (changed.before_change.name, changed.after_change.name), ('Crew', 'New name'))
    equal('who did it', changed.operator_id.open_id, alice)
    added = heard.last('im.chat.member.user.added_v1')
    equal('who came', [one.name for one in added.users], ['小波'])
    reaction = heard.last('im.message.reaction.created_v1')
    equal('who reacted', (reaction.user_id.open_id, reaction.reaction_type.emoji_type), (bob, 'OK'))

    presses(world)
    # Dropped: it comes back by itself, and what was said meanwhile comes then.
    admin('PATCH', 'settings', {'patient': True})
    admin('POST', 'connections', {'action': 'drop'})
    message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': 'while away'})['message_id']
    true('after a drop it is back', acked('im.message.receive_v1', message))
    admin('POST', 'restart', {'down_ms': 300})
    message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': 'after a restart'})['message_id']
    true('after a restart it is back', acked('im.message.receive_v1', message), event('im.message.receive_v1', message))
    stop(client)
    true('it goes', connected(0))
    admin('PATCH', 'settings', {'patient': False})


def stop(client):
    """Ends the SDK's client, which has no stop of its own."""
    client._auto_reconnect = False  # pylint: disable=protected-access
    asyncio.run_coroutine_threadsafe(client._disconnect(), ws_client.loop).result(60)  # pylint: disable=protected-access


def refusals():
    """Discovery and handshakes that are refused."""
    def why(secret=SECRET, app=APP):
        client = lark.ws.Client(app, secret, domain=URL, auto_reconnect=False)
        try:
            return client._get_conn_url() and 0  # pylint: disable=protected-access
        except ws_client.ClientException as error:
            return ('fatal', error.code)
        except ws_client.ServerException as error:
            return ('again', error.code)
    equal('discovery', why(), 0)
    equal('discovery with a wrong secret', why('wrong'), ('fatal', 1000040345))
    for code, kind in ((1, 'again'), (1000040343, 'again'), (403, 'fatal'), (514, 'fatal'), (1000040350, 'fatal')):
        admin('POST', 'faults', {'path': '/callback/ws', 'kind': 'refuse', 'code': code})
        equal(f'discovery refused with {code}', why(), (kind, code))
    admin('PATCH', 'settings', {'connection': {'most': 0}})
    equal('too many connections', why(), ('fatal', 1000040350))
    admin('PATCH', 'settings', {'connection': {'most': 50}})

    async def handshake():
        client = lark.ws.Client(APP, SECRET, domain=URL, auto_reconnect=False)
        try:
            await client._connect()  # pylint: disable=protected-access
            return 0
        except ws_client.ClientException as error:
            return ('fatal', str(error))
        except ws_client.ServerException as error:
            return ('again', str(error))
    for fault, expected in (
            ({'status': 403, 'msg': 'no'}, ('fatal', '403: no')),
            ({'status': 514, 'msg': 'full', 'autherrcode': 1000040350}, ('fatal', '514: full')),
            ({'status': 514, 'msg': 'bad', 'autherrcode': 1}, ('again', '514: bad'))):
        admin('POST', 'faults', {'path': '/ws/v2', 'kind': 'handshake', **fault})
        equal(f'handshake refused with {expected}', ws_client.loop.run_until_complete(handshake()), expected)


def says(world, heard):
    """Messages of every type come in, whole and in fragments of any order."""
    alice, group = world.alice['open_id'], world.group
    kinds = {
        'text': {'text': f'hi <at user_id="{BOT}"></at>'},
        'post': {'content': {'title': 'T', 'content': [[{'tag': 'at', 'user_id': BOT}, {'tag': 'text', 'text': 'x'}]]}},
        'location': {'content': {'name': 'Here', 'longitude': '121.4', 'latitude': '31.2'}},
        'share_user': {'content': {'user_id': alice}},
        'hongbao': {'content': {'text': '恭喜发财'}},
        'merge_forward': {'children': []},
    }
    for fragments in (False, True):
        admin('PATCH', 'settings', {'fragment_bytes': 100 if fragments else 65536, 'shuffle': fragments})
        for msg_type, more in kinds.items():
            name = f'{msg_type}{" in fragments" if fragments else ""}'
            message = admin('POST', 'say', {'from': alice, 'chat': group, 'type': msg_type, **more})['message_id']
            found = acked('im.message.receive_v1', message)
            true(f'{name}: acknowledged', found)
            got = heard.last('im.message.receive_v1')
            equal(f'{name}: which', (got.message.message_id, got.message.message_type, got.message.chat_type),
                  (message, msg_type, 'group'))
            equal(f'{name}: sender', got.sender.sender_id.open_id, alice)
            equal(f'{name}: content', got.message.content, admin('GET', f'messages/{message}')['content'])
            if msg_type in ('text', 'post'):
                equal(f'{name}: mention', [(one.key, one.id.open_id) for one in got.message.mentions], [('@_user_1', BOT)])
            true(f'{name}: the book has the time', found['acked_at'] >= found['time'])
    admin('PATCH', 'settings', {'fragment_bytes': 65536, 'shuffle': False})
    admin('PATCH', 'settings', {'group_messages': 'mentions'})
    silent = admin('POST', 'say', {'from': alice, 'chat': group, 'text': 'not for you'})['message_id']
    loud = admin('POST', 'say', {'from': alice, 'chat': group, 'text': f'<at user_id="{BOT}"></at>'})['message_id']
    true('without the scope a mention comes', acked('im.message.receive_v1', loud))
    equal('and nothing else', event('im.message.receive_v1', silent), None)
    admin('PATCH', 'settings', {'group_messages': 'all'})


def redelivers(world, heard):
    """A handler that fails, and faults on the way."""
    alice, group = world.alice['open_id'], world.group

    def say(text, **fault):
        if fault:
            admin('POST', 'event-faults', fault)
        before = len(heard.all)
        message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': text})['message_id']
        return acked('im.message.receive_v1', message), before
    heard.fails = 1
    found, _ = say('fails once')
    equal('a handler that fails: 500, then again', [one['outcome'] for one in found['attempts']],
          ['the app answered 500', 'acked'])
    found, before = say('lost', kind='ack_lost')
    equal('an acknowledgement that is lost: tries', len(found['attempts']), 2)
    equal('an acknowledgement that is lost: heard twice', len(heard.all) - before, 2)
    found, before = say('twice', kind='repeat')
    true('repeated although acknowledged', until(lambda: len(heard.all) - before == 2))
    found, before = say('renamed', kind='repeat_renamed')
    true('repeated under another id', until(lambda: len(heard.all) - before == 2))
    one, two = heard.all[-2:]
    equal('the same message under both', one.event.message.message_id, two.event.message.message_id)
    true('the ids differ', one.header.event_id != two.header.event_id)
    admin('PATCH', 'settings', {'fragment_bytes': 200, 'ack_ms': 2000})
    found, before = say('a fragment is missing', kind='fragment_lost')
    outcomes = [one['outcome'] for one in found['attempts']]
    # The second one may be late as well.
    equal('a fragment is missing: again', (set(outcomes[:-1]), outcomes[-1]), ({'no acknowledgement in time'}, 'acked'))
    admin('PATCH', 'settings', {'fragment_bytes': 65536, 'ack_ms': 30_000})
    before = len(heard.all)
    found, _ = say('half a frame', kind='truncated')
    equal('half a frame does no harm', len(heard.all) - before, 1)


def happenings(world):
    """What else happens, by the type of its event."""
    alice, bob, group = world.alice['open_id'], world.bob['open_id'], world.group
    mine = admin('POST', 'say', {'from': alice, 'chat': group, 'text': 'oops'})['message_id']
    to_alice = world.send('text', {'text': 'for you'}, alice, 'open_id').data.message_id
    other = admin('POST', 'chats', {'name': 'Other', 'owner': alice, 'bot_in': False})['chat_id']

    def members(chat, **what):
        return lambda: admin('POST', f'chats/{chat}/members', {'by': alice, **what})
    return {
        'im.message.recalled_v1': lambda: admin('POST', 'recall', {'person': alice, 'message_id': mine}),
        'im.message.message_read_v1': lambda: admin('POST', 'read', {'person': alice, 'message_ids': [to_alice]}),
        'im.message.reaction.created_v1': lambda: admin('POST', 'react', {
            'person': bob, 'message_id': world.sent('r'), 'emoji_type': 'OK'}),
        'im.message.reaction.deleted_v1': lambda: admin('POST', 'react', {
            'person': bob, 'message_id': admin('GET', f'sent?chat={group}')[-1]['message_id'], 'emoji_type': 'OK', 'remove': True}),
        'im.chat.updated_v1': lambda: admin('PATCH', f'chats/{group}', {'by': alice, 'name': 'New name'}),
        'im.chat.member.user.deleted_v1': members(group, remove=[bob]),
        'im.chat.member.user.added_v1': members(group, add=[bob]),
        'im.chat.member.bot.added_v1': members(other, bot='add'),
        'im.chat.member.user.withdrawn_v1': lambda: (members(other, add=[bob])(), members(other, withdraw=[bob])()),
        'im.chat.member.bot.deleted_v1': members(other, bot='remove'),
        'im.chat.access_event.bot_p2p_chat_entered_v1': lambda: admin('POST', 'enter', {'person': bob}),
        'im.chat.disbanded_v1': lambda: admin('DELETE', f'chats/{made(world)}', {'by': alice}),
    }


def made(world):
    """A group to be dissolved."""
    return good('a group', ask(im, world.im.chat.create, 'CreateChat', {
        'name': 'Soon gone', 'user_id_list': [world.alice['open_id']]})).chat_id


def presses(world):
    """Buttons call back, and the answer changes the card."""
    card = {'elements': [{'tag': 'action', 'actions': [
        {'tag': 'button', 'text': {'tag': 'plain_text', 'content': label}, 'value': {'k': label}} for label in ('是', '否')]}]}
    sent = world.send('interactive', card).data.message_id
    done = admin('POST', 'click', {'person': world.bob['open_id'], 'message_id': sent, 'button': '否'})
    equal('a press: state', done['state'], 'acked')
    equal('a press: toast', done['answer']['toast'], {'type': 'success', 'content': 'you chose 否'})
    equal('a press: the card is another', json.loads(admin('GET', f'messages/{sent}')['content']),
          {'elements': [{'tag': 'markdown', 'content': 'done'}]})
    wrong = admin('POST', 'click', {'person': world.bob['open_id'], 'message_id': sent, 'button': '否'}, good=False)
    true('no button is left', 'no button' in wrong['error'], wrong)
