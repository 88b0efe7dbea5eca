import type { PGliteInterface, Transaction } from "@electric-sql/pglite";
import { ways, type LocalDatabase, type Statements, type Ways } from "./database.js";
import type { Row } from "./entity.js";

const types: Ways["types"] = {
  text: "text", uuid: "text", boolean: "boolean", int32: "integer", int64: "bigint", float: "double precision",
  decimal: "numeric", date: "text", time: "text", timestamp: "text", json: "jsonb",
};
ways.pglite = {
  types,
  toColumn: (_, value) => value,
  cell: (_, text) => text,
  parameter: (kind, at) => `($${at}::text)::${types[kind]}`,
  listed: (kind) => `SELECT "value"::${types[kind]} FROM jsonb_array_elements_text($1::jsonb) AS "keys" ("value")`,
  inRow: (kind, at) => `("cells" ->> ${at})::${types[kind]}`,
  rows: `jsonb_array_elements($1::jsonb) AS "rows" ("cells")`,
  list: "json_agg",
  transaction: "pg_current_xact_id()::text",
};

/** The part of PGlite that is used: of a database in this page, or of one that a worker shares among tabs. */
export interface Pglite extends Pick<PGliteInterface, "query" | "exec" | "transaction" | "listen" | "syncToFs" | "waitReady"> {
  /** Of a shared database: calls back when another tab's worker has taken it over. */
  readonly onLeaderChange?: (see: () => void) => () => void;
}

/** Whether a statement writes nothing. */
const isRead = (sql: string): boolean => /^\s*SELECT\b/i.test(sql);

const TAKEN_OVER = Symbol("taken over");

/**
 * A PGlite database as the local database of an application.
 *
 * Of a database that tabs share, one tab's worker holds the files. When that tab closes, another takes them
 * over, and nobody says what became of the statements that were under way: those are run again.
 */
export function pgliteDatabase(pglite: Pglite): LocalDatabase {
  const underWay = new Set<(end: typeof TAKEN_OVER) => void>();
  const listeners = new Set<() => void>();
  const wakeAll = (): void => listeners.forEach((wake) => wake());
  // One listener for the life of the database: to end one ends those of all tabs. What was touched before it
  // listens was told to nobody.
  const listen = (): void => void pglite.listen("_touched", wakeAll).catch(() => undefined).then(wakeAll);
  let isListening = false;
  const seeTakeover = heedCleaning(pglite);
  pglite.onLeaderChange?.(() => {
    seeTakeover();
    for (const end of underWay) end(TAKEN_OVER);
    if (isListening) listen();
  });

  const whole = async <T>(work: (isOver: () => boolean) => Promise<T>): Promise<T> => {
    if (!pglite.onLeaderChange) return work(() => false);
    for (;;) {
      await pglite.waitReady;
      let isOver = false;
      let end: (end: typeof TAKEN_OVER) => void = () => undefined;
      const takenOver = new Promise<typeof TAKEN_OVER>((resolve) => {
        end = (told) => {
          isOver = true;
          resolve(told);
        };
      });
      underWay.add(end);
      try {
        const result = await Promise.race([work(() => isOver), takenOver]);
        if (result !== TAKEN_OVER) return result;
      } catch (error) {
        if (!isOver) throw error;
      } finally {
        underWay.delete(end);
      }
    }
  };
  const transaction = <T>(work: (inside: Statements) => Promise<T>): Promise<T> =>
    whole(async (isOver) => {
      let hasWritten = false;
      // Nobody sees it: the work is run again.
      const goOn = (): void => {
        if (isOver()) throw new Error("taken over");
      };
      const statements = (on: Transaction): Statements => ({
        query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) => {
          goOn();
          hasWritten ||= !isRead(sql);
          return (await on.query<T>(sql, [...parameters])).rows;
        },
        exec: async (sql) => {
          goOn();
          hasWritten = true;
          await on.exec(sql);
        },
      });
      const result = await pglite.transaction((on) => work(statements(on)));
      // A commit alone does not yet put what was written where it is kept.
      if (hasWritten) await pglite.syncToFs();
      return result as T;
    });
  return {
    dialect: "pglite",
    // What only reads is spared the keeping that PGlite does after each statement outside of transactions.
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      isRead(sql) ? transaction((inside) => inside.query<T>(sql, parameters))
        : whole(async () => (await pglite.query<T>(sql, [...parameters])).rows),
    exec: async (sql) => {
      await whole(() => pglite.exec(sql));
    },
    transaction,
    onTouched: (wake) => {
      if (!isListening) listen();
      isListening = true;
      listeners.add(wake);
      return () => void listeners.delete(wake);
    },
  };
}

/**
 * PGlite does not wait for the cleaning after `exec`, so that one which was under way when another tab took the database over
 * would fail with nobody to hear it. Whoever does wait for one is told as before, and so is every other failure.
 */
function heedCleaning(pglite: Pglite): () => void {
  const cleaned = pglite as { _cleanupBlob?: () => Promise<void> };
  let takeovers = 0;
  if (pglite.onLeaderChange && cleaned._cleanupBlob) {
    const clean = cleaned._cleanupBlob.bind(pglite);
    cleaned._cleanupBlob = () => {
      const before = takeovers;
      const end: Promise<void> = clean().catch((error: unknown) => {
        if (takeovers !== before) end.catch(() => undefined);
        throw error;
      });
      return end;
    };
  }
  return () => void (takeovers += 1);
}
