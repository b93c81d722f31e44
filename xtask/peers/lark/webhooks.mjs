// The SDK's dispatcher as a webhook: what the fake signs and encrypts, good and bad; and tickets of store apps.
import { createServer } from 'node:http'

import * as lark from '@larksuiteoapi/node-sdk'

import { APP, SECRET, URL, acked, admin, check, equal, event, until } from './fake.mjs'
import { listener, presses, say } from './connection.mjs'
import { quiet } from './rest.mjs'

const [TOKEN, KEY, PATH] = ['verify-0123456789', 'encrypt-key-测试', '/webhooks/lark']

export async function webhooks(all) {
  let handle
  const server = createServer((request, response) => handle(request, response))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}${PATH}`
  for (const key of ['', KEY]) {
    const how = key ? 'encrypted' : 'plain'
    const heard = listener(key, TOKEN)
    handle = lark.adaptDefault(PATH, heard.dispatcher, { autoChallenge: true })
    await admin('POST', 'webhook', { url, token: TOKEN, encrypt_key: key })
    const message = await say(all, '你好')
    check(`${how}: acknowledged`, await acked('im.message.receive_v1', message), await event('im.message.receive_v1', message))
    equal(`${how}: content`, heard.last('im.message.receive_v1')?.message.content, '{"text":"你好"}')
    await presses(all)
    if (!key) continue
    // This SDK answers 200 to what is signed badly, too, and its handlers never see it.
    for (const kind of ['bad_signature', 'changed']) {
      const before = heard.all.length
      await admin('POST', 'event-faults', { kind, event_type: 'im.message.receive_v1' })
      check(`${kind}: answered`, await acked('im.message.receive_v1', await say(all, kind)))
      equal(`${kind}: the handler did not see it`, heard.all.length, before)
    }
    const before = heard.all.length
    await acked('im.message.receive_v1', await say(all, 'good again'))
    equal('a good signature: the handler saw it', heard.all.length, before + 1)
    await tickets(all, heard)
  }
  server.close()
  server.closeAllConnections()
  await admin('PATCH', 'settings', { route: 'connection' })
}

// A store app takes its ticket from the event, and makes its tokens of it.
async function tickets(all, heard) {
  await admin('PATCH', 'settings', { store_app: true })
  await admin('POST', 'tokens/expire')
  const cache = new lark.DefaultCache()
  const dispatcher = new lark.EventDispatcher({ encryptKey: KEY, verificationToken: TOKEN, cache, ...quiet })
  heard.dispatcher.register({ app_ticket: data => dispatcher.handles.get('app_ticket')(data) })
  await admin('POST', 'ticket')
  check('the ticket: acknowledged', await acked('app_ticket'), await event('app_ticket'))
  check('the ticket: kept', await until(() => cache.get(lark.CAppTicket, { namespace: APP })))
  const { tenant_key } = await admin('GET', 'settings')
  const client = new lark.Client({ appId: APP, appSecret: SECRET, domain: URL, appType: lark.AppType.ISV, cache, ...quiet })
  const answer = await client.request({ method: 'GET', url: '/open-apis/bot/v3/info' }, lark.withTenantKey(tenant_key))
    .catch(error => ({ code: error.message }))
  equal('a token made of the ticket', answer.code, 0)
  await admin('PATCH', 'settings', { store_app: false })
  await admin('POST', 'tokens/expire')
  all.client.tokenManager.cache.set(lark.CTenantAccessToken, '', Date.now(), { namespace: APP })
}
