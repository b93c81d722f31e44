// The web chat in a real browser, as its visitors use it.
// node webchat.mjs WECHATY CHROMIUM AXE [PICTURE]: prints a line a promise, then `N passed, M failed`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const [wechaty, executablePath, axeFile, picture] = process.argv.slice(2);
const axeSource = fs.readFileSync(axeFile, "utf8");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wechaty-webchat-"));
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC", "base64");

// The bot: a free port of loopback, told on standard error.
async function start(listen, what = ["--puppet", "webchat"]) {
  const bot = spawn(wechaty, ["--lang", "en", "run", ...what, "--listen", listen], { cwd: folder, env: { ...process.env, WECHATY_LOG: "info" } });
  const one = { bot, told: "" };
  one.url = await new Promise((found, failed) => {
    bot.on("exit", (code) => failed(new Error(`the bot ended with ${code}: ${one.told}`)));
    bot.stderr.on("data", (data) => {
      one.told += data;
      const at = one.told.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (at) found(at[0]);
    });
  });
  return one;
}

/** A port that stays free while nobody listens there: the system gives none of these to who connects. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = net.createServer();
    const free = await new Promise((told) => server.once("error", () => told(false)).listen(port, "127.0.0.1", () => told(true)));
    if (free) {
      await new Promise((closed) => server.close(closed));
      return port;
    }
  }
}

/** Tells a bot to end; its exit code. */
async function stop({ bot }) {
  bot.removeAllListeners("exit");
  const ended = new Promise((done) => bot.on("exit", done));
  bot.kill("SIGTERM");
  return ended;
}

const main = await start("127.0.0.1:0");
const { url } = main;

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const desktop = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
const phone = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: "zh-CN", isMobile: true, hasTouch: true });

const id = (name) => `[data-testid="${name}"]`;
let [passed, failed, faults] = [0, 0, []];

/** A new tab; whatever the page complains about is a fault. */
async function tab(context = desktop) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const expected = /Failed to load resource/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(`console: ${message.text()}`);
  });
  return page;
}

async function enter(page, name, at = url) {
  await page.goto(at);
  await page.fill(id("join-name"), name);
  await page.press(id("join-name"), "Enter");
  await page.waitForSelector(id("composer"));
}

async function say(page, text) {
  await page.fill(id("composer"), text);
  await page.press(id("composer"), "Enter");
}

async function makeRoom(page, topic) {
  await page.click(id("new-room"));
  await page.fill(id("room-topic"), topic);
  await page.click(id("room-create"));
  await page.waitForSelector(id("members"));
}

const message = (page, text) => page.locator("article", { hasText: text }).first();
const hears = (page, text) => message(page, text).waitFor();

