"""Calls of the platform with the SDK's typed requests."""
import base64
import io
import json
import threading
import time
import uuid

import lark_oapi as lark
from lark_oapi.api import cardkit, contact, docx, im
from lark_oapi.core.token import TokenManager

from fake import APP, BOT, SECRET, URL, admin, equal, true, until

PNG = bytes.fromhex('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489'
                    '0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082')


class World:
    """People, a group, and the SDK's client."""

    def __init__(self):
        def person(name, **more):
            return admin('POST', 'people', {'name': name, **more})
        self.alice = person('Alice', mobile='+8613800000001', email='alice@example.com', departments=['0', 'od-1'])
        self.bob = person('小波', en_name='Bob', mobile='+8613800000002', email='bob@example.com')
        self.carol = person('Carol', hidden=True)
        members = [self.alice['open_id'], self.bob['open_id']]
        self.group = admin('POST', 'chats', {'name': 'Crew', 'owner': members[0], 'members': members})['chat_id']
        self.client = lark.Client.builder().app_id(APP).app_secret(SECRET).domain(URL).build()
        self.im = self.client.im.v1

    def send(self, msg_type, content, to=None, kind='chat_id', uuid=None):
        """Sends; gives the SDK's answer."""
        body = {'receive_id': to or self.group, 'msg_type': msg_type, 'content': json.dumps(content), 'uuid': uuid}
        return ask(im, self.im.message.create, 'CreateMessage', body, receive_id_type=kind)

    def sent(self, text='hello'):
        """Sends a text; gives its id."""
        return self.send('text', {'text': text}).data.message_id


def ask(module, call, name, body=None, **fields):
    """A call with its request built by the SDK's own builder."""
    names = getattr(module, 'v3' if module is contact else 'v1')
    builder = getattr(names, f'{name}Request').builder()
    for field, value in fields.items():
        getattr(builder, field)(value)
    if body is not None:
        builder.request_body(getattr(names, f'{name}RequestBody')(body))
    return call(builder.build())


def forget_token():
    """The SDK's cache of tokens is emptied."""
    TokenManager.cache.set(f'self_tenant_token:{APP}', '', 0)


def good(name, answer):
    """The SDK takes it for a success; gives its data."""
    true(f'{name}: success', answer.success(), f'{answer.code} {answer.msg}')
    return getattr(answer, 'data', None)


def refused(name, answer, code, status=400):
    """It is refused so, with a log id."""
    equal(f'{name}: code', answer.code, code)
    equal(f'{name}: status', answer.raw.status_code, status)
    true(f'{name}: log id', bool(answer.get_log_id()), answer.raw.headers)


def tokens(world):
    """Tokens are kept, refused, and made anew."""
    request = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri('/open-apis/bot/v3/info') \
        .token_types({lark.AccessTokenType.TENANT}).build()
    answer = world.client.request(request)
    good('bot info', answer)
    equal('bot info: open id', json.loads(answer.raw.content)['bot']['open_id'], BOT)
    made = admin('GET', 'book')['tokens']
    forget_token()
    good('a second token', world.client.request(request))
    equal('the same token comes back while it lives', admin('GET', 'book')['tokens'], made)
    admin('POST', 'tokens/expire')
    refused('an expired token', world.client.request(request), 99991663)
    forget_token()
    good('after a new token', world.client.request(request))
    equal('another token was made', admin('GET', 'book')['tokens'], made + 1)
    for app_id, secret, code in ((APP, 'wrong', 10014), ('cli_ffffffffffffffff', SECRET, 10003)):
        stranger = lark.Client.builder().app_id(app_id).app_secret(secret).domain(URL).build()
        forget_token()
        try:
            stranger.request(request)
            true(f'credentials {code}', False, 'they were taken')
        except Exception as error:  # pylint: disable=broad-except
            equal(f'credentials {code}', getattr(error, 'code', None), code)
    plain = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri('/open-apis/bot/v3/info').build()
    refused('without a token', world.client.request(plain), 99991661)


