// Completion of names after "@" in the message field of a room.

import { avatar, h } from "./dom.js";
import { t } from "./i18n.js";

export class Mentions {
  constructor(field, members) {
    this.field = field;
    this.members = members; // () => the people that may be named
    this.list = h("ul", { class: "mention-list", role: "listbox", id: "mention-list", "aria-label": t("mention"), testid: "mention-list", hidden: true });
    this.status = h("div", { class: "sr", role: "status" });
    this.found = [];
    this.at = 0;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", "mention-list");
    field.addEventListener("input", () => this.look());
    field.addEventListener("click", () => this.look());
    field.addEventListener("blur", () => this.close());
  }

  get open() {
    return !this.list.hidden;
  }

  look() {
    const { selectionStart, selectionEnd, value } = this.field;
    // Chinese is written without spaces, so "@" may follow any character but a letter of an address.
    const match = selectionStart === selectionEnd && /(^|[^\w.])@([^\s@]{0,40})$/.exec(value.slice(0, selectionStart));
    if (!match) return this.close();
    const wanted = match[2].toLowerCase();
    this.start = selectionStart - match[2].length - 1;
    const rank = (one) => (one.name.toLowerCase().startsWith(wanted) ? 0 : 1);
    this.found = this.members()
      .filter((one) => one.name.toLowerCase().includes(wanted))
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, 8);
    if (!this.found.length) return this.close();
    this.at = 0;
    this.list.hidden = false;
    this.status.textContent = t("mention-count", { count: this.found.length });
    return this.draw();
  }

  draw() {
    this.list.replaceChildren(
      ...this.found.map((one, at) =>
        h(
          "li",
          // Pressing must not take the focus out of the field.
          { role: "option", id: `mention-${at}`, "aria-selected": String(at === this.at), testid: "mention-option", on: { mousedown: (event) => event.preventDefault(), click: () => this.pick(at) } },
          avatar(one),
          h("span", { dir: "auto" }, one.name),
        ),
      ),
    );
    this.field.setAttribute("aria-activedescendant", `mention-${this.at}`);
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  pick(at = this.at) {
    const one = this.found[at];
    const end = this.field.selectionStart;
    this.field.setRangeText(`@${one.name} `, this.start, end, "end");
    this.close();
    this.field.focus();
    this.onpick?.(one);
  }

  // True: the key was for the list.
  key(event) {
    if (!this.open) return false;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      this.at = (this.at + move + this.found.length) % this.found.length;
      this.draw();
    } else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.pick();
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
