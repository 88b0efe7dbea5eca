/**
 * A page that dies at any statement of its sync, opened again: rows, the place up to which they are read, and the queue fit
 * each other at once, and come to what the server has.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChanges } from "../src/changes.js";
import type { LocalDatabase, Statements } from "../src/database.js";
import { runFeed } from "../src/feed.js";
import { readRows } from "../src/rows.js";
import { runSender, synclineTransport } from "../src/sender.js";
import { deleteRow, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import type { Sent } from "./driven.js";
import { contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";
import { Service, type Value } from "./service.js";

const KEYS = ["a", "b", "c", "d"];
const given = (id: string): Value => ({ id, first_name: `${id} 0`, email: null });

/** A server that does a write once, whatever comes of its answers. */
class Backend {
  readonly rows = new Map<string, Value>(KEYS.map((id) => [id, given(id)]));
  readonly service: Service;
  done = 0;
  private readonly known = new Map<string, { text: string; txid: number }>();

  constructor(name: string) {
    this.service = new Service(contactsMeta, [...this.rows.values()], name);
  }

  readonly fetch = (async (_: string, init: RequestInit) => {
    const { transactions } = JSON.parse(init.body as string) as { transactions: Sent[] };
    return Response.json({ results: transactions.map((sent) => ({ write_id: sent.write_id, status: "accepted", txid: this.take(sent) })) });
  }) as unknown as typeof fetch;

  private take({ write_id, writes }: Sent): number {
    const text = JSON.stringify(writes);
    const before = this.known.get(write_id);
    if (before) assert.equal(text, before.text, "a write that was sent is sent again as it was");
    if (before) return before.txid;
    const txid = (this.done += 1);
    this.known.set(write_id, { text, txid });
    this.service.tell(...writes.map(({ id, action, values }) => {
      const row = { ...(this.rows.get(id) ?? { id, first_name: null, email: null }), ...(values as Value) };
      if (action === "delete") this.rows.delete(id);
      else this.rows.set(id, row);
      return this.service.told(action === "create" ? "insert" : (action as "update" | "delete"), action === "delete" ? { id } : row, txid);
    }));
    return txid;
  }
}

/** A database in a process that dies at its `last` step; a step is a statement, the end of a transaction, and what comes after that. */
function dying(database: LocalDatabase, last: number): { database: LocalDatabase; steps: () => number; died: Promise<void> } {
  let steps = 0;
  let die = (): void => undefined;
  const died = new Promise<void>((resolve) => (die = resolve));
  const step = (): void => {
    steps += 1;
    if (steps < last) return;
    die();
    throw new Error("the page is gone");
  };
  const counted = (on: Statements): Statements => ({
    query: async (sql, parameters) => {
      step();
      return on.query(sql, parameters) as never;
    },
    exec: async (sql) => {
      step();
      await on.exec(sql);
    },
  });
  return {
    died,
    steps: () => steps,
    database: {
      ...database,
      ...counted(database),
      transaction: async (work) => {
        const result = await database.transaction(async (inside) => {
          const done = await work(counted(inside));
          step();
          return done;
        });
        step();
        return result;
      },
    },
  };
}

/** Sends and reads until it is told to end, or the page dies. */
function running(database: LocalDatabase, { service, fetch }: Backend): () => Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const options = { shapeUrl: "http://server/v1/shape", fetch: service.fetch };
  const both = [
    runFeed(database, contactsMeta, options, signal, () => undefined),
    runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), signal, () => undefined),
  ].map((one) => one.catch(() => controller.abort()));
  return async () => {
    controller.abort();
    await Promise.all(both);
  };
}

async function write(database: LocalDatabase): Promise<void> {
  const { dialect } = database;
  await insertRow(database, dialect, contactsMeta, { id: "new", first_name: "new" });
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "a 1" });
  await deleteRow(database, contactsMeta, "b");
  await writeTogether(database, async (inside) => {
    for (const id of ["c", "d"]) await updateRow(inside, dialect, contactsMeta, id, { email: "together" });
  });
}

/** As it was before the page had ever read, but for rows that its user has seen and written to. */
async function begin(database: LocalDatabase): Promise<void> {
  for (const table of ["_changes", "_outcomes", "_txids", "contacts_synced", "contacts_local"]) await database.query(`DELETE FROM "${table}"`);
  for (const id of KEYS) await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ($1, $2)`, [id, given(id)["first_name"]]);
  await database.query(`UPDATE "_shapes" SET "handle" = NULL, "offset" = NULL`);
  await write(database);
}

const shown = async (database: LocalDatabase): Promise<unknown[]> =>
  (await readRows(database, database.dialect, contactsMeta)).map(({ id, first_name, email }) => [id, first_name, email]).sort();
const isQuiet = async (database: LocalDatabase): Promise<boolean> => (await readChanges(database, "1 = 1")).length === 0;

for (const dialect of DIALECTS) {
  test(`a page that dies at any statement of its sync comes to what the server has, each write once (${dialect})`, async (context) => {
    const database = await openDatabase(dialect);
    let isWhole = false;
    let last = 1;
    for (; !isWhole; last += 1) {
      await begin(database);
      const mine = await shown(database);
      const backend = new Backend(`${dialect} ${last}`);
      const page = dying(database, last);
      const stop = running(page.database, backend);
      await Promise.race([page.died, until("all is sent and read", () => isQuiet(database))]);
      await stop();
      isWhole = page.steps() < last;
      // What its user has seen is seen again, whatever was under way: nothing is shown twice, or no more.
      assert.deepEqual(await shown(database), mine, `dead at step ${last}`);
      // Rows and place came together, or not at all: what was made since is in the rows or on top of them.
      const [place] = await database.query<{ handle: string | null }>(`SELECT "handle" FROM "_shapes" WHERE "entity" = 'contacts'`);
      const left = await readChanges(database, "1 = 1");
      if (place?.handle == null) assert.deepEqual(left.map(({ key }) => key), ["new", "a", "b", "c", "d"], `dead at step ${last}`);
      const end = running(database, backend);
      await until("all is sent and read", () => isQuiet(database));
      await end();
      const theirs = [...backend.rows.values()].map((row) => [row["id"], row["first_name"], row["email"]]).sort();
      assert.deepEqual([await shown(database), backend.done], [theirs, 4], `dead at step ${last}`);
      assert.deepEqual(await database.query(`SELECT * FROM "contacts_local"`), [], `dead at step ${last}`);
    }
    assert.ok(last > 20, `it has ${last} steps`);
    context.diagnostic(`${last - 1} steps`);
  });
}
