// A safe part of CommonMark as DOM nodes; whatever it does not know stays text.

import { h } from "./dom.js";

const MAX_DEPTH = 8;

// Only these schemes become links; everything else stays text.
export function safeUrl(text, { mail = true } = {}) {
  try {
    const url = new URL(text);
    const allowed = mail ? ["http:", "https:", "mailto:"] : ["http:", "https:"];
    return allowed.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(href, ...children) {
  return h("a", { href, rel: "noopener noreferrer", target: "_blank" }, ...children);
}

const URLS = /\b(?:https?:\/\/|mailto:)[^\s<>"'`\u3000-\u303f\uff00-\uffef]+/gi;

// Plain text with its addresses as links and the given names ("@Bob") marked.
export function plain(text, mentions = []) {
  const out = [];
  let at = 0;
  for (const match of text.matchAll(URLS)) {
    let found = match[0].replace(/[.,;:!?*_~]+$/, "");
    // A closing bracket belongs to the sentence unless the address opened it.
    while (found.endsWith(")") && found.split(")").length > found.split("(").length) found = found.slice(0, -1);
    const href = safeUrl(found);
    if (!href) continue;
    out.push(...marked(text.slice(at, match.index), mentions), link(href, found));
    at = match.index + found.length;
  }
  out.push(...marked(text.slice(at), mentions));
  return out;
}

function marked(text, mentions) {
  const names = mentions.map((one) => `@${one.name}`).sort((a, b) => b.length - a.length);
  const out = [];
  let from = 0;
  for (let at = text.indexOf("@"); at >= 0 && names.length; at = text.indexOf("@", at + 1)) {
    const name = names.find((one) => text.startsWith(one, at));
    if (!name) continue;
    out.push(text.slice(from, at), h("span", { class: "mention" }, name));
    from = at + name.length;
    at = from - 1;
  }
  out.push(text.slice(from));
  return out.filter((part) => part !== "");
}

// Each rule: where it may start, and what it becomes. The first that matches earliest wins.
const INLINE = [
  [/\\([!-/:-@[-`{-~])/, (m) => [m[1]]],
  [/(`+)(?!`)([\s\S]*?[^`])\1(?!`)/, (m) => [h("code", {}, m[2].replace(/\n/g, " ").replace(/^ (.*\S.*) $/, "$1"))]],
  [/!?\[([^\]\n]{0,500})\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"\n]*")?\s*\)/, (m) => {
    const href = safeUrl(m[2]);
    return href ? [link(href, m[1] || href)] : [m[0]];
  }],
  [/<((?:https?:\/\/|mailto:)[^\s<>]+)>/i, (m) => (safeUrl(m[1]) ? [link(safeUrl(m[1]), m[1])] : [m[0]])],
  [/(?<!\*)\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)|(?<![\w_])__(?=\S)([\s\S]*?\S)__(?![\w_])/, (m, depth) => [h("strong", {}, ...inline(m[1] ?? m[2], depth))]],
  [/(?<![*\\])\*(?=[^\s*])([^*]*?[^\s*])\*(?!\*)|(?<![\w_])_(?=[^\s_])([^_]*?[^\s_])_(?![\w_])/, (m, depth) => [h("em", {}, ...inline(m[1] ?? m[2], depth))]],
  [/~~(?=\S)([\s\S]*?\S)~~/, (m, depth) => [h("del", {}, ...inline(m[1], depth))]],
  [/(?: {2,}|\\)\n/, () => [h("br")]],
];

function inline(text, depth = 0) {
  const out = [];
  let rest = text;
  if (depth > MAX_DEPTH) return [text];
  const dead = new Set();
  while (rest) {
    let best = null;
    for (const [at, [pattern, make]] of INLINE.entries()) {
      if (dead.has(at)) continue;
      const match = pattern.exec(rest);
      if (!match) dead.add(at);
      else if (!best || match.index < best.match.index) best = { match, make };
    }
    if (!best) break;
    const { match, make } = best;
    if (match.index) out.push(...plain(rest.slice(0, match.index)));
    out.push(...make(match, depth + 1));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) out.push(...plain(rest));
  return out;
}

const BULLET = /^( {0,3})([-*+]|(\d{1,9})[.)])( {1,4}|$)/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?: +(.*?))?(?: +#+)? *$/;
const QUOTE = /^ {0,3}> ?/;

const opens = (line) => FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || RULE.test(line) || BULLET.test(line);

function list(lines, start, depth) {
  const first = BULLET.exec(lines[start]);
  const ordered = first[3] !== undefined;
  const node = h(ordered ? "ol" : "ul", ordered && first[3] !== "1" ? { start: Number(first[3]) } : {});
  let at = start;
  while (at < lines.length) {
    const head = BULLET.exec(lines[at]);
    if (!head || (head[3] !== undefined) !== ordered || RULE.test(lines[at])) break;
    const indent = head[0].length;
    const inner = [lines[at].slice(indent)];
    at += 1;
    while (at < lines.length) {
      const line = lines[at];
      const spaces = line.length - line.trimStart().length;
      if (line.trim() === "") {
        const next = lines[at + 1] ?? "";
        if (next.trim() === "" || (next.length - next.trimStart().length < 2 && !BULLET.test(next))) break;
        if (next.length - next.trimStart().length < 2) break;
      } else if (spaces < 2 && opens(line)) break;
      inner.push(line.slice(Math.min(spaces, indent)));
      at += 1;
    }
    const parts = blocks(inner, depth + 1);
    // A tight item holds its text itself, not a paragraph.
    node.append(h("li", {}, ...parts.flatMap((part) => (part.tagName === "P" ? [...part.childNodes] : [part]))));
    while (at < lines.length && lines[at].trim() === "" && BULLET.test(lines[at + 1] ?? "")) at += 1;
  }
  return [node, at];
}

function blocks(lines, depth = 0) {
  const out = [];
  let at = 0;
  if (depth > MAX_DEPTH) return [h("p", {}, lines.join("\n"))];
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (line.trim() === "") at += 1;
    else if (fence) {
      const body = [];
      at += 1;
      while (at < lines.length && !(lines[at].trim().startsWith(fence[1]) && /^[`~]+$/.test(lines[at].trim()))) body.push(lines[at++]);
      at += 1;
      // Focusable, because long lines scroll sideways.
      out.push(h("pre", { tabindex: "0" }, h("code", {}, body.join("\n"))));
    } else if (heading) {
      // The page has headings of its own; those of messages would only disturb its outline.
      out.push(h("p", { class: `md-h md-h${Math.min(heading[1].length, 4)}` }, ...inline(heading[2] ?? "")));
      at += 1;
    } else if (RULE.test(line)) {
      out.push(h("hr"));
      at += 1;
    } else if (QUOTE.test(line)) {
      const inner = [];
      while (at < lines.length && lines[at].trim() !== "" && (QUOTE.test(lines[at]) || !opens(lines[at]))) inner.push(lines[at++].replace(QUOTE, ""));
      out.push(h("blockquote", {}, ...blocks(inner, depth + 1)));
    } else if (BULLET.test(line)) {
      const [node, next] = list(lines, at, depth);
      out.push(node);
      at = next;
    } else {
      const inner = [line.trimStart()];
      at += 1;
      while (at < lines.length && lines[at].trim() !== "" && !opens(lines[at])) inner.push(lines[at++].trimStart());
      out.push(h("p", { dir: "auto" }, ...inline(inner.join("\n"))));
    }
  }
  return out;
}

export function markdown(text) {
  return h("div", { class: "markdown", dir: "auto" }, ...blocks(text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n")));
}
