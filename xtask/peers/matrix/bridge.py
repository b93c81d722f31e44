"""The example `room_bridge` between a Matrix room and a Lark chat: what people say on one side is on the other, and nothing
else is, through a death of the bridge.

Called with the paths of `lark-fake` and of the example `room_bridge`, in a folder of its own.
"""
import base64
import json
import os
import sys

from checks import equal, finish, free_port, holds, part, true, until
from lark import Lark, text_of
from people import Person
from program import Program
from received import digest, png
from synapse import Synapse

BOT = '@bridge:localhost'


class Stage:
    """A room and a chat, with alice in the one, ann in the other, and the bridge in both."""

    def __init__(self, fake, program):
        self.synapse, self.lark = Synapse('synapse', free_port()).start(), Lark(fake)
        self.alice, lark = Person(self.synapse, 'alice'), self.lark
        self.synapse.register('bridge', 'pw-bridge')
        self.room = self.alice.create('Harbour', [BOT])
        self.ann, self.bob = lark.person('Ann'), lark.person('Bob')
        self.chat = lark.chat('Harbour', self.ann, self.bob)
        settings = [f'left.homeserver={self.synapse.url}', 'left.user=bridge', 'left.password=pw-bridge',
                    f'left.rooms={self.room}', f'right.app_id={lark.app}', f'right.app_secret={lark.secret}',
                    f'right.api_base={lark.url}']
        command = [program, 'matrix', self.room, 'lark', self.chat, *settings]
        self.bridge = Program(command, WECHATY_NAME='bridge')
        # What each side should have of the bridge in the end: what it says now, or None if it is gone.
        self.on_lark, self.on_matrix, self.edits = [], [], 0

    def start(self):
        """It is on both sides when this returns."""
        self.bridge.start()
        there = until(lambda: self.alice.membership(self.room, BOT) == 'join' and self.lark.listening())
        true('the bridge is on both sides', there, self.bridge.log())

    # What the bridge has put there

    def in_chat(self):
        """All of it, oldest first."""
        return self.lark.sent(self.chat)

    def in_room(self):
        """Its messages without edits, oldest first; what is gone has no content."""
        return [event for event in self.alice.said(self.room, BOT) if not replaces(event)]

    def comes_to_chat(self, *words):
        """What the bridge says there next; waited for."""
        return self._comes(self.in_chat, self.on_lark, words)

    def comes_to_room(self, *words):
        """The same in the room."""
        return self._comes(self.in_room, self.on_matrix, words)

    def _comes(self, look, expected, words):
        before = len(expected)
        expected.extend(words)
        found = until(lambda: len(all_of := look()) >= len(expected) and all_of)
        if not true(f'{words[-1]!r} comes across', found, self.bridge.log()):
            raise RuntimeError('nothing comes across')
        return found[before:len(expected)]


def replaces(event):
    """The id of the message that it edits, if it is an edit."""
    relation = event['content'].get('m.relates_to') or {}
    return relation.get('event_id') if relation.get('rel_type') == 'm.replace' else None


def words_of(event):
    """The words of a Matrix message, without the edits behind it."""
    return event['content'].get('body')


def from_matrix(stage):
    """What alice does is on Lark."""
    alice, lark, room = stage.alice, stage.lark, stage.room
    one, two = alice.say(room, 'hello'), alice.say(room, 'is anybody there?')
    first, second = stage.comes_to_chat('alice: hello', 'alice: is anybody there?')
    equal('texts', [text_of(first), text_of(second)], ['alice: hello', 'alice: is anybody there?'])

    lark.say(stage.ann, stage.chat, 'I am', reply_to=second['message_id'])
    answer, = stage.comes_to_room('Ann: I am')
    equal('who answers there answers here', (answer['content'].get('m.relates_to') or {}).get('m.in_reply_to'), {'event_id': two})
    true('in their words', words_of(answer).endswith('Ann: I am'), answer)

    picture = png(40, 30)
    url = alice.upload(picture, 'boat.png', 'image/png')
    image = alice.send(room, {'msgtype': 'm.image', 'body': 'boat.png', 'url': url, 'info': {'mimetype': 'image/png'}})
    caption, shown = stage.comes_to_chat('alice:', 'a picture')
    equal('whose picture it is', text_of(caption), 'alice:')
    equal('it is a picture', shown['msg_type'], 'image')
    equal('its bytes', digest(lark.file(shown['message_id'], json.loads(shown['content'])['image_key'])), digest(picture))

    alice.say(room, '* hello, all', **{'m.new_content': {'msgtype': 'm.text', 'body': 'hello, all'},
                                       'm.relates_to': {'rel_type': 'm.replace', 'event_id': one}})
    stage.on_lark[0] = 'alice: hello, all'
    edited = until(lambda: text_of(lark.admin('GET', f'messages/{first["message_id"]}')) == 'alice: hello, all')
    true('an edit', edited, stage.bridge.log())

    alice.redact(room, two)
    alice.redact(room, image)
    gone = [second, caption, shown]
    stage.on_lark[1] = stage.on_lark[2] = stage.on_lark[3] = None
    for message in gone:
        is_gone = until(lambda message=message: lark.admin('GET', f'messages/{message["message_id"]}')['recalled'])
        true('a deletion', is_gone, stage.bridge.log())
    stage.first = (one, first['message_id'])


