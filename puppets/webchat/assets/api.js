// The calls of the page to the server, and who this tab is.

import { lang, tag } from "./i18n.js";

// What a page can do something about; `wechaty explain` tells of all codes.
export const NEEDS_TOKEN = "W420";
export const UNKNOWN_VISITOR = "W421";
const BAD_NAME = "W426";
export const NEEDS_HELP = [NEEDS_TOKEN, BAD_NAME];

export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body?.error?.message ?? "");
    this.status = status; // 0: no answer came, so the call may have been taken.
    this.code = body?.error?.code ?? null;
    this.fix = body?.error?.fix ?? null;
    this.retryAfter = retryAfter;
  }
}

const memory = new Map();

// Session storage is one tab's; where it is forbidden, the tab forgets on reload.
export const keep = {
  get(key) {
    try {
      return JSON.parse(sessionStorage.getItem(`wechaty-${key}`)) ?? memory.get(key) ?? null;
    } catch {
      return memory.get(key) ?? null;
    }
  },
  set(key, value) {
    memory.set(key, value);
    try {
      if (value === null) sessionStorage.removeItem(`wechaty-${key}`);
      else sessionStorage.setItem(`wechaty-${key}`, JSON.stringify(value));
    } catch {
      // Full or forbidden; memory has it.
    }
  },
};

export const session = {
  get me() {
    return keep.get("visitor");
  },
  set me(value) {
    keep.set("visitor", value);
  },
  get token() {
    return keep.get("token");
  },
  set token(value) {
    keep.set("token", value);
  },
};

// The token leaves the address at once, so that it is not in a bookmark or a screenshot.
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  session.token = token;
  history.replaceState(history.state, "", location.pathname + location.search);
}

export function headers() {
  const all = { "Accept-Language": lang };
  if (session.me?.secret) all["X-Visitor"] = session.me.secret;
  if (session.token) all.Authorization = `Bearer ${session.token}`;
  return all;
}

function failure(status, text, retryAfter) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy may answer with something else.
  }
  return new ApiError(status, body, Number(retryAfter) || 0);
}

export async function open(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/chat/api/${path}`, { ...options, cache: "no-store", headers: { ...headers(), ...options.headers } });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new ApiError(0, null, 0);
  }
  if (!answer.ok) throw failure(answer.status, await answer.text().catch(() => ""), answer.headers.get("Retry-After"));
  return answer;
}

async function json(path, options) {
  const answer = await open(path, { signal: AbortSignal.timeout?.(20_000), ...options }).catch((error) => {
    throw error.name === "AbortError" || error.name === "TimeoutError" ? new ApiError(0, null, 0) : error;
  });
  return answer.json().catch(() => {
    throw new ApiError(0, null, 0);
  });
}

export const get = (path, query = {}) => {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined)).toString();
  return json(text ? `${path}?${text}` : path, {});
};

export const post = (path, body) =>
  json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// XMLHttpRequest, because fetch does not tell how much of a body has gone.
export function upload(file, query, progress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", `/chat/api/file?${new URLSearchParams(query)}`);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 400) return reject(failure(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(new ApiError(0, null, 0));
      }
    };
    request.onerror = () => reject(new ApiError(0, null, 0));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}

// `before`: the secret by which an earlier process of the server knew this tab. One that is new gets its ticket first. It is
// kept before it is used: whoever hears no answer, or reloads meanwhile, comes as the same.
export async function join(name, before = null) {
  const secret = before ?? (await post("ticket", {})).secret;
  session.me = { name, before: secret };
  const answer = await post("join", { name: name || null, lang: tag(), before: secret });
  session.me = { id: answer.visitor.id, name: answer.visitor.name, secret: answer.secret };
  return answer;
}
