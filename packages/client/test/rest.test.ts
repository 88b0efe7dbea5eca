/** The sender at a backend that is not Syncline's: one request for each write, at the paths that an application gives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingChanges, readChanges, rejectedChanges, retryWrite, type Change } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import type { EntityMeta } from "../src/entity.js";
import { FORBIDDEN_TRIES_MAX, restTransport } from "../src/rest.js";
import { runSender, type SenderState } from "../src/sender.js";
import { deleteRow, insertRow, lastWriteOf, settled, updateRow, writeTogether } from "../src/writes.js";
import { openDatabase } from "./databases.js";
import { contact, isSent } from "./driven.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";

interface Asked { method: string; path: string; writeId: string | null; body: Record<string, unknown> | undefined }

const route = ({ operation, entity, key }: Change): { method: string; path: string } => {
  if (entity === "nowhere") throw new Error("nothing goes nowhere");
  return {
    method: { insert: "POST", update: "PATCH", delete: "DELETE" }[operation], path: operation === "insert" ? `/${entity}` : `/${entity}/${key}`,
  };
};
const named: EntityMeta = { ...contactsMeta, name: "numbered", key: "number", fields: [{ name: "number", kind: "int64" }, { name: "total", kind: "float" }] };

/** Runs the sender until the queue is as `until` wants it, and gives what was asked of the backend. */
async function drive(
  database: LocalDatabase, answer: (asked: Asked, at: number) => Response | Promise<Response>,
  until = isSent(database), states: SenderState[] = [],
): Promise<Asked[]> {
  const controller = new AbortController();
  const asked: Asked[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    asked.push({
      method: init.method!, path: url.replace("http://backend/api", ""), writeId: headers.get("idempotency-key"),
      body: init.body === undefined ? undefined : JSON.parse(init.body as string) as Record<string, unknown>,
    });
    return answer(asked.at(-1)!, asked.length);
  }) as typeof globalThis.fetch;
  const transport = restTransport({ apiUrl: "http://backend/api/", fetch }, route, [contactsMeta, named]);
  const running = runSender(database, transport, controller.signal, (state) => states.push(state));
  while (!(await until())) await new Promise((resume) => setTimeout(resume, 5));
  controller.abort();
  await running;
  return asked;
}

test("each write goes to its path in order, with its name, its columns and the key of a new row", async () => {
  const database = await openDatabase("sqlite");
  await contact(database, "a", { email: null, local_notes: "mine" });
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('b', 'Bob'), ('c', 'Cid')`);
  await updateRow(database, "sqlite", contactsMeta, "b", { first_name: "Ben" });
  await deleteRow(database, contactsMeta, "c");
  await database.query(`INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value") VALUES ('numbered', '17', 'insert', 'optimistic', '{"total":1}')`);
  const names = (await pendingChanges(database)).map(({ writeId }) => writeId);
  const asked = await drive(database, ({ method }, at) =>
    method === "DELETE" ? new Response(null, { status: 204, headers: { "syncline-txid": "44" } }) : Response.json({ txid: 40 + at }));
  assert.deepEqual(asked.map(({ method, path, body }) => [method, path, body]), [
    ["POST", "/contacts", { first_name: "a", email: null, id: "a" }], ["PATCH", "/contacts/b", { first_name: "Ben" }],
    ["DELETE", "/contacts/c", undefined], ["POST", "/numbered", { total: 1, number: 17 }],
  ]);
  assert.deepEqual(asked.map(({ writeId }) => writeId), names);
  const told = await database.query<{ txid: number }>(`SELECT "txid" FROM "_changes" ORDER BY "id"`);
  assert.deepEqual(told.map(({ txid }) => txid), [41, 42, 44, 44]);
});

test("a failure keeps what was decided before it", async () => {
  const database = await openDatabase("sqlite");
  for (let at = 0; at < 6; at += 1) await contact(database, `c${at}`);
  const states: SenderState[] = [];
  const asked = await drive(database, (_, at) => (at === 4 ? new Response("", { status: 429 }) : Response.json({})), isSent(database), states);
  assert.deepEqual(asked.map(({ body }) => body?.["id"]), ["c0", "c1", "c2", "c3", "c3", "c4", "c5"]);
  assert.ok(states.some(({ status }) => status === "waiting"));
});

test("who waits for a write waits for none that comes after it", async () => {
  const database = await openDatabase("sqlite");
  await insertRow(database, "sqlite", accountsMeta, { id: "first", name: "A" });
  for (let at = 0; at < 3; at += 1) await contact(database, `c${at}`);
  const waiting = settled(database, (await lastWriteOf(database, accountsMeta, "first"))!);
  await drive(database, async (_, at) => {
    if (at === 2) await waiting;
    return Response.json({});
  });
});

