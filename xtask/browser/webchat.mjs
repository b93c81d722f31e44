// The web chat in a real browser, as its visitors use it.
// node webchat.mjs WECHATY CHROMIUM AXE [PICTURE]: prints a line a promise, then `N passed, M failed`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const [wechaty, executablePath, axeFile, picture] = process.argv.slice(2);
const axeSource = fs.readFileSync(axeFile, "utf8");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wechaty-webchat-"));
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC", "base64");

// The bot: a free port of loopback, told on standard error.
const bot = spawn(wechaty, ["--lang", "en", "run", "--puppet", "webchat", "--listen", "127.0.0.1:0"], { cwd: folder });
let told = "";
const url = await new Promise((found, failed) => {
  bot.on("exit", (code) => failed(new Error(`the bot ended with ${code}: ${told}`)));
  bot.stderr.on("data", (data) => {
    told += data;
    const at = told.match(/http:\/\/127\.0\.0\.1:\d+/);
    if (at) found(at[0]);
  });
});

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
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const expected = /Failed to load resource/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(`console: ${message.text()}`);
  });
  return page;
}

async function enter(page, name) {
  await page.goto(url);
  await page.fill(id("join-name"), name);
  await page.press(id("join-name"), "Enter");
  await page.waitForSelector(id("composer"));
}

async function say(page, text) {
  await page.fill(id("composer"), text);
  await page.press(id("composer"), "Enter");
}

const message = (page, text) => page.locator("article", { hasText: text }).first();
const hears = (page, text) => message(page, text).waitFor();

/** Nothing serious for people who use a screen reader, a keyboard, or have weak eyes. */
async function accessible(page) {
  await page.evaluate(axeSource);
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
  await page.click(id("lang-switch"));
  await page.waitForFunction(() => document.documentElement.lang.startsWith("en"));
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

await promise("after a reload the visitor and the history are there, and another tab is somebody else", async (open) => {
  const [page, other] = [await open(), await open()];
  await enter(page, "Lin");
  for (let i = 0; i < 3; i += 1) await say(page, `echo number ${i}`);
  await page.waitForFunction(() => document.querySelectorAll("article[data-own=false]").length >= 3);
  await page.reload();
  await hears(page, "number 2");
  assert.equal(await page.textContent(id("my-name")), "Lin");
  const texts = await page.locator("article[data-own=true] .text").allTextContents();
  assert.deepEqual(texts.filter((text) => text.startsWith("echo number")), ["echo number 0", "echo number 1", "echo number 2"]);
  await enter(other, "Grace");
  assert.equal(await other.locator("article", { hasText: "number 0" }).count(), 0);
});

await promise("the keyboard alone is enough", async (open) => {
  const page = await open();
  await page.goto(url);
  const focus = () => page.evaluate(() => document.activeElement?.dataset?.testid ?? "");
  for (let i = 0; i < 20 && (await focus()) !== "join-name"; i += 1) await page.keyboard.press("Tab");
  await page.keyboard.type("Key");
  await page.keyboard.press("Enter");
  await page.waitForSelector(id("composer"));
  for (let i = 0; i < 60 && (await focus()) !== "composer"; i += 1) await page.keyboard.press("Tab");
  await page.keyboard.type("menu");
  await page.keyboard.press("Enter");
  await page.waitForSelector(id("choice"));
  for (let i = 0; i < 60 && (await focus()) !== "choice"; i += 1) await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await hears(page, "No tea, then."); // backwards from the message field, the last choice comes first
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
  await hears(page, "back again");
  assert.equal(await page.locator("article[data-own=true] .text", { hasText: "ding" }).count(), 1);
  faults.length = 0; // what a browser says about a lost network is no fault of the page
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
bot.removeAllListeners("exit");
const ended = new Promise((done) => bot.on("exit", done));
bot.kill("SIGTERM");
const code = await ended;
if (code !== 0) {
  failed += 1;
  console.log(`FAIL  the bot ends well when it is told to: it ended with ${code}\n${told}`);
} else passed += 1;
if (failed === 0) fs.rmSync(folder, { recursive: true, force: true });
else console.log(`what is left of it lies in ${folder}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