def sends(world):
    """Every type that can be sent, to every kind of address."""
    alice = world.alice
    for kind in ('open_id', 'union_id', 'user_id', 'email'):
        data = good(f'text by {kind}', world.send('text', {'text': f'by {kind}'}, alice[kind], kind))
        equal(f'text by {kind}: sender', (data.sender.id, data.sender.id_type, data.sender.sender_type), (APP, 'app_id', 'app'))
    p2p = data.chat_id
    equal('one chat for all of them', admin('GET', f'chats/{p2p}')['with'], alice['open_id'])
    text = f'hi <at user_id="{alice["open_id"]}">Alice</at> and <at user_id="all"></at>'
    data = good('mentions', world.send('text', {'text': text}))
    equal('mentions: text', json.loads(data.body.content), {'text': 'hi @_user_1 and @_all'})
    equal('mentions: who', [(one.key, one.id, one.name) for one in data.mentions], [('@_user_1', alice['open_id'], 'Alice')])
    image = upload_image(world).image_key
    files = {kind: upload_file(world, kind).file_key for kind in ('opus', 'mp4', 'stream')}
    post = {'zh_cn': {'title': '题', 'content': [
        [{'tag': 'text', 'text': 'see '}, {'tag': 'a', 'text': 'here', 'href': 'https://example.com'},
         {'tag': 'at', 'user_id': world.bob['open_id']}],
        [{'tag': 'img', 'image_key': image}], [{'tag': 'md', 'text': '**bold**'}], [{'tag': 'hr'}]]}}
    data = good('post', world.send('post', post))
    equal('post: without its locale', sorted(json.loads(data.body.content)), ['content', 'title'])
    equal('post: mention', json.loads(data.body.content)['content'][0][2]['user_id'], '@_user_1')
    card = {'header': {'title': {'tag': 'plain_text', 'content': 'Vote'}}, 'elements': [
        {'tag': 'action', 'actions': [{'tag': 'button', 'text': {'tag': 'plain_text', 'content': 'Yes'}, 'value': {'k': 'y'}}]}]}
    card_2 = {'schema': '2.0', 'body': {'elements': [{'tag': 'markdown', 'content': 'hi'}]}}
    contents = {
        'image': {'image_key': image}, 'audio': {'file_key': files['opus']}, 'file': {'file_key': files['stream']},
        'media': {'file_key': files['mp4'], 'image_key': image}, 'share_chat': {'chat_id': world.group},
        'share_user': {'user_id': alice['open_id']}, 'interactive': card,
    }
    for msg_type, content in contents.items():
        data = good(msg_type, world.send(msg_type, content))
        equal(f'{msg_type}: content', json.loads(data.body.content), content)
    good('a card of schema 2.0', world.send('interactive', card_2))
    refused('a film as a file', world.send('file', {'file_key': files['mp4']}), 230055)
    refused('an image of nobody', world.send('image', {'image_key': 'img_v3_none'}), 230001)
    refused('a card of nothing', world.send('interactive', {}), 230099)
    refused('a card with old parts in schema 2.0', world.send('interactive', {'schema': '2.0', 'body': {'elements': [
        {'tag': 'action'}]}}), 230099)
    refused('a long text', world.send('text', {'text': 'x' * 160000}), 230025)
    refused('a long card', world.send('interactive', {**card, 'x': 'x' * 31000}), 230025)
    refused('to nobody', world.send('text', {'text': 'x'}, 'ou_none', 'open_id'), 230034)
    refused('to somebody out of reach', world.send('text', {'text': 'x'}, world.carol['open_id'], 'open_id'), 230013)
    refused('an address of no kind', world.send('text', {'text': 'x'}, kind='phone'), 99992402)
    first = good('with a key', world.send('text', {'text': 'once'}, uuid='key-1'))
    second = good('with the same key', world.send('text', {'text': 'twice'}, uuid='key-1'))
    equal('one message for one key', second.message_id, first.message_id)
    kept = admin('GET', f'messages/{first.message_id}')
    equal('the book knows the key', (kept['uuid'], kept['again'], kept['raw']), ('key-1', 1, '{"text": "once"}'))
    refused('a long key', world.send('text', {'text': 'x'}, uuid='k' * 51), 99992402)


