// Tells the server which of the bot's messages are here, and which were seen. A burst is one call a conversation.

import { post } from "./api.js";

const WAIT = 300;
const LONGEST_WAIT = 30_000;

export class Seen {
  constructor(store) {
    this.store = store;
    this.who = null;
    this.told = new Map(); // Conversation to the numbers that the server knows.
    this.timer = null;
    this.busy = false;
    this.wait = WAIT;
    store.addEventListener("change", ({ detail: { what } }) => ["messages", "history", "read", "state"].includes(what) && this.soon());
  }

  // Spread out: of a room that all look at, not all tell in one moment.
  soon(wait = WAIT) {
    this.timer ??= setTimeout(() => this.tell(), wait * (1 + Math.random()));
  }

  last(conversation, until) {
    return conversation.messages.findLast((one) => one.from.bot && one.kind !== "note" && one.seq <= until)?.seq ?? 0;
  }

  async tell() {
    this.timer = null;
    if (this.busy) return this.soon();
    this.busy = true;
    // A server that has forgotten us counts anew.
    if (this.who !== this.store.visitor?.id) this.told.clear();
    this.who = this.store.visitor?.id;
    let again = false;
    for (const one of [...this.store.conversations.values()]) {
      const now = { delivered: this.last(one, Infinity), read: this.last(one, this.store.read[one.id] ?? 0) };
      const told = this.told.get(one.id);
      if (now.delivered <= (told?.delivered ?? 0) && now.read <= (told?.read ?? 0)) continue;
      try {
        await post("status", { conversation: one.id, ...now });
        this.told.set(one.id, now);
        this.wait = WAIT;
      } catch (error) {
        // No answer, or not now. Anything else is no better the next time.
        if (error.status === 0 || error.status === 429 || error.status >= 500) again ||= error.retryAfter * 1000 || 1;
        else this.told.set(one.id, now);
      }
    }
    this.busy = false;
    if (!again) return undefined;
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    return this.soon(Math.max(again, this.wait));
  }
}
