// The puppet service seen from the wire: what is promised to every SDK, old and new, and what becomes of bad input.
// node wire.mjs WORLD, with the environment of a bot and PEER_PROTOS, the folder of the protos.
import { createHash } from "node:crypto";
import { better, finish, is, ok, part, reference, until } from "./check.mjs";
import { EVENT, Events, connect, grpc, status, token } from "./client.mjs";
import { digest, load, messageType } from "./world.mjs";
import * as bad from "./bad.mjs";
import * as legacy from "./legacy.mjs";

const world = load(process.argv[2]);
const timeline = world.timeline;
const one = connect();
/** Keys that events of a kind may have besides those of the world. */
const KEYS = { scan: ["data"], heartbeat: ["timeout"] };
const isError = (found) => found instanceof Error;

await part("before the start", async () => {
  is("stop succeeds", await one.call("Stop"), {});
  is("logout succeeds", await one.call("Logout"), {});
  const { version } = await one.call("Version");
  ok("version", typeof version === "string" && version.length > 0, String(version));
});

await part("token", async () => {
  const refused = async (name, connection) => {
    const answers = [await connection.call("ContactList"), await connection.all("Event"), await connection.send("Upload", [{ chunk: Buffer.from("x") }])];
    is(`${name}: refused`, answers.map((error) => error.code), answers.map(() => status.UNAUTHENTICATED));
    // Neither what came nor what should have come is told.
    const told = answers.map((error) => `${error.details} ${JSON.stringify(error.metadata?.getMap())}`).join(" ");
    better(`${name}: not echoed`, ["wrong_", token].filter((text) => told.includes(text)), []);
    connection.close();
  };
  await refused("wrong", connect({ as: "wrong_0c3f9a4e" }));
  await refused("none", connect({ authority: false }));
  await refused("shorter", connect({ as: token.slice(0, -1) }));
  await refused("longer", connect({ as: `${token}0` }));
  await refused("wrong header", connect({ authority: false, metadata: { authorization: "Wechaty wrong_0c3f9a4e" } }));
  await refused("another scheme", connect({ authority: false, metadata: { authorization: `Bearer ${token}` } }));
  const header = connect({ authority: false, metadata: { authorization: `Wechaty ${token}` } });
  ok("by header", !isError(await header.call("Version")));
  header.close();
});

const events = new Events(one);

await part("events", async () => {
  ok("the first is a heartbeat, at once", await until(() => events.heard.length > 0));
  is("its type", events.heard[0]?.type, EVENT.heartbeat);
  is("its data", typeof events.heard[0]?.payload.data, "string");
  is("start", await one.call("Start"), {});
  is("start again", await one.call("Start"), {});
  const last = timeline.at(-1);
  ok("the timeline is played", await events.until(({ type, payload }) => type === EVENT[last.event] && (payload.data === last.payload.data || last.payload.data === undefined)));
  const compared = (type) => type !== EVENT.dirty && type !== EVENT.dong && type !== EVENT.heartbeat && type !== EVENT.error;
  const wanted = timeline.map(({ event, payload }) => ({ type: EVENT[event], payload })).filter(({ type }) => compared(type));
  const all = () => events.heard.filter(({ type }) => compared(type));
  ok("all of it is told", await until(() => all().length >= wanted.length));
  const told = all();
  // Conversations and the account have lanes of their own: between them there is no order.
  const said = new Map(world.messages.map((message) => [message.id, message]));
  const lane = ({ payload: { roomId, messageId, friendshipId, roomInvitationId } }) => {
    const message = said.get(messageId);
    return roomId ?? message?.roomId ?? (message && [message.talkerId, message.listenerId].sort().join()) ?? friendshipId ?? roomInvitationId ?? "account";
  };
  const lanes = (all) => {
    const found = {};
    all.forEach((one) => (found[lane(one)] ??= []).push([one.type, one.payload.messageId]));
    return found;
  };
  const [heard, scripted] = [lanes(told), lanes(wanted)];
  is("the lanes", Object.keys(heard).sort(), Object.keys(scripted).sort());
  Object.keys(scripted).forEach((name) => is(`in order: ${name}`, heard[name], scripted[name]));
  for (const { event, payload } of timeline) {
    if (event === "error") {
      const error = events.of(EVENT.error).find((one) => (one.gerror ?? one.data ?? "").includes(payload.data));
      ok(`error ${payload.data}: gerror is JSON`, error && typeof JSON.parse(error.gerror).message === "string", JSON.stringify(error));
      better(`error ${payload.data}: data`, error?.data, payload.data);
      continue;
    }
    const found = events.of(EVENT[event]).filter((one) => Object.entries(payload).every(([key, value]) => JSON.stringify(one[key]) === JSON.stringify(value)));
    const name = `${event} ${Object.values(payload).join(" ").slice(0, 40)}`;
    is(`${name}: once`, found.length, 1);
    // Java drops events with keys that it does not know.
    is(`${name}: no other keys`, Object.keys(found[0] ?? {}).filter((key) => !(key in payload) && !KEYS[event]?.includes(key)), []);
  }
});

