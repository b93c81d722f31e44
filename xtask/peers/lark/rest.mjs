// Calls of the platform with the SDK's typed requests.
import * as lark from '@larksuiteoapi/node-sdk'

import { APP, BOT, SECRET, URL, admin, check, equal } from './fake.mjs'

export const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33'
  + '0000000049454e44ae426082', 'hex')
export const quiet = { loggerLevel: lark.LoggerLevel.fatal }

// People, a group, and the SDK's client.
export async function world() {
  const person = (name, more = {}) => admin('POST', 'people', { name, ...more })
  const alice = await person('Alice', { mobile: '+8613800000001', email: 'alice@example.com', departments: ['0', 'od-1'] })
  const bob = await person('小波', { mobile: '+8613800000002' })
  const members = [alice.open_id, bob.open_id]
  const { chat_id: group } = await admin('POST', 'chats', { name: 'Crew', owner: alice.open_id, members })
  const client = new lark.Client({ appId: APP, appSecret: SECRET, domain: URL, cache: new lark.DefaultCache(), ...quiet })
  return { alice, bob, group, client }
}

// Sends; gives the SDK's answer.
export function send(all, type, content, to = all.group, kind = 'chat_id', uuid = undefined) {
  return all.client.im.v1.message.create({
    params: { receive_id_type: kind }, data: { receive_id: to, msg_type: type, content: JSON.stringify(content), uuid },
  })
}

// It succeeds; gives its data.
async function good(name, call) {
  try {
    const answer = await call
    equal(`${name}: code`, answer.code, 0)
    return answer.data
  } catch (error) {
    check(name, false, JSON.stringify(error.response?.data ?? error.message))
    return {}
  }
}

// It is refused so.
async function refused(name, call, code, status = 400) {
  try {
    const answer = await call
    check(name, false, `it was taken: ${JSON.stringify(answer)}`)
  } catch (error) {
    equal(`${name}: code`, error.response?.data?.code, code)
    equal(`${name}: status`, error.response?.status, status)
    check(`${name}: log id`, error.response?.data?.error?.log_id, error.message)
  }
}

export async function rest(all) {
  for (const part of [tokens, sends, changes, reactions, media, chats, contacts, cards]) await part(all)
}

async function tokens({ client }) {
  const info = () => client.request({ method: 'GET', url: '/open-apis/bot/v3/info' })
  equal('bot info', (await info()).bot.open_id, BOT)
  const { tokens: made } = await admin('GET', 'book')
  const second = new lark.Client({ appId: APP, appSecret: SECRET, domain: URL, cache: new lark.DefaultCache(), ...quiet })
  await second.request({ method: 'GET', url: '/open-apis/bot/v3/info' })
  equal('the same token comes back while it lives', (await admin('GET', 'book')).tokens, made)
  await admin('POST', 'tokens/expire')
  await refused('an expired token', info(), 99991663)
  client.tokenManager.cache.set(lark.CTenantAccessToken, '', Date.now(), { namespace: APP })
  equal('after a new token', (await info()).code, 0)
}

async function sends(all) {
  const { alice, bob, group, client } = all
  for (const kind of ['open_id', 'union_id', 'user_id', 'email']) {
    const data = await good(`text by ${kind}`, send(all, 'text', { text: kind }, alice[kind], kind))
    equal(`text by ${kind}: sender`, data.sender?.id, APP)
  }
  const text = `hi <at user_id="${bob.open_id}"></at>`
  const data = await good('mention', send(all, 'text', { text }))
  equal('mention: who', data.mentions?.map(one => [one.key, one.id]), [['@_user_1', bob.open_id]])
  const { image_key } = await client.im.v1.image.create({ data: { image_type: 'message', image: PNG } })
  const file = async (file_type, more = {}) => (await client.im.v1.file.create({
    data: { file_type, file_name: 'a.bin', file: Buffer.from('bytes'), ...more },
  })).file_key
  const [opus, mp4, stream] = [await file('opus', { duration: 1500 }), await file('mp4'), await file('stream')]
  const contents = {
    post: { zh_cn: { title: '题', content: [[{ tag: 'text', text: 'x' }, { tag: 'at', user_id: bob.open_id }], [{ tag: 'img', image_key }]] } },
    image: { image_key }, audio: { file_key: opus }, media: { file_key: mp4, image_key }, file: { file_key: stream },
    share_chat: { chat_id: group }, share_user: { user_id: bob.open_id },
    interactive: { elements: [{ tag: 'markdown', content: 'hi' }] },
  }
  for (const [type, content] of Object.entries(contents)) {
    const sent = await good(type, send(all, type, content))
    if (type !== 'post') equal(`${type}: content`, JSON.parse(sent.body?.content ?? 'null'), content)
  }
  await refused('a sound as a film', send(all, 'media', { file_key: opus }), 230055)
  await refused('to nobody', send(all, 'text', { text: 'x' }, 'ou_none', 'open_id'), 230034)
  const once = await good('with a key', send(all, 'text', { text: 'once' }, group, 'chat_id', 'k1'))
  const twice = await good('with the same key', send(all, 'text', { text: 'twice' }, group, 'chat_id', 'k1'))
  equal('one message for one key', twice.message_id, once.message_id)
  await admin('POST', 'faults', { path: '/open-apis/im', kind: 'throttle', reset: 7 })
  await refused('throttled', send(all, 'text', { text: 'x' }), 99991400, 429)
}

