/** What the tests play on: one server, one page, and a browser for each person. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ledger, send } from "../scripts/ledger.mjs";
import { findBinary, HERE, startPage, startServer } from "../scripts/stack.mjs";

/**
 * How long anything may take that a person waits for. It is only waited out where something is wrong: a busy machine may
 * take minutes for what takes seconds on another.
 */
const PATIENCE_MS = 300_000;
/** The client's own limits are a person's: beside several browsers on a busy machine they would end what is only slow. */
const CLIENT = { timeoutMs: 60_000, confirmTimeoutMs: 600_000 };
/**
 * What PGlite says to nobody where a page has just been opened and the worker that it asked is gone, as that of the same page
 * before it was loaded again: once it is connected it asks for the level of logging and for the types of arrays, and waits for
 * neither. Nothing of the client's is lost by it: it reads no arrays, and what it has under way itself is run again.
 */
const PGLITE_ASKED_IN_VAIN = "Leader changed, pending operation in indeterminate state";
const PGLITE_ASKS_PER_LOAD = 2;
/** Another machine's address, as a browser sees it: this one answers there. What comes from it over plain HTTP is in no secure context. */
const ELSEWHERE = "192.0.2.1";
const SCREENSHOTS = join(HERE, "screenshots");

function findChromium() {
  const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((path) => path && existsSync(path));
  assert.ok(found, "these tests need Chromium: `apt-get install chromium`, or name one in CHROMIUM");
  return found;
}