await part("one stream", async () => {
  const other = connect();
  const second = await other.all("Event");
  is("the second is refused", second.code, status.ALREADY_EXISTS);
  await one.call("Ding", { data: "still here" });
  ok("the first goes on", await events.until(({ type, payload }) => type === EVENT.dong && payload.data === "still here"));
  other.close();
});

await part("ding and dirty", async () => {
  for (const data of ["", "数据 \"quoted\" \\", "x".repeat(10_000)]) {
    is(`ding ${data.slice(0, 8)}`, await one.call("Ding", { data }), {});
    ok(`dong ${data.slice(0, 8)}`, await events.until(({ type, payload }) => type === EVENT.dong && payload.data === data));
  }
  for (const type of [1, 2, 3, 4, 5, 6]) {
    is(`dirty ${type}`, await one.call("DirtyPayload", { type, id: `some-id-${type}` }), {});
    ok(`dirty ${type}: told`, await events.until((event) => event.type === EVENT.dirty && event.payload.payloadId === `some-id-${type}` && event.payload.payloadType === type));
  }
});

await part("a new stream", async () => {
  await events.cancel();
  const again = await Events.behind(one);
  ok("ready is told again", await again.until(({ type }) => type === EVENT.ready));
  is("heartbeat, login, ready", again.heard.map(({ type }) => type).slice(0, 3), [EVENT.heartbeat, EVENT.login, EVENT.ready]);
  is("who", again.of(EVENT.login), [{ contactId: world.self }]);
  await again.cancel();
});

await part("health", async () => {
  const health = connect({ health: true, authority: false });
  for (const service of ["", "wechaty.Puppet", "grpc.health.v1.Health", "no.such.Service"]) {
    const answer = await health.call("Check", { service });
    is(`serves ${JSON.stringify(service)}, without a token`, answer.status, 1);
  }
  const call = health.client.Watch({ service: "" }, new grpc.Metadata());
  const first = [];
  call.on("data", (answer) => first.push(answer.status)).on("error", () => {});
  ok("watch", await until(() => first.length > 0) && first[0] === 1, JSON.stringify(first));
  call.cancel();
  health.close();
});

await part("messages", async () => {
  for (const wanted of world.messages) {
    const found = await one.call("MessagePayload", { id: wanted.id });
    is(`${wanted.id}: type as the SDKs number it`, found.type, messageType(wanted.type));
    is(`${wanted.id}: both times`, [found.timestamp_deprecated, found.receive_time?.seconds, (found.receive_time?.nanos ?? 0)],
      [wanted.timestamp, Math.floor(wanted.timestamp / 1000), (wanted.timestamp % 1000) * 1e6]);
  }
  const place = world.messages.find((message) => message.type === "Location");
  is("place", (await one.call("MessageLocation", { id: place.id })).location, place.location);
  const here = { latitude: -1.5, longitude: 2.25, accuracy: 3, name: "here 这里", address: "nowhere" };
  const to = world.contacts.find((contact) => contact.friend).id;
  const sent = await one.call("MessageSendLocation", { conversation_id: to, location: here });
  better("place, sent and read", (await one.call("MessageLocation", { id: sent.id })).location, here);
});

await legacy.check({ world, one });
await bad.check({ world, one });

