"""What goes wrong with a homeserver: too much, too large, a token that is none any more, a while away."""
import os
import time
from collections import Counter

from checks import equal, holds, true, until
from people import Refused
from proxy import Proxy
from received import heard
from sent import MIB, Watch
from synapse import LARGEST_UPLOAD


def busy(stage):
    """The server answers 429, again and again."""
    bot, admin = stage.bot, stage.admin
    watch, before = Watch(stage), bot.ledger()['out']
    texts = [f'patience {n}' for n in range(8)]
    admin.slow(bot.id, 2, 2)
    try:
        bot.rest('POST', '/sends:batch?wait=queued',
                 {'sends': [{'to': {'room': stage.room}, 'text': text} for text in texts]})
        new = watch.new(8)
    finally:
        admin.slow(bot.id, 0, 0)
    equal('all of it is there, once and in order', [event['content']['body'] for event in new], texts)
    true('it took as long as the server wanted',
         new and new[-1]['origin_server_ts'] - new[0]['origin_server_ts'] >= 2000, new[-1:])
    out = bot.ledger()['out']
    equal('nothing of it is in doubt or lost', (out['maybe_sent'], out['dead']), (0, before['dead']))


def large(stage):
    """A file that the server does not take."""
    bot = stage.bot
    watch = Watch(stage)
    file = bot.upload(os.urandom(LARGEST_UPLOAD + MIB), 'huge.bin')
    try:
        state = bot.send(stage.room, {'attachment': file})
        why = str(state.get('reason'))
        true('it is not sent', state['state'] in ('dead', 'rejected'), state)
    except Refused as refused:
        why = str(refused.body)
        true('it is not sent', refused.status < 500, refused)
    true('the reason is told', 'large' in why.lower() or 'bytes' in why.lower() or 'MiB' in why, why)
    bot.send(stage.room, {'text': 'behind the huge one'})
    equal('what comes behind it is', [event['content'].get('body') for event in watch.new()], ['behind the huge one'])
    file = bot.upload(os.urandom(LARGEST_UPLOAD), 'most.bin')
    equal('a file of the largest size is sent', bot.send(stage.room, {'attachment': file})['state'], 'sent')


def away(stage):
    """The bot ends, and comes back when much has happened."""
    alice, carol, dave, bot, room = stage.alice, stage.carol, stage.dave, stage.bot, stage.room
    before = stage.admin.devices(bot.id)
    equal('it has one device', len(before), 1)
    equal('it ends well', bot.stop(), 0)
    mark = bot.mark()
    first = alice.say(room, 'away 0')
    events = [first] + [alice.say(room, f'away {n}') for n in range(1, 130)]
    alice.say(room, '* edited', **{'m.new_content': {'msgtype': 'm.text', 'body': 'edited'},
                                   'm.relates_to': {'rel_type': 'm.replace', 'event_id': first}})
    alice.invite(room, dave.id)
    dave.join(room)
    other = carol.create('Meanwhile', [bot.id])
    answered = len(stage.said('dong'))
    alice.say(room, 'ding')
    bot.start()
    true('it comes back', bot.logged_in(), bot.log())
    true('what was asked meanwhile is answered', until(lambda: len(stage.said('dong')) > answered), bot.log())

    def told():
        return [one['payload']['id'] for one in bot.told(mark, ['message']) if one['payload']['id'] in events]
    until(lambda: len(told()) >= len(events))
    equal('all that was said meanwhile is told, once and in order', told(), events)
    true('an edit of then is told', bot.tells('message-edit', mark, messageId=first, newText='edited'), bot.log())
    true('a join of then is told', bot.tells('room-join', mark, roomId=room, inviteeIdList=[dave.id]), bot.log())
    true('an invitation of then is told', bot.tells('room-invite', mark, topic='Meanwhile'), bot.log())
    equal('one answer', len(stage.said('dong')), answered + 1)
    equal('it is the same device', stage.admin.devices(bot.id), before)
    # Its owner did not ask for encryption: keys of a process that is gone would lock messages that nobody can open.
    keys = alice.call('POST', '/_matrix/client/v3/keys/query', {'device_keys': {bot.id: []}})
    equal('it has no keys that nobody keeps', keys['device_keys'].get(bot.id, {}), {})
    carol.kick(other, bot.id)
    event = alice.say(room, 'welcome back')
    heard(stage, 'what comes then', event, text='welcome back')


