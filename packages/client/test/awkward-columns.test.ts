/** Fields whose names the statements use themselves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChanges } from "../src/changes.js";
import { openSchema } from "../src/opening.js";
import { pgliteDatabase } from "../src/pglite.js";
import { readRow } from "../src/rows.js";
import { deleteRow, insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openSqlite } from "./databases.js";
import { generated } from "./documents.js";
import { freshPglite } from "./fresh-pglite.js";

const NAMES = ["_key", "_row", "_value", "_change", "key", "value"];

/** Things whose key and other fields have these names; what never leaves has another. */
const documentOf = (key: string, names: readonly string[]): string => {
  const properties = [key, ...names].map((name) => `"${name}": { type: string }`).concat("own: { type: string, x-sync-exclude: true }").join(", ");
  return `
openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /things:
    get: { responses: { '200': { description: All, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Thing' } } } } } } }
    post:
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '201': { description: Made, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } }
  /things/{${key}}:
    x-sync: { local_first: true }
    parameters: [{ name: "${key}", in: path, required: true, schema: { type: string } }]
    get: { responses: { '200': { description: One, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } } }
components:
  schemas:
    Thing: { type: object, required: ["${key}"], properties: { ${properties} } }
`;
};

for (const dialect of DIALECTS) {
  for (const key of ["id", "_key"]) {
    test(`fields may have the names of what the statements use, with the key ${key} (${dialect})`, async () => {
      const names = NAMES.filter((name) => name !== key);
      const schema = generated(documentOf(key, names))(dialect);
      const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await freshPglite());
      await openSchema(database, schema);
      const { meta } = schema.entities[0]!;
      assert.equal(meta.key, key);
      const values = (value: string | null): object => Object.fromEntries(names.map((name) => [name, value]));
      const shown = async (of: string): Promise<unknown> => {
        const row = await readRow(database, dialect, meta, of);
        return row && Object.fromEntries(names.map((name) => [name, row[name]]));
      };
      await insertRow(database, dialect, meta, { [key]: "a", ...values("x"), own: "mine" });
      await updateRow(database, dialect, meta, "a", { ...values("y"), own: "still mine" });
      assert.deepEqual(await shown("a"), values("y"));
      await deleteRow(database, meta, "a");
      await database.query(`INSERT INTO "things_synced" ("${key}", "_value") VALUES ('b', 'z'), ('c', 'z')`);
      await updateRow(database, dialect, meta, "b", { ...values("w"), own: "mine" });
      assert.deepEqual(await shown("b"), values("w"));
      // What the server shows lets an accepted write go where no place in a log tells.
      await database.query(`UPDATE "_changes" SET "state" = 'acknowledged'`);
      await database.query(`UPDATE "things_synced" SET ${names.map((name) => `"${name}" = 'w'`).join(", ")} WHERE "${key}" = 'b'`);
      assert.deepEqual(await readChanges(database, "1 = 1"), []);
      await deleteRow(database, meta, "b");
      await database.query(`UPDATE "_changes" SET "state" = 'acknowledged'`);
      assert.deepEqual([await shown("b"), (await readRow(database, dialect, meta, "c"))?.["_value"]], [undefined, "z"]);
    });
  }
}
