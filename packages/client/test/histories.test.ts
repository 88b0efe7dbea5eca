/**
 * Random histories of writes, answers and rows from a server, on both databases, against a model that
 * knows nothing of triggers: what is shown is the server's row with the shown changes on top, whatever
 * the order in which answers and rows come.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChanges, type Change } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import type { EntityMeta, Row } from "../src/entity.js";
import { readRows } from "../src/rows.js";
import { deleteRow, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";

const KEYS = ["a", "b", "c"];
const SEEDS = Number(process.env["HISTORIES"] ?? 3);
const STEPS = 120;

/** Numbers in [0, below) that follow from a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

type Values = Record<string, string | boolean | null>;

/** The server: rows, and the place in its log. */
class Server {
  readonly rows = new Map<string, Values>();
  seq = 0;

  /** Applies changes as one; undefined: one of them can't be. */
  accept(changes: readonly Change[]): number | undefined {
    const after = new Map(this.rows);
    for (const { key, operation, value } of changes) {
      const row = after.get(key);
      if (operation === "insert" ? row : !row) {
        // A change or delete of a row that is gone changes nothing.
        if (operation !== "insert") continue;
        return undefined;
      }
      if (operation === "delete") after.delete(key);
      else after.set(key, { ...row, ...(value as Values) });
    }
    this.rows.clear();
    for (const [key, row] of after) this.rows.set(key, row);
    this.seq += 1;
    return this.seq;
  }
}

/** What must be shown: the synced row, and on it what is shown of the changes, in order. */
function expected(meta: EntityMeta, synced: ReadonlyMap<string, Values>, changes: readonly Change[]): Map<string, Values> {
  const rows = new Map([...synced].map(([key, row]) => [key, { ...row }]));
  for (const change of changes) {
    const isShown = change.state === "acknowledged" || (change.mode === "optimistic" && change.state !== "rejected");
    if (!isShown || change.entity !== meta.name) continue;
    const row = rows.get(change.key);
    if (change.operation === "delete") rows.delete(change.key);
    else if (change.operation === "insert") rows.set(change.key, { ...row, ...(change.value as Values) });
    else if (row) rows.set(change.key, { ...row, ...(change.value as Values) });
  }
  return rows;
}

async function shown(database: LocalDatabase, meta: EntityMeta, columns: readonly string[]): Promise<Map<string, Values>> {
  const rows = await readRows(database, database.dialect, meta);
  return new Map(rows.map((row) => [row[meta.key] as string, picked(row, columns)]));
}

const picked = (row: Row, columns: readonly string[]): Values =>
  Object.fromEntries(columns.map((name) => [name, (row[name] ?? null) as string | boolean | null]));

const sorted = (rows: ReadonlyMap<string, Values>, columns: readonly string[]): [string, Values][] =>
  [...rows].map(([key, row]): [string, Values] => [key, picked(row, columns)]).sort(([one], [other]) => (one < other ? -1 : 1));

for (const dialect of DIALECTS) {
  for (const { meta, columns } of [
    { meta: contactsMeta, columns: ["first_name", "email", "active"] },
    { meta: accountsMeta, columns: ["name", "closed"] },
  ]) {
    test(`random histories of ${meta.mode} writes show what the model shows (${dialect})`, async () => {
      for (let seed = 0; seed < SEEDS; seed += 1) await history(await openDatabase(dialect), meta, columns, seed);
    });
  }
}

