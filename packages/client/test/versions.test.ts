/** A server whose document is not the one that the client was made from. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HttpFailure } from "../src/http.js";
import { readChanges } from "../src/changes.js";
import { readRow } from "../src/rows.js";
import { startSync } from "../src/sync.js";
import { insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase, schemaOf } from "./databases.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { DOCUMENT, serve, until } from "./served.js";

const document = readFileSync(DOCUMENT, "utf8");

test("a server that knows more fields is read and written, and keeps what the client does not know", async (context) => {
  const server = await serve(context, document.replace("        email:", "        nickname: { type: [string, \"null\"] }\n        email:"));
  const database = await openDatabase("sqlite");
  const sync = startSync({ apiUrl: server.url, database, schema: schemaOf("sqlite") });
  context.after(() => sync.stop());
  const made = await fetch(`${server.url}/api/contacts`, { method: "POST", body: JSON.stringify({ first_name: "Ann", nickname: "Annie" }) });
  const { id } = await made.json() as { id: string };
  await until("it is here", async () => (await readRow(database, "sqlite", contactsMeta, id)) !== undefined);
  await updateRow(database, "sqlite", contactsMeta, id, { first_name: "Anna" });
  await until("it is there", async () => {
    const row = await (await fetch(`${server.url}/api/contacts/${id}`)).json() as { first_name: string; nickname: string };
    assert.equal(row.nickname, "Annie");
    return row.first_name === "Anna";
  });
});

test("a server that lacks a field is told, and serves the other entities", async (context) => {
  const server = await serve(context, document.replace("        score: { type: [number, \"null\"] }\n", ""));
  const database = await openDatabase("sqlite");
  const sync = startSync({ apiUrl: server.url, database, schema: schemaOf("sqlite") });
  context.after(() => sync.stop());
  await until("it is told", async () => sync.state().feeds["contacts"]?.status === "refused");
  const { error } = sync.state().feeds["contacts"]!;
  assert.ok(error instanceof HttpFailure && error.code === "schema_mismatch");
  assert.match(error.message, /contacts.*score.*syncline generate/);
  await until("the others are read", async () => sync.state().feeds["accounts"]?.status === "live");
  // The server is brought up, and nothing here needs to be begun again.
  const applied = await fetch(`${server.url}/api/schema`, { method: "PUT", body: document });
  assert.equal(applied.status, 200, await applied.text());
  await until("it is read", async () => sync.state().feeds["contacts"]?.status === "live");
});

for (const dialect of DIALECTS) {
  test(`a value that its column here can't hold keeps back its own entity alone (${dialect})`, async (context) => {
    const unheard: unknown[] = [];
    const hear = (error: unknown): void => void unheard.push(error);
    process.on("uncaughtException", hear);
    context.after(() => void process.off("uncaughtException", hear));
    const server = await serve(context, document.replace("score: { type: [number,", "score: { type: [string,"));
    const database = await openDatabase(dialect);
    const put = async (id: string, score: string): Promise<void> => {
      const made = await fetch(`${server.url}/api/contacts`, { method: "POST", body: JSON.stringify({ id, first_name: "Ann", score }) });
      assert.equal(made.status, 201, await made.text());
    };
    const [good, bad, account] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    await put(good, "1.5");
    const sync = startSync({ apiUrl: server.url, database, schema: schemaOf(dialect) });
    context.after(() => sync.stop());
    const status = (name: string): string | undefined => sync.state().feeds[name]?.status;
    await until("it is read", async () => status("contacts") === "live");
    await put(bad, "high");
    await until("it is told", async () => status("contacts") === "refused");
    const { error } = sync.state().feeds["contacts"]!;
    assert.ok(error instanceof HttpFailure && error.code === "value_invalid");
    assert.match(error.message, /contacts.*"high".*syncline generate/);
    await insertRow(database, dialect, accountsMeta, { id: account, name: "Savings" });
    await until("the others are sent and read", async () => (await readChanges(database, "1 = 1")).length === 0);
    assert.equal((await readRow(database, dialect, accountsMeta, account))?.["name"], "Savings");
    assert.deepEqual([status("accounts"), sync.state().fault, unheard], ["live", undefined, []]);
    // What was there stays.
    assert.equal((await readRow(database, dialect, contactsMeta, good))?.["score"], 1.5);
  });
}
