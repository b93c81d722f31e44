"""What the bot is told to say over its REST door, and what is really in the room then: that, once, and nothing else."""
import os
import time

from checks import equal, holds, true, until
from people import Refused, quoted
from received import PNG, digest, png

MIB = 1 << 20


class Watch:
    """What the bot has put into a room since."""

    def __init__(self, stage, room=None, who=None):
        self.room, self.who, self.bot = room or stage.room, who or stage.alice, stage.bot
        self.before = len(self.all())

    def all(self):
        """Its messages and stickers."""
        return [event for event in self.who.timeline(self.room) if event['sender'] == self.bot.id
                and event['type'] in ('m.room.message', 'm.sticker')]

    def new(self, count=1, seconds=90):
        """What is new; waited for until it is so many."""
        return until(lambda: found if len(found := self.all()[self.before:]) >= count else None, seconds, 0.1) \
            or self.all()[self.before:]


def said(stage, name, what, kind='m.room.message', **wanted):
    """One send, and the one event that comes of it."""
    watch = Watch(stage)
    try:
        state = stage.bot.send(stage.room, what)
    except Refused as refused:
        true(f'{name} is sent', False, refused)
        return {}
    equal(f'{name} is sent', state['state'], 'sent')
    new = watch.new()
    equal(f'{name} is there once', len(new), 1)
    event = new[0] if new else {'content': {}}
    equal(f'the id of {name}', event.get('event_id'), state.get('messageId'))
    equal(f'the kind of {name}', event.get('type'), kind)
    holds(name, event['content'], wanted)
    return event


def words(stage):
    """Texts, in which nothing is changed."""
    for name, text in [('a text', 'hello from the bot'), ('Chinese', '明天九点上课。'), ('HTML', '<b>&amp; "x"</b> & <i>'),
                       ('many lines', 'one\n\ntwo  \n三\t|'), ('Markdown in a text', '**not bold** _x_ [a](b)'),
                       ('a family', '👩‍👩‍👧‍👦 \U0001f1e8\U0001f1f3')]:
        said(stage, name, {'text': text}, msgtype='m.text', body=text, format=None, formatted_body=None,
             **{'m.relates_to': None})
    event = said(stage, 'Markdown', {'markdown': 'so **bold** and <script>x</script>\n\n- one\n- two'}, msgtype='m.text',
                 format='org.matrix.custom.html')
    html = event['content'].get('formatted_body', '')
    true('Markdown is HTML', '<strong>bold</strong>' in html and '<li>one</li>' in html and '<script>' not in html, html)
    watch = Watch(stage)
    long = '\n'.join(f'line {n} of a long text, 第{n}行' for n in range(3000))
    state = stage.bot.send(stage.room, {'text': long})
    equal('a long text is sent', state['state'], 'sent')
    parts = [event['content']['body'] for event in watch.new(2)]
    true('a long text is in parts', 2 <= len(parts) <= 12, len(parts))
    equal('no word of it is lost', digest(' '.join(parts).split().__repr__().encode()), digest(long.split().__repr__().encode()))


def mentions(stage):
    """Mentions and quotes notify whom they mean."""
    alice, bot = stage.alice, stage.bot
    event = said(stage, 'a mention', {'text': 'look', 'mentions': [alice.id]}, msgtype='m.text',
                 **{'m.mentions': {'user_ids': [alice.id]}})
    body = event['content'].get('body', '')
    true('the name is in front', body.startswith('@') and body.endswith('look'), body)
    said(stage, 'a mention of all', {'text': 'look', 'mentions': ['@all']}, **{'m.mentions': {'room': True}})
    question = alice.say(stage.room, 'what is the answer?')
    bot.tells('message', id=question)
    event = said(stage, 'a quote', {'text': '42', 'quote': question})
    relation = event['content'].get('m.relates_to') or {}
    equal('what it quotes', relation.get('m.in_reply_to'), {'event_id': question})
    true('its words are the end of it', event['content'].get('body', '').endswith('42'), event)


