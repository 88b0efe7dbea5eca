/** Several tabs of one database: one of them sends, and when it ends another does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalDatabase } from "../src/database.js";
import { openLocal, startSync, type Sync } from "../src/sync.js";
import { insertRow } from "../src/writes.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";

/** The locks of a browser's origin: who asks first has it first, and waits no longer than its signal. */
class Locks {
  private readonly queues = new Map<string, Promise<unknown>>();

  request(name: string, { signal }: { signal: AbortSignal }, work: () => Promise<unknown>): Promise<unknown> {
    const before = this.queues.get(name) ?? Promise.resolve();
    const aborted = new Promise<never>((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error)));
    const granted = Promise.race([before, aborted]);
    const done = granted.then(() => work());
    this.queues.set(name, Promise.allSettled([before, done]));
    return done;
  }
}

interface Tab { sync: Sync; sent: string[] }

/** A tab that notes the writes that it sends. */
function open(database: LocalDatabase, schema = schemaOf("sqlite")): Tab {
  const sent: string[] = [];
  const answers = (async (url, init) => {
    if (String(url).includes("/v1/shape")) {
      return new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)));
    }
    const { transactions } = JSON.parse(init?.body as string) as { transactions: { write_id: string; writes: { id: string }[] }[] };
    sent.push(...transactions.map(({ writes }) => writes[0]!.id));
    return Response.json({ results: transactions.map(({ write_id }, at) => ({ write_id, status: "accepted", seq: at + 1, txid: at + 1 })) });
  }) as typeof fetch;
  return { sync: startSync({ apiUrl: "http://server", database, schema, fetch: answers, name: "tabs" }), sent };
}

test("one tab sends for all, and the next one when it ends", async (context) => {
  Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks(), onLine: true }, configurable: true });
  context.after(() => Reflect.deleteProperty(globalThis, "navigator"));
  const database = await openDatabase("sqlite");
  const tabs = [open(database), open(database), open(database)];
  const [first, second, third] = tabs as [Tab, Tab, Tab];
  const write = (id: string): Promise<void> => insertRow(database, "sqlite", contactsMeta, { id, first_name: id });
  await until("one leads", async () => tabs.some(({ sync }) => sync.state().isLeader));
  await write("a");
  await until("it is sent", async () => first.sent.length === 1);
  assert.deepEqual(tabs.map(({ sync }) => sync.state().isLeader), [true, false, false]);
  await until("the others know how it does", async () => second.sync.state().sender.status === "idle" && "contacts" in third.sync.state().feeds);
  // One that waits goes, then the one that leads.
  await second.sync.stop();
  await first.sync.stop();
  await until("the last one leads", async () => third.sync.state().isLeader);
  await write("b");
  await until("it is sent too", async () => third.sent.length > 0);
  assert.deepEqual(tabs.map(({ sent }) => sent), [["a"], [], ["b"]]);
  await third.sync.stop();
});

test("a tab that takes the lead does not go on with the fault of the one before it", async (context) => {
  Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks(), onLine: true }, configurable: true });
  context.after(() => Reflect.deleteProperty(globalThis, "navigator"));
  const database = await openDatabase("sqlite");
  const [first, second] = [open(database), open(database)];
  await until("one leads", async () => first.sync.state().isLeader);
  const other = new BroadcastChannel("syncline:tabs");
  const fault = { kind: "state", state: JSON.stringify({ isLeader: true, sender: { status: "idle" }, feeds: {}, fault: "the disk is full" }) };
  await until("it is told", async () => {
    // Again each time: what the first tab tells of itself meanwhile takes its place.
    other.postMessage(fault);
    return second.sync.state().fault !== undefined;
  });
  await first.sync.stop();
  await until("the other leads", async () => second.sync.state().isLeader);
  assert.equal(second.sync.state().fault, undefined);
  other.close();
  await second.sync.stop();
});

test("a tab of another version takes the lead from one that reads for the version before", async (context) => {
  Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks(), onLine: true }, configurable: true });
  context.after(() => Reflect.deleteProperty(globalThis, "navigator"));
  const database = await openDatabase("sqlite");
  const first = open(database);
  await until("it leads", async () => first.sync.state().isLeader);
  const schema = { ...schemaOf("sqlite"), version: "another" };
  await openLocal({ database, schema });
  const second = open(database, schema);
  await until("the new one leads", async () => second.sync.state().isLeader);
  await until("the old one follows", async () => !first.sync.state().isLeader && "contacts" in first.sync.state().feeds);
  // One that finds its own version leaves the lead where it is.
  await openLocal({ database, schema });
  const third = open(database, schema);
  await until("it is told how the others do", async () => "contacts" in third.sync.state().feeds);
  assert.deepEqual([first, second, third].map(({ sync }) => sync.state().isLeader), [false, true, false]);
  for (const { sync } of [third, second, first]) await sync.stop();
});
