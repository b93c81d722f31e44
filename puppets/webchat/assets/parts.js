// Draws what is inside a bubble: files, cards, menus, places, people.

import { arrows, avatar, h, icon } from "./dom.js";
import { size } from "./format.js";
import { t } from "./i18n.js";
import { link, markdown, plain, safeUrl } from "./markdown.js";

// Files come from this server only; the policy of the page forbids others anyway.
function ownUrl(text) {
  try {
    const url = new URL(text, location.origin);
    return url.origin === location.origin && /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const loose = (text) => h("div", { class: "text", dir: "auto" }, ...plain(text ?? ""));

function image(message, actions) {
  const src = ownUrl(message.file?.url);
  const alt = message.file?.name || t("kind-image");
  if (!src) return loose(alt);
  return h(
    "button",
    { type: "button", class: "photo-button", tabindex: "-1", testid: "image", "aria-label": t("image-open", { name: alt }), on: { click: () => actions.view(src, alt) } },
    h("img", { src, alt, class: "photo", decoding: "async" }),
  );
}

function file(message) {
  const { url, name, size: bytes } = message.file ?? {};
  const href = ownUrl(url);
  return h(
    "a",
    { class: "file", href, download: name ?? "", tabindex: "-1", testid: "file", title: t("download") },
    h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "file-text" }, h("strong", { dir: "auto" }, name ?? t("kind-file")), h("span", {}, size(bytes ?? 0))),
    h("span", { class: "sr" }, t("download")),
    icon("download"),
  );
}

function media(tag, message) {
  const src = ownUrl(message.file?.url);
  return h("div", { class: `media ${tag}` }, h(tag, { src, controls: true, preload: "metadata", "aria-label": message.file?.name ?? t(`kind-${tag}`) }), file(message));
}

function page(message) {
  const { url, title, description, image: picture } = message.url ?? {};
  const href = safeUrl(url, { mail: false });
  const src = picture && ownUrl(picture);
  const inside = [
    src && h("img", { src, alt: "", class: "cover" }),
    h("strong", { dir: "auto" }, title || url || ""),
    description && h("span", { class: "soft", dir: "auto" }, description),
    href && h("span", { class: "host" }, icon("link"), new URL(href).host),
  ];
  const node = href ? link(href, ...inside.filter(Boolean)) : h("div", {}, ...inside);
  node.classList.add("page-card");
  if (href) node.tabIndex = -1;
  return node;
}

function place(message) {
  const { name, address, latitude, longitude } = message.location ?? {};
  const known = Number.isFinite(latitude) && Number.isFinite(longitude);
  const node = known ? link(`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`) : h("div");
  node.classList.add("place");
  node.tabIndex = -1;
  node.append(h("span", { class: "file-icon" }, icon("pin")), h("span", { class: "file-text" }, h("strong", { dir: "auto" }, name || t("kind-location")), h("span", { dir: "auto" }, address || (known ? `${latitude.toFixed(4)}, ${longitude.toFixed(4)}` : ""))));
  return node;
}

function person(message) {
  const { id, name } = message.contact ?? {};
  return h("div", { class: "place" }, avatar({ id, name }), h("span", { class: "file-text" }, h("strong", { dir: "auto" }, name ?? ""), h("span", {}, t("kind-contact"))));
}

function choices(message, buttons, actions, name) {
  const group = h("div", { class: `choices ${name}`, role: "group", "aria-label": t("choices") });
  for (const button of buttons ?? []) {
    const href = button.url && safeUrl(button.url);
    if (button.url && !href) continue;
    if (href) {
      const node = link(href, button.label, icon("link"));
      node.className = "choice";
      node.dataset.testid = "choice";
      node.tabIndex = -1;
      group.append(node);
      continue;
    }
    const over = message.chosen !== undefined && message.chosen !== null;
    const chosen = over && message.chosen === button.value;
    const node = h(
      "button",
      { type: "button", class: "choice", tabindex: "-1", testid: "choice", "aria-pressed": String(chosen), "aria-disabled": over ? "true" : null, data: { value: button.value ?? "" } },
      h("span", { dir: "auto" }, button.label),
      chosen && icon("check"),
    );
    node.addEventListener("click", async () => {
      if (node.getAttribute("aria-disabled") === "true") return;
      // Not `disabled`: that would throw the keyboard's focus away.
      for (const one of group.children) one.setAttribute("aria-disabled", "true");
      await actions.choose(message, button.value);
      // Where it was taken, the message is drawn anew; here it may be tried again.
      for (const one of group.children) one.removeAttribute("aria-disabled");
    });
    group.append(node);
  }
  arrows(group, ".choice");
  return group;
}

function card(message, actions) {
  const { title, text, image: picture, fields, buttons } = message.card ?? {};
  const src = picture && ownUrl(picture);
  return h(
    "div",
    { class: "card" },
    src && h("img", { src, alt: "", class: "cover" }),
    title && h("strong", { class: "card-title", dir: "auto" }, title),
    text && loose(text),
    fields?.length ? h("dl", {}, ...fields.map((one) => h("div", {}, h("dt", { dir: "auto" }, one.name), h("dd", { dir: "auto" }, ...plain(String(one.value)))))) : null,
    buttons?.length ? choices(message, buttons, actions, "row") : null,
  );
}

function menu(message, actions) {
  const { title, items } = message.menu ?? {};
  return h("div", { class: "card" }, title && h("strong", { class: "card-title", dir: "auto" }, title), choices(message, items, actions, "column"));
}

export function content(message, actions) {
  switch (message.kind) {
    case "markdown":
      return markdown(message.text ?? "");
    case "image":
      return image(message, actions);
    case "audio":
    case "video":
      return media(message.kind, message);
    case "file":
      return file(message);
    case "url":
      return page(message);
    case "location":
      return place(message);
    case "contact":
      return person(message);
    case "card":
      return card(message, actions);
    case "menu":
      return menu(message, actions);
    default:
      return loose(message.text ?? t(`kind-${message.kind}`));
  }
}
