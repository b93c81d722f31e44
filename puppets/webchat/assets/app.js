// Starts the page and ties its parts together: store, stream, outbox and views.

import { join, keep, NEEDS_HELP, NEEDS_TOKEN, post, session, takeToken, UNKNOWN_VISITOR } from "./api.js";
import { Chat } from "./chat.js";
import { ask, members, question, viewImage } from "./dialogs.js";
import { h, iconButton } from "./dom.js";
import { size } from "./format.js";
import * as i18n from "./i18n.js";
import { joinView } from "./join.js";
import { nonce, Outbox } from "./outbox.js";
import { Seen } from "./seen.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import * as theme from "./theme.js";

const { t } = i18n;
const root = document.getElementById("app");
const store = new Store();
const outbox = new Outbox(store);
const seen = new Seen(store);
const stream = new Stream(store);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const narrow = matchMedia("(max-width: 719px)");
let admitted = null; // tells a stream that waits at the door to go on
let view = null; // { sidebar, chat, node, connection } while one is inside

function toast(what) {
  const text = typeof what === "string" ? what : [what.message || t("no-connection"), what.fix].filter(Boolean).join(" ");
  const node = h("div", { class: "toast", testid: "toast" }, h("span", { dir: "auto" }, text), iconButton("close", t("close"), { on: { click: () => node.remove() } }));
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 8000);
}

function switches() {
  const next = () => (theme.current() === "dark" ? "sun" : "moon");
  const label = () => t(theme.current() === "dark" ? "theme-light" : "theme-dark");
  const themeButton = iconButton(next(), label(), { testid: "theme-switch", on: { click: () => {
    theme.toggle();
    themeButton.replaceChildren(...iconButton(next(), "").childNodes);
    themeButton.setAttribute("aria-label", label());
    themeButton.title = label();
  } } });
  // The other language in its own words, for whoever cannot read this one.
  const other = i18n.lang === "zh" ? ["en", "English", "EN"] : ["zh", "中文", "中"];
  const langButton = h("button", { type: "button", class: "icon-button lang", testid: "lang-switch", lang: other[0], title: other[1], on: { click: () => language(other[0]) } }, h("span", { "aria-hidden": "true" }, other[2]), h("span", { class: "sr" }, other[1]));
  return [langButton, themeButton];
}

async function language(to) {
  try {
    await i18n.choose(to);
  } catch {
    toast(t("no-connection"));
    return;
  }
  const typed = document.querySelector('[data-testid="join-name"]')?.value;
  if (view) {
    build();
    // What the server and the bot say from now on is in it too.
    attempt(() => post("language", { lang: i18n.tag() }));
  } else door({ name: typed });
  document.querySelector('[data-testid="lang-switch"]').focus();
}

function door(options = {}) {
  view?.chat.destroy();
  view = null;
  document.title = t("app-name");
  root.replaceChildren(joinView({ switches: switches(), joined: enter, ...options }));
}

async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    toast(error);
    return undefined;
  }
}

// What is shown, to the nonces of what was pressed there: who tries again presses once, an edit asks anew.
const presses = new WeakMap();

function press(message, value) {
  const shown = message.card ?? message.menu;
  if (!presses.has(shown)) presses.set(shown, new Map());
  const known = presses.get(shown);
  if (!known.has(value)) known.set(value, nonce());
  return known.get(value);
}