await part("files by id", async () => {
  const to = world.contacts.find((contact) => contact.friend).id;
  const bytes = Buffer.from("uploaded 上传 ".repeat(10_000));
  const hash = (all) => createHash("sha256").update(all).digest("hex");
  const chunks = Array.from({ length: Math.ceil(bytes.length / 50_000) }, (_, at) => ({ chunk: bytes.subarray(at * 50_000, (at + 1) * 50_000) }));
  const { id } = await one.send("Upload", chunks);
  ok("upload", typeof id === "string" && id.length > 0, String(id));
  for (const time of ["once", "twice"]) {
    const back = await one.all("Download", { id });
    ok(`download ${time}: no empty piece`, Array.isArray(back) && back.length > 0 && back.every((piece) => piece.chunk.length > 0), String(back));
    is(`download ${time}`, hash(Buffer.concat(back.map((piece) => piece.chunk))), hash(bytes));
  }
  const box = { type: 7, boxType: 7, name: "上传.txt", size: bytes.length, metadata: {}, uuid: id };
  const sent = await one.call("MessageSendFile", { conversation_id: to, file_box: JSON.stringify(box) });
  ok("sent by id", typeof sent.id === "string" && sent.id.length > 0, String(sent));
  const file = JSON.parse((await one.call("MessageFile", { id: sent.id })).file_box);
  is("both names of the type", [file.type, file.boxType], [7, 7]);
  is("its name", file.name, "上传.txt");
  is("its bytes", hash(Buffer.concat((await one.all("Download", { id: file.uuid })).map((piece) => piece.chunk))), hash(bytes));
  await one.call("ContactAvatar", { id: world.self, file_box: JSON.stringify({ ...box, name: "我.txt" }) });
  for (const time of ["once", "twice"]) {
    const own = JSON.parse((await one.call("ContactAvatar", { id: world.self })).file_box);
    const read = await one.all("Download", { id: own.uuid }, 10);
    better(`own picture ${time}`, isError(read) ? String(read) : hash(Buffer.concat(read.map((piece) => piece.chunk))), hash(bytes));
  }
  // Four million bytes, as Go sends them.
  const large = await one.send("Upload", [{ chunk: Buffer.alloc(4_000_000, 7) }, { chunk: Buffer.from("end") }]);
  const parts = await one.all("Download", { id: large.id });
  is("a piece of four million bytes", parts.reduce((sum, piece) => sum + piece.chunk.length, 0), 4_000_003);
});

await part("files in streams", async () => {
  const scripted = world.messages.filter((message) => message.file && (message.file.cycle ?? 0) < 1_000_000);
  for (const wanted of scripted) {
    for (const method of wanted.type === "Image" ? ["MessageFileStream", "MessageImageStream"] : ["MessageFileStream"]) {
      const [first, ...rest] = (await one.all(method, { id: wanted.id, type: 3 })).map((piece) => piece.file_box_chunk);
      is(`${wanted.id} ${method}: the name first`, first.name, wanted.file.name);
      const all = Buffer.concat(rest.map((piece) => piece.data));
      is(`${wanted.id} ${method}: bytes`, createHash("sha256").update(all).digest("hex"), digest(wanted.file).sha256);
    }
  }
  const to = world.rooms[0].id;
  const answer = await one.send("MessageSendFileStream", [
    { conversation_id: to }, { file_box_chunk: { name: "流.bin" } }, { file_box_chunk: { data: Buffer.from("first ") } }, { file_box_chunk: { data: Buffer.from("second") } }]);
  is("sent: both ids", answer.id_string_value_deprecated?.value, answer.id);
  const [first, ...rest] = (await one.all("MessageFileStream", { id: answer.id })).map((piece) => piece.file_box_chunk);
  is("sent: name", first.name, "流.bin");
  is("sent: bytes", Buffer.concat(rest.map((piece) => piece.data)).toString(), "first second");
});

await part("logout and stop", async () => {
  const last = await Events.behind(one);
  await last.until(({ type }) => type === EVENT.login);
  is("logout", await one.call("Logout"), {});
  ok("it is told", await last.until(({ type }) => type === EVENT.logout));
  is("of whom", last.of(EVENT.logout)[0]?.contactId, world.self);
  is("with data", typeof last.of(EVENT.logout)[0]?.data, "string");
  is("logout again", await one.call("Logout"), {});
  await one.call("Ding", { data: "after logout" });
  await last.until(({ type, payload }) => type === EVENT.dong && payload.data === "after logout");
  is("it is told once", last.of(EVENT.logout).length, 1);
  is("stop", await one.call("Stop"), {});
  ok("the stream ends", await until(() => last.status !== undefined));
  is("cleanly", last.status?.code, status.OK);
  is("stop again", await one.call("Stop"), {});
});

await part("for the old ones", () => legacy.clients({ world }));
if (!reference) await part("never read", () => bad.neverRead({ world }), 400);

one.close();
finish();
