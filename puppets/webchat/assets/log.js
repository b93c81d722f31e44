// The list of messages: a window of at most 300 over what the store has, which follows the scroll position.

import { h, icon } from "./dom.js";
import { day, dayKey } from "./format.js";
import { t } from "./i18n.js";
import { messageView, pendingView } from "./message.js";
import { closePicker } from "./reactions.js";

const CAP = 300;
const STEP = 60;
const NEAR = 500; // Pixels from an edge at which more is loaded.
const GROUP_MS = 5 * 60_000;

export class Log {
  constructor({ store, outbox, actions }) {
    Object.assign(this, { store, outbox, actions });
    this.node = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": t("messages"), testid: "message-log", tabindex: "0" });
    this.jumpButton = h("button", { type: "button", class: "jump", hidden: true, testid: "jump", on: { click: () => this.toEnd() } }, icon("down"));
    this.views = new Map();
    this.id = null;
    this.queued = false;
    this.pinned = true;
    this.node.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("focusin", (event) => this.focused(event.target.closest("article")));
    this.node.addEventListener("click", (event) => {
      // A tap opens the buttons of a message; phones do not focus by themselves.
      const article = event.target.closest("article");
      if (article && !event.target.closest("a, button, audio, video") && getSelection().isCollapsed) article.focus({ preventScroll: true });
    });
    // Pictures get their height late.
    this.node.addEventListener("load", () => this.pinned && this.bottom(), true);
    this.resize = new ResizeObserver(() => this.pinned && this.bottom());
    this.resize.observe(this.node);
  }

  show(id) {
    closePicker();
    this.id = id;
    this.from = null;
    this.to = null; // null: the window reaches to the newest message.
    this.current = null;
    this.newFrom = this.store.unread(id) ? (this.store.read[id] ?? 0) : null;
    this.views.clear();
    this.node.replaceChildren();
    this.node.scrollTop = 0;
    this.pinned = true;
    this.render({ quiet: true });
    const conversation = this.store.get(id);
    if (conversation && !conversation.loaded) this.store.history(id).catch(() => {});
  }

  // A burst of events is drawn once. A timer, because frames do not come in a hidden tab.
  update({ quiet = false } = {}) {
    this.loud ||= !quiet;
    if (this.queued) return;
    this.queued = true;
    setTimeout(() => {
      this.queued = false;
      this.render({ quiet: !this.loud });
      this.loud = false;
    }, 16);
  }

  window() {
    const all = this.store.get(this.id)?.messages ?? [];
    let start = this.from === null ? Math.max(0, all.length - STEP) : all.findIndex((one) => one.seq >= this.from);
    if (start < 0) start = Math.max(0, all.length - STEP);
    let end = all.length;
    if (this.to !== null) end = all.findLastIndex((one) => one.seq <= this.to) + 1;
    if (end - start > CAP) {
      if (this.pinned && this.to === null) start = end - CAP;
      else {
        end = start + CAP;
        this.to = all[end - 1].seq;
      }
    }
    this.from = all[start]?.seq ?? null;
    if (this.to !== null && end >= all.length) this.to = null;
    return { all, start, end };
  }

