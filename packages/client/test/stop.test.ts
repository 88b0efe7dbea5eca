/** A sync that was stopped: it has ended, and nothing of it waits for a clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../src/changes.js";
import { startSync, type SyncOptions } from "../src/sync.js";
import { insertRow } from "../src/writes.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";

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
