import type { CollectionConfig } from "@tanstack/db";
import type { LocalDatabase } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";
import { followRows } from "./rows.js";
import { deleteRow, insertRow, updateRow } from "./writes.js";

/**
 * A TanStack DB collection over an entity's view: it shows the view's rows, and its own mutations are
 * writes to the view. Of an entity whose writes are confirmed, mutate through the generated hooks, which
 * show nothing before the server has accepted it.
 */
export function viewCollectionOptions<T extends Row>(
  database: LocalDatabase, meta: EntityMeta,
): CollectionConfig<T, string | number> & { schema?: never } {
  return {
    id: meta.name,
    getKey: (row) => row[meta.key] as string | number,
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
                const key = row[meta.key] as string | number;
                write({ type: !isWhole && collection.has(key) ? "update" : "insert", value: row as T });
              } else {
                const known = [text, Number(text)].find((key) => collection.has(key));
                if (known !== undefined) write({ type: "delete", key: known });
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