test("a refusal is told for its write alone, with the backend's reason", async () => {
  const database = await openDatabase("sqlite");
  for (const id of ["a", "b", "c"]) await contact(database, id);
  await drive(database, ({ body }) => (body?.["id"] === "b"
    ? Response.json({ error: { code: "taken", message: "no", details: { fields: [{ field: "id", code: "taken", message: "no" }] } } }, { status: 409 })
    : body?.["id"] === "c" ? Response.json({ detail: "not so" }, { status: 422 }) : Response.json({})));
  assert.deepEqual(
    (await rejectedChanges(database)).map(({ key, error }) => [key, error?.code, error?.fields?.[0]?.field]),
    [["b", "taken", "id"], ["c", "http_422", undefined]],
  );
});

test("a write that its user may not make is refused alone, where the backend says why; an ended session makes all wait", async () => {
  const database = await openDatabase("sqlite");
  for (const id of ["a", "b"]) await contact(database, id);
  const states: SenderState[] = [];
  const asked = await drive(database, ({ body }, at) => (at === 1 ? Response.json({ detail: "Not authenticated" }, { status: 403 })
    : body?.["id"] === "a" ? Response.json({ error: { code: "forbidden", message: "not yours" } }, { status: 403 }) : Response.json({})), isSent(database), states);
  assert.deepEqual(asked.map(({ body }) => body?.["id"]), ["a", "a", "b"]);
  assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["a", "forbidden"]]);
  assert.equal(states.filter(({ status }) => status === "unauthorized").length, 1);
});

test("a write that is forbidden again and again without a reason is refused, and those after it are sent", async (context) => {
  const database = await openDatabase("sqlite");
  context.mock.method(Math, "random", () => 0);
  for (const id of ["a", "b"]) await contact(database, id);
  const states: SenderState[] = [];
  const asked = await drive(database, ({ body }) =>
    (body?.["id"] === "a" ? Response.json({ detail: "not yours" }, { status: 403 }) : Response.json({})), isSent(database), states);
  assert.deepEqual(asked.map(({ body }) => body?.["id"]), [...Array.from({ length: FORBIDDEN_TRIES_MAX }, () => "a"), "b"]);
  assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["a", "http_403"]]);
  assert.equal(states.filter(({ status }) => status === "unauthorized").length, FORBIDDEN_TRIES_MAX - 1);
});

for (const [of, answer] of [
  ["a page of something on the way that forbids", () => new Response("<h1>Forbidden</h1>", { status: 403 })],
  ["a session that has ended", () => Response.json({ detail: "no" }, { status: 401 })],
] as const) {
  test(`${of} refuses no write, however long it does`, async (context) => {
    const database = await openDatabase("sqlite");
    context.mock.method(Math, "random", () => 0);
    for (const id of ["a", "b"]) await contact(database, id);
    const tries = 3 * FORBIDDEN_TRIES_MAX;
    const asked = await drive(database, (_, at) => (at <= tries ? answer() : Response.json({})));
    assert.equal(asked.length, tries + 2);
    assert.deepEqual(await rejectedChanges(database), []);
  });
}

test("of writes that were made together each has its own outcome, and only the refused ones are offered again", async () => {
  const database = await openDatabase("sqlite");
  await writeTogether(database, async (inside) => {
    for (const id of ["a", "b", "c"]) await insertRow(inside, "sqlite", contactsMeta, { id, first_name: id });
  });
  const refuse = ({ body }: Asked): Response =>
    body?.["id"] === "b" ? Response.json({ error: { code: "taken", message: "no" } }, { status: 422 }) : Response.json({ txid: 1 });
  const asked = await drive(database, refuse);
  assert.deepEqual(asked.map(({ body }) => body?.["id"]), ["a", "b"]);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ key, state, error }) => [key, state, error?.code]), [
    ["a", "acknowledged", undefined], ["b", "rejected", "taken"], ["c", "rejected", "dependency_rejected"],
  ]);
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  const again = await drive(database, () => Response.json({ txid: 2 }));
  assert.deepEqual(again.map(({ body }) => body?.["id"]), ["b", "c"]);
});

test("a write that the page has no path for is refused, and those after it are sent", async () => {
  const database = await openDatabase("sqlite");
  await database.query(`INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value") VALUES ('nowhere', 'n', 'insert', 'optimistic', '{}')`);
  await contact(database, "a");
  const asked = await drive(database, () => Response.json({}));
  assert.deepEqual(asked.map(({ body }) => body?.["id"]), ["a"]);
  assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code, error?.message]),
    [["n", "no_route", "this page has no path for the write: nothing goes nowhere"]]);
});

for (const [what, reply] of [
  ["a proxy's page", () => new Response("<html>")], ["a path that is not known", () => Response.json({ detail: "Not Found" }, { status: 404 })],
  ["a page of no path", () => new Response("<html>", { status: 404 })], ["a page that takes no writes", () => Response.json({}, { status: 405 })],
] as const) {
  test(`new rows wait while ${what} answers in the backend's place`, async () => {
    const database = await openDatabase("sqlite");
    for (const id of ["a", "b"]) await contact(database, id);
    const asked = await drive(database, (_, at) => (at === 1 ? reply() : Response.json({})));
    assert.deepEqual(asked.map(({ body }) => body?.["id"]), ["a", "a", "b"]);
    assert.equal((await rejectedChanges(database)).length, 0);
  });
}
