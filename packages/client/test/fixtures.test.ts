/** The statements of every document that is there to be tried, in both databases: they run, run again, and take writes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readChanges } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import type { EntityMeta, FieldKind } from "../src/entity.js";
import { openSchema } from "../src/opening.js";
import { pgliteDatabase } from "../src/pglite.js";
import { readRow, readRows } from "../src/rows.js";
import { deleteRow, insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openSqlite } from "./databases.js";
import { generated } from "./documents.js";
import { freshPglite } from "./fresh-pglite.js";
import { ROOT } from "./served.js";

const FIXTURES = join(ROOT, "crates/codegen/tests/fixtures");

const VALUES: Record<FieldKind, unknown> = {
  text: "it's", uuid: "6f1f0f3e-6a53-4a0e-9d0a-3a0f3f0e9d0a", boolean: true, int32: 7, int64: 7, float: 2.5, decimal: "1.25",
  date: "2026-01-31", time: "10:00", timestamp: "2026-01-31T10:00:00Z", json: { deep: [1, null] },
};

for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith(".yaml"))) {
  const schemaOf = generated(readFileSync(join(FIXTURES, name), "utf8"));
  for (const dialect of DIALECTS) {
    test(`the statements of ${name} run, and take writes (${dialect})`, async () => {
      const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await freshPglite());
      const schema = schemaOf(dialect);
      await openSchema(database, schema);
      await openSchema(database, schema);
      for (const { meta } of schema.entities) await tried(database, { ...meta, mode: "optimistic" });
    });
  }
}

/** Makes a row by all its fields, another by its key alone; sees them, with a row of the server, and deletes one. */
async function tried(database: LocalDatabase, meta: EntityMeta): Promise<void> {
  const { dialect } = database;
  const kind = meta.fields.find(({ name }) => name === meta.key)!.kind;
  const [one, other] = kind === "int32" || kind === "int64" ? [1, 2] : ["one", "other"];
  const given = Object.fromEntries(meta.fields.map((field) => [field.name, field.name === meta.key ? one : VALUES[field.kind]]));
  await insertRow(database, dialect, meta, given);
  await insertRow(database, dialect, meta, { [meta.key]: other });
  // Confirmed writes are shown when they are accepted.
  await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 1`);
  const row = await readRow(database, dialect, meta, one);
  for (const [name, value] of Object.entries(given)) {
    assert.deepEqual(typeof value === "number" || typeof value === "string" ? String(row?.[name]) : row?.[name], typeof value === "number" ? String(value) : value, `${meta.name}.${name}`);
  }
  const fields = meta.fields.filter((field) => field.name !== meta.key);
  await updateRow(database, dialect, meta, other, Object.fromEntries(fields.map((field) => [field.name, VALUES[field.kind]])));
  await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 1`);
  assert.equal((await readRows(database, dialect, meta)).length, 2);
  await deleteRow(database, meta, one);
  await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 1`);
  assert.equal((await readRows(database, dialect, meta)).length, 1);
  await database.query(`UPDATE "_shapes" SET "seq" = 1 WHERE "entity" = $1`, [meta.name]);
  assert.deepEqual(await readChanges(database, `"entity" = $1`, [meta.name]), []);
}

const awkward = generated(readFileSync(join(FIXTURES, "awkward-names.yaml"), "utf8"));
for (const dialect of DIALECTS) {
  test(`a new row shows the document's defaults until the server has it, and sends what was given (${dialect})`, async () => {
    const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await freshPglite());
    const schema = awkward(dialect);
    await openSchema(database, schema);
    const { meta } = schema.entities.find((one) => one.meta.name === "select")!;
    await insertRow(database, dialect, meta, { id: "a", order: 4 });
    // A null where the field takes none says that the row lacks it.
    await insertRow(database, dialect, meta, { id: "b", "o'clock": null });
    const shown = (await readRows(database, dialect, meta)).map((row) => [row["id"], row["order"], row["o'clock"], row["quote\"d"], row["price$1"]]);
    assert.deepEqual(shown.sort(), [["a", 4, "it's", true, "1.50"], ["b", 3, "it's", true, "1.50"]]);
    assert.deepEqual((await readChanges(database, "1 = 1")).map(({ value }) => value), [{ order: 4 }, {}]);
  });
}
