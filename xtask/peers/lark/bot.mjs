// The published SDK for Node at our fake: its calls, its long connection, its webhooks, its channel.
//
// Called with the address of a fake that nobody has used yet.
import { channel } from './channel.mjs'
import { connection } from './connection.mjs'
import { admin, ended, equal } from './fake.mjs'
import { rest, world } from './rest.mjs'
import { webhooks } from './webhooks.mjs'

await admin('PATCH', 'settings', {
  limits: false, poll_seconds: 0, retries_ms: [100, 100, 100, 100], ack_ms: 5_000,
  connection: { ping: 1, reconnect: 1, nonce: 0, count: -1 },
})
const all = await world()
await rest(all)
await connection(all)
await webhooks(all)
await channel(all)
equal('frames that are none', (await admin('GET', 'book')).bad_frames, 0)
await ended()
// Its timers would hold the process.
process.exit(0)
