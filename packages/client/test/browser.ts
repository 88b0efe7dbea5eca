/** A real browser with pages in it: headless Chromium, that of the system. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import type { Context } from "./served.js";

/** How long anything may take that a person waits for. It is only waited out where something is wrong. */
const PATIENCE_MS = 300_000;

function findChromium(): string {
  const places = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((path) => path && existsSync(path));
  assert.ok(found, "this test needs Chromium: `apt-get install chromium`, or name one in CHROMIUM");
  return found;
}

/** Starts a browser, which ends with the test. */
export async function openBrowser(context: Context): Promise<BrowserContext> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
  context.after(() => browser.close());
  const opened = await browser.newContext();
  opened.setDefaultTimeout(PATIENCE_MS);
  return opened;
}

/** Waits until a page gives something, asked again and again, that `is` takes; tells what it gave in the end where it never does. */
export async function untilShown<T>(page: Page, what: string, ask: (page: Page) => Promise<T>, is: (found: T) => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    // A page that is being loaded can't be asked.
    const found = await ask(page).catch((error: unknown) => error as Error);
    if (!(found instanceof Error) && is(found)) return;
    if (Date.now() > end) assert.fail(`never came about: ${what}; the page has ${found instanceof Error ? found.message : JSON.stringify(found)}`);
    await page.waitForTimeout(50);
  }
}
