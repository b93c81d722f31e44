// Contacts, friendships and tags: as in the world, and changed.
import { FileBox } from "file-box";
import { becomes, better, is, ok, outcome, part, sorted, until } from "./check.mjs";

const text = async (box) => ({ name: box.name, text: (await box.toBuffer()).toString("utf8") });
const dirtyOf = (seen, payloadType, payloadId) => () => seen.dirty.some((one) => one.payloadType === payloadType && one.payloadId === payloadId);

export async function check({ bot, world }) {
  await part("contacts", async () => {
    is("all", sorted((await bot.Contact.findAll()).map((one) => one.id)), sorted(world.contacts.map((one) => one.id)));
    for (const wanted of world.contacts) {
      const one = await bot.Contact.find({ id: wanted.id });
      is(`${wanted.id}: name`, one.name(), wanted.name);
      is(`${wanted.id}: alias`, (await one.alias()) ?? "", wanted.alias ?? "");
      is(`${wanted.id}: who`, [one.gender(), one.type(), one.friend()], [wanted.gender, wanted.type, wanted.friend]);
      is(`${wanted.id}: star`, one.star(), wanted.star ?? false);
      is(`${wanted.id}: place`, [one.city(), one.province()], [wanted.city ?? "", wanted.province ?? ""]);
      is(`${wanted.id}: handle`, one.handle() ?? "", wanted.weixin ?? "");
      is(`${wanted.id}: phone`, await one.phone(), wanted.phone);
      is(`${wanted.id}: work`, [(await one.corporation()) ?? "", one.title() ?? "", one.coworker()], [wanted.corporation ?? "", wanted.title ?? "", wanted.coworker ?? false]);
      is(`${wanted.id}: description`, (await one.description()) ?? "", wanted.description ?? "");
      const { address, signature, avatar } = await bot.puppet.contactPayload(wanted.id);
      is(`${wanted.id}: the rest`, { address, signature, avatar }, { address: wanted.address ?? "", signature: wanted.signature ?? "", avatar: wanted.avatar ?? "" });
    }
    const friend = world.contacts.find((one) => one.friend && one.alias);
    is("by name", (await bot.Contact.find({ name: friend.name }))?.id, friend.id);
    is("by alias", (await bot.Contact.find({ alias: friend.alias }))?.id, friend.id);
    is("by expression", (await bot.Contact.find({ name: new RegExp(`^${friend.name.slice(0, 3)}`) }))?.id, friend.id);
    is("nobody of that name", await bot.Contact.find({ name: "No Such Person" }), undefined);
    is("nobody of that id", await bot.Contact.find({ id: "no-such-id" }), undefined);
    is("avatar", await text(await (await bot.Contact.find({ id: friend.id })).avatar()), { name: `${friend.id}.txt`, text: `avatar of ${friend.id}` });
    is("alias of whom has one", await bot.puppet.contactAlias(friend.id), friend.alias);
    const plain = world.contacts.find((one) => one.friend && !one.alias);
    better("alias of whom has none", await outcome(bot.puppet.contactAlias(plain.id)), "");
  });

  await part("tags", async () => {
    is("all", sorted((await bot.Contact.tags()).map((one) => one.id)), sorted(Object.keys(world.tags)));
    for (const wanted of world.contacts.filter((one) => one.friend)) {
      const tags = Object.keys(world.tags).filter((tag) => world.tags[tag].includes(wanted.id));
      const told = (await (await bot.Contact.find({ id: wanted.id })).tags()).map((one) => one.id);
      // Where the answer is nothing, the published server is right by chance.
      (tags.length > 0 ? better : is)(`of ${wanted.id}`, sorted(told), sorted(tags));
    }
  });
}

export async function change({ bot, world, seen }) {
  const friend = world.contacts.find((one) => one.friend && one.alias);
  const one = await bot.Contact.find({ id: friend.id });
  const { Contact } = (await import("wechaty-puppet")).types.Dirty;

  await part("contact, changed", async () => {
    for (const alias of ["灯塔 & \"co\"", "second alias"]) {
      await one.alias(alias);
      await becomes(`alias ${alias}`, () => one.alias(), alias, () => one.sync());
      is(`alias ${alias}, asked for`, await bot.puppet.contactAlias(one.id), alias);
    }
    await one.alias(null);
    await becomes("alias, cleared", async () => (await one.alias()) ?? "", "", () => one.sync());
    better("alias, cleared and asked for", await outcome(bot.puppet.contactAlias(one.id)), "");
    await one.phone(["1", "+2 345"]);
    await becomes("phone", () => one.phone(), ["1", "+2 345"], () => one.sync());
    await one.description("as described 描述");
    await becomes("description", () => one.description(), "as described 描述", () => one.sync());
    await one.corporation("Corp & Co");
    await becomes("corporation", () => one.corporation(), "Corp & Co", () => one.sync());
    await one.corporation(null);
    await becomes("corporation, cleared", async () => (await one.corporation()) ?? "", "", () => one.sync());
    seen.dirty.splice(0);
    await one.sync();
    ok("sync makes it dirty", await until(dirtyOf(seen, Contact, one.id)), JSON.stringify(seen.dirty));
  });

  await part("self, changed", async () => {
    await bot.currentUser.name("Keeper the Second");
    await becomes("name", () => bot.currentUser.name(), "Keeper the Second", () => bot.currentUser.sync());
    await bot.currentUser.signature("lights out 关灯");
    await becomes("signature", async () => (await bot.puppet.contactPayload(world.self)).signature, "lights out 关灯", () => bot.currentUser.sync());
    ok("QR code", (await bot.currentUser.qrcode()).length > 0);
    await bot.currentUser.avatar(FileBox.fromBase64(Buffer.from("a picture").toString("base64"), "me.png"));
    is("avatar", (await (await bot.currentUser.avatar()).toBuffer()).toString(), "a picture");
  });

  await part("tags, changed", async () => {
    const tag = await bot.Tag.get("岸上");
    await tag.add(one);
    is("added", (await bot.Contact.tags()).some(({ id }) => id === "岸上"), true);
    better("added to whom", (await one.tags()).map(({ id }) => id).includes("岸上"), true);
    await tag.remove(one);
    is("removed", (await one.tags()).map(({ id }) => id).includes("岸上"), false);
    await bot.Tag.delete(tag);
    is("deleted", (await bot.Contact.tags()).some(({ id }) => id === "岸上"), false);
  });

  await part("friendship", async () => {
    const asked = world.friendships.find((one) => one.type === 2);
    const request = seen.friendship.map(([told]) => told).find((told) => told.id === asked.id);
    await request.accept();
    ok("accepted", await until(async () => {
      const friend = await bot.Contact.find({ id: asked.contactId });
      await friend.sync();
      return friend.friend();
    }));
    const stranger = world.contacts.find((one) => one.id !== world.self && !one.friend && one.id !== asked.contactId);
    const who = await bot.Contact.find({ id: stranger.id });
    await bot.Friendship.add(who, { hello: "good evening", room: await bot.Room.find({ id: world.rooms[0].id }) });
    await becomes("added", () => who.friend(), true, () => who.sync());
    for (const [phone, id] of Object.entries(world.search.phone)) is(`search ${phone}`, (await bot.Friendship.search({ phone }))?.id, id);
    for (const [handle, id] of Object.entries(world.search.handle)) is(`search ${handle}`, (await bot.Friendship.search({ handle }))?.id, id);
    is("search for nobody by phone", await bot.Friendship.search({ phone: "000" }), undefined);
    is("search for nobody by handle", await bot.Friendship.search({ handle: "no_such_handle" }), undefined);
  });
}
