// A ding-dong bot of the published TypeScript SDK. Who serves it, it reads from the environment.
import { WechatyBuilder } from "wechaty";

const bot = WechatyBuilder.build({ name: "ding-dong", puppet: "wechaty-puppet-service" });

bot.on("scan", (qrcode, status) => console.log(`scan to log in (${status}): ${qrcode}`));
bot.on("login", (user) => console.log(`${user.name()} logged in`));
bot.on("error", (error) => console.error(error.message));
bot.on("message", async (message) => {
  console.log(`${message.talker().name()}: ${message.text()}`);
  if (!message.self() && message.text() === "ding") await message.say("dong");
});

await bot.start();
