// What the page knows: conversations, their messages, rooms and who is typing. Views listen to "change".

import { get, keep } from "./api.js";

const TYPING_MS = 6000;
const LATE_MAX = 500;

export class Store extends EventTarget {
  constructor() {
    super();
    this.visitor = null;
    this.bot = null;
    this.limits = { text: 4000, file: 33554432 };
    this.conversations = new Map();
    this.rooms = [];
    this.active = null;
    // Changes of messages that are not loaded yet: a history answer made earlier would undo them.
    this.late = new Map();
    this.quotes = new Map(); // The same for what was quoted and has changed.
    this.read = keep.get("read") ?? {};
  }

  changed(what, id = null, extra = {}) {
    this.dispatchEvent(new CustomEvent("change", { detail: { what, id, ...extra } }));
  }

  async load() {
    const state = await get("state");
    this.takeState(state);
    return state.last;
  }

  takeState(state) {
    this.visitor = state.visitor;
    this.bot = state.bot;
    this.limits = { ...this.limits, ...state.limits };
    this.rooms = state.rooms ?? [];
    const known = new Set(state.conversations.map((one) => one.id));
    for (const id of this.conversations.keys()) if (!known.has(id)) this.conversations.delete(id);
    for (const one of state.conversations) this.put(one);
    if (!this.conversations.has(this.active)) this.activate(this.conversations.has("bot") ? "bot" : (state.conversations[0]?.id ?? null));
    this.changed("state");
  }

  forget() {
    this.conversations.clear();
    this.late.clear();
    this.quotes.clear();
  }

  put(data) {
    const known = this.conversations.get(data.id);
    if (known) Object.assign(known, data);
    else {
      this.conversations.set(data.id, {
        ...data,
        members: data.members ?? [],
        messages: [],
        byId: new Map(),
        more: true,
        loaded: false,
        loading: null,
        typing: new Map(),
      });
    }
    return this.conversations.get(data.id);
  }

  get(id) {
    return this.conversations.get(id);
  }

  get current() {
    return this.conversations.get(this.active) ?? null;
  }

  message(id) {
    for (const conversation of this.conversations.values()) {
      const found = conversation.byId.get(id);
      if (found) return found;
    }
    return null;
  }

  activate(id) {
    this.active = id;
    if (id) keep.set("active", id);
    this.changed("active", id);
  }

  // Loads the newest page, or the page before what is there; one load of a conversation at a time.
  history(id, older = false) {
    const conversation = this.get(id);
    if (!conversation || (older && !conversation.more)) return Promise.resolve(false);
    if (conversation.loading) return conversation.loading;
    const before = older ? (conversation.messages[0]?.seq ?? null) : null;
    conversation.loading = get("history", { conversation: id, before, limit: 50 })
      .then((page) => {
        const oldest = conversation.messages[0]?.seq ?? Infinity;
        for (const message of page.messages) this.insert(conversation, message, false);
        // A newest page that only repeats what is known says nothing about what lies before.
        if (older || !conversation.loaded || (page.messages[0]?.seq ?? Infinity) < oldest) conversation.more = page.more;
        conversation.loaded = true;
        return page.messages.length > 0;
      })
      .finally(() => {
        conversation.loading = null;
        this.changed("history", id);
      });
    return conversation.loading;
  }

  // Keeps the order of seq and one of each id; what the stream said is newer than what a history page says.
  insert(conversation, message, live) {
    const known = conversation.byId.get(message.id);
    if (known) {
      if (live) this.replace(conversation, { ...message, seq: known.seq });
      return false;
    }
    const patch = this.late.get(message.id);
    const whole = { ...message, ...patch, seq: message.seq };
    if (!live && this.quotes.has(whole.quote?.id)) whole.quote = this.quotes.get(whole.quote.id);
    this.late.delete(message.id);
    const list = conversation.messages;
    let at = list.length;
    while (at > 0 && list[at - 1].seq > whole.seq) at -= 1;
    list.splice(at, 0, whole);
    conversation.byId.set(whole.id, whole);
    return true;
  }

  replace(conversation, message) {
    const at = conversation.messages.findIndex((one) => one.id === message.id);
    conversation.messages[at] = message;
    conversation.byId.set(message.id, message);
  }

  patch(conversationId, id, fields) {
    const conversation = this.get(conversationId) ?? [...this.conversations.values()].find((one) => one.byId.has(id));
    const known = conversation?.byId.get(id);
    if (known) {
      this.replace(conversation, { ...known, ...fields, seq: known.seq });
      this.changed("messages", conversation.id);
    } else {
      this.late.set(id, { ...this.late.get(id), ...fields });
      if (this.late.size > LATE_MAX) this.late.delete(this.late.keys().next().value);
    }
  }