async function changes(all) {
  const { bob, group, client } = all
  const { message } = client.im.v1
  const { message_id } = await good('first', send(all, 'text', { text: 'first' }))
  const path = { message_id }
  const reply = await good('reply', message.reply({ path, data: { msg_type: 'text', content: '{"text":"re"}', uuid: 'r1' } }))
  equal('reply: parent and root', [reply.parent_id, reply.root_id], [message_id, message_id])
  await good('edit', message.update({ path, data: { msg_type: 'text', content: '{"text":"edited"}' } }))
  const got = await good('get', message.get({ path }))
  equal('get: edited', [got.items?.[0].body.content, got.items?.[0].updated], ['{"text":"edited"}', true])
  const params = { receive_id_type: 'open_id', uuid: 'f1' }
  const forwards = []
  for (const _ of [1, 2]) forwards.push(await good('forward', message.forward({ path, params, data: { receive_id: bob.open_id } })))
  equal('forward: one for one key', forwards[0].message_id, forwards[1].message_id)
  const merged = await good('merge', message.mergeForward({
    params: { receive_id_type: 'open_id' }, data: { receive_id: bob.open_id, message_id_list: [message_id, reply.message_id] },
  }))
  equal('merge: content', merged.message?.body.content, 'Merged and Forwarded Message')
  const card = await good('card', send(all, 'interactive', { elements: [{ tag: 'markdown', content: 'one' }] }))
  const content = JSON.stringify({ elements: [{ tag: 'markdown', content: 'two' }] })
  await good('patch', message.patch({ path: { message_id: card.message_id }, data: { content } }))
  equal('patch: it is another', (await admin('GET', `messages/${card.message_id}`)).content, content)
  await good('recall', message.delete({ path }))
  await refused('recall twice', message.delete({ path }), 230011)
  const seen = []
  for await (const page of await message.listWithIterator({ params: { container_id_type: 'chat', container_id: group, page_size: 5 } })) {
    seen.push(...page.items.map(one => one.message_id))
  }
  equal('list: the SDK pages through all', new Set(seen).size, (await admin('GET', `sent?chat=${group}`)).length)
}

async function reactions(all) {
  const { bob, client } = all
  const { message_id } = await good('to react to', send(all, 'text', { text: 'x' }))
  const path = { message_id }
  const made = await good('react', client.im.v1.messageReaction.create({ path, data: { reaction_type: { emoji_type: 'OK' } } }))
  await refused('no such emoji', client.im.v1.messageReaction.create({ path, data: { reaction_type: { emoji_type: 'x' } } }), 231001)
  const list = await good('reactions', client.im.v1.messageReaction.list({ path }))
  equal('reactions: one', list.items?.map(one => one.operator), [{ operator_id: APP, operator_type: 'app' }])
  await good('take back', client.im.v1.messageReaction.delete({ path: { message_id, reaction_id: made.reaction_id } }))
  await good('pin', client.im.v1.pin.create({ data: { message_id } }))
  const pins = await good('pins', client.im.v1.pin.list({ params: { chat_id: all.group } }))
  equal('pins: one', pins.items?.map(one => one.message_id), [message_id])
  await good('unpin', client.im.v1.pin.delete({ path }))
  await admin('POST', 'read', { person: bob.open_id, message_ids: [message_id] })
  const read = await good('read users', client.im.v1.message.readUsers({ path, params: { user_id_type: 'open_id' } }))
  equal('read users: bob', read.items?.map(one => one.user_id), [bob.open_id])
}

async function bytes(name, call) {
  try {
    const chunks = []
    for await (const chunk of (await call).getReadableStream()) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    check(name, false, error.message)
  }
}

