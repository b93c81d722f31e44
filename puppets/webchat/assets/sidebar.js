// The left side: who I am, my conversations with their unread counts, and rooms to enter.

import { avatar, arrows, h, icon, iconButton } from "./dom.js";
import { short } from "./format.js";
import { t } from "./i18n.js";
import { preview } from "./message.js";

export class Sidebar {
  constructor({ store, actions, switches }) {
    Object.assign(this, { store, actions });
    this.me = h("div", { class: "me" });
    this.list = h("ul", { class: "conversations" });
    this.rooms = h("ul", { class: "rooms" });
    this.roomsEmpty = h("p", { class: "soft none" }, t("rooms-none"));
    this.node = h(
      "section",
      { class: "sidebar", "aria-label": t("sidebar") },
      h("header", { class: "side-head" }, h("img", { src: "/chat/icon.svg", alt: "", width: "32", height: "32" }), h("h1", { class: "brand" }, t("app-name")), ...switches),
      h(
        "div",
        { class: "side-scroll" },
        h("nav", { "aria-label": t("conversations") }, h("h2", {}, t("conversations")), this.list),
        h(
          "section",
          { "aria-labelledby": "rooms-title" },
          h("div", { class: "section-head" }, h("h2", { id: "rooms-title" }, t("rooms-open")), iconButton("plus", t("room-new"), { testid: "new-room", on: { click: () => actions.newRoom() } })),
          this.rooms,
          this.roomsEmpty,
        ),
      ),
      this.me,
    );
    arrows(this.list, "button");
    arrows(this.rooms, "button");
  }

  update() {
    // The list is small and drawn anew; the focus finds its item again.
    const active = this.node.contains(document.activeElement) ? document.activeElement : null;
    const key = active?.dataset.conversation ?? active?.dataset.room ?? active?.dataset.testid;
    const stamp = (one) => one.messages.at(-1)?.time ?? 0;
    const all = [...this.store.conversations.values()].sort((a, b) => (b.id === "bot") - (a.id === "bot") || stamp(b) - stamp(a));
    this.list.replaceChildren(...all.map((one) => this.conversation(one)));
    const open = this.store.rooms.filter((room) => !this.store.conversations.has(room.id));
    this.rooms.replaceChildren(...open.map((room) => this.room(room)));
    this.rooms.hidden = open.length === 0;
    this.roomsEmpty.hidden = open.length > 0;
    const { visitor } = this.store;
    if (visitor) {
      this.me.replaceChildren(
        avatar(visitor),
        h("div", { class: "me-text" }, h("strong", { dir: "auto", testid: "my-name" }, visitor.name), h("span", { class: "soft" }, t("me-hint"))),
        iconButton("edit", t("name-change"), { testid: "rename", on: { click: () => this.actions.rename() } }),
      );
    }
    if (key && !this.node.contains(document.activeElement)) {
      this.node.querySelector(`[data-conversation="${CSS.escape(key)}"], [data-room="${CSS.escape(key)}"], [data-testid="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
    }
  }

  conversation(one) {
    const last = one.messages.at(-1);
    const unread = this.store.unread(one.id);
    const typing = one.typing.size > 0;
    const who = last && one.kind === "room" && last.kind !== "note" && !last.recalled ? `${last.own ? t("you") : last.from.name}: ` : "";
    const current = one.id === this.store.active;
    const line = typing ? t("typing-short") : last ? who + preview(last) : t("empty");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: `conversation ${unread ? "unread" : ""}`, testid: "conversation", data: { conversation: one.id, kind: one.kind }, "aria-current": current ? "true" : null, on: { click: () => this.actions.open(one.id) } },
        one.kind === "room" ? avatar({ id: one.id, room: true }) : avatar(this.store.bot?.id ? { ...this.store.bot, bot: true } : { id: one.id, name: one.title }),
        h(
          "span",
          { class: "conversation-text" },
          h("span", { class: "top" }, h("strong", { dir: "auto" }, one.title), last && h("time", { datetime: new Date(last.time).toISOString() }, short(last.time))),
          h(
            "span",
            { class: "top" },
            h("span", { class: `preview ${typing ? "is-typing" : ""}`, dir: "auto" }, line),
            unread > 0 && h("span", { class: "badge", testid: "unread" }, h("span", { "aria-hidden": "true" }, unread > 99 ? "99+" : String(unread)), h("span", { class: "sr" }, t("unread", { count: unread }))),
          ),
        ),
      ),
    );
  }

  room(room) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "conversation", testid: "room", data: { room: room.id }, title: t("room-enter"), on: { click: () => this.actions.enter(room.id) } },
        avatar({ id: room.id, room: true }),
        h("span", { class: "conversation-text" }, h("strong", { dir: "auto" }, room.topic), h("span", { class: "preview" }, t("members-count", { count: room.members }))),
        icon("plus"),
        h("span", { class: "sr" }, t("room-enter")),
      ),
    );
  }
}
