"""Rooms that the bot makes, rooms that it is invited to, and talks one to one."""
from checks import equal, holds, true, until
from people import Refused, quoted
from received import PNG
from sent import Watch

NAMES = 'm.room.name'


def member(who, room, contact, wanted, seconds=90):
    """Whether somebody's membership becomes this."""
    return until(lambda: who.membership(room, contact) == wanted, seconds, 0.1)


def invitation(stage):
    """The first room: the bot is invited, told so, and accepts."""
    alice, bot = stage.alice, stage.bot
    mark = bot.mark()
    stage.room = alice.create('Harbour', [bot.id])
    told = bot.tells('room-invite', mark, topic='Harbour')
    if not true('an invitation is told', told, bot.log()):
        raise RuntimeError('there is no room to talk in')
    holds('who invites whom', told, {'inviterId': alice.id, 'receiverId': bot.id})
    true('it is not in it before it accepts', alice.membership(stage.room, bot.id) == 'invite')
    bot.rest('PUT', f'/room-invitations/{quoted(told["id"])}/accept')
    true('it joins', member(alice, stage.room, bot.id, 'join'))
    found = bot.rest('GET', f'/rooms/{quoted(stage.room)}')
    equal('the room', (found['topic'], sorted(found['memberIdList'])), ('Harbour', sorted([alice.id, bot.id])))
    # Version 12 of rooms has its creator in no list of powers.
    equal('its version is one whose creator is in no list', (alice.state(stage.room, 'm.room.power_levels') or {})
          .get('users', {}).get(alice.id), None)
    equal('who made it owns it', found.get('ownerId'), alice.id)
    other = alice.create('Deck', [bot.id])
    told = bot.tells('room-invite', mark, topic='Deck')
    true('a second invitation is told', told, bot.log())
    alice.kick(other, bot.id, 'not you')
    alice.say(stage.room, 'ding')
    true('who is uninvited goes on', alice.hears(stage.room, bot.id, 'dong'), bot.log())


def made(stage):
    """A room of the bot's own."""
    alice, carol, dave, bot = stage.alice, stage.carol, stage.dave, stage.bot
    mark = bot.mark()
    room = bot.rest('POST', '/rooms', {'contactIds': [alice.id, carol.id], 'topic': 'Crew 船员'})['id']
    seen = alice.invited(room)
    true('who is to be in it is invited', seen and carol.invited(room), bot.log())
    equal('under its name', (seen or {}).get((NAMES, ''), {}).get('content'), {'name': 'Crew 船员'})
    alice.join(room)
    carol.join(room)
    equal('the bot made it', alice.state(room, 'm.room.create') is not None and
          next(one['sender'] for one in alice.timeline(room) if one['type'] == 'm.room.create'), bot.id)
    for who in (alice, carol):
        true(f'{who.name} joins', bot.tells('room-join', mark, roomId=room, inviteeIdList=[who.id]), bot.log())
    watch = Watch(stage, room, alice)
    equal('it talks there', bot.send(room, {'text': 'all aboard'})['state'], 'sent')
    equal('and is heard', [event['content']['body'] for event in watch.new()], ['all aboard'])
    bot.rest('PUT', f'/rooms/{quoted(room)}/add/{quoted(dave.id)}')
    true('somebody is added', member(alice, room, dave.id, 'invite'))
    dave.join(room)
    true('and comes', bot.tells('room-join', mark, roomId=room, inviteeIdList=[dave.id]), bot.log())
    names = sorted(one['id'] for one in bot.rest('GET', f'/rooms/{quoted(room)}/members?limit=200')['items'])
    equal('the members', names, sorted([alice.id, bot.id, carol.id, dave.id]))
    bot.rest('DELETE', f'/rooms/{quoted(room)}/member/{quoted(dave.id)}')
    true('somebody is removed', member(alice, room, dave.id, 'leave'))
    told = bot.tells('room-leave', mark, roomId=room, removeeIdList=[dave.id])
    holds('and it is told by whom', told, {'removerId': bot.id})
    bot.rest('PUT', f'/rooms/{quoted(room)}/topic', {'topic': 'Crew & Co'})
    equal('it is renamed', alice.state(room, NAMES), {'name': 'Crew & Co'})
    equal('and knows it', until(lambda: bot.rest('GET', f'/rooms/{quoted(room)}/topic') == {'topic': 'Crew & Co'}), True)
    bot.rest('PUT', f'/rooms/{quoted(room)}/announcement', {'text': 'We sail at nine'})
    holds('it is announced', alice.state(room, 'm.room.topic'), {'topic': 'We sail at nine'})
    true('its QR code leads there', 'matrix.to' in bot.rest('GET', f'/rooms/{quoted(room)}/qrcode')['qrcode'])
    found = bot.rest('GET', f'/rooms/{quoted(room)}')
    equal('its owner', found.get('ownerId'), bot.id)
    powers = alice.state(room, 'm.room.power_levels')
    powers['users'] = {**powers.get('users', {}), carol.id: 50}
    stage.bot_self.set_state(room, 'm.room.power_levels', powers)
    true('who has power is an administrator', until(
        lambda: carol.id in bot.rest('GET', f'/rooms/{quoted(room)}')['adminIdList']), bot.log())
    alice.say(room, 'ding')
    true('plugins answer there, too', alice.hears(room, bot.id, 'dong'), bot.log())
    listed = [one['id'] for one in bot.rest('GET', '/rooms?limit=200')['items']]
    equal('both rooms are listed', {stage.room, room} <= set(listed), True)
    bot.rest('DELETE', f'/rooms/{quoted(room)}')
    true('it leaves', member(alice, room, bot.id, 'leave'))
    try:
        alice_says = bot.send(room, {'text': 'still here?'})
        true('where it is not it cannot talk', alice_says['state'] in ('dead', 'rejected'), alice_says)
    except Refused:
        true('where it is not it cannot talk', True)
    equal('nothing of it is there', [event['content']['body'] for event in Watch(stage, room, alice).all()], ['all aboard', 'dong'])


