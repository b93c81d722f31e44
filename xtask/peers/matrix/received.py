"""What people do in rooms, and what the bot tells of it: all of it, once, in its order, in the words of Wechaty."""
import hashlib
import os
import struct
import zlib

from checks import equal, holds, true, until
from people import quoted

ATTACHMENT, AUDIO, EMOTICON, IMAGE, TEXT, LOCATION, VIDEO = 1, 2, 5, 6, 7, 8, 15


def png(width=2, height=3):
    """A grey picture."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    rows = (b'\0' + b'\x7f' * width) * height
    head = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


PNG = png()


def digest(data):
    """Enough to compare files by."""
    return len(data), hashlib.sha256(data).hexdigest()


def heard(stage, name, event, **wanted):
    """The message of this event is told, with this in it."""
    told = stage.bot.tells('message', id=event)
    if true(f'{name} is told', told is not None, stage.bot.log()):
        common = {'talkerId': stage.alice.id, 'roomId': stage.room, 'conversation': {'room': stage.room}, 'self': False}
        holds(f'{name} is what was said', told, {**common, **wanted})
    return told or {}


def texts(stage):
    """Words in all their dresses."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    for name, text in [('a text', 'hello'), ('Chinese', '课程几点开始？'), ('a text of many lines', 'one\n\ntwo  \n三\t'),
                       ('what looks like HTML', '<b>&amp; "x"</b>'), ('an emoji', '👩‍👩‍👧‍👦 \u202eabc'),
                       ('a long text', 'long ' * 8000)]:
        event = alice.say(room, text)
        heard(stage, name, event, type=TEXT, text=text)
    event = alice.send(room, {'msgtype': 'm.text', 'body': '**bold**', 'format': 'org.matrix.custom.html',
                              'formatted_body': '<strong>bold</strong>'})
    heard(stage, 'a formatted text', event, type=TEXT, text='**bold**')
    event = alice.send(room, {'msgtype': 'm.emote', 'body': 'waves'})
    heard(stage, 'an emote', event, type=TEXT, text='waves')
    event = alice.send(room, {'msgtype': 'm.text', 'body': 'Bot: look', 'm.mentions': {'user_ids': [bot.id]}})
    heard(stage, 'a mention', event, mentionIdList=[bot.id])
    event = alice.send(room, {'msgtype': 'm.text', 'body': 'all: look', 'm.mentions': {'room': True}})
    heard(stage, 'a mention of all', event, mentionIdList=['@all'])
    event = alice.send(room, {'msgtype': 'm.text', 'body': 'nobody', 'm.mentions': {}})
    heard(stage, 'a mention of nobody', event, mentionIdList=[])
    told = heard(stage, 'the time of a text', event)
    found = next(one for one in alice.timeline(room) if one['event_id'] == event)
    equal('the time is the server\'s', told.get('timestamp'), found['origin_server_ts'])


