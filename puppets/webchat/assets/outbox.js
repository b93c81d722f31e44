// What this tab sends: each message keeps its nonce until the server has it, so a retry never says it twice.

import { keep, post, UNKNOWN_VISITOR, upload } from "./api.js";

const TRIES = 2;
const PATIENCE = 60_000; // Who was told to wait for room for a file, waits.

// Not randomUUID: that needs a secure context, and a bot at home may be reached by plain http.
export function nonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Nothing was wrong with the message: nobody was there to take it, or nobody who knew us.
const unheard = (error) => error.status === 0 || [502, 503, 504].includes(error.status) || error.code === UNKNOWN_VISITOR;

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Outbox extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.entries = (keep.get("outbox") ?? []).map((entry) => ({ ...entry, matched: null }));
    this.lanes = new Map();
    store.addEventListener("fresh", (event) => this.match(event.detail));
  }

  // A reload may have cut a call off; the nonce makes it safe to say it again.
  resume() {
    for (const entry of this.entries) if (entry.state === "sending") this.run(entry);
  }

  // The connection is back: what failed for want of it goes out by itself, under its nonce.
  resend() {
    for (const entry of this.entries) if (entry.unheard) this.retry(entry);
  }

  of(conversation) {
    return this.entries.filter((entry) => entry.conversation === conversation && !entry.matched);
  }

  get holdsFiles() {
    return this.entries.some((entry) => entry.file);
  }

  text(conversation, text, { quote = null, mentions = [] } = {}) {
    this.add({ conversation, kind: "text", text, quote, mentions });
  }

  file(conversation, file, { quote = null } = {}) {
    const image = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
    this.add({ conversation, kind: image ? "image" : "file", file, preview: image ? URL.createObjectURL(file) : null, quote, mentions: [] });
  }

  add(fields) {
    const entry = { nonce: nonce(), time: Date.now(), state: "sending", progress: 0, error: null, matched: null, ...fields };
    this.entries.push(entry);
    this.run(entry);
  }

  retry(entry) {
    if (entry.state !== "failed") return;
    entry.state = "sending";
    entry.error = null;
    entry.unheard = false;
    entry.progress = 0;
    this.run(entry);
  }

  discard(entry) {
    entry.cancel?.();
    this.drop(entry);
  }

  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    if (entry.preview) setTimeout(() => URL.revokeObjectURL(entry.preview), 60_000);
    this.changed(entry);
  }

  changed(entry) {
    // Files do not fit into session storage; the page warns before it is closed while they are on their way.
    keep.set("outbox", this.entries.filter((one) => !one.file).map(({ cancel, ...rest }) => rest));
    this.dispatchEvent(new CustomEvent("change", { detail: entry }));
  }

  // One at a time in a conversation, so that what was typed first is said first.
  run(entry) {
    this.changed(entry);
    const before = this.lanes.get(entry.conversation) ?? Promise.resolve();
    const lane = before.then(() => this.send(entry));
    this.lanes.set(entry.conversation, lane);
  }

  async send(entry) {
    if (!this.entries.includes(entry)) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const message = await this.call(entry);
        this.drop(entry);
        this.store.take(message);
        this.dispatchEvent(new Event("sent"));
        return;
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.code === UNKNOWN_VISITOR) this.dispatchEvent(new Event("unknown"));
        const passing = unheard(error) || error.status >= 500 || error.status === 429;
        if (!passing || attempt >= TRIES) {
          Object.assign(entry, { state: "failed", error: { message: error.message, fix: error.fix ?? null }, unheard: unheard(error), matched: null });
          this.changed(entry);
          this.dispatchEvent(new CustomEvent("failed", { detail: { entry, error } }));
          return;
        }
        await later(Math.min(error.retryAfter * 1000 || 1000, error.status === 429 ? PATIENCE : 10_000));
      }
    }
  }

  call(entry) {
    const { conversation, quote, nonce: key } = entry;
    if (!entry.file) {
      return post("say", { conversation, text: entry.text, quote: quote?.id ?? null, mentions: entry.mentions, nonce: key });
    }
    const query = { conversation, name: entry.file.name, nonce: key };
    if (quote) query.quote = quote.id;
    const { done, cancel } = upload(entry.file, query, (part) => {
      entry.progress = part;
      this.dispatchEvent(new CustomEvent("progress", { detail: entry }));
    });
    entry.cancel = cancel;
    return done;
  }

  // The stream may bring our message before the call's answer; the waiting copy then steps aside.
  match(message) {
    if (!message.own) return;
    const entry = this.entries.find(
      (one) =>
        !one.matched &&
        one.conversation === message.conversation &&
        (message.nonce ? message.nonce === one.nonce : one.file ? one.file.name === message.file?.name : one.text === message.text),
    );
    if (!entry) return;
    const doubt = entry.state === "failed";
    entry.matched = message.id;
    if (doubt) this.retry(entry);
  }
}
