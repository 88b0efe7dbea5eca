/**
 * Random histories of writes, answers and rows from a server, on both databases, against a model: what is
 * shown and what waits must be the same after each step, whatever the order in which answers and rows come.
 *
 * HISTORIES says how many seeds are run; HISTORY runs one alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChanges, type Change } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { held, type EntityMeta, type Row } from "../src/entity.js";
import { readRows } from "../src/rows.js";
import { deleteRow, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { Model, type Values } from "./model.js";

const KEYS = ["a", "b", "c"];
const SEEDS = process.env["HISTORY"] === undefined
  ? Array.from({ length: Number(process.env["HISTORIES"] ?? 3) }, (_, seed) => seed)
  : [Number(process.env["HISTORY"])];
const STEPS = 120;

/** Numbers in [0, below) that follow from a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** The server: rows, and the place in its log. */
class Server {
  readonly rows = new Map<string, Values>();
  // Places of one digit and of two are soon compared.
  seq = 6;

  /** Applies changes as one; undefined: one of them can't be. */
  accept(changes: readonly Change[]): number | undefined {
    const after = new Map(this.rows);
    for (const { key, operation, value } of changes) {
      const row = after.get(key);
      if (operation === "insert" && row) return undefined;
      // A change or delete of a row that is gone changes nothing.
      if (operation !== "insert" && !row) continue;
      if (operation === "delete") after.delete(key);
      else after.set(key, { ...row, ...(value as Values) });
    }
    this.rows.clear();
    for (const [key, row] of after) this.rows.set(key, row);
    this.seq += 1;
    return this.seq;
  }
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
  for (const { meta, columns, own, naming } of [
    { meta: contactsMeta, columns: ["first_name", "email", "active"], own: "local_notes", naming: "email" },
    { meta: accountsMeta, columns: ["name", "closed"], own: "hint", naming: "name" },
  ]) {
    test(`random histories of ${meta.mode} writes show what the model shows (${dialect})`, async (context) => {
      const seen = new Map<string, number>();
      for (const seed of SEEDS) await history(await openDatabase(dialect), meta, columns, own, naming, seed, seen);
      context.diagnostic(`seeds ${SEEDS.join(" ")}: ${[...seen].sort().map(([what, count]) => `${count} ${what}`).join(", ")}`);
    });
  }
}