  // What is to be seen, top to bottom: key, what it depends on, and how it is made.
  items() {
    const { all, start, end } = this.window();
    const room = this.store.get(this.id)?.kind === "room";
    const pending = this.to === null ? this.outbox.of(this.id) : [];
    const shown = [...all.slice(start, end), ...pending.map((entry) => ({ entry, own: true, time: entry.time, kind: "text", from: {} }))];
    const joins = (a, b) =>
      a && b && a.own === b.own && (a.own || a.from.id === b.from.id) && a.kind !== "note" && b.kind !== "note" && !a.recalled && !b.recalled &&
      dayKey(a.time) === dayKey(b.time) && Math.abs(b.time - a.time) < GROUP_MS;
    const out = [];
    let before = all[start - 1];
    let divided = false;
    shown.forEach((one, at) => {
      if (!before || at === 0 || dayKey(before.time) !== dayKey(one.time)) {
        const key = dayKey(one.time);
        out.push({ key: `day-${key}`, sign: day(one.time), make: () => h("div", { class: "day", data: { day: key } }, h("span", {}, day(one.time))) });
      }
      if (!divided && this.newFrom !== null && !one.entry && !one.own && one.seq > this.newFrom) {
        divided = true;
        if (at > 0) out.push({ key: "new", sign: "", make: () => h("div", { class: "day new" }, h("span", {}, t("new-messages"))) });
      }
      const first = !joins(before, one);
      const last = !joins(one, shown[at + 1]);
      const flags = `${first}${last}${room}`;
      const options = { first, last, room, actions: this.actions };
      if (one.entry) out.push({ key: `pending-${one.entry.nonce}`, sign: `${flags}${one.entry.state}`, make: () => pendingView(one.entry, options), message: true });
      else out.push({ key: one.id, source: one, sign: flags, make: () => messageView(one, options), message: true });
      before = one;
    });
    return out;
  }

  anchor() {
    const top = this.node.getBoundingClientRect().top;
    for (const child of this.node.children) {
      const box = child.getBoundingClientRect();
      if (child.tagName === "ARTICLE" && box.bottom > top) return { child, key: child.dataset.messageId, at: box.top };
    }
    return null;
  }

