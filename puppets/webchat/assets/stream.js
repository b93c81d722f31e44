// The event stream: reconnects with back-off from the last id, polls instead while the tab is hidden.

import { ApiError, get, NEEDS_TOKEN, open, UNKNOWN_VISITOR } from "./api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 40_000; // The server comments every 15 s; two missed ones and the line is dead.
const HIDDEN_AFTER = 5000; // A browser has six connections for a host; hidden tabs must not hold them all.
const POLL_EVERY = 5000;

export class Stream extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.last = 0;
    this.state = "connecting";
    this.abort = null;
    this.wake = null;
    this.running = false;
    this.hideTimer = null;
    this.polling = false;
    this.wait = FIRST_WAIT; // before the next try, if that fails, too
    document.addEventListener("visibilitychange", () => this.visibility());
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => this.abort?.abort());
    addEventListener("pageshow", (event) => event.persisted && this.abort?.abort());
  }

  set(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  start(last) {
    this.last = last;
    if (!this.running) {
      this.running = true;
      this.loop();
      this.visibility();
    } else {
      this.abort?.abort();
      this.retryNow();
    }
  }

  // The server has answered, or is likely to: there is no reason to wait.
  retryNow() {
    this.wait = FIRST_WAIT;
    this.wake?.();
  }

  visibility() {
    clearTimeout(this.hideTimer);
    if (document.hidden) {
      this.hideTimer = setTimeout(() => {
        this.polling = true;
        this.abort?.abort();
        this.retryNow();
      }, HIDDEN_AFTER);
    } else if (this.polling) {
      this.polling = false;
      this.retryNow();
    }
  }

  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async loop() {
    for (;;) {
      if (this.polling) {
        await this.poll();
        continue;
      }
      this.set("connecting");
      let pause = null;
      try {
        await this.read(() => {
          this.wait = FIRST_WAIT;
          this.set("online");
        });
      } catch (error) {
        if (error.code === UNKNOWN_VISITOR || error.code === NEEDS_TOKEN) {
          await this.lost(error.code === NEEDS_TOKEN ? "token" : "unknown");
          this.wait = FIRST_WAIT; // We are in again.
        } else if (error instanceof ApiError && error.retryAfter) {
          pause = error.retryAfter * 1000;
        }
      }
      if (this.polling) continue;
      this.set("connecting");
      // Spread out, so that a restarted server does not meet all its visitors in one moment.
      await this.pause(pause ?? this.wait * (0.7 + Math.random() * 0.6));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
  }

  // Whoever listens repairs the state and sets `last`; until then nothing is read.
  async lost(why) {
    const waits = [];
    this.dispatchEvent(new CustomEvent("lost", { detail: { why, wait: (promise) => waits.push(promise) } }));
    await Promise.all(waits).catch(() => {});
  }

  async read(opened) {
    const abort = new AbortController();
    this.abort = abort;
    let watchdog = setTimeout(() => abort.abort(), SILENCE);
    try {
      const answer = await open(`stream?after=${this.last}`, { signal: abort.signal, headers: { Accept: "text/event-stream" } });
      opened();
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      let rest = "";
      let block = { event: "message", data: [], id: null };
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE);
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop();
        for (const raw of lines) {
          const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
          if (line === "") {
            if (block.data.length) await this.event(block);
            block = { event: "message", data: [], id: null };
          } else if (!line.startsWith(":")) {
            const colon = line.indexOf(":");
            const field = colon < 0 ? line : line.slice(0, colon);
            const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
            if (field === "data") block.data.push(text);
            else if (field === "event") block.event = text;
            else if (field === "id") block.id = text;
          }
        }
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  async event({ event, data, id }) {
    if (event === "reset") {
      await this.lost("reset");
      return;
    }
    // The id counts first: an event that a view chokes on must not come again for ever.
    const seq = Number(id);
    if (id !== null && Number.isFinite(seq)) this.last = Math.max(this.last, seq);
    try {
      this.store.apply(event, JSON.parse(data.join("\n")));
    } catch (error) {
      console.error("event", event, error);
    }
  }

  // Only looks for news; `last` stays, so the stream later brings every event since.
  async poll() {
    this.set("polling");
    try {
      const state = await get("state");
      if (state.last !== this.polled) {
        this.store.takeState(state);
        await Promise.all([...this.store.conversations.keys()].map((id) => this.store.history(id)));
        this.polled = state.last;
      }
    } catch (error) {
      if (error.code === UNKNOWN_VISITOR) await this.lost("unknown");
      else if (error.code === NEEDS_TOKEN) await this.lost("token");
    }
    if (this.polling) await this.pause(POLL_EVERY);
  }
}
