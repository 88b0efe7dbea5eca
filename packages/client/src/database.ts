import type { EntityMeta, FieldKind, Row } from "./entity.js";

export type Dialect = "pglite" | "sqlite";

/** What runs statements: a database, or a transaction of one. Parameters are `$1`, `$2` … */
export interface Statements {
  query<T extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
  /** Runs a script. */
  exec(sql: string): Promise<void>;
}

/** The one local database of an application. */
export interface LocalDatabase extends Statements {
  readonly dialect: Dialect;
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
