import type { CollectionConfig, NonSingleResult } from "@tanstack/db";
import type { LocalDatabase, Statements } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";
import { followRows, keyOf } from "./rows.js";
import { deleteRow, insertRow, lastWriteOf, settled, updateRow, writeOnce, writeTogether } from "./writes.js";

/** What TanStack DB tells of one row that is written. */
interface RowMutation {
  readonly original: object;
  readonly modified: object;
  readonly changes: object;
}

/**
 * A TanStack DB collection over an entity's view: it shows the view's rows, and its own mutations are
 * writes to the view. Where the entity's writes are confirmed, a mutation ends when the server has accepted
 * it: see {@link confirmedCollection}. Of a cache nothing can be mutated.
 */
export function viewCollectionOptions<T extends Row, Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): CollectionConfig<T, Key, never> & { schema?: never } & NonSingleResult {
  /** Mutations that are made together are written together; where writes are confirmed, they end with the server's word. */
  const written = (write: (inside: Statements, mutation: RowMutation) => Promise<void>) =>
    async ({ transaction: { mutations } }: { transaction: { mutations: readonly RowMutation[] } }): Promise<void> => {
      let names: (string | undefined)[] = [];
      const work = async (inside: Statements): Promise<void> => {
        for (const mutation of mutations) await write(inside, mutation);
        if (meta.mode !== "optimistic") names = await Promise.all(mutations.map(({ modified }) => lastWriteOf(inside, meta, (modified as Row)[meta.key])));
      };
      await (mutations.length > 1 ? writeTogether(database, work) : writeOnce(database, work));
      await Promise.all(names.map((name) => (name === undefined ? undefined : settled(database, name))));
    };
  return {
    id: meta.name,
    getKey: (row) => keyOf(meta, row[meta.key]) as Key,
    sync: {
      rowUpdateMode: "full",
      sync: ({ begin, write, commit, markReady, markError, truncate, collection }) =>
        followRows(
          database, meta,
          async ({ isWhole, rows }) => {
            begin({ immediate: true });
            if (isWhole) truncate();
            for (const [text, row] of rows) {
              if (row) {
                const key = row[meta.key] as Key;
                write({ type: !isWhole && collection.has(key) ? "update" : "insert", value: row as T });
              } else {
                const key = keyOf(meta, text) as Key;
                if (collection.has(key)) write({ type: "delete", key });
              }
            }
            await commit();
            markReady();
          },
          markError,
        ),
    },
    ...(meta.mode !== "cache" && {
      onInsert: written((inside, { modified }) => insertRow(inside, database.dialect, meta, modified as Row)),
      onUpdate: written((inside, { original, changes }) =>
        updateRow(inside, database.dialect, meta, (original as Row)[meta.key], changes as Row)),
      onDelete: written((inside, { original }) => deleteRow(inside, meta, (original as Row)[meta.key])),
    }),
  };
}

/**
 * Makes mutations of a collection show nothing before the server has accepted them, whatever their caller asks:
 * their `isPersisted` tells when that is.
 */
export function confirmedCollection<C extends Record<"insert" | "update" | "delete", (...of: never[]) => unknown>>(collection: C): C {
  type Mutate = (first: unknown, ...rest: unknown[]) => unknown;
  const [insert, update, remove] = [collection.insert, collection.update, collection.delete]
    .map((mutate) => mutate.bind(collection) as Mutate) as [Mutate, Mutate, Mutate];
  const waiting = (config: unknown): object => ({ ...(config as object | undefined), optimistic: false });
  return Object.assign(collection, {
    insert: (rows: unknown, config?: unknown) => insert(rows, waiting(config)),
    update: (keys: unknown, ...rest: unknown[]) => update(keys, waiting(rest.length > 1 ? rest[0] : undefined), rest.at(-1)),
    delete: (keys: unknown, config?: unknown) => remove(keys, waiting(config)),
  });
}
