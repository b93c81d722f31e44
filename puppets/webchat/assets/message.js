// Draws one message: bubble, quote, reactions and the buttons beside it. Knows nothing of the list around it.

import { avatar, h, icon, iconButton } from "./dom.js";
import { full, time } from "./format.js";
import { t } from "./i18n.js";
import { plain } from "./markdown.js";
import { content } from "./parts.js";
import { reactionPicker } from "./reactions.js";

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier}|\u200D\p{Extended_Pictographic})*\s*){1,3}$/u;

export const snippet = (message) => {
  if (message.text) return message.text.replace(/\s+/g, " ").slice(0, 160);
  const name = message.file?.name ?? message.card?.title ?? message.menu?.title ?? message.url?.title ?? message.location?.name ?? message.contact?.name;
  return name ? `${t(`kind-${message.kind}`)} · ${name}` : t(`kind-${message.kind}`);
};

export const preview = (message) => {
  if (message.recalled) return message.own ? t("recalled-own") : t("recalled-other", { name: message.from.name });
  return snippet(message);
};

const sender = (message) => (message.own ? t("you") : message.from.name);

function quoted(quote, actions) {
  return h(
    "button",
    { type: "button", class: "quoted", tabindex: "-1", testid: "quoted", title: t("quote-jump"), on: { click: () => actions.jump(quote.id) } },
    h("strong", { dir: "auto" }, quote.name),
    quote.recalled ? h("em", {}, t("quote-recalled")) : h("span", { dir: "auto" }, quote.text),
  );
}

function meta(message, delivery) {
  const parts = [];
  if (message.edited && !message.recalled) parts.push(h("span", { class: "edited" }, t("edited")));
  parts.push(h("time", { datetime: new Date(message.time).toISOString(), title: full(message.time) }, time(message.time)));
  if (delivery) {
    const name = { sending: "clock", sent: "check", failed: "alert" }[delivery];
    parts.push(h("span", { class: "delivery", role: "img", "aria-label": t(`delivery-${delivery}`), title: t(`delivery-${delivery}`), testid: "delivery", data: { state: delivery } }, icon(name)));
  }
  return h("span", { class: "meta" }, ...parts);
}

// Of many only the first are told by name.
function people({ names, count }) {
  const more = count - names.length;
  return more > 0 ? t("names-more", { names: names.join(", "), count: more }) : names.join(", ");
}

function reactions(message, actions) {
  if (!message.reactions?.length || message.recalled) return null;
  return h(
    "div",
    { class: "reactions", role: "group", "aria-label": t("reactions") },
    ...message.reactions.map((one) =>
      h(
        "button",
        {
          type: "button", class: "chip", tabindex: "-1", testid: "reaction", "aria-pressed": String(one.mine), title: people(one),
          "aria-label": t("reaction-of", { reaction: one.reaction, names: people(one) }),
          on: { click: () => actions.react(message, one.reaction, !one.mine) },
        },
        h("span", {}, one.reaction),
        h("span", { class: "count" }, String(one.count)),
      ),
    ),
  );
}

function tools(message, actions) {
  const button = (name, act) => iconButton(name, t(`act-${name}`), { testid: `act-${name}`, tabindex: "-1", on: { click: (event) => act(event.currentTarget) } });
  const all = [
    button("react", (anchor) => reactionPicker(anchor, (reaction) => {
      const had = message.reactions?.some((one) => one.reaction === reaction && one.mine);
      actions.react(message, reaction, !had);
    })),
    button("quote", () => actions.quote(message)),
  ];
  if (message.own && ["text", "markdown"].includes(message.kind)) all.push(button("edit", () => actions.edit(message)));
  if (message.own) all.push(button("recall", () => actions.recall(message)));
  return h("div", { class: "tools", role: "toolbar", "aria-label": t("message-actions") }, ...all);
}

// A line of the system, or what is left of a recalled message.
export function note(message, text) {
  return h("article", { class: "note", tabindex: "-1", testid: "message", data: { messageId: message.id, kind: message.kind, recalled: message.recalled ? "true" : "false" } }, h("span", { dir: "auto" }, text));
}

export function messageView(message, { first, last, room, actions }) {
  if (message.recalled) return note(message, preview(message));
  if (message.kind === "note") return note(message, message.text ?? "");
  const jumbo = message.kind === "text" && !message.quote && EMOJI_ONLY.test(message.text ?? "");
  const text = message.kind === "text" ? h("div", { class: "text", dir: "auto" }, ...plain(message.text ?? "", message.mentions)) : content(message, actions);
  return frame(message, { first, last, room, wide: message.kind !== "text", jumbo, delivery: message.own ? "sent" : null }, [
    message.quote && quoted(message.quote, actions),
    text,
  ], reactions(message, actions), tools(message, actions));
}

function frame(message, { first, last, room, wide, jumbo, delivery, failed }, inside, ...after) {
  const classes = ["message", message.own ? "own" : "other", first && "first", last && "last", wide && "wide", jumbo && "jumbo", failed && "failed"].filter(Boolean).join(" ");
  return h(
    "article",
    {
      class: classes, tabindex: "-1", testid: "message", "aria-label": t("message-by", { name: sender(message), time: time(message.time) }),
      // What we said ourselves needs no announcement.
      "aria-live": message.own ? "off" : null,
      data: { messageId: message.id, kind: message.kind, own: String(message.own) },
    },
    message.own ? null : h("div", { class: "side" }, last && avatar(message.from)),
    h(
      "div",
      { class: "body" },
      room && first && !message.own && h("div", { class: "who", dir: "auto" }, message.from.name),
      h("div", { class: "line" }, h("div", { class: `bubble kind-${message.kind}` }, ...inside, meta(message, delivery)), after[1]),
      after[0],
      after[2],
    ),
  );
}

// A message that the server has not confirmed.
export function pendingView(entry, { first, last, actions }) {
  const failed = entry.state === "failed";
  const message = { id: `pending-${entry.nonce}`, kind: entry.kind, own: true, time: entry.time, from: { name: "" } };
  const body = entry.file
    ? h(
        "div",
        { class: "upload" },
        entry.preview ? h("img", { src: entry.preview, alt: entry.file.name, class: "photo" }) : h("span", { class: "file-name" }, icon("file"), entry.file.name),
        !failed && h("progress", { max: "1", value: String(entry.progress), "aria-label": t("upload-progress", { name: entry.file.name }), testid: "progress" }),
        !failed && h("button", { type: "button", class: "text-button", on: { click: () => actions.discard(entry) } }, t("cancel")),
      )
    : h("div", { class: "text", dir: "auto" }, ...plain(entry.text));
  const trouble = failed
    ? h(
        "div",
        { class: "trouble" },
        h("span", {}, [entry.error?.message || t("send-failed"), entry.error?.fix].filter(Boolean).join(" ")),
        h("button", { type: "button", class: "text-button", testid: "retry", on: { click: () => actions.retry(entry) } }, t("retry")),
        h("button", { type: "button", class: "text-button", testid: "discard", on: { click: () => actions.discard(entry) } }, t("discard")),
      )
    : null;
  return frame(message, { first, last, room: false, wide: Boolean(entry.file), jumbo: false, delivery: entry.state, failed }, [entry.quote && quoted(entry.quote, actions), body], null, null, trouble);
}
