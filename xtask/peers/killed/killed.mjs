// A gateway that is killed (SIGKILL) twice in the middle of everything and started again, with two clients that stay:
// a bot of the published TypeScript SDK, and a bot of ours. node killed.mjs WECHATY, in a folder of its own.
// A bot of ours is told every message once. One of the published SDK is told every message, again only while it has not
// read it, and then with a mark. Neither says anything twice.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { finish, freePort, is, ok, part, until } from "./check.mjs";

const wechaty = process.argv[2];
const PEOPLE = 6;
const EACH = 50;
const LIVES = 3;
// Of both, the server name is what the SDK demands.
const TOKENS = { ours: "insecure_5b1f3c0e-7d2a-4a56-9b0f-000000000001", theirs: "insecure_5b1f3c0e-7d2a-4a56-9b0f-000000000002" };
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
const times = (list, what) => list.filter((one) => one === what).length;
const numbers = [...Array(PEOPLE * EACH).keys()];

/** People who talk all at once, and a room whose topic changes. */
function world(text) {
  const contacts = [...Array(PEOPLE).keys()].map((n) => ({ id: `p${n}`, name: `P${n}`, type: 1, friend: true }));
  contacts.push({ id: "bot", name: "Bot", type: 1 });
  const timeline = [{ at: 50, event: "login", payload: { contactId: "bot" } }, { at: 60, event: "ready", payload: { data: "ready" } }];
  const messages = numbers.map((n) => {
    timeline.push({ at: 100 + n * 20, event: "message", payload: { messageId: `m${n}` } });
    return { id: `m${n}`, type: "Text", talkerId: `p${n % PEOPLE}`, listenerId: "bot", timestamp: 1700000000000 + n * 1000, text: text(n) };
  });
  return { version: 1, name: "killed", self: "bot", contacts, rooms: [], tags: {}, friendships: [], roomInvitations: [],
    search: { phone: {}, handle: {} }, messages, timeline, features: { sendReturnsId: true } };
}

const token = (account) => `[[doors.gateway.token]]\naccount = "${account}"\ntoken = "${TOKENS[account]}"\n`;
const account = (id) => `[[account]]\nid = "${id}"\npuppet = "mock"\nworld = "${id}.json"\n`;
writeFileSync("ours.json", JSON.stringify(world(() => "ding")));
writeFileSync("theirs.json", JSON.stringify(world((n) => `words ${n}`)));
writeFileSync("BOT.toml", `version = 1\nname = "gate"\n${["ours", "theirs"].map((id) => account(id) + token(id)).join("")}`);

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("WECHATY")));
const port = await freePort();
mkdirSync("client", { recursive: true });
writeFileSync("client/BOT.toml", `version = 1\nname = "client"\n[[account]]\nid = "far"\npuppet = "service"
token = "${TOKENS.ours}"\nendpoint = "127.0.0.1:${port}"\nno_tls_insecure_client = true\n[[plugin]]\nuse = "ding-dong"\n`);

/** A process of ours with its log; both end with this one. */
function start(name, cwd, args) {
  const log = openSync(`${name}.log`, "a");
  const child = spawn(wechaty, ["--lang", "en", "--log", "info", ...args], { cwd, env, stdio: ["ignore", log, log] });
  closeSync(log);
  process.on("exit", () => child.kill("SIGKILL"));
  child.over = new Promise((over) => child.on("exit", (code, signal) => over(signal ?? code)));
  return child;
}

let life = 0;
const gateway = () => start("gateway", ".", ["gateway", "BOT.toml", "--no-tls", "--port", String(port), "--record", `record${life++}.jsonl`]);

/** What a record says; its last line may be cut. */
const lines = (path) => !existsSync(path) ? [] : readFileSync(path, "utf8").split("\n").flatMap((line) => {
  try { return [JSON.parse(line)]; } catch { return []; }
});
/** What was said on the platform, in all lives. */
const said = (id) => [...Array(life).keys()].flatMap((n) => lines(`record${n}.jsonl`)).filter((send) => send.account === id);
const ledger = (cwd) => {
  const told = spawnSync(wechaty, ["--lang", "en", "ledger", "--json"], { cwd, env, encoding: "utf8" });
  try { return JSON.parse(told.stdout); } catch { return { why: told.stderr, in: {}, out: {} }; }
};

process.env.HOME = mkdtempSync(join(tmpdir(), "wechaty-peer-"));
process.on("exit", () => rmSync(process.env.HOME, { recursive: true, force: true }));
for (const name of Object.keys(process.env)) if (name.startsWith("WECHATY_")) delete process.env[name];
Object.assign(process.env, { WECHATY_LOG: "silent", WECHATY_PUPPET: "wechaty-puppet-service", WECHATY_PUPPET_SERVICE_TOKEN: TOKENS.theirs,
  WECHATY_PUPPET_SERVICE_ENDPOINT: `127.0.0.1:${port}`, WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT: "true" });
