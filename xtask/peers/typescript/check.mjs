// Assertions of the peers: each is one line of JSON on standard output, the last line counts them.
// {"assert": "contacts: name of pilot", "ok": true}   `better`: the published server is known to fail here, ours must not.
import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import grpc from "@grpc/grpc-js";

/** The published server answers: what is known to be wrong with it is told, and does not fail. */
export const reference = process.env.PEER_REFERENCE === "1";

const counts = { passed: 0, failed: 0, reported: 0, requests: 0 };
// Every call of every client goes through here.
const { createCall } = grpc.Channel.prototype;
grpc.Channel.prototype.createCall = function counted(...what) {
  counts.requests++;
  return createCall.apply(this, what);
};
let section = "";

function tell(name, ok, better, why) {
  const line = { assert: `${section}: ${name}`, ok };
  if (better) line.better = true;
  if (!ok) line.why = why.length > 600 ? `${why.slice(0, 600)}…` : why;
  if (ok) counts.passed++;
  else if (better && reference) counts.reported++;
  else counts.failed++;
  console.log(JSON.stringify(line));
}

const shown = (value) => value instanceof Error ? String(value) : JSON.stringify(value) ?? String(value);

/** They are equal. */
export function is(name, found, expected) {
  tell(name, isDeepStrictEqual(found, expected), false, `found ${shown(found)}, expected ${shown(expected)}`);
}

/** It is true. */
export function ok(name, found, why = "it is not") { tell(name, found === true, false, why); }

/** They are equal, but not on the published server. */
export function better(name, found, expected) {
  tell(name, isDeepStrictEqual(found, expected), true, `found ${shown(found)}, expected ${shown(expected)}`);
}

/** Assertions that are not tried on the published server, for its process ends of them. */
export async function kills(name, body) {
  if (reference) tell(`${name} and what follows of it`, false, true, "not tried: the published server ends of it");
  else await body();
}

/** What a promise gives, or its error: for calls that may fail. */
export const outcome = (promise) => Promise.resolve(promise).catch((error) => error instanceof Error ? error : new Error(String(error)));

/** The promise fails. */
export async function fails(name, promise) {
  const found = await outcome(promise);
  tell(name, found instanceof Error, false, `it gave ${shown(found)}`);
  return found;
}

/** One part of the checks; whatever is thrown in it is a failure of it, and the next part goes on. */
export async function part(name, body, seconds = 300) {
  section = name;
  const began = Date.now();
  try {
    await within(body(), seconds, "it does not end");
  } catch (error) {
    tell("it comes to its end", false, false, error?.stack ?? String(error));
  }
  console.error(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** The promise, or an error when it takes too long. */
export async function within(promise, seconds, why) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`${why} (${seconds} s)`)), seconds * 1000); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Waits until the condition holds; false when it takes longer than on any machine that is busy. */
export async function until(condition, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((go) => setTimeout(go, 20))) {
    if (await condition()) return true;
  }
  return false;
}

/**
 * What is read becomes what is expected. The SDK forgets what it has on disk while it reads it again, so a change may be
 * seen a little later: `sync` asks once more.
 */
export async function becomes(name, read, expected, sync) {
  let found;
  await until(async () => {
    found = await read();
    if (isDeepStrictEqual(found, expected)) return true;
    await sync();
    return false;
  });
  is(name, found, expected);
}

/** Prints the counts and ends the process. */
export function finish() {
  console.log(JSON.stringify(counts));
  // Output into a pipe is not written at once.
  process.stdout.write("", () => process.exit(counts.failed > 0 ? 1 : 0));
}

/** A port of loopback that stays free while nobody serves there: the system gives none of these to who connects. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = await new Promise((told) => probe.on("error", () => told(false)).listen(port, "127.0.0.1", () => told(true)));
    if (!free) continue;
    await new Promise((closed) => probe.close(closed));
    return port;
  }
}

export const sorted = (list) => [...list].sort();
