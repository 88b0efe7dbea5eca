import type { EntityMeta, FieldKind, FieldMeta, Row } from "./entity.js";

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

/** What differs between the kinds of databases, each with its adapter: a page holds its own alone. */
export interface Ways {
  /** The column type of each kind of field. */
  readonly types: Readonly<Record<FieldKind, string>>;
  /** A field's value as a statement takes it, but null, and JSON, which is its text. */
  readonly toColumn: (kind: FieldKind, value: unknown) => unknown;
  /** What a column holds, but null, as the application sees it. */
  readonly fromColumn?: (kind: FieldKind, value: unknown) => unknown;
  /** A cell's text, as a shape has it, for a statement; throws if the column can't hold it. */
  readonly cell: (field: Pick<FieldMeta, "name" | "kind">, text: string) => unknown;
  /** A parameter that takes what `cell` gives. */
  readonly parameter: (kind: FieldKind, at: number) => string;
  /** The values of the list of JSON that is the first parameter. */
  readonly listed: (kind: FieldKind) => string;
  /** A column of the rows of `rows`, by its place. */
  readonly inRow: (kind: FieldKind, at: number) => string;
  /** The rows of the list of lists of JSON that is the first parameter. */
  readonly rows: string;
  /** Makes a list of JSON of a column. */
  readonly list: string;
  /** Names the transaction that is being written, where the database itself does not; undefined: it has ended. */
  readonly nameTransaction?: (inside: Statements, name?: string) => Promise<unknown>;
  /** The name of the transaction that is being written. */
  readonly transaction: string;
}

/** Each adapter brings its own. */
export const ways = {} as Record<Dialect, Ways>;

/** The column type of a field in a database. */
export const columnType = (dialect: Dialect, kind: FieldKind): string => ways[dialect].types[kind];

/** A field's value as a statement takes it. */
export function toColumn(dialect: Dialect, kind: FieldKind, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return kind === "json" ? JSON.stringify(value) : ways[dialect].toColumn(kind, value);
}

/** A row of a view as the application sees it. */
export function fromColumns(dialect: Dialect, meta: EntityMeta, row: Row): Row {
  const shown: Row = { ...row, _has_local_changes: Boolean(row["_has_local_changes"]) };
  const { fromColumn } = ways[dialect];
  if (fromColumn) for (const { name, kind } of meta.fields) if (shown[name] != null) shown[name] = fromColumn(kind, shown[name]);
  return shown;
}
