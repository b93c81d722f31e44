// Both generations of every field, both ways: SDKs of the old contract read and write the old ones only.
import { Events, EVENT, connect } from "./client.mjs";
import { better, is, ok, part } from "./check.mjs";
import { digest, message } from "./world.mjs";

const wrapped = (value) => ({ value });
/** Of a wrapper; `null` where there is none. */
const old = (field) => field ? field.value ?? "" : null;

export async function check({ world, one }) {
  const friend = world.contacts.find((contact) => contact.friend && contact.alias);
  const plain = world.contacts.find((contact) => contact.friend && !contact.alias);
  const room = world.rooms[0];
  const fresh = (id) => one.call("ContactPayload", { id });

  await part("old fields: contacts", async () => {
    const alias = async (id) => {
      const answer = await one.call("ContactAlias", { id });
      return [answer.alias ?? "", old(answer.alias_string_value_deprecated)];
    };
    better("alias", await alias(friend.id), [friend.alias, friend.alias]);
    better("no alias", await alias(plain.id), ["", ""]);
    await one.call("ContactAlias", { id: plain.id, alias_string_value_deprecated: wrapped("set in the old way") });
    better("alias, set in the old way", (await fresh(plain.id)).alias, "set in the old way");
    await one.call("ContactAlias", { id: plain.id, alias: "set in the new way" });
    is("alias, set in the new way", (await fresh(plain.id)).alias, "set in the new way");
    await one.call("ContactAlias", { id: plain.id, alias_string_value_deprecated: wrapped("") });
    better("alias, cleared in the old way", (await fresh(plain.id)).alias ?? "", "");
    await one.call("ContactAlias", { id: plain.id, alias: "x" });
    await one.call("ContactAlias", { id: plain.id, alias: "" });
    is("alias, cleared in the new way", (await fresh(plain.id)).alias ?? "", "");

    await one.call("ContactDescription", { contact_id: plain.id, description_string_value_deprecated: wrapped("old words") });
    better("description, set in the old way", (await fresh(plain.id)).description ?? "", "old words");
    await one.call("ContactDescription", { contact_id: plain.id, description: "new words" });
    is("description, set in the new way", (await fresh(plain.id)).description, "new words");
    await one.call("ContactCorporationRemark", { contact_id: plain.id, corporation_remark_string_value_deprecated: wrapped("Old & Co") });
    better("corporation, set in the old way", (await fresh(plain.id)).corporation ?? "", "Old & Co");
    await one.call("ContactCorporationRemark", { contact_id: plain.id });
    is("corporation, cleared", (await fresh(plain.id)).corporation ?? "", "");

    const avatar = await one.call("ContactAvatar", { id: friend.id });
    better("avatar in both", old(avatar.filebox_string_value_deprecated), avatar.file_box);
    const box = JSON.stringify({ base64: Buffer.from("old picture").toString("base64"), name: "me.png", boxType: 1 });
    await one.call("ContactAvatar", { id: world.self, filebox_string_value_deprecated: wrapped(box) });
    const now = JSON.parse((await one.call("ContactAvatar", { id: world.self })).file_box);
    better("own avatar, set in the old way", Buffer.from(now.base64 ?? "", "base64").toString(), "old picture");
  });

  await part("old fields: rooms", async () => {
    const topic = async () => {
      const answer = await one.call("RoomTopic", { id: room.id });
      return [answer.topic ?? "", old(answer.topic_string_value_deprecated)];
    };
    const announce = async () => {
      const answer = await one.call("RoomAnnounce", { id: room.id });
      return [answer.text ?? "", old(answer.text_string_value_deprecated)];
    };
    await one.call("RoomTopic", { id: room.id, topic: "new 新" });
    better("topic", await topic(), ["new 新", "new 新"]);
    await one.call("RoomTopic", { id: room.id, topic_string_value_deprecated: wrapped("old 旧") });
    better("topic, set in the old way", await topic(), ["old 旧", "old 旧"]);
    better("announcement", await announce(), [room.announce, room.announce]);
    await one.call("RoomAnnounce", { id: room.id, text_string_value_deprecated: wrapped("by the old way") });
    better("announcement, set in the old way", await announce(), ["by the old way", "by the old way"]);
    await one.call("RoomAnnounce", { id: room.id, text: "" });
    is("announcement, cleared in the new way", (await announce())[0], "");
    const invitation = world.roomInvitations[0];
    const told = await one.call("RoomInvitationPayload", { id: invitation.id });
    is("invitation: both times", [told.timestamp_uint64_deprecated, told.receive_time?.seconds, told.receive_time?.nanos],
      [invitation.timestamp, Math.floor(invitation.timestamp / 1000), (invitation.timestamp % 1000) * 1e6]);
  });

  await part("old fields: messages", async () => {
    const both = (name, answer) => {
      ok(`${name}: an id`, typeof answer.id === "string" && answer.id.length > 0, String(answer));
      is(`${name}: in both`, old(answer.id_string_value_deprecated), answer.id);
      return answer.id;
    };
    const to = friend.id;
    const text = both("text", await one.call("MessageSendText", { conversation_id: to, text: "hello" }));
    is("it can be read at once", (await one.call("MessagePayload", { id: text })).text, "hello");
    both("contact", await one.call("MessageSendContact", { conversation_id: to, contact_id: plain.id }));
    both("forward", await one.call("MessageForward", { conversation_id: to, message_id: text }));

    // As Python writes them: what is absent is null.
    const link = { title: "old link", url: "https://example.invalid/old", description: null, thumbnailUrl: null };
    const url = both("link, in the old way", await one.call("MessageSendUrl", { conversation_id: to, url_link_deprecated: JSON.stringify(link) }));
    const linkTold = await one.call("MessageUrl", { id: url });
    is("link: read in the new way", [linkTold.url_link?.title, linkTold.url_link?.url], [link.title, link.url]);
    is("link: read in the old way", JSON.parse(linkTold.url_link_deprecated).url, link.url);
    const mini = { appid: "old_app", title: "old mini", pagePath: "p", description: null, iconUrl: null };
    const program = both("mini program, in the old way", await one.call("MessageSendMiniProgram", { conversation_id: to, mini_program_deprecated: JSON.stringify(mini) }));
    const miniTold = await one.call("MessageMiniProgram", { id: program });
    is("mini program: read in the new way", [miniTold.mini_program?.title, miniTold.mini_program?.page_path], [mini.title, mini.pagePath]);
    is("mini program: read in the old way", JSON.parse(miniTold.mini_program_deprecated).pagePath, mini.pagePath);
    // Java writes it so.
    const java = both("mini program of Java", await one.call("MessageSendMiniProgram", { conversation_id: to, mini_program_deprecated: JSON.stringify({ appId: "java_app", title: "java" }) }));
    better("mini program of Java: id", (await one.call("MessageMiniProgram", { id: java })).mini_program?.appid, "java_app");
    const newer = both("link, in the new way", await one.call("MessageSendUrl", { conversation_id: to, url_link: { title: "new", url: "https://example.invalid/new" } }));
    is("link, in the new way: read", (await one.call("MessageUrl", { id: newer })).url_link?.url, "https://example.invalid/new");

    const box = { name: "old.txt", boxType: 1, base64: Buffer.from("old file").toString("base64"), _type: null, mediaType: null, mimeType: "text/plain" };
    const file = both("file of Python", await one.call("MessageSendFile", { conversation_id: to, file_box: JSON.stringify(box) }));
    const back = JSON.parse((await one.call("MessageFile", { id: file })).file_box);
    is("file of Python: read", [back.name, back.type, back.boxType, Buffer.from(back.base64 ?? "", "base64").toString()], ["old.txt", 1, 1, "old file"]);
  });

  await part("old fields: search, friendships, tags", async () => {
    for (const [handle, id] of Object.entries(world.search.handle)) {
      for (const method of ["FriendshipSearchHandle", "FriendshipSearchWeixin"]) {
        const found = await one.call(method, { weixin: handle });
        is(`${method} ${handle}`, found.contact_id, id);
        better(`${method} ${handle}, in the old field`, old(found.contact_id_string_value_deprecated), id);
      }
    }
    const [[phone, id]] = Object.entries(world.search.phone);
    better("by phone, in both", [(await one.call("FriendshipSearchPhone", { phone })).contact_id, old((await one.call("FriendshipSearchPhone", { phone })).contact_id_string_value_deprecated)], [id, id]);
    const nobody = await one.call("FriendshipSearchPhone", { phone: "none" });
    is("nobody: in neither", [nobody.contact_id ?? "", old(nobody.contact_id_string_value_deprecated)], ["", null]);
    const friendship = world.friendships[0];
    const told = await one.call("FriendshipPayload", { id: friendship.id, payload_string_value_deprecated: wrapped("null") });
    is("a friendship, asked for in Python's way", [told.contact_id, told.hello], [friendship.contactId, friendship.hello]);
    const stranger = world.contacts.find((contact) => !contact.friend && contact.id !== world.self);
    is("a friend with a referrer", await one.call("FriendshipAdd", { contact_id: stranger.id, hello: "hi", referrer: { contact_id: friend.id } }), {});
    is("is a friend", (await fresh(stranger.id)).friend, true);

    const tags = Object.keys(world.tags).filter((tag) => world.tags[tag].includes(friend.id)).sort();
    better("tags, asked for in the new way", (await one.call("TagContactList", { contact_id: friend.id })).ids.sort(), tags);
    better("tags, asked for in the old way", (await one.call("TagContactList", { contact_id_string_value_deprecated: wrapped(friend.id) })).ids.sort(), tags);
    is("all tags", (await one.call("TagContactList", {})).ids.sort(), Object.keys(world.tags).sort());
  });
}

