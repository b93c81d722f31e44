// A puppet over `wechaty-puppet` that lives in a world file, to be served by the published `PuppetServer`.
import { FileBox, FileBoxType } from "file-box";
import * as PUPPET from "wechaty-puppet";
import { contact, messageType, pieces, stream } from "./world.mjs";

const { Contact, Room, RoomMember } = PUPPET.types.Dirty;
const unknown = (what, id) => new Error(`there is no ${what} ${JSON.stringify(id)}`);
/** Boxes of more bytes than this are streams; smaller ones base64, for the server cannot serve a buffer. */
const SMALL = 20 * 1024;

export class WorldPuppet extends PUPPET.Puppet {
  static VERSION = "1.0.0";

  #world;
  #timers = [];
  #count = 0;

  constructor(world) {
    super({});
    this.#world = world;
    this.#reset();
  }

  name() { return `world ${this.#world.name}`; }
  version() { return WorldPuppet.VERSION; }

  #reset() {
    this.now = structuredClone(this.#world);
    this.sent = new Map();
    this.ownAvatar = undefined;
  }

  #need(feature) {
    if (!this.#world.features[feature]) throw new Error(`unsupported: the world has no ${feature}`);
  }

  #contact(id) {
    const found = contact(this.now, id);
    if (!found) throw unknown("contact", id);
    return found;
  }

  #room(id, listed = true) {
    const found = this.now.rooms.find((one) => one.id === id);
    if (!found || (listed && found.left)) throw unknown("room", id);
    return found;
  }

  #message(id) {
    const found = this.sent.get(id) ?? this.now.messages.find((one) => one.id === id);
    if (!found) throw unknown("message", id);
    return found;
  }

  #dirtyRoom(id) {
    this.dirtyPayload(Room, id);
    this.dirtyPayload(RoomMember, id);
  }

  // Start and stop -----------------------------------------------------------------------------------------------------

  async onStart() {
    this.#reset();
    for (const { at, event, payload } of this.#world.timeline) {
      this.#timers.push(setTimeout(() => this.#happen(event, payload), at));
    }
    // The base class takes silence of a minute for a failure, once a heartbeat was heard.
    this.#timers.push(setInterval(() => this.emit("heartbeat", { data: "world" }), 15_000));
  }

  async onStop() {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }

  #happen(event, payload) {
    const { roomId } = payload;
    if (event === "login") return this.login(payload.contactId);
    if (event === "room-topic") this.#room(roomId).topic = payload.newTopic;
    if (event === "room-join") this.#join(this.#room(roomId), payload.inviteeIdList);
    if (event === "room-leave") this.#leave(this.#room(roomId), payload.removeeIdList);
    if (roomId) this.#dirtyRoom(roomId);
    this.emit(event, payload);
  }

  #join(room, people) {
    people.forEach((one) => this.#contact(one));
    room.memberIdList.push(...people.filter((one) => !room.memberIdList.includes(one)));
  }

  #leave(room, people) {
    room.memberIdList = room.memberIdList.filter((one) => !people.includes(one));
  }

  ding(data) { setImmediate(() => this.emit("dong", { data: data ?? "" })); }

  // Contacts -----------------------------------------------------------------------------------------------------------

  async contactList() { return this.now.contacts.map((one) => one.id); }

  // Everything is read fresh: what is tested is the server, not the caches of the base class.
  async contactPayload(id) {
    const { phone, avatar, alias, ...rest } = this.#contact(id);
    return { ...rest, alias: alias ?? "", avatar: avatar ?? "", handle: rest.weixin, phone: [...phone] };
  }

  async contactRawPayload(id) { return this.contactPayload(id); }
  async contactRawPayloadParser(payload) { return payload; }

  #edit(feature, id, change) {
    this.#need(feature);
    Object.assign(this.#contact(id), change);
    this.dirtyPayload(Contact, id);
  }

  async contactAlias(id, alias) {
    if (alias === undefined) return this.#contact(id).alias ?? "";
    this.#edit("aliasStore", id, { alias: alias ?? "" });
  }

  async contactPhone(id, phone) { this.#edit("contactEdit", id, { phone }); }
  async contactDescription(id, description) { this.#edit("contactEdit", id, { description: description ?? "" }); }
  async contactCorporationRemark(id, corporation) { this.#edit("contactEdit", id, { corporation: corporation ?? "" }); }
  async contactSelfName(name) { this.#edit("selfEdit", this.currentUserId, { name }); }
  async contactSelfSignature(signature) { this.#edit("selfEdit", this.currentUserId, { signature }); }

  async contactSelfQRCode() {
    this.#need("selfEdit");
    return `https://example.invalid/qr/${this.currentUserId}`;
  }

  async contactAvatar(id, file) {
    this.#need("avatar");
    this.#contact(id);
    if (!file) return (id === this.currentUserId && this.ownAvatar) || avatarOf(id);
    if (id !== this.currentUserId) throw new Error("only the own avatar can be set");
    this.ownAvatar = file;
    this.dirtyPayload(Contact, id);
  }

  // Friendships and invitations ----------------------------------------------------------------------------------------

  async friendshipPayload(id) {
    const found = this.now.friendships.find((one) => one.id === id);
    if (!found) throw unknown("friendship", id);
    return { timestamp: 0, ...found };
  }

  async friendshipRawPayload(id) { return this.friendshipPayload(id); }
  async friendshipRawPayloadParser(payload) { return payload; }

  async friendshipAccept(id) {
    const { type, contactId } = await this.friendshipPayload(id);
    if (type !== PUPPET.types.Friendship.Receive) throw new Error(`${id} is no request`);
    this.#edit("friendship", contactId, { friend: true });
  }

  async friendshipAdd(id, options) {
    this.#edit("friendship", id, { friend: true });
    this.asked = { id, options };
  }

  async friendshipSearchPhone(phone) { return this.#search("phone", phone); }
  async friendshipSearchHandle(handle) { return this.#search("handle", handle); }

  #search(kind, text) {
    this.#need("search");
    return this.now.search[kind][text] ?? null;
  }

  async roomInvitationPayload(id) {
    const found = this.now.roomInvitations.find((one) => one.id === id);
    if (!found) throw unknown("room invitation", id);
    return found;
  }

  async roomInvitationRawPayload(id) { return this.roomInvitationPayload(id); }
  async roomInvitationRawPayloadParser(payload) { return payload; }

  async roomInvitationAccept(id) {
    this.#need("roomInvitation");
    const { topic, memberIdList, inviterId } = await this.roomInvitationPayload(id);
    const roomId = this.#open([this.currentUserId, ...memberIdList], topic, undefined);
    const me = this.currentUserId;
    setImmediate(() => this.emit("room-join", { inviteeIdList: [me], inviterId, roomId, timestamp: Date.now() }));
  }

  // Rooms --------------------------------------------------------------------------------------------------------------

  async roomList() { return this.now.rooms.filter((one) => !one.left).map((one) => one.id); }

  async roomPayload(id) {
    const { topic, ownerId, adminIdList, memberIdList, avatar } = this.#room(id, false);
    return { id, topic, ownerId, adminIdList: [...adminIdList], memberIdList: [...memberIdList], avatar };
  }

  async roomRawPayload(id) { return this.roomPayload(id); }
  async roomRawPayloadParser(payload) { return payload; }
  async roomMemberList(id) { return [...this.#room(id, false).memberIdList]; }

  async roomMemberPayload(roomId, memberId) {
    const { memberIdList, roomAliases } = this.#room(roomId, false);
    if (!memberIdList.includes(memberId)) throw unknown("room member", memberId);
    const { id, name, avatar } = this.#contact(memberId);
    return { id, name, avatar: avatar ?? "", roomAlias: roomAliases[id] ?? "", inviterId: "" };
  }

  async roomMemberRawPayload(roomId, id) { return this.roomMemberPayload(roomId, id); }
  async roomMemberRawPayloadParser(payload) { return payload; }

  #open(members, topic, ownerId) {
    members.forEach((one) => this.#contact(one));
    const id = `room-${++this.#count}@host`;
    const memberIdList = [...new Set(members)];
    const qrcode = `https://example.invalid/qr/${id}`;
    this.now.rooms.push({ id, topic: topic ?? "", ownerId, adminIdList: [], memberIdList, avatar: "", roomAliases: {}, announce: "", qrcode });
    this.#dirtyRoom(id);
    return id;
  }

  async roomCreate(members, topic) {
    this.#need("roomCreate");
    return this.#open([this.currentUserId, ...members], topic, this.currentUserId);
  }

  async roomAdd(id, people) {
    this.#need("roomMutate");
    this.#join(this.#room(id), [people].flat());
    this.#dirtyRoom(id);
  }

  async roomDel(id, people) {
    this.#need("roomMutate");
    const stranger = [people].flat().find((one) => !this.#room(id).memberIdList.includes(one));
    if (stranger !== undefined) throw unknown("room member", stranger);
    this.#leave(this.#room(id), [people].flat());
    this.#dirtyRoom(id);
  }

  async roomQuit(id) {
    this.#need("roomQuit");
    const room = this.#room(id);
    this.#leave(room, [this.currentUserId]);
    room.left = true;
    this.#dirtyRoom(id);
  }

  async roomTopic(id, topic) {
    if (topic === undefined) return this.#room(id).topic;
    this.#need("roomMutate");
    this.#room(id).topic = topic;
    this.#dirtyRoom(id);
  }

  async roomAnnounce(id, text) {
    this.#need("roomAnnounce");
    if (text === undefined) return this.#room(id).announce;
    this.#room(id).announce = text;
    this.#dirtyRoom(id);
  }

  async roomQRCode(id) { return this.#room(id).qrcode; }

  async roomAvatar(id) {
    this.#need("avatar");
    return avatarOf(this.#room(id).id);
  }

  // Messages -----------------------------------------------------------------------------------------------------------

  async messagePayload(id) {
    const { type, talkerId, listenerId, roomId, text, timestamp, mentionIdList, filename } = this.#message(id);
    return { id, type: messageType(type), talkerId, listenerId, roomId, text, timestamp, mentionIdList: mentionIdList ?? [], filename };
  }

  async messageRawPayload(id) { return this.messagePayload(id); }
  async messageRawPayloadParser(payload) { return payload; }

  #content(id, key, type) {
    const found = this.#message(id);
    this.#need(this.sent.has(id) ? "storeSent" : "scriptedMedia");
    if (found[key] === undefined || (type && found.type !== type)) throw unknown(`${key} of message`, id);
    return found[key];
  }

  async messageContact(id) { return this.#content(id, "contactId", "Contact"); }
  async messageUrl(id) { return this.#content(id, "url", "Url"); }
  async messageMiniProgram(id) { return this.#content(id, "miniProgram", "MiniProgram"); }
  async messageLocation(id) { return this.#content(id, "location", "Location"); }
  async messageFile(id) { return box(this.#content(id, "file")); }

  async messageImage(id) {
    this.#need("image");
    return box(this.#content(id, "file"));
  }

  async messageRecall(id) {
    this.#need("recall");
    const found = this.#message(id);
    if (!this.sent.has(id) || found.recalled) return false;
    return (found.recalled = true);
  }

  /** Says something; its id, where the world tells one. */
  #say(conversationId, what, tells = this.#world.features.sendReturnsId) {
    if (!this.isLoggedIn) throw new Error("nobody is logged in");
    const inRoom = conversationId.includes("@");
    const to = inRoom ? { roomId: this.#room(conversationId).id } : { listenerId: this.#contact(conversationId).id };
    const id = `sent-${++this.#count}`;
    this.sent.set(id, { ...what, ...to, id, talkerId: this.currentUserId, timestamp: Date.now(), recalled: false });
    if (this.#world.features.echoSelf && what.type === "Text") {
      setImmediate(() => this.emit("message", { messageId: id }));
    }
    return tells ? id : undefined;
  }

  async messageSendText(to, text, mentionIdList) { return this.#say(to, { type: "Text", text, mentionIdList }); }

  async messageSendFile(to, sent) {
    // What was uploaded can be read as often as one likes, a stream cannot.
    const stays = sent.type === FileBoxType.Uuid;
    const file = stays ? sent : { name: sent.name, base64: await sent.toBase64() };
    return this.#say(to, { type: "Attachment", file, filename: sent.name });
  }

  async messageSendContact(to, contactId) { return this.#say(to, { type: "Contact", contactId: this.#contact(contactId).id }); }
  async messageSendUrl(to, url) { return this.#say(to, { type: "Url", url }); }
  async messageSendMiniProgram(to, miniProgram) { return this.#say(to, { type: "MiniProgram", miniProgram }); }
  async messageSendLocation(to, location) { return this.#say(to, { type: "Location", location }); }

  async messageForward(to, id) {
    this.#need("forward");
    const { roomId, listenerId, ...like } = this.#message(id);
    return this.#say(to, like, true);
  }

  async conversationReadMark() {}

  // Tags ---------------------------------------------------------------------------------------------------------------

  async tagContactAdd(tag, id) {
    this.#need("tags");
    const tagged = (this.now.tags[tag] ??= []);
    if (!tagged.includes(this.#contact(id).id)) tagged.push(id);
  }

  async tagContactRemove(tag, id) {
    this.#need("tags");
    if (!this.now.tags[tag]) throw unknown("tag", tag);
    this.now.tags[tag] = this.now.tags[tag].filter((one) => one !== id);
  }

  async tagContactDelete(tag) {
    this.#need("tags");
    if (!this.now.tags[tag]) throw unknown("tag", tag);
    delete this.now.tags[tag];
  }

  async tagContactList(id) {
    this.#need("tags");
    return Object.keys(this.now.tags).filter((tag) => id === undefined || this.now.tags[tag].includes(id)).sort();
  }
}

const avatarOf = (id) => FileBox.fromBase64(Buffer.from(`avatar of ${id}`).toString("base64"), `${id}.txt`);

/** A scripted file as a box of its own each time; a box that was sent as it is. */
function box(file) {
  if (FileBox.valid(file)) return file;
  if (file.cycle > SMALL || file.base64?.length > SMALL) return FileBox.fromStream(stream(file), file.name);
  return FileBox.fromBase64(Buffer.concat([...pieces(file)]).toString("base64"), file.name);
}
