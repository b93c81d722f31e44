// A bot that names its puppet in its code: `wechaty-puppet-wechat4u` is the puppet service here, by the alias in
// package.json. node alias.mjs WORLD: a ding-dong, as its users would have written it, and what came of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finish, is, ok, part, until } from "./check.mjs";
import { load, message } from "./world.mjs";

const world = load(process.argv[2]);
process.env.HOME = mkdtempSync(join(tmpdir(), "wechaty-peer-"));
process.on("exit", () => rmSync(process.env.HOME, { recursive: true, force: true }));
const { WechatyBuilder } = await import("wechaty");

const bot = WechatyBuilder.build({ name: join(process.env.HOME, "ding-dong"), puppet: "wechaty-puppet-wechat4u" });
const answers = [];
const told = { login: [], message: [] };
bot.on("login", (user) => { told.login.push(user.id); });
bot.on("message", async (one) => {
  if (one.self()) return;
  told.message.push(one.id);
  answers.push(await one.say(`dong: ${one.id}`));
});
bot.on("error", () => {});

await part("alias", async () => {
  await bot.start();
  const from = world.timeline.filter(({ event }) => event === "message").map(({ payload }) => message(world, payload.messageId)).filter((one) => one.talkerId !== world.self);
  ok("each is answered", await until(() => answers.length >= from.length, 120), `${answers.length} of ${from.length}`);
  is("what is behind the name", bot.puppet.name(), "wechaty-puppet-service");
  is("login", told.login, [world.self]);
  is("messages", [...told.message].sort(), from.map((one) => one.id).sort());
  is("answers", answers.map((one) => one.text()).sort(), from.map((one) => `dong: ${one.id}`).sort());
  is("where to", answers.map((one) => one.room()?.id ?? one.listener()?.id).sort(), from.map((one) => one.roomId ?? one.talkerId).sort());
  await bot.stop();
});

finish();