def from_lark(stage):
    """What people do on Lark is in the room."""
    alice, lark, room, chat = stage.alice, stage.lark, stage.room, stage.chat
    one, two = lark.say(stage.ann, chat, 'good evening'), lark.say(stage.bob, chat, 'who is there?')
    first, second = stage.comes_to_room('Ann: good evening', 'Bob: who is there?')
    equal('texts', [words_of(first), words_of(second)], ['Ann: good evening', 'Bob: who is there?'])

    alice.say(room, 'only me', **{'m.relates_to': {'m.in_reply_to': {'event_id': second['event_id']}}})
    answer, = stage.comes_to_chat('alice: only me')
    equal('who answers there answers here', answer['parent_id'], two)
    equal('in their words', text_of(answer), 'alice: only me')

    picture = png(30, 40)
    image = lark.say(stage.ann, chat, type='image', bytes=base64.b64encode(picture).decode(), name='tree.png')
    caption, shown = stage.comes_to_room('Ann:', 'a picture')
    equal('whose picture it is', words_of(caption), 'Ann:')
    equal('it is a picture', shown['content'].get('msgtype'), 'm.image')
    data, kind = alice.download(shown['content']['url'])
    equal('its bytes', (digest(data), kind), (digest(picture), 'image/png'))

    lark.admin('POST', 'edit', {'person': stage.ann, 'message_id': one, 'text': 'good morning'})

    def edit():
        return next((event for event in alice.said(room, BOT) if replaces(event) == first['event_id']), None)
    edited = until(edit)
    if true('an edit', edited, stage.bridge.log()):
        holds('its new words', edited['content']['m.new_content'], {'msgtype': 'm.text', 'body': 'Ann: good morning'})
    stage.edits += 1

    lark.admin('POST', 'recall', {'person': stage.bob, 'message_id': two})
    lark.admin('POST', 'recall', {'person': stage.ann, 'message_id': image})
    gone = [second['event_id'], caption['event_id'], shown['event_id']]
    for event in gone:
        def is_gone(event=event):
            return not next(one for one in alice.timeline(room) if one['event_id'] == event)['content']
        true('a deletion', until(is_gone), stage.bridge.log())
    stage.on_matrix[-4:] = ['Ann: good evening', None, None, None]


def dies(stage):
    """It is killed; what was said meanwhile crosses when it is back, and it still knows which message is which."""
    alice, lark = stage.alice, stage.lark
    stage.bridge.kill()
    until(lambda: not lark.listening())
    alice.say(stage.room, 'are you asleep?')
    mine, theirs = stage.first
    alice.say(stage.room, '* hello again', **{'m.new_content': {'msgtype': 'm.text', 'body': 'hello again'},
                                              'm.relates_to': {'rel_type': 'm.replace', 'event_id': mine}})
    stage.on_lark[0] = 'alice: hello again'
    lark.say(stage.bob, stage.chat, 'hello yourself', reply_to=theirs)
    stage.start()
    stage.comes_to_chat('alice: are you asleep?')
    edited = until(lambda: text_of(lark.admin('GET', f'messages/{theirs}')) == 'alice: hello again')
    true('an edit of before', edited, stage.bridge.log())
    answer, = stage.comes_to_room('Bob: hello yourself')
    equal('an answer to what was said before', (answer['content'].get('m.relates_to') or {}).get('m.in_reply_to'), {'event_id': mine})


def counts(stage):
    """Both sides have exactly what they should: nothing came back, nothing came twice."""
    # Whatever comes of the first round is there before what comes of the second.
    for number in range(2):
        stage.alice.say(stage.room, f'good night {number}')
        stage.lark.say(stage.ann, stage.chat, f'sleep well {number}')
        stage.comes_to_chat(f'alice: good night {number}')
        stage.comes_to_room(f'Ann: sleep well {number}')
    chat, room = stage.in_chat(), stage.in_room()
    equal('messages on Lark', len(chat), len(stage.on_lark))
    equal('messages on Matrix', len(room), len(stage.on_matrix))
    equal('what Lark shows', [None if one['recalled'] else text_of(one) for one in chat], stage.on_lark)

    def shown(event):
        words = words_of(event)
        # The words that are quoted stand before those that answer.
        return words.rpartition('\n')[2] if words else None
    equal('what Matrix shows', [shown(event) for event in room], stage.on_matrix)
    events = [event for event in stage.alice.timeline(stage.room) if event['sender'] == BOT]
    equal('edits on Matrix', len([event for event in events if replaces(event)]), stage.edits)
    equal('deletions on Matrix', len([event for event in events if event['type'] == 'm.room.redaction']), stage.on_matrix.count(None))
    kinds = {event['type'] for event in events}
    equal('and nothing else', kinds - {'m.room.message', 'm.room.redaction', 'm.room.member'}, set())


def main():
    """In the folder where it is called."""
    stage = Stage(*map(os.path.abspath, sys.argv[1:3]))
    try:
        for name, body in [('start', Stage.start), ('from Matrix', from_matrix), ('from Lark', from_lark), ('killed', dies),
                           ('no loops', counts)]:
            if not part(name, body, stage):
                break  # the rest counts on it
    finally:
        stage.bridge.kill()
        stage.lark.kill()
        stage.synapse.kill()
    finish()


main()
