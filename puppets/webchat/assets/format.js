// Times, days and sizes in words of the page's language.

import { lang, t } from "./i18n.js";

const tag = () => (lang === "zh" ? "zh-CN" : undefined);
const cache = new Map();

function formatter(name, options) {
  const key = `${lang} ${name}`;
  if (!cache.has(key)) {
    // English readers keep the habits of their region; the region of another language would mix the two.
    const own = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
    cache.set(key, new Intl.DateTimeFormat(tag() ?? own, options));
  }
  return cache.get(key);
}

export const time = (ms) => formatter("time", { hour: "numeric", minute: "2-digit" }).format(ms);
export const full = (ms) => formatter("full", { dateStyle: "full", timeStyle: "short" }).format(ms);

export function dayKey(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function day(ms) {
  const key = dayKey(ms);
  if (key === dayKey(Date.now())) return t("day-today");
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  if (key === dayKey(yesterday)) return t("day-yesterday");
  return formatter("day", { weekday: "long", year: "numeric", month: "long", day: "numeric" }).format(ms);
}

// For the list: the time of today, else the date.
export function short(ms) {
  if (dayKey(ms) === dayKey(Date.now())) return time(ms);
  return formatter("short", { month: "short", day: "numeric" }).format(ms);
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${value >= 10 || at === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${units[at]}`;
}
