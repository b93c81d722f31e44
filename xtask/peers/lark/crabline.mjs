// Our bot at somebody else's fake of Lark: `startFeishuServer` of `@openclaw/crabline`. node crabline.mjs WECHATY, in a folder
// of its own. It knows tokens, discovery, the long connection, and texts; all else it answers with 404, as if nothing were
// allowed.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { startFeishuServer } from '@openclaw/crabline'

const counts = { passed: 0, failed: 0, requests: 0 }
function check(name, ok, why = 'it is not') {
  counts[ok ? 'passed' : 'failed'] += 1
  const line = { assert: `crabline: ${name}`, ok: Boolean(ok) }
  if (!ok) line.why = String(typeof why === 'string' ? why : JSON.stringify(why)).slice(0, 600)
  console.log(JSON.stringify(line))
}
const equal = (name, found, expected) =>
  check(name, isDeepStrictEqual(found, expected), `found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
async function until(look, limit = 60_000) {
  const end = Date.now() + limit
  while (Date.now() < end) {
    const found = look()
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const events = []
const server = await startFeishuServer({ recorderPath: join(process.cwd(), 'recorder.jsonl'), onEvent: event => { events.push(event) } })
const { manifest } = server
const stages = stage => events.filter(event => event.body?.stage === stage).map(event => event.body)

writeFileSync('BOT.toml', `version = 1
name = "crab"
[[account]]
id = "crab"
puppet = "lark"
app_id = "${manifest.appId}"
app_secret = "${manifest.appSecret}"
api_base = "${manifest.baseUrl}"
accounts_base = "${manifest.baseUrl}"
[[plugin]]
use = "ding-dong"
`)
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WECHATY')))
const log = openSync('bot.log', 'a')
const args = ['--lang', 'en', '--log', 'info', 'run', 'BOT.toml', '--listen', '127.0.0.1:0']
const bot = spawn(process.argv[2], args, { env, stdio: ['ignore', log, log] })
closeSync(log)
process.on('exit', () => bot.kill('SIGKILL'))

async function says(message) {
  const answer = await fetch(manifest.endpoints.adminInboundUrl, {
    method: 'POST', headers: { 'X-Crabline-Admin-Token': manifest.adminToken, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  return answer.ok
}
const acked = id => stages('sdk.ack').find(one => one.messageId === id)
const sent = () => stages('outbound.accepted').map(one => one.message)

check('it asks for a token', await until(() => stages('tenant.token.issued').length))
check('it asks where the long connection is', await until(() => stages('websocket.discovered').length))
check('it connects', await until(() => stages('websocket.connected').length))
check('it pings', await until(() => stages('websocket.pong').length))

const ways = [
  ['whole', {}],
  ['in fragments', { fragments: 3 }],
  ['in fragments out of order', { fragments: 5, fragmentOrder: [4, 2, 0, 3, 1] }],
]
for (const [number, [way, more]] of ways.entries()) {
  const id = `om_ding_${number}`
  const before = sent().length
  const person = { chatId: `oc_chat_${number}`, senderId: `ou_person_${number}` }
  check(`a ding ${way}: taken in`, await says({ messageId: id, ...person, chatType: 'p2p', text: 'ding', ...more }))
  const ack = await until(() => acked(id))
  check(`a ding ${way}: acknowledged`, ack, stages('websocket.delivery'))
  equal(`a ding ${way}: with which code`, ack?.code, 200)
  await until(() => sent().length > before)
  const [dong] = sent().slice(before)
  equal(`a ding ${way}: the answer`, dong && JSON.parse(dong.body.content), { text: 'dong' })
  equal(`a ding ${way}: where`, dong?.chat_id, person.chatId)
}
const id = 'om_chinese'
check('Chinese cut inside of its letters: taken in', await says({
  messageId: id, chatId: 'oc_chat_0', senderId: 'ou_person_0', text: '不是 ding，是一句很长的话', fragments: 40,
}))
equal('Chinese cut inside of its letters: acknowledged', (await until(() => acked(id)))?.code, 200)
check('in a group: taken in', await says({ messageId: 'om_group', chatId: 'oc_group', senderId: 'ou_person_0', chatType: 'group', text: 'hello' }))
equal('in a group: acknowledged', (await until(() => acked('om_group')))?.code, 200)
equal('each ding was answered once, and nothing else was said', sent().length, ways.length)
equal('no acknowledgement came too late', stages('sdk.ack.expired').length, 0)
if (counts.failed) console.error(readFileSync('bot.log', 'utf8').split('\n').slice(-40).join('\n'))
counts.requests = events.filter(event => event.type === 'api').length
console.log(JSON.stringify(counts))
bot.kill('SIGKILL')
await server.close()
process.exit(0)