def thrown_out(stage):
    """Its device is gone in the middle of what it says: with its password it makes another."""
    alice, bot, admin, room = stage.alice, stage.bot, stage.admin, stage.room
    mark, answered, watch = bot.mark(), len(stage.said('dong')), Watch(stage)
    texts = [f'unbroken {n}' for n in range(30)]
    bot.rest('POST', '/sends:batch?wait=queued', {'sends': [{'to': {'room': room}, 'text': text} for text in texts]})
    until(lambda: len(watch.all()) > watch.before + 3, pause=0.01)
    for device in admin.devices(bot.id):
        admin.forget_device(bot.id, device)
    event = alice.say(room, 'ding')
    true('it logs in anew and answers', until(lambda: len(stage.said('dong')) > answered), bot.log())
    true('what was said meanwhile is told', bot.tells('message', mark, id=event), bot.log())
    until(lambda: bot.ledger()['out'].get('pending') == 0, pause=0.5)
    said = [one['content']['body'] for one in watch.all()[watch.before:]]
    there, stage.doubtful = [text for text in said if text != 'dong'], 0
    equal('what it was saying is there, once and in order', there, [text for text in texts if text in there])
    # Synapse takes back what it was about to keep for a device that is gone, and says 500: that is in doubt, and another
    # device does not say it again. A token that is refused is in no doubt.
    stage.doubtful = len(texts) - len(there)
    true('all but the one that was under way', stage.doubtful <= 1, there)
    equal('with one device', len(admin.devices(bot.id)), 1)
    equal('it says something', bot.send(room, {'text': 'here again'})['state'], 'sent')
    equal('one answer', len(stage.said('dong')), answered + 1)


def frozen(stage):
    """The way to the server goes dead under a bot of its own; what becomes of it is asked in the end."""
    alice = stage.alice
    stage.proxy = Proxy(stage.synapse.port)
    bot = stage.patient = stage.another('patient', 'pw-patient', stage.proxy.url)
    room = stage.patient_room = alice.create('Patience', [bot.id])
    stage.admin.behind(stage.synapse, 'patient').join(room)
    bot.start()
    true('it logs in', bot.logged_in(), bot.log())
    equal('it talks', bot.send(room, {'text': 'before'})['state'], 'sent')
    true('what is open goes dead', stage.proxy.freeze() >= 2)
    bot.send(room, {'text': 'into the void'}, wait='queued')
    stage.since = time.monotonic()
    alice.say(room, 'ding')


def thawed(stage):
    """It has found other ways, and nothing is lost or said twice."""
    bot, room, alice = stage.patient, stage.patient_room, stage.alice
    left = max(60, 180 - (time.monotonic() - stage.since))
    true('what was said into the void is there', alice.hears(room, bot.id, 'into the void', left), bot.log())
    true('what was asked meanwhile is answered', alice.hears(room, bot.id, 'dong', left), bot.log())
    said = sorted(one['content']['body'] for one in alice.said(room, bot.id))
    equal('each once', said, ['before', 'dong', 'into the void'])
    equal('it ends well', bot.stop(), 0)


def refused(stage):
    """A wrong password is told and not tried for ever, and is in no log."""
    wrong = stage.another('wrong', password='no-such-password')
    wrong.start()
    true('it does not go on', until(lambda: not wrong.alive()), wrong.log())
    equal('and says so', wrong.process.poll(), 1)
    true('with the reason', 'M_FORBIDDEN' in wrong.log(), wrong.log())
    for bot, secret in ((wrong, 'no-such-password'), (stage.bot, f'pw-{stage.bot.user}')):
        true(f'the password of {bot.user} is in no log', secret not in bot.log(10 ** 6))


def books(stage):
    """It ends well, and its books are those of the rooms."""
    bot = stage.bot
    equal('it ends well', bot.stop(), 0)
    ledger = bot.ledger()
    for side in ('in', 'out'):
        holds(f'the book {side}', ledger[side], {'residue': 0, 'pending': 0})
    equal('in doubt is what is not there', ledger['out'].get('maybe_sent'), stage.doubtful)
    true('much was', ledger['out'].get('sent', 0) > 100 and ledger['in'].get('received', 0) > 150, ledger)
    record = [one for one in bot.recorded() if one['conversation'] == stage.room]
    there = Watch(stage).all()
    bodies = Counter(event['content'].get('body') for event in there)
    texts = Counter(one['text'] for one in record if one['kind'] == 'Text' and not one['mentions'] and not one['quote']
                    and len(one['text']) < 1000 and 'slip' not in one['text'])
    true('the record has them', sum(texts.values()) > 60, texts)
    equal('the record has what is in the room', [text for text, count in texts.items() if bodies[text] != count], [])