/** Nothing serious for people who use a screen reader, a keyboard, or have weak eyes. */
async function accessible(page) {
  await page.evaluate(axeSource);
  // What fades in has another contrast until it is there.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished.catch(() => {}))));
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target.join(" ")}`), []);
}

async function promise(name, keep) {
  const pages = [];
  try {
    await keep(async (context) => pages[pages.push(await tab(context)) - 1]);
    assert.deepEqual(faults.splice(0), []);
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    faults.length = 0; // they are no faults of the next one
    console.log(`FAIL  ${name}\n      ${String(error.message).split("\n").slice(0, 8).join("\n      ")}`);
    if (pages[0]) await pages[0].screenshot({ path: path.join(folder, "failed.png") }).catch(() => {});
  }
  for (const page of pages) await page.close();
}

await promise("a visitor gets a name, and ding is answered by dong", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  assert.equal(await page.textContent(id("my-name")), "Ada");
  await say(page, "ding");
  await hears(page, "dong");
  await page.waitForSelector(`${id("delivery")}[data-state=sent]`);
  await accessible(page);
});

await promise("a visitor is greeted once, in the language of the browser", async (open) => {
  const [page, chinese] = [await open(), await open(phone)];
  await enter(page, "Ada");
  await hears(page, "Hello, I am a Wechaty bot");
  await page.reload();
  await hears(page, "Hello, I am a Wechaty bot");
  assert.equal(await page.locator("article").count(), 1);
  await enter(chinese, "小明");
  await hears(chinese, "你好，我是 Wechaty 机器人");
});

await promise("the bot knows Chinese words, and answers in the language of the page", async (open) => {
  const page = await open(phone);
  await enter(page, "小红");
  await say(page, "帮助");
  await hears(page, "我会：ding · 你好 · 回声");
  await say(page, "回声 你好，世界！");
  await page.locator("article[data-own=false] .text", { hasText: /^你好，世界！$/ }).waitFor();
  await say(page, "图片");
  await page.waitForSelector(`article[data-own=false][data-kind=image] ${id("image")}`);
  await say(page, "菜单");
  await page.locator(id("choice"), { hasText: "绿茶" }).click();
  await hears(page, "马上就来");
  await say(page, "名片");
  await hears(page, "要继续吗");
  await say(page, "xyz");
  await hears(page, "这个我还不会");
  await page.click(id("back"));
  const told = page.waitForResponse("**/chat/api/language");
  await page.click(id("lang-switch"));
  await page.waitForFunction(() => document.documentElement.lang.startsWith("en"));
  await told; // the bot answers in another language from then on
  await page.locator(id("conversation")).first().click();
  await say(page, "help");
  await hears(page, "I know: ding");
  await page.click(id("back"));
  await page.click(id("lang-switch"));
  await page.waitForFunction(() => document.documentElement.lang.startsWith("zh"));
});

await promise("a choice is made once, and another tab of the same visitor sees it", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await say(page, "menu");
  await page.waitForSelector(id("choice"));
  const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
  const other = await open();
  await other.addInitScript((kept) => Object.entries(JSON.parse(kept)).forEach(([key, value]) => sessionStorage.setItem(key, value)), kept);
  await other.goto(url);
  await other.waitForSelector(id("choice"));
  await page.locator(id("choice"), { hasText: "Green" }).click();
  await other.waitForSelector(`${id("choice")}[aria-pressed=true]`);
  assert.equal(await other.locator(`${id("choice")}[aria-disabled=true]`).count(), 3);
  await other.locator(id("choice"), { hasText: "Black" }).click({ force: true });
  await say(other, "ding");
  await hears(page, "dong");
  assert.equal(await page.locator("article", { hasText: "Coming up" }).count(), 1);
});

await promise("two people talk in a room", async (open) => {
  const [alice, bob] = [await open(), await open()];
  await enter(alice, "Alice");
  await enter(bob, "Bob");
  await alice.click(id("new-room"));
  await alice.fill(id("room-topic"), "Tea");
  await alice.click(id("room-create"));
  await alice.waitForSelector(id("members"));
  await bob.locator(id("room"), { hasText: "Tea" }).click();
  await bob.waitForSelector(id("members"));
  await say(bob, "hello Alice");
  await hears(alice, "hello Alice");
  await say(alice, "hello Bob <script>alert(1)</script>");
  await hears(bob, "hello Bob <script>alert(1)</script>");
  await say(bob, "ding");
  await hears(alice, "dong");
});

await promise("a new name is one visitor's, on the pages of all who see it", async (open) => {
  const [alice, bob] = [await open(), await open()];
  await enter(alice, "Nora");
  await enter(bob, "Otto");
  await makeRoom(alice, "Names");
  await bob.locator(id("room"), { hasText: "Names" }).click();
  await bob.waitForSelector(id("members"));
  await say(bob, "who am I?");
  const asked = message(alice, "who am I?");
  await asked.hover();
  await asked.locator(id("act-react")).click();
  await alice.locator(id("reaction-choice")).first().click();
  await bob.click(id("rename"));
  await bob.fill(id("name-field"), "Oskar");
  await bob.click(id("name-save"));
  await alice.locator("article .who", { hasText: "Oskar" }).waitFor();
  await bob.locator(id("my-name"), { hasText: "Oskar" }).waitFor();
  assert.equal(await alice.textContent(id("my-name")), "Nora");
  await alice.click(id("members"));
  const members = (await alice.locator(`${id("member")} .person-name`).allTextContents()).sort();
  assert.deepEqual(members, ["Nora", "Oskar", "Wechaty"]);
  await alice.click(id("dialog-close"));
  // What one reacted with is one's own under any name, and only then.
  await alice.click(id("rename"));
  await alice.fill(id("name-field"), "Nina");
  await alice.click(id("name-save"));
  await alice.locator(id("my-name"), { hasText: "Nina" }).waitFor();
  await bob.locator(`${id("reaction")}[title="Nina"], ${id("reaction")}[title="Nora"]`).first().waitFor();
  assert.equal(await alice.locator(id("reaction")).first().getAttribute("aria-pressed"), "true");
  assert.equal(await bob.locator(id("reaction")).first().getAttribute("aria-pressed"), "false");
  await alice.reload();
  await hears(alice, "who am I?");
  assert.equal(await alice.textContent(id("my-name")), "Nina");
});

await promise("who waits for a picture or an echo sees the bot type", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  // It is over soon: what is looked for later was there.
  await page.evaluate((line) => {
    window.typed = [];
    const node = document.querySelector(line);
    new MutationObserver(() => node.textContent && typed.push(node.textContent)).observe(node, { childList: true });
  }, id("typing"));
  await say(page, "picture");
  await page.waitForSelector(`article[data-own=false][data-kind=image] ${id("image")}`);
  await page.waitForFunction(() => document.querySelector('[data-testid="typing"]').textContent === "");
  const typed = async () => page.evaluate(() => window.typed.splice(0));
  const isTyping = (seen) => assert.ok(seen.length > 0 && seen.every((words) => words.includes("Wechaty is typing")), seen.join());
  isTyping(await typed());
  await say(page, "echo once more");
  await page.locator("article[data-own=false] .text", { hasText: /^once more$/ }).waitFor();
  isTyping(await typed());
});

await promise("a button is pressed, and the bot knows which", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await say(page, "menu");
  await page.locator(id("choice"), { hasText: "Green" }).click();
  await hears(page, "Coming up");
  await say(page, "card");
  await page.locator(id("choice"), { hasText: "Yes" }).click();
  await hears(page, "You chose");
  await accessible(page);
});

await promise("an image and a file go to the bot, and an image comes back", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await page.setInputFiles(id("file-input"), { name: "dot.png", mimeType: "image/png", buffer: PNG });
  await page.waitForSelector(`article[data-own=true][data-kind=image]:not([data-message-id^=pending]) ${id("image")}`);
  await page.setInputFiles(id("file-input"), { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("notes") });
  const file = page.locator(`article[data-own=true][data-kind=file]:not([data-message-id^=pending]) ${id("file")}`);
  await file.waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), file.click()]);
  assert.equal(fs.readFileSync(await download.path(), "utf8"), "notes");
  await say(page, "picture");
  await page.waitForSelector(`article[data-own=false][data-kind=image] ${id("image")}`);
  await page.waitForFunction(() => [...document.querySelectorAll("article img")].every((img) => img.complete && img.naturalWidth > 0));
});

await promise("words are quoted, edited and taken back", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await say(page, "echo first words");
  const answer = page.locator("article[data-own=false]", { hasText: "first words" });
  await answer.hover();
  await answer.locator(id("act-quote")).click();
  await say(page, "I quote you");
  await page.waitForSelector(`article[data-own=true] ${id("quoted")}`);
  const own = page.locator("article[data-own=true]", { hasText: "I quote you" });
  await own.hover();
  await own.locator(id("act-edit")).click();
  await page.fill(id("composer"), "I quoted you");
  await page.press(id("composer"), "Enter");
  await hears(page, "I quoted you");
  const edited = page.locator("article[data-own=true]", { hasText: "I quoted you" });
  await edited.hover();
  await edited.locator(id("act-recall")).click();
  await page.click(id("recall-confirm"));
  await page.waitForSelector("[data-recalled=true]");
});

await promise("a quote changes with what it quotes, and goes with it", async (open) => {
  const [alice, bob] = [await open(), await open()];
  await enter(alice, "Quinn");
  await enter(bob, "Rosa");
  await makeRoom(alice, "Quotes");
  await bob.locator(id("room"), { hasText: "Quotes" }).click();
  await bob.waitForSelector(id("members"));
  await say(alice, "a seecret");
  const heard = message(bob, "a seecret");
  await heard.hover();
  await heard.locator(id("act-quote")).click();
  await say(bob, "really?");
  await alice.locator(id("quoted"), { hasText: "a seecret" }).waitFor();
  const own = alice.locator("article[data-own=true]", { hasText: "a seecret" });
  await own.hover();
  await own.locator(id("act-edit")).click();
  await say(alice, "a secret");
  await bob.locator(id("quoted"), { hasText: "a secret" }).waitFor();
  const edited = alice.locator("article[data-own=true]", { hasText: "a secret" });
  await edited.hover();
  await edited.locator(id("act-recall")).click();
  await alice.click(id("recall-confirm"));
  for (const page of [alice, bob]) {
    await page.locator(id("quoted"), { hasText: "This message was recalled" }).waitFor();
    await page.getByText("secret").first().waitFor({ state: "detached" });
  }
});

await promise("after a reload the visitor and the history are there, and another tab is somebody else", async (open) => {
  const [page, other] = [await open(), await open()];
  await enter(page, "Lin");
  for (let i = 0; i < 3; i += 1) await say(page, `echo number ${i}`);
  await page.locator("article[data-own=false]", { hasText: "number 2" }).waitFor();
  await page.reload();
  await hears(page, "number 2");
  assert.equal(await page.textContent(id("my-name")), "Lin");
  const texts = await page.locator("article[data-own=true] .text").allTextContents();
  assert.deepEqual(texts.filter((text) => text.startsWith("echo number")), ["echo number 0", "echo number 1", "echo number 2"]);
  await enter(other, "Grace");
  assert.equal(await other.locator("article", { hasText: "number 0" }).count(), 0);
});

const focus = (page) => page.evaluate(() => document.activeElement?.dataset?.testid ?? "");

/** Walks by Tab, or `key`, until this has the focus; a trap or a control that is left out fails here. */
async function walk(page, name, key = "Tab") {
  for (let i = 0; i < 80; i += 1) {
    if ((await focus(page)) === name) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${name} is not reached by ${key}`);
}