def found_or_made(stage):
    """Talks one to one: made where there are none, found where there are."""
    carol, dave, bot, own = stage.carol, stage.dave, stage.bot, stage.bot_self
    before = set(carol.invitations())
    equal('a first word', bot.send(carol.id, {'text': 'good morning'})['state'], 'sent')
    new = [room for room in carol.invitations() if room not in before]
    equal('makes one room', len(new), 1)
    room = new[0]
    event = carol.invitations()[room]['m.room.member', carol.id]
    equal('that is a talk of two', event['content'].get('is_direct'), True)
    equal('a second word before she comes', bot.send(carol.id, {'text': 'are you there?'})['state'], 'sent')
    equal('makes no other room', len([one for one in carol.invitations() if one not in before]), 1)
    carol.join(room)
    equal('both are there', [event['content']['body'] for event in Watch(stage, room, carol).all()],
          ['good morning', 'are you there?'])
    equal('it is noted as direct', own.account_data('m.direct').get(carol.id), [room])
    mark = bot.mark()
    event = carol.say(room, 'ding')
    told = bot.tells('message', mark, id=event)
    holds('she is a person and no room', told, {'conversation': {'contact': carol.id}, 'talkerId': carol.id,
                                                'roomId': None, 'listenerId': bot.id})
    true('she is answered there', carol.hears(room, bot.id, 'dong'), bot.log())
    # By himself he may begin one, too: an invitation to talk is taken.
    room = dave.create(None, [bot.id], is_direct=True, preset='trusted_private_chat')
    true('it joins', member(dave, room, bot.id, 'join'))
    event = dave.say(room, 'ding')
    told = bot.tells('message', mark, id=event)
    holds('he is a person, too', told, {'conversation': {'contact': dave.id}, 'roomId': None})
    true('he is answered there', dave.hears(room, bot.id, 'dong'), bot.log())
    before = len(Watch(stage, room, dave).all())
    equal('he is written to', bot.send(dave.id, {'text': 'and you?'})['state'], 'sent')
    equal('in his room', [event['content']['body'] for event in Watch(stage, room, dave).all()[before:]], ['and you?'])
    equal('he is invited to no other', dave.invitations(), {})
    mxc = dave.upload(PNG, 'me.png', 'image/png')
    event = dave.send(room, {'msgtype': 'm.image', 'body': 'me.png', 'url': mxc})
    true('his picture is told', bot.tells('message', mark, id=event), bot.log())
    contacts = [one['id'] for one in bot.rest('GET', '/contacts?limit=200')['items']]
    equal('people are known', {stage.alice.id, carol.id, dave.id} <= set(contacts), True)
    listed = [one['id'] for one in bot.rest('GET', '/rooms?limit=200')['items']]
    true('a talk of two is no room', room not in listed, listed)
    try:
        state = bot.send('@nobody:localhost', {'text': 'who?'})
        true('nobody is not written to', state['state'] in ('dead', 'rejected'), state)
    except Refused:
        true('nobody is not written to', True)
