// The SDK's own layer for bots, which knows what it needs to know of the platform: texts that grow, files, edits.
import * as lark from '@larksuiteoapi/node-sdk'

import { APP, SECRET, URL, admin, check, equal, until } from './fake.mjs'
import { PNG, quiet } from './rest.mjs'

export async function channel({ alice }) {
  const bot = lark.createLarkChannel({ appId: APP, appSecret: SECRET, domain: URL, cache: new lark.DefaultCache(), ...quiet })
  const heard = []
  bot.on('message', message => { heard.push(message) })
  await bot.connect()
  const { message_id } = await admin('POST', 'say', { from: alice.open_id, text: 'hello channel' })
  const message = await until(() => heard[0])
  equal('channel: it heard', [message?.messageId, message?.content], [message_id, 'hello channel'])
  const to = message?.chatId
  const last = async () => (await admin('GET', `sent?chat=${to}`)).pop()
  await bot.send(to, { text: 'plain' })
  equal('channel: a text', JSON.parse((await last()).content), { text: 'plain' })
  await bot.send(to, { markdown: '**bold**' })
  equal('channel: markdown is a post', (await last()).msg_type, 'post')
  await bot.send(to, { image: { source: PNG } })
  equal('channel: an image', (await last()).msg_type, 'image')
  await bot.stream(to, {
    markdown: async stream => {
      for (const piece of ['This ', 'text ', 'grows ', '到底']) {
        await stream.append(piece)
        await new Promise(resolve => setTimeout(resolve, 150))
      }
    },
  })
  const card = (await admin('GET', 'book')).cards.filter(one => one.message_id).pop()
  equal('channel: a text that grew', card?.texts.at(-1)?.[3], 'This text grows 到底')
  check('channel: it grew in steps', card?.texts.length >= 2, card?.texts)
  equal('channel: it is finished', card?.card.config.streaming_mode, false)
  await bot.disconnect()
  check('channel: it goes', await until(async () => (await admin('GET', 'connections')).length === 0))
}
