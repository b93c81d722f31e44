// Bad input: a status that says what is wrong, and the next caller is served.
import net from "node:net";
import { EVENT, Events, connect, endpoint, resident, status } from "./client.mjs";
import { better, is, kills, ok, part, until } from "./check.mjs";

const isError = (found) => found instanceof Error;
/** An error that the server told, in time. */
const refused = (found) => isError(found) && found.code !== status.DEADLINE_EXCEEDED;
const NO = "no-such-id";

/** Calls with an id that nobody has. */
function unknown(world) {
  const to = world.contacts.find((contact) => contact.friend).id;
  const room = world.rooms[0].id;
  const member = world.rooms[0].memberIdList[1];
  return [
    ["ContactPayload", { id: NO }], ["ContactPayload", { id: "" }], ["ContactAlias", { id: NO }], ["ContactAlias", { id: NO, alias: "x" }],
    ["ContactAvatar", { id: NO }], ["ContactPhone", { contact_id: NO, phones: ["1"] }], ["ContactDescription", { contact_id: NO, description: "x" }],
    ["RoomPayload", { id: NO }], ["RoomPayload", { id: "no-such@room" }], ["RoomTopic", { id: "no-such@room", topic: "x" }],
    ["RoomAnnounce", { id: "no-such@room" }], ["RoomQRCode", { id: "no-such@room" }], ["RoomAvatar", { id: "no-such@room" }],
    ["RoomMemberList", { id: "no-such@room" }], ["RoomMemberPayload", { id: room, member_id: NO }], ["RoomMemberPayload", { id: "no-such@room", member_id: member }],
    ["RoomAdd", { id: room, contact_id: NO }], ["RoomAdd", { id: "no-such@room", contact_id: to }], ["RoomDel", { id: room, contact_id: NO }],
    ["RoomQuit", { id: "no-such@room" }], ["RoomCreate", { contact_ids: [NO], topic: "x" }],
    ["MessagePayload", { id: NO }], ["MessageFile", { id: NO }], ["MessageImage", { id: NO, type: 1 }], ["MessageContact", { id: NO }],
    ["MessageUrl", { id: NO }], ["MessageMiniProgram", { id: NO }], ["MessageLocation", { id: NO }], ["MessageRecall", { id: NO }],
    ["MessageForward", { conversation_id: to, message_id: NO }], ["MessageSendText", { conversation_id: NO, text: "x" }],
    ["MessageSendText", { conversation_id: "", text: "x" }], ["MessageSendContact", { conversation_id: to, contact_id: NO }],
    ["MessageSendUrl", { conversation_id: NO, url_link: { title: "x", url: "https://example.invalid" } }],
    ["FriendshipPayload", { id: NO }], ["FriendshipAccept", { id: NO }], ["FriendshipAdd", { contact_id: NO, hello: "x" }],
    ["RoomInvitationPayload", { id: NO }], ["RoomInvitationAccept", { id: NO }], ["TagContactAdd", { id: "crew", contact_id: NO }],
    ["TagContactRemove", { id: "no-such-tag", contact_id: to }], ["TagContactDelete", { id: "no-such-tag" }],
  ];
}

