// The door: a name, if one likes, and the token where the server wants one.

import { get, join, NEEDS_TOKEN, session, UNKNOWN_VISITOR } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

// Who only lacked the token is who they were.
async function comeIn(name) {
  if (session.me?.secret && session.me.name === name) {
    try {
      await get("state");
      return;
    } catch (error) {
      if (error.code !== UNKNOWN_VISITOR) throw error;
    }
  }
  await join(name, session.me?.before);
}

export function joinView({ switches, joined, name = "", needsToken = false }) {
  const field = h("input", { type: "text", id: "join-name", testid: "join-name", value: name, maxlength: "40", autocomplete: "nickname", placeholder: t("join-placeholder"), dir: "auto", "aria-describedby": "join-hint" });
  const token = h("input", { type: "password", id: "join-token", testid: "join-token", autocomplete: "off", spellcheck: "false" });
  const tokenRow = h("div", { class: "form-row", hidden: !needsToken }, h("label", { for: "join-token" }, t("join-token")), token, h("p", { class: "soft" }, t("join-token-hint")));
  const trouble = h("p", { class: "trouble-line", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary", testid: "join" }, t("join"));
  const form = h(
    "form",
    {
      class: "door",
      on: {
        submit: async (event) => {
          event.preventDefault();
          if (submit.disabled) return;
          submit.disabled = true;
          trouble.textContent = "";
          if (token.value.trim()) session.token = token.value.trim();
          try {
            await comeIn(field.value.trim());
            joined();
          } catch (error) {
            if (error.code === NEEDS_TOKEN) {
              tokenRow.hidden = false;
              token.focus();
            }
            trouble.textContent = [error.message || t("no-connection"), error.fix].filter(Boolean).join(" ");
          } finally {
            submit.disabled = false;
          }
        },
      },
    },
    h("img", { src: "/chat/icon.svg", alt: "", width: "72", height: "72" }),
    h("h1", {}, t("join-title")),
    h("p", { class: "soft" }, t("join-lead")),
    h("div", { class: "form-row" }, h("label", { for: "join-name" }, t("join-name")), field, h("p", { class: "soft", id: "join-hint" }, t("join-hint"))),
    tokenRow,
    trouble,
    submit,
  );
  const node = h("div", { class: "join" }, h("header", { class: "join-bar" }, ...switches), h("main", {}, form));
  queueMicrotask(() => field.focus());
  return node;
}
