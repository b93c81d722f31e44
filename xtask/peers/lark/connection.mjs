// The SDK's long connection: discovery, pings, fragments, acknowledgements, callbacks, reconnection.
import * as lark from '@larksuiteoapi/node-sdk'

import { APP, BOT, SECRET, URL, acked, admin, check, equal, event, until } from './fake.mjs'
import { quiet, send } from './rest.mjs'

const TYPES = [
  'im.message.receive_v1', 'im.message.recalled_v1', 'im.message.message_read_v1', 'im.message.reaction.created_v1',
  'im.chat.updated_v1', 'im.chat.disbanded_v1', 'im.chat.member.user.added_v1', 'im.chat.member.user.deleted_v1',
  'im.chat.member.bot.added_v1', 'im.chat.member.bot.deleted_v1', 'im.chat.access_event.bot_p2p_chat_entered_v1',
]

// What the SDK handed to its handlers, and its dispatcher.
export function listener(key, token) {
  const heard = { all: [], fails: 0 }
  const take = async data => {
    if (heard.fails-- > 0) throw new Error('on purpose')
    heard.all.push(data)
  }
  heard.last = type => heard.all.filter(data => data.event_type === type).pop()
  heard.dispatcher = new lark.EventDispatcher({ encryptKey: key, verificationToken: token, ...quiet })
    .register(Object.fromEntries(TYPES.map(type => [type, take])))
    .register({
      'card.action.trigger': async data => ({
        toast: { type: 'success', content: `you chose ${data.action.value.k}` },
        card: { type: 'raw', data: { elements: [{ tag: 'markdown', content: 'done' }] } },
      }),
    })
  return heard
}

export async function connection(all) {
  const { alice, bob, group } = all
  await refusals()
  check('events without a connection are given up', await until(async () => (await admin('GET', 'book')).unsettled === 0))
  const heard = listener('', '')
  let [ready, reconnected, back] = [0, 0, 0]
  const client = new lark.WSClient({
    appId: APP, appSecret: SECRET, domain: URL, onReady: () => { ready += 1 }, onReconnected: () => { reconnected += 1 },
    wsConfig: { pingTimeout: 1 }, ...quiet,
  })
  await client.start({ eventDispatcher: heard.dispatcher })
  check('it is ready', await until(() => ready === 1))
  check('it pings after the interval it was told', await until(async () => (await admin('GET', 'connections'))[0]?.pings >= 2))
  await says(all, heard)

  heard.fails = 1
  const failed = await say(all, 'fails once')
  const outcomes = (await acked('im.message.receive_v1', failed)).attempts.map(one => one.outcome)
  equal('a handler that fails: 500, then again', [outcomes[0], outcomes.at(-1)], ['the app answered 500', 'acked'])
  const act = {
    'im.message.recalled_v1': async () => admin('POST', 'recall', { person: alice.open_id, message_id: await say(all, 'oops') }),
    'im.message.message_read_v1': async () => admin('POST', 'read', {
      person: bob.open_id, message_ids: [(await send(all, 'text', { text: 'x' }, bob.open_id, 'open_id')).data.message_id],
    }),
    'im.message.reaction.created_v1': async () => admin('POST', 'react', {
      person: bob.open_id, message_id: await say(all, 'r'), emoji_type: 'OK',
    }),
    'im.chat.updated_v1': () => admin('PATCH', `chats/${group}`, { by: alice.open_id, name: 'New name' }),
    'im.chat.member.user.deleted_v1': () => admin('POST', `chats/${group}/members`, { by: alice.open_id, remove: [bob.open_id] }),
    'im.chat.member.user.added_v1': () => admin('POST', `chats/${group}/members`, { by: alice.open_id, add: [bob.open_id] }),
    'im.chat.member.bot.deleted_v1': () => admin('POST', `chats/${group}/members`, { by: alice.open_id, bot: 'remove' }),
    'im.chat.member.bot.added_v1': () => admin('POST', `chats/${group}/members`, { by: alice.open_id, bot: 'add' }),
    'im.chat.access_event.bot_p2p_chat_entered_v1': () => admin('POST', 'enter', { person: bob.open_id }),
  }
  for (const [type, happens] of Object.entries(act)) {
    await happens()
    check(`${type}: acknowledged`, await acked(type), await event(type))
    check(`${type}: heard`, heard.last(type))
  }
  equal('what a chat was and is', [heard.last('im.chat.updated_v1').before_change.name, heard.last('im.chat.updated_v1').after_change.name],
    ['Crew', 'New name'])
  await presses(all)
  await several(all, heard)

  await admin('PATCH', 'settings', { patient: true })
  back = reconnected
  await admin('POST', 'connections', { action: 'drop' })
  const away = await say(all, 'while away')
  check('after a drop it is back', await acked('im.message.receive_v1', away))
  await admin('POST', 'restart', { down_ms: 300 })
  const restarted = await say(all, 'after a restart')
  check('after a restart it is back', await acked('im.message.receive_v1', restarted))
  check('it knows that it came back', await until(() => reconnected >= back + 2), reconnected)
  await admin('PATCH', 'settings', { ack_ms: 500, retries_ms: Array(100).fill(200) })
  back = reconnected
  await admin('POST', 'connections', { action: 'half_open' })
  const deaf = await say(all, 'into the void')
  check('a connection that is half open: it notices', await until(() => reconnected > back))
  const found = await acked('im.message.receive_v1', deaf)
  check('a connection that is half open: the message comes on the next', found?.attempts.length > 1, found)
  const { id } = (await admin('GET', 'connections')).find(one => one.deaf)
  await admin('POST', 'connections', { action: 'drop', id })
  client.close({ force: true })
  check('it goes', await until(async () => (await admin('GET', 'connections')).length === 0))
  await admin('PATCH', 'settings', { patient: false, ack_ms: 5_000, retries_ms: [100, 100, 100, 100] })
}