export async function check({ world, one }) {
  const to = world.contacts.find((contact) => contact.friend).id;
  const image = world.messages.find((message) => message.type === "Image").id;
  const alive = async (name) => ok(`${name}: the next is served`, !isError(await one.call("ContactPayload", { id: to })));

  await part("unknown ids", async () => {
    for (const [method, request] of unknown(world)) {
      const answer = await one.call(method, request);
      const name = `${method} ${JSON.stringify(request).slice(0, 60)}`;
      ok(`${name}: an error`, isError(answer), JSON.stringify(answer));
      // UNKNOWN tells nothing, INTERNAL that it is our fault; where it runs on whose machine is nobody's business.
      better(`${name}: typed`, [status.UNKNOWN, status.INTERNAL, status.DEADLINE_EXCEEDED, status.OK, undefined].includes(answer.code), false);
      better(`${name}: one line`, /\n|\bat .*:\d+:\d+/.test(answer.details ?? ""), false);
    }
    await alive("unknown ids");
  });

  await part("messages too large", async () => {
    const answer = await one.call("MessageSendText", { conversation_id: to, text: "x".repeat(5 * 1024 * 1024) });
    is("5 MiB", answer.code, status.RESOURCE_EXHAUSTED);
    await alive("5 MiB");
    const piece = await one.send("Upload", [{ chunk: Buffer.alloc(5 * 1024 * 1024) }]);
    is("5 MiB in a stream", piece.code, status.RESOURCE_EXHAUSTED);
    await alive("5 MiB in a stream");
    const text = "y".repeat(1024 * 1024);
    const sent = await one.call("MessageSendText", { conversation_id: to, text });
    is("1 MiB is not", (await one.call("MessagePayload", { id: sent.id })).text?.length, text.length);
  });

  await part("files that are none", async () => {
    for (const file_box of ["", "{", "null", "[]", "{}", '{"type":99,"boxType":99,"name":"x"}', '{"type":1,"boxType":1,"name":"x","base64":"***"}', `{"type":7,"boxType":7,"name":"x","uuid":"${NO}"}`]) {
      const answer = await one.call("MessageSendFile", { conversation_id: to, file_box });
      better(`${file_box || "nothing"}: an error that came`, refused(answer), true);
    }
    await kills("unknown download", async () => {
      is("unknown download: not found", (await one.all("Download", { id: NO })).code, status.NOT_FOUND);
      for (const path of ["../../etc/passwd", "/etc/passwd", ""]) {
        ok(`download of ${JSON.stringify(path)}: an error that came`, refused(await one.all("Download", { id: path })));
      }
    });
    const nothing = await one.send("Upload", []);
    better("upload of nothing: an answer that came", nothing.code !== status.DEADLINE_EXCEEDED, true);
    await alive("files that are none");
  });

  await part("streams cut short", async () => {
    for (let time = 0; time < 5; time++) {
      const call = one.client.Upload(one.metadata, () => {});
      call.on("error", () => {});
      call.write({ chunk: Buffer.alloc(200_000, time) });
      await until(() => call.writableLength === 0);
      call.cancel();
    }
    await alive("uploads cut short");
    for (const [name, requests] of [
      ["nothing", []],
      ["no conversation", [{ file_box_chunk: { name: "x" } }, { file_box_chunk: { data: Buffer.from("x") } }]],
      ["no name", [{ conversation_id: to }, { file_box_chunk: { data: Buffer.from("x") } }]],
      ["to nobody", [{ conversation_id: NO }, { file_box_chunk: { name: "x" } }, { file_box_chunk: { data: Buffer.from("x") } }]],
    ]) {
      const answer = await one.send("MessageSendFileStream", requests);
      better(`file stream, ${name}: an error that came`, refused(answer), true);
    }
    const call = one.client.MessageSendFileStream(one.metadata, () => {});
    call.on("error", () => {});
    call.write({ conversation_id: to });
    call.write({ file_box_chunk: { name: "never.bin" } });
    call.write({ file_box_chunk: { data: Buffer.alloc(100_000) } });
    await until(() => call.writableLength === 0);
    call.cancel();
    better("stream of an unknown message: an error that came", refused(await one.all("MessageFileStream", { id: NO })), true);
    await alive("file streams cut short");
  });

  await part("numbers nobody knows", async () => {
    const picture = await one.call("MessageImage", { id: image, type: 99 });
    ok("image type 99: an answer", isError(picture) ? picture.code !== status.DEADLINE_EXCEEDED : picture.file_box.length > 0);
    better("image type 99 in a stream: refused", (await one.all("MessageImageStream", { id: image, type: 99 }, 10)).code, status.INVALID_ARGUMENT);
    await kills("dirty types", async () => {
      for (const type of [0, 7, 99, -1, 2_147_483_647]) {
        const answer = await one.call("DirtyPayload", { type, id: "x" });
        ok(`dirty type ${type}: an answer`, !isError(answer) || answer.code === status.INVALID_ARGUMENT, String(answer));
      }
    });
    await alive("numbers nobody knows");
    const empty = await one.call("MessageSendText", { conversation_id: to, text: "" });
    ok("an empty text: an id or an error", isError(empty) || empty.id.length > 0);
    const nothing = await one.call("MessageSendUrl", { conversation_id: to });
    better("a link without one: an error", isError(nothing), true);
    const broken = await one.call("MessageSendUrl", { conversation_id: to, url_link_deprecated: "{" });
    ok("a link that is no JSON: an error", isError(broken));
  });
}