async function press(page, name, key = "Tab") {
  await walk(page, name, key);
  await page.keyboard.press("Enter");
}

/** From the message field up to the messages, and to the one that is meant. */
async function reach(page, wanted) {
  await walk(page, "message", "Shift+Tab");
  await page.keyboard.press("End");
  for (let i = 0; i < 20; i += 1) {
    if (await wanted.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press("ArrowUp");
  }
  assert.fail("the message is not reached");
}

await promise("the keyboard alone is enough to join, say and choose", async (open) => {
  const page = await open();
  await page.goto(url);
  await accessible(page);
  await walk(page, "join-name");
  await page.keyboard.type("Key");
  await page.keyboard.press("Enter");
  await page.waitForSelector(id("composer"));
  await walk(page, "composer");
  await page.keyboard.type("menu");
  await page.keyboard.press("Enter");
  await page.waitForSelector(id("choice"));
  await press(page, "choice", "Shift+Tab");
  await hears(page, "No tea, then."); // backwards from the message field, the last choice comes first
});

await promise("the keyboard alone is enough for rooms, dialogs, languages and colours", async (open) => {
  const [page, other] = [await open(), await open()];
  await enter(other, "Tess");
  await makeRoom(other, "Keys");
  await enter(page, "Keyra");
  await press(page, "new-room");
  await accessible(page); // with a dialog open
  assert.equal(await focus(page), "room-topic");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focus(page), "new-room"); // it gives the focus back
  await page.keyboard.press("Enter");
  await page.keyboard.type("Typed");
  await page.keyboard.press("Enter");
  await page.locator(id("title"), { hasText: "Typed" }).waitFor();
  await press(page, "members");
  await page.waitForSelector(id("members-dialog"));
  await accessible(page);
  await press(page, "dialog-close");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focus(page), "members");
  await press(page, "leave");
  await accessible(page);
  await press(page, "leave-confirm");
  await page.locator(id("title"), { hasText: "Wechaty" }).waitFor();
  const room = () => page.evaluate(() => document.activeElement.dataset.testid === "room" && document.activeElement.textContent.includes("Keys"));
  for (let i = 0; i < 80 && !(await room()); i += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); // enters the other's room
  await page.locator(id("title"), { hasText: "Keys" }).waitFor();
  await walk(page, "conversation");
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter"); // and goes back to the bot
  await page.locator(id("title"), { hasText: "Wechaty" }).waitFor();
  await press(page, "rename");
  await page.keyboard.type("Keysha");
  await page.keyboard.press("Enter");
  await page.locator(id("my-name"), { hasText: "Keysha" }).waitFor();
  await press(page, "theme-switch");
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.keyboard.press("Enter");
  assert.notEqual(await page.evaluate(() => document.documentElement.dataset.theme), theme);
  await press(page, "lang-switch");
  await page.waitForFunction(() => document.documentElement.lang.startsWith("zh"));
  assert.equal(await focus(page), "lang-switch");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.documentElement.lang.startsWith("en"));
});

