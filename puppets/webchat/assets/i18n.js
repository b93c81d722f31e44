// Texts of the page in the visitor's language; the server makes the JSON from the Fluent files.

const KEY = "wechaty-lang";
const KNOWN = ["en", "zh"];
let strings = {};

export let lang = "en";

export function preferred() {
  try {
    const stored = localStorage.getItem(KEY);
    if (KNOWN.includes(stored)) return stored;
  } catch {
    // Storage may be forbidden; the browser's language decides.
  }
  for (const tag of navigator.languages ?? [navigator.language]) {
    const base = String(tag).toLowerCase().split("-")[0];
    if (KNOWN.includes(base)) return base;
  }
  return "en";
}

export async function load(wanted) {
  const answer = await fetch(`/chat/strings/${wanted}.json`, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`strings: ${answer.status}`);
  strings = await answer.json();
  lang = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-Hans" : "en";
}

export async function choose(wanted) {
  await load(wanted);
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // See above.
  }
}

// The language as the browser names it, region included, while it is the one that is shown.
export function tag() {
  const shown = (one) => String(one).toLowerCase().split("-")[0] === lang;
  return (navigator.languages ?? [navigator.language]).find(shown) ?? lang;
}

export function t(key, values = {}) {
  const text = strings[key] ?? key;
  return text.replace(/\{\s*\$([\w-]+)\s*\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