async function history(
  database: LocalDatabase, meta: EntityMeta, columns: readonly string[], own: string, naming: string, seed: number, seen: Map<string, number>,
): Promise<void> {
  const below = generator(seed);
  const one = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const server = new Server();
  const model = new Model(meta.mode as "optimistic" | "confirmed", database.dialect, own, naming);
  // A document would say it: here rows name others of their own entity.
  await database.query(`INSERT INTO "_references" ("entity", "field", "target") VALUES ($1, $2, $1)`, [meta.name, naming]);
  const log: string[] = [];
  const note = (what: string, details = ""): void => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
    log.push(`${what} ${details}`);
  };
  const values = (): Values =>
    Object.fromEntries(columns.filter(() => below(2) === 0).map((name) => [
      name, name === "active" || name === "closed" ? one([true, false, null]) : one(name === naming ? [...KEYS, null] : ["x", "y", "z", null, "O'Neil \"q\""]),
    ]));
  const unsent = (key?: string): boolean =>
    model.changes.some((change) => (key === undefined || change.key === key) && (change.state === "pending" || change.state === "sending"));

  /** Whether a column waits that is not shown: what setting it back comes to is tried elsewhere. */
  const isHidden = (name: string, keys: readonly string[]): boolean =>
    meta.mode === "confirmed" && model.changes.some(({ key, value, state }) => keys.includes(key) && name in value && (state === "pending" || state === "sending"));

  const write = async (): Promise<void> => {
    const key = one(KEYS);
    const visible = model.shown();
    const what = below(4);
    const given = Object.fromEntries(Object.entries(values()).filter(([name]) => !isHidden(name, what === 1 ? KEYS : [key])));
    const details = `${key} ${JSON.stringify(given)}`;
    if (!visible.has(key)) {
      const isTaken = model.changes.some((change) => change.key === key && change.state !== "rejected");
      if (isTaken && meta.mode === "confirmed") return;
      note(isTaken ? "reinserts" : "inserts", details);
      const kept = one(["kept", "kept too", null]);
      await insertRow(database, database.dialect, meta, { [meta.key]: key, ...given, [own]: kept });
      model.insert(key, held(meta, given), kept);
    } else if (what === 0) {
      note("deletes", key);
      await deleteRow(database, meta, key);
      model.delete(key, columnsOf(meta));
    } else if (what === 1) {
      note("writes together", details);
      const keys = KEYS.filter((other) => visible.has(other));
      await writeTogether(database, async (inside) => {
        for (const other of keys) await updateRow(inside, database.dialect, meta, other, given);
      });
      model.updateTogether(keys, given);
    } else {
      note("updates", details);
      const kept = below(3) === 0 ? { [own]: one(["kept", "kept too", null]) } : {};
      await updateRow(database, database.dialect, meta, key, { ...given, ...kept });
      model.update(key, given);
      for (const value of Object.values(kept)) model.own.set(key, value);
    }
  };

  /** Sends the first of the queue, with what belongs to it; an answer is an acceptance or a refusal. */
  const send = async (mayRefuse: boolean): Promise<void> => {
    const queue = await readChanges(database, "1 = 1");
    const first = queue.find(({ state }) => state === "pending" || state === "sending");
    if (!first) return;
    const together = queue.filter((change) => change.id === first.id
      || (change.state !== "rejected" && first.transactionId !== null && change.transactionId === first.transactionId));
    const ids = together.map(({ id }) => id).join(", ");
    const ours = together.map((change) => model.changes[queue.indexOf(change)]!);
    await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = "attempts" + 1 WHERE "id" IN (${ids})`);
    for (const change of ours) change.state = "sending";
    if (below(4) === 0) return note("answers lost");
    if (below(3) === 0) await write();
    const seq = mayRefuse && below(4) === 0 ? undefined : server.accept(together);
    if (seq === undefined) {
      note("refusals", first.key);
      const isNamed = first.operation === "insert" && model.changes.some(({ key, value, state }) => key !== first.key && value[naming] === first.key && state !== "acknowledged");
      if (isNamed) note("refusals of named rows", first.key);
      await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`, [first.writeId, `{"code":"refused","message":"no"}`]);
      model.refuse(ours[0]!, "refused");
    } else {
      note("acceptances", `${seq} ${first.key}`);
      await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = $1 WHERE "state" = 'sending' AND "id" IN (${ids})`, [seq]);
      model.accept(ours, seq);
    }
  };

  /** Brings the server's rows, one by one, or all of them anew. */
  const feed = async (): Promise<void> => {
    const isWhole = below(3) === 0;
    note(isWhole ? "fetches of all rows" : "feeds", String(server.seq));
    await database.transaction(async (inside) => {
      const table = `"${meta.name}_synced"`;
      const had = new Set(isWhole ? [] : model.synced.keys());
      if (isWhole) await inside.query(`DELETE FROM ${table}`);
      for (const key of had) if (!server.rows.has(key)) await inside.query(`DELETE FROM ${table} WHERE "id" = $1`, [key]);
      for (const [key, row] of server.rows) {
        const cells = columns.map((name) => (database.dialect === "sqlite" && typeof row[name] === "boolean" ? Number(row[name]) : (row[name] ?? null)));
        if (had.has(key)) await inside.query(`UPDATE ${table} SET ${columns.map((name, at) => `"${name}" = $${at + 2}`).join(", ")} WHERE "id" = $1`, [key, ...cells]);
        else await inside.query(`INSERT INTO ${table} ("id", ${columns.map((name) => `"${name}"`).join(", ")}) VALUES ($1, ${columns.map((_, at) => `$${at + 2}`).join(", ")})`, [key, ...cells]);
      }
      await inside.query(`UPDATE "_shapes" SET "seq" = $1 WHERE "entity" = $2`, [server.seq, meta.name]);
    });
    model.read(server.rows, server.seq);
  };

  const remote = (): void => {
    const row = Object.fromEntries(columns.map((name) => [name, name === "active" || name === "closed" ? one([true, false]) : one(["server", "s2"])]));
    const key = one(KEYS);
    if (server.rows.has(key) && below(4) === 0) server.rows.delete(key);
    else server.rows.set(key, row);
    server.seq += 1;
    note("writes by others", key);
  };

  const check = async (): Promise<void> => {
    const changes = await readChanges(database, `"entity" = $1`, [meta.name]);
    const context = `HISTORY=${seed} (${database.dialect})\n${log.slice(-15).join("\n")}\n${JSON.stringify(changes)}`;
    const all = [...columns, own];
    assert.deepEqual(sorted(await shown(database, meta, all), all), sorted(model.shown(), all), context);
    assert.deepEqual(
      changes.map(({ key, operation, value, base, state, error }) => ({ key, operation, value, base, state, error: error?.code })),
      model.changes.map(({ key, operation, value, base, state, error }) => ({ key, operation, value, base, state, error })), context,
    );
  };

  for (let step = 0; step < STEPS; step += 1) {
    const what = below(10);
    if (what < 5) await write();
    else if (what < 8) await send(true);
    else if (what < 9) await feed();
    else remote();
    await check();
  }
  while (unsent()) {
    await send(false);
    await check();
  }
  await feed();
  await check();
  assert.deepEqual(sorted(await shown(database, meta, columns), columns), sorted(server.rows, columns), `HISTORY=${seed}: drained\n${log.slice(-20).join("\n")}`);
  const left = await database.query(`SELECT * FROM "${meta.name}_local" WHERE "_write_id" IS NOT NULL`);
  assert.deepEqual(left, [], `HISTORY=${seed}: nothing stays on top`);
}

/** The columns of which a delete keeps what it saw. */
const columnsOf = (meta: EntityMeta): string[] =>
  meta.fields.filter(({ name, excluded }) => name !== meta.key && !excluded).map(({ name }) => name);
