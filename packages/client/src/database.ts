import type { EntityMeta, FieldKind, LocalSchema, Row } from "./entity.js";

export type Dialect = "pglite" | "sqlite";

/** What runs statements: a database, or a transaction of one. Parameters are `$1`, `$2` … */
export interface Statements {
  query<T extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
}

/** The one local database of an application. */
export interface LocalDatabase extends Statements {
  readonly dialect: Dialect;
  /** Runs a script. */
  exec(sql: string): Promise<void>;
  /**
   * Runs `work` in one transaction, which is rolled back if it throws. Transactions do not nest. Where tabs
   * share the database, `work` is called again if the tab that held it closed before the end was known.
   */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** Calls `wake` after rows may have changed, also by other tabs. */
  onTouched(wake: () => void): () => void;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const TYPES: Record<Dialect, Record<FieldKind, string>> = {
  pglite: {
    text: "text", uuid: "text", boolean: "boolean", int32: "integer", int64: "bigint", float: "double precision",
    decimal: "numeric", date: "text", time: "text", timestamp: "text", json: "jsonb",
  },
  sqlite: {
    text: "TEXT", uuid: "TEXT", boolean: "INTEGER", int32: "INTEGER", int64: "INTEGER", float: "REAL",
    decimal: "TEXT", date: "TEXT", time: "TEXT", timestamp: "TEXT", json: "TEXT",
  },
};

/** The column type of a field in a database. */
export const columnType = (dialect: Dialect, kind: FieldKind): string => TYPES[dialect][kind];

/** A field's value as a statement takes it. */
export function toColumn(dialect: Dialect, kind: FieldKind, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (kind === "json") return JSON.stringify(value);
  if (kind === "boolean" && dialect === "sqlite") return value ? 1 : 0;
  return value;
}

/** A row of a view as the application sees it. */
export function fromColumns(dialect: Dialect, meta: EntityMeta, row: Row): Row {
  const shown: Row = { ...row, _has_local_changes: Boolean(row["_has_local_changes"]) };
  if (dialect === "sqlite") {
    for (const { name, kind } of meta.fields) {
      const value = shown[name];
      if (value === null || value === undefined) continue;
      if (kind === "boolean") shown[name] = Boolean(value);
      if (kind === "json") shown[name] = JSON.parse(value as string);
    }
  }
  return shown;
}

/**
 * Makes the tables of a schema, or brings those of an older version up to it. Unsent writes and the
 * columns that never leave this database stay; rows of the server are fetched again if their columns differ.
 */
export async function openSchema(database: LocalDatabase, schema: LocalSchema): Promise<void> {
  await database.exec(schema.changes);
  await database.exec(`CREATE TABLE IF NOT EXISTS "_schema" ("one" INTEGER PRIMARY KEY, "version" TEXT NOT NULL)`);
  const [noted] = await database.query<{ version: string }>(`SELECT "version" FROM "_schema"`);
  const isOther = noted !== undefined && noted.version !== schema.version;
  for (const { meta, sql } of schema.entities) {
    if (isOther) await bringUp(database, meta);
    await database.exec(sql);
  }
  await database.query(
    `INSERT INTO "_schema" ("one", "version") VALUES (1, $1) ON CONFLICT ("one") DO UPDATE SET "version" = excluded."version"`,
    [schema.version],
  );
}

async function bringUp(database: LocalDatabase, meta: EntityMeta): Promise<void> {
  await database.exec(`DROP VIEW IF EXISTS ${quote(meta.name)}`);
  const wanted = meta.fields.filter((field) => field.name !== meta.key);
  const synced = `${meta.name}_synced`;
  const local = `${meta.name}_local`;
  const had = await columnsOf(database, synced);
  if (had.size > 0) {
    const shared = wanted.filter((field) => !field.excluded);
    const isSame = shared.every(({ name, kind }) => had.get(name) === columnType(database.dialect, kind).toLowerCase());
    if (!isSame || had.size !== shared.length + 2) {
      await database.exec(`DROP TABLE ${quote(synced)}`);
      await database.query(`DELETE FROM "_shapes" WHERE "entity" = $1`, [meta.name]);
    }
  }
  const own = await columnsOf(database, local);
  if (own.size === 0) return;
  for (const { name, kind } of wanted) {
    if (own.has(name)) continue;
    await database.exec(`ALTER TABLE ${quote(local)} ADD COLUMN ${quote(name)} ${columnType(database.dialect, kind)}`);
  }
}

async function columnsOf(database: LocalDatabase, table: string): Promise<Map<string, string>> {
  const rows = await database.query<{ name: string; type: string }>(
    database.dialect === "sqlite"
      ? `SELECT "name", lower("type") AS "type" FROM pragma_table_info($1)`
      : `SELECT column_name AS "name", data_type AS "type" FROM information_schema.columns WHERE table_name = $1`,
    [table],
  );
  return new Map(rows.map((row) => [row.name, row.type]));
}
