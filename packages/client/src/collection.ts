import type { CollectionConfig, NonSingleResult } from "@tanstack/db";
import type { LocalDatabase } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";
import { followRows, keyOf } from "./rows.js";
import { deleteRow, insertRow, updateRow } from "./writes.js";

/**
 * A TanStack DB collection over an entity's view: it shows the view's rows, and its own mutations are
 * writes to the view. Of an entity whose writes are confirmed, mutate through the generated hooks, which
 * show nothing before the server has accepted it.
 */
export function viewCollectionOptions<T extends Row, Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): CollectionConfig<T, Key, never> & { schema?: never } & NonSingleResult {
  return {
    id: meta.name,
    getKey: (row) => row[meta.key] as Key,
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
    onInsert: async ({ transaction }) => {
      await database.transaction(async (inside) => {
        for (const { modified } of transaction.mutations) await insertRow(inside, database.dialect, meta, modified as Row);
      });
    },
    onUpdate: async ({ transaction }) => {
      await database.transaction(async (inside) => {
        for (const { original, changes } of transaction.mutations) {
          await updateRow(inside, database.dialect, meta, (original as Row)[meta.key], changes as Row);
        }
      });
    },
    onDelete: async ({ transaction }) => {
      await database.transaction(async (inside) => {
        for (const { original } of transaction.mutations) await deleteRow(inside, meta, (original as Row)[meta.key]);
      });
    },
  };
}
