// The reference gateway (`PuppetServer` of wechaty-puppet-service) with the reference mock puppet behind it.
//
//   node mock.mjs PORT TOKEN [--no-tls]
//
// The first line of stdout says where it listens: {"listening": PORT, "ca": PEM | null}. Each line after it is
// something the client did: {"call": NAME, "args": [...]}. The account is logged in at once; "alice" says "ping" each second
// until somebody said something, and then sends a small and a large file. SIGTERM and the end of stdin end it.

import { createHash, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'

import { FileBox } from 'file-box'
import * as PUPPET from 'wechaty-puppet'
import { PuppetMock, mock } from 'wechaty-puppet-mock'
import { PuppetServer } from 'wechaty-puppet-service'

const [port, token, ...flags] = process.argv.slice(2)
if (!token || flags.some((flag) => flag !== '--no-tls')) {
  console.error('node mock.mjs PORT TOKEN [--no-tls]')
  process.exit(2)
}
const plain = flags.includes('--no-tls')

const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n')

const SMALL = Buffer.from('a small file')
const LARGE = Buffer.alloc(3 * 1024 * 1024 + 17, 'large ')

/** The certificate of the reference's root, out of its own package: nobody ships it beside that. */
function root () {
  const require = createRequire(import.meta.url)
  const main = require.resolve('wechaty-puppet-service')
  const text = readFileSync(join(dirname(main), 'auth', 'ca.js'), 'utf8')
  const found = /TLS_CA_CERT = `(-----BEGIN CERTIFICATE-----[^`]+)`/.exec(text)
  if (!found) throw new Error('the package has no root certificate where it had one')
  return found[1]
}

const digest = (bytes) => createHash('md5').update(bytes).digest('hex')

class Host extends PuppetMock {
  files = new Map()
  aliases = new Map()

  /** Every call that changes something, as a line. */
  note (call, ...args) { tell({ call, args }) }

  async messageSendText (conversationId, text, mentionIds) {
    this.note('messageSendText', conversationId, text, mentionIds ?? [])
    await super.messageSendText(conversationId, text)
    return `sent-${randomUUID()}`
  }

  async messageSendFile (conversationId, file) {
    const bytes = await file.toBuffer()
    this.note('messageSendFile', conversationId, file.name, bytes.length, digest(bytes))
    return `sent-${randomUUID()}`
  }

  async messageSendContact (...args) { this.note('messageSendContact', ...args); return `sent-${randomUUID()}` }
  async messageSendUrl (...args) { this.note('messageSendUrl', ...args); return `sent-${randomUUID()}` }
  async messageSendMiniProgram (...args) { this.note('messageSendMiniProgram', ...args); return `sent-${randomUUID()}` }
  async messageSendLocation (...args) { this.note('messageSendLocation', ...args); return `sent-${randomUUID()}` }
  async messageForward (...args) { this.note('messageForward', ...args); return `sent-${randomUUID()}` }
  async messageRecall (id) { this.note('messageRecall', id); return true }
  async messageContact () { return 'alice' }

  async messageFile (id) {
    const file = this.files.get(id)
    if (!file) throw new Error(`no file in message ${id}`)
    return file()
  }

  async contactAlias (id, alias) {
    if (alias === undefined) return this.aliases.get(id) ?? ''
    this.note('contactAlias', id, alias)
    this.aliases.set(id, alias)
    this.mocker.contactPayload(id, { ...this.mocker.contactPayload(id), alias: alias ?? '' })
  }

  async contactAvatar (id, file) {
    // Of small buffers the reference makes no JSON, and of avatars there is no stream.
    if (!file) return FileBox.fromBuffer(LARGE, 'avatar.png')
    this.note('contactAvatar', id, digest(await file.toBuffer()))
  }

  async contactPhone (...args) { this.note('contactPhone', ...args) }
  async contactDescription (...args) { this.note('contactDescription', ...args) }
  async contactCorporationRemark (...args) { this.note('contactCorporationRemark', ...args) }
  async contactSelfName (...args) { this.note('contactSelfName', ...args) }
  async contactSelfSignature (...args) { this.note('contactSelfSignature', ...args) }

  async roomCreate (members, topic) { this.note('roomCreate', members, topic); return 'new@room' }
  async roomAdd (...args) { this.note('roomAdd', ...args) }
  async roomDel (...args) { this.note('roomDel', ...args) }
  async roomQuit (...args) { this.note('roomQuit', ...args) }
  async roomTopic (id, topic) {
    if (topic === undefined) return this.mocker.roomPayload(id).topic
    this.note('roomTopic', id, topic)
    this.mocker.roomPayload(id, { ...this.mocker.roomPayload(id), topic })
  }

  async roomAnnounce (id, text) {
    if (text === undefined) return 'no news'
    this.note('roomAnnounce', id, text)
  }

  async roomAvatar () { return FileBox.fromBuffer(LARGE, 'room.png') }
  async roomInvitationAccept (id) { this.note('roomInvitationAccept', id) }
  async friendshipAdd (...args) { this.note('friendshipAdd', ...args) }
  async friendshipAccept (id) { this.note('friendshipAccept', id) }
  async friendshipSearchPhone (phone) { return phone === '123' ? 'alice' : null }
  async friendshipSearchHandle (handle) { return handle === 'al' ? 'alice' : null }
  async tagContactAdd (...args) { this.note('tagContactAdd', ...args) }
  async tagContactRemove (...args) { this.note('tagContactRemove', ...args) }
  async tagContactDelete (...args) { this.note('tagContactDelete', ...args) }
  async tagContactList () { return ['vip'] }

  async logout (reason) { this.note('logout'); return super.logout(reason) }

  says (text, file, type = PUPPET.types.Message.Text) {
    const id = `said-${randomUUID()}`
    const payload = { id, talkerId: 'alice', listenerId: 'bot', text, timestamp: Date.now(), type }
    this.mocker.MessageMock.create(payload)
    if (file) this.files.set(id, file)
    this.emit('message', { messageId: id })
    return id
  }
}

const mocker = new mock.Mocker()
const puppet = new Host({ mocker })
const contact = (id, name) => mocker.createContact({ id, name, friend: true, type: PUPPET.types.Contact.Individual })
contact('bot', 'Bot')
contact('alice', 'Alice')
contact('bob', 'Bob')
mocker.createRoom({ id: 'tea@room', topic: 'Tea', memberIdList: ['bot', 'alice', 'bob'], adminIdList: [], ownerId: 'alice' })

const server = new PuppetServer({
  endpoint: `127.0.0.1:${port}`,
  puppet,
  tls: { disable: plain },
  token,
})

let spoken = false
puppet.on('start', () => {})
const login = setInterval(() => {
  if (puppet.state.active() !== true || puppet.isLoggedIn) return
  clearInterval(login)
  puppet.login('bot')
}, 100)
const ping = setInterval(() => {
  if (!puppet.isLoggedIn || spoken) return
  puppet.says('ping')
}, 1000)

const note = puppet.note.bind(puppet)
puppet.note = (call, ...args) => {
  note(call, ...args)
  if (call === 'messageSendText' && !spoken) {
    spoken = true
    clearInterval(ping)
    puppet.says('', () => FileBox.fromBuffer(SMALL, 'small.txt'), PUPPET.types.Message.Attachment)
    puppet.says('', () => FileBox.fromBuffer(LARGE, 'large.bin'), PUPPET.types.Message.Attachment)
    puppet.emit('room-topic', {
      changerId: 'alice', newTopic: 'Green tea', oldTopic: 'Tea', roomId: 'tea@room', timestamp: Date.now(),
    })
  }
}

const end = () => process.exit(0)
process.stdin.on('end', end).resume()
process.on('SIGTERM', end)
// The mock puppet tells a client that is gone of its own stop.
process.on('unhandledRejection', (error) => process.stderr.write(`${error?.stack ?? error}\n`))

await server.start()
tell({ listening: Number(port), ca: plain ? null : root() })