const { WechatyBuilder } = await import("wechaty");

let gate = gateway();
const seen = [];    // ids as the bot is told them
const marked = [];  // ids that came with a mark
const answered = [];
const asked = [];   // ids whose payload was asked for
const read = [];    // ids whose payload came
const lost = new Set(); // of those asked for when a gateway died, the ones that the bot had not been told
let client;
const bot = WechatyBuilder.build();
const errors = {};
const failed = (error, where) => {
  const told = `${where}: ${String(error?.message ?? error).slice(0, 200)}`;
  errors[told] = (errors[told] ?? 0) + 1;
};
// Before it starts: it is told messages while it does.
bot.on("puppet", (puppet) => {
  const { messageRawPayload } = puppet;
  puppet.messageRawPayload = async (id) => {
    asked.push(id);
    const payload = await messageRawPayload.call(puppet, id);
    read.push(id);
    return payload;
  };
  puppet.on("message", (event) => { if (event.redelivered) marked.push(event.messageId); });
});
bot.on("error", (error) => failed(error, "bot"));
bot.on("message", async (message) => {
  if (message.self()) return;
  seen.push(message.id);
  try {
    await message.say(`reply ${message.text().slice(6)}`);
    answered.push(message.text());
  } catch (error) {
    // The gateway has died: whether it was said, it knows.
    failed(error, "say");
  }
});

await part("killed", async () => {
  ok("a gateway listens", await until(() => existsSync("gateway.log") && readFileSync("gateway.log", "utf8").includes(`:${port}`)));
  await bot.start();
  client = start("client", "client", ["run", "--record", "record.jsonl"]);
  for (let n = 1; n < LIVES; n++) {
    const before = seen.length;
    ok(`life ${n} tells messages`, await until(() => seen.length >= before + 20, 120), `${seen.length} after ${before}`);
    gate.kill("SIGKILL");
    asked.filter((id) => !seen.includes(id)).forEach((id) => lost.add(id));
    is(`life ${n} is killed`, await gate.over, "SIGKILL");
    await sleep(300);
    gate = gateway();
  }
  const whole = () => numbers.every((n) => read.includes(`m${n}`)) && said("ours").length + 6 >= numbers.length;
  ok("all of it is told", await until(whole, 300));
  // Ours has heard all of it, and has answered.
  ok("ours has answered all of it", await until(async () => {
    await sleep(500);
    const { out } = ledger("client");
    return out.said === numbers.length && out.pending === 0;
  }, 300));
  // Whatever would come twice has time to.
  await sleep(3000);
}, 1000);

await part("the published client", async () => {
  is("reads every message", numbers.filter((n) => !read.includes(`m${n}`)), []);
  // The SDK drops a message whose people it cannot read any more: it has read the message by then.
  const dropped = numbers.filter((n) => !seen.includes(`m${n}`));
  is("drops none but what it was about to tell when the gateway died", dropped.filter((n) => !lost.has(`m${n}`)), []);
  const twice = numbers.filter((n) => times(seen, `m${n}`) > 1);
  is("what it is told again is marked", twice.filter((n) => !marked.includes(`m${n}`)), []);
  console.error(`told again: ${twice.length} of ${numbers.length}, marked: ${marked.length}`);
  const texts = said("theirs").map((send) => send.text);
  is("says nothing more often than it was told", numbers.filter((n) => times(texts, `reply ${n}`) > times(seen, `m${n}`)), []);
  is("what it knows to be said was said", answered.filter((text) => !texts.includes(`reply ${text.slice(6)}`)), []);
});

await part("our client", async () => {
  await bot.stop();
  client.kill("SIGTERM");
  is("it ends well", await client.over, 0);
  gate.kill("SIGTERM");
  is("the gateway ends well", await gate.over, 0);
  const own = ledger("client");
  is("its books balance", [own.in.residue, own.out.residue, own.in.pending, own.out.pending], [0, 0, 0, 0]);
  is("answers every message once", own.out.said, numbers.length);
  const sends = said("ours");
  const doubt = own.out.maybe_sent ?? 0;
  for (let p = 0; p < PEOPLE; p++) {
    const count = times(sends.map((send) => send.conversation), `p${p}`);
    ok(`p${p} is answered ${EACH} times, but for what is in doubt`, count <= EACH && count >= EACH - doubt, `${count} times, ${doubt} in doubt`);
  }
  const theirs = ledger(".");
  is("the gateway's books balance", [theirs.in.residue, theirs.out.residue, theirs.out.pending], [0, 0, 0]);
  console.error(`in doubt: ${doubt}; gateway: ${JSON.stringify(theirs.in)} ${JSON.stringify(theirs.out)}`);
});

if (Object.keys(errors).length > 0) console.error(errors);
finish();