def changes(world):
    """Replies, edits, recalls, forwards, lists."""
    first = world.sent('first')
    body = {'msg_type': 'text', 'content': '{"text":"re"}', 'uuid': 'r1'}
    reply = good('reply', ask(im, world.im.message.reply, 'ReplyMessage', body, message_id=first))
    equal('reply: parent and root', (reply.parent_id, reply.root_id), (first, first))
    deeper = good('reply to a reply', ask(im, world.im.message.reply, 'ReplyMessage', {
        'msg_type': 'text', 'content': '{"text":"rere"}', 'reply_in_thread': True}, message_id=reply.message_id))
    equal('reply to a reply: root', (deeper.parent_id, deeper.root_id), (reply.message_id, first))
    true('reply in a thread', (deeper.thread_id or '').startswith('omt_'), deeper.thread_id)
    in_thread = good('list of a thread', ask(im, world.im.message.list, 'ListMessage', container_id_type='thread',
                                             container_id=deeper.thread_id))
    true('list of a thread: it is in', deeper.message_id in [one.message_id for one in in_thread.items])

    def edit(number):
        return ask(im, world.im.message.update, 'UpdateMessage', {
            'msg_type': 'text', 'content': json.dumps({'text': f'edit {number}'})}, message_id=first)
    for number in range(20):
        last = edit(number)
    equal('edit: text', json.loads(good('20 edits', last).body.content), {'text': 'edit 19'})
    refused('the 21st edit', edit(20), 230072)
    equal('edit: the book has all', len(admin('GET', f'messages/{first}')['edits']), 20)

    got = good('get', ask(im, world.im.message.get, 'GetMessage', message_id=first)).items[0]
    equal('get: updated', (got.updated, got.deleted, got.chat_id), (True, False, world.group))
    to_bob = {'receive_id': world.bob['open_id']}
    forwards = [good('forward', ask(im, world.im.message.forward, 'ForwardMessage', to_bob, message_id=first,
                                    receive_id_type='open_id', uuid='f1')) for _ in range(2)]
    equal('forward: its key is in the query', forwards[0].message_id, forwards[1].message_id)
    equal('forward: content', json.loads(forwards[0].body.content), {'text': 'edit 19'})
    merged = good('merge', ask(im, world.im.message.merge_forward, 'MergeForwardMessage', {
        **to_bob, 'message_id_list': [first, reply.message_id, 'om_none']}, receive_id_type='open_id', uuid='m1'))
    equal('merge: content', merged.message.body.content, 'Merged and Forwarded Message')
    equal('merge: who is not there', merged.invalid_message_id_list, ['om_none'])
    whole = good('get merged', ask(im, world.im.message.get, 'GetMessage', message_id=merged.message.message_id)).items
    equal('get merged: children', [one.message_id for one in whole[1:]], [first, reply.message_id])
    equal('get merged: their parent', {one.upper_message_id for one in whole[1:]}, {merged.message.message_id})

    card = {'elements': [{'tag': 'markdown', 'content': 'one'}]}
    sent = world.send('interactive', card).data.message_id
    card['elements'][0]['content'] = 'two'
    good('patch', ask(im, world.im.message.patch, 'PatchMessage', {'content': json.dumps(card)}, message_id=sent))
    equal('patch: it is the new one', json.loads(admin('GET', f'messages/{sent}')['content']), card)
    refused('patch a text', ask(im, world.im.message.patch, 'PatchMessage', {'content': json.dumps(card)}, message_id=first), 230001)
    good('recall', ask(im, world.im.message.delete, 'DeleteMessage', message_id=sent))
    refused('recall twice', ask(im, world.im.message.delete, 'DeleteMessage', message_id=sent), 230011)
    gone = good('get a recalled one', ask(im, world.im.message.get, 'GetMessage', message_id=sent)).items[0]
    equal('it is deleted', gone.deleted, True)
    said = admin('POST', 'say', {'from': world.alice['open_id'], 'chat': world.group, 'text': 'mine'})['message_id']
    refused("recall somebody else's", ask(im, world.im.message.delete, 'DeleteMessage', message_id=said), 230026)
    refused("edit somebody else's", ask(im, world.im.message.update, 'UpdateMessage', {
        'msg_type': 'text', 'content': '{"text":"x"}'}, message_id=said), 230071)
    seen, token = [], None
    while True:
        more = {'page_token': token} if token else {}
        page = good('a page of messages', ask(im, world.im.message.list, 'ListMessage', container_id_type='chat',
                                               container_id=world.group, page_size=10, sort_type='ByCreateTimeDesc', **more))
        seen += [one.message_id for one in page.items]
        token = page.page_token
        if not page.has_more:
            break
    equal('list: newest first, each once', seen, sorted(set(seen), reverse=True))
    true('list: all are there', {first, reply.message_id, said} <= set(seen))


