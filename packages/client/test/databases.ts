import initSqlJs, { type Database } from "sql.js";
import type { Dialect, LocalDatabase } from "../src/database.js";
import type { LocalSchema, Row } from "../src/entity.js";
import { openSchema } from "../src/opening.js";
import { pgliteDatabase } from "../src/pglite.js";
import { sqliteDatabase, type SqliteDriver } from "../src/sqlite.js";
import { freshPglite } from "./fresh-pglite.js";
import { schema as pgliteSchema } from "./generated/schema/pglite.js";
import { schema as sqliteSchema } from "./generated/schema/sqlite.js";

export const DIALECTS: readonly Dialect[] = ["sqlite", "pglite"];

export const schemaOf = (dialect: Dialect) => (dialect === "pglite" ? pgliteSchema : sqliteSchema);

const sqlite = await initSqlJs();

/** A SQLite file in memory. */
export const sqliteDriver = (file: Database = new sqlite.Database()): SqliteDriver => ({
  exec: (sql) => void file.exec(sql),
  all: (sql, parameters) => {
    const statement = file.prepare(sql);
    try {
      statement.bind(parameters as never);
      const rows: Row[] = [];
      while (statement.step()) rows.push(statement.getAsObject() as Row);
      return rows;
    } finally {
      statement.free();
    }
  },
});

/** The same under the adapter. */
export const openSqlite = (file?: Database): LocalDatabase => sqliteDatabase(sqliteDriver(file));

/** An empty database with the generated schema, or with another. */
export async function openDatabase(dialect: Dialect, schema: LocalSchema = schemaOf(dialect)): Promise<LocalDatabase> {
  const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await freshPglite());
  await openSchema(database, schema);
  return database;
}