// An event goes to one of the connections.
async function several(all, heard) {
  const other = listener('', '')
  const client = new lark.WSClient({ appId: APP, appSecret: SECRET, domain: URL, ...quiet })
  await client.start({ eventDispatcher: other.dispatcher })
  check('two connections', await until(async () => (await admin('GET', 'connections')).length === 2))
  heard.all.length = 0
  const ids = []
  for (let number = 0; number < 6; number += 1) ids.push(await say(all, `to one of you ${number}`))
  for (const id of ids) await acked('im.message.receive_v1', id)
  const got = [heard, other].map(one => one.all.map(data => data.message.message_id))
  equal('two connections: each message once', [...got[0], ...got[1]].sort(), ids)
  check('two connections: both have some', got.every(list => list.length > 0), got)
  client.close({ force: true })
  check('two connections: one again', await until(async () => (await admin('GET', 'connections')).length === 1))
}

export async function say({ alice, group }, text) {
  return (await admin('POST', 'say', { from: alice.open_id, chat: group, text })).message_id
}

async function refusals() {
  const outcome = secret => new Promise(resolve => {
    const client = new lark.WSClient({
      appId: APP, appSecret: secret, domain: URL, autoReconnect: false, ...quiet,
      onReady: () => resolve('ready') || client.close({ force: true }), onError: error => resolve(error.message),
    })
    client.start({ eventDispatcher: listener('', '').dispatcher })
  })
  const wrong = await outcome('wrong')
  check('discovery with a wrong secret', wrong.includes('1000040345'), wrong)
  for (const code of [403, 514, 1000040350]) {
    await admin('POST', 'faults', { path: '/callback/ws', kind: 'refuse', code })
    const found = await outcome(SECRET)
    check(`discovery refused with ${code}`, found.includes(`code=${code}`), found)
  }
  await admin('POST', 'faults', { path: '/callback/ws', kind: 'refuse', code: 1000040343 })
  const found = await outcome(SECRET)
  check('discovery that may be asked again', !found.includes('code='), found)
}

async function says(all, heard) {
  const { alice, group } = all
  const kinds = {
    text: { text: `你好 <at user_id="${BOT}"></at>` },
    post: { content: { title: 'T', content: [[{ tag: 'at', user_id: BOT }, { tag: 'text', text: 'x' }]] } },
    location: { content: { name: 'Here', longitude: '121.4', latitude: '31.2' } },
    merge_forward: { children: [] },
  }
  for (const fragments of [false, true]) {
    await admin('PATCH', 'settings', { fragment_bytes: fragments ? 100 : 65536, shuffle: fragments })
    for (const [type, more] of Object.entries(kinds)) {
      const name = `${type}${fragments ? ' in fragments' : ''}`
      const { message_id } = await admin('POST', 'say', { from: alice.open_id, chat: group, type, ...more })
      check(`${name}: acknowledged`, await acked('im.message.receive_v1', message_id))
      const got = heard.last('im.message.receive_v1')
      equal(`${name}: which`, [got?.message.message_id, got?.message.message_type], [message_id, type])
      equal(`${name}: content`, got?.message.content, (await admin('GET', `messages/${message_id}`)).content)
      equal(`${name}: sender`, got?.sender.sender_id.open_id, alice.open_id)
    }
  }
  await admin('PATCH', 'settings', { fragment_bytes: 65536, shuffle: false })
}

// Buttons call back, and the answer changes the card.
export async function presses(all) {
  const button = label => ({ tag: 'button', text: { tag: 'plain_text', content: label }, behaviors: [{ type: 'callback', value: { k: label } }] })
  const card = { schema: '2.0', body: { elements: [button('是'), button('否')] } }
  const { data } = await send(all, 'interactive', card)
  const done = await admin('POST', 'click', { person: all.alice.open_id, message_id: data.message_id, button: '否' })
  equal('a press: state', done.state, 'acked')
  equal('a press: toast', done.answer?.toast, { type: 'success', content: 'you chose 否' })
  equal('a press: the card is another', JSON.parse((await admin('GET', `messages/${data.message_id}`)).content).elements?.length, 1)
}
