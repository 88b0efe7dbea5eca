/** How a sync is started, begun again and ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingChanges } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { shapeUrlOf, startSync, type Sync } from "../src/sync.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contact } from "./driven.js";
import { until } from "./served.js";

test("shapes lie below the same path as the writes", (context) => {
  assert.equal(shapeUrlOf({ apiUrl: "https://host/sync" }), "https://host/sync/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host/sync/" }), "https://host/sync/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host" }), "https://host/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host", shapeUrl: "https://electric/v1/shape" }), "https://electric/v1/shape");
  assert.throws(() => shapeUrlOf({}), /apiUrl/);
  Object.assign(globalThis, { location: { href: "https://page/deep/inside" } });
  context.after(() => Reflect.deleteProperty(globalThis, "location"));
  assert.equal(shapeUrlOf({}), "https://page/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "/sync" }), "https://page/sync/v1/shape");
});

/** A sync whose server holds back every answer to a write until the test lets it go; `underWay` is how many it holds. */
async function slow(): Promise<{ database: LocalDatabase; sync: Sync; held: (() => void)[]; most: () => number; asked: () => number }> {
  const database = await openDatabase("sqlite");
  const held: (() => void)[] = [];
  let [underWay, most, asked] = [0, 0, 0];
  const fetch = (async (url, init) => {
    const aborted = new Promise<never>((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)));
    if (String(url).includes("/v1/shape")) return aborted;
    asked += 1;
    underWay += 1;
    most = Math.max(most, underWay);
    const { transactions } = JSON.parse(init?.body as string) as { transactions: { write_id: string }[] };
    try {
      await Promise.race([new Promise<void>((go) => held.push(go)), aborted]);
    } finally {
      underWay -= 1;
    }
    return Response.json({ results: transactions.map(({ write_id }, at) => ({ write_id, status: "accepted", seq: at + 1, txid: at + 1 })) });
  }) as typeof globalThis.fetch;
  const sync = startSync({ apiUrl: "http://server", database, schema: schemaOf("sqlite"), fetch });
  return { database, sync, held, most: () => most, asked: () => asked };
}

test("a sync that is begun again many times has one sender", async () => {
  const { database, sync, held, most } = await slow();
  for (let times = 0; times < 5; times += 1) sync.restart();
  await contact(database, "a");
  await until("it is sent", async () => held.length > 0);
  sync.restart();
  sync.restart();
  await until("it is sent again", async () => held.length > 1);
  held.at(-1)!();
  await until("it has its answer", async () => (await pendingChanges(database)).length === 0);
  assert.equal(most(), 1);
  assert.equal(sync.state().isLeader, true);
  await sync.stop();
});

test("a sync that is begun again and stopped at once sends nothing any more", async () => {
  const { database, sync, asked } = await slow();
  sync.restart();
  await sync.stop();
  sync.restart();
  await contact(database, "a");
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resume) => setImmediate(resume));
  assert.deepEqual([asked(), sync.state().isLeader], [0, false]);
});

test("a fault ends with the run that it was of", async () => {
  const database = await openDatabase("sqlite");
  let isBroken = true;
  const guarded = <T>(work: () => Promise<T>): Promise<T> => (isBroken ? Promise.reject(new Error("the database is gone")) : work());
  const broken: LocalDatabase = {
    ...database, query: (...of) => guarded(() => database.query(...of) as Promise<never>), transaction: (work) => guarded(() => database.transaction(work)),
  };
  const fetch = (async (_url, init) =>
    new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)))) as typeof globalThis.fetch;
  const sync = startSync({ apiUrl: "http://server", database: broken, schema: schemaOf("sqlite"), fetch });
  await until("it has ended", async () => sync.state().fault?.message === "the database is gone");
  isBroken = false;
  sync.restart();
  await until("it runs again", async () => sync.state().isLeader);
  assert.equal(sync.state().fault, undefined);
  await sync.stop();
});