await promise("the keyboard alone is enough to quote, edit, recall, react and attach", async (open) => {
  const page = await open();
  await enter(page, "Keanu");
  await walk(page, "composer");
  await page.keyboard.type("echo by hand");
  await page.keyboard.press("Enter");
  await page.locator("article[data-own=false]", { hasText: "by hand" }).waitFor();
  await press(page, "act-quote", "Shift+Tab");
  assert.equal(await focus(page), "composer");
  await page.keyboard.type("quoted");
  await page.keyboard.press("Enter");
  await page.locator(`article[data-own=true]:not([data-message-id^=pending]) ${id("quoted")}`).waitFor();
  const last = page.locator("article[data-own=true]", { hasText: "quoted" });
  await reach(page, last);
  await press(page, "act-edit");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("quoted and mended");
  await page.keyboard.press("Enter");
  await hears(page, "quoted and mended");
  await reach(page, page.locator("article[data-own=true]", { hasText: "mended" }));
  await press(page, "act-react");
  await page.waitForSelector(id("reaction-choice"));
  await accessible(page);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`${id("reaction")}[aria-pressed=true]`);
  await walk(page, "message", "Shift+Tab");
  await press(page, "act-recall");
  await page.waitForSelector(id("recall-confirm"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-recalled=true]");
  const chooser = page.waitForEvent("filechooser");
  await press(page, "attach");
  await (await chooser).setFiles({ name: "dot.png", mimeType: "image/png", buffer: PNG });
  await page.waitForSelector(`article[data-own=true][data-kind=image]:not([data-message-id^=pending]) ${id("image")}`);
  await walk(page, "composer");
  await reach(page, page.locator("article[data-kind=image]"));
  await press(page, "image");
  await page.waitForSelector(id("viewer"));
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector(id("viewer"), { state: "detached" });
});