  take(message) {
    const conversation = this.get(message.conversation);
    if (!conversation) {
      // A message may overtake the news of its conversation; the state has both.
      get("state").then((state) => this.takeState(state)).then(() => this.get(message.conversation) && this.take(message)).catch(() => {});
      return;
    }
    const known = conversation.byId.get(message.id);
    // The stream and the answer of a call both bring our own messages; the second copy is no news.
    if (known && JSON.stringify(known) === JSON.stringify(message)) return;
    const fresh = this.insert(conversation, message, true);
    this.stopTyping(conversation, message.from?.id);
    if (fresh) this.dispatchEvent(new CustomEvent("fresh", { detail: message }));
    this.changed("messages", conversation.id, { fresh });
  }

  apply(event, data) {
    switch (event) {
      case "message":
        return this.take(data);
      case "edit":
        return this.patch(data.conversation, data.id, { chosen: undefined, ...data });
      case "recall":
        return this.recalled(data.conversation, data.id);
      case "quote":
        return this.requoted(data.conversation, data.quote);
      case "reaction":
        return this.patch(data.conversation, data.id, { reactions: data.reactions });
      case "chosen":
        return this.patch(data.conversation, data.id, { chosen: data.value });
      case "typing":
        return this.typing(data);
      case "conversation":
        this.put(data);
        return this.changed("conversation", data.id);
      case "left":
        return this.leave(data.id);
      case "rooms":
        this.rooms = data;
        return this.changed("rooms");
      case "visitor":
        return this.renamed(data);
      default:
        return undefined; // A newer server may say more than this page knows.
    }
  }

  recalled(conversation, id) {
    this.patch(conversation, id, {
      recalled: true, edited: false, text: undefined, quote: undefined, file: undefined, card: undefined, menu: undefined, url: undefined, location: undefined, contact: undefined, reactions: [],
    });
    this.changed("quote", conversation, { quote: { id, recalled: true } });
  }

  // What others quote of a message that was changed or taken back.
  requoted(id, quote) {
    this.quotes.delete(quote.id);
    this.quotes.set(quote.id, quote);
    if (this.quotes.size > LATE_MAX) this.quotes.delete(this.quotes.keys().next().value);
    this.redraw((message) => (message.quote?.id === quote.id ? { ...message, quote } : message), id);
    this.changed("quote", id, { quote });
  }

  // Somebody has another name: we, or one of those we share a room with.
  renamed({ id, name }) {
    if (id === this.visitor?.id) this.visitor = { ...this.visitor, name };
    for (const conversation of this.conversations.values()) {
      conversation.members = conversation.members.map((one) => (one.id === id ? { ...one, name } : one));
      const typing = conversation.typing.get(id);
      if (typing) typing.name = name;
    }
    this.redraw((message) => {
      const quoted = message.quote && this.message(message.quote.id)?.from.id === id;
      if (message.from.id !== id && !quoted) return message;
      return { ...message, from: message.from.id === id ? { ...message.from, name } : message.from, quote: quoted ? { ...message.quote, name } : message.quote };
    });
    this.changed("visitor", id);
  }

  // Puts what `change` makes of messages in their place; one that it gives back as it is stays as it is drawn.
  redraw(change, id = null) {
    for (const conversation of this.conversations.values()) {
      if (id !== null && conversation.id !== id) continue;
      for (const message of [...conversation.messages]) {
        const changed = change(message);
        if (changed !== message) this.replace(conversation, changed);
      }
    }
  }

  leave(id) {
    this.conversations.delete(id);
    if (this.active === id) this.activate("bot");
    this.changed("conversation", id);
  }

  typing({ conversation: id, from }) {
    const conversation = this.get(id);
    if (!conversation || from.id === this.visitor?.id) return;
    clearTimeout(conversation.typing.get(from.id)?.timer);
    const timer = setTimeout(() => this.stopTyping(conversation, from.id), TYPING_MS);
    conversation.typing.set(from.id, { name: from.name, timer });
    this.changed("typing", id);
  }

  stopTyping(conversation, id) {
    const entry = conversation.typing.get(id);
    if (!entry) return;
    clearTimeout(entry.timer);
    conversation.typing.delete(id);
    this.changed("typing", conversation.id);
  }

  unread(id) {
    const conversation = this.get(id);
    const read = this.read[id] ?? 0;
    let count = 0;
    for (let at = (conversation?.messages.length ?? 0) - 1; at >= 0; at -= 1) {
      const message = conversation.messages[at];
      if (message.seq <= read) break;
      if (!message.own && message.kind !== "note" && !message.recalled) count += 1;
    }
    return count;
  }

  get totalUnread() {
    let total = 0;
    for (const id of this.conversations.keys()) total += this.unread(id);
    return total;
  }

  markRead(id) {
    const last = this.get(id)?.messages.at(-1)?.seq;
    if (!last || last <= (this.read[id] ?? 0)) return;
    this.read[id] = last;
    keep.set("read", this.read);
    this.changed("read", id);
  }
}
