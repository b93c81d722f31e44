// The admin door of the fake, and assertions: one line of JSON each.
import { isDeepStrictEqual } from 'node:util'

export const URL = process.argv[2]
export const BOT = 'ou_b0t00000000000000000000000000001'
export const APP = 'cli_0123456789abcdef'
export const SECRET = 'fake-secret-0123456789abcdef0123'
const counts = { passed: 0, failed: 0 }

export function check(name, ok, why = 'it is not') {
  counts[ok ? 'passed' : 'failed'] += 1
  const line = { assert: `node: ${name}`, ok: Boolean(ok) }
  if (!ok) line.why = String(typeof why === 'string' ? why : JSON.stringify(why)).slice(0, 600)
  console.log(JSON.stringify(line))
}

export function equal(name, found, expected) {
  check(name, isDeepStrictEqual(found, expected), `found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
}

// The counts, and how many calls of the platform the SDK made.
export async function ended() {
  const { requests } = await admin('GET', 'book')
  console.log(JSON.stringify({ ...counts, requests: Object.values(requests).reduce((a, b) => a + b, 0) }))
}

export async function admin(method, path, body, good = true) {
  const answer = await fetch(`${URL}/admin/${path}`, { method, body: body && JSON.stringify(body) })
  const json = await answer.json()
  if (good && !answer.ok) throw new Error(`${method} ${path}: ${json.error}`)
  return json
}

// What `look` finds within a time, else nothing.
export async function until(look, limit = 60_000) {
  const end = Date.now() + limit
  while (Date.now() < end) {
    const found = await look()
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

// The last event of a type in the book, about a message.
export async function event(type, message) {
  const all = await admin('GET', 'events')
  return all.filter(one => one.event_type === type && (!message || one.message_id === message)).pop()
}

// The same, once it was acknowledged.
export function acked(type, message) {
  return until(async () => {
    const found = await event(type, message)
    return found?.state === 'acked' && found
  })
}