await promise("the language and the theme are switched in the page", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await page.click(id("lang-switch"));
  await page.waitForFunction(() => document.documentElement.lang.startsWith("zh"));
  assert.equal(await page.getAttribute(id("send"), "aria-label"), "发送");
  await page.click(id("theme-switch"));
  await accessible(page);
  await page.click(id("theme-switch"));
  await page.click(id("lang-switch"));
  await page.waitForFunction(() => document.documentElement.lang.startsWith("en"));
});

await promise("a phone with a Chinese browser shows it in Chinese, within its width", async (open) => {
  const page = await open(phone);
  await enter(page, "小明");
  assert.ok((await page.evaluate(() => document.documentElement.lang)).startsWith("zh"));
  await say(page, "ｄｉｎｇ");
  await hears(page, "dong");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  await accessible(page);
});

await promise("a new start of the page finds the bot again after it was away", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await say(page, "ding");
  await hears(page, "dong");
  await page.context().setOffline(true);
  await page.waitForSelector(`${id("connection")}[data-state=connecting]`);
  await page.context().setOffline(false);
  await page.waitForSelector(`${id("connection")}[data-state=online]`, { state: "attached" });
  await say(page, "echo back again");
  await page.locator("article[data-own=false] .text", { hasText: /^back again$/ }).waitFor();
  assert.equal(await page.locator("article[data-own=true] .text", { hasText: "ding" }).count(), 1);
  faults.length = 0; // what a browser says about a lost network is no fault of the page
});