def files(stage):
    """Files, whole, under their names."""
    alice, bot = stage.alice, stage.bot
    kinds = [('image', 'grey.png', 'm.image', 'image/png', png(40, 30)), ('audio', 'song.mp3', 'm.audio', 'audio/mpeg', os.urandom(9999)),
             ('video', 'film.mp4', 'm.video', 'video/mp4', os.urandom(99999)),
             ('attachment', 'plan 第一.pdf', 'm.file', 'application/pdf', os.urandom(6 * MIB + 17)),
             ('file', 'cat.png', 'm.image', 'image/png', PNG)]
    for kind, name, msgtype, mime, data in kinds:
        event = said(stage, f'{kind}', {kind: bot.upload(data, name)}, msgtype=msgtype)
        content = event['content']
        equal(f'the name of {kind}', content.get('filename', content.get('body')), name)
        holds(f'what is told of {kind}', content.get('info') or {}, {'mimetype': mime, 'size': len(data)})
        if content.get('url'):
            there, _ = alice.download(content['url'])
            equal(f'the bytes of {kind}', digest(there), digest(data))
            back = bot.raw('GET', f'/message/{quoted(event["event_id"])}/file')
            equal(f'{kind} is read back', digest(back), digest(data))
    event = said(stage, 'a sticker', {'emoticon': bot.upload(PNG, 'wink.png')}, 'm.sticker')
    if event['content'].get('url'):
        equal('the bytes of a sticker', digest(alice.download(event['content']['url'])[0]), digest(PNG))
    said(stage, 'a QR code', {'image': {'qrCode': 'https://example.org/'}}, msgtype='m.image')


def things(stage):
    """What is no text and no file."""
    alice, carol, bot = stage.alice, stage.carol, stage.bot
    event = said(stage, 'a place', {'location': {'latitude': 59.3326, 'longitude': 18.0716, 'name': 'Palace'}},
                 msgtype='m.location')
    true('where it is', event['content'].get('geo_uri', '').startswith('geo:59.3326,18.0716'), event)
    event = said(stage, 'a link', {'url': {'url': 'https://example.org/a?b=c&d', 'title': 'Example'}}, msgtype='m.text')
    body = event['content'].get('body', '')
    true('where it leads', 'https://example.org/a?b=c&d' in body and 'Example' in body, body)
    event = said(stage, 'a card of somebody', {'contact': carol.id}, msgtype='m.text')
    body = event['content'].get('body', '')
    true('whose it is', 'matrix.to/#/' in body and 'carol' in body, body)
    said(stage, 'a menu', {'menu': {'text': 'Tea?', 'items': [{'id': 'y', 'text': 'Yes'}, {'id': 'n', 'text': 'No'}]}},
         msgtype='m.text', body='Tea?\n1. Yes\n2. No')
    said(stage, 'a card', {'card': {'title': 'Bill', 'text': 'of May', 'fields': [{'label': 'Sum', 'value': '7'}],
                                    'buttons': [{'id': 'p', 'text': 'Pay', 'url': 'https://example.org/'}]}},
         msgtype='m.text', body='**Bill**\n\nof May\n\n**Sum** 7\n\n1. [Pay](https://example.org/)',
         format='org.matrix.custom.html')
    watch = Watch(stage)
    try:
        state = bot.send(stage.room, {'miniProgram': {'appid': 'wx1', 'title': 'Shop'}})['state']
    except Refused as refused:
        state = refused.body.get('code') if isinstance(refused.body, dict) else str(refused)
    true('what the platform has not is refused', state == 'rejected' or state.startswith('W'), state)
    equal('and nothing comes of it', watch.all()[watch.before:], [])
    text = alice.say(stage.room, 'to be said again')
    image = alice.send(stage.room, {'msgtype': 'm.image', 'body': 'again.png', 'info': {'mimetype': 'image/png'},
                                    'url': alice.upload(PNG, 'again.png', 'image/png')})
    bot.tells('message', id=image)
    said(stage, 'a text said again', {'forward': text}, msgtype='m.text', body='to be said again')
    event = said(stage, 'an image said again', {'forward': image}, msgtype='m.image')
    if event['content'].get('url'):
        equal('its bytes', digest(alice.download(event['content']['url'])[0]), digest(PNG))


