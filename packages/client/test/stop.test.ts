/** A sync that was stopped: it has ended, and nothing of it waits for a clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { runFeed } from "../src/feed.js";
import { startSync, type SyncOptions } from "../src/sync.js";
import { insertRow } from "../src/writes.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";
import { Service } from "./service.js";

/** The timers that this package's own code has set and not cleared. None of them ever comes. */
function watchTimers(context: { after: (end: () => void) => void }): Set<unknown> {
  const live = new Set<unknown>();
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const isOurs = (): boolean => /dist-test\/src\//.test(new Error().stack?.split("\n")[3] ?? "");
  const watched = (set: (run: () => void, ms: number) => unknown) => (run: () => void, ms: number) => {
    if (!isOurs()) return set(run, ms);
    const timer = set(() => assert.fail("a day has gone by"), 86_400_000);
    live.add(timer);
    return timer;
  };
  const clearing = (clear: typeof clearTimeout) => (timer: never) => {
    live.delete(timer);
    clear(timer);
  };
  Object.assign(globalThis, {
    setTimeout: watched(setTimeout), setInterval: watched(setInterval),
    clearTimeout: clearing(clearTimeout), clearInterval: clearing(clearInterval),
  });
  context.after(() => void Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval }));
  return live;
}

/** A server that is busy with every write, and never answers whoever reads. */
const busy = (async (url, init) => {
  if (!String(url).includes("/v1/shape")) return new Response("", { status: 503 });
  return new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)));
}) as typeof fetch;

const rest = ({ key }: Change) => ({ method: "POST", path: `/contacts/${key}` });

for (const writes of ["syncline", rest] as const) {
  test(`nothing waits after the end of a sync with a busy server (${typeof writes})`, async (context) => {
    const timers = watchTimers(context);
    const database = await openDatabase("sqlite");
    await insertRow(database, "sqlite", contactsMeta, { id: "a", first_name: "Ann" });
    const options: SyncOptions = { apiUrl: "http://server", database, schema: schemaOf("sqlite"), fetch: busy, writes };
    const sync = startSync(options);
    // That of what nobody asks for any more, and the pause before the next try.
    while (timers.size < 2) await new Promise((resume) => setImmediate(resume));
    await sync.stop();
    assert.equal(timers.size, 0);
  });
}

test("a sync can be stopped as soon as it was started", async () => {
  const database = await openDatabase("sqlite");
  const sync = startSync({ apiUrl: "http://server", database, schema: schemaOf("sqlite"), fetch: busy });
  await sync.stop();
  assert.equal(sync.state().isLeader, false);
});

test("a sync can be stopped at each of the questions it begins with", async () => {
  for (let last = 1; last <= 3; last += 1) {
    const database = await openDatabase("sqlite");
    const controller = new AbortController();
    let asked = 0;
    const query: LocalDatabase["query"] = (text, parameters) => {
      if ((asked += 1) === last) controller.abort();
      return database.query(text, parameters);
    };
    const feed = runFeed({ ...database, query }, contactsMeta, { shapeUrl: "http://server/v1/shape", fetch: busy }, controller.signal, () => undefined);
    // The third is never asked.
    if (last === 3) setImmediate(() => controller.abort());
    await feed;
  }
});

test("what comes after the end of a sync is not written", async () => {
  const opened = await openDatabase("sqlite");
  let isClosed = false;
  let late = 0;
  const database: LocalDatabase = {
    ...opened,
    query: (text, parameters) => {
      late += Number(isClosed);
      return opened.query(text, parameters);
    },
    transaction: (work) => {
      late += Number(isClosed);
      return opened.transaction(work);
    },
  };
  const service = new Service(contactsMeta, [{ id: "a", first_name: "Ann" }], "a late service");
  const bodies: (() => void)[] = [];
  const fetch = (async (url, init) => {
    const answer = await service.fetch(String(url), init);
    const text = await answer.text();
    const body = new ReadableStream<Uint8Array>({
      start: (to) => void bodies.push(() => {
        to.enqueue(new TextEncoder().encode(text));
        to.close();
      }),
    });
    return new Response(body, answer);
  }) as typeof globalThis.fetch;
  const controller = new AbortController();
  const feed = runFeed(database, contactsMeta, { shapeUrl: "http://server/v1/shape", fetch }, controller.signal, () => undefined);
  await until("an answer is on its way", () => Promise.resolve(bodies.length === 1));
  controller.abort();
  await feed;
  isClosed = true;
  bodies.forEach((come) => come());
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resume) => setImmediate(resume));
  assert.equal(late, 0);
});