const actions = {
  dropText: () => t("drop", { size: size(store.limits.file) }),
  view: viewImage,
  retry(entry) {
    outbox.retry(entry);
    stream.retryNow();
  },
  discard: (entry) => outbox.discard(entry),
  open(id) {
    store.activate(id);
    showChat();
  },
  back() {
    // The browser's own "back" does the same.
    if (history.state?.chat) history.back();
    else side("list");
  },
  react: (message, reaction, added) => attempt(() => post("react", { id: message.id, reaction, added })),
  choose: (message, value) =>
    attempt(async () => {
      // Another tab may have chosen meanwhile: the stream tells what stands.
      await post("action", { id: message.id, value, nonce: press(message, value) });
      store.apply("chosen", { conversation: message.conversation, id: message.id, value });
    }),
  recall(message) {
    question({ title: t("recall-title"), text: t("recall-text"), confirm: t("act-recall"), confirmId: "recall-confirm", act: () =>
      attempt(async () => {
        await post("recall", { id: message.id });
        store.recalled(message.conversation, message.id);
        view?.chat.composer.focus();
      }) });
  },
  rename() {
    ask({ title: t("name-change"), label: t("join-name"), value: store.visitor.name, confirm: t("save"), testid: "name-field", confirmId: "name-save", max: 40, act: async (name) => {
      const { visitor } = await post("name", { name });
      session.me = { ...session.me, name: visitor.name };
      store.apply("visitor", visitor);
    } });
  },
  newRoom() {
    ask({ title: t("room-new"), label: t("room-topic"), placeholder: t("room-topic-example"), confirm: t("room-create"), testid: "room-topic", confirmId: "room-create", act: async (topic) => entered(await post("rooms", { topic })) });
  },
  enter: (id) => attempt(async () => entered(await post("rooms/enter", { id }))),
  leave(conversation) {
    question({ title: t("room-leave"), text: t("room-leave-text", { name: conversation.title }), confirm: t("room-leave"), confirmId: "leave-confirm", act: () =>
      attempt(async () => {
        await post("rooms/leave", { id: conversation.id });
        store.leave(conversation.id);
        if (narrow.matches) side("list");
      }) });
  },
  members: (conversation) => members(store.get(conversation.id) ?? conversation, store.visitor?.id),
};

function entered(conversation) {
  store.apply("conversation", conversation);
  actions.open(conversation.id);
}

function side(name) {
  view.node.dataset.view = name;
  if (name === "chat") view.chat.log.render({ quiet: true });
  if (name === "list") view.sidebar.node.querySelector('[aria-current="true"]')?.focus();
}

function showChat() {
  const was = view.node.dataset.view;
  side("chat");
  if (narrow.matches && was === "list" && !history.state?.chat) history.pushState({ chat: true }, "");
  // On a phone the focus would open the keyboard over what one wants to read.
  if (!narrow.matches) view.chat.composer.focus();
  else view.chat.head.querySelector(".back")?.focus();
}

function drawConnection() {
  if (!view) return;
  const { state } = stream;
  view.connection.dataset.state = state;
  view.connection.textContent = state === "connecting" ? t("connecting") : t("connected");
}

function drawTitle() {
  const unread = store.totalUnread;
  const name = store.current?.title ?? t("app-name");
  document.title = `${unread ? `(${unread > 99 ? "99+" : unread}) ` : ""}${name}`;
}

function build() {
  const shown = view?.node.dataset.view ?? "chat";
  view?.chat.destroy();
  const sidebar = new Sidebar({ store, actions, switches: switches() });
  const chat = new Chat({ store, outbox, actions, toast });
  const connection = h("div", { class: "connection", role: "status", testid: "connection" });
  const skip = h("a", { class: "skip", href: "#composer", on: { click: (event) => { event.preventDefault(); chat.composer.focus(); } } }, t("skip"));
  view = { sidebar, chat, connection, node: h("main", { class: "shell", data: { view: shown } }, skip, sidebar.node, chat.node, connection) };
  root.replaceChildren(view.node);
  sidebar.update();
  chat.show(store.active);
  drawConnection();
  drawTitle();
}

async function loadAll() {
  const last = await store.load();
  for (const one of store.conversations.values()) if (!one.loaded) store.history(one.id).catch(() => {});
  return last;
}

// Keeps trying until the server answers; null: this visitor is unknown and cannot come back without help.
async function loadPatiently(again = true) {
  for (let wait = 500; ; wait = Math.min(wait * 2, 15_000)) {
    try {
      return await loadAll();
    } catch (error) {
      if (error.code === UNKNOWN_VISITOR && again) return rejoin();
      if (error.code === NEEDS_TOKEN) return atDoor(session.me?.name, true);
      if (error.code === UNKNOWN_VISITOR) return atDoor(session.me?.name, false);
      await pause(error.retryAfter * 1000 || wait);
    }
  }
}

