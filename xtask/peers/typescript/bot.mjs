// A bot of the published TypeScript SDK, as its users write them: it knows nothing of who serves it but the environment
// (WECHATY_PUPPET=wechaty-puppet-service, WECHATY_PUPPET_SERVICE_TOKEN, …_ENDPOINT, …_TLS_CA_CERT or
// …_NO_TLS_INSECURE_CLIENT=true). node bot.mjs WORLD: checks that everything it is told is as in the world file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { finish, is, ok, part, sorted, until, within } from "./check.mjs";
import { happenings, load } from "./world.mjs";
import * as people from "./people.mjs";
import * as received from "./received.mjs";
import * as rooms from "./rooms.mjs";
import * as sent from "./sent.mjs";

const world = load(process.argv[2]);
// The SDK keeps what it was told of contacts and rooms below the home folder, for ever.
process.env.HOME = mkdtempSync(join(tmpdir(), "wechaty-peer-"));
process.on("exit", () => rmSync(process.env.HOME, { recursive: true, force: true }));
const { WechatyBuilder } = await import("wechaty");

const bot = WechatyBuilder.build();
const seen = { start: [], stop: [], scan: [], login: [], logout: [], ready: [], message: [], friendship: [], "room-invite": [],
  "room-join": [], "room-leave": [], "room-topic": [], error: [], heartbeat: [], dong: [], dirty: [] };
for (const event of Object.keys(seen)) {
  if (event !== "dirty") bot.on(event, (...what) => { seen[event].push(what); });
}
const forget = () => Object.values(seen).forEach((list) => list.splice(0));
const peer = { bot, world, seen };

/** The timeline up to its last message has been played. */
const played = () => until(() =>
  seen.login.length > 0 && seen.ready.length > 0 && received.expected.every((event) => seen[event].length >= happenings(world, event).length), 120);

await part("start", async () => {
  await within(bot.start(), 60, "start does not end");
  // The puppet exists since it was started.
  bot.puppet.on("dirty", (what) => { seen.dirty.push(what); });
  ok("the timeline was played", await played(), `seen: ${JSON.stringify(Object.entries(seen).map(([event, list]) => [event, list.length]))}`);
  is("start is told once", seen.start.length, 1);
  is("scans", seen.scan.map(([qrcode, status]) => ({ qrcode, status })), happenings(world, "scan").map(({ qrcode, status }) => ({ qrcode, status })));
  is("login", seen.login.map(([user]) => user.id), [world.self]);
  is("the user's name", seen.login[0]?.[0].name(), world.contacts.find((one) => one.id === world.self).name);
  is("logged in", bot.isLoggedIn, true);
  is("current user", bot.currentUser.id, world.self);
  is("the user is self", bot.currentUser.self(), true);
  await within(bot.ready(), 60, "ready does not end");
  ok("ready", seen.ready.length >= 1);
  is("no puppet but the service", bot.puppet.name(), "wechaty-puppet-service");
});

await received.check(peer);
await people.check(peer);
await rooms.read(peer);
await sent.check(peer);
await people.change(peer);
await rooms.change(peer);

await part("dong", async () => {
  for (const data of ["are you there? 在吗", ""]) {
    bot.ding(data);
    ok(`to ${JSON.stringify(data)}`, await until(() => seen.dong.some(([told]) => (told ?? "") === data)), JSON.stringify(seen.dong));
  }
});

await part("logout", async () => {
  await within(bot.logout(), 60, "logout does not end");
  ok("is told", await until(() => seen.logout.length > 0));
  is("of the user", seen.logout.map(([user]) => user.id), [world.self]);
  ok("nobody is logged in", await until(() => !bot.isLoggedIn));
});

await part("stop", async () => {
  await within(bot.stop(), 60, "stop does not end");
  is("is told", seen.stop.length, 1);
});

await part("start again", async () => {
  forget();
  await within(bot.start(), 60, "start does not end");
  ok("the timeline is played again", await played(), JSON.stringify(Object.entries(seen).map(([event, list]) => [event, list.length])));
  is("login", seen.login.map(([user]) => user.id), [world.self]);
  is("scans", seen.scan.map(([, status]) => status), happenings(world, "scan").map(({ status }) => status));
  is("messages", sorted(seen.message.map(([message]) => message.id)), sorted(happenings(world, "message").map(({ messageId }) => messageId)));
  const friend = world.contacts.find((one) => one.friend);
  const again = await bot.Contact.find({ id: friend.id });
  is("a contact", again?.name(), friend.name);
  is("something is said", (await again.say("back again"))?.text(), "back again");
});

await part("stop again", async () => {
  await within(bot.stop(), 60, "stop does not end");
  is("is told", seen.stop.length, 1);
  is("nobody is logged in", bot.isLoggedIn, false);
});

finish();
