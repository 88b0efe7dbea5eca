/** A database that was made by another version of its schema, older or newer. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pendingChanges, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import type { EntityMeta, LocalSchema } from "../src/entity.js";
import { openSchema } from "../src/opening.js";
import { readRow, readRows } from "../src/rows.js";
import { insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase, schemaOf } from "./databases.js";
import { generated } from "./documents.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { DOCUMENT } from "./served.js";

const document = readFileSync(DOCUMENT, "utf8");
const EMAIL = `        email: { type: [string, "null"], format: email }\n`;
const SCORE = `        score: { type: [number, "null"] }\n`;
const NOTES = `        local_notes: { type: string, x-sync-exclude: true }\n`;

function changed(...changes: [string, string][]): ReturnType<typeof generated> {
  let text = document;
  for (const [before, after] of changes) {
    assert.ok(text.includes(before));
    text = text.replace(before, after);
  }
  return generated(text);
}

const OTHER_KIND = changed([EMAIL, `        email: { type: [string, "null"], format: decimal }\n`]);
const PRIVATE_SCORE = changed([SCORE, `        score: { type: [number, "null"], x-sync-exclude: true }\n`]);
const NEWER = changed([SCORE, `        nick: { type: string }\n`], [NOTES, `${NOTES}        mood: { type: string, x-sync-exclude: true }\n`]);
const OTHER_NOTES = changed([NOTES, `        local_notes: { type: integer, x-sync-exclude: true }\n`]);
/** Of which a contact's name is the key. */
const KEYED_BY_NAME = generated(document.replace(/(\/api\/contacts\/)\{id\}(:[^]*?name: )id(, in: path[^}]*), format: uuid/, "$1{first_name}$2first_name$3"));
const WITHOUT_TRANSACTIONS = generated(document.replace(/ {2}\/api\/transactions:[^]*?(?=^components)/m, ""));

