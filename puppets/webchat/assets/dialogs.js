// Dialogs: a picture in large, a question, a name, the members. The browser keeps the focus inside and gives it back.

import { avatar, h, iconButton } from "./dom.js";
import { t } from "./i18n.js";

function show(props, ...children) {
  const dialog = h("dialog", props, ...children);
  dialog.addEventListener("close", () => dialog.remove());
  // A click beside the dialog lands on the dialog itself.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function head(title, close) {
  return h("header", {}, h("h2", { id: "dialog-title" }, title), iconButton("close", t("close"), { testid: "dialog-close", on: { click: close } }));
}

export function viewImage(src, alt) {
  const dialog = show(
    { class: "viewer", "aria-label": alt, testid: "viewer" },
    h("div", { class: "viewer-bar" },
      h("span", { dir: "auto" }, alt),
      h("a", { class: "icon-button", href: src, download: alt, "aria-label": t("download"), title: t("download") }),
      iconButton("close", t("close"), { testid: "dialog-close", autofocus: true, on: { click: () => dialog.close() } })),
    h("img", { src, alt }),
  );
  dialog.querySelector("a").append(iconButton("download", "").firstChild);
  dialog.querySelector("img").addEventListener("click", () => dialog.close());
}

// Asks for one line of text; `act` may fail, then the dialog stays with what was typed and says why.
export function ask({ title, label, value = "", placeholder = "", confirm, act, testid, confirmId, max = 60 }) {
  const field = h("input", { type: "text", id: "dialog-field", value, placeholder, maxlength: String(max), autocomplete: "off", dir: "auto", testid, required: true });
  const trouble = h("p", { class: "trouble-line", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary", testid: confirmId }, confirm);
  const dialog = show(
    { class: "panel", "aria-labelledby": "dialog-title" },
    head(title, () => dialog.close()),
    h(
      "form",
      {
        on: {
          submit: async (event) => {
            event.preventDefault();
            if (!field.value.trim() || submit.disabled) return;
            submit.disabled = true;
            try {
              await act(field.value.trim());
              dialog.close();
            } catch (error) {
              trouble.textContent = [error.message || t("no-connection"), error.fix].filter(Boolean).join(" ");
            } finally {
              submit.disabled = false;
            }
          },
        },
      },
      h("label", { for: "dialog-field" }, label),
      field,
      trouble,
      h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "secondary", on: { click: () => dialog.close() } }, t("cancel")), submit),
    ),
  );
  field.focus();
  field.select();
}

export function question({ title, text, confirm, act, confirmId }) {
  const dialog = show(
    { class: "panel", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
    head(title, () => dialog.close()),
    h("p", { id: "dialog-text" }, text),
    h(
      "div",
      { class: "dialog-actions" },
      h("button", { type: "button", class: "secondary", on: { click: () => dialog.close() } }, t("cancel")),
      h("button", { type: "button", class: "primary", autofocus: true, testid: confirmId, on: { click: () => { dialog.close(); act(); } } }, confirm),
    ),
  );
}

export function members(conversation, me) {
  const dialog = show(
    { class: "panel", "aria-labelledby": "dialog-title", testid: "members-dialog" },
    head(t("members-of", { name: conversation.title }), () => dialog.close()),
    h(
      "ul",
      { class: "people" },
      ...conversation.members.map((one) =>
        h(
          "li",
          { testid: "member", data: { member: one.id } },
          avatar(one),
          h("span", { class: "person-name", dir: "auto" }, one.name),
          one.bot && h("span", { class: "tag" }, t("bot")),
          one.id === me && h("span", { class: "tag" }, t("you")),
        ),
      ),
    ),
  );
}
