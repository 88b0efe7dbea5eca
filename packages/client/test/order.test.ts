/** What leaves before what: values that are one row's alone, and rows that are named by numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChanges, rejectedChanges, type Change } from "../src/changes.js";
import type { EntityMeta, Row } from "../src/entity.js";
import { insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { generated } from "./documents.js";

const path = (name: string, record: string, key: string): string => `
  /api/${name}:
    x-sync: { local_first: true }
    get: { responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/${record}" } } } } } } }
    post: { requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/${record}" } } } }, responses: { "201": {} } }
  /api/${name}/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: ${key} } }]
    patch: { requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/${record}" } } } }, responses: { "200": {} } }
    delete: { responses: { "204": { description: "" } } }`;
const DOCUMENT = `
openapi: 3.1.0
info: { title: Orders, version: "1" }
paths:${path("people", "Person", "string")}${path("places", "Place", "integer")}
components:
  schemas:
    Person:
      type: object
      required: [id]
      properties:
        id: { type: string }
        name: { type: string }
        email: { type: string, x-unique: true }
    Place:
      type: object
      required: [id]
      properties:
        id: { type: integer, format: int64 }
        parent: { type: [integer, "null"], format: int64, x-references: places }
        floor: { type: integer }
`;
const schemaOf = generated(DOCUMENT);

for (const dialect of DIALECTS) {
  const schema = schemaOf(dialect);
  const metaOf = (name: string): EntityMeta => schema.entities.find(({ meta }) => meta.name === name)!.meta;
  const told = ({ key, operation, value }: Change): unknown[] => [key, operation, value];

  test(`an edit of what is one row's alone stays behind the other rows' changes before it (${dialect})`, async () => {
    const [database, people] = [await openDatabase(dialect, schema), metaOf("people")];
    for (const id of ["x", "y"]) await database.query(`INSERT INTO "people_synced" ("id", "email") VALUES ($1, $2)`, [id, id]);
    const edit = (id: string, changes: Row): Promise<void> => updateRow(database, dialect, people, id, changes);
    await edit("x", { name: "X" });
    await edit("y", { email: "free" });
    await edit("x", { email: "y" });
    await edit("x", { email: "z" });
    await edit("y", { name: "Y" });
    assert.deepEqual((await readChanges(database, "1 = 1")).map(told), [
      ["x", "update", { name: "X" }], ["y", "update", { email: "free", name: "Y" }], ["x", "update", { email: "z" }],
    ]);
  });

  test(`a whole number is written as one, however large, and rows that name it go with it (${dialect})`, async () => {
    const [database, places] = [await openDatabase(dialect, schema), metaOf("places")];
    const [house, room] = [1_700_000_000_000, 5];
    await insertRow(database, dialect, places, { id: house, parent: null, floor: 3 });
    await insertRow(database, dialect, places, { id: room, parent: house });
    await updateRow(database, dialect, places, house, { floor: 4_000_000_000 });
    const changes = await readChanges(database, "1 = 1");
    assert.deepEqual(changes.map(told), [
      [String(house), "insert", { parent: null, floor: 4_000_000_000 }], [String(room), "insert", { parent: house }],
    ]);
    await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [changes[0]!.writeId]);
    assert.deepEqual((await rejectedChanges(database)).map(({ key }) => key), [String(house), String(room)]);
  });
}