const contactsOf = (schema: LocalSchema): EntityMeta => schema.entities.find(({ meta }) => meta.name === "contacts")!.meta;
const synced = (database: LocalDatabase, id: string, name: string) =>
  database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ($1, $2) ON CONFLICT DO NOTHING`, [id, name]);
const shape = async (database: LocalDatabase): Promise<unknown> =>
  (await database.query(`SELECT "handle" FROM "_shapes" WHERE "entity" = 'contacts'`))[0]?.["handle"];
const noteShape = (database: LocalDatabase) => database.query(`UPDATE "_shapes" SET "handle" = 'known', "offset" = '1_0'`);

for (const dialect of DIALECTS) {
  const first = schemaOf(dialect);

  test(`a database that has the schema's statements is only read, and others of the same version are run (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    const said: string[] = [];
    const listening: LocalDatabase = {
      ...database,
      transaction: (work) => database.transaction((inside) => work({
        query: (sql, parameters) => (said.push(sql), inside.query(sql, parameters)),
        exec: (sql) => (said.push(sql), inside.exec(sql)),
      })),
    };
    assert.equal(await openSchema(listening, first), false);
    assert.deepEqual(said.filter((sql) => !/^SELECT /.test(sql)), []);
    const versions = DIALECTS.map((one) => schemaOf(one).version.split(" "));
    assert.deepEqual(versions.map((parts) => new Set(parts).size), [2, 2]);
    assert.equal(versions[0]![0], versions[1]![0]);
    assert.notEqual(versions[0]![1], versions[1]![1]);
    const [entity, ...others] = first.entities;
    const released = { ...first, version: `${first.version}s`, entities: [{ ...entity!, sql: `${entity!.sql}\nCREATE TABLE "of_a_release" ("id" TEXT);` }, ...others] };
    assert.equal(await openSchema(listening, released), false);
    assert.deepEqual(await database.query(`SELECT * FROM "of_a_release"`), []);
  });

  test(`a field of another kind costs only the unsent values that it can't hold (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    for (const [id, name] of [["a", "Ann"], ["b", "Bob"], ["c", "Cy"], ["d", "Di"]] as const) await synced(database, id, name);
    await updateRow(database, dialect, contactsMeta, "a", { email: "ann@example.org", local_notes: "precious" });
    await updateRow(database, dialect, contactsMeta, "b", { email: "12.50", first_name: "Bo" });
    await updateRow(database, dialect, contactsMeta, "c", { email: "cy@example.org" });
    await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 9 WHERE "key" = 'c'`);
    await updateRow(database, dialect, contactsMeta, "d", { tags: { deep: [1] }, active: true, score: 2.5, credit_limit: "1.50" });
    await noteShape(database);
    const schema = OTHER_KIND(dialect);
    await openSchema(database, schema);
    assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["a", "schema_changed"]]);
    assert.deepEqual((await pendingChanges(database)).map(({ key, value }) => [key, value]), [
      ["b", { email: "12.50", first_name: "Bo" }], ["d", { tags: { deep: [1] }, active: true, score: 2.5, credit_limit: "1.50" }],
    ]);
    assert.equal((await readChanges(database, "1 = 1")).length, 3);
    // Where the column is another, the rows are fetched again.
    const left = (await readRows(database, dialect, contactsOf(schema))).length;
    assert.deepEqual([left, await shape(database)], dialect === "pglite" ? [0, null] : [4, "known"]);
    for (const [id, name] of [["a", "Ann"], ["b", "Bob"], ["d", "Di"]] as const) await synced(database, id, name);
    const [a, b, d] = await Promise.all(["a", "b", "d"].map((id) => readRow(database, dialect, contactsOf(schema), id)));
    assert.deepEqual([a?.["email"], a?.["local_notes"], a?.["_has_local_changes"]], [null, "precious", false]);
    assert.deepEqual([String(b?.["email"]), b?.["first_name"]], ["12.50", "Bo"]);
    assert.deepEqual([d?.["tags"], d?.["active"], d?.["score"]], [{ deep: [1] }, true, 2.5]);
  });

  test(`a database of a newer version serves an older one, and the newer again (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await synced(database, "a", "Ann");
    await updateRow(database, dialect, contactsMeta, "a", { local_notes: "precious", score: 3 });
    const newer = NEWER(dialect);
    await openSchema(database, newer);
    await synced(database, "a", "Ann");
    await updateRow(database, dialect, contactsOf(newer), "a", { mood: "fine", nick: "Annie" });
    await noteShape(database);
    await openSchema(database, first);
    assert.equal(await shape(database), null);
    await synced(database, "a", "Ann");
    const old = await readRow(database, dialect, contactsMeta, "a");
    assert.deepEqual([old?.["local_notes"], old?.["score"], "mood" in old!], ["precious", 3, false]);
    await updateRow(database, dialect, contactsMeta, "a", { local_notes: "still" });
    await openSchema(database, newer);
    await synced(database, "a", "Ann");
    const again = await readRow(database, dialect, contactsOf(newer), "a");
    assert.deepEqual([again?.["local_notes"], again?.["mood"], again?.["nick"]], ["still", "fine", "Annie"]);
  });

  test(`what from now on never leaves the database is taken out of what waits to be sent, and stays (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    for (const id of ["a", "b", "c"]) await synced(database, id, id);
    const edit = (id: string, values: object): Promise<void> => updateRow(database, dialect, contactsMeta, id, values as never);
    await edit("a", { first_name: "Anna", score: 1.5 });
    await edit("b", { score: 2.5 });
    await edit("c", { score: 3.5 });
    await insertRow(database, dialect, contactsMeta, { id: "d", first_name: "Dora", score: 4.5 });
    await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "key" = 'c'`);
    const refused = (await pendingChanges(database)).find(({ key }) => key === "d")!;
    await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"forbidden","message":"no"}')`, [refused.writeId]);
    await openSchema(database, PRIVATE_SCORE(dialect));
    assert.deepEqual((await readChanges(database, "1 = 1")).map(({ key, value, base }) => [key, value, base]), [
      ["a", { first_name: "Anna" }, { first_name: "a" }],
      // The server may have it as it is.
      ["c", { score: 3.5 }, { score: null }],
      ["d", { first_name: "Dora" }, {}],
    ]);
    // The server's rows are fetched anew, since their columns are others.
    for (const id of ["a", "b", "c"]) await synced(database, id, id);
    const shown = await readRows(database, dialect, contactsOf(PRIVATE_SCORE(dialect)));
    assert.deepEqual(shown.map(({ id, score }) => [id, score]).sort(), [["a", 1.5], ["b", 2.5], ["c", null]]);
    await retryWrite(database, refused.writeId);
    assert.equal((await readRow(database, dialect, contactsOf(PRIVATE_SCORE(dialect)), "d"))?.["score"], 4.5);
  });

  test(`what was accepted together, and has come in part, is not sent again by another version (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await writeTogether(database, async (inside) => {
      await insertRow(inside, dialect, accountsMeta, { id: "a", name: "Savings" });
      await insertRow(inside, dialect, contactsMeta, { id: "b", first_name: "Bob", score: 1.5 });
    });
    await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "attempts" = 1, "seq" = 9`);
    await database.query(`UPDATE "_shapes" SET "seq" = 9 WHERE "entity" = 'accounts'`);
    await openSchema(database, PRIVATE_SCORE(dialect));
    const left = async (): Promise<unknown[]> => (await readChanges(database, "1 = 1")).map(({ key, state, seq }) => [key, state, seq]);
    assert.deepEqual(await left(), [["b", "acknowledged", 0]]);
    assert.deepEqual(await database.query(`SELECT * FROM "_let_go"`), []);
    // It is shown until the server's rows are here.
    assert.equal((await readRow(database, dialect, contactsMeta, "b"))?.["first_name"], "Bob");
    await database.query(`UPDATE "_shapes" SET "seq" = 1 WHERE "entity" = 'contacts'`);
    assert.deepEqual(await left(), []);
  });

  test(`what never leaves the database waits where its field is of another kind (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await synced(database, "a", "Ann");
    await updateRow(database, dialect, contactsMeta, "a", { local_notes: "precious" });
    const other = OTHER_NOTES(dialect);
    await openSchema(database, other);
    assert.equal((await readRow(database, dialect, contactsOf(other), "a"))?.["local_notes"], null);
    await updateRow(database, dialect, contactsOf(other), "a", { local_notes: 7 });
    await openSchema(database, first);
    assert.equal((await readRow(database, dialect, contactsMeta, "a"))?.["local_notes"], "precious");
    await openSchema(database, other);
    assert.equal((await readRow(database, dialect, contactsOf(other), "a"))?.["local_notes"], 7);
  });

  test(`rows that another field names are fetched anew, and what was written under the former key is refused (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await synced(database, "a", "Ann");
    await updateRow(database, dialect, contactsMeta, "a", { local_notes: "precious", email: "mine" });
    // Of one name, and known here alone.
    await synced(database, "c", "Ann");
    await updateRow(database, dialect, contactsMeta, "c", { local_notes: "dear" });
    await insertRow(database, dialect, contactsMeta, { id: "b", first_name: "Bob", local_notes: "new" });
    await noteShape(database);
    const other = KEYED_BY_NAME(dialect);
    assert.equal(contactsOf(other).key, "first_name");
    await openSchema(database, other);
    assert.deepEqual([await readRows(database, dialect, contactsOf(other)), await shape(database)], [[], null]);
    assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["a", "schema_changed"], ["b", "schema_changed"]]);
    assert.deepEqual((await database.query(`SELECT "local_notes" FROM "_contacts_was1" ORDER BY "id"`)).map(({ local_notes }) => local_notes), ["precious", "new", "dear"]);
    await database.query(`INSERT INTO "contacts_synced" ("first_name", "id") VALUES ('Ann', 'a') ON CONFLICT ("first_name") DO NOTHING`);
    assert.ok(["precious", "dear"].includes(String((await readRow(database, dialect, contactsOf(other), "Ann"))?.["local_notes"])));
  });

  test(`the same version keeps the rows, and one that lacks an entity forgets where it was (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await synced(database, "a", "Ann");
    await insertRow(database, dialect, contactsMeta, { id: "b", first_name: "Bob" });
    await noteShape(database);
    // As a version that said so of a field has left it.
    await database.query(`INSERT INTO "_unique" ("entity", "field") VALUES ('contacts', 'email')`);
    await openSchema(database, first);
    assert.deepEqual([(await readRows(database, dialect, contactsMeta)).length, await shape(database)], [2, "known"]);
    await openSchema(database, WITHOUT_TRANSACTIONS(dialect));
    assert.deepEqual([(await readRows(database, dialect, contactsMeta)).length, await shape(database)], [2, "known"]);
    const entities = async (table: string) => (await database.query(`SELECT DISTINCT "entity" FROM ${table}`)).map(({ entity }) => entity).sort();
    assert.deepEqual([await entities(`"_shapes"`), await entities(`"_references"`), await entities(`"_unique"`)], [["accounts", "contacts"], [], []]);
    await openSchema(database, first);
    assert.deepEqual([await entities(`"_shapes"`), await entities(`"_references"`)], [["accounts", "contacts", "transactions"], ["transactions"]]);
  });

  test(`a version that can't be opened leaves the database as it was (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await synced(database, "a", "Ann");
    await updateRow(database, dialect, contactsMeta, "a", { local_notes: "precious" });
    const newer = NEWER(dialect);
    const broken = { ...newer, entities: newer.entities.map(({ meta, sql }, at) => ({ meta, sql: at === 2 ? `${sql} nonsense` : sql })) };
    await assert.rejects(openSchema(database, broken));
    assert.equal((await readRow(database, dialect, contactsMeta, "a"))?.["local_notes"], "precious");
    await openSchema(database, first);
    assert.equal((await readRow(database, dialect, contactsMeta, "a"))?.["local_notes"], "precious");
  });
}
