import type { LocalDatabase } from "./database.js";
import type { LocalSchema } from "./entity.js";

/**
 * Makes the tables of a schema, or brings those of another version, older or newer, to it: wholly, or not at
 * all. Unsent writes and the columns that never leave this database stay; a write that the schema can't hold is
 * refused as `schema_changed`; rows of the server are fetched again if their columns differ. One that has these very
 * statements is only read. Gives whether the database was of another version.
 */
export async function openSchema(database: LocalDatabase, schema: LocalSchema): Promise<boolean> {
  const { dialect } = database;
  const { version } = schema;
  const read = `SELECT "version" FROM "_schema"`;
  // Of many entities the statements take longer than all else of a page's start. Of a new database there is nothing to be read.
  const isThere = await database.query(`SELECT 1 FROM ${dialect === "sqlite" ? "sqlite_master WHERE name" : "pg_tables WHERE tablename"} = '_schema'`);
  const [now] = isThere.length > 0 ? await database.query<{ version: string }>(read) : [];
  if (now?.version === version) return false;
  for (let migration: typeof import("./migration.js") | undefined; ; migration = await import("./migration.js")) {
    const isDone = await database.transaction(async (inside) => {
      await inside.exec(`CREATE TABLE IF NOT EXISTS "_schema" ("one" INTEGER PRIMARY KEY, "version" TEXT NOT NULL)`);
      const [noted] = await inside.query<{ version: string }>(read);
      // Statements that are others alone are those of another release of the generator.
      const isOther = noted !== undefined && documentOf(noted.version) !== documentOf(version);
      // No transaction waits for the network.
      if (isOther && !migration) return undefined;
      const putBack = isOther ? await migration?.takeApart(inside, dialect, schema) : undefined;
      await inside.exec(schema.changes);
      for (const { meta, sql } of schema.entities) {
        await inside.exec(sql);
        await putBack?.(meta);
      }
      const names = schema.entities.map(({ meta }) => text(meta.name));
      await inside.exec(`DELETE FROM "_shapes" WHERE "entity" NOT IN (${names.join(", ")})`);
      await inside.query(
        `INSERT INTO "_schema" ("one", "version") VALUES (1, $1) ON CONFLICT ("one") DO UPDATE SET "version" = excluded."version"`,
        [version],
      );
      return isOther;
    });
    if (isDone !== undefined) return isDone;
  }
}

const documentOf = (version: string): string => version.split(" ")[0]!;

/** A text as a statement has it. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