/** What is told by the user agent: the newer kinds of files and of keys would stop older clients. */
export async function clients({ world }) {
  const python = connect({ agent: "grpc-python-grpclib/0.4.3" });
  const heard = new Events(python);
  await python.call("Start");
  await heard.until(({ type }) => type === EVENT.ready);
  const middle = world.messages.find((one) => one.file?.cycle > 50_000 && one.file.cycle < 2_000_000);
  const box = JSON.parse((await python.call("MessageFile", { id: middle.id })).file_box);
  better("Python: a file of some size comes inline", [box.boxType, Buffer.from(box.base64 ?? "", "base64").length], [1, digest(middle.file).size]);
  const large = world.messages.find((one) => one.file?.cycle > 8_000_000);
  better("Python: a large one is an error", await python.call("MessageFile", { id: large.id }) instanceof Error, true);
  const wanted = message(world, world.messages[0].id);
  is("Python: a message", (await python.call("MessagePayload", { id: wanted.id })).text, wanted.text);
  await python.call("Stop");
  python.close();

  const java = connect({ agent: "grpc-java-netty/1.29.0" });
  const events = new Events(java);
  await java.call("Start");
  const scripted = world.timeline.find(({ event }) => event === "error").payload.data;
  ok("Java: the error comes", await events.until(({ type, payload }) => type === EVENT.error && JSON.stringify(payload).includes(scripted)));
  better("Java: with data alone", events.of(EVENT.error).map((payload) => Object.keys(payload)), [["data"]]);
  await java.call("Stop");
  java.close();
}