def reactions(world):
    """Reactions, pins, readers."""
    message = world.sent('react to me')
    made = good('react', ask(im, world.im.message_reaction.create, 'CreateMessageReaction', {
        'reaction_type': {'emoji_type': 'THUMBSUP'}}, message_id=message))
    equal('react: who', (made.operator.operator_id, made.operator.operator_type), (APP, 'app'))
    theirs = admin('POST', 'react', {'person': world.bob['open_id'], 'message_id': message, 'emoji_type': 'HEART'})
    found = good('reactions', ask(im, world.im.message_reaction.list, 'ListMessageReaction', message_id=message)).items
    equal('reactions: both', [one.reaction_type.emoji_type for one in found], ['THUMBSUP', 'HEART'])
    refused('no such emoji', ask(im, world.im.message_reaction.create, 'CreateMessageReaction', {
        'reaction_type': {'emoji_type': 'NOPE'}}, message_id=message), 231001)
    refused("take back another's", ask(im, world.im.message_reaction.delete, 'DeleteMessageReaction', message_id=message,
                                        reaction_id=theirs['reaction_id']), 231007)
    good('take back', ask(im, world.im.message_reaction.delete, 'DeleteMessageReaction', message_id=message,
                          reaction_id=made.reaction_id))
    left = good('what is left', ask(im, world.im.message_reaction.list, 'ListMessageReaction', message_id=message)).items
    equal('what is left is theirs', [one.operator.operator_id for one in left], [world.bob['open_id']])
    pin = good('pin', ask(im, world.im.pin.create, 'CreatePin', {'message_id': message})).pin
    equal('pin: which', (pin.message_id, pin.chat_id, pin.operator_id_type), (message, world.group, 'app_id'))
    pins = good('pins', ask(im, world.im.pin.list, 'ListPin', chat_id=world.group)).items
    equal('pins: one', [one.message_id for one in pins], [message])
    good('unpin', ask(im, world.im.pin.delete, 'DeletePin', message_id=message))
    equal('pins: none', good('pins', ask(im, world.im.pin.list, 'ListPin', chat_id=world.group)).items, [])
    admin('POST', 'read', {'person': world.bob['open_id'], 'message_ids': [message]})
    read = good('read users', ask(im, world.im.message.read_users, 'ReadUsersMessage', message_id=message,
                                   user_id_type='open_id')).items
    equal('read users: bob', [(one.user_id, one.user_id_type) for one in read], [(world.bob['open_id'], 'open_id')])


def upload_image(world, data=PNG, image_type='message'):
    """Sends up an image."""
    return ask(im, world.im.image.create, 'CreateImage', {'image_type': image_type, 'image': io.BytesIO(data)}).data


def upload_file(world, file_type, data=b'some bytes\r\n--x\0', name='报告.txt'):
    """Sends up a file."""
    return ask(im, world.im.file.create, 'CreateFile', {
        'file_type': file_type, 'file_name': name, 'duration': '1500', 'file': io.BytesIO(data)}).data


def media(world):
    """Media both ways."""
    key = upload_image(world).image_key
    got = ask(im, world.im.image.get, 'GetImage', image_key=key)
    equal('image: back', got.file.read(), PNG)
    file_key = upload_file(world, 'pdf').file_key
    kept = admin('GET', 'state')['media'][file_key]
    equal('file: name and duration', (kept['name'], kept['duration'], kept['kind']), ('报告.txt', 1500, 'pdf'))
    equal('file: back', ask(im, world.im.file.get, 'GetFile', file_key=file_key).file.read(), b'some bytes\r\n--x\0')
    for size, code in ((0, 234010), (30 * 1024 * 1024 + 1, 234006)):
        answer = ask(im, world.im.file.create, 'CreateFile', {
            'file_type': 'stream', 'file_name': 'x', 'file': io.BytesIO(bytes(size))})
        refused(f'a file of {size} bytes', answer, code)
    answer = ask(im, world.im.image.create, 'CreateImage', {'image_type': 'message', 'image': io.BytesIO(PNG + bytes(10 * 1024 * 1024))})
    refused('an image of 10 MB and more', answer, 234006)
    data = base64.b64encode(PNG).decode()
    said = admin('POST', 'say', {'from': world.alice['open_id'], 'chat': world.group, 'type': 'image', 'bytes': data})
    content = json.loads(admin('GET', f'messages/{said["message_id"]}')['content'])
    got = ask(im, world.im.message_resource.get, 'GetMessageResource', message_id=said['message_id'],
              file_key=content['image_key'], type='image')
    equal('an image that came', got.file.read(), PNG)
    wrong = ask(im, world.im.message_resource.get, 'GetMessageResource', message_id=said['message_id'], file_key=key, type='image')
    refused('an image of another message', wrong, 234003)
    said = admin('POST', 'say', {'from': world.alice['open_id'], 'type': 'file', 'name': 'a.bin', 'bytes': data})
    content = json.loads(admin('GET', f'messages/{said["message_id"]}')['content'])
    equal('a file that came: name', content['file_name'], 'a.bin')
    got = ask(im, world.im.message_resource.get, 'GetMessageResource', message_id=said['message_id'],
              file_key=content['file_key'], type='file')
    equal('a file that came', got.file.read(), PNG)
    own = ask(im, world.im.file.get, 'GetFile', file_key=content['file_key'])
    refused("somebody else's file without its message", own, 234008)