// The server forgot us: come in again under the same name; drafts and unsent messages stay.
async function rejoin() {
  const name = session.me?.name ?? null;
  const before = session.me?.secret ?? session.me?.before ?? null;
  try {
    await join(name, before);
  } catch (error) {
    if (!NEEDS_HELP.includes(error.code)) {
      await pause(error.retryAfter * 1000 || 2000);
      return rejoin();
    }
    return atDoor(name, error.code === NEEDS_TOKEN);
  }
  store.forget();
  store.read = {};
  return loadPatiently(false);
}

// Without the visitor's help it does not go on.
function atDoor(name, needsToken) {
  door({ name: name ?? "", needsToken });
  return null;
}

async function enter() {
  if (!view) root.replaceChildren(h("main", { class: "splash" }, h("img", { src: "/chat/icon.svg", alt: "", width: "64", height: "64" }), h("h1", { class: "soft", role: "status" }, t("connecting"))));
  store.active = keep.get("active");
  const last = await loadPatiently();
  if (last === null) return;
  build();
  stream.start(last);
  admitted?.();
  outbox.resume();
  if (!narrow.matches) view.chat.composer.focus();
}

stream.addEventListener("state", () => {
  drawConnection();
  if (stream.state !== "online") return;
  outbox.resend();
  seen.soon();
});
// The server answers: a stream that waits to try again need not. One that was not known any more comes in again.
outbox.addEventListener("sent", () => stream.retryNow());
outbox.addEventListener("unknown", () => stream.retryNow());
stream.addEventListener("lost", (event) => {
  event.detail.wait((async () => {
    const before = session.me?.id;
    if (event.detail.why === "reset") store.forget();
    const last = event.detail.why === "unknown" ? await rejoin() : await loadPatiently();
    if (last === null) return new Promise((resolve) => (admitted = resolve)); // The door is open.
    stream.last = last;
    if (!view) build();
    view.chat.show(store.active);
    if (session.me?.id !== before) toast(t("rejoined", { name: store.visitor.name }));
    return undefined;
  })());
});

store.addEventListener("change", ({ detail: { what, id, fresh, quote } }) => {
  if (!view) return;
  const { chat, sidebar } = view;
  if (what === "active" || (what === "state" && chat.shown !== store.active)) chat.show(store.active);
  else if (id === chat.shown || what === "state") {
    if (what === "messages" || what === "history") chat.log.update({ quiet: what === "history" || !fresh });
    if (what === "quote") {
      chat.log.update({ quiet: true });
      chat.composer.requoted(quote);
    }
    if (what === "typing") chat.drawTyping();
    if (what === "conversation" || what === "state") chat.drawHead();
    if (what === "read") chat.log.jump();
  }
  if (what === "visitor") {
    chat.log.update({ quiet: true });
    chat.drawTyping();
  }
  if (what === "conversation" && store.get(id) && !store.get(id).loaded) store.history(id).catch(() => {});
  drawSoon();
});

let drawing = false;
function drawSoon() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    if (!view) return;
    view.sidebar.update();
    drawTitle();
  }, 16);
}

outbox.addEventListener("change", ({ detail: entry }) => view && entry.conversation === view.chat.shown && view.chat.log.update());
outbox.addEventListener("progress", ({ detail: entry }) => {
  const bar = document.querySelector(`[data-message-id="pending-${entry.nonce}"] progress`);
  if (bar) bar.value = entry.progress;
});
document.addEventListener("visibilitychange", () => view?.chat.log.read());
addEventListener("popstate", () => view && side(history.state?.chat ? "chat" : "list"));
addEventListener("beforeunload", (event) => outbox.holdsFiles && event.preventDefault());
addEventListener("dragover", (event) => event.preventDefault()); // A file dropped beside the chat must not replace the page.
addEventListener("drop", (event) => event.preventDefault());

async function start() {
  takeToken();
  for (let wait = 500; ; wait = Math.min(wait * 2, 15_000)) {
    try {
      await i18n.load(i18n.preferred());
      break;
    } catch {
      await pause(wait);
    }
  }
  if (session.me?.secret) await enter();
  else door({ name: session.me?.name ?? "" });
}

start();
