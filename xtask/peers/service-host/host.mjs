// The published `PuppetServer` with a world in it.
// node host.mjs WORLD PORT TOKEN [--no-tls] [--no-errors]: prints `listening PORT` when it serves, and ends with its
// input. `--no-errors` leaves errors out of the timeline: as this server tells them, they end a bot in Python.
import { PuppetServer } from "wechaty-puppet-service";
import { WorldPuppet } from "./puppet.mjs";
import { load } from "./world.mjs";

const [file, port, token, ...flags] = process.argv.slice(2);
if (!token || flags.some((flag) => !["--no-tls", "--no-errors"].includes(flag))) {
  console.error("node host.mjs WORLD PORT TOKEN [--no-tls] [--no-errors]");
  process.exit(2);
}
const puppet = new WorldPuppet(world());
// Errors belong to the world; without somebody who listens they would end this.
puppet.on("error", () => {});
const server = new PuppetServer({ endpoint: `127.0.0.1:${port}`, puppet, token, tls: { disable: flags.includes("--no-tls") } });
await server.start();
console.log(`listening ${port}`);

function world() {
  const world = load(file);
  if (flags.includes("--no-errors")) world.timeline = world.timeline.filter(({ event }) => event !== "error");
  return world;
}

async function end() {
  await puppet.stop().catch(() => {});
  await server.stop().catch(() => {});
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, end);
process.stdin.on("end", end).resume();
