/** What a field may hold; the server's own names. */
export type FieldKind =
  | "text" | "uuid" | "boolean" | "int32" | "int64" | "float" | "decimal" | "date" | "time" | "timestamp" | "json";

/** A user's role, the least first. */
export type Role = "viewer" | "editor" | "owner";

export interface FieldMeta {
  readonly name: string;
  readonly kind: FieldKind;
  /** It never leaves this database. */
  readonly excluded?: true;
  /** Only the server writes it. */
  readonly readOnly?: true;
  /** A record may lack it, and shows null then: servers take none. */
  readonly optional?: true;
  /** Only owners write it. */
  readonly ownerOnly?: true;
  /** The groups it is in; a field in none is any role's but the viewer's. */
  readonly groups?: readonly string[];
}

/** What the generated code tells of an entity. */
export interface EntityMeta {
  /** The collection's name: the shape's table, and the view in the local database. */
  readonly name: string;
  readonly key: string;
  readonly mode: "optimistic" | "confirmed" | "cache";
  /** Seconds after which rows of mode `cache` are stale. */
  readonly ttlSeconds?: number;
  /** The subset that this client takes, in the shapes' `where` language. */
  readonly subset?: string;
  /** In the order of the document; the key is one of them. */
  readonly fields: readonly FieldMeta[];
  /** The groups that each role may write; none: any role but the viewer's writes all of them. */
  readonly permissions?: Readonly<Partial<Record<Role, readonly string[]>>>;
}

/** The SQL that the generator wrote for a database, and the entities that it holds. */
export interface LocalSchema {
  /** Names the document, and after a blank these statements: those of another release of the generator may be others. */
  readonly version: string;
  readonly changes: string;
  readonly entities: readonly { readonly meta: EntityMeta; readonly sql: string }[];
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Row = Record<string, unknown>;

/**
 * Whether a user of `role` may write `field` of a row: what the server would say, which decides. An unknown role
 * counts as editor.
 */
export function can(meta: EntityMeta, role: string | null | undefined, field: string): boolean {
  const found = meta.fields.find((one) => one.name === field);
  if (!found || found.readOnly || field === meta.key || meta.mode === "cache") return false;
  // What never leaves this database is its user's own.
  if (found.excluded) return true;
  const known: Role = role === "viewer" || role === "owner" ? role : "editor";
  if (found.ownerOnly) return known === "owner";
  const groups = found.groups ?? [];
  if (!meta.permissions || groups.length === 0) return known !== "viewer";
  const granted = meta.permissions[known] ?? [];
  return groups.some((group) => granted.includes(group));
}

/** A point in time as documents and writes have it: Postgres, and so shapes, write `2026-01-31 12:00:00+00`. */
export const asRfc3339 = (text: string): string => text.replace(" ", "T").replace(/\+00(:00)?$/, "Z");

/** What an object holds by a name, also by one that every object inherits: `constructor`. */
export const valueOf = (of: Row, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);

/** What an object holds by the names that `isWanted`. */
export const pick = <T>(of: Readonly<Record<string, T>>, isWanted: (name: string, value: T) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(of).filter(([name, value]) => isWanted(name, value)));

/** A row that is shown as servers take it: without what it lacks. */
export const held = <T extends Row>({ fields }: EntityMeta, row: T): T =>
  pick(row, (name, value) => value !== null || !fields.some((field) => field.optional && field.name === name)) as T;