/** Peers that never read, or never say anything: the others are served, and memory stays bounded. */
export async function neverRead({ world }) {
  const to = world.contacts.find((contact) => contact.friend).id;
  const silent = connect();
  const other = connect();
  const events = silent.client.Event({}, silent.metadata);
  events.on("error", () => {}).on("data", () => {});
  await other.call("Start");
  await until(async () => !isError(await other.call("ContactPayload", { id: to })));
  const before = resident();
  events.pause();
  const data = "d".repeat(4096);
  let refused = 0;
  // 80 MiB of dongs that nobody reads. Whether a ding is refused or waits is up to the server.
  const some = async (count) => {
    for (let at = 0; at < count; at++) if (isError(await other.call("Ding", { data }, 2)) && ++refused > 20) return;
  };
  await Promise.all(Array.from({ length: 32 }, () => some(640)));
  ok("a client that never reads its events: others are served", !isError(await other.call("MessagePayload", { id: world.messages[0].id })));
  if (before) ok("… memory", resident() - before < 64, `${before.toFixed(0)} MiB grew to ${resident().toFixed(0)} MiB`);
  events.cancel();
  silent.close();

  const large = world.messages.find((message) => message.file?.cycle > 8_000_000);
  const { uuid } = JSON.parse((await other.call("MessageFile", { id: large.id })).file_box);
  const calm = resident();
  const downloads = Array.from({ length: 8 }, () => {
    const connection = connect();
    const call = connection.client.Download({ id: uuid }, connection.metadata);
    call.on("error", () => {}).on("data", () => call.pause());
    return { connection, call };
  });
  await new Promise((go) => setTimeout(go, 1000));
  ok("downloads that nobody reads: others are served", !isError(await other.call("MessagePayload", { id: world.messages[0].id })));
  if (calm) ok("… memory", resident() - calm < 64, `${calm.toFixed(0)} MiB grew to ${resident().toFixed(0)} MiB`);
  for (const { connection, call } of downloads) {
    call.cancel();
    connection.close();
  }

  const quiet = resident();
  const [host, port] = endpoint.split(":");
  const sockets = [];
  for (let at = 0; at < 10_000; at += 200) {
    const batch = Array.from({ length: 200 }, () => net.connect({ host, port: Number(port) }).on("error", () => {}));
    await until(() => batch.every((socket) => !socket.connecting));
    sockets.push(...batch);
  }
  ok("10,000 silent connections: others are served", !isError(await other.call("MessagePayload", { id: world.messages[0].id })));
  if (quiet) ok("… memory", resident() - quiet < 256, `${quiet.toFixed(0)} MiB grew to ${resident().toFixed(0)} MiB`);
  sockets.forEach((socket) => socket.destroy());
  const fresh = connect();
  ok("… and new ones afterwards", await until(async () => !isError(await fresh.call("ContactPayload", { id: to }, 10)), 120));

  const again = await Events.behind(fresh);
  ok("… and a new event stream", await again.until(({ type }) => type === EVENT.login));
  is("stop", await fresh.call("Stop"), {});
  fresh.close();
  other.close();
}