def answers(stage):
    """Plugins answer once, and nobody who must not be answered."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    before = len(stage.said('dong'))
    alice.say(room, 'ding')
    dong = until(lambda: stage.said('dong')[before:], pause=0.1)
    true('ding has its dong', dong, bot.log())
    holds('the dong is a plain text', dong[0]['content'] if dong else {}, {'msgtype': 'm.text', 'body': 'dong',
                                                                    'm.relates_to': None, 'formatted_body': None})
    notice = alice.send(room, {'msgtype': 'm.notice', 'body': 'ding'})
    self = stage.bot_self.say(room, 'ding')
    last = alice.say(room, 'hours?')
    true('a rule answers', alice.hears(room, bot.id, 'from nine to five'), bot.log())
    equal('neither a notice nor its own device is answered', len(stage.said('dong')), before + 1)
    true('the notice is told all the same', bot.tells('message', id=notice), bot.log())
    equal('what it says elsewhere is told as its own', (bot.tells('message', id=self) or {}).get('self'), True)
    heard(stage, 'the question', last, text='hours?')


def quotes(stage):
    """Replies, threads, edits, reactions, redactions."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    first = alice.say(room, 'who has the key?')
    event = alice.say(room, 'I do', **{'m.relates_to': {'m.in_reply_to': {'event_id': first}}})
    heard(stage, 'a reply', event, quoteId=first, text='I do')
    old = f'> <{alice.id}> who has the key?\n\nold clients do'
    event = alice.say(room, old, **{'m.relates_to': {'m.in_reply_to': {'event_id': first}}})
    heard(stage, 'a reply with a fallback', event, quoteId=first, text='old clients do')
    thread = {'rel_type': 'm.thread', 'event_id': first, 'is_falling_back': False, 'm.in_reply_to': {'event_id': event}}
    event = alice.say(room, 'in the thread', **{'m.relates_to': thread})
    heard(stage, 'a reply in a thread', event, quoteId=thread['m.in_reply_to']['event_id'], text='in the thread')
    thread = {'rel_type': 'm.thread', 'event_id': first, 'is_falling_back': True, 'm.in_reply_to': {'event_id': event}}
    event = alice.say(room, 'further', **{'m.relates_to': thread})
    told = heard(stage, 'a word in a thread', event, text='further')
    true('it quotes the thread', told.get('quoteId') in (first, thread['m.in_reply_to']['event_id']), told)
    mark = bot.mark()
    edit = alice.say(room, '* whose key?', **{'m.new_content': {'msgtype': 'm.text', 'body': 'whose key?'},
                                              'm.relates_to': {'rel_type': 'm.replace', 'event_id': first}})
    told = bot.tells('message-edit', mark, messageId=first)
    holds('an edit is told', told, {'newText': 'whose key?', 'editorId': alice.id, 'conversation': {'room': room}})
    like = alice.react(room, first, '👍')
    told = bot.tells('reaction', mark, messageId=first)
    holds('a reaction is told', told, {'reaction': '👍', 'added': True, 'actorId': alice.id})
    alice.redact(room, like)
    told = bot.tells('reaction', mark, messageId=first, added=False)
    holds('a reaction taken back is told', told, {'reaction': '👍', 'actorId': alice.id})
    gone = alice.say(room, 'a slip')
    heard(stage, 'what is to go', gone, text='a slip')
    alice.redact(room, gone)
    told = bot.tells('message-recall', mark, messageId=gone)
    holds('a recall is told', told, {'recallerId': alice.id, 'conversation': {'room': room}})
    event = alice.say(room, 'done')
    heard(stage, 'what comes behind', event, text='done')
    own = bot.told(mark, ['message'])
    equal('an edit is no message', [one for one in own if one['payload']['id'] == edit], [])