/** Waits until `is` gives something that is true, and gives that. */
export async function until(what, is) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await is();
    if (found) return found;
    if (Date.now() > end) assert.fail(`never came about: ${what}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

/** Opens the stage, with the ledger of a household on the server. */
export async function openStage() {
  const binary = findBinary();
  assert.ok(binary, "these tests need the server: `cargo build`, or name it in SYNCLINE_BINARY");
  const executablePath = findChromium();
  const home = mkdtempSync(join(tmpdir(), "finance-tracker-"));
  mkdirSync(SCREENSHOTS, { recursive: true });
  const server = await startServer({ binary, data: join(home, "data"), port: 0, args: ["--shape-deletes"] });
  await send(server, server.users[0].token, ledger());
  const page = await startPage({ server, port: 0, mode: "build", client: CLIENT });
  const args = [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  const browser = await chromium.launch({ executablePath, args });
  let edited;
  /** The page in a browser of its own, whatever it shows. `prepare` is given the browser before. */
  const visit = async (address = page.url, prepare) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: "block" });
    context.setDefaultTimeout(PATIENCE_MS);
    await prepare?.(context);
    const tab = await context.newPage();
    await tab.goto(address);
    return { page: tab, picture: pictureOf(tab) };
  };
  return {
    server,
    token: (user) => server.users.find((one) => one.user === user).token,
    /** `prepare` is given the browser before its page is opened, which is there with this status. */
    person: (user, prepare, status) => openBrowser(browser, page.url, user, prepare, status),
    /** The page as it is while somebody works at it. */
    openEdited: async (user) => {
      // The build of the page has left its own word here.
      process.env.NODE_ENV = "development";
      edited = await startPage({ server, port: 0, mode: "edit", client: CLIENT });
      return openBrowser(browser, edited.url, user);
    },
    visit: (prepare) => visit(page.url, prepare),
    /** The page as another machine gives it, over plain HTTP. */
    openElsewhere: () => visit(page.url.replace("127.0.0.1", ELSEWHERE)),
    close: async () => {
      await browser.close();
      await Promise.all([page.stop(), edited?.stop()]);
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A browser of its own for a user: what it stores is no other's, and everything it sends is kept here. */
async function openBrowser(browser, url, user, prepare, status) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  context.setDefaultTimeout(PATIENCE_MS);
  const sent = [];
  const answers = [];
  const bySentRequest = new WeakMap();
  context.on("request", (request) => {
    const page = request.serviceWorker() || request.isNavigationRequest() ? undefined : request.frame().page();
    const one = { page, method: request.method(), url: request.url(), body: request.postData() ?? "" };
    bySentRequest.set(request, one);
    sent.push(one);
  });
  context.on("response", (response) => {
    const one = { url: response.url(), status: response.status() };
    answers.push(one);
    Object.assign(bySentRequest.get(response.request()) ?? {}, { status: one.status });
  });
  await prepare?.(context);
  /** `prepareTab` is given the tab before its page is opened. */
  const openTab = async (prepareTab) => {
    const opened = await context.newPage();
    await prepareTab?.(opened);
    return tabOf(opened, `${url}/?user=${user}`, sent, status);
  };
  const tab = await openTab();
  return {
    ...tab, context, sent, answers, openTab,
    goOffline: async () => {
      await context.setOffline(true);
      await tab.hasStatus("Offline");
    },
    goOnline: () => context.setOffline(false),
    /** Keeps writes from the server until the function that it gives is called. */
    holdWrites: async () => {
      let release;
      const held = new Promise((resolve) => (release = resolve));
      await context.route("**/api/writes", async (route) => {
        await held;
        await route.continue();
      });
      return async () => {
        release();
        await context.unrouteAll({ behavior: "wait" });
      };
    },
  };
}

const pictureOf = (page) => (name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });

/** A tab with the books open, and what a person does in it. */
async function tabOf(page, address, sent, status = "Online") {
  const failures = [];
  let asks = 0;
  page.on("domcontentloaded", () => (asks = PGLITE_ASKS_PER_LOAD));
  page.on("pageerror", (error) => {
    const isAsk = error.message === PGLITE_ASKED_IN_VAIN && asks > 0;
    if (isAsk) console.error(`asked in vain: ${(asks -= 1)}, ${page.url()}`);
    else failures.push(error);
  });
  await page.goto(address);
  const tab = {
    page, failures,
    hasStatus: (text) => page.getByRole("status", { name: "Connection" }).filter({ hasText: text }).waitFor(),
    /** Opens a page of the books, and waits until it is the one that is shown, with nothing searched for. */
    go: async (title) => {
      await page.getByRole("link", { name: title }).first().click();
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      if (title === "Transactions") await page.getByLabel("Search").fill("");
    },
    row: (text) => page.locator("[data-id]").filter({ hasText: text }).first(),
    sees: (text) => page.locator("[data-id]").filter({ hasText: text }).first().waitFor(),
    seesNot: (text) => page.locator("[data-id]").filter({ hasText: text }).first().waitFor({ state: "detached" }),
    /** Opens the form of a thing, writes into its fields, and saves. */
    fill: async (opener, fields) => {
      await page.getByRole("button", { name: opener, exact: true }).click();
      // It has one of the accounts once they have come; without one it would ask for it.
      const account = page.getByRole("dialog").getByLabel("Account");
      if (opener === "New transaction") await until("an account is chosen", async () => (await account.inputValue()) !== "");
      for (const [label, value] of Object.entries(fields)) {
        const field = page.getByRole("dialog").getByLabel(label, { exact: false }).first();
        if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption({ label: value });
        else await field.fill(value);
      }
      await page.getByRole("dialog").getByRole("button", { name: /^(Add|Save)$/ }).click();
    },
    isSaved: () => page.getByRole("dialog").waitFor({ state: "detached" }),
    /**
     * The server has answered this browser's write with this word in it, and nothing is on its way any more. What was written
     * before has gone before it; the status alone is read from the queue a while after a form has closed.
     */
    isDrained: async (word) => {
      await until(`${word} is answered`, () => sent.some(({ url, body, status }) => url.endsWith("/api/writes") && body.includes(word) && status === 200));
      await page.getByRole("status", { name: "Connection" }).filter({ hasText: /^Online$/ }).waitFor();
    },
    picture: pictureOf(page),
  };
  await tab.hasStatus(status);
  return tab;
}