def once(stage):
    """Order, keys, recalls."""
    alice, bot, room = stage.alice, stage.bot, stage.room
    watch = Watch(stage)
    texts = [f'batch {n}' for n in range(40)]
    began = time.monotonic()
    answer = bot.rest('POST', '/sends:batch?wait=sent&timeout=30', {'sends': [{'to': {'room': room}, 'text': text} for text in texts]})
    states = [bot.outcome(one['send'], began)['state'] if 'send' in one else one for one in answer['results']]
    equal('all of a batch are sent', states, ['sent'] * 40)
    equal('in their order, each once', [event['content']['body'] for event in watch.new(40)], texts)
    watch = Watch(stage)
    first = bot.send(room, {'text': 'under a key'}, key='k-1')
    second = bot.send(room, {'text': 'under a key'}, key='k-1')
    equal('a key is one send', (first['id'], first['messageId']), (second['id'], second['messageId']))
    bot.send(room, {'text': 'behind it'})
    equal('and one event', [event['content']['body'] for event in watch.new(2)], ['under a key', 'behind it'])
    event = said(stage, 'a slip', {'text': 'a slip of the bot'})
    mark = bot.mark()
    equal('it is taken back', bot.rest('PUT', f'/message/{quoted(event["event_id"])}/recall'), {'recalled': True})
    there = next(one for one in alice.timeline(room) if one['event_id'] == event['event_id'])
    equal('it is empty', there['content'], {})
    equal('by the bot', there.get('unsigned', {}).get('redacted_because', {}).get('sender'), bot.id)
    told = until(lambda: bot.told(mark, ['message-recall'], own=True), 5)
    true('a recall of its own is told at most once', len(told) <= 1, told)
    sent = Watch(stage).all()[-2]
    found = bot.rest('GET', f'/message/{quoted(sent["event_id"])}')
    holds('what it said is read back', found, {'text': sent['content']['body'], 'talkerId': bot.id, 'roomId': room})
    own = [one for one in bot.told(0, ['message'], own=True) if one['payload']['self']]
    ids = [one['payload']['id'] for one in own]
    equal('what it said is told at most once', len(ids), len(set(ids)))


def marks(stage):
    """Read marks, and what the bot is called."""
    alice, bot, room = stage.alice, stage.bot, stage.room
    event = alice.say(room, 'have you read this?')
    bot.tells('message', id=event)
    alice.sync()
    bot.rest('PUT', f'/conversation/{quoted(room)}/read', {'hasRead': True})

    def read():
        alice.sync(1)
        return (bot.id, event) in alice.receipts.get(room, [])
    true('it has read it', until(read), alice.receipts.get(room))
    equal('and says so', bot.rest('GET', f'/conversation/{quoted(room)}/read'), {'hasRead': True})
    bot.rest('PUT', f'/conversation/{quoted(room)}/read', {'hasRead': False})
    unread = until(lambda: stage.bot_self.account_data('m.marked_unread', room))
    equal('it is marked unread', unread, {'unread': True})
    bot.rest('PUT', '/contacts/self/name/Harbour%20Bot')
    equal('its name', alice.profile(bot.id).get('displayname'), 'Harbour Bot')
    bot.rest('PUT', '/contacts/self/avatar', bot.upload(PNG, 'me.png'))
    url = alice.profile(bot.id).get('avatar_url')
    equal('its picture', digest(alice.download(url)[0]) if url else None, digest(PNG))
    equal('it knows its name', until(lambda: bot.rest('GET', '/contacts/self')['name'] == 'Harbour Bot'), True)