def errors(world):
    """Faults are what the SDK takes them for."""
    admin('POST', 'faults', {'path': '/open-apis/im', 'kind': 'throttle', 'reset': 7})
    answer = world.send('text', {'text': 'x'})
    refused('throttled', answer, 99991400, 429)
    equal('throttled: when again', {name.lower(): value for name, value in answer.raw.headers.items()}.get('x-ogw-ratelimit-reset'), '7')
    admin('POST', 'faults', {'path': '/open-apis/im', 'kind': 'throttle', 'old': True})
    refused('throttled as of old', world.send('text', {'text': 'x'}), 99991400, 400)
    admin('POST', 'faults', {'path': '/open-apis/im', 'kind': 'refuse', 'code': 230027})
    refused('refused', world.send('text', {'text': 'x'}), 230027)
    for kind, done in (('reset_before', 0), ('reset_after', 1)):
        before = len(admin('GET', f'sent?chat={world.group}'))
        admin('POST', 'faults', {'path': '/open-apis/im', 'kind': kind})
        try:
            world.send('text', {'text': kind})
            true(kind, False, 'it was answered')
        except Exception as error:  # pylint: disable=broad-except
            true(kind, 'Connection' in type(error).__name__, repr(error))
        equal(f'{kind}: done', len(admin('GET', f'sent?chat={world.group}')) - before, done)
    for kind, done in (('status', 0), ('status_after', 1)):
        before = len(admin('GET', f'sent?chat={world.group}'))
        admin('POST', 'faults', {'path': '/open-apis/im', 'kind': kind, 'status': 502})
        try:
            status = world.send('text', {'text': kind}).raw.status_code
        except Exception as error:  # pylint: disable=broad-except
            # It may not know what to make of an answer that is no JSON.
            status = repr(error)
        true(f'{kind}: no success', status == 502 or 'JSON' in str(status) or 'Expecting' in str(status), status)
        equal(f'{kind}: done', len(admin('GET', f'sent?chat={world.group}')) - before, done)
    admin('POST', 'faults', {'path': '/open-apis/im', 'kind': 'slow', 'ms': 300})
    began = time.monotonic()
    good('slow', world.send('text', {'text': 'slow'}))
    true('slow: it was', time.monotonic() - began >= 0.3)
    before = len(admin('GET', f'sent?chat={world.group}'))
    admin('POST', 'faults', {'path': '/open-apis/im', 'kind': 'hang'})
    hasty = lark.Client.builder().app_id(APP).app_secret(SECRET).domain(URL).timeout(2).build()
    try:
        ask(im, hasty.im.v1.message.create, 'CreateMessage', {
            'receive_id': world.group, 'msg_type': 'text', 'content': '{"text":"hang"}'}, receive_id_type='chat_id')
        true('hang', False, 'it was answered')
    except Exception as error:  # pylint: disable=broad-except
        true('hang', 'Timeout' in type(error).__name__, repr(error))
    true('hang: done', until(lambda: len(admin('GET', f'sent?chat={world.group}')) - before == 1))
    last = admin('GET', f'sent?chat={world.group}')[-1]['message_id']
    threading.Timer(0.2, world.sent, ['later']).start()
    found = admin('GET', f'sent?chat={world.group}&after={last}&wait_ms=30000')
    equal('who waits for a message gets it', [json.loads(one['raw'])['text'] for one in found], ['later'])
    nothing = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri('/open-apis/im/v1/nothing').build()
    answer = world.client.request(nothing)
    equal('no such path', (answer.raw.status_code, answer.raw.content), (404, b'404 page not found'))
    admin('PATCH', 'settings', {'limits': True})
    while True:
        began = time.monotonic()
        codes = [world.send('text', {'text': f'{number}'}).code for number in range(6)]
        if time.monotonic() - began < 1:
            break  # more than that is more than the second
        time.sleep(1)
    equal('five a second in a chat', codes, [0, 0, 0, 0, 0, 230020])
    admin('PATCH', 'settings', {'limits': False})


