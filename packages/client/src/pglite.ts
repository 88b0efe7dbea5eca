import type { PGliteInterface, Transaction } from "@electric-sql/pglite";
import type { LocalDatabase, Statements } from "./database.js";
import type { Row } from "./entity.js";

/** The part of PGlite that is used: of a database in this page, or of one that a worker shares among tabs. */
export type Pglite = Pick<PGliteInterface, "query" | "exec" | "transaction" | "listen">;

/** A PGlite database as the local database of an application. */
export function pgliteDatabase(pglite: Pglite): LocalDatabase {
  const statements = (on: Pick<Transaction, "query">): Statements => ({
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await on.query<T>(sql, [...parameters])).rows,
  });
  return {
    dialect: "pglite",
    ...statements(pglite),
    exec: async (sql) => {
      await pglite.exec(sql);
    },
    transaction: <T>(work: (inside: Statements) => Promise<T>) =>
      pglite.transaction((transaction) => work(statements(transaction))) as Promise<T>,
    onTouched: (wake) => {
      const listening = pglite.listen("_touched", wake);
      return () => void listening.then((stop) => stop());
    },
  };
}
