// Light and dark: set before the first paint, so that a chosen theme does not flash the other one.

const KEY = "wechaty-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null;
  }
}

export function current() {
  return document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
}

function paint() {
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", current() === "dark" ? "#1b1816" : "#f6f3ef");
}

export function toggle() {
  const next = current() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  paint();
  return next;
}

const chosen = stored();
if (chosen) document.documentElement.dataset.theme = chosen;
dark.addEventListener("change", paint);
paint();