def chats(world):
    """Groups and who is in them."""
    alice, bob = world.alice['open_id'], world.bob['open_id']
    body = {'name': 'Made', 'description': 'by the bot', 'user_id_list': [alice]}
    made = good('create', ask(im, world.im.chat.create, 'CreateChat', body, user_id_type='open_id', uuid='c1'))
    equal('create: the bot owns it', made.owner_id, None)
    again = good('create again', ask(im, world.im.chat.create, 'CreateChat', body, user_id_type='open_id', uuid='c1'))
    equal('create: one chat for one key', again.chat_id, made.chat_id)
    chat = made.chat_id
    added = good('add', ask(im, world.im.chat_members.create, 'CreateChatMembers', {'id_list': [bob, 'ou_none']},
                            chat_id=chat, member_id_type='open_id'))
    equal('add: who is not there', added.not_existed_id_list, ['ou_none'])
    members = good('members', ask(im, world.im.chat_members.get, 'GetChatMembers', chat_id=chat, member_id_type='union_id'))
    equal('members: both', [(one.member_id, one.name) for one in members.items],
          [(world.alice['union_id'], 'Alice'), (world.bob['union_id'], '小波')])
    equal('members: total', members.member_total, 2)
    good('change', ask(im, world.im.chat.update, 'UpdateChat', {'name': 'Renamed', 'owner_id': alice}, chat_id=chat))
    got = good('get', ask(im, world.im.chat.get, 'GetChat', chat_id=chat))
    equal('get: changed', (got.name, got.owner_id, got.owner_id_type, got.user_count), ('Renamed', alice, 'open_id', '2'))
    refused('remove without owning it', ask(im, world.im.chat_members.delete, 'DeleteChatMembers', {'id_list': [bob]},
                                            chat_id=chat, member_id_type='open_id'), 232016)
    refused('dissolve without owning it', ask(im, world.im.chat.delete, 'DeleteChat', chat_id=chat), 232017)
    good('quit', ask(im, world.im.chat_members.delete, 'DeleteChatMembers', {'id_list': [APP]}, chat_id=chat, member_id_type='app_id'))
    refused('send after that', world.send('text', {'text': 'x'}, chat), 230002)
    is_in = good('is in chat', ask(im, world.im.chat_members.is_in_chat, 'IsInChatChatMembers', chat_id=chat))
    equal('it is not', is_in.is_in_chat, False)
    chat = good('another', ask(im, world.im.chat.create, 'CreateChat', {'name': 'Own', 'user_id_list': [alice, bob]})).chat_id
    managers = good('managers', ask(im, world.im.chat_managers.add_managers, 'AddManagersChatManagers', {
        'manager_ids': [bob]}, chat_id=chat, member_id_type='open_id'))
    equal('managers: bob', managers.chat_managers, [bob])
    managers = good('managers less', ask(im, world.im.chat_managers.delete_managers, 'DeleteManagersChatManagers', {
        'manager_ids': [bob]}, chat_id=chat, member_id_type='open_id'))
    equal('managers: none', managers.chat_managers, [])
    good('remove', ask(im, world.im.chat_members.delete, 'DeleteChatMembers', {'id_list': [bob]}, chat_id=chat, member_id_type='open_id'))
    equal('remove: he is out', admin('GET', f'chats/{chat}')['members'], [alice])
    link = good('link', ask(im, world.im.chat.link, 'LinkChat', {'validity_period': 'permanently'}, chat_id=chat))
    true('link: for ever', link.is_permanent and link.share_link.startswith('https://'), link.share_link)
    said = good('announcement', ask(im, world.im.chat_announcement.get, 'GetChatAnnouncement', chat_id=chat))
    block = {'blocks': [{'type': 'paragraph', 'paragraph': {'elements': [{'type': 'textRun', 'textRun': {'text': '开会'}}]}}]}
    request = {'requestType': 'InsertBlocksRequestType', 'insertBlocksRequest': {
        'payload': json.dumps(block), 'location': {'zoneId': '0', 'index': 0, 'endOfZone': True}}}
    good('announce', ask(im, world.im.chat_announcement.patch, 'PatchChatAnnouncement', {
        'revision': said.revision, 'requests': [json.dumps(request)]}, chat_id=chat))
    said = good('announcement then', ask(im, world.im.chat_announcement.get, 'GetChatAnnouncement', chat_id=chat))
    true('announce: it is in', '开会' in said.content and said.revision == '1', said.content)
    listed = good('list', ask(im, world.im.chat.list, 'ListChat', page_size=100)).items
    equal('list: those the bot is in', {one.chat_id for one in listed}, {world.group, chat})
    document(world, alice)
    good('dissolve', ask(im, world.im.chat.delete, 'DeleteChat', chat_id=chat))
    refused('send to what is dissolved', world.send('text', {'text': 'x'}, chat), 232009)


