"""One bot with an account on each of two platforms: the same handlers answer on both, and what they say once is on each in
the best form it has, as the platform received it: `snapshots`, written anew with `UPDATE_SNAPSHOTS=1`.

Called with the paths of `lark-fake` and of the example `everywhere`, in a folder of its own.
"""
import json
import os
import sys

from checks import equal, finish, free_port, part, true, until
from lark import Lark
from people import Person
from program import Program
from synapse import Synapse

SNAPSHOTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'snapshots')
BOT = '@bot:localhost'


class OnMatrix:
    """A room of alice and the bot."""
    name = 'matrix'

    def __init__(self, synapse):
        self.alice = Person(synapse, 'alice')
        synapse.register('bot', 'pw-bot')
        self.place = self.alice.create('Café', [BOT])
        self.settings = {'MATRIX_HOMESERVER': synapse.url, 'MATRIX_USER': 'bot', 'MATRIX_PASSWORD': 'pw-bot',
                         'MATRIX_ROOMS': self.place}

    def is_there(self):
        """Whether the bot is."""
        return self.alice.membership(self.place, BOT) == 'join'

    def says(self, text):
        """The id of what alice says."""
        return self.alice.say(self.place, text)

    def shows(self):
        """All that the bot has put there."""
        return [{'type': event['type'], **event['content']} for event in self.alice.timeline(self.place)
                if event['sender'] == BOT and event['type'] not in ('m.room.member', 'm.reaction')]

    def chooses(self, number, _button):
        """There is nothing to press: the number is said."""
        return bool(self.says(str(number)))


class OnLark:
    """A group of somebody else called alice and the bot."""
    name = 'lark'

    def __init__(self, lark):
        self.lark, self.alice = lark, lark.person('alice')
        self.place = lark.chat('Café', self.alice)
        self.settings = {'LARK_APPID': lark.app, 'LARK_APPSECRET': lark.secret, 'LARK_API_BASE': lark.url}

    def is_there(self):
        """Whether the bot is."""
        return self.lark.listening()

    def says(self, text):
        """The id of what she says."""
        return self.lark.say(self.alice, self.place, text)

    def shows(self):
        """All that the bot has put there, as it was sent."""
        return [{'msg_type': one['msg_type'], 'content': json.loads(one['raw']), 'via': one['via'],
                 'parent_id': one['parent_id']} for one in self.lark.sent(self.place)]

    def chooses(self, _number, button):
        """She presses the button of what was sent last."""
        last = self.lark.sent(self.place)[-1]['message_id']
        pressed = self.lark.admin('POST', 'click', {'person': self.alice, 'message_id': last, 'button': button})
        return pressed['state'] == 'acked'


def snapshot(name, found):
    """What a platform received is what was committed."""
    path = os.path.join(SNAPSHOTS, f'{name}.json')
    if os.environ.get('UPDATE_SNAPSHOTS'):
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(found, file, ensure_ascii=False, indent=2)
            file.write('\n')
    with open(path, encoding='utf-8') as file:
        expected = json.load(file)
    equal(f'{name} has all of it', list(found), list(expected))
    for what, shown in found.items():
        equal(f'{what} on {name}', shown, expected.get(what))


class Stage:
    """Both, and what each has shown of what was said once."""

    def __init__(self, sides, program):
        self.sides, self.program = sides, program
        self.shown = {side.name: {} for side in sides}

    def new(self, what, count, names):
        """One more on each; with names in the place of ids."""
        for side in self.sides:
            shown = until(lambda side=side: len(found := side.shows()) >= count and found) or side.shows()
            equal(f'{what} is on {side.name} once', len(shown), count)
            text = json.dumps(shown[count - 1:count], ensure_ascii=False)
            for volatile, known in {side.place: '<where>', **names.get(side.name, {})}.items():
                text = text.replace(volatile, known)
            self.shown[side.name][what] = json.loads(text)

    def says(self, text, count):
        """Both say it at the same time."""
        names = {side.name: {side.says(text): '<what was asked>'} for side in self.sides}
        self.new(text, count, names)

    def chooses(self, number, button, value, count):
        """On each in its own way; what handlers hear is the same."""
        for side in self.sides:
            true(f'{button} is chosen on {side.name}', side.chooses(number, button))
        self.new(f'what is said of {value}', count, {})
        for side in self.sides:
            told = [line for line in self.program.lines() if line.startswith(f'{side.name}: alice has chosen ')]
            equal(f'the handler hears it once from {side.name}', told[-1:], [f'{side.name}: alice has chosen {value}'])


def talk(stage):
    """All of it."""
    for side in stage.sides:
        true(f'the bot is on {side.name}', until(side.is_there), stage.program.log())
    ready = [f'{side.name}: ready' for side in stage.sides]
    true('it is ready on both', until(lambda: set(ready) <= set(stage.program.lines())), stage.program.log())
    stage.says('ding', 1)
    stage.says('menu', 2)
    stage.chooses(2, 'Coffee', 'coffee', 3)
    stage.says('bill', 4)
    matrix = stage.sides[0]
    # A link has a number, and is nothing to choose; what was chosen is over with the next question.
    matrix.says('3')
    stage.chooses(1, 'By card', 'card', 5)
    matrix.says('nothing')
    stage.says('ding', 6)
    for name, shown in stage.shown.items():
        snapshot(name, shown)
    told = [line.partition(': ') for line in stage.program.lines() if 'has chosen' in line]
    said = {side.name: [words for name, _, words in told if name == side.name] for side in stage.sides}
    equal('the same actions came from both', said['lark'], said['matrix'])
    equal('and no other', said['matrix'], ['alice has chosen coffee', 'alice has chosen card'])


def main():
    """In the folder where it is called."""
    fake, everywhere = map(os.path.abspath, sys.argv[1:3])
    synapse, lark, program = Synapse('synapse', free_port()).start(), Lark(fake), None
    try:
        sides = [OnMatrix(synapse), OnLark(lark)]
        settings = {f'WECHATY_PUPPET_{name}': value for side in sides for name, value in side.settings.items()}
        program = Program([everywhere, *(side.name for side in sides)], **settings).start()
        part('everywhere', talk, Stage(sides, program))
    finally:
        if program:
            program.kill()
        lark.kill()
        synapse.kill()
    finish()


main()