async function history(database: LocalDatabase, meta: EntityMeta, columns: readonly string[], seed: number): Promise<void> {
  const below = generator(seed);
  const one = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const server = new Server();
  const synced = new Map<string, Values>();
  const values = (): Values =>
    Object.fromEntries(columns.filter(() => below(2) === 0).map((name) => [
      name, name === "active" || name === "closed" ? one([true, false, null]) : one(["x", "y", "z", null, "O'Neil \"q\""]),
    ]));
  const log: string[] = [];

  const write = async (): Promise<void> => {
    const key = one(KEYS);
    const visible = await shown(database, meta, columns);
    const what = below(4);
    const given = values();
    log.push(`write ${what} ${key} ${JSON.stringify(given)}`);
    if (!visible.has(key)) {
      const isTaken = (await readChanges(database, `"entity" = $1 AND "key" = $2 AND "state" <> 'rejected'`, [meta.name, key])).length > 0;
      if (isTaken && meta.mode === "confirmed") return;
      const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
      await insertRow(database, database.dialect, meta, { [meta.key]: key, ...set });
    } else if (what === 0) {
      await deleteRow(database, meta, key);
    } else if (what === 1) {
      await writeTogether(database, async (inside) => {
        for (const other of KEYS) if (visible.has(other)) await updateRow(inside, database.dialect, meta, other, given);
      });
    } else {
      await updateRow(database, database.dialect, meta, key, given);
    }
  };

  /** Sends some of the queue; an answer is an acceptance or a refusal. */
  const send = async (mayRefuse: boolean): Promise<void> => {
    const unsent = await readChanges(database, `"state" IN ('pending', 'sending')`);
    const first = unsent[0];
    if (!first) return;
    const together = unsent.filter((change) => change.id === first.id || (first.transactionId !== null && change.transactionId === first.transactionId));
    await database.query(`UPDATE "_changes" SET "state" = 'sending' WHERE "id" IN (${together.map(({ id }) => id).join(", ")})`);
    if (below(4) === 0) return void log.push("answer lost");
    if (below(3) === 0) await write();
    const seq = mayRefuse && below(4) === 0 ? undefined : server.accept(together);
    log.push(`answer ${seq ?? "refused"} ${JSON.stringify(together.map(({ operation, key, value }) => [operation, key, value]))}`);
    if (seq === undefined) {
      await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`, [first.writeId, `{"code":"refused","message":"no"}`]);
    } else {
      await database.query(
        `UPDATE "_changes" SET "state" = 'acknowledged', "seq" = $1 WHERE "state" = 'sending' AND "id" IN (${together.map(({ id }) => id).join(", ")})`, [seq]);
    }
  };

  /** Brings the server's rows, all of them or one by one. */
  const feed = async (): Promise<void> => {
    log.push(`feed ${server.seq}`);
    await database.transaction(async (inside) => {
      const table = `"${meta.name}_synced"`;
      if (below(3) === 0) {
        await inside.query(`DELETE FROM ${table}`);
        synced.clear();
      }
      for (const key of new Set([...synced.keys(), ...server.rows.keys()])) {
        const row = server.rows.get(key);
        const had = synced.get(key);
        if (!row) await inside.query(`DELETE FROM ${table} WHERE "id" = $1`, [key]);
        else {
          const cells = columns.map((name) => (database.dialect === "sqlite" && typeof row[name] === "boolean" ? Number(row[name]) : (row[name] ?? null)));
          if (had) await inside.query(`UPDATE ${table} SET ${columns.map((name, at) => `"${name}" = $${at + 2}`).join(", ")} WHERE "id" = $1`, [key, ...cells]);
          else await inside.query(`INSERT INTO ${table} ("id", ${columns.map((name) => `"${name}"`).join(", ")}) VALUES ($1, ${columns.map((_, at) => `$${at + 2}`).join(", ")})`, [key, ...cells]);
        }
      }
      await inside.query(`UPDATE "_shapes" SET "seq" = $1 WHERE "entity" = $2`, [server.seq, meta.name]);
    });
    synced.clear();
    for (const [key, row] of server.rows) synced.set(key, { ...row });
  };

  const check = async (): Promise<void> => {
    const changes = await readChanges(database, `"entity" = $1`, [meta.name]);
    const context = `${database.dialect} seed ${seed}\n${log.slice(-12).join("\n")}\n${JSON.stringify(changes)}`;
    assert.deepEqual(sorted(await shown(database, meta, columns), columns), sorted(expected(meta, synced, changes), columns), context);
    for (const { operation, value, base } of changes) {
      if (operation === "update") assert.deepEqual(Object.keys(value).sort(), Object.keys(base).sort(), context);
    }
  };

  for (let step = 0; step < STEPS; step += 1) {
    const what = below(10);
    if (what < 5) await write();
    else if (what < 8) await send(true);
    else if (what < 9) await feed();
    else {
      const row = Object.fromEntries(columns.map((name) => [name, name === "active" || name === "closed" ? one([true, false]) : one(["server", "s2"])]));
      log.push("remote write");
      server.rows.set(one(KEYS), row);
      server.seq += 1;
    }
    await check();
  }
  while ((await readChanges(database, `"state" IN ('pending', 'sending')`)).length > 0) {
    await send(false);
    await check();
  }
  await feed();
  await check();
  assert.deepEqual(sorted(await shown(database, meta, columns), columns), sorted(server.rows, columns), `${database.dialect} seed ${seed}: drained\n${log.slice(-20).join("\n")}`);
  const left = await database.query(`SELECT * FROM "${meta.name}_local" WHERE "_write_id" IS NOT NULL`);
  assert.deepEqual(left, [], `seed ${seed}: nothing stays on top`);
}