def media(stage):
    """Files of every kind; their bytes are loaded when asked for."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    large = os.urandom(5 << 20)
    kinds = [('m.image', 'cat.png', 'image/png', PNG, IMAGE), ('m.audio', 'song.ogg', 'audio/ogg', os.urandom(70000), AUDIO),
             ('m.video', 'film.mp4', 'video/mp4', os.urandom(300000), VIDEO),
             ('m.file', 'großes Buch.bin', 'application/octet-stream', large, ATTACHMENT)]
    image_event = None
    for kind, file, mime, data, number in kinds:
        mxc = alice.upload(data, file, mime)
        event = alice.send(room, {'msgtype': kind, 'body': file, 'url': mxc,
                                  'info': {'mimetype': mime, 'size': len(data)}})
        image_event = image_event or event
        heard(stage, kind, event, type=number, filename=file)
        equal(f'the bytes of {kind}', digest(bot.raw('GET', f'/message/{quoted(event)}/file')), digest(data))
    mxc = alice.upload(PNG, 'x.png', 'image/png')
    event = alice.send(room, {'msgtype': 'm.image', 'body': 'look at her', 'filename': 'tom.png', 'url': mxc})
    heard(stage, 'an image with words', event, type=IMAGE, filename='tom.png')
    event = alice.send(room, {'body': 'a cat', 'url': mxc, 'info': {'mimetype': 'image/png'}}, 'm.sticker')
    heard(stage, 'a sticker', event, type=EMOTICON)
    equal('the bytes of a sticker', digest(bot.raw('GET', f'/message/{quoted(event)}/file')), digest(PNG))
    event = alice.send(room, {'msgtype': 'm.location', 'body': 'the palace', 'geo_uri': 'geo:59.3326,18.0716;u=35'})
    heard(stage, 'a place', event, type=LOCATION)
    place = bot.rest('GET', f'/message/{quoted(event)}/location')
    equal('where it is', (place.get('latitude'), place.get('longitude'), place.get('accuracy')), (59.3326, 18.0716, 35.0))
    equal('the picture itself', digest(bot.raw('GET', f'/message/{quoted(image_event)}/image?size=artwork')), digest(PNG))


def people(stage):
    """Who comes and goes, and what the room is called meanwhile."""
    alice, dave, room, bot = stage.alice, stage.dave, stage.room, stage.bot
    mark = bot.mark()
    alice.invite(room, dave.id)
    dave.join(room)
    told = bot.tells('room-join', mark, roomId=room, inviteeIdList=[dave.id])
    true('who joins is told', told, bot.log())
    true('who joins is greeted by name', alice.hears(room, bot.id, 'welcome, dave'), bot.log())
    dave.leave(room)
    told = bot.tells('room-leave', mark, roomId=room, removeeIdList=[dave.id])
    equal('who leaves was removed by nobody', (told or {'removerId': '?'}).get('removerId') in (None, dave.id), True)
    alice.invite(room, dave.id)
    dave.join(room)
    true('who joins again is told', until(lambda: joins(bot, mark, dave) == 2), bot.log())
    middle = bot.mark()
    alice.kick(room, dave.id)
    told = bot.tells('room-leave', middle, roomId=room, removeeIdList=[dave.id])
    holds('who is kicked was removed by somebody', told, {'removerId': alice.id})
    alice.set_state(room, 'm.room.name', {'name': 'Harbour Office'})
    told = bot.tells('room-topic', mark, roomId=room, newTopic='Harbour Office')
    holds('a new name is a new topic', told, {'oldTopic': 'Harbour', 'changerId': alice.id})
    alice.set_state(room, 'm.room.topic', {'topic': 'Closed on Sunday'})
    told = bot.tells('room-announce', mark, roomId=room, newAnnounce='Closed on Sunday')
    holds('a new topic is an announcement', told, {'changerId': alice.id})
    equal('the announcement', bot.rest('GET', f'/rooms/{quoted(room)}/announcement'), {'text': 'Closed on Sunday'})
    alice.set_state(room, 'm.room.avatar', {'url': alice.upload(PNG, 'a.png', 'image/png')})
    alice.call('PUT', f'/_matrix/client/v3/profile/{quoted(alice.id)}/displayname', {'displayname': 'Alice L.'})
    true('a new picture is seen', until(lambda: picture(bot, room) == PNG), bot.log())
    true('a new name of somebody is seen', until(lambda: bot.rest('GET', f'/contacts/{quoted(alice.id)}')['name'] == 'Alice L.'),
         bot.log())
    found = bot.rest('GET', f'/rooms/{quoted(room)}')
    equal('the room', (found['topic'], sorted(found['memberIdList']), found.get('ownerId')),
          ('Harbour Office', sorted([alice.id, bot.id]), alice.id))
    stage.bot_self.types(room)
    alice.types(room)
    alice.types(room, False)
    dong = stage.said('dong')[-1]
    alice.read(room, dong['event_id'])
    told = until(lambda: [one for one in bot.told(mark, ['message-status'])
                          if dong['event_id'] in one['payload']['messageIds']])
    holds('what is read is told', told[0]['payload'] if told else {}, {'status': 'read', 'byId': alice.id})


def joins(bot, mark, who):
    """How often somebody's join was told."""
    return sum(one['payload']['inviteeIdList'] == [who.id] for one in bot.told(mark, ['room-join']))


def picture(bot, room):
    """Of a room, or None."""
    try:
        return bot.raw('GET', f'/rooms/{quoted(room)}/avatar')
    except Exception:  # pylint: disable=broad-except
        return None