await promise("what was written while the bot was away is said by itself to the one that starts again", async (open) => {
  const first = await start(`127.0.0.1:${await freePort()}`);
  const page = await open();
  await enter(page, "Ada", first.url);
  await say(page, "ding");
  await hears(page, "dong");
  await stop(first);
  await page.waitForSelector(`${id("connection")}[data-state=connecting]`);
  await say(page, "echo meanwhile");
  await page.waitForSelector(`${id("delivery")}[data-state=failed]`);
  await page.waitForTimeout(6000); // so that the page has come to wait long between its tries
  const second = await start(new URL(first.url).host);
  await page.waitForSelector(`${id("connection")}[data-state=online]`, { state: "attached" });
  await page.locator("article[data-own=false] .text", { hasText: /^meanwhile$/ }).waitFor();
  assert.equal(await page.locator("article[data-own=true]").count(), 1);
  await stop(second);
  // By hand: a message that gets through wakes the stream, too, which would not try again before the next day.
  await page.evaluate(() => {
    const { setTimeout } = window;
    window.setTimeout = (then, ms, ...more) => {
      // Beside these pauses it only has a watchdog, which is longer.
      const pauses = ms > 1400 && ms < 20_000 && new Error().stack.includes("/chat/stream.js");
      window.sleeps ||= pauses;
      return setTimeout(then, pauses ? 86_400_000 : ms, ...more);
    };
  });
  await page.waitForFunction(() => window.sleeps);
  const third = await start(new URL(first.url).host);
  await say(page, "echo by hand");
  await page.locator("article[data-own=false] .text", { hasText: /^by hand$/ }).waitFor();
  await page.waitForSelector(`${id("connection")}[data-state=online]`, { state: "attached" });
  await page.close();
  await stop(third);
  faults.length = 0; // what a browser says about a lost network is no fault of the page
});

/** Lets a page say by itself whether its tab is in front: `hide(true)`, `hide(false)`. */
const hidable = (page) =>
  page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    window.hide = (on) => {
      hidden = on;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });

await promise("the bot learns what came to a page, and what was seen there", async (open) => {
  const file = path.join(folder, "told.toml");
  fs.writeFileSync(file, `version = 1
name = "told"
[[account]]
id = "page"
puppet = "webchat"
[[plugin]]
use = "event-logger"
settings = { events = ["message-status"] }
[[plugin]]
use = "ding-dong"
`);
  const other = await start("127.0.0.1:0", [file]);
  const told = (status) => other.told.split("\n").filter((line) => line.includes(`message-status: ${status} b`)).length;
  const become = async (delivered, read) => {
    for (let tries = 0; tries < 600 && (told("delivered") < delivered || told("read") < read); tries += 1) await page.waitForTimeout(100);
    assert.deepEqual([told("delivered"), told("read")], [delivered, read]);
  };
  const page = await open();
  await hidable(page);
  await enter(page, "Ada", other.url);
  await say(page, "ding");
  await hears(page, "dong");
  await become(1, 1);
  // What comes to a tab in the back is there, and nobody has seen it.
  await page.evaluate(() => hide(true));
  await say(page, "ding");
  await become(2, 1);
  await page.waitForTimeout(1500);
  await become(2, 1);
  await page.evaluate(() => hide(false));
  await become(2, 2);
  // A reload tells nothing twice.
  await page.reload();
  await hears(page, "dong");
  await say(page, "ding");
  await become(3, 3);
  await page.close();
  assert.equal(await stop(other), 0, other.told);
});

await promise("tabs in the back hold no connection, and catch up when they are shown", async (open) => {
  const pages = [];
  // Six connections are all that a browser has for a host.
  for (let n = 0; n < 8; n += 1) {
    const page = await open();
    await hidable(page);
    await enter(page, `Tab ${n}`);
    await page.evaluate(() => hide(true));
    pages.push(page);
  }
  for (const page of pages) await page.waitForSelector(`${id("connection")}[data-state=polling]`, { state: "attached" });
  const page = pages[1];
  for (const call of ["state*", "history*"]) await page.route(`**/chat/api/${call}`, (route) => route.abort());
  await say(page, "ding");
  await page.waitForTimeout(1000);
  assert.equal(await page.locator("article", { hasText: "dong" }).count(), 0);
  await page.evaluate(() => hide(false));
  await hears(page, "dong");
  faults.length = 0; // what a browser says about calls that were cut off is no fault of the page
});

