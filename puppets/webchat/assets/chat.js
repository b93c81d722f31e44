// The right side: head of the conversation, list of messages, who is typing, and the message field.

import { Composer } from "./composer.js";
import { avatar, h, icon, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { Log } from "./log.js";

export class Chat {
  constructor({ store, outbox, actions, toast }) {
    Object.assign(this, { store, outbox, actions });
    this.log = new Log({ store, outbox, actions: { ...actions, quote: (message) => this.composer.quote(message), edit: (message) => this.composer.edit(message), jump: (id) => this.jump(id) } });
    this.toast = toast;
    this.composer = new Composer({ store, outbox, toast, editLast: () => this.editLast() });
    this.composer.onsend = () => this.log.toEnd();
    this.head = h("header", { class: "chat-head" });
    this.typing = h("div", { class: "typing", testid: "typing", role: "status" });
    this.node = h(
      "section",
      { class: "chat", "aria-labelledby": "chat-title" },
      this.head,
      h("div", { class: "log-frame" }, this.log.node, this.log.jumpButton),
      this.typing,
      this.composer.node,
      h("div", { class: "drop", "aria-hidden": "true" }, icon("attach"), h("span", {}, actions.dropText())),
    );
    this.drops();
    this.log.node.addEventListener("keydown", (event) => event.key === "Escape" && this.composer.focus());
  }

  show(id) {
    if (!id || !this.store.get(id)) return;
    this.shown = id;
    this.drawHead();
    this.drawTyping();
    this.composer.show(id);
    this.log.show(id);
  }

  drawHead() {
    const one = this.store.get(this.shown);
    if (!one) return;
    const room = one.kind === "room";
    const focus = this.head.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    this.head.replaceChildren(
      iconButton("back", t("back"), { class: "back", testid: "back", on: { click: () => this.actions.back() } }),
      room ? avatar({ id: one.id, room: true }) : avatar({ ...this.store.bot, bot: true }),
      h("div", { class: "head-text" }, h("h1", { id: "chat-title", dir: "auto", testid: "title" }, one.title), h("p", { class: "soft" }, room ? t("members-count", { count: one.members.length }) : t("bot-subtitle"))),
      ...(room
        ? [
            iconButton("members", t("members"), { testid: "members", on: { click: () => this.actions.members(one) } }),
            iconButton("leave", t("room-leave"), { testid: "leave", on: { click: () => this.actions.leave(one) } }),
          ]
        : []),
    );
    if (focus) this.head.querySelector(`[data-testid="${focus}"]`)?.focus({ preventScroll: true });
  }

  drawTyping() {
    const names = [...(this.store.get(this.shown)?.typing.values() ?? [])].map((one) => one.name);
    const text = names.length === 0 ? "" : names.length === 1 ? t("typing-one", { name: names[0] }) : t("typing-many", { count: names.length });
    if (this.typing.dataset.text === text) return;
    this.typing.dataset.text = text;
    this.typing.replaceChildren();
    if (text) this.typing.append(h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", { dir: "auto" }, text));
  }

  async jump(id) {
    if (!(await this.log.find(id))) this.toast(t("quote-gone"));
  }

  editLast() {
    const last = this.store.get(this.shown)?.messages.findLast((one) => one.own && one.kind === "text" && !one.recalled);
    if (last) this.composer.edit(last);
    return Boolean(last);
  }

  drops() {
    let depth = 0;
    const files = (event) => event.dataTransfer?.types.includes("Files");
    const set = (value) => {
      depth = value;
      this.node.classList.toggle("dropping", depth > 0);
    };
    this.node.addEventListener("dragenter", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      set(depth + 1);
    });
    this.node.addEventListener("dragleave", (event) => files(event) && set(Math.max(0, depth - 1)));
    this.node.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      set(0);
      this.composer.files([...event.dataTransfer.files]);
    });
  }

  destroy() {
    this.log.destroy();
  }
}