def nonsense(stage):
    """What no client should send and any may: nothing of it stands in the way of what comes next."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    deep = {'x': 1}
    for _ in range(60):
        deep = {'x': [deep]}
    bad = [({'msgtype': 'm.image', 'body': 'no url'}, 'm.room.message'),
           ({'msgtype': 'm.image', 'body': 'bad url', 'url': 'https://example.org/x'}, 'm.room.message'),
           ({'msgtype': 'm.image', 'body': 'nobody has it', 'url': 'mxc://localhost/nothing'}, 'm.room.message'),
           ({'msgtype': 'm.location', 'body': 'nowhere'}, 'm.room.message'),
           ({'msgtype': 'm.location', 'body': 'nowhere', 'geo_uri': 'geo:north,7'}, 'm.room.message'),
           ({'msgtype': 'org.example.new', 'body': 'of tomorrow'}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'x', 'm.mentions': {'user_ids': ['no id', '']}}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'x', 'm.relates_to': {'rel_type': 'm.replace'}}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'x', 'm.relates_to': 'nothing'}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'x', 'm.relates_to': {'m.in_reply_to': {'event_id': 7}}}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'deep', 'org.example.deep': deep}, 'm.room.message'),
           ({'msgtype': 'm.text', 'body': 'y', 'format': 'org.matrix.custom.html', 'formatted_body': '<' * 9000}, 'm.room.message'),
           ({'m.relates_to': {'rel_type': 'm.annotation', 'event_id': '$none', 'key': ''}}, 'm.reaction'),
           ({'m.relates_to': {}}, 'm.reaction'), ({}, 'm.reaction'), ({}, 'm.sticker'),
           ({'algorithm': 'm.megolm.v1.aes-sha2', 'ciphertext': 'AAAA', 'session_id': 'x'}, 'm.room.encrypted'),
           ({'msgtype': 'm.text', 'body': ''}, 'm.room.message'), ({'any': 'thing'}, 'org.example.custom')]
    sent, mark = 0, bot.mark()
    for content, kind in bad:
        try:
            alice.send(room, content, kind)
            sent += 1
        except Exception:  # pylint: disable=broad-except
            pass  # the server itself does not take it
    for kind, content in [('m.room.name', {}), ('m.room.topic', {'topic': ''}), ('m.room.pinned_events', {'pinned': ['x', 7]}),
                          ('m.room.avatar', {}), ('m.room.avatar', {'url': 'http://127.0.0.1/'})]:
        try:
            alice.set_state(room, kind, content)
        except Exception:  # pylint: disable=broad-except
            pass
    alice.set_state(room, 'm.room.name', {'name': 'Harbour'})
    true('much of it was taken by the server', sent >= 12, sent)
    before = len(stage.said('dong'))
    alice.say(room, 'ding')
    true('what comes behind nonsense is answered', until(lambda: len(stage.said('dong')) > before), bot.log())
    equal('its account stands as before', (bot.account() or {}).get('state'), 'logged-in')
    true('the name is told at last', bot.tells('room-topic', mark, newTopic='Harbour'), bot.log())


def order(stage):
    """Of all that was said: each message once, in the order of the room."""
    alice, bot, room = stage.alice, stage.bot, stage.room
    event = alice.say(room, 'the last one')
    heard(stage, 'the last one', event, text='the last one')

    def is_edit(content):
        relation = content.get('m.relates_to')
        return isinstance(relation, dict) and relation.get('rel_type') == 'm.replace' and 'event_id' in relation
    there = [one for one in alice.timeline(room)
             if one['type'] in ('m.room.message', 'm.sticker', 'm.room.encrypted') and not is_edit(one['content'])]
    there = [one['event_id'] for one in there if one['sender'] != bot.id]
    told = [one['payload']['id'] for one in bot.told(0, ['message']) if one['payload'].get('roomId') == room]
    missing = [one for one in told if one not in there]
    equal('nothing is told that is not there', missing, [])
    equal('each is told once', len(told), len(set(told)))
    equal('they are told in the order of the room', told, [one for one in there if one in told])
    # What has no body, or says nothing at all, may be left out.
    true('nearly all of it is told', len(there) - len(told) <= 8, f'{len(there)} are there, {len(told)} are told')
    plain = [one['event_id'] for one in alice.said(room, alice.id)
             if one['content'].get('msgtype') == 'm.text' and one['content'].get('body')
             and "'m.replace'" not in str(one['content'])]
    equal('of plain texts all', [one for one in plain if one in there and one not in told], [])


def messages(stage):
    """Messages are read back."""
    alice, room, bot = stage.alice, stage.room, stage.bot
    for one in stage.alice.said(room, alice.id)[-3:]:
        found = bot.rest('GET', f'/message/{quoted(one["event_id"])}')
        holds('a message is read back', found, {'text': one['content']['body'], 'talkerId': alice.id, 'roomId': room})
    page = bot.rest('GET', f'/messages?conversation={quoted(room)}&limit=200')
    true('the archive has the room', len(page['items']) > 30, len(page['items']))
    bot.rest('POST', '/ding', {'data': 'still there?'})
    holds('a ding has its dong', bot.tells('dong', data='still there?'), {'data': 'still there?'})
