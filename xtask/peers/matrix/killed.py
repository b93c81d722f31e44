"""A steady stream of numbered messages in rooms and talks of two, while Synapse and the bot are killed and come back.

Called with the path of `wechaty`, in a folder of its own. Each message has an answer of its own by a rule: each must be there
once, in the order of its conversation.
"""
import os
import sys
import threading
import time
from collections import Counter

from bot import Bot
from checks import equal, finish, free_port, holds, part, true, until
from people import Admin, Person, Refused
from received import digest
from synapse import Synapse

EACH = 60
BURST = 130
ROOMS, TALKS = 3, 2
WHOLE = EACH * (ROOMS + TALKS) + BURST
PACING = '''
[pacing]
backoff = "100ms"
max_backoff = "1s"
per_second = 200
burst = 50
'''


def rules():
    """An answer for each number."""
    each = ',\n'.join(f'{{ equals = "n {n}", reply = "re {n}" }}' for n in range(WHOLE + 1))
    return f'{PACING}\n[[plugin]]\nuse = "auto-reply"\nsettings.rules = [\n{each}\n]\n'


class Talk:
    """One conversation, and who talks in it."""

    def __init__(self, who, room, numbers):
        self.who, self.room, self.numbers = who, room, numbers
        self.asked = []

    def say(self, number):
        """Told until the server has it: with one transaction id it is there once."""
        txn = f'n-{number}'
        while True:
            try:
                self.asked.append(self.who.send(self.room, {'msgtype': 'm.text', 'body': f'n {number}'}, txn=txn))
                return
            except Refused as refused:
                if refused.status < 500:
                    raise
            except OSError:
                pass
            time.sleep(0.1)

    def run(self, pause):
        """All of it."""
        for number in self.numbers:
            self.say(number)
            time.sleep(pause)


class Stage:
    """Rooms with many in them, talks of two, and a bot in all of them before it first lives."""

    def __init__(self, wechaty):
        self.synapse = Synapse('synapse', free_port()).start()
        self.admin = Admin(self.synapse)
        self.people = [Person(self.synapse, f'p{n}') for n in range(ROOMS + TALKS)]
        self.synapse.register('bot', 'pw-bot')
        own = self.admin.behind(self.synapse, 'bot')
        self.talks, direct = [], {}
        for n, who in enumerate(self.people):
            numbers = range(n * EACH, (n + 1) * EACH)
            others = [one.id for one in self.people if one is not who] if n < ROOMS else []
            room = who.create(f'Room {n}' if n < ROOMS else None, [own.id, *others], is_direct=n >= ROOMS)
            own.join(room)
            if n >= ROOMS:
                direct[who.id] = [room]
            self.talks.append(Talk(who, room, numbers))
        own.call('PUT', f'/_matrix/client/v3/user/{own.id}/account_data/m.direct', direct)
        # Nobody was there to hear this.
        self.talks[0].who.say(self.talks[0].room, f'n {WHOLE}')
        self.bot = Bot(wechaty, 'bot', self.synapse, 'bot', name='killed', more=rules(), log='info')

    def asked(self):
        """How many messages the server has."""
        return sum(len(talk.asked) for talk in self.talks)


def lives(stage):
    """Two deaths of each, and one of both."""
    bot, synapse = stage.bot, stage.synapse
    bot.start()
    if not true('it logs in', bot.logged_in(), bot.log()):
        raise RuntimeError('there is nobody to kill')
    stage.devices = stage.admin.devices(bot.id)
    equal('it has one device', len(stage.devices), 1)
    threads = [threading.Thread(target=talk.run, args=(0.18,), daemon=True) for talk in stage.talks]
    for thread in threads:
        thread.start()
    whole = EACH * len(stage.talks)

    def reach(part_of):
        until(lambda: stage.asked() >= whole * part_of, 180, 0.02)
        true(f'{int(part_of * 100)} % are said', stage.asked() >= whole * part_of, stage.asked())
    reach(0.15)
    bot.kill()
    bot.start()
    reach(0.35)
    stage.file = os.urandom(5 << 20)
    true('it is back', bot.logged_in(), bot.log())
    upload = bot.upload(stage.file, 'in between.bin')
    bot.send(stage.talks[1].room, {'attachment': upload}, wait='queued')
    synapse.kill()
    time.sleep(0.5)
    synapse.start()
    reach(0.55)
    bot.kill()
    # More than one answer of the server has of a room.
    burst = Talk(stage.talks[1].who, stage.talks[1].room, range(whole, whole + BURST))
    burst.run(0)
    stage.burst = burst
    bot.start()
    reach(0.8)
    synapse.kill()
    bot.kill()
    bot.start()
    time.sleep(0.5)
    synapse.start()
    reach(1)
    for thread in threads:
        thread.join(180)


def answered(stage):
    """Each once, in its order."""
    bot = stage.bot

    def missing():
        return [talk for talk in stage.talks if len(replies(talk)) < len(questions(talk))]

    def replies(talk):
        return [event for event in talk.who.said(talk.room, bot.id) if event['content'].get('msgtype') == 'm.text']

    def questions(talk):
        return [event for event in talk.who.timeline(talk.room) if event['type'] == 'm.room.message'
                and event['sender'] != bot.id and event['content']['body'].startswith('n ')
                and event['content']['body'] != f'n {WHOLE}']

    def untold():
        told = {one['payload']['id'] for one in bot.told(0, ['message'])}
        return [event for talk in stage.talks for event in questions(talk) if event['event_id'] not in told]
    until(lambda: not missing(), 240, 1)
    until(lambda: not untold(), pause=1)
    # What is said twice may come late.
    time.sleep(2)
    total = 0
    for n, talk in enumerate(stage.talks):
        asked = [event['content']['body'].removeprefix('n ') for event in questions(talk)]
        said = [event['content']['body'].removeprefix('re ') for event in replies(talk)]
        total += len(said)
        count = Counter(said)
        for number in asked:
            equal(f'n {number} is answered once', count[number], 1)
        equal(f'nothing else is said in conversation {n}', [one for one in said if one not in asked], [])
        equal(f'conversation {n} is in its order', said, asked)
        told = [one['payload']['id'] for one in bot.told(0, ['message']) if one['payload']['talkerId'] != bot.id]
        told = Counter(told)
        there = [event['event_id'] for event in questions(talk)]
        equal(f'each message of conversation {n} is told once', [told[one] for one in there], [1] * len(there))
    equal('there are so many answers', total, WHOLE)
    sent = [event for event in stage.talks[1].who.said(stage.talks[1].room, bot.id)
            if event['content'].get('msgtype') == 'm.file']
    equal('the file is there once', len(sent), 1)
    if sent:
        data, _ = stage.talks[1].who.download(sent[0]['content']['url'])
        equal('and whole', digest(data), digest(stage.file))


def ends(stage):
    """The books, and the devices."""
    bot = stage.bot
    equal('it is the same device', stage.admin.devices(bot.id), stage.devices)
    equal('it ends well', bot.stop(), 0)
    ledger = bot.ledger()
    holds('the book of what came', ledger['in'], {'residue': 0, 'pending': 0})
    holds('the book of what was said', ledger['out'],
          {'residue': 0, 'pending': 0, 'maybe_sent': 0, 'dead': 0, 'said': WHOLE + 1, 'sent': WHOLE + 1})


def main():
    """All of it."""
    stage = Stage(sys.argv[1])
    try:
        for name, body in (('lives', lives), ('answered', answered), ('ends', ends)):
            if not part(f'killed: {name}', body, stage):
                break
    finally:
        stage.bot.kill()
        stage.synapse.kill()
    finish()


main()
