"""A scripted talk: people by plain HTTP on one side of a Synapse, a bot of `wechaty run` on the other.

Called with the paths of `wechaty` and of the example `obeys`, in a folder of its own; further arguments name parts.
"""
import os
import sys

import received
import rooms
import sent
import trouble
from bot import Bot
from checks import equal, finish, free_port, holds, part, true, until
from people import Admin, Person
from program import Program
from synapse import Synapse

PLUGINS = '''
[[plugin]]
use = "ding-dong"
[[plugin]]
use = "auto-reply"
settings.rules = [{ equals = "hours?", reply = "from nine to five" }]
[[plugin]]
use = "welcome"
settings.greeting = "welcome, {name}"
settings.room = { re = "^Harbour" }
'''
# Of the platform's limits none is tried here but those that are meant to be.
PACING = '''
[pacing]
backoff = "200ms"
per_second = 200
burst = 50
'''


class Stage:
    """Who is there."""

    def __init__(self, wechaty, obeys):
        self.wechaty, self.obeys = wechaty, obeys
        self.synapse = Synapse('synapse', free_port()).start()
        self.admin = Admin(self.synapse)
        self.alice, self.carol, self.dave = (Person(self.synapse, name) for name in ('alice', 'carol', 'dave'))
        self.synapse.register('bot', 'pw-bot')
        self.bot_self = self.admin.behind(self.synapse, 'bot')
        self.lobby = self.dave.create('Lobby', room_alias_name='lobby', preset='public_chat')
        # One of these is there.
        rooms = 'rooms = "#lobby:localhost, #none:localhost"'
        self.bot = Bot(wechaty, 'bot', self.synapse, 'bot', name='talker', account=rooms, more=PLUGINS + PACING)
        self.room, self.others = None, []

    def another(self, user, password, url=None):
        """A bot of another account, with this password; by another way, if there is one."""
        self.synapse.register(user, f'pw-{user}')
        bot = Bot(self.wechaty, user, self.synapse, user, more=PLUGINS, url=url)
        self.others.append(bot)
        bot.password = password
        return bot

    def said(self, text):
        """How often the bot has said this in the room."""
        return [event for event in self.alice.said(self.room, self.bot.id) if event['content'].get('body') == text]


def arrives(stage):
    """The first login."""
    bot = stage.bot
    bot.start()
    if not true('it logs in', bot.logged_in(), bot.log()):
        raise RuntimeError('nobody is there to talk to')
    equal('who it is', bot.account().get('contactId'), bot.id)
    equal('its platform', bot.account().get('platform'), 'matrix')
    true('a login is told', bot.tells('login', contactId=bot.id))
    true('ready is told', bot.tells('ready') is not None)
    equal('it has one device', len(stage.admin.devices(bot.id)), 1)


def lobby(stage):
    """A room by its alias, and one that is not there."""
    dave, bot = stage.dave, stage.bot
    true('it joins a room by its alias', until(lambda: dave.membership(stage.lobby, bot.id) == 'join'), bot.log())
    dave.say(stage.lobby, 'ding')
    true('and answers there', dave.hears(stage.lobby, bot.id, 'dong'), bot.log())
    told = bot.tells('error')
    true('a room that is not there is told', told and '#none:localhost' in str(told), told)


def deeds(stage):
    """What is done to messages: by an example, for it is in no REST door."""
    alice, url = stage.alice, stage.synapse.url
    stage.synapse.register('obeys', 'pw-obeys')
    room = alice.create('Drill', ['@obeys:localhost'])
    stage.admin.behind(stage.synapse, 'obeys').join(room)
    alice.sync()
    settings = {'HOMESERVER': url, 'USER': 'obeys', 'PASSWORD': 'pw-obeys'}
    settings = {f'WECHATY_PUPPET_MATRIX_{name}': value for name, value in settings.items()}
    program = Program([stage.obeys], WECHATY_PUPPET='matrix', **settings).start()
    try:
        done(alice, room, '@obeys:localhost')
    finally:
        program.kill()


def done(alice, room, who):
    """Each of them, as it is in the room."""
    def first(kind, fits, seconds=90):
        return until(lambda: next((one for one in alice.said(room, who, kind) if fits(one['content'])), None), seconds, 0.1)

    def relation(content):
        return content.get('m.relates_to') or {}
    # It may not be there yet.
    event = until(lambda: alice.say(room, 'like') and first('m.reaction', lambda _: True, 2))
    true('it likes', event is not None)
    holds('what it likes', relation((event or {'content': {}})['content']), {'rel_type': 'm.annotation', 'key': '👍'})
    likes = [one['event_id'] for one in alice.said(room, alice.id)]
    true('that was said', relation(event['content']).get('event_id') in likes)
    alice.say(room, 'edit')
    old = first('m.room.message', lambda content: content.get('body') == 'first thoughts')
    true('it says something', old)
    new = first('m.room.message', lambda content: relation(content).get('rel_type') == 'm.replace')
    equal('and changes it', relation((new or {'content': {}})['content']).get('event_id'), (old or {}).get('event_id'))
    holds('into', (new or {'content': {}})['content'].get('m.new_content'), {'msgtype': 'm.text', 'body': 'second thoughts'})
    alice.say(room, 'type')

    def typing():
        alice.sync(1)
        return [who] in alice.typing.get(room, [])
    true('it types', until(typing), alice.typing)
    alice.say(room, 'recall')
    true('it takes back what it said', until(lambda: [one for one in alice.said(room, who) if not one['content']]))
    said = [one['content'].get('body') for one in alice.said(room, who) if one['content'] and not relation(one['content'])]
    equal('nothing else is there', said, ['first thoughts'])


PARTS = [('login', arrives), ('frozen', trouble.frozen), ('lobby', lobby), ('deeds', deeds), ('invitation', rooms.invitation), ('texts', received.texts), ('answers', received.answers),
         ('quotes', received.quotes), ('media', received.media), ('people', received.people),
         ('nonsense', received.nonsense), ('order', received.order), ('read back', received.messages),
         ('words', sent.words), ('mentions', sent.mentions), ('files', sent.files), ('things', sent.things),
         ('once', sent.once), ('marks', sent.marks), ('rooms', rooms.made), ('one to one', rooms.found_or_made),
         ('busy', trouble.busy), ('large', trouble.large), ('away', trouble.away), ('thrown out', trouble.thrown_out),
         ('refused', trouble.refused), ('books', trouble.books), ('thawed', trouble.thawed)]


def main():
    """All parts, or those that are named."""
    stage = Stage(*map(os.path.abspath, sys.argv[1:3]))
    wanted = sys.argv[3:] or [name for name, _ in PARTS]
    try:
        for name, body in PARTS:
            needed = name in ('login', 'invitation')
            if (name in wanted or needed) and not part(name, body, stage) and needed:
                break  # nothing of the rest can be
    finally:
        for bot in (stage.bot, *stage.others):
            bot.kill()
        stage.synapse.kill()
    finish()


main()