def document(world, owner):
    """An announcement of the new form: a change that is told twice under one token is done once."""
    chat = admin('POST', 'chats', {'name': 'Docx', 'owner': owner, 'announcement': {'docx': True}})['chat_id']
    children, token = world.client.docx.v1.chat_announcement_block_children, str(uuid.uuid4())

    def lines():
        all_ = good('blocks', ask(docx, world.client.docx.v1.chat_announcement_block.list, 'ListChatAnnouncementBlock',
                                  chat_id=chat, page_size=500)).items
        root = [one for one in all_ if one.block_type == 1]
        equal('blocks: one page, named as the chat', [one.block_id for one in root], [chat])
        texts = {one.block_id: one.text.elements[0].text_run.content for one in all_ if one.block_type == 2}
        return [texts[id_] for id_ in root[0].children or []]

    def insert(index, words, **told):
        blocks = [{'block_type': 2, 'text': {'elements': [{'text_run': {'content': line}}]}} for line in words]
        return good(f'insert {words}', ask(docx, children.create, 'CreateChatAnnouncementBlockChildren', {
            'index': index, 'children': blocks}, chat_id=chat, block_id=chat, **told))

    first = insert(0, ['one', 'two'], client_token=token)
    again = insert(0, ['one', 'two'], client_token=token)
    equal('insert again: known', (again.revision_id, again.client_token), (first.revision_id, token))
    equal('insert again: the blocks of then', [one.block_id for one in again.children], [one.block_id for one in first.children])
    equal('insert again: once', lines(), ['one', 'two'])
    insert(0, ['zero'])
    equal('insert: in front', lines(), ['zero', 'one', 'two'])
    token = str(uuid.uuid4())
    for name in ('delete', 'delete again: known'):
        good(name, ask(docx, children.batch_delete, 'BatchDeleteChatAnnouncementBlockChildren', {
            'start_index': 0, 'end_index': 1}, chat_id=chat, block_id=chat, client_token=token))
    equal('delete again: once', lines(), ['one', 'two'])
    admin('DELETE', f'chats/{chat}', {'by': owner})


