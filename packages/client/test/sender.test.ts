/** The queue and its sender, against a server of which the tests decide every answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { discardWrite, exportWrites, pendingChanges, readChanges, rejectedChanges, retryWrite, WriteFailure } from "../src/changes.js";
import { readRow, readRows } from "../src/rows.js";
import { CHARACTERS_MAX, runSender, synclineTransport, type SenderState } from "../src/sender.js";
import { CONFIRM_OFFLINE_TIMEOUT_MS, deleteRow, insertRow, lastWriteOf, settled, updateRow, writeTogether } from "../src/writes.js";
import { openDatabase } from "./databases.js";
import { accepted, contact, drive, each, isSent, server, type Reply, type SentWrite } from "./driven.js";
import { accountsMeta, contactsMeta, transactionsMeta } from "./generated/meta.js";
import { until } from "./served.js";

each("a write whose answer was lost is sent again under the same name", async (database) => {
  await contact(database, "a");
  const names: string[] = [];
  await drive(database, (sent) => {
    names.push(...sent.map(({ write_id }) => write_id));
    return names.length === 1 ? "lost" : accepted(sent);
  }, isSent(database));
  assert.equal(names.length, 2);
  assert.equal(names[0], names[1]);
});

each("no answer but a refusal lets a write go", async (database) => {
  await contact(database, "a");
  const replies: Reply[] = [
    new Response("", { status: 429 }), new Response("<html>", { status: 502 }), "unreachable",
    Response.json({ error: { code: "unauthenticated", message: "who are you?" } }, { status: 401 }),
  ];
  const states: SenderState[] = [];
  await drive(database, (sent) => replies.shift() ?? accepted(sent), isSent(database), states);
  assert.ok(states.some(({ status }) => status === "unauthorized"));
  assert.ok(states.some(({ status }) => status === "waiting"));
  assert.equal((await rejectedChanges(database)).length, 0);
  assert.equal((await readRow(database, database.dialect, contactsMeta, "a"))?.["first_name"], "a");
});

each("one write that the server can't take does not stop the others", async (database) => {
  for (const id of ["a", "b", "c", "d", "e"]) await contact(database, id);
  await drive(database, (sent) =>
    sent.some(({ writes }) => writes[0]!.id === "c")
      ? Response.json({ error: { code: "body_invalid", message: "no" } }, { status: 400 })
      : accepted(sent), isSent(database));
  assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["c", "body_invalid"]]);
  const rows = await readRows(database, database.dialect, contactsMeta);
  assert.deepEqual(rows.map((row) => row["id"]).sort(), ["a", "b", "d", "e"]);
});

each("a request is bounded by what it carries, and one write of any size leaves by itself", async (database) => {
  const text = "x".repeat(CHARACTERS_MAX / 4);
  for (const id of ["a", "b", "c", "d", "e", "f"]) await contact(database, id, { email: text });
  await contact(database, "long", { email: text.repeat(6) });
  await contact(database, "last");
  const sizes: number[] = [];
  await drive(database, (sent) => {
    sizes.push(sent.length);
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(sizes, [4, 3, 1]);
});

each("a connection that is too slow for a request gets smaller ones, until they arrive in time", async (database) => {
  for (let at = 0; at < 40; at += 1) await contact(database, `c${at}`);
  const sizes: number[] = [];
  await drive(database, (sent) => {
    sizes.push(sent.length);
    return sent.length > 10 ? "lost" : accepted(sent);
  }, isSent(database));
  assert.deepEqual(sizes.slice(0, 3), [40, 20, 10]);
  assert.equal(sizes.filter((size) => size <= 10).reduce((sum, size) => sum + size, 0), 40);
});

each("a refusal takes the writes that stand on it along, keeps the rest, and can be tried again", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "acc", name: "Savings" });
  await insertRow(database, database.dialect, transactionsMeta, { id: "t1", account_id: "acc", amount: "1.50" });
  await updateRow(database, database.dialect, transactionsMeta, "t1", { amount: "2.50" });
  await contact(database, "kept");
  await drive(database, (sent) => Response.json({
    results: sent.map(({ write_id, writes }) => writes[0]!.id !== "kept"
      ? { write_id, status: "rejected", error: { code: "validation_failed", message: "no", details: { fields: [{ field: "name", code: "max_length", message: "too long" }] } } }
      : { write_id, status: "accepted", seq: (server.seq += 1), txid: server.seq }),
  }), isSent(database));
  const refused = await rejectedChanges(database);
  assert.deepEqual(refused.map(({ key, error }) => [key, error?.code]), [["acc", "validation_failed"], ["t1", "dependency_rejected"]]);
  assert.equal(refused[0]?.error?.fields?.[0]?.field, "name");
  assert.deepEqual((await readRows(database, database.dialect, transactionsMeta)).length, 0);
  assert.match(await exportWrites(database), /Savings/);
  await retryWrite(database, refused[0]!.writeId);
  const again = await pendingChanges(database);
  assert.deepEqual(again.map(({ key }) => key), ["acc", "t1"]);
  assert.notEqual(again[0]?.writeId, refused[0]?.writeId);
  assert.equal((await readRows(database, database.dialect, transactionsMeta)).length, 1);
});

each("what builds on a new row leaves with it, and says that it does", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "acc", name: "Savings" });
  await insertRow(database, database.dialect, transactionsMeta, { id: "t1", account_id: "acc", amount: "1.50" });
  await contact(database, "alone");
  await insertRow(database, database.dialect, transactionsMeta, { id: "t2", account_id: "acc", amount: "2.50" });
  const requests: unknown[][] = [];
  await drive(database, (sent) => {
    const nameOf = new Map(sent.map(({ write_id, writes }) => [write_id, writes[0]!.id]));
    requests.push(sent.map(({ writes, after }) => [writes[0]!.id, after?.map((name) => nameOf.get(name))]));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(requests, [[["acc", []], ["t1", ["acc"]], ["alone", []], ["t2", ["acc"]]]]);
});

each("what was written together names no write of its own, and each other once", async (database) => {
  const { dialect } = database;
  await insertRow(database, dialect, accountsMeta, { id: "acc", name: "Savings" });
  await writeTogether(database, async (inside) => {
    await insertRow(inside, dialect, contactsMeta, { id: "ann", first_name: "Ann" });
    for (const id of ["t1", "t2"]) await insertRow(inside, dialect, transactionsMeta, { id, account_id: "acc", contact_id: "ann", amount: "1" });
  });
  const named: number[] = [];
  await drive(database, (sent) => {
    for (const { after } of sent) named.push(after!.length);
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(named, [0, 1]);
});

each("a delete leaves when the edits before it have their answers", async (database) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('a', 'Ann')`);
  await updateRow(database, database.dialect, contactsMeta, "a", { first_name: "Anna" });
  await contact(database, "b");
  await deleteRow(database, contactsMeta, "a");
  const requests: string[][] = [];
  await drive(database, (sent) => {
    requests.push(sent.map(({ writes }) => `${writes[0]!.action} ${writes[0]!.id}`));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(requests, [["update a", "create b"], ["delete a"]]);
});

const page = "<html>Sign in to this network</html>";
for (const [what, reply] of [
  ["a proxy's page", () => new Response(page)], ["JSON of something else", () => Response.json({ ok: true })],
  ["nothing", () => Response.json(null)], ["a path that is not known", () => new Response(page, { status: 404 })],
  ["another server's path", () => Response.json({ error: { code: "not_found", message: "no such path" } }, { status: 404 })],
  ["a page that takes no writes", () => new Response("", { status: 405 })],
] as const) {
  test(`writes wait while ${what} answers in the server's place`, async () => {
    const database = await openDatabase("sqlite");
    for (const id of ["a", "b", "c"]) await contact(database, id);
    const states: SenderState[] = [];
    let answers = 0;
    await drive(database, (sent) => ((answers += 1) === 1 ? reply() : accepted(sent)), isSent(database), states);
    const waiting = states.find(({ status }) => status === "waiting");
    assert.match(waiting?.error?.message ?? "", /POST \/api\/writes|no such path/);
    assert.deepEqual([answers, (await rejectedChanges(database)).length], [2, 0]);
  });
}

test("new writes do not end a pause that the server has asked for", async () => {
  const database = await openDatabase("sqlite");
  let hasAsked = 0;
  const controller = new AbortController();
  const states: SenderState[] = [];
  const fetch = (async () => {
    hasAsked += 1;
    return new Response("", { status: 429, headers: { "retry-after": "60" } });
  }) as typeof globalThis.fetch;
  const running = runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), controller.signal, (state) => states.push(state));
  for (let at = 0; at < 20; at += 1) await contact(database, `c${at}`);
  await until("it waits", async () => states.at(-1)?.status === "waiting");
  for (let at = 0; at < 20; at += 1) await contact(database, `d${at}`);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resume) => setImmediate(resume));
  assert.equal(hasAsked, 1);
  controller.abort();
  await running;
});

each("a conflict is kept with what each side holds, and a second try stands on the server's value", async (database) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('a', 'Ann')`);
  await updateRow(database, database.dialect, contactsMeta, "a", { first_name: "Anna" });
  await drive(database, (sent) => Response.json({ results: sent.map(({ write_id }) => ({
    write_id, status: "rejected",
    error: { code: "conflict", message: "changed meanwhile", details: { conflicts: { first_name: { base: "Ann", mine: "Anna", theirs: "Annie" } } } },
  })) }), isSent(database));
  const [refused] = await rejectedChanges(database);
  assert.deepEqual(refused?.error?.conflicts, { first_name: { base: "Ann", mine: "Anna", theirs: "Annie" } });
  assert.equal((await readRow(database, database.dialect, contactsMeta, "a"))?.["first_name"], "Ann");
  await retryWrite(database, refused!.writeId);
  const [change] = await pendingChanges(database);
  assert.deepEqual([change?.value, change?.base], [{ first_name: "Anna" }, { first_name: "Annie" }]);
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [change!.writeId]);
  await discardWrite(database, change!.writeId);
  assert.equal((await readChanges(database, "1 = 1")).length, 0);
});

each("an excluded field is shown here and is in no byte that leaves", async (database) => {
  await contact(database, "a", { local_notes: "only mine" });
  await updateRow(database, database.dialect, contactsMeta, "a", { local_notes: "still mine", email: "a@example.org" });
  let bytes = "";
  await drive(database, (sent, raw) => {
    bytes += raw;
    return accepted(sent);
  }, isSent(database));
  assert.doesNotMatch(bytes, /mine|local_notes/);
  assert.match(bytes, /a@example\.org/);
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email") VALUES ('a', 'a', 'a@example.org')`);
  await database.query(`UPDATE "_shapes" SET "seq" = $1 WHERE "entity" = 'contacts'`, [server.seq]);
  const row = await readRow(database, database.dialect, contactsMeta, "a");
  assert.deepEqual([row?.["local_notes"], row?.["_has_local_changes"]], ["still mine", false]);
});

each("only changed columns travel, nulls among them, with what was seen before", async (database) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email", "score") VALUES ('a', 'Ann', 'old', 2.5)`);
  await updateRow(database, database.dialect, contactsMeta, "a", { email: null, tags: { deep: [1, null] } });
  const seen: SentWrite[] = [];
  await drive(database, (sent) => {
    seen.push(...sent.flatMap(({ writes }) => writes));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(seen, [{
    entity: "contacts", id: "a", action: "update",
    values: { email: null, tags: { deep: [1, null] } }, base: { email: "old", tags: null },
  }]);
});

each("a new row travels with the nulls that were given, and with those that must be", async (database) => {
  await contact(database, "a", { email: null });
  await insertRow(database, database.dialect, transactionsMeta, { id: "t", account_id: "x", amount: "1" });
  const seen: SentWrite[] = [];
  await drive(database, (sent) => {
    seen.push(...sent.flatMap(({ writes }) => writes));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(seen.map(({ values }) => values), [
    { first_name: "a", email: null }, { account_id: "x", contact_id: null, amount: "1" },
  ]);
});

each("writes leave in the order in which they were made, past the ninth", async (database) => {
  for (let at = 0; at < 12; at += 1) await contact(database, `c${at}`);
  const order: string[] = [];
  await drive(database, (sent) => {
    order.push(...sent.map(({ writes }) => writes[0]!.id));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(order, Array.from({ length: 12 }, (_, at) => `c${at}`));
});

each("an insert and its delete are never sent", async (database) => {
  await contact(database, "a");
  await deleteRow(database, contactsMeta, "a");
  assert.equal((await readChanges(database, "1 = 1")).length, 0);
});

each("what is written together is sent as one, and refused as one", async (database) => {
  const names = await writeTogether(database, async (inside) => {
    await insertRow(inside, database.dialect, accountsMeta, { id: "x", name: "X" });
    await insertRow(inside, database.dialect, contactsMeta, { id: "y", first_name: "Y" });
  });
  assert.equal(names.length, 2);
  const sizes: number[] = [];
  await drive(database, (sent) => {
    sizes.push(...sent.map(({ writes }) => writes.length));
    return Response.json({ results: sent.map(({ write_id }) => ({ write_id, status: "rejected", error: { code: "forbidden", message: "no" } })) });
  }, isSent(database));
  assert.deepEqual(sizes, [2]);
  assert.equal((await rejectedChanges(database)).length, 2);
});

each("what work rejects with is what writing together rejects with", async (database) => {
  for (const thrown of ["no", undefined, null, { message: 1 }]) {
    await writeTogether(database, () => Promise.reject(thrown)).then(() => assert.fail("nothing was thrown"), (error: unknown) => assert.equal(error, thrown));
  }
});

each("a confirmed write shows nothing before the server has it", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  assert.deepEqual(await readRows(database, database.dialect, accountsMeta), []);
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  const waiting = settled(database, writeId);
  await drive(database, accepted, isSent(database));
  await waiting;
  assert.equal((await readRow(database, database.dialect, accountsMeta, "a"))?.["name"], "A");
});

each("a confirmed write that finds no server is taken back", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  await assert.rejects(settled(database, writeId, 20), (error) => error instanceof WriteFailure && error.code === "offline");
  assert.equal((await readChanges(database, "1 = 1")).length, 0);
});

each("a confirmed write for which nobody listens is not sent, and taken back", async (database) => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  const controller = new AbortController();
  // One try: nobody's wait ends in the middle of the next.
  await runSender(database, synclineTransport({ apiUrl: `http://127.0.0.1:${port}` }), controller.signal, ({ status }) => {
    if (status === "waiting") controller.abort();
  });
  await assert.rejects(settled(database, writeId, 20), (error) => error instanceof WriteFailure && error.code === "offline");
  assert.equal((await readChanges(database, "1 = 1")).length, 0);
});

each("a confirmed write without an answer ends as timed out and is not sent again", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  await database.query(`UPDATE "_changes" SET "state" = 'sending'`);
  await assert.rejects(settled(database, writeId, 20), (error) => error instanceof WriteFailure && error.code === "timed_out");
  assert.equal((await pendingChanges(database)).length, 0);
  assert.equal((await rejectedChanges(database)).length, 1);
});

each("a confirmed write whose try still fails when nobody waits offline any longer is taken back once it has", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  await database.query(`UPDATE "_changes" SET "state" = 'sending'`);
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true });
  try {
    const outcome = settled(database, writeId).then(() => "settled", (error: WriteFailure) => error.code);
    await new Promise((resolve) => setTimeout(resolve, CONFIRM_OFFLINE_TIMEOUT_MS + 500));
    await database.query(`UPDATE "_changes" SET "state" = 'pending'`);
    assert.equal(await outcome, "offline");
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
  assert.equal((await readChanges(database, "1 = 1")).length, 0);
});
