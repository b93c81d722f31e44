// The small menu of reactions that opens at a message.

import { arrows, h } from "./dom.js";
import { t } from "./i18n.js";

const REACTIONS = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];
let open = null;

export function closePicker() {
  open?.();
}

export function reactionPicker(anchor, choose) {
  closePicker();
  const menu = h(
    "div",
    { class: "picker", role: "menu", "aria-label": t("act-react") },
    ...REACTIONS.map((reaction) =>
      h("button", { type: "button", role: "menuitem", testid: "reaction-choice", "aria-label": reaction, on: { click: () => finish(() => choose(reaction)) } }, reaction),
    ),
  );
  const outside = (event) => {
    if (!menu.contains(event.target)) finish();
  };
  function finish(act) {
    document.removeEventListener("pointerdown", outside, true);
    const had = menu.contains(document.activeElement);
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    open = null;
    if (had) anchor.focus({ preventScroll: true });
    act?.();
  }
  open = finish;
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      finish();
    }
  });
  arrows(menu, "button", { horizontal: true });
  anchor.setAttribute("aria-haspopup", "menu");
  anchor.setAttribute("aria-expanded", "true");
  // On the page's top level, so that the scrolling list does not cut it off.
  (document.querySelector("main") ?? document.body).append(menu);
  const at = anchor.getBoundingClientRect();
  const wide = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left + at.width / 2 - wide.width / 2, innerWidth - wide.width - 8));
  const top = at.top - wide.height - 6 > 8 ? at.top - wide.height - 6 : at.bottom + 6;
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("top", `${top}px`);
  document.addEventListener("pointerdown", outside, true);
  menu.querySelector("button").focus({ preventScroll: true });
}
