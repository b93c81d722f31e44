// Rooms and invitations: as in the world, and changed.
import { becomes, is, ok, outcome, part, sorted, until } from "./check.mjs";
import { roomInTheEnd } from "./world.mjs";

const ids = (list) => sorted(list.map((one) => one.id));

export async function read({ bot, world }) {
  await part("rooms", async () => {
    is("all", ids(await bot.Room.findAll()), ids(world.rooms));
    for (const { id } of world.rooms) {
      const wanted = roomInTheEnd(world, id);
      const room = await bot.Room.find({ id });
      is(`${id}: topic`, await room.topic(), wanted.topic);
      is(`${id}: owner`, room.owner()?.id, wanted.ownerId);
      is(`${id}: members`, ids(await room.memberAll()), sorted(wanted.memberIdList));
      is(`${id}: announcement`, await room.announce(), wanted.announce);
      is(`${id}: QR code`, await room.qrCode(), wanted.qrcode);
      const { adminIdList, avatar } = await bot.puppet.roomPayload(id);
      is(`${id}: the rest`, { adminIdList, avatar }, { adminIdList: wanted.adminIdList, avatar: wanted.avatar });
      is(`${id}: picture`, (await (await room.avatar()).toBuffer()).toString("utf8"), `avatar of ${id}`);
      for (const who of wanted.memberIdList) {
        const member = await bot.Contact.find({ id: who });
        is(`${id}: alias of ${who}`, (await room.alias(member)) ?? "", wanted.roomAliases[who] ?? "");
        is(`${id}: has ${who}`, await room.has(member), true);
      }
      const stranger = world.contacts.find((one) => !wanted.memberIdList.includes(one.id));
      is(`${id}: has not ${stranger.id}`, await room.has(await bot.Contact.find({ id: stranger.id })), false);
      for (const [who, roomAlias] of Object.entries(wanted.roomAliases)) {
        is(`${id}: member ${roomAlias}`, (await room.member({ roomAlias }))?.id, who);
      }
      is(`${id}: by topic`, (await bot.Room.find({ topic: wanted.topic }))?.id, id);
    }
    is("none of that topic", await bot.Room.find({ topic: "No Such Room" }), undefined);
    is("none of that id", await bot.Room.find({ id: "no-such@room" }), undefined);
    const member = await bot.puppet.roomMemberPayload(world.rooms[0].id, world.rooms[0].memberIdList[1]);
    is("a member's name", member.name, world.contacts.find((one) => one.id === world.rooms[0].memberIdList[1]).name);
    ok("no payload of a stranger", await outcome(bot.puppet.roomMemberPayload(world.rooms[0].id, "no-such-id")) instanceof Error);
  });
}

export async function change({ bot, world, seen }) {
  const friends = await Promise.all(world.contacts.filter((one) => one.friend && one.type === 1).map(({ id }) => bot.Contact.find({ id })));
  const { Room, RoomMember } = (await import("wechaty-puppet")).types.Dirty;

  await part("room, changed", async () => {
    const room = await bot.Room.create(friends.slice(0, 2), "Night Watch 夜班");
    ok("created", typeof room.id === "string" && room.id.length > 0);
    const sync = () => room.sync();
    await sync();
    await becomes("its topic", () => room.topic(), "Night Watch 夜班", sync);
    is("its members", ids(await room.memberAll()), sorted([world.self, friends[0].id, friends[1].id]));
    is("its owner", room.owner()?.id, world.self);
    ok("it is listed", (await bot.Room.findAll()).some((one) => one.id === room.id));
    is("something is said in it", (await room.say("first words")).room()?.id, room.id);

    await room.topic("Dog Watch");
    await becomes("topic", () => room.topic(), "Dog Watch", sync);
    await room.announce("all hands! 全体");
    is("announcement", await room.announce(), "all hands! 全体");

    await room.add(friends[2]);
    await becomes("somebody is added", () => room.has(friends[2]), true, sync);
    await room.remove(friends[0]);
    await becomes("somebody is removed", () => room.has(friends[0]), false, sync);
    await becomes("the others stay", async () => ids(await room.memberAll()), sorted([world.self, friends[1].id, friends[2].id]), sync);
    ok("a stranger cannot be removed", await outcome(room.remove(friends[0])) instanceof Error);

    seen.dirty.splice(0);
    await room.sync();
    for (const type of [Room, RoomMember]) {
      const isTold = () => seen.dirty.some((one) => one.payloadType === type && one.payloadId === room.id);
      ok(`sync makes it dirty: ${type}`, await until(isTold), JSON.stringify(seen.dirty));
    }
    await room.quit();
    is("quit: not listed any more", (await bot.puppet.roomList()).includes(room.id), false);
    ok("quit: nothing can be said", await outcome(room.say("too late")) instanceof Error);
  });

  await part("invitation", async () => {
    const wanted = world.roomInvitations[0];
    const before = await bot.puppet.roomList();
    await seen["room-invite"].map(([told]) => told).find((told) => told.id === wanted.id).accept();
    const joined = () => seen["room-join"].find(([, invitees]) => invitees.some((one) => one.id === world.self));
    ok("we join", await until(joined), seen.error.map(([error]) => error.message).join("; "));
    const [room, , inviter] = joined();
    is("by whom", inviter.id, wanted.inviterId);
    ok("a new room", !before.includes(room.id));
    await becomes("its topic", () => room.topic(), wanted.topic, () => room.sync());
    is("its members", ids(await room.memberAll()), sorted([...new Set([world.self, ...wanted.memberIdList])]));
    ok("it is listed", (await bot.puppet.roomList()).includes(room.id));
  });
}
