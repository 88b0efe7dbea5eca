/** A feed goes on: whatever comes in the server's place, whichever window is looked at, whoever else opens the database. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { LocalDatabase } from "../src/database.js";
import { runFeed, type FeedState } from "../src/feed.js";
import { openSchema } from "../src/opening.js";
import { readRow, readRows } from "../src/rows.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { generated } from "./documents.js";
import { contactsMeta } from "./generated/meta.js";
import { DOCUMENT, until, type Context } from "./served.js";
import { Service } from "./service.js";

let made = 0;
const ann = { id: "a", first_name: "Ann" };
const names = async (database: LocalDatabase): Promise<string> =>
  (await readRows(database, "sqlite", contactsMeta)).map((row) => row["first_name"]).sort().join();

/** A feed of contacts, of whose requests `before` may answer some in the service's place. */
async function feeding(context: Context, before: (asked: number, init?: RequestInit) => Response | undefined) {
  const database = await openDatabase("sqlite");
  const service = new Service(contactsMeta, [ann], `going on ${(made += 1)}`);
  const controller = new AbortController();
  const states: FeedState[] = [];
  let asked = 0;
  const fetch = (async (url, init) => before((asked += 1), init) ?? service.fetch(String(url), init)) as typeof globalThis.fetch;
  const running = runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch }, controller.signal, (state) => states.push(state));
  context.after(async () => {
    controller.abort();
    await running;
  });
  const shows = (wanted: string): Promise<void> => until(`${wanted} is shown`, async () => (await names(database)) === wanted);
  return { database, service, states, shows };
}

test("a feed goes on while its window is hidden: it may be another that is looked at", async (context) => {
  let see = (): void => undefined;
  const page = { hidden: false, addEventListener: (_: string, seen: () => void) => void (see = seen), removeEventListener: () => undefined };
  Object.assign(globalThis, { document: page });
  context.after(() => void Reflect.deleteProperty(globalThis, "document"));
  const { service, shows } = await feeding(context, () => undefined);
  await shows("Ann");
  page.hidden = true;
  see();
  service.tell(service.told("update", { ...ann, first_name: "Anna" }));
  await shows("Anna");
});

test("a feed goes on after a network's sign-in page was answered in the server's place", async (context) => {
  const { states, shows } = await feeding(context, (asked) => (asked <= 2 ? new Response("<html>Sign in to this network</html>") : undefined));
  await shows("Ann");
  assert.ok(states.some(({ status }) => status === "waiting"));
  assert.equal(states.at(-1)?.status, "live");
});

test("a feed goes on after its user has signed in again, however often it was refused", async (context) => {
  context.mock.method(Math, "random", () => 0);
  context.mock.method(console, "warn", () => undefined);
  const { states, shows } = await feeding(context, (asked) => (asked <= 120 ? Response.json({ message: "who are you?" }, { status: 401 }) : undefined));
  await shows("Ann");
  assert.ok(states.some(({ status }) => status === "unauthorized"));
  assert.equal(states.at(-1)?.status, "live");
});

test("a feed reads all rows anew where the server's log ends before what it has read", async (context) => {
  const { service, states, shows } = await feeding(context, () => undefined);
  await shows("Ann");
  service.tell(service.told("insert", { id: "b", first_name: "Bob" }));
  await shows("Ann,Bob");
  service.putBack(ann, { id: "c", first_name: "Cy" });
  await shows("Ann,Cy");
  service.tell(service.told("update", { ...ann, first_name: "Anna" }));
  await shows("Anna,Cy");
  assert.deepEqual(states.filter(({ status }) => status === "refused"), []);
});

test("a feed is refused whose offset does not reach the server", async (context) => {
  context.mock.method(console, "warn", () => undefined);
  const unnamed = () => Response.json({ message: "Invalid request", errors: { offset: ["can't be blank"] } }, { status: 400 });
  const { states, shows } = await feeding(context, (asked) => (asked <= 2 ? unnamed() : undefined));
  await shows("Ann");
  assert.deepEqual(states.map(({ status }) => status), ["loading", "refused", "refused", "live"]);
});

test("a feed fetches all rows again that another version of the page has let go meanwhile", async (context) => {
  const { database, service, shows } = await feeding(context, () => undefined);
  await shows("Ann");
  const newer = generated(readFileSync(DOCUMENT, "utf8").replace("        email:", "        nick: { type: string }\n        email:"));
  await openSchema(database, newer("sqlite"));
  service.tell(service.told("update", { ...ann, first_name: "Anna" }), service.told("insert", { id: "b", first_name: "Bob" }));
  await shows("Anna,Bob");
});

test("a feed says that it is connected as soon as the browser is, and not when there is news", async (context) => {
  const page = new EventTarget();
  Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page) });
  context.after(() => {
    for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name);
  });
  let isOffline = false;
  let leave = (): void => undefined;
  const { states, service, shows } = await feeding(context, (_, init) => {
    if (isOffline) throw new TypeError("fetch failed");
    leave = () => init?.signal?.dispatchEvent(new Event("abort"));
    return undefined;
  });
  await shows("Ann");
  await until("it waits for news", async () => service.asked.at(-1)?.searchParams.get("live") === "true");
  isOffline = true;
  leave();
  await until("it is told", async () => states.at(-1)?.status === "waiting");
  isOffline = false;
  page.dispatchEvent(new Event("online"));
  await until("it is connected", async () => states.at(-1)?.status === "live");
  service.tell(service.told("update", { ...ann, first_name: "Anna" }));
  await shows("Anna");
});

for (const dialect of DIALECTS) {
  test(`columns of lists are read whole and by their changes, as the lists that they are (${dialect})`, async (context) => {
    const database = await openDatabase(dialect);
    const service = new Service(contactsMeta, [{ ...ann, tags: '{red,"dark blue",NULL}' }], `lists ${dialect}`);
    service.types = { tags: { type: "text", dims: 1 } };
    const controller = new AbortController();
    const options = { shapeUrl: "http://service/v1/shape", fetch: service.fetch };
    const running = runFeed(database, contactsMeta, options, controller.signal, () => undefined);
    context.after(async () => {
      controller.abort();
      await running;
    });
    const shows = (tags: unknown): Promise<void> => until("the list is shown", async () =>
      JSON.stringify((await readRow(database, dialect, contactsMeta, "a"))?.["tags"]) === JSON.stringify(tags));
    await shows(["red", "dark blue", null]);
    service.tell(service.told("update", { id: "a", tags: '{"light blue"}' }));
    await shows(["light blue"]);
    service.types = { tags: { type: "int4", dims: 1 } };
    service.reset({ ...ann, tags: "{1,2}" });
    await shows([1, 2]);
    service.tell(service.told("update", { id: "a", tags: "{3}" }));
    await shows([3]);
  });
}