await promise("a press whose answer was lost is told again as the same press", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  await say(page, "menu");
  await page.waitForSelector(`button${id("choice")}`);
  const sent = [];
  await page.route("**/chat/api/action", (route) => {
    sent.push(JSON.parse(route.request().postData()));
    return sent.length === 1 ? route.abort() : route.continue();
  });
  await page.locator(`button${id("choice")}`).first().click();
  await page.waitForSelector(id("toast"));
  await page.locator(`button${id("choice")}`).first().click();
  await page.waitForSelector(`${id("choice")}[aria-pressed=true]`);
  assert.equal(sent.length, 2);
  assert.match(sent[0].nonce, /^[0-9a-f]{32}$/);
  assert.deepEqual(sent[0], sent[1]);
  faults.length = 0; // what a browser says about a lost call is no fault of the page
});

await promise("a join whose answer was lost is told again as the same visitor, also after a reload", async (open) => {
  const page = await open();
  const sent = [];
  await page.route("**/chat/api/join", async (route) => {
    sent.push(JSON.parse(route.request().postData()));
    if (sent.length > 1) return route.continue();
    await route.fetch(); // the bot hears of it
    return route.abort();
  });
  await page.goto(url);
  await page.fill(id("join-name"), "Ida");
  await page.press(id("join-name"), "Enter");
  await page.waitForFunction(() => document.querySelector(".trouble-line")?.textContent);
  await page.reload();
  assert.equal(await page.inputValue(id("join-name")), "Ida");
  await page.press(id("join-name"), "Enter");
  await page.waitForSelector(id("composer"));
  await hears(page, "Hello, I am a Wechaty bot");
  assert.equal(await page.textContent(id("my-name")), "Ida"); // another one would be "Ida 2"
  assert.equal(await page.locator("article").count(), 1);
  assert.match(sent[0].before, /^v\d+-[0-9a-f]{24}\.[0-9a-f]{64}$/);
  assert.deepEqual(sent[0], sent[1]);
  faults.length = 0; // what a browser says about a lost call is no fault of the page
});

await promise("a reaction says how many there are and who, in both languages", async (open) => {
  const page = await open();
  await enter(page, "Ada");
  const chips = (lang) =>
    page.evaluate(async (lang) => {
      const i18n = await import("/chat/i18n.js");
      await i18n.load(lang);
      const { messageView } = await import("/chat/message.js");
      const message = { id: "m", kind: "text", text: "hi", own: false, time: Date.now(), from: { id: "a", name: "A" } };
      const chip = (names, count) => {
        const reactions = [{ reaction: "👍", names, count, mine: true }];
        const view = messageView({ ...message, reactions }, { first: true, last: true, room: true, actions: {} });
        const node = view.querySelector(".chip");
        return { label: node.getAttribute("aria-label"), title: node.title, count: node.querySelector(".count").textContent };
      };
      return [chip(["Ann", "Bob"], 30), chip(["Ann"], 1)];
    }, lang);
  for (const lang of ["en", "zh"]) {
    const [many, one] = await chips(lang);
    assert.equal(many.count, "30");
    for (const words of [many.label, many.title]) for (const part of ["Ann", "Bob", "28"]) assert.ok(words.includes(part), words);
    for (const words of [one.label, one.title]) assert.ok(words.includes("Ann") && !words.includes("0"), words);
    assert.ok(many.label.includes("👍"), many.label);
  }
});

if (picture) {
  const page = await tab();
  await enter(page, "Ada");
  for (const text of ["ding", "echo 你好，世界！", "menu"]) {
    await say(page, text);
    await page.waitForTimeout(600);
  }
  await page.locator(id("choice"), { hasText: "Green" }).click();
  await page.waitForTimeout(800);
  await page.screenshot({ path: picture });
}

await browser.close();
const code = await stop(main);
if (code !== 0) {
  failed += 1;
  console.log(`FAIL  the bot ends well when it is told to: it ended with ${code}\n${main.told}`);
} else passed += 1;
if (failed === 0) fs.rmSync(folder, { recursive: true, force: true });
else console.log(`what is left of it lies in ${folder}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