async function media({ alice, group, client }) {
  const { image_key } = await client.im.v1.image.create({ data: { image_type: 'message', image: PNG } })
  check('image: back', PNG.equals(await bytes('image', client.im.v1.image.get({ path: { image_key } }))))
  await refused('an empty file', client.im.v1.file.create({ data: { file_type: 'stream', file_name: 'x', file: Buffer.alloc(0) } }), 234010)
    .catch(error => check('an empty file', false, error.message))
  const said = await admin('POST', 'say', { from: alice.open_id, chat: group, type: 'file', name: '表.bin', bytes: PNG.toString('base64') })
  const { file_key } = JSON.parse((await admin('GET', `messages/${said.message_id}`)).content)
  const path = { message_id: said.message_id, file_key }
  check('a file that came', PNG.equals(await bytes('file', client.im.v1.messageResource.get({ path, params: { type: 'file' } }))))
}

async function chats(all) {
  const { alice, bob, client } = all
  const { chat, chatMembers, chatManagers, chatAnnouncement } = client.im.v1
  const { chat_id } = await good('create', chat.create({ params: { user_id_type: 'open_id' }, data: { name: 'N', user_id_list: [alice.open_id] } }))
  const path = { chat_id }
  const members = { path, params: { member_id_type: 'open_id' }, data: { id_list: [bob.open_id] } }
  await good('add', chatMembers.create(members))
  const inside = await good('members', chatMembers.get({ path, params: { member_id_type: 'open_id' } }))
  equal('members: both', inside.items?.map(one => one.name), ['Alice', '小波'])
  await good('managers', chatManagers.addManagers({ path, params: { member_id_type: 'open_id' }, data: { manager_ids: [bob.open_id] } }))
  await good('remove', chatMembers.delete(members))
  await good('change', chat.update({ path, data: { name: '新名', description: 'D' } }))
  const got = await good('get', chat.get({ path }))
  equal('get: changed', [got.name, got.description, got.owner_id], ['新名', 'D', undefined])
  const link = await good('link', chat.link({ path, data: { validity_period: 'week' } }))
  check('link: one', link.share_link?.startsWith('https://'))
  const said = await good('announcement', chatAnnouncement.get({ path }))
  equal('announcement: none yet', said.revision, '0')
  const list = await good('list', chat.list({ params: { page_size: 100 } }))
  check('list: it is in', list.items?.some(one => one.chat_id === chat_id))
  await good('dissolve', chat.delete({ path }))
  await refused('send to what is dissolved', send(all, 'text', { text: 'x' }, chat_id), 232009)
}

async function contacts({ alice, bob, client }) {
  const { user, scope, group, groupMember } = client.contact.v3
  const got = await good('user', user.get({ path: { user_id: alice.open_id }, params: { user_id_type: 'open_id' } }))
  equal('user: name', got.user?.name, 'Alice')
  const found = await good('ids', user.batchGetId({ data: { mobiles: [bob.mobile] }, params: { user_id_type: 'open_id' } }))
  equal('ids: bob', found.user_list?.map(one => one.user_id), [bob.open_id])
  const here = await good('department', user.findByDepartment({ params: { department_id: 'od-1' } }))
  equal('department: alice', here.items?.map(one => one.name), ['Alice'])
  const scopes = await good('scopes', scope.list({ params: { user_id_type: 'open_id' } }))
  equal('scopes: both', scopes.user_ids?.length, 2)
  const { group_id } = await good('group', group.create({ data: { name: 'VIP' } }))
  const member = { member_type: 'user', member_id_type: 'open_id', member_id: bob.open_id }
  await good('into the group', groupMember.add({ path: { group_id }, data: member }))
  const of = await good('groups of', group.memberBelong({ params: { member_id: bob.open_id, member_id_type: 'open_id' } }))
  equal('groups of bob', of.group_list, [group_id])
  await good('out of the group', groupMember.remove({ path: { group_id }, data: member }))
}

async function cards(all) {
  const { card, cardElement } = all.client.cardkit.v1
  const data = JSON.stringify({
    schema: '2.0', config: { streaming_mode: true }, body: { elements: [{ tag: 'markdown', element_id: 'md', content: '' }] },
  })
  const { card_id } = await good('card', card.create({ data: { type: 'card_json', data } }))
  await good('card: sent', send(all, 'interactive', { type: 'card', data: { card_id } }))
  const grow = (content, sequence) => cardElement.content({ path: { card_id, element_id: 'md' }, data: { content, sequence } })
  await good('grow', grow('你', 1))
  await refused('a sequence that does not rise', grow('你好', 1), 300317)
  const settings = JSON.stringify({ config: { streaming_mode: false } })
  await good('finish', card.settings({ path: { card_id }, data: { settings, sequence: 2 } }))
  await refused('after its end', grow('x', 3), 300309)
}
