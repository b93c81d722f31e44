// Everything that can be said is said, read back, recalled and forwarded.
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { FileBox } from "file-box";
import { is, ok, outcome, part, sorted, until } from "./check.mjs";
import { held, link, mini } from "./received.mjs";
import { digest, messageType, stream } from "./world.mjs";

const LARGE = { name: "cargo.bin", cycle: 64 * 1024 * 1024 };

export async function check(peer) {
  const { bot, world, seen } = peer;
  const friends = await Promise.all(world.contacts.filter((one) => one.friend && one.type === 1).map(({ id }) => bot.Contact.find({ id })));
  const [friend, other] = friends;
  const room = await bot.Room.find({ id: world.rooms[0].id });
  /** What came back of a say is ours, to whom it went, and of its kind. */
  const went = (name, message, type, to = friend) => {
    ok(`${name}: has an id`, typeof message?.id === "string" && message.id.length > 0, String(message));
    is(`${name}: type`, message.type(), messageType(type));
    is(`${name}: from us`, [message.talker().id, message.self()], [world.self, true]);
    is(`${name}: to`, message.room()?.id ?? message.listener()?.id, to.id);
  };

  await part("text", async () => {
    for (const text of ["Land ho! 看见陆地 🏝\n\t<&\">", " ", "x".repeat(20_000)]) {
      const message = await friend.say(text);
      const name = JSON.stringify(text.slice(0, 12));
      went(name, message, "Text");
      is(`${name}: text`, message.text(), text);
      ok(`${name}: it comes back`, await until(() => seen.message.filter(([one]) => one.id === message.id).length === 1), "no echo");
    }
    const number = await friend.say(42);
    is("a number", number.text(), "42");
    const inRoom = await room.say("to everybody");
    went("in a room", inRoom, "Text", room);
    is("mentions nobody", await inRoom.mentionList(), []);
    const mention = await room.say("look at this", friend, other);
    went("with mentions", mention, "Text", room);
    is("with mentions: who", sorted((await mention.mentionList()).map((one) => one.id)), sorted([friend.id, other.id]));
    ok("with mentions: text", mention.text().startsWith("@") && mention.text().endsWith(" look at this"), mention.text());
    is("with mentions: text without", await mention.mentionText(), "look at this");
    const answered = seen.message.map(([one]) => one).find((one) => one.id !== mention.id && one.room()?.id === room.id && !one.self());
    const answer = await answered.say("in answer");
    went("an answer", answer, "Text", room);
    const toSelf = await bot.currentUser.say("to myself");
    went("to oneself", toSelf, "Text", bot.currentUser);
    ok("to nobody: an error", await outcome(bot.puppet.messageSendText("no-such-id", "?")) instanceof Error);
    ok("to no room: an error", await outcome(bot.puppet.messageSendText("no-such@room", "?")) instanceof Error);
  });

  await part("files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wechaty-peer-"));
    try {
      const small = { name: "小纸条.txt", text: "a small file 小\n" };
      const middle = { name: "middle.bin", cycle: 40_000 };
      const path = join(folder, "from a file.bin");
      await pipeline(stream({ cycle: 300_001 }), createWriteStream(path));
      const boxes = [
        // A small buffer cannot be told as JSON: the SDK falls back to the deprecated stream.
        ["buffer", FileBox.fromBuffer(Buffer.from(small.text), small.name), small],
        ["base64", FileBox.fromBase64(Buffer.from(small.text).toString("base64"), small.name), small],
        ["stream", FileBox.fromStream(stream(middle), middle.name), middle],
        ["path", FileBox.fromFile(path), { name: "from a file.bin", cycle: 300_001 }],
        ["one byte", FileBox.fromBase64("AA==", "one.bin"), { name: "one.bin", base64: "AA==" }],
      ];
      for (const [name, box, wanted] of boxes) {
        const message = await friend.say(box);
        went(name, message, "Attachment");
        const back = await message.toFileBox();
        is(`${name}: name`, back.name, wanted.name);
        is(`${name}: bytes`, await held(back), digest(wanted));
        is(`${name}: bytes, read again`, await held(await message.toFileBox()), digest(wanted));
      }
      const inRoom = await room.say(FileBox.fromStream(stream(middle), middle.name));
      went("in a room", inRoom, "Attachment", room);
      const code = await friend.say(FileBox.fromQRCode("https://example.invalid/code"));
      ok("QR code: an id", typeof code?.id === "string");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  await part("a file of 64 MiB", async () => {
    const message = await friend.say(FileBox.fromStream(stream(LARGE), LARGE.name));
    went("sent", message, "Attachment");
    is("read back", await held(await message.toFileBox()), digest(LARGE));
  });

  await part("image", async () => {
    const picture = world.messages.find((one) => one.type === "Image").file;
    const message = await friend.say(FileBox.fromBase64(picture.base64, picture.name));
    ok("an id", typeof message?.id === "string");
    ok("type", [messageType("Image"), messageType("Attachment")].includes(message.type()), String(message.type()));
    is("read back", await held(await message.toFileBox()), digest(picture));
  });

  await part("cards", async () => {
    const card = await friend.say(other);
    went("contact", card, "Contact");
    is("contact: who", (await card.toContact()).id, other.id);

    const wantedLink = { title: "Charts & 海图", url: "https://example.invalid/charts?a=1&b=2", description: "of the harbour", thumbnailUrl: "https://example.invalid/c.png" };
    const url = await friend.say(new bot.UrlLink(wantedLink));
    went("link", url, "Url");
    is("link: content", link(await url.toUrlLink()), wantedLink);
    const bare = await friend.say(new bot.UrlLink({ title: "bare", url: "https://example.invalid/bare" }));
    is("link without more", (await bare.toUrlLink()).url(), "https://example.invalid/bare");

    const wantedMini = { appid: "gh_tides", title: "潮汐", description: "tides", pagePath: "pages/tide?id=1", username: "gh_tides@app", thumbUrl: "https://example.invalid/m.png", thumbKey: "k", iconUrl: "https://example.invalid/i.png", shareId: "s-1" };
    const program = await room.say(new bot.MiniProgram(wantedMini));
    went("mini program", program, "MiniProgram", room);
    is("mini program: content", mini(await program.toMiniProgram(), wantedMini), wantedMini);

    const place = await friend.say(new bot.Location({ latitude: -33.857, longitude: 151.215, accuracy: 12, name: "Opera House", address: "Bennelong Point" }));
    went("location", place, "Location");
  });

  await part("recall", async () => {
    const message = await friend.say("never mind");
    is("of ours", await message.recall(), true);
    is("a second time", await message.recall(), false);
    is("of somebody else's", await bot.puppet.messageRecall(world.messages[0].id), false);
    ok("of none: an error", await outcome(bot.puppet.messageRecall("no-such-message")) instanceof Error);
  });

  await part("forward", async () => {
    const by = (type, file = true) => bot.Message.find({ id: world.messages.find((one) => one.type === type && (file || !one.file)).id });
    const text = await (await by("Text")).forward(other);
    went("text", text, "Text", other);
    is("text: content", text.text(), world.messages.find((one) => one.type === "Text").text);
    const scripted = world.messages.find((one) => one.type === "Attachment");
    const file = await (await by("Attachment")).forward(room);
    went("file", file, "Attachment", room);
    is("file: content", await held(await file.toFileBox()), digest(scripted.file));
    const card = await (await by("Contact")).forward(other);
    is("contact: content", (await card.toContact()).id, world.messages.find((one) => one.type === "Contact").contactId);
    const url = await (await by("Url")).forward(other);
    is("link: content", link(await url.toUrlLink()), world.messages.find((one) => one.type === "Url").url);
    ok("of none: an error", await outcome(bot.puppet.messageForward(friend.id, "no-such-message")) instanceof Error);
    // Said with a message means forwarded, too.
    const again = await friend.say(await by("Text"));
    is("by saying it", again.text(), text.text());
  });
}