  render({ quiet = false } = {}) {
    if (this.id === null) return;
    const wasEmpty = this.views.size === 0;
    const anchor = this.pinned ? null : this.anchor();
    // A page of history is not news; only what comes in while one reads is announced.
    if (quiet || wasEmpty) this.node.setAttribute("aria-live", "off");
    const items = this.items();
    const keep = new Map();
    // A message that is drawn anew gives the focus back to the same control of it.
    const held = document.activeElement?.closest?.("article");
    const focusKey = held?.dataset.messageId;
    const focusAt = held ? [...held.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
    let cursor = this.node.firstChild;
    for (const item of items) {
      const known = this.views.get(item.key);
      let view = known;
      if (!known || known.sign !== item.sign || known.source !== item.source) {
        const node = item.make();
        if (!known && !quiet && !wasEmpty && item.message && this.pinned && !item.source?.own) node.classList.add("enter");
        if (known) {
          if (cursor === known.node) cursor = known.node.nextSibling;
          known.node.replaceWith(node);
          if (focusKey === item.key && document.activeElement === document.body) ([...node.querySelectorAll("a, button")][focusAt] ?? node).focus({ preventScroll: true });
        }
        view = { ...item, node };
      }
      keep.set(item.key, view);
      if (view.node === cursor) cursor = cursor.nextSibling;
      else if (view.node.nextSibling !== cursor || view.node.parentNode !== this.node) this.node.insertBefore(view.node, cursor);
    }
    while (cursor) {
      const next = cursor.nextSibling;
      cursor.remove();
      cursor = next;
    }
    this.views = keep;
    const conversation = this.store.get(this.id);
    this.node.setAttribute("aria-busy", String(Boolean(conversation?.loading)));
    this.node.classList.toggle("empty", items.length === 0);
    this.node.dataset.empty = conversation?.loaded ? t("empty") : "";
    this.rove(this.current && keep.has(this.current) ? this.current : items.findLast((one) => one.message)?.key);
    if (this.pinned) this.bottom();
    else if (anchor) {
      const node = anchor.child.isConnected ? anchor.child : keep.get(anchor.key)?.node;
      if (node) this.node.scrollTop += node.getBoundingClientRect().top - anchor.at;
    }
    this.jump();
    if (quiet || wasEmpty) setTimeout(() => this.node.setAttribute("aria-live", "polite"), 150);
    this.read();
    // A first page that does not fill the view cannot be scrolled for more.
    if (conversation?.loaded && conversation.more && this.node.offsetParent && this.node.scrollHeight <= this.node.clientHeight + NEAR) this.older();
  }

  read() {
    if (this.pinned && this.to === null && !document.hidden && this.node.offsetParent) this.store.markRead(this.id);
  }

  jump() {
    const away = !this.pinned || this.to !== null;
    this.jumpButton.hidden = !away;
    const count = away ? this.store.unread(this.id) : 0;
    const label = count ? t("jump-new", { count }) : t("jump");
    this.jumpButton.setAttribute("aria-label", label);
    this.jumpButton.title = label;
    this.jumpButton.dataset.count = count || "";
  }

  bottom() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  toEnd() {
    this.from = null;
    this.to = null;
    this.pinned = true;
    this.render({ quiet: true });
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    const below = scrollHeight - scrollTop - clientHeight;
    const pinned = this.to === null && below < 48;
    if (pinned !== this.pinned) {
      this.pinned = pinned;
      this.jump();
      this.read();
      closePicker();
    }
    if (scrollTop < NEAR && !pinned) this.older();
    else if (below < NEAR && this.to !== null) this.newer();
  }

  async older() {
    if (this.busy) return false;
    this.busy = true;
    const id = this.id;
    try {
      let all = this.store.get(id)?.messages ?? [];
      if (all[0]?.seq >= this.from || this.from === null) {
        if (!(await this.store.history(id, true)) || this.id !== id) return false;
        all = this.store.get(id)?.messages ?? [];
      }
      const start = all.findIndex((one) => one.seq >= this.from);
      this.from = all[Math.max(0, start - STEP)]?.seq ?? null;
      this.render({ quiet: true });
      return true;
    } catch {
      return false; // The next scroll tries again.
    } finally {
      this.busy = false;
    }
  }

  newer() {
    const all = this.store.get(this.id)?.messages ?? [];
    const end = Math.min(all.length, all.findLastIndex((one) => one.seq <= this.to) + 1 + STEP);
    this.to = end >= all.length ? null : all[end - 1].seq;
    const start = Math.max(0, all.findIndex((one) => one.seq >= this.from), end - CAP);
    this.from = all[start]?.seq ?? null;
    this.render({ quiet: true });
  }

  // Brings a quoted message into view, loading what lies between.
  async find(id) {
    const conversation = this.store.get(this.id);
    for (let tries = 0; !conversation.byId.has(id) && conversation.more && tries < 20; tries += 1) await this.store.history(this.id, true).catch(() => {});
    const at = conversation.messages.findIndex((one) => one.id === id);
    if (at < 0) return false;
    this.pinned = false;
    if (!this.views.has(id)) {
      this.from = conversation.messages[Math.max(0, at - STEP)].seq;
      this.to = conversation.messages[Math.min(conversation.messages.length - 1, at + STEP)].seq;
      this.render({ quiet: true });
    }
    const node = this.views.get(id)?.node;
    node?.scrollIntoView({ block: "center" });
    node?.focus({ preventScroll: true });
    node?.classList.add("flash");
    setTimeout(() => node?.classList.remove("flash"), 1600);
    return true;
  }

  // One message is the list's tab stop; its buttons follow it in the tab order.
  rove(key) {
    const old = this.stop?.isConnected ? this.stop : null;
    const node = this.views.get(key)?.node ?? null;
    if (old && old !== node) this.tabbable(old, false);
    if (node) this.tabbable(node, true);
    this.stop = node;
  }

  tabbable(node, on) {
    node.tabIndex = on ? 0 : -1;
    for (const one of node.querySelectorAll("button, a.file, a.choice, a.page-card, a.place")) one.tabIndex = on ? 0 : -1;
  }

  focused(article) {
    if (!article) return;
    this.current = article.dataset.messageId;
    this.rove(this.current);
  }

  key(event) {
    const article = event.target.closest("article");
    if (event.target !== article && event.target !== this.node) return;
    const all = [...this.node.querySelectorAll("article")];
    const at = article ? all.indexOf(article) : all.length;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all.length) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  destroy() {
    this.resize.disconnect();
  }
}
