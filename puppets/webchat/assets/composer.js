// The message field with its draft, quote, edit, files and mentions. What was typed outlives a reload.

import { h, icon, iconButton } from "./dom.js";
import { keep, post } from "./api.js";
import { size } from "./format.js";
import { t } from "./i18n.js";
import { Mentions } from "./mentions.js";
import { snippet } from "./message.js";

const TYPING_EVERY = 3000;

export class Composer {
  constructor({ store, outbox, toast, editLast }) {
    Object.assign(this, { store, outbox, toast, editLast });
    this.id = null;
    this.typedAt = 0;
    this.picture = null;
    const limit = size(store.limits.file);
    this.field = h("textarea", {
      id: "composer", rows: "1", testid: "composer", "aria-label": t("message-field"), placeholder: t("message-field"), enterkeyhint: "send", autocomplete: "off", dir: "auto", "aria-describedby": "composer-hint",
    });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, testid: "file-input", "aria-label": t("attach", { size: limit }), on: { change: () => this.picked() } });
    this.sendButton = iconButton("send", t("send"), { class: "send", testid: "send", on: { click: () => this.send() } });
    this.attachButton = iconButton("attach", t("attach", { size: limit }), { testid: "attach", on: { click: () => this.picker.click() } });
    this.bar = h("div", { class: "compose-bar", hidden: true });
    this.counter = h("span", { class: "counter", role: "status", hidden: true });
    this.mentions = new Mentions(this.field, () => {
      const conversation = store.get(this.id);
      return conversation?.kind === "room" ? conversation.members.filter((one) => one.id !== store.visitor.id) : [];
    });
    this.mentions.onpick = (one) => {
      this.draft.mentions = [...(this.draft.mentions ?? []), { id: one.id, name: one.name }];
      this.changed();
    };
    this.node = h(
      "form",
      { class: "composer", "aria-label": t("compose"), on: { submit: (event) => event.preventDefault() } },
      this.mentions.list,
      this.bar,
      h("div", { class: "compose-row" }, this.attachButton, this.picker, h("div", { class: "field" }, this.field, this.counter), this.sendButton),
      h("p", { class: "hint", id: "composer-hint" }, h("span", { class: "keys" }, t("hint-keys"), " · "), t("hint-size", { size: limit })),
      this.mentions.status,
    );
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("paste", (event) => this.paste(event));
  }

  show(id) {
    this.id = id;
    this.picture = null;
    this.draft = keep.get(`draft-${id}`) ?? { text: "", quote: null, edit: null, mentions: [] };
    this.field.value = this.draft.edit ? this.draft.edit.text : this.draft.text;
    this.drawBar();
    this.fit();
  }

  focus() {
    this.field.focus();
  }

  changed() {
    if (this.draft.edit) this.draft.edit.text = this.field.value;
    else this.draft.text = this.field.value;
    const { text, quote, edit } = this.draft;
    keep.set(`draft-${this.id}`, text || quote || edit ? this.draft : null);
    this.fit();
  }

  fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, innerHeight * 0.35)}px`;
    const left = this.store.limits.text - Array.from(this.field.value).length;
    this.counter.hidden = left > 200;
    this.counter.textContent = left < 0 ? t("too-long", { count: -left }) : String(left);
    this.counter.classList.toggle("over", left < 0);
    this.node.classList.toggle("ready", Boolean(this.field.value.trim() || this.picture));
  }

  typed() {
    this.changed();
    if (!this.field.value.trim() || this.draft.edit || Date.now() - this.typedAt < TYPING_EVERY) return;
    this.typedAt = Date.now();
    post("typing", { conversation: this.id }).catch(() => {});
  }

  key(event) {
    // Enter ends a composition of an input method; Safari reports that Enter as 229 after the composition.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.mentions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape" && (this.draft.edit || this.draft.quote || this.picture)) {
      event.preventDefault();
      event.stopPropagation();
      this.cancel();
    } else if (event.key === "ArrowUp" && this.field.value === "" && !this.draft.edit) {
      if (this.editLast()) event.preventDefault();
    }
  }

  quote(message) {
    if (this.draft.edit) this.cancel();
    this.draft.quote = { id: message.id, name: message.from.name, text: snippet(message) };
    this.changed();
    this.drawBar();
    this.focus();
  }

  // What is about to be answered was changed or taken back.
  requoted(quote) {
    if (this.draft.quote?.id !== quote.id) return;
    this.draft.quote = quote.recalled ? null : { ...this.draft.quote, text: quote.text };
    this.changed();
    this.drawBar();
  }

  edit(message) {
    this.draft.edit = { id: message.id, text: message.text };
    this.field.value = message.text;
    this.changed();
    this.drawBar();
    this.focus();
    this.field.setSelectionRange(message.text.length, message.text.length);
  }

  cancel() {
    if (this.picture) this.picture = null;
    else if (this.draft.edit) {
      this.draft.edit = null;
      this.field.value = this.draft.text;
    } else this.draft.quote = null;
    this.changed();
    this.drawBar();
    this.focus();
  }

  drawBar() {
    const { edit, quote } = this.draft;
    this.bar.hidden = !(edit || quote || this.picture);
    this.bar.replaceChildren();
    if (this.bar.hidden) return;
    const [name, title, text] = this.picture
      ? ["attach", t("paste-title"), `${this.picture.name} · ${size(this.picture.size)}`]
      : edit
        ? ["edit", t("editing"), this.store.message(edit.id)?.text ?? edit.text]
        : ["quote", t("quoting", { name: quote.name }), quote.text];
    let shown = icon(name);
    if (this.picture) {
      const src = URL.createObjectURL(this.picture);
      shown = h("img", { src, alt: t("paste-title"), on: { load: () => URL.revokeObjectURL(src) } });
    }
    this.bar.append(
      shown,
      h("div", { class: "bar-text" }, h("strong", { dir: "auto" }, title), h("span", { dir: "auto" }, text)),
      iconButton("close", t("cancel"), { testid: "compose-cancel", on: { click: () => this.cancel() } }),
    );
  }

  async send() {
    const { edit, quote } = this.draft;
    const text = this.field.value.trim();
    if (Array.from(text).length > this.store.limits.text) {
      this.toast(t("too-long", { count: Array.from(text).length - this.store.limits.text }));
      return;
    }
    if (edit) {
      await this.saveEdit(edit, text);
      return;
    }
    if (this.picture) {
      this.outbox.file(this.id, this.picture, { quote });
      this.picture = null;
      this.draft.quote = null;
    }
    if (text) {
      const mentions = (this.draft.mentions ?? []).filter((one) => text.includes(`@${one.name}`)).map((one) => one.id);
      this.outbox.text(this.id, text, { quote: this.draft.quote, mentions: [...new Set(mentions)] });
      this.field.value = "";
      this.draft.quote = null;
      this.draft.mentions = [];
      this.typedAt = 0;
    }
    this.changed();
    this.drawBar();
    this.focus();
    this.onsend?.();
  }

  async saveEdit(edit, text) {
    const conversation = this.id;
    if (!text || this.saving) return;
    this.saving = true;
    try {
      const message = await post("edit", { id: edit.id, text });
      this.store.patch(conversation, edit.id, message);
      const draft = keep.get(`draft-${conversation}`) ?? this.draft;
      keep.set(`draft-${conversation}`, draft.text || draft.quote ? { ...draft, edit: null } : null);
      if (this.id === conversation) this.show(conversation);
    } catch (error) {
      // The text stays in the field.
      this.toast(error);
    } finally {
      this.saving = false;
    }
  }

  picked() {
    this.files([...this.picker.files]);
    this.picker.value = "";
  }

  // A pasted picture waits for "send": what lies in a clipboard is often something else.
  paste(event) {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    // Office programs add a picture of the text; the text is what was meant.
    if (event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    if (!this.fits(file)) return;
    this.picture = file;
    this.drawBar();
    this.fit();
  }

  fits(file) {
    if (file.size <= this.store.limits.file) return true;
    this.toast(t("file-too-large", { name: file.name, size: size(file.size), limit: size(this.store.limits.file) }));
    return false;
  }

  files(list) {
    for (const file of list) if (this.fits(file)) this.outbox.file(this.id, file, { quote: null });
    this.onsend?.();
  }
}
