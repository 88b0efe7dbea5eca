/** How old the rows of a cached entity are, in a database and without one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readAt, useAge } from "../src/age.js";
import { memoryCollection, shownAt } from "../src/electric.js";
import { openDatabase } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";
import { render } from "./render.js";
import { Service } from "./service.js";
import { until } from "./served.js";

const cached = { ...contactsMeta, mode: "cache", ttlSeconds: 1 } as const;

test("a component tells when cached rows were read, and when that is too long ago", async () => {
  const database = await openDatabase("sqlite");
  const page = await render(() => useAge(cached, () => readAt(database, cached)));
  assert.deepEqual(page.current, { fetchedAt: undefined, isStale: true });
  // Ahead of time, so that a slow machine sees it fresh; then long ago.
  for (const [at, isStale] of [["2999-01-31T10:00:00.000Z", false], ["2026-01-31T10:00:00.000Z", true]] as const) {
    await database.query(`UPDATE "_shapes" SET "read_at" = $1 WHERE "entity" = $2`, [at, cached.name]);
    await until(`it is ${isStale ? "stale" : "fresh"}`, async () => page.current.isStale === isStale && page.current.fetchedAt?.toISOString() === at);
  }
  page.unmount();
});

test("a collection in memory knows when the server last said what it has", async () => {
  const service = new Service(contactsMeta, [{ id: "a", first_name: "Ann" }], "one");
  const collection = memoryCollection(cached, () => ({ apiUrl: "http://service", fetch: service.fetch }), {});
  assert.equal(shownAt(collection), undefined);
  const before = Date.now();
  await collection.preload();
  await until("it knows", async () => (shownAt(collection)?.getTime() ?? 0) >= before);
  await collection.cleanup();
});
