import { parsed } from "./changes.js";
import { fromColumns, quote, ways, type LocalDatabase, type Statements } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";

/** How many touched rows, and outcomes, are kept for readers that come late; who is later still reads everything again. */
export const TOUCHED_ROWS_MAX = 10_000;
/** Above this many touched rows, all are read again at once. */
const ROWS_AT_ONCE_MAX = 500;

export interface RowChanges {
  /** Whether these are all rows there are, and others are gone. */
  readonly isWhole: boolean;
  /** By key; undefined: the row is gone. */
  readonly rows: ReadonlyMap<string, Row | undefined>;
}

/** All rows of an entity, or those that have these keys, in no order, as they are shown. */
export async function readRows(
  on: Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, keys?: readonly unknown[],
): Promise<Row[]> {
  const which = keys ? ` WHERE ${quote(meta.key)} IN (${keys.map((_, at) => `$${at + 1}`).join(", ")})` : "";
  const rows = await on.query(`SELECT * FROM ${quote(meta.name)}${which}`, keys?.map((key) => keyOf(meta, key)));
  return rows.map((row) => fromColumns(dialect, meta, row));
}

/** One row of an entity, as it is shown. */
export const readRow = async (
  on: Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, key: unknown,
): Promise<Row | undefined> => (await readRows(on, dialect, meta, [key]))[0];

/**
 * Follows the shown rows of an entity: first all of them, then those that change. Each call of `see` is
 * awaited before the next. Ends with the function that is returned.
 */
export function followRows(
  database: LocalDatabase, meta: EntityMeta,
  see: (changes: RowChanges) => void | Promise<void>, fail: (error: unknown) => void,
): () => void {
  let position = -1;
  const { list } = ways[database.dialect];
  const read = (): Promise<{ last: number; changes?: RowChanges }> =>
    database.transaction(async (inside) => {
      const [noted] = await inside.query<{ first: number | null; last: number | null; keys: unknown }>(
        `SELECT min("id") AS "first", max("id") AS "last", (SELECT ${list}("key") FROM (SELECT DISTINCT "key" FROM "_touched" WHERE "entity" = $1 AND "id" > $2 LIMIT ${ROWS_AT_ONCE_MAX + 1}) AS "touched") AS "keys" FROM "_touched"`,
        [meta.name, position],
      );
      const last = Number(noted?.last ?? 0);
      const touched = (parsed(noted?.keys) ?? []) as string[];
      const isLate = position < 0 || (noted?.first != null && Number(noted.first) > position + 1) || last < position;
      if (isLate || touched.length > ROWS_AT_ONCE_MAX) {
        const rows = await readRows(inside, database.dialect, meta);
        return { last, changes: { isWhole: true, rows: new Map(rows.map((row) => [String(row[meta.key]), row])) } };
      }
      if (touched.length === 0) return { last };
      const rows = new Map<string, Row | undefined>(touched.map((key) => [key, undefined]));
      const found = await readRows(inside, database.dialect, meta, touched);
      for (const row of found) rows.set(String(row[meta.key]), row);
      return { last, changes: { isWhole: false, rows } };
    });

  return whenTouched(database, async (isOver) => {
    const { last, changes } = await read();
    if (changes && !isOver()) await see(changes);
    // Noted at the end: a read that failed, or was run again, has shown nothing yet.
    position = last;
  }, fail);
}

/**
 * Calls `look` now, and again whenever rows may have changed: one call after the other, the last after the last
 * change. Ends with the function that is returned.
 */
export function whenTouched(
  database: LocalDatabase, look: (isOver: () => boolean) => Promise<void>, fail: (error: unknown) => void,
): () => void {
  let isWoken = false;
  let isBusy = false;
  let isOver = false;
  const run = async (): Promise<void> => {
    isWoken = true;
    if (isBusy) return;
    isBusy = true;
    try {
      while (isWoken && !isOver) {
        // Cleared before the read: what is touched meanwhile must wake us again.
        isWoken = false;
        await look(() => isOver);
      }
    } catch (error) {
      fail(error);
    } finally {
      isBusy = false;
    }
  };
  const stop = database.onTouched(() => void run());
  void run();
  return () => {
    isOver = true;
    stop();
  };
}

/** A key as its column holds it, from its text, or from how somebody else writes it: UUIDs are in small letters. */
export function keyOf(meta: EntityMeta, key: unknown): unknown {
  const kind = meta.fields.find((field) => field.name === meta.key)?.kind;
  if (typeof key !== "string") return key;
  return kind === "int32" || kind === "int64" ? Number(key) : kind === "uuid" ? key.toLowerCase() : key;
}

/** Forgets touched rows, and outcomes of writes, beyond those that somebody may still ask for. */
export async function prune(database: Statements): Promise<void> {
  for (const table of [`"_touched"`, `"_outcomes"`]) {
    await database.query(`DELETE FROM ${table} WHERE "id" <= (SELECT max("id") FROM ${table}) - $1`, [TOUCHED_ROWS_MAX]);
  }
}
