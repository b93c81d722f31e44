// A world file as the peers read it: what its files hold, and what of it a bot should be told.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import * as PUPPET from "wechaty-puppet";

/** The world of a file. */
export function load(path) {
  const world = JSON.parse(readFileSync(path, "utf8"));
  if (world.version !== 1) throw new Error(`${path} is no world file of version 1`);
  return world;
}

const CYCLE = Buffer.from(Array.from({ length: 251 * 1024 }, (_, at) => at % 251));

/** The bytes of a `file`, piece by piece: a long one is never in memory as a whole. */
export function* pieces(file) {
  if (file.text !== undefined) yield Buffer.from(file.text, "utf8");
  else if (file.base64 !== undefined) yield Buffer.from(file.base64, "base64");
  else for (let left = file.cycle; left > 0; left -= CYCLE.length) yield CYCLE.subarray(0, Math.min(left, CYCLE.length));
}

export const stream = (file) => Readable.from(pieces(file));

/** How many bytes, and their SHA-256. */
export function digest(file) {
  const hash = createHash("sha256");
  let size = 0;
  for (const piece of pieces(file)) {
    hash.update(piece);
    size += piece.length;
  }
  return { size, sha256: hash.digest("hex") };
}

export const messageType = (name) => PUPPET.types.Message[name];

/** The payloads of all events of one kind in the timeline, in order. */
export const happenings = (world, event) => world.timeline.filter((entry) => entry.event === event).map((entry) => entry.payload);

export const contact = (world, id) => world.contacts.find((one) => one.id === id);
export const room = (world, id) => world.rooms.find((one) => one.id === id);
export const message = (world, id) => world.messages.find((one) => one.id === id);

/** A room as it is when the timeline has been played. */
export function roomInTheEnd(world, id) {
  const end = { ...room(world, id), memberIdList: [...room(world, id).memberIdList] };
  for (const { event, payload } of world.timeline) {
    if (payload.roomId !== id) continue;
    if (event === "room-topic") end.topic = payload.newTopic;
    if (event === "room-join") {
      end.memberIdList.push(...payload.inviteeIdList.filter((one) => !end.memberIdList.includes(one)));
    }
    if (event === "room-leave") end.memberIdList = end.memberIdList.filter((one) => !payload.removeeIdList.includes(one));
  }
  return end;
}
