import { ways, type LocalDatabase, type Statements } from "./database.js";
import type { Row } from "./entity.js";

const isTrue = /^(t|true)$/;
const isBoolean = /^(t|f|true|false)$/;

ways.sqlite = {
  types: {
    text: "TEXT", uuid: "TEXT", boolean: "INTEGER", int32: "INTEGER", int64: "INTEGER", float: "REAL",
    decimal: "TEXT", date: "TEXT", time: "TEXT", timestamp: "TEXT", json: "TEXT",
  },
  toColumn: (kind, value) => (kind === "boolean" ? Number(Boolean(value)) : value),
  fromColumn: (kind, value) => (kind === "boolean" ? Boolean(value) : kind === "json" ? JSON.parse(value as string) : value),
  cell: ({ name, kind }, text) => {
    const isNumber = kind === "int32" || kind === "int64" || kind === "float";
    // SQLite's columns take anything.
    if (isNumber ? Number.isNaN(Number(text)) && text !== "NaN" : kind === "boolean" && !isBoolean.test(text)) {
      throw new TypeError(`${name} is ${kind}, and not ${JSON.stringify(text)}`);
    }
    if (kind === "boolean") return Number(isTrue.test(text));
    return isNumber ? Number(text) : text;
  },
  parameter: (_, at) => `$${at}`,
  listed: () => `SELECT "value" FROM json_each($1)`,
  inRow: (_, at) => `"cells"."value" ->> ${at}`,
  rows: `json_each($1) AS "cells" WHERE true`,
  list: "json_group_array",
  nameTransaction: (inside, name) => inside.query(`UPDATE "_transaction" SET "id" = $1`, [name ?? null]),
  transaction: `(SELECT "id" FROM "_transaction")`,
};

/** A driver of a SQLite database: the least that is asked of it. Parameters are `?1`, `?2` … */
export interface SqliteDriver {
  /** Runs a script. */
  exec(sql: string): void | Promise<void>;
  /** Runs one statement and gives its rows. */
  all(sql: string, parameters: readonly unknown[]): Row[] | Promise<Row[]>;
}

/**
 * A SQLite database, 3.40 or newer, as the local database of an application. `channel` wakes other tabs
 * that have the same file open.
 */
export function sqliteDatabase(driver: SqliteDriver, channel?: BroadcastChannel): LocalDatabase {
  const listeners = new Set<() => void>();
  const wakeAll = (): void => listeners.forEach((wake) => wake());
  let changesSeen = 0;
  /** Wakes who follows rows, if any has changed. */
  const touched = async (): Promise<void> => {
    const [row] = await driver.all("SELECT total_changes() AS changes", []);
    const changes = Number(row?.["changes"]);
    if (changes === changesSeen) return;
    changesSeen = changes;
    wakeAll();
    channel?.postMessage("touched");
  };

  // One connection has one transaction at a time: everything else waits for its end.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work, work);
    turn = done.catch(() => undefined);
    return done;
  };
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
    driver.all(numbered(sql), parameters);
  const statements: Statements = {
    query: (sql, parameters) => run(sql, parameters) as Promise<never>,
    exec: async (sql) => driver.exec(sql),
  };

  return {
    dialect: "sqlite",
    query: (sql, parameters) =>
      inTurn(async () => {
        const rows = await run(sql, parameters);
        await touched();
        return rows as never;
      }),
    exec: (sql) =>
      inTurn(async () => {
        await driver.exec(sql);
        await touched();
      }),
    transaction: (work) =>
      inTurn(async () => {
        await driver.exec("BEGIN IMMEDIATE");
        let result: Awaited<ReturnType<typeof work>>;
        try {
          result = await work(statements);
          await driver.exec("COMMIT");
        } catch (error) {
          // Where a disk is full, SQLite has ended the transaction by itself, which must not hide why.
          await (async () => driver.exec("ROLLBACK"))().catch(() => undefined);
          throw error;
        }
        await touched();
        return result;
      }),
    onTouched: (wake) => {
      if (listeners.size === 0) channel?.addEventListener("message", wakeAll);
      listeners.add(wake);
      return () => {
        listeners.delete(wake);
        if (listeners.size === 0) channel?.removeEventListener("message", wakeAll);
      };
    },
  };
}

/** A statement with its parameters as SQLite has them; what names and texts hold stays. */
const numbered = (sql: string): string =>
  sql.replace(/"[^"]*"|'[^']*'|\$(\d+)/g, (found, at?: string) => (at === undefined ? found : `?${at}`));