def contacts(world):
    """People by id, mobile and department; groups of them."""
    ct, alice, bob = world.client.contact.v3, world.alice, world.bob
    for kind in ('open_id', 'union_id', 'user_id'):
        user = good(f'user by {kind}', ask(contact, ct.user.get, 'GetUser', user_id=alice[kind], user_id_type=kind)).user
        equal(f'user by {kind}: who', (user.name, user.open_id, user.mobile), ('Alice', alice['open_id'], alice['mobile']))
    true('user: picture', user.avatar.avatar_72.startswith('https://'), user.avatar.avatar_72)
    refused('somebody hidden', ask(contact, ct.user.get, 'GetUser', user_id=world.carol['open_id'], user_id_type='open_id'), 41050)
    refused('nobody', ask(contact, ct.user.get, 'GetUser', user_id='ou_none', user_id_type='open_id'), 99992351)
    many = good('batch', ask(contact, ct.user.batch, 'BatchUser', user_ids=[alice['open_id'], bob['open_id']], user_id_type='open_id'))
    equal('batch: both', [one.name for one in many.items], ['Alice', '小波'])
    found = good('ids', ask(contact, ct.user.batch_get_id, 'BatchGetIdUser', {
        'mobiles': ['13800000001', '13900000009'], 'emails': ['Bob@example.com']}, user_id_type='open_id')).user_list
    equal('ids: by mobile and email', {(one.mobile or one.email): one.user_id for one in found},
          {'13800000001': alice['open_id'], '13900000009': None, 'Bob@example.com': bob['open_id']})
    here = good('department', ask(contact, ct.user.find_by_department, 'FindByDepartmentUser', department_id='od-1')).items
    equal('department: alice', [one.name for one in here], ['Alice'])
    scope = good('scopes', ask(contact, ct.scope.list, 'ListScope', user_id_type='open_id'))
    equal('scopes: who may be seen', set(scope.user_ids), {alice['open_id'], bob['open_id']})
    group = ct.group.create(contact.v3.CreateGroupRequest.builder().request_body(contact.v3.Group({'name': 'VIP'})).build())
    group_id = good('group', group).group_id
    member = {'member_type': 'user', 'member_id_type': 'open_id', 'member_id': alice['open_id']}
    good('into the group', ask(contact, ct.group_member.add, 'AddGroupMember', member, group_id=group_id))
    groups = good('groups', ask(contact, ct.group.simplelist, 'SimplelistGroup')).grouplist
    equal('groups: one', [(one.id, one.name, one.member_user_count) for one in groups], [(group_id, 'VIP', 1)])
    of = good('groups of', ask(contact, ct.group.member_belong, 'MemberBelongGroup', member_id=alice['open_id'], member_id_type='open_id'))
    equal('groups of alice', of.group_list, [group_id])
    good('out of the group', ask(contact, ct.group_member.remove, 'RemoveGroupMember', member, group_id=group_id))
    inside = good('members', ask(contact, ct.group_member.simplelist, 'SimplelistGroupMember', group_id=group_id))
    equal('members: none', inside.memberlist, [])


def cards(world):
    """A card that grows."""
    kit = world.client.cardkit.v1
    card = {'schema': '2.0', 'config': {'streaming_mode': True}, 'body': {'elements': [
        {'tag': 'markdown', 'element_id': 'md', 'content': ''}]}}
    card_id = good('card', ask(cardkit, kit.card.create, 'CreateCard', {'type': 'card_json', 'data': json.dumps(card)})).card_id
    content = {'type': 'card', 'data': {'card_id': card_id}}
    good('card: sent', world.send('interactive', content))
    refused('card: sent twice', world.send('interactive', content), 230099)

    def grow(text, sequence, uuid=None, element='md'):
        return ask(cardkit, kit.card_element.content, 'ContentCardElement', {
            'content': text, 'sequence': sequence, 'uuid': uuid}, card_id=card_id, element_id=element)
    good('grow', grow('你', 1, 'g1'))
    good('grow more', grow('你好', 5))
    refused('a sequence that does not rise', grow('你好吗', 5), 300317)
    refused('a key twice', grow('x', 6, 'g1'), 200770)
    refused('no such element', grow('x', 7, element='none'), 300313)
    good('finish', ask(cardkit, kit.card.settings, 'SettingsCard', {
        'settings': json.dumps({'config': {'streaming_mode': False}}), 'sequence': 8}, card_id=card_id))
    refused('after its end', grow('x', 9), 300309)
    kept = admin('GET', 'state')['cards'][card_id]
    equal('grow: every text is in the book', [text[3] for text in kept['texts']], ['你', '你好'])
    admin('PATCH', 'settings', {'limits': True})
    for _ in range(20):
        made = ask(cardkit, kit.card.create, 'CreateCard', {'type': 'card_json', 'data': json.dumps(card)})
        card_id = made.data.card_id
        began = time.monotonic()
        codes = [grow(f'{number}', number).code for number in range(1, 12)]
        if time.monotonic() - began < 1:
            break  # more than that is more than the second
        time.sleep(1)
    equal('ten a second', codes, [0] * 10 + [99991400])
    admin('PATCH', 'settings', {'limits': False})
